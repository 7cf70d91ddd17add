"""Phones for what no honest phone can be made to do: odd refusals, keys to the millisecond, hostile headers,
picking up another phone's call.

async with RefusingPhone(pbx.sip, pbx.sip_password, "agent2", 603, "Decline"):
    ...                                     # whoever calls agent2 is turned away with 603
async with ExactPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=700) as anna:
    await anna.rings()
    anna.answer()
    await anna.press_at("1", time.time() + 0.5)
async with HostileLead(pbx.sip, "sales", '"a\\"; b" <sip:1@x>', tone_hz=1750) as lead:
    await lead.answered()                   # a call whose From header is exactly that
async with ReplacingPhone(pbx.sip, pbx.sip_password, "agent3", tone_hz=900) as cleo:
    await cleo.pick_up(traffic.dialog(offer.call_id).replaces)
"""

from __future__ import annotations

import asyncio
import secrets
import time

from asterisk_warm.lab.rawsip import PATIENCE, Account, RawPeer, RegisteredPeer, Voice
from asterisk_warm.lab.sip import Message, Replaces


class RefusingPhone(RegisteredPeer):
    """A registered phone that turns every call away with `code`, after ringing for `after` seconds."""

    def __init__(
        self, sip: str, password: str, name: str, code: int, reason: str, after: float = 0.0
    ) -> None:
        super().__init__(sip, password, name)
        self.code, self.reason, self.after = code, reason, after
        self.refused = 0

    def take(self, message: Message) -> None:
        if message.first_line.startswith("INVITE "):
            self.reply(message, 180, "Ringing")
            asyncio.get_running_loop().call_later(self.after, self._refuse, message)
        elif message.first_line.startswith("CANCEL "):
            self.reply(message, 200, "OK")

    def _refuse(self, invite: Message) -> None:
        self.refused += 1
        self.reply(invite, self.code, self.reason)


class ExactPhone(RegisteredPeer):
    """A registered phone for one call at a time, whose keys are pressed to the millisecond.

    `call_id` names its present call in a capture. It says its tone from answer on.
    """

    def __init__(self, sip: str, password: str, name: str, *, tone_hz: int) -> None:
        super().__init__(sip, password, name)
        self.call_id = ""
        self.ended = asyncio.Event()
        self._tone_hz = tone_hz
        self._invites: asyncio.Queue[Message] = asyncio.Queue()
        self._latest = ""
        """The latest INVITE's Call-ID."""
        self._invite: Message | None = None
        self._voice: Voice | None = None

    async def rings(self, timeout: float = PATIENCE) -> None:
        """Wait for the next call. Raises TimeoutError."""
        self._invite = await asyncio.wait_for(self._invites.get(), timeout)
        self.call_id = self._invite.header("Call-ID")
        self.ended.clear()
        self._voice = Voice(self._tone_hz)
        await self._voice.open()

    def answer(self) -> None:
        """Pick up the call that rings."""
        assert self._invite is not None and self._voice is not None and self._invite.audio_port is not None
        self.reply(self._invite, 200, "OK", self._voice.sdp)
        self._voice.start(self.asterisk[0], self._invite.audio_port)

    @property
    def replaces(self) -> Replaces:
        """What another phone's INVITE names to take its present call over."""
        assert self._invite is not None
        return Replaces(self.call_id, to_tag=self._invite.tag("From", "f"), from_tag=self.tag)

    async def press_at(self, key: str, when: float) -> None:
        """Hold a key for 100 ms so that its first END packet leaves at `when` (epoch seconds).

        Raises ValueError when that is less than 100 ms away.
        """
        assert self._voice is not None
        await self._voice.press_at(key, when)

    async def end(self) -> None:
        if self._voice is not None:
            self._voice.close()
        await super().end()

    def take(self, message: Message) -> None:
        if message.first_line.startswith("INVITE ") and ";tag=" not in message.header("To"):
            self.reply(message, 180, "Ringing")
            if message.header("Call-ID") != self._latest:  # else sent again: Asterisk missed our answer
                self._latest = message.header("Call-ID")
                self._invites.put_nowait(message)
        elif message.first_line.startswith(("BYE ", "CANCEL ")):
            self.reply(message, 200, "OK")
            self._over(message)
        elif not message.status and message.method != "ACK":
            # A re-INVITE or UPDATE, to change a name: the sound stays as it is.
            self.reply(message, 200, "OK", self._voice.sdp if self._voice and message.audio_port else "")

    def _over(self, message: Message) -> None:
        if message.method == "CANCEL" and self._invite is not None:
            self.reply(self._invite, 487, "Request Terminated")
        if self._voice is not None:
            self._voice.close()
        self.ended.set()


class HastyPhone(ExactPhone):
    """An exact phone that can hang up as soon as its answer has been acknowledged: no phone may before."""

    def __init__(self, sip: str, password: str, name: str, *, tone_hz: int) -> None:
        super().__init__(sip, password, name, tone_hz=tone_hz)
        self._acknowledged = asyncio.Event()

    def answer(self) -> None:
        self._acknowledged.clear()
        super().answer()

    def take(self, message: Message) -> None:
        if message.method == "ACK":
            self._acknowledged.set()
        super().take(message)

    def hang_up(self) -> None:
        """End the call, which has been answered."""
        assert self._invite is not None and self._voice is not None
        host, port = self.asterisk
        invite = self._invite
        self.send(
            f"BYE sip:asterisk@{host}:{port} SIP/2.0",
            self.via(),
            f"From: {invite.header('To')};tag={self.tag}",
            f"To: {invite.header('From')}",
            f"Call-ID: {self.call_id}",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
        )
        self._voice.close()
        self.ended.set()

    async def hang_up_at(self, when: float) -> None:
        """The same at that moment (epoch seconds). Raises TimeoutError when no ACK has come."""
        await asyncio.wait_for(self._acknowledged.wait(), PATIENCE)
        await asyncio.sleep(max(0.0, when - time.time()))
        self.hang_up()


class HostileLead(RawPeer):
    """A lead whose INVITE carries `from_header` as it stands, and any `headers` beside it; it says a tone.

    Entering sends the INVITE; leaving hangs up. The call is `call_id` in a capture.
    """

    def __init__(
        self, sip: str, extension: str, from_header: str, *, headers: tuple[str, ...] = (), tone_hz: int
    ) -> None:
        super().__init__(sip)
        self.call_id = secrets.token_hex(8)
        self.final: Message | None = None
        self.ended = asyncio.Event()
        self._extension, self._headers = extension, headers
        self._from = f"From: {from_header};tag={self.tag}"
        self._decided = asyncio.Event()
        self._voice = Voice(tone_hz)
        self._number = 1
        """The INVITE's CSeq."""

    @property
    def status(self) -> int:
        """The INVITE's final code, 0 until it came."""
        return self.final.status if self.final else 0

    async def answered(self, timeout: float = PATIENCE) -> None:
        """Wait for the answer. Raises TimeoutError, or RuntimeError when the call was refused."""
        await asyncio.wait_for(self._decided.wait(), timeout)
        if self.status != 200:
            raise RuntimeError(f"refused: {self.final.first_line if self.final else ''}")

    async def press_fast(self, keys: str, apart: float = 0.14) -> None:
        """Press keys as fast as a machine does: each held for 100 ms, their ends so many seconds apart."""
        when = time.time()
        for key in keys:
            # At least: a busy machine presses later, never less long.
            when = max(when + apart, time.time() + 0.11)
            await self._voice.press_at(key, when)

    async def begin(self) -> None:
        await self._voice.open()
        self._invite()

    async def end(self) -> None:
        self._voice.close()
        if self.final is None:
            self.send(*self._request("CANCEL", self._number, self._invite_via, self._to))
        elif not self.ended.is_set():
            self.send(*self._request("BYE", self._number + 1, self.via(), self.final.header("To")))

    def _invite(self, *more: str) -> None:
        self._invite_via = self.via()
        lines = [*self._request("INVITE", self._number, self._invite_via, self._to), *self._headers, *more]
        self.send(*lines, "Content-Type: application/sdp", body=self._voice.sdp)

    @property
    def _to(self) -> str:
        return f"<sip:{self._extension}@{self.asterisk[0]}>"

    @property
    def _uri(self) -> str:
        host, port = self.asterisk
        return f"sip:{self._extension}@{host}:{port}"

    def _request(self, method: str, number: int, via: str, to: str) -> list[str]:
        return [
            f"{method} {self._uri} SIP/2.0",
            via,
            self._from,
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self.here}>",
            "Max-Forwards: 70",
        ]

    def take(self, message: Message) -> None:
        if message.status >= 200 and message.method == "INVITE":
            # The ACK to a refusal belongs to the INVITE's own transaction.
            via = self.via() if message.status == 200 else self._invite_via
            self.send(*self._request("ACK", self._number, via, message.header("To")))
            self._settle(message)
        elif message.first_line.startswith("BYE "):
            self.reply(message, 200, "OK")
            self._voice.close()
            self.ended.set()
        elif not message.status and message.method != "ACK":
            # A re-INVITE or UPDATE, to change a name: the sound stays as it is.
            self.reply(message, 200, "OK", self._voice.sdp if message.audio_port else "")

    def _settle(self, message: Message) -> None:
        if self.final is not None:
            return
        self.final = message
        self._decided.set()
        if message.status == 200 and message.audio_port is not None:
            self._voice.start(self.asterisk[0], message.audio_port)
        else:
            self.ended.set()


class ReplacingPhone(HostileLead):
    """A registered phone that takes over another phone's call (INVITE with Replaces); it says a tone then.

    Its own call is `call_id` in a capture. Leaving hangs up.
    """

    def __init__(self, sip: str, password: str, name: str, *, tone_hz: int) -> None:
        host = sip.rpartition(":")[0]
        super().__init__(sip, name, f"<sip:{name}@{host}>", tone_hz=tone_hz)
        self.name = name
        self._account = Account(name, password)

    async def begin(self) -> None:
        await self._account.register(self, expires=600)
        await self._voice.open()

    async def end(self) -> None:
        if self._headers:
            await super().end()
        else:
            self._voice.close()
        await self._account.register(self, expires=0)

    async def pick_up(self, replaced: Replaces, timeout: float = PATIENCE) -> None:
        """Take a call over, once; returns when it stands. Raises TimeoutError, or RuntimeError (refused)."""
        self._headers = (f"Replaces: {replaced}", "Require: replaces")
        self._invite()
        await self.answered(timeout)

    def hang_up(self) -> None:
        """End the call, which has been answered."""
        assert self.final is not None
        self.send(*self._request("BYE", self._number + 1, self.via(), self.final.header("To")))
        self._voice.close()
        self.ended.set()

    def take(self, message: Message) -> None:
        if message.status == 401 and self._number == 1:
            self.send(*self._request("ACK", self._number, self._invite_via, message.header("To")))
            self._number = 2
            self._invite(self._account.authorization(message, "INVITE", self._uri))
        elif message.first_line.startswith("INVITE ") and message.header("Call-ID") != self.call_id:
            self.reply(message, 486, "Busy Here")
        else:
            super().take(message)
