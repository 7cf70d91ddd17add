"""How leads are handed off: the settings of `handoff`, of which a team may repeat any."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from asterisk_warm.config.dialled import Place
from asterisk_warm.config.durations import (
    ComfortSeconds,
    DecisionSeconds,
    HoldSeconds,
    LingerSeconds,
    QuestionSeconds,
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
from asterisk_warm.config.spoken import LANGUAGE, Language
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.config.values import (
    Expects,
    Flag,
    Folder,
    Identifier,
    Key,
    KeySequence,
    MusicClass,
    nearest,
    refuse,
)

Condition = Literal["ready", "consent.call", "consent.text", "consent.recording"]
"""Those of `core.handoff.gate`, by the same names."""
_CONDITIONS = "ready, consent.call, consent.text or consent.recording"

Ring = Literal["all", "fanout", "longest_idle", "round_robin", "priority", "skills"]
"""The strategies of `core.routing.Strategy`, by the same names."""


def _condition(value: object) -> object:
    known = get_args(Condition)
    if isinstance(value, str) and value not in known:
        raise refuse("is no condition", nearest(value, known, 0.8))
    return value


def _header_text(value: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]+", value) or value != value.strip():
        raise refuse("cannot stand in a header")
    return value


HeaderText = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(_header_text),
    Expects("text of ASCII characters"),
]


class KeySettings(Section):
    accept: Key = Field(default="1", description="The agent takes the lead.")
    decline: Key = Field(default="2", description="The agent does not.")
    repeat: Key = Field(default="3", description="The agent hears the briefing again.")
    details: Key = Field(default="4", description="The agent hears more of the lead.")
    ask: Key = Field(default="5", description="The agent asks the lead, or the qualifier, something.")


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
        default=30.0,
        description="How long an agent has to decide after answering, and again after whatever they have "
        "asked to hear.",
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
        tuple[Annotated[Condition, BeforeValidator(_condition)], ...],
        Field(strict=False),
        distinct("a condition"),
        Expects(f"a list of {_CONDITIONS.replace(' or ', ' and ')}, or []", item=_CONDITIONS),
    ] = Field(default=(), description="What must hold of the lead before anyone is rung.")
    script: Annotated[Identifier | None, Expects("an id of scripts", default="any")] = Field(
        default=None, description="Whose qualification counts."
    )
    least_score: Annotated[
        float | None, Field(ge=-1e6, le=1e6), Expects("a number, such as 40", default="any")
    ] = Field(
        default=None,
        description="The least score of the lead's qualification, for anyone to be rung; a lead without one "
        "is refused.",
    )
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
    own_words: Flag = Field(
        default=False,
        description="Whether an agent hears the lead's own recorded words, where there are some.",
    )
    asks: Annotated[int, Field(ge=0, le=9), Expects("a number from 0 to 9")] = Field(
        default=2, description="How often one agent may ask back about a lead; `0` for never."
    )
    question_seconds: QuestionSeconds = Field(
        default=12.0, description="How long a question that is asked back may be, and the reply to it."
    )
    alert: Annotated[HeaderText | None, Expects("text of ASCII characters", default="none")] = Field(
        default=None,
        description="The `Alert-Info` header of the agents' phones: how they ring, where they know it.",
    )
    auto_answer: Flag = Field(
        default=False, description="Whether the agents' phones are told to answer by themselves."
    )
    language: Annotated[Language | None, Expects(LANGUAGE.text, default="the first engine's")] = Field(
        default=None,
        description="What `templates` are written in; those that are not written are said in Spanish where "
        "it is `es`, else in English.",
    )
    keys: KeySettings = KeySettings()
    qualifier_keys: QualifierKeySettings = QualifierKeySettings()
    templates: TemplateSettings = TemplateSettings()
    translations: Annotated[
        dict[Language, TemplateSettings],
        Field(max_length=20),
        Expects('languages with templates, such as {es: {briefing: "{name}. {summary}"}}', whole=True),
    ] = Field(
        default={},
        description="The templates in other languages, for agents and leads who speak them. What is not "
        "written there is said as it is written in `templates`, else in Spanish where it is `es`.",
    )
