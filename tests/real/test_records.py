"""What the call records, the queue log and the recording tell of a handoff by a qualifier."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from live import QUALIFIER_TONE, LiveScene
from scene import DIALPLAN, LEAD_TONE, TONE_TEAMS, TONES, record_prompts, until

from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, Hearing, read_wav

pytestmark = pytest.mark.real

CDR = ("uniqueid", "linkedid", "lastapp", "WARM_ID", "WARM_STATUS", "WARM_AGENT", "WARM_GAP_MS")
CEL = ("${eventtype}", "${CHANNEL(channame)}", "${CHANNEL(linkedid)}", "${userdeftype}", "${eventextra}")
EXTRA = {
    "cdr.conf": "[general]\nenable=yes\nunanswered=yes\n",
    "cdr_custom.conf": "[mappings]\nMaster.csv => " + ",".join(f"${{CSV_QUOTE(${{CDR({n})}})}}" for n in CDR),
    "cel.conf": "[general]\nenable=yes\napps=all\nevents=ALL\n",
    "cel_custom.conf": "[mappings]\nMaster.csv => " + ",".join(f"${{CSV_QUOTE({n})}}" for n in CEL),
    "queues.conf": "[general]\n[support]\nmember => PJSIP/qualifier\n",
}


MODULES = {
    22: ("app_queue", "res_cdrel_custom", "cdr_custom", "cel_custom"),
    16: ("app_queue", "cdr_custom", "cel_custom"),
}


BEGUN_ANEW_AND_ENDED = r"(?s)End MixMonitor Recording.*End MixMonitor Recording"

QUEUE = """
exten => support,1,Answer()
 same => n,Queue(support)
 same => n,Goto(lab-returned,s,1)
"""


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    for name in ("log/cdr-custom", "log/cel-custom", "recordings"):
        (folder / name).mkdir(parents=True)
    settings = {"sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))}}
    recorded = {**TONE_TEAMS["tones"], "queue_log": True, "recording": str(folder / "recordings")}
    with Stage(
        root,
        folder,
        teams={**TONE_TEAMS, "tones": recorded},
        agents={**AGENTS, **{f"racer{n}": f"Racer {n}" for n in range(20)}},
        dialplan=QUEUE + DIALPLAN,
        sounds=sounds,
        settings=settings,
        extra=EXTRA,
    ) as on_stage:
        for module in MODULES[root.major]:
            assert "Loaded" in on_stage.pbx.cli(f"module load {module}.so")
        yield on_stage
    shutil.rmtree(folder, ignore_errors=True)


def rows(path: Path, names: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [dict(zip(names, row, strict=True)) for row in csv.reader(file)]


async def test_given_a_consult_that_is_completed_then_the_records_tell_one_story(
    stage: Stage, phones: Phones
) -> None:
    log = stage.pbx.workdir / "log"
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana", mode="consult")
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")

    def told() -> list[dict[str, str]]:
        return [
            row for row in rows(log / "cdr-custom" / "Master.csv", CDR) if row["WARM_ID"] == handoff["id"]
        ]

    records = await until(told, 5.0, "call detail records with the handoff's id")
    last = records[-1]
    assert (last["WARM_STATUS"], last["WARM_AGENT"]) == ("CONNECTED", "ana")
    assert last["WARM_GAP_MS"] == str(handoff["gap_ms"])
    lead = handoff["lead"]["channel"]
    assert {row["linkedid"] for row in records} == {lead}

    events = rows(log / "cel-custom" / "Master.csv", ("type", "channel", "linkedid", "user", "extra"))
    ours = [e for e in events if e["linkedid"] == lead]
    assert {name.rpartition("-")[0] for name in (e["channel"] for e in ours)} >= {
        "PJSIP/anonymous",
        "PJSIP/qualifier",
        "PJSIP/ana",
        "PJSIP/ben",
    }, "one linkedid through the whole story"
    assert "WARM_CONNECTED" in {e["user"] for e in ours}

    queue = [line.split("|") for line in (log / "queue_log").read_text().splitlines()]
    story = [fields[4] for fields in queue if fields[1] == lead]
    assert story == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]
    connect = next(fields for fields in queue if fields[1] == lead and fields[4] == "CONNECT")
    assert (connect[2], connect[3]) == ("tones", "PJSIP/ana")


async def test_given_a_recording_then_it_is_the_leads_and_has_nothing_of_the_consult(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana", mode="consult")
    await scene.asks("swap")
    await scene.seen(lambda h: h["lead_is"] == "with_qualifier", "swapped")
    await scene.call.listen_for(1.0)
    await scene.asks("swap")
    await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "in private again")
    await calls["ana"].listen_for(1.0)
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    await calls["ana"].listen_for(1.0)
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    await scene.logged(BEGUN_ANEW_AND_ENDED)
    heard = recorded(stage, handoff["id"])
    quinn, ana = heard.has(QUALIFIER_TONE), heard.has(TONES["ana"])
    assert heard.has(LEAD_TONE).mean() > 0.8, "the lead is recorded all along, on hold too"
    assert ana.sum() > 20, "it goes on after the transfer"
    # Neither is recorded during the private talk: one is over before the other begins, a good while later.
    between = np.flatnonzero(ana)[0] - np.flatnonzero(quinn)[-1]
    assert between * FRAME_SECONDS > 0.4


async def test_given_a_recording_when_the_qualifier_leaves_a_talk_of_three_then_it_has_everyone_to_the_end(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones)
    calls = await scene.accepted("ana")
    await calls["ana"].listen_for(1.0)
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await calls["ana"].listen_for(1.5)
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    await scene.logged(BEGUN_ANEW_AND_ENDED)
    heard = recorded(stage, handoff["id"])
    quinn, ana = heard.has(QUALIFIER_TONE), heard.has(TONES["ana"])
    assert heard.has(LEAD_TONE).mean() > 0.8
    assert (quinn & ana).sum() > 20, "the three of them"
    alone = np.flatnonzero(ana)[-1] - np.flatnonzero(quinn)[-1]
    assert alone * FRAME_SECONDS > 1.0, "and then the two"


def recorded(stage: Stage, handoff: str) -> Hearing:
    samples = read_wav(stage.pbx.workdir / "recordings" / f"{handoff}.wav")
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return Hearing(np.arange(len(frames)) * FRAME_SECONDS, frames)


async def test_given_a_call_of_a_queue_when_its_member_hands_off_then_it_is_a_handoff_like_any_other(
    stage: Stage, phones: Phones
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), extension="support")
    calls = await scene.accepted("ana")
    handoff = await scene.handoff("INTRODUCING")
    assert (handoff["lead"]["name"], handoff["qualifier"]["name"]) == ("Grant Weatherly", "qualifier")
    await scene.quinn.hang_up()
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    # The lead goes on after Queue().
    await scene.returned("COMPLETED", "CONNECTED", "ana")
