"""Hostile texts through every route that takes text: kept harmless or refused in words, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import aiohttp
import pytest
import yaml
from api_leads_stage import SCRIPT
from api_stage import LEAD, Stage, open_stage
from hostile_texts import HALF, TEXTS, UNSEEN, hidden

NUMBER, OTHER = "+12025550123", "+12025550124"
ASKING = SCRIPT.replace("{owner}", "{words}") + '  words: {ask: text, say: "Why?", rules: [{points: 10}]}\n'
"""As `SCRIPT`, with a free text that is in the summary."""
PATHS = (
    *("leads/{}", "scripts/{}", "scripts/{}/versions", "scripts/{}/graph", "qualifications/{}"),
    *("handoffs/{}", "handoffs/{}/story", "agents/{}", "teams/{}"),
)
QUERIES = (
    *("leads?after={}", "qualifications?lead={}", "qualifications?state={}", "handoffs?state={}"),
    *("webhooks/deliveries?webhook={}", "scripts/solar?version={}", "scripts/solar/diff?old={}&new=1"),
)


@pytest.fixture
async def stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened
    logged = capsys.readouterr()
    assert "Traceback" not in logged.out + logged.err


async def sent(
    stage: Stage, method: str, path: str, body: object = None, *, statuses: tuple[int, ...], but: str = ""
) -> dict[str, Any]:
    """What is answered, which is one of these statuses; each text of it is one printable line, `but` for what a script
    may have in it."""
    data = None if body is None else json.dumps(body).encode()
    status, answer, response = await stage.ask_raw(method, f"/v1/{path}", data=data)
    assert status in statuses, (path, body, answer)
    assert not hidden(answer, but=but), (path, body, hidden(answer, but=but))
    assert "X-Evil" not in response.headers and "Action" not in response.headers
    return dict(answer)


# -- leads ---------------------------------------------------------------------------------------------------


async def test_given_hostile_leads_then_each_is_kept_harmless_or_refused(stage: Stage) -> None:
    for text in TEXTS.values():
        lead = {"name": text, "source": text, "attributes": {"plan": text, text[:40]: "x"}}
        one_by_one: list[Mapping[str, object]] = [{name: value} for name, value in lead.items()]
        for body in (lead, *one_by_one, {"name": text[:80]}, {"attributes": {"plan": text[:200]}}):
            await sent(stage, "PUT", f"leads/{NUMBER}", body, statuses=(200, 413, 422))
        await sent(stage, "GET", f"leads/{NUMBER}", statuses=(200, 404))
    await sent(stage, "GET", "leads", statuses=(200,))


async def test_given_hostile_leads_in_an_import_then_the_other_ones_are_kept(stage: Stage) -> None:
    for text in TEXTS.values():
        rows = [{"number": text}, {"number": NUMBER, "name": text}, {"number": OTHER, "name": "Ana"}]
        answer = await sent(stage, "POST", "leads/import", {"leads": rows}, statuses=(200,))
        assert OTHER in [*answer["added"], *answer["replaced"]]
        assert "#/leads/0/number" in [fault["pointer"] for fault in answer["faults"]]


async def test_given_hostile_words_of_consent_then_what_was_shown_is_kept_exactly(stage: Stage) -> None:
    await sent(stage, "PUT", f"leads/{NUMBER}", {}, statuses=(200,))
    for text in TEXTS.values():
        consent = {"purpose": "call", "granted": True, "basis": "web form", "shown": "May we call?"}
        for body in ({**consent, "basis": text}, {**consent, "source": text}, {**consent, "purpose": text}):
            await sent(stage, "POST", f"leads/{NUMBER}/consents", body, statuses=(200, 413, 422))
        data = json.dumps({**consent, "shown": text[:4000]}).encode()
        status, answer, _ = await stage.ask_raw("POST", f"/v1/leads/{NUMBER}/consents", data=data)
        kept = answer["consents"][-1]["shown"] if status == 200 else text[:4000]
        assert status in (200, 422) and kept == text[:4000], answer
        # The next text is to be looked at alone.
        await stage.ask("DELETE", f"/v1/leads/{NUMBER}")
        await sent(stage, "PUT", f"leads/{NUMBER}", {}, statuses=(200,))


# -- qualifications and scripts ------------------------------------------------------------------------------


async def test_given_hostile_answers_then_each_is_taken_or_refused_and_told_harmlessly(stage: Stage) -> None:
    await sent(stage, "POST", "scripts", {"source": ASKING}, statuses=(201,), but="\n")
    begun = {"script": "solar", "lead": NUMBER}
    for text in TEXTS.values():
        view = await sent(stage, "POST", "qualifications", {**begun, "fresh": True}, statuses=(201,))
        answer = f"qualifications/{view['id']}/answer"
        for body in (
            {"answer": text},
            {"answer": "yes", "question": text},
            {"answer": "yes", "channel": text},
            {"answer": text, "question": "words"},
            {"answer": text[:2000], "question": "words"},
        ):
            await sent(stage, "POST", answer, body, statuses=(200, 404, 413, 422), but=UNSEEN)
        given = {"score": 5, "verdict": "ready"}
        for body in (
            {**begun, "given": {**given, "reason": text[:200], "summary": text[:500]}},
            {**begun, "given": {**given, "verdict": text}},
            *({**begun, name: text} for name in ("language", "lead", "script")),
        ):
            await sent(stage, "POST", "qualifications", body, statuses=(200, 201, 404, 413, 422), but=UNSEEN)
        await sent(stage, "GET", f"qualifications/{view['id']}", statuses=(200,), but=UNSEEN)
    await sent(stage, "GET", "qualifications?limit=1000", statuses=(200,), but=UNSEEN)


async def test_given_hostile_scripts_then_their_pictures_are_xml_and_nothing_in_them_is_markup(
    stage: Stage,
) -> None:
    drawn = 0
    for text in TEXTS.values():
        written = text_script(text)
        in_ascii = f"# the same\n{yaml.safe_dump(written)}"
        for source in (yaml.safe_dump(written, allow_unicode=True), in_ascii, text):
            await sent(stage, "POST", "scripts/check", {"source": source}, statuses=(200, 422))
            status, answer = await stage.ask("POST", "/v1/scripts", {"source": source, "note": text[:80]})
            assert status in (201, 413, 422) and not hidden(answer.get("errors", [])), answer
            if status == 201:
                drawn += 1
                await only_picture(stage, "evil")
                asked = {"script": "evil", "lead": NUMBER, "fresh": True}
                await sent(stage, "POST", "qualifications", asked, statuses=(201,), but="\n")
    assert drawn >= len(TEXTS), "most texts do no harm as they are"


def text_script(text: str) -> dict[str, object]:
    """A script that says it everywhere."""
    line, braces = text[:80], text[:500].replace("{", "{{").replace("}", "}}")
    question = {
        "ask": "choice",
        "say": {"console": text[:900], "text": text[:900]},
        "help": text[:900],
        "choices": [{"value": "a", "label": line}, {"value": "b", "label": "B"}],
        "rules": [{"is": "a", "points": 1}, {"is": "b", "knockout": line}],
    }
    return {
        "id": "evil",
        "name": line,
        "summary": f"{braces} {{kind}}",
        "verdicts": {"ready": 1, "below": line},
        "questions": {"kind": question},
    }


async def only_picture(stage: Stage, script: str) -> None:
    connector = aiohttp.UnixConnector(path=str(stage.socket))
    async with (
        aiohttp.ClientSession("http://localhost", connector=connector) as session,
        session.get(f"/v1/scripts/{script}/graph") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")
        picture = ElementTree.fromstring(await answer.text())
    tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert tags <= {"svg", "title", "rect", "polyline", "polygon", "text"}
    assert not {name for element in picture.iter() for name in element.attrib if name.startswith("on")}


# -- handoffs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TEXTS)
async def test_given_a_hostile_lead_when_handed_off_then_the_phones_ring_and_all_is_told(
    stage: Stage, kind: str
) -> None:
    text = TEXTS[kind][:1500]
    stage.lead_waits()
    lead = {"name": text, "number": text, "summary": text, "details": {text.replace("=", "") or "x": text}}
    begun = {"channel": LEAD, "team": "sales", **lead}
    view = await sent(stage, "POST", "handoffs", begun, statuses=(201,))
    await stage.pbx.ordered("ring")
    for path in ("", "/story", "/journal"):
        await sent(stage, "GET", f"handoffs/{view['id']}{path}", statuses=(200,))
    for note in ({"note": text}, {"disposition": "sold", "note": text[:1000]}, {"disposition": text}):
        await sent(stage, "POST", f"handoffs/{view['id']}/outcome", note, statuses=(200, 422))


async def test_given_hostile_requests_then_each_is_refused_and_nobody_is_rung(stage: Stage) -> None:
    told = ("channel", "team", "agent", "outside", "qualifier", "mode", "language", "skills", "return_to")
    for text in TEXTS.values():
        for name in told:
            body = {"channel": "x", "team": "sales", name: text}
            await sent(stage, "POST", "handoffs", body, statuses=(404, 409, 413, 422))
    assert stage.pbx.rung == []


# -- around them ---------------------------------------------------------------------------------------------


async def test_given_hostile_paths_and_queries_then_they_are_refused_in_words(stage: Stage) -> None:
    await sent(stage, "POST", "scripts", {"source": SCRIPT}, statuses=(201,), but="\n")
    for text in TEXTS.values():
        piece = quote(text[:600], safe="")
        for path in PATHS:
            await sent(stage, "GET", path.format(piece), statuses=(404, 422))
        for path in QUERIES:
            await sent(stage, "GET", path.format(piece), statuses=(200, 404, 422), but="\n")


async def test_given_hostile_notes_of_tokens_then_they_are_kept_harmless_or_refused(stage: Stage) -> None:
    for text in TEXTS.values():
        for body in (
            {"note": text},
            {"note": text[:80]},
            {"agent": text},
            {"agent": "ana", "note": text[:80]},
        ):
            await sent(stage, "POST", "tokens", body, statuses=(201, 404, 413, 422))
        await sent(stage, "DELETE", f"tokens/{quote(text[:600], safe='')}", statuses=(404,))
    await sent(stage, "GET", "tokens", statuses=(200,))


@pytest.mark.parametrize(
    "path",
    [f"leads/{NUMBER}", "leads/import", "qualifications", "scripts", "scripts/check", "tokens", "handoffs"],
)
async def test_given_half_a_character_then_it_is_no_json(stage: Stage, path: str) -> None:
    method = "PUT" if path == f"leads/{NUMBER}" else "POST"
    body = {"name": HALF, "source": HALF, "note": HALF, "channel": HALF}
    await sent(stage, method, path, body, statuses=(400,))


async def test_given_half_a_character_in_yaml_then_its_place_is_told(stage: Stage) -> None:
    source = SCRIPT.replace("name: Solar", 'name: "Solar \\ud83d"')
    answer = await sent(stage, "POST", "scripts", {"source": source}, statuses=(422,))
    assert "line 2" in answer["detail"], answer
