"""Printing: plain text that a terminal cannot be fooled with, tables of 80 columns, JSON for machines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH = 80


def show_json(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    print(plain(text))


def complain(*lines: str) -> None:
    """To standard error, whatever is not empty."""
    for line in lines:
        if line:
            print(plain(line), file=sys.stderr)


def show(*parts: RenderableType) -> None:
    """Tables and texts, in colour only on a terminal and without NO_COLOR."""
    terminal = console()
    for part in parts:
        terminal.print(part)


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)


def plain(text: Any) -> str:
    """One line of printable text, whatever is in it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def safe_streams() -> None:
    """What the terminal's character set has not, is shown as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
