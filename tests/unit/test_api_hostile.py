"""What people send by mistake or on purpose: it is answered in words, all of it, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_stage import LEAD, Stage, open_stage
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.api.handling import BODY_AT_MOST
from asterisk_warm.api.problems import Problem
from asterisk_warm.api.reading import Start, listing_of, nothing_of, start_of

GOOD: dict[str, Any] = {"channel": LEAD, "team": "sales"}
PLACE = {"context": "menu", "extension": "s", "priority": 1}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        opened.lead_waits()
        yield opened


FAULTY = {
    "nothing given": ({}, ["#/channel", "#/team"]),
    "lead and qualifier": ({**GOOD, "qualifier": "q-1"}, ["#/qualifier"]),
    "everybody": ({**GOOD, "agent": "ana", "outside": "+15550100"}, ["#/agent", "#/outside"]),
    "header in qualifier": (
        {"qualifier": "q-1\r\nAction: Originate", "team": "sales"},
        ["#/qualifier"],
    ),
    "agent of spaces": ({"channel": LEAD, "agent": "  "}, ["#/agent"]),
    "long agent": ({"channel": LEAD, "agent": "x" * 81}, ["#/agent"]),
    "hostile agent": ({"channel": LEAD, "agent": "ana\r\n\u202e"}, ["#/agent"]),
    "number in words": ({"channel": LEAD, "outside": "the police"}, ["#/outside"]),
    "dial string": ({"channel": LEAD, "outside": "15550100@trunk&PJSIP/x"}, ["#/outside"]),
    "other digits": ({"channel": LEAD, "outside": "\u0661\u0662\u0663"}, ["#/outside"]),
    "number with a line end": ({"channel": LEAD, "outside": "15550100\n"}, ["#/outside"]),
    "number with marks": ({"channel": LEAD, "outside": "+1 555-0100"}, ["#/outside"]),
    "one digit": ({"channel": LEAD, "outside": "1"}, ["#/outside"]),
    "long number": ({"channel": LEAD, "outside": "1" * 21}, ["#/outside"]),
    "conditions in words": (
        {**GOOD, "qualified": "yes", "consent": 1},
        ["#/qualified", "#/consent"],
    ),
    "null given": ({"channel": None, "team": None}, ["#/channel", "#/team"]),
    "not an object": ([GOOD], ["#", "#/channel", "#/team"]),
    "unknown field": ({**GOOD, "sumary": "x"}, ["#/sumary"]),
    "unknown fields escaped": ({**GOOD, "a/b~\r\n": 1}, ["#/a~1b~0??"]),
    "numbers for texts": (
        {"channel": 1, "team": True, "name": [], "number": {}, "summary": 1.5, "mode": 0},
        ["#/channel", "#/team", "#/mode", "#/name", "#/number", "#/summary"],
    ),
    "numbers for texts elsewhere": (
        {"qualifier": 1, "agent": []},
        ["#/qualifier", "#/agent"],
    ),
    "a number for a telephone number": (
        {"channel": LEAD, "outside": 15550100},
        ["#/outside"],
    ),
    "empty channel": ({**GOOD, "channel": ""}, ["#/channel"]),
    "long channel": ({**GOOD, "channel": "x" * 151}, ["#/channel"]),
    "header in channel": ({**GOOD, "channel": "lead\r\nAction: Originate"}, ["#/channel"]),
    "zero in channel": ({**GOOD, "channel": "lead\0"}, ["#/channel"]),
    "space in team": ({**GOOD, "team": "sa les"}, ["#/team"]),
    "comma in team": ({**GOOD, "team": "sales,mode=blind"}, ["#/team"]),
    "unknown mode": ({**GOOD, "mode": "blnd"}, ["#/mode"]),
    "details no object": ({**GOOD, "details": "x"}, ["#/details"]),
    "details not text": (
        {**GOOD, "details": {"a": 1, "b": None, "c": {}}},
        ["#/details/a", "#/details/b", "#/details/c"],
    ),
    "details' names": ({**GOOD, "details": {"": "x", "a=b": "y"}}, ["#/details/", "#/details/a=b"]),
    "return_to no object": ({**GOOD, "return_to": "menu,s,1"}, ["#/return_to"]),
    "return_to empty": ({**GOOD, "return_to": {}}, [f"#/return_to/{n}" for n in PLACE]),
    "return_to unknown": ({**GOOD, "return_to": {**PLACE, "exten": "s"}}, ["#/return_to/exten"]),
    "return_to hostile": (
        {**GOOD, "return_to": {"context": "a\nb", "extension": "${SHELL(x)},1", "priority": "1"}},
        ["#/return_to/context", "#/return_to/extension", "#/return_to/priority"],
    ),
    "priority true": ({**GOOD, "return_to": {**PLACE, "priority": True}}, ["#/return_to/priority"]),
    "priority zero": ({**GOOD, "return_to": {**PLACE, "priority": 0}}, ["#/return_to/priority"]),
    "priority broken": ({**GOOD, "return_to": {**PLACE, "priority": 1.5}}, ["#/return_to/priority"]),
    "priority huge": ({**GOOD, "return_to": {**PLACE, "priority": 10**18}}, ["#/return_to/priority"]),
}


@pytest.mark.parametrize(("body", "pointers"), FAULTY.values(), ids=FAULTY.keys())
async def test_given_faults_when_started_then_each_is_pointed_at(
    stage: Stage, body: object, pointers: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/handoffs", body)
    assert (status, problem["type"]) == (422, "urn:asterisk-warm:problem:invalid")
    assert sorted(error["pointer"] for error in problem["errors"]) == sorted(pointers)
    assert all(error["detail"].isprintable() for error in problem["errors"])
    assert stage.pbx.done == []


async def test_given_a_misspelt_name_then_the_nearest_is_offered(stage: Stage) -> None:
    body = {**GOOD, "sumary": "x", "mode": "blnd", "return_to": {**PLACE, "priorty": 1}, "qqq": 1}
    _, problem = await stage.ask("POST", "/v1/handoffs", body)
    told = {error["pointer"]: error["remedy"] for error in problem["errors"]}
    assert told["#/sumary"] == 'did you mean "summary"?'
    assert told["#/mode"] == 'did you mean "blind"?'
    assert told["#/return_to/priorty"] == 'did you mean "priority"?'
    assert told["#/qqq"].startswith("known: channel, qualifier, team,")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"channel=lead-1",
        b'{"channel": "\xff"}',
        b'{"channel": "\\ud800"}',
        b'{"priority": 1e999}',
        b'{"priority": NaN}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_given_what_is_not_json_when_started_then_400(stage: Stage, body: bytes) -> None:
    status, problem, _ = await stage.ask_raw("POST", "/v1/handoffs", data=body)
    assert (status, problem["type"]) == (400, "urn:asterisk-warm:problem:malformed")


async def test_given_a_large_body_then_it_is_refused_and_the_largest_is_not(stage: Stage) -> None:
    def body(size: int) -> bytes:
        empty = len(json.dumps({**GOOD, "summary": ""}))
        return json.dumps({**GOOD, "summary": "x" * (size - empty)}).encode()

    status, problem, _ = await stage.ask_raw("POST", "/v1/handoffs", data=body(BODY_AT_MOST + 1))
    assert (status, problem["type"]) == (413, "urn:asterisk-warm:problem:too_large")
    status, view, _ = await stage.ask_raw("POST", "/v1/handoffs", data=body(BODY_AT_MOST))
    assert (status, view["lead"]["summary"]) == (201, "x" * 500)


async def test_given_hostile_details_of_a_lead_then_they_are_one_printable_line_each(stage: Stage) -> None:
    hostile = "Ana\r\nAction: Originate\0 ${SHELL(id)}\u202e \U0001f600 'x' \"y\" <b>&amp; " + "z" * 4000
    body = {
        **GOOD,
        **dict.fromkeys(["name", "number", "summary"], hostile),
        "details": {f"k{n} {hostile[:300]}".replace("=", ""): hostile[:300] for n in range(50)},
    }
    status, view = await stage.ask("POST", "/v1/handoffs", body)
    assert status == 201
    lead = view["lead"]
    assert (len(lead["name"]), len(lead["number"]), len(lead["summary"]), len(lead["details"])) == (
        80,
        40,
        500,
        20,
    )
    assert lead["name"].startswith("Ana Action: Originate ${SHELL(id)} \U0001f600 'x' \"y\" <b>&amp; zzz")
    texts = [lead["name"], lead["number"], lead["summary"], *lead["details"], *lead["details"].values()]
    assert all(text.isprintable() for text in texts)
    for part in ("", "/story", "/journal"):
        assert (await stage.ask("GET", f"/v1/handoffs/{view['id']}{part}"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/handoffs", "GET, POST"),
        ("POST", "/v1/handoffs/warm-1", "DELETE, GET"),
        ("DELETE", "/v1/health", "GET"),
        ("OPTIONS", "/v1/handoffs/warm-1/story", "GET"),
        ("GET", "/v1/handoffs/warm-1/complete", "POST"),
        ("PUT", "/v1/handoffs/warm-1/take-back", "POST"),
        ("POST", "/v1/teams", "GET"),
        ("DELETE", "/v1/teams/sales", "GET"),
    ],
)
async def test_given_the_wrong_method_then_405_tells_the_right_ones(
    stage: Stage, method: str, path: str, allowed: str
) -> None:
    status, problem, response = await stage.ask_raw(method, path)
    assert (status, problem["remedy"]) == (405, f"use {allowed}")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/health",
        "/v1/handoffs/",
        "/v1/handoffs/warm-1/stories",
        "/v1/handoffs/..%2f..%2fetc",
        "/v1/handoffs/%00",
        "/v1/handoffs/%ff%fe",
        "/v1/handoffs/%0d%0aX: y",
        "/v1/handoffs/" + "w" * 4000,
        "/v1/handoffs/'%20OR%201=1--",
        "/v1/handoffs/%D9%A1",
        "/v1/teams/",
        "/v1/teams/sales/agents",
        "/v1/teams/..%2f..%2fetc",
        "/v1/teams/%00",
        "/v1/teams/%ff%fe",
        "/v1/teams/%0d%0aX: y",
        "/v1/teams/%1b[31m",
        "/v1/teams/" + "w" * 4000,
        "/v1/teams/${SHELL(id)}",
    ],
)
async def test_given_a_strange_path_then_404(stage: Stage, path: str) -> None:
    status, problem = await stage.ask("GET", path)
    assert (status, problem["type"]) == (404, "urn:asterisk-warm:problem:not_found")


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("state=closed", ["?state"]),
        ("limit=0", ["?limit"]),
        ("limit=1001", ["?limit"]),
        ("limit=-1", ["?limit"]),
        ("limit=1e3", ["?limit"]),
        ("limit=%D9%A1", ["?limit"]),
        ("limit=" + "9" * 5000, ["?limit"]),
        ("limit=", ["?limit"]),
        ("state=open&state=all", ["?state"]),
        ("limt=1&state=&limit=x%0d%0a", ["?limit", "?limt", "?state"]),
    ],
)
async def test_given_a_faulty_query_then_each_fault_is_named(
    stage: Stage, query: str, pointers: list[str]
) -> None:
    status, problem = await stage.ask("GET", f"/v1/handoffs?{query}")
    assert status == 422
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers


async def test_given_a_fault_of_ours_then_the_log_has_it_and_the_client_does_not(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    del stage.health
    status, problem = await stage.ask("GET", "/v1/health")
    assert status == 500
    assert problem["detail"] == "the daemon could not answer"
    assert "health" not in json.dumps(problem)
    logged = capsys.readouterr().out
    assert "the API failed" in logged and "AttributeError" in logged


async def test_given_a_database_that_is_gone_then_the_log_has_it_and_the_client_does_not(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    await stage.database.close()
    for path in ("handoffs", "leads", "scripts", "qualifications", "tokens", "webhooks/deliveries"):
        status, problem = await stage.ask("GET", f"/v1/{path}")
        assert (status, problem["type"]) == (503, "urn:asterisk-warm:problem:unreachable"), path
    logged = capsys.readouterr().out
    assert "the API could not read or write" in logged and "warm.db" in logged


# -- anything at all -----------------------------------------------------------------------------------------

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_names = st.sampled_from([member.name for member in fields(Start)])
_places = st.dictionaries(st.sampled_from([*PLACE, "x"]), _values, max_size=4)


@given(st.dictionaries(_names | st.text(max_size=5), _values | _places, max_size=9) | _values)
def test_given_any_json_when_read_then_it_is_a_start_or_a_problem_in_words(body: object) -> None:
    try:
        start = start_of(msgspec.json.encode(body))
    except Problem as problem:
        assert problem.status == 422
        assert problem.errors
        assert problem.response().body
    else:
        assert isinstance(start, Start)
        assert all(isinstance(text, str) for pair in start.details.items() for text in pair)
        assert bool(start.channel) != bool(start.qualifier)
        assert len([name for name in astuple(start.destination) if name]) == 1


@given(st.binary(max_size=200))
def test_given_any_bytes_when_read_then_it_is_a_problem_in_words(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        start_of(body)
    assert caught.value.status in (400, 422)
    assert caught.value.detail.isprintable()


@given(st.binary(max_size=200) | _values.map(msgspec.json.encode))
def test_given_anything_when_nothing_need_be_said_then_it_is_nothing_or_a_problem(body: bytes) -> None:
    try:
        nothing_of(body)
    except Problem as problem:
        assert problem.status in (400, 422)
        assert problem.detail.isprintable()
    else:
        assert body.strip() == b"" or msgspec.json.decode(body) == {}


@given(st.lists(st.tuples(st.sampled_from(["state", "limit"]) | st.text(), st.text() | st.just("1"))))
def test_given_any_query_when_read_then_it_is_a_listing_or_a_problem(query: list[tuple[str, str]]) -> None:
    try:
        listing = listing_of(query)
    except Problem as problem:
        assert problem.errors
    else:
        assert 1 <= listing.limit <= 1000
