"""Who hears what, from the RTP that reached each phone. Every voice, the music and every prompt is a tone of its own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from ears import ALL, FOREVER, GAP, NO_SILENCE, Bystander, audible, hears, onset, when_the_machine_keeps_up
from scene import (
    COMFORT_HZ,
    FAREWELL_HZ,
    INTRODUCTION_HZ,
    LEAD_TONE,
    MUSIC,
    RETURNED,
    TONES,
    HastyPhone,
    Scene,
    offer_states,
    talk,
    until,
)

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import (
    BRIEFING_MARKER_HZ,
    Hearing,
    chord,
    repeat,
    ulaw_to_linear,
    write_wav,
)

pytestmark = pytest.mark.real


@when_the_machine_keeps_up
async def test_given_three_briefed_agents_when_one_accepts_then_everyone_hears_exactly_what_is_meant_for_them(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones)
    calls = await scene.briefed("soothed", *TONES)
    for call in calls.values():
        await hears(capture, call.call_id, BRIEFING_MARKER_HZ, frames=5)
    await calls["ana"].press("2")
    lead = scene.call.call_id
    await hears(capture, lead, COMFORT_HZ)
    await calls["ben"].press("1")
    traffic = await talk(capture, lead, calls["ben"].call_id, TONES["ben"])
    assert await calls["cleo"].ended() == "the other side hung up"
    await calls["ben"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")

    accepted = traffic.keys_of(calls["ben"].call_id)[-1].released_at
    heard = traffic.heard_at(lead)
    assert audible(heard, *ALL) == {MUSIC, COMFORT_HZ, INTRODUCTION_HZ, TONES["ben"]}
    introduction = onset(heard, INTRODUCTION_HZ)
    assert introduction is not None
    # The agent is in the bridge a moment before the line begins: a frame of theirs may come before it.
    joined = onset(heard.between(introduction, FOREVER), TONES["ben"])
    assert joined is not None and introduction is not None
    # From the answer on there is always something to hear, until it is the agent.
    answered = traffic.dialog(lead).answered_at
    assert answered is not None
    assert bystander.silence(traffic, heard, answered, joined) < NO_SILENCE
    # The introduction comes at once, and delays the agent by no more than its length.
    gap = GAP + bystander.stalled(traffic, accepted, joined)
    assert accepted < introduction < accepted + gap
    assert joined < introduction + 1.0 + gap
    # Music and announcer are gone.
    assert audible(heard.between(accepted + gap, FOREVER), MUSIC, COMFORT_HZ) == set()
    assert audible(heard.between(joined + 0.06, FOREVER), *ALL) == {TONES["ben"]}

    ben = traffic.heard_at(calls["ben"].call_id)
    assert audible(ben, *ALL) == {BRIEFING_MARKER_HZ, INTRODUCTION_HZ, LEAD_TONE}
    assert audible(ben.between(0, accepted), *ALL) == {BRIEFING_MARKER_HZ}
    assert audible(ben.between(accepted + gap, FOREVER), *ALL) == {INTRODUCTION_HZ, LEAD_TONE}
    # Both are free to speak in the same moment.
    at_ben = onset(ben, LEAD_TONE, after=accepted)
    assert at_ben is not None and abs(at_ben - joined) < gap
    for loser in ("ana", "cleo"):
        ear = capture.traffic().heard_at(calls[loser].call_id)
        assert audible(ear, *ALL) == {BRIEFING_MARKER_HZ, FAREWELL_HZ}
    taken = onset(capture.traffic().heard_at(calls["cleo"].call_id), FAREWELL_HZ)
    assert taken is not None and accepted < taken < accepted + gap


@when_the_machine_keeps_up
async def test_given_a_key_during_the_briefing_then_it_counts_at_once_and_both_directions_carry(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ())
    async with HastyPhone(stage.pbx.sip, stage.pbx.sip_password, "ana", tone_hz=TONES["ana"]) as ana:
        await scene.dial("tones")
        await ana.rings()
        ana.answer()
        await scene.offer_is("ana", "BRIEFING")
        # A briefing begins with a pause of 0.3 s.
        await ana.press_at("1", time.time() + 0.8)
        traffic = await talk(capture, scene.call.call_id, ana.call_id, TONES["ana"])
        await scene.handoff("CONNECTED")
        ana.hang_up()
        await scene.returned("COMPLETED", "CONNECTED", "ana")
    (key,) = traffic.keys_of(ana.call_id)
    at_lead, at_ana = traffic.heard_at(scene.call.call_id), traffic.heard_at(ana.call_id)
    briefed = onset(at_ana, BRIEFING_MARKER_HZ)
    assert briefed is not None and key.released_at < briefed + 1.0, "the briefing was over before the key"
    gap = GAP + bystander.stalled(traffic, key.released_at, key.released_at + GAP)
    assert audible(at_ana.between(key.released_at + gap, FOREVER), *ALL) == {LEAD_TONE}
    for ear, hz in ((at_lead, TONES["ana"]), (at_ana, LEAD_TONE)):
        first = onset(ear, hz, after=key.released_at)
        assert first is not None and first - key.released_at < gap
    joined = onset(at_lead, TONES["ana"])
    answered = traffic.dialog(scene.call.call_id).answered_at
    assert joined is not None and answered is not None
    assert bystander.silence(traffic, at_lead, answered, joined) < NO_SILENCE


@when_the_machine_keeps_up
async def test_given_the_repeat_key_then_the_agent_hears_the_briefing_again(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("tones", "ana")
    await hears(capture, calls["ana"].call_id, BRIEFING_MARKER_HZ, frames=20)
    await calls["ana"].press("3")
    await scene.seen(lambda _: _story(stage, scene).count("hears the briefing") == 2, "the second briefing")
    ear = calls["ana"].call_id
    await hears(capture, ear, BRIEFING_MARKER_HZ, frames=150)
    await calls["ana"].press("2")
    await scene.returned("RETURNED", "DECLINED")
    assert audible(capture.traffic().heard_at(ear), *ALL) == {BRIEFING_MARKER_HZ, FAREWELL_HZ}


def _story(stage: Stage, scene: Scene) -> list[str]:
    newest = stage.daemon.handoffs(1)[0]
    return [line["text"] for line in stage.daemon.story(newest["id"])]


@when_the_machine_keeps_up
async def test_given_a_winner_who_vanishes_then_the_lead_hears_music_again_without_a_hole(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ("ana", "ben"))
    calls = await scene.briefed("introduced", "ana")
    await calls["ana"].press("1")
    await scene.handoff("INTRODUCING")
    lead = scene.call.call_id
    await hears(capture, lead, INTRODUCTION_HZ)
    await calls["ana"].hang_up()
    again = await scene.agents["ben"].rings()
    await again.answer()
    await scene.offer_is("ben", "BRIEFING")
    await again.press("1")
    traffic = await talk(capture, lead, again.call_id, TONES["ben"])
    await again.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ben")
    heard = traffic.heard_at(lead)
    joined, answered = onset(heard, TONES["ben"]), traffic.dialog(lead).answered_at
    gone = traffic.dialog(calls["ana"].call_id).ended_at
    assert joined is not None and answered is not None and gone is not None
    assert bystander.silence(traffic, heard, answered, joined) < NO_SILENCE
    music = onset(heard, MUSIC, after=gone)
    assert music is not None and music < gone + GAP + bystander.stalled(traffic, gone, music)


@when_the_machine_keeps_up
async def test_given_a_lead_who_comes_back_then_there_is_no_hole_before_the_dialplan_goes_on(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.ringing("tones")
    lead = scene.call.call_id
    await hears(capture, lead, MUSIC)
    await calls["ana"].busy()
    traffic = await hears(capture, lead, RETURNED)
    await scene.returned("RETURNED", "NOAGENT")
    heard = traffic.heard_at(lead)
    back, answered = onset(heard, RETURNED), traffic.dialog(lead).answered_at
    assert back is not None and answered is not None
    assert bystander.silence(traffic, heard, answered, back) < NO_SILENCE
    assert audible(heard, *ALL) == {MUSIC, RETURNED}


@pytest.mark.parametrize("voice", ["speech", "in-band keys"])
@when_the_machine_keeps_up
async def test_given_an_answering_machine_that_talks_over_the_briefing_then_it_never_has_the_lead(
    stage: Stage,
    phones: Phones,
    capture: Capture,
    bystander: Bystander,
    sounds: Path,
    workdir: Path,
    voice: str,
) -> None:
    if voice == "speech":
        # What the product says itself, as real speech as any.
        said = ulaw_to_linear(
            np.frombuffer((sounds / "prompts" / "comfort.ulaw").read_bytes(), dtype=np.uint8)
        )
    else:
        # The sound of key 1, which no phone that sends keys as events would let pass for one.
        said = np.concatenate((_key_one(0.2), chord((300,), 0.2)))
    says = {"ana": write_wav(workdir / "machine.wav", repeat(said, 3.0))}
    scene = await Scene.set(stage, phones, ("ana", "ben"), says=says)
    calls = await scene.briefed("hasty", "ana")
    traffic = await hears(capture, scene.call.call_id, RETURNED)
    handoff = await scene.returned("RETURNED", "TIMEOUT")
    assert offer_states(handoff) == {"ana": "NO_DECISION", "ben": "NO_ANSWER"}
    assert not traffic.said_at(calls["ana"].call_id).silent().all()
    heard = traffic.heard_at(scene.call.call_id)
    back = onset(heard, RETURNED)
    assert back is not None
    # Music and nothing but music, in every frame.
    held = heard.between(0, back - 0.1)
    assert held.has(MUSIC).all() and audible(held, *ALL) == {MUSIC}
    assert audible(traffic.heard_at(calls["ana"].call_id), *ALL) <= {BRIEFING_MARKER_HZ, FAREWELL_HZ}


def _key_one(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    t = np.arange(round(seconds * 8000)) / 8000
    return np.asarray(7000 * (np.sin(2 * np.pi * 697 * t) + np.sin(2 * np.pi * 1209 * t)), dtype=np.int16)


@when_the_machine_keeps_up
async def test_given_spoken_lines_then_the_leads_line_never_pauses_and_the_agent_hears_speech_first(
    stage: Stage, phones: Phones, capture: Capture, bystander: Bystander
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("spoken", "ana")
    ana, lead = calls["ana"].call_id, scene.call.call_id

    def spoken() -> bool:
        ear = capture.traffic().heard_at(ana)
        return int((~ear.silent()).sum()) > 50

    await until(spoken, 5.0, "a second of briefing")
    await calls["ana"].press("1")
    await scene.handoff("CONNECTED")
    traffic = await talk(capture, lead, ana, TONES["ana"], after=time.time())
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")
    heard = traffic.heard_at(lead)
    accepted = traffic.keys_of(ana)[-1].released_at
    joined, answered = heard.last_frame_with(MUSIC), traffic.dialog(lead).answered_at
    assert joined is not None and answered is not None
    # A pause between spoken words is sound; a line without packets is not.
    packets = heard.between(answered, FOREVER)
    assert (
        bystander.silence(traffic, Hearing(packets.times, packets.frames | 1000), answered, joined)
        < NO_SILENCE
    )
    assert bystander.silence(traffic, heard, answered, accepted) < NO_SILENCE
    introduction = heard.between(accepted + GAP, accepted + 1.5)
    assert (~introduction.silent()).any() and not introduction.has(MUSIC).all()
    briefing = traffic.heard_at(ana).between(0, accepted)
    assert not briefing.has(LEAD_TONE).all() and not briefing.has(MUSIC).all()
