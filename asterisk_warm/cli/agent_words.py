"""Agents in words: what they are, why they are not offered a lead, and what ends it. Reasons that a newer
daemon has are passed on as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asterisk_warm.cli.times import age, ahead, short_clock, until

Json = dict[str, Any]

_SENTENCES = {
    "offline": "{name} is {words}",
    "paused": "{name} is {words}",
    "wrapup": "{name} is {words}",
    "offered": "{name} is {words}",
    "device": "{name} is {words}",
    "calendar": "{name} is {words}",
    "shift": "{name} is {words}",
    "stale": "{name} may be busy: {words}",
    "unreachable": "{name} cannot be rung: {words}",
    "dnd": "{name} cannot be rung: {words}",
}
_REMEDIES = {
    "offline": "End it with: asterisk-warm agent ready {id}",
    "paused": "End it with: asterisk-warm agent ready {id}",
    "wrapup": "End it with: asterisk-warm agent wrapup {id} --finish",
    "unreachable": "See that {endpoint} is registered with Asterisk, and spelt as it is there.",
    "dnd": "Switch it off on the phone.",
    "stale": "See that the daemon can read it; its log says more.",
}
_DECLARED = ("offline", "paused")


def called(agent: Json) -> str:
    """`Ana Lopez (ana)`."""
    return f"{agent['name']} ({agent['id']})"


def now_words(agent: Json, now: float) -> list[str]:
    """`free`, or why not: each reason in short."""
    return [_short(agent, why, now) for why in agent["why"]] or ["free"]


def _short(agent: Json, why: Json, now: float) -> str:
    end = [f"until {short_clock(why['until'], now)}"] if why["until"] is not None else []
    return ", ".join([why["words"], *_since(agent, why, now), *end])


def _since(agent: Json, why: Json, now: float) -> Iterable[str]:
    if why["code"] in _DECLARED and agent["since"]:
        yield f"for {age(now - agent['since'])}"


def sentence(agent: Json, why: Json, now: float) -> str:
    """`Ana Lopez is paused: lunch, for 2 min, until 14:30 (in 28 min).`"""
    end = [until(why["until"], now)] if why["until"] is not None else []
    words = ", ".join([why["words"], *_since(agent, why, now), *end])
    form = _SENTENCES.get(why["code"], "{name}: {words}")
    if why["code"] == "limit":
        form = "{name} {words}" if words.startswith("has ") else "{name} is {words}"
    return form.format(name=agent["name"], words=words) + "."


def remedy(agent: Json, why: Json) -> str:
    """What ends it, where somebody can; else empty."""
    return _REMEDIES.get(why["code"], "").format(id=agent["id"], endpoint=agent["endpoint"])


def free_again(agent: Json, now: float) -> str:
    """When all of several reasons will be over; empty where no end is known of one."""
    ends = [why["until"] for why in agent["why"]]
    if len(ends) < 2 or None in ends:
        return ""
    return f"All of it is over at {short_clock(max(ends), now)}, {ahead(max(ends) - now)}."


def became(agent: Json, now: float) -> str:
    """What a command has made of them: `Ana Lopez (ana) is paused: lunch, until 14:30 (in 30 min).`"""
    first = f"{called(agent)} is {agent['declared']}"
    because = f": {agent['reason']}" if agent["reason"] else ""
    end = f", {until(agent['until'], now)}" if agent["until"] is not None else ""
    others = [why["words"] for why in agent["why"] if why["code"] not in _DECLARED]
    if agent["declared"] != "ready":
        return f"{first}{because}{end}."
    if not others:
        return f"{first}, and can be offered a lead."
    return f"{first}, but cannot be offered a lead: {'; '.join(others)}."


def goes_on(agent: Json) -> str:
    """What a pause does not interrupt; else empty."""
    handoffs = [handoff for handoff in (agent["offered"], *agent["talks"]) if handoff]
    return f"What they are in goes on: {', '.join(handoffs)}." if handoffs else ""


def wrapping_up(agent: Json, now: float) -> str:
    """`Ana Lopez (ana) wraps up, until 14:02 (in 2 min).`"""
    if agent["wrapup_until"] is None:
        return f"{called(agent)} has no wrap-up any more, and is now {'; '.join(now_words(agent, now))}."
    return f"{called(agent)} wraps up, {until(agent['wrapup_until'], now)}."


def listed(numbers: dict[str, int], form: str) -> str:
    """`sales (tier 1), renewals (tier 2)`."""
    return ", ".join(form.format(name, number) for name, number in numbers.items())


def declared_by(agent: Json) -> str:
    """`by root (cli)`; empty when nobody has declared anything yet."""
    return f"by {agent['by']} ({agent['source']})" if agent["by"] else ""
