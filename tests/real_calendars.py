"""A CalDAV server to test on: Radicale, in a process and a folder of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
from aiohttp.test_utils import unused_port

USER, PASSWORD = "ana", "s:ecret ü"
START_SECONDS = 30.0

_CONFIG = """\
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
[logging]
level = error
"""


class Radicale:
    """`start` and `stop` as often as wanted: it keeps its port, and what it was given."""

    def __init__(self, folder: Path) -> None:
        port = unused_port()
        self.url = f"http://127.0.0.1:{port}"
        self._config = folder / "radicale.conf"
        self._config.write_text(_CONFIG.format(port=port, folder=folder))
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "radicale", "--config", str(self._config)
        )
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                assert self._process.returncode is None, "Radicale did not start"
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def make(self, path: str) -> str:
        """Make a calendar; its URL."""
        await self._ask("MKCALENDAR", path)
        return self.url + path

    async def put(self, path: str, text: bytes) -> None:
        """Write an event, or write it anew."""
        await self._ask("PUT", path, text)

    async def delete(self, path: str) -> None:
        """An event, or a calendar."""
        await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, text: bytes | None = None) -> None:
        headers = {**self._headers, "Content-Type": "text/calendar"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.url + path, data=text) as answer,
        ):
            assert answer.ok, await answer.text()

    async def _answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url) as answer:
                return answer.status < 500
        except aiohttp.ClientError:
            return False
