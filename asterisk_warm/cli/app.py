"""The commands, put together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm import __version__
from asterisk_warm.cli.agent import app as agent
from asterisk_warm.cli.check import check
from asterisk_warm.cli.configs import socket_of
from asterisk_warm.cli.demo import demo
from asterisk_warm.cli.failures import DEBUG
from asterisk_warm.cli.handoff import app as handoff
from asterisk_warm.cli.health import health
from asterisk_warm.cli.lead import app as lead
from asterisk_warm.cli.options import DEFAULT_SOCKET, SOCKET_VARIABLE
from asterisk_warm.cli.qualify import app as qualify
from asterisk_warm.cli.script import app as script
from asterisk_warm.cli.serve import serve
from asterisk_warm.cli.team import app as team
from asterisk_warm.cli.token import app as token
from asterisk_warm.cli.webhook import app as webhook

app = typer.Typer(
    name="asterisk-warm",
    help="Warm handoff for Asterisk: hands a live, qualified lead to the right person, warm.",
    epilog="Exit codes: 0 ok, 1 failed, 2 usage or config, 3 not found, "
    "4 daemon or Asterisk unreachable, 5 conflict.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"asterisk-warm {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    context: typer.Context,
    socket: Annotated[
        Path,
        typer.Option(
            envvar=SOCKET_VARIABLE, metavar="PATH", help="The daemon's socket: `api.socket` of its config."
        ),
    ] = DEFAULT_SOCKET,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG", help="The daemon's config: the socket is the one in it.", show_default=False
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
    given = context.get_parameter_source("socket")
    if config is not None and (given is None or given.name != "COMMANDLINE"):
        socket = socket_of(config)
    context.default_map = _for_each(context.command, {"socket": socket})


def _for_each(command: object, defaults: dict[str, Any]) -> dict[str, Any]:
    """What a command takes for what is not said behind its own name."""
    commands: dict[str, object] | None = getattr(command, "commands", None)
    if commands is None:
        return defaults
    return {name: _for_each(inner, defaults) for name, inner in commands.items()}


app.command("serve")(serve)
app.command("check")(check)
app.command("health")(health)
app.add_typer(handoff)
app.add_typer(agent)
app.add_typer(team)
app.add_typer(lead)
app.add_typer(script)
app.add_typer(qualify)
app.add_typer(webhook)
app.add_typer(token)
app.command("demo")(demo)
