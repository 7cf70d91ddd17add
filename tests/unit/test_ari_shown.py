"""What phones are shown of the lead, and what variables are set to: nothing of it acts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.ari.shown import NAME_LIMIT, NUMBER_LIMIT, shown_name, shown_number

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
