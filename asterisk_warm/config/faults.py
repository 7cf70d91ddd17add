"""What is wrong with single settings: pydantic finds it, this module says it in the terms of the file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from asterisk_warm.config.errors import KeyPath, Mark, dotted, shown
from asterisk_warm.config.models import ConfigFile, field_at, key_at, section_at
from asterisk_warm.config.reference import describe_settings
from asterisk_warm.config.section import Section, fields_of
from asterisk_warm.config.values import IDENTIFIER, Surroundings, expectation, nearest
from asterisk_warm.config.yaml_source import Source

_FILE = TypeAdapter(ConfigFile)

T = TypeVar("T")


def validate(source: Source, around: Surroundings) -> tuple[ConfigFile | None, set[KeyPath]]:
    """Return the validated file, or None and reports in ``source``; and the paths that cannot be used."""
    faulty = set(source.broken)
    return part(source, _FILE, source.values, (), faulty, around), faulty


def part(
    source: Source,
    kind: TypeAdapter[T],
    value: object,
    at: KeyPath,
    faulty: set[KeyPath],
    around: Surroundings | None = None,
    root: type[Section] = ConfigFile,
) -> T | None:
    """Validate the value that is written at ``at``: add what cannot be used to ``faulty``, and report it.
    ``root`` is the model of the file as a whole.
    """
    try:
        return kind.validate_python(value, context=around)
    except ValidationError as error:
        # The error holds the values, secrets among them, so it goes no further than this.
        faults = error.errors(include_url=False, include_input=False)
    reporter = _Reporter(source, root)
    for fault in faults:
        fault["loc"] = (*at, *fault["loc"])
        path = _path(fault, source)
        if not _follows(fault, path, source):
            reporter.report(fault, path)
        faulty.add(path)
    return None


def _path(fault: ErrorDetails, source: Source) -> KeyPath:
    path = fault["loc"]
    named_by_pydantic = bool(path) and path[-1] == "[key]" and path not in source.marks
    return path[:-1] if named_by_pydantic else path


def _follows(fault: ErrorDetails, path: KeyPath, source: Source) -> bool:
    """Tell whether other faults say it all: of a value that is broken as YAML, or of what would hold it; a
    list is "too short" when none of its items can be used.
    """
    kind = fault["type"]
    if any(path[:length] in source.broken for length in range(1, len(path) + 1)):
        return True
    return kind == "default_factory_not_called" or (kind == "too_short" and bool(_value(source, path)))


class _Reporter:
    """Says what pydantic has found, in the terms of a file whose model is ``root``."""

    def __init__(self, source: Source, root: type[Section]) -> None:
        self._source = source
        self._root = root

    def report(self, fault: ErrorDetails, path: KeyPath) -> None:
        source, context = self._source, fault.get("ctx", {})
        if source.is_full:
            source.report(path, "")  # It is counted; words take far longer to find.
            return
        if fault["loc"] != path:
            self._name(path, context.get("problem", "cannot be a name here"), context.get("suggestion"))
            return
        match fault["type"]:
            case "extra_forbidden":
                self._unknown(path)
            case "missing":
                message = f"{dotted(path)} is missing"
                source.report(path, message, expected=self._expected(path), mark=_parent_mark(path, source))
            case "setting" if _value(source, path) is None:
                source.report(path, f"{dotted(path)} has no value", expected=self._expected(path))
            case "setting":
                message = f"{_subject(path, source)} {context['problem']}"
                source.report(path, message, expected=self._expected(path), suggestion=context["suggestion"])
            case "literal_error":
                choices = _choices(context)
                likely = nearest(source.text(path) or "", choices)
                likely = likely or nearest(str(_value(source, path)), choices)
                message = f"{_subject(path, source)} is not one of the choices"
                source.report(path, message, expected=self._expected(path), suggestion=likely)
            case kind:
                message, suggestion = _wrong_kind(kind, path, source)
                source.report(path, message, expected=self._expected(path), suggestion=suggestion)

    def _name(self, path: KeyPath, problem: str, suggestion: str | None) -> None:
        """It is the name of an entry that will not do."""
        expected, mark = key_at(path, self._root) or IDENTIFIER, self._source.key_marks.get(path)
        message = f"{shown(str(path[-1]))} {problem}"
        self._source.report(path, message, expected=expected.text, suggestion=suggestion, mark=mark)

    def _unknown(self, path: KeyPath) -> None:
        section = section_at(path[:-1], self._root)
        name = str(path[-1])
        likely = nearest(name, fields_of(section)) if section else None
        likely = likely or _paths(self._root).get(name)
        words = ", ".join(fields_of(section)) if section else None
        message, mark = f"unknown setting {dotted(path)}", self._source.key_marks.get(path)
        self._source.report(path, message, expected=words, suggestion=likely, mark=mark)

    def _expected(self, path: KeyPath) -> str | None:
        field = field_at(path, self._root)
        found = expectation(field.metadata) if field else None
        if found:
            is_item = isinstance(path[-1], int) or section_at(path[:-1], self._root) is None
            return (found.item or found.text) if is_item else found.text
        section = section_at(path, self._root)
        return f"a section with {', '.join(fields_of(section))}" if section else None


@cache
def _paths(root: type[Section]) -> Mapping[str, str]:
    """The path of every setting whose name no other has."""
    found: dict[str, list[str]] = {}
    for setting in describe_settings(root):
        found.setdefault(setting.path.split(".")[-1], []).append(setting.path)
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}


def _wrong_kind(kind: str, path: KeyPath, source: Source) -> tuple[str, str | None]:
    value, text = _value(source, path), source.text(path)
    if value is None:
        return f"{dotted(path)} has no value", None
    if value == [] or value == {} or value == "":
        return f"{dotted(path)} is empty", None
    if kind == "string_type" and isinstance(value, bool | int | float):
        meaning = "true or false" if isinstance(value, bool) else "a number"
        suggestion = None if source.is_secret(path) or text is None else f'"{text}"'
        return f"{_subject(path, source)} without quotes is {meaning} in YAML, not text", suggestion
    if kind == "bool_type" and isinstance(value, str):
        words = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
        return f"{_subject(path, source)} is text", words.get(
            value.lower(), nearest(value, ("true", "false"))
        )
    problem = {
        "greater_than_equal": "is too small",
        "less_than_equal": "is too large",
        "string_too_long": "is too long",
        "too_long": "holds too many",
        "model_type": "is not a section with settings in it",
        "dict_type": "is not a section with entries in it",
    }
    return f"{_subject(path, source)} {problem.get(kind, 'is of the wrong kind')}", None


def _subject(path: KeyPath, source: Source) -> str:
    value = _value(source, path)
    if source.is_secret(path) or not isinstance(value, str | bool | int | float):
        return dotted(path)
    text = source.text(path)
    written = shown(value if isinstance(value, str) else text if text is not None else str(value))
    return f"{dotted(path)}: {written}"


def _value(source: Source, path: KeyPath) -> object:
    value: object = source.values
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        else:
            value = value[part] if isinstance(value, list) and isinstance(part, int) else None
    return value


def _parent_mark(path: KeyPath, source: Source) -> Mark:
    return source.key_marks.get(path[:-1]) or source.mark(path[:-1])


def _choices(context: Mapping[str, Any]) -> list[str]:
    return [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
