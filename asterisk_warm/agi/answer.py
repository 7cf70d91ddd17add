"""What a script answers, and the commands that bring it into the channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from asterisk_warm.agi.session import set_variable
from asterisk_warm.agi.text import clean
from asterisk_warm.engine.errors import Kind, Refused


class Result(StrEnum):
    """WARM_RESULT."""

    OK = "OK"
    NOTFOUND = "NOTFOUND"
    """No such agent or team."""
    CONFLICT = "CONFLICT"
    """Understood, and it cannot be."""
    INVALID = "INVALID"
    """No such script, or wrong arguments: the dialplan is to be corrected."""
    UNREACHABLE = "UNREACHABLE"
    """It cannot be said now."""


OF_KIND: Mapping[Kind, Result] = {
    "not_found": Result.NOTFOUND,
    "conflict": Result.CONFLICT,
    "invalid": Result.INVALID,
    "unreachable": Result.UNREACHABLE,
}
FAILURES = frozenset({Result.INVALID, Result.UNREACHABLE})
"""Of which AGISTATUS says FAILURE, as it does when there is no daemon."""
FAIL = "failure"
"""A line instead of a command: Asterisk ends the session with AGISTATUS FAILURE, and the dialplan goes on
(measured with 16 and 22; res_agi.c means it for what could not be started)."""


@dataclass(frozen=True, slots=True)
class Answer:
    result: Result
    cause: str = ""
    """Why it is not OK, in words."""
    variables: Mapping[str, str] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    """Prompts to be played."""
    line: str = ""
    """Words to be spoken after them."""

    @classmethod
    def of(cls, refused: Refused, prompts: tuple[str, ...] = ()) -> Answer:
        cause = "; ".join(clean(words) for words in (refused.message, refused.remedy) if words)
        return cls(OF_KIND[refused.kind], cause, prompts=prompts)


def commands(answer: Answer, say: str) -> Iterator[str]:
    """WARM_RESULT first becomes empty and is said last: should the connection end between them, an earlier
    answer does not pass for this one."""
    yield set_variable("WARM_RESULT", "")
    for name, value in answer.variables.items():
        yield set_variable(name, value)
    yield set_variable("WARM_CAUSE", answer.cause)
    yield set_variable("WARM_SAY", say)
    yield set_variable("WARM_RESULT", answer.result)
