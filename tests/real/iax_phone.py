"""An IAX2 phone written by hand (RFC 5456).

async with IaxPhone(port, "desk", secret) as desk:
    await desk.register()
    call = await desk.rings()
    await call.answer()
    await call.press("1")

Phones and calls are asked as those of asterisk_warm.lab.phones are.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from enum import IntEnum
from itertools import count
from types import TracebackType
from typing import Self

PATIENCE = 5.0


class Kind(IntEnum):
    """Of a frame."""

    KEY_UP = 1
    CONTROL = 4
    IAX = 6
    KEY_DOWN = 12


class Iax(IntEnum):
    NEW = 1
    PING = 2
    PONG = 3
    ACK = 4
    HANGUP = 5
    REJECT = 6
    ACCEPT = 7
    AUTHREQ = 8
    AUTHREP = 9
    INVAL = 10
    LAGRQ = 11
    LAGRP = 12
    REGREQ = 13
    REGAUTH = 14
    REGACK = 15
    REGREJ = 16
    REGREL = 17


RINGING, ANSWER = 3, 4
"""What a CONTROL frame says."""
_CALLED, _USER, _CAPABILITY, _FORMAT, _VERSION, _CHALLENGE, _MD5, _REFRESH = 1, 6, 8, 9, 11, 15, 16, 19
_ULAW = (4).to_bytes(4, "big")
_ECHOED = {Iax.PING: Iax.PONG, Iax.LAGRQ: Iax.LAGRP}
_UNNUMBERED = (Iax.ACK, Iax.INVAL)
_FULL = 0x8000
_HELD_SECONDS = 0.12


def _elements(*given: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([what, len(value)]) + value for what, value in given)


def _parsed(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 2:
        yield data[0], data[2 : 2 + data[1]]
        data = data[2 + data[1] :]


class IaxCall:
    """A call of the phone's, or a registration under way: both are numbered frames between two numbers."""

    def __init__(self, phone: IaxPhone, own: int, theirs: int = 0) -> None:
        self.began_at = time.time()
        self.outcome: asyncio.Future[Iax] = asyncio.get_running_loop().create_future()
        """What a registration came to."""
        self._answered, self._over = asyncio.Event(), asyncio.Event()
        self._phone, self._own, self._theirs = phone, own, theirs
        self._next, self._expected = 0, 0
        self._request = Iax.NEW

    async def answer(self) -> None:
        self.send(Kind.CONTROL, ANSWER)

    async def press(self, key: str) -> None:
        self.send(Kind.KEY_DOWN, ord(key))
        await asyncio.sleep(_HELD_SECONDS)
        self.send(Kind.KEY_UP, ord(key))

    async def hang_up(self) -> None:
        """End the call. One that is over already stays so."""
        if not self.is_over:
            self.send(Kind.IAX, Iax.HANGUP)
            self._over.set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def answered(self, timeout: float = PATIENCE) -> None:
        """Wait until the call is answered. Raises TimeoutError."""
        await asyncio.wait_for(self._answered.wait(), timeout)

    async def ended(self, timeout: float = PATIENCE) -> None:
        """Wait until Asterisk has hung up. Raises TimeoutError."""
        await asyncio.wait_for(self._over.wait(), timeout)

    def ask(self, request: Iax, *elements: tuple[int, bytes]) -> None:
        """Send what Asterisk answers with a challenge."""
        self._request = request
        self.send(Kind.IAX, request, _elements(*elements))

    def send(self, kind: Kind, subclass: int, data: bytes = b"", stamp: int | None = None) -> None:
        if stamp is None:
            stamp = int((time.time() - self.began_at) * 1000)
        head = [(self._own | _FULL).to_bytes(2, "big"), self._theirs.to_bytes(2, "big")]
        head += [stamp.to_bytes(4, "big"), bytes([self._next, self._expected, kind, subclass])]
        self._phone.transmit(b"".join(head) + data)
        if kind is not Kind.IAX or subclass not in _UNNUMBERED:
            self._next = (self._next + 1) & 0xFF

    def take(self, frame: bytes) -> None:
        kind, subclass = frame[10], frame[11]
        if kind == Kind.IAX and subclass in _UNNUMBERED:
            return
        again = frame[8] != self._expected
        if not again:
            self._theirs = int.from_bytes(frame[:2], "big") & ~_FULL
            self._expected = (self._expected + 1) & 0xFF
        stamp = int.from_bytes(frame[4:8], "big")
        if kind == Kind.IAX and subclass in _ECHOED:
            self.send(Kind.IAX, _ECHOED[Iax(subclass)], stamp=stamp)
            return
        self.send(Kind.IAX, Iax.ACK, stamp=stamp)
        if again:
            return
        if kind == Kind.CONTROL and subclass == ANSWER:
            self._answered.set()
        elif kind == Kind.IAX:
            self._react(subclass, dict(_parsed(frame[12:])))

    def _react(self, subclass: int, elements: dict[int, bytes]) -> None:
        if subclass == Iax.NEW:
            self.send(Kind.IAX, Iax.ACCEPT, _elements((_FORMAT, _ULAW)))
            self.send(Kind.CONTROL, RINGING)
        elif subclass == Iax.AUTHREQ:
            self.send(Kind.IAX, Iax.AUTHREP, _elements(self._proof(elements)))
        elif subclass == Iax.REGAUTH:
            self.ask(self._request, (_USER, self._phone.name.encode()), self._proof(elements))
        elif subclass in (Iax.REGACK, Iax.REGREJ):
            self.outcome.set_result(Iax(subclass))
            self._over.set()
        elif subclass in (Iax.HANGUP, Iax.REJECT):
            self._over.set()

    def _proof(self, challenge: dict[int, bytes]) -> tuple[int, bytes]:
        known = challenge[_CHALLENGE] + self._phone.secret.encode()
        return _MD5, hashlib.md5(known, usedforsecurity=False).hexdigest().encode()


class IaxPhone(asyncio.DatagramProtocol):
    """A phone that registers, is called, calls and presses keys; it says nothing."""

    def __init__(self, port: int, name: str, secret: str) -> None:
        """`port`: Asterisk's, on this machine."""
        self.name = name
        self.secret = secret
        self._port = port
        self._numbers = count(1)
        self._calls: dict[int, IaxCall] = {}
        self._by_theirs: dict[int, IaxCall] = {}
        self._incoming: asyncio.Queue[IaxCall] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0), remote_addr=("127.0.0.1", self._port)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls.values():
            await call.hang_up()
        self._transport.close()

    async def register(self) -> None:
        """Raises RuntimeError (refused), TimeoutError."""
        await self._tell(Iax.REGREQ, (_REFRESH, (600).to_bytes(2, "big")))

    async def unregister(self) -> None:
        await self._tell(Iax.REGREL)

    async def rings(self, timeout: float = PATIENCE) -> IaxCall:
        """The next call, waiting for it. Raises TimeoutError."""
        return await asyncio.wait_for(self._incoming.get(), timeout)

    async def dial(self, extension: str) -> IaxCall:
        """Call an extension; returns while it is being set up (`await call.answered()`)."""
        call = self._call()
        call.ask(
            Iax.NEW,
            (_VERSION, b"\0\2"),
            (_CALLED, extension.encode()),
            (_USER, self.name.encode()),
            (_CAPABILITY, _ULAW),
            (_FORMAT, _ULAW),
        )
        return call

    async def _tell(self, request: Iax, *elements: tuple[int, bytes]) -> None:
        dialogue = self._call()
        dialogue.ask(request, (_USER, self.name.encode()), *elements)
        outcome = await asyncio.wait_for(dialogue.outcome, PATIENCE)
        if outcome is not Iax.REGACK:
            raise RuntimeError(f"{self.name}: {request.name} was refused")

    def _call(self, theirs: int = 0) -> IaxCall:
        own = next(self._numbers)
        self._calls[own] = IaxCall(self, own, theirs)
        return self._calls[own]

    def transmit(self, frame: bytes) -> None:
        self._transport.sendto(frame)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 12 or not data[0] & 0x80:
            return  # sound
        theirs, own = int.from_bytes(data[:2], "big") & ~_FULL, int.from_bytes(data[2:4], "big") & ~_FULL
        call = self._calls.get(own)
        if call is None and data[10:12] == bytes([Kind.IAX, Iax.NEW]):
            call = self._by_theirs.get(theirs)
            if call is None or call.is_over:  # else sent again: Asterisk missed our answer
                call = self._rung(theirs)
        if call is not None:
            call.take(data)

    def _rung(self, theirs: int) -> IaxCall:
        call = self._by_theirs[theirs] = self._call(theirs)
        self._incoming.put_nowait(call)
        return call
