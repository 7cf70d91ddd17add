"""Before anyone is rung: the lead is taken in hand, agents are reserved or waited for, the briefing is made
ready."""

from __future__ import annotations

from dataclasses import replace

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import HoldLead, PrepareSpeech, Progress
from asterisk_warm.core.handoff.events import (
    AgentsFound,
    CancelRequested,
    LeadFound,
    LeadSecured,
    SpeechReady,
)
from asterisk_warm.core.handoff.model import Handoff, Lead, LeadIs, Status
from asterisk_warm.core.handoff.moves.ending import give_back, nobody_took_it
from asterisk_warm.core.handoff.moves.lead import hold, resume_comfort
from asterisk_warm.core.handoff.moves.limits import LOOK_UP_SECONDS
from asterisk_warm.core.handoff.moves.offering import ring
from asterisk_warm.core.handoff.moves.qualifier import leave, set_aside, tell_phone
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step


def lead_secured(handoff: Handoff, event: LeadSecured) -> Step:
    handoff = handoff.evolve(state=State.SEEKING, state_deadline=None, fetching=False)
    if handoff.refusal is not None:
        refused = handoff.refusal
        return give_back(handoff, State.RETURNED, refused.status, refused.reason, event.at)
    return _begin_in_mode(handoff, event.at).then(offer_when_ready, event.at)


def _begin_in_mode(handoff: Handoff, at: float) -> Step:
    """Who stays with the lead while agents are sought."""
    if handoff.qualifier is None:
        return resume_comfort(handoff, at)
    if not handoff.qualifier_here:
        return hold(handoff, at)
    step = tell_phone(handoff, Progress.TRYING)
    if handoff.policy.mode is Mode.STAY:
        return step
    return step.then(set_aside if handoff.policy.mode is Mode.CONSULT else leave).then(hold, at)


def lead_came(handoff: Handoff, event: LeadSecured) -> Step:
    """Fetched from the qualifier's phone, or taken in hand later than all else."""
    came = handoff.evolve(fetching=False)
    waits = handoff.state is State.RETURNING and handoff.lead_is is LeadIs.HELD
    return Step(came, (HoldLead(handoff.policy.music),) if waits else ())


def agents_found(handoff: Handoff, event: AgentsFound) -> Step:
    new = tuple(agent for agent in event.free if agent not in handoff.reserved)
    reserved = (*handoff.reserved, *new)
    found = handoff.evolve(reserved=reserved, not_free=event.not_free, hope=event.hope)
    return offer_when_ready(found, event.at)


def lead_found(handoff: Handoff, event: LeadFound) -> Step:
    """What others know fills in what is missing; only now is it known what will have to be said."""
    if handoff.lead_known:
        return Step(handoff)
    return lead_known(handoff.evolve(lead=_filled(handoff.lead, event)))


def _filled(lead: Lead, found: LeadFound) -> Lead:
    there = {key.casefold() for key, _ in lead.details}
    more = tuple((key, value) for key, value in found.details if key.casefold() not in there)
    return replace(
        lead,
        name=lead.name if lead.named or not found.name else found.name,
        named=lead.named or bool(found.name),
        summary=lead.summary or found.summary,
        language=lead.language or found.language,
        details=lead.details + more,
    )


def lead_known(handoff: Handoff) -> Step:
    """Nothing more will be found out: the briefing can be made ready."""
    known = handoff.evolve(lead_known=True)
    return Step(known, (PrepareSpeech(wording.lines(known)),))


def look_up_limit(handoff: Handoff) -> float | None:
    """Until when it is waited for what others know of the lead; None when it is not."""
    waits = not handoff.lead_known and handoff.state in (State.REQUESTED, State.SEEKING)
    return handoff.requested_at + LOOK_UP_SECONDS if waits else None


def look_up_due(handoff: Handoff, at: float) -> Step:
    due = look_up_limit(handoff)
    return Step(handoff) if due is None or at < due else lead_known(handoff)


def speech_ready(handoff: Handoff, event: SpeechReady) -> Step:
    return offer_when_ready(handoff.evolve(speech_ready=True), event.at)


def offer_when_ready(handoff: Handoff, at: float) -> Step:
    """Nobody is rung before the lead is in hand, and known, and what they will hear is ready."""
    ready = handoff.speech_ready and handoff.lead_known
    if handoff.state not in (State.SEEKING, State.OFFERING) or not ready:
        return Step(handoff)
    asked = {offer.agent.id for offer in handoff.open_offers}
    by_id = {agent.id: agent for agent in handoff.agents if agent.id not in asked}
    agents = [by_id[id] for id in handoff.reserved if id in by_id]
    handoff = handoff.evolve(reserved=())
    if agents:
        return ring(handoff, agents, at)
    return Step(handoff) if handoff.hope or handoff.open_offers else nobody_took_it(handoff, at)


def cancelled(handoff: Handoff, event: CancelRequested) -> Step:
    return give_back(handoff, State.RETURNED, Status.CANCELLED, f"cancelled by {event.by}", event.at)


def taking_over_failed(handoff: Handoff, reason: str, at: float) -> Step:
    """Lead and qualifier may still talk where they did, or be with us half-way: giving them back as a pair
    serves both."""
    together = handoff.qualifier_here and handoff.lead_is is LeadIs.WITH_QUALIFIER
    step = give_back(handoff, State.FAILED, Status.ERROR, reason, at)
    return Step(step.handoff.evolve(state=State.FAILED), step.commands) if together else step
