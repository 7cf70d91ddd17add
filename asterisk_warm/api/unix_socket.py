"""A unix socket to listen on: only one daemon at a time, and nobody's file is removed by mistake."""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

MODE = 0o660
"""Who may write to it may hand off leads: its user and its group."""
LONGEST = 107
"""Bytes of a socket's path; unix(7)."""


class CannotListen(OSError):
    """The socket cannot be opened; `message` says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Bound:
    """Our own socket at a path."""

    socket: socket.socket
    path: Path
    inode: int

    def remove(self) -> None:
        """Remove the file, unless another daemon has put its own there meanwhile."""
        try:
            if self.path.lstat().st_ino == self.inode:
                self.path.unlink()
        except FileNotFoundError:
            pass


def bind(path: Path) -> Bound:
    """Make the socket, ready to be listened on. A file left behind by a daemon that was killed is
    replaced. Raises CannotListen."""
    if len(os.fsencode(path)) > LONGEST:
        raise CannotListen(
            f"the path of the API's socket is longer than {LONGEST} bytes: {path}",
            "give a shorter one in api.socket",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        return _bind(path)
    except CannotListen:
        raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _in_use(path) from error
        raise CannotListen(
            f"cannot open the API's socket {path}: {error.strerror}",
            "make its folder writable for this user, or give another path in api.socket",
        ) from error


def _bind(path: Path) -> Bound:
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        ours.bind(str(path))
        # Nobody can connect before we listen, so nobody gets in between with the umask's mode.
        path.chmod(MODE)
        ours.setblocking(False)
        return Bound(ours, path, path.lstat().st_ino)
    except OSError:
        ours.close()
        raise


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"{path} is not a socket", "move it away, or give another path in api.socket")
    if _somebody_listens(path):
        raise _in_use(path)
    path.unlink()


def _somebody_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (TimeoutError, BlockingIOError):
            # its queue is full: busy, and so alive
            return True
        return True


def _in_use(path: Path) -> CannotListen:
    return CannotListen(
        f"another daemon listens on {path} already", "stop it first, or give another path in api.socket"
    )
