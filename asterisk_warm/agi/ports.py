"""What the scripts ask of the engine, as a Protocol: `engine.agents.service.AgentService` is one."""

from __future__ import annotations

from typing import Protocol

from asterisk_warm.core.presence import By, Declared
from asterisk_warm.engine.agents.views import Available, LeadHistory, PresenceView


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
