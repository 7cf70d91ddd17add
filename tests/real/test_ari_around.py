"""Calls that are not in our application: looked up, watched, sent elsewhere, and what their dialplan says; the adapters
against a real Asterisk and real phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from adapters import Adapters, nothing_left, until
from ari_live_scene import AFTER, GRANT_NAME, GRANT_NUMBER, Live, live_asterisk, live_call
from ari_scene import ANA_HZ, LEAD_TONE

from asterisk_warm.ami import codes
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.core.handoff.events import LeadHungUp, QualifierHungUp
from asterisk_warm.engine.ports.calls import InCall, Wish
from asterisk_warm.engine.ports.pbx import PbxRefused
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

DIALPLAN = """
exten => described,1,Set(WARM_LEAD_NAME=${URIDECODE(x%ffy%0d%0a%22%24%7bSHELL(id)%7d%2c%29)})
 same => n,Set(WARM_LEAD_SUMMARY=home insurance, renews soon)
 same => n,Set(WARM_LEAD_QUALIFIED=yes)
 same => n,Set(WARM_LEAD_ELSE=x)
 same => n,Dial(PJSIP/qualifier,20)
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
    with live_asterisk(root, tmp_path_factory.mktemp("ari-around"), DIALPLAN) as running:
        yield running


@pytest.fixture
async def live(asterisk: PrivateAsterisk, tmp_path: Path) -> AsyncIterator[Live]:
    async with live_call(asterisk, tmp_path) as talking:
        yield talking


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
    assert (lead.channel, lead.name, lead.number) == (live.lead, GRANT_NAME, GRANT_NUMBER)
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
    assert (lead.channel, lead.name, lead.number, lead.place) == (live.lead, GRANT_NAME, GRANT_NUMBER, AFTER)
    # Nobody talks in the other one.
    assert await live.pbx.other_call(live.quinn) is None
    await second.hang_up()


async def test_given_a_phone_with_two_other_calls_when_asked_then_it_is_neither(live: Live) -> None:
    ana = await live.phones.register("ana", tone_hz=ANA_HZ)
    await live.quinns.hold()
    second = await live.phone.dial("to-ana")
    await (await ana.rings()).answer()
    await second.answered()
    await live.talking(await live.channel("qualifier", 1))
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
    asterisk: PrivateAsterisk, tmp_path: Path
) -> None:
    async with live_call(asterisk, tmp_path, "described") as live:
        wanted = {
            "WARM_LEAD_NAME": 'xy\r\n"${SHELL(id)},)',
            "WARM_LEAD_SUMMARY": "home insurance, renews soon",
            "WARM_LEAD_QUALIFIED": "yes",
        }
        assert await live.pbx.lead_variables(live.lead) == wanted
        assert await live.pbx.lead_variables(live.quinn) == {}
        await live.take_over()
        assert await live.pbx.lead_variables(live.lead) == wanted


@pytest.mark.parametrize("number", ["4711", "6012"])
async def test_given_a_number_that_the_phone_may_dial_when_transferred_then_the_lead_is_there(
    live: Live, number: str
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
    live: Live, number: str
) -> None:
    assert not await live.pbx.transfer(live.lead, live.quinn, number)
    peer = (await live.pbx.locate(live.lead)).peer
    assert peer is not None and peer.channel == live.quinn


async def test_given_a_context_for_transfers_when_transferred_then_the_number_is_looked_for_there_only(
    asterisk: PrivateAsterisk, tmp_path: Path
) -> None:
    async with live_call(asterisk, tmp_path, "inner") as live:
        assert not await live.pbx.transfer(live.lead, live.quinn, "4711")
        assert await live.pbx.transfer(live.lead, live.quinn, "7000")
        await live.logged(r"lab-dialled PJSIP/anonymous-\S+ 7000")


async def test_given_two_calls_of_a_phone_when_their_other_ends_are_connected_then_those_talk_and_it_is_free(
    live: Live,
) -> None:
    ana = await live.phones.register("ana", tone_hz=ANA_HZ)
    await live.quinns.hold()
    second = await live.phone.dial("to-ana")
    anas = await ana.rings()
    await anas.answer()
    await second.answered()
    await live.talking(await live.channel("ana"))
    await live.pbx.connect(live.lead, await live.channel("ana"), live.quinn, AFTER)
    await live.quinns.ended()
    await second.ended()
    await live.hear_each_other((live.call, LEAD_TONE), (anas, ANA_HZ))
    await anas.hang_up()
    await live.logged(r"lab-returned PJSIP/anonymous")
    assert not live.call.is_over


# -- what the dialplan says ----------------------------------------------------------------------------------


async def test_given_feature_codes_when_the_dialplan_tells_of_them_then_it_is_known_who_wants_what_of_whom(
    asterisk: PrivateAsterisk,
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
    async with Adapters(asterisk) as adapters, Phones(asterisk.sip, asterisk.sip_password) as phones:
        call = await phones.lead(GRANT_NAME, GRANT_NUMBER, tone_hz=LEAD_TONE).dial("coded")
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
    await nothing_left(asterisk)
