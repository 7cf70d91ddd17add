"""The daemon killed at every point of a handoff, and started again: what goes on, and what nobody must notice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from conftest import CACHE
from crash_cases import EDGES, JOINING, LONG, OFFERS, PLANS
from crash_scene import Case, CrashScene, CrashStage

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[CrashStage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    sounds = CACHE / "crash-sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    with CrashStage(root, folder, sounds, PLANS) as on_stage:
        yield on_stage
        shutil.copy(folder/'daemon'/'daemon.log','/tmp/crash/last-daemon'); shutil.copy(folder/'log'/'full','/tmp/crash/last-full')  # XXX
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@pytest.fixture
async def phones(stage: CrashStage) -> AsyncIterator[Phones]:
    async with stage.phones() as on_stage:
        yield on_stage
    await stage.nothing_left()


@pytest.mark.parametrize("delay", (0, 2), ids=("at once", "after 2 s"))
@pytest.mark.parametrize("plan", (OFFERS, JOINING, EDGES), ids=("offers", "joining", "edges"))
async def test_given_handoffs_in_every_state_when_the_daemon_is_killed_and_restarted_then_each_goes_on_or_rolls_back(
    stage: CrashStage, phones: Phones, capture: Capture, plan: tuple[Case, ...], delay: float
) -> None:
    scene = CrashScene(stage, PLANS.index(plan), plan, phones, capture)
    await scene.play(delay)
    scene.check()
    print(f'RESUMED {scene.resumed_after():.2f} waiting {scene.kept_waiting:.2f}')  # XXX


async def test_given_handoffs_when_the_daemon_is_away_for_10_s_then_music_and_talk_last_and_each_goes_on(
    stage: CrashStage, phones: Phones, capture: Capture
) -> None:
    scene = CrashScene(stage, PLANS.index(LONG), LONG, phones, capture)
    await scene.play(10)
    scene.check()
    print(f'RESUMED {scene.resumed_after():.2f} waiting {scene.kept_waiting:.2f}')  # XXX
