"""Numbers as people write them."""

from __future__ import annotations

import re

DECIMALS = 2
DIGITS = 15
"""Before the decimals: what a float holds exactly."""

_AROUND = re.compile(r"^(?:[$€£¥]|usd|eur|gbp) ?|(?: ?(?:[$€£¥%]|usd|eur|gbp))$", re.IGNORECASE)
_PLAIN = re.compile(r"([0-9]+)(?:([.,])([0-9]+))?")
_GROUPED = re.compile(r"([0-9]{1,3}([ .,'’])[0-9]{3}(?:\2[0-9]{3})*)(?:([.,])([0-9]+))?")
_THOUSANDS = {"": ",", "en": ",", "es": ".,"}
"""What parts thousands where one such sign stands before three digits; in Mexico it is the comma. In any
other language: the point."""


def read_number(text: str, language: str) -> str:
    """`1250.5` of `1,250.50`, `1.250,50`, `$1 250.5`: in plain digits, with at most two decimals. Raises
    ValueError, whose message goes on after the number."""
    sign, text = ("-", text[1:].lstrip()) if text.startswith(("-", "−")) else ("", text.removeprefix("+"))
    whole, fraction = _parts(_AROUND.sub("", text), language)
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    if len(whole) > DIGITS:
        raise ValueError("is too large")
    if len(fraction) > DECIMALS:
        raise ValueError(f"has more than {DECIMALS} decimals")
    value = f"{whole}.{fraction}" if fraction else whole
    return value if value == "0" else sign + value


def _parts(text: str, language: str) -> tuple[str, str]:
    """The digits before and after the decimal sign."""
    if found := _PLAIN.fullmatch(text):
        whole, sign, fraction = found[1], found[2], found[3] or ""
        if len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0"):
            return _one_group(whole, sign, fraction, language)
        return whole, fraction
    found = _GROUPED.fullmatch(text)
    if found is None or found[2] == found[3]:
        raise ValueError("is no number")
    return found[1].replace(found[2], ""), found[4] or ""


def _one_group(whole: str, sign: str, fraction: str, language: str) -> tuple[str, str]:
    """`1.250`: a thousand and more, or one and a quarter? Since nothing has three decimals, the sign by which
    that language parts thousands does so here; the other one might be a slip."""
    if sign not in _THOUSANDS.get(language.lower()[:2], "."):
        raise ValueError(f"might be {whole}{fraction} or {whole}.{fraction[:2]}")
    return whole + fraction, ""
