"""The routes about scripts."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web

from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.peer import by_of
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.script_reading import (
    SOURCE_AT_MOST,
    diff_of,
    in_source,
    only_source_of,
    rollback_of,
    source_of,
    version_of,
)
from asterisk_warm.engine.qualifying.ports import BadSource, SourceFault
from asterisk_warm.engine.qualifying.scripts import ERROR, ScriptService

PUBLISH_AT_MOST = 2 * SOURCE_AT_MOST
"""Bytes of a body with a script in it: line ends and quotes take two."""
NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""What a browser lets a picture do."""


class ScriptRoutes:
    """The handlers, in front of one service."""

    def __init__(self, scripts: ScriptService) -> None:
        self._scripts = scripts

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/scripts", self._list),
            ("POST", "/v1/scripts", self._publish),
            ("POST", "/v1/scripts/check", self._check),
            ("GET", "/v1/scripts/{id}", self._show),
            ("GET", "/v1/scripts/{id}/versions", self._versions),
            ("GET", "/v1/scripts/{id}/diff", self._diff),
            ("POST", "/v1/scripts/{id}/rollback", self._rollback),
            ("GET", "/v1/scripts/{id}/graph", self._graph),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return json({"scripts": await self._scripts.list()})

    async def _publish(self, request: web.Request) -> web.Response:
        asked = source_of(await body(request, PUBLISH_AT_MOST))
        by = by_of(request)
        await self._refuse_errors(asked.source)
        try:
            view = await self._scripts.publish(asked.source, by, asked.note)
        except BadSource as bad:
            raise Problem.invalid(in_source(bad.faults)) from bad
        return json(view, HTTPStatus.CREATED, {"Location": f"/v1/scripts/{view.id}?version={view.version}"})

    async def _refuse_errors(self, source: str) -> None:
        """All that keeps it from being published, with its places. Raises Problem (422)."""
        found = await asyncio.to_thread(self._scripts.check, source)
        errors = [
            SourceFault(one.line, one.column, one.path, one.message, one.remedy)
            for one in found
            if one.severity == ERROR
        ]
        if errors:
            raise Problem.invalid(in_source(errors))

    async def _check(self, request: web.Request) -> web.Response:
        source = only_source_of(await body(request, PUBLISH_AT_MOST))
        return json({"findings": await asyncio.to_thread(self._scripts.check, source)})

    async def _show(self, request: web.Request) -> web.Response:
        version = version_of(request.query.items())
        return json(await self._scripts.show(_script(request), version))

    async def _versions(self, request: web.Request) -> web.Response:
        return json({"versions": await self._scripts.versions(_script(request))})

    async def _diff(self, request: web.Request) -> web.Response:
        old, new = diff_of(request.query.items())
        return json({"changes": await self._scripts.diff(_script(request), old, new)})

    async def _rollback(self, request: web.Request) -> web.Response:
        version = rollback_of(await body(request))
        return json(await self._scripts.rollback(_script(request), version, by_of(request)))

    async def _graph(self, request: web.Request) -> web.Response:
        version = version_of(request.query.items())
        return web.Response(
            text=await self._scripts.graph(_script(request), version),
            content_type="image/svg+xml",
            headers={
                "Content-Security-Policy": NOTHING_ALLOWED,
                "X-Content-Type-Options": "nosniff",
            },
        )


def _script(request: web.Request) -> str:
    return plain_id(request, "script", "see `asterisk-warm script list`")
