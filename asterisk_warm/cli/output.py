"""Printing: plain text that a terminal cannot be fooled with, tables of 80 columns, JSON for machines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console, RenderableType

WIDTH = 80


def show_json(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    print(plain(text))


def tell(text: str, *, to: TextIO | None = None) -> None:
    """What may be long: folded between words, as wide as tables are. `to`: standard output."""
    from rich.text import Text

    console(to).print(Text(plain(text)))


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


def console(to: TextIO | None = None) -> Console:
    from rich.console import Console

    to = to or sys.stdout
    return Console(file=to, highlight=False, markup=False, emoji=False, width=None if to.isatty() else WIDTH)


def plain(text: Any) -> str:
    """One line of printable text, whatever is in it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def safe_streams() -> None:
    """What the terminal's character set has not, is shown as an escape instead of failing; what is typed in
    another one arrives as arguments do."""
    for stream, errors in (
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
        (sys.stdin, "surrogateescape"),
    ):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=errors)
