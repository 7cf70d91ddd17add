"""Why a request to the engine was turned down: one exception, four kinds, and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Literal, TypeVar

from asterisk_warm.engine.ports.journal import JournalError

T = TypeVar("T")
Kind = Literal["not_found", "conflict", "invalid", "unreachable"]


class Refused(Exception):
    """A request that changes nothing."""

    handoff: str = ""
    """The id under which the journal has it; empty: it has not."""

    def __init__(self, kind: Kind, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.remedy = remedy


class NotAllowed(Refused):
    """A lead of whom something must hold that does not. `status` is what the dialplan is told."""

    def __init__(self, status: str, reason: str, handoff: str) -> None:
        super().__init__("conflict", reason, "qualify the lead first, or see `require` of the team")
        self.status = status
        self.handoff = handoff


async def or_refused(work: Awaitable[T]) -> T:
    """What the store says. Raises Refused (unreachable) when it did not do it."""
    try:
        return await work
    except JournalError as error:
        raise Refused("unreachable", f"the store did not do it: {error}") from error
