"""The wire between the daemon and Asterisk's HTTP server, where one request can be stopped at a chosen point.

What a daemon has journalled but not done yet when it dies, and what it has done but not heard the answer of, are
moments of a few milliseconds. Stopped on the wire they last until the daemon is killed.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_REQUEST = re.compile(rb"^(GET|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n")
_HEAD_END = b"\r\n\r\n"
_CHUNK = 1 << 16


@dataclass(eq=False)
class Hold:
    """One request to be stopped, by HTTP or over the websocket: the first whose `METHOD /path?query` matches.
    With `done`, it is passed on to Asterisk and only its answer is kept back."""

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
        wire = _Wire(self._hold_for)
        back = asyncio.create_task(_pass_on(answers, writer, wire.answered))
        try:
            await _pass_on(reader, requests, wire.asked)
        finally:
            requests.transport.abort()
            await back
            self._writers -= {writer, requests}

    def _hold_for(self, request: str) -> Hold | None:
        hold = next((hold for hold in self._holds if hold.pattern.search(request)), None)
        if hold is not None:
            self._holds.remove(hold)
        return hold


class _Wire:
    """One connection: which of its bytes go on."""

    def __init__(self, hold_for: Callable[[str], Hold | None]) -> None:
        self._hold_for = hold_for
        self._from_daemon: _Frames | None = None
        """Set when it is a websocket."""
        self._from_asterisk: _Frames | None = None
        self._upgraded = False
        self._stopped = False
        self._kept: dict[str, Hold] = {}
        """Whose answer is to be kept back: by the request's id, "" by HTTP."""

    def asked(self, part: bytes) -> bytes:
        """What of the daemon's bytes goes on to Asterisk."""
        if self._from_daemon is not None:
            return b"".join(raw for raw, text in self._from_daemon.take(part) if self._passes(text))
        request = _REQUEST.match(part)
        if request is None:
            return b"" if self._stopped else part
        method, path = (word.decode() for word in request.groups())
        if path.startswith("/ari/events?"):
            self._from_daemon, self._from_asterisk = _Frames(), _Frames()
            return part
        hold = self._hold_for(f"{method} {path}")
        if hold is not None and hold.done:
            self._kept[""] = hold
        elif hold is not None:
            self._stopped = True
            hold.take()
        return b"" if self._stopped else part

    def answered(self, part: bytes) -> bytes:
        """What of Asterisk's bytes goes back to the daemon."""
        if self._from_asterisk is not None:
            head = b""
            if not self._upgraded and not part.startswith(b"HTTP/1.1 101"):
                self._from_daemon = self._from_asterisk = None  # Refused: Asterisk is still booting.
                return part
            if not self._upgraded:
                end = part.index(_HEAD_END) + len(_HEAD_END)
                head, part, self._upgraded = part[:end], part[end:], True
            return head + b"".join(
                raw for raw, text in self._from_asterisk.take(part) if not self._keeps(text)
            )
        if "" in self._kept:
            self._stopped = True
            self._kept.pop("").take()
        return b"" if self._stopped else part

    def _passes(self, text: bytes) -> bool:
        if b'"RESTRequest"' not in text:
            return True
        request = json.loads(text)
        query = "&".join(f"{pair['name']}={pair['value']}" for pair in request.get("query_strings", ()))
        hold = self._hold_for(f"{request['method']} /ari/{request['uri']}" + (f"?{query}" if query else ""))
        if hold is None:
            return True
        if hold.done:
            self._kept[request["request_id"]] = hold
        else:
            hold.take()
        return hold.done

    def _keeps(self, text: bytes) -> bool:
        if not self._kept or b'"RESTResponse"' not in text:
            return False
        hold = self._kept.pop(json.loads(text)["request_id"], None)
        if hold is not None:
            hold.take()
        return hold is not None


class _Frames:
    """A websocket's frames in one direction (RFC 6455), unfragmented and uncompressed, as both sides send them."""

    def __init__(self) -> None:
        self._bytes = b""

    def take(self, part: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(the frame as it came, its payload) of every frame that is complete now."""
        self._bytes += part
        while (end := self._end()) and len(self._bytes) >= end[1]:
            start, stop = end
            raw, self._bytes = self._bytes[:stop], self._bytes[stop:]
            payload = raw[start:]
            if raw[1] & 0x80:
                mask = raw[start - 4 : start] * (len(payload) // 4 + 1)
                payload = bytes(byte ^ key for byte, key in zip(payload, mask, strict=False))
            yield raw, payload

    def _end(self) -> tuple[int, int] | None:
        """Where the first frame's payload starts and stops; None when even that is not known yet."""
        if len(self._bytes) < 2:
            return None
        masked, length, start = self._bytes[1] & 0x80, self._bytes[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(self._bytes) < start:
                return None
            length = int.from_bytes(self._bytes[2:start], "big")
        start += 4 if masked else 0
        return start, start + length


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, goes_on: Callable[[bytes], bytes]
) -> None:
    """Until either end is closed; what is stopped stays open."""
    while part := await _read(reader):
        writer.write(goes_on(part))
    writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""
