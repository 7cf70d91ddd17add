"""Routing: which waiting lead is offered to which agent next. One pure function over all leads that wait and
all agents: `plan`. Times are seconds since the epoch, durations seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Protocol

from asterisk_warm.core.presence import Reason, free_from


class Strategy(StrEnum):
    ALL = "all"
    """Everybody who is eligible, at once."""
    FANOUT = "fanout"
    """A few at a time, in the team's order; more after a while."""
    LONGEST_IDLE = "longest_idle"
    """Who has had nothing to do for the longest time first."""
    ROUND_ROBIN = "round_robin"
    """Who was offered a lead the longest time ago first."""
    PRIORITY = "priority"
    """Everybody of tier 1; of the next tier when nobody is left in this one, or after a while."""
    SKILLS = "skills"
    """Who has the skills that are asked for, the best first; levels are relaxed with time."""


@dataclass(frozen=True, slots=True)
class Routing:
    """How a team's leads are offered."""

    strategy: Strategy = Strategy.ALL
    fanout: int = 1
    """How many phones ring at once; of no meaning for ALL and PRIORITY."""
    widen_seconds: float = 0.0
    """After how long `fanout` more phones ring (PRIORITY: the next tier too); 0: never by time alone."""
    skills: tuple[tuple[str, int], ...] = ()
    """(skill, least level) that are asked for, all of them; for every strategy."""
    relax_seconds: float = 0.0
    """After how long the levels that are asked for go down by one, and again; 0: never. They do not go below
    1: who has not got the skill at all is never rung."""
    sticky_seconds: float = 0.0
    """For how long only the agent who spoke to this lead before is rung, if they are eligible and fit without
    any relaxing. After that they are first in the order. 0: they are like everybody."""
    wait_seconds: float = 0.0
    """For how long a lead waits for somebody to become eligible; 0: not at all."""


class Candidate(Protocol):
    """One agent of the roster of a lead who waits."""

    @property
    def id(self) -> str: ...

    @property
    def tier(self) -> int: ...

    @property
    def skills(self) -> tuple[tuple[str, int], ...]:
        """(skill, level)."""


@dataclass(frozen=True, slots=True)
class Seeker:
    """A lead who waits for agents."""

    handoff: str
    priority: int
    """Higher comes first."""
    since: float
    """Since when they wait: the oldest comes first among those of one priority."""
    until: float
    """When they stop waiting for somebody to become eligible."""
    routing: Routing
    roster: tuple[Candidate, ...]
    """In the team's order."""
    tried: frozenset[str] = frozenset()
    """Who has been offered this lead already, and is not offered them again."""
    ringing: frozenset[str] = frozenset()
    """Who is being offered this lead now, or reserved for it."""
    sticky: str = ""
    """Who spoke to this lead before; empty: nobody."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What routing knows of an agent."""

    reasons: tuple[Reason, ...]
    """Why they are not eligible; empty: they are."""
    idle_since: float = 0.0
    offered_at: float = 0.0
    shared: bool = False
    """May be offered several leads at once: a number outside."""


@dataclass(frozen=True, slots=True)
class Plan:
    offers: tuple[tuple[str, tuple[str, ...]], ...]
    """(handoff, agent ids) to be offered now; an agent is in it once (unless shared)."""
    hopeless: frozenset[str]
    """Handoffs for which nobody is being rung, nobody can be, and nobody is expected to become eligible in
    time."""
    again_at: float | None
    """When time alone may change the plan (widening, relaxing, the end of sticky or of waiting); None: never.
    When presence changes by time is not in it."""


def plan(seekers: Sequence[Seeker], agents: Mapping[str, Standing], now: float) -> Plan:
    """Whom to offer to whom now. Leads choose in turn: the highest priority first, then who waits longest.

    It depends on nothing but what it is given, nor on the order of that. Whoever is being offered a lead
    already is for no other lead, unless shared. Agents who are not in `agents` are nobody."""
    taken = {agent for seeker in seekers for agent in seeker.ringing if not _shared(agents, agent)}
    teams = _Teams(agents)
    offers: list[tuple[str, tuple[str, ...]]] = []
    hopeless: list[str] = []
    times: list[float] = []
    for seeker in sorted(seekers, key=lambda seeker: (-seeker.priority, seeker.since, seeker.handoff)):
        team = teams.of(seeker)
        turn = _turn(seeker, team, taken, now)
        times += turn.times
        if turn.offered:
            offers.append((seeker.handoff, turn.offered))
            taken.update(agent for agent in turn.offered if not _shared(agents, agent))
        elif not seeker.ringing and not turn.times:
            if _awaited(seeker, team, now):
                times.append(seeker.until)
            else:
                hopeless.append(seeker.handoff)
    return Plan(tuple(offers), frozenset(hopeless), min(times, default=None))


def _shared(agents: Mapping[str, Standing], agent: str) -> bool:
    return agent in agents and agents[agent].shared


# -- a team, as all of its leads see it ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prospect:
    """A candidate who may come into question, now or later."""

    id: str
    rank: int
    """0: in the lowest tier of the roster, 1: in the next."""
    lacking: int
    """By how many levels their skills must be relaxed before they fit."""
    free_from: float
    """As `presence.free_from` says."""


@dataclass(frozen=True, slots=True)
class _Team:
    """A roster under one routing; neither who is lost for good nor who never fits is in it."""

    free: tuple[_Prospect, ...]
    """Who is eligible, in the order in which they are rung."""
    later: tuple[_Prospect, ...]
    """Who is not eligible, but will be, or may."""
    lacking: int
    """The most that any of `free` is lacking."""
    ranks: Mapping[str, int]
    """Of everybody on the roster."""


class _Teams:
    """Each is looked at once, however many leads it has. Whether two are the same is quickly told where leads
    share the tuple; those of handoffs that were read back from the journal do not."""

    def __init__(self, agents: Mapping[str, Standing]) -> None:
        self._agents = agents
        self._same: dict[tuple[int, Routing], _Team] = {}
        self._alike: dict[tuple[Routing, tuple[object, ...]], _Team] = {}

    def of(self, seeker: Seeker) -> _Team:
        same = (id(seeker.roster), seeker.routing)
        if same not in self._same:
            alike = (seeker.routing, tuple((one.id, one.tier, one.skills) for one in seeker.roster))
            if alike not in self._alike:
                self._alike[alike] = _team(seeker, self._agents)
            self._same[same] = self._alike[alike]
        return self._same[same]


def _team(seeker: Seeker, agents: Mapping[str, Standing]) -> _Team:
    routing = seeker.routing
    tiers = sorted({candidate.tier for candidate in seeker.roster})
    rank = {tier: rank for rank, tier in enumerate(tiers)}
    roster: dict[str, Candidate] = {}
    for candidate in seeker.roster:
        roster.setdefault(candidate.id, candidate)
    free: list[tuple[Candidate, _Prospect]] = []
    later: list[_Prospect] = []
    for candidate in roster.values():
        standing = agents.get(candidate.id)
        levels = _lacking(routing, candidate)
        if standing is None or levels is None:
            continue
        found = _Prospect(candidate.id, rank[candidate.tier], levels, free_from(standing.reasons))
        if not standing.reasons:
            free.append((candidate, found))
        elif found.free_from < inf:
            later.append(found)
    if routing.strategy in _ORDER:
        order = _ORDER[routing.strategy]
        free.sort(key=lambda one: order(routing, one[0], agents[one[0].id]))
    lacking = max((found.lacking for _, found in free), default=0)
    ranks = {agent: rank[candidate.tier] for agent, candidate in roster.items()}
    return _Team(tuple(found for _, found in free), tuple(later), lacking, ranks)


def _lacking(routing: Routing, candidate: Candidate) -> int | None:
    """By how many levels what is asked for must go down before this one fits; None: they never do."""
    levels = dict(candidate.skills)
    lacking = 0
    for skill, least in routing.skills:
        if levels.get(skill, 0) < 1:
            return None
        lacking = max(lacking, least - levels[skill])
    return lacking if not lacking or routing.relax_seconds > 0 else None


def _level(routing: Routing, candidate: Candidate) -> int:
    levels = dict(candidate.skills)
    return sum(levels[skill] for skill, _ in routing.skills)


_ORDER: Mapping[Strategy, Callable[[Routing, Candidate, Standing], tuple[float, ...]]] = {
    Strategy.LONGEST_IDLE: lambda _, __, standing: (standing.idle_since,),
    Strategy.ROUND_ROBIN: lambda _, __, standing: (standing.offered_at,),
    Strategy.PRIORITY: lambda _, candidate, __: (candidate.tier,),
    Strategy.SKILLS: lambda routing, candidate, standing: (
        -_level(routing, candidate),
        standing.idle_since,
    ),
}
"""Who is rung first; all others, and equals, are in the team's order."""


# -- the turn of one lead ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turn:
    offered: tuple[str, ...]
    times: tuple[float, ...]
    """When time brings in agents who are eligible now, but not rung yet."""


def _turn(seeker: Seeker, team: _Team, taken: Set[str], now: float) -> _Turn:
    routing = seeker.routing
    barred = taken | seeker.tried | seeker.ringing
    free = [found for found in team.free if found.id not in barred]
    relaxed = _steps(seeker.since, routing.relax_seconds, now)
    fitting = free
    if relaxed < team.lacking:
        fitting = [found for found in free if found.lacking <= relaxed]
    former = [found for found in fitting if found.id == seeker.sticky] if routing.sticky_seconds > 0 else []
    end = seeker.since + routing.sticky_seconds
    if now < end and _alone(seeker, former):
        offered, times = _reach(seeker, team, former, now)
        return _Turn(offered, (*times, end) if len(free) > len(former) else times)
    if former:
        fitting = former + [found for found in fitting if found.id != seeker.sticky]
    offered, times = _reach(seeker, team, fitting, now)
    if len(fitting) < len(free):
        lacking = min(found.lacking for found in free if found.lacking > relaxed)
        times = (*times, seeker.since + lacking * routing.relax_seconds)
    return _Turn(offered, times)


def _alone(seeker: Seeker, former: Sequence[_Prospect]) -> bool:
    """Is the agent who spoke to this lead before to be rung, and nobody else?"""
    return any(not found.lacking for found in former) or (seeker.sticky in seeker.ringing)


def _reach(
    seeker: Seeker, team: _Team, fitting: Sequence[_Prospect], now: float
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Who of those is rung now, and when more of them are."""
    routing = seeker.routing
    steps = _steps(seeker.since, routing.widen_seconds, now)
    if routing.strategy is Strategy.ALL:
        reached, next_step = fitting, 0
    elif routing.strategy is Strategy.PRIORITY:
        opened = max(steps, _lowest(seeker, team, fitting))
        reached = [found for found in fitting if found.rank <= opened]
        next_step = min((found.rank for found in fitting if found.rank > opened), default=0)
    else:
        width = max(routing.fanout, 1) * (1 + steps)
        reached, next_step = fitting[: max(width - len(seeker.ringing), 0)], steps + 1
    more = routing.widen_seconds > 0 and len(reached) < len(fitting)
    times = (seeker.since + next_step * routing.widen_seconds,) if more else ()
    return tuple(found.id for found in reached), times


def _lowest(seeker: Seeker, team: _Team, fitting: Sequence[_Prospect]) -> int:
    """The lowest tier of which somebody is ringing, or can be rung: tiers up to there are always open."""
    ringing = [team.ranks[agent] for agent in seeker.ringing if agent in team.ranks]
    return min((*ringing, *(found.rank for found in fitting)), default=0)


def _steps(since: float, seconds: float, now: float) -> int:
    """How many times `seconds` have passed; in step with `since + n * seconds`, as `again_at` gives it."""
    if seconds <= 0 or now <= since:
        return 0
    steps = int((now - since) / seconds)
    return steps + (since + (steps + 1) * seconds <= now) - (since + steps * seconds > now)


def _awaited(seeker: Seeker, team: _Team, now: float) -> bool:
    """May somebody who is not eligible now, or reserved for an earlier lead, still come in time?"""
    since, relax = seeker.since, seeker.routing.relax_seconds
    return now < seeker.until and any(
        found.free_from < seeker.until
        and (not found.lacking or since + found.lacking * relax < seeker.until)
        and found.id not in seeker.tried
        for found in (*team.free, *team.later)
    )
