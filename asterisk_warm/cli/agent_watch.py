"""`asterisk-warm agent watch`: the agents, as they change."""

from __future__ import annotations

import json as encoder
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import team_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Socket, Team
from asterisk_warm.cli.output import console, show

if TYPE_CHECKING:
    from rich.console import RenderableType

REDRAW_SECONDS = 1.0
"""How old what is shown may get: it has ages in it."""
QUIET_SECONDS = 30.0
"""How long the daemon may wait for a change when nothing is drawn."""
LATE_SECONDS = 4.0
"""How much longer than it may wait the daemon may take: what is shown gets old meanwhile."""
PAUSE_SECONDS = 0.1
"""Between two drawings, however fast the agents change."""


def watch(team: Team = None, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Show the agents live. Ends with Ctrl-C; a daemon that restarts is waited for."""
    known_team(socket, team)
    try:
        if json:
            _print_changes(socket, team)
        elif sys.stdout.isatty():
            _draw(socket, team)
        else:
            show(*_seen(ask(socket, "GET", "/v1/agents"), 0.0, team))
    except KeyboardInterrupt:
        return


def known_team(socket: Path, team: str | None) -> None:
    """Raises Failure (not found) when there is no such team."""
    if team is not None:
        ask(socket, "GET", team_path(team))


def of_team(answer: Any, team: str | None) -> Any:
    """The answer with the agents of a team; without one, with all."""
    return {**answer, "agents": [a for a in answer["agents"] if team is None or team in a["teams"]]}


def _print_changes(socket: Path, team: str | None) -> None:
    """One JSON document a line."""
    version = None
    while True:
        answer = _changed(socket, version, QUIET_SECONDS)
        if answer["version"] != version:
            version = answer["version"]
            print(encoder.dumps(of_team(answer, team), ensure_ascii=False), flush=True)


def _changed(socket: Path, version: int | None, seconds: float) -> Any:
    if version is None:
        return ask(socket, "GET", "/v1/agents")
    return ask(socket, "GET", f"/v1/agents?after={version}&wait={seconds:g}", seconds=seconds + LATE_SECONDS)


def _draw(socket: Path, team: str | None) -> None:
    from rich.console import Group
    from rich.live import Live

    answer = ask(socket, "GET", "/v1/agents")
    live = Live(Group(*_seen(answer, 0.0, team)), console=console(), auto_refresh=False)
    try:
        # Not "with": Ctrl-C in the middle of the start would leave the cursor hidden.
        live.start(refresh=True)
        for seen, lost in _followed(socket, answer):
            live.update(Group(*_seen(seen, lost, team)), refresh=True)
            time.sleep(PAUSE_SECONDS)
    finally:
        live.stop()


def _followed(socket: Path, answer: Any) -> Iterator[tuple[Any, float]]:
    """What is to be drawn, and since when the daemon has not answered; it is asked again and again."""
    lost = 0.0
    while True:
        try:
            answer = _changed(socket, answer["version"], REDRAW_SECONDS)
            lost = 0.0
        except Failure as failure:
            if failure.exit_code != Exit.UNREACHABLE:
                raise
            lost = lost or time.time()
            time.sleep(REDRAW_SECONDS)
        yield answer, lost


def _seen(answer: Any, lost: float, team: str | None) -> list[RenderableType]:
    from asterisk_warm.cli.agent_tables import agents, headline

    found = of_team(answer, team)["agents"]
    now = time.time()
    return [headline(found, now, lost), "", agents(found, now)]
