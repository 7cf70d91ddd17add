"""What is known of leads: how their numbers are written, who knows more of them, and what came of a call."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from asterisk_warm.config.calendars import HttpUser
from asterisk_warm.config.durations import CacheSeconds, LookUpSeconds
from asterisk_warm.config.section import Section
from asterisk_warm.config.urls import POINTER, HeaderName, HeaderValue, LookUpUrl, Pointer
from asterisk_warm.config.values import Expects, Line, Password, nearest, plain_number, refuse


def _region(value: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # large, and needed where somebody writes one

    if value in SUPPORTED_REGIONS:
        return value
    raise refuse("is not a country", nearest(value, SUPPORTED_REGIONS, likeness=1.0))


def _digit(value: str) -> str:
    if len(value) == 1 and value in "0123456789":
        return value
    raise refuse("is not one digit")


Region = Annotated[str, AfterValidator(_region), Expects("the two letters of a country, such as US or DE")]
DIGIT = Expects('one digit in quotes, such as "1"')
Digit = Annotated[str, BeforeValidator(plain_number), AfterValidator(_digit), DIGIT]
_Where = Annotated[Pointer | None, Expects(POINTER.text, default="not read")]


class CrmSettings(Section):
    url: LookUpUrl = Field(
        description="Where a lead is looked up by their number (E.164, put in place of `{number}`); it "
        "answers with JSON."
    )
    user: Annotated[HttpUser | None, Expects("text without a colon", default="none")] = Field(
        default=None, description="As whom it is asked."
    )
    password: Annotated[Password | None, Expects("text, env:NAME or file:/path", default="none")] = Field(
        default=None, description="That user's password."
    )
    token: Annotated[Password | None, Expects("text, env:NAME or file:/path", default="none")] = Field(
        default=None, description="A bearer token, where there is no user."
    )
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        Field(max_length=20),
        Expects("headers with their values, such as {X-Api-Key: env:CRM_KEY}", item="text"),
    ] = Field(default={}, description="Further headers that are sent along.")
    name: _Where = Field(default=None, description="Where the lead's name is in the answer.")
    summary: _Where = Field(default=None, description="Where it says in a sentence why they call.")
    language: _Where = Field(default=None, description="Where their language is.")
    details: Annotated[
        dict[Line, Pointer],
        Field(max_length=20),
        Expects("details with a JSON pointer each, such as {plan: /contact/plan}", item=POINTER.text),
    ] = Field(default={}, description="Where else there is something that agents are to be told.")
    budget_seconds: LookUpSeconds = Field(
        default=0.5, description="How long a look-up may take; then the agents are rung without it."
    )
    cache_seconds: CacheSeconds = Field(
        default=300.0, description="How long an answer counts before it is asked for again."
    )


class LeadsSettings(Section):
    region: Region = Field(
        default="US", description="The country of numbers that are written without `+` and its code."
    )
    crm: CrmSettings | None = None


class RecordingSettings(Section):
    keep_days: Annotated[int, Field(ge=0, le=3650), Expects("a whole number of days from 0 to 3650")] = Field(
        default=0, description="How long what leads have said is kept; `0` for ever."
    )


class DispositionEntry(Section):
    name: Line = Field(description="What came of a call, as it is shown and said.")
    key: Annotated[Digit | None, Expects(DIGIT.text, default="none")] = Field(
        default=None, description="The digit by which an agent's phone says it (`*284` and the digit)."
    )


DISPOSITIONS = {
    "sold": DispositionEntry(name="Sold", key="1"),
    "callback": DispositionEntry(name="Call back", key="2"),
    "not_interested": DispositionEntry(name="Not interested", key="3"),
    "wrong_person": DispositionEntry(name="Wrong person", key="4"),
}
"""Where the file says nothing of them."""
