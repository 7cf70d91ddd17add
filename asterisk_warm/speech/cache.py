"""Spoken lines on disk, so that a line is rendered once. They go when they are old or too many.

A line tells of a person (a lead's name and wish), and every user of the machine can read it, because that
of Asterisk has to. So it is kept `KEPT_DAYS` after its last use and no longer, however much room there is;
the name of its file is a hash. Several daemons may share the folder: a file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

from asterisk_warm.speech.folder import SUFFIX, SoundFolder

DAY = 86_400.0

KEPT_DAYS = 30
"""Days for which a line is kept after its last use."""

_HOUR = 3_600.0
_PIPELINE = "mulaw-8000-1"  # change it when audio.py makes other sound of the same text


class SpeechCache:
    """Files `ab/<hash>.ulaw` in `folder`, at most about `max_bytes` of them.

    A file's modification time is its last use, give or take an hour. One used within a day is never removed,
    whatever the size: it may be about to be played. `clock` gives seconds since the epoch. It all blocks on
    the disk, briefly.
    """

    def __init__(
        self, folder: SoundFolder, max_bytes: int = 256 * 1024 * 1024, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        self._writing = threading.RLock()
        self._bytes: int | None = None  # unknown until the first look
        self._next_prune = max_bytes

    @staticmethod
    def name(identity: str, text: str) -> str:
        """The file (without extension, relative to the folder) of `text` as the engine `identity` says it."""
        digest = hashlib.sha256("\0".join((_PIPELINE, identity, text)).encode()).hexdigest()
        return f"{digest[:2]}/{digest}"

    def uri(self, name: str) -> str:
        return self._folder.uri(name)

    def read(self, name: str) -> bytes:
        """The sound kept under `name`. Raises FileNotFoundError."""
        return self._path(name).read_bytes()

    def holds(self, name: str) -> bool:
        """Whether `name` is there."""
        return os.path.isfile(self._path(name))

    def use(self, name: str) -> bool:
        """Whether `name` is there; if so it counts as used now. Raises OSError if the disk refuses."""
        path = self._path(name)
        try:
            if path.stat().st_mtime < self._clock() - _HOUR:
                os.utime(path, (self._clock(), self._clock()))
        except FileNotFoundError:
            return False
        return True

    def put(self, name: str, mu_law: bytes) -> None:
        """Keep the sound, and make room if that was too much. Raises OSError."""
        self._folder.write(f"{name}{SUFFIX}", mu_law)
        with self._writing:
            self._bytes = self._size() if self._bytes is None else self._bytes + len(mu_law)
            if self._bytes > self._next_prune:
                self.prune()

    def prune(self) -> int:
        """Remove what is too old, then the longest unused until nine tenths of `max_bytes` are left.

        How many files that took. Raises OSError.
        """
        with self._writing:
            return self._prune()

    def _prune(self) -> int:
        files = sorted(self._files())
        kept, removed, now = sum(size for _, size, _ in files), 0, self._clock()
        for used, size, path in files:
            too_old = used < now - KEPT_DAYS * DAY
            too_much = kept > self._max_bytes * 9 // 10 and used < now - DAY
            if not (too_old or too_much):
                break
            path.unlink(missing_ok=True)
            kept, removed = kept - size, removed + 1
        # Where all is too young to go, look again only after some growth, not at every line.
        self._bytes, self._next_prune = kept, max(self._max_bytes, kept + self._max_bytes // 10)
        return removed

    def _path(self, name: str) -> Path:
        return self._folder.directory / f"{name}{SUFFIX}"

    def _size(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _files(self) -> list[tuple[float, int, Path]]:
        """(last use, bytes, path) of each file, those a crash left half-written among them."""
        found = []
        for path in self._folder.directory.glob("??/*"):
            try:
                about = path.stat()
            except FileNotFoundError:
                continue  # renamed or removed since it was listed
            if stat.S_ISREG(about.st_mode):
                found.append((about.st_mtime, about.st_size, path))
        return found
