"""Who hears what when a qualifier hands the lead off, from the RTP that reached each phone."""

from __future__ import annotations

import numpy as np
import pytest
from ears import ALL, FOREVER, NO_SILENCE, Bystander, audible, hears, onset, when_the_machine_keeps_up
from live import QUALIFIER_TONE, LiveScene
from scene import ACCEPTED_HZ, ASIDE_HZ, LEAD_TONE, MUSIC, TONES, talk, until

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ, FRAME_SECONDS, Hearing
from asterisk_warm.lab.traffic import Traffic

pytestmark = pytest.mark.real

EVERY_SOUND = (*ALL, QUALIFIER_TONE, ACCEPTED_HZ, ASIDE_HZ)
LOST_AT_MOST = 2
"""Frames of 20 ms that may be missing in each direction when a live call is taken over."""


def longest_without(ear: Hearing, *voices: int) -> float:
    """Seconds between two frames in which at least one of the voices is heard, beyond a frame's own length."""
    heard = np.any([ear.has(hz) for hz in voices], axis=0)
    return float(np.diff(ear.times[heard]).max()) - FRAME_SECONDS


async def lasts(capture: Capture, call: str, hz: int, after: float, frames: int = 20) -> Traffic:
    """Wait until that has been heard in the call for so long since then."""

    def heard() -> Traffic | None:
        traffic = capture.traffic()
        return traffic if traffic.heard_at(call).between(after, FOREVER).hears(hz, frames=frames) else None

    return await until(heard, 8.0, f"{hz} Hz after {after}")


@when_the_machine_keeps_up
async def test_given_a_live_call_when_it_is_taken_over_then_neither_side_misses_more_than_two_frames(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    lead, quinn = scene.call.call_id, scene.quinn.call_id
    await hears(capture, lead, QUALIFIER_TONE, frames=30)
    traffic = await hears(capture, quinn, LEAD_TONE, frames=30)
    before = float(traffic.heard_at(lead).times[-1]) - 0.3
    await scene.offered()
    taken = float(capture.traffic().heard_at(lead).times[-1])
    await lasts(capture, lead, QUALIFIER_TONE, taken)
    traffic = await lasts(capture, quinn, LEAD_TONE, taken)
    for call, voice in ((lead, QUALIFIER_TONE), (quinn, LEAD_TONE)):
        ear = traffic.heard_at(call).between(before, taken + 0.3)
        missed = longest_without(ear, voice) - bystander.stalled(traffic, before, taken)
        assert missed < (LOST_AT_MOST + 0.5) * FRAME_SECONDS, f"{voice} Hz was not heard for {missed:.3f} s"
        # Not a sound but the voice: no music, no beep, no key.
        assert audible(ear, *EVERY_SOUND) == {voice}
    await scene.presses("*1")
    await scene.handoff("RETURNED")
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "TAKENBACK")


@when_the_machine_keeps_up
async def test_given_mode_stay_then_the_lead_hears_a_human_all_along_and_nothing_that_is_not_for_them(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await LiveScene.talking(stage, phones)
    lead, quinn = scene.call.call_id, scene.quinn.call_id
    await hears(capture, lead, QUALIFIER_TONE, frames=20)
    calls = await scene.offered()
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    await hears(capture, calls["ana"].call_id, BRIEFING_MARKER_HZ)
    await calls["ana"].press("1")
    await hears(capture, lead, TONES["ana"])
    traffic = await hears(capture, quinn, ACCEPTED_HZ, frames=8)
    three = float(traffic.heard_at(lead).times[-1])
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    traffic = await talk(capture, lead, calls["ana"].call_id, TONES["ana"], after=three)
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")
    assert handoff["gap_ms"] == 0

    ear = traffic.heard_at(lead)
    assert audible(ear, *EVERY_SOUND) == {QUALIFIER_TONE, TONES["ana"]}
    start = onset(ear, QUALIFIER_TONE)
    assert start is not None
    alone = longest_without(ear.between(start, FOREVER), QUALIFIER_TONE, TONES["ana"])
    assert alone - bystander.stalled(traffic, start) < NO_SILENCE, f"no human for {alone:.3f} s"
    assert scene.call.digits == "", "the lead heard the qualifier's keys"
    # The qualifier hears the lead all along, the agent as soon as they are there, and the tone; no briefing.
    at_quinn = traffic.heard_at(quinn)
    assert audible(at_quinn, *EVERY_SOUND) == {LEAD_TONE, TONES["ana"], ACCEPTED_HZ}
    # The agent hears the briefing and nobody else, then both.
    at_ana = traffic.heard_at(calls["ana"].call_id)
    accepted = traffic.keys_of(calls["ana"].call_id)[-1].released_at
    assert audible(at_ana.between(0, accepted), *EVERY_SOUND) == {BRIEFING_MARKER_HZ}
    assert audible(at_ana, *EVERY_SOUND) == {BRIEFING_MARKER_HZ, LEAD_TONE, QUALIFIER_TONE}


@when_the_machine_keeps_up
async def test_given_nobody_accepts_then_the_reason_is_told_to_the_qualifier_alone_while_both_talk_on(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    lead, quinn = scene.call.call_id, scene.quinn.call_id
    await hears(capture, lead, QUALIFIER_TONE, frames=20)
    calls = await scene.offered()
    await calls["ana"].busy()
    await scene.handoff("RETURNED")
    traffic = await hears(capture, quinn, ASIDE_HZ, frames=25)
    told = onset(traffic.heard_at(quinn), ASIDE_HZ)
    assert told is not None
    traffic = await lasts(capture, lead, QUALIFIER_TONE, told + 0.7)
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "NOAGENT")
    ear = traffic.heard_at(lead)
    assert audible(ear, *EVERY_SOUND) == {QUALIFIER_TONE}
    start = onset(ear, QUALIFIER_TONE)
    assert start is not None
    alone = longest_without(ear.between(start, FOREVER), QUALIFIER_TONE)
    assert alone - bystander.stalled(traffic, start) < NO_SILENCE
    # Told over the lead's voice, not in its place.
    meanwhile = traffic.heard_at(quinn).between(told, told + 0.5)
    assert audible(meanwhile, *EVERY_SOUND) == {ASIDE_HZ, LEAD_TONE}


@when_the_machine_keeps_up
async def test_given_a_consult_then_the_lead_hears_music_and_nothing_of_it(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    lead, quinn = scene.call.call_id, scene.quinn.call_id
    await hears(capture, lead, QUALIFIER_TONE, frames=20)
    calls = await scene.offered(mode="consult")
    await calls["ana"].answer()
    await scene.offer_is("ana", "BRIEFING")
    traffic = await hears(capture, calls["ana"].call_id, BRIEFING_MARKER_HZ)
    await calls["ana"].press("1")
    await scene.handoff("CONSULTING")
    await hears(capture, quinn, TONES["ana"])
    traffic = await hears(capture, calls["ana"].call_id, QUALIFIER_TONE)
    private = float(traffic.heard_at(lead).times[-1])
    await scene.presses("*2")
    await scene.handoff("CONNECTED")
    traffic = await talk(capture, lead, calls["ana"].call_id, TONES["ana"], after=private)
    await calls["ana"].hang_up()
    handoff = await scene.returned("COMPLETED", "CONNECTED", "ana")

    ear = traffic.heard_at(lead)
    held, joined = onset(ear, MUSIC), onset(ear, TONES["ana"])
    assert held is not None and joined is not None
    # First the qualifier, then music and nothing else, then the agent and nothing else.
    assert audible(ear.between(0, held), *EVERY_SOUND) == {QUALIFIER_TONE}
    assert audible(ear.between(held + 0.06, joined - 0.02), *EVERY_SOUND) == {MUSIC}
    assert audible(ear.between(joined + 0.06, FOREVER), *EVERY_SOUND) == {TONES["ana"]}
    start = onset(ear, QUALIFIER_TONE)
    assert start is not None
    assert bystander.silence(traffic, ear, start, joined) < NO_SILENCE
    assert abs(handoff["gap_ms"] / 1000 - (joined - held)) < 0.25 + bystander.stalled(traffic, held, joined)
    # The agent hears the briefing, then the qualifier alone, then the lead alone.
    at_ana = traffic.heard_at(calls["ana"].call_id)
    met = onset(at_ana, QUALIFIER_TONE)
    assert met is not None
    assert audible(at_ana.between(0, met - 0.02), *EVERY_SOUND) == {BRIEFING_MARKER_HZ}
    assert LEAD_TONE not in audible(at_ana.between(met, joined - 0.1), *EVERY_SOUND)
    assert audible(at_ana.between(joined + 0.2, FOREVER), *EVERY_SOUND) == {LEAD_TONE}


@when_the_machine_keeps_up
async def test_given_a_consult_that_is_swapped_then_who_is_on_hold_hears_nothing_of_the_other(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    lead, quinn = scene.call.call_id, scene.quinn.call_id
    calls = await scene.accepted("ana", mode="consult")
    ana = calls["ana"].call_id
    traffic = await hears(capture, ana, QUALIFIER_TONE)
    await scene.presses("*4")
    await scene.seen(lambda h: h["lead_is"] == "with_qualifier", "swapped")
    swapped = float(traffic.heard_at(ana).times[-1]) + 1.0
    await lasts(capture, lead, QUALIFIER_TONE, swapped)
    traffic = await lasts(capture, ana, MUSIC, swapped)
    end = float(traffic.heard_at(ana).times[-1])
    assert audible(traffic.heard_at(lead).between(swapped, end), *EVERY_SOUND) == {QUALIFIER_TONE}
    assert audible(traffic.heard_at(ana).between(swapped, end), *EVERY_SOUND) == {MUSIC}
    assert audible(traffic.heard_at(quinn).between(swapped, end), *EVERY_SOUND) == {LEAD_TONE}
    await scene.presses("*1")
    await scene.handoff("RETURNED")
    await scene.quinn.hang_up()
    await scene.returned("RETURNED", "TAKENBACK")
    assert scene.call.digits == "" and calls["ana"].digits == ""
