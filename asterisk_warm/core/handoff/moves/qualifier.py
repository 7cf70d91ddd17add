"""The qualifier: with the lead, aside, with the agent, sent on; and what they alone are told."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import (
    JoinQualifier,
    Progress,
    ReleaseQualifier,
    SetAside,
    ShowParty,
    StartConsult,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.model import (
    QUALIFIER,
    Handoff,
    Line,
    Offer,
    QualifierIs,
    agent_name,
)
from asterisk_warm.core.handoff.moves.limits import JOIN_SECONDS
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step


def tell(handoff: Handoff, *media: Line) -> Step:
    """Say something to the qualifier alone; nothing where there is none."""
    if not handoff.qualifier_here:
        return Step(handoff)
    number = handoff.asides + 1
    talking = handoff.qualifier_is is not QualifierIs.ASIDE
    return Step(handoff.evolve(asides=number), (TellQualifier(number, media, talking),))


def tell_phone(handoff: Handoff, progress: Progress) -> Step:
    """Tell a phone that waits for its transfer how it goes; all but TRYING is the last word."""
    if not handoff.phone_waits:
        return Step(handoff)
    return Step(handoff.evolve(phone_waits=progress is Progress.TRYING), (TellPhone(progress),))


def set_aside(handoff: Handoff) -> Step:
    return Step(handoff.evolve(qualifier_is=QualifierIs.ASIDE, consulted=False), (SetAside(),))


def release(handoff: Handoff) -> Step:
    """Let the qualifier go on; nothing where there is none."""
    if not handoff.qualifier_here:
        return Step(handoff)
    return Step(handoff.evolve(qualifier_is=QualifierIs.LEAVING), (ReleaseQualifier(),))


def join_qualifier(handoff: Handoff, at: float) -> Step:
    """To the lead; confirmed by QualifierJoined."""
    joining = handoff.evolve(qualifier_is=QualifierIs.WITH_LEAD, state_deadline=at + JOIN_SECONDS)
    stop = handoff.comforts if handoff.comfort_playing else None
    return Step(joining, (JoinQualifier(stop),))


def start_consult(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Qualifier and agent alone; confirmed by ConsultStarted."""
    together = handoff.evolve(
        qualifier_is=QualifierIs.WITH_AGENT, consulted=False, state_deadline=at + JOIN_SECONDS
    )
    order = StartConsult(offer.number, offer.briefing_number, agent_waits=is_swapped(handoff))
    return Step(together, (order,))


def is_swapped(handoff: Handoff) -> bool:
    """In a consult: does the agent wait, while the qualifier talks to the lead?"""
    return handoff.state is State.CONSULTING and handoff.qualifier_is is QualifierIs.WITH_LEAD


def show_parties(handoff: Handoff, offer: Offer) -> Step:
    """The agent's phone goes on showing the lead, and the qualifier's shows the agent: Asterisk by itself
    shows each the other in the bridge, and in a talk of three nobody."""
    agent, lead = offer.agent, handoff.lead
    shown = [ShowParty(agent_name(offer.number), lead.name, lead.number)]
    if handoff.qualifier_here:
        shown.append(ShowParty(QUALIFIER, agent.name, agent.number))
    return Step(handoff, tuple(shown))
