"""How much room a text takes, and how to make do with less: nobody here can measure a font."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

from asterisk_warm.core.script.reading import clean

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/\\- "), frozenset("mwMWQOGD@%#&+<=>^~–—…“”")
_BOLD = 1.15


def width(text: str, size: float, *, bold: bool = False) -> float:
    """At least as wide as it is drawn, in the units of `size`, the font's: of a wide one such as Verdana."""
    return sum(map(_width, text)) * size * (_BOLD if bold else 1)


def _width(character: str) -> float:
    if combining(character):
        return 0.0
    if character in _NARROW:
        return 0.48
    if character in _WIDE:
        return 1.02
    if character.isascii():
        return 0.76 if character.isupper() else 0.67
    return 1.4 if east_asian_width(character) in "WF" else 1.1


def wrapped(text: str, size: float, room: float, most: int, *, bold: bool = False) -> list[str]:
    """In at most so many lines, each within `room`; what is left out is shown by an ellipsis."""
    lines = _lines(clean(text), size, room, bold)
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], _cut(lines[most - 1], size, room, bold)]


def _lines(text: str, size: float, room: float, bold: bool) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}", size, bold=bold) <= room:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for character in word:
            if lines[-1] and width(lines[-1] + character, size, bold=bold) > room:
                lines.append("")
            lines[-1] += character
    return lines


def _cut(line: str, size: float, room: float, bold: bool) -> str:
    while line and width(f"{line}…", size, bold=bold) > room:
        line = line[:-1]
    return f"{line.rstrip()}…"
