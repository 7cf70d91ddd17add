"""What became of an order, as a fact."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.events import (
    AgentHungUp,
    CommandFailed,
    Event,
    LeadHungUp,
    QualifierHungUp,
)
from asterisk_warm.core.handoff.model import Handoff, Outcome
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.ports.pbx import LegGone, PbxError

Handlers: TypeAlias = Mapping[type[Command], Callable[[Handoff, Any], Awaitable[Event | None]]]
"""How each kind of order is carried out."""


def now() -> dict[str, Any]:
    return {"at": time.time(), "event_id": new_event_id()}


def lead_gone(gone: PbxError) -> LeadHungUp:
    return LeadHungUp(**now(), cause=str(gone))


def qualifier_gone(gone: PbxError) -> QualifierHungUp:
    return QualifierHungUp(**now(), cause=str(gone))


def agent_gone(offer: int, gone: LegGone) -> AgentHungUp:
    return AgentHungUp(**now(), offer=offer, outcome=Outcome.HUNG_UP, cause=str(gone))


def failed(command: Command, error: Exception) -> CommandFailed:
    offer = getattr(command, "offer", None)
    return CommandFailed(**now(), command=type(command).__name__, offer=offer, error=str(error))
