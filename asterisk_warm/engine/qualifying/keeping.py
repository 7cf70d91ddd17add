"""Qualifications in the store: each with the script's version that it began with, changed one at a time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from asterisk_warm.core.handoff.options import clean
from asterisk_warm.core.script import running
from asterisk_warm.core.script.answers import Answer, Qualification
from asterisk_warm.core.script.model import Script
from asterisk_warm.engine.errors import Refused, or_refused
from asterisk_warm.engine.finding import RECENT, the_one
from asterisk_warm.engine.leads.ports import LeadStore
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.engine.qualifying.results import Result, result
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.views import QualificationView, qualification_view

log = structlog.get_logger(__name__)

TRIES = 5
"""How often a change is tried again when somebody else has changed the same qualification meanwhile."""
LIST = "see `asterisk-warm qualify list`"
EARLIER = 20
"""How many of a lead's qualifications are looked at."""

Change = Callable[[Script, Qualification], tuple[Answer, ...]]
"""The answers that follow. Raises BadAnswer, Refused."""
Finished = Callable[[QualificationView], Awaitable[None]]
"""Told of each qualification that has just got its verdict. Never raises."""


async def nobody(_: QualificationView) -> None:
    """Nobody wants to know."""


class Keeping:
    """Every method may raise Refused (unreachable)."""

    def __init__(
        self, store: QualificationStore, scripts: ScriptService, leads: LeadStore, finished: Finished
    ) -> None:
        self._store = store
        self._scripts = scripts
        self._leads = leads
        self._finished = finished

    async def get(self, id: str) -> Qualification:
        """Raises Refused (not_found)."""
        found = await or_refused(self._store.get(id))
        if found is None:
            raise Refused("not_found", f'no qualification "{clean(id, 40)}"', LIST)
        return found

    async def meant(self, id: str) -> str:
        """The whole id, of itself or of its beginning or end. Raises Refused (not_found, conflict)."""
        if await or_refused(self._store.get(id)) is not None:
            return id
        latest = await self.latest(RECENT, open_only=False)
        return the_one(id, [one.id for one in latest], "qualification", LIST)

    async def of_lead(self, number: str, limit: int = EARLIER) -> Sequence[Qualification]:
        """The last changed first; of nobody there are none."""
        return await or_refused(self._store.of_lead(number, limit)) if number else ()

    async def latest(self, limit: int, *, open_only: bool) -> Sequence[Qualification]:
        return await or_refused(self._store.list(limit, open_only=open_only))

    async def in_progress(self, id: str, seen: int | None) -> tuple[Script, Qualification]:
        """One that was asked here. `seen`, here and below: the revision that whoever asks has in mind; None:
        whichever it is. Raises Refused (not_found, conflict)."""
        found = await self.get(id)
        if found.given is not None:
            raise over(found)
        script = (await self._scripts.script(found.script, found.version)).script
        if seen not in (None, found.revision):
            words = f"{found.id} has been changed meanwhile: it is at revision {found.revision}, not {seen}"
            raise Refused("conflict", words, "look at it again")
        return script, found

    async def change(self, id: str, change: Change, seen: int | None) -> QualificationView:
        """Raises Refused (not_found, invalid, conflict)."""
        for _ in range(TRIES):
            script, found = await self.in_progress(id, seen)
            try:
                answers = change(script, found)
            except running.BadAnswer as bad:
                raise Refused("invalid", bad.message, bad.remedy) from bad
            view = await self.save(script, replace(found, answers=answers, updated_at=time.time()))
            if view is not None:
                return view
        raise Refused("conflict", f"{clean(id, 40)} is being changed by others", "try again")

    async def save(self, script: Script, changed: Qualification) -> QualificationView | None:
        """With its end, when nothing more is to be asked; then others are told. None: somebody was faster."""
        name = await self._lead_name(changed.lead)
        now = running.outcome(script, changed.answers, name)
        ended_at = changed.updated_at if now.complete else None
        stored = await or_refused(self._store.save(replace(changed, ended_at=ended_at)))
        if stored is None:
            return None
        view = _shown(Result(stored, script, now), name)
        if now.complete:
            await self._tell_finished(view)
        return view

    async def keep_given(self, given: Qualification) -> QualificationView:
        """A finished one of another system."""
        stored = await or_refused(self._store.save(given))
        assert stored is not None, "nobody else knows its id"
        view = await self.view(stored)
        await self._tell_finished(view)
        return view

    async def _tell_finished(self, view: QualificationView) -> None:
        log.info("qualification finished", id=view.id, script=view.script, verdict=view.verdict)
        await self._finished(view)

    async def view(self, found: Qualification) -> QualificationView:
        """Raises Refused (not_found, conflict) where its script's version cannot be read any more."""
        name = await self._lead_name(found.lead)
        return _shown(await result(self._scripts, found, name), name)

    async def view_if_readable(self, found: Qualification) -> QualificationView | None:
        try:
            return await self.view(found)
        except Refused as refused:
            log.warning("a qualification is left out", id=found.id, why=refused.message)
            return None

    async def _lead_name(self, number: str) -> str:
        """A summary does without it."""
        try:
            record = await self._leads.lead(number) if number else None
        except JournalError:
            record = None
        return record.name if record is not None else ""


def over(found: Qualification) -> Refused:
    remedy = "name the question whose answer is to be changed, or begin anew"
    return Refused("conflict", f"{found.id} is finished", remedy)


def _shown(found: Result, name: str) -> QualificationView:
    script = found.script
    asked = running.next_question(script, found.qualification.answers) if script is not None else None
    return qualification_view(found.qualification, script, found.outcome, asked, name)
