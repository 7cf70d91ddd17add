"""Leads who wait and agents who are free come together: who is reserved, told, kept and released. Staff and
dispatcher are real, the handoffs are the core's; the clock stands still, and Asterisk is the test."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from property.handoffs import AGENTS, LEAD, policy, request
from property.model_engine import Loop
from staff_memory import MemoryAgents, SetCalendars, SetDevices, nothing, store_of

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Agent, Handoff, Outcome, Playing
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.core.presence import By, Declared, Lease, Presence, Rules, declare
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.engine.agents.dispatcher import LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS, Dispatcher
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.directory import Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError

EVA = By("eva", "cli")
ONE_BY_ONE = Routing(Strategy.FANOUT, fanout=1, wait_seconds=60.0)
WAITING = Routing(wait_seconds=60.0)
ANA = AGENTS[:1]
OUTSIDE = Agent("+15550199", "+15550199", "PJSIP/15550199@trunk", "+15550199", outside=True)

_ids = itertools.count()


class Hall:
    """One daemon's staff and dispatcher, and its handoffs."""

    def __init__(self, loop: Loop, store: MemoryAgents, node: str = "warm") -> None:
        self.loop, self.store = loop, store
        self.devices = SetDevices()
        self.staff = Staff(store, self.devices, SetCalendars(), UTC, lambda *_: None)
        self.dispatcher = Dispatcher(self.staff, node)
        self.handoffs: dict[str, Handoff] = {}
        self.told: list[tuple[str, ev.AgentsFound]] = []
        self.hangs: set[str] = set()
        """Handoffs that do not take what they are told."""
        self.turns = 0
        self._turn, self.dispatcher._turn = self.dispatcher._turn, self._counted  # type: ignore[method-assign]
        self.do(self.staff.open())
        self.tasks = [loop.create_task(self.dispatcher.run(self.tell))]
        loop.settle()

    async def _counted(self) -> float:
        self.turns += 1
        return await self._turn()

    def do(self, work: Any) -> Any:
        task = self.loop.create_task(work)
        self.loop.settle()
        return task.result()

    def looks(self) -> None:
        """Takes notice of what others have changed."""
        self.do(self.staff.reload())

    def kill(self) -> None:
        for task in (*self.tasks, *self.dispatcher._tasks):
            task.cancel()
        self.loop.settle()

    async def tell(self, id: str, event: ev.Event) -> bool:
        assert isinstance(event, ev.AgentsFound)
        self.told.append((id, event))
        if id not in self.handoffs:
            raise Refused("not_found", "it is not open any more")
        if id in self.hangs:
            await asyncio.sleep(10.0)
            raise Refused("unreachable", "it did not take it")
        self.take(id, event)
        return True

    def take(self, id: str, event: ev.Event) -> Handoff:
        handoff = self.handoffs[id] = transition(self.handoffs[id], event).handoff
        self.dispatcher.changed(handoff)
        return handoff

    def happens(self, id: str, kind: type[ev.Event], **fields: Any) -> Handoff:
        self.take(id, kind(at=time.time(), event_id=f"t{next(_ids)}", **fields))
        self.loop.settle()
        return self.handoffs[id]

    def lead(
        self,
        id: str = "warm-1",
        roster: Sequence[Agent] = AGENTS,
        number: str = "+15550100",
        key: str = "",
        **settings: Any,
    ) -> Handoff:
        """Is in hand, and all that is to be said is ready."""
        lead = replace(LEAD, channel=f"lead-{id}", number=number, key=key)
        asked = request(time.time(), handoff=id, agents=tuple(roster), lead=lead, policy=policy(**settings))
        self.handoffs[id] = begin(asked).handoff
        self.dispatcher.changed(self.handoffs[id])
        self.take(id, ev.LeadSecured(at=time.time(), event_id=f"t{next(_ids)}"))
        return self.happens(id, ev.SpeechReady)

    def rung(self, id: str = "warm-1") -> list[str]:
        return [offer.agent.id for offer in self.handoffs[id].open_offers]

    def accepted(self, id: str = "warm-1", number: int = 1) -> None:
        self.happens(id, ev.AgentAnswered, offer=number)
        self.happens(id, ev.DigitPressed, offer=number, digit="1")

    def connected(self, id: str = "warm-1") -> None:
        self.accepted(id)
        self.happens(id, ev.AgentJoined, offer=1)
        self.happens(id, ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1)
        assert self.handoffs[id].joined_at is not None

    def all_gone(self, id: str = "warm-1") -> None:
        """The lead hangs up, and so does everybody."""
        self.happens(id, ev.LeadHungUp, cause="normal clearing")
        for offer in self.handoffs[id].offers:
            if offer.leg_open:
                self.happens(id, ev.AgentHungUp, offer=offer.number, outcome=Outcome.HUNG_UP, cause="")
        self.happens(id, ev.BridgeClosed)
        assert self.handoffs[id].settled

    def presence(self, agent: str) -> Presence:
        return self.store.presences[agent]

    def leases(self) -> dict[str, str]:
        """Agent → the handoff they are reserved for, in the store."""
        found = {}
        for id, presence in self.store.presences.items():
            for lease in (presence.offer, *presence.talks):
                if lease is not None:
                    found[id] = lease.handoff
        return found


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    loop = Loop()
    monkeypatch.setattr(time, "time", loop.time)
    yield loop
    assert loop.crashed() == []
    loop.cancel_everything()
    loop.close()


@pytest.fixture
def store() -> MemoryAgents:
    return store_of([Team("sales", "Sales", AGENTS, policy())])


@pytest.fixture
def hall(loop: Loop, store: MemoryAgents) -> Hall:
    return Hall(loop, store)


def change(store: MemoryAgents, agent: str, **changes: Any) -> None:
    """Another daemon does."""
    before = store.presences[agent]
    store.presences[agent] = before.evolve(version=before.version + 1, **changes)
    store._mark += 1


def busy(hall: Hall, *agents: Agent) -> None:
    for agent in agents:
        hall.devices.set(agent.endpoint, "INUSE")


# -- reserve, tell, ring -------------------------------------------------------------------------------------


def test_given_free_agents_then_they_are_reserved_in_the_store_and_rung(hall):
    hall.lead()
    assert hall.rung() == ["ana", "ben", "cy"]
    assert hall.leases() == dict.fromkeys(["ana", "ben", "cy"], "warm-1")
    lease = hall.presence("ana").offer
    assert (lease.node, lease.until) == ("warm", pytest.approx(time.time() + LEASE_SECONDS, abs=0.1))
    assert hall.presence("ana").offered_at == pytest.approx(time.time(), abs=0.1)


def test_given_an_agent_who_is_busy_then_the_handoff_is_told_why(hall):
    hall.devices.set("PJSIP/ana", "INUSE")
    hall.lead()
    assert hall.rung() == ["ben", "cy"]
    assert hall.handoffs["warm-1"].not_free == (("ana", "in a call"),)


def test_given_two_leads_and_one_agent_at_a_time_then_nobody_is_offered_both(hall):
    hall.lead("warm-1", routing=ONE_BY_ONE)
    hall.lead("warm-2", routing=ONE_BY_ONE)
    assert (hall.rung("warm-1"), hall.rung("warm-2")) == (["ana"], ["ben"])


def test_given_another_daemon_was_faster_then_somebody_else_is_rung(loop, store):
    west, east = Hall(loop, store, "west"), Hall(loop, store, "east")
    east.lead("warm-e", routing=ONE_BY_ONE)
    west.lead("warm-w", routing=ONE_BY_ONE)
    assert (east.rung("warm-e"), west.rung("warm-w")) == (["ana"], ["ben"])


def test_given_another_daemon_was_faster_then_the_older_lead_chooses_anew_before_the_younger(loop, store):
    west, east = Hall(loop, store, "west"), Hall(loop, store, "east")
    busy(west, *AGENTS)
    for id in ("warm-1", "warm-2"):
        west.lead(id, routing=ONE_BY_ONE)
        loop.advance(1.0)
    east.lead("warm-e", ANA)
    for agent in AGENTS:
        west.devices.set(agent.endpoint, "NOT_INUSE")
    loop.settle()
    assert (west.rung("warm-1"), west.rung("warm-2")) == (["ben"], ["cy"])


def test_given_all_were_taken_by_another_daemon_then_the_lead_waits_until_it_is_seen_that_one_is_free(
    loop, store
):
    west, east = Hall(loop, store, "west"), Hall(loop, store, "east")
    east.lead("warm-e")
    west.lead("warm-w", routing=WAITING)
    assert west.rung("warm-w") == []
    assert dict(west.handoffs["warm-w"].not_free)["ana"] == "being offered warm-e"
    east.happens("warm-e", ev.AgentHungUp, offer=1, outcome=Outcome.DECLINED, cause="")
    west.looks()
    assert west.rung("warm-w") == ["ana"]


def test_given_an_agent_pauses_while_they_are_being_reserved_then_they_are_not_rung(hall, store):
    async def pauses(what: str) -> None:
        if what == "save_presence":
            store.meanwhile = nothing
            change(store, "ana", declared=Declared.PAUSED, reason="lunch", by=EVA)

    store.meanwhile = pauses
    hall.lead(roster=ANA, routing=WAITING)
    assert hall.rung() == []
    assert hall.leases() == {}
    assert hall.presence("ana").reason == "lunch"


def test_given_the_handoff_is_cancelled_while_agents_are_reserved_then_it_is_not_told_and_they_are_free(
    hall, store
):
    async def cancelled(what: str) -> None:
        if what == "presence_saved" and hall.handoffs["warm-1"].state is State.SEEKING:
            hall.take("warm-1", ev.CancelRequested(at=time.time(), event_id="cancel", by="eva"))

    store.meanwhile = cancelled
    hall.lead()
    assert hall.handoffs["warm-1"].state is State.RETURNED
    assert [event.free for _, event in hall.told] == []
    assert hall.leases() == {}
    assert {hall.presence(agent.id).missed for agent in AGENTS} == {0}


def test_given_the_handoff_ends_before_it_takes_what_it_is_told_then_they_are_free(hall):
    hall.hangs.add("warm-1")
    hall.lead()
    assert hall.leases() == dict.fromkeys(["ana", "ben", "cy"], "warm-1")
    hall.happens("warm-1", ev.LeadHungUp, cause="")
    assert hall.leases(), "it may still take it"
    hall.hangs.clear()
    hall.loop.advance(10.0)
    assert hall.leases() == {}


# -- a handoff that does not listen --------------------------------------------------------------------------


def test_given_a_handoff_that_hangs_then_its_agents_stay_reserved_and_it_is_told_the_same_again(hall):
    hall.hangs.add("warm-1")
    hall.lead()
    hall.loop.advance(95.0)
    assert hall.leases() == dict.fromkeys(["ana", "ben", "cy"], "warm-1"), "it may still ring them"
    assert len({event.event_id for _, event in hall.told}) == 1
    assert len(hall.told) == 10
    hall.hangs.clear()
    hall.loop.advance(10.0)
    assert hall.rung() == ["ana", "ben", "cy"]


def test_given_an_older_lead_is_being_told_something_then_it_keeps_its_turn_unless_it_hangs(hall):
    busy(hall, *AGENTS)
    hall.hangs.add("warm-1")
    hall.lead("warm-1", routing=WAITING)
    hall.loop.advance(1.0)
    hall.lead("warm-2", routing=WAITING)
    hall.devices.set("PJSIP/ana", "NOT_INUSE")
    hall.loop.settle()
    assert hall.leases() == {}
    hall.loop.advance(10.0)
    assert hall.leases() == {"ana": "warm-2"}


def test_given_a_handoff_that_is_not_open_any_more_then_it_is_told_once_and_its_agents_are_free(hall):
    handoff = begin(request(time.time(), policy=policy())).handoff
    hall.dispatcher.changed(handoff)
    hall.loop.settle()
    assert [event.free for _, event in hall.told] == [("ana", "ben", "cy")]
    assert hall.leases() == {}
    hall.loop.advance(30.0)
    assert len(hall.told) == 1
    assert hall.turns < 12


def test_given_a_handoff_that_was_given_up_then_who_talks_is_free(hall):
    hall.lead()
    hall.connected()
    assert "ana" in hall.leases()
    hall.dispatcher.closed("warm-1")
    hall.loop.settle()
    assert hall.leases() == {}
    hall.loop.advance(LEASE_SECONDS)
    assert hall.leases() == {}, "nothing renews it"


# -- how it ends for an agent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "missed"), [(Outcome.NO_ANSWER, 2), (Outcome.DECLINED, 0), (Outcome.BUSY, 1)]
)
def test_given_an_offer_that_ends_then_it_counts_as_missed_only_when_it_rang_out(
    hall, store, outcome, missed
):
    change(store, "ana", missed=1)
    hall.looks()
    hall.lead()
    hall.happens("warm-1", ev.AgentHungUp, offer=1, outcome=outcome, cause="")
    assert hall.presence("ana").missed == missed
    assert hall.presence("ana").offer is None
    assert set(hall.leases()) == {"ben", "cy"}


def test_given_offers_that_ring_out_then_the_agent_is_paused_with_that_reason(hall):
    for id in ("warm-1", "warm-2"):
        hall.lead(id, ANA, agents=Rules(missed_offers=2))
        hall.happens(id, ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    ana = hall.presence("ana")
    assert (ana.declared, ana.reason) == (Declared.PAUSED, "let 2 offers in a row ring out")
    assert [(line.what, line.by.source) for line in hall.store.changes] == [("paused", "daemon")]
    hall.lead("warm-3", ANA)
    assert hall.handoffs["warm-3"].state.final, "nobody is rung, and nobody is expected"


def test_given_an_agent_who_accepts_then_they_talk_and_the_others_are_free_when_their_legs_are_gone(hall):
    hall.lead()
    hall.accepted()
    ana = hall.presence("ana")
    assert ana.offer is None
    assert [lease.handoff for lease in ana.talks] == ["warm-1"]
    assert hall.presence("ben").offer is not None, "their phone may still ring"
    hall.happens("warm-1", ev.AgentHungUp, offer=2, outcome=Outcome.NO_ANSWER, cause="")
    assert hall.presence("ben").offer is None
    assert hall.presence("ben").missed == 0, "it was taken from them"


def test_given_a_talk_is_over_then_the_agent_wraps_up_and_nothing_is_left(hall):
    hall.lead(agents=Rules(wrapup_seconds=30.0))
    hall.connected()
    hall.loop.advance(100.0)
    hall.all_gone()
    assert hall.leases() == {}
    assert hall.presence("ana").wrapup_until == pytest.approx(time.time() + 30.0, abs=0.1)
    assert hall.presence("ben").wrapup_until == 0.0
    assert hall.dispatcher._handoffs == hall.dispatcher._kept == {}


def test_given_the_last_that_happens_comes_while_an_agent_is_being_released_then_the_others_are_too(
    hall, store
):
    """What changes while the store is at work must not be forgotten."""
    hall.lead()
    hall.happens("warm-1", ev.LeadHungUp, cause="")
    hall.happens("warm-1", ev.BridgeClosed)
    gone = [
        ev.AgentHungUp(at=time.time(), event_id=f"gone{n}", offer=n, outcome=Outcome.NO_ANSWER, cause="")
        for n in (2, 3)
    ]

    async def more_hang_up(what: str) -> None:
        if what == "save_presence":
            while gone:
                hall.take("warm-1", gone.pop())

    store.meanwhile = more_hang_up
    hall.happens("warm-1", ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    assert hall.handoffs["warm-1"].settled
    assert hall.leases() == {}
    assert hall.dispatcher._handoffs == {}


# -- leases --------------------------------------------------------------------------------------------------


def test_given_a_long_talk_then_its_lease_is_renewed(hall):
    hall.lead()
    hall.connected()
    hall.loop.advance(600.0)
    (lease,) = hall.presence("ana").talks
    assert time.time() + LEASE_SECONDS - RENEW_SECONDS - 1 < lease.until <= time.time() + LEASE_SECONDS


def test_given_a_daemon_that_is_dead_then_its_agents_are_free_when_their_leases_end(loop, store):
    west, east = Hall(loop, store, "west"), Hall(loop, store, "east")
    west.lead("warm-w")
    west.kill()
    east.looks()
    east.lead("warm-e", routing=replace(WAITING, wait_seconds=100.0))
    loop.advance(LEASE_SECONDS - 1.0)
    assert east.rung("warm-e") == []
    loop.advance(2.0)
    assert east.rung("warm-e") == ["ana", "ben", "cy"]


def test_given_the_store_was_away_for_longer_than_a_lease_then_who_talks_is_taken_again(hall, store):
    hall.lead()
    hall.connected()

    async def away(_: str) -> None:
        raise JournalError("the store is away")

    store.meanwhile = away
    hall.loop.advance(LEASE_SECONDS + 30.0)
    assert hall.presence("ana").talks[0].until < time.time()
    store.meanwhile = nothing
    hall.loop.advance(RETRY_SECONDS + 0.1)
    assert hall.presence("ana").talks[0].until > time.time() + LEASE_SECONDS - 1.0


# -- restart -------------------------------------------------------------------------------------------------


def test_given_a_restart_then_what_the_handoffs_need_is_kept_and_the_rest_is_free(loop, store):
    before = Hall(loop, store)
    before.lead("warm-1", AGENTS[:2])
    before.kill()
    change(store, "cy", offer=Lease("warm-lost", "warm", time.time() + 50.0))
    change(store, "ben", offer=Lease("warm-1", "warm", time.time() + 5.0))
    after = Hall(loop, store)
    after.handoffs = before.handoffs
    after.dispatcher.changed(after.handoffs["warm-1"])
    after.dispatcher.recovered()
    loop.settle()
    assert after.leases() == {"ana": "warm-1", "ben": "warm-1"}
    loop.advance(10.0)
    assert after.presence("ben").offer.until > time.time(), "renewed at once: it was about to end"


def test_given_the_lease_ended_while_the_daemon_was_away_then_who_talks_is_taken_again(loop, store):
    before = Hall(loop, store)
    before.lead(agents=Rules(wrapup_seconds=30.0))
    before.connected()
    before.kill()
    loop.advance(LEASE_SECONDS + 60.0)
    after = Hall(loop, store)
    after.handoffs = before.handoffs
    after.dispatcher.changed(after.handoffs["warm-1"])
    after.dispatcher.recovered()
    loop.settle()
    assert after.presence("ana").talks[0].until > time.time()
    after.all_gone()
    assert after.presence("ana").wrapup_until > time.time()
    assert after.leases() == {}


def test_given_another_daemon_has_the_agent_meanwhile_then_it_keeps_them(loop, store):
    before = Hall(loop, store)
    before.lead(roster=ANA)
    before.kill()
    change(store, "ana", offer=Lease("warm-x", "east", time.time() + 50.0))
    after = Hall(loop, store)
    after.handoffs = before.handoffs
    after.dispatcher.changed(after.handoffs["warm-1"])
    after.dispatcher.recovered()
    loop.settle()
    assert after.leases() == {"ana": "warm-x"}
    after.happens("warm-1", ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    assert (after.leases(), after.presence("ana").missed) == ({"ana": "warm-x"}, 0)


# -- leads who wait ------------------------------------------------------------------------------------------


def test_given_nobody_can_become_free_then_the_handoff_is_told_so_once_and_ends(hall):
    for agent in AGENTS:
        hall.do(hall.staff.change(agent.id, lambda p: declare(p, Declared.OFFLINE, time.time(), EVA)))
    hall.lead(routing=WAITING)
    hall.loop.advance(60.0)
    assert [(event.free, event.hope) for _, event in hall.told] == [((), False)]
    assert hall.handoffs["warm-1"].state is State.RETURNED


def test_given_all_are_busy_then_the_lead_waits_and_is_offered_the_moment_somebody_is_free(hall):
    busy(hall, *AGENTS)
    hall.lead(routing=WAITING)
    hall.loop.advance(20.0)
    assert [(event.free, event.hope) for _, event in hall.told] == [((), True)]
    assert hall.dispatcher.waiting("sales") == (hall.handoffs["warm-1"],)
    hall.devices.set("PJSIP/ben", "NOT_INUSE")
    hall.loop.settle()
    assert hall.rung() == ["ben"]
    assert hall.dispatcher.waiting("sales") == ()


def test_given_nobody_comes_then_the_lead_waits_no_longer_than_configured(hall):
    busy(hall, *AGENTS)
    hall.lead(routing=WAITING)
    hall.loop.advance(59.0)
    assert hall.handoffs["warm-1"].state is State.SEEKING
    hall.loop.advance(2.0)
    assert hall.handoffs["warm-1"].state is State.RETURNED


def test_given_leads_who_wait_then_the_oldest_is_first_and_a_higher_priority_before_that(hall):
    busy(hall, *AGENTS)
    for id, priority in (("warm-1", 0), ("warm-2", 0), ("warm-3", 5)):
        hall.lead(id, routing=ONE_BY_ONE, priority=priority)
        hall.loop.advance(1.0)
    assert [one.id for one in hall.dispatcher.waiting("sales")] == ["warm-3", "warm-1", "warm-2"]
    for agent in AGENTS:
        hall.devices.set(agent.endpoint, "NOT_INUSE")
        hall.loop.settle()
    assert [hall.rung(id) for id in ("warm-3", "warm-1", "warm-2")] == [["ana"], ["ben"], ["cy"]]


def test_given_agents_reserved_before_the_speech_is_ready_then_the_lead_does_not_wait_for_somebody(hall):
    lead = request(time.time(), policy=policy())
    hall.handoffs["warm-1"] = begin(lead).handoff
    hall.dispatcher.changed(hall.handoffs["warm-1"])
    hall.loop.settle()
    assert hall.handoffs["warm-1"].reserved == ("ana", "ben", "cy")
    assert hall.dispatcher.waiting("sales") == ()


def test_given_the_fanout_widens_then_more_are_rung_in_time(hall):
    hall.lead(routing=replace(ONE_BY_ONE, widen_seconds=5.0))
    assert hall.rung() == ["ana"]
    hall.loop.advance(5.1)
    assert hall.rung() == ["ana", "ben"]
    hall.loop.advance(5.1)
    assert hall.rung() == ["ana", "ben", "cy"]


def test_given_an_agent_who_spoke_to_this_lead_before_then_they_are_rung_first(hall, store):
    store.talked["+15550142"] = "cy"
    hall.lead(number="+15550142", routing=replace(WAITING, sticky_seconds=8.0))
    assert hall.rung() == ["cy"]
    hall.loop.advance(8.1)
    assert hall.rung() == ["cy", "ana", "ben"]


@pytest.mark.parametrize(
    ("talked", "rung"),
    [
        ({"+12025550142": "cy", "2025550142": "ben"}, ["cy"]),
        ({"2025550142": "ben"}, ["ben"]),
        ({"": "ana"}, ["ana", "ben", "cy"]),
    ],
)
def test_given_a_lead_with_a_number_in_e164_then_they_are_found_by_it_and_else_as_shown(
    hall, store, talked, rung
):
    store.talked = talked
    hall.lead(number="2025550142", key="+12025550142", routing=replace(WAITING, sticky_seconds=8.0))
    assert hall.rung() == rung


def test_given_nobody_knows_who_spoke_to_this_lead_then_all_are_rung(hall, store):
    async def fails(what: str) -> None:
        if what == "last_agent":
            raise JournalError("the store is away")

    store.meanwhile = fails
    hall.lead(routing=replace(WAITING, sticky_seconds=8.0))
    assert hall.rung() == ["ana", "ben", "cy"]


# -- who is no agent -----------------------------------------------------------------------------------------


def test_given_an_outside_number_then_it_is_rung_for_several_leads_and_never_reserved(hall):
    for id in ("warm-1", "warm-2"):
        hall.lead(id, [OUTSIDE])
        assert hall.rung(id) == [OUTSIDE.id]
    assert hall.leases() == {}
    hall.happens("warm-1", ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    assert hall.handoffs["warm-1"].offers[0].state is OfferState.NO_ANSWER


def test_given_an_agent_removed_while_the_lead_waits_then_they_are_not_rung(hall, store):
    busy(hall, *AGENTS)
    hall.lead(routing=WAITING)
    hall.do(store.remove_agent("ana", EVA, time.time()))
    hall.looks()
    hall.devices.set("PJSIP/ana", "NOT_INUSE")
    hall.devices.set("PJSIP/ben", "NOT_INUSE")
    hall.loop.settle()
    assert hall.rung() == ["ben"]
    assert dict(hall.handoffs["warm-1"].not_free)["ana"] == "not an agent any more"


def test_given_an_agent_removed_while_they_are_rung_then_nothing_is_left(hall, store):
    hall.lead()
    hall.do(store.remove_agent("ana", EVA, time.time()))
    hall.looks()
    hall.happens("warm-1", ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    assert set(hall.leases()) == {"ben", "cy"}
    hall.all_gone()
    assert hall.leases() == hall.dispatcher._kept == {}


# -- a store that fails --------------------------------------------------------------------------------------


def failing(hall: Hall, what: str, times: int) -> None:
    left = [None] * times

    async def fails(asked: str) -> None:
        if asked == what and left:
            left.pop()
            raise JournalError("disk full")

    hall.store.meanwhile = fails


def test_given_one_reservation_fails_then_the_others_are_rung_and_it_is_tried_again(hall):
    failing(hall, "save_presence", 1)
    hall.lead()
    assert hall.rung() == ["ben", "cy", "ana"]
    assert [event.free for _, event in hall.told] == [("ben", "cy"), ("ana",)]


def test_given_no_reservation_can_be_written_then_the_lead_waits_until_it_can(hall):
    failing(hall, "save_presence", 3)
    hall.lead()
    assert hall.rung() == []
    assert hall.leases() == {}
    hall.loop.advance(RETRY_SECONDS + 0.1)
    assert hall.rung() == ["ana", "ben", "cy"]


def test_given_a_release_fails_then_it_is_tried_again_and_other_leads_do_not_wait_for_it(hall):
    hall.lead("warm-1", ANA)
    failing(hall, "save_presence", 1)
    hall.take("warm-1", ev.LeadHungUp(at=time.time(), event_id="gone", cause=""))
    hall.happens("warm-1", ev.AgentHungUp, offer=1, outcome=Outcome.NO_ANSWER, cause="")
    assert set(hall.leases()) == {"ana"}
    hall.lead("warm-2", AGENTS[1:])
    assert hall.rung("warm-2") == ["ben", "cy"]
    hall.loop.advance(RETRY_SECONDS + 0.1)
    assert hall.leases() == {"ben": "warm-2", "cy": "warm-2"}


def test_given_a_store_that_fails_for_long_then_it_is_tried_every_half_second_and_no_oftener(hall):
    hall.lead()
    failing(hall, "save_presence", 10_000)
    hall.turns = 0
    hall.loop.advance(30.0)
    assert 10 < hall.turns < 70


# -- nothing goes round in circles ---------------------------------------------------------------------------


def test_given_nothing_happens_then_there_is_a_turn_for_each_renewal_only(hall):
    busy(hall, *AGENTS[1:])
    hall.lead("warm-1", routing=WAITING)
    hall.lead("warm-2", routing=WAITING)
    hall.connected("warm-1")
    hall.turns = 0
    hall.loop.advance(10 * RENEW_SECONDS)
    assert hall.turns <= 25, "renewals, each telling of itself; and the end of waiting"


def test_given_one_lead_and_all_free_then_few_turns_bring_it_about(hall):
    hall.turns = 0
    hall.lead()
    assert hall.turns <= 6


def test_given_a_turn_then_each_agent_is_written_once(hall, store):
    writes = []

    async def count(what: str) -> None:
        writes.append(what)

    store.meanwhile = count
    hall.lead()
    assert writes.count("save_presence") == 3
    hall.loop.advance(RENEW_SECONDS - 1.0)
    assert writes.count("save_presence") == 3
    hall.loop.advance(2.0)
    assert writes.count("save_presence") == 6


def test_given_the_dispatcher_is_stopped_then_nothing_is_told_any_more(hall):
    hall.hangs.add("warm-1")
    hall.lead()
    hall.tasks[0].cancel()
    hall.loop.settle()
    hall.do(hall.dispatcher.stop())
    hall.loop.advance(30.0)
    assert len(hall.told) == 1
