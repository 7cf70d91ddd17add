"""Telephone numbers however they are written, as E.164."""

from __future__ import annotations

import pytest

from asterisk_warm.core.numbers import e164


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+1 202-555-0123", "", "+12025550123"),
        ("+12025550123", "DE", "+12025550123"),
        ("tel:+1-202-555-0123", "", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("(202)\N{NO-BREAK SPACE}555.0123", "us", "+12025550123"),
        ("1 202 555 0123", "US", "+12025550123"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("0044 20 7946–0018", "DE", "+442079460018"),
        ("+49 (0) 151 23456789", "", "+4915123456789"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("02 3661 8300", "IT", "+390236618300"),
        (" 0151/23456789 ", "DE", "+4915123456789"),
    ],
)
def test_given_a_number_when_written_in_whatever_way_then_it_is_found_in_one_form(
    text: str, region: str, number: str
) -> None:
    assert e164(text, region) == number
    assert e164(number, region) == number


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", "US"),
        ("+", "US"),
        ("anonymous", "US"),
        ("100", "US"),
        ("555-0123", "US"),
        ("2025550123", ""),
        ("2025550123", "XX"),
        ("+999 123456", "US"),
        ("+1202555012345678901", "US"),
        ("+490000000", "US"),
        ("+49000000000000000", "US"),
        ("+49151234567890123", "US"),
        ("call 202 555 0123", "US"),
        ("1-800-FLOWERS", "US"),
        ("202-555-0123 ext. 5", "US"),
        ("+12025550123;rm -rf /", "US"),
        ("+12025550123\r\nHeader: x", "US"),
        ("+1٢٠٢5550123", "US"),
        ("5" * 65536, "US"),
        ("\ud800", "US"),
    ],
)
def test_given_no_number_when_read_then_there_is_none(text: str, region: str) -> None:
    assert e164(text, region) == ""
