"""What the engine needs from outside for qualification, as Protocols; the daemon chooses who provides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from asterisk_warm.core.script.answers import Qualification
from asterisk_warm.core.script.model import Script


@dataclass(frozen=True, slots=True)
class ScriptVersion:
    """One published version; never changed."""

    script: str
    version: int
    """From 1."""
    source: str
    """The YAML as it was written."""
    at: float
    by: str
    """Who published it: `configuration`, `cli (root)`, …"""
    note: str = ""
    """`rollback to version 2`."""


class ScriptStore(Protocol):
    """Every method may raise JournalError."""

    async def publish(self, script: str, source: str, by: str, now: float, note: str = "") -> ScriptVersion:
        """As the next version, which is the current one from now on."""

    async def current(self, script: str) -> ScriptVersion | None:
        """The latest version."""

    async def version(self, script: str, version: int) -> ScriptVersion | None: ...

    async def versions(self, script: str) -> Sequence[ScriptVersion]:
        """Newest first."""

    async def scripts(self) -> Sequence[ScriptVersion]:
        """The current version of each, by id."""


@dataclass(frozen=True, slots=True)
class SourceFault:
    """One thing that is wrong with a script's YAML."""

    line: int
    column: int
    path: str
    """`questions.owner.rules[0]`"""
    message: str
    remedy: str = ""


class BadSource(Exception):
    def __init__(self, faults: Sequence[SourceFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults
        """All of them, in order."""


class ScriptReader(Protocol):
    def __call__(self, source: str, name: str) -> Script:
        """Read a script's YAML; `name` is the file's, for messages. Raises BadSource."""


class QualificationStore(Protocol):
    """Every method may raise JournalError."""

    async def save(self, qualification: Qualification) -> Qualification | None:
        """Insert (revision 0), or write the next revision if nobody else has since; returns what is stored
        now, with its new revision. None: somebody was faster, nothing was written."""

    async def get(self, id: str) -> Qualification | None: ...

    async def of_lead(self, number: str, limit: int) -> Sequence[Qualification]:
        """By when they were last changed, newest first."""

    async def list(self, limit: int, *, open_only: bool) -> Sequence[Qualification]:
        """Newest first."""
