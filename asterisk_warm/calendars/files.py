"""A calendar that is a file."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path

from asterisk_warm.calendars.source import (
    MOST_BYTES,
    NETWORK_SECONDS,
    Content,
    NotUnderstood,
    Span,
    Unreadable,
)


class FileSource:
    """Read only when its time, its size or the file itself has changed."""

    def __init__(self, path: Path, threads: Executor) -> None:
        """`threads` are kept for files alone: a disk that does not answer (a network mount) keeps one."""
        self._path = path
        self._threads = threads

    async def fetch(self, mark: Mapping[str, str], span: Span) -> Content | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(NETWORK_SECONDS):
                return await loop.run_in_executor(self._threads, _read, self._path, mark.get("file"))
        except TimeoutError:
            raise Unreadable(f"{self._path}: no answer from the disk in {NETWORK_SECONDS:g} s") from None
        except OSError as error:
            raise Unreadable(f"{self._path}: {error.strerror or error}") from None


def _read(path: Path, mark: str | None) -> Content | None:
    with open(path, "rb", opener=_at_once) as opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"{path} is no file")
        if found.st_size > MOST_BYTES:
            raise NotUnderstood(f"{path} has more than {MOST_BYTES / 1e6:g} MB: export fewer past events")
        seen = f"{found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_size}"
        return None if seen == mark else Content((opened.read(MOST_BYTES),), {"file": seen})


def _at_once(path: str, flags: int) -> int:
    """A pipe of that name would keep us waiting for ever."""
    return os.open(path, flags | os.O_NONBLOCK)
