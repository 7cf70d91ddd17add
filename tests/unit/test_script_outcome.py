"""Score, verdict and words: what the answers amount to."""

from __future__ import annotations

import pytest
from script_parts import ANY, answered, ask, choice, number, on, one_more, script, yesno

from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.model import Channel, Choice, Kind, Match, Question, Rule, Verdict, Wording
from asterisk_warm.core.script.running import outcome, say, wording, words

HOME = script(
    yesno("owner", on("yes", points=20), on("no", knockout="does not own the home")),
    choice("kind", {"house": "a house", "flat": "a flat"}, on("house", points=10), Rule(ANY, points=0.1)),
    number("worth", on(least=100, points=0.2), on(least=200, points=30), when={"kind": Match(("house",))}),
    ask("moving", Kind.DATE, on(least=0, most=30, points=5), optional=True),
    ask("words", Kind.TEXT, optional=True),
    ready=40.0,
    nurture=20.0,
    below="is in no hurry",
    summary="{name} owns {kind}, worth {worth}. Moves on {moving}.",
)


# -- score and verdict ---------------------------------------------------------------------------------------


def test_given_an_open_qualification_when_summed_up_then_there_is_a_score_but_no_verdict() -> None:
    now = outcome(HOME, answered(HOME, owner="yes", kind="house"))
    assert (now.complete, now.score, now.verdict, now.reason) == (False, 30.1, None, "")


@pytest.mark.parametrize(
    ("worth", "score", "verdict", "reason"),
    [
        ("250", 60.3, Verdict.READY, "60.3 points, ready from 40"),
        ("150", 30.3, Verdict.NURTURE, "is in no hurry (30.3 points, ready from 40)"),
        ("50", 30.1, Verdict.NURTURE, "is in no hurry (30.1 points, ready from 40)"),
    ],
)
def test_given_a_complete_qualification_when_summed_up_then_the_score_gives_the_verdict(
    worth: str, score: float, verdict: Verdict, reason: str
) -> None:
    now = outcome(HOME, answered(HOME, owner="yes", kind="house", worth=worth, moving=None, words=None))
    assert (now.complete, now.score, now.verdict, now.reason) == (True, score, verdict, reason)


def test_given_a_score_below_nurture_when_summed_up_then_the_lead_is_disqualified() -> None:
    one = script(yesno("owner", on("yes", points=50)), ready=50.0, nurture=1.0)
    now = outcome(one, answered(one, owner="no"))
    assert (now.verdict, now.reason) == (
        Verdict.DISQUALIFIED,
        "the score is too low (0 points, ready from 50)",
    )
    assert outcome(one, answered(one, owner="yes")).verdict is Verdict.READY


def test_given_a_knockout_when_summed_up_then_the_lead_is_disqualified_at_once_whatever_the_score() -> None:
    later = answered(HOME, kind="house", worth="900", moving="2026-12-01", owner="no")
    now = outcome(HOME, later)
    assert (now.complete, now.score, now.verdict, now.reason) == (
        True,
        0.0,
        Verdict.DISQUALIFIED,
        "does not own the home",
    )


def test_given_an_answer_that_is_off_the_path_by_now_when_summed_up_then_it_does_not_count() -> None:
    house = answered(HOME, owner="yes", kind="house", worth="900")
    flat = one_more(HOME, house, "kind", "flat")
    assert (outcome(HOME, house).score, outcome(HOME, flat).score) == (60.3, 20.1)
    assert "900" not in outcome(HOME, flat).summary


def test_given_tenths_of_points_when_added_then_they_leave_no_dust() -> None:
    one = script(*(yesno(f"q{n}", Rule(ANY, points=0.1)) for n in range(3)), ready=0.3, nurture=0.3)
    assert outcome(one, answered(one, q0="yes", q1="no", q2="yes")).verdict is Verdict.READY


# -- summary and details -------------------------------------------------------------------------------------


def test_given_all_answers_when_summed_up_then_the_summary_speaks_them() -> None:
    answers = answered(HOME, owner="yes", kind="house", worth="250", moving="1/12/2026")
    assert outcome(HOME, answers, "Ana").summary == "Ana owns a house, worth 250. Moves on 1 December 2026."


def test_given_some_answers_when_summed_up_then_the_words_around_the_others_go() -> None:
    assert (
        outcome(HOME, answered(HOME, owner="yes", kind="flat", moving=None), "Ana").summary
        == "Ana owns a flat."
    )


def test_given_no_template_of_details_when_summed_up_then_each_answer_is_told_in_turn() -> None:
    answers = answered(HOME, owner="yes", kind="flat", moving=None, words="call at noon!")
    assert outcome(HOME, answers).details == (
        "What about owner? Yes. What about kind? A flat. What about words? Call at noon!"
    )


def test_given_a_template_of_details_when_summed_up_then_it_is_filled() -> None:
    one = script(number("age"), details="{name}, {score} points. Is {age}.", language="es")
    assert outcome(one, answered(one, age="41"), "Ana").details == "Ana, 0 points. Is 41."


def test_given_a_recorded_answer_when_summed_up_then_it_is_left_out() -> None:
    answers = one_more(
        HOME, answered(HOME, owner="yes", kind="flat", moving=None), "words", "", recording="r"
    )
    assert "words" not in outcome(HOME, answers).details


def test_given_a_hostile_answer_when_summed_up_then_it_is_text_and_not_too_long() -> None:
    one = script(ask("words", Kind.TEXT), summary="Wants {words}.")
    assert outcome(one, answered(one, words="{score} ${EXTEN}\n<b>")).summary == "Wants {score} ${EXTEN} <b>."
    assert outcome(one, answered(one, words="y" * 200)).summary == f"Wants {'y' * 200}."
    assert outcome(one, answered(one, words="y" * 2000)).summary == f"Wants {'y' * 199}…."


# -- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "asked"),
    [
        (Channel.VOICE, "Spoken?"),
        (Channel.TEXT, "Texted?"),
        (Channel.CONSOLE, "Read?"),
        (Channel.DIALPLAN, "Read?"),
        (Channel.API, "Read?"),
    ],
)
def test_given_wordings_when_asked_on_a_channel_then_its_own_is_used(channel: Channel, asked: str) -> None:
    assert wording(Question("a", Kind.YESNO, Wording("Read?", "Spoken?", "Texted?")), channel) == asked
    assert wording(Question("a", Kind.YESNO, Wording("Read?")), channel) == "Read?"


@pytest.mark.parametrize(
    ("question", "value", "language", "said"),
    [
        (yesno("a"), "yes", "", "yes"),
        (yesno("a"), "yes", "es", "sí"),
        (yesno("a"), "no", "de", "nein"),
        (yesno("a"), "", "fr", ""),
        (choice("a", {"house": "A house"}), "house", "", "A house"),
        (choice("a", {"house": "A house"}), "tent", "", "tent"),
        (number("a"), "1250.5", "de", "1250.5"),
        (ask("a", Kind.DATE), "2026-03-12", "en", "12 March 2026"),
        (ask("a", Kind.DATE), "2026-03-12", "es-mx", "12 de marzo de 2026"),
        (ask("a", Kind.DATE), "2026-03-12", "de", "12. März 2026"),
        (ask("a", Kind.DATE), "2026-03-12", "fr", "12 mars 2026"),
        (ask("a", Kind.DATE), "", "fr", ""),
        (ask("a", Kind.TEXT), "as it is", "", "as it is"),
    ],
)
def test_given_an_answer_when_said_then_it_is_in_the_words_of_that_language(
    question: Question, value: str, language: str, said: str
) -> None:
    assert say(question, value, language) == said


def test_given_a_skipped_answer_when_said_then_there_are_no_words() -> None:
    answer = answered(HOME, moving=None)[0]
    assert words(HOME.questions[3], answer, "en") == ""


def test_given_questions_of_each_kind_when_shown_then_what_can_be_chosen_has_keys() -> None:
    picked = Question(
        "a", Kind.CHOICE, Wording("?"), choices=(Choice("x", "X", "7"), Choice("y", "Y"), Choice("z", "Z"))
    )
    assert [choice.key for choice in offered(picked)] == ["7", "2", "3"]
    assert offered(yesno("a"), "es") == (Choice("yes", "Sí", "1"), Choice("no", "No", "2"))
    assert offered(number("a")) == ()
