"""Whose an application is. Asterisk itself gives the events to every newcomer, and leaves the one before
deaf."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from asterisk_warm.ari.client import AriClient, NotThere
from asterisk_warm.ari.model import Message, Variable
from asterisk_warm.ari.socket import Replaced
from asterisk_warm.engine.ports.pbx import PbxError

ANSWER_SECONDS = 1.0
"""How long the owner may take to say that it is there: waited for only when the last owner was another."""
_LOOK_SECONDS = 0.05
_ASKED = "warm-who"


class Claim:
    """The owner's name is kept in a global variable of Asterisk, where the same daemon finds it after a
    restart and goes on at once. Another one asks first, by an event to the application, whether the owner
    lives."""

    def __init__(self, client: AriClient, app: str, owner: str) -> None:
        """`owner`: the same for every run of one daemon, and for no other."""
        self._client = client
        self._app = app
        self._owner = owner
        self._answer: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """May we connect? Raises Replaced when another daemon is the owner and lives; PbxError."""
        owner = await self._get("WARM_OWNER")
        if owner not in ("", self._owner) and await self._lives():
            raise Replaced(
                f'another daemon ({owner}) serves the application "{self._app}" of this Asterisk; '
                "only one daemon may use an application name"
            )

    async def make(self) -> None:
        """Be the owner from now on. Raises PbxError."""
        await self._set("WARM_OWNER", self._owner)

    def tell(self, message: Message) -> None:
        """Every event, so that a newcomer who asks is answered."""
        if message.type == "ChannelUserevent" and message.eventname == _ASKED:
            self._answer = asyncio.create_task(self._here(message.userevent.ticket))

    async def _here(self, ticket: str) -> None:
        with suppress(PbxError):
            await self._set("WARM_HERE", ticket)

    async def _lives(self) -> bool:
        ticket = secrets.token_hex(8)
        body = {"variables": {"ticket": ticket}}
        try:
            await self._client.request("POST", f"/events/user/{_ASKED}", {"application": self._app}, body)
        except NotThere:
            return False
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if await self._get("WARM_HERE") == ticket:
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _get(self, name: str) -> str:
        found = await self._client.get("/asterisk/variable", Variable, variable=f"{name}_{self._app}")
        return found.value

    async def _set(self, name: str, value: str) -> None:
        await self._client.request(
            "POST", "/asterisk/variable", {"variable": f"{name}_{self._app}", "value": value}
        )
