"""A CSV file of agents as the `agents:` section that it stands for: `agents_file` reads both alike.

What is several in one cell is separated by ``;``: teams `sales;renewals:2` (with the tier where it is not
1), skills `spanish:7;insurance:3` (with the level), shifts `mon-fri 09:00-17:30;sat 10:00-14:00`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from asterisk_warm.config.csv_source import Cell
from asterisk_warm.config.csv_table import Table, is_formula
from asterisk_warm.config.errors import KeyPath, dotted, shown
from asterisk_warm.config.yaml_source import Source

REQUIRED = ("id", "name", "endpoint")
COLUMNS = (*REQUIRED, "number", "teams", "skills", "timezone", "shifts", "calendar", "at_once", "language")
HEADER = "columns such as id,name,endpoint,number,teams,skills"
_WHOLE = re.compile("[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Found:
    columns: tuple[str, ...]
    """None, where the first line is not sound."""
    teams: dict[str, dict[str, object]]
    """Agent id → team id → tier: what a section `agents:` does not say."""


def read(text: str, source: Source) -> Found:
    """Fill ``source`` as if it were YAML, and report to it."""
    agents: dict[str, dict[str, object]] = {}
    teams: dict[str, dict[str, object]] = {}
    source.values["agents"] = agents
    table = Table(text, source, REQUIRED, COLUMNS, hint=HEADER)
    for row, cells in table.rows():
        id = cells.pop("id", None)
        if id is None:
            source.report((), "the row has no id", expected="an id for every agent", mark=row.mark)
            continue
        if id.text in agents:
            _report_twice(id, source)
            continue
        agent = _Agent(source, id)
        agents[id.text] = agent.read(cells)
        if "teams" in cells:
            teams[id.text] = agent.teams(cells["teams"])
    return Found(table.columns, teams)


def _report_twice(id: Cell, source: Source) -> None:
    path: KeyPath = ("agents", id.text)
    first = source.key_marks[path].line
    message = f"{shown(id.text)} is there twice, first on line {first} and again on line {id.mark.line}"
    source.report(path, message, expected="one row for each agent", mark=id.mark)


class _Agent:
    """One row on its way into the source."""

    def __init__(self, source: Source, id: Cell) -> None:
        self._source = source
        self._at: KeyPath = ("agents", id.text)
        source.marks[self._at] = source.key_marks[self._at] = id.mark

    def read(self, cells: dict[str, Cell]) -> dict[str, object]:
        """Return the settings of the agent as YAML would have them."""
        for column, cell in cells.items():
            self._source.marks[(*self._at, column)] = cell.mark
        return {column: self._value(column, cell) for column, cell in cells.items() if column != "teams"}

    def _value(self, column: str, cell: Cell) -> object:
        match column:
            case "name" if is_formula(cell.text):
                # Whoever opens an export of ours in a spreadsheet is not to run what came in by this file.
                self._bad(cell, column, "starts like a formula of a spreadsheet", "a name")
                return None
            case "at_once":
                return _number(cell.text)
            case "shifts":
                shifts = list(_items(cell.text))
                marks = {(*self._at, column, index): cell.mark for index in range(len(shifts))}
                self._source.marks.update(marks)
                return shifts
            case "skills":
                return self._levels(cell, column, None)
            case _:
                return cell.text

    def teams(self, cell: Cell) -> dict[str, object]:
        """Return the tier in each team."""
        tiers = self._levels(cell, "teams", 1)
        for team, tier in tiers.items():
            if not isinstance(tier, int) or not 1 <= tier <= 9:
                problem = f"has no tier after {shown(team)}"
                self._bad(cell, "teams", problem, "a tier from 1 to 9, such as sales:2")
                return {}
        return tiers

    def _levels(self, cell: Cell, column: str, default: int | None) -> dict[str, object]:
        levels: dict[str, object] = {}
        for item in _items(cell.text):
            name, colon, level = (part.strip() for part in item.partition(":"))
            if "," in item:
                self._bad(cell, column, 'holds a ","', '";" between one and the next')
            elif name in levels:
                self._bad(cell, column, f"names {shown(name)} twice", "each of them once")
            elif not colon and default is None:
                self._bad(cell, column, f"gives no level for {shown(name)}", "a level, such as spanish:7")
            else:
                self._source.marks[(*self._at, column, name)] = cell.mark
                levels[name] = _number(level) if colon else default
        return levels

    def _bad(self, cell: Cell, column: str, problem: str, expected: str) -> None:
        path = (*self._at, column)
        self._source.report(path, f"{dotted(path)}: {shown(cell.text)} {problem}", expected=expected)
        self._source.broken.add(path)


def _items(text: str) -> Iterator[str]:
    return (item.strip() for item in text.split(";") if item.strip())


def _number(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text
