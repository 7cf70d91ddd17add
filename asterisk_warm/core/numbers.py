"""Telephone numbers in the one form by which a lead is found."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"(?:tel:)?\s*\+?[0-9\s()./\-\u2010-\u2015]{2,60}", re.ASCII | re.IGNORECASE)
"""What a number is written with. Words beside it, which the library would look past, make it no number."""


_LONGEST = 16
"""Of `+` and the 15 digits that ITU-T E.164 allows."""


def e164(text: str, region: str) -> str:
    """The number in E.164 (`+12025550123`); empty when it is none. `region`: two letters (`US`) of the
    country that a number without `+` is of; empty: such a number is none."""
    text = text.replace("\N{NO-BREAK SPACE}", " ").strip()
    number = _form(text, region.upper()) if _WRITTEN.fullmatch(text) else ""
    # Some that nobody has, such as +49 0000, would become another number each time they are read.
    return number if len(number) <= _LONGEST and _form(number, "") == number else ""


def _form(text: str, region: str) -> str:
    # It is large, and not needed where nobody has a number.
    from phonenumbers import (
        NumberParseException,
        PhoneNumberFormat,
        ValidationResult,
        format_number,
        is_possible_number_with_reason,
        parse,
    )

    try:
        number = parse(text, region or None)
    except NumberParseException:
        return ""
    # Not whether it is valid: countries open new ranges faster than anybody updates.
    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return ""
    return format_number(number, PhoneNumberFormat.E164)
