"""What phones are shown of the lead, and what variables are set to: nothing of it acts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.ari.shown import NAME_LIMIT, NUMBER_LIMIT, literal, party, shown_name, shown_number
from asterisk_warm.engine.ports.calls import Shown

_ANY = st.text(st.characters(exclude_categories=()), max_size=200)


@given(_ANY)
def test_given_any_name_when_shown_then_it_is_one_printable_line_that_cannot_act(name: str) -> None:
    shown = shown_name(name)
    assert len(shown) <= NAME_LIMIT
    assert shown.isprintable()
    assert not set(shown) & set('"\\<>{}$`;|%\r\n\0')
    assert shown == shown.strip() and "  " not in shown
    shown.encode()  # No half of a surrogate pair is left.
    assert shown_name(shown) == shown


@given(_ANY)
def test_given_any_number_when_shown_then_only_what_a_number_holds_is_left(number: str) -> None:
    shown = shown_number(number)
    assert len(shown) <= NUMBER_LIMIT and shown.isascii()
    assert not set(shown) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*#-._")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoë Müller", "Zoë Müller"),
        ("مرحبا 🔥", "مرحبا 🔥"),
        ('"Bob" <sip:b@x>', "Bob sip:b@x"),
        ("${SHELL(id)}", "SHELL(id)"),
        ("a\r\nX-Evil: 1", "a X-Evil: 1"),
        ("\u202eevil\u200b", "evil"),
        ("A" * 4000, "A" * NAME_LIMIT),
        ("   ", ""),
    ],
)
def test_given_a_name_when_shown_then_its_readable_part_is_kept(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(_ANY, _ANY)
def test_given_any_name_and_number_when_both_are_shown_then_no_part_ends_where_it_should_not(
    name: str, number: str
) -> None:
    both = party(Shown(name, number))
    assert both.isprintable() and both.startswith('"') and both.endswith(">")
    # One quoted name and one number in brackets, as Asterisk takes it apart.
    quoted, between, bracketed = both[1:].partition('" <')
    assert between and (quoted, bracketed) == (shown_name(name), f"{shown_number(number)}>")
    assert both.count('"') == 2 and both.count("<") == 1 and both.count(">") == 1


@pytest.mark.parametrize(
    ("name", "number", "both"),
    [
        ("Grant Weatherly", "+1 (555) 123-0001", '"Grant Weatherly" <+1555123-0001>'),
        ("", "200", '"" <200>'),
        ("Only A Name", "", '"Only A Name" <>'),
        ("", "", '"" <>'),
        ('Eve" <911>', "1@evil;tag=x>", '"Eve 911" <1eviltagx>'),
        ("x\r\nAction: Originate", "1\r\n2", '"x Action: Originate" <12>'),
    ],
)
def test_given_a_name_and_a_number_when_shown_then_they_are_as_asterisk_reads_them(
    name: str, number: str, both: str
) -> None:
    assert party(Shown(name, number)) == both


@given(st.lists(_ANY, max_size=5))
def test_given_any_values_when_they_are_put_into_one_argument_then_they_can_be_told_apart(
    values: list[str],
) -> None:
    joined = ",".join(map(literal, values))
    parts, current, escaped = [], "", False
    for character in joined:
        if not escaped and character == ",":
            parts.append(current)
            current = ""
        elif not escaped and character == "\\":
            escaped = True
            continue
        else:
            assert escaped or character not in '"()[]'
            current += character
        escaped = False
    assert ([*parts, current] if values else []) == values
