"""`asterisk-warm team …`: who is free, before a lead is handed off."""

from __future__ import annotations

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import team_path
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Socket, TeamId
from asterisk_warm.cli.output import say, show, show_json
from asterisk_warm.cli.words import how_many, wait, waiting

app = typer.Typer(
    name="team",
    help="See who of a team can be rung now.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_teams(socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """List the teams, and who of them is free."""
    answer = ask(socket, "GET", "/v1/teams")
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.tables import teams

    show(teams(answer["teams"]))


@app.command("show")
def show_team(team: TeamId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Show the agents of one team: who is free, and why the others are not."""
    answer = ask(socket, "GET", team_path(team))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.tables import agents

    say(f"{answer['name']} ({answer['id']}): {how_many(answer)} free, {waiting(answer)}")
    say(
        f"Leads are offered by `ring: {answer['ring']}`; the next would wait: {wait(answer['expected_wait'])}"
    )
    show("", agents(answer))
