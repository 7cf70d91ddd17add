"""The few words of answers, per language, as they are said and as they are understood."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

_MONTHS: Mapping[str, tuple[str, ...]] = {
    language: tuple(names.split())
    for language, names in {
        "en": "January February March April May June July August September October November December",
        "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    }.items()
}
_DATES: Mapping[str, str] = {
    "en": "{day} {month} {year}",
    "es": "{day} de {month} de {year}",
    "de": "{day}. {month} {year}",
    "fr": "{day} {month} {year}",
}
_YES_NO: Mapping[str, tuple[str, str]] = {
    "en": ("Yes", "No"),
    "es": ("Sí", "No"),
    "de": ("Ja", "Nein"),
    "fr": ("Oui", "Non"),
}
_DAYS: Mapping[str, int] = {
    **dict.fromkeys(("today", "hoy", "heute", "aujourd'hui"), 0),
    **dict.fromkeys(("tomorrow", "mañana", "morgen", "demain"), 1),
    **dict.fromkeys(("yesterday", "ayer", "gestern", "hier"), -1),
}
YES = frozenset(("yes", "y", "true", "sí", "si", "s", "ja", "oui"))
NO = frozenset(("no", "n", "false", "nein", "non"))
FALLBACK = "en"


def base(language: str) -> str:
    """`es` of `es-MX`; a language of which there are no words here: English."""
    short = language.lower().replace("_", "-").partition("-")[0]
    return short if short in _MONTHS else FALLBACK


def yes_no(language: str) -> tuple[str, str]:
    return _YES_NO[base(language)]


def date_words(day: date, language: str) -> str:
    """`12 March 2026`"""
    language = base(language)
    first = "1er" if language == "fr" and day.day == 1 else day.day
    return _DATES[language].format(day=first, month=_MONTHS[language][day.month - 1], year=day.year)


def month(name: str) -> int | None:
    """1 for `January`, `jan` or `enero`, in any of the languages; None when it is no month, or might be
    two."""
    name = name.casefold().rstrip(".")
    if len(name) < 3:
        return None
    found = {
        number
        for months in _MONTHS.values()
        for number, full in enumerate(months, 1)
        if full.casefold().startswith(name)
    }
    return found.pop() if len(found) == 1 else None


def day_named(text: str, today: date) -> date | None:
    """`tomorrow`, in any of the languages."""
    days = _DAYS.get(text.casefold().replace("’", "'"))
    return None if days is None else today + timedelta(days=days)
