"""The daemon's API as a client sees it: HTTP over a unix socket. Blocks."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT_SECONDS = 15.0
"""More than any request takes: fetching a lead from the dialplan is given 5 s."""
LONGEST = 250
"""Characters of an id or a name that are asked for."""
_OURS = {"Content-Type": "application/json", "Warm-Source": "cli"}
"""The history of an agent has from where something was declared."""


class Client:
    """One request, one connection."""

    def __init__(self, path: Path, timeout: float = TIMEOUT_SECONDS) -> None:
        self._path = path
        self._timeout = timeout

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """(HTTP status, decoded JSON; text where the answer is a picture). Raises OSError when nobody listens
        or answers in time, and http.client.HTTPException or ValueError when what answers is not our API."""
        connection = _UnixConnection(self._path, self._timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            # A server that refuses a large body closes before having read it; its answer is there.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, data, {**_OURS, **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
            is_picture = (answer.getheader("Content-Type") or "").startswith("image/svg+xml")
            return answer.status, content.decode() if is_picture else json.loads(content)
        finally:
            connection.close()


def handoff_path(handoff: str, part: str = "") -> str:
    """The path of one handoff, or of a part of it (`story`, `journal`), or of something to be done."""
    path = f"/v1/handoffs/{_piece(handoff)}"
    return f"{path}/{part}" if part else path


def team_path(team: str) -> str:
    return f"/v1/teams/{_piece(team)}"


def agent_path(agent: str, part: str = "") -> str:
    """The path of one agent, by id or name, or of their `history`, or of what is declared for them."""
    path = f"/v1/agents/{_piece(agent)}"
    return f"{path}/{part}" if part else path


def script_path(script: str, part: str = "") -> str:
    """The path of one script, or of its `versions`, `diff`, `graph`, or of going back."""
    path = f"/v1/scripts/{_piece(script)}"
    return f"{path}/{part}" if part else path


def qualification_path(qualification: str, part: str = "") -> str:
    path = f"/v1/qualifications/{_piece(qualification)}"
    return f"{path}/{part}" if part else path


def lead_path(lead: str, part: str = "") -> str:
    """The path of one lead, by number, or of their `consents`."""
    path = f"/v1/leads/{_piece(lead)}"
    return f"{path}/{part}" if part else path


def token_path(token: str) -> str:
    return f"/v1/tokens/{_piece(token)}"


def query(**given: object) -> str:
    """`?name=value&…` of what is given; empty when nothing is."""
    known = {name: _value(value) for name, value in given.items() if value is not None}
    return f"?{urlencode(known)}" if known else ""


def _value(value: object) -> bytes:
    return os.fsencode(str(value)[:LONGEST])


def _piece(given: str) -> str:
    # No name is that long, and aiohttp answers nothing in our words to a request line of 8 kB.
    return quote(os.fsencode(given[:LONGEST]), safe="")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
