"""The qualifier: with the lead, aside, with the agent, sent on; and what they alone are told."""

from __future__ import annotations

from dataclasses import replace

from asterisk_warm.core.handoff import wording
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
    LeadIs,
    Line,
    Offer,
    QualifierIs,
    agent_name,
)
from asterisk_warm.core.handoff.moves.limits import JOIN_SECONDS
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step


def tell(handoff: Handoff, *media: Line) -> Step:
    """Say something to the qualifier, who is on the line, alone."""
    number = handoff.asides + 1
    said = tuple(replace(line, language=line.language or handoff.policy.language) for line in media)
    return Step(handoff.evolve(asides=number), (TellQualifier(number, said, qualifier_talks(handoff)),))


def qualifier_talks(handoff: Handoff) -> bool:
    """Is somebody on the line with them?"""
    return handoff.qualifier_is is not QualifierIs.ASIDE


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


def leave(handoff: Handoff) -> Step:
    """The qualifier goes on; but a phone that waits for its transfer stays on the line for the outcome."""
    return set_aside(handoff) if handoff.phone_waits else release(handoff)


def join_qualifier(handoff: Handoff, at: float) -> Step:
    """To the lead; confirmed by QualifierJoined."""
    stop = handoff.comforts if handoff.comfort_playing else None
    joining = handoff.evolve(
        qualifier_is=QualifierIs.WITH_LEAD,
        state_deadline=at + JOIN_SECONDS,
        comfort_at=None,
        comfort_playing=False,
    )
    return Step(joining, (JoinQualifier(stop),))


def start_consult(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Qualifier and agent alone; confirmed by ConsultStarted."""
    together = handoff.evolve(
        qualifier_is=QualifierIs.WITH_AGENT, consulted=False, state_deadline=at + JOIN_SECONDS
    )
    order = StartConsult(
        offer.number,
        offer.briefing_number,
        agent_waits=is_swapped(handoff),
        stop_question=handoff.asking.number if handoff.asking is not None else None,
    )
    return Step(together, (order,))


def is_swapped(handoff: Handoff) -> bool:
    """In a consult: does the agent wait, while the qualifier talks to the lead?"""
    return handoff.state is State.CONSULTING and handoff.qualifier_is is QualifierIs.WITH_LEAD


def introduces(handoff: Handoff) -> bool:
    """Does the qualifier talk to the lead, and so introduce the agent? Not one whose phone waits for its
    transfer: that ends with it."""
    return handoff.qualifier_is is QualifierIs.WITH_LEAD and not handoff.phone_waits


def is_talk_of_three(handoff: Handoff) -> bool:
    return handoff.lead_is is LeadIs.WITH_AGENT and introduces(handoff)


def show_parties(handoff: Handoff, offer: Offer) -> Step:
    """The agent's phone goes on showing the lead, and the qualifier's shows the agent: Asterisk by itself
    shows each the other in the bridge, and in a talk of three nobody."""
    agent = offer.agent
    to_agent = ShowParty(agent_name(offer.number), wording.display(handoff, agent), handoff.lead.number)
    return Step(handoff, (to_agent, ShowParty(QUALIFIER, agent.name, agent.number or agent.id)))
