"""`asterisk-warm check`: is this config good?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asterisk_warm.cli import configs
from asterisk_warm.cli.failures import Exit
from asterisk_warm.cli.options import Config, Json
from asterisk_warm.cli.output import complain, plain, say, show, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from asterisk_warm import config as configuration


def check(config: Config, json: Json = False) -> int:
    """Check a config file. Every fault is told at once, with its line and what was expected."""
    from asterisk_warm.config import ConfigErrors, load

    try:
        loaded = load(config)
    except ConfigErrors as errors:
        if json:
            show_json(_verdict(config, errors.errors, ()))
            return Exit.USAGE
        raise configs.failure(config, errors) from errors
    if json:
        found = {"teams": _teams(loaded), "calendars": _calendars(loaded)}
        show_json(_verdict(config, (), loaded.warnings) | found)
        return Exit.OK
    complain(*(f"warning: {warning}" for warning in loaded.warnings))
    say(f"{config} is good.")
    show("", _table(loaded))
    calendars = ", ".join(f"{id} ({kind})" for id, kind in _calendars(loaded).items())
    if calendars:
        say(f"calendars: {calendars}")
    return Exit.OK


def _verdict(
    path: Path,
    errors: Iterable[configuration.ConfigError],
    warnings: Iterable[configuration.ConfigError],
) -> dict[str, Any]:
    faults = [asdict(error) for error in errors]
    return {
        "file": str(path),
        "ok": not faults,
        "errors": faults,
        "warnings": [asdict(warning) for warning in warnings],
    }


def _teams(config: configuration.Config) -> list[dict[str, Any]]:
    return [
        {
            "id": team.id,
            "name": team.name,
            "mode": team.mode,
            "qualifier_mode": team.qualifier_mode,
            "ring": team.ring,
            "fanout": team.fanout,
            "wait_seconds": team.wait_seconds,
            "agents": [asdict(agent) for agent in team.agents],
        }
        for team in config.teams.values()
    ]


def _calendars(config: configuration.Config) -> dict[str, str]:
    """Where each calendar is read from: file, url or caldav. Their addresses are as good as passwords."""
    return {
        id: next(kind for kind in ("file", "url", "caldav") if getattr(source, kind))
        for id, source in config.calendars.sources.items()
    }


def _ring(team: configuration.TeamSettings) -> str:
    """`priority`, or `longest_idle, 2`: how many at a time, where that counts."""
    return team.ring if team.ring in ("all", "priority") else f"{team.ring}, {team.fanout}"


def _table(config: configuration.Config) -> Table:
    from asterisk_warm.cli.tables import table

    shown = table("team", "name", "mode", "qualifier", "ring", "wait", "agents")
    for team in config.teams.values():
        agents = "\n".join(plain(f"{agent.name} ({agent.endpoint})") for agent in team.agents)
        wait = f"{team.wait_seconds:g} s" if team.wait_seconds else "-"
        how = (team.mode, team.qualifier_mode, _ring(team), wait)
        shown.add_row(plain(team.id), plain(team.name), *how, agents)
    return shown
