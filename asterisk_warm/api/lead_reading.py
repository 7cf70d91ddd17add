"""Requests about leads, and about what came of their handoffs, read without trust."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asterisk_warm.api import kinds
from asterisk_warm.api.faults import Faults, decode, kind, members, parameters, shown, token
from asterisk_warm.api.kinds import Read
from asterisk_warm.api.members import missing, read, values
from asterisk_warm.api.problems import Fault
from asterisk_warm.api.reading import limit_of
from asterisk_warm.api.text_kinds import language, line, prose, word
from asterisk_warm.core.handoff.options import DETAIL_LIMIT, LIMITS
from asterisk_warm.core.leads import Consent, Disposition, LeadRecord, Purpose, disposition_of
from asterisk_warm.engine.leads.service import (
    ATTRIBUTE_LIMIT,
    ATTRIBUTES_AT_MOST,
    BASIS_LIMIT,
    NOTE_LIMIT,
    SHOWN_LIMIT,
    SOURCE_LIMIT,
)

LEADS = 100
"""Leads listed when no limit is given."""
LEADS_AT_MOST = 10_000
"""Leads of one import."""
LONGEST_NUMBER = LIMITS["number"]
"""Characters of a number, as somebody writes it."""
CONSENTS_AT_MOST = 100
"""Of one lead in one request."""

Key = Callable[[str], str]
"""A number as somebody writes it → E.164; empty when it is none."""


@dataclass(frozen=True, slots=True)
class LeadListing:
    """What `GET /v1/leads` asks for."""

    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `POST /v1/handoffs/{id}/outcome` says: one of the two at least."""

    disposition: str
    note: str


@dataclass(frozen=True, slots=True)
class LeadImport:
    """What `POST /v1/leads/import` asks for."""

    leads: Sequence[LeadRecord]
    """Those without a fault."""
    faults: Sequence[Fault]
    """Of the others."""
    dry_run: bool


def leads_of(query: Iterable[tuple[str, str]]) -> LeadListing:
    """Raises Problem (422)."""
    faults = Faults()
    given = parameters(query, ("after", "limit"), faults)
    after = line(LONGEST_NUMBER)(given.get("after", ""), "?after", faults)
    limit = limit_of(given, LEADS, faults)
    faults.settle()
    return LeadListing(after or "", limit)


def lead_of(body: bytes, number: str, key: Key, source: str) -> LeadRecord:
    """The lead of that number, which the body may repeat. `source`: from where a consent is known where the
    body does not say. Raises Problem (400, 422)."""
    faults = Faults()
    given = decode(body)
    if isinstance(given, dict):
        given = {**given, "number": _same(given.get("number"), number, key, faults)}
    record = _record(given, "#", key, source, faults)
    faults.settle()
    assert record is not None, "what has no fault is one"
    return record


def _same(given: object, number: str, key: Key, faults: Faults) -> str:
    if given is not None and not (isinstance(given, str) and key(given) == key(number)):
        faults.add("#/number", "is not the number in the path", "leave it out")
    return number


def leads_import_of(body: bytes, key: Key, source: str) -> LeadImport:
    """Raises Problem (400, 422) for what is wrong around the list; what is wrong with single leads is told by
    the answer."""
    faults = Faults()
    given = members(decode(body), "#", ("leads", "dry_run"), faults)
    listed = given.get("leads")
    if not isinstance(listed, list):
        faults.add("#/leads", f"must be an array of leads, not {kind(listed)}")
    elif len(listed) > LEADS_AT_MOST:
        faults.add("#/leads", f"must have at most {LEADS_AT_MOST} leads, not {len(listed)}")
    dry_run = kinds.yes_or_no(given.get("dry_run") or False, "#/dry_run", faults)
    faults.settle()
    assert isinstance(listed, list), "what has no fault is one"
    return _import(listed, key, source, bool(dry_run))


def _import(listed: list[object], key: Key, source: str, dry_run: bool) -> LeadImport:
    faults = Faults()
    records: dict[str, LeadRecord] = {}
    for index, given in enumerate(listed):
        pointer = f"#/leads/{index}"
        record = _record(given, pointer, key, source, faults)
        if record is None:
            continue
        if record.number in records:
            written = shown(given["number"]) if isinstance(given, dict) else record.number
            faults.add(f"{pointer}/number", f"{written} is in the list twice", "give it once")
        else:
            records[record.number] = record
    return LeadImport(tuple(records.values()), tuple(faults.found), dry_run)


def consent_of(body: bytes, source: str) -> Consent:
    """Raises Problem (400, 422)."""
    faults = Faults()
    found = values(body, _CONSENT, _CONSENT_NEEDS, faults)
    faults.settle()
    return _consent(found, source)


def outcome_of(body: bytes, dispositions: Collection[Disposition]) -> Outcome:
    """With the id of the disposition, whether it was given by that, by its digit or by its name. Raises
    Problem (400, 422)."""
    faults = Faults()
    known = {"disposition": _disposition(dispositions), "note": prose(NOTE_LIMIT)}
    found = values(body, known, (), faults)
    if not faults.found and not (found["disposition"] or found["note"]):
        faults.add("#/disposition", '"disposition" or "note" must be given')
    faults.settle()
    return Outcome(found["disposition"] or "", found["note"] or "")


def _disposition(known: Collection[Disposition]) -> Read:
    def read(given: object, pointer: str, faults: Faults) -> str | None:
        said = kinds.text(given, pointer, faults)
        if said is None:
            return None
        found = disposition_of(known, said)
        if found is None:
            faults.unknown("disposition", pointer, said, [one.id for one in known])
        return found.id if found else None

    return read


# -- what fits where -----------------------------------------------------------------------------------------


def _record(given: object, pointer: str, key: Key, source: str, faults: Faults) -> LeadRecord | None:
    before = len(faults.found)
    listed = members(given, pointer, _LEAD, faults)
    if isinstance(given, dict):
        missing(listed, ("number",), pointer, faults)
    found = read(listed, _LEAD, pointer, faults)
    number = key(found["number"]) if found["number"] is not None else ""
    if found["number"] is not None and not number:
        faults.add(
            f"{pointer}/number", f"{shown(found['number'])} is no telephone number", "such as +12025550123"
        )
    if len(faults.found) > before:
        return None
    return LeadRecord(
        number,
        found["name"] or "",
        found["language"] or "",
        found["attributes"] or (),
        found["source"] or "",
        tuple(_consent(consent, source) for consent in found["consents"] or ()),
    )


def _attributes(given: object, pointer: str, faults: Faults) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(given, dict):
        faults.add(pointer, f"must be an object, not {kind(given)}", 'such as {"plan": "gold"}')
        return None
    if len(given) > ATTRIBUTES_AT_MOST:
        faults.add(pointer, f"must have at most {ATTRIBUTES_AT_MOST} entries, not {len(given)}")
        return None
    found = []
    for name, value in given.items():
        place = f"{pointer}/{token(name)}"
        kept = line(ATTRIBUTE_LIMIT, 1)(name, place, faults)
        text = line(DETAIL_LIMIT)(value, place, faults)
        if kept is not None and text is not None:
            found.append((kept, text))
    if len(dict(found)) < len(found):
        faults.add(pointer, "has a name twice, but for spaces around it")
    return tuple(sorted(found))


def _consents(given: object, pointer: str, faults: Faults) -> list[dict[str, Any]] | None:
    if not isinstance(given, list):
        faults.add(pointer, f"must be an array, not {kind(given)}")
        return None
    if len(given) > CONSENTS_AT_MOST:
        faults.add(pointer, f"must have at most {CONSENTS_AT_MOST} entries, not {len(given)}")
        return None
    found = []
    for index, one in enumerate(given):
        place = f"{pointer}/{index}"
        listed = members(one, place, _CONSENT, faults)
        if isinstance(one, dict):
            missing(listed, _CONSENT_NEEDS, place, faults)
        found.append(read(listed, _CONSENT, place, faults))
    return found


def _consent(found: Mapping[str, Any], source: str) -> Consent:
    at = found["at"] if found["at"] is not None else time.time()
    purpose = Purpose(found["purpose"])
    return Consent(purpose, found["granted"], found["basis"], found["shown"], at, found["source"] or source)


def _given_at(given: object, pointer: str, faults: Faults) -> float | None:
    at = kinds.moment(given, pointer, faults)
    if at is not None and at > time.time() + 300:
        faults.add(pointer, "is in the future", "say when it was given")
        return None
    return at


_CONSENT: Mapping[str, Read] = {
    "purpose": word("purpose", [purpose.value for purpose in Purpose]),
    "granted": kinds.yes_or_no,
    "basis": line(BASIS_LIMIT, 1),
    "shown": prose(SHOWN_LIMIT),
    "at": _given_at,
    "source": line(SOURCE_LIMIT),
}
"""By member of `core.leads.Consent`."""
_CONSENT_NEEDS = ("purpose", "granted", "basis", "shown")
_LEAD: Mapping[str, Read] = {
    "number": line(LONGEST_NUMBER, 1),
    "name": line(LIMITS["name"]),
    "language": language,
    "attributes": _attributes,
    "source": line(SOURCE_LIMIT),
    "consents": _consents,
}
"""By member of `core.leads.LeadRecord`."""
