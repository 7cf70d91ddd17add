"""How leads are handed off: the settings of `handoff`, of which a team may repeat any."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from asterisk_warm.config.dialled import Place
from asterisk_warm.config.durations import (
    ComfortSeconds,
    DecisionSeconds,
    HoldSeconds,
    LingerSeconds,
    RecallSeconds,
    RelaxSeconds,
    RingSeconds,
    StickySeconds,
    TakeBackSeconds,
    WaitSeconds,
    WarnSeconds,
    WidenSeconds,
    WrapUpSeconds,
)
from asterisk_warm.config.section import Section, distinct
from asterisk_warm.config.skilled import LEVEL, Level
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.config.values import Expects, Flag, Folder, Identifier, Key, KeySequence, MusicClass

Ring = Literal["all", "fanout", "longest_idle", "round_robin", "priority", "skills"]
"""The strategies of `core.routing.Strategy`, by the same names."""


class KeySettings(Section):
    accept: Key = Field(default="1", description="The agent takes the lead.")
    decline: Key = Field(default="2", description="The agent does not.")
    repeat: Key = Field(default="3", description="The agent hears the briefing again.")


class QualifierKeySettings(Section):
    complete: KeySequence = Field(default="*2", description="The qualifier leaves the lead to the agent.")
    three_way: KeySequence = Field(default="*3", description="Lead, qualifier and agent talk together.")
    swap: KeySequence = Field(
        default="*4", description="The qualifier goes from the agent to the lead, and back."
    )
    take_back: KeySequence = Field(
        default="*1", description="The qualifier has the lead again; the agents are dismissed."
    )


class HandoffSettings(Section):
    mode: Annotated[Literal["auto", "blind"], Expects("auto or blind")] = Field(
        default="auto",
        description="`auto`: agents are briefed and accept; `blind`: whoever answers is connected.",
    )
    qualifier_mode: Annotated[Literal["stay", "consult"], Expects("stay or consult")] = Field(
        default="stay",
        description="The mode when a qualifier is on the call. `stay`: they talk on with the lead until an "
        "agent has accepted; `consult`: the lead is on hold while they talk to the agent in private.",
    )
    transfer_key: Annotated[Literal["stay", "auto"], Expects("stay or auto")] = Field(
        default="stay",
        description="What a blind transfer to the team by a phone's Transfer key becomes. `stay`: the "
        "qualifier talks on with the lead; `auto`: the qualifier leaves at once.",
    )
    ring: Annotated[Ring, Expects("all, fanout, longest_idle, round_robin, priority or skills")] = Field(
        default="all",
        description="Whom to ring, of those who are free. `all`: everybody at once; `fanout`: a few at a "
        "time, in the team's order; `longest_idle`: who has been idle for longest first; `round_robin`: who "
        "was offered a lead the longest time ago first; `priority`: tier by tier; `skills`: the best first.",
    )
    fanout: Annotated[int, Field(ge=1, le=50), Expects("a number from 1 to 50")] = Field(
        default=1,
        description="How many phones ring at once; of no meaning where `ring` is `all` or `priority`.",
    )
    widen_seconds: WidenSeconds = Field(
        default=0.0,
        description="After how long `fanout` more phones ring, or the next tier, and so on; `0` for never by "
        "time alone.",
    )
    skills: Annotated[
        dict[Identifier, Level],
        Expects("skills with the least level of each, such as {spanish: 5}", item=LEVEL.text),
    ] = Field(
        default={}, description="The skills that an agent must have, each with the least level from 1 to 10."
    )
    relax_seconds: RelaxSeconds = Field(
        default=0.0,
        description="After how long the levels that are asked for go down by one, and again; `0` for never.",
    )
    sticky_seconds: StickySeconds = Field(
        default=0.0,
        description="For how long only the agent who spoke to this lead before is rung, if they are free; "
        "`0` for not at all.",
    )
    wait_seconds: WaitSeconds = Field(
        default=60.0,
        description="How long a lead waits for somebody to become free, within `hold_seconds`; `0` for not "
        "at all.",
    )
    wrapup_seconds: WrapUpSeconds = Field(
        default=0.0, description="How long an agent who has talked to a lead is left alone after it."
    )
    missed_offers: Annotated[int, Field(ge=0, le=20), Expects("a number from 0 to 20")] = Field(
        default=3,
        description="After how many offers in a row that rang out an agent is paused; `0` for never.",
    )
    ring_seconds: RingSeconds = Field(default=25.0, description="How long an agent's phone rings.")
    decision_seconds: DecisionSeconds = Field(
        default=30.0, description="How long an agent has to decide after answering."
    )
    hold_seconds: HoldSeconds = Field(default=120.0, description="How long a lead is held altogether.")
    warn_seconds: WarnSeconds = Field(
        default=15.0,
        description="How long before the end of `hold_seconds` a qualifier is warned; `0` for never.",
    )
    comfort_seconds: ComfortSeconds = Field(
        default=20.0, description="Time between comfort announcements; `0` for none."
    )
    linger_seconds: LingerSeconds = Field(
        default=300.0, description="How long a qualifier may stay with lead and agent."
    )
    recall_seconds: RecallSeconds = Field(
        default=20.0,
        description="How long the phone of a qualifier who has hung up rings when nobody took the lead; "
        "`0` to not ring it.",
    )
    take_back_seconds: TakeBackSeconds = Field(
        default=120.0,
        description="How long after leaving the lead to the agent a qualifier may take the lead back; `0` "
        "for never.",
    )
    music: MusicClass = Field(default="default", description="The class of music on hold.")
    introduction: Flag = Field(default=True, description="Whether the lead hears who is joining.")
    require: Annotated[
        tuple[Literal["qualified", "consent"], ...],
        Field(strict=False),
        distinct("a condition"),
        Expects("a list of qualified and consent, or []", item="qualified or consent"),
    ] = Field(default=(), description="What must hold of the lead before anyone is rung.")
    queue_log: Flag = Field(
        default=False, description="Whether Asterisk's `queue_log` is told, with the team as the queue."
    )
    recording: Annotated[Folder | None, Expects("the full path of a folder", default="none")] = Field(
        default=None,
        description="Where a lead who is taken over from a live call is recorded, as Asterisk sees it.",
    )
    return_to: Annotated[
        Place | None,
        Expects('context,extension,priority in quotes, such as "from-trunk,s,1"', default="none"),
    ] = Field(
        default=None,
        description="Where a lead goes on who has no place of their own in the dialplan, such as one who was "
        "called.",
    )
    keys: KeySettings = KeySettings()
    qualifier_keys: QualifierKeySettings = QualifierKeySettings()
    templates: TemplateSettings = TemplateSettings()
