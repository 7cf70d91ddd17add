"""Over the network: a request is let in by its token, and an agent's token to what is that agent's own."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from asterisk_warm.api.failures import Failures
from asterisk_warm.api.peer import TOKEN
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.screens.ports import Token
from asterisk_warm.engine.service import HandoffService

log = structlog.get_logger(__name__)

SCREEN = "/v1/screen"
PROTOCOL = "warm.v1"
"""Subprotocol of the screens."""
PROTOCOL_TOKEN = "warm.bearer."
"""Before a secret, as a subprotocol: no browser lets a page set `Authorization` of a WebSocket."""

Rule = Callable[[web.Request, Token, HandoffService], Awaitable[bool]]
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(tokens: Tokens, handoffs: HandoffService) -> Middleware:
    """The middleware that lets nobody in without a token."""
    failures = Failures()

    @web.middleware
    async def check(request: web.Request, handler: Next) -> web.StreamResponse:
        token = await tokens.find(_secret(request))
        if token is None:
            raise _unknown(request, failures)
        request[TOKEN] = token
        if token.agent and not await _may(request, token, handoffs):
            raise not_yours(f"the token is {token.agent}'s, and opens what is theirs")
        return await handler(request)

    return check


def not_yours(words: str) -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, "forbidden", words, "use a token that is no agent's")


def _secret(request: web.Request) -> str:
    """Of the header, or of a screen's subprotocols; empty when there is none."""
    scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    if request.path == SCREEN:
        for offered in protocols(request):
            if offered.startswith(PROTOCOL_TOKEN):
                return offered.removeprefix(PROTOCOL_TOKEN)
    return ""


def protocols(request: web.Request) -> list[str]:
    """The subprotocols that a screen offers; in one header, as aiohttp reads it."""
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL)
    return [one.strip() for one in offered.split(",")] if offered is not None else []


def _unknown(request: web.Request, failures: Failures) -> Problem:
    peer = request.remote or ""
    if wait := failures.wait(peer):
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many",
            "too many requests without a token that counts",
            "wait, and use a token of `asterisk-warm token create`",
            headers={hdrs.RETRY_AFTER: f"{math.ceil(wait)}"},
        )
    failures.add(peer)
    log.info("a request without a token that counts", peer=peer)
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "the request has no token, or one that does not count (any more)",
        "send `Authorization: Bearer` and the secret of a token; see `asterisk-warm token create --help`",
        headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="asterisk_warm"'},
    )


# -- what an agent may ---------------------------------------------------------------------------------------


async def _may(request: web.Request, token: Token, handoffs: HandoffService) -> bool:
    resource = request.match_info.route.resource
    if resource is None:
        return True  # There is nothing at that path, or not with that method: that they may know.
    rule = AGENTS_MAY.get((request.method, resource.canonical))
    return rule is not None and await rule(request, token, handoffs)


async def _always(_: web.Request, __: Token, ___: HandoffService) -> bool:
    return True


async def _themselves(request: web.Request, token: Token, _: HandoffService) -> bool:
    """By id: a name may become another's."""
    return request.match_info["id"] == token.agent


async def _their_screen(request: web.Request, token: Token, _: HandoffService) -> bool:
    return set(request.query.getall("agent", [])) <= {token.agent}


async def _their_lead(request: web.Request, token: Token, handoffs: HandoffService) -> bool:
    """They took the lead. By the whole id: what one is cut to may fit another later."""
    id = request.match_info["id"]
    try:
        found = await handoffs.show(id)
    except Refused:
        return False
    return found.id == id and found.agent is not None and found.agent.id == token.agent


AGENTS_MAY: Mapping[tuple[str, str], Rule] = MappingProxyType(
    {
        ("GET", SCREEN): _their_screen,
        ("GET", "/v1/agents/{id}"): _themselves,
        ("POST", "/v1/agents/{id}/ready"): _themselves,
        ("POST", "/v1/agents/{id}/pause"): _themselves,
        ("POST", "/v1/agents/{id}/offline"): _themselves,
        ("POST", "/v1/agents/{id}/wrapup"): _themselves,
        ("POST", "/v1/handoffs/{id}/outcome"): _their_lead,
        ("GET", "/v1/dispositions"): _always,
        ("GET", "/v1/qualifications"): _always,
        ("POST", "/v1/qualifications"): _always,
        ("GET", "/v1/qualifications/{id}"): _always,
        ("POST", "/v1/qualifications/{id}/answer"): _always,
        ("POST", "/v1/qualifications/{id}/skip"): _always,
        ("POST", "/v1/qualifications/{id}/back"): _always,
    }
)
"""(method, route) → whether a token that is of an agent opens it."""
