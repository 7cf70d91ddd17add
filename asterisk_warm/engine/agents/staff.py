"""The agents as this daemon knows them: who they are, their presence, and what the world says of each.
Whatever changes them is one conditional write to the store, so that several daemons never undo each other's
changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from math import inf
from zoneinfo import ZoneInfo

import structlog

from asterisk_warm.core import presence as core
from asterisk_warm.core.presence import By, Presence, Reason, Seen, Shift, Why
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.core.routing import Standing
from asterisk_warm.core.shifts import parse, shift_at
from asterisk_warm.engine.agents.ports import AgentStore, Calendars, Change, Devices, StoredAgent
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.timers import Timer

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often it is asked whether another daemon (or `agent import`) has changed anything."""
TRIES = 8
"""How often a change is tried anew when others change the same agent meanwhile."""
_ON = frozenset({"INUSE", "BUSY", "ONHOLD", "RINGING", "RINGINUSE"})
"""States of a do-not-disturb device that mean it is on."""
GONE = Reason(Why.OFFLINE, "not an agent any more")
OUTSIDE = Standing((), shared=True)
"""Of a number outside nothing is known that speaks against it."""


class Staff:
    def __init__(
        self, store: AgentStore, devices: Devices, calendars: Calendars, zone: tzinfo, roster: Roster
    ) -> None:
        """`zone` is the machine's, for agents who have none. `roster` is told who the agents and teams are,
        whenever that changes."""
        self._store = store
        self._devices = devices
        self._calendars = calendars
        self._zone = zone
        self._roster = roster
        self._agents: dict[str, StoredAgent] = {}
        self._known: tuple[object, object] | None = None
        """Who the agents and teams are, as the others were last told."""
        self._named: dict[str, list[str]] = {}
        """Device or hint → the agents for whom it counts."""
        self._shifts: dict[str, Shift] = {}
        """As they are until their next change."""
        self._due: dict[str, float] = {}
        """When time alone changes an agent's presence."""
        self._standing: dict[str, Standing] = {}
        self._reading = asyncio.Lock()
        self._mark = -inf
        """The store's, when everything was read, and one more for each write of ours since; -inf: unknown."""
        self._begun, self._writing = 0, 0
        """How many writes have been begun, and how many are under way."""
        self._listeners: list[Callable[[str], None]] = []
        self._timer = Timer(self._time_passed)
        self._ending: set[asyncio.Task[object]] = set()

    async def open(self) -> None:
        """Read everything once. Raises JournalError."""
        self._devices.listen(self._device_changed)
        self._calendars.listen(self._changed)
        await self.reload()

    async def run(self) -> None:
        """Take notice of what others change, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if min(self._due.values(), default=inf) <= time.time():
                self._time_passed()  # The clock was set forward: timers do not know.
            try:
                if await self._store.mark() != self._mark:
                    await self.reload()
            except JournalError as error:
                log.warning("agents not read", why=str(error))

    def listen(self, changed: Callable[[str], None]) -> None:
        """`changed` is told the id of an agent whose presence may have changed; "" for many."""
        self._listeners.append(changed)

    # -- who they are, and how they stand --------------------------------------------------------------------

    @property
    def agents(self) -> Sequence[StoredAgent]:
        """By id."""
        return tuple(self._agents.values())

    def get(self, agent: str) -> StoredAgent | None:
        return self._agents.get(agent)

    def by_endpoint(self, endpoint: str) -> StoredAgent | None:
        """Asterisk compares the names of devices without regard to case."""
        wanted = endpoint.casefold()
        return next((a for a in self._agents.values() if a.record.endpoint.casefold() == wanted), None)

    def seen(self, record: AgentRecord, now: float) -> Seen:
        """What the world says of them at this moment."""
        return Seen(
            device=self._devices.state(record.endpoint),
            hints=tuple(self._devices.state(hint) for hint in record.hints),
            dnd=bool(record.dnd) and self._devices.state(record.dnd) in _ON,
            calendar=self._calendars.of(record.id),
            shift=self._shift(record, now),
            at_once=record.at_once,
        )

    def why_not(self, agent: str, now: float) -> tuple[Reason, ...]:
        """Every reason why the agent is not offered a lead now; empty: they are."""
        found = self._agents.get(agent)
        if found is None:
            return (GONE,)
        return core.why_not(found.presence, self.seen(found.record, now), now)

    def standing(self, agent: str) -> Standing:
        """What routing knows of them: as it was when it last changed, by an event or by time."""
        known = self._standing.get(agent)
        if known is None:
            found = self._agents.get(agent)
            if found is None:
                return Standing((GONE,))
            known = self._standing[agent] = self._stands(found, time.time())
        return known

    def _stands(self, agent: StoredAgent, now: float) -> Standing:
        presence = core.at(agent.presence, now)
        reasons = core.why_not(presence, self.seen(agent.record, now), now)
        return Standing(reasons, presence.idle_since, presence.offered_at)

    def _shift(self, record: AgentRecord, now: float) -> Shift | None:
        if not record.shifts:
            return None
        known = self._shifts.get(record.id)
        if known is None or (known.next_change is not None and known.next_change <= now):
            zone = ZoneInfo(record.timezone) if record.timezone else self._zone
            known = shift_at([parse(text) for text in record.shifts], zone, now)
            if known is not None:
                self._shifts[record.id] = known
        return known

    # -- changes ---------------------------------------------------------------------------------------------

    async def change(
        self, agent: str, how: Callable[[Presence], Presence | None], by: By = core.DAEMON
    ) -> Presence | None:
        """Write what `how` makes of the agent's presence, however often others change it meanwhile; what
        people care for goes into the history. None: there is no such agent, or `how` says that it is not to
        be. Raises JournalError."""
        for _ in range(TRIES):
            found = self._agents.get(agent)
            after = None if found is None else how(found.presence)
            if found is None or after is None or after == found.presence:
                self._standing.pop(agent, None)
                return after
            stored = await self._save(found.presence, after, _line(found.presence, after, by))
            if stored is not None:
                self._keep(agent, stored)
                return stored
            await self._look_again(agent)
        raise JournalError(
            f"the presence of {agent} changed {TRIES} times while it was being written: try again"
        )

    async def _save(self, before: Presence, after: Presence, line: Change | None) -> Presence | None:
        self._begun, self._writing = self._begun + 1, self._writing + 1
        try:
            stored = await self._store.save_presence(before, after, line)
        finally:
            self._writing -= 1
        if stored is not None:
            self._mark += 1
        return stored

    async def _look_again(self, agent: str) -> None:
        presence = await self._store.presence(agent)
        if presence is None:
            await self.reload()
        else:
            self._keep(agent, presence)

    def _keep(self, agent: str, presence: Presence) -> None:
        found = self._agents.get(agent)
        # A reading that came in meanwhile may be newer.
        if found is not None and found.presence.version < presence.version:
            self._agents[agent] = StoredAgent(found.record, presence)
            self._changed(agent)

    async def last_agent(self, *numbers: str) -> str:
        """Who last talked to the lead of that number, by the first of these that tells; "": nobody, or nobody
        knows."""
        try:
            for number in dict.fromkeys(number for number in numbers if number):
                if agent := await self._store.last_agent(number):
                    return agent
            return ""
        except JournalError as error:
            log.warning("nobody knows who talked to this lead before", why=str(error))
            return ""

    # -- what changes by itself ------------------------------------------------------------------------------

    async def reload(self) -> None:
        """Read everything anew, as after a change of who the agents are. Raises JournalError."""
        # One after the other: an older reading must not come in last.
        async with self._reading:
            begun, quiet = self._begun, not self._writing
            mark = await self._store.mark()
            # Whether a write of ours meanwhile is counted in it nobody knows: read again at the next look.
            self._mark = mark if quiet and begun == self._begun else -inf
            before = dict(self._agents)
            agents, teams = await self._store.agents(), await self._store.teams()
            self._take_over({agent.record.id: self._newer(agent, before) for agent in agents}, tuple(teams))

    def _newer(self, read: StoredAgent, before: Mapping[str, StoredAgent]) -> StoredAgent:
        """What was read, or what we have written while it was."""
        id = read.record.id
        ours = self._agents.get(id)
        if ours is None or ours is before.get(id) or ours.presence.version <= read.presence.version:
            return read
        return StoredAgent(read.record, ours.presence)

    def _take_over(self, agents: dict[str, StoredAgent], teams: tuple[TeamRecord, ...]) -> None:
        before, self._agents = self._agents, agents
        records = tuple(agent.record for agent in agents.values())
        if self._known == (records, teams):
            self._have_changed([id for id, agent in agents.items() if agent != before[id]])
            return
        self._known = records, teams
        self._due.clear()
        self._standing.clear()
        self._watch(records)
        self._roster(records, teams)
        self._changed("")

    def _watch(self, records: Iterable[AgentRecord]) -> None:
        self._named, self._shifts = {}, {}
        calendars = {}
        for record in records:
            for name in filter(None, (record.endpoint, *record.hints, record.dnd)):
                self._named.setdefault(name, []).append(record.id)
            if record.calendar:
                calendars[record.id] = (record.calendar, record.timezone)
        self._devices.watch(tuple(self._named))
        self._calendars.watch(calendars)

    def _device_changed(self, name: str) -> None:
        if name:
            self._have_changed(self._named.get(name, ()))
        else:
            self._changed("")

    def _changed(self, agent: str) -> None:
        """ "" for everybody."""
        self._look_ahead(list(self._agents) if not agent else [agent])
        self._tell([agent])

    def _have_changed(self, agents: Sequence[str]) -> None:
        self._look_ahead(agents)
        self._tell(agents)

    def _tell(self, agents: Iterable[str]) -> None:
        for agent in agents:
            for listener in self._listeners:
                listener(agent)

    def _look_ahead(self, agents: Iterable[str]) -> None:
        now = time.time()
        for agent in agents:
            self._standing.pop(agent, None)
            self._due.pop(agent, None)
            found = self._agents.get(agent)
            due = core.next_change(found.presence, self.seen(found.record, now), now) if found else None
            if due is not None:
                self._due[agent] = due
        self._timer.arm(min(self._due.values(), default=None))

    def _time_passed(self) -> None:
        now = time.time()
        due = [agent for agent, at in self._due.items() if at <= now]
        for agent in due:
            presence = self._agents[agent].presence
            if presence.declared is not core.at(presence, now).declared:
                task = asyncio.ensure_future(self._pause_ended(agent, now))
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        self._have_changed(due)

    async def _pause_ended(self, agent: str, now: float) -> None:
        def how(presence: Presence) -> Presence:
            after = core.at(presence, now)
            # Unless somebody has declared something meanwhile: that was them.
            return after if after.declared is presence.declared else after.evolve(by=core.DAEMON)

        try:
            await self.change(agent, how)
        except JournalError as error:
            log.warning("the end of a pause is not written", agent=agent, why=str(error))

    def stop(self) -> None:
        self._timer.disarm()
        for task in self._ending:
            task.cancel()


def _line(before: Presence, after: Presence, by: By) -> Change | None:
    """What of a change goes into the history: what the agent is said to be, not whom they are offered."""
    now = time.time()
    if (before.declared, before.reason, before.until) != (after.declared, after.reason, after.until):
        at = now if after.since == before.since else after.since
        return Change(after.agent, at, after.declared.value, after.reason, after.until, after.by)
    if before.wrapup_until != after.wrapup_until:
        if after.wrapup_until > now:
            return Change(after.agent, now, "wrapping up", "", after.wrapup_until, by)
        return Change(after.agent, now, "wrap-up ended", "", None, by)
    return None


Roster = Callable[[Sequence[AgentRecord], Sequence[TeamRecord]], None]
"""Told who the agents and teams are."""
