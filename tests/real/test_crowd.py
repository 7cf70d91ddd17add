"""Many leads and a few agents on a real Asterisk: nobody is rung twice at once, every lead has an end, and nothing stays
reserved; also when the daemon dies in the middle, and when two daemons share the agents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from agents_scene import Seen, nobody_reserved, on_stage, playing, registered, shown, team, told
from crowd import (
    NOTICED,
    Person,
    all_settled,
    each_in_turn,
    never_offered_twice_at_once,
    never_rung_in_a_call,
    never_rung_twice_at_once,
)
from scene import LEAD_NAME, until

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.daemon import Daemon
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

THREE = ("ana", "ben", "cleo")
PATIENT = {"wait_seconds": 60, "ring_seconds": 2, "missed_offers": 0}
TEAMS = {
    "all": team(*THREE, **PATIENT),
    "idle": team(*THREE, ring="longest_idle", **PATIENT),
    "tiers": team(*THREE, ring="priority", tiers={"cleo": 2}, widen_seconds=1, **PATIENT),
    "ana-only": team("ana", wrapup_seconds=60, wait_seconds=30),
    "ben-only": team("ben", wait_seconds=30),
    "cleo-only": team("cleo", wait_seconds=30),
    "dora-only": team("dora", wrapup_seconds=60),
}
LEADS = (
    *("all", "idle", "tiers", "pri3idle", "pri5tiers"),
    *("idle", "all", "tiers", "pri5all", "idle"),
)
"""What the ten dial."""


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    with playing(root, sounds, TEAMS) as on:
        yield on


@pytest.fixture
async def phones(stage: Stage) -> AsyncIterator[Phones]:
    async with on_stage(stage) as there:
        yield there


@asynccontextmanager
async def at_work(people: Sequence[Person]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(person.work()) for person in people]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_given_ten_leads_and_three_agents_who_come_and_go_then_each_has_their_turn_and_nobody_rings_twice(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    ana, ben, cleo = await registered(phones, *THREE)
    people = [
        Person(ana, stage, ("take", "decline", "take", "ignore"), ("call", "go on")),
        Person(ben, stage, ("decline", "take", "leave", "take"), ("go on", "pause")),
        Person(cleo, stage, ("take", "ignore", "take", "decline"), ("pause", "call", "go on")),
    ]
    async with at_work(people):
        leads = await asyncio.gather(*(comes(phones, *lead) for lead in enumerate(LEADS)))
        await until(lambda: len(stage.daemon.handoffs()) >= 5, 10.0, "five of the leads")
        await leads[7].hang_up()
        handoffs = await all_settled([stage.daemon], len(LEADS), 60.0)
    await asyncio.gather(*(lead.hang_up() for lead in leads))
    traffic = capture.traffic()
    offers = never_rung_twice_at_once(traffic, THREE)
    every = [offer for handoff in handoffs for offer in handoff["offers"]]
    # One whose lead hangs up in that moment may be called off before the phone is dialled.
    assert sum(offer["ringing_at"] is not None for offer in every) <= offers <= len(every)
    for person in people:
        never_rung_in_a_call(traffic, person)
    never_offered_twice_at_once(handoffs)
    dialled = {f"+1555{number}": extension for number, extension in enumerate(LEADS)}
    waited = each_in_turn(handoffs, lambda h: (-priority(dialled[h["lead"]["number"]]), h["requested_at"]))
    assert all(handoff["reason"] for handoff in handoffs)
    ends = [handoff["status"] for handoff in handoffs]
    print(f"{offers} offers, {waited} times before leads who waited, ends: {ends}")
    assert waited >= 5
    assert ends.count("CONNECTED") >= 3 and ends.count("ABANDONED") <= 1, ends
    assert set(ends) <= {"CONNECTED", "ABANDONED", "DECLINED", "TIMEOUT", "NOAGENT"}


async def comes(phones: Phones, number: int, extension: str) -> Call:
    return await phones.lead(LEAD_NAME, f"+1555{number}").dial(extension)


def priority(extension: str) -> int:
    return int(extension[3]) if extension.startswith("pri") else 0


# -- the daemon dies -----------------------------------------------------------------------------------------


async def test_given_ten_leads_when_the_daemon_is_killed_in_the_middle_then_each_has_an_end_and_nobody_rings_twice(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    plans = (("take", "decline", "ignore"), ("leave", "take"), ("take", "take", "decline"))
    people = [
        Person(phone, stage, plan)
        for phone, plan in zip(await registered(phones, *THREE), plans, strict=True)
    ]
    before = len(stage.daemon.handoffs())
    async with at_work(people):
        leads = await asyncio.gather(*(comes(phones, *lead) for lead in enumerate(LEADS)))
        await until(lambda: connected(stage, before) >= 2, 15.0, "two leads have talked")
        stage.daemon.kill()
        await leads[-1].hang_up()
        stage.daemon.start()
        handoffs = await all_settled([stage.daemon], len(LEADS), 60.0)
    await asyncio.gather(*(lead.hang_up() for lead in leads))
    offers = never_rung_twice_at_once(capture.traffic(), THREE)
    never_offered_twice_at_once(handoffs)
    assert all(handoff["reason"] for handoff in handoffs)
    print(f"{offers} offers, ends: {[handoff['status'] for handoff in handoffs]}")


def connected(stage: Stage, before: int) -> int:
    handoffs = stage.daemon.handoffs()
    return sum(handoff["status"] == "CONNECTED" for handoff in handoffs[: len(handoffs) - before])


async def test_given_a_talk_and_offers_when_the_daemon_is_killed_then_after_it_what_goes_on_stays_reserved_alone(
    stage: Stage, phones: Phones
) -> None:
    registered_phones = await registered(phones, *THREE, "dora")
    agents = {phone.name: phone for phone in registered_phones}
    async with Seen(stage) as seen:
        await asyncio.gather(*(seen.becomes(agent) for agent in agents))
    leads, calls = {}, {}
    for number, agent in enumerate(agents):
        leads[agent] = await comes(phones, number, f"{agent}-only")
        calls[agent] = await agents[agent].rings()
    for agent in ("ana", "dora"):
        await takes(stage, calls[agent])
    before = {agent: await shown(stage, agent) for agent in agents}
    await told(stage, "eve", "pause", {"reason": "lunch"})
    stage.daemon.kill()
    await leads["cleo"].hang_up()
    await leads["dora"].hang_up()
    stage.daemon.start()

    async def becomes(agent: str, **wanted: object) -> None:
        def there() -> bool:
            _, now = stage.daemon.request("GET", f"/v1/agents/{agent}")
            return all(now[key] == value for key, value in wanted.items())

        await until(there, 8.0, f"{agent} is {wanted}")

    await becomes("cleo", offered=None, talks=[], free=True)
    await becomes("dora", offered=None, talks=[], free=False)
    assert [why["code"] for why in (await shown(stage, "dora"))["why"]] == ["wrapup"]
    for agent in ("ana", "ben"):
        now = await shown(stage, agent)
        assert (now["offered"], now["talks"]) == (before[agent]["offered"], before[agent]["talks"])
    assert before["ana"]["talks"] and before["ben"]["offered"]
    eve = await shown(stage, "eve")
    assert (eve["declared"], eve["reason"], eve["source"]) == ("paused", "lunch", "cli")
    await calls["cleo"].ended()
    await takes(stage, calls["ben"])
    await becomes("ben", offered=None, talks=[before["ben"]["offered"]])
    for agent in ("ana", "ben"):
        await calls[agent].hang_up()
    await becomes("ben", offered=None, talks=[], free=True)
    await becomes("ana", offered=None, talks=[], free=False)
    await all_settled([stage.daemon], 4, 10.0)


async def test_given_a_lead_who_waits_when_the_daemon_is_killed_then_after_it_who_is_free_by_then_is_rung(
    stage: Stage, phones: Phones
) -> None:
    (ben,) = await registered(phones, "ben")
    async with Seen(stage) as seen:
        await seen.becomes("ben")
        ordinary = await ben.dial("music")
        await seen.becomes("ben", "device")
    before = len(stage.daemon.handoffs())
    lead = await comes(phones, 1, "ben-only")
    await until(lambda: waiting(stage, before) == 1, 5.0, "the lead waits")
    stage.daemon.kill()
    await ordinary.hang_up()
    stage.daemon.start()
    offer = await ben.rings()
    assert offer.caller_number == "+15551"
    await takes(stage, offer)
    await offer.hang_up()
    await lead.hang_up()
    await all_settled([stage.daemon], 1, 10.0)


async def takes(stage: Stage, call: Call) -> None:
    def offer_is(state: str) -> bool:
        return any(
            offer["agent_id"] == call.phone and offer["state"] == state
            for handoff in stage.daemon.handoffs(4)
            for offer in handoff["offers"]
        )

    await call.answer()
    await until(lambda: offer_is("BRIEFING"), 8.0, f"{call.phone} is briefed")
    await call.press("1")
    await until(lambda: offer_is("ACCEPTED"), 8.0, f"{call.phone} has accepted")


# -- two daemons ---------------------------------------------------------------------------------------------


@pytest.fixture
def second(stage: Stage, sounds: Path) -> Iterator[Daemon]:
    """Another daemon, with an application of its own, on the same database and Asterisk."""
    config = yaml.safe_load(stage.daemon.config.read_text())
    asterisk = config["asterisk"]
    settings = {
        **{key: config[key] for key in ("database", "sounds", "agents", "teams")},
        "node": "two",
        "asterisk": {**asterisk, "ari": {**asterisk["ari"], "app": "warm_two"}},
    }
    with Daemon(stage.pbx, agents={}, teams={}, sounds=sounds, settings=settings, name="two") as running:
        yield running
        complaints = running.complaints()
    assert not complaints, complaints


async def test_given_two_daemons_on_one_database_when_their_leads_race_for_agents_then_nobody_is_offered_two(
    stage: Stage, phones: Phones, second: Daemon, capture: Capture
) -> None:
    both = (stage.daemon, second)
    plans = (("take", "decline"), ("decline", "take"), ("take", "leave"))
    people = [
        Person(phone, stage, plan, daemons=both)
        for phone, plan in zip(await registered(phones, *THREE), plans, strict=True)
    ]
    ordinary = [await person.phone.dial("music") for person in people]
    await until(lambda: all(all_in_calls(daemon) for daemon in both), 8.0, "both know that all are in calls")
    before = len(stage.daemon.handoffs())
    leads = await asyncio.gather(
        *(comes(phones, number, f"{'two' * (number % 2)}all") for number in range(8))
    )
    await until(lambda: waiting(stage, before) == len(leads), 10.0, "all leads wait")
    async with at_work(people):
        # Both are told of it by Asterisk, at the same moment.
        await asyncio.gather(*(call.hang_up() for call in ordinary))
        handoffs = await all_settled(both, len(leads), 60.0)
    await asyncio.gather(*(lead.hang_up() for lead in leads))
    offers = never_rung_twice_at_once(capture.traffic(), THREE)
    never_offered_twice_at_once(handoffs)
    print(f"{offers} offers, ends: {[handoff['status'] for handoff in handoffs]}")
    assert all(handoff["reason"] for handoff in handoffs)
    assert len([handoff for handoff in handoffs if handoff["status"] == "CONNECTED"]) >= 3
    await nobody_reserved(stage, second)


async def test_given_two_daemons_when_one_dies_in_an_offer_then_its_agent_stays_reserved_until_it_is_back(
    stage: Stage, phones: Phones, second: Daemon
) -> None:
    (ben,) = await registered(phones, "ben")
    async with Seen(stage) as seen:
        await seen.becomes("ben")
        theirs = await comes(phones, 2, "twoben-only")
        offer = await ben.rings()
        await seen.becomes("ben", "offered", "device")
        before = len(stage.daemon.handoffs())
        ours = await comes(phones, 1, "ben-only")
        await until(lambda: waiting(stage, before) == 1, 5.0, "the lead waits")
        second.kill()
        await offer.busy()
        await seen.becomes("ben", "offered")
        # It may come back: no other lead is offered until it has, as long as the lease lasts.
        began_at = time.time()
        second.start()
        offer = await ben.rings()
    assert offer.caller_number == "+15551" and offer.began_at - began_at > NOTICED
    # Nor has the one that came back cleared away what is the other's.
    await takes(stage, offer)
    await offer.hang_up()
    for lead in (ours, theirs):
        await lead.hang_up()
    await all_settled([second], 2, 10.0)


def all_in_calls(daemon: Daemon) -> bool:
    agents = daemon.request("GET", "/v1/agents")[1]["agents"]
    return all(agent["device"] == "INUSE" for agent in agents if agent["id"] in THREE)


def waiting(stage: Stage, before: int) -> int:
    handoffs = stage.daemon.handoffs()
    return sum(handoff["state"] == "SEEKING" for handoff in handoffs[: len(handoffs) - before])
