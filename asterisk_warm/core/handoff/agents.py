"""What a handoff needs of agents: whom it seeks, whom it keeps, and how its need of one ended."""

from __future__ import annotations

from enum import StrEnum

from asterisk_warm.core.handoff.model import Handoff, Offer
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.presence import Ended
from asterisk_warm.core.routing import Seeker


class Kept(StrEnum):
    """What an agent is kept for."""

    OFFER = "offer"
    TALK = "talk"
    """They have accepted: with the lead, or on the way."""


def kept(handoff: Handoff) -> dict[str, Kept]:
    """The agents whom nobody else may be given now, by id: as long as a leg of theirs is open."""
    found: dict[str, Kept] = {}
    if not handoff.state.final:
        found |= dict.fromkeys(handoff.reserved, Kept.OFFER)
    for offer in handoff.offers:
        if offer.leg_open and not offer.recall:
            accepted = offer.state is OfferState.ACCEPTED
            found[offer.agent.id] = Kept.TALK if accepted else Kept.OFFER
    return found


def ended(handoff: Handoff, agent: str) -> Ended:
    """How this handoff's need of an agent ended whom it keeps no longer."""
    offers = [offer for offer in handoff.offers if offer.agent.id == agent and not offer.recall]
    return _ended(handoff, offers[-1]) if offers else Ended.WITHDRAWN


def _ended(handoff: Handoff, offer: Offer) -> Ended:
    if offer.state is OfferState.ACCEPTED:
        return Ended.TALKED if handoff.joined_at is not None else Ended.ANSWERED
    if offer.state is OfferState.NO_DECISION:
        # A machine may have answered, which presses nothing: nobody was there.
        return Ended.ANSWERED if offer.pressed else Ended.MISSED
    return _ENDED.get(offer.state, Ended.WITHDRAWN)


_ENDED = {
    OfferState.NO_ANSWER: Ended.MISSED,
    OfferState.DECLINED: Ended.ANSWERED,
    OfferState.GONE: Ended.ANSWERED,
}


def seeker(handoff: Handoff, sticky: str = "") -> Seeker | None:
    """The handoff as routing sees it; None when it seeks nobody. `sticky`: the agent who spoke to this lead
    before."""
    if handoff.state not in _SEEKS or handoff.refusal is not None:
        return None
    latest = {offer.agent.id: offer for offer in handoff.offers if not offer.recall}
    ringing = frozenset(handoff.reserved) | {id for id, offer in latest.items() if offer.state.open}
    return Seeker(
        handoff=handoff.id,
        priority=handoff.policy.priority,
        since=handoff.requested_at,
        until=min(handoff.hold_until, handoff.wait_until),
        routing=handoff.policy.routing,
        roster=handoff.agents,
        tried=frozenset(id for id, offer in latest.items() if offer.state is not OfferState.LOST) - ringing,
        ringing=ringing,
        sticky=sticky,
    )


_SEEKS = frozenset({State.REQUESTED, State.SEEKING, State.OFFERING})
