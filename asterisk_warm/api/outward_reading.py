"""Requests about webhooks and tokens, read without trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asterisk_warm.api.faults import Faults, kind, parameters, shown
from asterisk_warm.api.kinds import Read
from asterisk_warm.api.members import values
from asterisk_warm.api.reading import limit_of
from asterisk_warm.api.text_kinds import line, word
from asterisk_warm.core.handoff.options import clean

DELIVERIES = 50
"""Deliveries listed when no limit is given."""
STATES = ("all", "pending", "delivered", "failed")
REPLAY_AT_MOST = 1000
"""Deliveries sent again by one request."""
LONGEST_NOTE = 80
_LONGEST_WEBHOOK = 64


@dataclass(frozen=True, slots=True)
class DeliveryListing:
    """What `GET /v1/webhooks/deliveries` asks for."""

    webhook: str
    state: str
    limit: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What `POST /v1/webhooks/replay` asks for: these deliveries, or those that have failed."""

    ids: tuple[int, ...]
    webhook: str
    state: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """What `POST /v1/tokens` asks for."""

    agent: str
    note: str


def deliveries_of(query: Iterable[tuple[str, str]]) -> DeliveryListing:
    """Raises Problem (422)."""
    faults = Faults()
    given = parameters(query, ("webhook", "state", "limit"), faults)
    webhook = line(_LONGEST_WEBHOOK)(given.get("webhook", ""), "?webhook", faults)
    state = given.get("state", "all")
    if state not in STATES:
        faults.add("?state", f"{shown(state)} is not {', '.join(STATES[:-1])} or {STATES[-1]}")
    limit = limit_of(given, DELIVERIES, faults)
    faults.settle()
    return DeliveryListing(webhook or "", state, limit)


def replay_of(body: bytes) -> Replay:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _REPLAY, (), faults)
    beside = [name for name in ("webhook", "state") if found[name] is not None]
    if not faults.found and found["ids"] is None and found["state"] is None:
        faults.add("#/ids", '"ids" or "state" must be given', 'such as {"state": "failed"}')
    for name in beside if found["ids"] is not None else ():
        faults.add(f"#/{name}", 'is given beside "ids"', 'give only "ids", or "state" and "webhook"')
    faults.settle()
    return Replay(found["ids"] or (), found["webhook"] or "", found["state"] or "")


def token_of(body: bytes) -> NewToken:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _TOKEN, (), faults)
    faults.settle()
    return NewToken(found["agent"] or "", clean(found["note"] or "", LONGEST_NOTE))


def _ids(given: object, pointer: str, faults: Faults) -> tuple[int, ...] | None:
    if not isinstance(given, list):
        faults.add(pointer, f"must be an array of numbers, not {kind(given)}")
        return None
    if not 1 <= len(given) <= REPLAY_AT_MOST:
        faults.add(pointer, f"must have from 1 to {REPLAY_AT_MOST} entries, not {len(given)}")
        return None
    for index, one in enumerate(given):
        if not isinstance(one, int) or isinstance(one, bool) or not 0 < one < 2**63:
            faults.add(f"{pointer}/{index}", f"must be the id of a delivery, not {kind(one)}")
    return tuple(dict.fromkeys(one for one in given if isinstance(one, int)))


_REPLAY: Mapping[str, Read] = {
    "ids": _ids,
    "webhook": line(_LONGEST_WEBHOOK, 1),
    "state": word("state to send again", ["failed"]),
}
_TOKEN: Mapping[str, Read] = {"agent": line(LONGEST_NOTE, 1), "note": line(LONGEST_NOTE)}
