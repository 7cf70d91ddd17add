"""The daemon killed in every state with a qualifier on the line, and started again; meanwhile nothing happens, or somebody hangs
up: then the outcome is that of docs/qualifier.md, nobody is left alone and no leg is left behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from conftest import CACHE
from crash_scene import GatedStage
from qualifier_crash_cases import PLANS
from qualifier_crash_scene import AGENTS, DIALPLAN, TEAMS, Act, QualifierCrash, nothing
from scene import record_prompts

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import MUSIC_HZ

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[GatedStage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    sounds = CACHE / "qualifier-crash-sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    settings = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        # A daemon that is started again and again need not load a large voice each time.
        "speech": {"engines": ["espeak"]},
    }
    with GatedStage(
        root, folder, teams=TEAMS, agents=AGENTS, dialplan=DIALPLAN, sounds=sounds, settings=settings
    ) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@pytest.mark.parametrize("plan", PLANS)
async def test_given_a_qualifier_on_the_line_when_the_daemon_is_killed_and_restarted_then_it_goes_on_as_documented(
    stage: GatedStage, phones: Phones, capture: Capture, plan: str
) -> None:
    scene = QualifierCrash(stage, list(PLANS).index(plan), PLANS[plan], phones, capture)
    await scene.play(delay=0.5)
    faults = silences(scene, scene.acts)
    assert not faults, "\n".join(faults)


def silences(scene: QualifierCrash, acts: Sequence[Act]) -> list[str]:
    """Where the lead heard nothing while the daemon was away."""
    traffic = scene.capture.traffic()
    window = scene.killed_at, scene.ready_at
    # What Asterisk's own music stops for is the machine's fault.
    machine = traffic.heard_at(scene.control.call_id).longest_silence(*window)
    faults = []
    for act in acts:
        if act.case.cut or (act.case.meanwhile is not nothing and not act.case.held):
            continue
        ear = traffic.heard_at(act.lead.call_id)
        silence = ear.longest_silence(*window)
        if silence > 0.2 + machine:
            faults.append(f"{act.case.name}: the lead heard nothing for {silence:.2f} s of the outage")
        if act.case.held and not ear.between(*window).hears(*MUSIC_HZ, frames=20):
            faults.append(f"{act.case.name}: the lead heard no music during the outage")
    return faults
