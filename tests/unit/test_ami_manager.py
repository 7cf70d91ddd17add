"""The guards around panoramisk, against a manager interface that behaves as no healthy Asterisk would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from ami_server import Server, running, until

from asterisk_warm.ami import manager
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.ports.pbx import LegGone, PbxRefused, PbxUnreachable

HERE = Location("there", "s", 1)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def ami(server: Server) -> AsyncIterator[AmiManager]:
    async with running(server) as connected:
        assert await connected.wait_connected(5)
        yield connected


async def test_given_a_login_when_connected_then_events_are_off_and_orders_are_sent(
    ami: AmiManager, server: Server
) -> None:
    await ami.redirect("PJSIP/a-1", HERE)
    await ami.set_variable("PJSIP/a-1", "X", "ü, ${SHELL(x)}")
    login, redirect, setvar = server.actions
    assert (login["Username"], login["Secret"], login["Events"]) == ("warm", "secret", "off")
    assert (redirect["Channel"], redirect["Context"], redirect["Exten"]) == ("PJSIP/a-1", "there", "s")
    assert setvar["Value"] == "ü, ${SHELL(x)}"


async def test_given_two_who_talk_when_redirected_then_both_are_in_one_action(
    ami: AmiManager, server: Server
) -> None:
    await ami.redirect("PJSIP/a-1", HERE, "PJSIP/b-2")
    await ami.redirect("PJSIP/a-1", HERE)
    await ami.redirect("PJSIP/a-1", HERE, "PJSIP/b-2", Location("elsewhere", "42", 3))
    both, one, apart = server.actions[1:]
    assert (both["Channel"], both["Context"], both["Exten"], both["Priority"]) == (
        "PJSIP/a-1",
        "there",
        "s",
        "1",
    )
    assert both["ExtraChannel"] == "PJSIP/b-2"
    assert (both["ExtraContext"], both["ExtraExten"], both["ExtraPriority"]) == ("there", "s", "1")
    assert not [header for header in one if header.startswith("Extra")]
    assert (apart["Context"], apart["Exten"], apart["Priority"]) == ("there", "s", "1")
    assert (apart["ExtraContext"], apart["ExtraExten"], apart["ExtraPriority"]) == ("elsewhere", "42", "3")


async def test_given_a_line_for_the_queue_log_when_ordered_then_it_is_written_as_it_is(
    ami: AmiManager, server: Server
) -> None:
    await ami.log_queue("sales", "CONNECT", "PJSIP/ana", "4|1795.8|2", "1795.7")
    action = server.actions[1]
    del action["ActionID"]
    assert action == {
        "Action": "QueueLog",
        "Queue": "sales",
        "Event": "CONNECT",
        "Interface": "PJSIP/ana",
        "Message": "4|1795.8|2",
        "Uniqueid": "1795.7",
    }


async def test_given_a_number_when_asked_for_then_asterisks_answer_says_whether_it_is_there(
    ami: AmiManager, server: Server
) -> None:
    assert await ami.extension_exists("from-agents", "200")
    asked = server.actions[1]
    assert (asked["Action"], asked["Context"], asked["Extension"]) == ("ShowDialPlan", "from-agents", "200")
    server.answer = lambda _: "Response: Error\r\nMessage: Did not find extension 200@from-agents"
    assert not await ami.extension_exists("from-agents", "200")
    server.drop()
    with pytest.raises(PbxUnreachable):
        await ami.extension_exists("from-agents", "200")


def orders_with(ami: AmiManager, evil: str) -> list[Awaitable[object]]:
    """Every order, with this in each place where a text of others' could come."""
    return [
        ami.redirect(evil, HERE),
        ami.redirect("x", HERE, evil),
        ami.redirect("x", Location(evil, "s", 1)),
        ami.redirect("x", Location("there", evil, 1), "y"),
        ami.redirect("x", HERE, "y", Location(evil, "s", 1)),
        ami.set_variable(evil, "y", "z"),
        ami.set_variable("x", evil, "z"),
        ami.set_variable("x", "y", evil),
        *(ami.log_queue(*(evil if i == place else "x" for i in range(5))) for place in range(5)),
        ami.context_exists(evil),
        ami.extension_exists(evil, "s"),
        ami.extension_exists("there", evil),
    ]


@pytest.mark.parametrize("evil", ["x\r\nAction: Originate", "x\ny", "x\ry", "x\0"])
async def test_given_a_line_end_in_a_value_when_ordered_then_nothing_is_sent(
    ami: AmiManager, server: Server, evil: str
) -> None:
    answers = await asyncio.gather(*orders_with(ami, evil), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, PbxRefused)]
    assert all("line end" in str(one) for one in refused)
    # Such a place is not there: that is no refusal.
    assert [answer for answer in answers if answer not in refused] == [False] * 3
    await ami.set_variable("x", "y", "z")
    assert server.names == ["Login", "Setvar"]


@pytest.mark.parametrize(
    "odd", ["", " ", ": ", "Action: Originate", "ü🔥", "\u2028\x85\x0b\x1c", "a: b: c", "x" * 900]
)
async def test_given_any_other_text_in_a_value_when_ordered_then_it_is_one_value_of_one_action(
    ami: AmiManager, server: Server, odd: str
) -> None:
    await ami.set_variable("x", "y", odd)
    await ami.log_queue("q", "INFO", "", odd, "")
    assert server.names == ["Login", "Setvar", "QueueLog"]
    assert (server.actions[1]["Value"], server.actions[2]["Message"]) == (odd, odd)


async def test_given_a_refusal_when_ordered_then_a_channel_that_is_gone_is_told_apart(
    ami: AmiManager, server: Server
) -> None:
    # In the words of Asterisk's main/manager.c.
    hung_up = ("Redirect failed, channel not up.", "Redirect failed, extra channel not up.")
    gone = ("Channel does not exist: x", "ExtraChannel does not exist: y", "No such channel", *hung_up)
    for said in gone:
        server.answer = lambda _, said=said: f"Response: Error\r\nMessage: {said}"
        for order in (ami.redirect("x", HERE, "y"), ami.set_variable("x", "y", "z")):
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
    async with running(server) as ami:
        assert await ami.wait_connected(5)
        await until(lambda: server.names.count("Ping") > 2)
        assert server.connections == 1
        monkeypatch.setattr(manager, "ACTION_SECONDS", 0.1)
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


async def test_given_a_connection_that_is_lost_again_and_again_when_it_was_good_then_the_next_comes_soon(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(server) as ami:
        for number in (1, 2, 3):
            await until(lambda number=number: server.connections == number and ami.connected)
            server.drop()
            await until(lambda: not ami.connected)
    assert capsys.readouterr().out.count(f"again_in={manager.FIRST_RETRY}") == 3


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
