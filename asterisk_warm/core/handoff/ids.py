"""Ids of channels, bridges and playbacks, derived from the handoff's id: a repeated order is recognised by
its name."""

from __future__ import annotations

_AGENT, _ASIDE = "-agent-", "-aside-"
PREFIX = "warm-"
"""Every handoff id starts with it, and so does everything of ours in Asterisk."""


def _is_number(text: str) -> bool:
    """One that we may have written: others may name their things as they like."""
    return text.isdecimal() and len(text) <= _DIGITS


_DIGITS = 12


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
    return handoff if found and handoff.startswith(PREFIX) and _is_number(number) else None


def recording_name(handoff: str, number: int, *, reply: bool) -> str:
    """Of an agent's question, or of the reply to it."""
    return f"{handoff}-{'reply' if reply else 'question'}-{number}"


def parse_recording(name: str) -> tuple[str, int, bool] | None:
    """(handoff id, number, whether it is a reply) of such a name; None when it is none of ours."""
    start, _, number = name.rpartition("-")
    handoff, _, what = start.rpartition("-")
    if not handoff.startswith(PREFIX) or what not in ("question", "reply") or not _is_number(number):
        return None
    return handoff, int(number), what == "reply"


def agent_leg(handoff: str, offer: int) -> str:
    return f"{handoff}{_AGENT}{offer}"


def parse_agent_leg(channel: str) -> tuple[str, int] | None:
    """(handoff id, offer number) of an agent leg's channel id; None when it is none of ours."""
    handoff, found, offer = channel.rpartition(_AGENT)
    if not found or not handoff.startswith(PREFIX) or not _is_number(offer):
        return None
    return handoff, int(offer)


def playback_id(handoff: str, what: str, number: int) -> str:
    """`what` is a `Playing` value; `number` counts repetitions or names the offer."""
    return f"{handoff}~{what}~{number}"


def parse_playback(playback: str) -> tuple[str, str, int] | None:
    """(handoff id, what, number) of a playback id; None when it is none of ours."""
    parts = playback.split("~")
    if len(parts) != 3 or not parts[0].startswith(PREFIX) or not _is_number(parts[2]):
        return None
    return parts[0], parts[1], int(parts[2])
