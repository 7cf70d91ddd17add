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
    for offer in after.offers:
        earlier = before.offer(offer.number) if before is not None else None
        changed = earlier is not None and earlier.state is not offer.state and not offer.recall
        if changed and offer.state in _RANG_OUT:
            yield LogQueue(after.team, "RINGNOANSWER", offer.agent.endpoint, str(_ms(offer)))
    if before is None or after.state is not before.state:
        yield from _moved(before, after)


def _moved(before: Handoff | None, after: Handoff) -> Iterator[LogQueue]:
    """The talk begins when the agent is left with the lead, or the lead leaves a talk of three; it ends also
    when the lead is taken back."""
    was = before.state if before is not None else None
    winner = after.winner or (before.winner if before is not None else None)
    completed = after.state is State.COMPLETED
    if winner is not None and (after.state is State.CONNECTED or (completed and was is State.INTRODUCING)):
        yield _connect(after, winner)
    if winner is not None and (completed or was is State.CONNECTED):
        yield _complete(after, winner)
    elif after.state.final and after.left_at is None:
        event = "ABANDON" if after.state is State.ABANDONED else "EXITWITHTIMEOUT"
        yield LogQueue(after.team, event, _NOBODY, f"1|1|{_waited(after)}")


def _connect(handoff: Handoff, winner: Offer) -> LogQueue:
    ring = round((winner.answered_at or winner.rung_at) - winner.rung_at)
    message = f"{round(handoff.held_seconds)}|{handoff.lead.channel}|{ring}"
    return LogQueue(handoff.team, "CONNECT", winner.agent.endpoint, message)


def _complete(handoff: Handoff, winner: Offer) -> LogQueue:
    who = "COMPLETECALLER" if handoff.lead_is is LeadIs.GONE else "COMPLETEAGENT"
    until = handoff.ended_at or handoff.held_since or 0.0
    talked = round(until - (handoff.joined_at or until))
    return LogQueue(handoff.team, who, winner.agent.endpoint, f"{round(handoff.held_seconds)}|{talked}|1")


def _ms(offer: Offer) -> int:
    return round(((offer.decided_at or offer.rung_at) - offer.rung_at) * 1000)


def _waited(handoff: Handoff) -> int:
    return round((handoff.ended_at or handoff.requested_at) - handoff.requested_at)


def _field(text: str) -> str:
    """The log parts its fields by |, and its lines by line ends."""
    return "".join(c for c in text if c.isprintable() and c != "|")
