"""The routes about qualifications: leads being asked, or asked elsewhere."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from asterisk_warm.api.access import not_yours
from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.peer import agent_of, by_of
from asterisk_warm.api.script_reading import Begin, begin_of, qualifications_of, reply_of, step_of
from asterisk_warm.core.presence import By
from asterisk_warm.engine.qualifying.service import QualificationService
from asterisk_warm.engine.qualifying.views import QualificationView


class QualificationRoutes:
    """The handlers, in front of one service."""

    def __init__(self, qualifications: QualificationService) -> None:
        self._qualifications = qualifications

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/qualifications", self._list),
            ("POST", "/v1/qualifications", self._begin),
            ("GET", "/v1/qualifications/{id}", self._show),
            ("POST", "/v1/qualifications/{id}/answer", self._answer),
            ("POST", "/v1/qualifications/{id}/skip", self._skip),
            ("POST", "/v1/qualifications/{id}/back", self._back),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        asked = qualifications_of(request.query.items())
        found = await self._qualifications.list(asked.limit, open_only=asked.state == "open", lead=asked.lead)
        return json({"qualifications": found})

    async def _begin(self, request: web.Request) -> web.Response:
        asked = begin_of(await body(request), self._qualifications.number)
        if asked.given is not None and agent_of(request):
            raise not_yours("an agent's token asks leads, and gives no verdicts")
        view = await self._begun(asked, by_of(request))
        return json(view, HTTPStatus.CREATED, {"Location": f"/v1/qualifications/{view.id}"})

    async def _begun(self, asked: Begin, by: By) -> QualificationView:
        given = asked.given
        if given is None:
            return await self._qualifications.begin(
                asked.script,
                asked.lead,
                language=asked.language,
                by=by,
                channel=asked.channel,
                fresh=asked.fresh,
            )
        return await self._qualifications.give(
            asked.lead, asked.script, given.score, given.verdict, given.reason, given.summary, by
        )

    async def _show(self, request: web.Request) -> web.Response:
        return json(await self._qualifications.show(await self._meant(request)))

    async def _answer(self, request: web.Request) -> web.Response:
        asked = reply_of(await body(request))
        return json(
            await self._qualifications.answer(
                await self._meant(request),
                asked.answer,
                question=asked.question,
                channel=asked.channel,
                by=by_of(request),
                seen=asked.revision,
            )
        )

    async def _skip(self, request: web.Request) -> web.Response:
        asked = step_of(await body(request))
        by = by_of(request)
        return json(
            await self._qualifications.skip(
                await self._meant(request), asked.channel, by, seen=asked.revision
            )
        )

    async def _back(self, request: web.Request) -> web.Response:
        asked = step_of(await body(request))
        return json(await self._qualifications.back(await self._meant(request), seen=asked.revision))

    async def _meant(self, request: web.Request) -> str:
        """Its whole id, of which a piece may have been given."""
        given = plain_id(request, "qualification", "see `asterisk-warm qualify list`")
        return await self._qualifications.meant(given)
