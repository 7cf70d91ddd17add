"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from asterisk_warm import __version__
from asterisk_warm.cli import check, demo, handoff, health, serve

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
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("health")(health.health)
app.add_typer(handoff.app)
app.command("demo")(demo.demo)
