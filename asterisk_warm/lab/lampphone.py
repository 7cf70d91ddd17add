"""A desk phone with a busy lamp field: it subscribes to extensions and keeps what it is told of them.

async with LampPhone(pbx.sip, pbx.sip_password, "agent1") as desk:
    await desk.subscribe("*289ana")         # what `subscribe_context`, else `context`, has a hint for
    await desk.shows("*289ana", "early")    # a lamp that blinks
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from dataclasses import dataclass, field

from asterisk_warm.lab.rawsip import PATIENCE, RegisteredPeer
from asterisk_warm.lab.sip import Message

_EXPIRES = 600


@dataclass
class _Subscription:
    extension: str
    call_id: str = field(default_factory=lambda: secrets.token_hex(8))
    number: int = 0
    """Of its latest request: CSeq."""
    answer: Message | None = None
    """The final one to the first request."""
    told: list[tuple[float, str]] = field(default_factory=list)
    """When (epoch seconds), and the dialog's state (RFC 4235): terminated, early, confirmed."""


class LampPhone(RegisteredPeer):
    """A registered phone that takes no calls."""

    def __init__(self, sip: str, password: str, name: str) -> None:
        super().__init__(sip, password, name)
        self._subscriptions: dict[str, _Subscription] = {}
        """By Call-ID."""
        self._changed = asyncio.Event()

    async def subscribe(self, extension: str) -> None:
        """Returns when it stands. Raises TimeoutError, or RuntimeError (refused)."""
        subscription = _Subscription(extension)
        self._subscriptions[subscription.call_id] = subscription
        self._send_subscribe(subscription, _EXPIRES)
        async with asyncio.timeout(PATIENCE):
            while subscription.answer is None:
                await self._next()
        if subscription.answer.status != 200:
            raise RuntimeError(f"{extension}: {subscription.answer.first_line}")

    def told(self, extension: str) -> list[tuple[float, str]]:
        """What it was told of an extension, in order: when (epoch seconds), and its dialog's state."""
        return self._of(extension).told

    async def shows(self, extension: str, state: str, timeout: float = PATIENCE) -> float:
        """Wait until the latest it was told is that state; since when. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not self.told(extension) or self.told(extension)[-1][1] != state:
                await self._next()
        return self.told(extension)[-1][0]

    async def end(self) -> None:
        for subscription in self._subscriptions.values():
            if subscription.answer is not None and subscription.answer.status == 200:
                self._send_subscribe(subscription, 0)
        await super().end()

    def take(self, message: Message) -> None:
        subscription = self._subscriptions.get(message.header("Call-ID"))
        if message.first_line.startswith("NOTIFY "):
            self.reply(message, 200, "OK")
            state = re.search(r"<state>(\w+)</state>", message.body)
            if subscription is not None and state is not None:
                subscription.told.append((time.time(), state.group(1)))
        elif message.first_line.startswith("INVITE "):
            self.reply(message, 486, "Busy Here")
        elif subscription is not None and message.status == 401 and subscription.number == 1:
            proof = self._account.authorization(message, "SUBSCRIBE", self._uri(subscription))
            self._send_subscribe(subscription, _EXPIRES, proof)
        elif subscription is not None and message.status >= 200 and subscription.answer is None:
            subscription.answer = message
        self._changed.set()

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _of(self, extension: str) -> _Subscription:
        return next(s for s in self._subscriptions.values() if s.extension == extension)

    def _uri(self, subscription: _Subscription) -> str:
        host, port = self.asterisk
        return f"sip:{subscription.extension}@{host}:{port}"

    def _send_subscribe(self, subscription: _Subscription, expires: int, *authorization: str) -> None:
        subscription.number += 1
        uri, answer = self._uri(subscription), subscription.answer
        self.send(
            f"SUBSCRIBE {uri} SIP/2.0",
            self.via(),
            f"From: <sip:{self.name}@{self.asterisk[0]}>;tag={self.tag}",
            f"To: {answer.header('To') if answer else f'<{uri}>'}",
            f"Call-ID: {subscription.call_id}",
            f"CSeq: {subscription.number} SUBSCRIBE",
            f"Contact: <sip:{self.name}@{self.here}>",
            "Max-Forwards: 70",
            "Event: dialog",
            "Accept: application/dialog-info+xml",
            f"Expires: {expires}",
            *authorization,
        )
