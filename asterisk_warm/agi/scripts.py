"""The scripts that the dialplan can ask: `agi://HOST:PORT/NAME`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.lead import OF_LEAD, lead
from asterisk_warm.agi.outcome import OF_OUTCOME, outcome
from asterisk_warm.agi.presence import presence, shown
from asterisk_warm.agi.qualify import OF_QUALIFICATION, answer_one, qualify, score
from asterisk_warm.agi.text import clean, listed
from asterisk_warm.engine.errors import Refused


@dataclass(frozen=True, slots=True)
class Script:
    run: Callable[[Call, Sequence[str]], Awaitable[Answer]]
    """May raise Refused."""
    usage: str
    least: int
    """How many arguments there must be."""
    most: int
    variables: tuple[str, ...]
    """What it sets, beside WARM_RESULT, WARM_CAUSE and WARM_SAY; empty when there is nothing to say."""
    speaks: bool = False
    """It says in prompts what went wrong."""
    seconds: float | None = None
    """How long it may take; None: as the server's limits say."""


INTERVIEW_SECONDS = 1800.0


async def answer(call: Call) -> Answer:
    """What the call is to be told; every variable of the script is in it. Never raises Refused."""
    name = call.environment.script
    script = SCRIPTS.get(name)
    if script is None:
        known = ", ".join(SCRIPTS)
        return Answer(Result.INVALID, f"there is no script {clean(name, 40)!r}: use one of {known}")
    found = await _answer(script, call)
    return replace(found, variables={name: found.variables.get(name, "") for name in script.variables})


async def _answer(script: Script, call: Call) -> Answer:
    arguments = call.environment.arguments
    if not script.least <= len(arguments) <= script.most:
        refused = Refused("invalid", f"{len(arguments)} arguments", f"use {script.usage}")
    else:
        try:
            return await script.run(call, arguments)
        except Refused as error:
            refused = error
    return Answer.of(refused, (PROMPTS[refused.kind],) if script.speaks else ())


def unreachable(call: Call, cause: str) -> Answer:
    """It came to nothing; what that means is in the daemon's log."""
    script = SCRIPTS.get(call.environment.script)
    prompts = (PROMPTS["unreachable"],) if script is not None and script.speaks else ()
    variables = dict.fromkeys(script.variables, "") if script is not None else {}
    return Answer(Result.UNREACHABLE, cause, variables, prompts)


PROMPTS = {
    "not_found": "no-agent-here",
    "conflict": "refused",
    "invalid": "not-understood",
    "unreachable": "try-again",
}


async def _available(call: Call, arguments: Sequence[str]) -> Answer:
    found = await call.services.agents.available(arguments[0])
    wait = found.expected_wait
    return Answer(
        Result.OK,
        variables={
            "WARM_FREE": str(len(found.free)),
            "WARM_FREE_AGENTS": listed(found.free),
            "WARM_FREE_NAMES": clean(", ".join(found.names)),
            "WARM_WAITING": str(found.waiting),
            "WARM_WAIT_SECONDS": "" if wait is None else str(round(wait)),
        },
    )


async def _agent(call: Call, arguments: Sequence[str]) -> Answer:
    view = call.services.agents.show(arguments[0])
    return Answer(Result.OK, variables=shown(view, view.why))


_OF_AGENT = (
    *("WARM_PRESENCE", "WARM_AGENT_ID", "WARM_AGENT_NAME", "WARM_FREE"),
    *("WARM_WHY", "WARM_WHY_CODES", "WARM_REASON", "WARM_UNTIL"),
)

SCRIPTS: Mapping[str, Script] = {
    "presence": Script(
        presence,
        "presence,STATE or presence,agent=ID,STATE",
        least=0,
        most=4,
        variables=_OF_AGENT,
        speaks=True,
    ),
    "available": Script(
        _available,
        "available,TEAM",
        least=1,
        most=1,
        variables=(
            *("WARM_FREE", "WARM_FREE_AGENTS", "WARM_FREE_NAMES"),
            *("WARM_WAITING", "WARM_WAIT_SECONDS"),
        ),
    ),
    "agent": Script(_agent, "agent,ID", least=1, most=1, variables=_OF_AGENT),
    "lead": Script(lead, "lead,NUMBER", least=0, most=1, variables=OF_LEAD),
    "qualify": Script(
        qualify,
        "qualify,SCRIPT or qualify,SCRIPT,language=…,fresh=yes,lead=NUMBER",
        least=1,
        most=4,
        variables=OF_QUALIFICATION,
        seconds=INTERVIEW_SECONDS,
    ),
    "score": Script(score, "score,SCRIPT,NUMBER", least=1, most=2, variables=OF_QUALIFICATION),
    "answer": Script(
        answer_one,
        "answer,SCRIPT,QUESTION,VALUE,NUMBER",
        least=3,
        most=4,
        variables=(*OF_QUALIFICATION, "WARM_QUESTION"),
    ),
    "outcome": Script(
        outcome,
        "outcome,KEY_OR_ID,NOTE or outcome,agent=ID,KEY_OR_ID,NOTE",
        least=0,
        most=3,
        variables=OF_OUTCOME,
        speaks=True,
    ),
}
"""Name → what it does; docs/agi.md."""


def seconds(name: str) -> float | None:
    """How long that script may take; None: as long as any."""
    script = SCRIPTS.get(name)
    return script.seconds if script is not None else None
