"""Where a calendar is, and what every kind of it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from yarl import URL

MOST_BYTES = 5_000_000
"""A calendar that is larger is not read."""
NETWORK_SECONDS = 10.0
"""For all of one reading's requests together."""
DAY = 86_400.0
_SCHEMES = {"http": "http", "https": "https", "webcal": "https", "webcals": "https"}


class Unreadable(Exception):
    """A calendar could not be read; the words say why and, where it can be known, what to do. They hold no
    password and no path of a URL, which is often as good as one."""


class NotUnderstood(Unreadable):
    """Its text is wrong: as long as that is the same, trying again changes nothing."""


@dataclass(frozen=True, slots=True)
class CalendarSource:
    """A configured calendar. Raises ValueError unless exactly one of `file`, `url` and `caldav` is given, or
    when it cannot be one."""

    file: Path | None = None
    """An iCalendar file."""
    url: str = field(default="", repr=False)
    """An iCalendar by HTTP or HTTPS (`webcal:` is HTTPS)."""
    caldav: str = field(default="", repr=False)
    """A CalDAV collection: the URL of one calendar."""
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        given = [name for name in ("file", "url", "caldav") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"a calendar needs one of file, url and caldav, not {' and '.join(given) or 'none'}"
            )
        if self.file is not None:
            if self.user or self.password:
                raise ValueError("a calendar that is a file takes no user and no password")
            return
        if self.password and not self.user:
            raise ValueError("a calendar with a password needs its user, too")
        if ":" in self.user:
            raise ValueError("a calendar's user cannot hold a colon")
        _check(given[0], self.address)

    @property
    def address(self) -> URL:
        """Of `url` or `caldav`."""
        try:
            url = URL(self.url or self.caldav)
            scheme = _SCHEMES.get(url.scheme)
            return url.with_scheme(scheme) if scheme and url.host else url
        except ValueError:
            return URL()


def _check(setting: str, url: URL) -> None:
    """The words name no URL: it may hold a secret."""
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{setting} of a calendar must be like https://calendar.example.com/ana")
    if url.user is not None or url.password is not None:
        raise ValueError(f"{setting} of a calendar holds a user: use the settings user and password instead")


@dataclass(frozen=True, slots=True)
class Span:
    """The times that matter, in seconds since the epoch."""

    start: float
    end: float

    @classmethod
    def around(cls, now: float) -> Self:
        return cls(now - DAY, now + 8 * DAY)


@dataclass(frozen=True, slots=True)
class Content:
    """A calendar as it was got."""

    texts: tuple[bytes, ...]
    """iCalendar; several when every event is a file of its own."""
    mark: Mapping[str, str]
    """By which it can be told, next time, that nothing has changed."""


class Source(Protocol):
    async def fetch(self, mark: Mapping[str, str], span: Span) -> Content | None:
        """What is there now; None: the same as when it got this mark. An empty mark is never the same. Raises
        Unreadable."""
