"""The script `presence`: hear or set one's own presence. Who that is says the phone, not the caller ID."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.text import clean, listed
from asterisk_warm.core.presence import By, Declared, Why
from asterisk_warm.engine.agents.views import PresenceView, ReasonView
from asterisk_warm.engine.errors import Refused

REASON_AT_MOST = 80
"""Characters."""
PAUSE_AT_MOST, WRAPUP_AT_MOST = 24 * 60, 4 * 60
"""Minutes."""
NAMED = "agent="
"""Only as the first argument, which the dialplan's author writes: what a caller may have influenced comes
behind it."""


async def presence(call: Call, arguments: Sequence[str]) -> Answer:
    """`[agent=ID,][STATE[,…]]`"""
    try:
        agent, rest = whose(call, arguments)
    except Refused as refused:
        return Answer.of(refused, prompts=("no-agent-here",))
    state, *more = rest or ("",)
    change = _STATES.get(state)
    if change is None:
        states = ", ".join(name for name in _STATES if name)
        raise Refused("invalid", f"there is no state {clean(state, 40)!r}", f"use one of {states}")
    return await change(call, agent, more)


def whose(call: Call, arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The agent who asks, or who is named first; and the other arguments. Raises Refused (not_found)."""
    if arguments and arguments[0].startswith(NAMED):
        return arguments[0].removeprefix(NAMED), arguments[1:]
    endpoint = call.environment.endpoint
    if not endpoint:
        raise Refused(
            "not_found", f"the channel {call.environment.channel} has no endpoint", "say agent=ID first"
        )
    return call.services.agents.by_endpoint(endpoint), arguments


def _by(call: Call, agent: str) -> By:
    return By(agent if call.source == "code" else call.environment.endpoint or agent, call.source)


# -- the states that can be asked for -----------------------------------------------------------------------


async def _tell(call: Call, agent: str, more: Sequence[str]) -> Answer:
    _at_most(more, 0, "nothing follows")
    return _told(call, call.services.agents.show(agent))


async def _ready(call: Call, agent: str, more: Sequence[str]) -> Answer:
    _at_most(more, 0, "nothing follows ready")
    return _told(call, await call.services.agents.declare(agent, Declared.READY, _by(call, agent)))


async def _pause(call: Call, agent: str, more: Sequence[str]) -> Answer:
    _at_most(more, 2, "pause is followed by a reason and minutes")
    reason, minutes = (*more, "", "")[:2]
    until = call.now() + 60 * _minutes(minutes, 1, PAUSE_AT_MOST) if minutes else None
    view = await call.services.agents.declare(
        agent, Declared.PAUSED, _by(call, agent), clean(reason, REASON_AT_MOST), until
    )
    return _told(call, view)


async def _offline(call: Call, agent: str, more: Sequence[str]) -> Answer:
    _at_most(more, 1, "offline is followed by a reason")
    reason = clean(more[0], REASON_AT_MOST) if more else ""
    return _told(call, await call.services.agents.declare(agent, Declared.OFFLINE, _by(call, agent), reason))


async def _wrap_up(call: Call, agent: str, more: Sequence[str]) -> Answer:
    _at_most(more, 1, "wrapup is followed by minutes")
    minutes = _minutes(more[0] if more else "", 0, WRAPUP_AT_MOST)
    view = await call.services.agents.wrap_up(agent, 60.0 * minutes, _by(call, agent))
    return _told(call, view, ("wrapup-over",) if minutes == 0 else ())


async def _toggle(call: Call, agent: str, more: Sequence[str]) -> Answer:
    """A lamp's key names the agent whose lamp it is: only their own phone toggles it."""
    _at_most(more, 1, "toggle is followed by an agent's id")
    if more and more[0] != agent:
        cause = f"this is the phone of {agent}, and the key of {clean(more[0], 40)}"
        return Answer(Result.CONFLICT, cause, prompts=("another-agents-key",))
    return _told(call, await call.services.agents.toggle(agent, _by(call, agent)))


_STATES: Mapping[str, Callable[[Call, str, Sequence[str]], Awaitable[Answer]]] = {
    "": _tell,
    "ready": _ready,
    "pause": _pause,
    "offline": _offline,
    "wrapup": _wrap_up,
    "toggle": _toggle,
}


def _at_most(more: Sequence[str], count: int, words: str) -> None:
    if len(more) > count:
        raise Refused("invalid", f"too many arguments: {words}", "a comma in a reason parts it in two")


def _minutes(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not least <= int(text) <= most:
        raise Refused("invalid", f"{clean(text, 40)!r} is no number of minutes", f"use {least} to {most}")
    return int(text)


# -- what is told --------------------------------------------------------------------------------------------


def shown(view: PresenceView, why: Sequence[ReasonView]) -> dict[str, str]:
    """An agent as variables."""
    until = max((reason.until for reason in why if reason.until is not None), default=None)
    return {
        "WARM_PRESENCE": view.declared,
        "WARM_AGENT_ID": view.id,
        "WARM_AGENT_NAME": clean(view.name),
        "WARM_FREE": "0" if why else "1",
        "WARM_WHY": listed((clean(reason.words) for reason in why), "; "),
        "WARM_WHY_CODES": listed(dict.fromkeys(reason.code for reason in why)),
        "WARM_REASON": clean(view.reason),
        "WARM_UNTIL": "" if until is None else str(round(until)),
    }


def _told(call: Call, view: PresenceView, first: tuple[str, ...] = ()) -> Answer:
    # They are in a call: this one, by which they ask.
    why = [reason for reason in view.why if reason.code != Why.DEVICE]
    wrapping_up = any(reason.code == Why.WRAPUP for reason in why)
    state = "wrapping-up" if wrapping_up and view.declared == Declared.READY else view.declared
    return Answer(
        Result.OK,
        variables=shown(view, why),
        prompts=(*first, f"you-are-{state}"),
        line=_more(view, why, call.now()),
    )


def _more(view: PresenceView, why: Iterable[ReasonView], now: float) -> str:
    """What the prompt does not say: `Lunch. 20 minutes left.`"""
    said: list[str] = [view.reason] if view.reason else []
    for reason in why:
        if reason.code in (Why.PAUSED, Why.WRAPUP) and reason.until is not None:
            minutes = max(1, round((reason.until - now) / 60))
            said.append("1 minute left" if minutes == 1 else f"{minutes} minutes left")
        elif reason.code not in (Why.PAUSED, Why.WRAPUP, Why.OFFLINE):
            said.append(f"not free now: {reason.words}")
    return " ".join(f"{words[0].upper()}{words[1:]}." for words in said)
