"""Which waiting lead is offered to which agent next."""

from __future__ import annotations

from typing import Any

import pytest
from routing_candidate import Candidate

from asterisk_warm.core.presence import Reason, Why
from asterisk_warm.core.routing import Plan, Routing, Seeker, Standing, Strategy, plan

NOW = 1_000_000.0
FREE = Standing(())
BUSY = Standing((Reason(Why.DEVICE, "in a call", passes=True),))
BACK_SOON = Standing((Reason(Why.WRAPUP, "wrapping up", NOW + 20),))
GONE = Standing((Reason(Why.OFFLINE, "offline"),))
OUTSIDE = Standing((), shared=True)
FEW = (Strategy.FANOUT, Strategy.LONGEST_IDLE, Strategy.ROUND_ROBIN, Strategy.SKILLS)


def roster(names: str, **of: Any) -> tuple[Candidate, ...]:
    """`a b/2 c`: agents, with the tier after the slash."""
    found = (name.partition("/") for name in names.split())
    return tuple(Candidate(name, int(tier or 1), of.get(name, ())) for name, _, tier in found)


def lead(
    handoff: str = "warm-1",
    names: str = "a b c d",
    *,
    waited: float = 0.0,
    wait: float = 0.0,
    priority: int = 0,
    tried: str = "",
    ringing: str = "",
    sticky: str = "",
    skilled: dict[str, tuple[tuple[str, int], ...]] | None = None,
    **routing: Any,
) -> Seeker:
    return Seeker(
        handoff,
        priority,
        NOW - waited,
        NOW - waited + wait,
        Routing(**routing),
        roster(names, **(skilled or {})),
        frozenset(tried.split()),
        frozenset(ringing.split()),
        sticky,
    )


def free(names: str = "a b c d", **others: Standing) -> dict[str, Standing]:
    return dict.fromkeys(names.split(), FREE) | others


def offers(planned: Plan) -> dict[str, str]:
    return {handoff: " ".join(agents) for handoff, agents in planned.offers}


def rung(seeker: Seeker, agents: dict[str, Standing] | None = None) -> str:
    """Who is offered this lead now."""
    return offers(plan([seeker], free() if agents is None else agents, NOW)).get(seeker.handoff, "")


def again(seeker: Seeker, agents: dict[str, Standing] | None = None) -> float | None:
    """In how many seconds time changes something."""
    at = plan([seeker], free() if agents is None else agents, NOW).again_at
    return None if at is None else at - NOW


def hopeless(seeker: Seeker, agents: dict[str, Standing]) -> bool:
    return seeker.handoff in plan([seeker], agents, NOW).hopeless


# -- who is in question ----------------------------------------------------------------------------------------


def test_given_nobody_waits_when_planned_then_nothing_is_done() -> None:
    assert plan([], free(), NOW) == Plan((), frozenset(), None)


def test_given_all_when_planned_then_everybody_who_is_eligible_is_rung_at_once() -> None:
    assert rung(lead(), free("a d", b=BUSY, c=GONE)) == "a d"


@pytest.mark.parametrize("strategy", Strategy)
def test_given_agents_tried_ringing_or_unknown_when_planned_then_they_are_not_rung(
    strategy: Strategy,
) -> None:
    seeker = lead(names="a b c d", tried="a", ringing="b", strategy=strategy, fanout=9)
    assert rung(seeker, free("a b d")) == "d"


def test_given_an_agent_twice_on_the_roster_when_planned_then_they_are_rung_once_where_they_come_first() -> (
    None
):
    assert rung(lead(names="a b a c")) == "a b c"
    assert rung(lead(names="a b a/2 c/2", strategy=Strategy.PRIORITY)) == "a b"


def test_given_an_agent_who_rings_for_another_lead_when_planned_then_they_are_not_rung_for_this_one() -> None:
    first, second = lead("warm-1", ringing="a"), lead("warm-2", waited=50)
    assert offers(plan([first, second], free(), NOW)) == {"warm-2": "b c d"}


# -- who comes first -------------------------------------------------------------------------------------------


def test_given_several_leads_when_planned_then_priority_age_and_id_decide_who_chooses_first() -> None:
    leads = [
        lead("warm-4", waited=5),
        lead("warm-3", waited=5),
        lead("warm-2", waited=60),
        lead("warm-1", priority=1),
    ]
    planned = plan([_few(one) for one in leads], free(), NOW)
    assert planned.offers == (("warm-1", ("a",)), ("warm-2", ("b",)), ("warm-3", ("c",)), ("warm-4", ("d",)))


def _few(seeker: Seeker) -> Seeker:
    return Seeker(
        seeker.handoff, seeker.priority, seeker.since, seeker.until, Routing(Strategy.FANOUT), seeker.roster
    )


def test_given_one_takes_everybody_when_another_waits_then_they_are_offered_nobody_but_shared_numbers() -> (
    None
):
    leads = [lead("warm-1", waited=9, wait=60), lead("warm-2", wait=60)]
    planned = plan(leads, free("a b", c=OUTSIDE, d=GONE), NOW)
    assert offers(planned) == {"warm-1": "a b c", "warm-2": "c"}
    assert offers(plan([lead(ringing="c"), lead("warm-2")], free("", c=OUTSIDE), NOW)) == {"warm-2": "c"}
    assert rung(lead(ringing="c"), free("", c=OUTSIDE)) == ""


def test_given_leads_of_one_team_when_they_share_its_roster_or_not_then_the_plan_is_the_same() -> None:
    one = roster("a b c d")
    for rosters in ((one, one, one), (one, one, roster("a b c d"))):
        leads = [
            Seeker(f"warm-{number}", 0, NOW, NOW, Routing(Strategy.FANOUT, fanout), found)
            for number, (found, fanout) in enumerate(zip(rosters, (1, 1, 2), strict=True))
        ]
        assert offers(plan(leads, free(), NOW)) == {"warm-0": "a", "warm-1": "b", "warm-2": "c d"}


# -- a few at a time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", FEW)
def test_given_a_fanout_when_planned_then_so_many_ring_and_more_after_a_while(strategy: Strategy) -> None:
    def at(waited: float, **of: Any) -> Seeker:
        return lead(waited=waited, strategy=strategy, widen_seconds=10, **of)

    assert (rung(at(0)), again(at(0))) == ("a", 10)
    assert (rung(at(9.5)), again(at(9.5))) == ("a", 0.5)
    assert (rung(at(10, ringing="a")), again(at(10, ringing="a"))) == ("b", 10)
    assert (rung(at(29)), again(at(29))) == ("a b c", 1)
    assert (rung(at(30)), again(at(30))) == ("a b c d", None)
    assert rung(at(10, fanout=2, ringing="a")) == "b c d"


@pytest.mark.parametrize("strategy", FEW)
def test_given_no_widening_when_they_wait_for_long_then_no_more_ring_but_who_declines_is_replaced(
    strategy: Strategy,
) -> None:
    assert rung(lead(waited=999, strategy=strategy, fanout=2)) == "a b"
    assert again(lead(waited=999, strategy=strategy, fanout=2)) is None
    assert rung(lead(strategy=strategy, fanout=2, ringing="b", tried="a b")) == "c"
    assert rung(lead(strategy=strategy, fanout=2, ringing="a b c")) == ""


def test_given_a_fanout_of_none_when_planned_then_one_is_rung_all_the_same() -> None:
    assert rung(lead(strategy=Strategy.FANOUT, fanout=0)) == "a"


def test_given_a_clock_that_went_backwards_when_planned_then_it_is_as_if_they_had_just_come() -> None:
    seeker = lead(waited=-500, strategy=Strategy.FANOUT, widen_seconds=10, relax_seconds=10)
    assert (rung(seeker), again(seeker)) == ("a", 510)


def test_given_a_widening_that_no_float_can_tell_when_its_time_has_come_then_it_is_not_put_off() -> None:
    seeker = lead(waited=0.7, strategy=Strategy.FANOUT, widen_seconds=0.1)
    for _ in range(3):
        planned = plan([seeker], free("a b c d"), NOW)
        assert planned.again_at is None or planned.again_at > NOW
    since = 1_764_300_000.3
    for step in range(1, 200):
        one = Seeker("warm-1", 0, since, since, Routing(Strategy.FANOUT, 1, 0.1), roster("a b"))
        at = since + step * 0.1
        found = plan([one], free("a b"), at)
        assert found.offers == (("warm-1", ("a", "b")),), step


# -- in which order --------------------------------------------------------------------------------------------


def test_given_longest_idle_when_planned_then_who_has_had_nothing_to_do_for_longest_is_rung() -> None:
    agents = {"a": Standing((), 30), "b": Standing((), 10), "c": Standing((), 20), "d": Standing((), 10)}
    assert rung(lead(strategy=Strategy.LONGEST_IDLE, fanout=3), agents) == "b d c"


def test_given_round_robin_when_planned_then_who_was_never_or_longest_ago_offered_a_lead_is_rung() -> None:
    agents = {
        "a": Standing((), 1, 30),
        "b": Standing((), 9, 10),
        "c": Standing((), 5, 20),
        "d": Standing((), 99),
    }
    assert rung(lead(strategy=Strategy.ROUND_ROBIN, fanout=3), agents) == "d b c"


def test_given_skills_when_planned_then_the_best_are_rung_first_and_among_equals_the_longest_idle() -> None:
    skilled = {
        "a": (("french", 5), ("sales", 5)),
        "b": (("french", 9), ("sales", 3)),
        "c": (("chess", 10), ("french", 4), ("sales", 6)),
        "d": (("french", 10),),
    }
    agents = free("b d", a=Standing((), 7), c=Standing((), 5))
    seeker = lead(skilled=skilled, strategy=Strategy.SKILLS, fanout=9, skills=(("french", 1), ("sales", 1)))
    assert rung(seeker, agents) == "b c a"


# -- skills ----------------------------------------------------------------------------------------------------

FRENCH = {"a": (("french", 2),), "b": (("french", 5),), "c": (("sales", 9),), "d": (("french", 0),)}


@pytest.mark.parametrize("strategy", Strategy)
def test_given_a_level_that_is_asked_for_when_nobody_has_it_then_it_is_relaxed_down_to_one(
    strategy: Strategy,
) -> None:
    def at(waited: float) -> Seeker:
        asked = (("french", 7),)
        return lead(
            waited=waited, skilled=FRENCH, strategy=strategy, fanout=9, skills=asked, relax_seconds=10
        )

    assert (rung(at(0)), again(at(0))) == ("", 20)
    assert not hopeless(at(0), free())
    assert (rung(at(20)), again(at(20))) == ("b", 30)
    assert (rung(at(49.5)), again(at(49.5))) == ("b", 0.5)
    assert set(rung(at(50)).split()) == {"a", "b"}
    assert again(at(50)) is None
    assert set(rung(at(9999)).split()) == {"a", "b"}, "who has not got the skill is never rung"


def test_given_no_relaxing_when_nobody_has_the_level_then_there_is_no_hope() -> None:
    assert hopeless(lead(waited=999, wait=9999, skilled=FRENCH, skills=(("french", 7),)), free())


# -- tiers -----------------------------------------------------------------------------------------------------


def tiers(names: str = "a/2 b c/5 d/2", **of: Any) -> Seeker:
    return lead(names=names, strategy=Strategy.PRIORITY, **of)


def test_given_tiers_when_planned_then_everybody_of_the_lowest_with_anybody_is_rung() -> None:
    assert rung(tiers()) == "b"
    assert rung(tiers(), free("a c d", b=BUSY)) == "a d"
    assert rung(tiers(tried="b", ringing="")) == "a d"
    assert rung(tiers(), free("c", b=GONE)) == "c"


def test_given_one_of_a_tier_still_rings_when_planned_then_the_next_waits() -> None:
    assert rung(tiers(ringing="b", tried="b")) == ""
    assert rung(tiers(ringing="a", tried="b")) == "d"
    assert rung(tiers(ringing="z")) == "b", "who has left the roster holds no tier up"


def test_given_widening_when_time_passes_then_one_tier_more_is_rung_each_time() -> None:
    def at(waited: float, **of: Any) -> Seeker:
        return tiers(waited=waited, widen_seconds=10, **of)

    assert (rung(at(9)), again(at(9))) == ("b", 1)
    assert (rung(at(10, ringing="b")), again(at(10, ringing="b"))) == ("a d", 10)
    assert (rung(at(20)), again(at(20))) == ("b a d c", None)
    nobody_of_the_first = free("a c d", b=BUSY)
    assert (rung(at(0), nobody_of_the_first), again(at(0), nobody_of_the_first)) == ("a d", 20)


# -- who spoke to them before ----------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", Strategy)
def test_given_somebody_spoke_to_the_lead_before_when_they_are_free_then_only_they_are_rung_for_a_while(
    strategy: Strategy,
) -> None:
    def at(waited: float, **of: Any) -> Seeker:
        return lead(waited=waited, strategy=strategy, fanout=2, sticky_seconds=15, sticky="c", **of)

    assert (rung(at(0)), again(at(0))) == ("c", 15)
    assert (rung(at(5, ringing="c", tried="c")), again(at(5, ringing="c", tried="c"))) == ("", 10)
    assert rung(at(15)).split()[:2] == ["c", "a"], "they are still the first"
    assert rung(at(5, tried="c")).split()[:2] == ["a", "b"], "they have declined"
    assert rung(at(5), free("a b d", c=BUSY)).split()[:2] == ["a", "b"]
    assert again(at(0), free("c")) is None


def test_given_who_spoke_to_the_lead_is_not_on_the_roster_when_planned_then_everybody_is_as_usual() -> None:
    assert rung(lead(sticky_seconds=15, sticky="z"), free("a b z")) == "a b"
    assert rung(lead(sticky="c")) == "a b c d"


def test_given_who_spoke_to_the_lead_is_taken_when_planned_then_everybody_is_as_usual() -> None:
    first = lead("warm-1", names="c", waited=9)
    second = lead("warm-2", sticky_seconds=15, sticky="c")
    assert offers(plan([first, second], free(), NOW)) == {"warm-1": "c", "warm-2": "a b d"}


def test_given_others_ring_when_who_spoke_to_the_lead_becomes_free_then_they_are_next_when_there_is_room() -> (
    None
):
    def at(**of: Any) -> Seeker:
        return lead(waited=2, strategy=Strategy.FANOUT, sticky_seconds=15, sticky="c", **of)

    assert (rung(at(ringing="a")), again(at(ringing="a"))) == ("", 13)
    assert rung(at(tried="a")) == "c"
    assert again(at(ringing="a", widen_seconds=10)) == 8


def test_given_who_spoke_to_the_lead_lacks_the_level_when_planned_then_they_are_not_waited_for() -> None:
    def at(waited: float) -> Seeker:
        sticky = {"sticky_seconds": 99, "sticky": "a", "relax_seconds": 10}
        return lead(waited=waited, skilled=FRENCH, skills=(("french", 5),), **sticky)

    assert (rung(at(0)), again(at(0))) == ("b", 30)
    assert rung(at(30)) == "a b"


# -- hope ------------------------------------------------------------------------------------------------------


def test_given_somebody_will_be_back_in_time_when_nobody_is_free_then_they_wait() -> None:
    for standing in (BUSY, BACK_SOON):
        seeker = lead(wait=30)
        assert not hopeless(seeker, {"a": GONE, "b": standing})
        assert again(seeker, {"a": GONE, "b": standing}) == 30


@pytest.mark.parametrize(
    ("agents", "seeker"),
    [
        ({}, lead(wait=30)),
        ({}, lead(names="", wait=30)),
        ({"a": GONE, "b": GONE}, lead(wait=30)),
        ({"a": BACK_SOON}, lead(wait=20)),
        ({"a": BUSY}, lead()),
        ({"a": BUSY}, lead(waited=30, wait=30)),
        ({"a": BUSY}, lead(wait=30, tried="a")),
        ({"a": FREE}, lead(wait=30, tried="a")),
        ({"z": FREE}, lead(wait=30)),
    ],
)
def test_given_nobody_will_be_free_in_time_when_planned_then_there_is_no_hope(
    agents: dict[str, Standing], seeker: Seeker
) -> None:
    assert hopeless(seeker, agents)
    assert again(seeker, agents) is None


def test_given_somebody_rings_when_nobody_else_is_to_be_expected_then_there_is_hope() -> None:
    assert not hopeless(lead(ringing="a", tried="a"), {"a": GONE})


def test_given_everybody_is_taken_by_an_earlier_lead_when_planned_then_there_is_hope_while_they_wait() -> (
    None
):
    first = lead("warm-1", waited=9)
    assert plan([first, lead("warm-2", wait=30)], free(), NOW).hopeless == frozenset()
    assert plan([first, lead("warm-2")], free(), NOW).hopeless == {"warm-2"}
    assert plan([lead("warm-1", ringing="a"), lead("warm-2", wait=30)], {"a": BUSY}, NOW).again_at == NOW + 30


@pytest.mark.parametrize(("wait", "hope"), [(20, False), (20.5, True)])
def test_given_levels_are_relaxed_when_somebody_busy_will_fit_then_it_must_be_before_they_stop_waiting(
    wait: float, hope: bool
) -> None:
    seeker = lead(wait=wait, skilled=FRENCH, skills=(("french", 7),), relax_seconds=10)
    assert hopeless(seeker, {"b": BUSY}) is not hope


def test_given_two_teams_when_each_is_without_anybody_then_the_first_time_of_all_is_told() -> None:
    leads = [
        lead("warm-1", wait=30),
        lead("warm-2", names="x y", strategy=Strategy.FANOUT, widen_seconds=12),
    ]
    assert plan(leads, {"a": BUSY, "x": FREE, "y": FREE}, NOW).again_at == NOW + 12
