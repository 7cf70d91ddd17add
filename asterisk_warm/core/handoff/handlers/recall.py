"""A qualifier who had hung up was rung, and wants the lead."""

from __future__ import annotations

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import LetGo, TakeOver
from asterisk_warm.core.handoff.events import LeadSecured
from asterisk_warm.core.handoff.model import LEAD, Handoff, Offer, Status, agent_name
from asterisk_warm.core.handoff.moves.lead import alone
from asterisk_warm.core.handoff.moves.limits import CHECK_SECONDS, SECURE_SECONDS
from asterisk_warm.core.handoff.moves.offering import dismiss, join
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step


def accepted(handoff: Handoff, offer: Offer, at: float) -> Step:
    """The qualifier, rung, wants the lead: who waits is joined; who talks to the agent is fetched first."""
    taken = handoff.with_offer(offer.evolve(state=OfferState.ACCEPTED, decided_at=at, deadline=None))
    winner = handoff.winner
    if handoff.state is State.CONNECTED and winner is not None:
        order = TakeOver(agent_name(winner.number), ())
        fetching = taken.evolve(
            fetching=True,
            state_deadline=at + SECURE_SECONDS,
            bridge_open=True,
            bridges=handoff.bridges + 1,
        )
        return Step(fetching, (order,))
    return join(taken, offer, (), at)


def fetched(handoff: Handoff, event: LeadSecured) -> Step:
    """CONNECTED: lead and agent are ours again, still talking: the qualifier comes, the agent goes."""
    recalled, winner = handoff.recalled, handoff.winner
    if not handoff.fetching or recalled is None or winner is None:
        return Step(handoff)
    came = handoff.evolve(fetching=False, bridge_open=True, lead_out=False)
    if recalled.state is not OfferState.ACCEPTED:
        # Too late: they do not want the lead any more.
        order = LetGo(LEAD, agent_name(winner.number), wording.variables(came))
        return Step(came.evolve(let_go=True), (order,))
    who = recalled.agent.name
    back = alone(came, event.at).evolve(
        state=State.RETURNING,
        status=Status.TAKENBACK,
        reason=f"{who} took the lead back from {winner.agent.name}",
        let_go=False,
    )
    cause = "the qualifier took the lead back"
    return join(back, recalled, (), event.at).then(dismiss, winner, OfferState.LOST, cause, None, event.at)


def fetching_failed(handoff: Handoff, why: str, at: float) -> Step:
    """Lead and agent talk on; the qualifier is let down."""
    recalled = handoff.recalled
    if recalled is None or recalled.state is not OfferState.ACCEPTED:
        return Step(handoff)
    talking = handoff.evolve(state_deadline=at + CHECK_SECONDS)
    return dismiss(talking, recalled, OfferState.FAILED, why, None, at)
