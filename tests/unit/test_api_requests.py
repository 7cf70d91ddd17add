"""Requests below the level of JSON: their ids, and bodies that do not arrive as they should."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_stage import LEAD, SECONDS, Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        opened.lead_waits()
        yield opened


async def test_given_a_request_id_when_answered_then_the_answer_has_it(stage: Stage) -> None:
    for method, path in (("GET", "/v1/health"), ("GET", "/nothing"), ("PUT", "/v1/handoffs")):
        _, _, response = await stage.ask_raw(method, path, headers={"X-Request-Id": "crm-7.B_1"})
        assert response.headers["X-Request-Id"] == "crm-7.B_1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", "<b>", "a\tb", "${SHELL(id)}"])
async def test_given_no_usable_request_id_when_answered_then_it_is_one_of_ours(
    stage: Stage, given: str
) -> None:
    _, _, response = await stage.ask_raw("GET", "/v1/health", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-Id"])


async def test_given_a_fault_of_ours_then_the_log_has_the_id_of_the_request(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    del stage.health
    _, _, response = await stage.ask_raw("GET", "/v1/health", headers={"X-Request-Id": "crm-7"})
    assert (response.status, response.headers["X-Request-Id"]) == (500, "crm-7")
    assert re.search("the API failed.*request_id.{0,12}crm-7", capsys.readouterr().out)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "none"])
async def test_given_a_compressed_body_then_it_is_not_unpacked(stage: Stage, encoding: str) -> None:
    bomb = gzip.compress(json.dumps({"channel": LEAD, "team": "sales", "summary": "x" * 5_000_000}).encode())
    head = f"POST /v1/handoffs HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\n"
    answer = await said_to(stage, head.encode() + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:asterisk-warm:problem:malformed" in answer
    assert stage.pbx.done == []


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 200\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["cut short", "cut in a chunk", "no chunk"],
)
async def test_given_a_client_who_leaves_in_the_middle_then_nothing_is_started_and_no_fault_logged(
    stage: Stage, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    await said_to(stage, b"POST /v1/handoffs HTTP/1.1\r\nHost: x\r\n" + body, leave=True)
    assert (await stage.ask("GET", "/v1/health"))[0] == 200
    assert (await stage.ask("GET", "/v1/handoffs?state=all"))[1] == {"handoffs": []}
    assert stage.pbx.done == []
    assert "the API failed" not in capsys.readouterr().out


async def said_to(stage: Stage, request: bytes, *, leave: bool = False) -> bytes:
    """What comes back before the server is done with this connection."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_unix_connection(str(stage.socket))
        try:
            writer.write(request)
            if leave:
                writer.write_eof()
                return await reader.read()
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            assert length is not None
            return head + await reader.readexactly(int(length[1]))
        finally:
            writer.close()
            await writer.wait_closed()
