"""The states, and what each of them means to the people on the line."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    REQUESTED = "REQUESTED"
    """The lead is being taken in hand: answered, given music, put in the handoff's bridge."""
    SEEKING = "SEEKING"
    """The lead is held, or talks to the qualifier; we are finding out who is free and making the briefing
    ready."""
    OFFERING = "OFFERING"
    """The lead is held, or talks to the qualifier; agents are being rung and briefed, the first to accept
    wins."""
    CONSULTING = "CONSULTING"
    """An agent accepted and talks privately to the qualifier, who has the lead on hold (or, swapped, the
    other way round)."""
    INTRODUCING = "INTRODUCING"
    """An agent accepted: they are being joined, and the lead hears who it is; from the qualifier, where there
    is one, in a talk of three."""
    CONNECTED = "CONNECTED"
    """Lead and agent talk. Asterisk alone carries the call as soon as it is let go."""
    RETURNING = "RETURNING"
    """Nobody took the lead, or the qualifier takes them back: the qualifier is being joined to them again, or
    rung for it."""
    COMPLETED = "COMPLETED"
    """They have talked, and the talk is over."""
    RETURNED = "RETURNED"
    """Nobody took the lead: they are with the qualifier again, or go on in the dialplan, with the reason."""
    ABANDONED = "ABANDONED"
    """The lead left before anyone was connected."""
    FAILED = "FAILED"
    """A technical failure ended it; the lead, if still there, goes on in the dialplan."""

    @property
    def final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset({State.COMPLETED, State.RETURNED, State.ABANDONED, State.FAILED})


class OfferState(StrEnum):
    RINGING = "RINGING"
    """The agent's phone is being rung."""
    BRIEFING = "BRIEFING"
    """The agent answered and hears, alone, who the lead is; a key is awaited."""
    ACCEPTED = "ACCEPTED"
    """The agent pressed accept, and won."""
    DECLINED = "DECLINED"
    """The agent said no."""
    NO_ANSWER = "NO_ANSWER"
    """The phone rang out."""
    NO_DECISION = "NO_DECISION"
    """The agent (or a machine) answered but did not decide in time."""
    BUSY = "BUSY"
    """The agent's line was busy."""
    UNREACHABLE = "UNREACHABLE"
    """The phone could not be reached."""
    GONE = "GONE"
    """The agent hung up after answering, before deciding, or after accepting but before being connected."""
    LOST = "LOST"
    """Withdrawn: another agent took the lead, the lead left, or the handoff was cancelled."""
    FAILED = "FAILED"
    """A technical failure."""

    @property
    def open(self) -> bool:
        """Whether the agent may still accept."""
        return self in (OfferState.RINGING, OfferState.BRIEFING)
