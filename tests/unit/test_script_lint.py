"""What is wrong with a script is said before anybody is asked: each fault with its place and a remedy."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from script_parts import ANY, ask, choice, number, on, script, yesno

from asterisk_warm.core.script.lint import Severity, lint
from asterisk_warm.core.script.model import END, Choice, Kind, Match, Question, Rule, Script, Wording
from asterisk_warm.core.script.ways import LIMIT, bounds, ways

GOOD = script(
    yesno("owner", on("yes", points=20), on("no", knockout="does not own the home")),
    choice("kind", {"house": "a house", "flat": "a flat"}, on("flat", goto="moving"), on("house", points=10)),
    number("worth", on(least=100, points=30), when={"kind": Match(("house",))}, least=0),
    ask("moving", Kind.DATE, on(least=0, most=30, points=15), optional=True, least=0),
    ask("words", Kind.TEXT, optional=True),
    ready=40.0,
    nurture=25.0,
    summary="{name} owns {kind}, worth {worth}.",
)


def told(one: Script) -> list[str]:
    return [f"{found.severity} {found.path}: {found.message}; {found.remedy}" for found in lint(one)]


def change(place: int, **changes: Any) -> Script:
    questions = list(GOOD.questions)
    questions[place] = replace(questions[place], **changes)
    return replace(GOOD, questions=tuple(questions))


def rules(place: int, *rules: Rule) -> Script:
    return change(place, rules=(*rules, *GOOD.questions[place].rules))


def only(*questions: Question, **more: Any) -> Script:
    return script(*questions, **({"summary": f"{{{questions[0].id}}}", "ready": 10.0, "nurture": 5.0} | more))


def test_given_a_good_script_when_linted_then_nothing_is_found() -> None:
    assert told(GOOD) == []


OWNER, KIND, WORTH, MOVING, WORDS = range(5)

FAULTS = [
    # the script as a whole
    (script(summary="{name}"), "error questions: there are no questions; ask at least one"),
    (replace(GOOD, date_order="ddmm"), "error date_order: 'ddmm' is no order of dates; write dmy, mdy, ymd"),
    (replace(GOOD, valid_days=nan), "error valid_days: this is no number of days; write e.g. 30"),
    (replace(GOOD, ready=inf), "error verdicts: these are no scores"),
    (replace(GOOD, nurture=41.0), "error verdicts.nurture: nurture (41) is more than ready (40)"),
    (replace(GOOD, summary=" "), "error summary: there is no summary"),
    (
        replace(GOOD, summary="{name} is {age}."),
        "error summary: there is no question age; known are kind, moving,",
    ),
    (replace(GOOD, details="{name"), 'error details: the template has a "{" that is never closed'),
    (replace(GOOD, summary="{name}"), "warning summary: the summary holds no answer"),
    # questions
    (
        only(yesno("a", on("yes", points=10)), yesno("a")),
        "error questions.a: there are two questions of that id",
    ),
    (change(WORDS, id="end"), "error questions.end: the id end means something else; call it e.g. the_end"),
    (change(WORDS, id="score"), "error questions.score: the id score means something else"),
    (change(WORDS, id="My-words"), "error questions.My-words: this is not the id of a question"),
    (
        change(WORDS, wording=Wording(" ")),
        "error questions.words.say: it has no words; write how it is asked",
    ),
    (
        change(WORDS, wording=Wording("?", by_channel=True)),
        "warning questions.words.say: it has no voice wording: on the phone the lead is asked what a qualifier "
        "reads; write say.voice, or one text for everybody",
    ),
    (
        only(
            yesno("a", on("yes", points=10), wording=Wording("?", "?", "?", by_channel=True)),
            yesno("b", wording=Wording("?", "?", by_channel=True)),
        ),
        "warning questions.b.say: it has no text wording, as others have; write say.text",
    ),
    (
        change(WORDS, least=1.0),
        "warning questions.words: from and to mean nothing for a text; leave them out",
    ),
    (change(WORTH, least=9.0, most=1.0), "error questions.worth.from: 9 is more than 1: no answer will do"),
    (change(MOVING, most=1e6), "error questions.moving.to: 1e+06 days are too many; write at most 73000"),
    (change(MOVING, least=nan), "error questions.moving.from: nan days are too many"),
    (change(WORDS, tries=0), "error questions.words: nobody could answer it; tries must be at least 1"),
    (change(WORDS, seconds=0.0), "error questions.words: nobody could answer it"),
    # choices
    (change(WORDS, choices=(Choice("a", "A"),)), "warning questions.words.choices: a text has no choices"),
    (only(choice("a", {})), "error questions.a.choices: there is nothing to choose from"),
    (
        only(Question("a", Kind.CHOICE, Wording("?"), choices=(Choice("x", "X"), Choice("X", "Y")))),
        "error questions.a.choices[1].value: another answer has that value; change the value",
    ),
    (
        only(Question("a", Kind.CHOICE, Wording("?"), choices=(Choice("x", "Ex"), Choice("y", "ex ")))),
        "error questions.a.choices[1].label: another answer has that label",
    ),
    (
        only(Question("a", Kind.CHOICE, Wording("?"), choices=(Choice("x", "X", "2"), Choice("y", "Y")))),
        "error questions.a.choices[1].key: another answer has the key 2; give each a digit of its own",
    ),
    (
        only(Question("a", Kind.CHOICE, Wording("?"), choices=(Choice("x", "X", "#"),))),
        "error questions.a.choices[0].key: '#' is no key of a telephone; write one digit",
    ),
    (
        only(choice("a", {f"v{n}": f"Label {n}" for n in range(10)})),
        "warning questions.a.choices[9].key: it cannot be chosen on the phone: the keys are used up",
    ),
    (only(choice("a", {"": "X"})), "error questions.a.choices[0]: an answer needs a value and a label"),
    (only(choice("a", {"x": " "})), "error questions.a.choices[0]: an answer needs a value and a label"),
    (
        only(choice("a", {"2": "two", "1": "one"})),
        "warning questions.a.choices[0].value: 2 is the key of another answer",
    ),
    # when
    (
        change(WORTH, when={"age": ANY}),
        "error questions.worth.when.age: there is no question age; known before it: owner, kind",
    ),
    (
        change(OWNER, when={"kind": ANY}),
        "error questions.owner.when.kind: kind is not asked before it; known before it: none",
    ),
    (change(WORTH, when={"worth": ANY}), "error questions.worth.when.worth: worth is not asked before it"),
    (
        change(WORTH, when={"kind": Match(("tent",))}),
        "error questions.worth.when.kind.is[0]: tent is no answer to kind; the answers are house, flat",
    ),
    (
        change(WORTH, when={"owner": Match(("1",))}),
        "error questions.worth.when.owner.is[0]: 1 is no answer to owner; the answers are yes, no",
    ),
    (
        change(WORTH, when={"kind": Match(most=3.0)}),
        "error questions.worth.when.kind: from and to mean nothing for a choice; write is: and the answer",
    ),
    (
        change(WORDS, when={"moving": Match(("2026-03-12",))}),
        "error questions.words.when.moving.is[0]: a date is not told by its name; write from and to",
    ),
    # rules
    (rules(WORTH, on("1,000", points=1)), "error questions.worth.rules[0].is[0]: the answer is kept as 1000"),
    (
        rules(WORTH, on("many", points=1)),
        "error questions.worth.rules[0].is[0]: no answer is like that: “many”",
    ),
    (
        rules(WORTH, on("-1", points=1)),
        "error questions.worth.rules[0].is[0]: no answer is like that: “-1” is out",
    ),
    (
        rules(WORTH, on(least=9, most=3, points=1)),
        "error questions.worth.rules[0].from: 9 is more than 3: no answer will do",
    ),
    (rules(WORTH, on(most=-5, points=1)), "warning questions.worth.rules[0]: no answer is like that"),
    (rules(MOVING, on(most=-1, points=1)), "warning questions.moving.rules[0]: no answer is like that"),
    (rules(MOVING, on(most=-1e9, points=1)), "error questions.moving.rules[0].to: -1e+09 days are too many"),
    (
        rules(WORDS, Rule(ANY, points=nan)),
        "error questions.words.rules[0].points: this is no number of points",
    ),
    (
        rules(WORDS, Rule(ANY, goto="owner")),
        "error questions.words.rules[0].goto: owner: leads back, so that nobody would come to the end",
    ),
    (rules(WORDS, Rule(ANY, goto="words")), "error questions.words.rules[0].goto: words: leads back"),
    (
        rules(WORDS, Rule(ANY, goto="nowhere")),
        "error questions.words.rules[0].goto: nowhere: there is no such question; name a later question, or end",
    ),
    (
        rules(WORDS, Rule(ANY, goto=END, knockout="talks")),
        "warning questions.words.rules[0].goto: a lead who is knocked out is asked nothing more",
    ),
    (rules(WORDS, Rule(ANY)), "warning questions.words.rules[0]: nothing follows from it"),
    (
        rules(MOVING, on(least=5, goto=END), on(least=10, most=20, goto=END)),
        "warning questions.moving.rules[1].goto: an earlier goto always comes first; put this rule before",
    ),
    (
        rules(MOVING, on(least=5, knockout="late"), on(least=10, most=20, knockout="later")),
        "warning questions.moving.rules[1].knockout: an earlier knockout always comes first",
    ),
    (
        rules(MOVING, on(most=10, knockout="soon"), on(least=9, knockout="late"), on(most=30, goto=END)),
        "warning questions.moving.rules[2].goto: an earlier goto always comes first",
    ),
    # ways
    (
        only(yesno("a", Rule(ANY, points=10, goto="c")), yesno("b"), yesno("c")),
        "error questions.b: no lead ever comes to it",
    ),
    (
        only(number("a", on("5", points=10), most=9), yesno("b", when={"a": Match(least=10)})),
        "error questions.b: no lead ever comes to it",
    ),
    (
        only(ask("a", Kind.DATE, on(least=30, points=4), least=7, optional=True), yesno("b")),
        "error verdicts.ready: no lead can be ready: the most is 4 points, needed are 10; "
        "a 30 days ahead, b yes: give more points",
    ),
    (
        only(ask("a", Kind.DATE, on(least=0, points=10, goto=END), optional=True), yesno("b")),
        "warning questions.a: a lead can be ready without having been asked b; a today: lead on to them",
    ),
    (
        only(
            yesno("a", on("yes", points=10), on("no", goto="c")),
            yesno("b"),
            yesno("c", when={"b": ANY, "a": Match(("no",))}),
        ),
        "error questions.c: no lead ever comes to it",
    ),
    (only(yesno("a", Rule(ANY, knockout="no"))), "error questions: every lead is knocked out"),
    (
        only(yesno("a", on("yes", points=4)), yesno("b", on("yes", points=5), when={"a": Match(("yes",))})),
        "error verdicts.ready: no lead can be ready: the most is 9 points, needed are 10; a yes, b yes:",
    ),
    (
        only(yesno("a", on("yes", points=9), on("no", points=1), optional=True)),
        "error verdicts.ready: no lead can be ready: the most is 9 points, needed are 10; a yes:",
    ),
    (
        only(yesno("a", on("yes", points=10), on("no", points=12))),
        "warning verdicts.ready: every lead is ready: the least is 10 points, needed are 10; raise it",
    ),
    (
        only(yesno("a", on("yes", points=10), on("no", points=5))),
        "warning verdicts.nurture: no lead can be disqualified: the least is 5 points",
    ),
    (
        only(yesno("a", on("yes", points=10, goto=END)), yesno("b"), yesno("c", optional=True), yesno("d")),
        "warning questions.a: a lead can be ready without having been asked b, d; a yes: lead on to them",
    ),
]


@pytest.mark.parametrize(("one", "finding"), FAULTS, ids=[finding for _, finding in FAULTS])
def test_given_a_script_with_a_fault_when_linted_then_it_is_found_in_its_place(
    one: Script, finding: str
) -> None:
    found = told(one)
    assert any(line.startswith(finding) for line in found), found


def test_given_one_text_for_everybody_beside_wordings_by_channel_when_linted_then_that_is_fine() -> None:
    assert told(change(WORDS, wording=Wording("?", "?", "?", by_channel=True))) == []


def test_given_several_faults_when_linted_then_all_are_told_in_the_order_in_which_they_are_written() -> None:
    one = replace(
        script(yesno("a", Rule(ANY, goto="z")), yesno("b", Rule(ANY)), yesno("c", Rule(ANY, goto="a"))),
        date_order="",
        details="{nobody}",
    )
    assert [found.path for found in lint(one) if found.severity is Severity.ERROR] == [
        "date_order",
        "details",
        "questions.a.rules[0].goto",
        "questions.c.rules[0].goto",
    ]


def test_given_an_end_that_skips_only_what_may_be_skipped_when_linted_then_that_is_fine() -> None:
    one = only(
        yesno("a", on("yes", points=10, goto=END), on("no", knockout="no")),
        yesno("b", optional=True),
        yesno("c", when={"a": Match(("maybe",))}),
    )
    assert not any("without having been asked" in line for line in told(one))


def test_given_an_early_end_for_leads_who_are_not_ready_when_linted_then_that_is_fine() -> None:
    one = only(yesno("a", on("no", goto=END)), yesno("b", on("yes", points=10)))
    assert told(one) == []


def test_given_ten_answers_with_keys_when_linted_then_all_can_be_chosen_on_the_phone() -> None:
    ten = tuple(Choice(f"v{n}", f"Label {n}", str(n)) for n in range(10))
    one = only(Question("a", Kind.CHOICE, Wording("?"), choices=ten, rules=(on("v1", points=10),)))
    assert told(one) == []


# -- all ways ------------------------------------------------------------------------------------------------


def test_given_branches_that_exclude_each_other_when_bounded_then_only_possible_scores_count() -> None:
    one = script(
        yesno("a"),
        yesno("b", on("yes", points=10), when={"a": Match(("yes",))}),
        yesno("c", on("yes", points=7), when={"a": Match(("no",))}),
        number("d", on(least=3, points=-2), on(least=3.5, most=4, points=-3), on("9", points=20)),
    )
    assert bounds(one) == (-5, 28)


def test_given_a_way_with_the_most_points_when_told_then_its_answers_give_them() -> None:
    assert [(answer.question, answer.value) for answer in (ways(GOOD).finished or pytest.fail()).answers][
        :3
    ] == [
        ("owner", "yes"),
        ("kind", "house"),
        ("worth", "100"),
    ]


def test_given_a_limit_when_bounded_then_the_answers_beyond_it_count_too() -> None:
    assert bounds(script(number("a", on(least=-5, points=1)))) == (0, 1)
    assert bounds(script(number("a", on(most=5, points=1)))) == (0, 1)
    assert bounds(script(ask("a", Kind.DATE, on(least=-5, most=5, points=1)))) == (0, 1)


def test_given_no_questions_when_bounded_then_the_score_is_nothing() -> None:
    assert bounds(script()) == (0, 0)


def tangled(questions: int) -> Script:
    """Every question depends on all before it, so that there are as many ways as there are."""
    asked = [yesno(f"q{n}", on("yes", points=1.5**n)) for n in range(questions)]
    last = yesno("last", when={one.id: Match(("yes",)) for one in asked})
    never = yesno("never", when={"q0": Match(("perhaps",))})
    return script(*asked, last, never)


def test_given_more_ways_than_can_be_looked_at_when_linted_then_what_is_sure_is_still_found() -> None:
    small, large = ways(tangled(8)), ways(tangled(40))
    assert (small.exact, large.exact) == (True, False)
    assert "last" in large.asked and "last" in small.asked
    assert "never" not in small.asked
    assert large.finished is not None and large.finished.most >= sum(1.5**n for n in range(40)) - 1e-6
    assert LIMIT < 2**40
