"""What is said in a handoff, and how its end is told."""

from __future__ import annotations

from asterisk_warm.core.handoff.model import Agent, Handoff, Lead, Line, Offer, Status
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.wording import fill, spoken_key

COMFORTS = (Line("comfort"), Line("comfort-2"), Line("comfort-3"))
"""What the lead hears in turn while held."""

_OUTCOME = {
    OfferState.RINGING: "had not answered yet",
    OfferState.BRIEFING: "had not decided yet",
    OfferState.DECLINED: "declined",
    OfferState.NO_ANSWER: "did not answer",
    OfferState.NO_DECISION: "answered but pressed no key",
    OfferState.BUSY: "was busy",
    OfferState.UNREACHABLE: "could not be reached",
    OfferState.GONE: "hung up",
    OfferState.LOST: "was no longer needed",
    OfferState.FAILED: "could not be rung",
}


def briefing_text(handoff: Handoff) -> str:
    return fill(handoff.policy.templates.briefing, _lead_values(handoff.lead, handoff.team_name))


def instructions_text(handoff: Handoff) -> str:
    keys = handoff.policy.keys
    values = {
        "accept": spoken_key(keys.accept),
        "decline": spoken_key(keys.decline),
        "repeat": spoken_key(keys.repeat),
    }
    return fill(handoff.policy.templates.instructions, values)


def introduction_text(handoff: Handoff, agent: Agent) -> str:
    return fill(handoff.policy.templates.introduction, _values(handoff, agent))


def taken_text(handoff: Handoff, agent: Agent) -> str:
    """What the losers hear."""
    return fill(handoff.policy.templates.taken, _values(handoff, agent))


def lines(handoff: Handoff) -> tuple[str, ...]:
    """Every line that this handoff may have to say, so that all is ready before the agents ring."""
    texts: list[str] = []
    if handoff.policy.mode is not Mode.BLIND:
        texts += [briefing_text(handoff), instructions_text(handoff)]
    for agent in handoff.agents:
        if handoff.policy.introduction:
            texts.append(introduction_text(handoff, agent))
        texts.append(taken_text(handoff, agent))
    return tuple(dict.fromkeys(text for text in texts if text))


def briefing_media(handoff: Handoff) -> tuple[Line, ...]:
    return (Line("briefing", briefing_text(handoff)), Line("instructions", instructions_text(handoff)))


def recall_media(handoff: Handoff) -> tuple[Line, ...]:
    """What a qualifier who had hung up hears when rung to have the lead again."""
    values = {**_back_values(handoff), "accept": spoken_key(handoff.policy.keys.accept)}
    return (Line("recall", fill(handoff.policy.templates.recall, values)),)


def returned_line(handoff: Handoff) -> Line:
    """What the qualifier alone hears when the lead comes back."""
    return Line("returned", fill(handoff.policy.templates.returned, _back_values(handoff)))


def introduction_media(handoff: Handoff, agent: Agent) -> tuple[Line, ...]:
    return (Line("introduction", introduction_text(handoff, agent)),) if handoff.policy.introduction else ()


def taken_line(handoff: Handoff, agent: Agent) -> Line:
    return Line("taken", taken_text(handoff, agent))


def outcome_words(offer: Offer) -> str:
    """ "Ben did not answer", with Asterisk's cause where it adds something."""
    said = f"{offer.agent.name} {_OUTCOME.get(offer.state, offer.state.value.lower())}"
    adds = offer.cause and offer.state in (OfferState.UNREACHABLE, OfferState.FAILED, OfferState.GONE)
    return f"{said} ({offer.cause})" if adds else said


def nobody_words(handoff: Handoff) -> str:
    """Why nobody took the lead, agent by agent."""
    latest = {offer.agent.id: offer for offer in handoff.offers if not offer.recall}
    parts = [outcome_words(offer) for offer in latest.values()]
    names = {agent.id: agent.name for agent in handoff.agents}
    parts += [
        f"{names.get(agent, agent)} was not rung ({why})"
        for agent, why in handoff.not_free
        if agent not in latest
    ]
    return "; ".join(parts) or f"there is nobody to ring under {handoff.team_name}"


def variables(handoff: Handoff) -> tuple[tuple[str, str], ...]:
    """The dialplan variables that tell a handoff's end."""
    winner = handoff.winner
    gap = handoff.gap_ms
    return (
        ("WARM_ID", handoff.id),
        ("WARM_STATUS", (handoff.status or Status.ERROR).value),
        ("WARM_AGENT", winner.agent.id if winner else ""),
        ("WARM_CAUSE", handoff.reason),
        ("WARM_GAP_MS", "" if gap is None else str(gap)),
    )


def early_variables(handoff: Handoff) -> tuple[tuple[str, str], ...]:
    """Set when the lead is taken in hand: what the `h` extension finds when the lead hangs up while held."""
    return (
        ("WARM_ID", handoff.id),
        ("WARM_STATUS", Status.ABANDONED.value),
        ("WARM_CAUSE", "the lead hung up before anyone was connected"),
    )


def _lead_values(lead: Lead, team_name: str) -> dict[str, str]:
    details = ", ".join(f"{key}: {value}" for key, value in lead.details)
    return {
        "name": lead.name,
        "number": lead.number,
        "summary": lead.summary,
        "team": team_name,
        "details": details,
    }


def _back_values(handoff: Handoff) -> dict[str, str]:
    return {"name": handoff.lead.name, "reason": handoff.reason}


def _values(handoff: Handoff, agent: Agent) -> dict[str, str]:
    return {"agent": agent.name, "team": handoff.team_name, "name": handoff.lead.name}
