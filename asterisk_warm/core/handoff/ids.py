"""Ids of channels, bridges and playbacks, derived from the handoff's id: a repeated order is recognised by
its name."""

from __future__ import annotations

_AGENT = "-agent-"
PREFIX = "warm-"
"""Every handoff id starts with it, and so does everything of ours in Asterisk."""


def bridge_id(handoff: str) -> str:
    return f"{handoff}-bridge"


def agent_leg(handoff: str, offer: int) -> str:
    return f"{handoff}{_AGENT}{offer}"


def parse_agent_leg(channel: str) -> tuple[str, int] | None:
    """(handoff id, offer number) of an agent leg's channel id; None when it is none of ours."""
    handoff, found, offer = channel.rpartition(_AGENT)
    if not found or not handoff.startswith(PREFIX) or not offer.isdigit():
        return None
    return handoff, int(offer)


def playback_id(handoff: str, what: str, number: int) -> str:
    """`what` is a `Playing` value; `number` counts repetitions or names the offer."""
    return f"{handoff}~{what}~{number}"


def parse_playback(playback: str) -> tuple[str, str, int] | None:
    """(handoff id, what, number) of a playback id; None when it is none of ours."""
    parts = playback.split("~")
    if len(parts) != 3 or not parts[0].startswith(PREFIX) or not parts[2].isdigit():
        return None
    return parts[0], parts[1], int(parts[2])
