"""A CalDAV collection (RFC 4791): the events of the days that matter, whole, as the server keeps them.

The server is not asked to expand recurring events: what is expanded here has met every kind of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from yarl import URL

from asterisk_warm.calendars.source import DAY, Content, NotUnderstood, Span, Unreadable
from asterisk_warm.calendars.web import Answer, Server

_DAV, _CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_PROPERTIES = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
_QUERY = (
    f"<C:calendar-query {_NAMES}>{_PROPERTIES}"
    '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
    '<C:time-range start="{start}" end="{end}"/>'
    "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
)
_MULTIGET = f"<C:calendar-multiget {_NAMES}>{_PROPERTIES}{{hrefs}}</C:calendar-multiget>"
_KIND = f"<D:propfind {_NAMES}><D:prop><D:resourcetype/></D:prop></D:propfind>"
_MULTISTATUS = 207


@dataclass(frozen=True, slots=True)
class _Item:
    href: str
    status: int
    """Of the whole item."""
    data: str | None
    is_calendar: bool


class CaldavSource:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def fetch(self, mark: Mapping[str, str], span: Span) -> Content:
        async with self._server.in_time():
            # A day more: times without a zone are in the agent's, which the server does not know.
            times = {"start": _utc(span.start - DAY), "end": _utc(span.end + DAY)}
            answer, items = await self._ask("REPORT", _QUERY.format(**times), depth="1")
            await self._check(items)
            found = [item for item in items if item.status == 200]
            texts = [item.data for item in found if item.data]
            texts += await self._missing(answer, [item.href for item in found if not item.data])
        return Content(tuple(text.encode() for text in texts), {})

    async def _ask(self, method: str, body: str, depth: str) -> tuple[Answer, list[_Item]]:
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": depth}
        answer = await self._server.ask(method, headers, body.encode(), expected=(_MULTISTATUS,))
        # In a thread: up to 5 MB of it.
        return answer, await asyncio.to_thread(_items, answer.body, self._server.name or "")

    async def _check(self, items: Sequence[_Item]) -> None:
        """What is left out would be taken for free time."""
        statuses = {item.status for item in items} - {200, 404}
        if 507 in statuses:
            raise Unreadable(f"{self._server.name} gives only a part of the events: it has too many of them")
        if statuses:
            raise Unreadable(f"{self._server.name} answers {min(statuses)} for one of the events")
        if not items:
            _, kinds = await self._ask("PROPFIND", _KIND, depth="0")
            if not any(kind.is_calendar for kind in kinds):
                raise Unreadable(
                    f"{self._server.name} has no calendar at this URL, but something else: "
                    "caldav must be the URL of one calendar"
                )

    async def _missing(self, answer: Answer, hrefs: list[str]) -> list[str]:
        """Some servers name the events, and give them when they are asked for by name."""
        if not hrefs:
            return []
        paths = (answer.url.join(_url(href)).raw_path for href in hrefs)
        asked = "".join(f"<D:href>{escape(path)}</D:href>" for path in paths)
        _, items = await self._ask("REPORT", _MULTIGET.format(hrefs=asked), depth="1")
        # 404: deleted between the two questions.
        if any(item.status not in (200, 404) or (item.status == 200 and not item.data) for item in items):
            raise Unreadable(f"{self._server.name} names events that it does not give")
        if len(items) < len(hrefs):
            raise Unreadable(f"{self._server.name} names {len(hrefs)} events, but gives {len(items)}")
        return [item.data for item in items if item.data]


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


class _NoDoctype(ElementTree.TreeBuilder):
    """Entities, which can make a short text huge, are declared in a DOCTYPE; CalDAV has none."""

    def doctype(self, *_: object) -> None:
        raise NotUnderstood("an answer with a DOCTYPE")


def _items(body: bytes, server: str) -> list[_Item]:
    """Of a multistatus."""
    try:
        root = ElementTree.fromstring(body, ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError, NotUnderstood) as error:
        # LookupError: an encoding that does not exist.
        raise NotUnderstood(f"{server} does not answer as a CalDAV server does: {error}") from None
    if root.tag != f"{_DAV}multistatus":
        raise NotUnderstood(f"{server} does not answer as a CalDAV server does: no multistatus")
    return [_item(response) for response in root.iter(f"{_DAV}response")]


def _item(response: ElementTree.Element) -> _Item:
    status = _status(response.findtext(f"{_DAV}status"))
    good = [stat for stat in _stats(response) if _status(stat.findtext(f"{_DAV}status")) == 200]
    data = (stat.findtext(f"{_DAV}prop/{_CALDAV}calendar-data") for stat in good)
    kinds = (stat.find(f"{_DAV}prop/{_DAV}resourcetype/{_CALDAV}calendar") for stat in good)
    return _Item(
        href=(response.findtext(f"{_DAV}href") or "").strip(),
        status=status,
        data=next(filter(None, data), None),
        is_calendar=any(kind is not None for kind in kinds),
    )


def _stats(response: ElementTree.Element) -> list[ElementTree.Element]:
    return response.findall(f"{_DAV}propstat")


def _status(line: str | None) -> int:
    """Of `HTTP/1.1 200 OK`; none is 200, anything else 500."""
    words = (line or "HTTP/1.1 200 OK").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 500


def _url(href: str) -> URL:
    """Raises Unreadable."""
    try:
        return URL(href, encoded=True)
    except ValueError:
        raise Unreadable("the server names an event by what is no URL") from None
