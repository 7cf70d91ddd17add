"""The settings themselves: one model per section of the file, each field with its kind, default and
description.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from asterisk_warm.config.dialled import (
    NUMBER,
    OUTSIDE_NUMBERS,
    Endpoint,
    Number,
    OutsideEndpoint,
    OutsideNumbers,
    Place,
)
from asterisk_warm.config.errors import KeyPath
from asterisk_warm.config.values import (
    IDENTIFIER,
    Account,
    BudgetSeconds,
    ComfortSeconds,
    Database,
    DecisionSeconds,
    Expects,
    Flag,
    Folder,
    HoldSeconds,
    Host,
    HttpUrl,
    Identifier,
    Key,
    KeySequence,
    Line,
    LingerSeconds,
    MusicClass,
    Password,
    Port,
    RecallSeconds,
    RingSeconds,
    SocketPath,
    TakeBackSeconds,
    WarnSeconds,
    database_url,
    nearest,
    refuse,
)
from asterisk_warm.core.wording import TemplateError, placeholders


class Section(BaseModel):
    """A mapping of the file. Left empty, it is all defaults."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, data: object) -> object:
        return {} if data is None else data


def _template_of(*known: str) -> AfterValidator:
    def check(template: str) -> str:
        try:
            for placeholder in placeholders(template):
                if placeholder.name not in known:
                    likely = nearest(placeholder.name, known)
                    problem = f"uses {{{placeholder.name}}}, which is not known here"
                    raise refuse(problem, f"{{{likely}}}" if likely else None)
        except TemplateError as error:
            raise refuse(f"has {error.problem}") from None
        return template

    return AfterValidator(check)


Spoken = Annotated[str, Field(min_length=1, max_length=1000)]
Briefing = Annotated[
    Spoken,
    _template_of("name", "number", "summary", "team", "details"),
    Expects("text with {name}, {number}, {summary}, {team} or {details}"),
]
Instructions = Annotated[
    Spoken,
    _template_of("accept", "decline", "repeat"),
    Expects("text with {accept}, {decline} or {repeat}"),
]
Introduction = Annotated[
    Spoken,
    _template_of("agent", "team", "name"),
    Expects("text with {agent}, {team} or {name}"),
]
Taken = Annotated[
    Spoken,
    _template_of("agent", "team"),
    Expects("text with {agent} or {team}"),
]
Returned = Annotated[
    Spoken,
    _template_of("name", "reason"),
    Expects("text with {name} or {reason}"),
]
Recall = Annotated[
    Spoken,
    _template_of("name", "reason", "accept"),
    Expects("text with {name}, {reason} or {accept}"),
]


class AriSettings(Section):
    url: HttpUrl = Field(
        default="http://127.0.0.1:8088", description="Asterisk's HTTP server (`http.conf`), without `/ari`."
    )
    user: Account = Field(default="asterisk_warm", description="The user of `ari.conf`.")
    password: Password = Field(description="That user's password.")
    app: Account = Field(
        default="asterisk_warm", description="The name of our Stasis application, as the dialplan gives it."
    )


class AmiSettings(Section):
    host: Host = Field(default="127.0.0.1", description="Where Asterisk's manager listens (`manager.conf`).")
    port: Port = Field(default=5038, description="The manager's port.")
    user: Account = Field(default="asterisk_warm", description="The user of `manager.conf`.")
    password: Password = Field(description="That user's secret.")


class AsteriskSettings(Section):
    ari: AriSettings
    ami: AmiSettings


class ApiSettings(Section):
    socket: SocketPath = Field(
        default=Path("/run/asterisk-warm/api.sock"),
        description="The unix socket of the HTTP API, which the commands use.",
    )


class SoundSettings(Section):
    directory: Folder = Field(
        default=Path("/var/lib/asterisk-warm/sounds"),
        description="Where spoken texts are kept; Asterisk must be able to read it.",
    )
    asterisk_directory: Annotated[
        Folder, Expects("the full path of a folder", default="same as `sounds.directory`")
    ] = Field(
        default_factory=lambda data: data["directory"],
        description="That folder as Asterisk sees it, where this differs (a container, a root of its own).",
    )
    prompts: Annotated[Folder | None, Expects("the full path of a folder", default="our own prompts")] = (
        Field(
            default=None,
            description="A folder of recordings that take the place of our prompts of the same name.",
        )
    )


def _distinct(what: str) -> AfterValidator:
    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(items)) < len(items):
            raise refuse(f"names {what} twice")
        return items

    return AfterValidator(check)


class SpeechSettings(Section):
    engines: Annotated[
        tuple[Literal["hibari", "espeak"], ...],
        Field(min_length=1, strict=False),
        _distinct("an engine"),
        Expects("a list of hibari and espeak", item="hibari or espeak"),
    ] = Field(
        default=("hibari", "espeak"),
        description="The engines that speak, in order: the next one when one fails.",
    )
    budget_seconds: BudgetSeconds = Field(
        default=3.0, description="How long making one text may take before the next engine is tried."
    )


class LogSettings(Section):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Expects("debug, info, warning or error")
    ] = Field(default="info", description="The least important messages that are still written.")
    format: Annotated[Literal["text", "json"], Expects("text or json")] = Field(
        default="text", description="Lines for people, or one JSON object a line for machines."
    )


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


class TemplateSettings(Section):
    briefing: Briefing = Field(
        default="{name}. {summary}", description="What each agent hears before deciding."
    )
    instructions: Instructions = Field(
        default="Press {accept} to take the call, {decline} to decline, {repeat} to hear this again.",
        description="What follows the briefing: the keys.",
    )
    introduction: Introduction = Field(
        default="Thank you for holding. I am connecting you to {agent} now.",
        description="What the lead hears as the agent joins.",
    )
    taken: Taken = Field(default="This call was taken by {agent}.", description="What the other agents hear.")
    returned: Returned = Field(
        default="{name} is back with you. {reason}.",
        description="What the qualifier alone hears when nobody took the lead.",
    )
    recall: Recall = Field(
        default="{name} is waiting for you. {reason}. Press {accept} to talk to them.",
        description="What a qualifier who had hung up hears when rung because nobody took the lead.",
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
    ring: Annotated[Literal["all"], Expects("all")] = Field(
        default="all", description="Whom to ring: `all` at once."
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
        _distinct("a condition"),
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


class AgentEntry(Section):
    name: Line = Field(description="The agent's name as it is spoken and shown.")
    endpoint: Endpoint = Field(description="The phone to ring.")
    number: Annotated[Number | None, Expects(NUMBER.text, default="none")] = Field(
        default=None,
        description="The extension under which a phone's Transfer key may dial the agent, and which others' "
        "phones show.",
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


class OutsideSettings(Section):
    allow: Annotated[
        tuple[OutsideNumbers, ...],
        Field(min_length=1, strict=False),
        Expects("a list of at least one number, or beginning of numbers and *", item=OUTSIDE_NUMBERS.text),
    ] = Field(description="The numbers, and the beginnings of numbers, that may be dialled.")
    endpoint: OutsideEndpoint = Field(description="What is dialled, with the number in place of `{number}`.")


class ConfigFile(Section):
    """The file as a whole."""

    asterisk: AsteriskSettings
    database: Database = Field(
        default=database_url("sqlite:////var/lib/asterisk-warm/warm.db"),
        description="Where handoffs are kept: a SQLAlchemy URL.",
    )
    api: ApiSettings = ApiSettings()
    sounds: SoundSettings = SoundSettings()
    speech: SpeechSettings = SpeechSettings()
    log: LogSettings = LogSettings()
    handoff: HandoffSettings = HandoffSettings()
    agents: Annotated[dict[Identifier, AgentEntry], Field(min_length=1), Expects("at least one agent")]
    teams: Annotated[dict[Identifier, TeamEntry], Field(min_length=1), Expects("at least one team")]
    outside: OutsideSettings | None = None


S = TypeVar("S", bound=Section)


def overlay(base: S, over: Section) -> S:
    """Return ``base`` with what was written in ``over``, section by section; what ``base`` has no field for
    is left.
    """
    changes: dict[str, Any] = {}
    for name in over.model_fields_set & type(base).model_fields.keys():
        value = getattr(over, name)
        changes[name] = overlay(getattr(base, name), value) if isinstance(value, Section) else value
    return base.model_copy(update=changes)


def inner_section(annotation: Any) -> type[Section] | None:
    """Return the model of a section, be it optional, or of the entries of a mapping of sections."""
    parts = (annotation, *get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, Section)), None)


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the field that the value at ``path`` belongs to, or None for an entry of a mapping or an unknown
    setting.
    """
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1]) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def section_at(path: KeyPath) -> type[Section] | None:
    """Return the model of the section at ``path``."""
    model: type[Section] | None = ConfigFile
    in_mapping = False
    for part in path:
        if in_mapping:
            in_mapping = False
            continue
        info = model.model_fields.get(str(part)) if model else None
        model = inner_section(info.annotation) if info else None
        in_mapping = info is not None and get_origin(info.annotation) is dict
    return None if in_mapping else model
