"""What is wrong between calendars, and between them and the agents."""

from __future__ import annotations

from asterisk_warm.config.calendars import CalendarsSettings
from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.values import nearest
from asterisk_warm.config.written import Written

_SOURCES: KeyPath = ("calendars", "sources")
_TIMES = ("stale_seconds", "refresh_seconds")


def check(written: Written) -> None:
    _known(written)
    for id in written.mapping(_SOURCES):
        path = (*_SOURCES, id)
        if written.sound(path, *((*path, name) for name in written.mapping(path))):
            _source(written, path)
    _staleness(written)


def _known(written: Written) -> None:
    """The calendar of an agent is one of those that are described."""
    known = written.mapping(_SOURCES)
    for agent in written.mapping(("agents",)):
        path: KeyPath = ("agents", agent, "calendar")
        name = written.value(path)
        if name is not None and written.sound(path, _SOURCES) and str(name) not in known:
            message = f'{dotted(path)}: there is no calendar "{name}"'
            likely = nearest(str(name), known)
            written.report(path, message, expected="an id of calendars.sources", suggestion=likely)


def _source(written: Written, path: KeyPath) -> None:
    """Each is read from one place, and nobody asks for a password where a file is read."""
    given = written.given(path)
    places = [name for name in ("file", "url", "caldav") if name in given]
    if len(places) != 1:
        said = f"has {' and '.join(places)}" if places else "does not say where it is"
        written.report_name(path, f"{dotted(path)} {said}", expected="one of file, url and caldav")
    elif places == ["file"] and given & {"user", "password"}:
        message = f"{dotted(path)}: a file is read without user and password"
        written.report_name(path, message, expected="neither of them")
    elif len(given & {"user", "password"}) == 1:
        message = f"{dotted(path)} has one of user and password"
        written.report_name(path, message, expected="both of them, or neither")


def _staleness(written: Written) -> None:
    times = {name: ("calendars", name) for name in _TIMES}
    if not written.sound(*times.values()):
        return
    given = {name: written.value(path) for name, path in times.items() if path in written.source.marks}
    settings = CalendarsSettings.model_validate(given)
    refresh, stale = settings.refresh_seconds, settings.stale_seconds
    if stale <= refresh:
        message = f"calendars: stale_seconds ({stale:g}) is not longer than refresh_seconds ({refresh:g})"
        place = times[next(iter(given))]
        written.report(place, message, expected="stale_seconds of more than refresh_seconds")
