"""Ids of channels, bridges and playbacks, derived from the handoff's id: a repeated order is recognised by
its name."""

from __future__ import annotations

_AGENT, _ASIDE = "-agent-", "-aside-"
PREFIX = "warm-"
"""Every handoff id starts with it, and so does everything of ours in Asterisk."""


def bridge_id(handoff: str, number: int = 1) -> str:
    """The bridge that the lead is in. Its `number` counts how often one was made: Asterisk gives no second
    one the id of one that is gone, as long as somebody who was in it is on the line."""
    return f"{handoff}-bridge{'' if number == 1 else number}"


def consult_id(handoff: str) -> str:
    """The bridge for qualifier and agent."""
    return f"{handoff}-consult"


def owner_of_bridge(bridge: str) -> str | None:
    """The handoff id of a bridge of ours; None when it is none."""
    handoff, _, kind = bridge.rpartition("-")
    ours = kind == "consult" or kind.rstrip("0123456789") == "bridge"
    return handoff if handoff.startswith(PREFIX) and ours else None


def aside_leg(handoff: str, number: int) -> str:
    """The channel by which something is said to the qualifier alone."""
    return f"{handoff}{_ASIDE}{number}"


def parse_aside_leg(channel: str) -> str | None:
    """The handoff id of such a channel; None when it is none of ours."""
    handoff, found, number = channel.rpartition(_ASIDE)
    return handoff if found and handoff.startswith(PREFIX) and number.isdigit() else None


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
