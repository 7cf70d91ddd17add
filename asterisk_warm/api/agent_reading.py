"""Requests about agents, read without trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.api import kinds
from asterisk_warm.api.agent_kinds import RECORD, REQUIRED
from asterisk_warm.api.faults import Faults, decode, kind, members, parameters
from asterisk_warm.api.kinds import Read
from asterisk_warm.api.members import missing, read, values
from asterisk_warm.api.problems import Fault
from asterisk_warm.api.reading import limit_of
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.service import PAUSE_AT_MOST, WATCH_SECONDS, WRAPUP_AT_MOST

HISTORY = 50
"""Lines of an agent's history when no limit is given."""
AGENTS_AT_MOST = 10_000
"""Agents of one import."""
_VERSION_AT_MOST = 2**62


@dataclass(frozen=True, slots=True)
class Watching:
    """What `GET /v1/agents` asks for."""

    after: int | None
    """The version that is known already; None: none is."""
    wait: float
    """For how many seconds to wait for a newer one."""


@dataclass(frozen=True, slots=True)
class Pause:
    """What `POST /v1/agents/{id}/pause` asks for."""

    reason: str
    until: float | None
    minutes: float | None

    def end(self, now: float) -> float | None:
        return self.until if self.minutes is None else now + self.minutes * 60


@dataclass(frozen=True, slots=True)
class Offline:
    """What `POST /v1/agents/{id}/offline` asks for."""

    reason: str


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What `POST /v1/agents/{id}/wrapup` asks for."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Import:
    """What `POST /v1/agents/import` asks for."""

    records: Mapping[int, AgentRecord]
    """By their place in the list, those without a fault."""
    faults: Sequence[Fault]
    """Of the others."""
    dry_run: bool


def watching_of(query: Iterable[tuple[str, str]]) -> Watching:
    """Raises Problem (422)."""
    faults = Faults()
    given = parameters(query, ("after", "wait"), faults)
    after = _digits(given["after"]) if "after" in given else None
    if "after" in given and (after is None or after > _VERSION_AT_MOST):
        faults.add("?after", "must be the `version` of an answer", "leave it out at first")
    wait = _seconds(given.get("wait", "0"))
    if wait is None:
        faults.add("?wait", f"must be a number of seconds from 0 to {WATCH_SECONDS:g}")
    faults.settle()
    return Watching(after, wait or 0.0)


def history_of(query: Iterable[tuple[str, str]]) -> int:
    """How many lines. Raises Problem (422)."""
    faults = Faults()
    limit = limit_of(parameters(query, ("limit",), faults), HISTORY, faults)
    faults.settle()
    return limit


def pause_of(body: bytes) -> Pause:
    """Raises Problem (400, 422)."""
    faults = Faults()
    given = values(body, _PAUSE, (), faults)
    if given["until"] is not None and given["minutes"] is not None:
        faults.add("#/minutes", 'is given beside "until"', 'give only "until" or "minutes"')
    faults.settle()
    return Pause(given["reason"] or "", given["until"], given["minutes"])


def offline_of(body: bytes) -> Offline:
    """Raises Problem (400, 422)."""
    faults = Faults()
    given = values(body, _OFFLINE, (), faults)
    faults.settle()
    return Offline(given["reason"] or "")


def wrapup_of(body: bytes) -> WrapUp:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _WRAPUP, ("seconds",), faults)
    faults.settle()
    return WrapUp(found["seconds"])


def record_of(body: bytes, id: str) -> AgentRecord:
    """The agent of that id, which the body may repeat. Raises Problem (400, 422)."""
    faults = Faults()
    given = decode(body)
    if isinstance(given, dict) and given.get("id") not in (None, id):
        faults.add("#/id", "is not the id in the path", "leave it out")
        given = {**given, "id": id}
    record = _record({"id": id, **given} if isinstance(given, dict) else given, "#", faults)
    faults.settle()
    assert record is not None, "what has no fault is one"
    return record


def import_of(body: bytes) -> Import:
    """Raises Problem (400, 422) for what is wrong around the list; what is wrong with single agents is told
    by the answer."""
    faults = Faults()
    given = members(decode(body), "#", ("agents", "dry_run"), faults)
    listed = given.get("agents")
    if not isinstance(listed, list):
        faults.add("#/agents", f"must be an array of agents, not {kind(listed)}")
    elif len(listed) > AGENTS_AT_MOST:
        faults.add("#/agents", f"must have at most {AGENTS_AT_MOST} agents, not {len(listed)}")
    dry_run = kinds.yes_or_no(given.get("dry_run") or False, "#/dry_run", faults)
    faults.settle()
    assert isinstance(listed, list), "what has no fault is one"
    return _import(listed, bool(dry_run))


def _import(listed: list[object], dry_run: bool) -> Import:
    faults = Faults()
    records = {}
    first: dict[str, int] = {}
    for index, given in enumerate(listed):
        pointer = f"#/agents/{index}"
        record = _record(given, pointer, faults)
        if record is None:
            continue
        if first.setdefault(record.id, index) != index:
            faults.add(f"{pointer}/id", f'"{record.id}" is in the list twice', "give it once")
        else:
            records[index] = record
    return Import(records, tuple(faults.found), dry_run)


def _record(given: object, pointer: str, faults: Faults) -> AgentRecord | None:
    before = len(faults.found)
    listed = members(given, pointer, RECORD, faults)
    if isinstance(given, dict):
        missing(listed, REQUIRED, pointer, faults)
    found = read(listed, RECORD, pointer, faults)
    if len(faults.found) > before:
        return None
    return AgentRecord(**{name: value for name, value in found.items() if value is not None})


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _seconds(text: str) -> float | None:
    whole, _, fraction = text.partition(".")
    if _digits(whole) is None or (fraction and _digits(fraction) is None):
        return None
    seconds = float(text)
    return seconds if seconds <= WATCH_SECONDS else None


_PAUSE: Mapping[str, Read] = {
    "reason": kinds.text,
    "until": kinds.moment,
    "minutes": kinds.number(0.05, PAUSE_AT_MOST / 60, "a number of minutes"),
}
_OFFLINE: Mapping[str, Read] = {"reason": kinds.text}
_WRAPUP: Mapping[str, Read] = {"seconds": kinds.number(0, WRAPUP_AT_MOST, "a number of seconds")}
