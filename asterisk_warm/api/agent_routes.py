"""The routes about agents and teams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from asterisk_warm.api.agent_checks import check
from asterisk_warm.api.agent_kinds import LONGEST_NAME
from asterisk_warm.api.agent_reading import (
    history_of,
    import_of,
    offline_of,
    pause_of,
    record_of,
    watching_of,
    wrapup_of,
)
from asterisk_warm.api.faults import Faults
from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.peer import by_of
from asterisk_warm.api.reading import nothing_of
from asterisk_warm.core.presence import Declared
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.agents.views import PresenceView
from asterisk_warm.engine.errors import Refused

IMPORT_AT_MOST = 4 * 1024 * 1024
"""Bytes of the body of an import: 10 000 agents."""


class AgentRoutes:
    """The handlers, in front of one service."""

    def __init__(self, agents: AgentService) -> None:
        self._agents = agents
        self._ending = asyncio.Event()

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/agents", self._list),
            ("POST", "/v1/agents/import", self._import),
            ("GET", "/v1/agents/{id}", self._show),
            ("PUT", "/v1/agents/{id}", self._put),
            ("DELETE", "/v1/agents/{id}", self._remove),
            ("POST", "/v1/agents/{id}/ready", self._ready),
            ("POST", "/v1/agents/{id}/pause", self._pause),
            ("POST", "/v1/agents/{id}/offline", self._offline),
            ("POST", "/v1/agents/{id}/wrapup", self._wrap_up),
            ("GET", "/v1/agents/{id}/history", self._history),
            ("GET", "/v1/teams", self._teams),
            ("GET", "/v1/teams/{id}", self._team),
        ]

    def end(self) -> None:
        """Whoever waits for a change is answered now."""
        self._ending.set()

    # -- seeing ----------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        asked = watching_of(request.query.items())
        version, agents = await self._watch(-1 if asked.after is None else asked.after, asked.wait)
        return json({"version": version, "agents": agents})

    async def _watch(self, after: int, seconds: float) -> tuple[int, Sequence[PresenceView]]:
        watching = asyncio.ensure_future(self._agents.watch(after, seconds))
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait((watching, ending), return_when=asyncio.FIRST_COMPLETED)
            return await watching if watching.done() else await self._agents.watch(-1, 0.0)
        finally:
            watching.cancel()
            ending.cancel()

    async def _show(self, request: web.Request) -> web.Response:
        return json(self._agents.show(_agent(request)))

    async def _history(self, request: web.Request) -> web.Response:
        limit = history_of(request.query.items())
        return json({"history": await self._agents.history(_agent(request), limit)})

    async def _teams(self, _: web.Request) -> web.Response:
        return json({"teams": await self._agents.teams()})

    async def _team(self, request: web.Request) -> web.Response:
        return json(await self._agents.team(plain_id(request, "team", "see `asterisk-warm team list`")))

    # -- declaring -------------------------------------------------------------------------------------------

    async def _ready(self, request: web.Request) -> web.Response:
        nothing_of(await body(request))
        return json(await self._agents.declare(_agent(request), Declared.READY, by_of(request)))

    async def _pause(self, request: web.Request) -> web.Response:
        asked = pause_of(await body(request))
        by, until = by_of(request), asked.end(time.time())
        return json(await self._agents.declare(_agent(request), Declared.PAUSED, by, asked.reason, until))

    async def _offline(self, request: web.Request) -> web.Response:
        asked = offline_of(await body(request))
        by = by_of(request)
        return json(await self._agents.declare(_agent(request), Declared.OFFLINE, by, asked.reason))

    async def _wrap_up(self, request: web.Request) -> web.Response:
        asked = wrapup_of(await body(request))
        return json(await self._agents.wrap_up(_agent(request), asked.seconds, by_of(request)))

    # -- who they are ----------------------------------------------------------------------------------------

    async def _put(self, request: web.Request) -> web.Response:
        record = record_of(await body(request), request.match_info["id"])
        by = by_of(request)
        known = {agent.id for agent in self._agents.list()}
        if record.id in known and request.headers.get("If-None-Match") == "*":
            raise Refused(
                "conflict", f"there is an agent {record.id} already", "choose another id, or replace them"
            )
        faults = Faults()
        await self._check({"#": record}, faults)
        faults.settle()
        (view,) = await self._agents.save([record], by)
        if record.id in known:
            return json(view)
        return json(view, HTTPStatus.CREATED, {"Location": f"/v1/agents/{record.id}"})

    async def _remove(self, request: web.Request) -> web.Response:
        agent = self._agents.show(_agent(request))
        await self._agents.remove(agent.id, by_of(request))
        return json(agent)

    async def _import(self, request: web.Request) -> web.Response:
        asked = import_of(await body(request, IMPORT_AT_MOST))
        by = by_of(request)
        known = {agent.id for agent in self._agents.list()}
        faults = Faults([*asked.faults])
        records = {f"#/agents/{index}": record for index, record in asked.records.items()}
        # An agent who is left out keeps a phone that somebody else would have had: look again.
        while bad := await self._check(records, faults):
            records = {pointer: record for pointer, record in records.items() if pointer not in bad}
        if records and not asked.dry_run:
            await self._agents.save(list(records.values()), by)
        ids = [record.id for record in records.values()]
        return json(
            {
                "added": [id for id in ids if id not in known],
                "replaced": [id for id in ids if id in known],
                "faults": faults.found,
                "dry_run": asked.dry_run,
            }
        )

    async def _check(self, records: Mapping[str, AgentRecord], faults: Faults) -> Collection[str]:
        teams = [team.id for team in await self._agents.teams()]
        return check(records, self._agents.list(), teams, faults)


def _agent(request: web.Request) -> str:
    """An agent's id or name."""
    given = request.match_info["id"]
    if not given.isprintable() or len(given) > LONGEST_NAME:
        raise Refused("not_found", "that is no agent", "see `asterisk-warm agent list`")
    return given
