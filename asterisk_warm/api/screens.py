"""The screens that are connected, and the notices they are told; docs/screens.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import WSCloseCode, web

from asterisk_warm.api.problems import Problem
from asterisk_warm.api.screen import GOODBYE_SECONDS, REVOKED, Screen, StillValid
from asterisk_warm.engine.screens.ports import Notice

log = structlog.get_logger(__name__)

SCREENS_OF_AN_AGENT = 20
SCREENS_AT_MOST = 2000

Present = Callable[[str], Sequence[Notice]]
"""Agent's id → what a screen of theirs that connects now is to show."""


class ScreenHub:
    """A Receiver of `engine/screens`: an agent's notices go to all screens of that agent."""

    def __init__(self, present: Present) -> None:
        self._present = present
        self._screens: dict[str, list[Screen]] = {}
        """By agent."""
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(map(len, self._screens.values()))

    async def tell(self, notice: Notice) -> Awaitable[None]:
        """Every screen of that agent has been sent it, in the order of the calls. What is returned ends when
        each has proved that it has it, or is dropped: after `screen.PROOF_SECONDS` at the latest."""
        screens = tuple(self._screens.get(notice.agent, ()))
        if not screens:
            return _all([])
        frame = _frame(notice)
        return _all([await screen.tell(frame) for screen in screens])

    async def serve(
        self, request: web.Request, agent: str, token: str, valid: StillValid
    ) -> web.WebSocketResponse:
        """Serve a screen of that agent (by id) until it is gone. Raises Problem (429) where it is one too
        many."""
        screen = Screen(request, agent, token, valid)
        self._admit(screen)
        try:
            await screen.socket.prepare(request)
            await self._attend(screen)
        finally:
            screen.ended()
            self._forget(screen)
        return screen.socket

    def _admit(self, screen: Screen) -> None:
        theirs = self._screens.get(screen.agent, ())
        if len(theirs) >= SCREENS_OF_AN_AGENT or len(self) >= SCREENS_AT_MOST:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many",
                f"{screen.agent} has {len(theirs)} screens, and there are {len(self)} in all",
                f"close some: at most {SCREENS_OF_AN_AGENT} of one agent, {SCREENS_AT_MOST} in all",
            )
        self._screens.setdefault(screen.agent, []).append(screen)

    async def _attend(self, screen: Screen) -> None:
        try:
            # It may have been revoked before there was a screen to be closed.
            if not await screen.valid():
                return await screen.close(*REVOKED)
            await self._greet(screen)
            await screen.attend()
        except Exception:
            # An answer with problem details would be taken for a frame.
            log.exception("a screen failed", agent=screen.agent)
            screen.drop("a fault of the daemon")

    async def _greet(self, screen: Screen) -> None:
        # Nothing is waited for between asking what is there and sending it: what changes later is told later.
        offers = [_message(notice) for notice in self._present(screen.agent)]
        hello = {"type": "hello", "agent": screen.agent, "offers": offers}
        await screen.greet(msgspec.json.encode(hello).decode())

    def _forget(self, screen: Screen) -> None:
        theirs = self._screens.get(screen.agent, [])
        if screen in theirs:
            theirs.remove(screen)
        if not theirs:
            self._screens.pop(screen.agent, None)

    # -- closing ---------------------------------------------------------------------------------------------

    def revoked(self, token: str) -> None:
        """The screens that this token (by id) has opened are closed."""
        opened = [screen for screen in self._all() if screen.token == token]
        self._close(opened, *REVOKED)

    async def end(self) -> None:
        """The daemon stops: all are told to come again."""
        self._close(self._all(), WSCloseCode.GOING_AWAY, "the daemon stops")
        if self._closing:
            await asyncio.wait(tuple(self._closing), timeout=GOODBYE_SECONDS + 1.0)

    def _close(self, screens: Iterable[Screen], code: WSCloseCode, words: str) -> None:
        for screen in screens:
            closing = asyncio.create_task(screen.close(code, words))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _all(self) -> list[Screen]:
        return [screen for theirs in self._screens.values() for screen in theirs]


def _message(notice: Notice) -> dict[str, object]:
    return {"id": notice.id, "type": notice.kind, "timestamp": notice.at, "data": notice.data}


def _frame(notice: Notice) -> str:
    return msgspec.json.encode(_message(notice)).decode()


def _all(proofs: Sequence[asyncio.Future[None]]) -> asyncio.Future[None]:
    """Ends when all have. Who stops waiting for it stops nothing."""
    loop = asyncio.get_running_loop()
    every: asyncio.Future[None] = loop.create_future()
    left = len(proofs)

    def one(_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0 and not every.done():
            every.set_result(None)

    for proof in proofs:
        proof.add_done_callback(one)
    if not proofs:
        every.set_result(None)
    return every
