"""Databases to test on: SQLite files, and a PostgreSQL server of our own on a unix socket."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

from asterisk_warm.engine.ports.journal import Entry

KINDS = ("sqlite", "postgresql")

_names = (f"warm{number}" for number in count())


def new_database(kind: str, folder: Path) -> str:
    """The URL of an empty database."""
    return f"sqlite:///{folder / 'warm.db'}" if kind == "sqlite" else shared_server().create()


def entry(handoff: str = "warm-1", event_id: str = "e1", **changes: object) -> Entry:
    values: dict[str, object] = {
        "handoff": handoff,
        "event_id": event_id,
        "at": 1000.25,
        "event": "AgentAnswered",
        "event_json": b'{"event": "\xc3\xa9"}',
        "snapshot_json": f'{{"after": "{event_id}"}}'.encode(),
        "state": "OFFERING",
        "team": "sales",
        "lead_channel": "1700000000.1",
        "lead_name": "Ana María",
        "lead_number": "+15551234567",
        "settled": False,
        "commands": (),
        "done": (),
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


class PostgresServer:
    """A server with a folder of its own, run by user `postgres` if we are root, which it refuses to be."""

    def __init__(self) -> None:
        self._programs = _postgres_programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="warm-postgres-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "-D", "data", "-U", "warm", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        self.start()

    def start(self) -> None:
        self._control("start", "-o", f"-F -h '' -k {self.folder}", "-l", "log")

    def stop(self) -> None:
        """At once, as if the machine had failed."""
        self._control("stop", "-m", "immediate")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def create(self) -> str:
        """Make an empty database and return its URL."""
        name = next(_names)
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://warm@/{name}?host={self.folder}"

    def connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="warm", dbname=name, autocommit=True)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-s", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )


@cache
def shared_server() -> PostgresServer:
    """One server for all tests of this process."""
    server = PostgresServer()
    atexit.register(server.remove)
    return server


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    return Path(initdb).parent
