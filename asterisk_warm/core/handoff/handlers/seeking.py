"""Before anyone is rung: the lead is taken in hand, who is free is found out, the briefing is made ready."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import AgentsFound, CancelRequested, LeadSecured, SpeechReady
from asterisk_warm.core.handoff.model import Handoff, Status
from asterisk_warm.core.handoff.moves import give_back, nobody_took_it, resume_comfort, ring
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step


def lead_secured(handoff: Handoff, event: LeadSecured) -> Step:
    handoff = handoff.evolve(state=State.SEEKING, state_deadline=None)
    return resume_comfort(handoff, event.at).then(offer_when_ready, event.at)


def agents_found(handoff: Handoff, event: AgentsFound) -> Step:
    return offer_when_ready(handoff.evolve(free=event.free, not_free=event.not_free), event.at)


def speech_ready(handoff: Handoff, event: SpeechReady) -> Step:
    return offer_when_ready(handoff.evolve(speech_ready=True), event.at)


def offer_when_ready(handoff: Handoff, at: float) -> Step:
    """Nobody is rung before the lead is held safely, the free are known and what they will hear is ready."""
    if handoff.state is not State.SEEKING or handoff.free is None or not handoff.speech_ready:
        return Step(handoff)
    free = [agent for agent in handoff.agents if agent.id in handoff.free]
    return ring(handoff, free, at) if free else nobody_took_it(handoff, at)


def cancelled(handoff: Handoff, event: CancelRequested) -> Step:
    return give_back(handoff, State.RETURNED, Status.CANCELLED, f"cancelled by {event.by}", event.at)
