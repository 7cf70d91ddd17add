"""A script's YAML: as a `Script`, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asterisk_warm.config import checks_script
from asterisk_warm.config import faults as config_faults
from asterisk_warm.config.errors import ConfigErrors
from asterisk_warm.config.reference import describe_settings
from asterisk_warm.config.script_file import place, places, read_script
from asterisk_warm.config.script_form import ScriptForm
from asterisk_warm.config.values import nearest
from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.lint import lint
from asterisk_warm.core.script.model import (
    Channel,
    Choice,
    Kind,
    Match,
    Question,
    Rule,
    Script,
    Verdict,
    Wording,
)
from asterisk_warm.core.script.running import next_question, outcome, skip, take

SAMPLE = (Path(__file__).parents[2] / "config" / "scripts" / "insurance.yaml").read_text(encoding="utf-8")
GOOD = """\
id: home
name: Home
summary: "{name} has {kind}."
questions:
  owner:
    ask: yesno
    say: Do you own it?
  kind:
    ask: choice
    say: What is it?
    choices: {house: a house, flat: a flat}
  age:
    ask: number
    say: How old is it?
  renewal:
    ask: date
    say: When does it renew?
"""
OWNER, KIND, AGE, RENEWAL = "Do you own it?", "{house: a house, flat: a flat}", "How old is it?", "renew?"


def read(text: str) -> Script:
    return read_script(text, "home.yaml")


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        read(text)
    return [str(error).removeprefix("home.yaml:") for error in raised.value.errors]


def rules(line: str, of: str = OWNER) -> str:
    """The good script with a line more in a question."""
    return GOOD.replace(of, f"{of}\n    {line}")


def question(script: Script, id: str) -> Question:
    found = script.question(id)
    assert found is not None
    return found


# ---- what is read ----


def test_given_the_needed_alone_when_read_then_the_rest_has_its_defaults() -> None:
    script = read("id: a-1\nname: A\nsummary: s\nquestions: {q: {ask: text, say: What}}\n")
    assert script == Script("a-1", "A", (Question("q", Kind.TEXT, Wording("What")),), 0.0, 0.0, "s")


def test_given_everything_when_read_then_it_is_what_was_written() -> None:
    script = read("""\
id: home
name: Home
language: es-mx
date_order: mdy
valid_days: 7.5
verdicts: {ready: 50, nurture: -20.5, below: too little}
summary: "{name}: {kind}"
details: "{age}. {score}."
questions:
  owner:
    ask: yesno
    say: {console: Owner, voice: "sound:custom/own&beep", text: "Own it? Y/N"}
    help: As the deed has it.
    tries: 2
    seconds: 1m
    rules:
      - {is: No, knockout: does not own it}
      - {is: ["yes"], points: 10, goto: age}
      - {points: -1}
  kind:
    ask: choice
    say: {console: What}
    choices:
      - {value: house, label: A house, key: 2}
      - {value: 3, label: Three, key: "1"}
    optional: true
    when: {owner: {}}
    rules: [{is: [3, house], goto: end}]
  age:
    ask: number
    say: Age
    from: 0
    to: 99.5
    when: {owner: yes, kind: [house, 3]}
    rules: [{is: [1, 2.50, 1_000], from: 3, to: 9}]
  renewal:
    ask: date
    say: When
    when: {age: {from: 3}}
    rules: [{is: "2026-01-31"}, {from: -30}]
""")
    owner, kind, age, renewal = script.questions
    assert [one.wording.by_channel for one in script.questions] == [True, True, False, False]
    assert replace(script, questions=()) == Script(
        id="home",
        name="Home",
        questions=(),
        ready=50.0,
        nurture=-20.5,
        summary="{name}: {kind}",
        details="{age}. {score}.",
        language="es-mx",
        date_order="mdy",
        valid_days=7.5,
        below="too little",
    )
    assert owner == Question(
        id="owner",
        kind=Kind.YESNO,
        wording=Wording("Owner", "sound:custom/own&beep", "Own it? Y/N"),
        help="As the deed has it.",
        rules=(
            Rule(Match(("no",)), knockout="does not own it"),
            Rule(Match(("yes",)), points=10.0, goto="age"),
            Rule(Match(), points=-1.0),
        ),
        tries=2,
        seconds=60.0,
    )
    assert kind.choices == (Choice("house", "A house", "2"), Choice("3", "Three", "1"))
    assert (kind.optional, kind.when, kind.rules[0].goto) == (True, {"owner": Match()}, "end")
    assert kind.rules[0].match == Match(("3", "house"))
    assert (age.least, age.most) == (0.0, 99.5)
    assert age.when == {"owner": Match(("yes",)), "kind": Match(("house", "3"))}
    assert age.rules[0].match == Match(("1", "2.5", "1000"), 3.0, 9.0)
    assert renewal.when == {"age": Match(least=3.0)}
    assert [rule.match for rule in renewal.rules] == [Match(("2026-01-31",)), Match(least=-30.0)]


@pytest.mark.parametrize("word", ["yes", "Yes", "on", "true", '"yes"', "Y", "sí", "[yes]"])
def test_given_any_word_for_yes_when_it_is_an_answer_then_it_is_yes(word: str) -> None:
    script = read(rules(f"rules: [{{is: {word}}}]"))
    assert question(script, "owner").rules[0].match == Match(("yes",))


@pytest.mark.parametrize(
    ("written", "kept"), [("5", "5"), ("5.0", "5"), ("-0", "0"), ("'1e3'", "1000"), ("0.50", "0.5"), ("10", "10")]
)  # fmt: skip
def test_given_a_number_when_it_is_an_answer_then_it_is_plain(written: str, kept: str) -> None:
    script = read(rules(f"rules: [{{is: {written}}}]", AGE))
    assert question(script, "age").rules[0].match == Match((kept,))


def test_given_the_short_and_the_long_form_when_read_then_they_are_the_same() -> None:
    short = GOOD.replace(AGE, f"{AGE}\n    when: {{owner: yes, kind: [house]}}\n    rules: [{{is: 3}}]")
    long = GOOD.replace(OWNER, f"{{console: '{OWNER}'}}")
    long = long.replace(KIND, "[{value: house, label: a house}, {value: flat, label: a flat}]")
    long = long.replace(
        AGE, f"{AGE}\n    when: {{owner: {{is: [yes]}}, kind: {{is: house}}}}\n    rules: [{{is: [3]}}]"
    )
    assert read(short) == read(long)


def test_given_every_kind_of_question_when_read_then_it_is_known() -> None:
    for kind in Kind:
        choices = "choices: {a: A}" if kind is Kind.CHOICE else "optional: no"
        script = read(
            f"id: a\nname: A\nsummary: s\nquestions: {{q: {{ask: {kind}, say: What, {choices}}}}}\n"
        )
        assert script.questions[0].kind is kind


# ---- what is wrong ----

FAULTS = [
    ("id: home\n", "id: Home\n", ['1:5: id: "Home" is not an id (expected an id: 1 to 40 of a-z, 0-9, _ and -; did you mean "home"?)']),
    ("id: home\n", "", ["1:1: id is missing (expected an id: 1 to 40 of a-z, 0-9, _ and -)"]),
    ("name: Home", "nmae: Home", [
        "1:1: name is missing (expected text)",
        '2:1: unknown setting nmae (expected id, name, language, date_order, valid_days, questions, verdicts, summary, details; did you mean "name"?)',
    ]),
    ("{kind}", "{kind", ['3:10: summary: "{name} has {kind." has a "{" that is never closed (write "{{" to say a brace) (expected text with {name}, {score} or ids of questions in braces)']),
    ("ask: number", "ask: amount", ['13:10: questions.age.ask: "amount" is not one of the choices (expected choice, yesno, number, date, text, phone or email)']),
    ("ask: number", "ask: nummer", ['13:10: questions.age.ask: "nummer" is not one of the choices (expected choice, yesno, number, date, text, phone or email; did you mean "number"?)']),
    ("  age:", "  Age:", ['12:3: "Age" is not the id of a question (expected an id of a question: 1 to 40 of a-z, 0-9 and _, a letter first; did you mean "age"?)']),
    ("  age:", "  score:", ['12:3: "score" means something else (expected an id of a question: 1 to 40 of a-z, 0-9 and _, a letter first; did you mean "the_score"?)']),
    ("  age:", "  no:", ['12:3: no without quotes is not a word in YAML (expected a name in quotes; did you mean "no"?)']),
    ("  age:", "  1st:", ['12:3: "1st" is not the id of a question (expected an id of a question: 1 to 40 of a-z, 0-9 and _, a letter first)']),
    ("  age:", "  kind:", ["12:3: questions.kind is given twice, first on line 8 and again on line 12 (expected one of the two)"]),
    ("say: How old is it?", "say: no", ['14:10: questions.age.say.console: "no" without quotes is true or false in YAML, not text (expected text; did you mean "no"?)']),
    ("say: How old is it?", "say:", ["14:5: questions.age.say.console is missing (expected text)"]),
    ("say: How old is it?", "say: {voice: x}", ["14:5: questions.age.say.console is missing (expected text)"]),
    ("say: How old is it?", "say: [x]", ["14:10: questions.age.say is not a section with settings in it (expected the question, or a section with console, voice, text)"]),
    ("say: How old is it?", "say: {console: x, voice: 'sound:a,b'}", ['14:30: questions.age.say.voice: "sound:a,b" does not name recordings, with & between them (expected text, or sound:NAME for a recording of yours)']),
    ("say: How old is it?", "say: {console: x, voice: 'sound:${SHELL(id)}'}", ['14:30: questions.age.say.voice: "sound:${SHELL(id)}" does not name recordings, with & between them (expected text, or sound:NAME for a recording of yours)']),
    ("say: How old is it?", 'say: "\\e[31m"', ['14:10: questions.age.say.console: "\\x1b[31m" holds a control character (expected text)']),
    (KIND, "{house: a house, flat: no}", ['11:37: questions.kind.choices[1].label: "no" without quotes is true or false in YAML, not text (expected text; did you mean "no"?)']),
    (KIND, "{house: a house, no: No}", ['11:31: no without quotes is not a word in YAML (expected a name in quotes; did you mean "no"?)']),
    (KIND, "{House: a house}", ['11:15: questions.kind.choices[0].value: "House" is not an id (expected an id: 1 to 40 of a-z, 0-9, _ and -; did you mean "house"?)']),
    (KIND, "{}", ["8:3: questions.kind: there is nothing to choose from (expected choices, each a value with a label)"]),
    (KIND, "[house]", ['11:15: questions.kind.choices[0]: "house" is not a section with settings in it (expected up to 50 values with a label each, such as {house: A house})']),
    (KIND, "[{value: a, label: A, key: 12}]", ['11:41: questions.kind.choices[0].key: "12" is not one digit (expected one digit in quotes, such as "1")']),
    (KIND, "[{value: a, label: A, key: 1}, {value: a, label: B, key: 1}]", [
        '11:53: questions.kind.choices[1].value: "a" is that of choices[0] already (expected a value of its own for each)',
        '11:71: questions.kind.choices[1].key: "1" is that of choices[0] already (expected a key of its own for each)',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), FAULTS, ids=[f"{old} => {new}" for old, new, _ in FAULTS])
def test_given_a_fault_when_read_then_it_is_told_with_its_place(old: str, new: str, told: list[str]) -> None:
    assert old in GOOD
    assert faults(GOOD.replace(old, new, 1)) == told


LINES = [
    (OWNER, "rules: [{is: maybe}]", ['8:18: questions.owner.rules[0].is[0]: "maybe" is no answer to yesno (expected yes or no)']),
    (OWNER, "rules: [{is: [yes, 3]}]", ['8:24: questions.owner.rules[0].is[1]: "3" is no answer to yesno (expected yes or no)']),
    (OWNER, "rules: [{from: 3}]", ["8:14: questions.owner.rules[0].from means nothing for yesno (expected a question whose ask is number or date)"]),
    (OWNER, "to: 3", ["8:5: questions.owner.to means nothing for yesno (expected a question whose ask is number or date)"]),
    (OWNER, "choices: {a: A}", ["8:5: questions.owner.choices mean nothing where yesno is asked for (expected ask: choice)"]),
    (OWNER, "rules: {is: yes}", ["8:12: questions.owner.rules is of the wrong kind (expected a list of up to 50 rules, such as - {is: yes, points: 10})"]),
    (OWNER, "rules: [{is: yes, goto: Age}]", ['8:29: questions.owner.rules[0].goto: "Age" is not the id of a question (expected the id of a later question, or end; did you mean "age"?)']),
    (OWNER, "rules: [{is: yes, point: 5}]", ['8:23: unknown setting questions.owner.rules[0].point (expected is, from, to, points, knockout, goto; did you mean "points"?)']),
    (OWNER, "rules: [{is: yes, points: many}]", ['8:31: questions.owner.rules[0].points: "many" is of the wrong kind (expected a number)']),
    (OWNER, "rules: [{is: yes, points: 1e9}]", ['8:31: questions.owner.rules[0].points: "1e9" is of the wrong kind (expected a number)']),
    (OWNER, "rules: [{is: yes, points: 1000001}]", ['8:31: questions.owner.rules[0].points: "1000001" is too large (expected a number)']),
    (OWNER, 'rules: [{is: yes, knockout: "a\\nb"}]', ['8:33: questions.owner.rules[0].knockout: "a\\nb" holds a control character or a line break (expected text)']),
    (OWNER, "rules: [{is: }]", ["8:17: questions.owner.rules[0].is has no value (expected an answer, or a list of up to 50)"]),
    (OWNER, "rules: [{is: [22:30]}]", ['8:19: questions.owner.rules[0].is[0]: YAML reads 22:30 without quotes as a number to the base 60 (expected a plain decimal number, or text in quotes; did you mean "22:30"?)']),
    (OWNER, "rules: [{is: 22:30}]", ['8:18: questions.owner.rules[0].is: YAML reads 22:30 without quotes as a number to the base 60 (expected a plain decimal number, or text in quotes; did you mean "22:30"?)']),
    (OWNER, "tries: 0", ['8:12: questions.owner.tries: "0" is too small (expected a number from 1 to 10)']),
    (OWNER, "seconds: 2m", ['8:14: questions.owner.seconds: "2m" is too large (expected a duration from 2s to 1m, such as 8)']),
    (AGE, "from: 5\n    to: 4", ["15:11: questions.age.from (5) is more than to (4) (expected from of at most to)"]),
    (AGE, "from: young", ['15:11: questions.age.from: "young" is of the wrong kind (expected a number)']),
    (AGE, "from: .nan", ['15:11: questions.age.from: YAML reads .nan without quotes as a number that is not finite (expected a plain decimal number, or text in quotes; did you mean ".nan"?)']),
    (AGE, "rules: [{is: '3;DROP'}]", ['15:18: questions.age.rules[0].is[0]: "3;DROP" is no answer to number (expected a plain decimal number, or from and to)']),
    (AGE, "rules: [{is: inf}]", ['15:18: questions.age.rules[0].is[0]: "inf" is no answer to number (expected a plain decimal number, or from and to)']),
    (AGE, "rules: [{is: '1e999999'}]", ['15:18: questions.age.rules[0].is[0]: "1e999999" is no answer to number (expected a plain decimal number, or from and to)']),
    (AGE, "when: {owner: perhaps}", ['15:19: questions.age.when.owner.is[0]: "perhaps" is no answer to yesno (expected yes or no)']),
    (AGE, "when: {kind: [house, flt]}", ['15:26: questions.age.when.kind.is[1]: "flt" is none of the choices (expected house, flat; did you mean "flat"?)']),
    (AGE, "when: {kind: {is: house, from: 3}}", ["15:30: questions.age.when.kind.from means nothing for choice (expected a question whose ask is number or date)"]),
    (AGE, "when: owner", ['15:11: questions.age.when: "owner" is not a section with entries in it (expected earlier questions with the answer to each, such as {owner: yes})']),
    (AGE, "when: {Owner: yes}", ['15:12: "Owner" is not the id of a question (expected an id of a question: 1 to 40 of a-z, 0-9 and _, a letter first; did you mean "owner"?)']),
    (RENEWAL, "rules: [{is: 2026-01-31}]", ['18:18: questions.renewal.rules[0].is: YAML reads 2026-01-31 without quotes as a date (expected a plain decimal number, or text in quotes; did you mean "2026-01-31"?)']),
    (RENEWAL, "rules: [{is: '31/1/2026'}]", ['18:18: questions.renewal.rules[0].is[0]: "31/1/2026" is no answer to date (expected a date in quotes, such as "2026-01-31", or from and to in days from today)']),
]  # fmt: skip


@pytest.mark.parametrize(("of", "line", "told"), LINES, ids=[line for _, line, _ in LINES])
def test_given_a_line_that_is_wrong_when_read_then_it_is_told(of: str, line: str, told: list[str]) -> None:
    assert faults(rules(line, of)) == told


def test_given_faults_of_every_sort_when_read_then_all_are_told_in_the_order_of_lines() -> None:
    text = rules("rules: [{is: maybe}]").replace(KIND, "{House: x}").replace("name: Home", "name:")
    told = faults(text.replace("ask: number", "ask: 5") + "verdicts: {ready: x}\nlanguage: Spanish\n")
    assert [line.partition(" ")[0] for line in told] == [
        "2:6:",
        "8:18:",
        "12:15:",
        "14:10:",
        "19:19:",
        "20:11:",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: the file is empty (expected a script, as in the sample config/scripts/insurance.yaml)"),
        ("- a", '1:1: the file holds no settings (expected lines like "questions:")'),
        ("id: \x07", "1:5: the character U+0007 cannot stand in a YAML file (expected printable text)"),
        ("id: \ud800", "1:5: the character U+D800 cannot stand in a YAML file (expected printable text)"),
        ("a: {b: [", "1:9: a bracket is never closed"),
        ("[" * 500, "1:41: settings are nested more than 40 levels deep"),
        ("é" * 140_000, "1:1: the file is larger than 256 KiB (expected a qualification script; is this the right file?)"),
        ("id: !!python/object:os.system x", '1:5: id has a YAML tag ("!...") that is not allowed here (expected a plain value)'),
        ("questions: &a {q: *a}", "1:12: an alias contains itself"),
    ],
)  # fmt: skip
def test_given_what_is_no_script_when_read_then_it_is_told(text: str, fault: str) -> None:
    told = faults(text)
    assert fault in told
    assert len(told) == 1 or all(" is missing " in line for line in told if line != fault)


def many(questions: int = 1, choices: int = 1, rules: int = 1, answers: int = 1) -> str:
    picks = ", ".join(f"c{number}: C" for number in range(choices))
    hits = ", ".join(["c0"] * answers)
    given = ", ".join([f"{{is: [{hits}]}}"] * rules)
    lines = [
        f"  q{n}: {{ask: choice, say: Q, choices: {{{picks}}}, rules: [{given}]}}" for n in range(questions)
    ]
    return "id: a\nname: A\nsummary: s\nquestions:\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("most", "more", "told"),
    [
        (many(questions=200), many(questions=201), "questions holds too many (expected 1 to 200 questions)"),
        (many(choices=50), many(choices=51), "choices holds too many (expected up to 50 values with a label each"),
        (many(rules=50), many(rules=51), "rules holds too many (expected a list of up to 50 rules"),
        (many(answers=50), many(answers=51), "is holds too many (expected an answer, or a list of up to 50)"),
    ],
)  # fmt: skip
def test_given_as_much_as_there_may_be_when_read_then_one_more_is_too_many(
    most: str, more: str, told: str
) -> None:
    assert read(most).questions
    (fault,) = faults(more)
    assert told in fault


# ---- more faults than anybody mends at once ----


def spread(keys: int) -> str:
    """A script with so many settings that are unknown, a few in each question."""
    lines = [
        f"  q{number // 90}: {{ask: yesno, say: Q{''.join(f', sya{n}: 1' for n in range(number, number + 90))}}}"
        for number in range(0, keys, 90)
    ]
    return "id: a\nname: A\nsummary: s\nquestions:\n" + "\n".join(lines) + "\n"


def test_given_more_faults_than_are_told_then_the_first_are_told_and_the_others_counted() -> None:
    few = faults(GOOD + "".join(f"nam{number}: x\n" for number in range(100)))
    assert len(few) == 100 and few[0].startswith("18:1: unknown setting nam0 (")
    head, *told = faults(GOOD + "".join(f"nam{number}: x\n" for number in range(230)))
    expected = "(expected a qualification script; is this the right file?)"
    assert head == f"1:1: there are 230 faults, of which 100 are told {expected}"
    assert told == few
    assert all(line.endswith('did you mean "name"?)') for line in told)


@pytest.mark.parametrize(
    "text",
    [spread(9000), many(questions=150, rules=50).replace("[c0]", "[c9]")],
    ids=["settings", "answers"],
)
def test_given_thousands_of_faults_then_what_was_meant_is_only_looked_for_where_it_is_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[str] = []

    def counted(word: str, known: Iterable[str]) -> str | None:
        sought.append(word)
        return nearest(word, known)

    for module in (config_faults, checks_script):
        monkeypatch.setattr(module, "nearest", counted)
    head, *told = faults(text)
    assert int(head.split()[3]) >= 7500, head
    assert len(told) == 100 == len(sought)


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ("".join(f"key{number}: 1\n" for number in range(9000)), "514:1"),
        ("keys: [" + "1, " * 600 + "2]\n", "18:1508"),
        ("a: 1\n" * 9000, "514:1"),
        ("keys: {" + "[1]: 1, " * 600 + "}\n", "18:4008"),
    ],
    ids=["mapping", "list", "given twice", "no names"],
)
def test_given_more_entries_than_can_be_meant_then_it_is_not_read_to_its_end(
    entries: str, place: str
) -> None:
    (told,) = faults(GOOD + entries)
    expected = "(expected a qualification script; is this the right file?)"
    assert told == f"{place}: there are more than 500 entries in one place {expected}"


# ---- places, for what is wrong with where it leads ----


def test_given_a_path_when_looked_up_then_it_is_where_that_is_written() -> None:
    text = rules("rules:\n      - is: yes\n        goto: renewal\n      - {is: [no]}")
    known = places(text)
    assert [place(path, known) for path in (
        "", "summary", "questions.owner", "questions.owner.rules[0].goto", "questions.owner.rules[1]",
        "questions.owner.rules[1].is[0]", "questions.owner.rules[7].points", "questions.kind.choices[1]",
        "questions.kind.choices.flat", "questions.kind.choices[1].label", "questions.nobody.say", "nothing",
    )] == [
        (1, 1), (3, 10), (5, 3), (10, 15), (11, 9), (11, 15), (8, 5), (15, 31), (15, 37), (15, 37), (4, 1), (1, 1),
    ]  # fmt: skip


# ---- the sample ----


def played(script: Script, told: dict[str, str]) -> tuple[list[str], Sequence[Answer]]:
    """What is asked of who answers like that, and the answers; what they do not tell is skipped."""
    asked: list[str] = []
    answers: tuple[Answer, ...] = ()
    while (question := next_question(script, answers)) is not None:
        asked.append(question.id)
        if question.id in told:
            answers = take(
                script, answers, question, told[question.id],
                at=0.0, on="2026-03-02", by="lead", channel=Channel.VOICE, asked="?",
            )  # fmt: skip
        else:
            answers = skip(
                script,
                answers,
                question,
                at=0.0,
                on="2026-03-02",
                by="lead",
                channel=Channel.VOICE,
                asked="?",
            )
    return asked, answers


def test_given_the_sample_when_linted_then_nothing_is_found() -> None:
    script = read(SAMPLE)
    assert [*lint(script)] == []
    assert {question.kind for question in script.questions} >= {
        Kind.YESNO, Kind.CHOICE, Kind.NUMBER, Kind.DATE, Kind.TEXT, Kind.PHONE,
    }  # fmt: skip
    assert all(question.wording.voice and question.wording.text for question in script.questions)


@pytest.mark.parametrize(
    ("told", "verdict", "score", "said"),
    [
        (
            {"owner": "yes", "kind": "house", "insured": "yes", "renewal": "2026-03-20", "claims": "0", "phone": "+12025550123"},
            Verdict.READY, 80, "Owns a house, insurance renews on 20 March 2026.",
        ),
        ({"owner": "yes", "kind": "condo", "insured": "no", "claims": "3", "open_claim": "yes"}, Verdict.NURTURE, 45, "Owns a condominium."),
        ({"owner": "yes", "kind": "condo", "insured": "yes", "renewal": "2026-12-24", "claims": "4", "open_claim": "yes"}, Verdict.DISQUALIFIED, 20, "Owns a condominium, insurance renews on 24 December 2026."),
        ({"owner": "no"}, Verdict.DISQUALIFIED, 0, ""),
        ({"owner": "yes", "kind": "mobile"}, Verdict.DISQUALIFIED, 20, "Owns a mobile home."),
    ],
)  # fmt: skip
def test_given_the_sample_when_played_then_it_says_what_the_lead_is_worth(
    told: dict[str, str], verdict: Verdict, score: float, said: str
) -> None:
    script = read(SAMPLE)
    asked, answers = played(script, told)
    found = outcome(script, answers, "Grant Weatherly")
    assert (found.verdict, found.score, found.summary) == (verdict, score, said)
    assert ("open_claim" in asked) == ("open_claim" in told)
    assert ("renewal" in asked) == ("renewal" in told)


def test_given_the_sample_when_its_comments_are_read_then_they_name_everything_there_may_be() -> None:
    comments = "\n".join(line for line in SAMPLE.splitlines() if line.startswith("#"))
    names = {setting.path.rpartition(".")[2] for setting in describe_settings(ScriptForm)}
    assert {name for name in names if not re.search(rf"\b{name}\b", comments)} == set()


# ---- whatever is in the file ----

PIECES = [line for line in SAMPLE.splitlines() if line.strip() and not line.startswith("#")]
FRAGMENTS = st.sampled_from(
    [
        "no",
        "22:30",
        "~",
        "*a",
        "&a ",
        "!x ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "'",
        '"',
        "<<: ",
        "end",
        "3",
        "x",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The sample with lines taken out, moved, given another value or indented otherwise."""
    lines = list(PIECES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["out", "move", "value", "indent"])):
            case "out":
                del lines[at]
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "value":
                value = draw(
                    FRAGMENTS | st.text(max_size=8) | st.sampled_from(["{a: b}", "[a, 2]", "{from: 3}"])
                )
                lines[at] = f"{lines[at].partition(':')[0]}: {value}"
            case "indent":
                lines[at] = " " * draw(st.integers(0, 8)) + lines[at].lstrip()
    return "\n".join(lines)


@settings(max_examples=150, deadline=None)
@given(damaged() | st.text(max_size=60))
@example("questions: {q: {when: {a: {is: {b: c}}}}}")
@example("questions: {q: {choices: [1, {value: }], rules: [1, [], {is: [[a]]}]}}")
@example("questions: {q: {ask: choice, choices: {a: &x A, b: *x}, when: {q: &y [*y]}}}")
@example("questions: [a]")
@example("questions: {q: }")
def test_given_any_text_when_read_then_it_is_a_script_or_told(text: str) -> None:
    try:
        script = read(text)
    except ConfigErrors as errors:
        assert errors.errors
        for error in errors.errors:
            assert error.file == "home.yaml" and error.line >= 1 and error.column >= 1
            assert str(error).isprintable()
    else:
        known = places(text)
        assert all(place(finding.path, known) for finding in lint(script))
