"""JSON pointers (RFC 6901): one value in a document."""

from __future__ import annotations

import re

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def find(document: object, pointer: str) -> object:
    """The value at `pointer` (`/contact/name`, `/phones/0`); None where there is none."""
    if not pointer:
        return document
    if not pointer.startswith("/"):
        return None
    found = document
    for part in pointer[1:].split("/"):
        found = _inside(found, part.replace("~1", "/").replace("~0", "~"))
        if found is None:
            return None
    return found


def _inside(value: object, part: str) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
        return value[int(part)]
    return None
