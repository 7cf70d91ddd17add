"""What Asterisk's queue_log is told of a handoff, in app_queue's own words: a team is a queue there."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_warm.core.handoff.commands import LogQueue
from asterisk_warm.core.handoff.model import Handoff, LeadIs, Offer
from asterisk_warm.core.handoff.states import OfferState, State

_NOBODY = "NONE"
_RANG_OUT = frozenset({OfferState.NO_ANSWER, OfferState.NO_DECISION, OfferState.DECLINED, OfferState.BUSY})


def lines(before: Handoff | None, after: Handoff) -> tuple[LogQueue, ...]:
    """What the step from `before` (None: the beginning) to `after` adds."""
    return tuple(_lines(before, after))


def _lines(before: Handoff | None, after: Handoff) -> Iterator[LogQueue]:
    if before is None:
        yield LogQueue(after.team, "ENTERQUEUE", _NOBODY, f"|{_field(after.lead.number)}")
        return
    for offer in after.offers:
        earlier = before.offer(offer.number)
        if earlier is not None and earlier.state is not offer.state and offer.state in _RANG_OUT:
            yield LogQueue(after.team, "RINGNOANSWER", offer.agent.endpoint, str(_ms(offer)))
    if after.state is before.state:
        return
    winner = after.winner or before.winner
    held = round(after.held_seconds)
    if after.state is State.CONNECTED and winner is not None:
        ring = round((winner.answered_at or winner.rung_at) - winner.rung_at)
        yield LogQueue(after.team, "CONNECT", winner.agent.endpoint, f"{held}|{after.lead.channel}|{ring}")
    elif after.state is State.COMPLETED and winner is not None:
        who = "COMPLETECALLER" if after.lead_is is LeadIs.GONE else "COMPLETEAGENT"
        talked = round((after.ended_at or 0) - (after.joined_at or after.ended_at or 0))
        yield LogQueue(after.team, who, winner.agent.endpoint, f"{held}|{talked}|1")
    elif after.state is State.ABANDONED:
        yield LogQueue(after.team, "ABANDON", _NOBODY, f"1|1|{_waited(after)}")
    elif after.state.final:
        yield LogQueue(after.team, "EXITWITHTIMEOUT", _NOBODY, f"1|1|{_waited(after)}")


def _ms(offer: Offer) -> int:
    return round(((offer.decided_at or offer.rung_at) - offer.rung_at) * 1000)


def _waited(handoff: Handoff) -> int:
    return round((handoff.ended_at or handoff.requested_at) - handoff.requested_at)


def _field(text: str) -> str:
    """The log parts its fields by |, and its lines by line ends."""
    return "".join(c for c in text if c.isprintable() and c != "|")
