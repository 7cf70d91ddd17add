"""The file as a whole: one model per section, each field with its kind, default and description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_origin

from pydantic import Field
from pydantic.fields import FieldInfo

from asterisk_warm.config.calendars import CalendarsSettings
from asterisk_warm.config.dialled import OUTSIDE_NUMBERS, OutsideEndpoint, OutsideNumbers
from asterisk_warm.config.durations import BudgetSeconds
from asterisk_warm.config.errors import KeyPath
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.people import AgentEntry, PresenceSettings, TeamEntry
from asterisk_warm.config.section import Section, distinct, inner_section
from asterisk_warm.config.values import (
    Account,
    Database,
    Expects,
    Folder,
    Host,
    HttpUrl,
    Identifier,
    Password,
    Port,
    PortOrNone,
    SocketPath,
    database_url,
)


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


class AgiSettings(Section):
    address: Host = Field(
        default="127.0.0.1", description="The address on which the dialplan's AGI() finds the daemon."
    )
    port: PortOrNone = Field(default=4573, description="The port of it; `0` for no FastAGI server.")


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


class SpeechSettings(Section):
    engines: Annotated[
        tuple[Literal["hibari", "espeak"], ...],
        Field(min_length=1, strict=False),
        distinct("an engine"),
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


class OutsideSettings(Section):
    allow: Annotated[
        tuple[OutsideNumbers, ...],
        Field(min_length=1, strict=False),
        Expects("a list of at least one number, or beginning of numbers and *", item=OUTSIDE_NUMBERS.text),
    ] = Field(description="The numbers, and the beginnings of numbers, that may be dialled.")
    endpoint: OutsideEndpoint = Field(description="What is dialled, with the number in place of `{number}`.")


class ConfigFile(Section):
    """The file as a whole."""

    node: Identifier = Field(
        default="warm", description="The name of this daemon, where several use one database."
    )
    asterisk: AsteriskSettings
    database: Database = Field(
        default=database_url("sqlite:////var/lib/asterisk-warm/warm.db"),
        description="Where handoffs are kept: a SQLAlchemy URL.",
    )
    api: ApiSettings = ApiSettings()
    agi: AgiSettings = AgiSettings()
    sounds: SoundSettings = SoundSettings()
    speech: SpeechSettings = SpeechSettings()
    log: LogSettings = LogSettings()
    presence: PresenceSettings = PresenceSettings()
    calendars: CalendarsSettings = CalendarsSettings()
    handoff: HandoffSettings = HandoffSettings()
    agents: Annotated[dict[Identifier, AgentEntry], Field(min_length=1), Expects("at least one agent")]
    teams: Annotated[dict[Identifier, TeamEntry], Field(min_length=1), Expects("at least one team")]
    outside: OutsideSettings | None = None


SECRETS = frozenset({"password", "database", "sources"})
"""What is written under these names is never repeated in a message."""


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the field that the value at ``path`` belongs to, be it an item of a list or of a mapping of
    values; None for an entry of a mapping of sections or an unknown setting.
    """
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1]) if path else None
    if section is not None:
        return section.model_fields.get(str(path[-1]))
    owner = section_at(path[:-2])
    field = owner.model_fields.get(str(path[-2])) if owner else None
    return field if field is not None and _maps_values(field) else None


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


def _maps_values(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict and inner_section(field.annotation) is None
