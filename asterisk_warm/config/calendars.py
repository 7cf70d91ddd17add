"""The calendars that say when agents are busy. An address may be a secret: whoever has it can read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from asterisk_warm.config.durations import RefreshSeconds, StaleSeconds
from asterisk_warm.config.section import Section
from asterisk_warm.config.values import Expects, Identifier, Line, Password, Secret, refuse, secret_text


def _http_user(value: str) -> str:
    if ":" in value:
        raise refuse("holds a colon, which ends a user's name in HTTP")
    return value


def _file(value: object) -> Path:
    if not isinstance(value, str) or not value.isprintable():
        raise refuse("is not the path of a file")
    if not value.startswith("/") or value.endswith("/"):
        raise refuse("is not the full path of a file")
    return Path(value)


def _url(value: object, info: ValidationInfo) -> Secret:
    """Shown without its path: of a calendar that is shared by a private address, that is the password."""
    text = secret_text(value, info)
    if text.startswith("webcal://"):  # what calendars call HTTPS where they are to be subscribed to
        text = f"https://{text.removeprefix('webcal://')}"
    if not re.fullmatch(r"https?://[\x21-\x7e]+", text):
        raise refuse("is neither http:// nor https://")
    try:
        url = urlsplit(text)
        usable = url.hostname is not None and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise refuse("has no valid host and port")
    if url.username is not None:
        raise refuse("holds a user: user and password have settings of their own")
    return Secret(text, f"{url.scheme}://{url.netloc}/***")


HttpUser = Annotated[Line, AfterValidator(_http_user), Expects("text without a colon")]
File = Annotated[Path, BeforeValidator(_file), Expects("the full path of a file")]
URL = Expects("http://..., https://..., env:NAME or file:/path", default="none")

CalendarUrl = Annotated[Secret, BeforeValidator(_url), URL]


class CalendarSource(Section):
    """One calendar; exactly one of ``file``, ``url`` and ``caldav`` is given."""

    file: Annotated[File | None, Expects("the full path of a file", default="none")] = Field(
        default=None, description="An iCalendar file."
    )
    url: Annotated[CalendarUrl | None, URL] = Field(
        default=None, description="Where an iCalendar file is had over HTTP; `webcal:` is `https:`."
    )
    caldav: Annotated[CalendarUrl | None, URL] = Field(
        default=None, description="A collection on a CalDAV server."
    )
    user: Annotated[HttpUser | None, Expects("text without a colon", default="none")] = Field(
        default=None, description="As whom `url` or `caldav` is read."
    )
    password: Annotated[Password | None, Expects("text, env:NAME or file:/path", default="none")] = Field(
        default=None, description="That user's password."
    )


class CalendarsSettings(Section):
    refresh_seconds: RefreshSeconds = Field(default=120.0, description="How often each calendar is read.")
    stale_seconds: StaleSeconds = Field(
        default=900.0,
        description="How old the last reading may be before the agent is offered no lead.",
    )
    sources: dict[Identifier, CalendarSource] = Field(default={})
