"""The kinds of duration a setting can have; all are kept in seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from asterisk_warm.config.values import Expects, refuse

_DURATION = re.compile(r"(?=[0-9])(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s?)?")
_LONG_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(s|m|h)(?:ec|in|our|r)?(?:ond|ute)?s?\s*", re.IGNORECASE)


def seconds(value: object) -> float:
    """Read ``25``, ``2.5``, ``"25s"``, ``"2m"``, ``"1m30s"`` or ``"1h"`` as seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise refuse("is not a duration")
    match = _DURATION.fullmatch(value)
    if match is None:
        spelled_out = _LONG_UNIT.fullmatch(value)
        raise refuse("is not a duration", "".join(spelled_out.groups()).lower() if spelled_out else None)
    hours, minutes, rest = (float(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + rest


def _pause(value: object) -> float:
    length = seconds(value)
    if 0 < length < 2:
        raise refuse("is too short a time", "2s")
    return length


RingSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=1, le=300),
    Expects("a duration from 1s to 5m, such as 25 or 1m30s"),
]
DecisionSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=1, le=600),
    Expects("a duration from 1s to 10m, such as 30 or 1m30s"),
]
HoldSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=5, le=3600),
    Expects("a duration from 5s to 1h, such as 120 or 2m"),
]
ComfortSeconds = Annotated[
    float, BeforeValidator(_pause), Field(ge=0, le=600), Expects("0, or a duration from 2s to 10m")
]
LingerSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=5, le=3600),
    Expects("a duration from 5s to 1h, such as 300 or 5m"),
]
WarnSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=300), Expects("0, or a duration of up to 5m, such as 15")
]
RecallSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=300), Expects("0, or a duration of up to 5m, such as 20")
]
TakeBackSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=3600), Expects("0, or a duration of up to 1h, such as 2m")
]
WidenSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=600), Expects("0, or a duration of up to 10m, such as 10")
]
RelaxSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=600), Expects("0, or a duration of up to 10m, such as 15")
]
StickySeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=120), Expects("0, or a duration of up to 2m, such as 15")
]
WaitSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=3600), Expects("0, or a duration of up to 1h, such as 60")
]
WrapUpSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=3600), Expects("0, or a duration of up to 1h, such as 30")
]
RefreshSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=10, le=3600),
    Expects("a duration from 10s to 1h, such as 120 or 2m"),
]
StaleSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=20, le=86400),
    Expects("a duration from 20s to 24h, such as 900 or 15m"),
]
QuestionSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=3, le=30), Expects("a duration from 3s to 30s, such as 12")
]
LookUpSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0.05, le=5), Expects("a duration from 0.05s to 5s, such as 0.5")
]
CacheSeconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=0, le=86400),
    Expects("0, or a duration of up to 24h, such as 300 or 5m"),
]
ScreenSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, le=5), Expects("0, or a duration of up to 5s, such as 0.25")
]
TimeoutSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=1, le=60), Expects("a duration from 1s to 1m, such as 10")
]
AnswerSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=2, le=60), Expects("a duration from 2s to 1m, such as 8")
]
BudgetSeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0.1, le=60), Expects("a duration from 0.1s to 1m, such as 3")
]
