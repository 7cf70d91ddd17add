"""Asterisk's manager interface by panoramisk, behind guards for what it lacks.

panoramisk lets line ends in a value inject an action, sends an action that was pending again after a
reconnect, never notices a frozen peer, loses characters split over two segments and retries a wrong secret
for ever. So: one panoramisk `Manager` per connection, never reused; values are checked; every answer has a
time limit; a ping that is not answered ends the connection."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager as Panoramisk

from asterisk_warm.engine.ports import LegGone, Location, PbxRefused, PbxUnreachable

log = structlog.get_logger(__name__)

ACTION_SECONDS = 4.0
PING_SECONDS = 10.0
FIRST_RETRY, LAST_RETRY = 0.2, 10.0
_GONE = re.compile("Channel does not exist|No such channel|channel not up")
_NAMES = ("event", "actionid", "commandid")
NEVER = 1 << 30
"""Switches off panoramisk's own ping, which does not look at the answer."""


class WrongSecret(Exception):
    """Asterisk refuses our AMI user or secret: trying again would not help before somebody changes one of
    them."""


class AmiManager:
    """Stays connected while `run` runs; actions are refused when it is not."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        on_user_event: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        """`on_user_event` is told the headers of every event that the dialplan's UserEvent() sends."""
        self._on_user_event = on_user_event
        self._address = (host, port)
        self._login = {"Username": user, "Secret": secret}
        self._link: _Link | None = None
        self._ready = asyncio.Event()
        self.refused = ""
        """Why Asterisk does not let us in; empty when it does."""

    @property
    def connected(self) -> bool:
        return self._ready.is_set()

    async def wait_connected(self, seconds: float) -> bool:
        """Wait until logged in; False when that takes longer."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Stay connected until cancelled."""
        retry = FIRST_RETRY
        while True:
            try:
                await self._session()
                retry, why = FIRST_RETRY, "the connection was lost"
            except WrongSecret as refused:
                retry, why = LAST_RETRY, str(refused)
                self.refused = why
            except (OSError, PbxUnreachable, PbxRefused) as error:
                why = str(error) or type(error).__name__
            log.warning("no AMI connection", why=why, again_in=round(retry, 1))
            await asyncio.sleep(retry * random.uniform(0.8, 1.2))
            retry = min(retry * 2, LAST_RETRY)

    async def _session(self) -> None:
        link = _Link()
        if self._on_user_event is not None:
            tell = self._on_user_event
            # Not at once: what goes wrong there must not end the connection.
            link.register_event("UserEvent", lambda _, event: link.loop.call_soon(tell, dict(event)))
        try:
            await asyncio.wait_for(link.open(*self._address), ACTION_SECONDS)
            answer = await link.send(
                {"Action": "Login", **self._login, "Events": "user" if self._on_user_event else "off"}
            )
            if not answer.success:
                raise WrongSecret(f"Asterisk refuses the AMI login: {answer.message or 'no reason given'}")
            self.refused = ""
            self._link = link
            self._ready.set()
            log.info("AMI connected", port=self._address[1])
            await self._watch(link)
        except TimeoutError as error:
            raise PbxUnreachable("AMI did not answer") from error
        finally:
            self._ready.clear()
            self._link = None
            link.shut()

    async def _watch(self, link: _Link) -> None:
        while not link.lost.done():
            await asyncio.wait([link.lost], timeout=PING_SECONDS)
            if not link.lost.done():
                await link.send({"Action": "Ping"})

    async def action(self, name: str, headers: Mapping[str, str]) -> Any:
        """Send one action; the (first) answer. Raises PbxUnreachable (not connected, no answer) or
        PbxRefused."""
        link = self._link
        if link is None:
            raise PbxUnreachable(f"AMI is not connected{': ' + self.refused if self.refused else ''}")
        for key, value in headers.items():
            if any(end in value for end in "\r\n\0"):
                raise PbxRefused(f"a line end in {key} was not sent to AMI")
        answer = await link.send({"Action": name, **headers})
        if not answer.success:
            raise PbxRefused(f"AMI {name}: {answer.message or 'refused'}")
        return answer

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
    """Hands panoramisk whole lines only, so that no character is cut in two."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        whole, end, self._rest = (self._rest + data).rpartition(b"\r\n")
        if end:
            super().data_received(whole + end)

    def handle_message(self, message: Mapping[str, object]) -> None:
        """What is there twice comes as a list, and as a name or an id would end the connection; anybody's
        UserEvent() may bring it."""
        if not any(isinstance(message.get(key), list) for key in _NAMES):
            super().handle_message(message)


class _Link(Panoramisk):  # type: ignore[misc]
    """One connection, from open to lost."""

    def __init__(self) -> None:
        super().__init__(ping_delay=NEVER, ping_interval=NEVER, protocol_factory=_Protocol)
        self.loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self.loop.create_future()

    async def open(self, host: str, port: int) -> None:
        connected: asyncio.Future[Any] = self.loop.create_future()
        connected.set_result(await self.loop.create_connection(_Protocol, host, port))
        self.connection_made(connected)

    def connection_lost(self, exc: BaseException | None) -> None:
        """No reconnect of panoramisk's: it would send again what was pending."""
        if not self.lost.done():
            self.lost.set_result(None)

    async def send(self, action: dict[str, str]) -> Any:
        """Raises PbxUnreachable when no answer comes."""
        answer = self.send_action(action)
        await asyncio.wait([answer, self.lost], timeout=ACTION_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise PbxUnreachable(f"AMI did not answer {action['Action']} within {ACTION_SECONDS:g} s")
        result = answer.result()
        return result[0] if isinstance(result, list) else result

    def shut(self) -> None:
        self.close()
        if self.protocol is not None:
            self.protocol.transport.abort()
