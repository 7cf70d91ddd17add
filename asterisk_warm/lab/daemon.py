"""The daemon as its user runs it: a process of its own, with a config file, reached through its API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from asterisk_warm.cli.client import Client
from asterisk_warm.lab.asterisk import PrivateAsterisk

READY_SECONDS = 60.0
"""A first start renders all prompts."""
_POLL = 0.02
_PLAIN = {"wait_seconds": 0, "missed_offers": 0}
"""Unless a team says otherwise: who does not answer a phone in one scene is rung in the next."""


class DaemonFailed(RuntimeError):
    """The daemon did not start, or did not answer; the message carries the end of its log."""


class Daemon:
    """`asterisk-warm serve` beside a private Asterisk. `agents` maps an agent's id (also their phone's)
    to a name; `teams` maps a team to its settings, with `agents` in it. `name`: of its folder, where several
    run beside one Asterisk. `environment`: variables that it has beside or in place of ours."""

    def __init__(
        self,
        pbx: PrivateAsterisk,
        *,
        agents: Mapping[str, str],
        teams: Mapping[str, Mapping[str, Any]],
        sounds: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        name: str = "daemon",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._pbx = pbx
        self._environment = dict(environment or {})
        self.folder = pbx.workdir / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "api.sock"
        self.database = self.folder / "warm.db"
        self.log_path = self.folder / "daemon.log"
        self.config = self.folder / "asterisk_warm.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(yaml.safe_dump(self._config(agents, teams, sounds, settings or {})))
        self._process: subprocess.Popen[bytes] | None = None

    def _config(
        self,
        agents: Mapping[str, str],
        teams: Mapping[str, Mapping[str, Any]],
        sounds: Path | None,
        settings: Mapping[str, Any],
    ) -> dict[str, Any]:
        pbx = self._pbx
        return {
            "asterisk": {
                "ari": {
                    "url": pbx.ari_url.removesuffix("/ari"),
                    "user": pbx.ari_user,
                    "password": pbx.ari_password,
                },
                "ami": {
                    "host": pbx.ami_host,
                    "port": pbx.ami_port,
                    "user": pbx.ami_user,
                    "password": pbx.ami_secret,
                },
            },
            "database": f"sqlite:///{self.database}",
            "api": {"socket": str(self.socket)},
            "agi": {"port": 0},  # several may run at once: who wants it gives a port in `settings`
            "sounds": {"directory": str(sounds or self.folder / "sounds")},
            "log": {"level": "debug", "format": "json"},
            "agents": {agent: {"name": name, "endpoint": f"PJSIP/{agent}"} for agent, name in agents.items()},
            "teams": {team: {**_PLAIN, **given} for team, given in teams.items()},
            **settings,
        }

    # -- life --------------------------------------------------------------------------------------

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Launch it and wait until it answers and holds Asterisk. Raises DaemonFailed."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    sys.executable,
                    "-m",
                    "asterisk_warm",
                    "serve",
                    str(self.config),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
            )

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise DaemonFailed(f"the daemon ended: {self.log()[-3000:]}")
            try:
                if self.request("GET", "/v1/health")[1].get("ari_connected"):
                    return
            except OSError:
                pass
            time.sleep(_POLL)
        raise DaemonFailed(f"the daemon was not ready within {READY_SECONDS:g} s: {self.log()[-3000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """As an admin stops it."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DaemonFailed(f"the daemon did not stop within 10 s: {self.log()[-3000:]}") from None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def complaints(self) -> list[str]:
        """Lines of its log that an admin should not see in a healthy run."""
        bad = ('"level": "error"', '"level": "critical"', '"level":"error"', "Traceback")
        return [line for line in self.log().splitlines() if any(mark in line for mark in bad)]

    # -- its API -----------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """(HTTP status, decoded JSON). Raises OSError when nobody listens."""
        return Client(self.socket).request(method, path, body)

    def handoffs(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The newest handoffs, newest first. Who asks often asks for few: each is read from the database."""
        return list(self.request("GET", f"/v1/handoffs?state=all&limit={limit}")[1]["handoffs"])

    def handoff(self, handoff: str) -> dict[str, Any]:
        return dict(self.request("GET", f"/v1/handoffs/{handoff}")[1])

    def journal(self, handoff: str) -> list[dict[str, Any]]:
        return list(self.request("GET", f"/v1/handoffs/{handoff}/journal")[1]["journal"])

    def story(self, handoff: str) -> list[dict[str, Any]]:
        return list(self.request("GET", f"/v1/handoffs/{handoff}/story")[1]["story"])

    def wait_for(
        self, what: Callable[[dict[str, Any]], bool], *, number: int = 0, seconds: float = 10.0
    ) -> dict[str, Any]:
        """The handoff `number` (0: the newest) as soon as it is as asked. Raises DaemonFailed.
        Blocks: from asyncio call it in a thread."""
        deadline = time.monotonic() + seconds
        seen: Sequence[dict[str, Any]] = ()
        while time.monotonic() < deadline:
            seen = self.handoffs(number + 1)
            if len(seen) > number and what(seen[number]):
                return seen[number]
            time.sleep(_POLL)
        raise DaemonFailed(f"not within {seconds:g} s; the handoffs are: {seen[: number + 1]}")
