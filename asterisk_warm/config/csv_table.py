"""A CSV file whose first line names its columns: each row as cells by the name of their column."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from asterisk_warm.config.csv_source import Cell, Row, rows
from asterisk_warm.config.errors import Mark, shown
from asterisk_warm.config.values import nearest
from asterisk_warm.config.yaml_source import Source

_FORMULA = ("=", "+", "-", "@")
_SHOWN = 8
"""Columns that a message names."""


def is_formula(text: str) -> bool:
    """Would a spreadsheet run it? Whoever opens an export of ours is not to run what came in by a file."""
    return text.startswith(_FORMULA)


class Table:
    """``columns``, with their ``marks``, is empty where the first line is not sound; what is wrong is
    reported to ``source``.

    ``known`` are the columns there may be; None: any further ones. ``hint`` says what a first line looks
    like.
    """

    def __init__(
        self,
        text: str,
        source: Source,
        required: Collection[str],
        known: Collection[str] | None,
        *,
        hint: str,
    ) -> None:
        self._source = source
        self._rows = rows(text)
        self._required, self._known, self._hint = required, known, hint
        self.marks: dict[str, Mark] = {}
        self.columns = self._named(next(self._rows, None))

    def rows(self, most: int | None = None) -> Iterator[tuple[Row, dict[str, Cell]]]:
        """The rows that are sound, of the first ``most``; empty cells are left out."""
        for count, row in enumerate(self._rows if self.columns else ()):
            if count == most:
                message = f"the file holds more than {most} rows"
                self._source.report((), message, expected="several files", mark=row.mark)
                return
            cells = self._cells(row)
            if cells is not None:
                yield row, cells

    def _named(self, header: Row | None) -> tuple[str, ...]:
        source = self._source
        if header is None:
            source.report((), "the file is empty", expected=f"a first line with {self._hint}")
            return ()
        if header.problem:
            source.report((), header.problem, expected="as many quotes as are closed", mark=header.mark)
            return ()
        names = [cell.text.strip().lower() for cell in header.cells]
        while not names[-1]:
            names.pop()
        if not set(names) & set(self._known or self._required):
            source.report((), self._no_column(header), expected=self._hint, mark=header.mark)
            return ()
        self._check(names, header)
        self.marks = {name: cell.mark for name, cell in zip(names, header.cells, strict=False)}
        return () if source.errors else tuple(names)

    def _no_column(self, header: Row) -> str:
        """There may be other columns, or no line with their names at all."""
        found = [shown(cell.text.strip()) for cell in header.cells if cell.text.strip()]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        names = ", ".join(f'"{name}"' for name in self._required)
        missing = f"the columns {names} are" if len(self._required) > 1 else f"the column {names} is"
        return f"{missing} missing: the first line has {', '.join(found[:_SHOWN])}{more}"

    def _check(self, names: list[str], header: Row) -> None:
        """Each column is known and there once; what every row has is there."""
        source = self._source
        for name, cell in zip(names, header.cells, strict=False):
            if self._known is not None and name not in self._known:
                likely, expected = nearest(name, self._known), ", ".join(self._known)
                message = f"unknown column {shown(name)}"
                source.report((), message, expected=expected, suggestion=likely, mark=cell.mark)
        for index, name in enumerate(names):
            mark = header.cells[index].mark
            if name in names[:index] and (self._known is None or name in self._known):
                message = f"the column {shown(name)} is there twice"
                source.report((), message, expected="one of the two", mark=mark)
        for name in self._required:
            if name not in names:
                message = f'the column "{name}" is missing'
                expected = f"at least {', '.join(self._required)}"
                source.report((), message, expected=expected, mark=header.mark)

    def _cells(self, row: Row) -> dict[str, Cell] | None:
        columns = self.columns
        if row.problem:
            expected = "text in quotes with every quote in it doubled, or no quotes"
            self._source.report((), row.problem, expected=expected, mark=row.mark)
            return None
        cells = list(row.cells)
        while len(cells) > len(columns) and not cells[-1].text.strip():
            cells.pop()
        if len(cells) != len(columns):
            message = f"{len(cells)} cells, where the first line names {len(columns)} columns"
            expected = "as many; text with a delimiter in it is put in quotes"
            self._source.report((), message, expected=expected, mark=row.mark)
            return None
        stripped = (Cell(cell.text.strip(" \t"), cell.mark) for cell in cells)
        return {name: cell for name, cell in zip(columns, stripped, strict=True) if cell.text}
