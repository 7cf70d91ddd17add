"""The AMI adapters of agents by themselves, connected to a real Asterisk through a line that can be cut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from adapters import private_asterisk

from asterisk_warm.ami.devices import AmiDevices
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.root import Root

PATIENCE = 10.0
QUEUES = "[general]\n[support]\nmember => PJSIP/ana\n"


def asterisk_of(root: Root, folder: Path, dialplan: str) -> PrivateAsterisk:
    own = private_asterisk(root, folder, ("ana", "ben"), dialplan)
    own.config = replace(own.config, extra={"queues.conf": QUEUES})
    return own


class Line:
    """A TCP port that passes everything on to Asterisk's manager, unless it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.cut_off = False
        self.events: list[str] = []
        """The names of the events that have come."""
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self.cut_off = True
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        self.cut()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not self.cut_off:
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                self._writers.add(back)
                await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(b"Event: "):
                    self.events.append(line[7:].decode().strip())
                writer.write(line)
        finally:
            writer.transport.abort()


class Watched:
    """`AmiDevices`, and all that it has told."""

    def __init__(self, ami: AmiManager, names: Sequence[str]) -> None:
        self.ami = ami
        self.devices = AmiDevices(ami)
        self.told: list[tuple[float, str, str]] = []
        """When (epoch seconds), of which name, and its state then."""
        self._changed = asyncio.Event()
        self.devices.listen(self._listen)
        self.devices.watch(names)

    def _listen(self, name: str) -> None:
        self.told.append((time.time(), name, self.devices.state(name) if name else ""))
        self._changed.set()

    async def until(self, what: Callable[[], bool], seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    async def becomes(self, name: str, state: str, seconds: float = PATIENCE) -> float:
        """Wait until it is in that state, and that was told; since when (epoch seconds)."""

        def latest() -> tuple[float, str]:
            return next(((at, told) for at, of, told in reversed(self.told) if of == name), (0.0, ""))

        try:
            await self.until(lambda: latest()[1] == state, seconds)
        except TimeoutError:
            raise AssertionError(f"{name} did not become {state}; told: {self.told}") from None
        assert self.devices.state(name) == state
        return latest()[0]

    def count(self, name: str) -> int:
        return sum(of == name for _, of, _ in self.told)


@asynccontextmanager
async def connected(
    asterisk: PrivateAsterisk, prepare: Callable[[AmiManager], object]
) -> AsyncIterator[tuple[AmiManager, Line]]:
    line = Line(asterisk.ami_port)
    await line.open()
    ami = AmiManager("127.0.0.1", line.port, asterisk.ami_user, asterisk.ami_secret)
    prepare(ami)
    running = asyncio.create_task(ami.run())
    try:
        assert await ami.wait_connected(PATIENCE)
        yield ami, line
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await line.close()


@asynccontextmanager
async def watching(asterisk: PrivateAsterisk, *names: str) -> AsyncIterator[tuple[Watched, Line]]:
    """Connected, and the first states are in."""
    kept: list[Watched] = []
    async with connected(asterisk, lambda ami: kept.append(Watched(ami, names))) as (_, line):
        await kept[0].until(lambda: kept[0].count("") > 0)
        yield kept[0], line
