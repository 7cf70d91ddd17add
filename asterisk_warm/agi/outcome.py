"""The script `outcome`: an agent writes down what came of their latest talk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.presence import whose
from asterisk_warm.agi.text import clean
from asterisk_warm.core.leads import Disposition, disposition_of
from asterisk_warm.core.presence import By
from asterisk_warm.engine.errors import Refused

NOTE_AT_MOST = 500
"""Characters."""
OF_OUTCOME = ("WARM_DISPOSITION", "WARM_DISPOSITION_NAME", "WARM_DISPOSITION_OF")
NO_TALK = "You have not talked to a lead yet."
NO_DIGITS = "There are no digits for what came of a talk."


async def outcome(call: Call, arguments: Sequence[str]) -> Answer:
    """`[agent=ID,]KEY_OR_ID[,NOTE]`; without more than the agent it only says which digits there are."""
    try:
        agent, rest = whose(call, arguments)
    except Refused as refused:
        return Answer.of(refused, prompts=("no-agent-here",))
    if len(rest) > 2:
        raise Refused("invalid", f"{len(rest)} arguments", "use outcome,KEY_OR_ID or outcome,KEY_OR_ID,NOTE")
    word, note = (*rest, "", "")[:2]
    known = call.services.leads.dispositions.values()
    found = disposition_of(known, word)
    if found is None:
        return _none_such(word, known)
    return await _written(call, agent, found, clean(note, NOTE_AT_MOST))


async def _written(call: Call, agent: str, found: Disposition, note: str) -> Answer:
    try:
        written = await call.services.leads.outcome_of_agent(agent, found.id, By(agent, call.source), note)
    except Refused as refused:
        if refused.kind == "unreachable":
            return Answer.of(refused, prompts=("try-again",))
        # Not found is no agent here, but a talk.
        return replace(Answer.of(refused, prompts=("refused",)), line=NO_TALK)
    return Answer(
        Result.OK,
        variables={
            "WARM_DISPOSITION": written.disposition,
            "WARM_DISPOSITION_NAME": clean(written.disposition_name),
            "WARM_DISPOSITION_OF": written.handoff,
        },
        line=_heard(found),
    )


def _none_such(word: str, known: Collection[Disposition]) -> Answer:
    ids = [f"{one.key} ({one.id})" if one.key else one.id for one in known]
    said = f"there is no disposition {clean(word, 40)!r}" if word else "no disposition was named"
    refused = Refused("invalid", said, f"use one of {', '.join(ids)}" if ids else "none is configured")
    return replace(Answer.of(refused, ("not-understood",) if word else ()), line=_digits(known))


def lines(known: Collection[Disposition]) -> list[str]:
    """All that agents may hear of these, to be rendered before they do."""
    return [*map(_heard, known), _digits(known), NO_TALK]


def _heard(disposition: Disposition) -> str:
    return f"{clean(disposition.name)}."


def _digits(known: Collection[Disposition]) -> str:
    """`1: Sold. 2: Call back.`"""
    keyed = sorted((one for one in known if one.key), key=lambda one: one.key)
    return " ".join(f"{one.key}: {_heard(one)}" for one in keyed) or NO_DIGITS
