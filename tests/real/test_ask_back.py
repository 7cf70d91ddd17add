"""An agent asks the lead something before deciding: who hears the question, and who the reply, from RTP."""

from __future__ import annotations

import time

import pytest
from ears import Bystander, audible, hears, onset, when_the_machine_keeps_up
from scene import (
    ASK_HZ,
    ASK_LATER_HZ,
    LEAD_TONE,
    MUSIC,
    NO_REPLY_HZ,
    QUESTION_HZ,
    REPLY_HZ,
    TONES,
    Scene,
    talk,
    until,
)

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ

pytestmark = pytest.mark.real

SOUNDS = (MUSIC, BRIEFING_MARKER_HZ, ASK_HZ, QUESTION_HZ, REPLY_HZ, NO_REPLY_HZ, ASK_LATER_HZ, LEAD_TONE)
EVERYTHING = (*SOUNDS, *TONES.values())


async def asks(capture: Capture, call: Call) -> None:
    """The agent presses the key, speaks (their tone) for a second, and ends the question with a key."""
    await call.press("5")
    await hears(capture, call.call_id, ASK_HZ, frames=10)
    spoken = capture.traffic().said_at(call.call_id)
    begun = float(spoken.times[-1])
    await until(
        lambda: float(capture.traffic().said_at(call.call_id).times[-1]) > begun + 1.2,
        8.0,
        "a second of speech",
    )
    await call.press("#")


@when_the_machine_keeps_up
async def test_given_two_briefed_agents_when_one_asks_back_then_question_and_reply_are_heard_by_whom_they_concern(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("asked", "ana", "ben")
    lead, ana, ben = scene.call.call_id, calls["ana"].call_id, calls["ben"].call_id
    for agent in (ana, ben):
        await hears(capture, agent, BRIEFING_MARKER_HZ, frames=10)
    await asks(capture, calls["ana"])
    await hears(capture, lead, TONES["ana"], frames=20)
    # The lead speaks all along: their tone is the reply.
    await hears(capture, ana, LEAD_TONE, frames=20)
    await hears(capture, lead, REPLY_HZ, frames=10)
    traffic = capture.traffic()
    assert audible(traffic.heard_at(ben), *EVERYTHING) == {BRIEFING_MARKER_HZ}
    assert audible(traffic.heard_at(lead), *EVERYTHING) == {MUSIC, QUESTION_HZ, TONES["ana"], REPLY_HZ}
    assert audible(traffic.heard_at(ana), *EVERYTHING) == {BRIEFING_MARKER_HZ, ASK_HZ, LEAD_TONE}
    # While the lead is asked, and may answer, there is no music; then there is again.
    asked = onset(traffic.heard_at(lead), QUESTION_HZ)
    reply = onset(traffic.heard_at(lead), REPLY_HZ)
    assert asked is not None and reply is not None
    assert audible(traffic.heard_at(lead).between(asked + 0.3, reply + 0.6), MUSIC) == set()
    again = await until(
        lambda: onset(capture.traffic().heard_at(lead), MUSIC, after=reply), 8.0, "music after the reply"
    )
    assert again > reply
    handoff = await scene.handoff("OFFERING")
    assert handoff["lead_is"] == "held"

    await calls["ana"].press("1")
    await talk(capture, lead, ana, TONES["ana"], after=again)
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")
    ear = capture.traffic().heard_at(ben)
    assert not audible(ear, LEAD_TONE, *(hz for name, hz in TONES.items() if name == "ana"))


async def test_given_a_question_under_way_when_another_agent_asks_or_accepts_then_they_are_told_or_win(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("asked", "ana", "ben")
    lead, ben = scene.call.call_id, calls["ben"].call_id
    await asks(capture, calls["ana"])
    await hears(capture, lead, TONES["ana"], frames=10)
    await calls["ben"].press("5")
    await hears(capture, ben, ASK_LATER_HZ, frames=10)
    await calls["ben"].press("1")
    traffic = await talk(capture, lead, ben, TONES["ben"])
    joined = onset(traffic.heard_at(lead), TONES["ben"])
    assert joined is not None
    await calls["ana"].ended()
    ear = capture.traffic().heard_at(lead).between(joined + 0.3, float("inf"))
    assert audible(ear, *EVERYTHING) == {TONES["ben"]}
    await calls["ben"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")


async def test_given_a_question_under_way_when_the_lead_hangs_up_then_the_agent_is_told_and_nothing_is_left(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("asked", "ana")
    await asks(capture, calls["ana"])
    await hears(capture, scene.call.call_id, TONES["ana"], frames=5)
    await scene.call.hang_up()
    assert await calls["ana"].ended() == "the other side hung up"
    await scene.left("ABANDONED", "ABANDONED")


async def test_given_an_agent_who_has_asked_once_when_they_ask_again_then_they_are_told_and_can_still_accept(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("asked", "ana")
    ana = calls["ana"]
    await asks(capture, ana)
    await hears(capture, ana.call_id, LEAD_TONE, frames=20)
    await scene.seen(lambda handoff: handoff["state"] == "OFFERING", "offering")
    await until(lambda: _ended(stage, scene), 15.0, "the reply to be over")
    await ana.press("5")
    await hears(capture, ana.call_id, ASK_LATER_HZ, frames=10)
    pressed = time.time()
    await ana.press("1")
    # Each has heard the other before, as a recording.
    await talk(capture, scene.call.call_id, ana.call_id, TONES["ana"], after=pressed)
    await scene.handoff("CONNECTED")
    await ana.hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    story = [line["text"] for line in stage.daemon.story(handoff["id"])]
    keys = [text for text in story if text.startswith("pressed #")]
    # On a slow machine the time limit may have been faster than the key.
    assert keys in (
        ["pressed # (ended the question)"],
        ["pressed # (no meaning, but their question is under way)"],
    )


def _ended(stage: Stage, scene: Scene) -> bool:
    handoff = stage.daemon.handoffs(1)[0]["id"]
    return any(
        line["event"] == "PlaybackEnded" and line["detail"].get("what") == "reply"
        for line in stage.daemon.journal(handoff)
    )
