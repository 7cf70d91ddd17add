"""Who can receive a lead: agents and teams, and what counts for their presence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from asterisk_warm.config.dialled import NUMBER, Endpoint, Number
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.section import Section, distinct
from asterisk_warm.config.skilled import LEVEL, SHIFT, STATE, Level, Shift, State, TimeZone
from asterisk_warm.config.spoken import LANGUAGE, Language
from asterisk_warm.config.values import IDENTIFIER, Expects, Flag, Identifier, Line


class PresenceSettings(Section):
    initial: Annotated[Literal["ready", "offline"], Expects("ready or offline")] = Field(
        default="ready", description="What an agent is at first, before they have said anything."
    )
    queue_pause: Flag = Field(
        default=False,
        description="Whether an agent who is paused in a queue of Asterisk's is paused here too.",
    )
    lamps: Flag = Field(
        default=True,
        description="Whether the device states `Custom:warm-ID` are set, for the lamps of desk phones.",
    )


class AgentEntry(Section):
    name: Line = Field(description="The agent's name as it is spoken and shown.")
    endpoint: Endpoint = Field(description="The phone to ring.")
    number: Annotated[Number | None, Expects(NUMBER.text, default="none")] = Field(
        default=None,
        description="The extension under which a phone's Transfer key may dial the agent, and which others' "
        "phones show.",
    )
    skills: Annotated[
        dict[Identifier, Level],
        Expects("skills with the level of each, such as {spanish: 7}", item=LEVEL.text),
    ] = Field(default={}, description="What the agent is good at, each with a level from 1 to 10.")
    at_once: Annotated[int, Field(ge=1, le=20), Expects("a number from 1 to 20")] = Field(
        default=1, description="How many handoffs the agent may have at once."
    )
    hints: Annotated[
        tuple[State, ...],
        Field(strict=False),
        distinct("a device or hint"),
        Expects("a list of devices and hints, such as [Custom:desk, 201@from-internal]", item=STATE.text),
    ] = Field(
        default=(), description="What else must be idle, beside the endpoint, for the agent to be free."
    )
    dnd: Annotated[State | None, Expects(STATE.text, default="none")] = Field(
        default=None, description="What is in use while the agent wants not to be disturbed."
    )
    timezone: Annotated[
        TimeZone | None, Expects("an IANA time zone, such as Europe/Berlin", default="the machine's")
    ] = Field(default=None, description="Where the agent is: of `shifts` and of whole days in the calendar.")
    shifts: Annotated[
        tuple[Shift, ...],
        Field(strict=False),
        Expects(
            'a list of days and hours, such as ["mon-fri 09:00-17:30"]', item=SHIFT.text, default="always"
        ),
    ] = Field(default=(), description="When the agent works.")
    calendar: Annotated[Identifier | None, Expects("an id of calendars.sources", default="none")] = Field(
        default=None, description="The calendar that says when the agent is busy."
    )
    language: Annotated[Language | None, Expects(LANGUAGE.text, default="the team's")] = Field(
        default=None, description="What the agent is briefed in, where there are `translations` into it."
    )


class TeamEntry(HandoffSettings):
    """A team; any setting of ``handoff`` may be repeated here and then counts for this team."""

    name: Line = Field(description="The team's name as it is spoken and shown.")
    agents: Annotated[
        tuple[Identifier, ...],
        Field(min_length=1, strict=False),
        Expects("a list of at least one agent's id", item=IDENTIFIER.text),
    ] = Field(description="The ids of its agents.")
    number: Annotated[Number | None, Expects(NUMBER.text, default="none")] = Field(
        default=None,
        description="The extension under which a phone's Transfer key may dial the team.",
    )
    tiers: Annotated[
        dict[Identifier, Annotated[int, Field(ge=1, le=9)]],
        Expects("agents of the team with the tier of each, such as {ben: 2}", item="a tier from 1 to 9"),
    ] = Field(
        default={},
        description="In which order agents are rung where `ring` is `priority`: those of tier 1 first, which "
        "is that of all who are not named here.",
    )
