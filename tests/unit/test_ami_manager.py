"""The guards around panoramisk, against a manager interface that behaves as no healthy Asterisk would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from asterisk_warm.ami import manager
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.ports import LegGone, Location, PbxRefused, PbxUnreachable

HERE = Location("there", "s", 1)
Action = dict[str, str]


class Server:
    """In Asterisk's place: keeps every action, and answers what `answer` says (None: nothing)."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.answer: Callable[[Action], str | None] = lambda _: "Response: Success\r\nMessage: Done"
        self.connections = 0
        self.pieces = 0
        """Send answers in pieces of that many bytes; 0: whole."""
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        while True:
            try:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            action = dict(line.split(": ", 1) for line in block.strip().split("\r\n"))
            self.actions.append(action)
            said = self.answer(action)
            if said is not None:
                await self._say(writer, f"{said}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        for start in range(0, len(data), self.pieces or len(data)):
            writer.write(data[start : start + (self.pieces or len(data))])
            await writer.drain()
            await asyncio.sleep(0)

    def drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[AmiManager]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    ami = AmiManager("127.0.0.1", port, "warm", "secret")
    task = asyncio.create_task(ami.run())
    try:
        yield ami
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.drop()
        listening.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def ami(server: Server) -> AsyncIterator[AmiManager]:
    async with running(server) as connected:
        assert await connected.wait_connected(5)
        yield connected


async def until(what: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not what():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.005)


async def test_given_a_login_when_connected_then_events_are_off_and_orders_are_sent(
    ami: AmiManager, server: Server
) -> None:
    await ami.redirect("PJSIP/a-1", HERE)
    await ami.set_variable("PJSIP/a-1", "X", "ü, ${SHELL(x)}")
    login, redirect, setvar = server.actions
    assert (login["Username"], login["Secret"], login["Events"]) == ("warm", "secret", "off")
    assert (redirect["Channel"], redirect["Context"], redirect["Exten"]) == ("PJSIP/a-1", "there", "s")
    assert setvar["Value"] == "ü, ${SHELL(x)}"


@pytest.mark.parametrize("evil", ["x\r\nAction: Originate", "x\ny", "x\ry", "x\0"])
async def test_given_a_line_end_in_a_value_when_ordered_then_nothing_is_sent(
    ami: AmiManager, server: Server, evil: str
) -> None:
    with pytest.raises(PbxRefused, match="line end"):
        await ami.redirect(evil, HERE)
    with pytest.raises(PbxRefused, match="line end"):
        await ami.set_variable("x", "y", evil)
    await ami.set_variable("x", "y", "z")
    assert server.names == ["Login", "Setvar"]


async def test_given_a_refusal_when_ordered_then_a_channel_that_is_gone_is_told_apart(
    ami: AmiManager, server: Server
) -> None:
    for said in ("Channel does not exist: x", "No such channel"):
        server.answer = lambda _, said=said: f"Response: Error\r\nMessage: {said}"
        for order in (ami.redirect("x", HERE), ami.set_variable("x", "y", "z")):
            with pytest.raises(LegGone):
                await order
    server.answer = lambda _: "Response: Error\r\nMessage: Permission denied"
    with pytest.raises(PbxRefused, match="Permission denied") as caught:
        await ami.redirect("x", HERE)
    assert not isinstance(caught.value, LegGone)


async def test_given_an_answer_in_pieces_when_read_then_no_character_is_lost(
    ami: AmiManager, server: Server
) -> None:
    server.pieces = 1
    server.answer = lambda _: "Response: Success\r\nAsteriskVersion: 22 Zoë 🔥"
    assert await ami.version() == "22 Zoë 🔥"


async def test_given_an_order_without_an_answer_when_the_connection_is_lost_then_it_is_never_sent_again(
    ami: AmiManager, server: Server
) -> None:
    server.answer = lambda action: "Response: Success" if action["Action"] == "Login" else None
    order = asyncio.create_task(ami.redirect("PJSIP/a-1", HERE))
    await until(lambda: "Redirect" in server.names)
    server.drop()
    with pytest.raises(PbxUnreachable, match="Redirect"):
        await order
    await until(lambda: server.connections == 2 and ami.connected)
    server.answer = lambda _: "Response: Success"
    await ami.set_variable("x", "y", "z")
    assert server.names == ["Login", "Redirect", "Login", "Setvar"]


async def test_given_a_frozen_asterisk_when_no_ping_is_answered_then_the_connection_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "PING_SECONDS", 0.05)
    monkeypatch.setattr(manager, "ACTION_SECONDS", 0.1)
    async with running(server) as ami:
        assert await ami.wait_connected(5)
        await until(lambda: server.names.count("Ping") > 2)
        assert server.connections == 1
        server.answer = lambda action: None if action["Action"] == "Ping" else "Response: Success"
        await until(lambda: not ami.connected)
        with pytest.raises(PbxUnreachable, match="not connected"):
            await ami.redirect("x", HERE)
        await until(lambda: server.connections > 1)


async def test_given_an_order_that_is_never_answered_when_waited_for_then_that_ends(
    ami: AmiManager, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "ACTION_SECONDS", 0.05)
    server.answer = lambda _: None
    with pytest.raises(PbxUnreachable, match="CoreSettings"):
        await ami.version()


async def test_given_a_wrong_secret_when_logging_in_then_the_reason_is_kept_and_it_is_not_hammered_at(
    server: Server,
) -> None:
    server.answer = lambda _: "Response: Error\r\nMessage: Authentication failed"
    async with running(server) as ami:
        await until(lambda: bool(ami.refused))
        assert "Authentication failed" in ami.refused
        assert not await ami.wait_connected(0.5)
        assert server.connections == 1
        with pytest.raises(PbxUnreachable, match="Authentication failed"):
            await ami.version()


async def test_given_it_was_ended_when_asterisk_waits_then_no_connection_is_left_and_none_comes(
    server: Server,
) -> None:
    async with running(server) as ami:
        assert await ami.wait_connected(5)
    with pytest.raises(PbxUnreachable):
        await ami.version()
    assert not ami.connected and server.connections == 1


async def test_given_nobody_listens_when_connecting_then_it_goes_on_trying() -> None:
    ami = AmiManager("127.0.0.1", 1, "warm", "secret")
    task = asyncio.create_task(ami.run())
    assert not await ami.wait_connected(0.3)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
