"""A script as a picture: nothing overlaps, all text is inside its box, and none of it is markup."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from xml.etree import ElementTree

import pytest
from script_parts import ANY, ask, choice, number, on, script, yesno

from asterisk_warm.core.script.graph import svg
from asterisk_warm.core.script.graph_boxes import PAD, SIZE, Look
from asterisk_warm.core.script.graph_layout import Arrow, Box, Picture, laid_out
from asterisk_warm.core.script.graph_text import width, wrapped
from asterisk_warm.core.script.model import END, Kind, Match, Rule, Script

LONG = "a rather long answer with many words in it that goes on and on, and on, " * 3
HOME = script(
    yesno("owner", on("yes", points=20), on("no", knockout="does not own the home, and never will")),
    choice(
        "kind",
        {"house": "a house", "flat": "a flat", "boat": LONG, "tent": "a tent"},
        on("flat", goto="moving"),
        on("boat", goto="words"),
        on("tent", goto=END),
        on("house", points=10),
    ),
    number("worth", on(least=100, points=30), when={"kind": Match(("house",)), "owner": ANY}, least=0),
    ask(
        "moving", Kind.DATE, on(least=0, most=30, points=15, goto=END), Rule(ANY, goto="words"), optional=True
    ),
    ask("mail", Kind.EMAIL, Rule(ANY, goto=END)),
    number(
        "age",
        *(on(str(n), points=n + 1) for n in range(12)),
        *(on(str(n), knockout=f"{LONG}{n}") for n in range(50, 54)),
        on("53", "54", knockout=f"{LONG}53"),
    ),
    ask("words", Kind.TEXT, optional=True),
    ready=40.0,
    nurture=25.0,
    below=LONG,
)


def tangled(questions: int) -> Script:
    """From each question to every later one."""
    ids = [f"q{n}" for n in range(questions)]
    return script(
        *(
            number(id, *(on(str(n), goto=to) for n, to in enumerate([*ids[place + 1 :], END])))
            for place, id in enumerate(ids)
        )
    )


SCRIPTS = [HOME, tangled(8), script(), script(yesno("alone")), script(yesno("a", Rule(ANY, goto="nowhere")))]
pictures = pytest.mark.parametrize("picture", [laid_out(one) for one in SCRIPTS])


@pictures
def test_given_a_script_when_drawn_then_no_box_is_on_another_and_all_are_in_the_picture(
    picture: Picture,
) -> None:
    for one, other in combinations(picture.boxes, 2):
        assert not _overlap(_sides(one), _sides(other))
    for left, top, right, bottom in map(_sides, picture.boxes):
        assert 0 < left < right < picture.width and 0 < top < bottom < picture.height
    assert all(
        0 < x < picture.width and 0 < y < picture.height for one in picture.arrows for x, y in one.points
    )


@pictures
def test_given_a_script_when_drawn_then_every_line_is_inside_its_box(picture: Picture) -> None:
    for box in picture.boxes:
        assert box.lines
        assert 16 * len(box.lines) + PAD < box.height
        assert all(width(line.text, SIZE, bold=line.bold) <= box.width - 2 * PAD for line in box.lines)


@pictures
def test_given_a_script_when_drawn_then_no_label_is_on_anything_else(picture: Picture) -> None:
    labels = [_room(arrow) for arrow in picture.arrows if arrow.label]
    for label in labels:
        assert not any(_overlap(label, _sides(box)) for box in picture.boxes)
        assert label[0] > 0 and label[2] < picture.width
    for one, other in combinations(labels, 2):
        assert not _overlap(one, other)


@pictures
def test_given_a_script_when_drawn_then_no_arrow_runs_through_a_box_or_beside_another(
    picture: Picture,
) -> None:
    for arrow in picture.arrows:
        for box in picture.boxes:
            left, top, right, bottom = _sides(box)
            inside = (left + 1, top + 1, right - 1, bottom - 1)
            assert not any(_overlap(piece, inside) for piece in _pieces(arrow))
    upright = [piece for arrow in picture.arrows if len(arrow.points) == 4 for piece in _lanes(arrow)]
    for one, other in combinations(upright, 2):
        assert not _overlap(one, other)


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height


def _room(arrow: Arrow) -> tuple[float, float, float, float]:
    x, y = arrow.at
    return x, y - 16 * len(arrow.label), x + max(width(line, SIZE) for line in arrow.label), y


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _pieces(arrow: Arrow) -> Iterator[tuple[float, float, float, float]]:
    for (x1, y1), (x2, y2) in zip(arrow.points, arrow.points[1:], strict=False):
        yield min(x1, x2) - 0.5, min(y1, y2) - 0.5, max(x1, x2) + 0.5, max(y1, y2) + 0.5


def _lanes(arrow: Arrow) -> Iterator[tuple[float, float, float, float]]:
    """What runs down on the left, to a question or to the end."""
    (_, _), (x, _), (again, _), (_, _) = arrow.points
    if x == again:
        yield list(_pieces(arrow))[1]


# -- what is in it -------------------------------------------------------------------------------------------


def words(picture: Picture) -> str:
    boxes = [" ".join(line.text for line in box.lines) for box in picture.boxes]
    return "\n".join([*boxes, *(" ".join(arrow.label) for arrow in picture.arrows if arrow.label)])


def test_given_a_script_when_drawn_then_questions_conditions_points_and_ends_are_told() -> None:
    told = words(laid_out(HOME))
    for part in (
        "owner (yes or no) What about owner? yes: 20 points",
        "worth (number) What about worth? only if kind is a house only if owner is any answer 100 or more: 30 points",
        "moving (date, may be skipped)",
        "from today to 30 days ahead",
        "9: 10 points and 2 more with points",
        "does not own the home, and never will",
        "a flat\n",
        "The score decides",
        "ready from 40 points",
        "nurture from 25 points",
    ):
        assert part in told
    looks = [box.look for box in laid_out(HOME).boxes]
    assert looks.count(Look.SOMETIMES) == 1
    assert looks.count(Look.DISQUALIFIED) == 1 + 4 + 1


def test_given_no_room_for_nurture_when_drawn_then_it_is_left_out() -> None:
    looks = [box.look for box in laid_out(script(yesno("a"), ready=5.0, nurture=5.0)).boxes]
    assert Look.NURTURE not in looks and looks.count(Look.READY) == 1


@pytest.mark.parametrize(
    ("rules", "goes_on"),
    [
        ((), True),
        ((on("yes", goto=END),), True),
        ((Rule(ANY, goto=END),), False),
        ((on("yes", knockout="x"), on("no", goto=END)), False),
        ((Rule(ANY, goto="nowhere"),), True),
        ((Rule(ANY, goto="a"),), True),
    ],
)
def test_given_a_question_when_every_answer_leads_elsewhere_then_no_arrow_goes_to_the_next(
    rules: tuple[Rule, ...], goes_on: bool
) -> None:
    picture = laid_out(script(yesno("a", *rules), yesno("b")))
    first, second = (box for box in picture.boxes if box.look is Look.QUESTION)
    straight = ((first.x + first.width / 2, first.y + first.height), (first.x + first.width / 2, second.y))
    assert (straight in [arrow.points for arrow in picture.arrows]) is goes_on


HOSTILE = (
    '</text><script>alert(1)</script>" onload="x" & \x00\x1b\ud800\ufffe\u202e\u2028 ]]> <!-- {name} 🦊 مرحبا'
)


def test_given_hostile_texts_when_drawn_then_the_document_is_well_formed_and_they_are_text() -> None:
    one = script(
        choice("a", {"x": HOSTILE}, on("x", knockout=HOSTILE), on(HOSTILE, points=1), on("y", goto="b")),
        number("b", when={HOSTILE: Match((HOSTILE,))}),
        name=HOSTILE,
        below=HOSTILE,
    )
    root = ElementTree.fromstring(svg(one))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds == {"svg", "title", "rect", "polyline", "polygon", "text"}
    assert not any("onload" in name or name == "style" for element in root.iter() for name in element.attrib)
    assert (root.findtext("{*}title") or "").startswith('</text><script>alert(1)</script>" onload="x" &')


def test_given_a_picture_when_written_then_it_holds_all_boxes_and_arrows() -> None:
    root, picture = ElementTree.fromstring(svg(HOME)), laid_out(HOME)
    assert len(root.findall("{*}rect")) == len(picture.boxes) + 1
    assert len(root.findall("{*}polyline")) == len(root.findall("{*}polygon")) == len(picture.arrows)
    assert len(root.findall("{*}text")) == sum(len(box.lines) for box in picture.boxes) + sum(
        len(arrow.label) for arrow in picture.arrows
    )


# -- text ----------------------------------------------------------------------------------------------------


def test_given_a_text_when_wrapped_then_every_line_fits_and_what_is_left_out_is_shown() -> None:
    assert wrapped("one two three", 10, 60, 9) == ["one two", "three"]
    assert wrapped("", 10, 60, 9) == []
    cut = wrapped("one two three four five six", 10, 60, 2)
    assert len(cut) == 2 and cut[1].endswith("…")
    assert all(width(line, 10) <= 60 for line in [*cut, *wrapped("W" * 500, 10, 60, 999)])
    assert "".join(wrapped("W" * 500, 10, 60, 999)) == "W" * 500


def test_given_letters_of_other_scripts_when_measured_then_they_are_given_more_room() -> None:
    assert width("漢", 10) > width("é", 10) > width("e", 10) > width("i", 10)
    assert width("e\u0301", 10) == width("e", 10)
    assert width("e", 10, bold=True) > width("e", 10)
