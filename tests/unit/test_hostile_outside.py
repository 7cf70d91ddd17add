"""Hostile texts from files and other systems: CSV files, a CRM's answers, receivers of webhooks, screens."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from api_leads_stage import SCRIPT, Far, notice, open_far, screen
from api_stage import SECONDS
from hostile_texts import HALF, TEXTS, hidden
from store_databases import new_database
from webhook_stage import endpoint, read_request, speaking, tried, until
from webhook_stage import notice as told

from asterisk_warm.config.errors import ConfigErrors
from asterisk_warm.config.leads_file import read_leads
from asterisk_warm.config.script_file import read_script
from asterisk_warm.core.handoff.options import LIMITS
from asterisk_warm.crm import Fields, HttpCrm
from asterisk_warm.engine.leads.ports import LookUpFailed
from asterisk_warm.store import Database, SqlDeliveries
from asterisk_warm.webhooks import Webhooks
from asterisk_warm.webhooks.schedule import Schedule

NUMBER, OTHER = "+12025550123", "+12025550124"
COLUMNS = (
    "number",
    "name",
    "language",
    "source",
    "consent_call",
    "consent_basis",
    "consent_shown",
    "consent_at",
    "plan",
)


# -- files ---------------------------------------------------------------------------------------------------


def written(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("column", COLUMNS)
def test_given_hostile_cells_then_the_other_rows_are_kept_and_each_fault_is_one_line(
    column: str, tmp_path: Path
) -> None:
    path = tmp_path / "leads.csv"
    consent = {"consent_call": "yes", "consent_basis": "web form", "consent_at": "2026-03-12"}
    for text in TEXTS.values():
        first = {"number": NUMBER, **(consent if column.startswith("consent") else {}), column: text}
        path.write_text(written(first, {"number": OTHER, "name": "Ben"}), newline="")
        found = read_leads(path, "US")
        kept = [lead.name for lead in found.good if lead.number == OTHER]
        # A file with a zero in it is none of text, and is refused as a whole.
        assert kept == ([] if "\0" in text else ["Ben"]), (column, text, found.faults)
        assert all(fault.line > 0 for fault in found.faults)
        assert not hidden([str(fault) for fault in found.faults])
        for lead in found.good:
            assert not hidden(
                [lead.name, lead.language, lead.source, *(v for pair in lead.attributes for v in pair)]
            )


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"Ana\x00", b"Ana\xed\xa0\xbd", b"\x1b[31m\r", b'"'])
def test_given_bytes_that_are_no_text_then_the_file_is_refused_or_its_row(
    data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"number,name\n" + OTHER.encode() + b",Ben\n" + NUMBER.encode() + b"," + data + b"\n")
    found = read_leads(path, "US")
    assert found.faults and not hidden([str(fault) for fault in found.faults])
    assert all(lead.number == OTHER for lead in found.good)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_given_a_hostile_file_in_place_of_a_script_then_it_is_refused_with_its_place(
    text: str, tmp_path: Path
) -> None:
    for source in (text, SCRIPT.replace("name: Solar", f"name: {text}"), SCRIPT.replace("Tiles", text)):
        try:
            script = read_script(source, "solar.yaml")
        except ConfigErrors as bad:
            assert not hidden([str(error) for error in bad.errors])
        else:
            assert not hidden(
                [script.name, *(choice.label for one in script.questions for choice in one.choices)]
            )


@pytest.mark.parametrize(
    "name",
    [
        "sound:../../etc/passwd",
        "sound:a/../b",
        "sound:a&../b",
        "sound:..",
        "sound:a b",
        "sound:${X}",
        "sound:a,b",
    ],
)
@pytest.mark.parametrize("place", ["voice", "console", "help"])
def test_given_a_recording_that_leads_elsewhere_then_the_script_is_refused(place: str, name: str) -> None:
    say = {
        "voice": f'say: {{console: Why, voice: "{name}"}}',
        "console": f'say: {{console: "{name}"}}',
        "help": f'say: Why\n    help: "{name}"',
    }
    with pytest.raises(ConfigErrors) as refused:
        read_script(SCRIPT.replace("say: Does the lead own the home?", say[place]), "solar.yaml")
    assert place in str(refused.value)


# -- a CRM ---------------------------------------------------------------------------------------------------

FIELDS = Fields("/name", "/wish", "/language", {"plan": "/plan", "more": "/more/0"})


async def looked_up(body: bytes) -> tuple[object, ...] | None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with speaking(talk) as url:
        crm = HttpCrm(f"{url}?n={{number}}", FIELDS, budget_seconds=SECONDS)
        try:
            found = await crm.look_up(NUMBER)
        finally:
            await crm.close()
    return None if found is None else astuple(found)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_given_a_crm_that_answers_with_a_hostile_text_then_it_is_words_of_one_line(text: str) -> None:
    text = text[:40_000]
    body = {"name": text, "wish": text, "language": text, "plan": text, "more": [text]}
    found = await looked_up(json.dumps(body).encode())
    if found is not None:
        assert not hidden(found)
        name, summary, language, details = found
        assert len(str(name)) <= LIMITS["name"] and len(str(summary)) <= LIMITS["summary"]
        assert language in ("", "sound", "recording")
        assert isinstance(details, tuple) and all(len(value) <= 200 for _, value in details)


@pytest.mark.parametrize(
    "name", [json.dumps(HALF), '"\\udcff"', '"\\ud83d\\ud83d"', "1e999", "[" * 9000, '"\x00"']
)
async def test_given_a_crm_that_answers_with_what_is_no_text_then_nothing_is_known(name: str) -> None:
    with pytest.raises(LookUpFailed) as failed:
        await looked_up(b'{"name": ' + name.encode() + b"}")
    assert not hidden(str(failed.value))


# -- receivers of webhooks, and screens ----------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlDeliveries]:
    async with await Database.open(new_database("sqlite", tmp_path)) as opened:
        yield SqlDeliveries(opened)


ANSWERS = (
    b"HTTP/1.1 500 \x1b[31mcolour\x1b[0m %s\r\nX-Evil: \x07\r\n\r\n",
    b"HTTP/1.1 302 ${SHELL(id)}\r\nLocation: file:///etc/passwd\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: \xff\xfe99999999999999999999\r\n\r\n",
    b"HTTP/1.1 429 Busy\r\nRetry-After: " + b"9" * 5000 + b"\r\n\r\n",
    b"HTTP/1.1 400 <script>alert(1)</script>\r\nContent-Length: 9\r\n\r\n<script>\n",
    b"HTTP/1.1 999 \r\n\r\n",
    b"\x00\x01\x02\r\n\r\n",
    b"HTTP/1.1 500 " + b"x" * 100_000 + b"\r\n\r\n",
)


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
async def test_given_a_receiver_with_hostile_words_then_none_of_them_is_told(
    store: SqlDeliveries, answer: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with speaking(talk) as url:
        webhooks = Webhooks(store, [endpoint(url)], schedule=Schedule([3600.0], lambda: 1.0))
        try:
            await (await webhooks.tell(told()))
            (stored,) = await store.list("", "all", 9)
            became = await until(store, stored.id, tried)
        finally:
            await webhooks.close()
    assert became.error and not hidden(became.error) and len(became.error) < 200
    assert not any(word in became.error for word in ("colour", "SHELL", "script", "passwd", "xxx"))


async def test_given_hostile_words_of_a_lead_then_a_screen_has_them_as_one_message_each(
    tmp_path: Path,
) -> None:
    async with open_far(tmp_path) as far, screen(far, await far.secret("ana")) as ana:
        assert (await ana.told())["type"] == "hello"
        for number, text in enumerate(TEXTS.values()):
            done = await far.stage.hub.tell(replace(notice(number), data={"lead": {"name": text}}))
            said = await ana.told()
            assert (said["data"], said["type"]) == ({"lead": {"name": text}}, "offer.made")
            async with asyncio.timeout(SECONDS):
                await done


async def test_given_a_screen_that_sends_hostile_words_then_it_is_told_all_the_same(tmp_path: Path) -> None:
    async with open_far(tmp_path) as far, screen(far, await far.secret("ana")) as ana:
        await ana.told()
        for text in ("", "{", '{"type": "accept", "offer": 1}', TEXTS["a header of SIP"], TEXTS["a script"]):
            await ana.socket.send_str(text)
        await far.stage.hub.tell(notice(1))
        assert (await ana.told())["id"] == "warm-1.1.made"
        await _names_nobody(far)


async def _names_nobody(far: Far) -> None:
    status, _ = await far.ask("GET", "/v1/screen?agent=../../ana", secret=await far.secret("ana"))
    assert status in (401, 403, 404, 422, 426)
