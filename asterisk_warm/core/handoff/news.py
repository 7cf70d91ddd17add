"""What screens and other systems are told of a handoff, read off each step. What is told before a phone rings
is ordered with the ringing (`moves.offering`)."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_warm.core.handoff.commands import News, Tell
from asterisk_warm.core.handoff.model import Handoff, Offer
from asterisk_warm.core.handoff.states import OfferState


def news(before: Handoff | None, after: Handoff) -> tuple[Tell, ...]:
    """What the step from `before` (None: the beginning) to `after` adds; each only once."""
    return tuple(_news(before, after))


def _news(before: Handoff | None, after: Handoff) -> Iterator[Tell]:
    for offer in after.offers:
        earlier = before.offer(offer.number) if before is not None else None
        if before is None or earlier is None or offer.recall:
            continue
        for kind, true in _TRUE.items():
            if true(after, offer) and not true(before, earlier):
                yield Tell(kind, offer.number)
    if after.state.final and not (before is not None and before.state.final):
        yield Tell(News.ENDED)


def closed(handoff: Handoff, offer: Offer) -> bool:
    """Nobody can accept it any more, or who did has talked."""
    accepted = offer.state is OfferState.ACCEPTED
    return not offer.state.open and not (accepted and not handoff.state.final)


_TRUE = {
    News.ANSWERED: lambda _, offer: offer.answered_at is not None,
    News.ACCEPTED: lambda _, offer: offer.state is OfferState.ACCEPTED,
    News.CLOSED: closed,
}
"""What is told as soon as it is so."""


def why_closed(handoff: Handoff, offer: Offer) -> str:
    """In words, for the agent whose offer it was."""
    winner = handoff.winner
    if offer.state is OfferState.LOST and winner is not None and winner is not offer:
        return f"taken by {winner.agent.name}"
    if offer.state is OfferState.ACCEPTED:
        return handoff.reason
    return offer.cause
