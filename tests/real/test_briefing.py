"""What an agent sees and hears of a lead: on the phone's display, in the INVITE, in their own language, on demand."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scene import LEAD_NAME, LEAD_NUMBER, Scene, offer, until

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import Samples, ulaw_to_linear
from asterisk_warm.speech.audio import RATE
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.text import speakable

pytestmark = pytest.mark.real

WHY = "Home insurance."
PLAN = (
    "Gold with the glass insured and the cellar too. The roof was new two years ago and the heating is older than "
    "that. They have been with the same insurer since they bought the house."
)
DECISION_SECONDS = 6.0
SPANISH = {"briefing": "Cliente nuevo. {summary}", "instructions": "Pulse {accept} para aceptar."}
TEAMS = {
    "tongues": {
        "name": "Tongues",
        "agents": list(AGENTS),
        "comfort_seconds": 0,
        "introduction": False,
        "language": "en",
        "translations": {"es": SPANISH},
        "templates": {"instructions": "Press {accept}.", "details": "More: {details}."},
        "alert": "<http://lab>;info=lead",
    },
    "answering": {"name": "Answering", "agents": ["ana"], "comfort_seconds": 0, "auto_answer": True},
}
DIALPLAN = f"""
exten => tongues,1,Set(WARM_LEAD_SUMMARY={WHY})
 same => n,Gosub(warm-handoff,s,1(tongues,detail.plan=Gold))
 same => n,Goto(lab-returned,s,1)
exten => long,1,Set(WARM_LEAD_SUMMARY={WHY})
 same => n,Gosub(warm-handoff,s,1(tongues,decision={DECISION_SECONDS:g},detail.plan={PLAN}))
 same => n,Goto(lab-returned,s,1)
exten => words,1,Answer()
 same => n,Record(${{ASTSPOOLDIR}}/recording/lab-words.wav,0,2,qk)
 same => n,Set(WARM_LEAD_RECORDING=lab-words)
 same => n,Gosub(warm-handoff,s,1(tongues))
 same => n,Goto(lab-returned,s,1)
exten => h,1,Log(NOTICE,lab-left ${{CHANNEL}} status=${{WARM_STATUS}} gap=${{WARM_GAP_MS}} agent=${{WARM_AGENT}} cause=${{WARM_CAUSE}})
"""
LIKE = 0.8
"""From here on a sound is in another one: what is not there comes to half of it at most."""
PIECE = 4000
QUIET = 100.0


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    voices = {"speech": {"voices": {"en": "hibari", "es": "espeak:es"}}}
    with Stage(root, folder, teams=TEAMS, dialplan=DIALPLAN, settings=voices) as on_stage:
        status, ben = on_stage.daemon.request("GET", "/v1/agents/ben")
        body: dict[str, Any] = {key: ben[key] for key in ("name", "endpoint", "teams")}
        status, answer = on_stage.daemon.request("PUT", "/v1/agents/ben", {**body, "language": "es"})
        assert status == 200, answer
        yield on_stage
    shutil.rmtree(folder, ignore_errors=True)


async def spoken(engine: EspeakEngine | HibariEngine, text: str) -> Samples:
    """As the daemon has it said."""
    try:
        return ulaw_to_linear(np.frombuffer(await engine.say(speakable(text)), np.uint8))
    finally:
        await engine.close()


def likeness(heard: Samples, said: Samples) -> float:
    """How much of what was said is found in what was heard, half a second at a time (a phone's jitter buffer leaves out or
    doubles a bit now and then): 1 for all of it."""
    pieces = [said[start : start + PIECE] for start in range(0, len(said) - PIECE, PIECE)]
    loud = [piece for piece in pieces if np.abs(piece.astype(np.float64)).mean() > QUIET]
    return float(np.median([_found(heard, piece) for piece in loud]))


def _found(heard: Samples, piece: Samples) -> float:
    """The same of one piece, at its best place."""
    longer, wanted = heard.astype(np.float64), piece.astype(np.float64)
    if len(longer) < len(wanted):
        return 0.0
    size = len(longer) + len(wanted)
    product = np.fft.irfft(np.fft.rfft(longer, size) * np.conj(np.fft.rfft(wanted, size)), size)
    energy = np.concatenate(([0.0], np.cumsum(longer**2)))
    windows = energy[len(wanted) :] - energy[: -len(wanted)]
    scale = np.sqrt(np.maximum(windows, 1.0) * (wanted**2).sum())
    return float((product[: len(windows)] / scale).max())


async def hears(call: Call, said: Samples, seconds: float = 12.0) -> float:
    """How like it is, as soon as it has been heard; or what there was at the deadline."""

    def found() -> float | None:
        like = likeness(call.heard, said)
        return like if like > LIKE else None

    try:
        return await until(found, seconds, "the words")
    except AssertionError:
        return likeness(call.heard, said)


async def test_given_agents_of_two_languages_when_they_answer_then_each_is_briefed_in_theirs(
    stage: Stage,
) -> None:
    english = await spoken(HibariEngine(), f"{LEAD_NAME}. {WHY}")
    spanish = await spoken(EspeakEngine("es"), f"Cliente nuevo. {WHY}")
    async with stage.phones(record=True) as phones:
        scene = await Scene.set(stage, phones, ("ana", "ben"))
        calls = await scene.briefed("tongues", "ana", "ben")
        assert await hears(calls["ana"], english) > LIKE
        assert await hears(calls["ben"], spanish) > LIKE
        assert likeness(calls["ana"].heard, spanish) < LIKE and likeness(calls["ben"].heard, english) < LIKE
        scene.lead.calls[0].take_sound()
        # The lead has heard none of either.
        assert likeness(scene.call.heard, english) < LIKE and likeness(scene.call.heard, spanish) < LIKE
        await scene.call.hang_up()
        await scene.left("ABANDONED", "ABANDONED")
    await stage.nothing_left()


async def test_given_an_agent_who_wants_more_when_they_press_4_then_the_details_are_told_and_3_repeats(
    stage: Stage,
) -> None:
    who = await spoken(HibariEngine(), f"{LEAD_NAME}. {WHY}")
    more = await spoken(HibariEngine(), "More: plan: Gold.")
    async with stage.phones(record=True) as phones:
        scene = await Scene.set(stage, phones, ("ana",))
        calls = await scene.briefed("tongues", "ana")
        assert await hears(calls["ana"], who) > LIKE
        assert likeness(calls["ana"].heard, more) < LIKE
        await calls["ana"].press("4")
        assert await hears(calls["ana"], more) > LIKE
        before = len(calls["ana"].heard)
        await calls["ana"].press("3")
        again = await until(lambda: likeness(calls["ana"].heard[before:], who) > LIKE, 12.0, "it again")
        assert again
        await scene.call.hang_up()
        await scene.left("ABANDONED", "ABANDONED")
    await stage.nothing_left()


async def test_given_details_longer_than_the_time_to_decide_when_they_are_over_then_the_agent_still_has_all_of_it(
    stage: Stage,
) -> None:
    more = await spoken(HibariEngine(), f"More: plan: {PLAN}")
    assert len(more) / RATE > DECISION_SECONDS
    async with stage.phones(record=True) as phones:
        scene = await Scene.set(stage, phones, ("ana",))
        calls = await scene.briefed("long", "ana")
        await calls["ana"].press("4")
        ended = await until(lambda: _details_ended(stage, scene), 40.0, "the end of the details")
        answered = (await scene.offer_is("ana", "BRIEFING"))["answered_at"]
        assert ended > answered + DECISION_SECONDS
        assert await hears(calls["ana"], more[-2 * RATE :]) > LIKE
        await calls["ana"].press("1")
        handoff = await scene.handoff("CONNECTED")
        assert offer(handoff, "ana")["decided_at"] > ended
        await calls["ana"].hang_up()
        await scene.returned("COMPLETED", "CONNECTED", "ana")
    await stage.nothing_left()


def _details_ended(stage: Stage, scene: Scene) -> float | None:
    (latest,) = stage.daemon.handoffs(1)
    facts = [line for line in stage.daemon.journal(latest["id"]) if line["event"] == "PlaybackEnded"]
    return next((line["at"] for line in facts if line["detail"].get("number") == 1002), None)


async def test_given_a_lead_when_an_agent_is_rung_then_the_invite_says_who_how_good_and_why(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    given = {"score": 72, "verdict": "ready", "reason": "owns a home", "summary": "Renews in May"}
    status, answer = await asyncio.to_thread(
        stage.daemon.request,
        "POST",
        "/v1/qualifications",
        {"lead": LEAD_NUMBER, "script": "other", "given": given},
    )
    assert status == 201, answer
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.ringing("tongues")
    handoff = await scene.handoff("OFFERING")
    assert calls["ana"].caller_name == f"{LEAD_NAME}, 72: {WHY.rstrip('.')}" or calls[
        "ana"
    ].caller_name.startswith(f"{LEAD_NAME}, 72: {WHY.rstrip('.')}")
    assert calls["ana"].caller_number == LEAD_NUMBER
    assert (handoff["lead"]["score"], handoff["lead"]["verdict"]) == (72, "ready")
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    (dialog,) = capture.traffic().dialogs_to("ana")
    assert dialog.invite.header("X-Warm-Handoff") == handoff["id"]
    assert dialog.invite.header("Alert-Info") == "<http://lab>;info=lead"


async def test_given_a_team_that_answers_by_itself_when_rung_then_the_phone_is_told_so(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    await scene.ringing("answering")
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    (dialog,) = capture.traffic().dialogs_to("ana")
    assert "answer-after=0" in dialog.invite.header("Call-Info")
