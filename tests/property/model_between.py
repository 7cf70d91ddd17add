"""What stands between the engine and the simulated Asterisk in `test_model`: orders and facts that are late,
lost, refused, told twice; time; and disasters."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from property.model_asterisk import ModelPbx, Order, World
from property.model_engine import Engines, Loop

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import RecordQuestion
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.engine import codec
from asterisk_warm.engine.ports.pbx import PbxError, PbxRefused, PbxUnreachable

numbers = st.integers(0, 30)


class Between(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.world = World(self._told, self.loop.time)
        self.world.whose = lambda channel: self.service.leg_of(channel) if self.running else None
        self.world.replaced = self._replaced
        self.pbx = ModelPbx(self.world)
        self.engine: Engines | None = None
        self.facts: list[tuple[str, ev.Event]] = []
        self.replies: list[tuple[Order, Any, PbxError | None]] = []
        self.disturbed = False
        """Whether Asterisk has ever failed an order, or the engine missed a fact."""
        self.slow = False
        """Whether time has passed while something was under way."""
        self.no_ringing = False
        """Whether Asterisk has refused to let the qualifier hear ringing: then they wait in silence."""

    def handoff(self) -> Handoff | None:
        """As the journal has it."""
        kept = self.engine.journal.kept.get(self.world.handoff) if self.engine else None
        return codec.decode_handoff(kept.entries[-1].snapshot_json) if kept else None

    def askers(self) -> dict[int, int]:
        """Number of a question → the offer whose agent was let ask it, as the journal has it."""
        kept = self.engine.journal.kept.get(self.world.handoff) if self.engine else None
        ordered = [order for entry in kept.entries for order in entry.commands] if kept else []
        asked = [
            codec.decode_command(kind, data) for kind, data in ordered if kind == RecordQuestion.__name__
        ]
        return {order.number: order.offer for order in asked if isinstance(order, RecordQuestion)}

    @property
    def quiet(self) -> bool:
        """Nothing is under way between engine and Asterisk."""
        waits = self.facts or self.replies or self.pbx.orders
        return bool(self.running and self.pbx.connected and not waits and self.engine.recovery.done())  # type: ignore[union-attr]

    # -- the way between engine and Asterisk -----------------------------------------------------------------

    def _told(self, handoff: str, event: ev.Event) -> None:
        if self.engine is None or self.engine.service is None or not self.pbx.connected:
            self.disturbed = True
            return
        self.facts.append((handoff, event))

    def _replaced(self, *what: Any) -> None:
        if self.running and self.pbx.connected:
            self.loop.call_soon(self.service.replaced, *what)
            self.loop.settle()
        else:
            self.disturbed = True

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
        self.carry_out(order, late=late)

    @precondition(lambda self: self.running and self.pbx.orders)
    @rule(which=numbers, stages=st.integers(0, 4), lost=st.booleans(), late=st.booleans())
    def an_order_fails(self, which: int, stages: int, lost: bool, late: bool) -> None:
        """Refused after some of its stages, or its answer is lost."""
        self.disturbed = True
        order = self.pbx.orders.pop(which % len(self.pbx.orders))
        self.no_ringing = self.no_ringing or order.name.startswith("set aside")
        error = PbxUnreachable("no answer in time") if lost else PbxRefused("500 no")
        self.carry_out(order, stages, error, late=late)

    def carry_out(
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
                self.carry_out(self.pbx.orders.pop(0))
            else:
                return
        raise AssertionError("engine and Asterisk go on for ever without time passing")

    # -- time ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.running)
    @rule(seconds=st.sampled_from([0.2, 1.5, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.slow = self.slow or not self.quiet
        self.loop.advance(seconds)

    @precondition(lambda self: self.running and self.loop.next_timer() is not None)
    @rule()
    def the_next_deadline_comes(self) -> None:
        due = self.loop.next_timer()
        assert due is not None
        self.slow = self.slow or not self.quiet
        self.loop.advance(due - self.loop.now + 1e-5)

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
