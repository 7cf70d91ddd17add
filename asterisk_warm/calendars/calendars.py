"""All the calendars that agents have."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from asterisk_warm.calendars.caldav import CaldavSource
from asterisk_warm.calendars.files import FileSource
from asterisk_warm.calendars.reading import Reading
from asterisk_warm.calendars.source import CalendarSource, Source
from asterisk_warm.calendars.web import Network, Server, UrlSource
from asterisk_warm.core.presence import Calendar

log = structlog.get_logger(__name__)

WORKERS = 2
"""Calendars that are expanded at once."""
FILE_THREADS = 2

_Key = tuple[str, str]
"""Name of a calendar, time zone."""


class Calendars:
    """See engine.agents.ports.Calendars. Agents with the same calendar and time zone share one reading."""

    def __init__(
        self,
        settings: Mapping[str, CalendarSource],
        refresh_seconds: float,
        stale_seconds: float,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`settings` are the configured calendars by name. Each is read every `refresh_seconds`; a reading
        older than `stale_seconds` counts for nothing (core.presence)."""
        self._settings = settings
        self._refresh = refresh_seconds
        self._stale = stale_seconds
        self._clock = clock
        self._agents: dict[str, _Key] = {}
        self._wrong: dict[str, Calendar] = {}
        """Agents whose calendar or time zone does not exist."""
        self._readings: dict[_Key, Reading] = {}
        self._due: dict[_Key, float] = {}
        """When each is read next, in the loop's time; infinite while it is."""
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._woken = asyncio.Event()
        self._workers = asyncio.Semaphore(WORKERS)
        self._threads = ThreadPoolExecutor(FILE_THREADS, "calendar-file")
        self._network = Network()

    # -- the engine's port -----------------------------------------------------------------------------------

    def watch(self, agents: Mapping[str, tuple[str, str]]) -> None:
        self._agents = dict(agents)
        faults = {agent: self._fault(*key) for agent, key in agents.items()}
        self._wrong = {
            agent: Calendar((), None, self._stale, fault) for agent, fault in faults.items() if fault
        }
        wanted = {key for agent, key in agents.items() if agent not in self._wrong}
        for key in self._readings.keys() - wanted:
            self._forget(key)
        for key in wanted - self._readings.keys():
            source = self._source(self._settings[key[0]])
            self._readings[key] = Reading(*key, source, self._stale, self._workers, self._clock)
            self._due[key] = -math.inf
        self._woken.set()

    def of(self, agent: str) -> Calendar | None:
        key = self._agents.get(agent)
        if key is None:
            return None
        return self._wrong.get(agent) or self._readings[key].calendar

    def listen(self, changed: Callable[[str], None]) -> None:
        self._listeners.append(changed)

    # -- reading ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read each watched calendar again and again, until cancelled."""
        try:
            while True:
                self._woken.clear()
                self._start_due()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self._next()):
                        await self._woken.wait()
        finally:
            await self.close()

    async def refresh(self, agent: str) -> Calendar | None:
        """Read this agent's calendar now, whenever it would be due; as `of`, afterwards."""
        key = self._agents.get(agent)
        if key is not None and agent not in self._wrong:
            await self._read(key)
        return self.of(agent)

    async def close(self) -> None:
        """End what is being read. For whoever has called `refresh` without `run`."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._network.close()

    def _start_due(self) -> None:
        now = asyncio.get_running_loop().time()
        for key in [key for key, due in self._due.items() if due <= now]:
            self._due[key] = math.inf
            task = asyncio.create_task(self._read(key), name=f"calendar {key[0]}")
            self._tasks[key] = task
            task.add_done_callback(partial(self._ended, key))

    def _next(self) -> float | None:
        """None: only when woken."""
        due = min(self._due.values(), default=math.inf)
        return None if due == math.inf else due

    async def _read(self, key: _Key) -> None:
        await self._readings[key].read()
        for agent in [agent for agent, its in self._agents.items() if its == key]:
            for changed in self._listeners:
                changed(agent)

    def _ended(self, key: _Key, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is not task:
            return
        del self._tasks[key]
        # Spread, so that a hundred calendars of one server do not stay in step.
        self._due[key] = task.get_loop().time() + self._refresh * random.uniform(0.9, 1.1)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("calendar not read, through a fault of ours", calendar=key[0], exc_info=error)

    def _forget(self, key: _Key) -> None:
        del self._readings[key], self._due[key]
        if (task := self._tasks.pop(key, None)) is not None:
            task.cancel()

    # -- what is configured ----------------------------------------------------------------------------------

    def _fault(self, name: str, zone: str) -> str:
        """Why there can be no such reading; empty: there can."""
        if name not in self._settings:
            known = ", ".join(sorted(self._settings)) or "none"
            return f'no calendar "{name}" is configured (there is: {known})'
        try:
            ZoneInfo(zone or "UTC")
        except (LookupError, ValueError, OSError):  # OSError: a folder of zones, as Europe
            return f'there is no time zone "{zone}": an IANA name is needed, such as Europe/Berlin'
        return ""

    def _source(self, setting: CalendarSource) -> Source:
        if setting.file is not None:
            return FileSource(setting.file, self._threads)
        server = Server(self._network, setting.address, setting.user, setting.password)
        return CaldavSource(server) if setting.caldav else UrlSource(server)
