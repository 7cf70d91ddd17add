"""`asterisk-warm agent add | import | remove`: who the agents are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asterisk_warm.cli.agent_words import called, listed
from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import agent_path
from asterisk_warm.cli.entries import entry
from asterisk_warm.cli.failures import Exit
from asterisk_warm.cli.options import DEFAULT_SOCKET, Agent, Json, Socket
from asterisk_warm.cli.output import complain, say, show_json
from asterisk_warm.cli.request import text_only

if TYPE_CHECKING:
    from asterisk_warm.config.agents_file import AgentsFile

IMPORT_SECONDS = 60.0
"""More than 10 000 agents take."""
SHOWN = 10
"""Ids that are shown of those who were imported."""


def add(
    agent: Annotated[
        str, typer.Argument(metavar="ID", help="Their id: a-z, 0-9, _ and -.", show_default=False)
    ],
    name: Annotated[str, typer.Option(metavar="TEXT", help="As it is spoken and shown.", show_default=False)],
    endpoint: Annotated[
        str, typer.Option(metavar="ENDPOINT", help="The phone to ring: PJSIP/ana.", show_default=False)
    ],
    team: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEAM[:TIER]", help="A team, and the tier in it; repeat it.", show_default=False
        ),
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option(metavar="SKILL:LEVEL", help="A skill, level 1 to 10; repeat it.", show_default=False),
    ] = None,
    number: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Their extension: 201.", show_default=False)
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(metavar="N", help="Handoffs at once; 1.", show_default=False)
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where they are: Europe/Berlin.", show_default=False)
    ] = None,
    shift: Annotated[
        list[str] | None,
        typer.Option(metavar="SHIFT", help='When they work: "mon-fri 09:00-17:30".', show_default=False),
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(metavar="NAME", help="A calendar of the config.", show_default=False)
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="What they are briefed in: es.", show_default=False)
    ] = None,
    hint: Annotated[
        list[str] | None,
        typer.Option(metavar="HINT", help="What else must be idle: Custom:desk.", show_default=False),
    ] = None,
    dnd: Annotated[
        str | None, typer.Option(metavar="HINT", help="In use: do not disturb.", show_default=False)
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also one who is there already; all is new.")
    ] = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Add an agent. They are in the store from now on, whatever the config says."""
    given: dict[str, Any] = {
        "name": name,
        "endpoint": endpoint,
        "number": number,
        "teams": dict(entry("--team", one, 1) for one in team or ()),
        "skills": dict(entry("--skill", one, None) for one in skill or ()),
        "at_once": at_once,
        "timezone": timezone,
        "shifts": shift,
        "calendar": calendar,
        "language": language,
        "hints": hint,
        "dnd": dnd,
    }
    body = {member: value for member, value in given.items() if value}
    text_only(body)
    only_new = {} if replace else {"If-None-Match": "*"}
    answer = ask(socket, "PUT", agent_path(agent), body, headers=only_new)
    if json:
        show_json(answer)
    else:
        teams = listed(answer["teams"], "{} (tier {})")
        say(f"{called(answer)} is an agent, {f'in {teams}' if teams else 'in no team'}.")


def remove(agent: Agent, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Remove an agent. Their history stays."""
    answer = ask(socket, "DELETE", agent_path(agent))
    if json:
        show_json(answer)
    else:
        say(f"{called(answer)} is no agent any more.")


def import_agents(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or YAML file of agents.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> int:
    """Add agents from a file, or replace them. What is wrong with one keeps no other out."""
    from asterisk_warm.config.agents_file import read_agents

    teams = [team["id"] for team in ask(socket, "GET", "/v1/teams")["teams"]]
    read = read_agents(file, teams=teams)
    agents = _bodies(read, ask(socket, "GET", "/v1/agents")["agents"])
    answer = ask(
        socket, "POST", "/v1/agents/import", {"agents": agents, "dry_run": dry_run}, seconds=IMPORT_SECONDS
    )
    faults = [*map(str, read.faults), *(_placed(file, fault, agents) for fault in answer["faults"])]
    complain(_lost(answer, agents))
    if json:
        show_json({**answer, "faults": faults})
    else:
        complain(*faults)
        _summary(answer, faults)
    return Exit.FAILED if faults else Exit.OK


def _bodies(read: AgentsFile, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The agents of a file as the API takes them. Of who is there already, what the file says nothing of
    stays as it is."""
    known = {agent["id"]: _kept(agent) for agent in there}
    bodies = []
    for record in read.good:
        given = {name: getattr(record, name) for name in ("id", *sorted(read.given))}
        given |= {name: dict(given[name]) for name in ("teams", "skills") if name in given}
        bodies.append({**known.get(record.id, {}), **given})
    return bodies


_MEMBERS = (
    *("name", "endpoint", "number", "teams", "skills", "at_once", "hints", "dnd", "timezone", "shifts"),
    *("calendar", "language"),
)


def _kept(agent: dict[str, Any]) -> dict[str, Any]:
    kept = {name: agent[name] for name in _MEMBERS if name in agent}
    calendar = agent.get("calendar")
    return {**kept, "calendar": calendar["name"] if isinstance(calendar, dict) else calendar}


def _lost(answer: dict[str, Any], agents: list[dict[str, Any]]) -> str:
    """A warning of what neither the file nor the daemon tells of those who are replaced; else empty."""
    told = next((agent.keys() for agent in agents if agent["id"] in answer["replaced"]), _MEMBERS)
    lost = [name for name in _MEMBERS if name not in told]
    return f"warning: of those who are replaced, nothing says {' and '.join(lost)}: now empty" if lost else ""


def _placed(file: Path, fault: dict[str, Any], agents: list[dict[str, Any]]) -> str:
    """A fault that the daemon has found, by the agent and the member instead of a JSON pointer."""
    _, _, index, *rest = str(fault["pointer"]).split("/")
    place = ".".join(["agents", str(agents[int(index)]["id"]), *rest])
    hint = f" ({fault['remedy']})" if fault["remedy"] else ""
    return f"{file}: {place}: {fault['detail']}{hint}"


def _summary(answer: dict[str, Any], faults: list[str]) -> None:
    would = "would be " if answer["dry_run"] else ""
    for what in ("added", "replaced"):
        if ids := answer[what]:
            say(f"{would}{what}: {len(ids)} ({_few(ids)})")
    if not answer["added"] and not answer["replaced"]:
        say(f"{would}added or replaced: nobody")
    if faults:
        say(f"faults: {len(faults)}; whoever has one is left out")


def _few(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more}"
