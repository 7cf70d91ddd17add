"""Feature codes, as the dialplan's UserEvent() tells of them: only ours, and only what there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.ami.codes import EVENT, asked
from asterisk_warm.engine.ports.calls import InCall, Wish


def event(**fields: object) -> dict[str, object]:
    """As Asterisk sends it, with much about the channel that nobody here reads."""
    return {
        "Event": "UserEvent",
        "Privilege": "user,all",
        "Channel": "PJSIP/quinn-00000001",
        "CallerIDName": "Quinn",
        "Uniqueid": "1795.8",
        "Linkedid": "1795.7",
        "UserEvent": EVENT,
        **fields,
    }


@pytest.mark.parametrize("wish", list(Wish))
def test_given_a_feature_code_when_told_then_it_is_known_who_wants_what_of_whom(wish: Wish) -> None:
    assert asked(event(What=wish.value, Team="sales")) == InCall("1795.8", wish, "sales")


def test_given_no_team_when_told_then_it_is_left_open() -> None:
    assert asked(event(What="stay")) == InCall("1795.8", Wish.STAY, "")
    assert asked(event(What="stay", Team="")) == InCall("1795.8", Wish.STAY, "")


@pytest.mark.parametrize(
    ("written", "team"),
    [
        ("sales%20east", "sales east"),
        ("Z%C3%BCrich", "Zürich"),
        ("a%2Cb%3A%20c", "a,b: c"),
        ("%0D%0AAction%3A%20Originate", "\r\nAction: Originate"),
        ("%24%7BSHELL(id)%7D", "${SHELL(id)}"),
        ("cut%C3", "cut"),
        ("100%", "100%"),
    ],
)
def test_given_a_team_that_the_dialplan_has_encoded_when_told_then_it_is_read_as_it_was(
    written: str, team: str
) -> None:
    assert asked(event(What="stay", Team=written)) == InCall("1795.8", Wish.STAY, team)


def test_given_the_names_of_fields_in_any_case_when_told_then_they_are_read() -> None:
    told = {"userevent": EVENT, "UNIQUEID": "1.2", "what": "who", "tEAM": "sales"}
    assert asked(told) == InCall("1.2", Wish.WHO, "sales")


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"UserEvent": "SomethingElse", "What": "stay"},
        {"UserEvent": "warmrequest", "What": "stay"},
        {"UserEvent": f"{EVENT}2", "What": "stay"},
        {"What": ""},
        {"What": "STAY"},
        {"What": "stay "},
        {"What": "blind"},
        {"What": "originate"},
        {"What": "stay", "Uniqueid": ""},
        # A field that is there twice.
        {"What": ["stay", "auto"]},
        {"What": "stay", "Uniqueid": ["1795.8", "1.1"]},
        {"What": "stay", "UserEvent": [EVENT, EVENT]},
    ],
)
def test_given_an_event_that_is_not_ours_or_asks_for_what_there_is_not_then_it_is_nothing(
    other: dict[str, object],
) -> None:
    assert asked({**event(), **other}) is None
    assert asked(other) is None


def test_given_a_team_that_is_there_twice_when_told_then_it_is_left_open() -> None:
    assert asked(event(What="stay", Team=["sales", "other"])) == InCall("1795.8", Wish.STAY, "")


_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
_KEYS = st.sampled_from(["UserEvent", "userevent", "Uniqueid", "What", "what", "Team"]) | _TEXT
_VALUES = st.sampled_from([EVENT, "stay", "1795.8", ""]) | _TEXT | st.lists(_TEXT, max_size=2)


@given(st.dictionaries(_KEYS, _VALUES, max_size=8))
def test_given_any_event_when_read_then_nothing_breaks(told: dict[str, object]) -> None:
    found = asked(told)
    assert found is None or (found.channel and found.wish in Wish and isinstance(found.team, str))
