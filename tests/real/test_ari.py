"""The ARI and AMI adapters against a real Asterisk and real phones: each order, and what each event means."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from adapters import SIP_PORT, Adapters, leg, nothing_left, private_asterisk, until
from ari_scene import ANA, ANA_HZ, GRANT, LEAD_TONE, MUSIC, Talk

from asterisk_warm.ami import manager
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ari import socket as event_socket
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.model import Variable
from asterisk_warm.ari.probe import missing_modules
from asterisk_warm.ari.socket import Replaced
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentLeft,
    AgentRinging,
    DigitPressed,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
)
from asterisk_warm.core.handoff.ids import playback_id
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.engine.ports.calls import Location, Shown
from asterisk_warm.engine.ports.pbx import EndpointUnreachable, LegGone, PbxError, PbxRefused, PbxUnreachable
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.rawphones import RefusingPhone
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ, chord, write_wav

pytestmark = pytest.mark.real

COMFORT_HZ, INTRODUCTION_HZ = 3000, 3100
BEN = Shown("Ben Okafor", "202")
HOSTILE = 'Eve "x" \\ ${SHELL(id)} <sip:x@y>;a=b\r\nX-Evil: 1\x00 🔥 مرحبا \u202e\udcff' + "A" * 4000
DIALPLAN = """
exten => waiting,1,Answer()
 same => n,Wait(30)
 same => n,Goto(lab-returned,s,1)
exten => hostile,1,Set(WARM_LEAD_NAME=${URIDECODE(x%ffy%0d%0a%22%24%7bSHELL(id)%7d%2c%29)})
 same => n,Set(CALLERID(name)=${URIDECODE(bad%ffname)})
 same => n,Gosub(warm-handoff,s,1(sales,summary=${URIDECODE(cut%ff %24%7bEPOCH%7d)}))
 same => n,Goto(lab-returned,s,1)
exten => talk,1,Dial(PJSIP/ana)
[elsewhere]
exten => 42,1,Log(NOTICE,lab-elsewhere cause=${WARM_CAUSE} length=${LEN(${WARM_CAUSE})})
 same => n,Hangup()
"""


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    folder = tmp_path_factory.mktemp("ari")
    for name, hz, seconds in (
        ("briefing", BRIEFING_MARKER_HZ, 20.0),
        ("comfort", COMFORT_HZ, 0.6),
        ("introduction", INTRODUCTION_HZ, 0.6),
    ):
        write_wav(folder / f"{name}.wav", chord((hz,), seconds))
    with private_asterisk(root, folder, ("ana", "ben"), DIALPLAN) as running:
        yield running


@pytest.fixture
async def adapters(asterisk: PrivateAsterisk) -> AsyncIterator[Adapters]:
    async with Adapters(asterisk) as connected:
        yield connected


@pytest.fixture
async def phones(asterisk: PrivateAsterisk) -> AsyncIterator[Phones]:
    async with Phones(asterisk.sip, asterisk.sip_password) as registered:
        yield registered
    await nothing_left(asterisk)


@pytest.fixture
def capture(tmp_path: Path, asterisk: PrivateAsterisk) -> Iterator[Capture]:
    with Capture(tmp_path / "scene.pcap", sip_port=SIP_PORT) as running:
        yield running


@pytest.fixture
async def talk(capture: Capture, adapters: Adapters, phones: Phones) -> AsyncIterator[Talk]:
    scene = await Talk(adapters, phones).begin()
    yield scene
    await scene.end()


# -- the lead ------------------------------------------------------------------------------------------------


async def test_given_a_lead_when_secured_then_they_hear_music_at_once_and_the_order_may_be_repeated(
    adapters: Adapters, phones: Phones, capture: Capture
) -> None:
    talk = await Talk(adapters, phones).begin()
    await talk.call.listen_for(0.3)
    traffic = capture.traffic()
    answered = traffic.dialog(talk.call.call_id).answered_at
    assert answered is not None
    first = traffic.heard_at(talk.call.call_id).first_frame_with(MUSIC)
    assert first is not None and first - answered < 1.0
    # 16 looks at an unanswered channel's orders every 200 ms only, unless it is woken.
    assert answered - traffic.dialog(talk.call.call_id).invited_at < 0.15

    found = (await talk.pbx.look()).channels[talk.lead]
    assert (found.up, found.bridge, found.in_stasis) == (True, talk.bridge, True)
    await talk.pbx.secure_lead(talk.lead, talk.bridge, "tone", {"WARM_ID": talk.handoff})
    assert (await talk.pbx.look()).channels[talk.lead].bridge == talk.bridge
    before = time.time()
    await talk.call.listen_for(0.3)
    assert capture.traffic().heard_at(talk.call.call_id).between(before, time.time()).hears(MUSIC)
    await talk.end()
    hung_up = await talk.engine.fact(LeadHungUp, talk.handoff)
    assert hung_up.cause == "normal clearing"
    assert not talk.engine.told(LeadLeft, talk.handoff)


async def test_given_music_when_an_announcement_interrupts_then_no_silence_is_as_long_as_100_ms(
    talk: Talk, capture: Capture
) -> None:
    await talk.call.listen_for(0.3)
    comfort = playback_id(talk.handoff, Playing.COMFORT, 1)
    began = time.time()
    await talk.pbx.play_to_lead(talk.lead, comfort, talk.sound("comfort"))
    ended = await talk.engine.fact(PlaybackEnded, talk.handoff)
    assert (ended.what, ended.number, ended.failed) == (Playing.COMFORT, 1, False)
    assert abs(ended.at - time.time()) < 1.0
    await talk.pbx.hold_music(talk.lead, "")
    await talk.call.listen_for(0.3)
    heard = capture.traffic().heard_at(talk.call.call_id)
    assert heard.longest_silence(began - 0.2, time.time() - 0.1) < 0.1
    during = heard.between(began + 0.05, ended.at - 0.05)
    assert during.hears(COMFORT_HZ) and not during.hears(MUSIC)
    assert heard.between(ended.at + 0.1, time.time()).hears(MUSIC)


async def test_given_a_missing_sound_when_played_then_it_is_told_as_failed(talk: Talk) -> None:
    playback = playback_id(talk.handoff, Playing.COMFORT, 1)
    await talk.pbx.play_to_lead(talk.lead, playback, ["sound:no-such-sound"])
    assert (await talk.engine.fact(PlaybackEnded, talk.handoff)).failed
    await talk.pbx.stop_playback(playback)


async def test_given_a_lead_when_returned_then_the_dialplan_goes_on_and_knows_all_of_a_long_reason(
    talk: Talk, asterisk: PrivateAsterisk
) -> None:
    reason = "Zoë was busy; " * 250
    await talk.pbx.return_lead(talk.lead, {"WARM_STATUS": "NOAGENT", "WARM_CAUSE": reason}, None)
    await talk.engine.fact(LeadLeft, talk.handoff)
    told = await asyncio.to_thread(asterisk.wait_for_log, r"lab-returned .* status=NOAGENT .* cause=(.*)")
    assert told[1].startswith("Zoë was busy; Zoë")
    with pytest.raises(PbxRefused, match="not in Stasis"):
        await talk.pbx.hold_music(talk.lead, "")


async def test_given_any_text_when_set_as_variables_then_the_dialplan_has_it_unchanged_and_unevaluated(
    talk: Talk,
) -> None:
    texts = {
        "WARM_STATUS": "CONNECTED",
        "WARM_AGENT": "",
        "WARM_CAUSE": "Ben (the \"second\"), said: [no] \\ \\\\n 'x' ${SHELL(id)} $[1+1] a|b;c&d %41 \n ü🔥",
        "WARM_ID": "x" * 3000,
        "WARM_GAP_MS": " 12 ",
        "WARM_PEER": '((([[[,,,"""',
    }
    await talk.pbx.secure_lead(talk.lead, talk.bridge, "", texts)
    path = f"/channels/{talk.lead}/variable"

    async def have() -> dict[str, str]:
        get = talk.adapters.client.get
        return {name: (await get(path, Variable, variable=name)).value for name in texts}

    deadline = time.monotonic() + 2
    while (present := await have()) != texts:
        # Asterisk says yes before it has done it.
        assert time.monotonic() < deadline, present


async def test_given_a_lead_when_returned_to_a_place_then_it_is_there_with_the_variables(
    talk: Talk, asterisk: PrivateAsterisk
) -> None:
    await talk.pbx.return_lead(talk.lead, {"WARM_CAUSE": "x" * 900}, Location("elsewhere", "42", 1))
    await asyncio.to_thread(asterisk.wait_for_log, r"lab-elsewhere cause=x+ length=900")
    assert not talk.engine.told(LeadHungUp, talk.handoff)


async def test_given_a_hostile_description_when_handed_off_then_it_arrives_as_text_and_nothing_is_evaluated(
    adapters: Adapters, phones: Phones
) -> None:
    talk = await Talk(adapters, phones).begin("hostile")
    door = talk.engine.doors[0]
    assert door.lead.variables["WARM_LEAD_NAME"] == 'xy\r\n"${SHELL(id)},)'
    assert list(door.options) == ["summary=cut ${EPOCH}"]
    assert door.team == "sales"
    assert list((await talk.pbx.look()).at_door) == [door]
    await talk.end()


# -- agents --------------------------------------------------------------------------------------------------


async def test_given_an_agent_when_rung_then_the_invite_is_out_at_once_and_every_step_is_told(
    talk: Talk, capture: Capture
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    began = time.time()
    grant = Shown("Grant Weatherly", "+15551230001")
    await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ana", grant, ANA, 20, {"WARM_ID": "w"}, {})
    offer = await ana.rings()
    assert (offer.caller_name, offer.caller_number) == ("Grant Weatherly", "+15551230001")
    invited = capture.traffic().dialogs_to("ana")[0].invited_at
    assert invited - began < 1.0  # How soon is measured by `make bench`.
    await talk.engine.fact(AgentRinging, talk.handoff)
    found = (await talk.pbx.look()).channels[talk.leg]
    assert (found.up, found.bridge, found.in_stasis) == (False, None, True)

    path = f"/channels/{talk.leg}/variable"
    linked = await talk.adapters.client.get(path, Variable, variable="CHANNEL(linkedid)")
    assert linked.value == talk.lead

    # A repeated order rings nobody twice, before and after the answer.
    await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ana", GRANT, ANA, 20, {}, {})
    await offer.answer()
    await talk.engine.fact(AgentAnswered, talk.handoff)
    await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ana", GRANT, ANA, 20, {}, {})
    await offer.press("1")
    assert (await talk.engine.fact(DigitPressed, talk.handoff)).digit == "1"
    await offer.hang_up()
    gone = await talk.engine.fact(AgentHungUp, talk.handoff)
    assert (gone.outcome, gone.cause) == (Outcome.HUNG_UP, "normal clearing")
    assert len(capture.traffic().dialogs_to("ana")) == 1
    kinds = [type(event) for _, event in talk.engine.facts]
    assert kinds == [AgentRinging, AgentAnswered, DigitPressed, AgentHungUp]
    assert len({event.event_id for _, event in talk.engine.facts}) == len(kinds)


@pytest.mark.parametrize(
    ("name", "number", "shown_name", "shown_number"),
    [
        ("Zoë Müller 🔥", "+1 (555) 123-0001", "Zoë Müller 🔥", "+15551230001"),
        (HOSTILE, "1@evil;tag=x", "Eve x SHELL(id) sip:x@y a=b X-Evil: 1 🔥 مرحبا", "1eviltagx"),
        ("", "5550001", "", "5550001"),
        ("Only A Name", "", "Only A Name", None),
    ],
)
async def test_given_any_name_when_rung_then_the_phone_shows_it_and_nothing_else_happens(
    talk: Talk, name: str, number: str, shown_name: str, shown_number: str | None
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ana", Shown(name, number), ANA, 20, {}, {})
    offer = await ana.rings()
    assert offer.caller_name.startswith(shown_name) and len(offer.caller_name) <= 60
    assert bool(offer.caller_name) is bool(shown_name)
    if shown_number is not None:
        assert offer.caller_number == shown_number
    await talk.pbx.hang_up(talk.leg)
    assert await offer.ended() == "the other side hung up"


REFUSALS = [
    (486, "Busy Here", Outcome.BUSY, "busy"),
    (600, "Busy Everywhere", Outcome.BUSY, "busy"),
    (603, "Decline", Outcome.DECLINED, "call rejected"),
    (403, "Forbidden", Outcome.DECLINED, "call rejected"),
    (480, "Temporarily Unavailable", Outcome.NO_ANSWER, "no answer"),
    (408, "Request Timeout", Outcome.NO_ANSWER, "the phone did not respond"),
    (404, "Not Found", Outcome.UNREACHABLE, "unknown number"),
    (410, "Gone", Outcome.UNREACHABLE, "number changed"),
    (500, "Server Internal Error", Outcome.UNREACHABLE, "network out of order"),
    (503, "Service Unavailable", Outcome.UNREACHABLE, "no circuit available"),
    (488, "Not Acceptable Here", Outcome.FAILED, "no common codec"),
]


async def test_given_a_phone_that_refuses_when_rung_then_each_way_is_told_apart_in_words(talk: Talk) -> None:
    for number, (code, reason, outcome, cause) in enumerate(REFUSALS, start=1):
        async with RefusingPhone(
            talk.adapters.asterisk.sip, talk.adapters.asterisk.sip_password, "ben", code, reason
        ):
            await talk.pbx.ring(leg(talk.handoff, number), talk.lead, "PJSIP/ben", GRANT, BEN, 20, {}, {})
            await talk.engine.until(lambda n=number: len(talk.engine.told(AgentHungUp, talk.handoff)) == n)
        told = talk.engine.told(AgentHungUp, talk.handoff)[-1]
        assert (told.offer, told.outcome, told.cause) == (number, outcome, cause), code
    assert not talk.engine.told(AgentLeft, talk.handoff)


async def test_given_an_agent_who_lets_it_ring_when_asterisks_own_time_is_up_then_it_is_no_answer(
    talk: Talk,
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ana", GRANT, ANA, -1, {}, {})
    offer = await ana.rings()
    gone = await talk.engine.fact(AgentHungUp, talk.handoff)
    assert gone.outcome is Outcome.NO_ANSWER
    assert gone.cause in ("rang out", "no answer")
    assert await offer.ended() == "the other side hung up"


async def test_given_a_phone_that_is_away_when_rung_then_that_is_said_and_not_that_allocation_failed(
    talk: Talk,
) -> None:
    with pytest.raises(EndpointUnreachable, match="phone not registered"):
        await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/ben", GRANT, BEN, 20, {}, {})
    with pytest.raises(EndpointUnreachable, match="no such device"):
        await talk.pbx.ring(talk.leg, talk.lead, "PJSIP/nobody", GRANT, ANA, 20, {}, {})
    with pytest.raises(PbxRefused):
        await talk.pbx.ring(talk.leg, talk.lead, "nonsense", GRANT, ANA, 20, {}, {})


async def test_given_an_agent_who_is_moved_away_when_it_happens_then_they_have_left_and_not_hung_up(
    talk: Talk,
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    offer = await talk.answered(ana)
    await talk.adapters.ami.redirect(talk.leg, Location("lab-returned", "s", 1))
    await talk.engine.fact(AgentLeft, talk.handoff)
    assert not talk.engine.told(AgentHungUp, talk.handoff)
    deadline = time.monotonic() + 2
    while (await talk.pbx.look()).channels[talk.leg].in_stasis:
        # Asterisk tells of the leaving before it is done.
        assert time.monotonic() < deadline
    await offer.hang_up()


# -- together ------------------------------------------------------------------------------------------------


async def test_given_a_briefed_agent_when_joined_then_both_hear_each_other_and_nothing_else(
    talk: Talk, capture: Capture
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    offer = await talk.answered(ana)
    briefing = playback_id(talk.handoff, Playing.BRIEFING, 1001)
    await talk.pbx.play(talk.leg, briefing, talk.sound("briefing"))
    await offer.listen_for(0.3)
    began = time.time()
    await talk.pbx.join(talk.lead, talk.leg, talk.bridge, [briefing, "warm-no~comfort~1"], [], "unused")
    joined = time.time()
    await talk.call.listen_for(0.4)
    traffic = capture.traffic()
    lead_ear, ana_ear = traffic.heard_at(talk.call.call_id), traffic.heard_at(offer.call_id)
    for ear, voice in ((lead_ear, ANA_HZ), (ana_ear, LEAD_TONE)):
        first = ear.first_frame_with(voice, after=began)
        assert first is not None and first - began < 1.0
    after = joined + 0.1
    assert ana_ear.hears(BRIEFING_MARKER_HZ) and not lead_ear.hears(BRIEFING_MARKER_HZ)
    assert not ana_ear.between(after, time.time()).hears(BRIEFING_MARKER_HZ)
    assert not lead_ear.between(after, time.time()).hears(MUSIC)
    assert not ana_ear.hears(MUSIC)
    assert (await talk.engine.fact(PlaybackEnded, talk.handoff)).what is Playing.BRIEFING


async def test_given_an_introduction_when_joined_then_both_hear_it_together_and_then_each_other(
    talk: Talk, capture: Capture
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    offer = await talk.answered(ana)
    introduction = playback_id(talk.handoff, Playing.INTRODUCTION, 1)
    await talk.pbx.join(talk.lead, talk.leg, talk.bridge, [], talk.sound("introduction"), introduction)
    ended = await talk.engine.fact(PlaybackEnded, talk.handoff)
    assert (ended.what, ended.number) == (Playing.INTRODUCTION, 1)
    await talk.call.listen_for(0.3)
    traffic = capture.traffic()
    starts, voices = [], []
    for call, voice in ((talk.call, ANA_HZ), (offer, LEAD_TONE)):
        ear = traffic.heard_at(call.call_id)
        starts.append(ear.first_frame_with(INTRODUCTION_HZ))
        voices.append(ear.first_frame_with(voice, after=ended.at - 0.2))
    assert None not in starts and None not in voices
    assert abs(starts[0] - starts[1]) < 0.2
    # The line lasts 600 ms, and whoever was introduced is heard right after it.
    assert ended.at - starts[0] > 0.5
    assert all(abs(voice - ended.at) < 0.5 for voice in voices), [voice - ended.at for voice in voices]
    assert len(talk.engine.told(PlaybackEnded, talk.handoff)) == 1


@pytest.mark.parametrize(("who", "reconnect"), list(itertools.product(("agent", "lead"), (False, True))))
async def test_given_a_pair_that_was_let_go_when_one_hangs_up_then_both_ends_are_told(
    talk: Talk, asterisk: PrivateAsterisk, who: str, reconnect: bool
) -> None:
    ana = await talk.phones.register("ana", tone_hz=ANA_HZ)
    offer = await talk.joined(ana)
    await talk.pbx.let_go(talk.lead, talk.leg, {"WARM_STATUS": "CONNECTED", "WARM_AGENT": "ana"})
    await talk.engine.fact(LeadLeft, talk.handoff)
    await talk.engine.fact(AgentLeft, talk.handoff)
    await talk.pbx.close_bridge(talk.bridge)
    await talk.pbx.close_bridge(talk.bridge)
    if reconnect:
        await talk.adapters.disconnect()
        talk.adapters.connect()
        await talk.engine.until(lambda: talk.engine.recoveries == 2)
    found = await talk.pbx.look()
    for channel in (talk.lead, talk.leg):
        assert found.channels[channel].up and not found.channels[channel].in_stasis
    assert not found.at_door
    log_before = len(asterisk.log())
    if who == "agent":
        await offer.hang_up()
        gone = await talk.engine.fact(AgentHungUp, talk.handoff)
        assert gone.outcome is Outcome.HUNG_UP

        # The lead goes on where it called Gosub() from.
        await until(lambda: "lab-returned" in asterisk.log()[log_before:])
        assert not talk.engine.told(LeadHungUp, talk.handoff)
    else:
        await talk.call.hang_up()
        await talk.engine.fact(LeadHungUp, talk.handoff)
        await talk.engine.fact(AgentHungUp, talk.handoff)
        assert await offer.ended() == "the other side hung up"


async def test_given_a_leg_that_is_gone_when_ordered_then_each_order_says_so(talk: Talk) -> None:
    for order in (
        talk.pbx.hang_up(talk.leg),
        talk.pbx.play(talk.leg, "x", talk.sound("comfort")),
        talk.pbx.join(talk.lead, talk.leg, talk.bridge, [], [], ""),
        talk.pbx.let_go(talk.lead, talk.leg, {}),
        talk.pbx.hold_music("nobody", ""),
        talk.pbx.return_lead("nobody", {"WARM_STATUS": "ERROR"}, None),
        talk.pbx.secure_lead("nobody", talk.bridge, "", {}),
        talk.pbx.locate("nobody"),
        talk.pbx.fetch_lead("PJSIP/nobody-00000001", None, ["handoff", "sales"]),
    ):
        with pytest.raises(LegGone):
            await order
    await talk.pbx.stop_playback("never-was")
    await talk.pbx.close_bridge("never-was")


# -- from the dialplan, by request ---------------------------------------------------------------------------


@pytest.mark.parametrize("by_name", [True, False])
async def test_given_a_lead_waiting_in_the_dialplan_when_fetched_then_they_are_at_the_door(
    adapters: Adapters, phones: Phones, asterisk: PrivateAsterisk, by_name: bool
) -> None:
    call = await phones.lead("Grant", "+1555", tone_hz=LEAD_TONE).dial("waiting")
    await call.answered()
    name = (await asyncio.to_thread(asterisk.channels))[0]
    [found] = [c for c in (await adapters.pbx.look()).channels.values() if not c.in_stasis]
    channel = name if by_name else found.id
    here = await adapters.pbx.locate(channel)
    assert (here.talking, here.peer) == (False, None)
    assert (here.party.channel, here.party.name, here.party.number) == (found.id, "Grant", "+1555")
    assert here.party.place == Location("from-leads", "waiting", 3)
    back = Location("from-leads", "waiting", 3)
    await adapters.pbx.fetch_lead(channel, back, ["handoff", "sales", "ticket=abc"])
    lead, _ = await adapters.lead_at_door()
    assert lead == found.id
    door = adapters.engine.doors[0]
    assert (door.team, list(door.options)) == ("sales", ["ticket=abc"])
    await adapters.pbx.return_lead(lead, {"WARM_STATUS": "NOAGENT"}, None)
    await asyncio.to_thread(asterisk.wait_for_log, r"lab-returned \S+ status=NOAGENT")
    await call.hang_up()


async def test_given_a_place_with_a_hostile_name_when_fetched_then_it_is_refused(
    adapters: Adapters, phones: Phones
) -> None:
    call = await phones.lead("Grant", "+1555", tone_hz=LEAD_TONE).dial("waiting")
    await call.answered()
    [channel] = (await adapters.pbx.look()).channels
    for place in (
        Location('x"', "s", 1),
        Location("x", "s,1)${SHELL(id)}", 1),
        Location("x\r\nAction: Y", "s", 1),
    ):
        with pytest.raises(PbxRefused):
            await adapters.pbx.fetch_lead(channel, place, ["handoff", "sales"])
    with pytest.raises(PbxError, match="line end"):
        await adapters.pbx.fetch_lead(channel, None, ["handoff", "sales\r\nAction: Logoff"])
    await call.hang_up()


# -- the connection ------------------------------------------------------------------------------------------


async def test_given_a_second_program_under_our_name_when_it_connects_then_the_first_ends_at_once(
    adapters: Adapters, asterisk: PrivateAsterisk
) -> None:
    assert adapters.running is not None
    async with Adapters(asterisk):
        with pytest.raises(Replaced, match="asterisk_warm"):
            await asyncio.wait_for(adapters.running, 5)


async def test_given_an_outage_when_asterisk_is_back_then_all_is_read_again(
    adapters: Adapters, asterisk: PrivateAsterisk
) -> None:
    assert await missing_modules(adapters.client) == []
    assert await adapters.ami.version()
    await asyncio.to_thread(asterisk.kill)
    await until(lambda: not adapters.link.connected and not adapters.ami.connected)
    for order in (
        adapters.pbx.look(),
        adapters.pbx.hang_up("x"),
        adapters.ami.redirect("x", Location("y", "s", 1)),
    ):
        with pytest.raises(PbxUnreachable):
            await order
    asterisk.start()
    await asyncio.wait_for(adapters.link.reachable(), 10)
    assert adapters.engine.recoveries == 2
    assert await adapters.ami.wait_connected(10)
    assert await adapters.ami.context_exists("warm-fetch")
    assert not await adapters.ami.context_exists("no-such-context")


async def test_given_a_frozen_asterisk_when_it_says_nothing_then_that_is_noticed(
    asterisk: PrivateAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_socket, "HEARTBEAT_SECONDS", 1.0)
    monkeypatch.setattr(manager, "PING_SECONDS", 0.5)
    monkeypatch.setattr(manager, "ACTION_SECONDS", 1.0)
    async with Adapters(asterisk) as adapters:
        asterisk.freeze()
        try:
            await until(lambda: not adapters.link.connected and not adapters.ami.connected)
        finally:
            asterisk.thaw()
        await asyncio.wait_for(adapters.link.reachable(), 10)
        assert adapters.engine.recoveries == 2
        assert await adapters.ami.wait_connected(10)


async def test_given_a_wrong_password_when_connecting_then_it_is_told_and_not_hammered_at(
    asterisk: PrivateAsterisk,
) -> None:
    wrong = AmiManager(asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, "wrong")
    running = asyncio.create_task(wrong.run())
    await until(lambda: bool(wrong.refused))
    assert not await wrong.wait_connected(0.3)
    with pytest.raises(PbxUnreachable, match="refuses the AMI login"):
        await wrong.version()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    client = AriClient(asterisk.ari_url.removesuffix("/ari"), asterisk.ari_user, "wrong")
    with pytest.raises(PbxRefused, match="user or password"):
        await client.request("GET", "/channels")
    await client.close()
