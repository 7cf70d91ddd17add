"""One daemon per file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_warm.store.errors import StoreError


class FileLock:
    """Holds an advisory lock on a file from `with` to its end, or to the end of the process, however it ends.

    The file tells the holder's process id. It stays: removing it could let two processes hold one each.
    """

    def __init__(self, path: Path, place: str) -> None:
        self._path = path
        self._place = place
        self._file = -1

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(
                self._place,
                f"another daemon has the database open: process {holder}",
                "stop it first, or give this one a database of its own",
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._file)
