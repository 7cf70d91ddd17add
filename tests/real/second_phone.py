"""A second user agent, independent of the lab's own: linphone (liblinphone, belle-sip), headless and scripted.

    async with SecondPhone(pbx.sip, pbx.sip_password, "agent2", tone_hz=800) as bert:
        offer = await bert.rings()
        await offer.answer()
        assert await offer.transfer("agent1") == "200 OK"

Phones and calls are asked as those of asterisk_warm.lab.phones are, so that one scene can be played with either.

What happens is told by two sources: linphone-daemon's own events have the state of each call, and its log holds
every SIP message, as it was sent and received.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_warm.lab.call import PhoneError
from asterisk_warm.lab.sip import Dialog, Message, name_and_number
from asterisk_warm.lab.tones import chord, repeat, write_wav

PATIENCE = 5.0
_POLL = 0.02
"""linphone itself looks around that often."""
_KEY_SECONDS = 0.2
# linphone-daemon crashes when a file that it plays into a call ends.
_TONE_SECONDS = 300.0
_LONGEST_ANSWER = 65536

# A network of `lo` alone counts as none, and nothing may be searched for, asked or stored elsewhere.
_CONFIG = """
[sip]
sip_port=-1
sip_tcp_port=0
sip_tls_port=0
bind_address=127.0.0.1
use_ipv6=0
guess_hostname=0
contact=sip:{name}@127.0.0.1
default_proxy=0
auto_net_state_mon=0
register_only_when_network_is_up=0
keepalive_period=0
publish_presence=0
inc_timeout=120
use_info=0
use_rfc2833=1
[net]
dns_srv_enabled=0
dns_search_enabled=0
[rtp]
audio_rtp_port=-1
[video]
enabled=0
capture=0
display=0
automatically_initiate=0
automatically_accept=0
[sound]
disable_ringing=1
echocancellation=0
[storage]
uri=null
call_logs_db_uri=null
friends_db_uri=null
zrtp_secrets_db_uri=null
[misc]
add_missing_audio_codecs=0
add_missing_video_codecs=0
[proxy_0]
reg_proxy=<sip:{sip};transport=udp>
reg_identity=sip:{name}@{sip}
reg_expires=600
reg_sendregister=1
publish=0
dial_escape_plus=0
[auth_info_0]
username={name}
passwd={password}
realm=asterisk
[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
"""


class SecondCall:
    """A call as linphone sees it."""

    def __init__(self, phone: SecondPhone, number: int, caller: str) -> None:
        self.phone = phone.name
        self.caller_name, self.caller_number = name_and_number(caller)
        self.states: list[str] = []
        """Every state it has been in, in linphone's words: "IncomingReceived", "StreamsRunning", "Paused"…"""
        self._agent = phone
        self._number = number

    def __repr__(self) -> str:
        return f"<SecondCall at {self.phone}: {self._state}>"

    # -- what is so --------------------------------------------------------------------------------

    @property
    def call_id(self) -> str:
        """The SIP Call-ID, by which a capture knows it."""
        return self._agent.call_ids[self._number - 1]

    @property
    def is_answered(self) -> bool:
        return "StreamsRunning" in self.states

    @property
    def is_over(self) -> bool:
        return bool({"End", "Error", "Released"} & set(self.states))

    @property
    def is_ringing(self) -> bool:
        return not self.is_answered and not self.is_over

    @property
    def is_held(self) -> bool:
        """Has the person put the other side on hold?"""
        return self._state == "Paused"

    @property
    def dialog(self) -> Dialog:
        """The call as its own log has it. Moments are up to 40 ms late: a capture's are exact."""
        messages = [m for m in self._agent.messages if m.header("Call-ID", "i") == self.call_id]
        return Dialog(self.call_id, messages[0].from_phone, messages)

    @property
    def _state(self) -> str:
        return self.states[-1] if self.states else ""

    # -- what the person does ----------------------------------------------------------------------

    async def answer(self, timeout: float = PATIENCE) -> None:
        """Pick up, and wait until the call stands. Raises PhoneError when the caller has gone."""
        await self._agent.command(f"answer {self._number}")
        await self.answered(timeout)

    async def hang_up(self) -> None:
        """End the call (a ringing one is turned away). One that is over already stays so."""
        with suppress(PhoneError):
            await self._agent.command(f"terminate {self._number}")
        await self.ended()

    async def press(self, digits: str) -> None:
        """Press keys by RFC 4733, one after the other; returns when the last is up again."""
        for digit in digits:
            await self._agent.command(f"dtmf {digit}")
            await asyncio.sleep(_KEY_SECONDS)

    async def hold(self, timeout: float = PATIENCE) -> None:
        """Put the other side on hold; returns when Asterisk has agreed. Raises PhoneError."""
        if not self.is_held:
            await self._change("call-pause", "Paused", timeout)

    async def resume(self, timeout: float = PATIENCE) -> None:
        """Take the other side off hold; returns when Asterisk has agreed. Raises PhoneError."""
        if self.is_held:
            await self._change("call-resume", "StreamsRunning", timeout)

    async def transfer(self, extension: str, timeout: float = 15.0) -> str:
        """Send the other side to an extension (REFER), and wait how that goes.

        Returns the last status that Asterisk told, in a NOTIFY or in answer to the REFER itself: "200 OK",
        "503 Service Unavailable". Raises PhoneError when it told none in time.
        """
        return await self._refer(f"sip:{extension}@{self._agent.sip}", timeout)

    async def attended_transfer(self, other: SecondCall, timeout: float = 15.0) -> str:
        """Connect the other side with that of `other`, a call of the same phone (REFER with Replaces).

        Returns and raises as `transfer`.
        """
        return await self._refer(str(other._number), timeout)

    async def _change(self, command: str, state: str, timeout: float) -> None:
        async def insist() -> bool:
            if self.is_over:
                raise PhoneError(f"the call at {self.phone} is over: {self.cause}")
            # Refused while an INVITE is under way, such as a new name on the display.
            with suppress(PhoneError):
                await self._agent.command(f"{command} {self._number}")
                return True
            return False

        await self._agent.until(insist, timeout, f"{command} of {self!r}")
        await self._agent.until(lambda: self._state == state, timeout, f"{command} of {self!r}")

    async def _refer(self, target: str, timeout: float) -> str:
        before = len(_outcomes(self.dialog))
        await self._agent.command(f"call-transfer {self._number} {target}")
        await self._agent.until(
            lambda: len(_outcomes(self.dialog)) > before, timeout, f"the outcome of the transfer of {self!r}"
        )
        return _outcomes(self.dialog)[before]

    # -- what the person waits for -----------------------------------------------------------------

    async def ringing(self, timeout: float = PATIENCE) -> None:
        """Wait until the far end rings (180 or 183). Raises PhoneError."""
        rings = {"OutgoingRinging", "OutgoingEarlyMedia"}
        await self._agent.until(lambda: bool(rings & set(self.states)), timeout, f"ringing of {self!r}")

    async def answered(self, timeout: float = PATIENCE) -> None:
        """Wait until the call is answered. Raises PhoneError when it ends instead, or nothing happens."""
        await self._agent.until(lambda: self.is_answered or self.is_over, timeout, f"answering of {self!r}")
        if not self.is_answered:
            raise PhoneError(f"the call at {self.phone} was not answered: it ended: {self.cause}")

    async def ended(self, timeout: float = PATIENCE) -> str:
        """Wait until the call is over; returns why, in words or as SIP put it ("486 Busy Here")."""
        await self._agent.until(lambda: self.is_over, timeout, f"the end of {self!r}")
        return self.cause

    @property
    def cause(self) -> str:
        """Why the call is over."""
        if not self.is_over:
            return ""
        for message in self.dialog.messages:
            if message.first_line.startswith(("BYE ", "CANCEL ")):
                return "hung up here" if message.from_phone else "the other side hung up"
            if not self.is_answered and message.status >= 300 and message.status not in (401, 407):
                return "hung up here" if message.from_phone else message.first_line.partition(" ")[2]
        return "no message tells"


class SecondPhone:
    """One registered phone of linphone's, as an async context manager. It says a steady tone from answer on.

    Entering raises PhoneError where linphone-daemon does not start, or is missing (Debian: linphone-cli).
    """

    def __init__(self, sip: str, password: str, name: str, *, tone_hz: int = 0) -> None:
        self.sip = sip
        self.name = name
        self.calls: list[SecondCall] = []
        self.messages: list[Message] = []
        """Every SIP message that it sent and received."""
        self.call_ids: list[str] = []
        """The Call-ID of each of `calls`, and of one that is about to begin."""
        self._password = password
        self._tone_hz = tone_hz
        self._incoming: asyncio.Queue[SecondCall] = asyncio.Queue()
        self._one_at_a_time = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<SecondPhone {self.name}>"

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="linphone-"))
        self._socket = Path("/tmp") / f"linphone-{secrets.token_hex(6)}"
        try:
            await self._launch()
            self._reader, self._writer = await self._connect()
            self._log = _SipLog(self._folder / "log")
            self._watch = asyncio.create_task(self._pump(), name=f"watch {self!r}")
            await self.registered()
        except BaseException:
            await self._shut_down()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with suppress(PhoneError):  # Asterisk may be gone by now
                for call in self.calls:
                    await call.hang_up()
                await self.unregister()
        finally:
            await self._shut_down()

    @property
    def is_ringing(self) -> bool:
        """Is there a call here that is neither answered nor over?"""
        return any(call.is_ringing for call in self.calls)

    # -- what the person does ----------------------------------------------------------------------

    async def registered(self, timeout: float = PATIENCE) -> None:
        """Wait until Asterisk knows where the phone is. Raises PhoneError."""
        await self.until(self._is_registered, timeout, f"registration of {self!r}")

    async def unregister(self, timeout: float = PATIENCE) -> None:
        """Be unreachable from now on. Raises PhoneError."""
        await self.command("unregister ALL")
        await self.until(self._is_unregistered, timeout, f"farewell of {self!r}")

    async def rings(self, timeout: float = PATIENCE) -> SecondCall:
        """The next call that rings here, waiting for it. Raises TimeoutError."""
        try:
            return await asyncio.wait_for(self._incoming.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"{self.name} did not ring within {timeout:g} s") from None

    async def dial(self, extension: str, timeout: float = PATIENCE) -> SecondCall:
        """Call an extension; returns while it is being set up. A call that stands is put on hold for it."""
        answer = await self.command(f"call sip:{extension}@{self.sip}")
        number = int(_field(answer, "Id"))
        await self.until(
            lambda: len(self.calls) >= number and len(self.call_ids) >= number,
            timeout,
            f"a call to {extension}",
        )
        return self.calls[number - 1]

    # -- linphone-daemon ---------------------------------------------------------------------------

    async def command(self, line: str) -> str:
        """Have linphone-daemon do something, and return its answer. Raises PhoneError when it refuses."""
        # Whoever asked may be cancelled: their answer must not be taken for the next one's.
        answer = await asyncio.shield(asyncio.ensure_future(self._exchange(line)))
        if not answer.startswith("Status: Ok"):
            raise PhoneError(f"{self.name}: {line!r}: {answer.strip() or 'linphone-daemon has gone'}")
        return answer

    async def _exchange(self, line: str) -> str:
        async with self._one_at_a_time:
            self._writer.write(line.encode())
            # It writes each answer in one piece, and marks no end of it.
            return (await asyncio.wait_for(self._reader.read(_LONGEST_ANSWER), PATIENCE)).decode()

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], timeout: float, what: str) -> None:
        """Wait until something holds. Raises PhoneError when it does not in time, or linphone-daemon has gone."""
        deadline = time.monotonic() + timeout
        while True:
            told = holds()
            if told is True or (not isinstance(told, bool) and await told):
                return
            if self._watch.done():
                raise PhoneError(f"{what}: linphone-daemon has gone:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise PhoneError(f"{what}: not within {timeout:g} s")
            await asyncio.sleep(_POLL)

    async def _is_registered(self) -> bool:
        with suppress(PhoneError):  # it refuses once there is no account any more
            return _field(await self.command("register-status ALL"), "State") == "LinphoneRegistrationOk"
        return False

    async def _is_unregistered(self) -> bool:
        return not await self._is_registered()

    async def _launch(self) -> None:
        config = self._folder / "config"
        config.write_text(_CONFIG.format(name=self.name, sip=self.sip, password=self._password))
        self._tone = write_wav(self._folder / "tone.wav", repeat(chord((self._tone_hz,), 1.0), _TONE_SECONDS))
        command = ["linphone-daemon", "--pipe", self._socket.name, "--config", str(config)]
        command += ["--log", str(self._folder / "log"), "--disable-stats-events"]
        with (self._folder / "output").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", *command),
                cwd=self._folder,
                env={"HOME": str(self._folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        deadline = time.monotonic() + PATIENCE
        while self._process.returncode is None and time.monotonic() < deadline:
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return await asyncio.open_unix_connection(self._socket)
            await asyncio.sleep(_POLL)
        raise PhoneError(f"linphone-daemon did not start:\n{self._last_words()}")

    async def _pump(self) -> None:
        while True:
            event = await self.command("pop-event")
            self._read_log()
            if "Event-type: call-state-changed" in event:
                await self._take(event)
            else:
                await asyncio.sleep(_POLL)

    def _read_log(self) -> None:
        for message in self._log.news():
            self.messages.append(message)
            call_id = message.header("Call-ID", "i")
            if message.first_line.startswith("INVITE ") and call_id not in self.call_ids:
                self.call_ids.append(call_id)

    async def _take(self, event: str) -> None:
        number, state = int(_field(event, "Id")), _field(event, "Event").removeprefix("LinphoneCall")
        if number > len(self.calls):
            self.calls.append(SecondCall(self, number, _field(event, "From")))
        call = self.calls[number - 1]
        call.states.append(state)
        if state == "IncomingReceived":
            self._incoming.put_nowait(call)
        elif state == "StreamsRunning":
            with suppress(PhoneError):  # the call may be over by now
                await self.command(f"incall-player-start {self._tone} {number}")

    async def _shut_down(self) -> None:
        if hasattr(self, "_watch"):
            self._watch.cancel()
            await asyncio.wait([self._watch])
            async with self._one_at_a_time:
                self._writer.close()
        if hasattr(self, "_process") and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._socket.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _last_words(self) -> str:
        files = [self._folder / name for name in ("output", "log")]
        said = "".join(file.read_text(errors="replace") for file in files if file.exists())
        return "\n".join(said.splitlines()[-15:])


class _SipLog:
    """The SIP messages in linphone's log, as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def news(self) -> list[Message]:
        """What is complete since the last time: a message ends where the next line of the log itself begins."""
        with self._path.open("rb") as log:
            log.seek(self._read)
            found = [*_LOGGED.finditer(log.read())]
        if found:
            self._read += found[-1].end()
        return [_message(match) for match in found]


_LOGGED = re.compile(
    rb"channel \[\w+\]: (?P<way>message sent to|received) [^\n]*\n(?P<text>.*?)(?=^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d)",
    re.DOTALL | re.MULTILINE,
)


def _message(match: re.Match[bytes]) -> Message:
    lines = match["text"].decode("utf-8", "replace").strip("\r\n").splitlines()
    return Message(time.time(), match["way"].startswith(b"message sent"), "\r\n".join(lines))


def _outcomes(dialog: Dialog) -> list[str]:
    """What Asterisk told for good of each transfer: 300 and above in answer, 200 and above in a NOTIFY."""
    told = [(m.at, m.first_line) for m in dialog.messages if m.status >= 300 and m.method == "REFER"]
    told += [(at, line) for at, line in dialog.notified if not line.startswith("SIP/2.0 1")]
    return [line.partition(" ")[2] for _, line in sorted(told)]


def _field(answer: str, name: str) -> str:
    match = re.search(rf"^{name}: (.*)$", answer, re.MULTILINE)
    return match.group(1).strip() if match else ""
