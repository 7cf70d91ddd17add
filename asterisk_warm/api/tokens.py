"""Who may use the API over the network: secrets that are made here, shown once, and kept as hashes only."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.screens.ports import Token, TokenStore

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 5.0
"""How long a token that another daemon has revoked may still open something here."""
UNKNOWN_SECONDS = 0.5
"""How often the store is asked for tokens that are not known yet, whoever asks and however often."""
BITS = 256
"""Of a secret, all of them random: a hash of it needs neither salt nor stretching."""
_SECRET = re.compile(r"warm_[A-Za-z0-9_-]{43}", re.ASCII)


class Tokens:
    def __init__(self, store: TokenStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known: Mapping[str, Token] = {}
        """Those that are not revoked, by hash."""
        self._read_at = float("-inf")
        self._changes = 0
        self._reading = asyncio.Lock()

    async def make(self, agent: str, note: str, by: str) -> tuple[Token, str]:
        """A token, and its secret, which nobody is told again. `agent`: an id; empty for one that opens
        everything. Raises JournalError."""
        secret = f"warm_{secrets.token_urlsafe(BITS // 8)}"
        token = Token(f"token-{secrets.token_hex(6)}", _hash(secret), agent, note, time.time(), by)
        await self._store.add(token)
        self._forget()
        return token, secret

    async def list(self) -> Sequence[Token]:
        """Also those that are revoked. Raises JournalError."""
        return await self._store.list()

    async def revoke(self, id: str) -> Token:
        """From now on it opens nothing here. Raises Refused (not_found), JournalError."""
        token = next((token for token in await self._store.list() if token.id == id), None)
        if token is None:
            raise Refused("not_found", f"there is no token {id}", "see `asterisk-warm token list`")
        await self._store.revoke(id, time.time())
        self._forget()
        return next((now for now in await self._store.list() if now.id == id), token)

    async def find(self, secret: str) -> Token | None:
        """The token of a secret, unless it is revoked. Raises Refused (unreachable)."""
        if not _SECRET.fullmatch(secret):
            return None
        return await self._current(_hash(secret))

    async def holds(self, token: Token) -> bool:
        """Is it not revoked yet? As long as the store cannot be read, it is as it was."""
        try:
            return await self._current(token.hash) is not None
        except Refused:
            return True

    async def _current(self, hash: str) -> Token | None:
        """All are held in memory: who guesses costs the store nothing, and keeps nobody out."""
        if self._clock() - self._read_at >= (KNOWN_SECONDS if hash in self._known else UNKNOWN_SECONDS):
            await self._read(self._clock())
        return self._known.get(hash)

    async def _read(self, asked_at: float) -> None:
        async with self._reading:
            while self._read_at < asked_at:
                began, changes = self._clock(), self._changes
                try:
                    stored = await self._store.list()
                except JournalError as error:
                    self._cannot_read(error)
                    return
                if changes == self._changes:
                    self._known = {token.hash: token for token in stored if token.revoked_at is None}
                    self._read_at = began

    def _cannot_read(self, error: JournalError) -> None:
        """Who was known stays so: a database that is slow to come back closes nobody's screen."""
        if not self._known:
            raise Refused("unreachable", f"tokens cannot be read: {error}", "try again") from error
        log.warning("tokens cannot be read; those that are known still count", error=str(error))
        self._read_at = self._clock()

    def _forget(self) -> None:
        self._changes += 1
        self._known = {}
        self._read_at = float("-inf")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
