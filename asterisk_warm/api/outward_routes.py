"""The routes about what goes out of the house: webhooks, and the tokens that let others in."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from asterisk_warm.api.faults import Faults
from asterisk_warm.api.handling import Handler, body, json, plain_id
from asterisk_warm.api.outward_reading import REPLAY_AT_MOST, deliveries_of, replay_of, token_of
from asterisk_warm.api.peer import user_of
from asterisk_warm.api.ports import Deliveries
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.screens.ports import Delivery, Token


@dataclass(frozen=True, slots=True)
class DeliveryView:
    id: int
    notice: str
    """The `webhook-id`: the same however often it is sent."""
    webhook: str
    kind: str
    state: str
    """pending, delivered or failed."""
    created_at: float
    next_at: float | None
    """When it is tried next; None: no more."""
    attempts: int
    delivered_at: float | None
    error: str


@dataclass(frozen=True, slots=True)
class TokenView:
    id: str
    agent: str
    """Empty: it opens everything."""
    note: str
    created_at: float
    created_by: str
    revoked_at: float | None


class OutwardRoutes:
    def __init__(
        self, deliveries: Deliveries, tokens: Tokens, screens: ScreenHub, agents: AgentService
    ) -> None:
        self._deliveries = deliveries
        self._tokens = tokens
        self._screens = screens
        self._agents = agents

    def table(self) -> list[tuple[str, str, Handler]]:
        """(method, path, handler) of every route."""
        return [
            ("GET", "/v1/webhooks/deliveries", self._list),
            ("POST", "/v1/webhooks/replay", self._replay),
            ("GET", "/v1/tokens", self._list_tokens),
            ("POST", "/v1/tokens", self._make_token),
            ("DELETE", "/v1/tokens/{id}", self._revoke_token),
        ]

    # -- webhooks --------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        asked = deliveries_of(request.query.items())
        found = await self._deliveries.list(asked.webhook, asked.state, asked.limit)
        return json({"deliveries": [_delivery(one) for one in found]})

    async def _replay(self, request: web.Request) -> web.Response:
        asked = replay_of(await body(request))
        ids = asked.ids
        if not ids:
            failed = await self._deliveries.list(asked.webhook, asked.state, REPLAY_AT_MOST)
            ids = tuple(one.id for one in failed)
        replayed = await self._deliveries.replay(ids) if ids else 0
        return json({"replayed": replayed, "left": len(ids) - replayed})

    # -- tokens ----------------------------------------------------------------------------------------------

    async def _list_tokens(self, _: web.Request) -> web.Response:
        return json({"tokens": [_token(token) for token in await self._tokens.list()]})

    async def _make_token(self, request: web.Request) -> web.Response:
        asked = token_of(await body(request))
        agent = self._agent(asked.agent) if asked.agent else ""
        token, secret = await self._tokens.make(agent, asked.note, user_of(request))
        shown = {"secret": secret, **_members(_token(token))}
        return json(shown, HTTPStatus.CREATED, {"Location": f"/v1/tokens/{token.id}"})

    def _agent(self, given: str) -> str:
        """Their id. Raises Problem (422)."""
        try:
            return self._agents.show(given).id
        except Refused as refused:
            faults = Faults()
            faults.add("#/agent", refused.message, refused.remedy)
            faults.settle()
            raise

    async def _revoke_token(self, request: web.Request) -> web.Response:
        token = await self._tokens.revoke(plain_id(request, "token", "see `asterisk-warm token list`"))
        self._screens.revoked(token.id)
        return json(_token(token))


def _delivery(one: Delivery) -> DeliveryView:
    state = "delivered" if one.delivered_at is not None else "failed" if one.next_at is None else "pending"
    return DeliveryView(
        one.id,
        one.notice,
        one.webhook,
        one.kind,
        state,
        one.created_at,
        one.next_at,
        one.attempts,
        one.delivered_at,
        one.error,
    )


def _token(token: Token) -> TokenView:
    return TokenView(token.id, token.agent, token.note, token.created_at, token.created_by, token.revoked_at)


def _members(view: TokenView) -> dict[str, object]:
    return {name: getattr(view, name) for name in TokenView.__slots__}
