"""What the engine needs from outside to tell screens and other systems, as Protocols; the daemon chooses who
provides it."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that screens and other systems are told."""

    id: str
    """Derived from what it is about: the same fact has the same id, however often it is told. Letters,
    digits, `.`, `_` and `-`."""
    kind: str
    """`offer.made`, `offer.answered`, `offer.accepted`, `offer.closed`, `handoff.ended`,
    `handoff.outcome`, `qualification.finished`."""
    at: float
    agent: str
    """Id of the agent whose screen it is for; empty: no agent's."""
    data: Mapping[str, Any]
    """JSON."""


class Receiver(Protocol):
    async def tell(self, notice: Notice) -> Awaitable[None]:
        """Returns when the notice will not be lost any more, as far as this receiver keeps it at all. What is
        returned ends when whoever is there has it, or cannot be told now; nobody needs to await it, and it
        is not cancelled. May raise JournalError."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way to one webhook."""

    id: int
    """Of the row; 0: not stored yet."""
    notice: str
    """The notice's id: the `webhook-id`, the same at each attempt."""
    webhook: str
    """Name of the configured webhook."""
    kind: str
    body: bytes
    """As it is signed and sent."""
    created_at: float
    next_at: float | None
    """When it is to be tried next, unless it is being tried now; None: no more."""
    attempts: int = 0
    delivered_at: float | None = None
    error: str = ""
    """Why the latest attempt failed, in words."""


class DeliveryStore(Protocol):
    """The webhooks' outbox. Every method may raise JournalError."""

    async def add(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Those that are new, with their ids: a notice is stored once for each webhook."""

    async def save(self, delivery: Delivery) -> None:
        """What became of an attempt."""

    async def due(self, webhook: str, now: float, until: float, limit: int) -> Sequence[Delivery]:
        """Undelivered ones of a webhook whose time has come, oldest first. They are the caller's from now on:
        for anybody else, and for the caller after a restart, they are due `until` then."""

    async def next_due(self, webhook: str) -> float | None:
        """When the next one of a webhook is due; None: nothing is."""

    async def get(self, id: int) -> Delivery | None: ...

    async def list(self, webhook: str, state: str, limit: int) -> Sequence[Delivery]:
        """Newest first. `webhook`: "" for all; `state`: all, pending, delivered or failed (given up)."""

    async def replay(self, ids: Sequence[int], now: float) -> int:
        """Make them due, whatever became of them before, unless no daemon sends to their webhook; how many
        are."""

    async def serve(self, webhooks: Collection[str], now: float, since: float) -> None:
        """This daemon sends to these webhooks from now on, and to no others. A daemon that has not said so
        `since` then does not count any more."""

    async def abandon(self, why: str, most: int) -> Sequence[str]:
        """Give up what is pending for webhooks to which no daemon sends, so many at most; the webhook of each
        that was given up."""

    async def prune(self, before: float) -> int:
        """Forget what was delivered before that, and what is of before and was given up; how many."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who may use the API over the network. The secret itself is shown once, and only its hash is kept."""

    id: str
    hash: str
    """SHA-256 of the secret, hex."""
    agent: str
    """The agent whose screen it opens; empty: it opens everything."""
    note: str
    created_at: float
    created_by: str
    revoked_at: float | None = None


class TokenStore(Protocol):
    """Every method may raise JournalError."""

    async def add(self, token: Token) -> None: ...

    async def by_hash(self, hash: str) -> Token | None:
        """One that is not revoked."""

    async def list(self) -> Sequence[Token]: ...

    async def revoke(self, id: str, now: float) -> bool:
        """False when there is none of that id."""
