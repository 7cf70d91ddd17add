"""What is read of a CRM's answer, and how much of it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.core.handoff.options import DETAIL_LIMIT, DETAILS_AT_MOST, LIMITS
from asterisk_warm.crm.answers import Answers
from asterisk_warm.crm.fields import Fields
from asterisk_warm.crm.pointer import find
from asterisk_warm.engine.leads.ports import LookedUp

RFC = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
    "~1": 9,
}
"""The example of RFC 6901, section 5, and one that tells in which order its escapes are undone."""


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/~01", 9),
        ("/foo/2", None),
        ("/foo/01", None),
        ("/foo/-", None),
        ("/foo/-1", None),
        ("/foo/0/0", None),
        ("/foo/٠", None),
        ("/nothing/there", None),
        ("foo", None),
        ("/foo/" + "9" * 5000, None),
    ],
)
def test_given_a_pointer_then_it_finds_what_the_standard_says(pointer: str, value: object) -> None:
    assert find(RFC, pointer) == value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Grant", "Grant"),
        ("  Grant\r\nX-Evil: 1\x00\u202e ", "Grant X-Evil: 1"),
        ("${SHELL(id)} 'x' \"y\"", "${SHELL(id)} 'x' \"y\""),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (-1, "-1"),
        (True, "yes"),
        (False, "no"),
        (1e300, "1e+300"),
        pytest.param(10**5000, "", id="endless"),
        (None, ""),
        ([], ""),
        ({"a": 1}, ""),
    ],
)
def test_given_a_value_then_it_is_text_on_one_line_or_nothing(value: object, told: str) -> None:
    found = Fields(name="/x", details={"x": "/x"}).read({"x": value})
    assert found == (LookedUp(name=told, details=(("x", told),)) if told else None)


@pytest.mark.parametrize(
    ("told", "language"),
    [
        ("es", "es"),
        (" ES ", "es"),
        ("es_MX", "es-mx"),
        ("Spanish", ""),
        ("../es", ""),
        ("es;id", ""),
        ("e", ""),
    ],
)
def test_given_a_language_then_only_a_code_is_one(told: str, language: str) -> None:
    found = Fields(name="/n", language="/l").read({"n": "Grant", "l": told})
    assert found is not None and found.language == language


def test_given_more_than_can_be_told_then_it_is_cut() -> None:
    document = {"n": "a" * 100_000, **{f"d{n}": "b" * 1000 for n in range(50)}}
    found = Fields("/n", "/n", details={f"d{n}": f"/d{n}" for n in range(50)}).read(document)
    assert found is not None
    assert (len(found.name), len(found.summary)) == (LIMITS["name"], LIMITS["summary"])
    assert len(found.details) == DETAILS_AT_MOST
    assert all(len(value) == DETAIL_LIMIT for _, value in found.details)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.text(alphabet="/~01ab-", max_size=12))
def test_whatever_the_answer_then_what_is_told_is_printable_and_bounded(
    document: object, pointer: str
) -> None:
    found = Fields(pointer, pointer, pointer, {"x": pointer}).read(document)
    if found is not None:
        told = [found.name, found.summary, found.language, *(value for _, value in found.details)]
        assert all(text == "" or text.isprintable() for text in told)
        assert len(found.name) <= LIMITS["name"] and len(found.summary) <= LIMITS["summary"]


def test_given_more_answers_than_are_kept_then_the_oldest_go() -> None:
    now = 0.0
    answers = Answers(10.0, lambda: now, at_most=2)
    for number in ("1", "2", "1", "3"):
        answers.put(number, LookedUp(number))
    assert answers.get("2") == (False, None)
    assert answers.get("1") == (True, LookedUp("1"))
    now = 10.0
    assert answers.get("3")[0] is False
