"""What people send about agents by mistake or on purpose: it is answered in words, all of it, and nothing breaks. What
is a good agent for the configuration is one for the API, and no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from api_stage import Stage, open_stage
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from asterisk_warm.api.agent_kinds import ENTRIES_AT_MOST, RECORD
from asterisk_warm.api.agent_reading import (
    history_of,
    import_of,
    offline_of,
    pause_of,
    record_of,
    watching_of,
    wrapup_of,
)
from asterisk_warm.api.agent_routes import IMPORT_AT_MOST
from asterisk_warm.api.faults import Faults
from asterisk_warm.api.problems import Problem
from asterisk_warm.config.dialled import Endpoint, Number
from asterisk_warm.config.people import AgentEntry
from asterisk_warm.config.skilled import Shift, State, TimeZone
from asterisk_warm.config.spoken import Language
from asterisk_warm.config.values import Identifier, Line
from asterisk_warm.core.roster import AgentRecord

GOOD: dict[str, Any] = {"name": "Dee", "endpoint": "PJSIP/dee"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


FAULTY = {
    "nothing given": ({}, ["#/name", "#/endpoint"]),
    "null given": ({"name": None, "endpoint": None}, ["#/name", "#/endpoint"]),
    "not an object": ([GOOD], ["#"]),
    "unknown field": ({**GOOD, "nmae": "x"}, ["#/nmae"]),
    "presence is not who they are": ({**GOOD, "declared": "ready"}, ["#/declared"]),
    "numbers for texts": (
        dict.fromkeys(("name", "endpoint", "number", "dnd", "timezone", "calendar"), 1),
        ["#/name", "#/endpoint", "#/number", "#/dnd", "#/timezone", "#/calendar"],
    ),
    "texts for others": (
        {**GOOD, "teams": "sales", "skills": [], "hints": "Custom:x", "shifts": {}, "at_once": "2"},
        ["#/teams", "#/skills", "#/hints", "#/shifts", "#/at_once"],
    ),
    "hostile name": ({**GOOD, "name": "Dee\r\nAction: Originate"}, ["#/name"]),
    "name of spaces": ({**GOOD, "name": "  "}, ["#/name"]),
    "long name": ({**GOOD, "name": "x" * 201}, ["#/name"]),
    "two endpoints": ({**GOOD, "endpoint": "PJSIP/dee&PJSIP/x"}, ["#/endpoint"]),
    "endpoint with options": ({**GOOD, "endpoint": "PJSIP/dee,30,g"}, ["#/endpoint"]),
    "endpoint of a function": ({**GOOD, "endpoint": "Local/${SHELL(id)}@x"}, ["#/endpoint"]),
    "endpoint with a line end": ({**GOOD, "endpoint": "PJSIP/dee\n"}, ["#/endpoint"]),
    "endpoint without technology": ({**GOOD, "endpoint": "dee"}, ["#/endpoint"]),
    "endpoint misspelt": ({**GOOD, "endpoint": "PJSPI/dee"}, ["#/endpoint"]),
    "number in words": ({**GOOD, "number": "two"}, ["#/number"]),
    "team of no id": ({**GOOD, "teams": {"Sales!": 1}}, ["#/teams/Sales!"]),
    "tiers": (
        {**GOOD, "teams": {"a": 0, "b": 10, "c": "1", "d": None, "e": True}},
        [f"#/teams/{team}" for team in "abcde"],
    ),
    "levels": ({**GOOD, "skills": {"a": 0, "b": 11, "c": 1.5}}, [f"#/skills/{skill}" for skill in "abc"]),
    "at once": ({**GOOD, "at_once": 21}, ["#/at_once"]),
    "hint that would end a header": ({**GOOD, "hints": ["201@x\r\nAction: x"]}, ["#/hints/0"]),
    "two hints in one": ({**GOOD, "hints": ["201@x&202@x"]}, ["#/hints/0"]),
    "hint twice": ({**GOOD, "hints": ["Custom:x", "Custom:x", 1]}, ["#/hints/1", "#/hints/2"]),
    "too many hints": (
        {**GOOD, "hints": [f"Custom:x{n}" for n in range(ENTRIES_AT_MOST + 1)]},
        ["#/hints"],
    ),
    "no device": ({**GOOD, "dnd": "DND204"}, ["#/dnd"]),
    "zone that is a file": ({**GOOD, "timezone": "../../etc/passwd"}, ["#/timezone"]),
    "zone of nowhere": ({**GOOD, "timezone": "Europe/Berln"}, ["#/timezone"]),
    "zone with a zero": ({**GOOD, "timezone": "Europe/\0"}, ["#/timezone"]),
    "shifts": (
        {**GOOD, "shifts": ["mon-fri", "someday 09:00-17:00", "mon 25:00-26:00", 7, "x" * 201, "\x1b[2J"]},
        [f"#/shifts/{n}" for n in range(6)],
    ),
    "calendar of no id": ({**GOOD, "calendar": "my calendar"}, ["#/calendar"]),
}


@pytest.mark.parametrize(("body", "pointers"), FAULTY.values(), ids=FAULTY.keys())
async def test_given_faults_when_put_then_each_is_pointed_at_and_nothing_is_kept(
    stage: Stage, body: object, pointers: list[str]
) -> None:
    status, problem = await stage.ask("PUT", "/v1/agents/dee", body)
    assert (status, problem["type"]) == (422, "urn:asterisk-warm:problem:invalid")
    assert sorted(error["pointer"] for error in problem["errors"]) == sorted(pointers)
    assert all(error["detail"].isprintable() and error["remedy"].isprintable() for error in problem["errors"])
    assert "dee" not in await stage.records()


async def test_given_misspelt_words_when_put_then_the_nearest_is_offered(stage: Stage) -> None:
    body = {**GOOD, "nmae": "x", "endpoint": "PJSPI/dee", "timezone": "Europe/Berln"}
    _, problem = await stage.ask("PUT", "/v1/agents/dee", body)
    assert {error["pointer"]: error["remedy"] for error in problem["errors"]} == {
        "#/nmae": 'did you mean "name"?',
        "#/endpoint": 'did you mean "PJSIP/dee"?',
        "#/timezone": 'did you mean "Europe/Berlin"?',
    }


@pytest.mark.parametrize("id", ["Dee", "d e", "x" * 41, "d%2Fe", "%00", "%1b[31m", "d'--", "%D9%A1"])
async def test_given_what_is_no_id_when_put_then_it_is_pointed_at(stage: Stage, id: str) -> None:
    status, problem = await stage.ask("PUT", f"/v1/agents/{id}", GOOD)
    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, ["#/id"])
    assert problem["detail"].isprintable()
    assert len(await stage.records()) == 3


async def test_given_an_agent_whose_id_is_a_word_of_a_route_then_they_are_an_agent(stage: Stage) -> None:
    assert (await stage.ask("PUT", "/v1/agents/import", GOOD))[0] == 201
    assert (await stage.ask("GET", "/v1/agents/import"))[1]["name"] == "Dee"
    assert (await stage.ask("POST", "/v1/agents/import/pause"))[1]["declared"] == "paused"


@pytest.mark.parametrize(
    ("what", "body", "pointers"),
    [
        ("pause", {"until": 1e9, "minutes": 5}, ["#/minutes"]),
        ("pause", {"minutes": 0}, ["#/minutes"]),
        ("pause", {"minutes": -5}, ["#/minutes"]),
        ("pause", {"minutes": 1e300}, ["#/minutes"]),
        ("pause", {"minutes": True, "reason": 7}, ["#/minutes", "#/reason"]),
        ("pause", {"until": "14:30"}, ["#/until"]),
        ("pause", {"until": -1}, ["#/until"]),
        ("pause", {"until": 10**400}, ["#/until"]),
        ("pause", {"minutes": 10**400}, ["#/minutes"]),
        ("wrapup", {"seconds": 10**400}, ["#/seconds"]),
        ("pause", {"reson": "lunch"}, ["#/reson"]),
        ("pause", ["lunch"], ["#"]),
        ("offline", {"until": 1e9}, ["#/until"]),
        ("ready", {"reason": "x"}, ["#/reason"]),
        ("wrapup", {}, ["#/seconds"]),
        ("wrapup", {"seconds": None}, ["#/seconds"]),
        ("wrapup", {"seconds": -1}, ["#/seconds"]),
        ("wrapup", {"seconds": 14401}, ["#/seconds"]),
        ("wrapup", {"seconds": "2m"}, ["#/seconds"]),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_given_a_faulty_declaration_then_each_fault_is_named_and_nothing_changes(
    stage: Stage, what: str, body: object, pointers: list[str]
) -> None:
    status, problem = await stage.ask("POST", f"/v1/agents/ana/{what}", body)
    assert status == 422
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert (await stage.ask("GET", "/v1/agents/ana"))[1]["free"]


@pytest.mark.parametrize("what", ["ready", "pause", "offline", "wrapup"])
@pytest.mark.parametrize("body", [b"{", b"reason=lunch", b'{"reason": "\xff"}', b"[" * 60_000], ids=repr)
async def test_given_what_is_not_json_when_declared_then_400(stage: Stage, what: str, body: bytes) -> None:
    status, problem, _ = await stage.ask_raw("POST", f"/v1/agents/ana/{what}", data=body[:60_000])
    assert (status, problem["type"]) == (400, "urn:asterisk-warm:problem:malformed")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], ["#", "#/agents"]),
        ({}, ["#/agents"]),
        ({"agents": {"ana": GOOD}}, ["#/agents"]),
        ({"agents": [], "dry_run": "yes"}, ["#/dry_run"]),
        ({"agents": [], "dryrun": True}, ["#/dryrun"]),
        ({"agents": [GOOD] * 10_001}, ["#/agents"]),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_given_a_faulty_import_then_each_fault_is_named(
    stage: Stage, body: object, pointers: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/agents/import", body)
    assert (status, sorted(error["pointer"] for error in problem["errors"])) == (422, pointers)


async def test_given_a_large_import_then_it_is_read_up_to_its_own_limit(stage: Stage) -> None:
    def body(size: int) -> bytes:
        empty = len(json.dumps({"agents": [], "": ""}))
        return json.dumps({"agents": [], "": "x" * (size - empty)}).encode()

    status, problem, _ = await stage.ask_raw(
        "POST", "/v1/agents/import", data=BytesIO(body(IMPORT_AT_MOST + 1))
    )
    assert (status, problem["type"]) == (413, "urn:asterisk-warm:problem:too_large")
    status, problem, _ = await stage.ask_raw("POST", "/v1/agents/import", data=BytesIO(body(IMPORT_AT_MOST)))
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/")
    status, _, _ = await stage.ask_raw("POST", "/v1/agents/ana/pause", data=body(100_000))
    assert status == 413


@pytest.mark.parametrize("source", ["daemon", "", "CLI", "cli; api", "\x1b[31m"])
async def test_given_a_source_that_nobody_may_claim_when_declared_then_422(stage: Stage, source: str) -> None:
    for method, path, body in (
        ("POST", "/v1/agents/ana/pause", None),
        ("PUT", "/v1/agents/dee", GOOD),
        ("DELETE", "/v1/agents/ana", None),
        ("POST", "/v1/agents/import", {"agents": [{"id": "dee", **GOOD}]}),
    ):
        headers = {"Warm-Source": source}
        try:
            status, problem, _ = await stage.ask_raw(method, path, json=body, headers=headers)
        except ValueError:
            continue  # The client itself does not send it.
        assert (status, problem["errors"][0]["pointer"]) == (422, "Warm-Source")
    assert sorted(await stage.records()) == ["ana", "ben", "cy"]
    assert (await stage.ask("GET", "/v1/agents/ana"))[1]["free"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/agents", "GET"),
        ("POST", "/v1/agents/ana", "DELETE, GET, PUT"),
        ("GET", "/v1/agents/ana/pause", "POST"),
        ("PUT", "/v1/agents/ana/history", "GET"),
    ],
)
async def test_given_the_wrong_method_then_405_tells_the_right_ones(
    stage: Stage, method: str, path: str, allowed: str
) -> None:
    status, problem, response = await stage.ask_raw(method, path)
    assert (status, problem["remedy"], response.headers["Allow"]) == (405, f"use {allowed}", allowed)


@pytest.mark.parametrize(
    "id", ["..%2f..%2fetc", "%00", "%ff%fe", "%0d%0aX: y", "w" * 4000, "'%20OR%201=1--", "%1b[31m", "%D9%A1"]
)
async def test_given_a_strange_agent_then_404_in_printable_words(stage: Stage, id: str) -> None:
    for path in (f"/v1/agents/{id}", f"/v1/agents/{id}/history"):
        status, problem = await stage.ask("GET", path)
        assert (status, problem["type"]) == (404, "urn:asterisk-warm:problem:not_found")
        assert problem["detail"].isprintable()


@pytest.mark.parametrize(
    ("path", "pointers"),
    [
        ("/v1/agents?after=x", ["?after"]),
        ("/v1/agents?after=-1&wait=-1", ["?after", "?wait"]),
        ("/v1/agents?after=1&after=2", ["?after"]),
        ("/v1/agents?wait=61", ["?wait"]),
        ("/v1/agents?wait=1e1", ["?wait"]),
        ("/v1/agents?wait=nan", ["?wait"]),
        ("/v1/agents?wait=" + "9" * 5000, ["?wait"]),
        ("/v1/agents?after=" + "9" * 5000, ["?after"]),
        ("/v1/agents?wiat=1", ["?wiat"]),
        ("/v1/agents/ana/history?limit=0&before=1", ["?before", "?limit"]),
    ],
)
async def test_given_a_faulty_query_then_each_fault_is_named(
    stage: Stage, path: str, pointers: list[str]
) -> None:
    status, problem = await stage.ask("GET", path)
    assert (status, sorted(error["pointer"] for error in problem["errors"])) == (422, pointers)


# -- anything at all -----------------------------------------------------------------------------------------

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.just(10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_members = st.sampled_from([*RECORD, "reason", "until", "minutes", "seconds", "agents", "dry_run"])
_bodies = st.dictionaries(_members | st.text(max_size=5), _values, max_size=9) | _values
READERS: list[Callable[[bytes], Any]] = [
    lambda body: record_of(body, "dee"),
    import_of,
    pause_of,
    offline_of,
    wrapup_of,
]


@given(
    st.sampled_from(READERS), _bodies.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200)
)
def test_given_any_body_when_read_then_it_is_good_or_a_problem_in_words(
    read: Callable[[bytes], Any], body: bytes
) -> None:
    try:
        read(body)
    except Problem as problem:
        assert problem.status in (400, 422)
        assert problem.response().body
        assert problem.detail.isprintable() and problem.remedy.isprintable()


@given(
    st.sampled_from([watching_of, history_of]),
    st.lists(st.tuples(st.sampled_from(["after", "wait", "limit"]) | st.text(), st.text() | st.just("1"))),
)
def test_given_any_query_when_read_then_it_is_good_or_a_problem(
    read: Callable[[list[tuple[str, str]]], Any], query: list[tuple[str, str]]
) -> None:
    try:
        read(query)
    except Problem as problem:
        assert problem.errors


# -- the configuration and the API agree ---------------------------------------------------------------------

KINDS: dict[str, tuple[str, Any]] = {
    "id": ("id", Identifier),
    "name": ("name", Line),
    "endpoint": ("endpoint", Endpoint),
    "number": ("number", Number),
    "state": ("dnd", State),
    "timezone": ("timezone", TimeZone),
    "shift": ("shifts", Shift),
    "calendar": ("calendar", Identifier),
    "language": ("language", Language),
}
NEAR = st.sampled_from(
    [
        *("ana", "Ana", "a-b_1", "x" * 40, "x" * 41, "PJSIP/ana", "pjsip/ana", "PJSPI/ana", "SIP/a&b"),
        *(
            "_x/a",
            "1x/a",
            "Foo/a",
            "PJSIP/" + "a" * 74,
            "PJSIP/" + "a" * 75,
            "PJSIP/-a",
            "Local/1@x/n",
            "a/b/c",
        ),
        *("Custom:desk", "201@from-internal", "*43@x", "Custom:", "@x", "x" * 79 + "@y", "+15550100", "*281"),
        *("+", "1" * 20, "+" + "1" * 20, "1" * 21, "Europe/Berlin", "UTC", "Europe/", "posix/UTC"),
        *("mon-fri 09:00-17:30", "sat,sun 22:00-06:00", "daily 08:00-12:00", "mon 9-17", "MON 09:00-17:00"),
        *("es", "es-mx", "es_MX", "zh-hant-tw", "e", "abcd", "es-", "es-mexicanos", "xx-123456789"),
        *(" a", "a ", "a\n", "a\u202e", "é", "\u0661"),
    ]
)
PIECES = st.text("aZ09_-/+@:*#.=,&$ \n\u0661", max_size=12)


@pytest.mark.parametrize(("field", "kind"), KINDS.values(), ids=KINDS.keys())
def test_given_any_text_when_read_then_the_configuration_and_the_api_agree(field: str, kind: Any) -> None:
    adapter = TypeAdapter(kind)
    several = field == "shifts"

    @settings(deadline=None)  # The machine may be busy.
    @given(NEAR | PIECES | st.text(max_size=8))
    @example("x" * 200)
    @example("x" * 201)
    def agree(text: str) -> None:
        if not text:
            return  # Here it means that there is none.
        faults = Faults()
        RECORD[field]([text] if several else text, "#", faults)
        try:
            adapter.validate_python(text)
        except ValidationError:
            assert faults.found, f"the API takes {text!r} for a {field}, the configuration does not"
        else:
            assert not faults.found, f"the configuration takes {text!r} for a {field}: {faults.found}"

    agree()


def test_given_the_settings_of_an_agent_then_the_api_knows_all_of_them() -> None:
    assert set(RECORD) == {field.name for field in fields(AgentRecord)}
    assert set(AgentEntry.model_fields) <= set(RECORD)
