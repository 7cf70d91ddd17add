"""What the API, the CLI and the dialplan are shown of scripts and qualifications. Times are seconds since the
epoch."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_warm.core.presence import By
from asterisk_warm.core.script.answers import Answer, Outcome, Qualification
from asterisk_warm.core.script.model import Channel, Question, Script
from asterisk_warm.core.script.running import offered, wording, words
from asterisk_warm.engine.qualifying.ports import ScriptVersion


@dataclass(frozen=True, slots=True)
class ScriptView:
    id: str
    name: str
    version: int
    current: bool
    language: str
    questions: int
    at: float
    by: str
    note: str
    source: str
    """The YAML; empty in a list."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """What `script lint` has to say about one place."""

    severity: str
    """`error`: it cannot be published; `warning`."""
    line: int
    """0: of the script as a whole."""
    column: int
    path: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ChoiceView:
    key: str
    """The digit on the phone."""
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class QuestionView:
    """What is to be asked now."""

    id: str
    kind: str
    console: str
    voice: str
    text: str
    help: str
    choices: tuple[ChoiceView, ...]
    """Of a choice, and of yes or no (keys 1 and 2)."""
    optional: bool
    tries: int
    seconds: float
    date_order: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    question: str
    value: str
    """In its canonical form; empty: skipped, or recorded only."""
    words: str
    """As it is shown and spoken."""
    at: float
    by: str
    channel: str
    asked: str
    skipped: bool
    no_answer: bool
    """Why it was skipped: nothing came that would do."""
    recording: str
    recording_gone: bool
    """There was one, which was deleted when its time was over."""


@dataclass(frozen=True, slots=True)
class QualificationView:
    id: str
    script: str
    script_name: str
    version: int
    lead: str
    lead_name: str
    language: str
    complete: bool
    score: float
    verdict: str | None
    """ready, nurture or disqualified; None as long as it is open."""
    reason: str
    summary: str
    details: str
    question: QuestionView | None
    """What is to be asked next; None when it is complete."""
    answers: tuple[AnswerView, ...]
    started_at: float
    updated_at: float
    ended_at: float | None
    source: str
    """Of one that another system has handed over; empty: it was asked here."""
    revision: int


def by_words(by: By) -> str:
    """`cli (root)`."""
    return f"{by.source} ({by.who})" if by.who else by.source


def script_view(
    version: ScriptVersion, script: Script | None, *, current: bool, source: str = ""
) -> ScriptView:
    """`script`: None where the source cannot be read any more."""
    return ScriptView(
        id=version.script,
        name=script.name if script else version.script,
        version=version.version,
        current=current,
        language=script.language if script else "",
        questions=len(script.questions) if script else 0,
        at=version.at,
        by=version.by,
        note=version.note,
        source=source,
    )


def question_view(script: Script, question: Question, language: str) -> QuestionView:
    return QuestionView(
        id=question.id,
        kind=question.kind.value,
        console=wording(question, Channel.CONSOLE),
        voice=wording(question, Channel.VOICE),
        text=wording(question, Channel.TEXT),
        help=question.help,
        choices=tuple(
            ChoiceView(choice.key, choice.value, choice.label) for choice in offered(question, language)
        ),
        optional=question.optional,
        tries=question.tries,
        seconds=question.seconds,
        date_order=script.date_order,
    )


def qualification_view(
    found: Qualification,
    script: Script | None,
    outcome: Outcome,
    asked: Question | None,
    lead_name: str,
) -> QualificationView:
    """`script`: None for one of another system; `asked`: what is to be asked next."""
    latest = {answer.question: answer for answer in found.answers}
    return QualificationView(
        id=found.id,
        script=found.script,
        script_name=script.name if script else found.script,
        version=found.version,
        lead=found.lead,
        lead_name=lead_name,
        language=found.language,
        complete=found.ended_at is not None,
        score=outcome.score,
        verdict=outcome.verdict.value if outcome.verdict else None,
        reason=outcome.reason,
        summary=outcome.summary,
        details=outcome.details,
        question=question_view(script, asked, found.language) if script and asked else None,
        answers=tuple(_answer_view(script, answer, found.language) for answer in latest.values()),
        started_at=found.started_at,
        updated_at=found.updated_at,
        ended_at=found.ended_at,
        source=found.given.source if found.given else "",
        revision=found.revision,
    )


def _answer_view(script: Script | None, answer: Answer, language: str) -> AnswerView:
    question = script.question(answer.question) if script else None
    return AnswerView(
        question=answer.question,
        value=answer.value,
        words=words(question, answer, language) if question else answer.value,
        at=answer.at,
        by=answer.by,
        channel=answer.channel.value,
        asked=answer.asked,
        skipped=answer.skipped,
        no_answer=answer.no_answer,
        recording=answer.recording,
        recording_gone=answer.recording_gone,
    )
