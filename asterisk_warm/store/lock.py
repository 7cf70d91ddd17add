"""Who may do what with a database file, among several processes."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_warm.store.errors import StoreError


class FileLock:
    """An advisory lock on a file, held until it is released or the process ends, however it ends.

    The file tells the holder's process id. It stays: removing it could let two processes hold one each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def take(self, seconds: float = 0.0) -> bool:
        """Try to get it for that long. False: another has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        deadline = time.monotonic() + seconds
        while not _locked(file):
            if time.monotonic() >= deadline:
                os.close(file)
                return False
            time.sleep(0.01)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file
        return True

    def release(self) -> None:
        os.close(self._file)

    def holder(self) -> str:
        """The process that has it, or had it last."""
        return self._path.read_text(errors="replace").strip() or "unknown"


class Alone:
    """Holds a lock from `with` to its end; `remedy` is told to who comes second. Raises StoreError."""

    def __init__(self, lock: FileLock, place: str, remedy: str, seconds: float = 0.0) -> None:
        self._lock = lock
        self._place = place
        self._remedy = remedy
        self._seconds = seconds

    def __enter__(self) -> Self:
        if not self._lock.take(self._seconds):
            problem = f"another daemon has the database open: process {self._lock.holder()}"
            raise StoreError(self._place, problem, self._remedy)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
