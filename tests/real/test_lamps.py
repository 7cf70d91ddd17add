"""What a desk phone's lamps show of agents: a real SUBSCRIBE to the hints that the product ships."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from adapters import until
from ami_scene import asterisk_of, connected

from asterisk_warm.ami.lamps import AmiLamps
from asterisk_warm.core.presence import Lamp
from asterisk_warm.engine.ports.pbx import PbxUnreachable
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.lampphone import LampPhone
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

SHOWN = {
    Lamp.OFFERED: "early",
    Lamp.TALKING: "confirmed",
    Lamp.FREE: "terminated",
    Lamp.AWAY: "confirmed",
    Lamp.OFFLINE: "confirmed",
}
"""As RFC 4235 has it: a phone's lamp blinks, is lit, or dark."""


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with asterisk_of(root, tmp_path_factory.mktemp("lamps"), "include => warm-agents\n") as running:
        yield running


@pytest.fixture
async def desk(asterisk: PrivateAsterisk) -> AsyncIterator[LampPhone]:
    async with LampPhone(asterisk.sip, asterisk.sip_password, "ben") as phone:
        yield phone


async def test_given_a_phone_that_subscribes_when_an_agent_changes_then_its_lamp_follows_at_once(
    asterisk: PrivateAsterisk, desk: LampPhone
) -> None:
    kept: list[AmiLamps] = []
    async with connected(asterisk, lambda ami: kept.append(AmiLamps(ami))):
        await kept[0].show({"ana": Lamp.TALKING, "ben-2_x": Lamp.FREE})
        await desk.subscribe("*289ana")
        await desk.subscribe("*289ben-2_x")
        await desk.shows("*289ana", "confirmed")
        await desk.shows("*289ben-2_x", "terminated")
        for lamp, shown in SHOWN.items():
            await kept[0].show({"ana": lamp})
            await desk.shows("*289ana", shown)
        assert {state for _, state in desk.told("*289ben-2_x")} == {"terminated"}


async def test_given_a_connection_that_was_cut_when_it_is_back_then_every_lamp_is_right_again(
    asterisk: PrivateAsterisk, desk: LampPhone
) -> None:
    kept: list[AmiLamps] = []
    async with connected(asterisk, lambda ami: kept.append(AmiLamps(ami))) as (ami, line):
        await kept[0].show({"ana": Lamp.FREE, "ben": Lamp.TALKING})
        await desk.subscribe("*289ana")
        await desk.subscribe("*289ben")
        await desk.shows("*289ana", "terminated")
        await desk.shows("*289ben", "confirmed")
        line.cut()
        await until(lambda: not ami.connected)
        with pytest.raises(PbxUnreachable):
            await kept[0].show({"ana": Lamp.OFFERED})
        await asyncio.to_thread(asterisk.cli, "devstate change Custom:warm-ben NOT_INUSE")
        await desk.shows("*289ben", "terminated")
        line.cut_off = False
        await desk.shows("*289ana", "early")
        await desk.shows("*289ben", "confirmed")


async def test_given_what_is_no_agents_id_when_a_phone_subscribes_then_it_sees_no_other_device(
    asterisk: PrivateAsterisk, desk: LampPhone
) -> None:
    await asyncio.to_thread(asterisk.cli, "devstate change Custom:desk BUSY")
    await desk.subscribe("*289x&Custom:desk")
    await desk.shows("*289x&Custom:desk", "terminated")
