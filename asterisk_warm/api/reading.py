"""Requests read without trust: every fault of a body or a query is found, not only the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from asterisk_warm.api.problems import Fault, Problem
from asterisk_warm.core.handoff.gate import CONDITIONS
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.ports import Location

LIMIT = 100
"""Handoffs listed when no limit is given."""
LIMIT_AT_MOST = 1000

LONGEST_ID = 150
"""Characters of a channel's id or name; Asterisk's own limit (AST_MAX_UNIQUEID) is 149."""
LONGEST_PLACE = 79
"""Characters of a context or an extension (AST_MAX_CONTEXT, AST_MAX_EXTENSION)."""
LONGEST_NAME = 80
"""Characters of an agent's id or name."""
_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
"""A telephone number, as the engine's directory takes it."""


@dataclass(frozen=True, slots=True)
class Start:
    """What `POST /v1/handoffs` asks for: of which call (one of `CALL`), and to whom (one of `DESTINATION`).
    The lead's details are cleaned and cut by the core."""

    channel: str | None
    qualifier: str | None
    team: str | None
    agent: str | None
    outside: str | None
    mode: str | None
    name: str | None
    number: str | None
    summary: str | None
    details: dict[str, str]
    qualified: bool | None
    consent: bool | None
    return_to: Location | None

    @property
    def destination(self) -> Destination:
        return Destination(self.team or "", self.agent or "", self.outside or "")

    @property
    def holds(self) -> dict[str, bool]:
        """Which of `gate.CONDITIONS` were said to hold of the lead, or not to."""
        said = {name: getattr(self, name) for name in CONDITIONS}
        return {name: yes for name, yes in said.items() if yes is not None}


CALL = ("channel", "qualifier")
"""What names the call: just one of them."""
DESTINATION = ("team", "agent", "outside")
"""What names who is to have the lead: just one of them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What `GET /v1/handoffs` asks for."""

    state: Literal["open", "all"]
    limit: int


@dataclass(slots=True)
class _Faults:
    found: list[Fault] = field(default_factory=list)

    def add(self, pointer: str, detail: str, remedy: str = "") -> None:
        self.found.append(Fault(pointer, detail, remedy))

    def unknown(self, what: str, pointer: str, name: str, known: Iterable[str]) -> None:
        words = list(known)
        near = get_close_matches(name[:80], words, 1)
        others = f"known: {', '.join(words)}" if words else "leave it out"
        remedy = f'did you mean "{near[0]}"?' if near else others
        self.add(pointer, f"there is no {what} {_shown(name)}", remedy)

    def settle(self) -> None:
        if self.found:
            raise Problem.invalid(self.found)


def start_of(body: bytes) -> Start:
    """Raises Problem: 400 when it is not JSON, else 422 with everything that is wrong."""
    faults = _Faults()
    given = _members(_decode(body), "#", tuple(_START), faults)
    values: dict[str, Any] = {
        name: read(given[name], f"#/{name}", faults) if given.get(name) is not None else None
        for name, read in _START.items()
    }
    _just_one(given, CALL, faults)
    _just_one(given, DESTINATION, faults)
    faults.settle()
    values["details"] = values["details"] or {}
    return Start(**values)


def nothing_of(body: bytes) -> None:
    """Of a request that says all by its path: no body, or an empty object. Raises Problem (400, 422)."""
    if not body.strip():
        return
    faults = _Faults()
    _members(_decode(body), "#", (), faults)
    faults.settle()


def _just_one(given: Mapping[str, object], names: tuple[str, ...], faults: _Faults) -> None:
    told = [name for name in names if given.get(name) is not None]
    either = " or ".join(f'"{name}"' for name in names)
    if not told:
        faults.add(f"#/{names[0]}", f"{either} must be given")
    for name in told[1:]:
        faults.add(f"#/{name}", f'is given beside "{told[0]}"', f"give only {either}")


def listing_of(query: Iterable[tuple[str, str]]) -> Listing:
    """Raises Problem (422) with everything that is wrong."""
    faults = _Faults()
    given: dict[str, str] = {}
    for name, value in query:
        if name not in ("state", "limit"):
            faults.unknown("parameter", f"?{_plain(name)}", name, ("state", "limit"))
        elif name in given:
            faults.add(f"?{name}", "is given twice")
        given[name] = value
    state = given.get("state", "open")
    if state not in ("open", "all"):
        faults.add("?state", f"{_shown(state)} is not open or all")
    limit = _count(given.get("limit", str(LIMIT)))
    if limit is None:
        faults.add("?limit", f"must be a whole number from 1 to {LIMIT_AT_MOST}")
    faults.settle()
    return Listing("open" if state == "open" else "all", limit or LIMIT)


def _count(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    number = int(text)
    return number if 1 <= number <= LIMIT_AT_MOST else None


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except ValueError as error:  # msgspec's own, and UnicodeDecodeError
        words = "the body is empty" if not body.strip() else f"the body is not JSON: {error}"
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", words, "send a JSON object, in UTF-8") from error
    except RecursionError as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "malformed", "the body is nested too deeply", "send a JSON object"
        ) from error


# -- what fits where: each reader notes what is wrong and answers None ---------------------------------------

Read = Callable[[object, str, _Faults], Any]


def _members(given: object, pointer: str, known: tuple[str, ...], faults: _Faults) -> Mapping[str, object]:
    if not isinstance(given, dict):
        faults.add(pointer, f"must be an object, not {_kind(given)}")
        return {}
    for name in given:
        if name not in known:
            faults.unknown("field", f"{pointer}/{_token(name)}", name, known)
    return given


def _text(given: object, pointer: str, faults: _Faults) -> str | None:
    if not isinstance(given, str):
        faults.add(pointer, f"must be text, not {_kind(given)}")
        return None
    return given


def _identifier(longest: int) -> Read:
    """Text that goes to Asterisk as it stands: nothing in it may end a line or a header there."""

    def read(given: object, pointer: str, faults: _Faults) -> str | None:
        text = _text(given, pointer, faults)
        if text is None:
            return None
        if not text or len(text) > longest:
            faults.add(pointer, f"must have from 1 to {longest} characters, not {len(text)}")
            return None
        if not text.isprintable() or any(c.isspace() or c == "," for c in text):
            faults.add(pointer, "must have no spaces, commas or control characters")
            return None
        return text

    return read


def _name(given: object, pointer: str, faults: _Faults) -> str | None:
    """Text in which an agent is looked up."""
    text = _text(given, pointer, faults)
    if text is None:
        return None
    text = text.strip()
    if not text or len(text) > LONGEST_NAME:
        faults.add(pointer, f"must have from 1 to {LONGEST_NAME} characters, not {len(text)}")
        return None
    if not text.isprintable():
        faults.add(pointer, "must have no control characters")
        return None
    return text


def _outside(given: object, pointer: str, faults: _Faults) -> str | None:
    text = _text(given, pointer, faults)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        faults.add(pointer, "must be a telephone number: 2 to 20 digits, with or without a + before them")
        return None
    return text


def _yes_or_no(given: object, pointer: str, faults: _Faults) -> bool | None:
    if not isinstance(given, bool):
        faults.add(pointer, f"must be true or false, not {_kind(given)}")
        return None
    return given


def _mode(given: object, pointer: str, faults: _Faults) -> str | None:
    text = _text(given, pointer, faults)
    if text is not None and text not in [mode.value for mode in Mode]:
        faults.unknown("mode", pointer, text, [mode.value for mode in Mode])
    return text


def _details(given: object, pointer: str, faults: _Faults) -> dict[str, str]:
    if not isinstance(given, dict):
        faults.add(pointer, f"must be an object, not {_kind(given)}")
        return {}
    for name, value in given.items():
        place = f"{pointer}/{_token(name)}"
        if not name.strip() or "=" in name:
            faults.add(place, 'the name of a detail must not be empty nor have a "=" in it')
        _text(value, place, faults)
    return given


def _priority(given: object, pointer: str, faults: _Faults) -> int | None:
    # bool is an int in Python, and not in JSON
    if type(given) is not int or not 1 <= given <= 1_000_000:
        faults.add(pointer, f"must be a whole number from 1 to 1000000, not {_kind(given)}")
        return None
    return given


def _return_to(given: object, pointer: str, faults: _Faults) -> Location | None:
    place = _members(given, pointer, tuple(_PLACE), faults)
    values: dict[str, Any] = {}
    for name, read in _PLACE.items() if isinstance(given, dict) else ():
        if name not in place:
            faults.add(f"{pointer}/{name}", f'"{name}" must be given')
        else:
            values[name] = read(place[name], f"{pointer}/{name}", faults)
    return Location(**values) if len(values) == len(_PLACE) else None


_PLACE: Mapping[str, Read] = {
    "context": _identifier(LONGEST_PLACE),
    "extension": _identifier(LONGEST_PLACE),
    "priority": _priority,
}

_START: Mapping[str, Read] = {
    "channel": _identifier(LONGEST_ID),
    "qualifier": _identifier(LONGEST_ID),
    "team": _identifier(LONGEST_PLACE),
    "agent": _name,
    "outside": _outside,
    "mode": _mode,
    "name": _text,
    "number": _text,
    "summary": _text,
    "details": _details,
    "qualified": _yes_or_no,
    "consent": _yes_or_no,
    "return_to": _return_to,
}


# -- words ---------------------------------------------------------------------------------------------------

_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def _kind(given: object) -> str:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return f"{given}"[:20]
    return _KINDS[type(given)]


def _plain(text: str) -> str:
    """One short printable piece of what somebody sent, for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:40])


def _shown(text: str) -> str:
    return f'"{_plain(text)}"'


def _token(name: str) -> str:
    """A member's name in a JSON pointer, RFC 6901; cut, because it comes back to who sent it."""
    return _plain(name).replace("~", "~0").replace("/", "~1")
