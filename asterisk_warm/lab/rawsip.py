"""SIP and RTP written by hand: what `rawphones` is made of."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from types import TracebackType
from typing import Self

from asterisk_warm.lab.sip import Message
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, chord, linear_to_ulaw

PATIENCE = 5.0
DIGIT_PAYLOAD = 101
KEYS = "0123456789*#ABCD"
# How long a key is held, and how long the clock is watched without sleeping before its END.
_HELD_SECONDS = 0.1
_WATCHED_SECONDS = 0.002


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.messages.put_nowait(Message(time.time(), False, data.decode("utf-8", "replace")))


class RawPeer:
    """A UDP socket that talks SIP with one Asterisk, and a task that answers what comes."""

    def __init__(self, sip: str) -> None:
        host, _, port = sip.rpartition(":")
        self.asterisk = (host, int(port))
        self.tag = secrets.token_hex(6)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, self._inbox = await loop.create_datagram_endpoint(
            _Inbox, local_addr=("127.0.0.1", 0)
        )
        self.here = "{}:{}".format(*self._transport.get_extra_info("sockname"))
        await self.begin()
        self._task = asyncio.create_task(self._serve(), name="raw SIP")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.end()
        self._transport.close()

    async def begin(self) -> None:
        """What is said first."""
        raise NotImplementedError

    async def end(self) -> None:
        """What is said last."""
        raise NotImplementedError

    def take(self, message: Message) -> None:
        """React to a message."""
        raise NotImplementedError

    async def next_message(self) -> Message:
        return await self._inbox.messages.get()

    def via(self) -> str:
        return f"Via: SIP/2.0/UDP {self.here};rport;branch=z9hG4bK{secrets.token_hex(8)}"

    def send(self, *lines: str, body: str = "") -> None:
        """Send a message of these lines; the length of the body is added."""
        head = [*lines, f"Content-Length: {len(body.encode())}"]
        self._transport.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), self.asterisk)

    def reply(self, request: Message, code: int, reason: str, sdp: str = "") -> None:
        """Answer a request."""
        echoed = [f"{name}: {request.header(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        to = request.header("To")
        tagged = to if ";tag=" in to else f"{to};tag={self.tag}"
        kind = ["Content-Type: application/sdp"] if sdp else []
        contact = f"Contact: <sip:{self.here}>"
        self.send(f"SIP/2.0 {code} {reason}", *echoed, f"To: {tagged}", contact, *kind, body=sdp)

    async def _serve(self) -> None:
        while True:
            self.take(await self.next_message())


class Account:
    """What a phone's registration is made of: its name and password at Asterisk."""

    def __init__(self, name: str, password: str) -> None:
        self.name = name
        self._password = password

    async def register(self, peer: RawPeer, expires: int) -> None:
        """Tell Asterisk that the phone is at `peer`, for that many seconds. Raises RuntimeError (refused)."""
        call_id = secrets.token_hex(8)
        self._send_register(peer, call_id, 1, expires)
        challenge = await self._answer(peer)
        host, port = peer.asterisk
        proof = self.authorization(challenge, "REGISTER", f"sip:{host}:{port}")
        self._send_register(peer, call_id, 2, expires, proof)
        answer = await self._answer(peer)
        if answer.status != 200:
            raise RuntimeError(f"{self.name} could not register: {answer.first_line}")

    async def _answer(self, peer: RawPeer) -> Message:
        """The next answer to a REGISTER; what is left of calls is of no interest then."""
        async with asyncio.timeout(PATIENCE):
            while (message := await peer.next_message()).method != "REGISTER":
                continue
        return message

    def _send_register(
        self, peer: RawPeer, call_id: str, number: int, expires: int, *authorization: str
    ) -> None:
        host, port = peer.asterisk
        peer.send(
            f"REGISTER sip:{host}:{port} SIP/2.0",
            peer.via(),
            f"From: <sip:{self.name}@{host}>;tag={peer.tag}",
            f"To: <sip:{self.name}@{host}>",
            f"Call-ID: {call_id}",
            f"CSeq: {number} REGISTER",
            f"Contact: <sip:{self.name}@{peer.here}>;expires={expires}",
            "Max-Forwards: 70",
            *authorization,
        )

    def authorization(self, challenge: Message, method: str, uri: str) -> str:
        """The header by which a request that was answered 401 is sent again."""
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge.header("WWW-Authenticate")))
        count, own = "00000001", secrets.token_hex(4)
        who = _md5(f"{self.name}:{asked['realm']}:{self._password}")
        response = _md5(f"{who}:{asked['nonce']}:{count}:{own}:auth:{_md5(f'{method}:{uri}')}")
        return (
            f'Authorization: Digest username="{self.name}", realm="{asked["realm"]}", '
            f'nonce="{asked["nonce"]}", uri="{uri}", response="{response}", algorithm=MD5, '
            f'qop=auth, nc={count}, cnonce="{own}", opaque="{asked.get("opaque", "")}"'
        )


class RegisteredPeer(RawPeer):
    """A peer that is registered as one of the lab's phones while it lives."""

    def __init__(self, sip: str, password: str, name: str) -> None:
        super().__init__(sip)
        self.name = name
        self._account = Account(name, password)

    async def begin(self) -> None:
        await self._account.register(self, expires=600)

    async def end(self) -> None:
        await self._account.register(self, expires=0)


class Voice:
    """RTP from a port of its own: a steady tone, and keys whose END leaves at a given moment."""

    def __init__(self, tone_hz: int) -> None:
        self._tone = linear_to_ulaw(chord((tone_hz,), seconds=1.0)).tobytes()
        self._source = secrets.token_bytes(4)
        self._sequence = 0
        self._stamp = 0
        self._key: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        port = self._transport.get_extra_info("sockname")[1]
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
        lines += [
            f"m=audio {port} RTP/AVP 0 {DIGIT_PAYLOAD}",
            f"a=rtpmap:{DIGIT_PAYLOAD} telephone-event/8000",
        ]
        self.sdp = "\r\n".join([*lines, ""])

    def start(self, host: str, port: int) -> None:
        """Talk to that address until closed."""
        self._to = (host, port)
        self._task = asyncio.create_task(self._talk(), name="raw RTP")

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._transport.close()

    async def press_at(self, key: str, when: float) -> None:
        """Press a key so that its first END packet leaves at `when` (epoch seconds), within some 0.1 ms.

        Raises ValueError when there is not time enough left to hold it.
        """
        if when - time.time() < _HELD_SECONDS:
            raise ValueError(f"a key is held for {_HELD_SECONDS:g} s: too late to release it then")
        await asyncio.sleep(when - _HELD_SECONDS - time.time())
        self._key = (KEYS.index(key), self._stamp)
        await asyncio.sleep(when - _WATCHED_SECONDS - time.time())
        while time.time() < when:
            continue
        for _ in range(3):
            self._send_event(end=True)
        self._key = None

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            if self._key is None:
                at = self._stamp % len(self._tone)
                self._send(0, self._stamp, self._tone[at : at + FRAME])
            else:
                self._send_event(end=False)
            self._stamp += FRAME
            await asyncio.sleep(began + self._stamp / FRAME * FRAME_SECONDS - loop.time())

    def _send_event(self, *, end: bool) -> None:
        assert self._key is not None
        code, began = self._key
        duration = max(FRAME, self._stamp - began)
        self._send(DIGIT_PAYLOAD, began, bytes([code, 0x80 if end else 0]) + duration.to_bytes(2, "big"))

    def _send(self, payload_type: int, stamp: int, payload: bytes) -> None:
        head = bytes([0x80, payload_type]) + self._sequence.to_bytes(2, "big") + stamp.to_bytes(4, "big")
        self._transport.sendto(head + self._source + payload, self._to)
        self._sequence = (self._sequence + 1) & 0xFFFF


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
