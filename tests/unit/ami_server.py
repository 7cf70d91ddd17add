"""In Asterisk's place: a manager interface that does whatever a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from asterisk_warm.ami.manager import AmiManager

Action = dict[str, str]


class Server:
    """Keeps every action, and answers what `answer` says (None: nothing)."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.answer: Callable[[Action], str | None] = lambda _: "Response: Success\r\nMessage: Done"
        self.connections = 0
        self.pieces = 0
        """Send answers in pieces of that many bytes; 0: whole."""
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        while True:
            try:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            action = dict(line.split(": ", 1) for line in block.removesuffix("\r\n\r\n").split("\r\n"))
            self.actions.append(action)
            said = self.answer(action)
            if said is not None:
                await self._say(writer, f"{said}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        for start in range(0, len(data), self.pieces or len(data)):
            writer.write(data[start : start + (self.pieces or len(data))])
            await writer.drain()
            await asyncio.sleep(0)

    async def tell(self, *lines: str) -> None:
        """An event that nobody has asked for."""
        await self._say(self._writers[-1], ("\r\n".join(lines) + "\r\n\r\n").encode())

    def drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def running(
    server: Server,
    on_user_event: Callable[[Mapping[str, str]], None] | None = None,
    prepare: Callable[[AmiManager], object] = lambda _: None,
) -> AsyncIterator[AmiManager]:
    """A manager that connects to it, once `prepare` has been called with it."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    ami = AmiManager("127.0.0.1", port, "warm", "secret")
    if on_user_event is not None:
        ami.listen("UserEvent", on_user_event)
    prepare(ami)
    task = asyncio.create_task(ami.run())
    try:
        yield ami
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.drop()
        listening.close()


async def until(what: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not what():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.005)
