"""What has changed between two versions of a script, in words."""

from __future__ import annotations

from dataclasses import replace

from script_parts import ANY, ask, choice, number, on, script, yesno

from asterisk_warm.core.script.compare import differences
from asterisk_warm.core.script.model import END, Choice, Kind, Match, Question, Rule, Script, Wording

OLD = script(
    yesno("owner", on("yes", points=20), on("no", knockout="no owner")),
    choice("kind", {"house": "A house", "flat": "A flat"}, on("house", points=1, goto="words")),
    number("worth", on(least=100, points=30), least=0, most=1000),
    ask("moving", Kind.DATE, on(least=0, most=30, points=15)),
    ask("words", Kind.TEXT),
    ready=40.0,
)


def with_question(id: str, new: Question) -> Script:
    return replace(OLD, questions=tuple(new if old.id == id else old for old in OLD.questions))


def changed(id: str, **changes: object) -> list[str]:
    old = OLD.question(id)
    assert old is not None
    return list(differences(OLD, with_question(id, replace(old, **changes))))  # type: ignore[arg-type]


def test_given_the_same_version_when_compared_then_there_is_no_difference() -> None:
    assert differences(OLD, OLD) == []


def test_given_changes_of_the_whole_when_compared_then_each_is_told_with_what_it_was() -> None:
    new = replace(OLD, name="Home", ready=50.0, nurture=9.5, language="es", summary="", details="{owner}")
    assert differences(OLD, new) == [
        "name “Home” instead of “Insurance”",
        "language “es” instead of none",
        "score of ready “50” instead of “40”",
        "score of nurture “9.5” instead of “0”",
        "summary none instead of “{name}”",
        "details “{owner}” instead of none",
    ]
    assert len(differences(OLD, replace(OLD, id="x", date_order="mdy", valid_days=9, below="x"))) == 4


def test_given_questions_that_came_and_went_when_compared_then_both_are_told() -> None:
    new = replace(
        OLD, questions=(yesno("adult"), *OLD.questions[:2], ask("mail", Kind.EMAIL), *OLD.questions[3:])
    )
    assert differences(OLD, new) == [
        "worth: is no longer asked",
        "adult: is new, asked first: What about adult?",
        "mail: is new, asked after kind: What about mail?",
    ]


def test_given_a_question_in_another_place_when_compared_then_only_it_has_moved() -> None:
    owner, *others = OLD.questions
    assert differences(OLD, replace(OLD, questions=(*others, owner))) == ["owner: is asked after words now"]
    first = replace(OLD, questions=(OLD.questions[-1], *OLD.questions[:-1]))
    assert differences(OLD, first) == ["words: is asked first now"]


def test_given_a_question_that_is_asked_otherwise_when_compared_then_each_change_is_told() -> None:
    assert changed(
        "words", wording=Wording("Why?", "Say why.", "Why???"), help="In short.", optional=True
    ) == [
        "words: wording “Why?” instead of “What about words?”",
        "words: voice wording “Say why.” instead of none",
        "words: text wording “Why???” instead of none",
        "words: help “In short.” instead of none",
        "words: optional “yes” instead of “no”",
    ]
    assert changed("words", kind=Kind.EMAIL, tries=2, seconds=4.5) == [
        "words: kind “email” instead of “text”",
        "words: tries “2” instead of “3”",
        "words: seconds “4.5” instead of “8”",
    ]


def test_given_limits_that_changed_when_compared_then_they_are_told_in_words() -> None:
    assert changed("worth", least=None) == ["worth: limits “1000 or less” instead of “from 0 to 1000”"]
    assert changed("worth", most=None) == ["worth: limits “0 or more” instead of “from 0 to 1000”"]
    assert changed("moving", least=-2) == ["moving: limits “2 days ago or later” instead of none"]
    assert changed("moving", most=3) == ["moving: limits “3 days ahead or earlier” instead of none"]


def test_given_conditions_that_changed_when_compared_then_they_are_told_in_words() -> None:
    assert changed("words", when={"owner": Match(("yes",)), "kind": ANY}) == [
        "words: is asked only if owner is yes, kind is any answer, was always"
    ]
    new = with_question("words", replace(OLD.questions[4], when={"nobody": Match(("x",))}))
    assert differences(new, OLD) == ["words: is asked always, was only if nobody is x"]


def test_given_answers_that_changed_when_compared_then_rules_about_them_have_not() -> None:
    assert changed("kind", choices=(Choice("house", "A home"), Choice("boat", "A boat", "7"))) == [
        "kind: answer gone: 1 house “A house”",
        "kind: answer gone: 2 flat “A flat”",
        "kind: answer new: 1 house “A home”",
        "kind: answer new: 7 boat “A boat”",
    ]


def test_given_rules_that_changed_when_compared_then_they_are_told_in_words() -> None:
    no, yes = OLD.questions[0].rules[1], OLD.questions[0].rules[0]
    assert changed("owner", rules=(no, yes)) == ["owner: the rules are in another order"]
    assert changed("owner", rules=(yes, yes, no)) == ["owner: rule new: yes: 20 points"]
    assert changed("owner", rules=(on("yes", points=1, goto=END), Rule(ANY), no)) == [
        "owner: rule gone: yes: 20 points",
        "owner: rule new: yes: 1 point, on to the end",
        "owner: rule new: any answer: nothing",
    ]
    assert changed("kind", rules=()) == ["kind: rule gone: house: 1 point, on to words"]
    assert changed("moving", rules=(on(least=0, knockout="late", points=-1),)) == [
        "moving: rule gone: from today to 30 days ahead: 15 points",
        "moving: rule new: today or later: -1 point, disqualified, late",
    ]
