"""Things that happen in the same moment, by phones that are exact to a fraction of a millisecond. Ten handoffs at a time,
each with a lead and a pair of agents of its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from scene import (
    AGENT_HZ,
    FAREWELL_HZ,
    LEAD_TONE,
    RACES,
    TONE_TEAMS,
    HastyLead,
    HastyPhone,
    one_end,
    talk,
    until,
)

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.traffic import Traffic

pytestmark = pytest.mark.real

ROUNDS = 10
"""Of ten leads each, on either version: 200 pairs of simultaneous accepts."""
SOON = 0.25
"""Seconds from now at which keys are pressed: they are held for 0.1 s."""
APART = 0.02
"""Seconds between one pair's race and the next pair's."""
PITCHES = AGENT_HZ[:2]

DECISION_SECONDS = float(TONE_TEAMS["race0-hasty"]["decision_seconds"])

Handoff = dict[str, Any]
Pairs = dict[str, tuple[HastyPhone, HastyPhone]]


@dataclass
class Race:
    """One handoff: a team of two, and in each round a new lead."""

    stage: Stage
    team: str
    pair: tuple[HastyPhone, HastyPhone]
    lead: HastyLead
    number: str

    async def rings(self) -> None:
        await asyncio.gather(*(phone.rings(8.0) for phone in self.pair), self.lead.answered())

    async def is_in(self, *states: str) -> Handoff:
        return await self.seen(lambda handoff: handoff["state"] in states, " or ".join(states))

    async def settled(self) -> Handoff:
        handoff = await self.seen(lambda seen: seen["settled"], "settled")
        await asyncio.to_thread(one_end, self.stage, handoff["id"])
        return handoff

    async def seen(self, what: Callable[[Handoff], bool], words: str) -> Handoff:
        def look() -> Handoff | None:
            found = [h for h in self.stage.daemon.handoffs(40) if h["lead"]["number"] == self.number]
            return found[0] if found and what(found[0]) else None

        return await until(look, 15.0, f"{self.number}: {words}")

    async def answered(self, *phones: HastyPhone) -> Handoff:
        """These pick up, and are being briefed."""
        for phone in phones:
            phone.answer()
        names = {phone.name for phone in phones}
        return await self.seen(lambda handoff: names <= _briefed(handoff), f"{names} are briefed")

    def who(self, handoff: Handoff) -> tuple[HastyPhone, HastyPhone]:
        """(who has the lead, who has not)."""
        one, other = self.pair
        return (one, other) if handoff["agent"]["id"] == one.name else (other, one)


def _briefed(handoff: Handoff) -> set[str]:
    return {o["agent_id"] for o in handoff["offers"] if o["state"] == "BRIEFING"}


@pytest.fixture
async def pairs(stage: Stage) -> AsyncIterator[Pairs]:
    """Every racer's phone, registered."""
    sip = (stage.pbx.sip, stage.pbx.sip_password)
    async with AsyncExitStack() as stack:
        registered = {}
        for team, names in RACES.items():
            one, other = [
                await stack.enter_async_context(HastyPhone(*sip, name, tone_hz=hz))
                for name, hz in zip(names, PITCHES, strict=True)
            ]
            registered[team] = (one, other)
        yield registered
    await stage.nothing_left()


async def begin(stage: Stage, stack: AsyncExitStack, pairs: Pairs, team: str, *, hasty: bool = False) -> Race:
    """A new lead dials the team; `hasty`: where agents have but a second to decide."""
    number = f"+1555{secrets.randbelow(10**7):07}"
    lead = HastyLead(
        stage.pbx.sip, f"{team}-hasty" if hasty else team, f"Lead <sip:{number}@lab>", tone_hz=LEAD_TONE
    )
    await stack.enter_async_context(lead)
    return Race(stage, team, pairs[team], lead, number)


# -- two accepts -------------------------------------------------------------------------------------------------


async def test_given_two_agents_who_accept_in_the_same_moment_then_one_has_the_lead_and_the_other_is_told(
    stage: Stage, pairs: Pairs, capture: Capture
) -> None:
    finished: list[Duel] = []
    for number in range(ROUNDS):
        async with AsyncExitStack() as stack:
            races = [await begin(stage, stack, pairs, team) for team in RACES]
            await asyncio.gather(*(each.rings() for each in races))
            await asyncio.gather(*(each.answered(*each.pair) for each in races))
            when = time.time() + SOON
            # In half of the duels the second key comes a millisecond after the first.
            finished += await asyncio.gather(
                *(duel(each, when + i * APART, (number + i) % 2 / 1000) for i, each in enumerate(races))
            )
    assert len(finished) == ROUNDS * len(RACES)
    traffic = capture.traffic()
    for each in finished:
        each.check(traffic)
    # The phones did what they were there for.
    assert sum(each.keys_apart(traffic) < 0.003 for each in finished) > 0.5 * len(finished)


@dataclass(frozen=True)
class Duel:
    """What is left to look up in the capture."""

    lead: str
    winner: str
    winner_hz: int
    loser: str
    loser_hz: int

    def check(self, traffic: Traffic) -> None:
        lead = traffic.heard_at(self.lead)
        assert lead.hears(self.winner_hz, frames=5) and not lead.hears(self.loser_hz)
        assert traffic.heard_at(self.winner).hears(LEAD_TONE, frames=5)
        loser = traffic.heard_at(self.loser)
        assert loser.hears(FAREWELL_HZ, frames=10) and not loser.hears(LEAD_TONE)

    def keys_apart(self, traffic: Traffic) -> float:
        """Seconds between the two accepts, on the wire."""
        ends = [traffic.keys_of(call)[0].released_at for call in (self.winner, self.loser)]
        return abs(ends[0] - ends[1])


async def duel(race: Race, when: float, apart: float) -> Duel:
    one, other = race.pair
    await asyncio.gather(one.press_at("1", when), other.press_at("1", when + apart))
    handoff = await race.is_in("CONNECTED")
    assert sorted(o["state"] for o in handoff["offers"]) == ["ACCEPTED", "LOST"]
    winner, loser = race.who(handoff)
    await asyncio.wait_for(loser.ended.wait(), 5.0)
    assert not winner.ended.is_set() and not race.lead.ended.is_set()
    race.lead.hang_up()
    await asyncio.wait_for(winner.ended.wait(), 5.0)
    handoff = await race.settled()
    assert (handoff["state"], handoff["status"]) == ("COMPLETED", "CONNECTED")
    pitch = dict(zip(race.pair, PITCHES, strict=True))
    return Duel(race.lead.call_id, winner.call_id, pitch[winner], loser.call_id, pitch[loser])


# -- the accept and the clock ------------------------------------------------------------------------------------


async def test_given_a_decision_that_runs_out_when_the_key_comes_around_then_then_it_counts_or_it_does_not(
    stage: Stage, pairs: Pairs, capture: Capture
) -> None:
    async with AsyncExitStack() as stack:
        races = [await begin(stage, stack, pairs, team, hasty=True) for team in RACES]
        await asyncio.gather(*(each.rings() for each in races))
        offsets = (-0.05, -0.005, 0.0, 0.005, 0.05) * 2
        decided = await asyncio.gather(*map(decide_at, races, offsets))
        for each, handoff in zip(races, decided, strict=True):
            if handoff["status"] == "CONNECTED":
                await talk(capture, each.lead.call_id, each.pair[0].call_id, PITCHES[0])
        await asyncio.gather(*map(end_decided, races, decided))
        traffic = capture.traffic()
    in_time = {offset: set[bool]() for offset in offsets}
    for each, offset, handoff in zip(races, offsets, decided, strict=True):
        agent = each.pair[0]
        accepted = handoff["status"] == "CONNECTED"
        in_time[offset].add(accepted)
        assert traffic.heard_at(agent.call_id).hears(LEAD_TONE) is accepted
        assert traffic.heard_at(agent.call_id).hears(FAREWELL_HZ, frames=10) is not accepted
        assert traffic.heard_at(each.lead.call_id).hears(PITCHES[0]) is accepted
    # On a machine that does much else one of two may come late, or the clock be.
    assert True in in_time[-0.05] and False in in_time[0.05], in_time


async def decide_at(race: Race, offset: float) -> Handoff:
    """The first agent presses accept that long after (or before) the end of the time to decide; the second
    declines."""
    agent, other = race.pair
    other.answer()
    briefed = await race.answered(agent)
    await other.press_at("2", time.time() + SOON)
    (answered_at,) = (o["answered_at"] for o in briefed["offers"] if o["agent_id"] == agent.name)
    await agent.press_at("1", answered_at + DECISION_SECONDS + offset)
    return await race.is_in("CONNECTED", "RETURNED")


async def end_decided(race: Race, decided: Handoff) -> None:
    agent = race.pair[0]
    if decided["state"] == "CONNECTED":
        agent.hang_up()
        handoff = await race.settled()
        assert (handoff["state"], handoff["agent"]["id"]) == ("COMPLETED", agent.name)
        return
    await asyncio.wait_for(agent.ended.wait(), 5.0)
    handoff = await race.settled()
    assert (handoff["state"], handoff["status"], handoff["agent"]) == ("RETURNED", "DECLINED", None)
    assert [o["state"] for o in handoff["offers"] if o["agent_id"] == agent.name] == ["NO_DECISION"]


# -- the accept and a hangup -------------------------------------------------------------------------------------


async def test_given_an_accept_when_the_lead_hangs_up_in_the_same_moment_then_the_agent_is_not_left_alone(
    stage: Stage, pairs: Pairs
) -> None:
    async with AsyncExitStack() as stack:
        races = [await begin(stage, stack, pairs, team) for team in RACES]
        await asyncio.gather(*(each.rings() for each in races))
        offsets = (-0.005, -0.002, -0.001, 0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
        await asyncio.gather(*map(lead_leaves_at, races, offsets))


async def lead_leaves_at(race: Race, offset: float) -> None:
    agent, other = race.pair
    await race.answered(agent)
    when = time.time() + SOON
    await asyncio.gather(agent.press_at("1", when), race.lead.hang_up_at(when + offset))
    # Whoever rings, is briefed or is being joined is let go.
    await asyncio.gather(*(asyncio.wait_for(phone.ended.wait(), 3.0) for phone in (agent, other)))
    handoff = await race.settled()
    end = (handoff["state"], handoff["status"], handoff["agent"] and handoff["agent"]["id"])
    assert end in (("ABANDONED", "ABANDONED", None), ("COMPLETED", "CONNECTED", agent.name))


async def test_given_an_agent_who_accepts_and_hangs_up_at_once_then_the_other_is_asked_again(
    stage: Stage, pairs: Pairs
) -> None:
    async with AsyncExitStack() as stack:
        races = [await begin(stage, stack, pairs, team) for team in RACES]
        await asyncio.gather(*(each.rings() for each in races))
        offsets = (0.0, 0.0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05)
        ends = await asyncio.gather(*map(agent_leaves_at, races, offsets))
    assert "asked again" in ends


async def agent_leaves_at(race: Race, offset: float) -> str:
    """Returns what came of it: they may have been together for a moment."""
    agent, other = race.pair
    await race.answered(agent)
    when = time.time() + SOON
    await asyncio.gather(agent.press_at("1", when), agent.hang_up_at(when + offset))
    handoff = await race.seen(
        lambda seen: seen["state"] == "COMPLETED" or seen["offers"][0]["state"] == "GONE", "decided"
    )
    if handoff["state"] == "COMPLETED":
        assert handoff["agent"]["id"] == agent.name and not race.lead.ended.is_set()
        await race.settled()
        return "connected"
    # Had the hangup come before the key, the other's phone would never have stopped.
    asked_again = handoff["offers"][1]["state"] == "LOST"
    if asked_again:
        await asyncio.wait_for(other.ended.wait(), 3.0)
        await other.rings()
    await race.answered(other)
    await other.press_at("1", time.time() + SOON)
    await race.is_in("CONNECTED")
    race.lead.hang_up()
    await asyncio.wait_for(other.ended.wait(), 3.0)
    handoff = await race.settled()
    offers = ["GONE", "LOST", "ACCEPTED"] if asked_again else ["GONE", "ACCEPTED"]
    assert [o["state"] for o in handoff["offers"]] == offers
    assert (handoff["status"], handoff["agent"]["id"]) == ("CONNECTED", other.name)
    return "asked again" if asked_again else "had not accepted"
