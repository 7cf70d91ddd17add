"""What the dialplan (or the API) asks for beside the team: `key=value` options and the lead's details, read
without trust."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from asterisk_warm.core.handoff.gate import TOLD
from asterisk_warm.core.handoff.model import Lead, Said
from asterisk_warm.core.handoff.policy import Mode, Policy
from asterisk_warm.core.plain import quotable
from asterisk_warm.core.routing import Routing

P = TypeVar("P", Policy, Routing)

LIMITS = {"name": 80, "number": 40, "summary": 500, "language": 35, "qualification": 40, "recording": 120}
"""What a lead is described by: the longest of each, in characters; what is longer is cut."""
DETAIL_LIMIT = 200
DETAILS_AT_MOST = 20
VARIABLE = "WARM_LEAD_"
"""Channel variables of this prefix describe the lead: `WARM_LEAD_NAME`, `…_NUMBER`, `…_SUMMARY`, …, and any
others as details."""
LEAD_VARIABLES = tuple(f"{VARIABLE}{name.upper()}" for name in (*LIMITS, *TOLD))
"""Those that have a meaning of their own."""

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
RECORDING = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*", re.ASCII)
"""The name of one of Asterisk's stored recordings: it leads nowhere else."""
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "language": (LANGUAGE, "must be a language, such as en or es"),
    "qualification": (re.compile(r"[a-z0-9][a-z0-9-]*"), "must be the id of a qualification"),
    "recording": (RECORDING, "must be the name of a recording (letters, digits, _, ., - and /)"),
}
"""What of the lead's description is used for more than being shown must look so."""


class BadOption(Exception):
    """An option that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Asked:
    policy: Policy
    lead: Lead
    told: tuple[Said, ...]
    """What was said of the lead, each only once."""

    @property
    def said(self) -> Mapping[str, bool]:
        """Which of `gate.CONDITIONS` were said to hold of the lead, or not to."""
        return {TOLD[one.what]: one.holds for one in self.told}


def read(
    policy: Policy,
    channel: str,
    shown_name: str,
    shown_number: str,
    options: Iterable[str],
    variables: Mapping[str, str],
    *,
    qualifier: bool = False,
) -> Asked:
    """The team's policy with the options applied, and the lead as they were told. Options win over variables,
    variables over the caller ID. `qualifier`: whether one is on the call.

    Raises BadOption with every problem at once."""
    given: dict[str, str] = {}
    problems: list[str] = []
    for option in options:
        key, equals, value = option.partition("=")
        key = key.strip().lower()
        if not option.strip():
            continue
        if not equals:
            problems.append(f'option "{_short(option)}" is not of the form key=value')
        elif key not in _KNOWN and key != TICKET and not key.startswith(DETAIL):
            problems.append(f'unknown option "{_short(key)}"; known: {", ".join((*_KNOWN, DETAIL + "…"))}')
        else:
            given[key] = value.strip()
    if qualifier:
        policy = replace(policy, mode=policy.qualifier_mode)
    told = _by_variables(variables)
    for key, value in given.items():
        try:
            if key in _POLICY:
                policy = _POLICY[key](policy, value)
            elif key in TOLD:
                told[key] = Said(key, _yes(value))
            elif key in _FORMS and value:
                given[key] = _formed(key, value)
        except ValueError as error:
            problems.append(f"option {key}={_short(value)}: {error}")
    if policy.mode in (Mode.STAY, Mode.CONSULT) and not qualifier:
        problems.append(f"mode={policy.mode} needs a qualifier who is on the call with the lead")
    if problems:
        raise BadOption("; ".join(problems))
    lead = _lead(channel, shown_name, shown_number, given, variables)
    return Asked(policy, lead, tuple(told[name] for name in TOLD if name in told))


def _by_variables(variables: Mapping[str, str]) -> dict[str, Said]:
    """By the names of `gate.TOLD`."""
    words = {name: variables.get(VARIABLE + name.upper(), "") for name in TOLD}
    return {
        name: Said(name, _holds(told), VARIABLE + name.upper())
        for name, told in words.items()
        if told.strip()
    }


def _holds(told: str) -> bool:
    """What a variable says: anything but a clear yes is a no."""
    return told.strip().lower() in ("yes", "1", "true")


def _formed(key: str, value: str) -> str:
    """Raises ValueError with what would do."""
    form, words = _FORMS[key]
    value = value.strip()
    value = value if key == "recording" else value.lower()
    if len(value) > LIMITS[key] or not form.fullmatch(value):
        raise ValueError(words)
    return value


def _if_formed(key: str, value: str) -> str:
    """A variable must not cost the lead: what cannot be used says nothing."""
    try:
        return _formed(key, value) if key in _FORMS else value
    except ValueError:
        return ""


TICKET = "ticket"
"""An option of our own: ties a lead who was fetched from the dialplan to the request that fetched them."""
DETAIL = "detail."


def _lead(
    channel: str, shown_name: str, shown_number: str, given: Mapping[str, str], variables: Mapping[str, str]
) -> Lead:
    told = {
        name: said
        for key, value in variables.items()
        if key.startswith(VARIABLE)
        and (said := _if_formed(name := key.removeprefix(VARIABLE).lower(), value))
    }
    told |= {key: given[key] for key in LIMITS if given.get(key)}
    shown = {"name": shown_name, "number": shown_number}
    basics = {key: clean(told.get(key) or shown.get(key, ""), limit) for key, limit in LIMITS.items()}
    details = {key: value for key, value in told.items() if key not in LIMITS and key not in TOLD}
    details |= {key.removeprefix(DETAIL): value for key, value in given.items() if key.startswith(DETAIL)}
    return Lead(
        channel=channel,
        name=basics["name"],
        number=basics["number"],
        summary=basics["summary"],
        details=described(details),
        language=basics["language"],
        qualification=basics["qualification"],
        recording=basics["recording"],
        named=bool(clean(told.get("name", ""), LIMITS["name"])),
    )


def described(details: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Details by name, clean, and no more than can be told."""
    cut = sorted(details.items())[:DETAILS_AT_MOST]
    return tuple((clean(key, 40), clean(value, DETAIL_LIMIT)) for key, value in cut)


def clean(text: str, limit: int) -> str:
    """One line of printable text, at most `limit` characters."""
    printable = "".join(c if c.isprintable() else " " for c in text[: limit * 4])
    return " ".join(printable.split())[:limit].rstrip()


def _short(text: str) -> str:
    return quotable(clean(text, 30))


def _seconds(field: str, least: float, most: float) -> Callable[[P, str], P]:
    def set_it(policy: P, value: str) -> P:
        try:
            seconds = float(value)
        except ValueError:
            raise ValueError("must be a number of seconds") from None
        if not least <= seconds <= most:
            raise ValueError(f"must be from {least:g} to {most:g} seconds")
        return _with(policy, field, seconds)

    return set_it


def _mode(policy: Policy, value: str) -> Policy:
    modes = [mode.value for mode in Mode]
    if value not in modes:
        raise ValueError(f"must be one of {', '.join(modes)}")
    return replace(policy, mode=Mode(value))


def _introduction(policy: Policy, value: str) -> Policy:
    return replace(policy, introduction=_yes(value))


def _yes(value: str) -> bool:
    if value not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return value == "yes"


def _music(policy: Policy, value: str) -> Policy:
    if not value or not all(c.isascii() and (c.isalnum() or c in "_-") for c in value):
        raise ValueError("must be the name of a music-on-hold class (letters, digits, _ and -)")
    return replace(policy, music=value)


def _wait(policy: Policy, value: str) -> Policy:
    waits = _seconds("wait_seconds", 0, 3600)(policy.routing, value)
    return replace(policy, routing=waits)


def _priority(policy: Policy, value: str) -> Policy:
    if value not in tuple("0123456789"):
        raise ValueError("must be from 0 to 9; leads of a higher priority come first")
    return replace(policy, priority=int(value))


def _skills(policy: Policy, value: str) -> Policy:
    """`spanish:5;insurance`: instead of those that the team asks for."""
    asked = {}
    for one in value.split(";"):
        name, _, level = one.strip().lower().partition(":")
        if not _SKILL.fullmatch(name) or (level or "1") not in _LEVELS:
            raise ValueError("must be skill:level, parted by ;, each level from 1 to 10")
        asked[name] = int(level or "1")
    return replace(policy, routing=replace(policy.routing, skills=tuple(sorted(asked.items()))))


_SKILL = re.compile(r"[a-z0-9_-]{1,40}")
_LEVELS = tuple(str(level) for level in range(1, 11))


def _with(policy: P, field: str, value: Any) -> P:
    return replace(policy, **{field: value})


_POLICY: Mapping[str, Callable[[Policy, str], Policy]] = {
    "mode": _mode,
    "ring": _seconds("ring_seconds", 1, 300),
    "decision": _seconds("decision_seconds", 1, 300),
    "hold": _seconds("hold_seconds", 1, 3600),
    "comfort": _seconds("comfort_seconds", 0, 600),
    "music": _music,
    "introduction": _introduction,
    "linger": _seconds("linger_seconds", 5, 3600),
    "wait": _wait,
    "priority": _priority,
    "skills": _skills,
}
_KNOWN = (*LIMITS, *_POLICY, *TOLD)
