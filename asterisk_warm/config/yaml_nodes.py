"""A YAML file as PyYAML's nodes, or the one fault for which it is none, in our words."""

from __future__ import annotations

from typing import Any

import yaml

from asterisk_warm.config.errors import Mark, fatal
from asterisk_warm.config.text_file import Wanted

MAX_DEPTH = 40


class _TooMany(Exception):
    """More entries in one mapping or list than can be meant."""

    def __init__(self, mark: yaml.Mark) -> None:
        self.mark = mark


class _Loader(yaml.SafeLoader):
    """PyYAML's composer, with bounds: on nesting, as it calls itself once per level, and on entries, as its
    scanner takes 50 us for each.
    """

    depth = 0

    def __init__(self, text: str, most_entries: int) -> None:
        super().__init__(text)
        self._most_entries = most_entries

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self._here())
        if parent is not None and len(parent.value) >= self._most_entries:
            raise _TooMany(self._here())
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _here(self) -> yaml.Mark:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: yaml.Mark = event.start_mark
        return mark


def compose(text: str, file: str, wanted: Wanted) -> yaml.Node | None:
    """Return the file's one document, None when there is none. Raises ConfigErrors when it is no YAML."""
    try:
        loader = _Loader(text, wanted.most_entries)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Mark(before.count("\n") + 1, error.position - before.rfind("\n"))
        message = f"the character U+{ord(text[error.position]):04X} cannot stand in a YAML file"
        raise fatal(file, message, place, expected="printable text") from None
    try:
        return loader.get_single_node()
    except _TooMany as error:
        message = f"there are more than {wanted.most_entries} entries in one place"
        raise fatal(file, message, mark_of(error.mark), wanted.right_one) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = _syntax_problem(error.problem or "")
        raise fatal(file, problem, mark_of(mark) if mark else None) from None
    except (ValueError, OverflowError):
        # PyYAML turns escapes such as "\UFFFFFFFF" into a character without looking.
        raise fatal(file, "a number or an escape is out of range", mark_of(loader.get_mark())) from None
    finally:
        loader.dispose()


# PyYAML's own words, which may quote what was written (a password, perhaps), and ours, which do not.
_SYNTAX = {
    "found character '\\t'": "a tab is used where YAML allows spaces only: indent with spaces",
    "found undefined alias": 'a word that starts with "*" is a YAML alias, of no anchor: put text in quotes',
    "found duplicate anchor": "an anchor is given twice",
    "found undefined tag": 'a word that starts with "!" is a YAML tag, and unknown: put text in quotes',
    "mapping values are not allowed": 'a second ": " in one line: use quotes, or mend the indentation',
    "but found another document": 'the file holds more than one document: take out the "---" line',
    "could not find expected ':'": 'a ":" is missing after the name of a setting',
    "expected <block end>": "the indentation does not fit the lines above",
    "expected ',' or": "a comma or a closing bracket is missing",
    "found '<stream end>'": "a bracket is never closed",
    "found unexpected end of stream": "a quote or bracket is never closed",
    "nested too deeply": f"settings are nested more than {MAX_DEPTH} levels deep",
}


def _syntax_problem(problem: str) -> str:
    for theirs, ours in _SYNTAX.items():
        if theirs in problem:
            return ours
    return f"not valid YAML: {problem or 'it cannot be read'}"


def mark_of(mark: yaml.Mark) -> Mark:
    """PyYAML counts from 0."""
    return Mark(mark.line + 1, mark.column + 1)
