"""One calendar in one time zone, as it was last read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from asterisk_warm.calendars.process import expand
from asterisk_warm.calendars.source import Content, NotUnderstood, Source, Span, Unreadable
from asterisk_warm.core.presence import Calendar

log = structlog.get_logger(__name__)

EXPAND_EVERY = 3600.0
"""An unchanged calendar is expanded anew after so many seconds, because the days that matter move on."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The text that was last dealt with, whether or not it could be understood."""

    digest: bytes = b""
    at: float = 0.0
    mark: Mapping[str, str] | None = None
    """Of a text that was understood."""
    error: str = ""

    def holds(self, now: float) -> bool:
        return 0 <= now - self.at < EXPAND_EVERY


class Reading:
    """Keeps the last good reading when a later one fails."""

    def __init__(
        self,
        name: str,
        zone: str,
        source: Source,
        stale_after: float,
        workers: asyncio.Semaphore,
        clock: Callable[[], float],
    ) -> None:
        """`workers` is how many calendars may be expanded at once."""
        self.name = name
        self.zone = zone
        self.calendar = Calendar((), None, stale_after)
        self._source = source
        self._workers = workers
        self._clock = clock
        self._seen = _Seen()
        self._one_at_a_time = asyncio.Lock()

    async def read(self) -> None:
        """Once, now; how it went is in `calendar`."""
        async with self._one_at_a_time:
            now = self._clock()
            try:
                await self._take(now)
            except Unreadable as unreadable:
                self._tell(str(unreadable))
            else:
                self._tell("")
                self.calendar = replace(self.calendar, read_at=now)

    async def _take(self, now: float) -> None:
        seen, span = self._seen, Span.around(now)
        content = await self._source.fetch(seen.mark if seen.mark and seen.holds(now) else {}, span)
        if content is not None:
            await self._understand(content, span, now)

    async def _understand(self, content: Content, span: Span, now: float) -> None:
        digest = _digest(content)
        if digest == self._seen.digest and self._seen.holds(now):
            if self._seen.error:
                raise NotUnderstood(self._seen.error)
            self._seen = replace(self._seen, mark=content.mark)
            return
        try:
            async with self._workers:
                busy = await expand(content, self.zone, span)
        except NotUnderstood as error:
            self._seen = _Seen(digest, now, error=str(error))
            raise
        self._seen = _Seen(digest, now, content.mark)
        self.calendar = replace(self.calendar, busy=tuple(busy))

    def _tell(self, error: str) -> None:
        """In the log, when it is new."""
        if error == self.calendar.error:
            return
        self.calendar = replace(self.calendar, error=error)
        if error:
            log.warning("calendar not read", calendar=self.name, why=error)
        else:
            log.info("calendar read again", calendar=self.name)


def _digest(content: Content) -> bytes:
    parts = (hashlib.sha256(text).digest() for text in content.texts)
    return hashlib.sha256(b"".join(parts)).digest()
