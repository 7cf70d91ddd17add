"""Bodies and queries read by a table of readers: what all the modules that read requests share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asterisk_warm.api.faults import Faults, decode, members
from asterisk_warm.api.kinds import Read


def values(body: bytes, known: Mapping[str, Read], required: Iterable[str], faults: Faults) -> dict[str, Any]:
    """The members of a body, None where one is left out. A body of which nothing is required may be left out
    altogether. Raises Problem (400)."""
    required = tuple(required)
    given = members(decode(body), "#", known, faults) if body.strip() or required else {}
    missing(given, required, "#", faults)
    return read(given, known, "#", faults)


def read(
    given: Mapping[str, object], known: Mapping[str, Read], pointer: str, faults: Faults
) -> dict[str, Any]:
    return {
        name: reader(given[name], f"{pointer}/{name}", faults) if given.get(name) is not None else None
        for name, reader in known.items()
    }


def missing(given: Mapping[str, object], names: Iterable[str], pointer: str, faults: Faults) -> None:
    for name in names:
        if given.get(name) is None:
            faults.add(f"{pointer}/{name}", f'"{name}" must be given')


def version(given: Mapping[str, str], name: str, faults: Faults, *, needed: bool = False) -> int | None:
    """The version of a script, by a parameter of a query."""
    text = given.get(name)
    if text is None and not needed:
        return None
    if text is None or not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        faults.add(f"?{name}", "must be the number of a version", f"such as {name}=2")
        return None
    return int(text)
