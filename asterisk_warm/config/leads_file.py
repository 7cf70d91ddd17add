"""Leads from a CSV file: `read_leads` returns those that are good, and everything that is wrong.

The first line names the columns: `number`, and any of `name`, `language`, `source`, `consent_call`,
`consent_text`, `consent_recording` (yes or no), and for these `consent_basis`, `consent_shown`, `consent_at`.
Any other column is an attribute of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import TypeAdapter

from asterisk_warm.config.csv_source import Cell
from asterisk_warm.config.csv_table import Table, is_formula
from asterisk_warm.config.errors import ConfigError, ConfigErrors, Mark, dotted, shown
from asterisk_warm.config.faults import part
from asterisk_warm.config.section import Section
from asterisk_warm.config.spoken import LANGUAGE, Language
from asterisk_warm.config.text_file import MEBIBYTE, Wanted, text_of
from asterisk_warm.config.values import Expects, Line, nearest
from asterisk_warm.config.yaml_source import Source
from asterisk_warm.core.leads import Consent, LeadRecord, Purpose
from asterisk_warm.core.numbers import e164

MOST_ROWS = 100_000
MOST_COLUMNS = 50
MOST_FAULTS = 1000
_LONGEST_VALUE = 2000
_WANTED = Wanted(
    "a CSV file",
    "leads.csv",
    "a CSV file of leads",
    "a file of leads; is this the right one?",
    most_bytes=32 * MEBIBYTE,
)
_HEADER = "columns such as number,name,language,source"
_CONSENTS: Mapping[str, Purpose] = {f"consent_{purpose}": purpose for purpose in Purpose}
_ABOUT_CONSENT = ("consent_basis", "consent_shown", "consent_at")
_OF_CONSENT = (*_CONSENTS, *_ABOUT_CONSENT)
_OWN = ("number", "name", "language", "source", *_OF_CONSENT)
_WORDS = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}
_LIKENESS = 0.75
"""From which on a column is taken for a misspelt one: `nmae` is, `surname` and `nickname` are not."""
_AMOUNT = re.compile(r"[+-][0-9 ().,/-]*[0-9]%?")


@dataclass(frozen=True, slots=True)
class LeadsFile:
    """``good`` is in the order of the lines, and so are ``faults``.

    ``given`` are the fields of `LeadRecord` of which the file says something; the others have their defaults.
    ``attributes`` are the columns that are attributes, and ``doubts`` those of them that may be misspelt.
    ``rows`` has each of the good by number.
    """

    good: tuple[LeadRecord, ...]
    faults: tuple[ConfigError, ...]
    given: frozenset[str]
    attributes: tuple[str, ...] = ()
    doubts: tuple[ConfigError, ...] = ()
    rows: Mapping[str, LeadRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeadRow:
    """Where a lead is written: in which line, and by what number."""

    line: int
    number: str


def read_leads(path: Path, region: str) -> LeadsFile:
    """Read the leads of the CSV file at ``path``; ``region`` is the country (`US`) of numbers without `+`.

    Never raises: what is wrong with the file as a whole is a fault as well. Of several rows with one number
    the first counts. A time without a zone is UTC.
    """
    source = Source(str(path), {})
    try:
        table = Table(text_of(path, _WANTED), source, ("number",), None, hint=_HEADER)
    except ConfigErrors as errors:
        return LeadsFile((), tuple(errors.errors), frozenset())
    reading = _Reading(source, region, f"import {path.name}")
    good = tuple(reading.leads(table))
    if not good and not source.errors:
        source.report((), "there are no leads in the file", expected="a lead at least")
    attributes = tuple(name for name in table.columns if name not in _OWN)
    doubts = tuple(_misspelt(table, attributes, source))
    return LeadsFile(good, _told(source.errors), _given(table.columns), attributes, doubts, reading.rows)


def _misspelt(table: Table, attributes: tuple[str, ...], source: Source) -> Iterator[ConfigError]:
    """Nobody is to lose a consent, or a name, to an attribute that looks like it."""
    lacking = [name for name in _OWN if name not in table.columns]
    for name in attributes:
        likely = nearest(name, lacking, _LIKENESS)
        if name.startswith("consent"):
            likely = nearest(name, _OF_CONSENT, 0.0)
        if likely is not None:
            message = f"the column {shown(name)} is none of ours, and is taken for an attribute"
            yield source.error((), message, suggestion=likely, mark=table.marks[name])


def _told(errors: list[ConfigError]) -> tuple[ConfigError, ...]:
    """Nobody reads more than a thousand."""
    faults = ConfigErrors(errors).errors
    if len(faults) > MOST_FAULTS:
        last = faults[MOST_FAULTS]
        message = f"and {len(faults) - MOST_FAULTS} further faults from here on"
        faults[MOST_FAULTS:] = [replace(last, message=message, expected=None, suggestion=None)]
    return tuple(faults)


def _given(columns: tuple[str, ...]) -> frozenset[str]:
    there = set(columns)
    given = there & {"number", "name", "language", "source"}
    further = {"consents": there & set(_CONSENTS), "attributes": there - set(_OWN)}
    return frozenset(given | {field for field, named in further.items() if named})


class _Row(Section):
    name: Annotated[Line | None, Expects("text")] = None
    language: Annotated[Language | None, LANGUAGE] = None
    source: Annotated[Line | None, Expects("text")] = None


class _File(Section):
    leads: dict[str, _Row]


_ROW = TypeAdapter(_Row)


class _Reading:
    def __init__(self, source: Source, region: str, origin: str) -> None:
        self._source = source
        self._region = region
        self._origin = origin
        self.rows: dict[str, LeadRow] = {}
        self._row = ""

    def leads(self, table: Table) -> Iterator[LeadRecord]:
        if not self._columns_sound(table):
            return
        for row, cells in table.rows(MOST_ROWS):
            before = len(self._source.errors)
            number = self._number(cells, row.mark)
            lead = self._lead(number, cells)
            if lead is not None and len(self._source.errors) == before:
                yield lead

    def _columns_sound(self, table: Table) -> bool:
        columns = table.columns
        if len(columns) > MOST_COLUMNS:
            self._source.report((), f"there are {len(columns)} columns", expected=f"at most {MOST_COLUMNS}")
        for name in columns:
            if not name or len(name) > 40 or not name.isprintable() or is_formula(name):
                message = f"{shown(name)} cannot be the name of an attribute"
                self._source.report((), message, expected="1 to 40 characters", mark=table.marks[name])
        return not self._source.errors and bool(columns)

    def _number(self, cells: dict[str, Cell], row: Mark) -> str:
        cell = cells.get("number")
        if cell is None:
            self._source.report((), "the row has no number", expected="a number for every lead", mark=row)
            return ""
        self._row = cell.text
        number = e164(cell.text, self._region)
        if not number:
            own = f", or one of {self._region}" if self._region else ""
            expected = f"a number with + and its country's code{own}"
            self._source.report(
                (), f"{shown(cell.text)} is no telephone number", expected=expected, mark=cell.mark
            )
        elif number in self.rows:
            message = f"{shown(cell.text)} is there twice, first on line {self.rows[number].line}"
            self._source.report((), message, expected="one row for each number", mark=cell.mark)
        self.rows.setdefault(number, LeadRow(cell.mark.line, cell.text))
        return number

    def _lead(self, number: str, cells: dict[str, Cell]) -> LeadRecord | None:
        row = self._own(cells)
        attributes = tuple(sorted(self._attributes(cells)))
        consents = tuple(self._consents(cells))
        if row is None:
            return None
        return LeadRecord(
            number=number,
            name=row.name or "",
            language=row.language or "",
            attributes=attributes,
            source=row.source or self._origin,
            consents=consents,
        )

    def _own(self, cells: dict[str, Cell]) -> _Row | None:
        """What is checked as a setting of the same kind would be."""
        at = ("leads", self._row)
        written = {name: cells[name] for name in ("name", "language", "source") if name in cells}
        values = {name: cell.text for name, cell in written.items()}
        self._source.values = {"leads": {self._row: values}}
        self._source.marks = {(*at, name): cell.mark for name, cell in written.items()}
        for name in ("name", "source"):
            if name in written:
                self._checked(name, written[name])
        return part(self._source, _ROW, values, at, set(), root=_File)

    def _attributes(self, cells: dict[str, Cell]) -> Iterator[tuple[str, str]]:
        for name, cell in cells.items():
            if name not in _OWN and self._checked(name, cell):
                yield name, cell.text

    def _checked(self, name: str, cell: Cell | None, *, lines: bool = False) -> bool:
        """``lines``: whether it may be more than one."""
        if cell is None:
            return True
        text = cell.text.replace("\r", "").replace("\n", "") if lines else cell.text
        if len(cell.text) > _LONGEST_VALUE:
            self._bad(name, cell, f"is longer than {_LONGEST_VALUE} characters", "less")
        elif is_formula(cell.text) and not _AMOUNT.fullmatch(cell.text):
            self._bad(name, cell, "starts like a formula of a spreadsheet", "text")
        elif not text.isprintable() and name not in _Row.model_fields:
            self._bad(name, cell, "holds a control character or a line break", "text")
        else:
            return True
        return False

    def _consents(self, cells: dict[str, Cell]) -> Iterator[Consent]:
        said = {purpose: cells[name] for name, purpose in _CONSENTS.items() if name in cells}
        basis, words, at = (cells.get(name) for name in _ABOUT_CONSENT)
        sound = self._checked("consent_basis", basis) and self._checked("consent_shown", words, lines=True)
        moment = self._moment(at) if at and said else None
        for purpose, cell in said.items():
            name = f"consent_{purpose}"
            granted = _WORDS.get(cell.text.lower())
            if granted is None:
                self._bad(name, cell, "is neither yes nor no", "yes or no")
            elif at is None:
                self._bad(name, cell, "has no date", "the time of it in a column consent_at")
            elif granted and basis is None:
                self._bad(name, cell, "has no ground", "one in a column consent_basis, such as web form")
            elif sound and moment is not None:
                yield Consent(purpose, granted, _text(basis), _text(words), moment, self._origin)

    def _moment(self, cell: Cell) -> float | None:
        try:
            moment = datetime.fromisoformat(cell.text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self._bad("consent_at", cell, "is no date", "a date or a time, such as 2026-03-12T14:30+01:00")
            return None

    def _bad(self, name: str, cell: Cell, problem: str, expected: str) -> None:
        message = f"{dotted(('leads', self._row, name))}: {shown(cell.text)} {problem}"
        self._source.report((), message, expected=expected, mark=cell.mark)


def _text(cell: Cell | None) -> str:
    return cell.text if cell else ""
