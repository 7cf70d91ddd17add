"""What is wrong with a script, or might be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    """It cannot be published."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    path: str
    """Where, as it is written: `questions.owner.rules[0].goto`."""
    message: str
    remedy: str = ""


def error(path: str, message: str, remedy: str = "") -> Finding:
    return Finding(Severity.ERROR, path, message, remedy)


def warning(path: str, message: str, remedy: str = "") -> Finding:
    return Finding(Severity.WARNING, path, message, remedy)
