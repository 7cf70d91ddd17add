"""The one function that decides: `transition(handoff, event) -> Decision`. Total, deterministic, pure."""

from __future__ import annotations

from typing import NamedTuple

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import Command, FindAgents, PrepareSpeech, SecureLead
from asterisk_warm.core.handoff.events import Event, HandoffRequested
from asterisk_warm.core.handoff.model import Handoff, LeadIs
from asterisk_warm.core.handoff.moves import SECURE_SECONDS
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.table import TABLE


class Decision(NamedTuple):
    handoff: Handoff
    commands: tuple[Command, ...]
    deadline: float | None
    """When `DeadlinePassed` is due (seconds since the epoch); None when nothing is awaited."""


def begin(event: HandoffRequested) -> Decision:
    """A new handoff: the lead is taken in hand while we find out who is free and make the briefing ready."""
    handoff = Handoff(
        id=event.handoff,
        team=event.team,
        team_name=event.team_name,
        lead=event.lead,
        agents=event.agents,
        policy=event.policy,
        requested_by=event.requested_by,
        return_to=event.return_to,
        state=State.REQUESTED,
        requested_at=event.at,
        hold_until=event.at + event.policy.hold_seconds,
        state_deadline=event.at + SECURE_SECONDS,
    )
    orders = (
        SecureLead(event.policy.music, wording.early_variables(handoff)),
        FindAgents(event.agents),
        PrepareSpeech(wording.lines(handoff)),
    )
    return Decision(handoff, orders, next_deadline(handoff))


def transition(handoff: Handoff, event: Event) -> Decision:
    """What the handoff becomes by the event, what is to be done, and when to look again."""
    row = TABLE[handoff.state].get(type(event))
    if row is None:
        return Decision(handoff, (), next_deadline(handoff))
    step = row.handler(handoff, event)
    return Decision(step.handoff, step.commands, next_deadline(step.handoff))


def next_deadline(handoff: Handoff) -> float | None:
    """The earliest time limit that is live."""
    if handoff.settled:
        return None
    limits = [handoff.state_deadline, handoff.comfort_at]
    limits += [offer.deadline for offer in handoff.offers if offer.leg_open]
    if handoff.lead_is is LeadIs.HELD and not handoff.state.final:
        limits.append(handoff.hold_until)
    return min((limit for limit in limits if limit is not None), default=None)
