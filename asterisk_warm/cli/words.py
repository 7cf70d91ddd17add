"""Where people are, and how many, in words. What a newer daemon says is passed on as it is."""

from __future__ import annotations

from typing import Any

from asterisk_warm.cli.times import age

LEAD = {
    "held": "on hold",
    "at_phone": "on hold at the qualifier's phone",
    "with_qualifier": "with the qualifier",
    "with_agent": "with the agent",
    "left": "no longer ours",
    "gone": "gone",
}
QUALIFIER = {
    "with_lead": "with the lead",
    "aside": "on the line, alone",
    "with_agent": "with the agent",
    "leaving": "leaving",
    "left": "no longer ours",
    "gone": "gone",
}


def where_lead_is(handoff: dict[str, Any]) -> str:
    return LEAD.get(handoff["lead_is"], str(handoff["lead_is"]))


def where_qualifier_is(qualifier: dict[str, Any]) -> str:
    return QUALIFIER.get(qualifier["place"], str(qualifier["place"]))


def how_many(team: dict[str, Any]) -> str:
    """How many of a team are free: `2 of 3`."""
    return f"{team['free']} of {len(team['agents'])}"


def wait(seconds: float | None) -> str:
    """How long the next lead of a team would wait: `none`, `2 min`; `unknown` when nobody is expected."""
    if seconds is None:
        return "unknown"
    return age(seconds) if seconds >= 1 else "none"


def waiting(team: dict[str, Any]) -> str:
    """How many leads wait for somebody of a team: `1 lead waits`."""
    number = team["waiting"]
    return f"{number or 'no'} {'lead waits' if number == 1 else 'leads wait'}"
