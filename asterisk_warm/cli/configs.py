"""Loading a config for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def socket_of(path: Path) -> Path:
    """Where the daemon of a config listens. Raises Failure."""
    from asterisk_warm import config

    try:
        return config.load(path, _AnySecret()).api.socket
    except config.ConfigErrors as errors:
        raise failure(path, errors) from errors


class _AnySecret(Mapping[str, str]):
    """Whoever may use the socket need not have the daemon's passwords in the environment."""

    def __getitem__(self, name: str) -> str:
        return "sqlite:////not-read"  # good for a password, and for the URL of a database

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def failure(path: Path, errors: ConfigErrors) -> Failure:
    """Every fault on its own line of standard error; the count and the remedy are left to the Failure."""
    complain(*map(str, errors.errors))
    number = len(errors.errors)
    return Failure(
        Exit.USAGE,
        f"{path} has {number} fault{'s'[: number > 1]}",
        "see docs/configuration.md, and check it again",
    )
