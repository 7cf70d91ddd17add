"""Everything that crosses the private network, kept by tcpdump, with nothing lost at either end."""

from __future__ import annotations

import secrets
import selectors
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_warm.lab.traffic import Traffic

_DISCARD_PORT = 9
_BUFFER_KIB, _LONGEST = 65536, 8192
"""How far tcpdump may be behind, and the longest packet it keeps whole. Each takes the room of the longest:
unlimited, that is 64 KiB on `lo`, and the buffer is full with a thousand."""
_PATIENCE = 10.0
_POLL = 0.005


class CaptureFailed(RuntimeError):
    """tcpdump is missing, did not start, or lost sight of the network."""


class Capture:
    """A capture of all UDP on `lo` into a pcap file, as a context manager.

    Once entered, no later packet is missed; `traffic()` holds every packet sent before it was called, and may
    be asked for at any time, while it runs and after. `sip_port` is Asterisk's.
    """

    def __init__(self, path: Path, *, sip_port: int = 15060) -> None:
        self.path = path
        self.sip_port = sip_port
        self._process: subprocess.Popen[bytes] | None = None
        self._searched = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; returns when tcpdump listens. Raises CaptureFailed."""
        command = ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode"]
        command += ["-B", str(_BUFFER_KIB), "-s", str(_LONGEST)]
        # -Z root: else tcpdump gives up its rights and may not write into a private folder.
        command += ["-Z", "root", "-w", str(self.path), "udp"]
        try:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as missing:
            raise CaptureFailed(f"cannot capture: {missing}") from missing
        self._searched = 0
        self._wait_listening(self._process)
        # "listening on" is said a moment before the file is there.
        self.flush()

    def stop(self) -> None:
        """End it, with everything sent so far in the file. Does nothing when it does not run."""
        process = self._process
        if process is None:
            return
        try:
            self.flush()
        finally:
            self._process = None
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=_PATIENCE)

    def flush(self) -> None:
        """Wait until what was sent so far is in the file: send a mark, see it there. Raises CaptureFailed."""
        mark = f"asterisk_warm lab mark {secrets.token_hex(8)}".encode()
        deadline = time.monotonic() + _PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(mark, ("127.0.0.1", _DISCARD_PORT))
        while not self._arrived(mark):
            if time.monotonic() > deadline:
                raise CaptureFailed(f"a packet sent {_PATIENCE:g} s ago is not in {self.path}")
            time.sleep(_POLL)

    def traffic(self) -> Traffic:
        """What was sent until now, to be asked who said and heard what."""
        if self._process is not None:
            self.flush()
        return Traffic.read(self.path, self.sip_port)

    def _arrived(self, mark: bytes) -> bool:
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            file.seek(max(0, self._searched - 2 * len(mark)))
            tail = file.read()
            self._searched = file.tell()
        return mark in tail

    def _wait_listening(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stderr, selectors.EVENT_READ)
            deadline = time.monotonic() + _PATIENCE
            while b"listening on" not in said:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    process.kill()
                    raise CaptureFailed(f"tcpdump was not ready within {_PATIENCE:g} s: {said!r}")
                part = process.stderr.read1(4096)  # type: ignore[attr-defined]
                if not part:
                    raise CaptureFailed(f"tcpdump ended: {said.decode(errors='replace')}")
                said += part
