"""Spoken templates: the missing leaves nothing odd behind; a template reaches nothing but its names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.core.wording import (
    Placeholder,
    TemplateError,
    fill,
    placeholders,
    shortened,
    spoken_key,
    spoken_length,
)


@pytest.mark.parametrize(
    ("template", "values", "spoken"),
    [
        ("{name}. {summary}", {"name": "Ana", "summary": "Wants a quote."}, "Ana. Wants a quote."),
        ("{name}. {summary}", {"name": "Ana", "summary": ""}, "Ana."),
        ("{name}. {summary}", {"name": "Ana"}, "Ana."),
        ("{name}. {summary}", {"summary": "Wants a quote"}, "Wants a quote"),
        ("{name}. {summary}", {}, ""),
        ("{name}. {summary}", {"name": " \t", "summary": "..."}, ""),
        ("{name}. Wants: {summary}. From {team}.", {"name": "Ana", "team": "Sales"}, "Ana. From Sales."),
        ("{name}, {number}: {summary}.", {"name": "Ana", "summary": "car"}, "Ana: car."),
        ("{name}, {number}: {summary}.", {"summary": "car"}, "car."),
        ("{name}, from {team}.", {"team": "Sales"}, "from Sales."),
        ("Lead {name} ({number}) wants {summary}.", {"name": "Ana", "summary": "car"}, "Lead Ana wants car."),
        ("Lead {name} [{number}].", {"name": "Ana", "number": "555"}, "Lead Ana [555]."),
        ("From {name} at {number} today.", {"name": "Ana"}, "From Ana at today."),
        ("Renewal: {name}\n{summary}\nThank you", {"name": "Ana"}, "Renewal: Ana Thank you"),
        ("Call for {team}.", {"team": "Sales"}, "Call for Sales."),
        ("Press 1 now.", {}, "Press 1 now."),
        ("At 10:30, {name}.", {"name": "Ana"}, "At 10:30, Ana."),
        ("", {}, ""),
        ("Say {{name}} to {name}", {"name": "Ana"}, "Say {name} to Ana"),
        ("a\x00b\x01c {name}", {"name": "Ana"}, "a b c Ana"),
    ],
)
def test_given_missing_values_when_filled_then_what_is_said_reads_well(
    template: str, values: dict[str, str], spoken: str
) -> None:
    assert fill(template, values) == spoken


def test_given_a_value_that_ends_its_sentence_when_filled_then_it_is_ended_once() -> None:
    assert fill("{summary}. {name}.", {"summary": "Really?", "name": "John Jr."}) == "Really? John Jr."


def test_given_a_value_with_odd_punctuation_when_filled_then_its_words_are_left_alone() -> None:
    assert fill("{name}. {summary}", {"name": "O'Neil , Jr", "summary": "Well ... yes , ( )"}) == (
        "O'Neil , Jr. Well ... yes , ( )"
    )


def test_given_a_value_that_looks_like_a_template_when_filled_then_it_is_said_as_it_is() -> None:
    assert fill("{name}", {"name": "{summary} {0.__class__} }{", "summary": "secret"}) == (
        "{summary} {0.__class__} }{"
    )


def test_given_line_breaks_and_control_characters_in_a_value_when_filled_then_they_are_spaces() -> None:
    assert fill("{name}.", {"name": "Ana\r\nLopez\x00\x01" + "0\x02"}) == "Ana Lopez 0."


@pytest.mark.parametrize(
    ("template", "offset", "problem"),
    [
        ("{name.__class__}", 0, "{name.__class__} where only a plain name may stand in braces"),
        ("a {name[0]}", 2, "{name[0]} where only a plain name may stand in braces"),
        ("{name!r}", 0, "{name!r} where only a plain name may stand in braces"),
        ("{name:>10}", 0, "{name:>10} where only a plain name may stand in braces"),
        ("{}", 0, "{} where only a plain name may stand in braces"),
        ("{0}", 0, "{0} where only a plain name may stand in braces"),
        ("{Name}", 0, "{Name} where only a plain name may stand in braces"),
        ("{name", 0, 'a "{" that is never closed (write "{{" to say a brace)'),
        ("name}", 4, 'a "}" that closes nothing (write "}}" to say a brace)'),
    ],
)
def test_given_a_template_that_reaches_further_when_read_then_it_is_refused(
    template: str, offset: int, problem: str
) -> None:
    for read in (placeholders, lambda text: fill(text, {"name": "Ana"})):
        with pytest.raises(TemplateError) as raised:
            read(template)
        assert (raised.value.offset, raised.value.problem) == (offset, problem)


def test_given_a_template_when_read_then_its_placeholders_are_told_with_their_places() -> None:
    assert placeholders("{{x}} {name}, {team} {name}") == (
        Placeholder("name", 6),
        Placeholder("team", 14),
        Placeholder("name", 21),
    )


def test_given_keys_when_said_then_they_are_words_that_a_template_keeps() -> None:
    assert [spoken_key(key) for key in "1A*#"] == ["1", "A", "star", "hash"]
    assert fill("Press {accept} now.", {"accept": spoken_key("*")}) == "Press star now."


VALUES = st.dictionaries(st.sampled_from(["name", "number", "summary", "team"]), st.text(max_size=30))
TEMPLATES = st.lists(
    st.sampled_from(
        ["{name}", "{number}", "{summary}", "{team}", "Call", ".", ",", ":", " ", "(", ")", "? ", "\n"]
    ),
    max_size=20,
).map("".join)


@given(TEMPLATES, VALUES)
def test_given_any_values_when_filled_then_no_braces_of_the_template_and_no_control_character_is_said(
    template: str, values: dict[str, str]
) -> None:
    spoken = fill(template, {name: value.replace("{", "").replace("}", "") for name, value in values.items()})
    assert not re.search(r"[{}\x00-\x1f\x7f-\x9f]", spoken)
    assert spoken == spoken.strip()


@given(st.text(max_size=80), VALUES)
def test_given_any_text_as_template_when_filled_then_it_is_text_or_a_template_error(
    template: str, values: dict[str, str]
) -> None:
    try:
        assert isinstance(fill(template, values), str)
    except TemplateError as error:
        assert template[error.offset] in "{}"


@given(VALUES.filter(lambda values: all(any(c.isalnum() for c in v) for v in values.values())))
def test_given_every_value_present_when_filled_then_all_of_them_are_said(values: dict[str, str]) -> None:
    template = " / ".join(f"{{{name}}}" for name in values)
    spoken = fill(template, values)
    for value in values.values():
        assert " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", value).split()) in spoken


@pytest.mark.parametrize(
    ("text", "letters", "short"),
    [
        ("Home insurance.", 30, "Home insurance."),
        ("Home insurance. Renews in May, wants a call.", 30, "Home insurance"),
        ("Home insurance, renews in three weeks and more", 30, "Home insurance"),
        ("Home insurance renewal in three weeks and more", 30, "Home insurance renewal in"),
        ("Rindfleischetikettierungsueberwachung", 10, "Rindfleisc"),
        (" leading space and a long text", 12, "leading"),
        ("", 10, ""),
        ("Call 5551230001 now", 19, "Call"),
        ("5551230001", 19, "5551"),
    ],
)
def test_given_a_text_that_is_too_long_when_shortened_then_whole_sentences_clauses_or_words_are_left(
    text: str, letters: int, short: str
) -> None:
    assert shortened(text, letters).strip() == short
    assert spoken_length(shortened(text, letters)) <= letters
