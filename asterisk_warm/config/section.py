"""A section of the file: a mapping of settings, each with its kind, default and description."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo

from asterisk_warm.config.values import refuse


class Section(BaseModel):
    """A mapping of the file. Left empty, it is all defaults."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, data: object) -> object:
        return {} if data is None else data


def distinct(what: str) -> AfterValidator:
    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(items)) < len(items):
            raise refuse(f"names {what} twice")
        return items

    return AfterValidator(check)


S = TypeVar("S", bound=Section)


def overlay(base: S, over: Section) -> S:
    """Return ``base`` with what was written in ``over``, section by section; what ``base`` has no field for
    is left.
    """
    changes: dict[str, Any] = {}
    for name in over.model_fields_set & type(base).model_fields.keys():
        before, value = getattr(base, name), getattr(over, name)
        if isinstance(value, Section):
            changes[name] = overlay(before, value)
        elif isinstance(value, dict) and inner_section(type(base).model_fields[name].annotation):
            changes[name] = before | {key: overlay(before.get(key, value[key]), value[key]) for key in value}
        else:
            changes[name] = value
    return base.model_copy(update=changes)


def fields_of(model: type[Section]) -> dict[str, FieldInfo]:
    """Return the fields of a section by the names under which they are written."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def inner_section(annotation: Any) -> type[Section] | None:
    """Return the model of a section, be it optional, or of the entries of a mapping of sections."""
    parts = (annotation, *get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, Section)), None)
