"""One folder of sound files under its two names: where the daemon writes it, and where Asterisk reads it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".ulaw"

UNFINISHED = ".new-"
"""How the name of a file begins that is still being written, by this daemon or another one."""

PLAYABLE = (".ulaw", ".alaw", ".wav", ".WAV", ".gsm", ".sln", ".sln16", ".g722", ".g729", ".ogg")
"""The files Asterisk 16 and 22 can play, if their format modules are loaded."""

# ARI splits `media` at commas and the dialplan at "&": a path with one of them would be two sounds.
_PATH = re.compile(r"/[\w./@+~=-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SoundFolder:
    """`directory` as the daemon sees it, `asterisk_directory` as Asterisk does (they differ with containers).

    Raises ValueError if either is not absolute, or Asterisk's holds a character that ends a sound's name.
    """

    directory: Path
    asterisk_directory: str

    def __post_init__(self) -> None:
        if not self.directory.is_absolute():
            raise ValueError(f"the sound directory must be an absolute path, not {str(self.directory)!r}")
        if not _PATH.fullmatch(self.asterisk_directory):
            raise ValueError(
                "Asterisk's path of the sound directory must be absolute, of letters, digits and ./@+~=-_,"
                f" not {self.asterisk_directory!r}"
            )

    def sub(self, name: str) -> SoundFolder:
        """The folder `name` inside this one."""
        return SoundFolder(self.directory / name, f"{self.asterisk_directory.rstrip('/')}/{name}")

    def uri(self, name: str) -> str:
        """What ARI's `media` takes for the file `name` (no extension) in this folder."""
        return f"sound:{self.asterisk_directory.rstrip('/')}/{name}"

    def holds(self, name: str) -> bool:
        """Whether Asterisk would find a file for `name` here, in any format."""
        return any((self.directory / f"{name}{suffix}").is_file() for suffix in PLAYABLE)

    def keep(self, file_name: str, content: bytes) -> None:
        """`write` it unless it is there with that content. Raises OSError."""
        try:
            there = (self.directory / file_name).read_bytes()
        except FileNotFoundError:
            there = None
        if there != content:
            self.write(file_name, content)

    def write(self, file_name: str, content: bytes) -> None:
        """Put the file there whole or not at all, readable by Asterisk whatever the umask. Raises OSError."""
        path = self.directory / file_name
        _make_readable(path.parent)
        handle, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())  # an empty file after a power cut would be a silent briefing for ever
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise


def _make_readable(folder: Path) -> None:
    """Make `folder` and what is missing above it, to be entered by Asterisk's user whatever the umask."""
    if not folder.is_dir():
        _make_readable(folder.parent)
        with contextlib.suppress(FileExistsError):  # another daemon was faster, and it is theirs to chmod
            folder.mkdir()
            folder.chmod(0o755)
