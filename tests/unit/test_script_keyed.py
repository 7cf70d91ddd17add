"""The digits of a telephone, as answers."""

from __future__ import annotations

import pytest
from script_parts import ask, choice, number, one_more, script, yesno

from asterisk_warm.core.script.keyed import keyed
from asterisk_warm.core.script.model import Choice, Kind, Question, Wording
from asterisk_warm.core.script.reading import BadAnswer

HOME = choice("home", {"house": "A house", "flat": "A flat"})
OWN_KEYS = Question(
    "home",
    Kind.CHOICE,
    Wording("?"),
    choices=(Choice("house", "A house", "5"), Choice("flat", "A flat", "0")),
)
DAY = ask("moving", Kind.DATE)


@pytest.mark.parametrize(
    ("question", "digits", "order", "text"),
    [
        (HOME, "2", "dmy", "flat"),
        (HOME, "2#", "dmy", "flat"),
        (OWN_KEYS, "0", "dmy", "flat"),
        (yesno("owner"), "1", "dmy", "yes"),
        (yesno("owner"), "2", "dmy", "no"),
        (number("age"), "41", "dmy", "41"),
        (number("age"), "12*5", "dmy", "12.5"),
        (number("age"), "1*25", "dmy", "1.25"),
        (number("age"), "*5", "dmy", "0.5"),
        (DAY, "12032026", "dmy", "2026-03-12"),
        (DAY, "03122026", "mdy", "2026-03-12"),
        (DAY, "20260312", "ymd", "2026-03-12"),
        (DAY, "120326", "dmy", "12/03/26"),
        (DAY, "031226", "mdy", "03/12/26"),
        (DAY, "260312", "ymd", "26/03/12"),
        (ask("phone", Kind.PHONE), "2025550123#", "dmy", "2025550123"),
        (ask("phone", Kind.PHONE), "*442079460018", "dmy", "+442079460018"),
    ],
)
def test_given_a_question_when_keys_are_pressed_then_they_are_an_answer(
    question: Question, digits: str, order: str, text: str
) -> None:
    assert keyed(question, digits, order) == text
    one_more(script(question, date_order=order), (), question.id, text, region="US")


@pytest.mark.parametrize(
    ("question", "digits", "problem"),
    [
        (HOME, "", "no key was pressed; press the keys of the answer"),
        (HOME, "#", "no key was pressed"),
        (HOME, "3", "key 3 is none of the answers; press 1, 2"),
        (HOME, "*", "key * is none of the answers"),
        (HOME, "9" * 1000, "key 9999999999 is none of the answers"),
        (OWN_KEYS, "1", "press 5, 0"),
        (yesno("owner"), "3", "press 1, 2"),
        (
            number("age"),
            "1*2*3",
            "that is no number; press * once, for the point, and then at most 2 more digits",
        ),
        (number("age"), "1*", "that is no number"),
        (number("age"), "1*234", "that is no number"),
        (number("age"), "1A", "those are no keys of an answer; press digits"),
        (number("age"), "١", "those are no keys of an answer"),
        (DAY, "1203202", "that is no date; press two for the day, two for the month, four for the year"),
        (DAY, "1203*026", "that is no date"),
        (DAY, "31022026", "that is no date"),
        (DAY, "12", "that is no date"),
        (ask("phone", Kind.PHONE), "**1", "that is no telephone number; press its digits"),
        (ask("phone", Kind.PHONE), "*", "that is no telephone number"),
        (ask("words", Kind.TEXT), "5", "this answer is spoken; say it after the tone"),
        (ask("email", Kind.EMAIL), "5", "this answer is spoken"),
    ],
)
def test_given_a_question_when_wrong_keys_are_pressed_then_what_would_do_is_told(
    question: Question, digits: str, problem: str
) -> None:
    with pytest.raises(BadAnswer) as bad:
        keyed(question, digits, "dmy")
    assert problem in str(bad.value)
