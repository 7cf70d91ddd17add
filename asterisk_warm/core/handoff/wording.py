"""What is said in a handoff, in whose language, and how its end is told."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from asterisk_warm.core.handoff.ids import recording_name
from asterisk_warm.core.handoff.model import Agent, Handoff, Line, Offer, Status
from asterisk_warm.core.handoff.policy import Mode, Templates
from asterisk_warm.core.handoff.states import OfferState
from asterisk_warm.core.plain import quotable
from asterisk_warm.core.wording import fill, placeholders, shortened, spoken_key, spoken_length

DISPLAY_CHARACTERS = 80
"""As much of the lead as a phone is sent to show."""
BRIEF_LETTERS = 54
"""Of name and reason together: what is said in four seconds."""
LEAST_LETTERS = 24
"""Of the reason, however long the name is."""
SLOWEST_LETTERS = 6.0
"""As many are spoken in a second by the slowest voice."""
PROMPT_SECONDS = 15.0
"""Longest shipped prompt that agents hear."""
RECORDED_SECONDS = 60.0
"""Longest recording of a lead's own words, or nearly."""

COMFORTS = ("comfort", "comfort-2", "comfort-3")
"""Prompts that the lead hears in turn while held."""

_OUTCOME = {
    OfferState.RINGING: "had not answered yet",
    OfferState.BRIEFING: "had not decided yet",
    OfferState.DECLINED: "declined",
    OfferState.NO_ANSWER: "did not answer",
    OfferState.BUSY: "was busy",
    OfferState.UNREACHABLE: "could not be reached",
    OfferState.GONE: "hung up",
    OfferState.LOST: "was no longer needed",
    OfferState.FAILED: "could not be rung",
}


# -- the language of each ------------------------------------------------------------------------------------


def language(handoff: Handoff, agent: Agent) -> str:
    """What this agent is spoken to in."""
    return handoff.policy.speaks(agent.language)


def _templates(handoff: Handoff, agent: Agent) -> Templates:
    return handoff.policy.templates_in(agent.language)


def to_agent(handoff: Handoff, agent: Agent, prompt: str) -> Line:
    return Line(prompt, language=language(handoff, agent))


def to_lead(handoff: Handoff, prompt: str) -> Line:
    return Line(prompt, language=handoff.policy.speaks(handoff.lead.language))


# -- the briefing --------------------------------------------------------------------------------------------


def briefing_text(handoff: Handoff, agent: Agent) -> str:
    """Who and why, in this agent's language, and no more than is said in a few seconds."""
    return fill(_templates(handoff, agent).briefing, {**_lead_values(handoff), "summary": _why(handoff)})


def _why(handoff: Handoff) -> str:
    lead = handoff.lead
    return shortened(lead.summary, max(LEAST_LETTERS, BRIEF_LETTERS - spoken_length(lead.name)))


def details_text(handoff: Handoff, agent: Agent) -> str:
    """What an agent hears who asks for more; "" when there is none. A reason of which the briefing has only
    the beginning is told in full."""
    template, values = _templates(handoff, agent).details, _lead_values(handoff)
    asked_for = {part.name for part in placeholders(template)}
    if "summary" not in asked_for and _why(handoff) != handoff.lead.summary:
        template, asked_for = f"{{summary}}. {template}", asked_for | {"summary"}
    return fill(template, values) if any(values.get(name) for name in asked_for) else ""


def instructions_text(handoff: Handoff, agent: Agent) -> str:
    policy = handoff.policy
    keys = policy.keys
    values = {
        "accept": spoken_key(keys.accept),
        "decline": spoken_key(keys.decline),
        "repeat": spoken_key(keys.repeat),
        "details": spoken_key(keys.details),
        "ask": spoken_key(keys.ask) if policy.asks > 0 else "",
    }
    return fill(_templates(handoff, agent).instructions, values)


def briefing_media(handoff: Handoff, agent: Agent) -> tuple[Line, ...]:
    """Who and why first, then perhaps the lead's own words, then the keys."""
    briefing = Line("briefing", briefing_text(handoff, agent), language(handoff, agent))
    return (briefing, *_own_words(handoff, agent), instructions_line(handoff, agent))


def _own_words(handoff: Handoff, agent: Agent) -> tuple[Line, ...]:
    recording = handoff.lead.recording
    if not handoff.policy.own_words or not recording:
        return ()
    return (replace(to_agent(handoff, agent, "own-words"), recording=recording),)


def instructions_line(handoff: Handoff, agent: Agent) -> Line:
    return Line("instructions", instructions_text(handoff, agent), language(handoff, agent))


def details_line(handoff: Handoff, agent: Agent) -> Line:
    text = details_text(handoff, agent)
    return Line("details" if text else "no-details", text, language(handoff, agent))


def longest(media: tuple[Line, ...]) -> float:
    """Seconds after which all of that has been said for certain."""
    return sum(map(_longest, media))


def _longest(line: Line) -> float:
    if line.recording:
        return PROMPT_SECONDS + RECORDED_SECONDS
    return max(PROMPT_SECONDS, spoken_length(line.text) / SLOWEST_LETTERS)


# -- a question that is asked back ---------------------------------------------------------------------------


def question_media(handoff: Handoff, number: int, *, of_qualifier: bool) -> tuple[Line, ...]:
    """What the lead hears, or the qualifier: that somebody asks, the question, and that they may reply."""
    spoken = handoff.policy.language if of_qualifier else handoff.policy.speaks(handoff.lead.language)
    return (
        Line("question-follows", language=spoken),
        Line("", recording=recording_name(handoff.id, number, reply=False)),
        Line("reply-now", language=spoken),
        Line("beep", language=spoken),
    )


def reply_media(handoff: Handoff, agent: Agent, number: int) -> tuple[Line, ...]:
    recording = recording_name(handoff.id, number, reply=True)
    return (replace(to_agent(handoff, agent, "no-reply"), recording=recording),)


# -- introduction and farewells ------------------------------------------------------------------------------


def introduction_text(handoff: Handoff, agent: Agent) -> str:
    """In the lead's language: lead and agent both hear it."""
    template = handoff.policy.templates_in(handoff.lead.language).introduction
    return fill(template, _values(handoff, agent))


def introduction_media(handoff: Handoff, agent: Agent) -> tuple[Line, ...]:
    if not handoff.policy.introduction:
        return ()
    spoken = handoff.policy.speaks(handoff.lead.language)
    return (Line("introduction", introduction_text(handoff, agent), spoken),)


def taken_line(handoff: Handoff, winner: Agent, loser: Agent) -> Line:
    """What one who lost hears, in their language."""
    text = fill(_templates(handoff, loser).taken, _values(handoff, winner))
    return Line("taken", text, language(handoff, loser))


def recall_media(handoff: Handoff) -> tuple[Line, ...]:
    """What a qualifier who had hung up hears when rung to have the lead again."""
    policy = handoff.policy
    values = {**_back_values(handoff), "accept": spoken_key(policy.keys.accept)}
    return (Line("recall", fill(policy.templates.recall, values), policy.language),)


def returned_line(handoff: Handoff) -> Line:
    """What the qualifier alone hears when the lead comes back."""
    policy = handoff.policy
    return Line("returned", fill(policy.templates.returned, _back_values(handoff)), policy.language)


def lines(handoff: Handoff) -> tuple[Line, ...]:
    """Every text that this handoff may have to say, in every language in which it may be said, so that all is
    ready before the agents ring."""
    one_of_each = {language(handoff, agent): agent for agent in handoff.agents}.values()
    said: list[Line] = []
    if handoff.policy.mode is not Mode.BLIND:
        for agent in one_of_each:
            said += [*briefing_media(handoff, agent), details_line(handoff, agent)]
    for winner in handoff.agents:
        said += introduction_media(handoff, winner)
        said += [taken_line(handoff, winner, loser) for loser in one_of_each]
    return tuple(dict.fromkeys(line for line in said if line.text))


# -- what is shown -------------------------------------------------------------------------------------------


def display(handoff: Handoff, agent: Agent) -> str:
    """The lead, as this agent's phone shows them."""
    shown = fill(_templates(handoff, agent).display, _lead_values(handoff))
    return shown[:DISPLAY_CHARACTERS].rstrip()


def page(handoff: Handoff, agent: Agent) -> str:
    """URL that a softphone or screen may open; empty: none."""
    values = {"{id}": handoff.id, "{number}": handoff.lead.number, "{agent}": agent.id}
    url = handoff.policy.page
    for name, value in values.items():
        # What is quoted holds no braces: no value is taken for a name.
        url = url.replace(name, quote(value, safe="", errors="replace"))
    return url


# -- how it ended --------------------------------------------------------------------------------------------


def outcome_words(offer: Offer) -> str:
    """ "Ben did not answer", with Asterisk's cause where it adds something."""
    said = f"{offer.agent.name} {_outcome(offer)}"
    adds = offer.cause and offer.state in (OfferState.UNREACHABLE, OfferState.FAILED, OfferState.GONE)
    return f"{said} ({offer.cause})" if adds else said


def _outcome(offer: Offer) -> str:
    if offer.state is OfferState.NO_DECISION:
        return f"answered but {undecided_words(offer)}"
    return _OUTCOME.get(offer.state, offer.state.value.lower())


def undecided_words(offer: Offer) -> str:
    """What is told of an agent who answered and neither accepted nor declined; a machine presses nothing."""
    return "did not decide" if offer.pressed else "pressed no key"


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
        ("WARM_CAUSE", quotable(handoff.reason)),
        ("WARM_GAP_MS", "" if gap is None else str(gap)),
    )


def early_variables(handoff: Handoff) -> tuple[tuple[str, str], ...]:
    """Set when the lead is taken in hand: what the `h` extension finds when the lead hangs up while held."""
    return (
        ("WARM_ID", handoff.id),
        ("WARM_STATUS", Status.ABANDONED.value),
        ("WARM_CAUSE", "the lead hung up before anyone was connected"),
    )


def _lead_values(handoff: Handoff) -> dict[str, str]:
    lead = handoff.lead
    return {
        "name": lead.name,
        "number": lead.number,
        "summary": lead.summary,
        "team": handoff.team_name,
        "details": ", ".join(f"{key}: {value}" for key, value in lead.details),
        "more": lead.more,
        "score": "" if lead.score is None else f"{lead.score:z.0f}",
        "verdict": lead.verdict,
    }


def _back_values(handoff: Handoff) -> dict[str, str]:
    return {"name": handoff.lead.name, "reason": handoff.reason}


def _values(handoff: Handoff, agent: Agent) -> dict[str, str]:
    return {"agent": agent.name, "team": handoff.team_name, "name": handoff.lead.name}
