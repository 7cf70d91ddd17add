"""Questions in a terminal: shown, answered, taken back, until nothing is left to ask."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO

from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.output import complain, plain, tell

HINT = "? helps, < goes back to the question before, - skips, . stops."

Question = dict[str, Any]


class Interview(Protocol):
    """Somebody who is being asked. What cannot be done raises Failure, and is asked again."""

    @property
    def question(self) -> Question | None:
        """What is to be asked now; None: nothing is left."""

    def answer(self, given: str) -> str:
        """Returns the answer in words, as it was understood."""

    def skip(self) -> None: ...

    def back(self) -> None: ...


def talk(*, json: bool) -> TextIO:
    """Where questions are shown: beside the JSON, when that is asked for."""
    return sys.stderr if json else sys.stdout


def ask_on(interview: Interview, to: TextIO) -> bool:
    """Ask until nothing is left; False when who answers has had enough of it. Raises Failure when there is
    nothing any more to be answered."""
    if interview.question is not None:
        tell(HINT, to=to)
    while (question := interview.question) is not None:
        show_question(question, to)
        given = _read(to)
        if given is None or given == ".":
            return False
        try:
            _do(interview, question, given, to)
        except Failure as failure:
            if failure.exit_code == Exit.NOT_FOUND:
                raise
            complain(failure.message, failure.remedy)
    return True


def _do(interview: Interview, question: Question, given: str, to: TextIO) -> None:
    match given:
        case "":
            pass
        case "?":
            tell(question["help"] or "There is no help for this question.", to=to)
        case "-":
            interview.skip()
        case "<":
            interview.back()
        case _:
            understood = interview.answer(given)
            if understood not in ("", given):
                tell(f"  = {plain(understood)}", to=to)


def show_question(question: Question, to: TextIO) -> None:
    tell(f"{question['console']}{' (may be skipped)' if question['optional'] else ''}", to=to)
    for choice in question["choices"]:
        tell(f"  {choice['key']}  {choice['label']}", to=to)


def _read(to: TextIO) -> str | None:
    """None: there is nothing more to read."""
    if sys.stdin is None:
        return None
    if sys.stdin.isatty():
        print("> ", end="", flush=True, file=to)
        line = sys.stdin.readline()
    elif line := sys.stdin.readline():
        tell(f"> {line.strip()}", to=to)  # nobody sees what comes from a file
    return line.strip() if line else None
