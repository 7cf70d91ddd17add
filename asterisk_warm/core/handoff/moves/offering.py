"""Agents being rung, briefed, and dismissed; the one who accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    Command,
    HangUpAgent,
    JoinAgent,
    News,
    PlayToAgent,
    RingAgent,
    Tell,
)
from asterisk_warm.core.handoff.model import (
    Agent,
    Handoff,
    LeadIs,
    Line,
    Offer,
    Playing,
)
from asterisk_warm.core.handoff.moves.lead import hold
from asterisk_warm.core.handoff.moves.limits import FAREWELL_SECONDS, HANGUP_SECONDS, JOIN_SECONDS
from asterisk_warm.core.handoff.moves.qualifier import introduces, is_swapped, start_consult, tell
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def untried(handoff: Handoff) -> tuple[Agent, ...]:
    """Who of the roster has not been offered this lead, or was only until another agent accepted."""
    latest = {offer.agent.id: offer.state for offer in handoff.offers if not offer.recall}
    return tuple(a for a in handoff.agents if latest.get(a.id, OfferState.LOST) is OfferState.LOST)


def ring(handoff: Handoff, agents: Iterable[Agent], at: float) -> Step:
    """Offer the lead to all of them at once."""
    step = Step(handoff)
    for agent in agents:
        step = step.then(_ring_one, agent, handoff.policy.ring_seconds, False, at)
    # The lead may still be being secured: that keeps its own time limit.
    return Step(step.handoff.evolve(state=State.OFFERING, state_deadline=None), step.commands)


def ring_qualifier(handoff: Handoff, at: float) -> Step:
    """Offer the lead to the qualifier, who has hung up: one offer like any other, but for what it is for."""
    who = handoff.qualifier
    assert who is not None, "there is a qualifier to ring"
    person = Agent("qualifier", who.name or "the qualifier", who.endpoint, who.number)
    return _ring_one(handoff, person, handoff.policy.recall_seconds, True, at)


def _ring_one(handoff: Handoff, agent: Agent, seconds: float, recall: bool, at: float) -> Step:
    number = len(handoff.offers) + 1
    offer = Offer(
        number, agent, OfferState.RINGING, leg_open=True, deadline=at + seconds, rung_at=at, recall=recall
    )
    policy = handoff.policy
    order = RingAgent(number, agent, wording.display(handoff, agent), handoff.lead.number, seconds)
    offered = handoff.evolve(offers=(*handoff.offers, offer))
    if recall:
        return Step(offered, (order,))
    url = wording.page(handoff, agent)
    order = replace(order, page=url, alert=policy.alert, auto_answer=policy.auto_answer)
    # Before the phone rings, the screen shows for whom.
    return Step(offered, (Tell(News.MADE, number), order))


def brief(handoff: Handoff, offer: Offer) -> Step:
    """Say, to this agent alone, who the lead is and which keys to press."""
    return _say(handoff, offer, _briefing(handoff, offer))


def brief_again(handoff: Handoff, offer: Offer, at: float) -> Step:
    return say_more(handoff, offer, _briefing(handoff, offer), at)


def _briefing(handoff: Handoff, offer: Offer) -> tuple[Line, ...]:
    return wording.recall_media(handoff) if offer.recall else wording.briefing_media(handoff, offer.agent)


def say_more(handoff: Handoff, offer: Offer, media: tuple[Line, ...], at: float) -> Step:
    """What an agent hears after the first briefing. The time to decide begins anew at its end; should that
    never be told, when even the slowest voice would have come to it. However often they ask, the hold budget
    has an end. A qualifier who is rung has one time to decide: the lead may be in a talk, which has none."""
    if not offer.recall:
        offer = decide_from(handoff, offer, at + wording.longest(media))
    return _say(handoff, offer, media)


def decide_from(handoff: Handoff, offer: Offer, at: float) -> Offer:
    return offer.evolve(deadline=at + handoff.policy.decision_seconds)


def _say(handoff: Handoff, offer: Offer, media: tuple[Line, ...]) -> Step:
    """To this agent alone, in the place of what they may be hearing of the briefing."""
    before = offer.briefing_number
    offer = offer.evolve(briefings=offer.briefings + 1)
    number = offer.briefing_number or 0
    order = PlayToAgent(offer.number, Playing.BRIEFING, number, media, stop=before)
    return Step(handoff.with_offer(offer), (order,))


def answered(handoff: Handoff, offer: Offer, at: float) -> Step:
    """The agent picked up: brief them, or in blind mode join them."""
    offer = decide_from(handoff, offer.evolve(state=OfferState.BRIEFING, answered_at=at), at)
    handoff = handoff.with_offer(offer)
    if handoff.policy.mode is Mode.BLIND and not offer.recall:
        return accept(handoff, offer, at)
    return brief(handoff, offer)


def accept(handoff: Handoff, offer: Offer, at: float) -> Step:
    """This agent wins: join them to the lead, or first to the qualifier; only now is everybody else
    withdrawn."""
    winner = offer.evolve(state=OfferState.ACCEPTED, decided_at=at, deadline=None)
    won = handoff.with_offer(winner)
    if handoff.policy.mode is Mode.CONSULT and handoff.qualifier_here:
        step = start_consult(won.evolve(state=State.CONSULTING), winner, at)
        if handoff.lead_is is LeadIs.WITH_QUALIFIER:
            step = step.then(hold, at)
    else:
        step = _introduce(won, winner, at)
    # The join comes first: the losers' farewells must not delay it.
    cause = f"{offer.agent.name} took the lead"
    return step.then(withdraw, partial(wording.taken_line, handoff, offer.agent), cause, at)


def _introduce(handoff: Handoff, winner: Offer, at: float) -> Step:
    """To the lead with the spoken introduction; where the qualifier is there to make it, with a tone that
    they alone hear."""
    by_person = introduces(handoff)
    introduction = () if by_person else wording.introduction_media(handoff, winner.agent)
    step = join(handoff.evolve(state=State.INTRODUCING), winner, introduction, at)
    return step.then(tell, Line("beep")) if by_person else step


def join(handoff: Handoff, offer: Offer, introduction: tuple[Line, ...], at: float) -> Step:
    """Into the lead's bridge; confirmed by AgentJoined."""
    number = handoff.introductions + 1
    order = JoinAgent(
        offer.number,
        introduction,
        number,
        stop_briefing=offer.briefing_number,
        stop_comfort=handoff.comforts if handoff.comfort_playing else None,
        agent_waits=is_swapped(handoff),
        stop_question=handoff.asking.number if handoff.asking is not None else None,
    )
    joining = handoff.evolve(
        state_deadline=at + JOIN_SECONDS,
        hold_until=max(handoff.hold_until, at + JOIN_SECONDS),
        introductions=number,
        introduced=not introduction,
        comfort_at=None,
        comfort_playing=False,
    )
    return Step(joining, (order,))


def withdraw(handoff: Handoff, farewell: Callable[[Agent], Line], cause: str, at: float) -> Step:
    """Tell everyone who answered, each their own farewell; cancel everyone who rings."""
    step = Step(handoff)
    for offer in handoff.open_offers:
        step = step.then(dismiss, offer, OfferState.LOST, cause, farewell(offer.agent), at)
    return step


def dismiss(
    handoff: Handoff, offer: Offer, state: OfferState, cause: str, farewell: Line | None, at: float
) -> Step:
    """End one offer from our side: with a word when the agent is on the line, else at once."""
    talk = farewell is not None and offer.answered_at is not None
    ended = offer.evolve(
        state=state,
        cause=cause,
        decided_at=offer.decided_at or at,
        deadline=at + (FAREWELL_SECONDS if talk else HANGUP_SECONDS),
    )
    order: Command = HangUpAgent(offer.number)
    if talk and farewell is not None:
        said = replace(farewell, language=wording.language(handoff, offer.agent))
        order = PlayToAgent(offer.number, Playing.FAREWELL, offer.number, (said,), stop=offer.briefing_number)
    return Step(handoff.with_offer(ended), (order,))


def close_leg(handoff: Handoff, offer: Offer) -> Handoff:
    """The leg is known to be gone."""
    return handoff.with_offer(offer.evolve(leg_open=False, deadline=None))


def hang_up(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Hang up a leg that has nothing more to hear; ordered again when its deadline passes."""
    return Step(handoff.with_offer(offer.evolve(deadline=at + HANGUP_SECONDS)), (HangUpAgent(offer.number),))
