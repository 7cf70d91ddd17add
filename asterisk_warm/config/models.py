"""The file as a whole: one model per section, each field with its kind, default and description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import Field
from pydantic.fields import FieldInfo

from asterisk_warm.config.calendars import CalendarsSettings, File
from asterisk_warm.config.dialled import OUTSIDE_NUMBERS, OutsideEndpoint, OutsideNumbers
from asterisk_warm.config.durations import BudgetSeconds
from asterisk_warm.config.errors import KeyPath
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.leads import DISPOSITIONS, DispositionEntry, LeadsSettings, RecordingSettings
from asterisk_warm.config.people import AgentEntry, PresenceSettings, TeamEntry
from asterisk_warm.config.screens import ScreensSettings, WebhookEntry
from asterisk_warm.config.section import Section, distinct, fields_of, inner_section
from asterisk_warm.config.spoken import VOICE, Language, Voice
from asterisk_warm.config.values import (
    Account,
    BesideFile,
    Database,
    Expects,
    Flag,
    Folder,
    Host,
    HttpUrl,
    Identifier,
    Password,
    Port,
    PortOrNone,
    SocketPath,
    database_url,
    expectation,
)
from asterisk_warm.config.yaml_source import Secrets


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
    address: Host = Field(
        default="127.0.0.1",
        description="The address of the same API over the network, for whoever has a token.",
    )
    port: PortOrNone = Field(default=0, description="The port of it; `0` for none.")
    certificate: Annotated[File | None, Expects("the full path of a file", default="none")] = Field(
        default=None, description="The certificate, with its chain, in PEM: then it is HTTPS."
    )
    key: Annotated[File | None, Expects("the full path of a file", default="none")] = Field(
        default=None, description="The private key of the certificate, in PEM."
    )
    plain: Flag = Field(
        default=False,
        description="Whether it may be reached without a certificate, by a proxy that has one, for example.",
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
        tuple[Literal["hibari", "espeak"], ...],  # spoken.ENGINES
        Field(min_length=1, strict=False),
        distinct("an engine"),
        Expects("a list of hibari and espeak", item="hibari or espeak"),
    ] = Field(
        default=("hibari", "espeak"),
        description="The engines that speak, in order: the next one when one fails.",
    )
    voices: Annotated[
        dict[Language, Voice],
        Field(max_length=50),
        Expects("languages with a voice each, such as {es: espeak:es, en: hibari}", item=VOICE.text),
    ] = Field(
        default={},
        description="What speaks a language: an engine, and which of its voices. A language that is not here "
        "is spoken by espeak, if that knows it, else by the first engine.",
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
    scripts: Annotated[
        dict[Identifier, BesideFile],
        Field(max_length=100),
        Expects(
            "ids with a file each, such as {insurance: scripts/insurance.yaml}", item="the path of a file"
        ),
    ] = Field(
        default={},
        description="Qualification scripts, which are published when the daemon starts. A path without `/` "
        "in front starts at the folder of this file.",
    )
    leads: LeadsSettings = LeadsSettings()
    recordings: RecordingSettings = RecordingSettings()
    dispositions: Annotated[
        dict[Identifier, DispositionEntry],
        Field(max_length=50),
        Expects('ids with a name each, such as {sold: {name: Sold, key: "1"}}'),
    ] = DISPOSITIONS
    screens: ScreensSettings = ScreensSettings()
    webhooks: Annotated[
        dict[Identifier, WebhookEntry],
        Field(max_length=20),
        Expects("ids with a url and secrets each"),
    ] = Field(default={})
    handoff: HandoffSettings = HandoffSettings()
    agents: Annotated[dict[Identifier, AgentEntry], Field(min_length=1), Expects("at least one agent")]
    teams: Annotated[dict[Identifier, TeamEntry], Field(min_length=1), Expects("at least one team")]
    outside: OutsideSettings | None = None


SECRETS: Secrets = frozenset(
    {
        "password",
        "token",
        "database",
        "sources",
        ("webhooks", "url"),
        ("webhooks", "secrets"),
        ("leads", "url"),
        ("leads", "headers"),
    }
)
"""What is written under these names is never repeated in a message."""


def field_at(path: KeyPath, root: type[Section] = ConfigFile) -> FieldInfo | None:
    """Return the field that the value at ``path`` belongs to, be it an item of a list or of a mapping of
    values; None for an entry of a mapping of sections or an unknown setting. ``root`` is the model of the
    file as a whole.
    """
    while path and isinstance(path[-1], int):
        path = path[:-1]
    section = section_at(path[:-1], root) if path else None
    if section is not None:
        return fields_of(section).get(str(path[-1]))
    field = _mapping_at(path[:-1], root)
    return field if field is not None and inner_section(field.annotation) is None else None


def key_at(path: KeyPath, root: type[Section] = ConfigFile) -> Expects | None:
    """Return what is expected of the name of the entry of a mapping at ``path``."""
    field = _mapping_at(path[:-1], root)
    return expectation(get_args(get_args(field.annotation)[0])) if field else None


def section_at(path: KeyPath, root: type[Section] = ConfigFile) -> type[Section] | None:
    """Return the model of the section at ``path``."""
    model: type[Section] | None = root
    among_several = False
    for part in path:
        if among_several:
            among_several = False
            continue
        info = fields_of(model).get(str(part)) if model else None
        model = inner_section(info.annotation) if info else None
        among_several = info is not None and get_origin(info.annotation) in (dict, tuple)
    return None if among_several else model


def _mapping_at(path: KeyPath, root: type[Section]) -> FieldInfo | None:
    owner = section_at(path[:-1], root) if path else None
    field = fields_of(owner).get(str(path[-1])) if owner else None
    return field if field is not None and get_origin(field.annotation) is dict else None
