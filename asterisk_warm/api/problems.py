"""What the API answers when it cannot do what was asked: problem details, RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import web

from asterisk_warm.engine.errors import Kind, NotAllowed, Refused

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:asterisk-warm:problem:"

STATUS: Mapping[Kind, HTTPStatus] = {
    "not_found": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
}

TITLES: Mapping[str, str] = {
    "not_found": "There is no such thing",
    "conflict": "Not in this state",
    "invalid": "The request cannot be used",
    "unreachable": "Asterisk or the database cannot be reached",
    "malformed": "The request cannot be read",
    "unauthorized": "Nobody is let in without a token",
    "forbidden": "Not with this token",
    "too_many": "Too many at once",
    "upgrade": "A WebSocket is wanted here",
    "method": "Not with this method",
    "too_large": "The body is too large",
    "internal": "A fault of the daemon",
}
"""By kind of problem."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request."""

    pointer: str
    """Where: a JSON pointer into the body (`#/return_to/priority`), or `?limit` of the query."""
    detail: str
    remedy: str = ""


class Problem(Exception):
    """A request that is answered with problem details. `kind` names the type; see docs/api.md."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        remedy: str = "",
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        warm_status: str = "",
        handoff: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.remedy = remedy
        self.errors = errors
        self.headers = headers or {}
        self.warm_status = warm_status
        """What the dialplan would have been told, where there is a word for it."""
        self.handoff = handoff
        """The id under which the journal has it, where it does."""

    @classmethod
    def of(cls, refused: Refused) -> Problem:
        return cls(
            STATUS[refused.kind],
            refused.kind,
            refused.message,
            refused.remedy,
            warm_status=refused.status if isinstance(refused, NotAllowed) else "",
            handoff=refused.handoff,
        )

    @classmethod
    def invalid(cls, errors: Sequence[Fault]) -> Problem:
        """All that is wrong with a request; the first of it in words."""
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return cls(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"{first.pointer}: {first.detail}{more}",
            first.remedy,
            errors,
        )

    def response(self) -> web.Response:
        body: dict[str, object] = {
            "type": TYPE_PREFIX + self.kind,
            "title": TITLES[self.kind],
            "status": int(self.status),
            "detail": self.detail,
            "remedy": self.remedy,
        }
        if self.errors:
            body["errors"] = self.errors
        if self.warm_status:
            # Not "status": RFC 9457 has that of HTTP there.
            body["warm_status"] = self.warm_status
        if self.handoff:
            body["handoff"] = self.handoff
        return web.Response(
            status=self.status, body=msgspec.json.encode(body), content_type=MEDIA_TYPE, headers=self.headers
        )
