"""The `asterisk-warm` command: docs/cli.md."""

from __future__ import annotations

from asterisk_warm.cli.run import main

__all__ = ["main"]
