"""One call at one scripted phone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import baresip
import numpy as np
from baresip import (
    AudioNotActive,
    AudioRestarted,
    BaresipError,
    Event,
    StackEvent,
    StaleHandleError,
    TransferFailed,
)

from asterisk_warm.lab.sip import name_and_number
from asterisk_warm.lab.tones import FRAME_SECONDS, RATE, Samples, write_wav

_ALL_THERE_IS = 1 << 20
_PATIENCE = 2.0
_TRY_AGAIN = 0.02
# baresip names a good end of a transfer only by closing the call; it takes any 2xx for one.
_TRANSFERRED = "200 OK"
# The stack's words for how a call ended, in ours.
_BY_PEER = "the other side hung up"
_BY_US = "hung up here"
_CAUSES = (
    ("Connection reset by peer", _BY_PEER),
    ("Rejected by user", _BY_US),
    ("Call transfered", "transferred"),
)


class PhoneError(AssertionError):
    """A phone did not see what the scene says it should."""


class Call:
    """A call as its phone sees it. Moments are epoch seconds, None until they come."""

    def __init__(self, phone: str, native: baresip.Call, began_at: float) -> None:
        self.phone = phone
        self.caller_name, self.caller_number = name_and_number(native.headers.get("From", ""))
        self.began_at = began_at
        self.rang_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.call_id = native.call_id or ""
        self.cause = ""
        self.digits = ""
        self._native = native
        self._rang, self._answered, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._agreed = asyncio.Event()
        self._heard: list[bytes] = []
        native.on_dtmf(self._on_digit)

    def __repr__(self) -> str:
        state = "over" if self.is_over else "talking" if self.is_answered else "ringing"
        return f"<Call at {self.phone}: {state}>"

    # -- what is so --------------------------------------------------------------------------------

    @property
    def handle(self) -> int:
        """The stack's own name for it. `call_id`, the SIP Call-ID, is what a capture knows it by."""
        return int(self._native.handle)

    @property
    def is_answered(self) -> bool:
        return self._answered.is_set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def is_ringing(self) -> bool:
        return not self.is_answered and not self.is_over

    @property
    def is_held(self) -> bool:
        """Has the person put the other side on hold?"""
        return bool(self._native.is_on_hold)

    # -- what the person does ----------------------------------------------------------------------

    async def answer(self, timeout: float = 5.0) -> None:
        """Pick up, and wait until the call stands. Raises PhoneError when the caller has gone."""
        try:
            await self._native.answer()
        except StaleHandleError:
            raise PhoneError(f"{self.phone} could not answer: {self.cause}") from None
        await self.answered(timeout)

    async def busy(self) -> None:
        """Turn a ringing call away with 486 Busy Here."""
        await self._native.reject()

    async def press(self, digits: str) -> None:
        """Press keys by RFC 4733; returns 100 ms after the last went down.

        The first packet of a key goes out within 20 ms, its END some 80 ms after the return; keys less than
        0.4 s apart queue up. See rawphones.ExactPhone where a moment matters.
        """
        await self._native.send_dtmf(digits)

    async def hold(self, timeout: float = _PATIENCE) -> None:
        """Put the other side on hold (the Hold key); returns when Asterisk has agreed. Raises PhoneError."""
        if not self.is_held:
            await self._renegotiate("hold", self._native.hold, timeout)

    async def resume(self, timeout: float = _PATIENCE) -> None:
        """Take the other side off hold; returns when Asterisk has agreed. Raises PhoneError."""
        if self.is_held:
            await self._renegotiate("resume", self._native.resume, timeout)

    async def transfer(self, extension: str, timeout: float = 15.0) -> str:
        """Send the other side to an extension (the Transfer key: REFER), and wait how that goes.

        Returns the last status that Asterisk told: "200 OK" (this call is over then), or a failure such as
        "503 Service Unavailable" (it goes on), be it in a NOTIFY or in answer to the REFER itself. Raises
        PhoneError when it told none in time, or hung up instead.
        """
        return await self._outcome(self._native.transfer(extension, timeout=timeout))

    async def attended_transfer(self, other: Call, timeout: float = 15.0) -> str:
        """Connect the other side with that of `other`, a call of the same phone (REFER with Replaces).

        Both are put on hold first, and stay so when it fails. Returns and raises as `transfer`.
        """
        await self.hold()
        await other.hold()
        return await self._outcome(self._native.attended_transfer(other._native, timeout=timeout))

    async def _renegotiate(self, what: str, change: Callable[[], Awaitable[None]], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self._agreed.clear()
        try:
            await self._insist(change, deadline)
            await asyncio.wait_for(self._agreed.wait(), deadline - time.monotonic())
        except TimeoutError:
            raise PhoneError(f"{self.phone} could not {what} within {timeout:g} s") from None

    async def _insist(self, change: Callable[[], Awaitable[None]], deadline: float) -> None:
        # Refused while an INVITE or its ACK is under way, such as a new name on the display. Not under
        # asyncio.timeout: before Python 3.12 the stack's own wait_for may swallow what that does.
        while time.monotonic() < deadline:
            try:
                return await change()
            except BaresipError:
                if self.is_over:
                    raise PhoneError(f"the call at {self.phone} is over: {self.cause}") from None
                await asyncio.sleep(_TRY_AGAIN)
        raise TimeoutError

    async def _outcome(self, transfer: Awaitable[None]) -> str:
        try:
            await transfer
        except TransferFailed as failed:
            if failed.status is None:
                raise PhoneError(f"{self.phone} could not transfer: {failed}") from None
            return f"{failed.status} {failed.reason}"
        except BaresipError as refused:
            raise PhoneError(f"{self.phone} could not transfer: {refused}") from None
        return _TRANSFERRED

    async def hang_up(self) -> None:
        """End the call (a ringing one is turned away with 486). One that is over already stays so."""
        try:
            await self._native.hangup()
        except StaleHandleError:
            return

    # -- what the person waits for -----------------------------------------------------------------

    async def ringing(self, timeout: float = 5.0) -> None:
        """Wait until the far end rings (180 or 183). Raises PhoneError."""
        await self._first_of(self._rang, timeout, "ringing")

    async def answered(self, timeout: float = 5.0) -> None:
        """Wait until the call is answered. Raises PhoneError when it ends instead, or nothing happens."""
        await self._first_of(self._answered, timeout, "answered")

    async def ended(self, timeout: float = 5.0) -> str:
        """Wait until the call is over; returns why, in words or as SIP put it ("486 Busy Here…")."""
        try:
            await asyncio.wait_for(self._over.wait(), timeout)
        except TimeoutError:
            raise PhoneError(f"the call at {self.phone} did not end within {timeout:g} s") from None
        return self.cause

    async def _first_of(self, event: asyncio.Event, timeout: float, what: str) -> None:
        waits = [asyncio.ensure_future(e.wait()) for e in (event, self._over)]
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not event.is_set():
            why = f"it ended: {self.cause}" if self.is_over else f"not within {timeout:g} s"
            raise PhoneError(f"the call at {self.phone} was not {what}: {why}")

    # -- what was heard ----------------------------------------------------------------------------

    @property
    def heard(self) -> Samples:
        """What this phone has heard so far, as 8 kHz samples, delayed by its jitter buffer."""
        return np.frombuffer(b"".join(self._heard), dtype=np.int16)

    def save_heard(self, path: Path) -> Path:
        """Write what this phone heard as a WAV."""
        self.take_sound()
        return write_wav(path, self.heard)

    async def listen_for(self, seconds: float) -> None:
        """Go on until this phone has heard that much more. Raises PhoneError when the sound stops."""
        enough = len(self.heard) + round(seconds * RATE)
        deadline = time.monotonic() + seconds + _PATIENCE
        while len(self.heard) < enough:
            if self.is_over or time.monotonic() > deadline:
                raise PhoneError(f"{self.phone} heard nothing more: {self.cause or 'no sound'}")
            await asyncio.sleep(FRAME_SECONDS)
            self.take_sound()

    def take_sound(self) -> None:
        """Keep what has arrived since the last time. Called all along by `Phones`."""
        if self.is_over:
            return
        try:
            self._heard.append(self._native.audio.read(_ALL_THERE_IS))
        except (AudioNotActive, AudioRestarted):
            return

    # -- what the stack tells ----------------------------------------------------------------------

    def on_event(self, event: StackEvent) -> None:
        """Take note of what happened to this call. Called by `Phones`."""
        now = time.time()
        self.call_id = self.call_id or event.call_id or ""
        if event.event in (Event.CALL_RINGING, Event.CALL_PROGRESS):
            self.rang_at = self.rang_at or now
            self._rang.set()
        elif event.event is Event.CALL_ESTABLISHED:
            self.answered_at = now
            self._answered.set()
        elif event.event is Event.CALL_REMOTE_SDP and event.text == "answer":
            self._agreed.set()
        elif event.event is Event.CALL_CLOSED:
            self.ended_at = now
            self.cause = _in_words(event.text or "")
            self._over.set()

    def _on_digit(self, digit: baresip.DigitEvent) -> None:
        self.digits += digit.digit


def _in_words(text: str) -> str:
    return next((words for start, words in _CAUSES if text.startswith(start)), text)
