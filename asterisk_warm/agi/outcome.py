"""The script `outcome`: an agent writes down what came of their latest talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.presence import whose
from asterisk_warm.agi.text import clean
from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.presence import By
from asterisk_warm.engine.errors import Refused

NOTE_AT_MOST = 500
"""Characters."""
OF_OUTCOME = ("WARM_DISPOSITION", "WARM_DISPOSITION_NAME", "WARM_DISPOSITION_OF")


async def outcome(call: Call, arguments: Sequence[str]) -> Answer:
    """`[agent=ID,]KEY_OR_ID[,NOTE]`"""
    try:
        agent, rest = whose(call, arguments)
    except Refused as refused:
        return Answer.of(refused, prompts=("no-agent-here",))
    if not 1 <= len(rest) <= 2:
        raise Refused("invalid", f"{len(rest)} arguments", "use outcome,KEY_OR_ID or outcome,KEY_OR_ID,NOTE")
    leads = call.services.leads
    key = _key(leads.dispositions, rest[0])
    note = clean(rest[1], NOTE_AT_MOST) if len(rest) == 2 else ""
    try:
        written = await leads.outcome_of_agent(agent, key, By(agent, call.source), note)
    except Refused as refused:
        # Not found is no agent here, but a talk.
        prompt = "try-again" if refused.kind == "unreachable" else "refused"
        return Answer.of(refused, prompts=(prompt,))
    return Answer(
        Result.OK,
        variables={
            "WARM_DISPOSITION": written.disposition,
            "WARM_DISPOSITION_NAME": clean(written.disposition_name),
            "WARM_DISPOSITION_OF": written.handoff,
        },
        line=f"{clean(written.disposition_name)}.",
    )


def _key(dispositions: Mapping[str, Disposition], word: str) -> str:
    """The digit of a disposition, named by it or by its id. Raises Refused."""
    for id, disposition in dispositions.items():
        if disposition.key and word in (id, disposition.key):
            return disposition.key
    known = ", ".join(f"{one.key} ({id})" for id, one in dispositions.items() if one.key)
    raise Refused(
        "invalid", f"there is no disposition {clean(word, 40)!r} that has a key", f"use one of {known}"
    )
