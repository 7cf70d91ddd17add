"""The one function that decides: `transition(handoff, event) -> Decision`. Total, deterministic, pure."""

from __future__ import annotations

from typing import NamedTuple

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    Command,
    LookUpLead,
    PrepareSpeech,
    SecureLead,
    SetAside,
    TakeOver,
)
from asterisk_warm.core.handoff.events import Event, HandoffRequested
from asterisk_warm.core.handoff.handlers.deadlines import warning_at
from asterisk_warm.core.handoff.handlers.seeking import look_up_limit
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff, LeadIs, QualifierIs, Refusal
from asterisk_warm.core.handoff.moves import asking
from asterisk_warm.core.handoff.moves.ending import to_dialplan
from asterisk_warm.core.handoff.moves.limits import SECURE_SECONDS
from asterisk_warm.core.handoff.news import news
from asterisk_warm.core.handoff.queue_log import lines as queue_lines
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step
from asterisk_warm.core.handoff.table import TABLE


class Decision(NamedTuple):
    handoff: Handoff
    commands: tuple[Command, ...]
    deadline: float | None
    """When `DeadlinePassed` is due (seconds since the epoch); None when nothing is awaited."""


def begin(event: HandoffRequested) -> Decision:
    """A new handoff: the lead is taken in hand while we find out who is free, and perhaps more of the lead,
    and make the briefing ready."""
    look_up = event.policy.look_up and event.lead.key != "" and event.refusal is None
    handoff = Handoff(
        id=event.handoff,
        team=event.team,
        team_name=event.team_name,
        lead=event.lead,
        agents=event.agents,
        policy=event.policy,
        requested_by=event.requested_by,
        return_to=event.return_to,
        lost_to=event.lost_to,
        state=State.REQUESTED,
        requested_at=event.at,
        hold_until=event.at + event.policy.hold_seconds,
        wait_until=event.at + event.policy.routing.wait_seconds,
        state_deadline=event.at + SECURE_SECONDS,
        qualifier=event.qualifier,
        refusal=event.refusal,
        said=event.said,
        lead_known=not look_up,
    )
    if event.refusal is not None and event.refusal.untouched:
        return _untouched(handoff, event.refusal)
    if event.refusal is not None and event.qualifier is None:
        # Not even answered: the lead goes on at once.
        told = event.refusal
        handoff = handoff.evolve(held_since=event.at)
        return _decision(
            None, to_dialplan(handoff, State.RETURNED, told.status, told.reason, event.at), event.at
        )
    handoff, secure = _taken_in_hand(handoff)
    further = LookUpLead(event.lead.key) if look_up else PrepareSpeech(wording.lines(handoff))
    return _decision(None, Step(handoff, (secure, further)), event.at)


def _untouched(handoff: Handoff, refused: Refusal) -> Decision:
    """Written down, and told to whom it concerns: nothing is ordered of Asterisk, so nothing is left to
    do."""
    who = handoff.qualifier
    talks = who is not None and not who.held_channel
    ended = handoff.evolve(
        state=State.RETURNED,
        status=refused.status,
        reason=refused.reason,
        ended_at=handoff.requested_at,
        state_deadline=None,
        lead_is=LeadIs.LEFT,
        held_since=None if talks else handoff.requested_at,
        qualifier_is=QualifierIs.LEFT if who is not None else QualifierIs.NOBODY,
        bridge_open=False,
    )
    return Decision(ended, news(None, ended), None)


def _taken_in_hand(handoff: Handoff) -> tuple[Handoff, Command]:
    """Where everybody is at first, and the order that takes the lead in hand."""
    variables = wording.early_variables(handoff)
    if handoff.qualifier is None:
        held = handoff.evolve(held_since=handoff.requested_at)
        return held, SecureLead(handoff.policy.music, variables)
    if not handoff.qualifier.held_channel:
        together = handoff.evolve(
            lead_is=LeadIs.WITH_QUALIFIER,
            qualifier_is=QualifierIs.WITH_LEAD,
            phone_waits=handoff.qualifier.refer,
        )
        return together, TakeOver(QUALIFIER, variables)
    # Nothing to take in hand yet: the lead stays where the qualifier has put them.
    apart = handoff.evolve(
        state=State.SEEKING,
        state_deadline=None,
        lead_is=LeadIs.AT_PHONE,
        held_since=handoff.requested_at,
        qualifier_is=QualifierIs.ASIDE,
    )
    return apart, SetAside()


def transition(handoff: Handoff, event: Event) -> Decision:
    """What the handoff becomes by the event, what is to be done, and when to look again."""
    row = TABLE[handoff.state].get(type(event))
    if row is None:
        return Decision(handoff, (), next_deadline(handoff))
    return _decision(handoff, row.handler(handoff, event), event.at)


def _decision(before: Handoff | None, step: Step, at: float) -> Decision:
    handoff, commands = asking.settle(before, step, at)
    logged = queue_lines(before, handoff) if handoff.policy.queue_log else ()
    # Whoever is to be told, a join comes first.
    return Decision(handoff, (*commands, *logged, *news(before, handoff)), next_deadline(handoff))


def next_deadline(handoff: Handoff) -> float | None:
    """The earliest time limit that is live."""
    if handoff.settled:
        return None
    limits = [handoff.state_deadline, handoff.comfort_at, warning_at(handoff), look_up_limit(handoff)]
    limits.append(handoff.asking.deadline if handoff.asking is not None else None)
    limits += [offer.deadline for offer in handoff.offers if offer.leg_open]
    if handoff.state in _HOLD_LIMITED:
        limits.append(handoff.hold_until)
    return min((limit for limit in limits if limit is not None), default=None)


_HOLD_LIMITED = frozenset({State.REQUESTED, State.SEEKING, State.OFFERING, State.CONSULTING, State.RETURNING})
"""The hold budget limits these, even while the qualifier talks to the lead; the others have a limit of their
own."""
