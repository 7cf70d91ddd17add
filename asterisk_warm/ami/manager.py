"""Asterisk's manager interface by panoramisk, behind guards for what it lacks.

panoramisk lets line ends in a value inject an action, sends an action that was pending again after a
reconnect, never notices a frozen peer, loses characters split over two segments and retries a wrong secret
for ever. So: one panoramisk `Manager` per connection, never reused; values are checked; every answer has a
time limit; a ping that is not answered ends the connection."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager as Panoramisk

from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import LegGone, PbxRefused, PbxUnreachable
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

ACTION_SECONDS = 4.0
PING_SECONDS = 10.0
FIRST_RETRY, LAST_RETRY = 0.2, 10.0
_GONE = re.compile("Channel does not exist|No such channel|channel not up")
_NAMES = ("event", "actionid", "commandid")
_END = b"\r\n\r\n"
NEVER = 1 << 30
"""Switches off panoramisk's own ping, which does not look at the answer."""
Listener = Callable[[Mapping[str, str]], None]
_CLASSES = {
    "UserEvent": "user",
    "DeviceStateChange": "call",
    "ExtensionStatus": "call",
    "QueueMemberPause": "agent",
}
"""The events that can be listened to, and the class in which Asterisk sends each: our user must be allowed to
read it (`read` in manager.conf)."""


class WrongSecret(Exception):
    """Asterisk refuses our AMI user or secret: trying again would not help before somebody changes one of
    them."""


class AmiManager:
    """Stays connected while `run` runs; actions are refused when it is not."""

    def __init__(self, host: str, port: int, user: str, secret: str) -> None:
        self._address = (host, port)
        self._login = {"Username": user, "Secret": secret}
        self._listeners: dict[str, list[Listener]] = {}
        self._beside: list[Callable[[], Awaitable[None]]] = []
        self._link: _Link | None = None
        self._ready = asyncio.Event()
        self._retry = FIRST_RETRY
        self.refused = ""
        """Why Asterisk does not let us in; empty when it does."""

    def listen(self, event: str, listener: Listener) -> None:
        """From the next connection on, tell `listener` the headers of every event of that name."""
        if event not in _CLASSES:
            raise ValueError(f"nobody knows the class of AMI event {event}: add it to _CLASSES")
        self._listeners.setdefault(event, []).append(listener)

    def beside(self, task: Callable[[], Awaitable[None]]) -> None:
        """Run `task` beside every connection from the next one on: from the login, until it is lost (it is
        cancelled then). A PbxUnreachable of its own ends the connection."""
        self._beside.append(task)

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    async def wait_connected(self, seconds: float) -> bool:
        """Wait until logged in; False when that takes longer."""
        try:
            await within(self._ready.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._session()
            except WrongSecret as refused:
                self._retry, self.refused = LAST_RETRY, str(refused)
                why = self.refused
            except (OSError, PbxUnreachable, PbxRefused) as error:
                why = str(error) or type(error).__name__
            log.warning("no AMI connection", why=why, again_in=round(self._retry, 1))
            await asyncio.sleep(self._retry * random.uniform(0.8, 1.2))
            self._retry = min(self._retry * 2, LAST_RETRY)

    async def _session(self) -> None:
        link = _Link(self._listeners)
        tasks: list[asyncio.Future[None]] = []
        try:
            await within(link.open(*self._address), ACTION_SECONDS)
            await self._log_in(link)
            running = (self._watch(link), *(task() for task in self._beside))
            tasks = [asyncio.ensure_future(each) for each in running]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except TimeoutError as error:
            raise PbxUnreachable("AMI did not answer") from error
        finally:
            self._ready.clear()
            self._link = None
            link.shut()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _log_in(self, link: _Link) -> None:
        classes = {_CLASSES[event] for event in self._listeners}
        events = ",".join(sorted(classes)) or "off"
        answer = await link.send({"Action": "Login", **self._login, "Events": events})
        if not answer.success:
            raise WrongSecret(f"Asterisk refuses the AMI login: {answer.message or 'no reason given'}")
        self.refused, self._retry = "", FIRST_RETRY
        self._link = link
        self._ready.set()
        log.info("AMI connected", port=self._address[1])

    async def _watch(self, link: _Link) -> NoReturn:
        while True:
            await asyncio.wait([link.lost], timeout=PING_SECONDS)
            if link.lost.done():
                raise PbxUnreachable("the connection was lost")
            await link.send({"Action": "Ping"})

    async def action(self, name: str, headers: Mapping[str, str]) -> Any:
        """Send one action; the (first) answer. Raises PbxUnreachable (not connected, no answer) or
        PbxRefused."""
        return (await self._answers(name, headers))[0]

    async def rows(self, name: str) -> Sequence[Mapping[str, str]]:
        """Send an action that is answered with a list; its rows. Raises as `action` does."""
        return (await self._answers(name, {}))[1:-1]

    async def _answers(self, name: str, headers: Mapping[str, str]) -> Sequence[Any]:
        link = self._link
        if link is None:
            raise PbxUnreachable(f"AMI is not connected{': ' + self.refused if self.refused else ''}")
        for key, value in headers.items():
            if any(end in value for end in "\r\n\0"):
                raise PbxRefused(f"a line end in {key} was not sent to AMI")
        answers = await link.send_all({"Action": name, **headers})
        if not answers[0].success:
            raise PbxRefused(f"AMI {name}: {answers[0].message or 'refused'}")
        return answers

    async def redirect(
        self, channel: str, location: Location, other: str = "", elsewhere: Location | None = None
    ) -> None:
        """Take a channel (by name or id) out of whatever it does, to a place in the dialplan; and with it,
        in the same moment, the `other` one it talks to: `elsewhere`, or to the same place. Raises LegGone
        when there is none. Asterisk does not check the place: a channel that is sent nowhere is hung up."""
        headers = {"Channel": channel, **_place(location)}
        if other:
            extra = _place(elsewhere or location)
            headers |= {"ExtraChannel": other, **{f"Extra{key}": value for key, value in extra.items()}}
        await self._order("Redirect", headers)

    async def log_queue(self, queue: str, event: str, interface: str, message: str, unique_id: str) -> None:
        """Write a line to queue_log (app_queue must be loaded)."""
        line = {"Queue": queue, "Event": event, "Interface": interface, "Message": message}
        await self.action("QueueLog", {**line, "Uniqueid": unique_id})

    async def extension_exists(self, context: str, extension: str) -> bool:
        """Whether a number can be dialled in a context, patterns and includes counted."""
        try:
            await self.action("ShowDialPlan", {"Context": context, "Extension": extension})
        except PbxRefused:
            return False
        return True

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """Set a channel variable or function, wherever the channel is. Raises LegGone when there is
        none."""
        await self._order("Setvar", {"Channel": channel, "Variable": name, "Value": value})

    async def device_state(self, device: str) -> str:
        """What Asterisk says of a device, in its own words; empty while it cannot say."""
        answer = await self.action("Getvar", {"Variable": f"DEVICE_STATE({device})"})
        return str(answer.value)

    async def set_device_state(self, device: str, state: str) -> None:
        """Set a `Custom:` device's state; hints on it, and phones subscribed to those, follow."""
        await self.action("Setvar", {"Variable": f"DEVICE_STATE({device})", "Value": state})

    async def _order(self, name: str, headers: Mapping[str, str]) -> None:
        try:
            await self.action(name, headers)
        except PbxRefused as refused:
            if _GONE.search(str(refused)):
                raise LegGone("the channel is gone") from refused
            raise

    async def version(self) -> str:
        """Asterisk's own version, as `CoreSettings` gives it."""
        return str((await self.action("CoreSettings", {})).asteriskversion)

    async def counts_calls(self, peer: str) -> bool:
        """Whether chan_sip tells of a peer's calls (`callcounter=yes`). True of what it does not know, and
        where there is no chan_sip."""
        try:
            answer = await self.action("SIPshowpeer", {"Peer": peer})
        except PbxRefused:
            return True
        return bool(answer["Call-limit"] != "0")

    async def context_exists(self, context: str) -> bool:
        try:
            await self.action("ShowDialPlan", {"Context": context})
        except PbxRefused:
            return False
        return True


def _place(location: Location) -> dict[str, str]:
    priority = str(location.priority)
    return {"Context": location.context, "Exten": location.extension, "Priority": priority}


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """Hands panoramisk whole messages only, so that no character is cut in two; and no event that nobody
    listens to: where manager.conf has no filter most are such, and reading one takes 30 µs, skipping it 3."""

    def __init__(self, events: Collection[str]) -> None:
        self._events = {event.encode() for event in events}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(_END)
        wanted = [message for message in whole if self._is_wanted(message)]
        if wanted:
            super().data_received(_END.join([*wanted, b""]))

    def _is_wanted(self, message: bytes) -> bool:
        kind, _, name = message.partition(b"\r\n")[0].partition(b": ")
        return kind != b"Event" or name in self._events or b"\r\nActionID: " in message

    def handle_message(self, message: Mapping[str, object]) -> None:
        """What is there twice comes as a list, and as a name or an id would end the connection; anybody's
        UserEvent() may bring it."""
        if not any(isinstance(message.get(key), list) for key in _NAMES):
            super().handle_message(message)


class _Link(Panoramisk):  # type: ignore[misc]
    """One connection, from open to lost."""

    def __init__(self, listeners: Mapping[str, Sequence[Listener]]) -> None:
        protocol = partial(_Protocol, listeners)
        super().__init__(ping_delay=NEVER, ping_interval=NEVER, protocol_factory=protocol)
        self._listeners = listeners
        self.loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self.loop.create_future()

    async def open(self, host: str, port: int) -> None:
        connected: asyncio.Future[Any] = self.loop.create_future()
        protocol = self.config["protocol_factory"]
        connected.set_result(await self.loop.create_connection(protocol, host, port))
        self.connection_made(connected)

    def dispatch(self, event: Any) -> None:
        for listener in self._listeners.get(event.event, ()):
            # Not at once: what goes wrong there must not end the connection.
            self.loop.call_soon(listener, dict(event))

    def connection_lost(self, exc: BaseException | None) -> None:
        """No reconnect of panoramisk's: it would send again what was pending."""
        if not self.lost.done():
            self.lost.set_result(None)

    async def send(self, action: dict[str, str]) -> Any:
        """The first answer. Raises PbxUnreachable when none comes."""
        return (await self.send_all(action))[0]

    async def send_all(self, action: dict[str, str]) -> Sequence[Any]:
        """All answers, those of a list to its end. Raises PbxUnreachable when they do not come."""
        answer = self.send_action(action)
        await asyncio.wait([answer, self.lost], timeout=ACTION_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise PbxUnreachable(f"AMI did not answer {action['Action']} within {ACTION_SECONDS:g} s")
        result = answer.result()
        return result if isinstance(result, list) else [result]

    def shut(self) -> None:
        self.close()
        if self.protocol is not None:
            self.protocol.transport.abort()
