"""What people answer becomes one canonical form; what cannot be is refused with what would do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from script_parts import ON, ask, choice, number, script, yesno

from asterisk_warm.core.script.dates import later
from asterisk_warm.core.script.languages import date_words
from asterisk_warm.core.script.model import Kind, Question
from asterisk_warm.core.script.reading import BadAnswer, clean, read, valid


def kept(question: Question, text: str, region: str = "US", **of_script: Any) -> str:
    return read(script(question, **of_script), question, text, on=ON, region=region)


def refused(question: Question, text: str, **of_script: Any) -> str:
    with pytest.raises(BadAnswer) as bad:
        kept(question, text, **of_script)
    return str(bad.value)


# -- choices, yes and no -------------------------------------------------------------------------------------

HOME = choice("home", {"house": "A house", "flat": "A flat", "3": "Élan"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("house", "house"),
        ("  HOUSE ", "house"),
        ("a   House", "house"),
        ("1", "house"),
        ("2", "flat"),
        ("3", "3"),
        ("éLAN", "3"),
    ],
)
def test_given_a_choice_when_its_value_label_or_key_is_answered_then_its_value_is_kept(
    text: str, value: str
) -> None:
    assert kept(HOME, text) == value


def test_given_a_choice_when_something_else_is_answered_then_the_answers_there_are_are_told() -> None:
    assert refused(HOME, "tent") == "“tent” is none of the answers; they are A house, A flat, Élan"


@pytest.mark.parametrize("text", ["yes", "Y", "1", "TRUE", "sí", "Si.", "Yes!", "ja", "oui"])
def test_given_yes_in_any_way_when_read_then_it_is_yes(text: str) -> None:
    assert kept(yesno("owner"), text) == "yes"


@pytest.mark.parametrize("text", ["no", "N", "2", "False", "No.", "nein", "non"])
def test_given_no_in_any_way_when_read_then_it_is_no(text: str) -> None:
    assert kept(yesno("owner"), text) == "no"


def test_given_neither_yes_nor_no_when_read_then_it_is_refused() -> None:
    assert refused(yesno("owner"), "perhaps") == "“perhaps” is neither yes nor no; answer yes or no"


# -- numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("12", "", "12"),
        ("007", "", "7"),
        ("0", "", "0"),
        ("-0.00", "", "0"),
        ("- 5", "", "-5"),
        ("−5", "", "-5"),
        ("+5", "", "5"),
        ("12.50", "", "12.5"),
        ("12,50", "", "12.5"),
        ("0.5", "", "0.5"),
        ("0,500", "", "0.5"),
        ("1,250", "", "1250"),
        ("1,250", "en-GB", "1250"),
        ("1.250", "de", "1250"),
        ("1.250", "es", "1250"),
        ("1,250", "es-mx", "1250"),
        ("1,250.50", "de", "1250.5"),
        ("1.250,50", "en", "1250.5"),
        ("1,250,000", "de", "1250000"),
        ("1.250.000,5", "en", "1250000.5"),
        ("1 250 000", "", "1250000"),
        ("1’250’000.25", "", "1250000.25"),
        ("$350,000", "", "350000"),
        ("350 000 EUR", "", "350000"),
        ("€ 99", "", "99"),
        ("15%", "", "15"),
        ("1250.000", "", "1250"),
        ("999999999999999", "", "999999999999999"),
    ],
)
def test_given_a_number_however_written_when_read_then_it_is_kept_in_plain_digits(
    text: str, language: str, value: str
) -> None:
    assert kept(number("income"), text, language=language) == value


@pytest.mark.parametrize(
    ("text", "language", "problem"),
    [
        ("many", "", "“many” is no number; write it in digits, e.g. 12, 1200 or 12.50"),
        ("", "", "nothing was answered; answer it"),
        ("1.250", "", "“1.250” might be 1250 or 1.25; write it in digits"),
        ("1,250", "fr", "“1,250” might be 1250 or 1.25"),
        ("1.2345", "", "“1.2345” has more than 2 decimals"),
        ("1,250,00", "", "is no number"),
        ("1,250,000,5", "", "is no number"),
        ("12,34,567", "", "is no number"),
        ("1 250,000.", "", "is no number"),
        ("5 or 6", "", "is no number"),
        ("1e9", "", "is no number"),
        ("nan", "", "is no number"),
        ("inf", "", "is no number"),
        ("٣", "", "is no number"),
        ("--5", "", "is no number"),
        ("$", "", "is no number"),
        ("1" * 16, "", "is too large"),
        ("9" * 301, "", "the answer has 301 characters; at most 300 will do"),
    ],
)
def test_given_no_number_or_one_that_might_be_two_when_read_then_it_is_refused(
    text: str, language: str, problem: str
) -> None:
    assert problem in refused(number("income"), text, language=language)


@pytest.mark.parametrize(
    ("least", "most", "problem"),
    [
        (1, 99, "“100.5” is out of range; it must be from 1 to 99"),
        (1000000, None, "“100.5” is out of range; it must be 1000000 or more"),
        (None, 0.5, "“100.5” is out of range; it must be 0.5 or less"),
    ],
)
def test_given_limits_when_a_number_is_beyond_then_they_are_told(
    least: float | None, most: float | None, problem: str
) -> None:
    assert refused(number("age", least=least, most=most), "100.5") == problem


def test_given_limits_when_a_number_is_just_one_of_them_then_it_is_taken() -> None:
    assert [kept(number("age", least=1, most=99), text) for text in ("1", "99")] == ["1", "99"]


# -- dates ---------------------------------------------------------------------------------------------------


def day(text: str, order: str = "dmy", **limits: float) -> str:
    return kept(ask("moving", Kind.DATE, **limits), text, date_order=order)


@pytest.mark.parametrize(
    ("text", "order", "value"),
    [
        ("2026-03-12", "mdy", "2026-03-12"),
        ("2026/3/12", "dmy", "2026-03-12"),
        ("12/3/2026", "dmy", "2026-03-12"),
        ("12.3.2026", "dmy", "2026-03-12"),
        ("12 3 2026", "dmy", "2026-03-12"),
        ("3-12-2026", "mdy", "2026-03-12"),
        ("12/03/26", "dmy", "2026-03-12"),
        ("26/03/12", "ymd", "2026-03-12"),
        ("12/03/60", "dmy", "1960-03-12"),
        ("12 March 2026", "dmy", "2026-03-12"),
        ("March 12, 2026", "dmy", "2026-03-12"),
        ("mar. 12th 2026", "dmy", "2026-03-12"),
        ("12th of march 2026", "mdy", "2026-03-12"),
        ("12 de marzo de 2026", "dmy", "2026-03-12"),
        ("12. März 2026", "dmy", "2026-03-12"),
        ("1er août 2026", "dmy", "2026-08-01"),
        ("29/2/28", "dmy", "2028-02-29"),
        ("today", "dmy", "2026-11-28"),
        ("Tomorrow", "dmy", "2026-11-29"),
        ("ayer", "dmy", "2026-11-27"),
        ("aujourd’hui", "dmy", "2026-11-28"),
    ],
)
def test_given_a_date_however_written_when_read_then_it_is_kept_as_iso(
    text: str, order: str, value: str
) -> None:
    assert day(text, order) == value


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "31/2/2026",
        "29/2/27",
        "12/2026",
        "12/3/126",
        "1/12/2026/5",
        "12 Smarch 2026",
        "12 ju 2026",
        "12 jui 2026",
        "2026-13-01",
        "2026-3-123",
        "0000-01-01",
        "31 June 2026",
    ],
)
def test_given_no_date_when_read_then_it_is_refused_with_the_way_to_write_one(text: str) -> None:
    bad = refused(ask("moving", Kind.DATE), text)
    assert bad == f"“{text}” is no date; write it as 25/12/2026 or 2026-12-25"


def test_given_years_first_when_the_year_stands_last_then_it_is_not_guessed() -> None:
    assert "is no date; write it as 2026-12-25" in refused(
        ask("moving", Kind.DATE), "12/3/2026", date_order="ymd"
    )


def test_given_limits_of_days_when_a_date_is_beyond_then_they_are_told_as_dates() -> None:
    moving = ask("moving", Kind.DATE, least=0, most=30)
    assert kept(moving, "28/12/2026") == "2026-12-28"
    assert refused(moving, "29/12/2026") == (
        "“29/12/2026” is out of range; it must be from 28 November 2026 to 28 December 2026"
    )
    assert "it must be 28 de noviembre de 2026 or more" in refused(
        ask("moving", Kind.DATE, least=0), "1/1/2026", language="es"
    )


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        ({}, "2045-03-12"),
        ({"most": 0}, "1945-03-12"),
        ({"least": 36500}, "2145-03-12"),
    ],
)
def test_given_a_year_of_two_digits_when_read_then_the_limits_choose_its_century(
    limits: dict[str, float], value: str
) -> None:
    assert day("12/3/45", **limits) == value


def test_given_a_limit_beyond_the_calendar_when_counted_then_it_is_the_end_of_the_calendar() -> None:
    assert (later(date(2026, 1, 1), 1e7), later(date(2026, 1, 1), -1e7)) == (date.max, date.min)
    assert "to 31 December 9999" in refused(ask("moving", Kind.DATE, least=0, most=1e9), "1/1/2026")


def test_given_tomorrow_on_the_last_day_of_the_calendar_when_read_then_it_is_refused() -> None:
    moving = ask("moving", Kind.DATE)
    with pytest.raises(BadAnswer):
        read(script(moving), moving, "tomorrow", on="9999-12-31")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "1 March 2026"),
        ("es-MX", "1 de marzo de 2026"),
        ("de_AT", "1. März 2026"),
        ("fr", "1er mars 2026"),
        ("", "1 March 2026"),
        ("xx", "1 March 2026"),
    ],
)
def test_given_a_date_when_said_in_a_language_then_it_can_be_read_again(language: str, words: str) -> None:
    assert date_words(date(2026, 3, 1), language) == words
    assert day(words) == "2026-03-01"


# -- text, telephone, e-mail ---------------------------------------------------------------------------------


def test_given_free_text_when_read_then_nothing_in_it_can_control_anything() -> None:
    text = " Call me \r\n\tnot\x00 \x1b[31mnow\u202e ok \ud800 ${SHELL(id)} \u2028<b>&amp; 👩‍👩‍👧 نعم "
    assert kept(ask("words", Kind.TEXT), text) == "Call me not [31mnow ok ${SHELL(id)} <b>&amp; 👩‍👩‍👧 نعم"


def test_given_free_text_when_it_is_too_long_then_it_is_refused_in_few_words() -> None:
    words = ask("words", Kind.TEXT)
    assert len(kept(words, "x" * 2000)) == 2000
    assert refused(words, "x" * 65536) == "the answer has 65536 characters; at most 2000 will do"


def test_given_nothing_but_blanks_when_read_then_what_can_be_done_is_told() -> None:
    assert refused(ask("words", Kind.TEXT, optional=True), " \n\u202e") == (
        "nothing was answered; skip the question"
    )


def test_given_a_telephone_number_when_read_then_it_is_kept_as_e164() -> None:
    assert kept(ask("phone", Kind.PHONE), "(202) 555-0123") == "+12025550123"
    assert refused(ask("phone", Kind.PHONE), "5" * 41) == (
        f"“{'5' * 39}…” is no telephone number; write it with + and the code of its country"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ana.Lopez+1@Example.COM", "Ana.Lopez+1@example.com"),
        ("a@b-c.co", "a@b-c.co"),
        ("o'brien@b.co", "o'brien@b.co"),
        ("ana@MÜLLER.de", "ana@MÜLLER.de"),
    ],
)
def test_given_an_e_mail_address_when_read_then_its_domain_is_in_small_letters(text: str, value: str) -> None:
    assert kept(ask("email", Kind.EMAIL), text) == value


@pytest.mark.parametrize(
    "text",
    [
        "ana",
        "ana@",
        "@b.co",
        "ana@b",
        "ana b@c.co",
        "a@b..co",
        "a@-b.co",
        "a@b.co, c@d.co",
        "<a@b.co>",
        "a@b.c0m",
        ".a@b.co",
        "a..b@b.co",
        "a\u200b@b.co",
        f"{'a' * 65}@b.co",
        f"a@{'b.' * 130}co",
    ],
)
def test_given_no_e_mail_address_when_read_then_it_is_refused(text: str) -> None:
    assert "is no e-mail address; write one like ana@example.com" in refused(ask("email", Kind.EMAIL), text)


# -- what was kept -------------------------------------------------------------------------------------------


def test_given_what_was_kept_when_checked_again_then_only_its_canonical_form_is_valid() -> None:
    one = script(HOME)
    assert valid(one, HOME, "house", ON)
    assert not valid(one, HOME, "A house", ON)
    assert not valid(one, HOME, "tent", ON)


def test_given_a_clean_text_when_cleaned_again_then_nothing_changes() -> None:
    assert clean(clean("a\u200e \x07b")) == clean("a\u200e \x07b") == "a b"
