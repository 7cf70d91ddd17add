"""What is wrong between settings that are each well formed: references, contradictions, doubles."""

from __future__ import annotations

import os
from pathlib import Path

from asterisk_warm.config import checks_calendars, checks_handoff, checks_people, checks_routing
from asterisk_warm.config.errors import ConfigError, KeyPath, dotted
from asterisk_warm.config.written import Written
from asterisk_warm.config.yaml_source import Source


def check(source: Source, faulty: set[KeyPath]) -> list[ConfigError]:
    """Report contradictions to ``source`` and return the warnings; ``faulty`` are the paths not to be relied
    on.
    """
    written = Written(source, faulty)
    checks_people.check(written)
    checks_calendars.check(written)
    checks_handoff.check(written)
    checks_routing.check(written)
    _readable_passwords(written)
    return written.warnings


def _readable_passwords(written: Written) -> None:
    passwords = [path for path in written.source.marks if path[-1:] == ("password",)]
    for path in passwords:
        value = written.mapping(path[:-1]).get("password")
        literal = isinstance(value, str) and not value.startswith(("env:", "file:"))
        if literal and os.stat(written.source.file).st_mode & 0o004:
            message = f"{dotted(path)} is written in a file that every user of this machine can read"
            written.warn(
                path,
                message,
                expected=f"env:NAME or file:/path, or chmod o-r {Path(written.source.file).name}",
            )
