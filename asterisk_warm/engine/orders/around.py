"""Orders that are not about a leg: speech, what others know of the lead, screens."""

from __future__ import annotations

from typing import Protocol

import structlog

from asterisk_warm.core.handoff.commands import LookUpLead, PrepareSpeech, Tell
from asterisk_warm.core.handoff.events import Event, LeadFound, SpeechReady
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.engine.leads.ports import Crm, LookUpFailed
from asterisk_warm.engine.orders.facts import Handlers, now
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.ports.journal import JournalError

log = structlog.get_logger(__name__)


class Screens(Protocol):
    async def tell(self, handoff: Handoff, command: Tell) -> None:
        """Returns when screens have been told, or within a budget of its own. May raise JournalError."""


class AroundOrders:
    def __init__(self, sounds: Sounds, crm: Crm | None, screens: Screens | None) -> None:
        self._sounds = sounds
        self._crm = crm
        self._screens = screens

    @property
    def handlers(self) -> Handlers:
        return {PrepareSpeech: self._prepare_speech, LookUpLead: self._look_up_lead, Tell: self._tell}

    async def _prepare_speech(self, handoff: Handoff, command: PrepareSpeech) -> Event:
        fallback = await self._sounds.prepare(command.lines)
        return SpeechReady(**now(), fallback=fallback)

    async def _look_up_lead(self, handoff: Handoff, command: LookUpLead) -> Event:
        if self._crm is None:
            return LeadFound(**now(), why="no CRM is configured")
        try:
            found = await self._crm.look_up(command.number)
        except LookUpFailed as error:
            return LeadFound(**now(), why=str(error))
        if found is None:
            return LeadFound(**now(), why="the CRM knows nobody of that number")
        return LeadFound(
            **now(), name=found.name, summary=found.summary, language=found.language, details=found.details
        )

    async def _tell(self, handoff: Handoff, command: Tell) -> Event | None:
        if self._screens is not None:
            try:
                await self._screens.tell(handoff, command)
            except JournalError as error:  # The call goes on without it.
                log.warning("screens were not told", handoff=handoff.id, news=command.news, why=str(error))
        return None
