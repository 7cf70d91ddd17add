"""Device states and hints, as Asterisk tells them by itself: a list at each connect, then events.

What is in neither list (a `Custom:` device that nobody has set yet, a hint of a pattern, or one of a context
that is included) is asked for. Events of such hints bear another context's name, or end when the dialplan is
reloaded: so a hint is asked for again whenever one of its devices changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import structlog

from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.ports.pbx import PbxRefused

log = structlog.get_logger(__name__)
V = TypeVar("V")

UNKNOWN, INVALID = "UNKNOWN", "INVALID"
STATES = frozenset(
    ("NOT_INUSE", "INUSE", "BUSY", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD", INVALID, UNKNOWN)
)
_OF_HINT = {
    "0": "NOT_INUSE",
    "1": "INUSE",
    "2": "BUSY",
    "4": "UNAVAILABLE",
    "8": "RINGING",
    "9": "RINGINUSE",
    "16": "ONHOLD",
    "17": "ONHOLD",
}
"""`Status` of a hint → a device state. Less than 0: there is no such hint."""

BLIND_SECONDS = 15.0
"""After how long without a connection nothing is known any more."""
AGAIN_SECONDS = (0.5, 2.0, 10.0)
"""How long after a connect to ask again for what Asterisk did not know: it lets us in before it has loaded
all of its modules, and tells only who may read class `system` when it has."""
_AT_ONCE = 50
"""How many questions are under way at once."""
_HINT = re.compile(r"[^/:@]+@[^/:@]+")
_TRUNK = re.compile(r"(?!local/)\w+/[^/]*[/@].*", re.IGNORECASE)
"""A number through a trunk, whose own state says nothing about who answers there."""
_ASKABLE = re.compile(r"[^\s()$,;\"\\]{1,200}")


class AmiDevices:
    """`engine.agents.ports.Devices`. While AMI is not connected, states are as they were last known; after
    some seconds nothing is known any more: a lead must not wait for ever for a phone that may long be
    free."""

    def __init__(self, ami: AmiManager) -> None:
        """Before `ami` runs."""
        self._ami = ami
        self._names: dict[str, tuple[str, ...]] = {}
        """Key → the names by which it is watched."""
        self._states: dict[str, str] = {}
        self._parts: dict[str, frozenset[str]] = {}
        """A hint's devices, as keys."""
        self._unsure: set[str] = set()
        """What Asterisk did not know when it was last asked, or was not asked for since we are connected."""
        self._listeners: list[Callable[[str], None]] = []
        self._going_blind: asyncio.TimerHandle | None = None
        self._to_ask: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._blind = False
        """The connection has been lost for too long."""
        self._telling = False
        """False while the first answers come: those are told as one."""
        self._changes = 0
        self._changed: dict[str, int] = {}
        """The number of each key's latest event: it wins over an answer to what was asked before it."""
        ami.listen("DeviceStateChange", self._device)
        ami.listen("ExtensionStatus", self._hint)
        ami.beside(self._follow)

    # -- engine.agents.ports.Devices -------------------------------------------------------------------------

    def watch(self, names: Sequence[str]) -> None:
        watched: dict[str, tuple[str, ...]] = {}
        for name in dict.fromkeys(names):
            if not _TRUNK.fullmatch(name):
                watched[_key(name)] = (*watched.get(_key(name), ()), name)
        self._unsure = (self._unsure & watched.keys()) | (watched.keys() - self._names.keys())
        self._names = watched
        self._states = _only(watched, self._states)
        self._parts = _only(watched, self._parts)
        self._changed = _only(watched, self._changed)
        self._to_ask = _only(watched, self._to_ask)
        self._ask(self._unsure)

    def state(self, name: str) -> str:
        return UNKNOWN if self._blind else self._states.get(_key(name), UNKNOWN)

    def listen(self, changed: Callable[[str], None]) -> None:
        self._listeners.append(changed)

    # -- what Asterisk tells ---------------------------------------------------------------------------------

    def _device(self, event: Mapping[str, str]) -> None:
        key = _key(event.get("Device", ""))
        self._ask(hint for hint, parts in self._parts.items() if key in parts)
        self._event(key, event.get("State", ""))

    def _hint(self, event: Mapping[str, str]) -> None:
        key = _hint_key(event)
        self._keep_parts(key, event)
        self._event(key, _hint_state(event))

    def _event(self, key: str, state: str) -> None:
        if key in self._names:
            self._changes += 1
            self._changed[key] = self._changes
            self._set(key, state)

    def _set(self, key: str, state: str) -> None:
        if key not in self._names:
            return
        if state in STATES and state != INVALID:
            self._unsure.discard(key)
        else:
            self._unsure.add(key)
        if state not in STATES or self._states.get(key) == state:
            return
        self._states[key] = state
        if self._telling:
            for name in self._names[key]:
                self._tell(name)

    def _keep_parts(self, key: str, row: Mapping[str, str]) -> None:
        devices = row.get("Hint", "").partition(",")[0]
        if key in self._names and devices:
            self._parts[key] = frozenset(_key(device) for device in devices.split("&"))

    def _tell(self, name: str) -> None:
        for changed in self._listeners:
            changed(name)

    # -- what is asked ---------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Beside each connection."""
        loop = asyncio.get_running_loop()
        again = [loop.call_later(seconds, lambda: self._ask(self._unsure)) for seconds in AGAIN_SECONDS]
        try:
            self._unsure = set(self._names)
            self._to_ask.clear()
            await self._take_lists()
            self._ask(self._unsure)
            await self._answer_all()
            self._telling, self._blind = True, False
            if self._going_blind is not None:
                self._going_blind.cancel()
                self._going_blind = None
            self._tell("")
            while await self._wake.wait():
                await self._answer_all()
        finally:
            self._telling = False
            for one in again:
                one.cancel()
            if self._going_blind is None:
                self._going_blind = loop.call_later(BLIND_SECONDS, self._go_blind)
            self._tell("")

    def _go_blind(self) -> None:
        self._blind = True
        self._tell("")

    async def _take_lists(self) -> None:
        began = self._changes
        listed = {_key(row["Device"]): row["State"] for row in await self._rows("DeviceStateList")}
        for row in await self._rows("ExtensionStateList"):
            self._keep_parts(_hint_key(row), row)
            listed[_hint_key(row)] = _hint_state(row)
        for key, state in listed.items():
            self._answered(key, state, began)

    def _answered(self, key: str, state: str, began: int) -> None:
        if self._changed.get(key, 0) <= began:
            self._set(key, state)

    async def _rows(self, action: str) -> Sequence[Mapping[str, str]]:
        try:
            return await self._ami.rows(action)
        except PbxRefused as refused:
            # Asterisk still boots, or its user may not: each is then asked for by itself.
            log.info("no list of states", why=str(refused))
            return ()

    def _ask(self, keys: Iterable[str]) -> None:
        self._to_ask.update(dict.fromkeys(keys))
        if self._to_ask:
            self._wake.set()

    async def _answer_all(self) -> None:
        while self._to_ask:
            batch = list(self._to_ask)[:_AT_ONCE]
            for key in batch:
                del self._to_ask[key]
            await asyncio.gather(*(self._answer(key) for key in batch))
        self._wake.clear()

    async def _answer(self, key: str) -> None:
        began = self._changes
        if key in self._names:
            self._answered(key, await self._asked(key, self._names[key][0]), began)

    async def _asked(self, key: str, name: str) -> str:
        try:
            if not _ASKABLE.fullmatch(name):
                raise PbxRefused("this is neither a device (PJSIP/ana, Custom:desk) nor a hint (201@context)")
            if not _HINT.fullmatch(name):
                return await self._ami.device_state(_without_options(name))
            exten, _, context = name.partition("@")
            row = await self._ami.action("ExtensionState", {"Exten": exten, "Context": context})
        except PbxRefused as refused:
            log.warning("no state", of=name, why=str(refused))
            return INVALID
        self._keep_parts(key, row)
        return _hint_state(row)


def _only(keys: Iterable[str], known: Mapping[str, V]) -> dict[str, V]:
    return {key: known[key] for key in keys if key in known}


def _without_options(name: str) -> str:
    """A Local channel's device has none: `Local/201@agents/n` is in use as `Local/201@agents`."""
    if not name.lower().startswith("local/"):
        return name
    return "/".join(name.split("/")[:2])


def _key(name: str) -> str:
    """Asterisk finds a hint's devices whatever their case."""
    return _without_options(name).lower()


def _hint_key(row: Mapping[str, str]) -> str:
    return f"{row.get('Exten', '')}@{row.get('Context', '')}".lower()


def _hint_state(row: Mapping[str, str]) -> str:
    return _OF_HINT.get(row.get("Status", ""), INVALID)
