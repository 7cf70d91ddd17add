"""Which of a lead's earlier qualifications is gone on with, or holds still: nobody is asked twice."""

from __future__ import annotations

from collections.abc import Sequence

from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.core.script.running import carry, outcome
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.qualifying.results import Result, result
from asterisk_warm.engine.qualifying.scripts import Published, ScriptService


async def gone_on_with(
    scripts: ScriptService, earlier: Sequence[Qualification], current: Published, now: float
) -> Qualification | None:
    """Of those by one script, the latest first: an open one, or the finished one that still holds, so that
    there is nothing to ask. None: a new one begins. Raises Refused (unreachable)."""
    for one in earlier:
        found = await _read(scripts, one)
        if found is not None and _stands(found, current, now):
            return one
        if one.ended_at is not None:
            return None  # What is older than a finished one is over.
    return None


async def _read(scripts: ScriptService, found: Qualification) -> Result | None:
    """None: its version cannot be read any more."""
    try:
        return await result(scripts, found)
    except Refused as refused:
        if refused.kind == "unreachable":
            raise
        return None


def _stands(found: Result, current: Published, now: float) -> bool:
    """Is it young enough; and if it is finished, would it come to the same verdict by the current version?"""
    asked, script = found.qualification, current.script
    if found.days(now) > min(found.valid_days, script.valid_days):
        return False
    if asked.ended_at is None:
        return True
    same = asked.version == current.version.version
    again = outcome(script, carry(script, asked.answers, now, skipped=same))
    return (again.verdict, again.score) == (found.outcome.verdict, found.outcome.score)
