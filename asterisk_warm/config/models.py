"""The settings themselves: one model per section of the file, each field with its kind, default and
description.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from asterisk_warm.config.errors import KeyPath
from asterisk_warm.config.values import (
    IDENTIFIER,
    Account,
    BudgetSeconds,
    ComfortSeconds,
    Database,
    DecisionSeconds,
    Endpoint,
    Expects,
    Flag,
    Folder,
    HoldSeconds,
    Host,
    HttpUrl,
    Identifier,
    Key,
    Line,
    MusicClass,
    Password,
    Port,
    RingSeconds,
    Secret,
    SocketPath,
    database_url,
    expectation,
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


Briefing = Annotated[
    str,
    Field(min_length=1, max_length=1000),
    _template_of("name", "number", "summary", "team", "details"),
    Expects("text with {name}, {number}, {summary}, {team} or {details}"),
]
Instructions = Annotated[
    str,
    Field(min_length=1, max_length=1000),
    _template_of("accept", "decline", "repeat"),
    Expects("text with {accept}, {decline} or {repeat}"),
]
Introduction = Annotated[
    str,
    Field(min_length=1, max_length=1000),
    _template_of("agent", "team", "name"),
    Expects("text with {agent}, {team} or {name}"),
]
Taken = Annotated[
    str,
    Field(min_length=1, max_length=1000),
    _template_of("agent", "team"),
    Expects("text with {agent} or {team}"),
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


def _distinct(engines: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(engines)) < len(engines):
        raise refuse("names an engine twice")
    return engines


class SpeechSettings(Section):
    engines: Annotated[
        tuple[Literal["hibari", "espeak"], ...],
        Field(min_length=1, strict=False),
        AfterValidator(_distinct),
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


class HandoffSettings(Section):
    mode: Annotated[Literal["auto", "blind"], Expects("auto or blind")] = Field(
        default="auto",
        description="`auto`: agents are briefed and accept; `blind`: whoever answers is connected.",
    )
    ring: Annotated[Literal["all"], Expects("all")] = Field(
        default="all", description="Whom to ring: `all` at once."
    )
    ring_seconds: RingSeconds = Field(default=25.0, description="How long an agent's phone rings.")
    decision_seconds: DecisionSeconds = Field(
        default=30.0, description="How long an agent has to decide after answering."
    )
    hold_seconds: HoldSeconds = Field(default=120.0, description="How long a lead is held altogether.")
    comfort_seconds: ComfortSeconds = Field(
        default=20.0, description="Time between comfort announcements; `0` for none."
    )
    music: MusicClass = Field(default="default", description="The class of music on hold.")
    introduction: Flag = Field(default=True, description="Whether the lead hears who is joining.")
    keys: KeySettings = KeySettings()
    templates: TemplateSettings = TemplateSettings()


class AgentEntry(Section):
    name: Line = Field(description="The agent's name as it is spoken and shown.")
    endpoint: Endpoint = Field(description="The phone to ring.")


class TeamEntry(HandoffSettings):
    """A team; any setting of ``handoff`` may be repeated here and then counts for this team."""

    name: Line = Field(description="The team's name as it is spoken and shown.")
    agents: Annotated[
        tuple[Identifier, ...],
        Field(min_length=1, strict=False),
        Expects("a list of at least one agent's id", item=IDENTIFIER.text),
    ] = Field(description="The ids of its agents.")


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for the reference: ``path`` like ``teams.ID.name``, type and default in words (None: it
    must be given).
    """

    path: str
    type: str
    default: str | None
    description: str


def describe_settings() -> list[Setting]:
    """Return every setting of the file in its order. A team's overrides are those of ``handoff`` and not
    repeated.
    """
    return list(_described(ConfigFile, ""))


def _described(model: type[Section], prefix: str) -> Iterator[Setting]:
    for name, info in model.model_fields.items():
        if model is TeamEntry and name in HandoffSettings.model_fields:
            continue
        path, inner = prefix + name, inner_section(info.annotation)
        if inner is None:
            yield Setting(path, _type_words(info), _default_words(info), info.description or "")
        else:
            entries = ".ID." if get_origin(info.annotation) is dict else "."
            yield from _described(inner, path + entries)


def inner_section(annotation: Any) -> type[Section] | None:
    """Return the model of a section, or of the entries of a mapping of sections."""
    if get_origin(annotation) is dict:
        annotation = get_args(annotation)[1]
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


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


def _type_words(info: FieldInfo) -> str:
    expects = expectation(info.metadata)
    return expects.text if expects else str(info.annotation)


def _default_words(info: FieldInfo) -> str | None:
    expects = expectation(info.metadata)
    if info.is_required():
        return None
    if expects and expects.default:
        return expects.default
    return _value_words(info.default)


def _value_words(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`"
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case Secret():
            return f"`{value.shown}`"
        case _:
            return f"`{value}`"
