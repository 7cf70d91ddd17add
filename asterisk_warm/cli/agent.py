"""`asterisk-warm agent …`: who can be offered a lead, why not, and what is declared for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm.cli.agent_roster import add, import_agents, remove
from asterisk_warm.cli.agent_watch import known_team, of_team, watch
from asterisk_warm.cli.agent_words import became, goes_on, wrapping_up
from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import agent_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.moments import moment_of, seconds_of
from asterisk_warm.cli.options import DEFAULT_SOCKET, Agent, Json, Socket, Team
from asterisk_warm.cli.output import say, show, show_json
from asterisk_warm.cli.request import text_only

app = typer.Typer(
    name="agent",
    help="See which agents can be offered a lead, and say so for them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Why, in a word or two.", show_default=False)
]


@app.command("list")
def list_agents(team: Team = None, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """List the agents. Each is free, or every reason is told why not."""
    known_team(socket, team)
    answer = of_team(ask(socket, "GET", "/v1/agents"), team)
    if json:
        show_json(answer)
    elif answer["agents"]:
        from asterisk_warm.cli.agent_tables import agents

        show(agents(answer["agents"], time.time()))
    else:
        say("No agents in this team." if team else "No agents yet; see `asterisk-warm agent add --help`.")


@app.command("show")
def show_agent(agent: Agent, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Show one agent. What is declared, where they are, teams, skills, shifts, calendar."""
    answer = ask(socket, "GET", agent_path(agent))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.agent_tables import facts

    show(facts(answer, time.time()))


@app.command()
def why(agent: Agent, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Tell why an agent is not offered leads. Every reason, until when, and what ends it."""
    answer = ask(socket, "GET", agent_path(agent))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.agent_tables import why

    show(*why(answer, time.time()))


@app.command()
def ready(agent: Agent, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Declare an agent ready. Whether they can be offered a lead is told as well."""
    _tell(ask(socket, "POST", agent_path(agent, "ready")), json)


@app.command()
def pause(
    agent: Agent,
    reason: Reason = None,
    length: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="For how long: 30m, 1h30m.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help='Until when, in local time: 14:30, or "2026-03-01 14:30".',
            show_default=False,
        ),
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Pause an agent. Without an end it lasts until they are ready; a call goes on."""
    if length is not None and until is not None:
        raise Failure(Exit.USAGE, "--for and --until cannot go together", "give only one of them")
    body: dict[str, Any] = {} if reason is None else {"reason": reason}
    if length is not None:
        body["until"] = time.time() + seconds_of("--for", length)
    elif until is not None:
        body["until"] = moment_of("--until", until, time.time())
    text_only(body)
    _tell(ask(socket, "POST", agent_path(agent, "pause"), body), json)


@app.command()
def offline(agent: Agent, reason: Reason = None, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Declare an agent offline. A call goes on."""
    body = {} if reason is None else {"reason": reason}
    text_only(body)
    _tell(ask(socket, "POST", agent_path(agent, "offline"), body), json)


@app.command()
def wrapup(
    agent: Agent,
    extend: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Wrap up for so much longer: 2m, 90s.", show_default=False),
    ] = None,
    finish: Annotated[bool, typer.Option("--finish", help="The wrap-up is over now.")] = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Extend or finish an agent's wrap-up."""
    if finish is (extend is not None):
        raise Failure(Exit.USAGE, "--extend or --finish must be given, and only one", "such as --extend 2m")
    seconds = 0.0 if extend is None else seconds_of("--extend", extend) + _left(agent, socket)
    answer = ask(socket, "POST", agent_path(agent, "wrapup"), {"seconds": seconds})
    if json:
        show_json(answer)
    else:
        say(wrapping_up(answer, time.time()))


def _left(agent: str, socket: Path) -> float:
    """Seconds of the wrap-up that are still to come."""
    end = ask(socket, "GET", agent_path(agent))["wrapup_until"]
    return max(0.0, end - time.time()) if end is not None else 0.0


@app.command()
def history(
    agent: Agent,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 20,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Tell what was declared for an agent, newest first. By whom, and from where."""
    answer = ask(socket, "GET", f"{agent_path(agent, 'history')}?limit={limit}")
    if json:
        show_json(answer)
    elif answer["history"]:
        from asterisk_warm.cli.agent_tables import history

        show(history(answer["history"]))
    else:
        say("Nothing was declared yet.")


def _tell(answer: dict[str, Any], json: bool) -> None:
    if json:
        show_json(answer)
        return
    say(became(answer, time.time()))
    if answer["declared"] != "ready" and (rest := goes_on(answer)):
        say(rest)


app.command()(watch)
app.command()(add)
app.command("import")(import_agents)
app.command()(remove)
