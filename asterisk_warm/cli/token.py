"""`asterisk-warm token …`: who may use the API and the screens over the network."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import token_path
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Socket
from asterisk_warm.cli.output import say, show, show_json
from asterisk_warm.cli.request import text_only

app = typer.Typer(
    name="token",
    help="Let screens and other systems in over the network.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_tokens(socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """List the tokens that were made. Their secrets are not kept."""
    answer = ask(socket, "GET", "/v1/tokens")
    if json:
        show_json(answer)
    elif answer["tokens"]:
        from asterisk_warm.cli.outward_tables import tokens

        show(tokens(answer["tokens"]))
    else:
        say("No tokens yet; see `asterisk-warm token create --help`.")


@app.command()
def create(
    agent: Annotated[
        str | None,
        typer.Option(metavar="AGENT", help="For this agent alone; else for everything.", show_default=False),
    ] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Make a token. Its secret is shown this once."""
    body: dict[str, Any] = {k: v for k, v in {"agent": agent, "note": note}.items() if v is not None}
    text_only(body)
    answer = ask(socket, "POST", "/v1/tokens", body)
    if json:
        show_json(answer)
    else:
        say(answer["secret"])


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `token list` shows it.", show_default=False)],
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Revoke a token. Screens that it has opened are closed."""
    answer = ask(socket, "DELETE", token_path(token))
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is revoked.")
