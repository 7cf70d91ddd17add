"""Scripts and qualifications over HTTP, and the webhooks' outbox."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest
from api_leads_stage import SCRIPT
from api_stage import Stage, open_stage

from asterisk_warm.api import script_reading
from asterisk_warm.engine.screens.ports import Delivery

NUMBER = "+12025550123"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def published(stage: Stage, source: str = SCRIPT, **more: Any) -> Any:
    status, view = await stage.ask("POST", "/v1/scripts", {"source": source, **more})
    assert status == 201, view
    return view


async def begun(stage: Stage, **body: Any) -> Any:
    status, view = await stage.ask("POST", "/v1/qualifications", {"script": "solar", **body})
    assert status == 201, view
    return view


async def done(stage: Stage, id: str, what: str, body: object = None) -> Any:
    status, view = await stage.ask("POST", f"/v1/qualifications/{id}/{what}", body)
    assert status == 200, view
    return view


def pointers(problem: Any) -> list[str]:
    return sorted(error["pointer"] for error in problem["errors"])


# -- scripts -------------------------------------------------------------------------------------------------


async def test_given_a_script_when_published_then_it_is_shown_with_its_source(stage: Stage) -> None:
    status, view, answer = await stage.ask_raw(
        "POST", "/v1/scripts", json={"source": SCRIPT, "note": "the first"}
    )
    assert (status, view["id"], view["version"], view["current"], view["note"]) == (
        201,
        "solar",
        1,
        True,
        "the first",
    )
    assert (await stage.ask("GET", answer.headers["Location"]))[1]["source"] == SCRIPT
    _, listed = await stage.ask("GET", "/v1/scripts")
    assert [(one["id"], one["questions"], one["source"]) for one in listed["scripts"]] == [("solar", 2, "")]


async def test_given_versions_when_compared_and_taken_back_then_each_is_as_it_was(stage: Stage) -> None:
    await published(stage)
    await published(stage, SCRIPT.replace("points: 10", "points: 20"))
    _, shown = await stage.ask("GET", "/v1/scripts/solar?version=1")
    assert (shown["version"], shown["current"], shown["source"]) == (1, False, SCRIPT)
    status, diff = await stage.ask("GET", "/v1/scripts/solar/diff?old=1&new=2")
    assert status == 200 and "20" in diff["changes"][-1]
    status, back = await stage.ask("POST", "/v1/scripts/solar/rollback", {"version": 1})
    assert (status, back["version"], back["note"]) == (200, 3, "rollback to version 1")
    assert (await stage.ask("GET", "/v1/scripts/solar"))[1]["source"] == SCRIPT
    _, versions = await stage.ask("GET", "/v1/scripts/solar/versions")
    assert [one["version"] for one in versions["versions"]] == [3, 2, 1]


async def test_given_the_current_text_when_it_is_published_again_then_409_and_no_new_version(
    stage: Stage,
) -> None:
    await published(stage)
    status, problem = await stage.ask("POST", "/v1/scripts", {"source": SCRIPT, "note": "once more"})
    assert (status, problem["detail"]) == (409, "version 1 of solar, the current one, is just this")
    assert problem["remedy"] == "there is nothing to publish"
    _, found = await stage.ask("GET", "/v1/scripts/solar/versions")
    assert [one["version"] for one in found["versions"]] == [1]


async def test_given_faults_in_the_source_when_published_then_each_has_its_line_and_nothing_is_stored(
    stage: Stage,
) -> None:
    source = SCRIPT.replace("ask: yesno", "ask: yesnoo").replace("optional: true", "optional: maybe")
    status, problem = await stage.ask("POST", "/v1/scripts", {"source": source})
    assert (status, pointers(problem)) == (422, ["#/source", "#/source"])
    assert all(re.match(r"line \d+, column \d+: ", error["detail"]) for error in problem["errors"])
    line = 1 + source[: source.index("yesnoo")].count("\n")
    assert problem["errors"][0]["detail"].startswith(f"line {line}, ")
    assert (await stage.ask("GET", "/v1/scripts"))[1]["scripts"] == []


async def test_given_a_script_that_leads_nowhere_when_published_then_it_is_refused_with_its_place(
    stage: Stage,
) -> None:
    source = SCRIPT.replace("{is: yes, points: 10}", "{is: yes, points: 10, goto: nowhere}")
    status, problem = await stage.ask("POST", "/v1/scripts", {"source": source})
    assert (status, pointers(problem)[0]) == (422, "#/source")
    assert "nowhere" in problem["detail"]


async def test_given_a_source_when_checked_then_everything_is_found_and_nothing_is_stored(
    stage: Stage,
) -> None:
    _, good = await stage.ask("POST", "/v1/scripts/check", {"source": SCRIPT})
    assert [one for one in good["findings"] if one["severity"] == "error"] == []
    status, bad = await stage.ask("POST", "/v1/scripts/check", {"source": "id: [\n"})
    assert status == 200 and bad["findings"][0]["severity"] == "error"
    assert bad["findings"][0]["line"] >= 1
    assert (await stage.ask("GET", "/v1/scripts"))[1]["scripts"] == []


@pytest.mark.parametrize("route", ["/v1/scripts", "/v1/scripts/check"])
@pytest.mark.parametrize(
    "source",
    [
        "",
        "\0",
        1,
        None,
        {"id": "solar"},
        "x" * (script_reading.SOURCE_AT_MOST + 1),
        "a\x1b[2Jb",
    ],
    ids=["empty", "zero", "number", "null", "object", "long", "escape"],
)
async def test_given_what_is_no_text_when_published_then_it_is_pointed_at(
    stage: Stage, route: str, source: object
) -> None:
    status, problem = await stage.ask("POST", route, {"source": source})
    assert (status, pointers(problem)) == (422, ["#/source"])


@pytest.mark.parametrize(
    "source",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c, *c]\n",
        "!!python/object/apply:os.system ['id']",
        "[" * 20_000,
        "- " * 20_000,
        "? " * 5000,
        "%YAML 9.9\n---\n",
        "id: solar\nid: solar\n",
        "\ufeff\u2028",
    ],
    ids=range(8),
)
async def test_given_hostile_yaml_when_checked_then_it_is_only_a_finding(stage: Stage, source: str) -> None:
    status, answer = await stage.ask("POST", "/v1/scripts/check", {"source": source})
    assert status == 200 and answer["findings"]
    assert (await stage.ask("POST", "/v1/scripts", {"source": source}))[0] == 422


async def test_given_a_picture_then_it_is_svg_that_may_do_nothing(stage: Stage) -> None:
    await published(stage, SCRIPT.replace("own the home?", "own </svg><script>alert(1)</script> & 'it'?"))
    connector = aiohttp.UnixConnector(path=str(stage.socket))
    async with (
        aiohttp.ClientSession("http://localhost", connector=connector) as session,
        session.get("/v1/scripts/solar/graph?version=1") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        drawn = await answer.text()
    assert "<script" not in drawn
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "nothing/versions", 404),
        ("GET", "nothing/graph", 404),
        ("GET", "x%00y", 404),
        ("GET", "solar?version=9", 404),
        ("GET", "solar?version=0", 422),
        ("GET", "solar?version=%D9%A1", 422),
        ("GET", "solar?version=99999999999999999999", 422),
        ("GET", "solar/diff", 422),
        ("GET", "solar/diff?old=1&new=x", 422),
        ("GET", "solar/diff?old=1&new=9", 404),
        ("GET", "solar/graph?x=1", 422),
        ("POST", "solar/rollback", 422),
        ("POST", "solar/rollback?version=1", 422),
    ],
)
async def test_given_what_there_is_not_then_it_is_said(
    stage: Stage, method: str, path: str, status: int
) -> None:
    await published(stage)
    body: object = {} if method == "POST" else None
    assert (await stage.ask(method, f"/v1/scripts/{path}", body))[0] == status


# -- qualifications ------------------------------------------------------------------------------------------


async def test_given_a_lead_when_asked_then_it_goes_question_by_question_to_a_verdict(stage: Stage) -> None:
    await published(stage)
    view = await begun(stage, lead="202 555 0123", channel="console")
    assert (view["lead"], view["question"]["id"], view["complete"]) == (NUMBER, "owner", False)
    assert view["question"]["choices"][0]["key"] == "1"
    view = await done(stage, view["id"], "answer", {"answer": "yes", "channel": "console"})
    assert (view["question"]["id"], view["score"], view["verdict"]) == ("roof", 10, None)
    assert view["answers"][0]["channel"] == "console"
    view = await done(stage, view["id"], "skip", {"channel": "text"})
    assert (view["complete"], view["verdict"], view["question"]) == (True, "ready", None)
    skipped = view["answers"][1]
    assert (skipped["skipped"], skipped["no_answer"], skipped["channel"]) == (True, False, "text")
    assert await stage.ask("GET", f"/v1/qualifications/{view['id']}") == (200, view)


async def test_given_an_answer_when_it_is_taken_back_or_another_is_named_then_the_questions_follow(
    stage: Stage,
) -> None:
    await published(stage)
    id = (await begun(stage))["id"]
    await done(stage, id, "answer", {"answer": "no", "channel": None})
    view = await done(stage, id, "back")
    assert (view["question"]["id"], view["answers"]) == ("owner", [])
    await done(stage, id, "answer", {"answer": "yes"})
    view = await done(stage, id, "answer", {"answer": "no", "question": "owner"})
    assert (view["verdict"], view["reason"]) == ("disqualified", "does not own the home")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("answer", {"answer": "tiles"}),
        ("answer", {"answer": "no", "question": "owner"}),
        ("skip", {}),
        ("back", {}),
    ],
)
async def test_given_two_who_have_seen_the_same_when_both_go_on_then_the_second_changes_nothing(
    stage: Stage, what: str, said: dict[str, Any]
) -> None:
    await published(stage)
    seen = await begun(stage)
    now = await done(stage, seen["id"], "answer", {"answer": "yes", "revision": seen["revision"]})
    assert now["revision"] > seen["revision"]
    late = {**said, "revision": seen["revision"]}
    status, problem = await stage.ask("POST", f"/v1/qualifications/{seen['id']}/{what}", late)
    assert (status, problem["remedy"]) == (409, "look at it again")
    assert "has been changed meanwhile: it is at revision" in problem["detail"]
    assert await stage.ask("GET", f"/v1/qualifications/{seen['id']}") == (200, now)
    await done(stage, seen["id"], what, {**said, "revision": now["revision"]})


async def test_given_an_open_qualification_when_begun_again_then_it_goes_on_unless_all_is_to_be_fresh(
    stage: Stage,
) -> None:
    await published(stage)
    first = await begun(stage, lead=NUMBER)
    await done(stage, first["id"], "answer", {"answer": "yes"})
    again = await begun(stage, lead=NUMBER)
    assert (again["id"], again["question"]["id"]) == (first["id"], "roof")
    fresh = await begun(stage, lead=NUMBER, fresh=True)
    assert (fresh["id"] != first["id"], fresh["question"]["id"]) == (True, "owner")


async def test_given_a_finished_one_that_counts_when_begun_again_then_it_is_that_one(stage: Stage) -> None:
    await published(stage)
    finished = await done(stage, (await begun(stage, lead=NUMBER))["id"], "answer", {"answer": "no"})
    assert finished["complete"] and await begun(stage, lead=NUMBER) == finished
    assert (await begun(stage, lead=NUMBER, fresh=True))["id"] != finished["id"]


async def test_given_qualifications_when_listed_then_by_lead_state_and_limit(stage: Stage) -> None:
    await published(stage)
    hers = await begun(stage, lead=NUMBER)
    other = await begun(stage, lead="+34600000001")
    await done(stage, other["id"], "answer", {"answer": "no"})

    async def ids(query: str) -> list[str]:
        status, found = await stage.ask("GET", f"/v1/qualifications{query}")
        assert status == 200, found
        return [one["id"] for one in found["qualifications"]]

    assert sorted(await ids("")) == sorted([hers["id"], other["id"]])
    assert await ids("?state=open") == [hers["id"]]
    assert await ids("?lead=%2B34600000001") == [other["id"]]
    assert len(await ids("?limit=1")) == 1


async def test_given_a_finished_one_of_another_system_then_it_is_kept_as_such(stage: Stage) -> None:
    given = {"score": -3.5, "verdict": "nurture", "reason": "no budget", "summary": "wants a quote"}
    view = await begun(stage, script="hubspot", lead=NUMBER, given=given)
    assert (view["score"], view["verdict"], view["reason"], view["summary"]) == tuple(given.values())
    assert view["complete"] and view["source"].startswith("api")


BAD_BEGINNINGS: dict[str, tuple[object, list[str]]] = {
    "nothing": ({}, ["#/script"]),
    "kinds": (
        {"script": 1, "lead": 2, "language": 3, "fresh": "yes", "channel": 4},
        ["#/channel", "#/fresh", "#/language", "#/lead", "#/script"],
    ),
    "voice": ({"script": "solar", "channel": "voice"}, ["#/channel"]),
    "half given": ({"script": "s", "given": {"score": 1}}, ["#/given/verdict"]),
    "given badly": (
        {"script": "s", "given": {"score": 1e12, "verdict": "hot", "reason": "a\nb", "x": 1}},
        ["#/given/reason", "#/given/score", "#/given/verdict", "#/given/x"],
    ),
    "given, and to be asked": (
        {"script": "s", "given": {"score": 1, "verdict": "ready"}, "fresh": True, "channel": "api"},
        ["#/channel", "#/fresh"],
    ),
    "no object": ({"script": "s", "given": [1]}, ["#/given"]),
    "nobody's number": ({"script": "solar", "lead": "nonsense"}, ["#/lead"]),
    "a digit too few": ({"script": "solar", "lead": "+1202555012"}, ["#/lead"]),
    "given of nobody": (
        {"script": "s", "lead": "abc", "given": {"score": 1, "verdict": "ready"}},
        ["#/lead"],
    ),
}


@pytest.mark.parametrize(("body", "wrong"), BAD_BEGINNINGS.values(), ids=BAD_BEGINNINGS.keys())
async def test_given_faults_when_begun_then_each_is_pointed_at(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/qualifications", body)
    assert (status, pointers(problem)) == (422, wrong)


async def test_given_answers_that_cannot_be_then_they_are_refused_with_a_remedy_and_nothing_changes(
    stage: Stage,
) -> None:
    await published(stage)
    view = await begun(stage)
    path = f"/v1/qualifications/{view['id']}/answer"
    hostile = [
        "",
        "perhaps",
        "${SHELL(id)}",
        "'; --",
        "\u202eno\u202c or yes",
        "1" * 16_000,
        "no\r\nAction: x",
        "\U0001f600",
    ]
    for answer in hostile:
        status, problem = await stage.ask("POST", path, {"answer": answer})
        assert status == 422 and problem["detail"].isprintable(), answer
    for body in (
        {},
        {"answer": True},
        {"answer": "x" * 16_001},
        {"answer": "a\0"},
        {"answer": "y", "by": "me"},
    ):
        assert (await stage.ask("POST", path, body))[0] == 422
    assert (await stage.ask("POST", path, {"answer": "yes", "question": "nothing"}))[0] == 404
    assert await stage.ask("GET", path.removesuffix("/answer")) == (200, view)


async def test_given_no_such_qualification_then_404_and_a_finished_one_is_a_conflict(stage: Stage) -> None:
    await published(stage)
    asked: dict[str, object] = {"answer": {"answer": "yes"}, "skip": {}, "back": {}}
    for what, body in asked.items():
        assert (await stage.ask("POST", f"/v1/qualifications/qual-x/{what}", body))[0] == 404
        assert (await stage.ask("POST", f"/v1/qualifications/x'y/{what}", body))[0] == 404
    assert (await stage.ask("POST", "/v1/qualifications", {"script": "nothing"}))[0] == 404
    id = (await begun(stage))["id"]
    assert (await stage.ask("POST", f"/v1/qualifications/{id}/skip", {}))[0] in (409, 422), "not optional"
    await done(stage, id, "answer", {"answer": "no"})
    assert (await stage.ask("POST", f"/v1/qualifications/{id}/answer", {"answer": "yes"}))[0] == 409


@pytest.mark.parametrize("query", ["state=closed", "limit=x", "lead=%00", "x=1", "lead=1&lead=2"])
async def test_given_a_query_that_cannot_be_used_then_422(stage: Stage, query: str) -> None:
    assert (await stage.ask("GET", f"/v1/qualifications?{query}"))[0] == 422


# -- webhooks ------------------------------------------------------------------------------------------------


async def delivered(stage: Stage, webhook: str, notice: str, **more: Any) -> Delivery:
    made = Delivery(0, notice, webhook, "offer.made", b"{}", 1000.0, 1000.0)
    (added,) = await stage.deliveries.add([made])
    became = {"next_at": None, "attempts": 3, "error": "HTTP 500", **more}
    kept = Delivery(**{**{name: getattr(added, name) for name in Delivery.__slots__}, **became})
    await stage.deliveries.save(kept)
    return kept


async def test_given_deliveries_when_listed_then_each_tells_what_became_of_it(stage: Stage) -> None:
    failed = await delivered(stage, "crm", "warm-1.1.made")
    await delivered(stage, "crm", "warm-1.2.made", delivered_at=1005.0, error="")
    await delivered(stage, "wall", "warm-1.1.made", next_at=time.time() + 60)
    _, all_of_them = await stage.ask("GET", "/v1/webhooks/deliveries")
    assert [one["state"] for one in all_of_them["deliveries"]] == ["pending", "delivered", "failed"]
    _, found = await stage.ask("GET", "/v1/webhooks/deliveries?webhook=crm&state=failed&limit=5")
    assert found["deliveries"] == [
        {
            "id": failed.id,
            "notice": "warm-1.1.made",
            "webhook": "crm",
            "kind": "offer.made",
            "state": "failed",
            "created_at": 1000.0,
            "next_at": None,
            "attempts": 3,
            "delivered_at": None,
            "error": "HTTP 500",
        }
    ]


async def test_given_deliveries_when_replayed_then_they_are_due_again(stage: Stage) -> None:
    first = await delivered(stage, "crm", "warm-1.1.made", delivered_at=1005.0)
    await delivered(stage, "crm", "warm-1.2.made")
    await delivered(stage, "wall", "warm-1.2.made")

    async def replay(body: object) -> tuple[int, int]:
        status, answer = await stage.ask("POST", "/v1/webhooks/replay", body)
        assert status == 200, answer
        return answer["replayed"], answer["left"]

    gone = await delivered(stage, "gone", "warm-1.2.made")
    assert await replay({"ids": [first.id, first.id, 2**62]}) == (1, 1)
    assert await replay({"ids": [gone.id]}) == (0, 1)
    assert await replay({"webhook": "crm", "state": "failed"}) == (1, 0)
    assert await replay({"state": "failed"}) == (1, 1)
    assert await replay({"state": "failed"}) == (0, 1)
    _, found = await stage.ask("GET", "/v1/webhooks/deliveries?state=pending")
    assert len(found["deliveries"]) == 3


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["#/ids"]),
        ({"webhook": "crm"}, ["#/ids"]),
        ({"ids": []}, ["#/ids"]),
        ({"ids": [0, "1", 1.5, True, 2**63]}, [f"#/ids/{place}" for place in range(5)]),
        ({"ids": [1] * 1001}, ["#/ids"]),
        ({"ids": [1], "state": "failed", "webhook": "crm"}, ["#/state", "#/webhook"]),
        ({"state": "delivered"}, ["#/state"]),
        ({"ids": 1, "x": 2}, ["#/ids", "#/x"]),
    ],
    ids=range(8),
)
async def test_given_faults_when_replayed_then_each_is_pointed_at(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/webhooks/replay", body)
    assert (status, pointers(problem)) == (422, wrong)


@pytest.mark.parametrize("query", ["state=open", "webhook=a%0ab", "limit=0", "id=1"])
async def test_given_a_query_about_deliveries_that_cannot_be_used_then_422(stage: Stage, query: str) -> None:
    assert (await stage.ask("GET", f"/v1/webhooks/deliveries?{query}"))[0] == 422
