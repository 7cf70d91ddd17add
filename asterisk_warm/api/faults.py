"""Everything that is wrong with a request, collected; and the words that it takes to say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from http import HTTPStatus

import msgspec

from asterisk_warm.api.problems import Fault, Problem


@dataclass(slots=True)
class Faults:
    """Filled by who reads a request."""

    found: list[Fault] = field(default_factory=list)

    def add(self, pointer: str, detail: str, remedy: str = "") -> None:
        self.found.append(Fault(pointer, detail, remedy))

    def unknown(self, what: str, pointer: str, name: str, known: Iterable[str]) -> None:
        words = list(known)
        near = get_close_matches(name[:80], words, 1)
        others = f"known: {', '.join(words)}" if words else "leave it out"
        remedy = f'did you mean "{near[0]}"?' if near else others
        self.add(pointer, f"there is no {what} {shown(name)}", remedy)

    def settle(self) -> None:
        """Raises Problem (422) when there are any."""
        if self.found:
            raise Problem.invalid(self.found)


def decode(body: bytes) -> object:
    """Raises Problem (400) when it is not JSON."""
    try:
        return msgspec.json.decode(body)
    except ValueError as error:  # msgspec's own, and UnicodeDecodeError
        words = "the body is empty" if not body.strip() else f"the body is not JSON: {error}"
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", words, "send a JSON object, in UTF-8") from error
    except RecursionError as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "malformed", "the body is nested too deeply", "send a JSON object"
        ) from error


def members(given: object, pointer: str, known: Iterable[str], faults: Faults) -> Mapping[str, object]:
    """The members of an object; empty when it is none."""
    if not isinstance(given, dict):
        faults.add(pointer, f"must be an object, not {kind(given)}")
        return {}
    for name in given:
        if name not in known:
            faults.unknown("field", f"{pointer}/{token(name)}", name, known)
    return given


def parameters(query: Iterable[tuple[str, str]], known: tuple[str, ...], faults: Faults) -> dict[str, str]:
    """The parameters of a query."""
    given: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            faults.unknown("parameter", f"?{plain(name)}", name, known)
        elif name in given:
            faults.add(f"?{name}", "is given twice")
        given[name] = value
    return given


# -- words ---------------------------------------------------------------------------------------------------

_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def kind(given: object) -> str:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return f"{given}"[:20]
    return _KINDS[type(given)]


def plain(text: str) -> str:
    """One short printable piece of what somebody sent, for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:40])


def shown(text: str) -> str:
    return f'"{plain(text)}"'


def token(name: str) -> str:
    """A member's name in a JSON pointer, RFC 6901; cut, because it comes back to who sent it."""
    return plain(name).replace("~", "~0").replace("/", "~1")
