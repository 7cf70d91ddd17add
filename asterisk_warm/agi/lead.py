"""The script `lead`: what is known of the one who calls."""

from __future__ import annotations

from collections.abc import Sequence

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.text import clean, listed
from asterisk_warm.core.leads import Purpose, came_to, latest_words
from asterisk_warm.engine.agents.views import LeadHistory
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.leads.views import LeadRecordView

OF_LEAD = (
    *("WARM_HANDOFFS", "WARM_LAST_AGENT", "WARM_LAST_ID", "WARM_LAST_STATE", "WARM_LAST_STATUS"),
    *("WARM_LAST_AT", "WARM_KNOWN", "WARM_KNOWN_NAME", "WARM_KNOWN_LANGUAGE", "WARM_KNOWN_SOURCE"),
    *("WARM_KNOWN_CONSENT", "WARM_KNOWN_OUTCOME", "WARM_KNOWN_NOTE"),
)


async def lead(call: Call, arguments: Sequence[str]) -> Answer:
    """`[NUMBER]`"""
    number = await call.lead(arguments[0] if arguments else "")
    if not number:
        raise Refused("invalid", "no number: the caller has none", "use lead,NUMBER")
    history = _history(await call.services.agents.lead(number))
    return Answer(Result.OK, variables={**history, **await _record(call, number)})


def _history(found: LeadHistory) -> dict[str, str]:
    return {
        "WARM_HANDOFFS": str(found.count),
        "WARM_LAST_AGENT": found.agent,
        "WARM_LAST_ID": found.handoff,
        "WARM_LAST_STATE": found.state,
        "WARM_LAST_STATUS": found.status,
        "WARM_LAST_AT": "" if found.at is None else str(round(found.at)),
    }


async def _record(call: Call, number: str) -> dict[str, str]:
    try:
        view = await call.services.leads.show(number)
    except Refused as refused:
        # Nobody who was written down, or has called; or a number that is none, of which there may be handoffs
        # all the same.
        if refused.kind not in ("not_found", "invalid"):
            raise
        return {"WARM_KNOWN": "0"}
    disposition, note = _came_to(view)
    return {
        "WARM_KNOWN": "1" if view.source else "0",
        "WARM_KNOWN_NAME": clean(view.name),
        "WARM_KNOWN_LANGUAGE": clean(view.language),
        "WARM_KNOWN_SOURCE": clean(view.source),
        "WARM_KNOWN_CONSENT": listed(_consented(view)),
        "WARM_KNOWN_OUTCOME": disposition,
        "WARM_KNOWN_NOTE": clean(note),
    }


def _consented(view: LeadRecordView) -> list[str]:
    """To what: of each purpose the latest word counts."""
    said = latest_words(view.consents)
    return [purpose.value for purpose in Purpose if said.get(purpose.value)]


def _came_to(view: LeadRecordView) -> tuple[str, str]:
    """What their latest handoff of which anything was written down came to: disposition and note."""
    told = [outcome for handoff in view.handoffs for outcome in handoff.outcomes]
    latest = max(told, key=lambda outcome: outcome.at, default=None)
    of_it = [one for one in told if latest is not None and one.handoff == latest.handoff]
    newest_first = sorted(of_it, key=lambda outcome: outcome.at, reverse=True)
    return came_to(newest_first)
