"""Many leads and a few agents at once: people who work by a plan, and what must hold of all that they did."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from agents_scene import told
from baresip import StaleHandleError
from scene import until

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.daemon import Daemon
from asterisk_warm.lab.phones import Phone
from asterisk_warm.lab.sip import Dialog
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.traffic import Traffic

Json = dict[str, Any]

AGAIN_SECONDS = 4.0
"""After how long a key is pressed again."""
NOTICED = 0.3
"""Seconds, on a busy machine, from what happens at a phone until a lead is no longer offered because of it, or is."""


@dataclass
class Person:
    """An agent who does with each offer what comes next in the plan, over and over: take, decline, ignore, leave (hang up
    in the briefing); and after it what comes next in `breaks`: go on, pause, call."""

    phone: Phone
    stage: Stage
    plan: Sequence[str]
    breaks: Sequence[str] = ("go on",)
    daemons: Sequence[Daemon] = ()
    ordinary: list[Call] = field(default_factory=list)

    async def work(self) -> None:
        """Until cancelled."""
        breaks = itertools.cycle(self.breaks)
        for what in itertools.cycle(self.plan):
            call = await self.phone.rings(60.0)
            await getattr(self, f"_{what}")(call)
            await self._rest(next(breaks))

    async def _take(self, call: Call) -> None:
        if not await self._briefed(call):
            return
        # Of a daemon that is away the key is lost: pressed again, as people do.
        while not await self._accepts(call):
            continue
        await call.hang_up()

    async def _accepts(self, call: Call) -> bool:
        """Press the key; False when nothing has come of it for a while."""
        with suppress(StaleHandleError):  # the lead has just left, or is somebody else's
            await call.press("1")
        try:
            await self._is(call, "CONNECTED", AGAIN_SECONDS)
        except AssertionError:
            return call.is_over
        return True

    async def _decline(self, call: Call) -> None:
        await call.hang_up()

    async def _ignore(self, call: Call) -> None:
        await call.ended(10.0)

    async def _leave(self, call: Call) -> None:
        await self._briefed(call)
        await call.hang_up()

    async def _briefed(self, call: Call) -> bool:
        """False: the lead went to somebody else meanwhile, or left."""
        if not call.is_over:
            try:
                await call.answer()
            except AssertionError:
                return False
        return await self._is(call, "BRIEFING")

    async def _is(self, call: Call, state: str, seconds: float = 15.0) -> bool:
        """Wait until this agent's offer is in its briefing, or has the lead; False when the call is over before."""

        def there() -> bool:
            if call.is_over:
                return True
            with suppress(OSError):  # a daemon that has just been killed
                daemons = self.daemons or (self.stage.daemon,)
                return any(self._mine(one, state) for daemon in daemons for one in daemon.handoffs(40))
            return False

        await until(there, seconds, f"{self.phone.name}'s offer is {state}")
        return not call.is_over

    def _mine(self, handoff: Json, state: str) -> bool:
        if state == "CONNECTED":
            return handoff["state"] == state and handoff["agent"]["id"] == self.phone.name
        mine = [offer for offer in handoff["offers"] if offer["agent_id"] == self.phone.name]
        return bool(mine) and mine[-1]["state"] == state

    async def _rest(self, how: str) -> None:
        if how == "pause":
            await told(self.stage, self.phone.name, "pause", {"reason": "coffee"})
            await asyncio.sleep(NOTICED)
            await told(self.stage, self.phone.name, "ready")
        elif how == "call":
            call = await self.phone.dial("music")
            self.ordinary.append(call)
            await call.answered()
            await call.listen_for(2 * NOTICED)
            await call.hang_up()


async def all_settled(daemons: Iterable[Daemon], count: int, seconds: float) -> list[Json]:
    """All handoffs since the beginning (the newest `count`), oldest first, when each has ended and cleared up."""
    (first, *_) = daemons

    def settled() -> list[Json] | None:
        newest = first.handoffs(count)
        return newest if len(newest) == count and all(one["settled"] for one in newest) else None

    return list(reversed(await until(settled, seconds, f"{count} handoffs settled")))


# -- what must hold ------------------------------------------------------------------------------------------


def never_rung_twice_at_once(traffic: Traffic, agents: Iterable[str]) -> int:
    """At each phone one offer begins when the one before is over. How many there were."""
    count = 0
    for agent in agents:
        offers = traffic.dialogs_to(agent)
        count += len(offers)
        for before, after in itertools.pairwise(offers):
            early = _end(before) - after.invited_at
            assert early <= 0, f"{agent} was rung {early:g} s before the offer before was over"
    return count


def never_rung_in_a_call(traffic: Traffic, person: Person) -> None:
    """No offer comes in the middle of an ordinary call."""
    for call in person.ordinary:
        ordinary = traffic.dialog(call.call_id)
        for offer in traffic.dialogs_to(person.phone.name):
            during = ordinary.invited_at + NOTICED < offer.invited_at < _end(ordinary)
            assert not during, f"{person.phone.name} was rung in an ordinary call"


def _end(dialog: Dialog) -> float:
    return float("inf") if dialog.ended_at is None else dialog.ended_at


def never_offered_twice_at_once(handoffs: Sequence[Json]) -> None:
    """The same from the journals."""
    spans: dict[str, list[tuple[float, float, str]]] = {}
    for handoff in handoffs:
        for offer in handoff["offers"]:
            end = offer["decided_at"]
            if handoff["agent"] and handoff["agent"]["id"] == offer["agent_id"]:
                end = handoff["ended_at"]
            assert end is not None, (handoff["id"], offer)
            spans.setdefault(offer["agent_id"], []).append((offer["rung_at"], end, handoff["id"]))
    for agent, theirs in spans.items():
        for before, after in itertools.pairwise(sorted(theirs)):
            assert before[1] <= after[0], f"{agent} was offered two leads at once: {before}, {after}"


def each_in_turn(handoffs: Sequence[Json], rank: Callable[[Json], tuple[float, ...]]) -> int:
    """Nobody was offered a lead while one of a lower `rank` waited for whom they had not been offered before, and nobody
    was being rung. How often they were offered one while others of a higher rank waited so."""
    count = 0
    for handoff in handoffs:
        for offer in handoff["offers"]:
            agent, at = offer["agent_id"], offer["rung_at"]
            for other in handoffs:
                if other is not handoff and _waited(other, agent, at):
                    assert rank(handoff) < rank(other), (
                        f"{agent} was offered {handoff['id']} before {other['id']}"
                    )
                    count += 1
    return count


def _waited(handoff: Json, agent: str, at: float) -> bool:
    """Did its lead wait for somebody like this agent at that moment, by far?"""
    if not handoff["requested_at"] + NOTICED < at < (handoff["joined_at"] or handoff["ended_at"]) - NOTICED:
        return False
    if any(offer["agent_id"] == agent and offer["rung_at"] < at + NOTICED for offer in handoff["offers"]):
        return False
    return not any(
        offer["rung_at"] - NOTICED < at < (offer["decided_at"] or at) + NOTICED for offer in handoff["offers"]
    )
