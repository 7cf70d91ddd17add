"""Somebody else's words, made harmless."""

from __future__ import annotations

import pytest

from asterisk_warm.core.plain import MARKS_AT_MOST, few_marks, quotable


def test_given_what_ends_or_evaluates_a_quoted_text_then_it_is_gone():
    assert quotable('say "hi" \\ ${SHELL(id)} `id`') == "say 'hi'    {SHELL(id)}  id "


@pytest.mark.parametrize(
    ("marks", "kept"), [(0, 0), (1, 1), (MARKS_AT_MOST, MARKS_AT_MOST), (5000, MARKS_AT_MOST)]
)
def test_given_a_flood_of_accents_then_each_letter_keeps_a_few(marks: int, kept: int):
    accent = "\u0301"
    assert few_marks(f"e{accent * marks}té") == f"e{accent * kept}té"
    assert few_marks((f"e{accent * marks}") * 2) == (f"e{accent * kept}") * 2
