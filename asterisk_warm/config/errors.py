"""How a fault of the configuration file is told: the place, what is wrong, what was expected."""

from __future__ import annotations

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One fault of a configuration file. ``line`` and ``column`` count from 1; ``path`` is like
    ``teams.sales.agents[1]``.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    expected: str | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        tail = f" ({self.remedy})" if self.remedy else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{tail}"

    @property
    def remedy(self) -> str:
        """What would do; empty when that is not known. A suggestion may bring its quotes along."""
        hints = [f"expected {self.expected}"] if self.expected else []
        if self.suggestion:
            quoted = self.suggestion if self.suggestion.startswith('"') else f'"{self.suggestion}"'
            hints.append(f"did you mean {quoted}?")
        return "; ".join(hints)


class ConfigErrors(Exception):
    """Every fault that was found in a configuration file, in the order of its lines; then those of the
    files that it names.
    """

    def __init__(self, errors: list[ConfigError]) -> None:
        files = list(dict.fromkeys(error.file for error in errors))
        self.errors = sorted(
            errors, key=lambda error: (files.index(error.file), error.line, error.column, error.message)
        )
        super().__init__("\n".join(map(str, self.errors)))


def fatal(file: str, message: str, mark: Mark | None = None, expected: str | None = None) -> ConfigErrors:
    """The one fault of a file of which nothing can be read."""
    place = mark or Mark(1, 1)
    return ConfigErrors([ConfigError(file, place.line, place.column, "", message, expected)])


def dotted(path: KeyPath) -> str:
    """Return ``teams.sales.agents[1]`` for ``("teams", "sales", "agents", 1)``, fit to be printed."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{printable(part[:80])}"
    return text.removeprefix(".")


def printable(text: str) -> str:
    """Return ``text`` on one line, with nothing in it that a terminal would act on."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def shown(text: str) -> str:
    """Return ``text`` in quotes for a message, cut to 40 characters."""
    return f'"{printable(text if len(text) <= 40 else text[:37] + "...")}"'
