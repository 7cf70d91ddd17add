"""A file as text: of a size that can be meant, and in UTF-8."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from asterisk_warm.config.errors import ConfigErrors, Mark, fatal

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is expected in place of a file that is none, in words."""

    kind: str
    example: str
    """Its name in a folder."""
    missing: str
    right_one: str
    content: str = "settings, as in the sample config/asterisk_warm.yaml"
    """What an empty one lacks."""
    line: str = "agents:"
    """What a line of it looks like."""
    most_bytes: int = MEBIBYTE
    most_entries: int = sys.maxsize
    """In one mapping or list. One with more is not read to its end."""
    most_faults: int = sys.maxsize
    """Faults that are told; others are only counted."""


SETTINGS = Wanted(
    "a YAML file",
    "asterisk_warm.yaml",
    "a copy of the sample config/asterisk_warm.yaml",
    "a configuration file; is this the right one?",
)


def text_of(path: Path, wanted: Wanted = SETTINGS) -> str:
    """Return what the file holds. Raises ConfigErrors when that cannot be read, or is no text."""
    file = str(path)
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            example = f"{wanted.kind}, such as {path / wanted.example}"
            raise fatal(file, "this is a folder", expected=example)
        if not stat.S_ISREG(kind):
            raise fatal(file, "this is not a regular file", expected=wanted.kind)
        with path.open("rb") as handle:
            data = handle.read(wanted.most_bytes + 1)
    except FileNotFoundError:
        raise fatal(file, "there is no such file", expected=wanted.missing) from None
    except PermissionError:
        raise fatal(file, "this user may not read the file", expected="read permission on it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise fatal(file, f"the file cannot be read: {reason}") from None
    if len(data) > wanted.most_bytes:
        raise too_large(file, wanted)
    return _decoded(data, file)


def too_large(file: str, wanted: Wanted) -> ConfigErrors:
    most = wanted.most_bytes
    size = f"{most // MEBIBYTE} MiB" if most >= MEBIBYTE else f"{most // 1024} KiB"
    return fatal(file, f"the file is larger than {size}", expected=wanted.right_one)


def _decoded(data: bytes, file: str) -> str:
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise fatal(file, "this is a binary file, or text in UTF-16", Mark(line, 1), expected="text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Mark(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        raise fatal(file, message, place, expected="text saved as UTF-8") from None
