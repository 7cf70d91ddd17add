"""The wire between the daemon and Asterisk's HTTP server, where one request can be stopped at a chosen point.

What a daemon has journalled but not done yet when it dies, and what it has done but not heard the answer of, are
moments of a few milliseconds. Stopped on the wire they last until the daemon is killed.
"""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_REQUEST = re.compile(rb"^(GET|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n")
_CHUNK = 1 << 16


@dataclass(eq=False)
class Hold:
    """One request to be stopped: the first whose `METHOD /path?query` matches. With `done`, it is passed on to
    Asterisk and only its answer is kept back."""

    pattern: re.Pattern[str]
    done: bool
    _reached: threading.Event = field(default_factory=threading.Event)

    async def reached(self, seconds: float = 10.0) -> None:
        """Wait until such a request has been stopped. Raises AssertionError."""
        came = await asyncio.to_thread(self._reached.wait, seconds)
        assert came, f"no request {self.pattern.pattern!r} within {seconds:g} s"

    def take(self) -> None:
        self._reached.set()


class Gate:
    """A relay to `127.0.0.1:port` in a thread of its own, so that no test can stall it by waiting."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._holds: list[Hold] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._in_loop(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_loop(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hold(self, pattern: str, *, done: bool = False) -> Hold:
        """Stop the next request that fits, until the daemon has gone (or given up on it)."""
        hold = Hold(re.compile(pattern), done)
        self._holds.append(hold)
        return hold

    def cut(self) -> None:
        """Break every connection, as a network would."""
        self._in_loop(self._cut())

    def _in_loop(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        await asyncio.gather(*self._tasks)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()  # Asterisk is away.
            return
        self._writers |= {writer, requests}
        kept = asyncio.Queue[Hold]()
        back = asyncio.create_task(self._answers(answers, writer, kept))
        try:
            await self._requests(reader, requests, kept)
        finally:
            requests.transport.abort()
            await back
            self._writers -= {writer, requests}

    async def _requests(
        self, reader: asyncio.StreamReader, requests: asyncio.StreamWriter, kept: asyncio.Queue[Hold]
    ) -> None:
        stopped = False
        while part := await _read(reader):
            hold = None if stopped else self._hold_for(part)
            if hold is not None and hold.done:
                kept.put_nowait(hold)
            elif hold is not None:
                stopped = True
                hold.take()
            if not stopped:
                requests.write(part)

    async def _answers(
        self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: asyncio.Queue[Hold]
    ) -> None:
        stopped = False
        while part := await _read(answers):
            while not kept.empty():
                stopped = True
                kept.get_nowait().take()
            if not stopped:
                writer.write(part)
        writer.transport.abort()

    def _hold_for(self, part: bytes) -> Hold | None:
        request = _REQUEST.match(part)
        if request is None:
            return None
        line = b" ".join(request.groups()).decode()
        hold = next((hold for hold in self._holds if hold.pattern.search(line)), None)
        if hold is not None:
            self._holds.remove(hold)
        return hold


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""
