"""The API over the network: nobody without a token, agents to their own, and nothing of what people try."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_leads_stage import LOOPBACK, SCRIPT, Far, open_far, screen
from api_stage import LEAD, SECONDS, open_stage

from asterisk_warm.api import failures, handling, network
from asterisk_warm.api.access import AGENTS_MAY
from asterisk_warm.api.network import Network
from asterisk_warm.api.unix_socket import CannotListen


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    async with open_far(tmp_path) as opened:
        yield opened


# -- with and without a token --------------------------------------------------------------------------------


async def test_given_a_token_for_everything_then_it_opens_what_the_socket_does(far: Far) -> None:
    secret = await far.secret(note="the CRM")
    status, health = await far.ask("GET", "/v1/health", secret=secret)
    assert (status, health["version"]) == (200, "1.2.3")
    assert (await far.ask("GET", "/v1/agents/ben", secret=secret))[1]["id"] == "ben"


async def test_given_a_token_when_something_is_done_then_its_note_is_who_did_it(far: Far) -> None:
    crm, anas, bare = await far.secret(note="the CRM"), await far.secret("ana", "desk"), await far.secret()
    for secret, who in ((crm, "the CRM"), (anas, "ana")):
        _, view = await far.ask("POST", "/v1/agents/ana/pause", {"reason": who}, secret=secret)
        assert (view["by"], view["source"]) == (who, "api")
    _, view = await far.ask("POST", "/v1/agents/ana/ready", secret=bare)
    assert view["by"].startswith("token-")
    far.stage.lead_waits()
    _, handoff = await far.ask("POST", "/v1/handoffs", {"channel": LEAD, "team": "sales"}, secret=crm)
    assert handoff["requested_by"] == "api (the CRM)"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic cm9vdDp4"},
        {"Authorization": f"Bearer warm_{'x' * 43}"},
        {"Authorization": "Bearer '; DROP TABLE tokens; --"},
        {"Authorization": "Bearer " + "x" * 4000},
        {"Sec-WebSocket-Protocol": "warm.v1, warm.bearer.SECRET"},
        {"Cookie": "token=SECRET"},
    ],
    ids=lambda headers: str(headers)[:40],
)
@pytest.mark.parametrize("path", ["/v1/agents?token=SECRET", "/v1/nothing", "/"])
async def test_given_no_token_that_counts_then_401_whatever_is_asked(
    far: Far, path: str, headers: dict[str, str]
) -> None:
    secret = await far.secret()
    sent = {name: value.replace("SECRET", secret) for name, value in headers.items()}
    status, problem, answer = await far.ask_raw("GET", path.replace("SECRET", secret), headers=sent)
    assert (status, problem["type"]) == (401, "urn:asterisk-warm:problem:unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="asterisk_warm"'
    assert answer.headers["Cache-Control"] == "no-store"


async def test_given_a_scheme_in_any_case_then_the_token_counts(far: Far) -> None:
    secret = await far.secret()
    for scheme in ("bearer", "BEARER", "Bearer "):
        sent = {"Authorization": f"{scheme} {secret}"}
        assert (await far.ask_raw("GET", "/v1/health", headers=sent))[0] == 200


async def test_given_many_failures_then_429_and_a_token_that_counts_still_opens(far: Far) -> None:
    secret = await far.secret()
    for _ in range(failures.AT_ONCE):
        assert (await far.ask("GET", "/v1/health", secret="warm_" + "x" * 43))[0] == 401
    status, problem, answer = await far.ask_raw("GET", "/v1/health", secret="warm_" + "x" * 43)
    assert (status, problem["type"]) == (429, "urn:asterisk-warm:problem:too_many")
    assert 1 <= int(answer.headers["Retry-After"]) <= failures.EACH_SECONDS
    assert (await far.ask("GET", "/v1/health", secret=secret))[0] == 200


async def test_given_a_revoked_token_then_it_opens_nothing_any_more(far: Far) -> None:
    secret = await far.secret()
    assert (await far.ask("GET", "/v1/health", secret=secret))[0] == 200
    (token,) = await far.stage.tokens.list()
    assert (await far.ask("DELETE", f"/v1/tokens/{token.id}", secret=secret))[0] == 200
    assert (await far.ask("GET", "/v1/health", secret=secret))[0] == 401


async def test_given_anything_that_was_tried_then_no_secret_is_in_the_log(
    far: Far, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    secret = await far.secret("ana")
    guess = "warm_" + "g" * 43
    await far.ask("GET", "/v1/health", secret=secret)
    await far.ask("GET", "/v1/health", secret=guess)
    await far.ask("POST", "/v1/agents/ana/pause", [secret], secret=secret)
    far.stage.hub._present = lambda agent: 1 / 0  # type: ignore[assignment,return-value]
    async with screen(far, secret) as ana:
        await ana.ended()
    for line in (f"Authorization: Bearer {secret}\0", f"Bearer {secret}", f"{secret}: x\x01"):
        await said(far, f"GET /v1/health HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode("latin-1"))
    await said(far, f"{secret}\r\n\r\n".encode())
    out, err = capsys.readouterr()
    assert "a request without a token that counts" in out + err
    assert secret not in caplog.text + out + err
    assert guess not in caplog.text + out + err


# -- what an agent may ---------------------------------------------------------------------------------------


async def test_given_an_agents_token_then_their_own_presence_is_theirs(far: Far) -> None:
    secret = await far.secret("ana")
    assert (await far.ask("GET", "/v1/agents/ana", secret=secret))[1]["id"] == "ana"
    for what, body in (
        ("pause", {"reason": "lunch"}),
        ("ready", None),
        ("wrapup", {"seconds": 5}),
        ("offline", {}),
    ):
        status, view = await far.ask("POST", f"/v1/agents/ana/{what}", body, secret=secret)
        assert (status, view["by"]) == (200, "ana")


FORBIDDEN = [
    ("GET", "/v1/health"),
    ("GET", "/v1/agents"),
    ("GET", "/v1/agents/ben"),
    ("GET", "/v1/agents/Ana"),
    ("PUT", "/v1/agents/ana"),
    ("DELETE", "/v1/agents/ana"),
    ("POST", "/v1/agents/ben/ready"),
    ("POST", "/v1/agents/import"),
    ("GET", "/v1/agents/ana/history"),
    ("GET", "/v1/teams"),
    ("GET", "/v1/handoffs"),
    ("POST", "/v1/handoffs"),
    ("GET", "/v1/handoffs/warm-1"),
    ("POST", "/v1/handoffs/warm-1/outcome"),
    ("GET", "/v1/leads"),
    ("GET", "/v1/leads/+12025550123"),
    ("PUT", "/v1/leads/+12025550123"),
    ("GET", "/v1/scripts"),
    ("POST", "/v1/scripts"),
    ("GET", "/v1/tokens"),
    ("POST", "/v1/tokens"),
    ("DELETE", "/v1/tokens/token-1"),
    ("GET", "/v1/webhooks/deliveries"),
    ("POST", "/v1/webhooks/replay"),
]


@pytest.mark.parametrize(("method", "path"), FORBIDDEN)
async def test_given_an_agents_token_when_it_asks_for_more_then_403(far: Far, method: str, path: str) -> None:
    status, problem = await far.ask(method, path, {}, secret=await far.secret("ana"))
    assert (status, problem["type"]) == (403, "urn:asterisk-warm:problem:forbidden")


async def test_given_every_route_then_an_agents_token_opens_the_listed_ones_alone(far: Far) -> None:
    """A route that is new is not an agent's unless somebody says so."""
    secret = await far.secret("ana")
    table = far.stage.api._routes.table()
    assert set(AGENTS_MAY) <= {(method, path) for method, path, _ in table}
    for method, path, _ in table:
        if (method, path) not in AGENTS_MAY:
            filled = path.replace("{id}", "ana").replace("{number}", "+12025550123")
            assert (await far.ask(method, filled, {}, secret=secret))[0] == 403, (method, path)


async def test_given_an_agents_token_when_nothing_is_at_a_path_then_404_and_405(far: Far) -> None:
    secret = await far.secret("ana")
    assert (await far.ask("GET", "/v1/nothing", secret=secret))[0] == 404
    assert (await far.ask("DELETE", "/v1/dispositions", secret=secret))[0] == 405


async def test_given_a_lead_when_an_agent_took_them_then_that_agent_alone_writes_what_came_of_it(
    far: Far,
) -> None:
    handoff = await far.stage.lead_is_offered()
    anas, bens = await far.secret("ana"), await far.secret("ben")
    path, body = f"/v1/handoffs/{handoff}/outcome", {"disposition": "sold", "note": "two of them"}
    assert (await far.ask("POST", path, body, secret=anas))[0] == 403, "nobody has taken them yet"
    await far.stage.agent_takes_it()
    _, view = await far.stage.ask("GET", f"/v1/handoffs/{handoff}")
    winner, loser = (anas, bens) if view["agent"]["id"] == "ana" else (bens, anas)
    assert (await far.ask("POST", path, body, secret=loser))[0] == 403
    cut = f"/v1/handoffs/{handoff[-6:]}/outcome"
    assert (await far.ask("POST", cut, body, secret=winner))[0] == 403, "only by the whole id"
    status, outcome = await far.ask("POST", path, body, secret=winner)
    assert (status, outcome["disposition"], outcome["by"]) == (200, "sold", view["agent"]["id"])


async def test_given_an_agents_token_then_they_may_qualify_and_give_no_verdict(far: Far) -> None:
    assert (await far.stage.ask("POST", "/v1/scripts", {"source": SCRIPT}))[0] == 201
    secret = await far.secret("ana")
    begin = {"script": "solar", "lead": "+12025550123"}
    status, begun = await far.ask("POST", "/v1/qualifications", begin, secret=secret)
    assert (status, begun["question"]["id"]) == (201, "owner")
    path = f"/v1/qualifications/{begun['id']}"
    status, view = await far.ask("POST", f"{path}/answer", {"answer": "yes"}, secret=secret)
    assert (status, view["question"]["id"], view["answers"][0]["by"]) == (200, "roof", "ana")
    status, view = await far.ask("POST", f"{path}/skip", secret=secret)
    assert (status, view["verdict"]) == (200, "ready")
    given = {**begin, "given": {"score": 99, "verdict": "ready"}}
    assert (await far.ask("POST", "/v1/qualifications", given, secret=secret))[0] == 403
    assert (await far.ask("POST", "/v1/qualifications", given, secret=await far.secret()))[0] == 201


# -- what people try -----------------------------------------------------------------------------------------


async def said(far: Far, sent: bytes) -> bytes:
    """Everything that comes back until the connection is closed."""
    reader, writer = await far.raw()
    writer.write(sent)
    try:
        async with asyncio.timeout(SECONDS):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 1000,
    ],
    ids=["header", "path", "headers", "smuggled", "tls", "zeros"],
)
async def test_given_what_is_no_request_then_400_or_nothing_and_the_next_is_served(
    far: Far, sent: bytes
) -> None:
    answer = await said(far, sent)
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:80]
    assert (await far.ask("GET", "/v1/health", secret=await far.secret()))[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "", "x" * 300, "[::1]:1"])
async def test_given_any_host_then_it_opens_nothing_and_comes_back_nowhere(far: Far, host: str) -> None:
    answer = await said(far, f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 401")
    assert not host or host.encode() not in answer


async def test_given_another_origin_then_no_browser_is_told_that_it_may(far: Far) -> None:
    secret = await far.secret()
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    _, _, answer = await far.ask_raw("GET", "/v1/health", secret=secret, headers=origin)
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    status, _, answer = await far.ask_raw("OPTIONS", "/v1/handoffs", headers=origin)
    assert status == 401
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def test_given_a_request_that_does_not_come_then_the_connection_is_closed(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = far.stage.api._far.server
    assert server is not None and server._kwargs["keepalive_timeout"] == network.HEAD_SECONDS
    monkeypatch.setitem(server._kwargs, "keepalive_timeout", 0.3)
    for beginning in (b"", b"GET /v1/health HTTP/1.1\r\nHost: x\r\n"):
        reader, writer = await far.raw()
        writer.write(beginning)
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
        writer.close()


async def test_given_a_body_that_does_not_come_then_it_is_not_waited_for(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "BODY_SECONDS", 0.2)
    secret = await far.secret()
    reader, writer = await far.raw()
    head = [
        "POST /v1/agents/ana/pause HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {secret}",
        "Content-Length: 100",
    ]
    writer.write("\r\n".join([*head, "", '{"rea']).encode())
    async with asyncio.timeout(SECONDS):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400")


async def test_given_a_connection_too_many_then_it_is_closed_and_the_others_stay(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await far.secret("ana")
    async with screen(far, secret) as ana:
        await ana.told()
        monkeypatch.setattr(network, "CONNECTIONS_AT_MOST", 1)
        reader, writer = await far.raw()
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
        writer.close()
        assert len(far.stage.hub) == 1


# -- where it listens ----------------------------------------------------------------------------------------


async def test_given_a_port_that_is_taken_when_started_then_it_is_said_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"cannot listen on {LOOPBACK} port {port}: "):
            async with open_stage(tmp_path, Network(LOOPBACK, port)):
                pass
    assert not (tmp_path / "api.sock").exists()


@pytest.mark.parametrize("address", ["no.such.host.invalid", "256.0.0.1", "x" * 300])
async def test_given_an_address_that_is_none_when_started_then_it_is_said(
    tmp_path: Path, address: str
) -> None:
    with pytest.raises(CannotListen):
        async with open_stage(tmp_path, Network(address, 0)):
            pass


async def test_given_no_network_then_there_is_no_port(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        assert stage.api.port == 0


def certificate_of(folder: Path) -> tuple[Path, Path]:
    """For the loopback's address, and the key."""
    certificate, key = folder / "warm.crt", folder / "warm.key"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=warm", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *names, *files], check=True, capture_output=True, timeout=60
    )
    return certificate, key


async def test_given_a_certificate_then_requests_and_screens_are_encrypted(tmp_path: Path) -> None:
    certificate, key = certificate_of(tmp_path)
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate, key)
    theirs = ssl.create_default_context(cafile=str(certificate))
    async with open_stage(tmp_path, Network(LOOPBACK, 0, ours)) as stage:
        far = Far(stage, theirs)
        secret = await far.secret("ana")
        assert (await far.ask("GET", "/v1/agents/ana", secret=secret))[0] == 200
        async with screen(far, secret, ssl=theirs) as ana:
            assert (await ana.told())["type"] == "hello"
        plain = Far(stage)
        answer = await said(plain, b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in answer and b"{" not in answer


async def test_given_requests_at_once_then_each_has_its_own_answer(far: Far) -> None:
    secret = await far.secret()

    async def one(agent: str) -> Any:
        return (await far.ask("GET", f"/v1/agents/{agent}", secret=secret))[1]["id"]

    assert await asyncio.gather(*map(one, ["ana", "ben", "cy"] * 10)) == ["ana", "ben", "cy"] * 10
