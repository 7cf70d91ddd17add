"""The routes about leads, and about what came of their handoffs."""

from __future__ import annotations

import asyncio

from aiohttp import web

from asterisk_warm.api.agent_routes import IMPORT_AT_MOST
from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.lead_reading import (
    LONGEST_NUMBER,
    consent_of,
    lead_of,
    leads_import_of,
    leads_of,
    outcome_of,
)
from asterisk_warm.api.peer import by_of
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.leads.service import LeadService
from asterisk_warm.engine.qualifying.views import by_words


class LeadRoutes:
    """The handlers, in front of one service."""

    def __init__(self, leads: LeadService) -> None:
        self._leads = leads

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/leads", self._list),
            ("POST", "/v1/leads/import", self._import),
            ("GET", "/v1/leads/{number}", self._show),
            ("PUT", "/v1/leads/{number}", self._put),
            ("DELETE", "/v1/leads/{number}", self._remove),
            ("POST", "/v1/leads/{number}/consents", self._consent),
            ("POST", "/v1/handoffs/{id}/outcome", self._outcome),
            ("GET", "/v1/handoffs/{id}/outcomes", self._outcomes),
            ("GET", "/v1/dispositions", self._dispositions),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        asked = leads_of(request.query.items())
        leads = await self._leads.list(asked.after, asked.limit)
        return json({"leads": leads, "region": self._leads.region})

    async def _show(self, request: web.Request) -> web.Response:
        return json(await self._leads.show(_number(request)))

    async def _put(self, request: web.Request) -> web.Response:
        number = _number(request)
        record = lead_of(await body(request), number, self._key, by_words(by_of(request)))
        return json(await self._leads.save(record, by_of(request)))

    async def _remove(self, request: web.Request) -> web.Response:
        lead = await self._leads.show(_number(request))
        await self._leads.remove(lead.number, by_of(request))
        return json(lead)

    async def _import(self, request: web.Request) -> web.Response:
        by = by_of(request)
        source = await body(request, IMPORT_AT_MOST)
        asked = await asyncio.to_thread(leads_import_of, source, self._key, by_words(by))
        dry_run = asked.dry_run
        added, replaced = await self._leads.save_all(asked.leads, by, dry_run=dry_run)
        return json({"added": added, "replaced": replaced, "faults": asked.faults, "dry_run": asked.dry_run})

    async def _consent(self, request: web.Request) -> web.Response:
        number = _number(request)
        by = by_of(request)
        consent = consent_of(await body(request), by_words(by))
        return json(await self._leads.consent(number, consent, by))

    async def _outcome(self, request: web.Request) -> web.Response:
        handoff = _handoff(request)
        asked = outcome_of(await body(request), self._leads.dispositions.values())
        return json(await self._leads.outcome(handoff, asked.disposition, asked.note, by_of(request)))

    async def _outcomes(self, request: web.Request) -> web.Response:
        return json({"outcomes": await self._leads.outcomes(_handoff(request))})

    async def _dispositions(self, _: web.Request) -> web.Response:
        return json({"dispositions": list(self._leads.dispositions.values())})

    def _key(self, number: str) -> str:
        try:
            return self._leads.key(number)
        except Refused:
            return ""


def _number(request: web.Request) -> str:
    """A lead's number, as somebody writes it."""
    given = request.match_info["number"]
    if not given.isprintable() or len(given) > LONGEST_NUMBER:
        raise Refused("not_found", "that is no telephone number", "such as +12025550123")
    return given


def _handoff(request: web.Request) -> str:
    return plain_id(request, "handoff", "see `asterisk-warm handoff list --all`")
