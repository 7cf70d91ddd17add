"""A handoff's journal as the API gives it, made by the core itself from a list of events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    AgentRinging,
    AgentsFound,
    BridgeClosed,
    DeadlinePassed,
    DigitPressed,
    Event,
    HandoffRequested,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
    QualifierAsked,
    QualifierHungUp,
    QualifierPressed,
    SpeechReady,
)
from asterisk_warm.core.handoff.model import Agent, Handoff, Lead, Outcome, Playing, Qualifier
from asterisk_warm.core.handoff.policy import Action, Keys, Mode, Policy, Templates
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec

START = 1_700_000_000.0
AGENTS = (
    Agent("ana", "Ana Lopez", "PJSIP/ana"),
    Agent("ben", "Ben Okafor", "PJSIP/ben"),
    Agent("cleo", "Cleo Martin", "PJSIP/cleo"),
)
TEMPLATES = Templates("{name}. {summary}", "Press {accept}.", "Here is {agent}.", "Taken by {agent}.")
POLICY = Policy(
    mode=Mode.AUTO,
    ring_seconds=25,
    decision_seconds=30,
    hold_seconds=120,
    comfort_seconds=1,
    music="default",
    introduction=True,
    keys=Keys(),
    templates=TEMPLATES,
)


def _fact(kind: type[Event], offset: float, **facts: Any) -> Event:
    return kind(at=START + offset, event_id=f"{kind.__name__}@{offset}", **facts)


QUINN = Qualifier("channel-2", "Quinn Harper", "200", "PJSIP/quinn")


def asked(offset: float, action: Action) -> Event:
    """By the qualifier, through the API."""
    return _fact(QualifierAsked, offset, action=action, by="quinn")


def requested(
    name: str,
    summary: str = "home insurance",
    templates: Templates = TEMPLATES,
    qualifier: Qualifier | None = None,
) -> HandoffRequested:
    return HandoffRequested(
        at=START,
        event_id="requested",
        handoff="warm-1",
        team="sales",
        team_name="Sales",
        lead=Lead("channel-1", name, "+15551230001", summary),
        agents=AGENTS,
        policy=replace(POLICY, templates=templates, mode=Mode.STAY if qualifier else Mode.AUTO),
        requested_by="feature code" if qualifier else "dialplan",
        qualifier=qualifier,
    )


def warm(name: str = "Grant Weatherly") -> list[Event]:
    """Ana declines, Cleo never answers, Ben accepts at 5.0 s and talks from 7.0 s to 10.0 s."""
    return [
        requested(name),
        _fact(LeadSecured, 0.1),
        _fact(AgentsFound, 0.11, free=("ana", "ben", "cleo"), not_free=()),
        _fact(SpeechReady, 0.2),
        *(_fact(AgentRinging, 0.3, offer=number) for number in (1, 2, 3)),
        _fact(AgentAnswered, 1.0, offer=1),
        _fact(DeadlinePassed, 1.1),
        _fact(AgentAnswered, 1.6, offer=2),
        _fact(DigitPressed, 2.5, offer=1, digit="2"),
        _fact(PlaybackEnded, 3.7, what=Playing.FAREWELL, number=1),
        _fact(AgentHungUp, 3.8, offer=1, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(PlaybackEnded, 4.6, what=Playing.COMFORT, number=1),
        _fact(DigitPressed, 5.0, offer=2, digit="1"),
        _fact(AgentJoined, 5.02, offer=2),
        _fact(AgentHungUp, 5.05, offer=3, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(PlaybackEnded, 7.0, what=Playing.INTRODUCTION, number=1),
        _fact(LeadLeft, 7.1),
        _fact(LeadHungUp, 10.0, cause="normal clearing"),
        _fact(AgentHungUp, 10.1, offer=2, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(BridgeClosed, 10.2),
    ]


def stays(name: str = "Grant Weatherly") -> list[Event]:
    """Quinn talks to the lead. Ana declines, Cleo never answers, Ben accepts at 4.0 s; the three talk until
    Quinn leaves at 7.3 s; Ben and the lead talk until 9.0 s."""
    return [
        requested(name, qualifier=QUINN),
        _fact(AgentsFound, 0.01, free=("ana", "ben", "cleo"), not_free=()),
        _fact(SpeechReady, 0.02),
        _fact(LeadSecured, 0.1),
        *(_fact(AgentRinging, 0.2, offer=number) for number in (1, 2, 3)),
        _fact(AgentAnswered, 0.5, offer=1),
        _fact(AgentAnswered, 0.9, offer=2),
        _fact(DigitPressed, 1.8, offer=1, digit="2"),
        _fact(PlaybackEnded, 3.6, what=Playing.FAREWELL, number=1),
        _fact(AgentHungUp, 3.62, offer=1, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(DigitPressed, 4.0, offer=2, digit="1"),
        _fact(AgentJoined, 4.01, offer=2),
        _fact(AgentHungUp, 4.02, offer=3, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(PlaybackEnded, 4.3, what=Playing.ASIDE, number=1),
        _fact(QualifierPressed, 7.0, digit="*"),
        _fact(QualifierPressed, 7.3, digit="2"),
        _fact(QualifierHungUp, 7.31, cause="ended by Asterisk"),
        _fact(LeadLeft, 7.32),
        _fact(AgentLeft, 7.33, offer=2),
        _fact(BridgeClosed, 7.34),
        _fact(LeadHungUp, 9.0, cause="normal clearing"),
        _fact(AgentHungUp, 9.1, offer=2, outcome=Outcome.HUNG_UP, cause="normal clearing"),
    ]


def nobody() -> list[Event]:
    """Ana is in a call, Ben busy, Cleo not registered: back in the dialplan at 2.0 s."""
    away = (("ana", "in a call"), ("cleo", "phone not registered"))
    return [
        requested("Grant Weatherly"),
        _fact(LeadSecured, 0.1),
        _fact(AgentsFound, 0.11, free=("ben",), not_free=away),
        _fact(SpeechReady, 0.2),
        _fact(AgentRinging, 0.3, offer=1),
        _fact(AgentHungUp, 2.0, offer=1, outcome=Outcome.BUSY, cause="user busy"),
        _fact(LeadLeft, 2.1),
        _fact(BridgeClosed, 2.2),
    ]


def both() -> list[Event]:
    """Ana and Ben accept 4 ms apart; Ana wins."""
    return [
        *warm()[:7],
        _fact(AgentAnswered, 1.0, offer=1),
        _fact(AgentAnswered, 1.01, offer=2),
        _fact(DigitPressed, 3.0, offer=1, digit="1"),
        _fact(DigitPressed, 3.004, offer=2, digit="1"),
        _fact(AgentJoined, 3.02, offer=1),
        _fact(PlaybackEnded, 5.0, what=Playing.INTRODUCTION, number=1),
        _fact(PlaybackEnded, 5.2, what=Playing.FAREWELL, number=2),
        _fact(AgentHungUp, 5.3, offer=2, outcome=Outcome.HUNG_UP, cause="normal clearing"),
        _fact(LeadHungUp, 7.0, cause="normal clearing"),
    ]


def journal(events: list[Event]) -> list[dict[str, Any]]:
    """The journal that these events leave."""
    lines: list[dict[str, Any]] = []
    handoff: Handoff | None = None
    for seq, event in enumerate(events, start=1):
        if isinstance(event, HandoffRequested):
            decision = begin(event)
        else:
            assert handoff is not None
            decision = transition(handoff, event)
        handoff = decision.handoff
        orders = [
            {"command": type(c).__name__, "detail": json.loads(codec.encode(c)), "done_at": event.at}
            for c in decision.commands
        ]
        lines.append(
            {
                "seq": seq,
                "at": event.at,
                "event": type(event).__name__,
                "detail": json.loads(codec.encode(event)),
                "state": handoff.state.value,
                "commands": orders,
            }
        )
    return lines
