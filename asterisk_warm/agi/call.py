"""What a script knows of the call that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from asterisk_warm.agi.environment import Environment
from asterisk_warm.agi.ports import Services
from asterisk_warm.agi.session import Reply
from asterisk_warm.engine.ports.speech import Speaker

SPEAKING = "warm-say"
"""The dialplan's context that plays WARM_SAY: what comes from there was dialled."""


class Channel(Protocol):
    """The calling one: `session.Session` is such. Every method may raise AgiError."""

    hung_up: bool

    async def get(self, name: str) -> str:
        """A channel variable; empty when it is not set."""

    async def set(self, name: str, value: str) -> None: ...

    async def command(self, line: str) -> Reply: ...


class Call:
    """One call, and whom it asks. `now` gives seconds since the epoch; with no speaker nothing is spoken.
    `language`: of what says none itself."""

    def __init__(
        self,
        environment: Environment,
        channel: Channel,
        services: Services,
        now: Callable[[], float],
        speaker: Speaker | None = None,
        language: str = "",
    ) -> None:
        self.environment = environment
        self.channel = channel
        self.services = services
        self.now = now
        self.speaker = speaker
        self.language = language

    @property
    def source(self) -> str:
        """As in `By`: from where something is changed."""
        return "code" if self.environment.context == SPEAKING else "agi"

    async def lead(self, number: str = "") -> str:
        """Whose call it is: that number, else `WARM_LEAD_NUMBER`, else the caller ID; empty: nobody knows."""
        return number or await self.channel.get("WARM_LEAD_NUMBER") or self.environment.caller_id
