"""Calls, as the engine knows them of Asterisk: what it has, who has come in, what was asked for in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the dialplan."""

    context: str
    extension: str
    priority: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A name and number, as phones show them."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class FoundChannel:
    """One channel as Asterisk has it now."""

    id: str
    up: bool
    """True when answered."""
    bridge: str | None
    """Id of the ARI bridge it is in, if any."""
    in_stasis: bool
    """True when it is in our application."""


@dataclass(frozen=True, slots=True)
class LeadAtDoor:
    """A channel that has entered our application."""

    channel: str
    shown_name: str
    shown_number: str
    """Caller ID."""
    variables: Mapping[str, str]
    """Its `WARM_LEAD_*` channel variables."""


class Door(StrEnum):
    """What a channel has come in for."""

    HANDOFF = "handoff"
    """A lead, to be handed to a team."""
    CONSULT = "consult"
    """A qualifier, in a second call from the phone on which they have the lead on hold."""


@dataclass(frozen=True, slots=True)
class AtDoor:
    """A channel in our application, with what it came in for."""

    lead: LeadAtDoor
    team: str
    options: Sequence[str]
    door: Door = Door.HANDOFF


@dataclass(frozen=True, slots=True)
class Found:
    """What Asterisk really has: the ground truth a restart is reconciled with."""

    channels: Mapping[str, FoundChannel]
    bridges: frozenset[str]
    at_door: Sequence[AtDoor] = ()
    """Every lead in our application, whether or not a handoff has it."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody's channel, as Asterisk has it."""

    channel: str
    name: str
    """Of the caller ID."""
    number: str
    endpoint: str
    """The device it belongs to, where it can be rung again (`PJSIP/quinn`); empty: none."""
    place: Location | None
    """Where in the dialplan it goes on when what it does now is over; None: nowhere."""
    kept: bool = False
    """It is in our own part of the dialplan: where it goes on was written down when it came."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A channel, and what it does."""

    party: Party
    talking: bool
    peer: Party | None
    """The one it talks to; None when there is none, or more than one."""


class Wish(StrEnum):
    """What can be asked for by a feature code in a call."""

    STAY = "stay"
    CONSULT = "consult"
    AUTO = "auto"
    WHO = "who"
    """To hear who is free."""
    ARM = "arm"
    """The phone's Transfer key is to come to us."""


@dataclass(frozen=True, slots=True)
class InCall:
    """A feature code, dialled by a qualifier in a call that is not ours."""

    channel: str
    """The qualifier's."""
    wish: Wish
    team: str
    """Empty: that of the channel."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A phone's Transfer key, pressed in a call (SIP REFER)."""

    channel: str
    """The phone's channel in that call."""
    number: str
    """What was dialled; empty in an attended transfer."""
    consult: str = ""
    """In an attended transfer, the phone's channel in its other call."""
    attended: bool = False
