"""Where people are, and how many, in words. What a newer daemon says is passed on as it is."""

from __future__ import annotations

from typing import Any

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
