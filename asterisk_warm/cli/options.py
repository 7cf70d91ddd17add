"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asterisk_warm.cli.pointed import note

DEFAULT_SOCKET = Path("/run/asterisk-warm/api.sock")
SOCKET_VARIABLE = "ASTERISK_WARM_SOCKET"

Socket = Annotated[
    Path,
    typer.Option(
        "--socket",
        metavar="PATH",
        help="The daemon's socket; else the one said before the command.",
        show_default=False,
        callback=note,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)]
TeamId = Annotated[str, typer.Argument(metavar="ID", help="A team's id.", show_default=False)]
Agent = Annotated[
    str, typer.Argument(metavar="AGENT", help="An agent, by id or by name.", show_default=False)
]
Team = Annotated[
    str | None, typer.Option("--team", metavar="TEAM", help="Only those of this team.", show_default=False)
]
Script = Annotated[str, typer.Argument(metavar="SCRIPT", help="A script's id.", show_default=False)]
ScriptFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The script's YAML file.", show_default=False)
]
Qualification = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A qualification's id, or its beginning or end (4 or more characters).",
        show_default=False,
    ),
]
Lead = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The lead's telephone number.", show_default=False)
]
LeadNumber = Annotated[
    str | None,
    typer.Option("--lead", metavar="NUMBER", help="Only those of this lead.", show_default=False),
]
Region = Annotated[
    str, typer.Option(metavar="COUNTRY", help="Country of numbers without +: US.", show_default=False)
]
HandoffId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A handoff's id, or its beginning or end (4 or more characters).",
        show_default=False,
    ),
]
