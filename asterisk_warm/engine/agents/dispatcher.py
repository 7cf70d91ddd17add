"""Brings leads who wait and agents who are free together: routing decides, the store reserves, the handoff is
told. What is reserved follows from the handoffs themselves, so that nothing stays reserved that no handoff
needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace

import structlog

from asterisk_warm.core import presence as core
from asterisk_warm.core.handoff.agents import Kept, ended, kept, seeker
from asterisk_warm.core.handoff.events import AgentsFound, Event
from asterisk_warm.core.handoff.model import Agent, Handoff
from asterisk_warm.core.presence import Ended, Lease, Presence, Rules
from asterisk_warm.core.routing import Plan, Seeker, Standing, plan
from asterisk_warm.engine.agents.staff import OUTSIDE, Staff
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60.0
"""How long an agent stays reserved when nobody renews it: the daemon is dead."""
RENEW_SECONDS = 20.0
RETRY_SECONDS = 0.5

Tell = Callable[[str, Event], Awaitable[bool]]
"""(handoff, event): returns when the handoff has taken it. Raises Refused."""


class Dispatcher:
    def __init__(self, staff: Staff, node: str) -> None:
        """`node` is this daemon's name among those that use the same store."""
        self._staff = staff
        self._node = node
        self._handoffs: dict[str, Handoff] = {}
        """Those that seek or keep agents."""
        self._kept: dict[str, dict[str, Kept]] = {}
        """Handoff → the agents who are reserved for it in the store."""
        self._dirty: dict[str, None] = {}
        """Handoffs that may need others than are reserved for them, in order."""
        self._telling: dict[str, frozenset[str]] = {}
        """Handoffs that have not taken yet what they were told → the agents reserved for them by it."""
        self._hung: set[str] = set()
        """Those of them that should have long since."""
        self._said: dict[str, bool] = {}
        """What handoffs for which nobody was found were told last: whether there is hope."""
        self._sticky: dict[str, str] = {}
        self._renew_at = 0.0
        self._failed = False
        """Whether the store has failed in this turn."""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        staff.listen(lambda _: self._wake.set())

    # -- told ------------------------------------------------------------------------------------------------

    def changed(self, handoff: Handoff) -> None:
        """What a handoff has become."""
        if handoff.id not in self._handoffs and handoff.settled:
            return
        self._handoffs[handoff.id] = handoff
        self._look_at(handoff.id)

    def closed(self, handoff: str) -> None:
        """A handoff is not run here any more, ended or not: it keeps nobody."""
        self._forget(handoff)
        self._look_at(handoff)

    def _look_at(self, handoff: str) -> None:
        self._dirty[handoff] = None
        self._wake.set()

    def recovered(self) -> None:
        """The handoffs that the journal has kept are open again: what else this daemon had reserved is not
        needed any more."""
        for agent in self._staff.agents:
            for lease in core.leases_of(agent.presence, self._node):
                what = Kept.TALK if lease in agent.presence.talks else Kept.OFFER
                self._kept.setdefault(lease.handoff, {}).setdefault(agent.record.id, what)
                self._dirty[lease.handoff] = None
        # They may be about to end.
        self._renew_at = 0.0
        self._wake.set()

    def waiting(self, team: str) -> tuple[Handoff, ...]:
        """The handoffs of a team for whose lead nobody is being rung, oldest first."""
        found = [h for h in self._handoffs.values() if h.team == team and _waits(h)]
        return tuple(sorted(found, key=lambda h: (-h.policy.priority, h.requested_at, h.id)))

    # -- the loop --------------------------------------------------------------------------------------------

    async def run(self, tell: Tell) -> None:
        """Until cancelled."""
        self._tell = tell
        while True:
            self._wake.clear()
            due = await self._turn()
            with suppress(TimeoutError):
                await within(self._wake.wait(), max(0.0, due - time.time()))

    async def _turn(self) -> float:
        """Returns when the next one is due at the latest."""
        self._failed = False
        await asyncio.gather(*map(self._settle, tuple(self._dirty)))
        if time.time() >= self._renew_at:
            await self._renew()
        again_at = await self._offer()
        retry_at = time.time() + RETRY_SECONDS if self._failed else None
        return min(time for time in (again_at, retry_at, self._renew_at) if time is not None)

    def _store_failed(self, error: JournalError) -> None:
        """It is tried again, and nothing else waits for it."""
        self._failed = True
        log.error("agents not reserved or released", why=str(error))

    # -- what is reserved ------------------------------------------------------------------------------------

    async def _settle(self, id: str) -> None:
        """Make what is reserved in the store what the handoff needs."""
        # Before it is looked at: what it becomes meanwhile is for the next turn.
        self._dirty.pop(id, None)
        handoff = self._handoffs.get(id)
        try:
            await self._match(id, handoff)
        except JournalError as error:
            self._dirty[id] = None
            self._store_failed(error)
            return
        if handoff is not None and handoff.settled:
            self._forget(id)

    async def _match(self, id: str, handoff: Handoff | None) -> None:
        needs = {} if handoff is None else kept(handoff)
        needs = dict.fromkeys(self._telling.get(id, ()), Kept.OFFER) | needs
        reserved = self._kept.setdefault(id, {})
        for agent in [agent for agent in reserved if agent not in needs]:
            await self._release(id, handoff, agent)
            del reserved[agent]
        for agent, what in needs.items():
            if reserved.get(agent) not in (what, Kept.TALK) and await self._hold(id, agent, what):
                reserved[agent] = what
        if not reserved:
            del self._kept[id]

    async def _release(self, id: str, handoff: Handoff | None, agent: str) -> None:
        how = Ended.WITHDRAWN if handoff is None else ended(handoff, agent)
        rules = Rules() if handoff is None else handoff.policy.agents
        await self._staff.change(agent, lambda presence: core.release(presence, id, how, rules, time.time()))

    async def _hold(self, id: str, agent: str, what: Kept) -> bool:
        """Whatever speaks against it: the agent is being offered that lead, or talks to them. So a lease is
        renewed, and taken again when nobody could renew it in time. False: another daemon was faster."""

        def how(presence: Presence) -> Presence | None:
            now, lease = time.time(), self._lease(id)
            presence = core.at(presence, now)
            if what is Kept.TALK:
                talks = any(talk.handoff == id for talk in presence.talks)
                return (core.renew if talks else core.talk)(presence, lease, now)
            if presence.offer is not None and presence.offer.handoff != id:
                return None
            return presence.evolve(offer=lease)

        return await self._staff.change(agent, how) is not None

    def _lease(self, handoff: str) -> Lease:
        return Lease(handoff, self._node, time.time() + LEASE_SECONDS)

    async def _renew(self) -> None:
        held = [(id, agent, what) for id, agents in self._kept.items() for agent, what in agents.items()]
        await asyncio.gather(*(self._renew_one(*one) for one in held))
        self._renew_at = time.time() + (RETRY_SECONDS if self._failed else RENEW_SECONDS)

    async def _renew_one(self, id: str, agent: str, what: Kept) -> None:
        try:
            await self._hold(id, agent, what)
        except JournalError as error:
            self._store_failed(error)

    def _forget(self, id: str) -> None:
        self._handoffs.pop(id, None)
        self._sticky.pop(id, None)
        self._said.pop(id, None)

    # -- who is offered to whom ------------------------------------------------------------------------------

    async def _offer(self) -> float | None:
        """Returns when time alone may change what routing decides."""
        seekers = [one for handoff in list(self._handoffs.values()) if (one := await self._seeker(handoff))]
        if not seekers:
            return None
        standings = self._standings(seekers)
        decided, lines = plan(seekers, standings, time.time()), _Lines(standings)
        for handoff, agents in decided.offers:
            if handoff in self._telling or not self._seeks(handoff):
                continue
            got = await asyncio.gather(*(self._reserve(handoff, agent) for agent in agents))
            free = [agent for agent, reserved in zip(agents, got, strict=True) if reserved]
            if free:
                self._inform(handoff, free, lines, hope=True)
            if len(free) < len(agents) and not self._failed:
                # Others were faster: this lead chooses anew, before those who have waited for less long.
                return None
        self._tell_waiting(seekers, decided, lines)
        return decided.again_at

    async def _seeker(self, handoff: Handoff) -> Seeker | None:
        """None for one that seeks nobody, and for one that hangs. One that is just being told something is
        offered nobody, but keeps its turn before those who wait for less long."""
        one = None if handoff.id in self._hung else seeker(handoff)
        if one is not None and (told := self._telling.get(handoff.id)):
            one = replace(one, ringing=one.ringing | told)
        if one is None or not one.routing.sticky_seconds:
            return one
        return replace(one, sticky=await self._spoke_before(handoff))

    def _seeks(self, id: str) -> bool:
        """Still, for it may have ended meanwhile."""
        handoff = self._handoffs.get(id)
        return handoff is not None and seeker(handoff) is not None

    async def _spoke_before(self, handoff: Handoff) -> str:
        if not handoff.lead.number:
            return ""
        if handoff.id not in self._sticky:
            self._sticky[handoff.id] = await self._staff.last_agent(handoff.lead.key, handoff.lead.number)
        return self._sticky[handoff.id]

    def _standings(self, seekers: Iterable[Seeker]) -> Mapping[str, Standing]:
        # Leads of one team share its roster.
        rosters = {id(handoff.agents): handoff.agents for handoff in map(self._of, seekers) if handoff}
        return {agent.id: self._standing(agent) for roster in rosters.values() for agent in roster}

    def _of(self, one: Seeker) -> Handoff | None:
        return self._handoffs.get(one.handoff)

    def _standing(self, agent: Agent) -> Standing:
        return OUTSIDE if agent.outside else self._staff.standing(agent.id)

    async def _reserve(self, handoff: str, agent: str) -> bool:
        """One conditional write: whoever is faster, another daemon or the agent who pauses, has it."""
        if self._staff.get(agent) is None:
            return True  # A number outside: routing chooses no others who are none of the agents.

        def how(presence: Presence) -> Presence | None:
            now = time.time()
            if self._staff.why_not(agent, now):
                return None
            return core.reserve(presence, self._lease(handoff), now)

        try:
            reserved = await self._staff.change(agent, how) is not None
        except JournalError as error:
            self._store_failed(error)
            return False
        if reserved:
            self._kept.setdefault(handoff, {})[agent] = Kept.OFFER
        else:
            self._wake.set()
        return reserved

    def _tell_waiting(self, seekers: Iterable[Seeker], decided: Plan, lines: _Lines) -> None:
        """Those for whom nobody is rung are told once that they wait, or that there is no hope."""
        offered = {handoff for handoff, _ in decided.offers}
        for one in seekers:
            if one.handoff in self._telling:
                continue
            if one.ringing or one.handoff in offered:
                self._said.pop(one.handoff, None)
                continue
            hope = one.handoff not in decided.hopeless
            if self._said.get(one.handoff) is not hope:
                self._said[one.handoff] = hope
                self._inform(one.handoff, (), lines, hope=hope)

    def _inform(self, id: str, free: Sequence[str], lines: _Lines, *, hope: bool) -> None:
        handoff = self._handoffs.get(id)
        one = seeker(handoff) if handoff is not None else None
        if handoff is None or one is None:
            self._look_at(id)  # It ended in that moment: whoever was reserved is released.
            return
        found = AgentsFound(
            at=time.time(),
            event_id=new_event_id(),
            free=tuple(free),
            not_free=lines.of(handoff.agents, one.tried.union(one.ringing, free)),
            hope=hope,
        )
        self._telling[id] = frozenset(found.free)
        task = asyncio.create_task(self._until_taken(id, found))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_taken(self, id: str, found: AgentsFound) -> None:
        """It may take it late: until it has, or is not open any more, its agents stay reserved. What it is
        told a second time is one event to it all the same."""
        try:
            while not await self._taken(id, found):
                self._hung.add(id)
                self._wake.set()
                log.warning("a handoff does not take what it is told", id=id)
        finally:
            self._telling.pop(id, None)
            self._hung.discard(id)
            self._look_at(id)

    async def _taken(self, id: str, found: AgentsFound) -> bool:
        try:
            await self._tell(id, found)
        except Refused as refused:
            if refused.kind == "unreachable":
                return False
            log.info("agents were found for a handoff that is not open any more", id=id)
            self.closed(id)
        return True

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Lines(dict[str, tuple[str, str]]):
    """(agent, why they are not offered a lead), made once in a turn for all leads."""

    def __init__(self, standings: Mapping[str, Standing]) -> None:
        super().__init__()
        self._standings = standings

    def __missing__(self, agent: str) -> tuple[str, str]:
        line = self[agent] = agent, why_words(self._standings[agent].reasons)
        return line

    def of(self, agents: Iterable[Agent], but: Set[str]) -> tuple[tuple[str, str], ...]:
        """Those who are neither offered the lead nor have been."""
        return tuple(self[agent.id] for agent in agents if agent.id not in but)


def _waits(handoff: Handoff) -> bool:
    one = seeker(handoff)
    return one is not None and not one.ringing


def why_words(reasons: Iterable[core.Reason]) -> str:
    """Every reason, in one line; eligible, and still not chosen: others come first."""
    return ", ".join(reason.words for reason in reasons) or "others come first"
