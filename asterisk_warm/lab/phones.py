"""Scripted SIP phones: a real user agent (baresip), driven line by line.

    async with Phones(pbx.sip, pbx.sip_password) as phones:
        anna = await phones.register("agent1", tone_hz=700)
        lead = phones.lead("Grant Weatherly", "+15551230001", tone_hz=1750)
        call = await lead.dial("sales")
        offer = await anna.rings()
        await offer.answer()
        await call.answered()

Every phone sends a steady tone of its own (or a WAV, over and over) from answer to hang-up, and keeps what it
hears.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import baresip
from baresip import BaresipError, Config, Runtime, StackEvent, UserAgent

from asterisk_warm.lab.call import Call, PhoneError
from asterisk_warm.lab.tones import read_wav, repeat, write_wav

__all__ = ["Call", "Phone", "PhoneError", "Phones"]

# A phone's buffer holds 2 s; the stack skips ahead when it is more than half full.
_LISTEN_EVERY = 0.2
_SPEECH_SECONDS = 180.0
_LAST_WORDS = 1.0


class Phone:
    """One SIP phone. Made by `Phones`; `name` is its endpoint's name or, for a lead, its number."""

    def __init__(self, phones: Phones, name: str, account: str) -> None:
        self.name = name
        self._phones = phones
        self._account = account
        self._agent: UserAgent | None = None
        self._incoming: asyncio.Queue[Call] = asyncio.Queue()
        self.calls: list[Call] = []

    def __repr__(self) -> str:
        return f"<Phone {self.name}>"

    async def register(self) -> None:
        """Tell Asterisk where it is, anew when it has before. Raises baresip.RegistrationError."""
        agent = await self._user_agent()
        # Else the stack sends both at once, and the answer to the farewell passes for the other's.
        await agent.unregister()
        await agent.register()

    async def unregister(self, timeout: float = 5.0) -> None:
        """Be unreachable from now on. Does nothing when it is not registered. Raises RegistrationError."""
        await (await self._user_agent()).unregister(timeout=timeout)

    async def rings(self, timeout: float = 5.0) -> Call:
        """The next call that rings here, waiting for it. Raises TimeoutError."""
        try:
            return await asyncio.wait_for(self._incoming.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"{self.name} did not ring within {timeout:g} s") from None

    @property
    def is_ringing(self) -> bool:
        """Is there a call here that is neither answered nor over (or not yet asked for with `rings`)?"""
        return any(call.is_ringing for call in self.calls)

    async def dial(self, extension: str) -> Call:
        """Call an extension; returns while it is being set up (`await call.answered()`)."""
        agent = await self._user_agent()
        began_at = time.time()
        call = await agent.dial(f"sip:{extension}@{self._phones.sip}")
        return self._keep(call, began_at)

    async def _user_agent(self) -> UserAgent:
        if self._agent is None:
            self._agent = await UserAgent.create(self._phones.runtime, self._account)
            self._agent.on_incoming(lambda call: self._incoming.put_nowait(self._keep(call, time.time())))
        return self._agent

    def _keep(self, native: baresip.Call, began_at: float) -> Call:
        call = Call(self.name, native, began_at)
        self.calls.append(call)
        self._phones.keep(call)
        return call


class Phones:
    """All phones of this process (the SIP stack allows one set at a time), as an async context manager.

    `record=False` saves the CPU of keeping what is heard, where a capture tells it anyway.
    """

    def __init__(self, sip: str, password: str, *, record: bool = True) -> None:
        self.sip = sip
        self.runtime = Runtime(native_log_level="error")
        self._password = password
        self._record = record
        self._registered: list[Phone] = []
        self._calls: dict[int, Call] = {}
        self._early: dict[int, list[StackEvent]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._files = tempfile.TemporaryDirectory(prefix="phones-")

    async def __aenter__(self) -> Self:
        # On loopback the stack must be told so, and only it knows the From header's display name.
        config = Config(
            net_interface="127.0.0.1",
            max_concurrent_calls=None,
            expose_headers=("From",),
            native_log_level="error",
        )
        await self.runtime.start(config)
        self.runtime.subscribe(self._on_event)
        if self._record:
            self._listener = asyncio.create_task(self._listen(), name="phones listen")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
        with suppress(BaresipError):
            await self.hang_up_all()
        await self._unregister_all()
        await self.runtime.close()
        self._files.cleanup()

    async def register(self, name: str, *, tone_hz: int = 0, says: Path | None = None) -> Phone:
        """An agent's phone (or the qualifier's), registered. Raises baresip.RegistrationError."""
        phone = self.agent(name, tone_hz=tone_hz, says=says)
        await phone.register()
        self._registered.append(phone)
        return phone

    def agent(self, name: str, *, tone_hz: int = 0, says: Path | None = None) -> Phone:
        """An agent's phone that is not registered, so cannot be reached."""
        address = f"<sip:{name}@{self.sip};transport=udp>"
        credentials = f'auth_pass="{self._password}";regint=600'
        return Phone(self, name, f"{address};{credentials};{self._voice(tone_hz, says)}")

    def lead(self, name: str, number: str, *, tone_hz: int = 0, says: Path | None = None) -> Phone:
        """A lead's phone, which registers nowhere; `name` and `number` go out as its From header.

        `name` cannot hold quotes or line ends here: see rawphones for what no honest phone would send.
        """
        address = f'"{name}" <sip:{number}@{self.sip};transport=udp>'
        return Phone(self, number, f"{address};regint=0;{self._voice(tone_hz, says)}")

    async def hang_up_all(self) -> None:
        """End every call of every phone."""
        for call in list(self._calls.values()):
            if not call.is_over:
                await call.hang_up()

    async def _unregister_all(self) -> None:
        # Else the next scene finds phones that are not there. Asterisk itself may be gone by now.
        await asyncio.gather(*(self._unregister(phone) for phone in self._registered))

    async def _unregister(self, phone: Phone) -> None:
        with suppress(BaresipError):
            await phone.unregister(_LAST_WORDS)

    def keep(self, call: Call) -> None:
        """Look after a call: what happens to it, and what it hears."""
        self._calls[call.handle] = call
        for event in self._early.pop(call.handle, ()):
            call.on_event(event)

    def _on_event(self, event: StackEvent) -> None:
        # A quick refusal is told before dialling has returned, when nobody knows the call yet: keep it.
        if event.call in self._calls:
            self._calls[event.call].on_event(event)
        elif event.call:
            self._early.setdefault(event.call, []).append(event)

    def _voice(self, tone_hz: int, says: Path | None) -> str:
        source = f"aufile,{self._looped(says)}" if says is not None else f"ausine,{tone_hz}"
        if says is None and not tone_hz:
            source = "aumem,silence"
        return f"answermode=manual;audio_codecs=pcmu;dtmfmode=rtpevent;audio_source={source}"

    def _looped(self, says: Path) -> Path:
        """A copy of the WAV that goes on long enough: the stack plays a file once."""
        copy = Path(self._files.name) / f"{says.stem[:20]}.wav"
        return write_wav(copy, repeat(read_wav(says), _SPEECH_SECONDS))

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(_LISTEN_EVERY)
            for call in self._calls.values():
                call.take_sound()
