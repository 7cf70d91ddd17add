"""A YAML file as plain values that still know where they were written.

YAML 1.1 reads some unquoted words as something else: ``no`` is false, ``22:30`` is 1350, ``0123`` is 83, and
of two equal keys the last wins without a word. What cannot be meant is reported here, with its place; whether
a ``no`` was meant as a word depends on the setting, so that is left to the reader of the values
(`Source.text`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from asterisk_warm.config.errors import ConfigError, KeyPath, Mark, dotted, fatal, printable
from asterisk_warm.config.text_file import SETTINGS, Wanted, text_of
from asterisk_warm.config.yaml_nodes import MAX_DEPTH, compose, mark_of

_TAG = "tag:yaml.org,2002:"

# Aliases of aliases grow without bound in a few lines of text.
MAX_VALUES = 100_000


Secrets = frozenset[str | tuple[str, str]]
"""Names of settings whose values are secret: wherever they are, or (section, name) within one section."""


@dataclass(slots=True)
class Source:
    """The values of one file, the place of each, and the faults of the YAML itself.

    ``broken`` holds the paths whose value was already reported, so that nobody reports them again;
    ``reported`` every path of ``errors``, and of the ``untold`` faults beyond those of ``wanted``.
    """

    file: str
    values: dict[str, object]
    secrets: Secrets = frozenset()
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    key_marks: dict[KeyPath, Mark] = field(default_factory=dict)
    plain_texts: dict[KeyPath, str] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)
    reported: set[KeyPath] = field(default_factory=set)
    wanted: Wanted = SETTINGS
    untold: int = 0

    @property
    def is_full(self) -> bool:
        """One more fault would not be told: nobody needs to find words for it."""
        return len(self.errors) >= self.wanted.most_faults

    @property
    def all_errors(self) -> list[ConfigError]:
        """Return ``errors``; above them, if there are more, how many there are."""
        if not self.untold:
            return self.errors
        told = len(self.errors)
        message = f"there are {told + self.untold} faults, of which {told} are told"
        return [ConfigError(self.file, 1, 1, "", message, self.wanted.right_one), *self.errors]

    def mark(self, path: KeyPath) -> Mark:
        """Return where the value at ``path`` is written, or else what would hold it."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))

    def text(self, path: KeyPath) -> str | None:
        """Return the characters of an unquoted scalar as written, or None."""
        return self.plain_texts.get(path)

    def is_secret(self, path: KeyPath) -> bool:
        return any(key in self.secrets or (path[0], key) in self.secrets for key in path)

    def report(
        self,
        path: KeyPath,
        message: str,
        *,
        expected: str | None = None,
        suggestion: str | None = None,
        mark: Mark | None = None,
    ) -> None:
        """Add an error at ``path``, in the place of its value unless ``mark`` says otherwise."""
        self.reported.add(path)
        if self.is_full:
            self.untold += 1
            return
        self.errors.append(self.error(path, message, expected=expected, suggestion=suggestion, mark=mark))

    def error(
        self,
        path: KeyPath,
        message: str,
        *,
        expected: str | None = None,
        suggestion: str | None = None,
        mark: Mark | None = None,
    ) -> ConfigError:
        """Return what `report` adds."""
        place = mark or self.mark(path)
        likely = printable(suggestion) if suggestion else None
        return ConfigError(
            self.file, place.line, place.column, dotted(path), printable(message), expected, likely
        )


def read(path: Path, secrets: Secrets = frozenset()) -> Source:
    """Read the YAML file at ``path``; the values of keys in ``secrets`` are never repeated in a message.

    Raises ConfigErrors when there is no mapping of settings to be had at all.
    """
    return parse(text_of(path), str(path), secrets)


def parse(text: str, file: str, secrets: Secrets = frozenset(), wanted: Wanted = SETTINGS) -> Source:
    """Read YAML from ``text``; ``file`` is the name used in messages. Raises ConfigErrors as `read` does."""
    root = compose(text, file, wanted)
    if root is None or root.tag == _TAG + "null":
        raise fatal(file, "the file is empty", expected=wanted.content)
    if not isinstance(root, yaml.MappingNode):
        place = mark_of(root.start_mark)
        raise fatal(file, "the file holds no settings", place, expected=f'lines like "{wanted.line}"')
    source = Source(file, {}, secrets, wanted=wanted)
    source.values = _Builder(source).mapping(root, ())
    return source


_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]{1,4})?|[-+]?\.[0-9][0-9_]*")
_BOOLS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}


class _Builder:
    """Turns PyYAML's nodes into values, and fills in the rest of a `Source` on the way."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open: set[int] = set()
        self._count = 0

    def _count_unfolded(self, node: yaml.Node) -> None:
        """Stop at a file whose aliases and merges unfold without end, in width or in depth."""
        self._count += 1
        if self._count > MAX_VALUES or len(self._open) > 2 * MAX_DEPTH:
            message = f"aliases unfold to more than {MAX_VALUES} values or {2 * MAX_DEPTH} levels"
            raise fatal(self._source.file, message, mark_of(node.start_mark), "fewer aliases")

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self._count_unfolded(node)
        self._source.marks[path] = mark_of(node.start_mark)
        if id(node) in self._open:
            return self._broken(path, "an alias contains itself")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node, path)
            if node.tag == _TAG + "map" and isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            if node.tag == _TAG + "seq" and isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._bad_tag(node, path)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged.append(value_node)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            mark = mark_of(key_node.start_mark)
            if key in values:
                self._duplicate((*path, key), mark)
                continue
            self._source.key_marks[(*path, key)] = mark
            values[key] = self.value(value_node, (*path, key))
        for other in merged:
            self._merge(other, path, values)
        return values

    def _merge(self, node: yaml.Node, path: KeyPath, values: dict[str, object]) -> None:
        """Take over what ``<<`` brings in; a key written out, or brought in earlier, stays as it is."""
        mappings = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for mapping in mappings:
            self._count_unfolded(mapping)
            if not isinstance(mapping, yaml.MappingNode) or id(mapping) in self._open:
                self._source.report(path, '"<<" needs a mapping to merge', mark=mark_of(mapping.start_mark))
                continue
            self._open.add(id(mapping))
            nested: list[yaml.Node] = []
            for key_node, value_node in mapping.value:
                if key_node.tag == _TAG + "merge":
                    nested.append(value_node)
                    continue
                key = self._key(key_node, path)
                if key is not None and key not in values:
                    self._source.key_marks[(*path, key)] = mark_of(key_node.start_mark)
                    values[key] = self.value(value_node, (*path, key))
            for deeper in nested:
                self._merge(deeper, path, values)
            self._open.discard(id(mapping))

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        mark = mark_of(node.start_mark)
        if not isinstance(node, yaml.ScalarNode):
            self._source.report(path, "the name of a setting cannot be a list or a mapping", mark=mark)
            return None
        text = str(node.value)
        if node.tag != _TAG + "str" and not (node.tag == _TAG + "int" and _DECIMAL.fullmatch(text)):
            self._source.report(
                (*path, text),
                f"{printable(text[:40])} without quotes is not a word in YAML",
                expected="a name in quotes",
                suggestion=f'"{text}"' if node.tag != _TAG + "null" else None,
                mark=mark,
            )
            return None
        return text

    def _duplicate(self, path: KeyPath, mark: Mark) -> None:
        first = self._source.key_marks[path]
        message = f"{dotted(path)} is given twice, first on line {first.line} and again on line {mark.line}"
        self._source.report(path, message, expected="one of the two", mark=mark)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        text, tag = str(node.value), node.tag.removeprefix(_TAG)
        if any("\ud800" <= character <= "\udfff" for character in text):
            return self._broken(path, "half of a surrogate pair is not a character")
        if node.style is None:
            self._source.plain_texts[path] = text
        match tag:
            case "str" | "value" | "merge":
                return text
            case "null":
                return None
            case "bool":
                return _BOOLS[text.lower()] if text.lower() in _BOOLS else self._bad_tag(node, path)
            case "int":
                return self._integer(text, path)
            case "float":
                return self._float(text, path)
            case "timestamp":
                return self._trap(text, path, "a date")
            case _:
                return self._bad_tag(node, path)

    def _integer(self, text: str, path: KeyPath) -> object:
        if _DECIMAL.fullmatch(text):
            return int(text.replace("_", ""))
        if ":" in text:
            return self._trap(text, path, "a number to the base 60")
        if re.fullmatch(r"[-+]?0[0-7_]+", text):
            return self._trap(
                text, path, f"the octal number {int(text.replace('_', ''), 8)}" if len(text) < 20 else "octal"
            )
        return self._trap(text, path, "a number in another notation, or too large a one")

    def _float(self, text: str, path: KeyPath) -> object:
        if ":" in text:
            return self._trap(text, path, "a number to the base 60")
        if _FLOAT.fullmatch(text):
            number = float(text.replace("_", ""))
            if math.isfinite(number):
                return number
        return self._trap(text, path, "a number that is not finite")

    def _trap(self, text: str, path: KeyPath, meaning: str) -> object:
        expected = "a plain decimal number, or text in quotes"
        if self._source.is_secret(path):
            return self._broken(
                path, f"{dotted(path)} without quotes is read as a number or a date", "text in quotes"
            )
        message = f"{dotted(path)}: YAML reads {printable(text[:40])} without quotes as {meaning}"
        return self._broken(path, message, expected, f'"{text}"' if len(text) <= 40 else None)

    def _bad_tag(self, node: yaml.Node, path: KeyPath) -> object:
        return self._broken(
            path, f'{dotted(path)} has a YAML tag ("!...") that is not allowed here', "a plain value"
        )

    def _broken(
        self, path: KeyPath, message: str, expected: str | None = None, suggestion: str | None = None
    ) -> object:
        self._source.report(path, message, expected=expected, suggestion=suggestion)
        self._source.broken.add(path)
        return None
