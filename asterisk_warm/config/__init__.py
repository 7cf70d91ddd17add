"""The configuration file: `load` reads it, checks it and returns a `Config`, or tells everything that is
wrong with it.

The way of a file: `yaml_source` reads the YAML and notes the place of everything; `faults` puts the values
into the models and says what does not fit; `checks` looks at what concerns several settings at once.

`models` has the file as a whole; the larger sections are in `handoff`, `templates`, `people`, `calendars`,
`leads` and `screens`, the kinds of value in `values`, `durations`, `dialled`, `skilled`, `spoken` and `urls`.
`languages` has the product's own words of `templates` in other languages than English.
`reference` describes every setting.
`agents_file` reads agents alone, from CSV too; `leads_file` reads leads; `script_file` reads a script, and
`scripts` those that the configuration names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from asterisk_warm.config import checks_gate
from asterisk_warm.config.calendars import CalendarsSettings
from asterisk_warm.config.checks import check
from asterisk_warm.config.dialled import DialplanPlace
from asterisk_warm.config.errors import ConfigError, ConfigErrors
from asterisk_warm.config.faults import validate
from asterisk_warm.config.handoff import (
    Condition,
    HandoffSettings,
    KeySettings,
    QualifierKeySettings,
    Ring,
)
from asterisk_warm.config.languages import spoken
from asterisk_warm.config.leads import CrmSettings, DispositionEntry, LeadsSettings, RecordingSettings
from asterisk_warm.config.models import (
    SECRETS,
    AgiSettings,
    ApiSettings,
    AsteriskSettings,
    ConfigFile,
    LogSettings,
    OutsideSettings,
    SoundSettings,
    SpeechSettings,
)
from asterisk_warm.config.people import PresenceSettings
from asterisk_warm.config.reference import Setting, describe_settings
from asterisk_warm.config.roster import AgentSettings, Levels, agent_record, agent_settings, levels, teams_of
from asterisk_warm.config.screens import ScreensSettings, WebhookEntry
from asterisk_warm.config.scripts import ScriptFile, read_scripts
from asterisk_warm.config.section import overlay
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.config.values import Secret, Surroundings
from asterisk_warm.config.written import Written
from asterisk_warm.config.yaml_source import read
from asterisk_warm.core.roster import AgentRecord, TeamRecord

__all__ = [
    "AgentSettings",
    "Config",
    "ConfigError",
    "ConfigErrors",
    "CrmSettings",
    "DialplanPlace",
    "DispositionEntry",
    "LeadsSettings",
    "OutsideSettings",
    "RecordingSettings",
    "ScreensSettings",
    "ScriptFile",
    "Secret",
    "Setting",
    "TeamSettings",
    "WebhookEntry",
    "describe_settings",
    "load",
]


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """A team with every setting filled in: its own, else that of ``handoff``, else the default. Times in
    seconds.

    ``ring_seconds`` is per agent, ``decision_seconds`` counts from the answer (and again after
    what was asked for), ``hold_seconds`` is for the whole handoff, and ``warn_seconds`` before its end;
    ``comfort_seconds``, ``warn_seconds``, ``recall_seconds``, ``take_back_seconds``, ``widen_seconds`` and
    ``relax_seconds`` of 0 mean never, and so does ``missed_offers``. ``recording`` is a folder of Asterisk's.
    ``skills`` has the least level of each; ``tiers`` names who is not of tier 1. ``translations`` has every
    template in each language.
    """

    id: str
    name: str
    number: str | None
    agents: tuple[AgentSettings, ...]
    mode: Literal["auto", "blind"]
    qualifier_mode: Literal["stay", "consult"]
    transfer_key: Literal["stay", "auto"]
    ring: Ring
    fanout: int
    widen_seconds: float
    skills: Levels
    relax_seconds: float
    sticky_seconds: float
    wait_seconds: float
    wrapup_seconds: float
    missed_offers: int
    ring_seconds: float
    decision_seconds: float
    hold_seconds: float
    warn_seconds: float
    comfort_seconds: float
    linger_seconds: float
    recall_seconds: float
    take_back_seconds: float
    music: str
    introduction: bool
    require: tuple[Condition, ...]
    script: str | None
    least_score: float | None
    queue_log: bool
    recording: Path | None
    return_to: DialplanPlace | None
    own_words: bool
    asks: int
    question_seconds: float
    alert: str | None
    auto_answer: bool
    language: str | None
    keys: KeySettings
    qualifier_keys: QualifierKeySettings
    templates: TemplateSettings
    translations: tuple[tuple[str, TemplateSettings], ...] = ()
    tiers: Levels = ()

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(agent.id for agent in self.agents)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file that was found good. ``warnings`` has what is usable and yet hardly meant.

    ``handoff`` is how a lead is handed to whoever is no team: like a team, of no name and no agents.
    """

    file: Path
    node: str
    asterisk: AsteriskSettings
    database: Secret
    api: ApiSettings
    agi: AgiSettings
    sounds: SoundSettings
    speech: SpeechSettings
    log: LogSettings
    presence: PresenceSettings
    calendars: CalendarsSettings
    scripts: Mapping[str, ScriptFile]
    leads: LeadsSettings
    recordings: RecordingSettings
    dispositions: Mapping[str, DispositionEntry]
    screens: ScreensSettings
    webhooks: Mapping[str, WebhookEntry]
    handoff: TeamSettings
    agents: Mapping[str, AgentSettings]
    teams: Mapping[str, TeamSettings]
    outside: OutsideSettings | None
    warnings: tuple[ConfigError, ...]

    def policy(self, team: str) -> TeamSettings:
        """Return the settings of a team by its id. Raises KeyError when there is no such team."""
        return self.teams[team]

    @property
    def agent_records(self) -> tuple[AgentRecord, ...]:
        """The agents by id, as the store is seeded with them."""
        teams = {id: (team.members, dict(team.tiers)) for id, team in self.teams.items()}
        return tuple(agent_record(self.agents[id], teams_of(id, teams)) for id in sorted(self.agents))

    @property
    def team_records(self) -> tuple[TeamRecord, ...]:
        """The teams by id, as the store is seeded with them."""
        return tuple(TeamRecord(id, team.name, team.number or "") for id, team in sorted(self.teams.items()))


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration at ``path``; ``environ`` is where ``env:NAME`` secrets are found.

    Raises ConfigErrors with all faults at once: of the YAML, of single settings and between settings.
    """
    source, folder = read(path, SECRETS), path.absolute().parent
    model, faulty = validate(source, Surroundings(environ, folder))
    written = Written(source, faulty)
    check(written)
    scripts = read_scripts(written, folder)
    if source.errors or model is None:
        raise ConfigErrors(source.errors)
    checks_gate.check(written, {id: file.script for id, file in scripts.items()})
    return _config(path, model, scripts, tuple(written.warnings))


def _config(
    path: Path, model: ConfigFile, scripts: Mapping[str, ScriptFile], warnings: tuple[ConfigError, ...]
) -> Config:
    agents = {id: agent_settings(id, entry) for id, entry in model.agents.items()}
    teams = {
        id: _team(
            overlay(model.handoff, entry),
            entry,
            id,
            entry.name,
            entry.number,
            tuple(agents[agent] for agent in entry.agents),
            levels(entry.tiers),
        )
        for id, entry in model.teams.items()
    }
    return Config(
        file=path,
        node=model.node,
        asterisk=model.asterisk,
        database=model.database,
        api=model.api,
        agi=model.agi,
        sounds=model.sounds,
        speech=model.speech,
        log=model.log,
        presence=model.presence,
        calendars=model.calendars,
        scripts=scripts,
        leads=model.leads,
        recordings=model.recordings,
        dispositions=MappingProxyType(model.dispositions),
        screens=model.screens,
        webhooks=MappingProxyType(model.webhooks),
        handoff=_team(model.handoff, model.handoff),
        agents=MappingProxyType(agents),
        teams=MappingProxyType(teams),
        outside=model.outside,
        warnings=warnings,
    )


def _team(
    settings: HandoffSettings,
    own: HandoffSettings,
    id: str = "",
    name: str = "",
    number: str | None = None,
    agents: tuple[AgentSettings, ...] = (),
    tiers: Levels = (),
) -> TeamSettings:
    """``own`` is what of ``settings`` is written for this very team."""
    templates, translations = spoken(settings, own.templates)
    return TeamSettings(
        id=id,
        name=name,
        number=number,
        agents=agents,
        tiers=tiers,
        **vars(settings)
        | {"skills": levels(settings.skills), "templates": templates, "translations": translations},
    )
