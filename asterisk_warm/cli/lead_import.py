"""`asterisk-warm lead import`: a file of leads, in pieces that the daemon takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.failures import Failure
from asterisk_warm.cli.output import complain, say
from asterisk_warm.cli.regions import region_of

if TYPE_CHECKING:
    from asterisk_warm.core.leads import LeadRecord

SECONDS = 120.0
"""More than a piece takes."""
PIECE = 1000
"""Leads of one request."""
BYTES = 3_000_000
"""Of one request: the daemon reads 4 MiB."""
SAID = ("name", "language", "attributes")
"""What a file may say nothing of, and is lost then."""

Json = dict[str, Any]


class Import:
    """What is wrong with the file is known at once; `run` brings the rest to the daemon."""

    def __init__(self, file: Path, region: str, socket: Path, *, dry_run: bool) -> None:
        from asterisk_warm.config.leads_file import read_leads

        self._file = file
        self._socket = socket
        read = read_leads(file, region_of(region) or ask(socket, "GET", "/v1/leads?limit=1")["region"])
        self._leads = [_body(record) for record in read.good]
        self._untold = [name for name in SAID if name not in read.given]
        self._rows = read.rows
        self._attributes = read.attributes
        self._doubts = read.doubts
        self.faults = [str(fault) for fault in read.faults]
        self.added: list[str] = []
        self.replaced: list[str] = []
        self._dry_run = dry_run

    def run(self, *, quiet: bool) -> Import:
        """Raises Failure; what was done until then stays, and is told."""
        sent = 0
        for piece in self._pieces():
            try:
                self._send(piece)
            except Failure:
                complain(*self.faults, f"{sent} of {len(self._leads)} leads were sent before this")
                raise
            sent += len(piece)
            if len(self._leads) > PIECE and not quiet:
                say(f"{sent} of {len(self._leads)} leads")
        return self

    def _pieces(self) -> Iterator[list[Json]]:
        piece: list[Json] = []
        size = 0
        for lead in self._leads:
            length = len(json.dumps(lead))
            if piece and (len(piece) == PIECE or size + length > BYTES):
                yield piece
                piece, size = [], 0
            piece.append(lead)
            size += length
        if piece:
            yield piece

    def _send(self, piece: list[Json]) -> None:
        body = {"leads": piece, "dry_run": self._dry_run}
        answer = ask(self._socket, "POST", "/v1/leads/import", body, seconds=SECONDS)
        self.added += answer["added"]
        self.replaced += answer["replaced"]
        self.faults += [self._placed(fault, piece) for fault in answer["faults"]]

    def _placed(self, fault: Json, piece: list[Json]) -> str:
        """A fault that the daemon has found, by line, number as written and column instead of a JSON
        pointer."""
        from asterisk_warm.config.errors import dotted

        _, _, index, *rest = str(fault["pointer"]).split("/")
        lead = piece[int(index)]
        row = self._rows[lead["number"]]
        place = dotted(("leads", row.number, *_column(lead, rest)))
        hint = f" ({fault['remedy']})" if fault["remedy"] else ""
        return f"{self._file}:{row.line}:1: {place}: {fault['detail']}{hint}"

    @property
    def total(self) -> Json:
        """As the API answers, but for the faults: each in words, with its line."""
        return {
            "added": self.added,
            "replaced": self.replaced,
            "faults": self.faults,
            "dry_run": self._dry_run,
        }

    @property
    def warnings(self) -> list[str]:
        """Consents are only added to; all else is replaced."""
        found = [f"warning: {doubt}" for doubt in self._doubts]
        if self.replaced and self._untold:
            untold = _or(self._untold)
            found.append(f"warning: the file has no {untold}; of those who are replaced, that is now empty")
        return found

    def summary(self) -> list[str]:
        would = "would be " if self._dry_run else ""
        counts = (("added", len(self.added)), ("replaced", len(self.replaced)))
        told = [f"{would}{what}: {count}" for what, count in counts if count]
        faults = [f"faults: {len(self.faults)}; whoever has one is left out"] if self.faults else []
        attributes = [f"attributes: {', '.join(self._attributes)}"] if self._attributes else []
        told = told or [f"{would}added or replaced: nobody"]
        return [*told, *(attributes if self._dry_run else []), *faults]


def _column(lead: Json, pointer: list[str]) -> list[str]:
    """The column that a part of the lead comes from; none: the lead as a whole."""
    match [part.replace("~1", "/").replace("~0", "~") for part in pointer]:
        case ["consents", index, "purpose" | "granted"]:
            return [f"consent_{lead['consents'][int(index)]['purpose']}"]
        case ["consents", _, about]:
            return [f"consent_{about}"]
        case ["attributes", name]:
            return [name]
        case others:
            return others


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _body(record: LeadRecord) -> Json:
    return {
        "number": record.number,
        "name": record.name,
        "language": record.language,
        "attributes": dict(record.attributes),
        "source": record.source,
        "consents": [
            {
                "purpose": consent.purpose.value,
                "granted": consent.granted,
                "basis": consent.basis,
                "shown": consent.shown,
                "at": consent.at,
                "source": consent.source,
            }
            for consent in record.consents
        ],
    }
