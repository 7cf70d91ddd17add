"""How it goes on, and how it ends: lead and agent talk, the lead goes back, the lead is gone."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import CloseBridge, HoldLead, LetGo, Progress, ReturnLead
from asterisk_warm.core.handoff.model import (
    LEAD,
    QUALIFIER,
    Handoff,
    LeadIs,
    Line,
    Offer,
    QualifierIs,
    Status,
    agent_name,
)
from asterisk_warm.core.handoff.moves.lead import alone, end_gap, resume_comfort
from asterisk_warm.core.handoff.moves.limits import (
    AGAIN_SECONDS,
    CHECK_SECONDS,
    FAREWELL_SECONDS,
    JOIN_SECONDS,
    SETTLE_SECONDS,
)
from asterisk_warm.core.handoff.moves.offering import dismiss, hang_up, ring_qualifier, untried, withdraw
from asterisk_warm.core.handoff.moves.qualifier import (
    join_qualifier,
    release,
    set_aside,
    tell,
    tell_phone,
)
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def connect(handoff: Handoff, offer: Offer, at: float) -> Step:
    """They hear each other, introduced: from here on Asterisk alone is to carry the call. A qualifier who is
    still on the line leaves."""
    told = tell_phone(handoff, Progress.ANSWERED)
    connected = end_gap(told.handoff, at).evolve(
        state=State.CONNECTED,
        status=Status.CONNECTED,
        joined_at=handoff.joined_at or at,
        left_at=at,
        let_go=True,
        state_deadline=at + CHECK_SECONDS,
        reason=f"{offer.agent.name} took the lead",
    )
    order = LetGo(LEAD, agent_name(offer.number), wording.variables(connected))
    return Step(connected, (*told.commands, order)).then(release)


def lose_winner(handoff: Handoff, offer: Offer, at: float) -> Step:
    """The agent who accepted is not there after all: the lead is held again (or has the qualifier), and
    agents are sought again."""
    # Those who lost may still be hearing so, and are not free in this very moment.
    wait_until = max(handoff.wait_until, at + AGAIN_SECONDS)
    handoff = handoff.with_offer(offer).evolve(introduced=False, state_deadline=None, wait_until=wait_until)
    if handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return seek_again(handoff.evolve(lead_is=LeadIs.WITH_QUALIFIER), at)
    handoff = alone(handoff, at) if handoff.held_since is None else handoff.evolve(lead_is=LeadIs.HELD)
    held = Step(handoff, (HoldLead(handoff.policy.music, stop_introduction=handoff.introductions),))
    return held.then(resume_comfort, at).then(seek_again, at)


def seek_again(handoff: Handoff, at: float) -> Step:
    """Wait for whoever of the team has not been asked, or was only because another agent had accepted."""
    if at < handoff.hold_until and untried(handoff):
        return Step(handoff.evolve(state=State.SEEKING, state_deadline=None, hope=True))
    return nobody_took_it(handoff, at)


def if_all_offers_ended(handoff: Handoff, at: float) -> Step:
    """When the last open offer has ended without an accept, so has the handoff; or, when it was made to the
    qualifier, their chance to have the lead back."""
    if handoff.open_offers:
        return Step(handoff)
    if handoff.state is State.OFFERING:
        return seek_again(handoff, at) if handoff.hope else nobody_took_it(handoff, at)
    recalled = handoff.recalled
    if (
        handoff.state is State.RETURNING
        and recalled is not None
        and recalled.state is not OfferState.ACCEPTED
    ):
        return recall_failed(handoff, recalled, at)
    return Step(handoff)


def nobody_took_it(handoff: Handoff, at: float) -> Step:
    outcomes = {offer.state for offer in handoff.offers if not offer.recall}
    status = next((status for among, status in NOBODY if outcomes & among), Status.NOAGENT)
    return give_back(handoff, State.RETURNED, status, wording.nobody_words(handoff), at)


NOBODY = (
    ({OfferState.DECLINED}, Status.DECLINED),
    ({OfferState.NO_ANSWER, OfferState.NO_DECISION, OfferState.GONE, OfferState.LOST}, Status.TIMEOUT),
    ({OfferState.BUSY, OfferState.UNREACHABLE}, Status.NOAGENT),
    ({OfferState.FAILED}, Status.ERROR),
)
"""The first row that any offer's outcome is in gives the status: a person's answer tells more than a
network's."""


def give_back(handoff: Handoff, state: State, status: Status, reason: str, at: float) -> Step:
    """The lead, who is still there, goes back, with the reason: to the qualifier on the line; to the one who
    has hung up, by ringing them; else on in the dialplan."""
    if handoff.lead_is is LeadIs.AT_PHONE:
        return leave_at_phone(handoff, status, reason, at)
    if handoff.qualifier_here:
        return _back_to_qualifier(handoff, status, reason, at)
    if state is State.RETURNED and can_recall(handoff):
        return _recall(handoff, status, reason, at)
    return to_dialplan(handoff, state, status, reason, at)


def _back_to_qualifier(handoff: Handoff, status: Status, reason: str, at: float) -> Step:
    step = _dismiss_all(handoff, status, reason, at)
    going_back = step.handoff.evolve(status=status, reason=reason)
    if handoff.qualifier_is is QualifierIs.WITH_LEAD and handoff.lead_is is not LeadIs.HELD:
        # They are together already, in a talk of two or three.
        together = end_gap(going_back, at).evolve(lead_is=LeadIs.WITH_QUALIFIER)
        return Step(together, step.commands).then(returned, at)
    waiting = alone(going_back, at).evolve(state=State.RETURNING, hold_until=at + JOIN_SECONDS)
    # The lead first: whoever is being dismissed can wait.
    joining = join_qualifier(waiting, at)
    return Step(joining.handoff, (*joining.commands, *step.commands))


def returned(handoff: Handoff, at: float) -> Step:
    """Lead and qualifier are together again: the qualifier alone is told why, unless they wanted it, and they
    are let go."""
    declined = handoff.status in (Status.DECLINED, Status.NOTQUALIFIED, Status.NOCONSENT)
    told = tell_phone(handoff, Progress.DECLINED if declined else Progress.UNAVAILABLE)
    ended = _ended(told.handoff, State.RETURNED, at).evolve(let_go=True)
    order = LetGo(LEAD, QUALIFIER, wording.variables(ended))
    step = Step(ended, (*told.commands, order))
    return step if ended.status is Status.TAKENBACK else step.then(tell, wording.returned_line(handoff))


def can_recall(handoff: Handoff) -> bool:
    """Is there a qualifier who has hung up and can be rung? Once only for each return."""
    who = handoff.qualifier
    return bool(
        who is not None
        and who.endpoint
        and handoff.qualifier_is in (QualifierIs.GONE, QualifierIs.LEFT, QualifierIs.LEAVING)
        and handoff.policy.recall_seconds > 0
        and handoff.recalled is None
        and handoff.lead_is is LeadIs.HELD
    )


def _recall(handoff: Handoff, status: Status, reason: str, at: float) -> Step:
    """Ring the qualifier, with a budget of its own: the lead goes on being held."""
    policy = handoff.policy
    step = _dismiss_all(handoff, status, reason, at)
    waiting = step.handoff.evolve(
        state=State.RETURNING,
        status=status,
        reason=reason,
        state_deadline=None,
        hold_until=at + policy.recall_seconds + policy.decision_seconds,
    )
    ringing = ring_qualifier(waiting, at)
    return Step(ringing.handoff, (*ringing.commands, *step.commands))


def recall_failed(handoff: Handoff, recalled: Offer, at: float) -> Step:
    reason = f"{handoff.reason}; {wording.outcome_words(recalled)}"
    return to_dialplan(handoff, State.RETURNED, handoff.status or Status.TIMEOUT, reason, at)


def recall_joined(handoff: Handoff, recalled: Offer, at: float) -> Step:
    """The qualifier who was rung is with the lead."""
    together = end_gap(handoff, at).evolve(lead_is=LeadIs.WITH_QUALIFIER)
    ended = _ended(together, State.RETURNED, at).evolve(let_go=True)
    return Step(ended, (LetGo(LEAD, agent_name(recalled.number), wording.variables(ended)),))


def leave_at_phone(handoff: Handoff, status: Status, reason: str, at: float) -> Step:
    """The lead stays on hold at the qualifier's own phone, where they can be picked up; what is ours ends."""
    told = tell_phone(handoff, Progress.UNAVAILABLE)
    left = told.handoff.evolve(status=status, reason=reason, lead_is=LeadIs.LEFT)
    step = Step(left, told.commands).then(_dismiss_all, status, reason, at)
    if left.qualifier_is is QualifierIs.WITH_AGENT:
        step = step.then(set_aside)
    step = Step(_ended(step.handoff, State.RETURNED, at), step.commands)
    if status is Status.TAKENBACK:
        step = step.then(release)
    return step.then(_tell_and_release, wording.returned_line(left), at).then(close_when_empty)


def to_dialplan(handoff: Handoff, state: State, status: Status, reason: str, at: float) -> Step:
    """The lead goes on in the dialplan with the reason."""
    step = _dismiss_all(handoff, status, reason, at)
    ended = _ended(step.handoff.evolve(status=status, reason=reason), state, at)
    stop = handoff.comforts if handoff.comfort_playing else None
    order = ReturnLead(wording.variables(ended), ended.return_to, stop)
    # The lead first: whoever is being dismissed can wait.
    step = Step(ended, (order, *step.commands))
    return step.then(tell_phone, Progress.UNAVAILABLE).then(release)


def lead_gone(handoff: Handoff, lead_is: LeadIs, reason: str, at: float) -> Step:
    """The lead has left before anyone was connected."""
    gone = handoff.evolve(lead_is=lead_is, status=Status.ABANDONED, reason=reason)
    if handoff.qualifier_is is QualifierIs.WITH_AGENT and handoff.consulted:
        return _talk_on(gone, State.ABANDONED, at)
    step = _dismiss_all(gone, Status.ABANDONED, reason, at)
    ended = Step(_ended(step.handoff, State.ABANDONED, at), step.commands)
    return ended.then(_no_lead_any_more, at).then(close_when_empty)


def lead_gone_from_three(handoff: Handoff, lead_is: LeadIs, reason: str, at: float) -> Step:
    """The lead has left a talk of three: with the agent they had been."""
    gone = end_gap(handoff, at).evolve(lead_is=lead_is, status=Status.CONNECTED, reason=reason)
    return _talk_on(gone, State.COMPLETED, at)


def _talk_on(handoff: Handoff, state: State, at: float) -> Step:
    """Qualifier and agent are in the middle of a talk: they are told, and go on without us."""
    winner = handoff.winner
    assert winner is not None, "somebody talks to the qualifier"
    told = tell_phone(handoff, Progress.UNAVAILABLE)
    ended = _ended(told.handoff, state, at).evolve(let_go=True, qualifier_is=QualifierIs.WITH_AGENT)
    order = LetGo(QUALIFIER, agent_name(winner.number), ())
    return Step(ended, (*told.commands, order)).then(tell, Line("lead-left"))


def _no_lead_any_more(handoff: Handoff, at: float) -> Step:
    """A qualifier who talked to the lead goes on as after any call; one who waited is told first."""
    step = tell_phone(handoff, Progress.UNAVAILABLE)
    if step.handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return step.then(release)
    if step.handoff.qualifier_is is QualifierIs.WITH_AGENT:
        step = step.then(set_aside)
    return step.then(_tell_and_release, Line("lead-left"), at)


def _tell_and_release(handoff: Handoff, words: Line, at: float) -> Step:
    """A last word to a qualifier who waits aside: they go on when it has been said, or after a time."""
    if not handoff.qualifier_here:
        return Step(handoff)
    return tell(handoff.evolve(state_deadline=at + FAREWELL_SECONDS), words)


def complete(handoff: Handoff, lead_is: LeadIs, reason: str, at: float) -> Step:
    """The talk is over; the agent's leg is hung up if it still stands."""
    handoff = handoff.evolve(lead_is=lead_is, status=Status.CONNECTED, reason=reason)
    step = _withdraw_all(handoff, Status.CONNECTED, reason, at)
    step = Step(_ended(step.handoff, State.COMPLETED, at), step.commands).then(release)
    winner = step.handoff.winner
    if winner is not None and winner.leg_open:
        step = step.then(hang_up, winner, at)
    # A lead who is still with us leaves the bridge first.
    return step if lead_is is LeadIs.HELD else step.then(close_bridge)


def close_bridge(handoff: Handoff) -> Step:
    return Step(handoff, (CloseBridge(handoff.asks),) if handoff.bridge_open else ())


def pair_let_go(handoff: Handoff) -> tuple[str, str] | None:
    """The legs of two people whom an ended handoff left in a talk, as long as one of them is seen with us."""
    if not handoff.state.final or not handoff.let_go:
        return None
    recalled, winner = handoff.recalled, handoff.winner
    if handoff.lead_is is LeadIs.WITH_QUALIFIER:
        if recalled is not None and recalled.state is OfferState.ACCEPTED and recalled.leg_open:
            return LEAD, agent_name(recalled.number)
        return (LEAD, QUALIFIER) if handoff.qualifier_here else None
    if handoff.qualifier_is is QualifierIs.WITH_AGENT and winner is not None and winner.leg_open:
        return QUALIFIER, agent_name(winner.number)
    return None


def close_when_empty(handoff: Handoff) -> Step:
    """Closed any earlier, a bridge would take along who is still to leave it for a talk of their own."""
    leaving = handoff.let_go and (
        handoff.qualifier_here or any(o.leg_open and o.state is OfferState.ACCEPTED for o in handoff.offers)
    )
    if handoff.lead_is not in (LeadIs.LEFT, LeadIs.GONE) or leaving:
        return Step(handoff)
    return close_bridge(handoff)


def _ended(handoff: Handoff, state: State, at: float) -> Handoff:
    return handoff.evolve(
        state=state,
        ended_at=at,
        state_deadline=at + SETTLE_SECONDS,
        comfort_at=None,
        comfort_playing=False,
    )


def _withdraw_all(handoff: Handoff, status: Status, reason: str, at: float) -> Step:
    """Every open offer is told and dismissed, and a qualifier who accepted to take the lead back."""
    farewell, cause = _FAREWELLS.get(status, (Line("cancelled"), reason))
    step = withdraw(handoff, lambda _: farewell, cause, at)
    recalled = step.handoff.recalled
    if recalled is not None and recalled.state is OfferState.ACCEPTED:
        step = step.then(dismiss, recalled, OfferState.LOST, cause, None, at)
    return step


def _dismiss_all(handoff: Handoff, status: Status, reason: str, at: float) -> Step:
    """And the agent who was being joined, or consulted, is hung up: what is played into a bridge that is
    being dissolved may be lost, and its end with it."""
    _, cause = _FAREWELLS.get(status, (None, reason))
    step = _withdraw_all(handoff, status, reason, at)
    winner = step.handoff.winner
    if winner is not None:
        step = step.then(dismiss, winner, OfferState.LOST, cause, None, at)
    return step


_FAREWELLS = {
    Status.ABANDONED: (Line("lead-left"), "the lead left"),
    Status.TIMEOUT: (Line("too-late"), "the lead could not be held longer"),
    Status.CANCELLED: (Line("cancelled"), "the handoff was cancelled"),
    Status.TAKENBACK: (Line("taken-back"), "the qualifier took the lead back"),
}
