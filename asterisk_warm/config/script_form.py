"""The YAML form of a qualification script: what may be written, and how much of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from asterisk_warm.config.durations import AnswerSeconds
from asterisk_warm.config.leads import DIGIT, Digit
from asterisk_warm.config.section import Section
from asterisk_warm.config.spoken import LANGUAGE, Language
from asterisk_warm.config.values import Expects, Flag, Identifier, Line, plain_number, refuse
from asterisk_warm.core.script.model import END
from asterisk_warm.core.wording import TemplateError, placeholders

MOST_QUESTIONS = 200
MOST_CHOICES = 50
MOST_RULES = 50
MOST_VALUES = 50

_RESERVED = {END, "name", "score"}
"""The end of the script, and what templates say of the lead beside their answers."""
_SOUND = re.compile(r"sound:[A-Za-z0-9_/.-]+(?:&[A-Za-z0-9_/.-]+)*")
_UPWARDS = re.compile(r"[:/&]\.\.(?:[/&]|$)")


def _question_id(value: str) -> str:
    """Answers stand in templates by it, which know such names alone."""
    if value in _RESERVED:
        raise refuse("means something else", f"the_{value}")
    if re.fullmatch("[a-z][a-z0-9_]{0,39}", value):
        return value
    likely = re.sub("[^a-z0-9_]+", "_", value.lower()).strip("_")[:40]
    raise refuse("is not the id of a question", likely if re.match("[a-z]", likely) else None)


def _goto(value: str) -> str:
    return value if value == END else _question_id(value)


def _spoken_or_recorded(value: str) -> str:
    """A wording that begins with ``sound:`` names recordings, and is handed to the dialplan as it stands."""
    if value.startswith("sound:") and not _SOUND.fullmatch(value):
        raise refuse("does not name recordings, with & between them")
    if value.startswith("sound:") and _UPWARDS.search(value):
        raise refuse('leads out of the folder of sounds by ".."')
    return value


def _text(value: str) -> str:
    if any(not character.isprintable() and character != "\n" for character in value):
        raise refuse("holds a control character")
    if not value.strip():
        raise refuse("is empty")
    return value


def _template(value: str) -> str:
    try:
        placeholders(value)
    except TemplateError as error:
        raise refuse(f"has {error.problem}") from None
    return value


QUESTION_ID = Expects("an id of a question: 1 to 40 of a-z, 0-9 and _, a letter first")
TEXT = Expects("text")
TEMPLATE = Expects("text with {name}, {score} or ids of questions in braces")
NUMBER = Expects("a number")
VALUE = Expects("an answer")
GOTO = Expects("the id of a later question, or end")

QuestionId = Annotated[str, AfterValidator(_question_id), QUESTION_ID]
Goto = Annotated[str, AfterValidator(_goto), GOTO]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_text), TEXT]
Voice = Annotated[
    Text, AfterValidator(_spoken_or_recorded), Expects("text, or sound:NAME for a recording of yours")
]
Said = Annotated[Text, AfterValidator(_spoken_or_recorded), TEXT]
"""In writing first; it is spoken as well, and then taken for the name of a recording just the same."""
Template = Annotated[
    str, Field(min_length=1, max_length=2000), AfterValidator(_text), AfterValidator(_template), TEMPLATE
]
Number = Annotated[float, Field(ge=-1e12, le=1e12), NUMBER]
Points = Annotated[float, Field(ge=-1e6, le=1e6), NUMBER]
Value = Annotated[str, BeforeValidator(plain_number), Field(min_length=1, max_length=200), VALUE]
Values = Annotated[
    tuple[Value, ...],
    Field(max_length=MOST_VALUES, strict=False),
    Expects(f"an answer, or a list of up to {MOST_VALUES}", item=VALUE.text),
]


class WordingForm(Section):
    console: Said = Field(description="As a qualifier reads it, and whoever has no wording of their own.")
    voice: Voice = Field(default="", description="As it is spoken on the phone.")
    text: Annotated[Text, TEXT] = Field(default="", description="As it is texted.")


class ChoiceForm(Section):
    value: Identifier = Field(description="The answer as it is kept.")
    label: Line = Field(description="The answer as it is shown, spoken and put into summaries.")
    key: Annotated[Digit | None, Expects(DIGIT.text, default="its place in the list")] = Field(
        default=None, description="The digit on the phone."
    )


class MatchForm(Section):
    values: Values = Field(default=(), alias="is", description="One of these answers.")
    least: Annotated[Number | None, NUMBER] = Field(
        default=None, alias="from", description="A number or a date (in days from today) from there on."
    )
    most: Annotated[Number | None, NUMBER] = Field(
        default=None, alias="to", description="A number or a date (in days from today) up to there."
    )


class RuleForm(MatchForm):
    points: Points = Field(default=0.0, description="Added to the score.")
    knockout: Annotated[Line | None, TEXT] = Field(
        default=None, description="Why a lead with this answer is disqualified."
    )
    goto: Annotated[Goto | None, GOTO] = Field(default=None, description="The question that comes next.")


class QuestionForm(Section):
    ask: Annotated[
        Literal["choice", "yesno", "number", "date", "text", "phone", "email"],
        Expects("choice, yesno, number, date, text, phone or email"),
    ] = Field(description="What kind of answer is asked for.")
    say: Annotated[WordingForm, Expects("the question, or a section with console, voice, text")] = Field(
        description="How it is asked."
    )
    help: Said = Field(default="", description="What is said to who asks what is meant.")
    optional: Flag = Field(default=False, description="Whether it may be skipped.")
    when: Annotated[
        dict[QuestionId, MatchForm],
        Field(max_length=20),
        Expects("earlier questions with the answer to each, such as {owner: yes}"),
    ] = Field(default={}, description="Of which earlier answers it depends whether it is asked.")
    choices: Annotated[
        tuple[ChoiceForm, ...],
        Field(max_length=MOST_CHOICES, strict=False),
        Expects(f"up to {MOST_CHOICES} values with a label each, such as {{house: A house}}"),
    ] = Field(default=(), description="The answers there are.")
    least: Annotated[Number | None, NUMBER] = Field(
        default=None, alias="from", description="The least number, or the first date in days from today."
    )
    most: Annotated[Number | None, NUMBER] = Field(
        default=None, alias="to", description="The largest number, or the last date in days from today."
    )
    tries: Annotated[int, Field(ge=1, le=10), Expects("a number from 1 to 10")] = Field(
        default=3, description="How many wrong or silent answers in a row there may be on the phone."
    )
    seconds: AnswerSeconds = Field(
        default=8.0, description="How long an answer on the phone may take to begin."
    )
    rules: Annotated[
        tuple[RuleForm, ...],
        Field(max_length=MOST_RULES, strict=False),
        Expects(f"a list of up to {MOST_RULES} rules, such as - {{is: yes, points: 10}}"),
    ] = Field(default=(), description="What follows from the answer.")


class VerdictsForm(Section):
    ready: Points = Field(default=0.0, description="From which score on a lead is handed off.")
    nurture: Points = Field(default=0.0, description="From which score on a lead is kept for later.")
    below: Annotated[Line, TEXT] = Field(
        default="the score is too low", description="Why a lead with less than `ready` is not ready."
    )


class ScriptForm(Section):
    """The file as a whole."""

    id: Identifier
    name: Line
    language: Annotated[Language | None, LANGUAGE] = None
    date_order: Annotated[Literal["dmy", "mdy", "ymd"], Expects("dmy, mdy or ymd")] = "dmy"
    valid_days: Annotated[float, Field(ge=0, le=3650), Expects("a number of days from 0 to 3650")] = 30.0
    questions: Annotated[
        dict[QuestionId, QuestionForm],
        Field(min_length=1, max_length=MOST_QUESTIONS),
        Expects(f"1 to {MOST_QUESTIONS} questions"),
    ]
    verdicts: VerdictsForm = VerdictsForm()
    summary: Template
    details: Annotated[Template, TEMPLATE] = ""
