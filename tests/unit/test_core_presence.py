"""Whether an agent can be offered a lead now, every reason why not, and what becomes of presence."""

from __future__ import annotations

from math import inf

import pytest

from asterisk_warm.core import presence as pr
from asterisk_warm.core.presence import (
    Busy,
    By,
    Calendar,
    Declared,
    Ended,
    Lamp,
    Lease,
    Presence,
    Reason,
    Rules,
    Seen,
    Shift,
    Why,
)

NOW = 1_000_000.0
ANA = Presence("ana")
FREE = Seen("NOT_INUSE")
BY = By("ana", "code")
BOSS = By("boss", "cli")
RULES = Rules(wrapup_seconds=30, missed_offers=3)
ONE = Lease("warm-1", "node-1", NOW + 60)
TWO = Lease("warm-2", "node-2", NOW + 90)


def paused(until: float | None = None, reason: str = "lunch") -> Presence:
    return pr.declare(ANA, Declared.PAUSED, NOW - 10, BY, reason, until)


def calendar(*busy: Busy, read_at: float | None = NOW - 60, error: str = "") -> Calendar:
    return Calendar(busy, read_at, 900, error)


def words(presence: Presence, seen: Seen = FREE, now: float = NOW) -> list[tuple[Why, str]]:
    return [(reason.why, reason.words) for reason in pr.why_not(presence, seen, now)]


def the(presence: Presence, seen: Seen = FREE, now: float = NOW) -> Reason:
    """The one reason there is."""
    (reason,) = pr.why_not(presence, seen, now)
    return reason


# -- eligible, or why not ------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["NOT_INUSE", "UNKNOWN"])
def test_given_nothing_against_it_when_asked_then_the_agent_is_eligible(device: str) -> None:
    on = Seen(device, ("NOT_INUSE",), calendar=calendar(), shift=Shift(True, NOW + 60))
    assert pr.why_not(ANA, on, NOW) == ()


@pytest.mark.parametrize(("reason", "said"), [("", "offline"), ("holiday", "offline: holiday")])
def test_given_an_agent_offline_when_asked_why_then_the_reason_is_told_and_there_is_no_hope(
    reason: str, said: str
) -> None:
    gone = pr.declare(ANA, Declared.OFFLINE, NOW, BY, reason)
    assert the(gone) == Reason(Why.OFFLINE, said)
    assert not pr.hopeful(pr.why_not(gone, FREE, NOW), inf)


def test_given_a_pause_when_asked_why_then_its_reason_and_end_are_told() -> None:
    assert the(paused(NOW + 5)) == Reason(Why.PAUSED, "paused: lunch", NOW + 5)
    assert the(paused()) == Reason(Why.PAUSED, "paused: lunch")


@pytest.mark.parametrize(
    ("device", "why", "said"),
    [
        ("INUSE", Why.DEVICE, "in a call"),
        ("BUSY", Why.DEVICE, "busy"),
        ("RINGING", Why.DEVICE, "being rung"),
        ("RINGINUSE", Why.DEVICE, "in a call, and being rung"),
        ("ONHOLD", Why.DEVICE, "in a call, on hold"),
        ("UNAVAILABLE", Why.UNREACHABLE, "phone not registered"),
        ("INVALID", Why.UNREACHABLE, "no such device in Asterisk"),
    ],
)
def test_given_a_device_that_is_not_free_when_asked_why_then_it_is_told_once(
    device: str, why: Why, said: str
) -> None:
    assert words(ANA, Seen(device, (device,))) == [(why, said)]
    assert words(ANA, Seen("NOT_INUSE", ("UNKNOWN", device))) == [(why, said)]
    assert the(ANA, Seen(device)).passes == (why is Why.DEVICE)


def test_given_every_obstacle_at_once_when_asked_why_then_each_is_told() -> None:
    presence = pr.wrap_up(pr.talk(paused(), ONE, NOW), NOW + 20, NOW)
    presence = pr.reserve(presence, TWO, NOW)
    seen = Seen("INUSE", ("UNAVAILABLE",), True, calendar(read_at=None), Shift(False, NOW + 99))
    assert [why for why, _ in words(presence, seen)] == [
        Why.PAUSED,
        Why.OFFERED,
        Why.LIMIT,
        Why.WRAPUP,
        Why.DEVICE,
        Why.UNREACHABLE,
        Why.DND,
        Why.STALE,
        Why.SHIFT,
    ]


def test_given_an_offer_and_a_talk_when_asked_why_then_the_handoffs_are_named_and_will_pass() -> None:
    assert the(pr.reserve(ANA, ONE, NOW)) == Reason(Why.OFFERED, "being offered warm-1", passes=True)
    assert the(pr.talk(ANA, ONE, NOW)) == Reason(Why.LIMIT, "talking to the lead of warm-1", passes=True)


def test_given_two_at_once_when_one_is_being_talked_to_then_their_own_call_does_not_count() -> None:
    talking = pr.talk(ANA, ONE, NOW)
    assert words(talking, Seen("INUSE", ("ONHOLD",), at_once=2)) == []
    assert words(talking, Seen("RINGINUSE", at_once=2)) == [(Why.DEVICE, "in a call, and being rung")]
    assert words(ANA, Seen("INUSE", at_once=2)) == [(Why.DEVICE, "in a call")]
    both = pr.talk(talking, TWO, NOW)
    assert words(both, Seen("NOT_INUSE", at_once=2)) == [(Why.LIMIT, "has 2 handoffs")]
    assert words(both, Seen("NOT_INUSE", at_once=1)) == [(Why.LIMIT, "has 2 handoffs")]


def test_given_an_agent_who_may_have_no_handoff_when_asked_then_they_never_will() -> None:
    assert the(ANA, Seen("NOT_INUSE", at_once=0)) == Reason(Why.LIMIT, "has 0 handoffs")


def test_given_do_not_disturb_when_asked_then_there_is_no_hope() -> None:
    assert the(ANA, Seen(dnd=True)) == Reason(Why.DND, "do-not-disturb is on")


def test_given_a_busy_time_when_it_begins_and_ends_then_the_agent_is_busy_in_between_only() -> None:
    seen = Seen(calendar=calendar(Busy(NOW, NOW + 60, "dentist")))
    assert words(ANA, seen, NOW - 1) == []
    assert the(ANA, seen, NOW) == Reason(Why.CALENDAR, "busy in the calendar: dentist", NOW + 60)
    assert words(ANA, seen, NOW + 60) == []


def test_given_one_meeting_right_after_the_other_when_asked_then_the_end_of_the_last_is_told() -> None:
    busy = (
        Busy(NOW - 99, NOW - 9),
        Busy(NOW - 5, NOW + 60),
        Busy(NOW + 60, NOW + 90, "b"),
        Busy(NOW + 91, NOW + 99),
    )
    assert the(ANA, Seen(calendar=calendar(*busy))) == Reason(Why.CALENDAR, "busy in the calendar", NOW + 90)


def test_given_a_calendar_that_was_not_read_lately_when_asked_then_the_agent_is_busy_and_its_age_is_told() -> (
    None
):
    old = calendar(read_at=NOW - 1200, error="timed out")
    assert words(ANA, Seen(calendar=old)) == [(Why.STALE, "calendar last read 20 min ago (timed out)")]
    assert words(ANA, Seen(calendar=calendar(read_at=NOW - 900))) == []


def test_given_a_calendar_never_read_when_asked_then_it_will_be_soon_unless_reading_has_failed() -> None:
    assert the(ANA, Seen(calendar=calendar(read_at=None))) == Reason(
        Why.STALE, "calendar not read yet", passes=True
    )
    failed = calendar(read_at=None, error="no such host")
    assert the(ANA, Seen(calendar=failed)) == Reason(Why.STALE, "calendar not read yet (no such host)")


def test_given_an_agent_off_shift_when_asked_then_the_beginning_of_the_next_is_told() -> None:
    assert the(ANA, Seen(shift=Shift(False, NOW + 60))) == Reason(Why.SHIFT, "off shift", NOW + 60)


# -- hope ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "last"),
    [
        ([], -inf),
        ([Reason(Why.DEVICE, "", passes=True)], -inf),
        ([Reason(Why.PAUSED, "", NOW)], NOW),
        ([Reason(Why.PAUSED, "", NOW), Reason(Why.SHIFT, "", NOW + 9)], NOW + 9),
        ([Reason(Why.DEVICE, "", passes=True), Reason(Why.WRAPUP, "", NOW)], NOW),
        ([Reason(Why.DND, ""), Reason(Why.WRAPUP, "", NOW)], inf),
    ],
)
def test_given_reasons_when_asked_for_hope_then_the_last_of_their_ends_decides(
    reasons: list[Reason], last: float
) -> None:
    assert pr.free_from(reasons) == last
    for until in (NOW - 1, NOW, NOW + 1, NOW + 9, NOW + 10, inf):
        assert pr.hopeful(reasons, until) == (last < until)


# -- time ----------------------------------------------------------------------------------------------------


def test_given_a_pause_with_an_end_when_it_is_past_then_they_are_ready_since_then() -> None:
    presence = pr.at(paused(NOW + 5).evolve(missed=2), NOW + 8)
    assert (presence.declared, presence.reason, presence.until) == (Declared.READY, "", None)
    assert presence.since == presence.idle_since == NOW + 5
    assert presence.missed == 0
    assert pr.at(paused(NOW + 5), NOW + 4.9).declared is Declared.PAUSED


def test_given_an_end_that_is_past_when_a_pause_is_declared_then_it_is_none() -> None:
    assert pr.declare(ANA, Declared.PAUSED, NOW, BY, "lunch", NOW) == ANA
    presence = pr.declare(paused(), Declared.PAUSED, NOW, BOSS, "lunch", NOW - 99)
    assert (presence.declared, presence.since, presence.by) == (Declared.READY, NOW, BOSS)
    assert pr.declare(ANA, Declared.OFFLINE, NOW, BY, "", NOW - 99).declared is Declared.OFFLINE


def test_given_leases_when_they_are_over_then_the_agent_is_free_and_idle_since_then() -> None:
    presence = pr.reserve(pr.talk(pr.talk(ANA, ONE, NOW), TWO, NOW), Lease("warm-3", "n", NOW + 20), NOW)
    assert pr.at(presence, NOW + 19).offer is not None
    assert pr.at(presence, NOW + 20).offer is None
    assert pr.at(presence, NOW + 60).talks == (TWO,)
    assert pr.at(presence, NOW + 999) == presence.evolve(offer=None, talks=(), idle_since=TWO.until)


def test_given_a_clock_that_goes_backwards_when_asked_then_nothing_that_is_over_comes_back() -> None:
    later = pr.at(pr.talk(paused(NOW + 5), ONE, NOW), NOW + 999)
    assert pr.at(later, NOW - 999) == later
    assert pr.release(later, "warm-1", Ended.TALKED, RULES, NOW - 999) == later


def test_given_times_to_come_when_asked_for_the_next_change_then_the_first_of_them_is_told() -> None:
    presence = pr.wrap_up(pr.talk(paused(NOW + 50), ONE, NOW), NOW + 70, NOW)
    meeting = calendar(Busy(NOW - 5, NOW + 40), read_at=NOW)
    seen = Seen(calendar=meeting, shift=Shift(True, NOW + 80))
    found: list[float | None] = []
    now: float | None = NOW
    while now is not None:
        found.append(now := pr.next_change(presence, seen, now))
    assert found == [NOW + 40, NOW + 50, NOW + 60, NOW + 70, NOW + 80, NOW + 900.001, None]
    assert pr.why_not(ANA, seen, NOW + 900.001) != ()


def test_given_nothing_to_come_when_asked_for_the_next_change_then_there_is_none() -> None:
    assert (
        pr.next_change(paused(), Seen(calendar=calendar(read_at=None), shift=Shift(True, None)), NOW) is None
    )
    gone = pr.declare(ANA, Declared.OFFLINE, NOW, BY, until=NOW + 5)
    assert pr.next_change(gone, FREE, NOW) is None


# -- what people declare -------------------------------------------------------------------------------------


def test_given_a_pause_when_declared_ready_then_idle_begins_now_and_missed_offers_are_forgiven() -> None:
    presence = pr.declare(paused().evolve(missed=2), Declared.READY, NOW, BOSS)
    assert (presence.declared, presence.reason, presence.by) == (Declared.READY, "", BOSS)
    assert (presence.since, presence.idle_since, presence.missed) == (NOW, NOW, 0)


def test_given_a_wrap_up_when_declared_ready_then_it_goes_on() -> None:
    presence = pr.declare(pr.wrap_up(paused(), NOW + 20, NOW), Declared.READY, NOW, BY)
    assert the(presence).why is Why.WRAPUP
    assert presence.idle_since == NOW + 20


def test_given_an_agent_ready_when_declared_ready_again_then_they_keep_their_turn() -> None:
    ready = ANA.evolve(since=5.0, idle_since=9.0, missed=2, by=BY)
    assert pr.declare(ready, Declared.READY, NOW, BOSS) == ready.evolve(missed=0)


def test_given_a_pause_when_it_is_given_another_end_then_it_is_the_same_pause() -> None:
    presence = pr.declare(paused(), Declared.PAUSED, NOW, BOSS, "lunch", NOW + 60)
    assert (presence.since, presence.until, presence.by) == (NOW - 10, NOW + 60, BOSS)
    assert pr.declare(paused(), Declared.PAUSED, NOW, BOSS, "meeting").since == NOW
    assert pr.declare(paused(), Declared.OFFLINE, NOW, BOSS, "lunch").since == NOW
    clock_went_back = pr.declare(paused(), Declared.PAUSED, NOW - 99, BOSS, "lunch")
    assert clock_went_back.since == NOW - 99, "nothing has been so since a time that is to come"


# -- wrap-up -------------------------------------------------------------------------------------------------


def test_given_a_wrap_up_when_extended_shortened_and_ended_then_idle_begins_at_its_end() -> None:
    presence = ANA.evolve(idle_since=5.0)
    for end in (NOW + 30, NOW + 60, NOW + 10):
        presence = pr.wrap_up(presence, end, NOW)
        assert (presence.wrapup_until, presence.idle_since) == (end, end)
    presence = pr.wrap_up(presence, NOW - 5, NOW + 1)
    assert (presence.wrapup_until, presence.idle_since) == (NOW + 1, NOW + 1)
    assert pr.why_not(presence, FREE, NOW + 1) == ()


def test_given_no_wrap_up_when_it_is_ended_then_they_keep_their_turn() -> None:
    presence = ANA.evolve(idle_since=5.0, wrapup_until=NOW)
    assert pr.wrap_up(presence, 0.0, NOW) == presence


# -- leases --------------------------------------------------------------------------------------------------


def test_given_an_offer_when_it_becomes_a_talk_then_the_lease_moves_and_missed_offers_are_forgiven() -> None:
    presence = pr.reserve(ANA.evolve(missed=2), ONE, NOW)
    assert (presence.offer, presence.offered_at) == (ONE, NOW)
    later = Lease("warm-1", "node-1", NOW + 70)
    presence = pr.talk(presence, later, NOW + 5)
    assert (presence.offer, presence.talks, presence.missed, presence.idle_since) == (
        None,
        (later,),
        0,
        NOW + 5,
    )
    assert pr.talk(presence, later, NOW + 5) == presence
    assert pr.talk(pr.reserve(presence, TWO, NOW), later, NOW + 5).offer == TWO


def test_given_leases_when_renewed_then_that_handoffs_hold_longer_and_nothing_else_changes() -> None:
    presence = pr.reserve(pr.talk(ANA, ONE, NOW), TWO, NOW)
    longer = Lease("warm-1", "node-2", NOW + 300)
    assert pr.renew(presence, longer, NOW).talks == (longer,)
    assert pr.renew(presence, longer, NOW).offer == TWO
    assert pr.renew(presence, Lease("warm-2", "node-2", NOW + 300), NOW).offer == Lease(
        "warm-2", "node-2", NOW + 300
    )


def test_given_a_lease_that_is_unknown_or_over_when_renewed_then_there_is_none() -> None:
    presence = pr.talk(ANA, ONE, NOW)
    assert pr.renew(presence, TWO, NOW) == presence
    late = Lease("warm-1", "node-1", NOW + 300)
    assert pr.renew(presence, late, ONE.until).talks == ()
    assert pr.renew(pr.reserve(ANA, ONE, NOW), late, ONE.until).offer is None


def test_given_leases_of_two_daemons_when_asked_for_one_then_only_its_are_told() -> None:
    presence = pr.reserve(pr.talk(ANA, ONE, NOW), TWO, NOW)
    assert pr.leases_of(presence, "node-1") == (ONE,)
    assert pr.leases_of(presence, "node-2") == (TWO,)
    assert pr.leases_of(ANA, "node-1") == ()


# -- the end of an agent's part --------------------------------------------------------------------------------


def test_given_a_talk_when_it_ends_then_they_wrap_up_and_are_idle_after_that() -> None:
    presence = pr.release(pr.talk(ANA, ONE, NOW), "warm-1", Ended.TALKED, RULES, NOW + 9)
    assert presence.talks == ()
    assert the(presence, now=NOW + 9) == Reason(Why.WRAPUP, "wrapping up the last call", NOW + 39)
    assert presence.idle_since == NOW + 39


def test_given_a_longer_wrap_up_when_a_second_talk_ends_then_it_is_not_cut_short() -> None:
    presence = pr.wrap_up(pr.talk(ANA, ONE, NOW), NOW + 500, NOW)
    presence = pr.release(presence, "warm-1", Ended.TALKED, RULES, NOW)
    assert presence.wrapup_until == presence.idle_since == NOW + 500


def test_given_a_talk_that_has_ended_when_it_ends_again_then_the_wrap_up_does_not_begin_anew() -> None:
    once = pr.release(pr.talk(ANA, ONE, NOW), "warm-1", Ended.TALKED, RULES, NOW)
    assert pr.release(once, "warm-1", Ended.TALKED, RULES, NOW + 20) == once


def test_given_a_lease_that_ran_out_unseen_when_the_talk_ends_then_they_wrap_up_all_the_same() -> None:
    presence = pr.release(pr.talk(ANA, ONE, NOW), "warm-1", Ended.TALKED, RULES, NOW + 600)
    assert presence.wrapup_until == NOW + 630


def test_given_another_handoffs_leases_when_one_is_released_then_they_are_kept() -> None:
    presence = pr.reserve(pr.talk(ANA, ONE, NOW), TWO, NOW)
    assert pr.release(presence, "warm-1", Ended.WITHDRAWN, RULES, NOW) == presence.evolve(talks=())
    assert pr.release(presence, "warm-2", Ended.WITHDRAWN, RULES, NOW) == presence.evolve(offer=None)
    assert pr.release(presence, "warm-3", Ended.MISSED, RULES, NOW) == presence


def miss(presence: Presence, rules: Rules, times: int = 1) -> Presence:
    for _ in range(times):
        presence = pr.release(pr.reserve(presence, ONE, NOW), "warm-1", Ended.MISSED, rules, NOW)
    return presence


def test_given_too_many_offers_that_rang_out_when_the_last_did_then_they_are_paused_with_that_reason() -> (
    None
):
    assert miss(ANA, RULES, 2).declared is Declared.READY
    presence = miss(ANA, RULES, 3)
    assert (presence.declared, presence.reason) == (Declared.PAUSED, "let 3 offers in a row ring out")
    assert (presence.by, presence.until, presence.since) == (pr.DAEMON, None, NOW)
    assert miss(ANA, Rules(0, 1)).reason == "let an offer ring out"


def test_given_a_missed_offer_when_it_is_told_twice_then_it_counts_once() -> None:
    once = miss(ANA, RULES)
    assert once.missed == 1
    assert pr.release(once, "warm-1", Ended.MISSED, RULES, NOW) == once


def test_given_any_number_may_be_missed_when_many_are_then_nobody_is_paused() -> None:
    presence = miss(ANA, Rules(0, 0), 9)
    assert (presence.missed, presence.declared) == (9, Declared.READY)


def test_given_an_agent_who_paused_meanwhile_when_the_offer_rings_out_then_their_own_reason_stays() -> None:
    assert miss(paused(), RULES, 5).reason == "lunch"


def test_given_missed_offers_when_one_is_answered_then_they_are_forgiven() -> None:
    offered = pr.reserve(ANA.evolve(missed=2), ONE, NOW)
    assert pr.release(offered, "warm-1", Ended.ANSWERED, RULES, NOW).missed == 0
    assert pr.release(offered, "warm-1", Ended.WITHDRAWN, RULES, NOW).missed == 2


# -- lamps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presence", "seen", "lamp"),
    [
        (ANA, FREE, Lamp.FREE),
        (pr.reserve(ANA, ONE, NOW), Seen("RINGING"), Lamp.OFFERED),
        (pr.talk(ANA, ONE, NOW), Seen("INUSE"), Lamp.TALKING),
        (ANA, Seen("INUSE"), Lamp.TALKING),
        (ANA, Seen(calendar=calendar(read_at=None)), Lamp.TALKING),
        (paused(), Seen("INUSE"), Lamp.AWAY),
        (pr.wrap_up(ANA, NOW + 9, NOW), FREE, Lamp.AWAY),
        (paused(), Seen("UNAVAILABLE"), Lamp.OFFLINE),
        (pr.declare(ANA, Declared.OFFLINE, NOW, BY), FREE, Lamp.OFFLINE),
    ],
)
def test_given_an_agent_when_their_lamp_is_shown_then_the_weightiest_reason_decides(
    presence: Presence, seen: Seen, lamp: Lamp
) -> None:
    assert pr.lamp(presence, pr.why_not(presence, seen, NOW)) is lamp


@pytest.mark.parametrize("why", Why)
def test_given_any_reason_when_a_lamp_is_shown_then_it_is_not_that_of_a_free_agent(why: Why) -> None:
    assert pr.lamp(ANA, [Reason(why, "")]) is not Lamp.FREE
