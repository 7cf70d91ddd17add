"""What the qualifier asks for, by keys or otherwise; and what it means, state by state, when they hang up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asterisk_warm.core.handoff.commands import HoldAgent, TakeOver
from asterisk_warm.core.handoff.events import (
    QualifierAsked,
    QualifierHungUp,
    QualifierJoined,
    QualifierLeft,
    QualifierPressed,
)
from asterisk_warm.core.handoff.handlers.ended import lead_alone
from asterisk_warm.core.handoff.model import Handoff, LeadIs, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import (
    close_when_empty,
    connect,
    give_back,
    leave_at_phone,
    returned,
)
from asterisk_warm.core.handoff.moves.lead import end_gap, hold
from asterisk_warm.core.handoff.moves.limits import KEY_SECONDS
from asterisk_warm.core.handoff.moves.offering import join, ring_qualifier
from asterisk_warm.core.handoff.moves.qualifier import is_swapped, join_qualifier, release, start_consult
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

# -- what is asked for ---------------------------------------------------------------------------------------


def pressed(handoff: Handoff, event: QualifierPressed) -> Step:
    keys = handoff.policy.qualifier_keys
    before = handoff.pressed if event.at - handoff.pressed_at <= KEY_SECONDS else ""
    sequence = (before + event.digit)[-keys.longest :]
    action = keys.action(sequence)
    handoff = handoff.evolve(pressed="" if action else sequence, pressed_at=event.at)
    return _act(handoff, action, event.at) if action is not None else Step(handoff)


def asked(handoff: Handoff, event: QualifierAsked) -> Step:
    return _act(handoff, event.action, event.at)


def _act(handoff: Handoff, action: Action, at: float) -> Step:
    act = _ACTS.get((handoff.state, action))
    return Step(handoff) if act is None or refusal(handoff, action, at) else act(handoff, at)


def refusal(handoff: Handoff, action: Action, at: float) -> str:
    """Why the qualifier cannot have that now, in words; "" when they can."""
    if handoff.qualifier is None:
        return "there is no qualifier in this handoff"
    if (handoff.state, action) not in _ACTS:
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
    return step.then(release)


def _take_back(handoff: Handoff, at: float) -> Step:
    who = handoff.qualifier
    reason = f"{who.name if who and who.name else 'the qualifier'} took the lead back"
    return give_back(handoff, State.RETURNED, Status.TAKENBACK, reason, at)


def complete_consult(handoff: Handoff, at: float) -> Step:
    """The agent to the lead; the qualifier, if still there, leaves."""
    return _agent_to_lead(handoff, at).then(release)


def _three_way(handoff: Handoff, at: float) -> Step:
    step = _agent_to_lead(handoff, at)
    if handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return step
    deadline = step.handoff.state_deadline
    joining = step.then(join_qualifier, at)
    return Step(joining.handoff.evolve(state_deadline=deadline), joining.commands)


def _agent_to_lead(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    assert winner is not None, "a consult is with somebody"
    step = _from_phone(handoff)
    if step.commands:
        step = Step(_alone(step.handoff, at), step.commands)
    step = step.then(join, winner, (), at)
    return Step(step.handoff.evolve(state=State.INTRODUCING), step.commands)


def _from_phone(handoff: Handoff) -> Step:
    """A lead who is on hold at the qualifier's own phone becomes ours."""
    if handoff.lead_is is not LeadIs.AT_PHONE:
        return Step(handoff)
    return Step(handoff.evolve(lead_is=LeadIs.HELD), (TakeOver("", ()),))


def _alone(handoff: Handoff, at: float) -> Handoff:
    """For the moment until somebody is joined."""
    since = at if handoff.held_since is None else handoff.held_since
    until = at + handoff.policy.hold_seconds
    return handoff.evolve(lead_is=LeadIs.HELD, held_since=since, hold_until=until)


def _swap(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    assert winner is not None, "a consult is with somebody"
    if is_swapped(handoff):
        return start_consult(handoff, winner, at).then(hold, at)
    waits = HoldAgent(winner.number, handoff.policy.music)
    step = join_qualifier(handoff.evolve(consulted=False), at)
    return Step(step.handoff, (*step.commands, waits))


def _leave_three(handoff: Handoff, at: float) -> Step:
    winner = handoff.winner
    if handoff.lead_is is LeadIs.WITH_AGENT and winner is not None:
        return connect(handoff, winner, at)
    # The agent is on the way in: their arrival connects them.
    return release(_alone(handoff, at) if handoff.lead_is is LeadIs.WITH_QUALIFIER else handoff)


def _ring_back(handoff: Handoff, at: float) -> Step:
    return ring_qualifier(handoff, at)


_ACTS: Mapping[tuple[State, Action], Callable[[Handoff, float], Step]] = {
    (State.REQUESTED, Action.TAKE_BACK): _take_back,
    (State.SEEKING, Action.COMPLETE): _leave,
    (State.SEEKING, Action.TAKE_BACK): _take_back,
    (State.OFFERING, Action.COMPLETE): _leave,
    (State.OFFERING, Action.TAKE_BACK): _take_back,
    (State.CONSULTING, Action.COMPLETE): complete_consult,
    (State.CONSULTING, Action.THREE_WAY): _three_way,
    (State.CONSULTING, Action.SWAP): _swap,
    (State.CONSULTING, Action.TAKE_BACK): _take_back,
    (State.INTRODUCING, Action.COMPLETE): _leave_three,
    (State.INTRODUCING, Action.TAKE_BACK): _take_back,
    (State.CONNECTED, Action.TAKE_BACK): _ring_back,
}
"""What can be asked for in which state."""


# -- where they are ------------------------------------------------------------------------------------------


def joined(handoff: Handoff, event: QualifierJoined) -> Step:
    """With the lead again, in a consult that was swapped or on the way to a talk of three."""
    if handoff.qualifier_is is not QualifierIs.WITH_LEAD:
        return Step(handoff)
    handoff = end_gap(handoff, event.at)
    if handoff.lead_is is LeadIs.HELD:
        handoff = handoff.evolve(lead_is=LeadIs.WITH_QUALIFIER)
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
        return Step(_alone(without, event.at))
    return hold(without, event.at)


def lost_while_consulting(handoff: Handoff, event: Lost) -> Step:
    """Hanging up completes, as on any phone; but a lead who is on hold at the phone stays there."""
    # Marked only now: whether the agent waits is seen by where the qualifier is.
    if not handoff.qualifier_here:
        return Step(_marked(handoff, event))
    if handoff.lead_is is LeadIs.AT_PHONE:
        return _given_up_at_phone(_marked(handoff, event), event.at)
    alone = _alone(handoff, event.at) if handoff.lead_is is LeadIs.WITH_QUALIFIER else handoff
    step = _agent_to_lead(alone, event.at)
    return Step(_marked(step.handoff, event), step.commands)


def _given_up_at_phone(handoff: Handoff, at: float) -> Step:
    reason = "the qualifier hung up, and has the lead on hold at their phone"
    return leave_at_phone(handoff, Status.CANCELLED, reason, at)


def lost_while_introducing(handoff: Handoff, event: Lost) -> Step:
    without = _without(handoff, event)
    if without is None:
        return Step(_marked(handoff, event))
    winner = without.winner
    if without.lead_is is LeadIs.WITH_AGENT and winner is not None:
        return connect(without, winner, event.at)
    return Step(_alone(without, event.at) if without.lead_is is LeadIs.WITH_QUALIFIER else without)


def lost_while_returning(handoff: Handoff, event: Lost) -> Step:
    """Gone in the moment in which the lead was to come back to them: their phone is rung."""
    without = _without(handoff, event)
    if without is None:
        return Step(_marked(handoff, event))
    status = without.status or Status.TIMEOUT
    return give_back(without, State.RETURNED, status, without.reason, event.at)


def lost_while_connected(handoff: Handoff, event: Lost) -> Step:
    return Step(_marked(handoff, event))


def lost_after_the_end(handoff: Handoff, event: Lost) -> Step:
    marked = _marked(handoff, event)
    if marked.lead_is is LeadIs.WITH_QUALIFIER and isinstance(event, QualifierHungUp):
        return lead_alone(marked)
    return close_when_empty(marked)
