"""A stage for scenes: a private Asterisk, the daemon, and the phones of a lead and some agents.

with Stage(root, workdir) as stage:
    async with stage.phones() as phones: ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.daemon import Daemon
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root

AGENTS = {"ana": "Ana Lopez", "ben": "Ben Okafor", "cleo": "Cleo Martin"}


class Stage:
    """Asterisk and the daemon together. `teams` as in the config; by default team `sales` with all three
    agents."""

    def __init__(
        self,
        root: Root,
        workdir: Path,
        *,
        teams: Mapping[str, Mapping[str, Any]] | None = None,
        agents: Mapping[str, str] = AGENTS,
        dialplan: str = "",
        music: str = "tone",
        sounds: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        extra: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`extra`: more lines for Asterisk's config files, by name. `environment`: the daemon's own."""
        visible = [] if sounds is None else [sounds]
        self.pbx = PrivateAsterisk(
            root,
            workdir,
            agents=tuple(agents),
            dialplan=dialplan,
            music=music,
            visible=visible,
            extra=extra,
        )
        self.agents = dict(agents)
        self.teams = dict(teams or {"sales": {"name": "Sales", "agents": list(agents)}})
        self._sounds = sounds
        self._settings = settings
        self._environment = environment

    def __enter__(self) -> Stage:
        self.pbx.start()
        try:
            self.daemon = Daemon(
                self.pbx,
                agents=self.agents,
                teams=self.teams,
                sounds=self._sounds,
                settings=self._settings,
                environment=self._environment,
            )
            self.daemon.start()
        except BaseException:
            self.pbx.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.daemon.stop()
        finally:
            self.pbx.stop()

    def phones(self, *, record: bool = False) -> Phones:
        return Phones(self.pbx.sip, self.pbx.sip_password, record=record)

    async def handoff(self, *states: str, number: int = 0, seconds: float = 10.0) -> dict[str, Any]:
        """The newest handoff (or the `number`th newest) as soon as it is in one of the states."""
        return await asyncio.to_thread(
            self.daemon.wait_for, lambda seen: seen["state"] in states, number=number, seconds=seconds
        )

    async def settled(self, *, number: int = 0, seconds: float = 15.0) -> dict[str, Any]:
        """The newest handoff as soon as it has ended and cleared up."""
        return await asyncio.to_thread(
            self.daemon.wait_for, lambda seen: seen["settled"], number=number, seconds=seconds
        )

    async def nothing_left(self, seconds: float = 5.0) -> None:
        """Wait until Asterisk has no channel and no bridge any more. Raises AssertionError with what
        is left."""
        deadline = time.monotonic() + seconds
        left = ["?"]
        while left and time.monotonic() < deadline:
            left = await asyncio.to_thread(lambda: [*self.pbx.channels(), *self.pbx.bridges()])
        assert not left, f"left in Asterisk: {left}"
