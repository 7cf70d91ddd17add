"""How long what leads have said is kept: recordings of ours are deleted when their time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from asterisk_warm.core.script.answers import Answer, Qualification
from asterisk_warm.engine.housekeeping import regularly
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.ports.pbx import PbxError, PbxRefused
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.engine.qualifying.results import DAY
from asterisk_warm.engine.recordings import earliest, qualification_of

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 6 * 3600.0
RETRY_SECONDS = 600.0
"""When Asterisk or the store has failed. Longer than any answer takes to be spoken and taken down."""
PAUSE_SECONDS = 0.05
"""After each that is deleted: Asterisk reads its whole folder for it (16 and 22: 33 ms where 20 000 lie)."""
TRIES = 5
"""How often an answer is marked again when somebody else has changed its qualification meanwhile."""
OF_LEAD = 100
"""How many of a lead's qualifications may have taken an answer over, the last changed first."""


class Recordings(Protocol):
    """Those that Asterisk keeps. Every method may raise PbxError."""

    async def stored_recordings(self) -> Sequence[str]:
        """The names of all, whoever recorded them."""

    async def forget_recording(self, recording: str) -> None:
        """Delete it; already gone is fine. Raises PbxRefused when Asterisk cannot."""


class Retention:
    """Asterisk tells no recording's age. An answer says when it was given; whatever else there is, is at most
    as old as what it is named after."""

    def __init__(
        self,
        recordings: Recordings,
        store: QualificationStore,
        days: float,
        *,
        now: Callable[[], float] = time.time,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        """`days`: how long they are kept; 0: for ever. `pause` in seconds."""
        self._recordings = recordings
        self._store = store
        self._days = days
        self._now = now
        self._pause = pause
        self._unused: set[str] = set()
        """Those of no answer, the last time: it may have been about to be given."""
        self._unmarked: set[str] = set()
        """Those that are gone, whose answers do not say so yet."""

    async def run(self, reachable: Callable[[], Awaitable[None]]) -> None:
        """From when Asterisk is `reachable`, until cancelled."""
        if not self._days:
            return
        await reachable()
        complaint = "old recordings were not deleted"
        await regularly(
            self.sweep, SWEEP_SECONDS, complaint, PbxError, JournalError, retry_seconds=RETRY_SECONDS
        )

    async def sweep(self) -> int:
        """Delete those of ours whose time is over; how many. Raises PbxError, JournalError."""
        for name in sorted(self._unmarked):
            await self._mark(name)
        before = self._now() - self._days * DAY
        over = await self._over(await self._recordings.stored_recordings(), before)
        refused: dict[str, str] = {}
        for name in over:
            try:
                await self._recordings.forget_recording(name)
            except PbxRefused as error:
                refused[name] = str(error)
                continue
            self._unmarked.add(name)
            await self._mark(name)
            await asyncio.sleep(self._pause)
        self._tell(len(over) - len(refused), refused)
        return len(over) - len(refused)

    def _tell(self, deleted: int, refused: Mapping[str, str]) -> None:
        if deleted:
            log.info("old recordings deleted", count=deleted, days=self._days)
        for name, why in list(refused.items())[:1]:
            remedy = "may Asterisk delete in the folder `recording` of its spool directory?"
            log.warning("old recordings stay", count=len(refused), one=name, why=why, remedy=remedy)

    async def _over(self, names: Sequence[str], before: float) -> list[str]:
        """Those whose time was over `before` then."""
        over, unused = [], set()
        for name in names:
            begun = earliest(name)
            if begun is None or begun > before:
                continue
            answers = await self._answers(name)
            if not answers and qualification_of(name) is not None:
                unused.add(name)
                is_over = name in self._unused
            else:
                # What was asked back has no answers, and was to be deleted with its handoff.
                is_over = all(answer.at <= before for answer in answers)
            if is_over:
                over.append(name)
        self._unused = unused
        return over

    async def _answers(self, recording: str) -> list[Answer]:
        """Those that it is, which may have been taken over from one qualification to the next."""
        asked = await self._naming(recording)
        return [answer for one in asked for answer in one.answers if answer.recording == recording]

    async def _naming(self, recording: str) -> list[Qualification]:
        """The qualifications with such an answer."""
        id = qualification_of(recording)
        found = await self._store.get(id) if id is not None else None
        if found is None:
            return []
        others = await self._store.of_lead(found.lead, OF_LEAD) if found.lead else ()
        asked = [found, *(one for one in others if one.id != found.id)]
        return [one for one in asked if any(answer.recording == recording for answer in one.answers)]

    async def _mark(self, recording: str) -> None:
        """Whoever looks at the answers is to know; and what nobody can hear any more is asked again."""
        for _ in range(TRIES):
            marked = [_without(one, recording) for one in await self._naming(recording)]
            if None not in [await self._store.save(one) for one in marked]:
                self._unmarked.discard(recording)
                return
        log.warning("an answer names a recording that is gone", recording=recording, why="others change it")


def _without(found: Qualification, recording: str) -> Qualification:
    answers = (
        replace(answer, recording="", recording_gone=True) if answer.recording == recording else answer
        for answer in found.answers
    )
    return replace(found, answers=tuple(answers))
