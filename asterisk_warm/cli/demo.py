"""`asterisk-warm demo`: the lab, which a plain installation does without, is loaded only here."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from asterisk_warm.cli.failures import Exit, Failure


class Asterisk(StrEnum):
    AUTO = "auto"
    V22 = "22"
    V16 = "16"
    INSTALLED = "installed"


class Scene(StrEnum):
    ALL = "all"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"


def demo(
    asterisk: Annotated[
        Asterisk, typer.Option(help="Which Asterisk: the one installed, or a private 22 or 16.")
    ] = Asterisk.AUTO,
    scene: Annotated[
        Scene,
        typer.Option(
            help="1: a qualifier talks on until an agent is there; 2: the lead waits; 3: nobody is free; "
            "4: two accept in the same instant."
        ),
    ] = Scene.ALL,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where recordings, pictures and journal go.", show_default=False),
    ] = None,
) -> int:
    """Play a warm handoff with a private Asterisk and real SIP phones. Needs root."""
    try:
        from asterisk_warm.lab.demo import main
    except ModuleNotFoundError as missing:
        raise Failure(
            Exit.FAILED,
            f"the demo needs {missing.name}, which is not installed",
            "pip install 'asterisk-warm[lab]'",
        ) from missing
    return int(main(asterisk.value, scene.value, out))
