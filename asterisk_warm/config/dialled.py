"""The kinds of value that Asterisk dials, or goes to in its dialplan.

Only what cannot end a dial string or start another gets through, whoever wrote it: a number, an endpoint
and a place are put into one as they stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from asterisk_warm.config.values import Expects, nearest, plain_number, refuse


@dataclass(frozen=True, slots=True)
class DialplanPlace:
    """A place in the dialplan of Asterisk, as `Goto()` takes it."""

    context: str
    extension: str
    priority: int


_TECHNOLOGIES = (
    "PJSIP",
    "SIP",
    "IAX2",
    "DAHDI",
    "Local",
    "MGCP",
    "Skinny",
    "UNISTIM",
    "Motif",
    "Console",
    "AudioSocket",
)
_ENDPOINT_CHARACTERS = re.compile(r"[A-Za-z0-9_.+@:/=-]+")


def _endpoint(value: str) -> str:
    """Allow only what cannot end a dial string or start another: no ``&``, comma, ``${``, space or quote."""
    foreign = _ENDPOINT_CHARACTERS.sub("", value)
    if foreign:
        raise refuse(f"holds {foreign[0]!a}, which cannot be part of an endpoint")
    technology, slash, resource = value.partition("/")
    if not slash:
        raise refuse("has no technology before the name", f"PJSIP/{value}")
    if len(value) > 80 or not technology.isidentifier() or not re.match("[A-Za-z0-9+]", resource):
        raise refuse("is not an endpoint")
    likely = nearest(technology, _TECHNOLOGIES, likeness=0.8)
    if likely is not None and likely != technology:
        raise refuse("names an unknown technology", f"{likely}/{resource}")
    return value


_PLACEHOLDER = "{number}"
_LONGEST_NUMBER = "+00000000000000000000"


def _outside_endpoint(value: str) -> str:
    """An endpoint, whatever number is put into it."""
    count = value.count(_PLACEHOLDER)
    if count != 1:
        raise refuse(f"holds {_PLACEHOLDER} more than once" if count else f"does not hold {_PLACEHOLDER}")
    try:
        _endpoint(value.replace(_PLACEHOLDER, _LONGEST_NUMBER))
    except PydanticCustomError as error:
        context = error.context or {}
        suggestion = context["suggestion"]
        likely = suggestion.replace(_LONGEST_NUMBER, _PLACEHOLDER) if suggestion else None
        raise refuse(context["problem"], likely) from None
    return value


def _without_marks(value: str) -> str:
    """What people put into numbers to read them more easily is not dialled."""
    return re.sub(r"[\s()./-]+", "", value)


_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
_OUTSIDE_NUMBERS = re.compile(r"\+?(?:[0-9]{2,20}|[0-9]{1,20}\*)")


def _number(value: str) -> str:
    return _matching(_NUMBER, value, "is not a number to be dialled")


def _outside_numbers(value: str) -> str:
    """A beginning has a digit at least: "*" alone would let everybody dial everything."""
    return _matching(_OUTSIDE_NUMBERS, value, "is neither a number nor the beginning of one")


def _matching(pattern: re.Pattern[str], value: str, problem: str) -> str:
    if pattern.fullmatch(value):
        return value
    likely = _without_marks(value)
    raise refuse(problem, likely if pattern.fullmatch(likely) else None)


_PLACE_CHARACTERS = re.compile(r"[A-Za-z0-9+_*#.@/,-]+")
_LONGEST_NAME = 79  # AST_MAX_CONTEXT and AST_MAX_EXTENSION, less the NUL


def _place(value: object) -> DialplanPlace:
    if not isinstance(value, str):
        raise refuse("is not text")
    foreign = _PLACE_CHARACTERS.sub("", value)
    if foreign:
        likely = None if foreign.strip() else "".join(value.split())
        raise refuse(f"holds {foreign[0]!a}, which cannot be part of a place in the dialplan", likely)
    context, *rest = value.split(",")
    if len(rest) != 2 or not context or not rest[0]:
        likely = f"{value},1" if context and len(rest) == 1 and rest[0] else None
        raise refuse("does not give a context, an extension and a priority", likely)
    extension, priority = rest
    if len(context) > _LONGEST_NAME or len(extension) > _LONGEST_NAME:
        raise refuse(f"names something of more than {_LONGEST_NAME} characters")
    if not re.fullmatch("[0-9]{1,7}", priority) or not 1 <= int(priority) <= 1_000_000:
        raise refuse("has no priority from 1 to 1000000 at its end")
    return DialplanPlace(context, extension, int(priority))


NUMBER = Expects('1 to 20 of 0-9, * and #, + in front or not, such as "201"')
OUTSIDE_NUMBERS = Expects('a number in quotes, or its beginning and *, such as "+1555*"')

Endpoint = Annotated[str, AfterValidator(_endpoint), Expects("TECHNOLOGY/name, such as PJSIP/ana")]
OutsideEndpoint = Annotated[
    str,
    AfterValidator(_outside_endpoint),
    Expects("TECHNOLOGY/name with {number} in it once, such as PJSIP/{number}@trunk"),
]
Number = Annotated[str, BeforeValidator(plain_number), AfterValidator(_number), NUMBER]
OutsideNumbers = Annotated[
    str, BeforeValidator(plain_number), AfterValidator(_outside_numbers), OUTSIDE_NUMBERS
]
Place = Annotated[DialplanPlace, BeforeValidator(_place)]
