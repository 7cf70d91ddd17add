"""A private Asterisk: its own files, ports and (for a root folder) mounts; nothing left when it stops."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_warm.lab.config import LabConfig, render
from asterisk_warm.lab.root import Root

BOOT_SCRIPT = Path(__file__).with_name("conf") / "boot.sh"
_BOOT_DEADLINE = 30.0
_POLL = 0.02
# Said by every console command where there is no ethernet card.
_NOISE = "No ethernet interface found"


class AsteriskFailed(RuntimeError):
    """The private Asterisk did not start, or did not answer; the message carries the end of its log."""


class PrivateAsterisk:
    """An Asterisk of the lab's, as a context manager.

    `workdir` (made if missing; yours to delete) is seen by Asterisk under the same path, so a sound written
    there can be played by that path; `visible` are further folders to show it. It dies with the thread that
    started it, and what it mounted vanishes with it. Entering blocks until it is fully booted (about 0.5 s).

    `dialplan` comes before the lab's own extensions of context `from-leads`; it may hold contexts of its own.
    `extra` appends text to a config file, by name (`{"ari.conf": "..."}`).
    `music` is what class `default` plays: "music" (real) or "tone" (tones.MUSIC_HZ, which analysis can tell).
    """

    def __init__(
        self,
        root: Root,
        workdir: Path,
        *,
        agents: Sequence[str] = ("agent1", "agent2", "agent3"),
        dialplan: str = "",
        extra: Mapping[str, str] | None = None,
        visible: Sequence[Path] = (),
        music: str = "tone",
    ) -> None:
        self.root = root
        self.workdir = workdir.resolve()
        self.config = LabConfig(
            work=self.workdir,
            agents=tuple(agents),
            dialplan=dialplan,
            extra=dict(extra or {}),
            music=music,
        )
        self._visible = [path.resolve() for path in visible]
        self._process: subprocess.Popen[bytes] | None = None

    # -- where to reach it -------------------------------------------------------------------------

    @property
    def sip(self) -> str:
        """`host:port` of its SIP transport."""
        return f"127.0.0.1:{self.config.sip_port}"

    @property
    def sip_password(self) -> str:
        return self.config.sip_password

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.config.ari_port}/ari"

    @property
    def ari_user(self) -> str:
        return self.config.ari_user

    @property
    def ari_password(self) -> str:
        return self.config.ari_password

    @property
    def ami_host(self) -> str:
        return "127.0.0.1"

    @property
    def ami_port(self) -> int:
        return self.config.ami_port

    @property
    def ami_user(self) -> str:
        return self.config.ami_user

    @property
    def ami_secret(self) -> str:
        return self.config.ami_secret

    @property
    def log_path(self) -> Path:
        """Its full log: notices, warnings, errors, verbose 3 and digits, with milliseconds."""
        return self.workdir / "log" / "full"

    @property
    def pid(self) -> int:
        """Its process id as this machine sees it. Raises AsteriskFailed when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise AsteriskFailed("the private Asterisk does not run")
        return self._process.pid

    # -- life --------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Launch it and wait until it is fully booted. Raises AsteriskFailed."""
        self.launch()
        try:
            self.wait_booted()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Render the config and start the process, without waiting."""
        render(self.config, self.root)
        with (self.workdir / "log" / "console").open("ab") as console:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal is for the lab, which stops its Asterisk in order.
                start_new_session=True,
            )

    def _command(self) -> list[str]:
        # pdeathsig: should the lab be killed outright, its Asterisk goes too.
        dies_with_us = ["setpriv", "--pdeathsig", "KILL"]
        asterisk = ["asterisk", "-f", "-C", str(self._etc / "asterisk.conf")]
        if self.root.is_this_machine:
            return [*dies_with_us, *asterisk]
        shown = [str(path) for path in (self.workdir, *self._visible)]
        own_mounts = ["unshare", "--mount", "--propagation", "private"]
        boot = ["sh", str(BOOT_SCRIPT), str(self.root.path), str(self._layers), *shown, "--"]
        return [*dies_with_us, *own_mounts, *boot, *asterisk]

    def wait_booted(self, timeout: float = _BOOT_DEADLINE) -> None:
        """Block until ARI answers 200 (while it boots it says 503). Raises AsteriskFailed."""
        deadline = time.monotonic() + timeout
        while not self._ari_answers():
            if self._process is None or self._process.poll() is not None:
                raise AsteriskFailed(f"Asterisk ended while booting:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise AsteriskFailed(f"Asterisk did not boot within {timeout:g} s:\n{self._last_words()}")
            time.sleep(_POLL)

    def _ari_answers(self) -> bool:
        credentials = b64encode(f"{self.ari_user}:{self.ari_password}".encode()).decode()
        request = urllib.request.Request(
            f"{self.ari_url}/asterisk/info?only=status", headers={"Authorization": f"Basic {credentials}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refusal:
            if refusal.code in (401, 403):
                raise AsteriskFailed(f"ARI refused the lab's own user: {refusal}") from refusal
            return False
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL). Registrations of the last second are forgotten."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, by force after 5 s. Does nothing when it does not run. Files stay for reading."""
        self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """Stop, render the config anew, start."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop it from running without ending it (SIGSTOP), until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _signal(self, first: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for how, patience in ((first, 5.0), (signal.SIGKILL, 10.0)):
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue
        raise AsteriskFailed(f"process {process.pid} outlived SIGKILL")

    # -- looking in --------------------------------------------------------------------------------

    def cli(self, command: str, timeout: float = 10.0) -> str:
        """What its console says to `command`. Takes some 40 ms. Raises AsteriskFailed."""
        console = ["asterisk", "-C", str(self._etc / "asterisk.conf"), "-rx", command]
        if not self.root.is_this_machine:
            inside = ["nsenter", "--target", str(self.pid), "--mount", "chroot", str(self._layers / "root")]
            console = [*inside, *console]
        done = subprocess.run(console, capture_output=True, text=True, errors="replace", timeout=timeout)
        if done.returncode != 0:
            raise AsteriskFailed(f"{command!r}: {done.stdout}{done.stderr}")
        return "".join(line for line in done.stdout.splitlines(keepends=True) if _NOISE not in line)

    def channels(self) -> list[str]:
        """The names of all channels it has."""
        lines = self.cli("core show channels concise").splitlines()
        return [line.split("!")[0] for line in lines if "!" in line]

    def bridges(self) -> list[str]:
        """The ids of all bridges it has."""
        return [line.split()[0] for line in self.cli("bridge show all").splitlines()[1:] if line.strip()]

    def registered(self) -> list[str]:
        """The endpoints that have registered a phone."""
        return re.findall(r"^\s*Contact:\s+([\w-]+)/sip:", self.cli("pjsip show contacts"), re.MULTILINE)

    def log(self) -> str:
        """Its full log so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for_log(self, pattern: str, timeout: float = 5.0) -> re.Match[str]:
        """Block until the log holds `pattern` (a regular expression). Raises AsteriskFailed."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.log())
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise AsteriskFailed(f"no {pattern!r} in the log within {timeout:g} s:\n{self._last_words()}")
            time.sleep(_POLL)

    def complaints(self) -> list[str]:
        """The log's warnings and errors."""
        return [line for line in self.log().splitlines() if re.search(r"\] (WARNING|ERROR)\[", line)]

    def _last_words(self) -> str:
        console = self.workdir / "log" / "console"
        said = console.read_text(errors="replace") if console.exists() else ""
        return "\n".join((said + self.log()).splitlines()[-25:])

    @property
    def _etc(self) -> Path:
        return self.workdir / "etc"

    @property
    def _layers(self) -> Path:
        return self.workdir / "layers"
