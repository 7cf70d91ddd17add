"""Lamps: set when they change, and all of them when Asterisk is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from ami_server import Server, running, until

from asterisk_warm.ami.lamps import AmiLamps
from asterisk_warm.core.presence import Lamp
from asterisk_warm.engine.ports.pbx import PbxRefused, PbxUnreachable


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def lamps(server: Server) -> AsyncIterator[AmiLamps]:
    kept: list[AmiLamps] = []
    async with running(server, prepare=lambda ami: kept.append(AmiLamps(ami))) as ami:
        assert await ami.wait_connected(5)
        yield kept[0]


def was_set(server: Server) -> list[tuple[str, str]]:
    return [(a["Variable"], a["Value"]) for a in server.actions if a["Action"] == "Setvar"]


async def test_given_lamps_when_shown_again_then_only_what_has_changed_is_set(
    lamps: AmiLamps, server: Server
) -> None:
    await lamps.show({"ana": Lamp.FREE, "b-2_x": Lamp.AWAY})
    await lamps.show({"ana": Lamp.FREE, "b-2_x": Lamp.OFFERED})
    await lamps.show({})
    assert was_set(server) == [
        ("DEVICE_STATE(Custom:warm-ana)", "NOT_INUSE"),
        ("DEVICE_STATE(Custom:warm-b-2_x)", "ONHOLD"),
        ("DEVICE_STATE(Custom:warm-b-2_x)", "RINGING"),
    ]
    assert not [action for action in server.actions if "Channel" in action]


async def test_given_several_who_show_at_once_when_all_are_done_then_the_latest_is_set_and_nothing_twice(
    lamps: AmiLamps, server: Server
) -> None:
    await asyncio.gather(*(lamps.show({"ana": lamp}) for lamp in (Lamp.FREE, Lamp.TALKING, Lamp.FREE)))
    assert was_set(server) == [("DEVICE_STATE(Custom:warm-ana)", "NOT_INUSE")]
    await asyncio.gather(*(lamps.show({"ana": lamp}) for lamp in (Lamp.AWAY, Lamp.OFFERED, Lamp.TALKING)))
    assert was_set(server)[-1] == ("DEVICE_STATE(Custom:warm-ana)", "INUSE")


async def test_given_no_connection_when_shown_then_it_is_told_and_set_with_all_the_rest_at_the_next(
    lamps: AmiLamps, server: Server
) -> None:
    await lamps.show({"ana": Lamp.FREE, "ben": Lamp.TALKING})
    server.actions.clear()
    server.drop()
    with pytest.raises(PbxUnreachable):
        for _ in range(1000):  # the loss is noticed at one of them
            await lamps.show({"ana": Lamp.OFFERED})
            await lamps.show({"ana": Lamp.FREE})
    await until(lambda: "Login" in server.names and len(was_set(server)) == 2)
    states = dict(was_set(server))
    assert states["DEVICE_STATE(Custom:warm-ben)"] == "INUSE"
    assert states["DEVICE_STATE(Custom:warm-ana)"] in ("NOT_INUSE", "RINGING")


@pytest.mark.parametrize("agent", ["", "Ana", "a b", "a)", "a\r\nAction: Originate", "ü", "a,b", "x" * 41])
async def test_given_what_is_no_agents_id_when_shown_then_nothing_is_set(
    lamps: AmiLamps, server: Server, agent: str
) -> None:
    with pytest.raises(PbxRefused, match="agent's id"):
        await lamps.show({"ana": Lamp.FREE, agent: Lamp.FREE})
    assert was_set(server) == []


async def test_given_what_is_no_state_when_shown_then_nothing_is_set(lamps: AmiLamps, server: Server) -> None:
    with pytest.raises(PbxRefused, match=r"ana.s lamp.*NOT_INUSE"):
        await lamps.show({"ana": "GREEN"})
    assert was_set(server) == []


async def test_given_a_user_who_may_not_when_connected_again_then_the_connection_lasts(
    lamps: AmiLamps, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda action: (
        "Response: Success"
        if action["Action"] == "Login"
        else "Response: Error\r\nMessage: Permission denied"
    )
    with pytest.raises(PbxRefused, match="Permission denied"):
        await lamps.show({"ana": Lamp.FREE})
    server.drop()
    await until(lambda: len(was_set(server)) == 2)
    await until(lambda: "lamps do not follow" in capsys.readouterr().out)
    assert server.connections == 2
