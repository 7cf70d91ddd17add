"""Leads over HTTP: who they are, what they consent to, and what came of their handoffs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_stage import LEAD, Stage, open_stage

from asterisk_warm.api import lead_reading

NUMBER = "+12025550123"
CONSENT: dict[str, Any] = {
    "purpose": "call",
    "granted": True,
    "basis": "web form",
    "shown": "May we call you?\nYou can say no.",
    "at": 1_700_000_000.5,
    "source": "https://example.com/form",
}
JANE: dict[str, Any] = {
    "name": "Jane Roe",
    "language": "es",
    "attributes": {"plan": "gold", "city": "Sevilla"},
    "source": "web form",
    "consents": [CONSENT],
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def saved(stage: Stage, number: str = NUMBER, /, **body: Any) -> Any:
    status, view = await stage.ask("PUT", f"/v1/leads/{number}", body)
    assert status == 200, view
    return view


def pointers(problem: Any) -> list[str]:
    return sorted(error["pointer"] for error in problem["errors"])


# -- who they are --------------------------------------------------------------------------------------------


async def test_given_a_lead_when_saved_then_all_of_it_is_shown(stage: Stage) -> None:
    view = await saved(stage, **JANE)
    assert view == {**JANE, "number": NUMBER, "handoffs": [], "qualifications": []}
    assert await stage.ask("GET", f"/v1/leads/{NUMBER}") == (200, view)
    assert (await stage.ask("GET", "/v1/leads"))[1]["leads"] == [view]


@pytest.mark.parametrize(
    "written", ["202-555-0123", "(202)%20555%200123", "%2B12025550123", "tel:+12025550123"]
)
async def test_given_a_number_in_any_form_then_it_is_the_same_lead(stage: Stage, written: str) -> None:
    await saved(stage, **JANE)
    assert (await stage.ask("GET", f"/v1/leads/{written}"))[1]["name"] == "Jane Roe"
    assert (await saved(stage, written, name="Jane"))["number"] == NUMBER
    assert (await saved(stage, written, name="Jane", number="+1 (202) 555-0123"))["number"] == NUMBER


async def test_given_a_lead_when_saved_again_then_it_is_replaced_and_its_consents_stay(stage: Stage) -> None:
    await saved(stage, **JANE)
    view = await saved(stage, name="J. Roe")
    assert (view["name"], view["language"], view["attributes"]) == ("J. Roe", "", {})
    assert view["source"].startswith("api")
    assert view["consents"] == [CONSENT]


async def test_given_a_lead_when_removed_then_there_is_none_and_what_was_is_told(stage: Stage) -> None:
    view = await saved(stage, **JANE)
    assert await stage.ask("DELETE", f"/v1/leads/{NUMBER}") == (200, view)
    for method in ("GET", "DELETE"):
        assert (await stage.ask(method, f"/v1/leads/{NUMBER}"))[0] == 404


async def test_given_many_leads_when_listed_then_they_come_by_number_in_pages(stage: Stage) -> None:
    numbers = [f"+1202555{number:04}" for number in range(100, 107)]
    await stage.ask("POST", "/v1/leads/import", {"leads": [{"number": number} for number in numbers]})
    seen: list[str] = []
    while True:
        after = f"&after={seen[-1].replace('+', '%2B')}" if seen else ""
        _, page = await stage.ask("GET", f"/v1/leads?limit=3{after}")
        if not page["leads"]:
            break
        seen += [lead["number"] for lead in page["leads"]]
    assert seen == numbers


# -- consents ------------------------------------------------------------------------------------------------


async def test_given_consents_when_recorded_then_each_is_kept_as_it_was_shown(stage: Stage) -> None:
    path = f"/v1/leads/{NUMBER}/consents"
    status, view = await stage.ask("POST", path, CONSENT)
    assert (status, view["number"], view["consents"]) == (200, NUMBER, [CONSENT])
    began = time.time()
    body = {"purpose": "call", "granted": False, "basis": "oral", "shown": ""}
    _, view = await stage.ask("POST", path, body)
    first, second = view["consents"]
    assert (first, second["granted"]) == (CONSENT, False)
    assert second["at"] >= began - 1 and second["source"].startswith("api")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["#/basis", "#/granted", "#/purpose", "#/shown"]),
        ({**CONSENT, "purpose": "cal", "granted": "yes"}, ["#/granted", "#/purpose"]),
        ({**CONSENT, "at": time.time() + 86400}, ["#/at"]),
        ({**CONSENT, "at": "yesterday", "basis": "", "why": 1}, ["#/at", "#/basis", "#/why"]),
        ({**CONSENT, "shown": "x" * 4001, "source": "a\r\nb"}, ["#/shown", "#/source"]),
        ({**CONSENT, "shown": "a\x00b\x1b[2J"}, ["#/shown"]),
        ([], ["#", "#/basis", "#/granted", "#/purpose", "#/shown"]),
    ],
    ids=range(7),
)
async def test_given_faults_when_a_consent_is_recorded_then_each_is_pointed_at(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    status, problem = await stage.ask("POST", f"/v1/leads/{NUMBER}/consents", body)
    assert (status, pointers(problem)) == (422, wrong)
    assert (await stage.ask("GET", f"/v1/leads/{NUMBER}"))[0] == 404


# -- importing -----------------------------------------------------------------------------------------------


async def test_given_an_import_then_the_good_ones_are_kept_and_every_fault_is_named(stage: Stage) -> None:
    await saved(stage, **JANE)
    leads: list[Any] = [
        {"number": "202 555 0123", "name": "Jane"},
        {"number": "+34600000001", "attributes": {"plan": "silver"}, "consents": [CONSENT]},
        {"number": "+34 600 000 001"},
        {"number": "nobody"},
        {"name": "No Number"},
        {"number": "+34600000002", "langage": "es", "attributes": {"a/b": 1, "": "x"}},
        {"number": "+34600000003", "consents": [{**CONSENT, "purpose": "all"}, 7]},
        "Jane",
    ]
    body = {"leads": leads, "dry_run": True}
    status, dry = await stage.ask("POST", "/v1/leads/import", body)
    assert status == 200
    assert (dry["added"], dry["replaced"], dry["dry_run"]) == (["+34600000001"], [NUMBER], True)
    assert sorted(fault["pointer"] for fault in dry["faults"]) == [
        "#/leads/2/number",
        "#/leads/3/number",
        "#/leads/4/number",
        "#/leads/5/attributes/",
        "#/leads/5/attributes/a~1b",
        "#/leads/5/langage",
        "#/leads/6/consents/0/purpose",
        "#/leads/6/consents/1",
        "#/leads/7",
    ]
    assert '"+34 600 000 001" is in the list twice' in [fault["detail"] for fault in dry["faults"]]
    assert (await stage.ask("GET", "/v1/leads/+34600000001"))[0] == 404
    status, done = await stage.ask("POST", "/v1/leads/import", {"leads": leads})
    assert (status, done) == (200, {**dry, "dry_run": False})
    assert (await stage.ask("GET", f"/v1/leads/{NUMBER}"))[1]["name"] == "Jane"
    assert (await stage.ask("GET", "/v1/leads/+34600000001"))[1]["consents"] == [CONSENT]
    assert len((await stage.ask("GET", "/v1/leads"))[1]["leads"]) == 2


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["#/leads"]),
        ({"leads": {}, "dry_run": 1}, ["#/dry_run", "#/leads"]),
        ({"leads": [{}] * 10_001}, ["#/leads"]),
        ({"records": []}, ["#/leads", "#/records"]),
    ],
    ids=range(4),
)
async def test_given_faults_around_the_list_then_nothing_is_imported(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    status, problem = await stage.ask("POST", "/v1/leads/import", body)
    assert (status, pointers(problem)) == (422, wrong)


# -- faults --------------------------------------------------------------------------------------------------


async def test_given_text_of_any_script_when_saved_then_it_is_kept_or_made_printable(stage: Stage) -> None:
    name = "نام\u200cخانوادگی \U0001f469\u200d\U0001f4bb \u202eevil"
    shown = "می\u200cخواهید؟\n\U0001f469\u200d\U0001f4bb\u00a0ok"
    view = await saved(stage, name=name, consents=[{**CONSENT, "shown": shown}])
    assert view["name"].isprintable() and view["name"].startswith("نام")
    assert view["consents"][0]["shown"] == shown, "exactly as it was shown"


FAULTY: dict[str, tuple[object, list[str]]] = {
    "another number": ({"number": "+34600000001"}, ["#/number"]),
    "a number's number": ({"number": 12025550123}, ["#/number"]),
    "kinds": (
        {"name": 1, "language": [], "attributes": "x", "source": {}, "consents": {}},
        ["#/attributes", "#/consents", "#/language", "#/name", "#/source"],
    ),
    "hostile": (
        {"name": "Jane\r\nAction: Originate", "language": "${SHELL(id)}", "source": "a\0b"},
        ["#/language", "#/name", "#/source"],
    ),
    "long": (
        {
            "name": "x" * 81,
            "attributes": {"x" * 41: "1", "long": "y" * 201},
            "consents": [CONSENT] * (lead_reading.CONSENTS_AT_MOST + 1),
        },
        ["#/attributes/long", f"#/attributes/{'x' * 40}", "#/consents", "#/name"],
    ),
    "too many attributes": ({"attributes": {f"a{n}": "" for n in range(51)}}, ["#/attributes"]),
    "attributes alike": ({"attributes": {"plan": "a", " plan ": "b"}}, ["#/attributes"]),
    "unknown": ({"nmae": "Jane"}, ["#/nmae"]),
    "no object": ([], ["#"]),
}


@pytest.mark.parametrize(("body", "wrong"), FAULTY.values(), ids=FAULTY.keys())
async def test_given_faults_when_saved_then_each_is_pointed_at(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    status, problem = await stage.ask("PUT", f"/v1/leads/{NUMBER}", body)
    assert (status, pointers(problem)) == (422, wrong)
    assert all(error["detail"].isprintable() for error in problem["errors"])
    assert (await stage.ask("GET", f"/v1/leads/{NUMBER}"))[0] == 404


@pytest.mark.parametrize("number", ["nobody", "1", "+1202555%00", "x" * 41, "%0a", "%E2%80%AE1", "911;DROP"])
async def test_given_what_is_no_number_in_the_path_then_it_is_said_and_nothing_is_looked_up(
    stage: Stage, number: str
) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/consents", CONSENT),
    ):
        assert (await stage.ask(method, f"/v1/leads/{number}{path}", body))[0] in (404, 422)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [("limit=0", "?limit"), ("limit=1001", "?limit"), ("after=%00", "?after"), ("since=1", "?since")],
)
async def test_given_a_query_that_cannot_be_used_then_it_is_pointed_at(
    stage: Stage, query: str, wrong: str
) -> None:
    status, problem = await stage.ask("GET", f"/v1/leads?{query}")
    assert (status, pointers(problem)) == (422, [wrong])


# -- what came of it -----------------------------------------------------------------------------------------


async def test_given_a_handoff_when_its_outcome_is_written_down_then_the_lead_has_it(stage: Stage) -> None:
    await saved(stage, **JANE)
    handoff = await stage.lead_is_offered(number=NUMBER)
    body = {"disposition": "callback", "note": "wants a quote by Friday"}
    status, outcome = await stage.ask("POST", f"/v1/handoffs/{handoff[-8:]}/outcome", body)
    assert status == 200
    assert (outcome["handoff"], outcome["disposition"], outcome["disposition_name"]) == (
        handoff,
        "callback",
        "Call back",
    )
    assert (outcome["note"], outcome["source"]) == ("wants a quote by Friday", "api")
    await stage.ask("POST", f"/v1/handoffs/{handoff}/outcome", {"note": "only a note"})
    _, lead = await stage.ask("GET", f"/v1/leads/{NUMBER}")
    (past,) = lead["handoffs"]
    assert past["id"] == handoff
    assert [one["note"] for one in past["outcomes"]] == ["wants a quote by Friday", "only a note"]
    status, answer = await stage.ask("GET", f"/v1/handoffs/{handoff[-8:]}/outcomes")
    assert (status, answer["outcomes"]) == (200, past["outcomes"])
    assert (await stage.ask("GET", "/v1/handoffs/warm-nobody/outcomes"))[0] == 404
    for word in ("2", "Call back"):
        _, same = await stage.ask("POST", f"/v1/handoffs/{handoff}/outcome", {"disposition": word})
        assert same["disposition"] == "callback"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["#/disposition"]),
        (None, ["#/disposition"]),
        ({"disposition": "", "note": ""}, ["#/disposition"]),
        ({"disposition": "soldd"}, ["#/disposition"]),
        ({"disposition": 1, "note": "a\0"}, ["#/disposition", "#/note"]),
        ({"note": "x" * 1001, "why": ""}, ["#/note", "#/why"]),
    ],
    ids=range(6),
)
async def test_given_faults_when_an_outcome_is_written_down_then_each_is_pointed_at(
    stage: Stage, body: object, wrong: list[str]
) -> None:
    handoff = await stage.lead_is_offered()
    status, problem = await stage.ask("POST", f"/v1/handoffs/{handoff}/outcome", body)
    assert (status, pointers(problem)) == (422, wrong)
    if isinstance(body, dict) and body.get("disposition") == "soldd":
        assert problem["errors"][0]["remedy"] == 'did you mean "sold"?'


async def test_given_no_such_handoff_when_an_outcome_is_written_down_then_404(stage: Stage) -> None:
    for id in ("warm-nothing", "x'y"):
        assert (await stage.ask("POST", f"/v1/handoffs/{id}/outcome", {"note": "x"}))[0] == 404


async def test_given_the_dispositions_when_asked_for_then_they_come_as_configured(stage: Stage) -> None:
    assert (await stage.ask("GET", "/v1/dispositions"))[1] == {
        "dispositions": [
            {"id": "sold", "name": "Sold", "key": "1"},
            {"id": "callback", "name": "Call back", "key": "2"},
        ]
    }


# -- handing them off ----------------------------------------------------------------------------------------


async def test_given_a_language_and_a_qualification_when_handed_off_then_the_handoff_has_them(
    stage: Stage,
) -> None:
    given = {"score": 42, "verdict": "ready", "summary": "wants gold"}
    _, qualified = await stage.ask(
        "POST", "/v1/qualifications", {"script": "crm", "lead": NUMBER, "given": given}
    )
    stage.lead_waits()
    body = {"channel": LEAD, "team": "sales", "language": "es", "qualification": qualified["id"]}
    status, view = await stage.ask("POST", "/v1/handoffs", {**body, "number": NUMBER})
    assert status == 201, view
    lead = view["lead"]
    assert (lead["language"], lead["qualification"], lead["score"], lead["verdict"], lead["summary"]) == (
        "es",
        qualified["id"],
        42,
        "ready",
        "wants gold",
    )


async def test_given_faults_in_them_when_handed_off_then_each_is_pointed_at(stage: Stage) -> None:
    stage.lead_waits()
    body = {"channel": LEAD, "team": "sales", "language": "Spanish!", "qualification": "x" * 41}
    status, problem = await stage.ask("POST", "/v1/handoffs", body)
    assert (status, pointers(problem)) == (422, ["#/language", "#/qualification"])
