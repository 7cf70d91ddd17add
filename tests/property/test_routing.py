"""Routing beside a plain definition of it, moment by moment; and whether it is fair, in a team at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from routing_candidate import Candidate

from asterisk_warm.core import presence as pr
from asterisk_warm.core.presence import Declared, Ended, Lease, Presence, Reason, Rules, Seen, Why
from asterisk_warm.core.routing import Plan, Routing, Seeker, Standing, Strategy, plan

NOW = 1_000_000.0
NAMES = "abcdefgh"
LONG = 130
"""Seconds from which on time changes nothing any more: of the longest widening, relaxing, sticky and waiting here."""

skills = st.dictionaries(st.sampled_from(["french", "sales"]), st.integers(1, 4), max_size=2).map(
    lambda levels: tuple(sorted(levels.items()))
)
times = (st.integers(0, 9) | st.integers(0, 30)).map(lambda seconds: NOW - seconds)
routings = st.builds(
    Routing,
    strategy=st.sampled_from(Strategy),
    fanout=st.integers(1, 3),
    widen_seconds=st.sampled_from([0.0, 5.0, 12.0]),
    skills=skills,
    relax_seconds=st.sampled_from([0.0, 4.0, 12.0]),
    sticky_seconds=st.sampled_from([0.0, 10.0, 25.0]),
)
rosters = st.lists(
    st.builds(Candidate, st.sampled_from(NAMES), st.integers(1, 3), skills),
    max_size=6,
    unique_by=lambda one: one.id,
).map(tuple)
some = st.frozensets(st.sampled_from(NAMES), max_size=2)
leads = st.builds(
    Seeker,
    handoff=st.just(""),
    priority=st.integers(0, 1),
    since=times,
    until=st.integers(-20, 30).map(lambda seconds: NOW + seconds),
    routing=routings,
    roster=rosters,
    tried=some,
    ringing=st.just(frozenset()) | some,
    sticky=st.just("") | st.sampled_from(NAMES),
)
reasons = st.sampled_from(
    [
        Reason(Why.DEVICE, "", passes=True),
        Reason(Why.DND, ""),
        Reason(Why.WRAPUP, "", NOW + 3),
        Reason(Why.PAUSED, "", NOW + 15),
        Reason(Why.SHIFT, "", NOW + 40),
    ]
)
standings = st.builds(
    Standing,
    st.just(()) | st.lists(reasons, max_size=2).map(tuple),
    times,
    times,
    st.sampled_from([False] * 4 + [True]),
)
everybody = st.dictionaries(st.sampled_from(NAMES), standings, max_size=8)


@st.composite
def waiting(draw: st.DrawFn, most: int = 4) -> list[Seeker]:
    """Several leads; no agent rings for two of them."""
    found: list[Seeker] = []
    taken: set[str] = set()
    for number, one in enumerate(draw(st.lists(leads, min_size=1, max_size=most))):
        found.append(replace(one, handoff=f"warm-{number}", ringing=one.ringing - taken))
        taken |= one.ringing
    return found


# -- the plain definition --------------------------------------------------------------------------------------


def passed(since: float, seconds: float, now: float) -> int:
    count = 0
    while seconds and since + (count + 1) * seconds <= now:
        count += 1
    return count


def fits(seeker: Seeker, one: Candidate, now: float) -> bool:
    relaxed = passed(seeker.since, seeker.routing.relax_seconds, now)
    had = dict(one.skills)
    return all(had.get(skill, 0) >= max(level - relaxed, 1) for skill, level in seeker.routing.skills)


Agents = Mapping[str, Standing]


def eligible(seeker: Seeker, agents: Agents, taken: set[str], now: float) -> list[Candidate]:
    """Who can be rung for this lead at that time, in the order in which they are."""
    found = [
        one
        for one in seeker.roster
        if one.id in agents
        and not agents[one.id].reasons
        and one.id not in seeker.tried | seeker.ringing
        and (one.id not in taken or agents[one.id].shared)
        and fits(seeker, one, now)
    ]
    match seeker.routing.strategy:
        case Strategy.LONGEST_IDLE:
            found.sort(key=lambda one: agents[one.id].idle_since)
        case Strategy.ROUND_ROBIN:
            found.sort(key=lambda one: agents[one.id].offered_at)
        case Strategy.PRIORITY:
            found.sort(key=lambda one: one.tier)
        case Strategy.SKILLS:
            asked = [skill for skill, _ in seeker.routing.skills]
            found.sort(
                key=lambda one: (-sum(dict(one.skills)[skill] for skill in asked), agents[one.id].idle_since)
            )
    if seeker.routing.sticky_seconds:
        found.sort(key=lambda one: one.id != seeker.sticky)
    return found


def expected(seeker: Seeker, agents: Agents, taken: set[str], now: float) -> list[str]:
    """Who is offered this lead at that time."""
    routing = seeker.routing
    found = eligible(seeker, agents, taken, now)
    if now < seeker.since + routing.sticky_seconds:
        first = [one for one in found if one.id == seeker.sticky and fits(seeker, one, seeker.since)]
        if first or seeker.sticky in seeker.ringing:
            found = first
    steps = passed(seeker.since, routing.widen_seconds, now)
    if routing.strategy is Strategy.PRIORITY:
        opened = sorted({one.tier for one in seeker.roster})
        for tier in opened[steps:]:
            reached = [one for one in found if one.tier <= tier]
            if reached or any(one.tier <= tier and one.id in seeker.ringing for one in seeker.roster):
                return [one.id for one in reached]
    elif routing.strategy is not Strategy.ALL:
        found = found[: max(routing.fanout * (1 + steps) - len(seeker.ringing), 0)]
    return [one.id for one in found]


def may_come(seeker: Seeker, agents: Agents, taken: set[str], now: float) -> bool:
    """Is there a moment, from now on, in which somebody is rung for this lead?"""
    moments = [now + second / 2 for second in range(2 * LONG)]
    if any(expected(seeker, agents, taken, moment) for moment in moments):
        return True
    return any(
        fits(seeker, one, moment) and pr.hopeful(agents[one.id].reasons, seeker.until)
        for moment in moments
        if moment < seeker.until
        for one in seeker.roster
        if one.id in agents and one.id not in seeker.tried
    )


def in_turn(seekers: Iterable[Seeker]) -> list[Seeker]:
    return sorted(seekers, key=lambda one: (-one.priority, one.since, one.handoff))


# -- one plan --------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(waiting(), everybody)
def test_given_any_leads_and_agents_when_planned_then_it_is_as_defined(
    seekers: list[Seeker], agents: dict[str, Standing]
) -> None:
    planned = plan(seekers, agents, NOW)
    taken = {agent for one in seekers for agent in one.ringing}
    offers: list[tuple[str, tuple[str, ...]]] = []
    hopeless: set[str] = set()
    for seeker in in_turn(seekers):
        found = expected(seeker, agents, taken, NOW)
        if found:
            offers.append((seeker.handoff, tuple(found)))
        elif not seeker.ringing and not may_come(seeker, agents, taken, NOW):
            hopeless.add(seeker.handoff)
        taken |= set(found)
    assert planned.offers == tuple(offers)
    assert planned.hopeless == hopeless


@settings(max_examples=100, deadline=None)
@given(waiting(), everybody)
def test_given_any_leads_and_agents_when_planned_then_no_rule_is_broken(
    seekers: list[Seeker], agents: dict[str, Standing]
) -> None:
    planned = plan(seekers, agents, NOW)
    by_id = {seeker.handoff: seeker for seeker in seekers}
    ringing = [agent for seeker in seekers for agent in seeker.ringing]
    for handoff, offered in planned.offers:
        seeker = by_id[handoff]
        assert offered and len(set(offered)) == len(offered)
        assert not set(offered) & (seeker.tried | seeker.ringing)
        for agent in offered:
            (one,) = (one for one in seeker.roster if one.id == agent)
            assert agents[agent].reasons == ()
            assert fits(seeker, one, NOW)
            assert agents[agent].shared or agent not in ringing
            ringing.append(agent)
    assert not planned.hopeless & {handoff for handoff, _ in planned.offers}
    assert planned.again_at is None or planned.again_at > NOW


@settings(max_examples=60, deadline=None)
@given(waiting(), everybody)
def test_given_a_plan_when_time_passes_then_nothing_changes_before_it_says(
    seekers: list[Seeker], agents: dict[str, Standing]
) -> None:
    planned = plan(seekers, agents, NOW)
    until = planned.again_at if planned.again_at is not None else NOW + LONG
    moment = NOW
    while moment < until:
        later = plan(seekers, agents, moment)
        assert (later.offers, later.hopeless) == (planned.offers, planned.hopeless)
        assert later.again_at == planned.again_at
        moment += 0.5


@settings(max_examples=100, deadline=None)
@given(waiting(), everybody, st.randoms(use_true_random=False))
def test_given_the_same_in_another_order_when_planned_then_the_plan_is_the_same(
    seekers: list[Seeker], agents: dict[str, Standing], random: Random
) -> None:
    planned = plan(seekers, agents, NOW)
    others, items = list(seekers), list(agents.items())
    random.shuffle(others)
    random.shuffle(items)
    assert plan(others, dict(items), NOW) == planned


@settings(max_examples=200, deadline=None)
@given(waiting(most=1), everybody, st.integers(0, 60), st.integers(0, 60))
def test_given_a_lead_when_they_wait_for_longer_then_whoever_could_be_rung_still_can(
    seekers: list[Seeker], agents: dict[str, Standing], sooner: int, later: int
) -> None:
    """Widening: without relaxing, who is rung at a time is at any later time; but by tiers, who spoke to the lead
    before comes first for `sticky_seconds` only. Relaxing: so is who may be, and with no limit to how many are."""
    (seeker,) = seekers
    by_tiers = seeker.routing.strategy is Strategy.PRIORITY
    unrelaxed = replace(seeker, routing=replace(seeker.routing, relax_seconds=0.0))
    unlimited = replace(seeker, routing=replace(seeker.routing, strategy=Strategy.ALL))
    for one in (unrelaxed, unlimited):
        before = rung(one, agents, NOW + min(sooner, later))
        but = {seeker.sticky} if by_tiers and one is unrelaxed else set()
        assert before - but <= rung(one, agents, NOW + max(sooner, later))


def rung(seeker: Seeker, agents: Agents, now: float) -> set[str]:
    return {agent for _, offered in plan([seeker], agents, now).offers for agent in offered}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=8), st.integers(1, 8))
def test_given_equal_leads_when_there_are_too_few_agents_then_the_urgent_and_the_oldest_get_them(
    arrivals: list[tuple[int, int]], free: int
) -> None:
    roster = tuple(Candidate(name) for name in NAMES)
    seekers = [
        Seeker(f"warm-{number}", priority, NOW - waited, NOW + 9, Routing(Strategy.FANOUT), roster)
        for number, (priority, waited) in enumerate(arrivals)
    ]
    served = [handoff for handoff, _ in plan(seekers, dict.fromkeys(NAMES[:free], Standing(())), NOW).offers]
    order = sorted(
        range(len(arrivals)), key=lambda number: (-arrivals[number][0], -arrivals[number][1], number)
    )
    assert served == [f"warm-{number}" for number in order][:free]


# -- a team at work --------------------------------------------------------------------------------------------

RULES = Rules(wrapup_seconds=4, missed_offers=0)
BY = pr.By("", "")
RING_SECONDS = 6


@dataclass
class Lead:
    seeker: Seeker
    rung: dict[str, tuple[float, Ended]] = field(default_factory=dict)
    """Who is ringing: until when, and what they do then."""
    agent: str = ""
    """Who talks to them."""
    ends: float = 0.0


@dataclass
class Team:
    """Agents who come, go, decline, let ring out and talk; leads who come. A second at a time."""

    random: Random
    routings: Sequence[Routing]
    now: float = NOW
    agents: dict[str, Presence] = field(default_factory=lambda: {name: Presence(name) for name in NAMES[:5]})
    leads: dict[str, Lead] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    """Who is in a call that has nothing to do with us."""
    over: dict[str, str] = field(default_factory=dict)

    def standings(self) -> dict[str, Standing]:
        return {
            agent: Standing(self.why_not(agent), presence.idle_since, presence.offered_at)
            for agent, presence in self.agents.items()
        }

    def why_not(self, agent: str) -> tuple[Reason, ...]:
        seen = Seen("INUSE" if agent in self.busy else "NOT_INUSE")
        return pr.why_not(self.agents[agent], seen, self.now)

    def second(self) -> None:
        self.now += 1
        self.happen()
        seekers = [lead.seeker for lead in self.leads.values() if not lead.agent]
        agents = self.standings()
        planned = plan(seekers, agents, self.now)
        self.check(seekers, agents, planned)
        for number, (handoff, offered) in enumerate(planned.offers):
            for place, agent in enumerate(offered):
                self.ring(handoff, agent, self.now + (number + place / 10) / 100)
        for handoff in planned.hopeless:
            self.over[handoff] = "hopeless"
            del self.leads[handoff]

    def happen(self) -> None:
        for agent in self.agents:
            if self.random.random() < 0.1:
                self.busy ^= {agent}
            if self.random.random() < 0.05:
                declared = self.random.choice([Declared.READY, Declared.READY, Declared.PAUSED])
                self.agents[agent] = pr.declare(
                    self.agents[agent], declared, self.now, BY, until=self.now + 15
                )
        for handoff, lead in list(self.leads.items()):
            for agent, (at, end) in list(lead.rung.items()):
                if at <= self.now and not lead.agent:
                    self.answer(lead, handoff, agent, end)
            if lead.agent and lead.ends <= self.now:
                self.release(lead.agent, handoff, Ended.TALKED)
                self.over[handoff] = "talked"
                del self.leads[handoff]

    def arrive(self, number: int) -> None:
        routing = self.random.choice(self.routings)
        names = self.random.sample(NAMES[:5], self.random.randint(1, 5))
        roster = tuple(Candidate(name, self.random.randint(1, 2), (("sales", 3),)) for name in names)
        handoff = f"warm-{number:03}"
        priority = self.random.randint(0, 1)
        self.leads[handoff] = Lead(Seeker(handoff, priority, self.now, self.now + 40, routing, roster))

    def ring(self, handoff: str, agent: str, at: float) -> None:
        assert self.agents[agent].offer is None and not self.agents[agent].talks, (
            "nobody is rung for two at once"
        )
        self.agents[agent] = pr.reserve(self.agents[agent], Lease(handoff, "node", self.now + 999), at)
        lead = self.leads[handoff]
        end = self.random.choice([Ended.MISSED, Ended.ANSWERED, Ended.TALKED])
        takes = RING_SECONDS if end is Ended.MISSED else self.random.randint(1, RING_SECONDS - 1)
        lead.rung[agent] = (self.now + takes, end)
        self.seek(lead, agent)

    def seek(self, lead: Lead, tried: str) -> None:
        lead.seeker = replace(
            lead.seeker, tried=lead.seeker.tried | {tried}, ringing=frozenset(lead.rung) - {lead.agent}
        )

    def answer(self, lead: Lead, handoff: str, agent: str, end: Ended) -> None:
        del lead.rung[agent]
        if end is not Ended.TALKED:
            self.release(agent, handoff, end)
        else:
            lead.agent, lead.ends = agent, self.now + self.random.randint(1, 9)
            lease = Lease(handoff, "node", self.now + 999)
            self.agents[agent] = pr.talk(self.agents[agent], lease, self.now)
            for other in lead.rung:
                self.release(other, handoff, Ended.WITHDRAWN)
            lead.rung.clear()
        self.seek(lead, agent)

    def release(self, agent: str, handoff: str, end: Ended) -> None:
        self.agents[agent] = pr.release(self.agents[agent], handoff, end, RULES, self.now)

    def check(self, seekers: Sequence[Seeker], agents: Agents, planned: Plan) -> None:
        """Nobody waits in vain: while somebody is free whom a lead has not been offered to, one is ringing; and
        who is rung is whom the strategy says."""
        taken = {agent for _, offered in planned.offers for agent in offered}
        offers = dict(planned.offers)
        for seeker in seekers:
            left = [
                one.id
                for one in seeker.roster
                if not agents[one.id].reasons and one.id not in seeker.tried and one.id not in taken
            ]
            assert not left or seeker.ringing or seeker.handoff in offers
            for offered in offers.get(seeker.handoff, ()):
                assert not agents[offered].reasons
                if seeker.routing.strategy is Strategy.LONGEST_IDLE:
                    assert all(agents[offered].idle_since <= agents[one].idle_since for one in left)
                if seeker.routing.strategy is Strategy.ROUND_ROBIN:
                    assert all(agents[offered].offered_at <= agents[one].offered_at for one in left)


at_work = [Routing(strategy, fanout, 5.0, relax_seconds=3.0) for strategy in Strategy for fanout in (1, 2)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32).map(Random), st.lists(st.sampled_from(at_work), min_size=1, max_size=4))
def test_given_a_team_at_work_when_leads_come_and_go_then_nobody_waits_in_vain_and_every_lead_has_an_end(
    random: Random, routings: list[Routing]
) -> None:
    team = Team(random, routings)
    for number in range(60):
        if number % 3 != 2:
            team.arrive(number)
        team.second()
    for _ in range(200):
        team.second()
    assert not team.leads
    assert len(team.over) == 40
    assert all(not presence.offer and not presence.talks for presence in team.agents.values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 3), st.frozensets(st.sampled_from("xyz"))), max_size=40
    ),
    st.permutations("abcxyz"),
)
def test_given_round_robin_when_some_are_always_free_then_they_are_offered_as_many_leads_as_one_another(
    moments: list[tuple[int, int, frozenset[str]]], names: list[str]
) -> None:
    roster = tuple(Candidate(name) for name in names)
    agents = {name: Presence(name) for name in names}
    counts = dict.fromkeys("abc", 0)
    now = NOW
    for leads_at_once, fanout, away in moments:
        routing = Routing(Strategy.ROUND_ROBIN, fanout)
        seekers = [Seeker(f"warm-{one}", 0, now, now, routing, roster) for one in range(leads_at_once)]
        standings = {
            name: Standing((Reason(Why.DND, ""),) if name in away else (), offered_at=presence.offered_at)
            for name, presence in agents.items()
        }
        for handoff, offered in plan(seekers, standings, now).offers:
            for name in offered:
                now += 0.01
                agents[name] = pr.reserve(agents[name], Lease(handoff, "node", now + 9), now)
                agents[name] = pr.release(agents[name], handoff, Ended.ANSWERED, RULES, now)
                if name in counts:
                    counts[name] += 1
        assert max(counts.values()) - min(counts.values()) <= 1
