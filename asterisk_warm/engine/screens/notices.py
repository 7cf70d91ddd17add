"""What screens and other systems are told, in words and figures: docs/screens.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import News, Tell
from asterisk_warm.core.handoff.model import Agent, Handoff, Lead, Offer
from asterisk_warm.core.handoff.news import closed, why_closed
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.qualifying.views import QualificationView
from asterisk_warm.engine.screens.ports import Notice

OUTCOME, QUALIFIED = "handoff.outcome", "qualification.finished"
_INTERNAL = ("question", "complete", "revision")
"""What a finished qualification's reader has no use for."""


def notice_of(handoff: Handoff, command: Tell, at: float) -> Notice | None:
    """None: about an offer that there is not."""
    if command.offer is None:
        name = command.news.value.rpartition(".")[2]
        return Notice(f"{handoff.id}.{name}", command.news.value, at, "", _clean(_ended(handoff)))
    offer = handoff.offer(command.offer)
    return None if offer is None else _of_offer(handoff, offer, command.news, at)


def present(handoffs: Sequence[Handoff], agent: str, at: float) -> Sequence[Notice]:
    """What a screen of that agent is to show now: the talk, and what is offered."""
    theirs = [(handoff, offer) for handoff in handoffs for offer in handoff.offers if offer.agent.id == agent]
    told = [(handoff, offer, _now_shown(handoff, offer)) for handoff, offer in theirs if not offer.recall]
    return [_of_offer(handoff, offer, news, at) for handoff, offer, news in told if news is not None]


def of_outcome(view: OutcomeView, lead: str) -> Notice:
    """`lead` is their number."""
    id = f"{view.handoff}.outcome.{round(view.at * 1000)}"
    return Notice(id, OUTCOME, view.at, "", _clean({"lead": {"number": lead}, **msgspec.to_builtins(view)}))


def of_qualification(view: QualificationView) -> Notice:
    facts = {name: value for name, value in msgspec.to_builtins(view).items() if name not in _INTERNAL}
    lead = {"name": facts.pop("lead_name"), "number": facts.pop("lead")}
    data = {"qualification": facts.pop("id"), "lead": lead, **facts}
    # It may be finished again, with another answer.
    return Notice(f"{view.id}.finished.{view.revision}", QUALIFIED, view.updated_at, "", _clean(data))


def _now_shown(handoff: Handoff, offer: Offer) -> News | None:
    if closed(handoff, offer):
        return None
    return News.ACCEPTED if offer.state is OfferState.ACCEPTED else News.MADE


def _of_offer(handoff: Handoff, offer: Offer, news: News, at: float) -> Notice:
    name = news.value.rpartition(".")[2]
    data = _clean(describe(handoff, offer, news))
    return Notice(f"{handoff.id}.{offer.number}.{name}", news.value, at, offer.agent.id, data)


def describe(handoff: Handoff, offer: Offer, news: News) -> Mapping[str, Any]:
    agent = offer.agent
    why = why_closed(handoff, offer) if news is News.CLOSED else ""
    briefed = handoff.policy.mode is not Mode.BLIND
    return {
        **_about(handoff),
        "offer": {"number": offer.number, "state": offer.state.value, "why": why},
        "agent": _agent(agent),
        "briefing": wording.briefing_text(handoff, agent) if briefed else "",
        "page": wording.page(handoff, agent),
    }


def _ended(handoff: Handoff) -> Mapping[str, Any]:
    winner = handoff.winner
    return {
        **_about(handoff),
        "agent": _agent(winner.agent) if winner else None,
        "state": handoff.state.value,
        "status": handoff.status.value if handoff.status else None,
        "why": handoff.reason,
        "gap_ms": handoff.gap_ms,
        "joined_at": handoff.joined_at,
        "ended_at": handoff.ended_at,
    }


def _about(handoff: Handoff) -> Mapping[str, Any]:
    return {
        "handoff": handoff.id,
        "team": {"id": handoff.team, "name": handoff.team_name},
        "mode": handoff.policy.mode.value,
        "qualifier": handoff.qualifier.name if handoff.qualifier else "",
        "lead": _lead(handoff.lead),
    }


def _lead(lead: Lead) -> Mapping[str, Any]:
    return {
        "name": lead.name,
        "number": lead.number,
        "summary": lead.summary,
        "details": dict(lead.details),
        "score": lead.score,
        "verdict": lead.verdict,
        "language": lead.language,
        "more": lead.more,
        "qualification": lead.qualification,
    }


def _agent(agent: Agent) -> Mapping[str, Any]:
    return {"id": agent.id, "name": agent.name}


def _clean(value: Any) -> Any:
    """Without half characters (lone surrogates), which JSON's encoders refuse."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    return value
