"""What the scripts ask of the engine, as Protocols: the services of `engine.agents`, `engine.leads` and
`engine.qualifying` are such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.presence import By, Declared
from asterisk_warm.core.script.model import Channel, Script
from asterisk_warm.engine.agents.views import Available, LeadHistory, PresenceView
from asterisk_warm.engine.leads.views import LeadRecordView, OutcomeView
from asterisk_warm.engine.qualifying.views import QualificationView


class Agents(Protocol):
    """Presence, asked and set. Every method may raise Refused."""

    def by_endpoint(self, endpoint: str) -> str:
        """Id of the agent whose phone that is. Raises Refused (not_found)."""

    def show(self, agent: str) -> PresenceView:
        """Raises Refused (not_found)."""

    async def declare(
        self, agent: str, declared: Declared, by: By, reason: str = "", until: float | None = None
    ) -> PresenceView:
        """Ready, paused (until then, in seconds since the epoch, or until further notice) or offline."""

    async def toggle(self, agent: str, by: By) -> PresenceView:
        """From ready to paused, else to ready."""

    async def wrap_up(self, agent: str, seconds: float, by: By) -> PresenceView:
        """They wrap up for that long from now on; 0: no longer."""

    async def available(self, team: str) -> Available:
        """Raises Refused (not_found)."""

    async def lead(self, number: str) -> LeadHistory:
        """What is known of the lead who has that number."""


class Leads(Protocol):
    """Every method may raise Refused."""

    @property
    def dispositions(self) -> Mapping[str, Disposition]: ...

    async def show(self, number: str) -> LeadRecordView:
        """Raises Refused (not_found)."""

    async def outcome_of_agent(self, agent: str, disposition: str, by: By, note: str = "") -> OutcomeView:
        """Write down what came of the agent's latest talk. Raises Refused (not_found) where there is none."""


class Qualifications(Protocol):
    """Every method may raise Refused."""

    async def begin(
        self, script: str, lead: str, *, language: str = "", by: By, channel: Channel, fresh: bool = False
    ) -> QualificationView:
        """A new one, or (unless `fresh`) the one of the same lead and script that is open, or still holds."""

    async def answer(
        self, id: str, text: str, *, question: str = "", channel: Channel, by: By, recording: str = ""
    ) -> QualificationView:
        """Raises Refused (invalid) for what is no answer to that question."""

    async def skip(self, id: str, channel: Channel, by: By, *, no_answer: bool = False) -> QualificationView:
        """`no_answer`: because the lead said nothing that would do."""

    async def back(self, id: str) -> QualificationView:
        """Raises Refused (conflict) at the first question."""

    async def show(self, id: str) -> QualificationView: ...

    async def latest(self, lead: str, script: str = "") -> QualificationView | None: ...


class Published(Protocol):
    @property
    def script(self) -> Script: ...


class Scripts(Protocol):
    async def script(self, id: str, version: int | None = None) -> Published:
        """Raises Refused."""


class Recordings(Protocol):
    async def forget_recording(self, recording: str) -> None:
        """Delete one of Asterisk's stored recordings; already gone is fine. May raise PbxError."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the scripts ask."""

    agents: Agents
    leads: Leads
    qualifications: Qualifications
    scripts: Scripts
    recordings: Recordings
