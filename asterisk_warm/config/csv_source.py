"""A CSV file as cells that still know where they were written.

The standard library's reader knows no places within a line, and one quote that is never closed takes the rest
of the file along. Here a line with broken quotes is a fault of its own, and the next line is read again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from asterisk_warm.config.errors import Mark

_PLAIN = {",": re.compile(r"[^,\r\n]*"), ";": re.compile(r"[^;\r\n]*")}
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """A row; or, where its quotes are broken, ``problem`` and the place of it."""

    cells: tuple[Cell, ...]
    mark: Mark
    problem: str = ""

    @property
    def empty(self) -> bool:
        """A spreadsheet leaves rows of nothing but delimiters."""
        return not self.problem and not any(cell.text.strip() for cell in self.cells)


def rows(text: str) -> Iterator[Row]:
    """The rows of ``text``; empty ones are left out. Never raises."""
    reader = _Reader(text)
    while reader.at < len(text):
        row = reader.row()
        if not row.empty:
            yield row


class _Reader:
    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text
        self._starts = [0, *(end.end() for end in _END.finditer(text))]
        self._delimiter = _delimiter(_END.split(text, maxsplit=1)[0])

    def row(self) -> Row:
        cells: list[Cell] = []
        while True:
            mark = self._mark()
            kind = _QUOTED if self._text.startswith('"', self.at) else _PLAIN[self._delimiter]
            found = kind.match(self._text, self.at)
            if found is None:
                return self._broken(mark, "a quote is opened and never closed")
            after = found.end()
            end = _END.match(self._text, after)
            more = self._text.startswith(self._delimiter, after)
            if not more and end is None and after < len(self._text):
                return self._broken(mark, "there is text after a closing quote")
            cells.append(Cell(found[1].replace('""', '"') if kind is _QUOTED else found[0], mark))
            self.at = after + 1 if more else end.end() if end else after
            if not more:
                return Row(tuple(cells), cells[0].mark)

    def _broken(self, mark: Mark, problem: str) -> Row:
        """Go on with the line after the quote."""
        end = _END.search(self._text, self.at)
        self.at = end.end() if end else len(self._text)
        return Row((), mark, problem)

    def _mark(self) -> Mark:
        line = bisect_right(self._starts, self.at)
        return Mark(line, self.at - self._starts[line - 1] + 1)


def _delimiter(first_line: str) -> str:
    """Spreadsheets write ``;`` where the comma is the decimal point."""
    return ";" if first_line.count(";") > first_line.count(",") else ","
