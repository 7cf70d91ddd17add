"""The whole engine against a simulated Asterisk. Orders are late, refused, lost or half done; facts are late,
told twice or out of order; people answer, press, hang up and are moved at any moment; the engine is killed
and the connection lost at any moment. Whatever happens, the lead is not left alone, and nothing of ours is
left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from property.handoffs import AGENTS
from property.model_asterisk import HELD, LEAD, PEOPLE, QUALIFIER
from property.model_between import Between, numbers
from property.model_engine import Engines

from asterisk_warm.core.handoff.ids import (
    agent_leg,
    owner_of_bridge,
    parse_agent_leg,
    parse_playback,
    parse_recording,
)
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import (
    BRIEFINGS_PER_OFFER,
    Agent,
    Handoff,
    LeadIs,
    Outcome,
    Playing,
    QualifierIs,
)
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.routing import Routing
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.calls import AtDoor, Door, LeadAtDoor, Transfer

UNANSWERED = [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DECLINED, Outcome.UNREACHABLE, Outcome.FAILED]
LONGEST = 120.0 + 300.0 + 120.0 + 50.0 + 10 * 15.0 + 60.0
"""Seconds until all is over when nobody does anything more: the hold budget, the longest lingering, another hold
budget, the qualifier rung, every other time limit once or more, and the last checks."""
WAYS_IN = ["door", "door", "one call", "one call", "one call", "transfer key", "on hold", "on hold"]


class Model(Between):
    # -- the beginning ---------------------------------------------------------------------------------------

    @initialize(
        way=st.sampled_from(WAYS_IN),
        mode=st.sampled_from(Mode),
        introduction=st.booleans(),
        comfort=st.sampled_from([0.0, 20.0]),
        busy=numbers,
        progress=st.integers(0, 12),
        stays=st.integers(0, 9),
        asks=st.integers(-5, 8),
    )
    def the_lead_is_to_be_handed_off(
        self,
        way: str,
        mode: Mode,
        introduction: bool,
        comfort: float,
        busy: int,
        progress: int,
        stays: int,
        asks: int,
    ) -> None:
        """And the first steps go well, so that the trouble begins in every state; but for a qualifier who hangs
        up while the call is taken over."""
        if way == "door" and mode in (Mode.STAY, Mode.CONSULT):
            mode = Mode.AUTO
        patience = {"introduction": introduction, "comfort": comfort, "queue_log": busy % 5 == 0}
        patience["asks"] = (2, 2, 1, 0)[stays % 4]
        patience["look_up"] = way == "door" and stays % 2 == 0
        patience["routing"] = Routing(wait_seconds=(0.0, 45.0, 200.0)[busy % 3])
        transfer = Mode.STAY if mode in (Mode.STAY, Mode.CONSULT) else Mode.AUTO
        if way == "door":
            patience["mode"] = mode
        self.engine = Engines(self.pbx, self.loop, transfer_mode=transfer, **patience)
        self.engine.start()
        self.carry_out_all()
        if busy % 4 == 0:
            self.pbx.busy = {"PJSIP/ana"}
        self._come_in(way, mode)
        if stays == 0 and way in ("one call", "transfer key"):
            self.world.qualifier_hangs_up()
        agent = 1 + (busy % 4 == 0)
        if asks <= 0:
            self._go_well(agent, progress)
            return
        self._go_well(agent, 4)
        if agent in self.world.agents():
            self._ask_well(agent, asks)
        if agent in self.world.agents() and stays % 3 == 0:
            # They have heard enough.
            self.world.agent_presses(agent, "1")
            self.carry_out_all()

    def _come_in(self, way: str, mode: Mode) -> None:
        service, world = self.service, self.world
        if way == "door":
            world.lead_calls()
            at_door = LeadAtDoor(LEAD, "Grant", "+12025550143", {})
            self._call(lambda: service.entered(AtDoor(at_door, "sales", [])))
        elif way == "on hold":
            world.qualifier_holds_the_lead_and_calls()
            at_door = LeadAtDoor(QUALIFIER, *PEOPLE[QUALIFIER][:2], {})
            self._call(lambda: service.entered(AtDoor(at_door, "sales", [], Door.CONSULT)))
        elif way == "transfer key":
            world.lead_talks_to_qualifier()
            self._call(lambda: service.transfer_asked(Transfer(QUALIFIER, "700")))
        else:
            world.lead_talks_to_qualifier()
            sales = Destination(team="sales")
            self._ask(lambda: service.start(destination=sales, qualifier=QUALIFIER, mode=mode.value))
        while (leg := service.leg_of(LEAD)) is None:
            self.carry_out(self.pbx.orders.pop(0))
        world.handoff = leg[0]

    def _call(self, what: Any) -> None:
        self.loop.call_soon(what)
        self.loop.settle()

    def _ask(self, what: Any) -> None:
        async def ask(asked: Awaitable[Any]) -> None:
            with contextlib.suppress(Refused):
                await asked

        self.loop.create_task(ask(what()))
        self.loop.settle()

    def _go_well(self, agent: int, progress: int) -> None:
        steps = [
            lambda: None,
            lambda: self.world.agent_answers(agent),
            lambda: self.world.agent_presses(agent, "1"),
            self._end_playbacks,
            lambda: self.world.qualifier and self.world.qualifier_presses("*2"),
            lambda: self._ask(lambda: self.service.ask(self.world.handoff, Action.TAKE_BACK, "a test")),
        ]
        # The last one is left in the middle.
        for number, step in enumerate(steps[: (progress + 1) // 2]):
            if number > 0:
                self.carry_out_all()
            if number > 0 and agent not in self.world.agents():
                return
            step()
        if progress % 2 == 0:
            self.carry_out_all()

    def _end_playbacks(self, what: Playing | None = None) -> None:
        for playback in list(self.world.playbacks):
            if what is None or f"~{what}~" in playback:
                self.world.playback_ends(playback)
        self.carry_out_all()

    # -- people ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.lead)
    @rule(sure=st.integers(0, 3))
    def the_lead_hangs_up(self, sure: int) -> None:
        if sure == 0:
            self.world.lead_hangs_up()

    @precondition(lambda self: self.world.lead and self.world.lead.in_app)
    @rule(sure=st.integers(0, 6))
    def the_lead_is_taken_away(self, sure: int) -> None:
        if sure == 0:
            # An order that is under way is refused.
            self.disturbed = self.disturbed or not self.quiet
            self.world.lead_is_taken_away()

    def _some_agent(self, which: int, *, up: bool) -> int | None:
        legs = [n for n, leg in self.world.agents().items() if leg.up is up and leg.dialed]
        return legs[which % len(legs)] if legs else None

    @rule(which=numbers)
    def an_agent_answers(self, which: int) -> None:
        if (number := self._some_agent(which, up=False)) is not None:
            self.world.agent_answers(number)

    @rule(which=numbers, digit=st.sampled_from("11234555*"))
    def an_agent_presses(self, which: int, digit: str) -> None:
        if (number := self._some_agent(which, up=True)) is not None:
            self.world.agent_presses(number, digit)

    @rule(which=numbers)
    def an_agent_accepts_smoothly(self, which: int) -> None:
        if (number := self._some_agent(which, up=False)) is not None:
            self.world.agent_answers(number)
            self.carry_out_all()
            if number in self.world.agents():
                self.world.agent_presses(number, "1")

    @rule(which=numbers, progress=st.integers(1, 8))
    def an_agent_asks_smoothly(self, which: int, progress: int) -> None:
        """Up to any moment of the way there and back."""
        if (number := self._some_agent(which, up=True)) is not None:
            self._ask_well(number, progress)

    def _ask_well(self, agent: int, progress: int) -> None:
        steps = [
            lambda: self.world.agent_presses(agent, "5"),
            self._end_recordings,
            lambda: self._end_playbacks(Playing.QUESTION),
            self._end_recordings,
        ]
        # The last one is left in the middle.
        for step in steps[: (progress + 1) // 2]:
            self.carry_out_all()
            if agent in self.world.agents():
                step()
        if progress % 2 == 0:
            self.carry_out_all()

    def _end_recordings(self) -> None:
        for recording in list(self.world.recordings):
            self.world.recording_ends(recording)

    @rule(which=numbers, up=st.booleans(), outcome=st.sampled_from(UNANSWERED))
    def an_agent_ends(self, which: int, up: bool, outcome: Outcome) -> None:
        if (number := self._some_agent(which, up=up)) is not None:
            self.world.agent_ends(number, outcome)

    @rule(which=numbers, sure=st.integers(0, 3))
    def an_agent_is_taken_away(self, which: int, sure: int) -> None:
        number = self._some_agent(which, up=True)
        if sure == 0 and number is not None and self.world.agents()[number].in_app:
            self.world.agent_is_taken_away(number)

    @precondition(lambda self: self.running)
    @rule(agent=st.sampled_from(AGENTS), calls=st.booleans())
    def an_agent_has_a_call_of_their_own(self, agent: Agent, calls: bool) -> None:
        (self.pbx.busy.add if calls else self.pbx.busy.discard)(agent.endpoint)
        assert self.engine is not None
        self._call(self.engine.devices.moved)

    @precondition(lambda self: self.world.playbacks)
    @rule(which=numbers, failed=st.booleans())
    def a_playback_ends(self, which: int, failed: bool) -> None:
        self.world.playback_ends(list(self.world.playbacks)[which % len(self.world.playbacks)], failed)

    @precondition(lambda self: self.world.recordings)
    @rule(which=numbers, failed=st.booleans())
    def a_recording_ends(self, which: int, failed: bool) -> None:
        """A key, a silence, its longest time; or it could not be written."""
        self.world.recording_ends(list(self.world.recordings)[which % len(self.world.recordings)], failed)

    @precondition(lambda self: self.running)
    @rule(sure=st.integers(0, 3))
    def somebody_cancels(self, sure: int) -> None:
        if sure == 0:
            self._ask(lambda: self.service.cancel(self.world.handoff, "a test"))

    @precondition(lambda self: self.running)
    @rule(action=st.sampled_from(Action))
    def somebody_asks_for_the_qualifier(self, action: Action) -> None:
        self._ask(lambda: self.service.ask(self.world.handoff, action, "a test"))

    @precondition(lambda self: self.running)
    @rule(action=st.sampled_from(Action))
    def the_qualifier_has_it_smoothly(self, action: Action) -> None:
        self.carry_out_all()
        self.somebody_asks_for_the_qualifier(action)
        self.carry_out_all()

    @precondition(lambda self: self.world.qualifier and self.world.qualifier.in_app)
    @rule(keys=st.sampled_from(["*1", "*2", "*3", "*4", "*", "2"]))
    def the_qualifier_presses(self, keys: str) -> None:
        self.world.qualifier_presses(keys)

    @precondition(lambda self: self.world.qualifier)
    @rule(sure=st.integers(0, 2))
    def the_qualifier_hangs_up(self, sure: int) -> None:
        if sure == 0:
            self.world.qualifier_hangs_up()

    @precondition(lambda self: self.world.qualifier and self.world.qualifier.in_app)
    @rule(sure=st.integers(0, 6))
    def the_qualifier_is_taken_away(self, sure: int) -> None:
        if sure == 0:
            # Of two who are being let go, the other one is then alone for a moment.
            self.disturbed = True
            self.world.qualifier_is_taken_away()

    @precondition(lambda self: HELD in self.world.legs)
    @rule(sure=st.integers(0, 4))
    def the_phone_ends_the_call_with_the_lead_on_hold(self, sure: int) -> None:
        if sure == 0:
            self.world.ends(HELD)

    @precondition(lambda self: self.quiet)
    @rule(which=numbers, sure=st.integers(0, 6))
    def a_channel_is_replaced(self, which: int, sure: int) -> None:
        people = [leg for leg in self.world.legs.values() if leg not in self.world.asides]
        ours = [leg.id for leg in people if leg.in_app and leg.up]
        if ours and sure == 0:
            self.world.is_replaced(ours[which % len(ours)])

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def no_task_has_crashed(self) -> None:
        assert self.loop.crashed() == []

    @invariant()
    def the_invariants_of_the_core_hold(self) -> None:
        handoff = self.handoff()
        assert handoff is None or violations(handoff) == []

    @invariant()
    def the_lead_is_taken_up_once(self) -> None:
        assert self.engine is None or len(self.engine.journal.kept) <= 1

    @invariant()
    def a_handoff_fails_by_asterisk_alone(self) -> None:
        handoff = self.handoff()
        failed = handoff is not None and handoff.state is State.FAILED
        assert not failed or self.disturbed or self.slow, f"people cannot make it fail: {handoff}"

    @invariant()
    def never_two_agents_with_the_lead(self) -> None:
        handoff = self.handoff()
        offers = [handoff.offer(number) for number in self.world.with_lead()] if handoff else []
        assert len([offer for offer in offers if offer and not offer.recall]) <= 1

    @invariant()
    def the_briefing_is_played_to_agents_alone(self) -> None:
        others = [leg for leg in (self.world.lead, self.world.qualifier) if leg is not None]
        for playback, place in self.world.playbacks.items():
            if f"~{Playing.BRIEFING}~" in playback or f"~{Playing.FAREWELL}~" in playback:
                assert not any(place in (leg.id, leg.bridge) for leg in others)

    @invariant()
    def what_is_for_one_agent_is_played_on_their_channel_alone(self) -> None:
        """Briefing and farewell name the offer in their number; a question and its reply are one agent's."""
        askers = self.askers()
        for playback, place in self.world.playbacks.items():
            handoff, what, number = parse_playback(playback) or ("", "", 0)
            leg = self.world.legs.get(place)
            whose = leg.first_id if leg is not None else place
            if what == Playing.BRIEFING:
                assert whose == agent_leg(handoff, number // BRIEFINGS_PER_OFFER)
            if what == Playing.FAREWELL:
                assert whose == agent_leg(handoff, number)
            if what == Playing.REPLY:
                assert whose == agent_leg(handoff, askers[number]), f"{playback} to {whose}"

    @invariant()
    def a_reply_is_played_to_who_has_asked_and_the_question_to_nobody_in_the_talk(self) -> None:
        """By what is played, whatever it is called."""
        recordings = [
            (p, sound.removeprefix("recording:")) for p, sound in self.world.heard if ":warm-" in sound
        ]
        askers = self.askers() if recordings else {}
        for place, recording in recordings:
            handoff, number, reply = parse_recording(recording) or ("", 0, False)
            agent = parse_agent_leg(place.partition("+")[0])
            if reply:
                assert agent == (handoff, askers[number]), f"{recording} to {place}"
            else:
                assert agent is None and owner_of_bridge(place) is None, f"{recording} to {place}"

    @invariant()
    def an_agent_who_is_with_the_lead_hears_nothing_but_them(self) -> None:
        """Nor does Asterisk join who hears something: it would wait for the end."""
        agents = self.world.agents()
        for number in self.world.with_lead():
            heard = self.world.hears(agents[number].id) + self.world.records(agents[number].id)
            assert not heard or self.disturbed or not self.quiet, heard

    @invariant()
    def what_is_said_to_the_qualifier_is_not_played_to_the_lead(self) -> None:
        lead = self.world.lead
        for playback, place in self.world.playbacks.items():
            if f"~{Playing.ASIDE}~" in playback:
                assert lead is None or place not in (lead.id, lead.bridge)

    @invariant()
    def the_lead_is_never_left_in_silence(self) -> None:
        lead, handoff = self.world.lead, self.handoff()
        if not self.quiet or lead is None or not lead.in_app or handoff is None:
            return
        talks = self.world.lead_hears_somebody()
        replies = any(leg.listens_to == lead.id for leg in self.world.legs.values())
        hears = lead.music or self.world.hears(lead.id) or talks or replies
        assert hears or self.soon(handoff), f"the lead hears nothing: {handoff}"
        assert not (lead.music and talks) or self.disturbed, "music goes on during the talk"

    @invariant()
    def the_qualifier_is_never_left_in_silence(self) -> None:
        who, handoff = self.world.qualifier, self.handoff()
        if not self.quiet or who is None or not who.in_app or handoff is None or self.no_ringing:
            return
        talks = [leg for leg in self.world.legs.values() if leg is not who and self.world.together(who, leg)]
        hears = who.ringback or talks or self.world.hears(who.id)
        # Somebody may have taken away the other one of a pair that was being let go.
        assert hears or self.soon(handoff, any_cause=True), f"the qualifier hears nothing: {handoff}"

    @invariant()
    def nobody_is_rung_for_a_lead_who_is_gone(self) -> None:
        handoff = self.handoff()
        if not self.quiet or handoff is None:
            return
        if handoff.state.final or handoff.lead_is in (LeadIs.GONE, LeadIs.LEFT):
            ringing = [n for n, leg in self.world.agents().items() if not leg.up]
            assert not ringing or self.soon(handoff), f"ringing after the end: {ringing} {handoff}"

    @invariant()
    def every_leg_has_an_owner(self) -> None:
        handoff = self.handoff()
        if not self.quiet or handoff is None:
            return
        for number, leg in self.world.agents().items():
            offer = handoff.offer(number)
            assert offer is not None
            if leg.in_app:
                assert offer.leg_open, f"{leg} belongs to nobody: {handoff}"
        who = self.world.qualifier
        if who is not None and who.in_app:
            leaving = handoff.qualifier_is is QualifierIs.LEAVING
            assert leaving or handoff.qualifier_here, f"{who} belongs to nobody: {handoff}"

    def soon(self, handoff: Handoff, *, any_cause: bool = False) -> bool:
        """Asterisk failed, and the handoff tries again within seconds."""
        due = self.loop.next_timer()
        return (self.disturbed or any_cause) and due is not None and due - self.loop.now <= 15.0

    # -- the end ---------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if self.engine is None:
            return
        try:
            self._let_all_end()
            self._check_nothing_is_left()
        finally:
            self.engine.close()

    def _let_all_end(self) -> None:
        """From here on Asterisk works and nobody does anything, but that phones ring out and talks end."""
        assert self.engine is not None
        if not self.running:
            self.engine.start()
        if not self.pbx.connected:
            self.engine.connection(True)
        self.carry_out_all()
        for number, leg in self.world.agents().items():
            if not leg.up and leg.dialed:
                self.world.agent_ends(number, Outcome.NO_ANSWER)
        self.carry_out_all()
        began = self.loop.now
        for _ in range(200):
            for check in (self.no_task_has_crashed, self.the_invariants_of_the_core_hold):
                check()
            handoff = self.handoff()
            if handoff is None or handoff.settled:
                break
            if handoff.state is State.CONNECTED and self.world.lead is not None:
                began = self.loop.now
                self.world.lead_hangs_up()
            else:
                due = self.loop.next_timer()
                assert due is not None, f"nothing is awaited any more: {handoff}"
                self.loop.advance(due - self.loop.now + 1e-5)
            self.carry_out_all()
            assert self.loop.now - began <= LONGEST, f"it does not end: {handoff}"
        self.carry_out_all()

    def _check_nothing_is_left(self) -> None:
        handoff = self.handoff()
        lead = self.world.lead
        if handoff is None:
            return  # killed before it was written: Asterisk alone knows of this lead
        assert lead is None or not lead.in_app, f"the lead is left in the application: {handoff}"
        assert handoff.settled, f"not settled: {handoff}"
        ours = [leg for leg in self.world.legs.values() if leg.in_app]
        assert not ours and not self.world.bridges and not self.world.playbacks, (
            f"left behind: {ours} {self.world.bridges} {self.world.playbacks} of {handoff}"
        )
        recordings = [*self.world.recordings, *self.world.stored]
        assert not recordings, f"recordings are left behind: {recordings} of {handoff}"
        assert self.engine is not None
        kept = [one for one in self.engine.store.presences.values() if one.offer or one.talks]
        assert not kept, f"still reserved: {kept} of {handoff}"


TestModel = Model.TestCase
TestModel.pytestmark = [pytest.mark.timeout(600)]  # many small steps, on a machine that may be busy
TestModel.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
