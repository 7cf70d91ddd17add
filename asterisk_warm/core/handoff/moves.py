"""The moves that handlers are made of. Each takes the handoff and returns a Step."""

from __future__ import annotations

from collections.abc import Iterable

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    CloseBridge,
    Command,
    HangUpAgent,
    HoldLead,
    JoinAgent,
    LetGo,
    PlayToAgent,
    ReturnLead,
    RingAgent,
)
from asterisk_warm.core.handoff.model import Agent, Handoff, LeadIs, Line, Offer, Playing, Status
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

SECURE_SECONDS = 10.0
"""How long taking the lead in hand may take."""
FAREWELL_SECONDS = 12.0
"""Longest farewell to an agent before the leg is hung up whatever plays."""
HANGUP_SECONDS = 5.0
"""How long a hangup may take before it is ordered again."""
JOIN_SECONDS = 15.0
"""Longest join with its introduction."""
SETTLE_SECONDS = 5.0
"""How often what is left of an ended handoff is looked after."""
CHECK_SECONDS = 60.0
"""How often a conversation is compared with what Asterisk has, in case its end was not told."""
RETRY_SECONDS = 1.0
"""After the lead's music could not be started."""


def ring(handoff: Handoff, agents: Iterable[Agent], at: float) -> Step:
    """Offer the lead to all of them at once."""
    commands: list[Command] = []
    offers = list(handoff.offers)
    seconds = handoff.policy.ring_seconds
    lead = handoff.lead
    for agent in agents:
        number = len(offers) + 1
        offers.append(
            Offer(number, agent, OfferState.RINGING, leg_open=True, deadline=at + seconds, rung_at=at)
        )
        commands.append(RingAgent(number, agent, lead.name, lead.number, seconds))
    # The lead may still be being secured: that keeps its own time limit.
    return Step(
        handoff.evolve(state=State.OFFERING, state_deadline=None, offers=tuple(offers)), tuple(commands)
    )


def brief(handoff: Handoff, offer: Offer) -> Step:
    """Say, to this agent alone, who the lead is and which keys to press (again)."""
    before = offer.briefing_number
    offer = offer.evolve(briefings=offer.briefings + 1)
    number = offer.briefing_number or 0
    order = PlayToAgent(offer.number, Playing.BRIEFING, number, wording.briefing_media(handoff), stop=before)
    return Step(handoff.with_offer(offer), (order,))


def answered(handoff: Handoff, offer: Offer, at: float) -> Step:
    """The agent picked up: brief them, or in blind mode join them."""
    offer = offer.evolve(
        state=OfferState.BRIEFING, answered_at=at, deadline=at + handoff.policy.decision_seconds
    )
    handoff = handoff.with_offer(offer)
    if handoff.policy.mode is Mode.BLIND:
        return accept(handoff, offer, at)
    return brief(handoff, offer)


def accept(handoff: Handoff, offer: Offer, at: float) -> Step:
    """This agent wins: join them; only now is everybody else withdrawn."""
    winner = offer.evolve(state=OfferState.ACCEPTED, decided_at=at, deadline=None)
    introductions = handoff.introductions + 1
    introduction = wording.introduction_media(handoff, offer.agent)
    join = JoinAgent(
        offer.number,
        introduction,
        introductions,
        stop_briefing=winner.briefing_number,
        stop_comfort=handoff.comforts if handoff.comfort_playing else None,
    )
    handoff = handoff.with_offer(winner).evolve(
        state=State.INTRODUCING,
        state_deadline=at + JOIN_SECONDS,
        introductions=introductions,
        introduced=not introduction,
        comfort_at=None,
        comfort_playing=False,
    )
    cause = f"{offer.agent.name} took the lead"
    # The join comes first: the losers' farewells must not delay it.
    return Step(handoff, (join,)).then(withdraw, wording.taken_line(handoff, offer.agent), cause, at)


def withdraw(handoff: Handoff, farewell: Line, cause: str, at: float) -> Step:
    """Tell everyone who answered, cancel everyone who rings."""
    step = Step(handoff)
    for offer in handoff.open_offers:
        step = step.then(dismiss, offer, OfferState.LOST, cause, farewell, at)
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
        order = PlayToAgent(
            offer.number, Playing.FAREWELL, offer.number, (farewell,), stop=offer.briefing_number
        )
    return Step(handoff.with_offer(ended), (order,))


def close_leg(handoff: Handoff, offer: Offer) -> Handoff:
    """The leg is known to be gone."""
    return handoff.with_offer(offer.evolve(leg_open=False, deadline=None))


def hang_up(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Hang up a leg that has nothing more to hear; ordered again when its deadline passes."""
    return Step(handoff.with_offer(offer.evolve(deadline=at + HANGUP_SECONDS)), (HangUpAgent(offer.number),))


def connect(handoff: Handoff, offer: Offer, at: float) -> Step:
    """They hear each other, introduced: from here on Asterisk alone is to carry the call."""
    connected = handoff.evolve(
        state=State.CONNECTED,
        status=Status.CONNECTED,
        joined_at=at,
        let_go=True,
        state_deadline=at + CHECK_SECONDS,
        reason=f"{offer.agent.name} took the lead",
    )
    return Step(connected, (LetGo(offer.number, wording.variables(connected)),))


def lose_winner(handoff: Handoff, offer: Offer, at: float) -> Step:
    """The agent who accepted is not there after all: the lead is held again, and those who lost are asked
    again."""
    handoff = handoff.with_offer(offer).evolve(lead_is=LeadIs.HELD, introduced=False, state_deadline=None)
    held = Step(handoff, (HoldLead(handoff.policy.music, stop_introduction=handoff.introductions),))
    return held.then(resume_comfort, at).then(offer_again, at)


def resume_comfort(handoff: Handoff, at: float) -> Step:
    every = handoff.policy.comfort_seconds
    return Step(handoff.evolve(comfort_playing=False, comfort_at=at + every if every > 0 else None))


def offer_again(handoff: Handoff, at: float) -> Step:
    """Ring those whose offer was withdrawn only because another agent had accepted."""
    latest = {offer.agent.id: offer for offer in handoff.offers}
    again = [offer.agent for offer in latest.values() if offer.state is OfferState.LOST]
    if again and at < handoff.hold_until:
        return ring(handoff, again, at)
    return nobody_took_it(handoff, at)


def if_all_offers_ended(handoff: Handoff, at: float) -> Step:
    """When the last open offer has ended without an accept, so has the handoff."""
    if handoff.state is not State.OFFERING or handoff.open_offers:
        return Step(handoff)
    return nobody_took_it(handoff, at)


def nobody_took_it(handoff: Handoff, at: float) -> Step:
    outcomes = {offer.state for offer in handoff.offers}
    status = next((status for among, status in NOBODY if outcomes & among), Status.NOAGENT)
    return give_back(handoff, State.RETURNED, status, wording.nobody_words(handoff), at)


NOBODY = (
    ({OfferState.DECLINED}, Status.DECLINED),
    ({OfferState.NO_ANSWER, OfferState.NO_DECISION, OfferState.GONE, OfferState.LOST}, Status.TIMEOUT),
    ({OfferState.BUSY, OfferState.UNREACHABLE}, Status.NOAGENT),
    ({OfferState.FAILED}, Status.ERROR),
)
"""The first row that any offer's outcome is in gives the status: a person's answer tells more than a
network's."""


def give_back(handoff: Handoff, state: State, status: Status, reason: str, at: float) -> Step:
    """The lead, who is still with us, goes on in the dialplan with the reason."""
    ended = _end(handoff, state, status, reason, at)
    stop = handoff.comforts if handoff.comfort_playing else None
    order = ReturnLead(wording.variables(ended.handoff), ended.handoff.return_to, stop)
    # The lead first: whoever is being dismissed can wait.
    return Step(ended.handoff, (order, *ended.commands))


def lead_gone(handoff: Handoff, lead_is: LeadIs, reason: str, at: float) -> Step:
    """The lead has left before anyone was connected."""
    handoff = handoff.evolve(lead_is=lead_is)
    return _end(handoff, State.ABANDONED, Status.ABANDONED, reason, at).then(close_bridge)


def complete(handoff: Handoff, lead_is: LeadIs, reason: str, at: float) -> Step:
    """The talk is over; the agent's leg is hung up if it still stands."""
    handoff = handoff.evolve(lead_is=lead_is)
    step = _end(handoff, State.COMPLETED, Status.CONNECTED, reason, at)
    winner = step.handoff.winner
    if winner is not None and winner.leg_open:
        step = step.then(hang_up, winner, at)
    # A lead who is still with us leaves the bridge first.
    return step if lead_is is LeadIs.HELD else step.then(close_bridge)


def close_bridge(handoff: Handoff) -> Step:
    return Step(handoff, (CloseBridge(),) if handoff.bridge_open else ())


def _end(handoff: Handoff, state: State, status: Status, reason: str, at: float) -> Step:
    """Into an end state: every open offer is told and dismissed. An agent who was being joined is hung
    up, as by the lead: what is played into a bridge that is being dissolved may be lost, and its end with
    it."""
    farewell, cause = _FAREWELLS.get(status, (Line("cancelled"), reason))
    step = withdraw(handoff, farewell, cause, at)
    winner = step.handoff.winner
    if winner is not None and state is not State.COMPLETED:
        step = step.then(dismiss, winner, OfferState.LOST, cause, None, at)
    ended = step.handoff.evolve(
        state=state,
        status=status,
        reason=reason,
        ended_at=at,
        state_deadline=at + SETTLE_SECONDS,
        comfort_at=None,
        comfort_playing=False,
    )
    return Step(ended, step.commands)


_FAREWELLS = {
    Status.ABANDONED: (Line("lead-left"), "the lead left"),
    Status.TIMEOUT: (Line("too-late"), "the lead could not be held longer"),
    Status.CANCELLED: (Line("cancelled"), "the handoff was cancelled"),
}
