"""The whole engine against a simulated Asterisk. Orders are late, refused, lost or half done; facts are late,
told twice or out of order; people answer, press, hang up and are moved at any moment; the engine is killed
and the connection lost at any moment. Whatever happens, the lead is not left alone, and nothing of ours is
left behind."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from property.model_asterisk import LEAD, ModelPbx, Order, World, lead_at_door
from property.model_engine import Engine, Loop

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Outcome, Playing
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.engine import codec
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports import PbxError, PbxRefused, PbxUnreachable

numbers = st.integers(0, 30)
UNANSWERED = [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DECLINED, Outcome.UNREACHABLE, Outcome.FAILED]
LONGEST = 120.0 + 10 * 15.0 + 60.0
"""Seconds until all is over when nobody does anything more: the hold budget, every other time limit once or
more, and the last checks."""


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.world = World(self._told, self.loop.time)
        self.pbx = ModelPbx(self.world)
        self.engine: Engine | None = None
        self.facts: list[tuple[str, ev.Event]] = []
        self.replies: list[tuple[Order, Any, PbxError | None]] = []
        self.disturbed = False
        """Whether Asterisk has ever failed an order, or the engine missed a fact."""

    # -- the beginning ---------------------------------------------------------------------------------------

    @initialize(
        mode=st.sampled_from(Mode),
        introduction=st.booleans(),
        comfort=st.sampled_from([0.0, 20.0]),
        busy=numbers,
        progress=st.integers(0, 5),
    )
    def lead_asks_for_the_team(
        self, mode: Mode, introduction: bool, comfort: float, busy: int, progress: int
    ) -> None:
        """And the first steps go well, so that the trouble begins in every state."""
        self.engine = Engine(self.pbx, self.loop, mode=mode, introduction=introduction, comfort=comfort)
        self.engine.start()
        self.carry_out_all()
        if busy % 4 == 0:
            self.pbx.busy = {"PJSIP/ana"}
        self.world.lead_calls()
        service = self.engine.service
        assert service is not None

        async def enter() -> None:
            service.lead_entered(lead_at_door(LEAD), "sales", [])

        self.loop.create_task(enter())
        self.loop.settle()
        self.world.handoff = service.handoff_of_lead(LEAD) or ""
        assert self.world.handoff
        if progress > 0:
            self.carry_out_all()
        if progress > 1:
            self.world.agent_answers(1 + busy % 2)
            self.carry_out_all()
        if progress > 2 and mode is Mode.AUTO:
            self.world.agent_presses(1 + busy % 2, "1")
        if progress > 3:
            self.carry_out_all()
        if progress > 4:
            for playback in list(self.world.playbacks):
                self.world.playback_ends(playback)

    # -- the way between engine and Asterisk -----------------------------------------------------------------

    def _told(self, handoff: str, event: ev.Event) -> None:
        if self.engine is None or self.engine.service is None or not self.pbx.connected:
            self.disturbed = True
            return
        self.facts.append((handoff, event))

    def deliver(self, index: int, *, again: bool = False) -> None:
        handoff, event = self.facts[index] if again else self.facts.pop(index)
        service = self.service
        self.loop.call_soon(service.post, handoff, event)
        self.loop.settle()

    @property
    def service(self) -> Any:
        assert self.engine is not None and self.engine.service is not None
        return self.engine.service

    @property
    def running(self) -> bool:
        return self.engine is not None and self.engine.service is not None

    @precondition(lambda self: self.running and self.facts)
    @rule(which=numbers, again=st.booleans())
    def a_fact_arrives(self, which: int, again: bool) -> None:
        self.deliver(which % len(self.facts), again=again)

    @precondition(lambda self: self.running and self.pbx.orders)
    @rule(which=numbers, late=st.booleans())
    def an_order_is_carried_out(self, which: int, late: bool) -> None:
        order = self.pbx.orders.pop(which % len(self.pbx.orders))
        self._carry_out(order, late=late)

    @precondition(lambda self: self.running and self.pbx.orders)
    @rule(which=numbers, stages=st.integers(0, 4), lost=st.booleans(), late=st.booleans())
    def an_order_fails(self, which: int, stages: int, lost: bool, late: bool) -> None:
        """Refused after some of its stages, or its answer is lost."""
        self.disturbed = True
        order = self.pbx.orders.pop(which % len(self.pbx.orders))
        error = PbxUnreachable("no answer in time") if lost else PbxRefused("500 no")
        self._carry_out(order, stages, error, late=late)

    def _carry_out(
        self, order: Order, stages: int | None = None, error: PbxError | None = None, *, late: bool = False
    ) -> None:
        said = None
        try:
            said = order.carry_out(stages)
        except PbxError as refused:
            error = error or refused
        self.replies.append((order, said, error))
        if not late:
            self._reply(len(self.replies) - 1)

    @precondition(lambda self: self.replies)
    @rule(which=numbers)
    def a_reply_arrives(self, which: int) -> None:
        self._reply(which % len(self.replies))

    def _reply(self, index: int) -> None:
        order, said, error = self.replies.pop(index)
        if order.reply.done():
            return
        if error is None:
            order.reply.set_result(said)
        else:
            order.reply.set_exception(error)
        self.loop.settle()

    @rule()
    def all_goes_well_for_a_while(self) -> None:
        self.carry_out_all()

    def carry_out_all(self) -> None:
        """Every order is carried out and every fact told, until there is nothing more to do."""
        for _ in range(300):
            if self.replies:
                self._reply(0)
            elif self.running and self.facts:
                self.deliver(0)
            elif self.pbx.orders:
                self._carry_out(self.pbx.orders.pop(0))
            else:
                return
        raise AssertionError("engine and Asterisk go on for ever without time passing")

    # -- time ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.running)
    @rule(seconds=st.sampled_from([0.2, 1.5, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.advance(seconds)

    @precondition(lambda self: self.running and self.loop.next_timer() is not None)
    @rule()
    def the_next_deadline_comes(self) -> None:
        due = self.loop.next_timer()
        assert due is not None
        self.loop.advance(due - self.loop.now + 1e-5)

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
            self.world.lead_is_taken_away()

    def _some_agent(self, which: int, *, up: bool) -> int | None:
        legs = [n for n, leg in self.world.agents().items() if leg.up is up and leg.dialed]
        return legs[which % len(legs)] if legs else None

    @rule(which=numbers)
    def an_agent_answers(self, which: int) -> None:
        if (number := self._some_agent(which, up=False)) is not None:
            self.world.agent_answers(number)

    @rule(which=numbers, digit=st.sampled_from("1123*"))
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

    @rule(which=numbers, up=st.booleans(), outcome=st.sampled_from(UNANSWERED))
    def an_agent_ends(self, which: int, up: bool, outcome: Outcome) -> None:
        if (number := self._some_agent(which, up=up)) is not None:
            self.world.agent_ends(number, outcome)

    @rule(which=numbers, sure=st.integers(0, 3))
    def an_agent_is_taken_away(self, which: int, sure: int) -> None:
        number = self._some_agent(which, up=True)
        if sure == 0 and number is not None and self.world.agents()[number].in_app:
            self.world.agent_is_taken_away(number)

    @precondition(lambda self: self.world.playbacks)
    @rule(which=numbers, failed=st.booleans())
    def a_playback_ends(self, which: int, failed: bool) -> None:
        self.world.playback_ends(list(self.world.playbacks)[which % len(self.world.playbacks)], failed)

    @precondition(lambda self: self.running)
    @rule(sure=st.integers(0, 3))
    def somebody_cancels(self, sure: int) -> None:
        if sure:
            return

        async def cancel(service: Any, handoff: str) -> None:
            with contextlib.suppress(Refused):
                await service.cancel(handoff, "a test")

        self.loop.create_task(cancel(self.service, self.world.handoff))
        self.loop.settle()

    # -- disasters -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.running)
    @rule(carried_out=st.integers(0, 4), stages=st.integers(0, 4))
    def the_engine_is_killed(self, carried_out: int, stages: int) -> None:
        self.disturbed = True
        for order in self.pbx.orders[:carried_out]:
            with contextlib.suppress(PbxError):
                order.carry_out(stages)
        assert self.engine is not None
        self.engine.kill()
        self.facts.clear()
        self.replies.clear()

    @precondition(lambda self: self.engine is not None and not self.running)
    @rule()
    def the_engine_is_started_again(self) -> None:
        assert self.engine is not None
        self.engine.start()

    @precondition(lambda self: self.running and self.pbx.connected)
    @rule()
    def the_connection_is_lost(self) -> None:
        assert self.engine is not None
        self.disturbed = True
        self.facts.clear()
        self.engine.connection(False)

    @precondition(lambda self: self.running and not self.pbx.connected)
    @rule()
    def the_connection_is_back(self) -> None:
        assert self.engine is not None
        self.engine.connection(True)

    # -- what must hold --------------------------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        """Nothing is under way between engine and Asterisk."""
        waits = self.facts or self.replies or self.pbx.orders
        return bool(self.running and self.pbx.connected and not waits and self.engine.recovery.done())  # type: ignore[union-attr]

    def handoff(self) -> Handoff | None:
        kept = self.engine.journal.kept.get(self.world.handoff) if self.engine else None
        return codec.decode_handoff(kept.entries[-1].snapshot_json) if kept else None

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
    def never_two_agents_with_the_lead(self) -> None:
        assert len(self.world.with_lead()) <= 1

    @invariant()
    def the_briefing_is_never_played_where_the_lead_is(self) -> None:
        lead = self.world.lead
        for playback, place in self.world.playbacks.items():
            if f"~{Playing.BRIEFING}~" in playback or f"~{Playing.FAREWELL}~" in playback:
                assert lead is None or place not in (lead.id, lead.bridge)

    @invariant()
    def the_lead_is_never_left_in_silence(self) -> None:
        lead, handoff = self.world.lead, self.handoff()
        if not self.quiet or lead is None or not lead.in_app or handoff is None:
            return
        hears = lead.music or self.world.hears(LEAD) or self.world.with_lead()
        assert hears or self.soon(handoff), f"the lead hears nothing: {handoff}"
        assert not (lead.music and self.world.with_lead()) or self.disturbed, "music goes on during the talk"

    @invariant()
    def nobody_is_rung_for_a_lead_who_is_gone(self) -> None:
        handoff = self.handoff()
        if not self.quiet or handoff is None:
            return
        if handoff.state.final or handoff.lead_is is not LeadIs.HELD:
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

    def soon(self, handoff: Handoff) -> bool:
        """Asterisk failed, and the handoff tries again within seconds."""
        due = self.loop.next_timer()
        return self.disturbed and due is not None and due - self.loop.now <= 15.0

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
        ours = [leg for leg in self.world.agents().values() if leg.in_app]
        assert not ours and not self.world.bridges and not self.world.playbacks, (
            f"left behind: {ours} {self.world.bridges} {self.world.playbacks} of {handoff}"
        )


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
