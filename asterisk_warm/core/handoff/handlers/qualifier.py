"""What the qualifier asks for, by keys or otherwise; and what it means, state by state, when they hang up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import HoldAgent, SecureLead, TakeOver
from asterisk_warm.core.handoff.events import (
    QualifierAsked,
    QualifierHungUp,
    QualifierJoined,
    QualifierLeft,
    QualifierPressed,
)
from asterisk_warm.core.handoff.handlers.ended import one_left, partner_lost
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff, LeadIs, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import (
    close_when_empty,
    connect,
    give_back,
    leave_at_phone,
    returned,
)
from asterisk_warm.core.handoff.moves.lead import alone, end_gap, hold
from asterisk_warm.core.handoff.moves.limits import KEY_SECONDS, SECURE_SECONDS
from asterisk_warm.core.handoff.moves.offering import join, ring_qualifier
from asterisk_warm.core.handoff.moves.qualifier import (
    is_swapped,
    is_talk_of_three,
    join_qualifier,
    leave,
    release,
    start_consult,
)
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

# -- what is asked for ---------------------------------------------------------------------------------------


def keys_so_far(handoff: Handoff, event: QualifierPressed) -> str:
    """The latest keys, this one last: as many as may mean something."""
    before = handoff.pressed if event.at - handoff.pressed_at <= KEY_SECONDS else ""
    return (before + event.digit)[-handoff.policy.qualifier_keys.longest :]


def pressed(handoff: Handoff, event: QualifierPressed) -> Step:
    sequence = keys_so_far(handoff, event)
    action = handoff.policy.qualifier_keys.action(sequence)
    handoff = handoff.evolve(pressed="" if action else sequence, pressed_at=event.at)
    return _act(handoff, action, event.at) if action is not None else Step(handoff)


def asked(handoff: Handoff, event: QualifierAsked) -> Step:
    return _act(handoff, event.action, event.at)


def _act(handoff: Handoff, action: Action, at: float) -> Step:
    act = ACTS.get((handoff.state, action))
    return Step(handoff) if act is None or refusal(handoff, action, at) else act(handoff, at)


def refusal(handoff: Handoff, action: Action, at: float) -> str:
    """Why the qualifier cannot have that now, in words; "" when they can."""
    if handoff.qualifier is None:
        return "there is no qualifier in this handoff"
    if (handoff.state, action) not in ACTS:
        return f"{action} is not possible in the state {handoff.state}"
    if handoff.state is State.CONNECTED:
        return _no_way_back(handoff, at)
    if not handoff.qualifier_here:
        return "the qualifier has left the call"
    if action is Action.SWAP and handoff.lead_is is LeadIs.AT_PHONE:
        return "the lead is on hold at the qualifier's own phone: swap there"
    return ""


def _no_way_back(handoff: Handoff, at: float) -> str:
    window, who = handoff.policy.take_back_seconds, handoff.qualifier
    if handoff.left_at is None or at > handoff.left_at + window:
        return f"the lead can be taken back for {window:g} s only"
    if who is None or not who.endpoint:
        return "it is not known where to ring the qualifier"
    recalled = handoff.recalled
    if recalled is not None and (recalled.state.open or recalled.state is OfferState.ACCEPTED):
        return "the qualifier is being rung already"
    return ""


def _leave(handoff: Handoff, at: float) -> Step:
    """While agents are sought: the lead waits alone for whoever accepts."""
    step = _from_phone(handoff)
    if step.handoff.lead_is is not LeadIs.HELD or step.commands:
        step = step.then(hold, at)
    return step.then(leave)


def _take_back(handoff: Handoff, at: float) -> Step:
    who = handoff.qualifier
    reason = f"{who.name if who and who.name else 'the qualifier'} took the lead back"
    return give_back(handoff, State.RETURNED, Status.TAKENBACK, reason, at)


def complete_consult(handoff: Handoff, at: float) -> Step:
    """The agent to the lead; the qualifier leaves."""
    step = _agent_to_lead(handoff, at)
    if handoff.lead_is is LeadIs.WITH_QUALIFIER:
        step = Step(alone(step.handoff, at), step.commands)
    return step.then(release)


def _three_way(handoff: Handoff, at: float) -> Step:
    step = _agent_to_lead(handoff, at)
    return step if handoff.qualifier_is is QualifierIs.WITH_LEAD else step.then(join_qualifier, at)


def _agent_to_lead(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    assert winner is not None, "a consult is with somebody"
    step = _from_phone(handoff)
    if step.commands:
        step = Step(alone(step.handoff, at), step.commands)
    step = step.then(join, winner, (), at)
    return Step(step.handoff.evolve(state=State.INTRODUCING), step.commands)


def _from_phone(handoff: Handoff) -> Step:
    """A lead who is on hold at the qualifier's own phone becomes ours."""
    if handoff.lead_is is not LeadIs.AT_PHONE:
        return Step(handoff)
    return Step(handoff.evolve(lead_is=LeadIs.HELD, fetching=True), (TakeOver("", ()),))


def _swap(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    assert winner is not None, "a consult is with somebody"
    if is_swapped(handoff):
        return start_consult(handoff, winner, at).then(hold, at)
    waits = HoldAgent(winner.number, handoff.policy.music)
    step = join_qualifier(handoff.evolve(consulted=False), at)
    return Step(step.handoff, (*step.commands, waits))


def leave_three(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    if is_talk_of_three(handoff) and winner is not None:
        return connect(handoff, winner, at)
    # The agent is on the way in, or being introduced: that connects them.
    return leave(alone(handoff, at) if handoff.lead_is is LeadIs.WITH_QUALIFIER else handoff)


ACTS: Mapping[tuple[State, Action], Callable[[Handoff, float], Step]] = {
    (State.REQUESTED, Action.TAKE_BACK): _take_back,
    (State.SEEKING, Action.COMPLETE): _leave,
    (State.SEEKING, Action.TAKE_BACK): _take_back,
    (State.OFFERING, Action.COMPLETE): _leave,
    (State.OFFERING, Action.TAKE_BACK): _take_back,
    (State.CONSULTING, Action.COMPLETE): complete_consult,
    (State.CONSULTING, Action.THREE_WAY): _three_way,
    (State.CONSULTING, Action.SWAP): _swap,
    (State.CONSULTING, Action.TAKE_BACK): _take_back,
    (State.INTRODUCING, Action.COMPLETE): leave_three,
    (State.INTRODUCING, Action.TAKE_BACK): _take_back,
    (State.CONNECTED, Action.TAKE_BACK): ring_qualifier,
}
"""What can be asked for in which state."""


# -- where they are ------------------------------------------------------------------------------------------


def joined(handoff: Handoff, event: QualifierJoined) -> Step:
    """With the lead again, in a consult that was swapped or on the way to a talk of three."""
    if handoff.qualifier_is is not QualifierIs.WITH_LEAD:
        return Step(handoff)
    if handoff.lead_is is not LeadIs.HELD:
        return Step(end_gap(handoff, event.at))
    handoff = end_gap(handoff, event.at).evolve(lead_is=LeadIs.WITH_QUALIFIER)
    if handoff.state is State.CONSULTING:
        # The agent waits: for as long as a lead would.
        handoff = handoff.evolve(state_deadline=None, hold_until=event.at + handoff.policy.hold_seconds)
    return Step(handoff)


def joined_again(handoff: Handoff, event: QualifierJoined) -> Step:
    """RETURNING: they have the lead back."""
    if handoff.qualifier_is is not QualifierIs.WITH_LEAD:
        return Step(handoff)
    return returned(end_gap(handoff, event.at).evolve(lead_is=LeadIs.WITH_QUALIFIER), event.at)


Lost = QualifierHungUp | QualifierLeft


def _without(handoff: Handoff, event: Lost) -> Handoff | None:
    """The handoff without the qualifier; None when they were leaving anyway, or are known to be gone."""
    return _marked(handoff, event) if handoff.qualifier_here else None


def _marked(handoff: Handoff, event: Lost) -> Handoff:
    if handoff.qualifier_is in (QualifierIs.NOBODY, QualifierIs.GONE):
        return handoff
    left = isinstance(event, QualifierLeft)
    return handoff.evolve(
        qualifier_is=QualifierIs.LEFT if left else QualifierIs.GONE, phone_waits=False, consulted=False
    )


def lost_while_seeking(handoff: Handoff, event: Lost) -> Step:
    """The lead waits alone for whoever accepts (blonde transfer); but who is on hold at the phone stays
    there."""
    without = _without(handoff, event)
    if without is None:
        return Step(_marked(handoff, event))
    if without.lead_is is LeadIs.AT_PHONE:
        return _given_up_at_phone(without, event.at)
    if without.lead_is is LeadIs.HELD:
        return Step(without)
    if without.state is State.REQUESTED:
        return _fetch_alone(without, event.at)
    return hold(without, event.at)


def _fetch_alone(handoff: Handoff, at: float) -> Step:
    """They were being taken over: wherever that has left the lead (in their own call, on in the dialplan,
    with us), they are taken in hand from there."""
    fetched = alone(handoff, at).evolve(fetching=True, state_deadline=at + SECURE_SECONDS)
    return Step(fetched, (SecureLead(handoff.policy.music, wording.early_variables(handoff)),))


def lost_while_consulting(handoff: Handoff, event: Lost) -> Step:
    """Hanging up completes, as on any phone; but a lead who is on hold at the phone stays there."""
    if handoff.lead_is is LeadIs.AT_PHONE:
        return _given_up_at_phone(_marked(handoff, event), event.at)
    lead_alone = alone(handoff, event.at) if handoff.lead_is is LeadIs.WITH_QUALIFIER else handoff
    step = _agent_to_lead(lead_alone, event.at)
    # Marked only now: whether the agent waits is seen by where the qualifier is.
    return Step(_marked(step.handoff, event), step.commands)


def _given_up_at_phone(handoff: Handoff, at: float) -> Step:
    reason = "the qualifier hung up, and has the lead on hold at their phone"
    return leave_at_phone(handoff, Status.CANCELLED, reason, at)


def lost_while_introducing(handoff: Handoff, event: Lost) -> Step:
    without = _without(handoff, event)
    if without is None:
        return Step(_marked(handoff, event))
    winner = without.winner
    if is_talk_of_three(handoff) and winner is not None:
        return connect(without, winner, event.at)
    return Step(alone(without, event.at) if without.lead_is is LeadIs.WITH_QUALIFIER else without)


def lost_while_returning(handoff: Handoff, event: Lost) -> Step:
    """Gone in the moment in which the lead was to come back to them: their phone is rung."""
    without = _without(handoff, event)
    if without is None:
        return Step(_marked(handoff, event))
    status = without.status or Status.TIMEOUT
    return hold(without, event.at).then(give_back, State.RETURNED, status, without.reason, event.at)


def lost_while_connected(handoff: Handoff, event: Lost) -> Step:
    return Step(_marked(handoff, event))


def lost_after_the_end(handoff: Handoff, event: Lost) -> Step:
    marked = _marked(handoff, event)
    if isinstance(event, QualifierLeft):
        return one_left(marked, handoff, event.at)
    return partner_lost(marked, handoff, QUALIFIER, event.at).then(close_when_empty)
