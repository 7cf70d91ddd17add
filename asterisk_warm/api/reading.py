"""Requests read without trust: every fault of a body or a query is found, not only the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from asterisk_warm.api import kinds
from asterisk_warm.api.agent_kinds import entries
from asterisk_warm.api.faults import Faults, decode, kind, members, parameters, shown, token
from asterisk_warm.api.kinds import LONGEST_ID, LONGEST_PLACE, Read
from asterisk_warm.api.text_kinds import language, line
from asterisk_warm.core.handoff.gate import TOLD
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.ports.calls import Location

LIMIT = 100
"""Handoffs listed when no limit is given."""
LIMIT_AT_MOST = 1000
LONGEST_QUALIFICATION = 40
"""Characters of a qualification's id."""


@dataclass(frozen=True, slots=True)
class Start:
    """What `POST /v1/handoffs` asks for: of which call (one of `CALL`), and to whom (one of `DESTINATION`).
    The lead's details are cleaned and cut by the core."""

    channel: str | None
    qualifier: str | None
    team: str | None
    agent: str | None
    outside: str | None
    mode: str | None
    name: str | None
    number: str | None
    summary: str | None
    details: dict[str, str]
    language: str | None
    qualification: str | None
    qualified: bool | None
    consent: bool | None
    wait: float | None
    priority: int | None
    skills: tuple[tuple[str, int], ...] | None
    return_to: Location | None

    @property
    def destination(self) -> Destination:
        return Destination(self.team or "", self.agent or "", self.outside or "")

    @property
    def routing(self) -> dict[str, str]:
        """What the lead waits for, and how, as options."""
        skills = ";".join(f"{name}:{level}" for name, level in self.skills or ())
        given = {"wait": self.wait, "priority": self.priority, "skills": skills or None}
        return {name: f"{value}" for name, value in given.items() if value is not None}

    @property
    def holds(self) -> dict[str, bool]:
        """Which of `gate.TOLD` were said to hold of the lead, or not to."""
        said = {name: getattr(self, name) for name in TOLD}
        return {name: yes for name, yes in said.items() if yes is not None}


CALL = ("channel", "qualifier")
"""What names the call: just one of them."""
DESTINATION = ("team", "agent", "outside")
"""What names who is to have the lead: just one of them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What `GET /v1/handoffs` asks for."""

    state: Literal["open", "all"]
    limit: int


def start_of(body: bytes) -> Start:
    """Raises Problem: 400 when it is not JSON, else 422 with everything that is wrong."""
    faults = Faults()
    given = members(decode(body), "#", tuple(_START), faults)
    values: dict[str, Any] = {
        name: read(given[name], f"#/{name}", faults) if given.get(name) is not None else None
        for name, read in _START.items()
    }
    _just_one(given, CALL, faults)
    _just_one(given, DESTINATION, faults)
    faults.settle()
    values["details"] = values["details"] or {}
    return Start(**values)


def nothing_of(body: bytes) -> None:
    """Of a request that says all by its path: no body, or an empty object. Raises Problem (400, 422)."""
    if not body.strip():
        return
    faults = Faults()
    members(decode(body), "#", (), faults)
    faults.settle()


def _just_one(given: Mapping[str, object], names: tuple[str, ...], faults: Faults) -> None:
    told = [name for name in names if given.get(name) is not None]
    either = " or ".join(f'"{name}"' for name in names)
    if not told:
        faults.add(f"#/{names[0]}", f"{either} must be given")
    for name in told[1:]:
        faults.add(f"#/{name}", f'is given beside "{told[0]}"', f"give only {either}")


def listing_of(query: Iterable[tuple[str, str]]) -> Listing:
    """Raises Problem (422) with everything that is wrong."""
    faults = Faults()
    given = parameters(query, ("state", "limit"), faults)
    state = given.get("state", "open")
    if state not in ("open", "all"):
        faults.add("?state", f"{shown(state)} is not open or all")
    limit = limit_of(given, LIMIT, faults)
    faults.settle()
    return Listing("open" if state == "open" else "all", limit)


def limit_of(given: Mapping[str, str], default: int, faults: Faults) -> int:
    """How many at most, by the parameter `limit`."""
    limit = _count(given.get("limit", str(default)))
    if limit is None:
        faults.add("?limit", f"must be a whole number from 1 to {LIMIT_AT_MOST}")
    return limit or default


def _count(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    number = int(text)
    return number if 1 <= number <= LIMIT_AT_MOST else None


# -- what fits where -----------------------------------------------------------------------------------------


def _mode(given: object, pointer: str, faults: Faults) -> str | None:
    text = kinds.text(given, pointer, faults)
    if text is not None and text not in [mode.value for mode in Mode]:
        faults.unknown("mode", pointer, text, [mode.value for mode in Mode])
    return text


def _details(given: object, pointer: str, faults: Faults) -> dict[str, str]:
    if not isinstance(given, dict):
        faults.add(pointer, f"must be an object, not {kind(given)}")
        return {}
    for name, value in given.items():
        place = f"{pointer}/{token(name)}"
        if not name.strip() or "=" in name:
            faults.add(place, 'the name of a detail must not be empty nor have a "=" in it')
        kinds.text(value, place, faults)
    return given


def _return_to(given: object, pointer: str, faults: Faults) -> Location | None:
    place = members(given, pointer, tuple(_PLACE), faults)
    values: dict[str, Any] = {}
    for name, read in _PLACE.items() if isinstance(given, dict) else ():
        if name not in place:
            faults.add(f"{pointer}/{name}", f'"{name}" must be given')
        else:
            values[name] = read(place[name], f"{pointer}/{name}", faults)
    return Location(**values) if len(values) == len(_PLACE) else None


_PLACE: Mapping[str, Read] = {
    "context": kinds.identifier(LONGEST_PLACE),
    "extension": kinds.identifier(LONGEST_PLACE),
    "priority": kinds.whole(1, 1_000_000),
}

_START: Mapping[str, Read] = {
    "channel": kinds.identifier(LONGEST_ID),
    "qualifier": kinds.identifier(LONGEST_ID),
    "team": kinds.identifier(LONGEST_PLACE),
    "agent": kinds.name,
    "outside": kinds.outside,
    "mode": _mode,
    "name": kinds.text,
    "number": kinds.text,
    "summary": kinds.text,
    "details": _details,
    "language": language,
    "qualification": line(LONGEST_QUALIFICATION),
    "qualified": kinds.yes_or_no,
    "consent": kinds.yes_or_no,
    "wait": kinds.number(0, 3600, "a number of seconds"),
    "priority": kinds.whole(0, 9),
    "skills": entries(kinds.whole(1, 10), '{"spanish": 7}: the skill, and its least level'),
    "return_to": _return_to,
}
