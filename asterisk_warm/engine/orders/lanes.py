"""Which orders wait for one another."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import (
    CheckLegs,
    Command,
    DropQuestion,
    HangUpAgent,
    HoldAgent,
    JoinAgent,
    JoinQualifier,
    LetGo,
    LogQueue,
    LookUpLead,
    News,
    PlayToAgent,
    PrepareSpeech,
    PutQuestion,
    RecordQuestion,
    RecordReply,
    ReleaseQualifier,
    RingAgent,
    SetAside,
    ShowParty,
    StartConsult,
    TakeOver,
    Tell,
    TellPhone,
    TellQualifier,
)
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, agent_name

ASIDE = "aside"
"""Of what takes as long as it speaks; nothing else waits for that."""


def legs(command: Command) -> tuple[str, ...]:
    """The legs a command is about: commands about the same leg are carried out in the order they were
    given."""
    match command:
        case RingAgent() | PlayToAgent() | HangUpAgent() | HoldAgent() | RecordQuestion():
            return (agent_name(command.offer),)
        case JoinAgent():
            return (LEAD, agent_name(command.offer))
        case StartConsult():
            return (QUALIFIER, agent_name(command.offer))
        case DropQuestion():
            return (QUALIFIER if command.of_qualifier else LEAD, agent_name(command.offer))
        case LetGo():
            return (command.first, command.second)
        case TakeOver():
            return (LEAD, command.other or QUALIFIER)
        case JoinQualifier():
            return (LEAD, QUALIFIER)
        case SetAside() | ReleaseQualifier() | TellPhone():
            return (QUALIFIER,)
        case TellQualifier(talking=True) | PutQuestion(of_qualifier=True, talking=True):
            return (ASIDE,)
        case TellQualifier() | PutQuestion(of_qualifier=True) | RecordReply(of_qualifier=True):
            # Only when they are out of every bridge, or in one.
            return (QUALIFIER,)
        case Tell():
            return _screens(command)
        case ShowParty():
            return (command.leg,)
        case CheckLegs():
            # What is read while they are being moved says nothing.
            return (LEAD, QUALIFIER)
        case PrepareSpeech() | LogQueue() | LookUpLead():
            return ()
        case _:
            return (LEAD,)


def _screens(command: Tell) -> tuple[str, ...]:
    """The news of one offer in their order; the phone rings after the first of them."""
    if command.offer is None:
        return ("screens",)
    screen = f"screen-{command.offer}"
    return (screen, agent_name(command.offer)) if command.news is News.MADE else (screen,)
