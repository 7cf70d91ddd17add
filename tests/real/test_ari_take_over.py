"""A live call is taken over, and its qualifier moved: aside, into a consult, back to the lead; by the adapters, against a
real Asterisk and real phones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import pytest
from adapters import nothing_left
from ari_live_scene import AFTER, GRANT, QUINN_HZ, WORD_HZ, Live, live_asterisk, live_call
from ari_scene import ANA_HZ, LEAD_TONE, MUSIC

from asterisk_warm.ari.model import Channel
from asterisk_warm.ari.orders import TAKEN
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.events import (
    LeadHungUp,
    LeadLeft,
    QualifierHungUp,
    QualifierLeft,
    QualifierPressed,
)
from asterisk_warm.core.handoff.ids import playback_id
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import LegGone, PbxError
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

RINGING_HZ = 450
"""Asterisk's ringing tone is 440 and 480 Hz: heard here, and not of its music."""
DTMF_STAR_HZ = 950


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with live_asterisk(root, tmp_path_factory.mktemp("ari-take-over")) as running:
        yield running


@pytest.fixture
async def live(asterisk: PrivateAsterisk, tmp_path: Path) -> AsyncIterator[Live]:
    async with live_call(asterisk, tmp_path) as talking:
        yield talking


async def gone(*orders: Awaitable[object]) -> None:
    for order in orders:
        with pytest.raises(LegGone):
            await order


# -- a live call is taken over -------------------------------------------------------------------------------


async def test_given_a_live_call_when_taken_over_then_both_are_in_our_bridge_and_go_on_talking(
    live: Live,
) -> None:
    await live.take_over({"WARM_ID": live.handoff, "WARM_CAUSE": 'said "no", (x) \\ ${SHELL(id)}'})
    assert await live.places() == {"lead": live.bridge, "quinn": live.bridge}
    assert all(found.in_stasis for found in (await live.pbx.look()).channels.values())
    assert not (await live.pbx.look()).at_door and not live.engine.doors
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    assert await live.variable(live.lead, "WARM_ID") == live.handoff
    assert await live.variable(live.lead, "WARM_CAUSE") == 'said "no", (x) \\ ${SHELL(id)}'
    assert not [fact for fact in live.engine.facts if isinstance(fact[1], (LeadLeft, QualifierLeft))]


async def test_given_both_in_our_bridge_when_the_qualifier_presses_keys_then_they_are_told_and_the_lead_hears_none(
    live: Live,
) -> None:
    await live.take_over()
    since = time.time()
    for key in "*2":
        await live.quinns.press(key)
        await asyncio.sleep(0.3)
    await live.engine.until(lambda: len(live.engine.told(QualifierPressed, live.handoff)) == 2)
    assert [event.digit for event in live.engine.told(QualifierPressed, live.handoff)] == ["*", "2"]
    ear = live.capture.traffic().heard_at(live.call.call_id).between(since, time.time())
    assert not ear.hears(DTMF_STAR_HZ)
    assert live.call.digits == ""


async def test_given_a_call_that_was_taken_over_when_they_are_let_on_then_each_goes_where_they_would_have(
    live: Live,
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
    live: Live,
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
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


async def test_given_only_the_lead_in_our_application_when_taken_over_then_the_other_is_fetched_too(
    live: Live,
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
    await live.hear_each_other((live.call, LEAD_TONE), (quinn_waits, QUINN_HZ))
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
        await live.until_gone(live.quinn)
        found = (await live.pbx.look()).channels[live.lead]
        assert found.in_stasis or outcome is not None
        assert not live.call.is_over
        # Wherever that is, from there they come alone.
        await live.pbx.take_over(live.lead, "", live.bridge, {live.lead: AFTER}, {}, drop=False)
        assert (await live.places())["lead"] == live.bridge


# -- a consult -----------------------------------------------------------------------------------------------


async def test_given_a_talk_when_the_qualifier_is_set_aside_then_they_hear_ringing_and_the_lead_nothing_of_it(
    live: Live,
) -> None:
    await live.take_over()
    for _ in range(2):  # A repeated order.
        await live.pbx.set_aside(live.quinn, [live.bridge, live.consult])
        assert await live.places() == {"lead": live.bridge, "quinn": None}
    ear, leads = await asyncio.gather(live.heard(live.quinns), live.heard(live.call))
    assert ear.hears(RINGING_HZ, frames=10) and not ear.hears(LEAD_TONE)
    assert not leads.hears(RINGING_HZ) and not leads.hears(QUINN_HZ)


async def test_given_a_consult_when_it_begins_then_the_two_talk_and_the_lead_hears_music_only(
    live: Live,
) -> None:
    await live.take_over()
    offer = await live.consulting()
    assert await live.places() == {"lead": live.bridge, "quinn": live.consult, "ana": live.consult}
    leads, *_ = await asyncio.gather(
        live.heard(live.call), live.hear_each_other((live.quinns, QUINN_HZ), (offer, ANA_HZ))
    )
    assert leads.hears(MUSIC, frames=10)
    assert not leads.hears(QUINN_HZ) and not leads.hears(ANA_HZ) and not leads.hears(RINGING_HZ)
    assert not (await live.heard(live.quinns)).hears(RINGING_HZ)


async def test_given_a_consult_when_ordered_again_then_the_two_talk_on(live: Live) -> None:
    await live.take_over()
    offer = await live.consulting()
    await live.pbx.consult(live.quinn, live.leg, live.consult, ["warm-no~comfort~1"], agent_waits=True)
    assert await live.places() == {"lead": live.bridge, "quinn": live.consult, "ana": live.consult}
    await live.hear_each_other((live.quinns, QUINN_HZ), (offer, ANA_HZ))


async def test_given_an_agent_who_waits_when_the_consult_begins_then_their_music_is_over(live: Live) -> None:
    await live.take_over()
    offer = await live.answered()
    await live.pbx.hold_music(live.leg, "")
    assert (await live.heard(offer)).hears(MUSIC, frames=10)
    await live.pbx.consult(live.quinn, live.leg, live.consult, [], agent_waits=True)
    await live.hear_each_other((live.quinns, QUINN_HZ), (offer, ANA_HZ))


async def test_given_a_word_to_the_agent_when_the_consult_begins_then_it_is_over(live: Live) -> None:
    await live.take_over()
    offer = await live.answered()
    briefing = playback_id(live.handoff, Playing.BRIEFING, 1001)
    await live.pbx.play(live.leg, briefing, live.sound("long"))
    assert (await live.heard(offer)).hears(WORD_HZ, frames=10)
    await live.pbx.consult(live.quinn, live.leg, live.consult, [briefing], agent_waits=False)
    ear = await live.heard(offer)
    assert ear.hears(QUINN_HZ, frames=10) and not ear.hears(WORD_HZ)


async def test_given_a_consult_when_the_qualifier_joins_the_lead_then_those_two_talk_and_the_agent_is_alone(
    live: Live,
) -> None:
    await live.take_over()
    offer = await live.consulting()
    for _ in range(2):  # A repeated order.
        await live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, ["warm-no~comfort~1"])
        assert await live.places() == {"lead": live.bridge, "quinn": live.bridge, "ana": live.consult}
    anas, *_ = await asyncio.gather(
        live.heard(offer), live.hear_each_other((live.quinns, QUINN_HZ), (live.call, LEAD_TONE))
    )
    assert not anas.hears(QUINN_HZ) and not anas.hears(LEAD_TONE)
    await live.engine.until(lambda: True)
    await live.quinns.press("*")
    assert (await live.engine.fact(QualifierPressed, live.handoff)).digit == "*"


async def test_given_a_qualifier_aside_when_they_join_the_lead_then_music_announcement_and_ringing_are_over(
    live: Live,
) -> None:
    await live.take_over()
    await live.pbx.set_aside(live.quinn, [live.bridge])
    await live.pbx.hold_music(live.lead, "")
    comfort = playback_id(live.handoff, Playing.COMFORT, 1)
    await live.pbx.play_to_lead(live.lead, comfort, live.sound("long"))
    assert (await live.heard(live.call)).hears(WORD_HZ, frames=10)
    await live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, [comfort])
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    ears = await asyncio.gather(live.heard(live.call), live.heard(live.quinns))
    assert not any(ear.hears(WORD_HZ) or ear.hears(RINGING_HZ) for ear in ears)


async def test_given_a_qualifier_who_is_gone_when_ordered_then_each_order_says_so(live: Live) -> None:
    await live.take_over()
    await live.answered()
    await live.quinns.hang_up()
    await live.engine.fact(QualifierHungUp, live.handoff)
    await live.until_gone(live.quinn)
    await gone(
        live.pbx.set_aside(live.quinn, [live.bridge]),
        live.pbx.join_qualifier(live.lead, live.quinn, live.bridge, []),
        live.pbx.consult(live.quinn, live.leg, live.consult, [], agent_waits=False),
        live.pbx.release(live.quinn),
        live.pbx.show(live.quinn, GRANT),
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
