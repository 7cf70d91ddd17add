"""The FastAGI server and its peers, slow, silent, hostile and many; by real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from agi_stage import NOW, SECONDS, Desk, MemoryAgents, MemorySpeaker, Peer, environment

from asterisk_warm.agi.server import AgiServer, CannotListen, Limits

BRIEF = Limits(sessions=10, request_seconds=0.5, script_seconds=0.5, telling_seconds=0.5)
MANY = 200


@asynccontextmanager
async def serving(agents: MemoryAgents, limits: Limits | None = None) -> AsyncIterator[AgiServer]:
    server = AgiServer(Desk(agents).services, MemorySpeaker(), port=0, limits=limits, now=lambda: NOW)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
def agents() -> MemoryAgents:
    return MemoryAgents()


@pytest.fixture
async def brief(agents: MemoryAgents) -> AsyncIterator[AgiServer]:
    async with serving(agents, BRIEF) as server:
        yield server


async def asked(server: AgiServer, script: str, *arguments: str, **how: str) -> Peer:
    """A peer who has been answered."""
    peer = await Peer.connect(server.port)
    peer.send(environment(script, *arguments, **how))
    await peer.obey()
    return peer


async def test_given_a_request_then_the_result_is_told_last(brief: AgiServer) -> None:
    peer = await asked(brief, "available", "sales")
    assert peer.lines[0] == 'SET VARIABLE WARM_RESULT ""'
    assert peer.lines[-1] == 'SET VARIABLE WARM_RESULT "OK"'
    assert peer.variables == {
        "WARM_RESULT": "OK",
        "WARM_CAUSE": "",
        "WARM_SAY": "",
        "WARM_FREE": "3",
        "WARM_FREE_AGENTS": "ana,ben,cleo",
        "WARM_FREE_NAMES": "Ana Lopez, Ben Okafor, Cleo Martin",
        "WARM_WAITING": "2",
        "WARM_WAIT_SECONDS": "42",
    }


async def test_given_a_script_that_there_is_not_then_the_call_fails_and_is_told_which_there_are(
    brief: AgiServer,
) -> None:
    peer = await asked(brief, "presense")
    assert peer.failed and peer.variables["WARM_RESULT"] == "INVALID"
    assert peer.variables["WARM_CAUSE"] == (
        "there is no script 'presense': use one of "
        "presence, available, agent, lead, qualify, score, answer, outcome"
    )
    assert any(line.startswith("VERBOSE") and "presense" in line for line in peer.lines)


async def test_given_lines_of_a_caller_in_the_request_then_it_is_refused_in_words(
    brief: AgiServer, agents: MemoryAgents
) -> None:
    peer = await asked(brief, "presence", caller="201\nagi_arg_1: agent=ben\nagi_arg_2: offline")
    assert peer.failed and peer.variables["WARM_RESULT"] == "INVALID"
    assert peer.variables["WARM_CAUSE"] == "the request says agi_arg_1 where it cannot be"
    assert not agents.presences


@pytest.mark.parametrize(
    "sent",
    [b"", b"agi_network: yes\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100_000, environment("lead")[:-1]],
)
async def test_given_a_peer_who_never_asks_then_it_is_closed_and_others_are_answered(
    brief: AgiServer, sent: bytes
) -> None:
    silent = await Peer.connect(brief.port)
    silent.send(sent)
    began = time.monotonic()
    assert (await asked(brief, "available", "sales")).variables["WARM_RESULT"] == "OK"
    assert time.monotonic() - began < BRIEF.request_seconds, "not behind the silent one"
    await silent.closed()
    silent.close()


async def test_given_a_peer_who_asks_byte_by_byte_then_its_time_is_limited_in_all(brief: AgiServer) -> None:
    slow = await Peer.connect(brief.port)
    began = time.monotonic()
    end = asyncio.create_task(slow.closed())
    for byte in environment("available", "sales") * 3:
        if end.done():
            break
        slow.send(bytes([byte]))
        await asyncio.wait([end], timeout=0.02)
    assert end.done() and await end == b""
    assert time.monotonic() - began < 5 * BRIEF.request_seconds
    slow.close()


async def test_given_a_peer_who_never_replies_then_it_is_closed(brief: AgiServer) -> None:
    deaf = await Peer.connect(brief.port)
    deaf.send(environment("available", "sales"))
    assert await deaf.closed() == b'SET VARIABLE WARM_RESULT ""\n'
    deaf.close()


async def test_given_a_service_that_hangs_then_the_call_is_told_so_in_time(
    brief: AgiServer, agents: MemoryAgents
) -> None:
    agents.gate = asyncio.Event()
    peer = await asked(brief, "available", "sales")
    assert peer.failed and peer.variables["WARM_RESULT"] == "UNREACHABLE"
    assert peer.variables["WARM_CAUSE"] == "no answer within 0.5 seconds"
    assert peer.variables["WARM_FREE"] == "", "an earlier answer is not left standing"


async def test_given_a_service_that_breaks_then_the_call_is_told_so(
    brief: AgiServer, agents: MemoryAgents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "lead", None)
    peer = await asked(brief, "lead", "+15551230001")
    assert peer.failed and peer.variables["WARM_RESULT"] == "UNREACHABLE"
    assert peer.variables["WARM_CAUSE"] == "the daemon could not answer; its log has the reason"


async def test_given_a_hangup_in_the_middle_then_what_was_asked_is_done(
    brief: AgiServer, agents: MemoryAgents
) -> None:
    peer = await Peer.connect(brief.port)
    peer.send(environment("presence", "pause", "lunch") + b"HANGUP\n")
    assert await peer.obey() == "OK"
    assert agents.presences["ana"].reason == "lunch"


async def test_given_a_peer_who_leaves_while_it_is_told_then_the_next_one_is_answered(
    brief: AgiServer,
) -> None:
    for _ in range(3 * BRIEF.sessions):
        peer = await Peer.connect(brief.port)
        peer.send(environment("available", "sales"))
        await peer.line()
        peer.writer.transport.abort()
    assert (await asked(brief, "available", "sales")).variables["WARM_RESULT"] == "OK"


async def test_given_more_calls_than_may_ask_at_once_then_the_others_are_told_so_in_order(
    brief: AgiServer, agents: MemoryAgents
) -> None:
    agents.gate = asyncio.Event()
    peers = [await Peer.connect(brief.port) for _ in range(BRIEF.sessions)]
    for peer in peers:
        peer.send(environment("available", "sales"))
    await agents.asked(BRIEF.sessions)
    late = await asked(brief, "available", "sales")
    assert late.failed and late.variables["WARM_RESULT"] == "UNREACHABLE"
    assert late.variables["WARM_CAUSE"] == "too many calls ask at once"
    agents.gate.set()
    assert await asyncio.gather(*(peer.obey() for peer in peers)) == ["OK"] * BRIEF.sessions
    assert (await asked(brief, "available", "sales")).variables["WARM_RESULT"] == "OK"


async def test_given_far_too_many_silent_peers_then_the_rest_is_closed_at_once(brief: AgiServer) -> None:
    silent = [await Peer.connect(brief.port) for _ in range(2 * BRIEF.sessions)]
    one_more = await Peer.connect(brief.port)
    began = time.monotonic()
    assert await one_more.closed() == b""
    assert time.monotonic() - began < BRIEF.request_seconds
    await asyncio.gather(*(peer.closed() for peer in silent))
    for peer in (*silent, one_more):
        peer.close()
    assert (await asked(brief, "available", "sales")).variables["WARM_RESULT"] == "OK"


async def test_given_200_calls_at_once_and_slow_ones_among_them_then_each_has_its_answer(
    agents: MemoryAgents,
) -> None:
    agents.gate = asyncio.Event()
    async with serving(agents) as server:
        slow = [await Peer.connect(server.port) for _ in range(50)]
        for peer in slow:
            peer.send(b"agi_network: yes\n")
        calls = [asyncio.create_task(asked(server, "available", "sales")) for _ in range(MANY)]
        await agents.asked(MANY)
        agents.gate.set()
        peers = await asyncio.gather(*calls)
        assert {peer.variables["WARM_FREE"] for peer in peers} == {"3"}
        for peer in slow:
            peer.close()


async def test_given_a_stop_then_who_asks_is_answered_and_nobody_new_is_taken(agents: MemoryAgents) -> None:
    agents.gate = asyncio.Event()
    async with serving(agents) as server:
        port = server.port
        asking = asyncio.create_task(asked(server, "available", "sales"))
        await agents.asked(1)
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            await Peer.connect(port)
        agents.gate.set()
        assert (await asking).variables["WARM_RESULT"] == "OK"
        await asyncio.wait_for(stopping, SECONDS)


async def test_given_a_stop_then_nobody_who_is_slow_is_waited_for(agents: MemoryAgents) -> None:
    server = AgiServer(Desk(agents).services, port=0, limits=Limits(stop_seconds=0.1))
    await server.start()
    silent = await Peer.connect(server.port)
    silent.send(b"agi_network: yes\n")
    await asked(server, "available", "sales")
    await asyncio.wait_for(server.stop(), Limits().request_seconds / 2)
    assert await silent.closed() == b""
    silent.close()
    await server.stop()


async def test_given_an_address_in_use_then_it_says_so_and_what_to_do(brief: AgiServer) -> None:
    second = AgiServer(Desk().services, port=brief.port)
    with pytest.raises(CannotListen) as refused:
        await second.start()
    assert refused.value.message.startswith(f"cannot listen for AGI on 127.0.0.1:{brief.port}: ")
    assert refused.value.remedy == "stop what listens there, or give another agi.address or agi.port"
