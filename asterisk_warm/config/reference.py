"""The settings described: what the reference in docs/configuration.md has to say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_origin

from pydantic.fields import FieldInfo

from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.models import ConfigFile
from asterisk_warm.config.people import TeamEntry
from asterisk_warm.config.section import Section, fields_of, inner_section
from asterisk_warm.config.values import Secret, expectation


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for the reference: ``path`` like ``teams.ID.name``, type and default in words (None: it
    must be given).
    """

    path: str
    type: str
    default: str | None
    description: str


def describe_settings(root: type[Section] = ConfigFile) -> list[Setting]:
    """Return every setting of the file in its order. A team's overrides are those of ``handoff`` and not
    repeated.
    """
    return list(_described(root, ""))


def _described(model: type[Section], prefix: str) -> Iterator[Setting]:
    for name, info in fields_of(model).items():
        if model is TeamEntry and name in HandoffSettings.model_fields:
            continue
        path, inner, expects = prefix + name, inner_section(info.annotation), expectation(info.metadata)
        if inner is None or (expects and expects.whole):
            yield Setting(path, _type_words(info), _default_words(info), info.description or "")
        else:
            entries = ".ID." if get_origin(info.annotation) is dict else "."
            yield from _described(inner, path + entries)


def _type_words(info: FieldInfo) -> str:
    expects = expectation(info.metadata)
    return expects.text if expects else str(info.annotation)


def _default_words(info: FieldInfo) -> str | None:
    expects = expectation(info.metadata)
    if info.is_required():
        return None
    if expects and expects.default:
        return expects.default
    return _value_words(info.default)


def _value_words(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`"
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case Secret():
            return f"`{value.shown}`"
        case _:
            return f"`{value}`"
