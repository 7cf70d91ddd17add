"""Requests about scripts and qualifications, read without trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asterisk_warm.api import kinds
from asterisk_warm.api.faults import Faults, members, parameters, shown
from asterisk_warm.api.kinds import Read
from asterisk_warm.api.lead_reading import LONGEST_NUMBER, Key
from asterisk_warm.api.members import missing, read, values, version
from asterisk_warm.api.problems import Fault
from asterisk_warm.api.reading import limit_of
from asterisk_warm.api.text_kinds import language, line, prose, word
from asterisk_warm.core.script.model import Channel, Verdict
from asterisk_warm.engine.qualifying.ports import SourceFault

QUALIFICATIONS = 50
"""Qualifications listed when no limit is given."""
SOURCE_AT_MOST = 256 * 1024
"""Characters of a script's YAML."""
LONGEST_SCRIPT = 64
"""Characters of a script's id."""
LONGEST_ANSWER = 16_000
CHANNELS = (Channel.CONSOLE, Channel.TEXT, Channel.API)
"""By which ways a program can say that an answer was given."""
_SCORE = 1e9


@dataclass(frozen=True, slots=True)
class Source:
    """What `POST /v1/scripts` publishes."""

    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Given:
    """The finished qualification of another system."""

    score: float
    verdict: str
    reason: str
    summary: str


@dataclass(frozen=True, slots=True)
class Begin:
    """What `POST /v1/qualifications` asks for."""

    script: str
    lead: str
    language: str
    fresh: bool
    channel: Channel
    given: Given | None
    """None: the lead is to be asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What `POST /v1/qualifications/{id}/answer` says."""

    answer: str
    question: str
    """Empty: the one that is asked now."""
    channel: Channel
    revision: int | None
    """None: whichever it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """What `POST /v1/qualifications/{id}/skip` and `…/back` say."""

    channel: Channel
    revision: int | None


@dataclass(frozen=True, slots=True)
class QualificationListing:
    """What `GET /v1/qualifications` asks for."""

    lead: str
    state: str
    limit: int


def source_of(body: bytes) -> Source:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _SOURCE, ("source",), faults)
    faults.settle()
    return Source(found["source"], found["note"] or "")


def only_source_of(body: bytes) -> str:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, {"source": _SOURCE["source"]}, ("source",), faults)
    faults.settle()
    return str(found["source"])


def in_source(faults: Iterable[SourceFault]) -> list[Fault]:
    """What is wrong inside a script's YAML, each with its place."""
    return [Fault("#/source", _placed(one), one.remedy) for one in faults]


def _placed(fault: SourceFault) -> str:
    place = f"line {fault.line}, column {fault.column}: " if fault.line else ""
    return f"{place}{f'{fault.path}: ' if fault.path else ''}{fault.message}"


def version_of(query: Iterable[tuple[str, str]]) -> int | None:
    """Raises Problem (422)."""
    faults = Faults()
    found = version(parameters(query, ("version",), faults), "version", faults)
    faults.settle()
    return found


def diff_of(query: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Raises Problem (422)."""
    faults = Faults()
    given = parameters(query, ("old", "new"), faults)
    old, new = (version(given, name, faults, needed=True) for name in ("old", "new"))
    faults.settle()
    assert old is not None and new is not None, "what has no fault is there"
    return old, new


def rollback_of(body: bytes) -> int:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, {"version": kinds.whole(1, 10**9)}, ("version",), faults)
    faults.settle()
    return int(found["version"])


def qualifications_of(query: Iterable[tuple[str, str]]) -> QualificationListing:
    """Raises Problem (422)."""
    faults = Faults()
    given = parameters(query, ("lead", "state", "limit"), faults)
    lead = line(LONGEST_NUMBER)(given.get("lead", ""), "?lead", faults)
    state = given.get("state", "all")
    if state not in ("open", "all"):
        faults.add("?state", f"{shown(state)} is not open or all")
    limit = limit_of(given, QUALIFICATIONS, faults)
    faults.settle()
    return QualificationListing(lead or "", state, limit)


def begin_of(body: bytes, key: Key) -> Begin:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _BEGIN, ("script",), faults)
    if found["lead"] and not key(found["lead"]):
        # Caller IDs may be anything; a number that somebody writes down is one, or mistyped.
        remedy = "write it with + and the country code, such as +12025550123"
        faults.add("#/lead", f"{shown(found['lead'])} is no telephone number", remedy)
    if found["given"] is not None:
        told = [name for name in ("language", "fresh", "channel") if found[name] is not None]
        for name in told:
            faults.add(f"#/{name}", 'is given beside "given"', "leave it out: nobody is asked")
    faults.settle()
    return Begin(
        found["script"],
        found["lead"] or "",
        found["language"] or "",
        bool(found["fresh"]),
        Channel(found["channel"] or Channel.API),
        found["given"],
    )


def reply_of(body: bytes) -> Reply:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _REPLY, ("answer",), faults)
    faults.settle()
    channel = Channel(found["channel"] or Channel.API)
    return Reply(found["answer"], found["question"] or "", channel, found["revision"])


def step_of(body: bytes) -> Step:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _STEP, (), faults)
    faults.settle()
    return Step(Channel(found["channel"] or Channel.API), found["revision"])


# -- what fits where -----------------------------------------------------------------------------------------


def _given(given: object, pointer: str, faults: Faults) -> Given | None:
    before = len(faults.found)
    listed = members(given, pointer, _GIVEN, faults)
    if isinstance(given, dict):
        missing(listed, ("score", "verdict"), pointer, faults)
    found = read(listed, _GIVEN, pointer, faults)
    if len(faults.found) > before:
        return None
    return Given(found["score"], found["verdict"], found["reason"] or "", found["summary"] or "")


_CHANNEL = word("channel", [channel.value for channel in CHANNELS])
_SOURCE: Mapping[str, Read] = {"source": prose(SOURCE_AT_MOST, 1), "note": line()}
_GIVEN: Mapping[str, Read] = {
    "score": kinds.number(-_SCORE, _SCORE, "a number"),
    "verdict": word("verdict", [verdict.value for verdict in Verdict]),
    "reason": line(),
    "summary": line(500),
}
_BEGIN: Mapping[str, Read] = {
    "script": line(LONGEST_SCRIPT, 1),
    "lead": line(LONGEST_NUMBER),
    "language": language,
    "fresh": kinds.yes_or_no,
    "channel": _CHANNEL,
    "given": _given,
}
_STEP: Mapping[str, Read] = {"channel": _CHANNEL, "revision": kinds.whole(1, 10**9)}
_REPLY: Mapping[str, Read] = {"answer": prose(LONGEST_ANSWER), "question": line(LONGEST_SCRIPT), **_STEP}
