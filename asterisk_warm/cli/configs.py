"""Loading a config for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.output import complain

if TYPE_CHECKING:
    from asterisk_warm.config import Config, ConfigErrors


def load(path: Path) -> Config:
    """Tells all faults and raises Failure when there are any; tells warnings and goes on."""
    from asterisk_warm import config

    try:
        loaded = config.load(path)
    except config.ConfigErrors as errors:
        raise failure(path, errors) from errors
    complain(*(f"warning: {warning}" for warning in loaded.warnings))
    return loaded


def failure(path: Path, errors: ConfigErrors) -> Failure:
    """Every fault on its own line of standard error; the count and the remedy are left to the Failure."""
    complain(*map(str, errors.errors))
    number = len(errors.errors)
    return Failure(
        Exit.USAGE,
        f"{path} has {number} fault{'s'[: number > 1]}",
        "see docs/configuration.md, and check it again",
    )
