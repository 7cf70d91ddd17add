"""Scripts of every shape, answered in every way: they end, their scores are as bounded, and nothing is invented."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from script_parts import AT, ON, answered, one_more, script

from asterisk_warm.core.numbers import e164
from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.compare import differences
from asterisk_warm.core.script.graph import svg
from asterisk_warm.core.script.keyed import keyed
from asterisk_warm.core.script.lint import Severity, lint
from asterisk_warm.core.script.model import END, Choice, Kind, Match, Question, Rule, Script, Verdict, Wording
from asterisk_warm.core.script.reading import BadAnswer, read, valid
from asterisk_warm.core.script.running import back, carry, next_question, outcome, say, since
from asterisk_warm.core.script.samples import samples
from asterisk_warm.core.script.ways import bounds, ways

LANGUAGES = st.sampled_from(["", "en", "es", "es-MX", "de", "fr", "pt"])
TODAY = date.fromisoformat(ON)
VALUES = {
    Kind.CHOICE: ("a", "b", "c"),
    Kind.YESNO: ("yes", "no"),
    Kind.NUMBER: ("0", "2.5", "7"),
    Kind.TEXT: ("x", "hello"),
    Kind.PHONE: ("+12025550123",),
    Kind.EMAIL: ("ana@example.com",),
}
halves = st.integers(-4, 16).map(lambda number: number / 2)
kinds = st.sampled_from(Kind)


# -- scripts -------------------------------------------------------------------------------------------------


@st.composite
def matches(draw: st.DrawFn, kind: Kind) -> Match:
    if kind in (Kind.NUMBER, Kind.DATE) and draw(st.booleans()):
        least, most = sorted((draw(halves), draw(halves)))
        return Match((), draw(st.sampled_from([None, least])), most)
    named = (
        st.lists(st.sampled_from(VALUES[kind]), max_size=2, unique=True) if kind in VALUES else st.just([])
    )
    return Match(tuple(draw(named)))


@st.composite
def questions(draw: st.DrawFn, place: int, earlier: list[Question], later: list[str]) -> Question:
    kind = draw(kinds)
    rule = st.builds(
        Rule,
        matches(kind),
        points=st.sampled_from([0.0, 0.1, 1.0, 10.0, -3.0]),
        knockout=st.sampled_from(["", "", "", "no"]),
        goto=st.sampled_from(["", "", *later]),
    )
    when = {
        one.id: draw(matches(one.kind))
        for one in (draw(st.lists(st.sampled_from(earlier), max_size=2)) if earlier else [])
    }
    return Question(
        f"q{place}",
        kind,
        Wording(f"What about {place}?"),
        optional=draw(st.booleans()),
        when=when,
        rules=tuple(draw(st.lists(rule, max_size=3))),
        choices=tuple(Choice(value, f"The {value}") for value in "abc") if kind is Kind.CHOICE else (),
        least=draw(st.sampled_from([None, 0.0])),
        most=draw(st.sampled_from([None, 9.0])),
    )


@st.composite
def scripts(draw: st.DrawFn, most: int = 6) -> Script:
    size = draw(st.integers(1, most))
    asked: list[Question] = []
    for place in range(size):
        asked.append(draw(questions(place, asked, [*(f"q{n}" for n in range(place + 1, size)), END])))
    nurture, ready = sorted((draw(halves), draw(halves)))
    return script(*asked, ready=ready, nurture=nurture, summary="{name}: {q0}", language=draw(LANGUAGES))


@st.composite
def clean_scripts(draw: st.DrawFn) -> Script:
    """In which `lint` finds no error."""
    one = draw(scripts())
    while len(reached := ways(one).asked) < len(one.questions):
        kept = [question for question in one.questions if question.id in reached]
        one = replace(one, questions=tuple(_among(question, reached) for question in kept))
    finished = ways(one).finished
    assume(finished is not None)
    ready = min(one.ready, round(finished.most, 6) if finished else 0)
    one = replace(one, ready=ready, nurture=min(one.nurture, ready))
    assert [found for found in lint(one) if found.severity is Severity.ERROR] == []
    return one


def _among(question: Question, ids: Collection[str]) -> Question:
    """Without a word of any other question."""
    return replace(
        question,
        when={id: match for id, match in question.when.items() if id in ids},
        rules=tuple(
            replace(rule, goto=rule.goto if rule.goto in (*ids, END) else "") for rule in question.rules
        ),
    )


def texts(question: Question) -> st.SearchStrategy[str]:
    """What somebody might answer, rightly or not."""
    if question.kind is Kind.NUMBER:
        return halves.map(lambda number: f"{number:g}")
    if question.kind is Kind.DATE:
        return st.integers(-4, 14).map(lambda days: (TODAY + timedelta(days=days)).isoformat())
    if question.kind is Kind.TEXT:
        return st.sampled_from(VALUES[Kind.TEXT]) | st.text(max_size=20)
    if question.kind in (Kind.PHONE, Kind.EMAIL):
        return st.sampled_from(VALUES[question.kind] + ("+442079460018", "ben@example.com"))
    return st.sampled_from([text for one in offered(question) for text in (one.value, one.label, one.key)])


def answer(
    draw: st.DrawFn, one: Script, answers: tuple[Answer, ...], question: Question
) -> tuple[Answer, ...]:
    """As somebody does who is asked until an answer will do."""
    text = draw(st.none() | texts(question)) if question.optional else draw(texts(question))
    try:
        return one_more(one, answers, question.id, text)
    except BadAnswer:
        sure = draw(st.sampled_from(samples(one, question, ()))).answer
        return (*answers, replace(sure, value=_of_today(question, sure.value), on=ON, at=AT))


def _of_today(question: Question, value: str) -> str:
    if question.kind is not Kind.DATE or not value:
        return value
    return (TODAY + (date.fromisoformat(value) - date(2000, 1, 1))).isoformat()


@st.composite
def interviews(
    draw: st.DrawFn, of: st.SearchStrategy[Script]
) -> tuple[Script, tuple[Answer, ...], list[str]]:
    """A script, the answers to it, and what was asked; some questions are answered before they are asked."""
    one = draw(of)
    answers: tuple[Answer, ...] = ()
    for question in draw(st.lists(st.sampled_from(one.questions), max_size=2)):
        answers = answer(draw, one, answers, question)
    asked: list[str] = []
    while (question := next_question(one, answers)) is not None:
        asked.append(question.id)
        assert len(asked) <= len(one.questions)
        answers = answer(draw, one, answers, question)
    return one, answers, asked


# -- running -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(interviews(scripts() | clean_scripts()))
def test_given_any_script_when_answered_in_any_way_then_it_ends_with_a_verdict_in_words(
    interview: tuple[Script, tuple[Answer, ...], list[str]],
) -> None:
    one, answers, asked = interview
    places = [[question.id for question in one.questions].index(id) for id in asked]
    assert places == sorted(set(places))
    end = outcome(one, answers, "Ana")
    assert end.complete and end.verdict is not None and end.reason and end.summary.startswith("Ana")


@settings(deadline=None)
@given(interviews(scripts()))
def test_given_any_script_when_answered_then_its_score_is_within_its_bounds(
    interview: tuple[Script, tuple[Answer, ...], list[str]],
) -> None:
    one, answers, asked = interview
    found = ways(one)
    score, (least, most) = outcome(one, answers).score, bounds(one)
    assert least - 1e-6 <= score <= most + 1e-6
    assert set(asked) <= set(found.asked)
    rough = ways(one, 0)
    ends = [end for end in (rough.finished, rough.knocked) if end]
    assert min(end.least for end in ends) - 1e-6 <= least and most <= max(end.most for end in ends) + 1e-6
    assert set(found.asked) <= set(rough.asked)


@settings(deadline=None)
@given(clean_scripts())
def test_given_a_script_without_errors_when_it_is_walked_then_every_question_is_come_to(one: Script) -> None:
    found = ways(one)
    assert found.exact
    for question in one.questions:
        next = next_question(one, found.asked[question.id].answers)
        assert next is not None and next.id == question.id
    assert found.finished is not None
    best = outcome(one, found.finished.answers)
    assert best.complete and best.verdict is Verdict.READY
    assert abs(best.score - found.finished.most) < 1e-5


@settings(deadline=None)
@given(scripts(4))
def test_given_a_small_script_when_every_way_is_gone_then_the_bounds_are_those_of_one_of_them(
    one: Script,
) -> None:
    ends = [outcome(one, answers) for answers in _all(one, ())]
    assume(ends)
    least, most = bounds(one)
    assert abs(min(end.score for end in ends) - least) < 1e-5
    assert abs(max(end.score for end in ends) - most) < 1e-5
    assert {answer.question for answers in _all(one, ()) for answer in answers} <= set(ways(one).asked)


def _all(one: Script, answers: tuple[Answer, ...]) -> Iterator[tuple[Answer, ...]]:
    question = next_question(one, answers)
    if question is None:
        yield answers
        return
    about = [match for later in one.questions for id, match in later.when.items() if id == question.id]
    for sample in samples(one, question, about):
        yield from _all(one, (*answers, sample.answer))


@settings(deadline=None)
@given(interviews(scripts()), st.data())
def test_given_an_answer_when_a_step_back_is_taken_then_all_is_as_before(
    interview: tuple[Script, tuple[Answer, ...], list[str]], data: st.DataObject
) -> None:
    one, answers, _ = interview
    while (before := back(one, answers)) != answers:
        question = next_question(one, before)
        assert question is not None
        again = answer(data.draw, one, before, question)  # type: ignore[arg-type]
        assert back(one, again) == before
        answers = before
    assert next_question(one, answers) is one.questions[0] or not one.questions


@settings(deadline=None)
@given(interviews(scripts()), scripts(), st.integers(-5, 60))
def test_given_an_earlier_qualification_when_carried_then_nothing_is_invented_and_all_of_it_is_valid(
    interview: tuple[Script, tuple[Answer, ...], list[str]], new: Script, days: int
) -> None:
    old, answers, _ = interview
    at = AT + days * 86400.0
    for one in (old, new):
        carried = carry(one, answers, at)
        assert set(carried) <= set(answers)
        assert len({answer.question for answer in carried}) == len(carried)
        assert carry(one, carried, at) == carried
        for kept in carried:
            question = one.question(kept.question)
            assert question is not None and valid(one, question, kept.value, kept.on)
            assert not kept.skipped and at - kept.at <= one.valid_days * 86400
        with_skipped = carry(one, answers, at, skipped=True)
        assert tuple(answer for answer in with_skipped if not answer.skipped) == carried
        oldest = since(one, with_skipped)
        assert oldest is None or at - oldest <= one.valid_days * 86400
    assert (
        (next_question(old, carry(old, answers, at)) is None) or days > 30 or any(a.skipped for a in answers)
    )
    assert next_question(old, carry(old, answers, at, skipped=True)) is None or days > 30


@settings(max_examples=50, deadline=None)
@given(scripts(), scripts())
def test_given_any_two_scripts_when_compared_linted_and_drawn_then_words_and_a_picture_come_of_it(
    old: Script, new: Script
) -> None:
    assert differences(old, old) == []
    assert len(old.questions) == len(new.questions) or differences(old, new)
    assert all(found.message and found.path for found in lint(old))
    assert svg(old).startswith("<svg") and svg(old) == svg(old)


@settings(max_examples=50, deadline=None)
@given(scripts(), st.data())
def test_given_a_script_when_one_thing_in_a_question_is_changed_then_the_difference_names_it_alone(
    one: Script, data: st.DataObject
) -> None:
    question = data.draw(st.sampled_from(one.questions))
    changed = data.draw(
        st.sampled_from(
            [
                replace(question, wording=Wording("Something else?")),
                replace(question, optional=not question.optional),
                replace(question, rules=(*question.rules, Rule(Match(), points=99))),
                replace(question, when={**question.when, "other": Match()}),
                replace(question, most=8.0),
            ]
        )
    )
    new = replace(one, questions=tuple(changed if old is question else old for old in one.questions))
    told = differences(one, new)
    assert len(told) == 1 and told[0].startswith(f"{question.id}: ")
    assert len(differences(new, one)) == 1


# -- answers -------------------------------------------------------------------------------------------------


def any_question(kind: Kind, **more: Any) -> Question:
    choices = tuple(
        Choice(value, label) for value, label in (("a", "B"), ("b", "1"), ("2", "a"), ("c", "C c"))
    )
    return Question("q0", kind, Wording("?"), choices=choices if kind is Kind.CHOICE else (), **more)


scribbles = (
    st.text(max_size=30)
    | st.text("0123456789.,-/ '’$€%+", max_size=16)
    | st.builds("{}/{}/{}".format, st.integers(0, 32), st.integers(0, 13), st.integers(0, 2100))
    | st.sampled_from(["a", "B", "1", "2", "3", "4", " c  C", "sí", "NO", "Ana@Exämple.DE", "today", "1.250"])
)


@settings(max_examples=400, deadline=None)
@given(
    kinds, scribbles, LANGUAGES, st.sampled_from(["dmy", "mdy", "ymd"]), st.sampled_from([None, 0.0, 30.0])
)
@example(Kind.NUMBER, "1.250", "de", "dmy", None)
@example(Kind.EMAIL, "a@İ.com", "", "dmy", None)
def test_given_whatever_is_answered_when_it_is_taken_then_its_canonical_form_stays_as_it_is(
    kind: Kind, text: str, language: str, order: str, least: float | None
) -> None:
    question = any_question(kind, least=least)
    one = script(question, language=language, date_order=order)
    try:
        value = read(one, question, text, on=ON, region="US")
    except BadAnswer as bad:
        assert bad.message and bad.remedy and len(str(bad)) < 400
        return
    assert read(one, question, value, on=ON, region="GB") == value
    assert valid(one, question, value, ON)
    assert value.isprintable() or kind is Kind.TEXT


@settings(deadline=None)
@given(
    st.decimals(-(10**12), 10**12, places=2),
    st.sampled_from(["{:,f}", "{:f}", "${:,.2f}"]),
)
def test_given_an_amount_when_written_as_people_do_then_the_same_number_is_kept(
    amount: Any, form: str
) -> None:
    question = any_question(Kind.NUMBER)
    one = script(question)
    value = read(one, question, form.format(amount).replace("$-", "-$"), on=ON)
    assert float(value) == float(amount)
    swapped = f"{amount:,f}".translate({44: ".", 46: ","})
    assert read(replace(one, language="de"), question, swapped, on=ON) == value


@settings(deadline=None)
@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)), st.sampled_from(["en", "es", "de", "fr"]))
def test_given_a_date_when_said_written_or_keyed_then_the_same_date_is_kept(day: date, language: str) -> None:
    question = any_question(Kind.DATE)
    for order, form in (("dmy", "%d/%m/%Y"), ("mdy", "%m-%d-%Y"), ("ymd", "%Y.%m.%d")):
        one = script(question, language=language, date_order=order)
        digits = "".join(c for c in day.strftime(form) if c.isdigit())
        for text in (day.isoformat(), day.strftime(form), keyed(question, digits, order)):
            assert read(one, question, text, on=ON) == day.isoformat()
        assert read(one, question, say(question, day.isoformat(), language), on=ON) == day.isoformat()


@settings(deadline=None)
@given(st.sampled_from([Kind.CHOICE, Kind.YESNO]), LANGUAGES)
def test_given_each_answer_when_its_key_is_pressed_or_its_label_said_then_it_is_kept(
    kind: Kind, language: str
) -> None:
    question = replace(any_question(kind), choices=tuple(Choice(value, f"The {value}") for value in "xyz"))
    one = script(question, language=language)
    for choice in offered(question, language):
        for text in (choice.value, choice.label, choice.label.upper(), keyed(question, choice.key, "dmy")):
            assert answered(one, q0=text)[0].value == choice.value


@settings(deadline=None)
@given(st.text("0123456789*#", max_size=20), kinds, st.sampled_from(["dmy", "mdy", "ymd"]))
def test_given_any_keys_when_pressed_then_they_are_an_answer_or_refused(
    keys: str, kind: Kind, order: str
) -> None:
    question = any_question(kind)
    try:
        text = keyed(question, keys, order)
    except BadAnswer as bad:
        assert bad.message and bad.remedy
        return
    assert text and text.isprintable()


@settings(deadline=None)
@example("+490000000", "")
@given(
    st.text("+0123456789 ()-", max_size=20) | st.text(max_size=20),
    st.sampled_from(["US", "DE", "IT", "BR", ""]),
)
def test_given_any_number_when_read_then_its_form_stays_as_it_is(text: str, region: str) -> None:
    number = e164(text, region)
    assert number == "" or (number[0] == "+" and number[1:].isdigit() and len(number) <= 16)
    assert e164(number, region) == number == e164(number, "")
