"""A script as a picture: SVG without style sheets or scripts, which shows under any content policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from asterisk_warm.core.script.graph_boxes import LINE, PAD, SIZE, Look
from asterisk_warm.core.script.graph_layout import Arrow, Box, Picture, laid_out
from asterisk_warm.core.script.model import Script
from asterisk_warm.core.script.reading import clean

_LOOKS: Mapping[Look, str] = {
    Look.QUESTION: 'fill="#eef4ff" stroke="#3b6cb7"',
    Look.SOMETIMES: 'fill="#eef4ff" stroke="#3b6cb7" stroke-dasharray="6 4"',
    Look.END: 'fill="#f1f3f4" stroke="#5f6368"',
    Look.READY: 'fill="#e6f4ea" stroke="#137333"',
    Look.NURTURE: 'fill="#fef7e0" stroke="#b06000"',
    Look.DISQUALIFIED: 'fill="#fdecea" stroke="#b3261e"',
}
_INK, _LABEL, _ARROW = "#202124", "#3c4043", "#5f6368"


def svg(script: Script) -> str:
    """Every text in it is escaped. Of a script that `lint` finds fault with too: a `goto` that leads
    nowhere is left out."""
    return "\n".join(_document(laid_out(script), script.name)) + "\n"


def _document(picture: Picture, name: str) -> Iterator[str]:
    size = f"{picture.width:g} {picture.height:g}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{picture.width:g}"'
        f' height="{picture.height:g}" role="img" font-family="Verdana, DejaVu Sans, sans-serif"'
        f' font-size="{SIZE:g}">'
    )
    yield f"<title>{_escaped(name)}</title>"
    yield f'<rect width="{picture.width:g}" height="{picture.height:g}" fill="#ffffff"/>'
    for arrow in picture.arrows:
        yield from _arrow(arrow)
    for box in picture.boxes:
        yield from _box(box)
    for arrow in picture.arrows:
        yield from _label(arrow)
    yield "</svg>"


def _arrow(arrow: Arrow) -> Iterator[str]:
    points = " ".join(f"{x:g},{y:g}" for x, y in arrow.points)
    yield f'<polyline points="{points}" fill="none" stroke="{_ARROW}"/>'
    (before, _), (x, y) = arrow.points[-2:]
    wings = ((x - 4, y - 7), (x + 4, y - 7)) if before == x else ((x - 7, y - 4), (x - 7, y + 4))
    head = " ".join(f"{across:g},{down:g}" for across, down in ((x, y), *wings))
    yield f'<polygon points="{head}" fill="{_ARROW}"/>'


def _box(box: Box) -> Iterator[str]:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    yield f'<rect {place} rx="6" {_LOOKS[box.look]}/>'
    for number, line in enumerate(box.lines, 1):
        weight = ' font-weight="bold"' if line.bold else ""
        yield _text(box.x + PAD, box.y + PAD + LINE * number - 4, line.text, f'fill="{_INK}"{weight}')


def _label(arrow: Arrow) -> Iterator[str]:
    x, y = arrow.at
    for number, line in enumerate(reversed(arrow.label)):
        yield _text(x, y - LINE * number, line, f'fill="{_LABEL}" font-style="italic"')


def _text(x: float, y: float, text: str, look: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" {look}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """XML has no place for some characters, however they are written."""
    return escape("".join(c for c in clean(text) if c not in "\ufffe\uffff"))
