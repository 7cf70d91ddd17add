"""The adapters' part in a call that somebody else made: taken over, consulted about, spoken into, sent elsewhere; against a
real Asterisk and real phones."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from adapters import SIP_PORT, Adapters, bridge, leg, nothing_left, private_asterisk, until

from asterisk_warm.ami import codes
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ari.model import Channel, Variable
from asterisk_warm.ari.orders import TAKEN
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
    QualifierHungUp,
    QualifierLeft,
    QualifierPressed,
    Recorded,
)
from asterisk_warm.core.handoff.ids import aside_leg, consult_id, playback_id, recording_name
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Playing
from asterisk_warm.engine.ports import (
    InCall,
    LegGone,
    Location,
    Party,
    PbxError,
    PbxRefused,
    Shown,
    Wish,
)
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.call import Call, PhoneError
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ, MUSIC_HZ, Hearing, chord, write_wav

pytestmark = pytest.mark.real

ANA_HZ, QUINN_HZ, LEAD_TONE, MUSIC = AGENT_HZ[0], AGENT_HZ[9], LEAD_HZ[0], MUSIC_HZ[0]
RINGING_HZ = 450
"""Asterisk's ringing tone is 440 and 480 Hz: heard here, and not of its music."""
WORD_HZ, DTMF_STAR_HZ = 2950, 950
SHOWN_GRANT, SHOWN_ANA = Shown("Grant Weatherly", "+15551230001"), Shown("Ana Lopez", "201")
HOSTILE = 'Eve "x" \\ ${SHELL(id)} <sip:x@y>;a=b\r\nX-Evil: 1\x00 🔥 مرحبا \u202e\udcff' + "A" * 4000
AFTER = Location("from-leads", "talk", 2)
"""Where the lead goes on after the call."""
DIALPLAN = """
exten => talk,1,Dial(PJSIP/qualifier,20,g)
 same => n,Goto(lab-returned,s,1)
exten => described,1,Set(WARM_LEAD_NAME=${URIDECODE(x%ffy%0d%0a%22%24%7bSHELL(id)%7d%2c%29)})
 same => n,Set(WARM_LEAD_SUMMARY=home insurance, renews soon)
 same => n,Set(WARM_LEAD_QUALIFIED=yes)
 same => n,Set(WARM_LEAD_ELSE=x)
 same => n,Dial(PJSIP/qualifier,20)
exten => waiting,1,Answer()
 same => n,Wait(30)
 same => n,Hangup()
exten => to-ana,1,Dial(PJSIP/ana,20)
exten => coded,1,Answer()
 same => n,UserEvent(WarmRequest,What: who,Team: ${URIENCODE(${URIDECODE(sales%20east%2c%20Z%c3%bcrich%3a%20100%25)})})
 same => n,UserEvent(Else,Event: Shutdown,ActionID: 1,ActionID: 2,What: stay)
 same => n,UserEvent(WarmRequest,What: originate,Team: sales)
 same => n,UserEvent(WarmRequest,What: stay,Team: renewals)
 same => n,Wait(5)
exten => 4711,1,Log(NOTICE,lab-dialled ${CHANNEL} ${EXTEN})
 same => n,Answer()
 same => n,Wait(30)
exten => _60XX,1,Log(NOTICE,lab-dialled ${CHANNEL} ${EXTEN})
 same => n,Answer()
 same => n,Wait(30)
exten => inner,1,Set(__TRANSFER_CONTEXT=only-here)
 same => n,Dial(PJSIP/qualifier,20)
[only-here]
exten => 7000,1,Log(NOTICE,lab-dialled ${CHANNEL} ${EXTEN})
 same => n,Answer()
 same => n,Wait(30)
"""


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    folder = tmp_path_factory.mktemp("ari-live")
    write_wav(folder / "word.wav", chord((WORD_HZ,), 0.6))
    write_wav(folder / "long.wav", chord((WORD_HZ,), 20.0))
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


class Live:
    """A lead and a qualifier, who talk in a call of Asterisk's own: what most scenes begin with."""

    number = 0
    quinn: str
    """The qualifier's channel."""
    lead: str
    phone: Phone
    """The qualifier's."""
    call: Call
    """The lead's."""
    quinns: Call

    def __init__(self, adapters: Adapters, phones: Phones) -> None:
        Live.number += 1
        self.adapters, self.phones = adapters, phones
        self.pbx, self.engine = adapters.pbx, adapters.engine
        self._log_from = len(adapters.asterisk.log())
        self.handoff = f"warm-live{Live.number}"
        self.bridge, self.leg, self.consult = (
            bridge(self.handoff),
            leg(self.handoff),
            consult_id(self.handoff),
        )
        self.aside = aside_leg(self.handoff, 1)
        self.word = playback_id(self.handoff, Playing.ASIDE, 1)

    async def begin(self, extension: str = "talk") -> Live:
        self.phone = await self.phones.register("qualifier", tone_hz=QUINN_HZ)
        self.call = await self.phones.lead(*_both(SHOWN_GRANT), tone_hz=LEAD_TONE).dial(extension)
        self.quinns = await self.phone.rings()
        await self.quinns.answer()
        await self.call.answered()
        self.lead, self.quinn = await self.channel("anonymous"), await self.channel("qualifier")
        await talking(self.adapters, self.lead)
        self.engine.handoffs |= {self.lead: (self.handoff, LEAD), self.quinn: (self.handoff, QUALIFIER)}
        return self

    async def channel(self, endpoint: str, nth: int = 0) -> str:
        channels = await self.adapters.client.get("/channels", list[Channel])
        found = [c.id for c in channels if c.name.startswith(f"PJSIP/{endpoint}-")]
        return sorted(found, key=lambda channel: (len(channel), channel))[nth]  # "….9" before "….10"

    async def take_over(
        self, variables: Mapping[str, str] | None = None, places: object = ..., *, drop: bool = False
    ) -> None:
        where = {self.lead: AFTER, self.quinn: None} if places is ... else places
        described = {"WARM_ID": self.handoff} if variables is None else variables
        await self.pbx.take_over(self.lead, self.quinn, self.bridge, where, described, drop=drop)  # type: ignore[arg-type]

    async def answered(self) -> Call:
        """An agent, rung for this lead, has answered."""
        ana = await self.phones.register("ana", tone_hz=ANA_HZ)
        await self.pbx.ring(self.leg, self.lead, "PJSIP/ana", SHOWN_GRANT, SHOWN_ANA, 20, {}, {})
        offer = await ana.rings()
        await offer.answer()
        await self.engine.fact(AgentAnswered, self.handoff)
        return offer

    async def consulting(self, *, agent_waits: bool = False) -> Call:
        offer = await self.answered()
        await self.pbx.set_aside(self.quinn, [self.bridge])
        await self.pbx.hold_music(self.lead, "")
        await self.pbx.consult(self.quinn, self.leg, self.consult, [], agent_waits=agent_waits)
        return offer

    async def variable(self, channel: str, name: str) -> str:
        found = await self.adapters.client.get(f"/channels/{channel}/variable", Variable, variable=name)
        return found.value

    async def places(self) -> dict[str, str | None]:
        """Which bridge each of the three is in; nothing of who is not there."""
        names = {self.lead: "lead", self.quinn: "quinn", self.leg: "ana"}
        found = (await self.pbx.look()).channels
        return {names[c.id]: c.bridge for c in found.values() if c.id in names}

    async def logged(self, pattern: str) -> None:
        """Wait until Asterisk has logged that in this scene."""
        asterisk = self.adapters.asterisk
        await until(lambda: re.search(pattern, asterisk.log()[self._log_from :]) is not None)

    def sound(self, name: str) -> list[str]:
        return [f"sound:{self.adapters.asterisk.workdir}/{name}"]

    async def end(self) -> None:
        """Everything of this scene goes, as far as it is there."""
        for order in (
            *(call.hang_up() for call in (self.call, self.quinns)),
            self.pbx.hang_up(self.leg),
            *(self.pbx.close_bridge(one) for one in (self.bridge, self.consult)),
        ):
            try:
                await order
            except LegGone:
                continue


@pytest.fixture
async def live(capture: Capture, adapters: Adapters, phones: Phones) -> AsyncIterator[Live]:
    scene = await Live(adapters, phones).begin()
    yield scene
    await scene.end()


async def talking(adapters: Adapters, channel: str) -> Party:
    """Wait until a channel has a peer (who has been answered is not in the bridge yet)."""
    deadline = time.monotonic() + 2
    while (peer := (await adapters.pbx.locate(channel)).peer) is None:
        assert time.monotonic() < deadline
    return peer


async def heard(capture: Capture, call: Call, seconds: float = 0.4) -> Hearing:
    """What a phone hears from here on, for that long, if anything."""
    since = time.time() + 0.1
    with suppress(PhoneError):  # Nothing at all.
        await call.listen_for(seconds + 0.1)
    until = time.time()
    while True:
        # What was sent until then may not be in the capture yet.
        ear = capture.traffic().heard_at(call.call_id)
        if time.time() > until + 0.5 or (len(ear.times) and ear.times[-1] >= until):
            return ear.between(since, until)
        await asyncio.sleep(0.02)


async def hear_each_other(capture: Capture, one: tuple[Call, int], other: tuple[Call, int]) -> None:
    (call, voice), (others_call, others_voice) = one, other
    ear, others_ear = await asyncio.gather(heard(capture, call), heard(capture, others_call))
    assert ear.hears(others_voice, frames=10) and others_ear.hears(voice, frames=10)
    assert not ear.hears(MUSIC) and not others_ear.hears(MUSIC)


def _both(shown: Shown) -> tuple[str, str]:
    return shown.name, shown.number


async def gone(*orders: Awaitable[object]) -> None:
    for order in orders:
        with pytest.raises(LegGone):
            await order


# -- a live call is taken over -------------------------------------------------------------------------------


async def test_given_a_live_call_when_taken_over_then_both_are_in_our_bridge_and_go_on_talking(
    live: Live, capture: Capture
) -> None:
    await live.take_over({"WARM_ID": live.handoff, "WARM_CAUSE": 'said "no", (x) \\ ${SHELL(id)}'})
    assert await live.places() == {"lead": live.bridge, "quinn": live.bridge}
    assert all(found.in_stasis for found in (await live.pbx.look()).channels.values())
    assert not (await live.pbx.look()).at_door and not live.engine.doors
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    assert await live.variable(live.lead, "WARM_ID") == live.handoff
    assert await live.variable(live.lead, "WARM_CAUSE") == 'said "no", (x) \\ ${SHELL(id)}'
    assert not [fact for fact in live.engine.facts if isinstance(fact[1], (LeadLeft, QualifierLeft))]


async def test_given_both_in_our_bridge_when_the_qualifier_presses_keys_then_they_are_told_and_the_lead_hears_none(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    since = time.time()
    for key in "*2":
        await live.quinns.press(key)
        await asyncio.sleep(0.3)
    await live.engine.until(lambda: len(live.engine.told(QualifierPressed, live.handoff)) == 2)
    assert [event.digit for event in live.engine.told(QualifierPressed, live.handoff)] == ["*", "2"]
    ear = capture.traffic().heard_at(live.call.call_id).between(since, time.time())
    assert not ear.hears(DTMF_STAR_HZ)
    assert live.call.digits == ""


async def test_given_a_call_that_was_taken_over_when_they_are_let_on_then_each_goes_where_they_would_have(
    live: Live, asterisk: PrivateAsterisk
) -> None:
    await live.take_over()
    await live.pbx.release(live.quinn)
    await live.engine.fact(QualifierLeft, live.handoff)
    assert await live.quinns.ended() == "the other side hung up"
    await live.pbx.return_lead(live.lead, {"WARM_STATUS": "NOAGENT", "WARM_CAUSE": "nobody"}, None)
    await live.engine.fact(LeadLeft, live.handoff)
    await live.logged(r"lab-returned \S+ status=NOAGENT .*cause=nobody")
    assert not live.call.is_over


async def test_given_a_call_that_was_taken_over_when_taken_over_again_then_nothing_changes(
    live: Live, asterisk: PrivateAsterisk
) -> None:
    await live.take_over()
    entered = asterisk.log().count("warm-fetch:3] Stasis")
    await live.take_over(places={live.lead: Location("from-leads", "waiting", 1)})
    assert await live.places() == {"lead": live.bridge, "quinn": live.bridge}
    assert asterisk.log().count("warm-fetch:3] Stasis") == entered
    assert await live.variable(live.lead, "WARM_RETURN") == "from-leads,talk,2"
    assert not [fact for fact in live.engine.facts if isinstance(fact[1], (LeadLeft, QualifierLeft))]


async def test_given_one_who_came_in_and_one_who_did_not_when_taken_over_again_then_both_are_together(
    live: Live, capture: Capture
) -> None:
    # As if the daemon had died in the middle: Asterisk redirects one after the other.
    names = {c.id: c.name for c in await live.adapters.client.get("/channels", list[Channel])}
    await live.adapters.ami.set_variable(names[live.lead], "WARM_ARGUMENTS", TAKEN)
    await live.adapters.ami.set_variable(names[live.lead], "WARM_RETURN", "from-leads,talk,2")
    await live.adapters.ami.set_variable(names[live.quinn], "WARM_ARGUMENTS", TAKEN)
    place = Location("warm-fetch", "s", 1)
    await live.adapters.ami.redirect(names[live.lead], place, names[live.quinn])
    deadline = time.monotonic() + 2
    while not all(found.in_stasis for found in (await live.pbx.look()).channels.values()):
        assert time.monotonic() < deadline
    await live.take_over()
    assert await live.places() == {"lead": live.bridge, "quinn": live.bridge}
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


async def test_given_only_the_lead_in_our_application_when_taken_over_then_the_other_is_fetched_too(
    live: Live, capture: Capture
) -> None:
    quinn_waits = await live.phone.dial("waiting")
    await quinn_waits.answered()
    second = await live.channel("qualifier", 1)
    name = (await live.adapters.client.get(f"/channels/{live.lead}", Channel)).name
    await live.adapters.ami.set_variable(name, "WARM_ARGUMENTS", TAKEN)
    await live.adapters.ami.redirect(name, Location("warm-fetch", "s", 1))
    assert await live.quinns.ended() == "the other side hung up"
    await live.pbx.take_over(live.lead, second, live.bridge, {second: None}, {}, drop=False)
    found = (await live.pbx.look()).channels
    assert {found[live.lead].bridge, found[second].bridge} == {live.bridge}
    await hear_each_other(capture, (live.call, LEAD_TONE), (quinn_waits, QUINN_HZ))
    await quinn_waits.hang_up()


async def test_given_a_qualifier_who_asked_by_their_phone_when_taken_over_then_only_the_lead_is_kept(
    live: Live,
) -> None:
    await live.take_over(drop=True)
    assert await live.quinns.ended() == "the other side hung up"
    await live.engine.fact(QualifierLeft, live.handoff)
    assert await live.places() == {"lead": live.bridge}
    assert not live.call.is_over


async def test_given_one_who_has_hung_up_when_taken_over_then_that_is_said_and_nobody_is_touched(
    live: Live, asterisk: PrivateAsterisk
) -> None:
    await live.quinns.hang_up()
    await live.logged(r"lab-returned")
    await gone(live.take_over(), live.take_over(drop=True))
    assert await live.places() == {"lead": None}
    await live.call.hang_up()
    await nothing_left(asterisk)
    await gone(live.take_over())


@pytest.mark.parametrize("who", ["lead", "qualifier"])
@pytest.mark.parametrize("later", [0.0, 0.004, 0.008, 0.015])
async def test_given_a_hangup_in_the_middle_of_taking_over_then_it_is_done_or_refused_and_nothing_hangs(
    live: Live, who: str, later: float
) -> None:
    async def hang_up() -> None:
        await asyncio.sleep(later)
        await (live.call if who == "lead" else live.quinns).hang_up()

    began = time.monotonic()
    outcome, _ = await asyncio.gather(live.take_over(), hang_up(), return_exceptions=True)
    assert outcome is None or isinstance(outcome, PbxError), outcome
    assert time.monotonic() - began < 2
    await live.engine.fact(LeadHungUp if who == "lead" else QualifierHungUp, live.handoff)
    if who == "qualifier":
        # The lead is still there: with us, or where the dialplan goes on.
        assert outcome is None or isinstance(outcome, PbxError)
        await until_gone(live, live.quinn)
        found = (await live.pbx.look()).channels[live.lead]
        assert found.in_stasis or outcome is not None
        assert not live.call.is_over
        # Wherever that is, from there they come alone.
        await live.pbx.take_over(live.lead, "", live.bridge, {live.lead: AFTER}, {}, drop=False)
        assert (await live.places())["lead"] == live.bridge


# -- a consult -----------------------------------------------------------------------------------------------


async def test_given_a_talk_when_the_qualifier_is_set_aside_then_they_hear_ringing_and_the_lead_nothing_of_it(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    for _ in range(2):  # A repeated order.
        await live.pbx.set_aside(live.quinn, [live.bridge, live.consult])
        assert await live.places() == {"lead": live.bridge, "quinn": None}
    ear, leads = await asyncio.gather(heard(capture, live.quinns), heard(capture, live.call))
    assert ear.hears(RINGING_HZ, frames=10) and not ear.hears(LEAD_TONE)
    assert not leads.hears(RINGING_HZ) and not leads.hears(QUINN_HZ)


async def test_given_a_consult_when_it_begins_then_the_two_talk_and_the_lead_hears_music_only(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    offer = await live.consulting()
    assert await live.places() == {"lead": live.bridge, "quinn": live.consult, "ana": live.consult}
    leads, *_ = await asyncio.gather(
        heard(capture, live.call), hear_each_other(capture, (live.quinns, QUINN_HZ), (offer, ANA_HZ))
    )
    assert leads.hears(MUSIC, frames=10)
    assert not leads.hears(QUINN_HZ) and not leads.hears(ANA_HZ) and not leads.hears(RINGING_HZ)
    assert not (await heard(capture, live.quinns)).hears(RINGING_HZ)


async def test_given_a_consult_when_ordered_again_then_the_two_talk_on(live: Live, capture: Capture) -> None:
    await live.take_over()
    offer = await live.consulting()
    await live.pbx.consult(live.quinn, live.leg, live.consult, ["warm-no~comfort~1"], agent_waits=True)
    assert await live.places() == {"lead": live.bridge, "quinn": live.consult, "ana": live.consult}
    await hear_each_other(capture, (live.quinns, QUINN_HZ), (offer, ANA_HZ))


async def test_given_an_agent_who_waits_when_the_consult_begins_then_their_music_is_over(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    offer = await live.answered()
    await live.pbx.hold_music(live.leg, "")
    assert (await heard(capture, offer)).hears(MUSIC, frames=10)
    await live.pbx.consult(live.quinn, live.leg, live.consult, [], agent_waits=True)
    await hear_each_other(capture, (live.quinns, QUINN_HZ), (offer, ANA_HZ))


async def test_given_a_word_to_the_agent_when_the_consult_begins_then_it_is_over(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    offer = await live.answered()
    briefing = playback_id(live.handoff, Playing.BRIEFING, 1001)
    await live.pbx.play(live.leg, briefing, live.sound("long"))
    assert (await heard(capture, offer)).hears(WORD_HZ, frames=10)
    await live.pbx.consult(live.quinn, live.leg, live.consult, [briefing], agent_waits=False)
    ear = await heard(capture, offer)
    assert ear.hears(QUINN_HZ, frames=10) and not ear.hears(WORD_HZ)


async def test_given_a_consult_when_the_qualifier_joins_the_lead_then_those_two_talk_and_the_agent_is_alone(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    offer = await live.consulting()
    for _ in range(2):  # A repeated order.
        await live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, ["warm-no~comfort~1"])
        assert await live.places() == {"lead": live.bridge, "quinn": live.bridge, "ana": live.consult}
    anas, *_ = await asyncio.gather(
        heard(capture, offer), hear_each_other(capture, (live.quinns, QUINN_HZ), (live.call, LEAD_TONE))
    )
    assert not anas.hears(QUINN_HZ) and not anas.hears(LEAD_TONE)
    await live.engine.until(lambda: True)
    await live.quinns.press("*")
    assert (await live.engine.fact(QualifierPressed, live.handoff)).digit == "*"


async def test_given_a_qualifier_aside_when_they_join_the_lead_then_music_announcement_and_ringing_are_over(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    await live.pbx.set_aside(live.quinn, [live.bridge])
    await live.pbx.hold_music(live.lead, "")
    comfort = playback_id(live.handoff, Playing.COMFORT, 1)
    await live.pbx.play_to_lead(live.lead, comfort, live.sound("long"))
    assert (await heard(capture, live.call)).hears(WORD_HZ, frames=10)
    await live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, [comfort])
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    ears = await asyncio.gather(heard(capture, live.call), heard(capture, live.quinns))
    assert not any(ear.hears(WORD_HZ) or ear.hears(RINGING_HZ) for ear in ears)


async def test_given_a_qualifier_who_is_gone_when_ordered_then_each_order_says_so(live: Live) -> None:
    await live.take_over()
    await live.answered()
    await live.quinns.hang_up()
    await live.engine.fact(QualifierHungUp, live.handoff)
    await until_gone(live, live.quinn)
    await gone(
        live.pbx.set_aside(live.quinn, [live.bridge]),
        live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, []),
        live.pbx.consult(live.quinn, live.leg, live.consult, [], agent_waits=False),
        live.pbx.release(live.quinn),
        live.pbx.show(live.quinn, SHOWN_GRANT),
        live.pbx.watch(live.quinn),
        live.pbx.other_call(live.quinn),
        live.pbx.locate(live.quinn),
        live.pbx.tell(live.quinn, live.aside, live.word, live.sound("word")),
        live.pbx.transfer(live.lead, live.quinn, "4711"),
        live.pbx.connect(live.lead, live.leg, live.quinn, None),
        live.pbx.connect(live.lead, live.quinn, live.leg, None),
        live.pbx.connect(live.quinn, live.leg, live.lead, None),
    )
    await live.pbx.tell_phone(live.quinn, Progress.ANSWERED)


async def until_gone(live: Live, channel: str) -> None:
    deadline = time.monotonic() + 2
    while channel in (await live.pbx.look()).channels:
        assert time.monotonic() < deadline


# -- a word to one of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [True, False])
async def test_given_two_who_talk_when_one_is_told_something_then_they_alone_hear_it_and_are_heard_all_along(
    live: Live, capture: Capture, ours: bool
) -> None:
    if ours:
        await live.take_over()
    await live.call.listen_for(0.2)
    began = time.time()
    await live.pbx.tell(live.quinn, live.aside, live.word, live.sound("word"))
    took = time.time() - began
    assert 0.5 < took < 1.5
    await until_gone(live, live.aside)
    traffic = capture.traffic()
    told = traffic.heard_at(live.quinns.call_id).between(began, time.time())
    other = traffic.heard_at(live.call.call_id).between(began, time.time())
    assert told.hears(WORD_HZ, frames=20) and not other.hears(WORD_HZ)
    assert other.longest_silence(began + 0.05, time.time() - 0.1) < 0.1
    assert other.between(began, time.time()).hears(QUINN_HZ, frames=20)
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    # Whose it is to be told, it has told: it is nobody at the door.
    assert not live.engine.doors


async def test_given_a_missing_sound_when_told_then_it_is_over_at_once_and_nothing_is_left(
    live: Live,
) -> None:
    await live.take_over()
    async with asyncio.timeout(2):
        await live.pbx.tell(live.quinn, live.aside, live.word, ["sound:no-such-sound"])
    await until_gone(live, live.aside)


async def test_given_one_who_is_being_told_when_they_hang_up_then_it_ends_and_nothing_is_left(
    live: Live,
) -> None:
    await live.take_over()
    telling = asyncio.create_task(live.pbx.tell(live.quinn, live.aside, live.word, live.sound("long")))
    await live.quinns.listen_for(0.3)
    await live.quinns.hang_up()
    async with asyncio.timeout(3):
        outcome = (await asyncio.gather(telling, return_exceptions=True))[0]
    assert outcome is None or isinstance(outcome, PbxError)
    await until_gone(live, live.aside)


async def test_given_one_who_is_being_told_when_it_is_given_up_then_the_channel_that_speaks_is_gone(
    live: Live, capture: Capture
) -> None:
    await live.take_over()
    telling = asyncio.create_task(live.pbx.tell(live.quinn, live.aside, live.word, live.sound("long")))
    await live.quinns.listen_for(0.4)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await until_gone(live, live.aside)
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


async def test_given_two_words_at_once_when_told_then_both_are_and_nothing_is_left(live: Live) -> None:
    await live.take_over()
    other = aside_leg(live.handoff, 2), playback_id(live.handoff, Playing.ASIDE, 2)
    await asyncio.gather(
        live.pbx.tell(live.quinn, live.aside, live.word, live.sound("word")),
        live.pbx.tell(live.quinn, *other, live.sound("word")),
    )
    for aside in (live.aside, other[0]):
        await until_gone(live, aside)
    assert set((await live.pbx.look()).channels) == {live.lead, live.quinn}


@pytest.mark.parametrize("everybody", [True, False])
async def test_given_two_who_talk_when_one_is_recorded_then_the_other_is_too_only_if_wanted_and_hears_nothing(
    live: Live, capture: Capture, everybody: bool
) -> None:
    await live.take_over()
    offer = await live.answered()
    name = recording_name(live.handoff, 1, reply=True)
    began = time.time()
    await live.pbx.record_within(live.quinn, live.aside, name, 2, all=everybody)
    recorded = await live.engine.fact(Recorded, live.handoff)
    assert (recorded.number, recorded.reply, recorded.failed) == (1, True, False)
    await until_gone(live, live.aside)
    other = capture.traffic().heard_at(live.call.call_id).between(began, recorded.at)
    assert other.hears(QUINN_HZ, frames=50) and not other.hears(LEAD_TONE)
    reply = playback_id(live.handoff, Playing.REPLY, 1)
    await live.pbx.play(live.leg, reply, [f"recording:{name}"])
    await live.engine.fact(PlaybackEnded, live.handoff)
    ear = capture.traffic().heard_at(offer.call_id)
    assert ear.hears(QUINN_HZ, frames=50) and ear.hears(LEAD_TONE, frames=50) is everybody
    await live.pbx.forget_recording(name)


# -- what the phones are told --------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", list(Progress))
async def test_given_a_phone_that_asked_for_no_transfer_when_told_how_it_goes_then_nothing_happens(
    live: Live, capture: Capture, progress: Progress
) -> None:
    await live.pbx.tell_phone(live.quinn, progress)
    await live.take_over()
    await live.pbx.tell_phone(live.quinn, progress)
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


@pytest.mark.parametrize(
    ("shown", "name", "number"),
    [
        (SHOWN_ANA, "Ana Lopez", "201"),
        (Shown("Zoë Müller 🔥", "+1 (555) 123-0001"), "Zoë Müller 🔥", "+15551230001"),
        (Shown(HOSTILE, "1@evil;tag=x"), "Eve x SHELL(id) sip:x@y a=b X-Evil: 1 🔥 مرحبا", "1eviltagx"),
    ],
)
async def test_given_a_phone_when_it_is_told_who_is_at_the_other_end_then_it_shows_that(
    live: Live, capture: Capture, shown: Shown, name: str, number: str
) -> None:
    await live.take_over()
    await live.pbx.show(live.quinn, shown)

    def shows() -> bool:
        told = capture.traffic().shown_at(live.quinns.call_id)
        return bool(told) and told[-1].name.startswith(name) and told[-1].number == number

    await until(shows, 3.0)
    await hear_each_other(capture, (live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


# -- out of our application, and around in Asterisk ----------------------------------------------------------


async def test_given_a_channel_that_is_not_ours_when_it_is_to_be_let_on_then_that_is_refused(
    live: Live,
) -> None:
    for order in (live.pbx.release(live.quinn), live.pbx.set_aside(live.quinn, [live.bridge])):
        with pytest.raises(PbxRefused):
            await order
    assert (await live.pbx.locate(live.quinn)).peer is not None


async def test_given_two_who_talk_when_located_then_each_has_the_other_and_their_own_way_on(
    live: Live,
) -> None:
    here = await live.pbx.locate(live.lead)
    assert here.talking and here.peer is not None
    lead, quinn = here.party, here.peer
    assert (lead.channel, lead.name, lead.number) == (live.lead, *_both(SHOWN_GRANT))
    assert (lead.endpoint, lead.place) == ("PJSIP/anonymous", AFTER)
    assert (quinn.channel, quinn.endpoint, quinn.place) == (live.quinn, "PJSIP/qualifier", None)
    assert (await live.pbx.locate(live.quinn)).peer == lead
    await live.take_over()
    ours = await live.pbx.locate(live.quinn)
    assert ours.talking and ours.peer is not None and ours.peer.channel == live.lead


async def test_given_a_phone_with_another_call_when_asked_then_it_is_that_one_and_its_other_end(
    live: Live,
) -> None:
    assert await live.pbx.other_call(live.quinn) is None
    await live.quinns.hold()
    second = await live.phone.dial("waiting")
    await second.answered()
    channel = await live.channel("qualifier", 1)
    found = await live.pbx.other_call(channel)
    assert found is not None
    held, lead = found
    assert (held.channel, held.endpoint) == (live.quinn, "PJSIP/qualifier")
    assert (lead.channel, lead.name, lead.number, lead.place) == (live.lead, *_both(SHOWN_GRANT), AFTER)
    # Nobody talks in the other one.
    assert await live.pbx.other_call(live.quinn) is None
    await second.hang_up()


async def test_given_a_phone_with_two_other_calls_when_asked_then_it_is_neither(live: Live) -> None:
    ana = await live.phones.register("ana", tone_hz=ANA_HZ)
    await live.quinns.hold()
    second = await live.phone.dial("to-ana")
    await (await ana.rings()).answer()
    await second.answered()
    await talking(live.adapters, await live.channel("qualifier", 1))
    await second.hold()
    third = await live.phone.dial("waiting")
    await third.answered()
    assert await live.pbx.other_call(await live.channel("qualifier", 2)) is None
    await third.hang_up()
    await second.hang_up()


async def test_given_a_channel_that_is_not_ours_when_it_is_watched_then_its_end_is_told(
    live: Live, asterisk: PrivateAsterisk
) -> None:
    await live.pbx.watch(live.quinn)
    await live.pbx.watch(live.quinn)
    await live.quinns.hang_up()
    assert (await live.engine.fact(QualifierHungUp, live.handoff)).cause == "normal clearing"
    await live.logged(r"lab-returned")
    await live.call.hang_up()
    await nothing_left(asterisk)
    # Nobody watched the lead.
    assert not live.engine.told(LeadHungUp, live.handoff)


async def test_given_a_described_lead_when_their_variables_are_read_then_they_are_as_they_were_set(
    adapters: Adapters, phones: Phones
) -> None:
    live = await Live(adapters, phones).begin("described")
    wanted = {
        "WARM_LEAD_NAME": 'xy\r\n"${SHELL(id)},)',
        "WARM_LEAD_SUMMARY": "home insurance, renews soon",
        "WARM_LEAD_QUALIFIED": "yes",
    }
    assert await live.pbx.lead_variables(live.lead) == wanted
    assert await live.pbx.lead_variables(live.quinn) == {}
    await live.take_over()
    assert await live.pbx.lead_variables(live.lead) == wanted
    await live.end()


@pytest.mark.parametrize("number", ["4711", "6012"])
async def test_given_a_number_that_the_phone_may_dial_when_transferred_then_the_lead_is_there(
    live: Live, asterisk: PrivateAsterisk, number: str
) -> None:
    assert await live.pbx.transfer(live.lead, live.quinn, number)
    await live.logged(rf"lab-dialled PJSIP/anonymous-\S+ {number}")
    assert await live.quinns.ended() == "the other side hung up"
    assert not live.call.is_over


@pytest.mark.parametrize(
    "number",
    [
        *(
            "555999",
            "60123",
            "",
            "4711@from-leads",
            "4711,2",
            "4711\r\nAction: Originate",
            "4711\x00",
            "${EXTEN}",
        ),
        *("4711)", "4711&4711", "4711 ", " ", '"', "9" * 500, "4711|", "4711%0d", "4711;1", "\u202e4711"),
    ],
)
async def test_given_a_number_that_there_is_not_when_transferred_then_nobody_is_moved(
    live: Live, capture: Capture, number: str
) -> None:
    assert not await live.pbx.transfer(live.lead, live.quinn, number)
    peer = (await live.pbx.locate(live.lead)).peer
    assert peer is not None and peer.channel == live.quinn


async def test_given_a_context_for_transfers_when_transferred_then_the_number_is_looked_for_there_only(
    adapters: Adapters, phones: Phones, asterisk: PrivateAsterisk
) -> None:
    live = await Live(adapters, phones).begin("inner")
    assert not await live.pbx.transfer(live.lead, live.quinn, "4711")
    assert await live.pbx.transfer(live.lead, live.quinn, "7000")
    await live.logged(r"lab-dialled PJSIP/anonymous-\S+ 7000")
    await live.end()


async def test_given_two_calls_of_a_phone_when_their_other_ends_are_connected_then_those_talk_and_it_is_free(
    live: Live, capture: Capture
) -> None:
    ana = await live.phones.register("ana", tone_hz=ANA_HZ)
    await live.quinns.hold()
    second = await live.phone.dial("to-ana")
    anas = await ana.rings()
    await anas.answer()
    await second.answered()
    await talking(live.adapters, await live.channel("ana"))
    await live.pbx.connect(live.lead, await live.channel("ana"), live.quinn, AFTER)
    await live.quinns.ended()
    await second.ended()
    await hear_each_other(capture, (live.call, LEAD_TONE), (anas, ANA_HZ))
    await anas.hang_up()
    await live.logged(r"lab-returned PJSIP/anonymous")
    assert not live.call.is_over


# -- what the dialplan says ----------------------------------------------------------------------------------


async def test_given_feature_codes_when_the_dialplan_tells_of_them_then_it_is_known_who_wants_what_of_whom(
    adapters: Adapters, phones: Phones, asterisk: PrivateAsterisk
) -> None:
    told: list[InCall] = []

    def on_user_event(event: Mapping[str, str]) -> None:
        asked = codes.asked(event)
        told.extend([asked] if asked else [])

    account = asterisk.ami_user, asterisk.ami_secret
    ami = AmiManager(asterisk.ami_host, asterisk.ami_port, *account)
    ami.listen("UserEvent", on_user_event)
    running = asyncio.create_task(ami.run())
    assert await ami.wait_connected(5)
    call = await phones.lead(*_both(SHOWN_GRANT), tone_hz=LEAD_TONE).dial("coded")
    await call.answered()
    await until(lambda: len(told) == 2)
    channel = next(iter((await adapters.pbx.look()).channels))
    assert told == [
        InCall(channel, Wish.WHO, "sales east, Zürich: 100%"),
        InCall(channel, Wish.STAY, "renewals"),
    ]
    assert ami.connected and await ami.version()
    await call.hang_up()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
