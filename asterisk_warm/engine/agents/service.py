"""What can be asked about agents, and for them, by people, the API and the dialplan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf

import structlog

from asterisk_warm.core import presence as core
from asterisk_warm.core.handoff.options import clean
from asterisk_warm.core.presence import By, Declared, Presence, Reason
from asterisk_warm.core.roster import AgentRecord, Conflict, TeamRecord
from asterisk_warm.core.waiting import expected_wait
from asterisk_warm.engine import codec
from asterisk_warm.engine.agents.dispatcher import Dispatcher, why_words
from asterisk_warm.engine.agents.ports import AgentStore, StoredAgent
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.agents.views import (
    Available,
    ChangeView,
    LeadHistory,
    PresenceView,
    change_view,
    presence_view,
)
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.finding import of_lead
from asterisk_warm.engine.ports.journal import Journal, JournalError
from asterisk_warm.engine.views import TeamView, team_view
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

REASON_LIMIT = 80
"""Longest reason of a pause, in characters; what is longer is cut."""
PAUSE_AT_MOST = 31 * 86400.0
WRAPUP_AT_MOST = 4 * 3600.0
TALKS = 50
"""How many of a team's latest talks tell how long one takes."""
TALK_SECONDS = 180.0
"""How long a talk is taken to be while nothing is known."""
WATCH_SECONDS = 60.0
"""How long somebody who watches waits for a change at most."""
WATCH_GAP_SECONDS = 0.5
"""Between two changes that are shown to who watches; the first one after a while is shown at once."""


class AgentService:
    def __init__(
        self,
        staff: Staff,
        store: AgentStore,
        journal: Journal,
        directory: Directory,
        dispatcher: Dispatcher,
        *,
        key: Callable[[str], str] = str,
    ) -> None:
        """`key`: a number as leads are found by it; empty where it has none."""
        self._key = key
        self._staff = staff
        self._store = store
        self._journal = journal
        self._directory = directory
        self._dispatcher = dispatcher
        self._initial = Declared.READY
        # Not what an earlier daemon may have said: whoever watched that one has missed something.
        self._version = time.time_ns() // 1_000_000
        self._shown: tuple[int, Sequence[PresenceView], float] = (-1, (), -inf)
        """What was shown last to who watches: its version, and when."""
        self._moved = asyncio.Event()
        staff.listen(self._changed)

    def _changed(self, _: str) -> None:
        self._version += 1
        self._moved.set()
        self._moved = asyncio.Event()

    # -- seeing ----------------------------------------------------------------------------------------------

    def list(self) -> Sequence[PresenceView]:
        return [self._view(agent) for agent in self._staff.agents]

    def show(self, agent: str) -> PresenceView:
        """By id, or by name. Raises Refused (not_found)."""
        return self._view(self._find(agent))

    async def watch(self, after: int, seconds: float) -> tuple[int, Sequence[PresenceView]]:
        """Everybody, as soon as something has changed since version `after`, or when the time is over; and
        the version to ask with next."""
        if after == self._version and seconds > 0:
            with suppress(TimeoutError):
                await within(self._moved.wait(), min(seconds, WATCH_SECONDS))
        if seconds <= 0 or after == self._version:
            return self._version, self.list()
        return await self._shared()

    async def _shared(self) -> tuple[int, Sequence[PresenceView]]:
        """As everybody who watches is shown it: what changes again and again is not made ready for each of
        them each time."""
        clock = asyncio.get_running_loop().time
        version, _, at = self._shown
        if version != self._version:
            await asyncio.sleep(at + WATCH_GAP_SECONDS - clock())
        version, _, at = self._shown
        if version != self._version or clock() - at > WATCH_GAP_SECONDS:
            self._shown = self._version, self.list(), clock()
        return self._shown[:2]

    async def history(self, agent: str, limit: int) -> Sequence[ChangeView]:
        """Newest first. Raises Refused (not_found, unreachable)."""
        found = self._find(agent)
        try:
            return [change_view(change) for change in await self._store.history(found.record.id, limit)]
        except JournalError as error:
            raise Refused("unreachable", f"not read: {error}") from error

    def by_endpoint(self, endpoint: str) -> str:
        """Id of the agent whose phone that is. Raises Refused (not_found)."""
        found = self._staff.by_endpoint(endpoint)
        if found is None:
            raise Refused(
                "not_found", f"no agent has the phone {clean(endpoint, 60)}", "see `asterisk-warm agent list`"
            )
        return found.record.id

    def _find(self, agent: str) -> StoredAgent:
        found = self._staff.get(agent)
        if found is None:
            named = [a for a in self._staff.agents if a.record.name.casefold() == agent.casefold()]
            found = named[0] if len(named) == 1 else None
        if found is None:
            raise Refused("not_found", f'no agent "{clean(agent, 40)}"', "see `asterisk-warm agent list`")
        return found

    def _view(self, agent: StoredAgent) -> PresenceView:
        now = time.time()
        presence = core.at(agent.presence, now)
        seen = self._staff.seen(agent.record, now)
        return presence_view(agent, presence, seen, core.why_not(presence, seen, now), now)

    # -- declaring -------------------------------------------------------------------------------------------

    async def declare(
        self, agent: str, declared: Declared, by: By, reason: str = "", until: float | None = None
    ) -> PresenceView:
        """Ready, paused (until a time, or until they say so) or offline. Who is being offered a lead is not
        interrupted. Raises Refused (not_found, invalid, unreachable)."""
        now = time.time()
        if until is not None and declared is not Declared.PAUSED:
            raise Refused("invalid", f"{declared.value} has no end", "leave the end out")
        if until is not None and not now < until <= now + PAUSE_AT_MOST:
            raise Refused("invalid", "the end of the pause must be in the future, within 31 days")
        reason = clean(reason, REASON_LIMIT)
        return await self._change(
            agent, lambda presence: core.declare(presence, declared, time.time(), by, reason, until), by
        )

    async def toggle(self, agent: str, by: By) -> PresenceView:
        """From ready to paused, else to ready. Raises Refused (not_found, unreachable)."""

        def how(presence: Presence) -> Presence:
            now = time.time()
            ready = core.at(presence, now).declared is Declared.READY
            return core.declare(presence, Declared.PAUSED if ready else Declared.READY, now, by)

        return await self._change(agent, how, by)

    async def wrap_up(self, agent: str, seconds: float, by: By) -> PresenceView:
        """Wrap up for so many seconds from now on; 0 ends it. Raises Refused (not_found, invalid,
        unreachable)."""
        if not 0 <= seconds <= WRAPUP_AT_MOST:
            raise Refused("invalid", "a wrap-up lasts from 0 seconds to 4 hours")
        return await self._change(agent, lambda p: core.wrap_up(p, time.time() + seconds, time.time()), by)

    async def _change(self, agent: str, how: Callable[[Presence], Presence], by: By) -> PresenceView:
        found = self._find(agent)
        try:
            await self._staff.change(found.record.id, how, by)
        except JournalError as error:
            raise Refused("unreachable", f"not written: {error}") from error
        return self._view(self._find(found.record.id))

    async def queue_paused(self, endpoint: str, paused: bool, reason: str) -> None:
        """A member was paused in one of Asterisk's queues, or is back: what was paused elsewhere stays so."""
        agent = self._staff.by_endpoint(endpoint)
        if agent is None:
            return
        by = By("queue", "queue")

        def how(presence: Presence) -> Presence:
            now = time.time()
            presence = core.at(presence, now)
            if paused and presence.declared is Declared.READY:
                return core.declare(presence, Declared.PAUSED, now, by, clean(reason, REASON_LIMIT))
            if not paused and presence.declared is Declared.PAUSED and presence.by == by:
                return core.declare(presence, Declared.READY, now, by)
            return presence

        try:
            await self._change(agent.record.id, how, by)
        except Refused as refused:
            log.warning("a pause in a queue is not taken over", agent=agent.record.id, why=refused.message)

    # -- teams -----------------------------------------------------------------------------------------------

    def why_not(self, team: Team) -> Mapping[str, str]:
        """Agent id → why they cannot be offered a lead now; "" for who can."""
        reasons = self._reasons(team, time.time())
        return {agent: why_words(why) if why else "" for agent, why in reasons.items()}

    def _reasons(self, team: Team, now: float) -> Mapping[str, tuple[Reason, ...]]:
        return {
            agent.id: () if agent.outside else self._staff.why_not(agent.id, now) for agent in team.agents
        }

    def waiting(self, team: str) -> int:
        """Leads who wait for somebody of a team."""
        return len(self._dispatcher.waiting(team))

    async def teams(self) -> Sequence[TeamView]:
        """Every team, and who of it can be offered a lead now."""
        return [await self.team(team.id) for team in self._directory.teams]

    async def team(self, name: str) -> TeamView:
        """Raises Refused (not_found)."""
        team = self._directory.team(name)
        return team_view(team, self.why_not(team), await self.available(name))

    async def available(self, team: str) -> Available:
        """Raises Refused (not_found)."""
        found = self._directory.team(team)
        now = time.time()
        reasons = self._reasons(found, now)
        free = [agent for agent in found.agents if not reasons[agent.id]]
        waiting = self.waiting(found.id)
        return Available(
            team=found.id,
            free=tuple(agent.id for agent in free),
            names=tuple(agent.name for agent in free),
            waiting=waiting,
            expected_wait=expected_wait(reasons.values(), waiting, await self._talk_seconds(found.id), now),
        )

    async def _talk_seconds(self, team: str) -> float:
        with suppress(JournalError):
            talks = await self._store.talk_seconds(team, TALKS)
            if talks:
                return sum(talks) / len(talks)
        return TALK_SECONDS

    async def lead(self, number: str) -> LeadHistory:
        """What the handoffs of a number tell. Raises Refused (unreachable)."""
        try:
            numbers = [one for one in (self._key(number), number) if one]
            rows = await of_lead(self._journal, numbers, TALKS)
            last_agents = [await self._store.last_agent(one) for one in dict.fromkeys(numbers)]
        except JournalError as error:
            raise Refused("unreachable", f"not read: {error}") from error
        last = codec.decode_handoff(rows[0].snapshot_json) if rows else None
        return LeadHistory(
            number=number,
            count=len(rows),
            agent=next(filter(None, last_agents), ""),
            handoff=last.id if last else "",
            state=last.state.value if last else "",
            status=last.status.value if last and last.status else "",
            at=last.requested_at if last else None,
        )

    # -- who they are ----------------------------------------------------------------------------------------

    async def save(self, agents: Sequence[AgentRecord], by: By) -> Sequence[PresenceView]:
        """Add agents, or replace what is known of them; all or none. Raises Refused (conflict, not_found,
        unreachable)."""
        self._check(agents)
        try:
            await self._store.save_agents(agents, by, time.time())
        except JournalError as error:
            raise Refused("unreachable", f"not written: {error}") from error
        try:
            await self._staff.reload()
            await self._begin_new()
        except JournalError as error:
            raise Refused("unreachable", f"written, but not read back yet: {error}") from error
        return [self.show(agent.id) for agent in agents]

    def _check(self, agents: Sequence[AgentRecord]) -> None:
        teams = {team.id for team in self._directory.teams}
        replaced = {agent.id for agent in agents}
        others = [one.record for one in self._staff.agents if one.record.id not in replaced]
        phones = {record.endpoint.casefold(): record.id for record in others}
        for agent in agents:
            unknown = sorted({team for team, _ in agent.teams} - teams)
            if unknown:
                known = ", ".join(sorted(teams))
                raise Refused("not_found", f'agent {agent.id}: no team "{unknown[0]}"', f"teams: {known}")
            other = phones.setdefault(agent.endpoint.casefold(), agent.id)
            if other != agent.id:
                raise Refused(
                    "conflict", f"agent {agent.id}: {agent.endpoint} is the phone of {other} already"
                )

    async def remove(self, agent: str, by: By) -> None:
        """Raises Refused (not_found, conflict, unreachable)."""
        found = self._find(agent)
        presence = core.at(found.presence, time.time())
        if presence.offer or presence.talks:
            raise Refused(
                "conflict", f"{found.record.id} is in a handoff", "pause them, and wait for its end"
            )
        try:
            await self._store.remove_agent(found.record.id, by, time.time())
            await self._staff.reload()
        except JournalError as error:
            raise Refused("unreachable", f"not written: {error}") from error

    async def begin(
        self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord], initial: Declared
    ) -> Sequence[Conflict]:
        """At start: what the configuration file says goes into the store, and who is new there is ready or
        offline at first. Raises JournalError."""
        conflicts = await self._store.seed(agents, teams, time.time())
        self._initial = initial
        await self._staff.open()
        await self._begin_new()
        return conflicts

    async def _begin_new(self) -> None:
        """Who has never been anything yet."""
        if self._initial is not Declared.READY:
            for agent in self._staff.agents:
                if agent.presence.version == 0:
                    await self._staff.change(agent.record.id, lambda p: _at_first(p, self._initial))


def _at_first(presence: Presence, initial: Declared) -> Presence:
    return core.declare(presence, initial, time.time(), core.DAEMON, "not ready yet")
