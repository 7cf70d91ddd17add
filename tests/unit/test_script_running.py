"""A script at work: the next question, one more answer, a step back, and what an earlier qualification spares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from script_parts import ANY, AT, ON, answered, ask, choice, number, on, one_more, script, yesno

from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.model import END, Channel, Kind, Match, Rule, Script
from asterisk_warm.core.script.running import BadAnswer, back, carry, next_question, since, skip, take

HOME = script(
    yesno("owner", on("no", goto="rent")),
    number("worth", when={"owner": Match(("yes",))}, optional=True),
    number("rent", when={"owner": Match(("no",))}),
    ask("words", Kind.TEXT, optional=True),
)


def asks(script: Script, answers: tuple[Answer, ...]) -> str | None:
    question = next_question(script, answers)
    return None if question is None else question.id


# -- what is asked next --------------------------------------------------------------------------------------


def test_given_no_answer_when_begun_then_the_first_question_is_asked() -> None:
    assert asks(HOME, ()) == "owner"


def test_given_a_script_without_questions_when_begun_then_nothing_is_left() -> None:
    assert asks(script(), ()) is None


@pytest.mark.parametrize(
    ("given", "next"),
    [
        ({"owner": "yes"}, "worth"),
        ({"owner": "no"}, "rent"),
        ({"owner": "yes", "worth": "9"}, "words"),
        ({"owner": "yes", "worth": None}, "words"),
        ({"owner": "no", "rent": "9"}, "words"),
        ({"owner": "no", "rent": "9", "words": None}, None),
        ({"rent": "9"}, "owner"),
        ({"rent": "9", "owner": "no"}, "words"),
        ({"rent": "9", "owner": "yes"}, "worth"),
    ],
)
def test_given_answers_when_asked_what_is_next_then_the_path_decides(
    given: dict[str, str | None], next: str | None
) -> None:
    assert asks(HOME, answered(HOME, **given)) == next


def test_given_an_answer_that_is_changed_when_another_branch_follows_then_the_old_one_is_kept_for_a_return() -> (
    None
):
    answers = answered(HOME, owner="yes", worth="9", words="hi")
    changed = one_more(HOME, answers, "owner", "no")
    assert asks(HOME, changed) == "rent"
    assert len(changed) == 4
    assert asks(HOME, one_more(HOME, changed, "owner", "yes")) is None


def test_given_a_condition_when_the_question_was_skipped_then_it_does_not_hold() -> None:
    one = script(number("worth", optional=True), number("loan", when={"worth": ANY}), yesno("last"))
    assert asks(one, answered(one, worth=None)) == "last"
    assert asks(one, answered(one, worth="0")) == "loan"


def test_given_several_conditions_when_one_does_not_hold_then_it_is_not_asked() -> None:
    one = script(
        yesno("a"), yesno("b"), yesno("c", when={"a": Match(("yes",)), "b": Match(("YES",))}), yesno("d")
    )
    assert asks(one, answered(one, a="yes", b="no")) == "d"
    assert asks(one, answered(one, a="yes", b="yes")) == "c"


def test_given_several_rules_when_more_than_one_leads_on_then_the_first_does() -> None:
    one = script(
        number("age", on(least=90, goto=END), on(least=50, goto="c"), on(most=20, points=1)),
        yesno("b"),
        yesno("c"),
    )
    assert asks(one, answered(one, age="95")) is None
    assert asks(one, answered(one, age="50")) == "c"
    assert asks(one, answered(one, age="49.99")) == "b"
    assert asks(one, answered(one, age="20")) == "b"


@pytest.mark.parametrize("goto", ["a", "b", "nowhere"])
def test_given_a_goto_that_does_not_lead_forward_when_followed_then_the_next_question_is_asked(
    goto: str,
) -> None:
    one = script(yesno("a"), yesno("b", Rule(ANY, goto=goto)), yesno("c"))
    assert asks(one, answered(one, a="yes", b="no")) == "c"


def test_given_a_condition_on_what_is_not_asked_before_when_run_then_it_does_not_hold() -> None:
    one = script(yesno("a", when={"b": ANY}), yesno("b", when={"nobody": ANY}), yesno("c"))
    assert asks(one, answered(one, b="yes")) == "c"


def test_given_a_knockout_when_answered_then_nothing_more_is_asked() -> None:
    one = script(yesno("a", on("no", knockout="not an owner")), yesno("b"))
    assert asks(one, answered(one, a="no")) is None


@pytest.mark.parametrize(
    ("match", "answer", "met"),
    [
        (Match(), "2026-12-01", True),
        (Match(least=3), "2026-12-01", True),
        (Match(least=3.5), "2026-12-01", False),
        (Match(most=2), "2026-12-01", False),
        (Match(least=0, most=0), ON, True),
    ],
)
def test_given_a_match_of_a_date_when_answered_then_days_count_from_that_day(
    match: Match, answer: str, met: bool
) -> None:
    one = script(ask("moving", Kind.DATE, Rule(match, goto=END)), yesno("b"))
    assert (asks(one, answered(one, moving=answer)) is None) is met


def test_given_a_match_by_value_or_by_limits_when_either_is_met_then_it_matches() -> None:
    one = script(number("age", on("7", least=18, most=65, goto=END)), yesno("b"))
    assert [asks(one, answered(one, age=age)) for age in ("7", "18", "65", "8")] == [None, None, None, "b"]


def test_given_limits_about_text_when_answered_then_only_its_words_can_match() -> None:
    one = script(ask("words", Kind.TEXT, on("Help", least=1, goto=END)), yesno("b"))
    assert asks(one, answered(one, words="help")) is None
    assert asks(one, answered(one, words="5")) == "b"


# -- one more answer -----------------------------------------------------------------------------------------


def test_given_an_answer_when_taken_then_who_when_how_and_what_was_asked_are_kept() -> None:
    question = HOME.questions[0]
    answers = take(
        HOME, (), question, "Y", at=AT, on=ON, by="Ana", channel=Channel.CONSOLE, asked="Do you own it?"
    )
    assert answers == (Answer("owner", "yes", AT, ON, "Ana", Channel.CONSOLE, "Do you own it?"),)


def test_given_an_answer_that_cannot_be_when_taken_then_it_is_refused_with_a_remedy() -> None:
    with pytest.raises(BadAnswer) as bad:
        answered(HOME, owner="perhaps")
    assert (bad.value.message, bad.value.remedy) == ("“perhaps” is neither yes nor no", "answer yes or no")


def test_given_a_recording_when_the_question_is_spoken_then_no_words_are_needed() -> None:
    answers = one_more(HOME, (), "words", " ", recording="rec-1")
    assert (answers[0].value, answers[0].recording, answers[0].skipped) == ("", "rec-1", False)
    assert one_more(HOME, (), "words", "hi", recording="rec-1")[0].value == "hi"


def test_given_a_recording_when_the_question_is_not_a_spoken_one_then_an_answer_is_needed() -> None:
    with pytest.raises(BadAnswer, match="nothing was answered"):
        one_more(HOME, (), "owner", "", recording="rec-1")


def test_given_a_required_question_when_skipped_then_it_is_refused() -> None:
    with pytest.raises(BadAnswer, match="this question cannot be skipped; answer it"):
        answered(HOME, owner=None)


def test_given_a_number_of_the_region_when_taken_then_it_is_kept_as_e164() -> None:
    one = script(ask("phone", Kind.PHONE))
    assert one_more(one, (), "phone", "202 555 0123", region="US")[0].value == "+12025550123"
    with pytest.raises(BadAnswer):
        one_more(one, (), "phone", "202 555 0123")


# -- a step back ---------------------------------------------------------------------------------------------


def test_given_answers_when_a_step_back_is_taken_then_the_last_question_is_asked_again() -> None:
    answers = answered(HOME, owner="yes", worth=None)
    assert back(HOME, answers) == answers[:1]
    assert asks(HOME, back(HOME, answers)) == "worth"
    assert back(HOME, back(HOME, answers)) == ()
    assert back(HOME, ()) == ()


def test_given_an_answer_off_the_path_when_a_step_back_is_taken_then_it_is_left_alone() -> None:
    answers = answered(HOME, rent="9", owner="yes", worth="7")
    assert [answer.question for answer in back(HOME, answers)] == ["rent", "owner"]
    assert [answer.question for answer in back(HOME, answered(HOME, rent="9"))] == ["rent"]


def test_given_a_question_answered_twice_when_a_step_back_is_taken_then_it_is_asked_again() -> None:
    answers = answered(HOME, owner="yes", worth="7")
    again = one_more(HOME, answers, "owner", "yes")
    assert [answer.question for answer in back(HOME, again)] == ["worth"]
    assert asks(HOME, back(HOME, again)) == "owner"


# -- an earlier qualification --------------------------------------------------------------------------------

FORM = script(
    yesno("owner"),
    choice("kind", {"house": "A house", "flat": "A flat"}),
    number("worth", least=1, most=100),
    ask("moving", Kind.DATE, least=0),
    ask("words", Kind.TEXT, optional=True),
    valid_days=30.0,
)
EARLIER = answered(FORM, owner="yes", kind="flat", worth="50", moving="2026-12-01", words="hi")
DAY = 86400.0


def test_given_an_earlier_qualification_when_all_of_it_still_holds_then_nothing_is_asked_again() -> None:
    assert carry(FORM, EARLIER, AT + 30 * DAY) == EARLIER
    assert asks(FORM, carry(FORM, EARLIER, AT)) is None


def test_given_an_earlier_qualification_when_it_is_too_old_then_all_is_asked_again() -> None:
    assert carry(FORM, EARLIER, AT + 30 * DAY + 1) == ()


def test_given_a_new_version_when_questions_have_changed_then_only_what_still_holds_is_carried() -> None:
    changed = script(
        yesno("kind"),
        number("worth", most=40),
        choice("owner", {"yes": "Yes"}),
        ask("moving", Kind.TEXT),
    )
    assert [answer.question for answer in carry(changed, EARLIER, AT)] == ["owner", "moving"]


def test_given_a_skipped_question_when_carried_then_it_is_asked_again() -> None:
    assert carry(FORM, one_more(FORM, EARLIER, "words", None), AT) == EARLIER[:-1]


def test_given_what_was_skipped_when_it_stays_so_then_it_is_carried_as_long_as_it_may_be() -> None:
    skipped = one_more(FORM, EARLIER, "words", None)
    assert carry(FORM, skipped, AT, skipped=True) == (*EARLIER[:-1], skipped[-1])
    assert carry(FORM, skipped, AT + 30 * DAY + 1, skipped=True) == ()
    required = script(ask("words", Kind.TEXT), valid_days=30.0)
    assert carry(required, skipped, AT, skipped=True) == ()


def test_given_a_question_that_got_no_answer_when_skipped_then_it_says_so() -> None:
    question = FORM.question("words")
    assert question is not None
    how: dict[str, Any] = {"at": AT, "on": ON, "by": "lead", "channel": Channel.VOICE, "asked": "…?"}
    (silent,) = skip(FORM, (), question, no_answer=True, **how)
    (skipped,) = skip(FORM, (), question, **how)
    assert (silent.skipped, silent.no_answer) == (True, True)
    assert silent == replace(skipped, no_answer=True)


def test_given_answers_of_several_days_then_they_hold_since_the_oldest_that_counts() -> None:
    answers = one_more(HOME, (), "owner", "yes", at=AT + DAY)
    off_the_path = one_more(HOME, answers, "rent", "9", at=AT)
    both = one_more(HOME, off_the_path, "worth", "7", at=AT + 2 * DAY)
    assert since(HOME, both) == AT + DAY
    assert since(HOME, one_more(HOME, both, "owner", "yes", at=AT + 3 * DAY)) == AT + 2 * DAY
    assert since(HOME, ()) is None


def test_given_several_answers_to_one_question_when_carried_then_the_last_one_is() -> None:
    changed = one_more(FORM, EARLIER, "owner", "no")
    assert [(a.question, a.value) for a in carry(FORM, changed, AT) if a.question == "owner"] == [
        ("owner", "no")
    ]


def test_given_a_recorded_answer_when_carried_then_it_needs_a_question_that_is_spoken() -> None:
    recorded = one_more(FORM, (), "words", "", recording="rec-1")
    assert carry(FORM, recorded, AT) == recorded
    assert carry(script(number("words")), recorded, AT) == ()
    assert carry(FORM, (replace(recorded[0], recording=""),), AT) == ()
