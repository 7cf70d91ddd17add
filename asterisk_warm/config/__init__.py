"""The configuration file: `load` reads it, checks it and returns a `Config`, or tells everything that is
wrong with it.

The way of a file: `yaml_source` reads the YAML and notes the place of everything; `faults` puts the
values into the models of `models` (their kinds are in `values` and `dialled`) and says what does not fit;
`checks` looks at what concerns several settings at once. `reference` describes every setting.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from asterisk_warm.config.checks import check
from asterisk_warm.config.dialled import DialplanPlace
from asterisk_warm.config.errors import ConfigError, ConfigErrors
from asterisk_warm.config.faults import validate
from asterisk_warm.config.models import (
    ApiSettings,
    AsteriskSettings,
    ConfigFile,
    HandoffSettings,
    KeySettings,
    LogSettings,
    OutsideSettings,
    QualifierKeySettings,
    SoundSettings,
    SpeechSettings,
    TemplateSettings,
    overlay,
)
from asterisk_warm.config.reference import Setting, describe_settings
from asterisk_warm.config.values import Secret, Surroundings
from asterisk_warm.config.yaml_source import read

__all__ = [
    "AgentSettings",
    "Config",
    "ConfigError",
    "ConfigErrors",
    "DialplanPlace",
    "OutsideSettings",
    "Secret",
    "Setting",
    "TeamSettings",
    "describe_settings",
    "load",
]


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """An agent; ``endpoint`` is safe to dial as it stands. ``number`` is what a phone dials for the agent."""

    id: str
    name: str
    endpoint: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """A team with every setting filled in: its own, else that of ``handoff``, else the default. Times in
    seconds.

    ``ring_seconds`` is per agent, ``decision_seconds`` counts from the answer, ``hold_seconds`` is for the
    whole handoff, and ``warn_seconds`` before its end; ``comfort_seconds``, ``warn_seconds``,
    ``recall_seconds`` and ``take_back_seconds`` of 0 mean never. ``recording`` is a folder of Asterisk's.
    """

    id: str
    name: str
    number: str | None
    agents: tuple[AgentSettings, ...]
    mode: Literal["auto", "blind"]
    qualifier_mode: Literal["stay", "consult"]
    transfer_key: Literal["stay", "auto"]
    ring: Literal["all"]
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
    require: tuple[Literal["qualified", "consent"], ...]
    queue_log: bool
    recording: Path | None
    return_to: DialplanPlace | None
    keys: KeySettings
    qualifier_keys: QualifierKeySettings
    templates: TemplateSettings


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file that was found good. ``warnings`` has what is usable and yet hardly meant.

    ``handoff`` is how a lead is handed to whoever is no team: like a team, of no name and no agents.
    """

    file: Path
    asterisk: AsteriskSettings
    database: Secret
    api: ApiSettings
    sounds: SoundSettings
    speech: SpeechSettings
    log: LogSettings
    handoff: TeamSettings
    agents: Mapping[str, AgentSettings]
    teams: Mapping[str, TeamSettings]
    outside: OutsideSettings | None
    warnings: tuple[ConfigError, ...]

    def policy(self, team: str) -> TeamSettings:
        """Return the settings of a team by its id. Raises KeyError when there is no such team."""
        return self.teams[team]


_SECRETS = frozenset({"password", "database"})


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration at ``path``; ``environ`` is where ``env:NAME`` secrets are found.

    Raises ConfigErrors with all faults at once: of the YAML, of single settings and between settings.
    """
    source = read(path, _SECRETS)
    model, faulty = validate(source, Surroundings(environ, path.absolute().parent))
    warnings = check(source, faulty)
    if source.errors or model is None:
        raise ConfigErrors(source.errors)
    return _config(path, model, tuple(warnings))


def _config(path: Path, model: ConfigFile, warnings: tuple[ConfigError, ...]) -> Config:
    agents = {
        id: AgentSettings(id, entry.name, entry.endpoint, entry.number) for id, entry in model.agents.items()
    }
    teams = {
        id: _team(
            overlay(model.handoff, entry),
            id,
            entry.name,
            entry.number,
            tuple(agents[agent] for agent in entry.agents),
        )
        for id, entry in model.teams.items()
    }
    return Config(
        file=path,
        asterisk=model.asterisk,
        database=model.database,
        api=model.api,
        sounds=model.sounds,
        speech=model.speech,
        log=model.log,
        handoff=_team(model.handoff),
        agents=MappingProxyType(agents),
        teams=MappingProxyType(teams),
        outside=model.outside,
        warnings=warnings,
    )


def _team(
    settings: HandoffSettings,
    id: str = "",
    name: str = "",
    number: str | None = None,
    agents: tuple[AgentSettings, ...] = (),
) -> TeamSettings:
    return TeamSettings(id=id, name=name, number=number, agents=agents, **vars(settings))
