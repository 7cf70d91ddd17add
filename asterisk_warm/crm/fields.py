"""A CRM's answer → what agents are told of a lead. Whatever it holds, what comes out is text of one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asterisk_warm.core.handoff.options import LANGUAGE, LIMITS, clean, described
from asterisk_warm.crm.pointer import find
from asterisk_warm.engine.leads.ports import LookedUp

_LONGEST_NUMBER = 1 << 64


@dataclass(frozen=True, slots=True)
class Fields:
    """JSON pointers (RFC 6901) to where in the answer something is; empty: nowhere."""

    name: str = ""
    summary: str = ""
    language: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """By the name under which agents are told."""

    def read(self, document: object) -> LookedUp | None:
        """What the answer says; None where it says nothing of all that."""
        details = {name: _text(find(document, pointer)) for name, pointer in self.details.items()}
        found = LookedUp(
            name=clean(self._at(document, self.name), LIMITS["name"]),
            summary=clean(self._at(document, self.summary), LIMITS["summary"]),
            language=_language(self._at(document, self.language)),
            details=tuple((name, value) for name, value in described(details) if value),
        )
        return found if found != LookedUp() else None

    @staticmethod
    def _at(document: object, pointer: str) -> str:
        return _text(find(document, pointer)) if pointer else ""


def _text(value: object) -> str:
    """Of text, a number, yes or no; anything else is no text."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < _LONGEST_NUMBER:
            return str(int(value))
        case int() if abs(value) >= _LONGEST_NUMBER:
            return ""
        case int() | float():
            return str(value)
        case _:
            return ""


def _language(told: str) -> str:
    """`es` and `es-mx` of `ES` and `es_MX`; "" of what is no such code."""
    code = told.strip().lower().replace("_", "-")
    return code if LANGUAGE.fullmatch(code) else ""
