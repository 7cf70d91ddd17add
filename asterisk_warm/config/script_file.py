"""A qualification script: its YAML as a `Script`, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Set

from pydantic import TypeAdapter

from asterisk_warm.config import checks_script
from asterisk_warm.config.errors import ConfigErrors, dotted
from asterisk_warm.config.faults import part
from asterisk_warm.config.script_form import (
    ChoiceForm,
    MatchForm,
    QuestionForm,
    RuleForm,
    ScriptForm,
    WordingForm,
)
from asterisk_warm.config.script_short import write_out
from asterisk_warm.config.text_file import Wanted, too_large
from asterisk_warm.config.written import Written
from asterisk_warm.config.yaml_source import Source, parse
from asterisk_warm.core.script.model import Choice, Kind, Match, Question, Rule, Script, Wording

WANTED = Wanted(
    kind="a YAML file",
    example="insurance.yaml",
    missing="a script, as in the sample config/scripts/insurance.yaml",
    right_one="a qualification script; is this the right file?",
    content="a script, as in the sample config/scripts/insurance.yaml",
    line="questions:",
    most_bytes=256 << 10,
    most_entries=500,
    most_faults=100,
)

_SCRIPT = TypeAdapter(ScriptForm)


def read_script(source: str, name: str) -> Script:
    """Read a script's YAML; ``name`` is the file's, for messages.

    Raises ConfigErrors with all faults of its form at once; whether it leads anywhere is for
    `core.script.lint` to say.
    """
    read = _parsed(source, name)
    faulty = set(read.broken)
    form = part(read, _SCRIPT, read.values, (), faulty, root=ScriptForm)
    checks_script.check(Written(read, faulty))
    if read.errors or form is None:
        raise ConfigErrors(read.all_errors)
    by_channel = {id for id in form.questions if ("questions", id, "say", "console") in read.key_marks}
    return _script(form, by_channel)


def places(source: str) -> Mapping[str, tuple[int, int]]:
    """Return line and column, from 1, of everything in a script's YAML, by path: `questions.owner.rules[0]`.
    Choices are found by place (`choices[0]`) and by value (`choices.house`). What holds something else is
    where its name is.

    Raises ConfigErrors when it is no YAML.
    """
    read = _parsed(source, "")
    holders = {path[:-1] for path in read.marks}
    marks = read.marks | {path: mark for path, mark in read.key_marks.items() if path in holders}
    return {dotted(path): (mark.line, mark.column) for path, mark in marks.items()}


def place(path: str, known: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Return where ``path`` is, of all `places`, or else what would hold it."""
    while path and path not in known:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return known.get(path, (1, 1))


def _parsed(text: str, name: str) -> Source:
    if len(text.encode("utf-8", "surrogatepass")) > WANTED.most_bytes:
        raise too_large(name, WANTED)
    read = parse(text, name, wanted=WANTED)
    write_out(read)
    return read


def _script(form: ScriptForm, by_channel: Set[str]) -> Script:
    """``by_channel`` are the questions whose wording is a section."""
    kinds = {id: question.ask for id, question in form.questions.items()}
    return Script(
        id=form.id,
        name=form.name,
        questions=tuple(
            _question(id, question, kinds, id in by_channel) for id, question in form.questions.items()
        ),
        ready=form.verdicts.ready,
        nurture=form.verdicts.nurture,
        below=form.verdicts.below,
        summary=form.summary,
        details=form.details,
        language=form.language or "",
        date_order=form.date_order,
        valid_days=form.valid_days,
    )


def _question(id: str, form: QuestionForm, kinds: Mapping[str, str], by_channel: bool) -> Question:
    return Question(
        id=id,
        kind=Kind(form.ask),
        wording=_wording(form.say, by_channel),
        help=form.help,
        optional=form.optional,
        when={earlier: _match(match, kinds.get(earlier, "")) for earlier, match in form.when.items()},
        rules=tuple(_rule(rule, form.ask) for rule in form.rules),
        choices=tuple(_choice(choice) for choice in form.choices),
        least=form.least,
        most=form.most,
        tries=form.tries,
        seconds=form.seconds,
    )


def _wording(form: WordingForm, by_channel: bool) -> Wording:
    return Wording(form.console, form.voice, form.text, by_channel)


def _choice(form: ChoiceForm) -> Choice:
    return Choice(form.value, form.label, form.key or "")


def _rule(form: RuleForm, kind: str) -> Rule:
    return Rule(_match(form, kind), form.points, form.knockout or "", form.goto or "")


def _match(form: MatchForm, kind: str) -> Match:
    values = tuple(checks_script.kept(kind, value) for value in form.values)
    return Match(values, form.least, form.most)
