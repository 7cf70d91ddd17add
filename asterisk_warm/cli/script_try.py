"""`asterisk-warm script try`: a script in the terminal, without a daemon."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.output import show_json, tell
from asterisk_warm.cli.questions import ask_on, talk
from asterisk_warm.cli.request import text_only

if TYPE_CHECKING:
    from asterisk_warm.core.script.answers import Answer, Outcome
    from asterisk_warm.core.script.model import Question, Script


def play(script: Script, name: str, region: str, *, json: bool) -> int:
    """Ask all of it, and say what it comes to."""
    trial = _Trial(script, name, region)
    finished = ask_on(trial, talk(json=json))
    outcome = trial.outcome()
    if json:
        show_json(_as_json(outcome))
    else:
        for line in told(outcome):
            tell(line)
    return Exit.OK if finished else Exit.FAILED


def told(outcome: Outcome) -> list[str]:
    verdict = f"verdict {outcome.verdict.value}: {outcome.reason}" if outcome.verdict else "no verdict yet"
    return [
        f"Score {outcome.score:g}, {verdict}.",
        f"In one line: {outcome.summary or '-'}",
        f"Details: {outcome.details or '-'}",
    ]


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "complete": outcome.complete,
        "score": outcome.score,
        "verdict": outcome.verdict.value if outcome.verdict else None,
        "reason": outcome.reason,
        "summary": outcome.summary,
        "details": outcome.details,
    }


class _Trial:
    """One lead who is not there."""

    def __init__(self, script: Script, name: str, region: str) -> None:
        self._script = script
        self._name = name
        self._region = region
        self._answers: tuple[Answer, ...] = ()

    @property
    def question(self) -> dict[str, Any] | None:
        question = self._next()
        return None if question is None else _shown(question, self._script.language)

    def answer(self, given: str) -> str:
        from asterisk_warm.core.script.running import words

        text_only(given, "the answer")
        asked = self._take("take", given, region=self._region)
        return words(asked, self._answers[-1], self._script.language)

    def skip(self) -> None:
        self._take("skip")

    def _take(self, how: str, *given: str, **more: str) -> Question:
        from asterisk_warm.core.script import running
        from asterisk_warm.core.script.model import Channel

        asked = self._next()
        assert asked is not None, "something was asked"
        now = time.time()
        try:
            self._answers = getattr(running, how)(
                self._script,
                self._answers,
                asked,
                *given,
                at=now,
                on=datetime.fromtimestamp(now).date().isoformat(),
                by="lead",
                channel=Channel.CONSOLE,
                asked=running.wording(asked, Channel.CONSOLE),
                **more,
            )
        except running.BadAnswer as bad:
            raise Failure(Exit.USAGE, bad.message, bad.remedy) from bad
        return asked

    def back(self) -> None:
        from asterisk_warm.core.script.running import back

        before = back(self._script, self._answers)
        if before == self._answers:
            raise Failure(Exit.CONFLICT, "there is no answer to take back")
        self._answers = before

    def outcome(self) -> Outcome:
        from asterisk_warm.core.script.running import outcome

        return outcome(self._script, self._answers, self._name)

    def _next(self) -> Question | None:
        from asterisk_warm.core.script.running import next_question

        return next_question(self._script, self._answers)


def _shown(question: Question, language: str) -> dict[str, Any]:
    from asterisk_warm.core.script.model import Channel
    from asterisk_warm.core.script.running import offered, wording

    return {
        "console": wording(question, Channel.CONSOLE),
        "help": question.help,
        "optional": question.optional,
        "choices": [{"key": one.key, "label": one.label} for one in offered(question, language)],
    }
