"""What happens when time runs out: for an offer, for the lead on hold, for a state."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import HoldLead, PlayComfort
from asterisk_warm.core.handoff.events import CommandFailed, DeadlinePassed
from asterisk_warm.core.handoff.handlers import asking, joining, offers, seeking
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Line, Offer, QualifierIs, Status
from asterisk_warm.core.handoff.moves.ending import connect, give_back, if_all_offers_ended
from asterisk_warm.core.handoff.moves.lead import hold, resume_comfort
from asterisk_warm.core.handoff.moves.limits import RETRY_SECONDS
from asterisk_warm.core.handoff.moves.offering import dismiss, hang_up
from asterisk_warm.core.handoff.moves.qualifier import set_aside, tell
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def held(handoff: Handoff, event: DeadlinePassed) -> Step:
    """While the lead is held: the budget first, then the state, the offers and the comfort."""
    if event.at >= handoff.hold_until:
        known = handoff.offers or handoff.not_free
        words = wording.nobody_words(handoff) if known else "no agent was rung yet"
        reason = f"the hold budget of {handoff.policy.hold_seconds:g} s was used up: {words}"
        return give_back(handoff, State.RETURNED, Status.TIMEOUT, reason, event.at)
    if handoff.state_deadline is not None and event.at >= handoff.state_deadline:
        return seeking.taking_over_failed(handoff, "the lead could not be taken in hand in time", event.at)
    step = seeking.look_up_due(handoff, event.at).then(asking.due, event.at)
    return step.then(offers_due_and_comfort, event)


def offers_due_and_comfort(handoff: Handoff, event: DeadlinePassed) -> Step:
    step = offers_due(handoff, event).then(if_all_offers_ended, event.at)
    return step.then(warning_due, event.at).then(comfort_due, event.at)


def warning_at(handoff: Handoff) -> float | None:
    """When the qualifier must be told that the hold budget is nearly used up; None when they need not be."""
    before = handoff.policy.warn_seconds
    waits = handoff.lead_is in (LeadIs.HELD, LeadIs.AT_PHONE) and handoff.qualifier_here
    if not before or not waits or handoff.warned or handoff.state not in _WARNED:
        return None
    return handoff.hold_until - before


_WARNED = frozenset({State.SEEKING, State.OFFERING, State.CONSULTING})


def warning_due(handoff: Handoff, at: float) -> Step:
    due = warning_at(handoff)
    if due is None or at < due:
        return Step(handoff)
    return tell(handoff.evolve(warned=True), Line("lead-waits"))


def offers_due(handoff: Handoff, event: DeadlinePassed) -> Step:
    step = Step(handoff)
    for offer in handoff.offers:
        if offer.leg_open and offer.deadline is not None and event.at >= offer.deadline:
            step = step.then(_offer_due, offer, event.at)
    return step


def _offer_due(handoff: Handoff, offer: Offer, at: float) -> Step:
    if offer.state is OfferState.RINGING:
        return dismiss(handoff, offer, OfferState.NO_ANSWER, "rang out", None, at)
    if offer.state is OfferState.BRIEFING:
        cause = wording.undecided_words(offer)
        return dismiss(handoff, offer, OfferState.NO_DECISION, cause, Line("no-decision"), at)
    return hang_up(handoff, offer, at)


def comfort_due(handoff: Handoff, at: float) -> Step:
    if handoff.state.final or handoff.comfort_at is None or at < handoff.comfort_at:
        return Step(handoff)
    number = handoff.comforts + 1
    line = wording.to_lead(handoff, wording.COMFORTS[handoff.comforts % len(wording.COMFORTS)])
    playing = handoff.evolve(comforts=number, comfort_at=None, comfort_playing=True)
    return Step(playing, (PlayComfort(number, (line,)),))


def introducing(handoff: Handoff, event: DeadlinePassed) -> Step:
    """An introduction whose end was never told: if the agent is in, they talk; if not, the join has
    failed."""
    step = offers_due(handoff, event)
    winner = step.handoff.winner
    if winner is None or handoff.state_deadline is None or event.at < handoff.state_deadline:
        return step
    if handoff.lead_is is LeadIs.WITH_AGENT:
        return step.then(connect, winner, event.at)
    return step.then(joining.give_up_join, winner, "the join took too long", event.at)


def music_failed(handoff: Handoff, event: CommandFailed) -> Step:
    """The lead must always hear something: music instead of an announcement that cannot be played; and
    where there is no music, an announcement shortly, and music after it. One who is asked something hears
    that, and music later."""
    if handoff.lead_asked:
        return offers.command_failed(handoff, event)
    if event.command == "PlayComfort":
        return Step(handoff, (HoldLead(handoff.policy.music),)).then(resume_comfort, event.at)
    if event.command == "HoldLead":
        return Step(handoff.evolve(comfort_playing=False, comfort_at=event.at + RETRY_SECONDS))
    return offers.command_failed(handoff, event)


def offering_failed(handoff: Handoff, event: CommandFailed) -> Step:
    if event.command == "TakeOver":
        return securing_failed(handoff, event)
    if event.command == "JoinQualifier" and handoff.qualifier_is is QualifierIs.WITH_LEAD:
        return set_aside(handoff).then(hold, event.at)
    if (unasked := asking.failed(handoff, event)) is not None:
        return unasked
    return music_failed(handoff, event)


def securing_failed(handoff: Handoff, event: CommandFailed) -> Step:
    if event.command == "LookUpLead" and seeking.look_up_limit(handoff) is not None:
        return seeking.lead_known(handoff)
    if event.command in _ATTEMPTED:
        reason = f"{_ATTEMPTED[event.command]}: {event.error}"
        if event.command == "TakeOver":
            requested = handoff.state is State.REQUESTED
            # A lead without their qualifier is fetched by another order.
            late = not handoff.qualifier_here if requested else not handoff.fetching
            return Step(handoff) if late else seeking.taking_over_failed(handoff, reason, event.at)
        return give_back(handoff, State.FAILED, Status.ERROR, reason, event.at)
    return offering_failed(handoff, event)


_ATTEMPTED = {
    "SecureLead": "the lead could not be taken in hand",
    "TakeOver": "the call could not be taken over",
}
