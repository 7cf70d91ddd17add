"""Agents whose phones are not of PJSIP, on a real Asterisk: what IAX2, chan_sip and Local tell of a phone, and the whole
daemon with agents who have one."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from agents_scene import AT_ONCE, Seen, team
from ami_scene import watching
from channel_drivers import CONFIG, IAX_PORT, SECRET, AnyPhone, SipPhone, has_chan_sip, load
from iax_phone import IaxPhone
from scene import Scene, record_prompts

from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

DIALPLAN = """
exten => tone,1,Answer()
 same => n,MusicOnHold(tone,20)
exten => room,1,Dial(PJSIP/lou,20)
"""
AGENTS = {"iris": "Iris Bell", "sid": "Sid Marsh", "lou": "Lou Frost"}
ENTRIES = {
    "iris": {"endpoint": "IAX2/desk"},
    "sid": {"endpoint": "SIP/desk"},
    "lou": {"endpoint": "Local/room@lab-extra/n", "hints": ["PJSIP/lou"]},
}
IDLE = {"PJSIP": "NOT_INUSE", "IAX2": "UNKNOWN", "SIP": "NOT_INUSE"}
"""What a driver says of a phone that is there, for all it knows, and not in use."""
IN_A_CALL = {"IAX2": "INUSE", "SIP": "INUSE"}
"""A Local channel's device knows nothing of other calls of the phone behind it."""


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    with Stage(
        root,
        folder,
        teams={f"for{agent}": team(agent) for agent in AGENTS},
        agents=AGENTS,
        dialplan=DIALPLAN,
        sounds=sounds,
        settings={
            "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
            "agents": {id: {"name": AGENTS[id], **entry} for id, entry in ENTRIES.items()},
        },
        extra=CONFIG,
    ) as on_stage:
        load(on_stage.pbx)
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


def skip_without(stage: Stage, driver: str) -> None:
    if driver == "SIP" and not has_chan_sip(stage.pbx.root):
        pytest.skip("this Asterisk has no chan_sip")


@asynccontextmanager
async def phones_for(stage: Stage, driver: str, name: str = "desk") -> AsyncIterator[tuple[Phones, AnyPhone]]:
    """A phone of that driver (behind a Local channel: of PJSIP), not registered yet; and where a lead's is from."""
    skip_without(stage, driver)
    async with stage.phones() as phones, IaxPhone(IAX_PORT, name, SECRET) as iax_phone:
        yield phones, {"IAX2": iax_phone, "SIP": SipPhone(phones, name), "Local": phones.agent("lou")}[driver]
    await stage.nothing_left()


@pytest.mark.parametrize("driver", ["IAX2", "SIP"])
async def test_given_a_phone_of_another_driver_then_its_state_follows_its_registration_and_its_calls(
    stage: Stage, driver: str
) -> None:
    name, idle = f"{driver}/desk", IDLE[driver]
    async with phones_for(stage, driver) as (_, phone), watching(stage.pbx, name) as (seen, _):
        assert seen.devices.state(name) == "UNAVAILABLE"
        await phone.register()
        await seen.becomes(name, idle, AT_ONCE)
        own = await phone.dial("tone")
        await seen.becomes(name, "INUSE", AT_ONCE)
        await own.answered()
        await own.hang_up()
        await seen.becomes(name, idle, AT_ONCE)
        await asyncio.to_thread(stage.pbx.cli, f"channel originate {name} application Wait 20")
        call = await phone.rings()
        await seen.becomes(name, "RINGING", AT_ONCE)
        await call.answer()
        await seen.becomes(name, "INUSE", AT_ONCE)
        await call.hang_up()
        await seen.becomes(name, idle, AT_ONCE)
        await phone.unregister()
        await seen.becomes(name, "UNAVAILABLE", AT_ONCE)


@pytest.mark.parametrize("driver", ["PJSIP", "IAX2", "SIP"])
async def test_given_a_phone_at_a_fixed_address_where_nobody_is_then_only_qualifying_it_tells(
    stage: Stage, driver: str
) -> None:
    skip_without(stage, driver)
    wall, shelf, nobody = names = [f"{driver}/{name}" for name in ("wall", "shelf", "nobody")]
    async with watching(stage.pbx, *names) as (seen, _):
        await seen.until(lambda: seen.devices.state(wall) == "UNAVAILABLE")
        assert seen.devices.state(shelf) == IDLE[driver]
        assert seen.devices.state(nobody) == "INVALID"


async def test_given_an_iax2_phone_at_a_fixed_address_when_it_calls_then_it_is_in_use(stage: Stage) -> None:
    async with (
        phones_for(stage, "IAX2", "shelf") as (_, phone),
        watching(stage.pbx, "IAX2/shelf") as (seen, _),
    ):
        call = await phone.dial("tone")
        await seen.becomes("IAX2/shelf", "INUSE", AT_ONCE)
        await call.hang_up()
        await seen.becomes("IAX2/shelf", "UNKNOWN", AT_ONCE)


async def test_given_a_chan_sip_phone_without_callcounter_when_it_is_in_a_call_then_chan_sip_says_that_it_is_free(
    stage: Stage,
) -> None:
    name = "uncounted"
    async with phones_for(stage, "SIP", name) as (_, phone), watching(stage.pbx, f"SIP/{name}") as (seen, _):
        await phone.register()
        await seen.becomes("SIP/uncounted", "NOT_INUSE", AT_ONCE)
        call = await phone.dial("tone")
        await call.answered()
        assert await seen.ami.device_state("SIP/uncounted") == "NOT_INUSE"
        told = {peer: await seen.ami.counts_calls(peer) for peer in ("uncounted", "desk", "nobody")}
        assert told == {"uncounted": False, "desk": True, "nobody": True}, "what the daemon's check finds"
        await call.hang_up()
        await phone.unregister()


@pytest.mark.parametrize(("agent", "driver"), [("iris", "IAX2"), ("sid", "SIP"), ("lou", "Local")])
async def test_given_an_agent_with_such_a_phone_then_only_while_it_is_free_they_are_rung_and_can_take_a_lead(
    stage: Stage, agent: str, driver: str
) -> None:
    async with phones_for(stage, driver) as (phones, phone), Seen(stage) as seen:
        await seen.becomes(agent, "unreachable")
        await phone.register()
        await seen.becomes(agent)
        ordinary = await phone.dial("tone")
        await seen.becomes(agent, "device")
        assert seen.now(agent)["device"] == IN_A_CALL.get(driver, "NOT_INUSE")
        assert [why["words"] for why in seen.now(agent)["why"]] == ["in a call"]
        refused = await Scene.set(stage, phones, ())
        await refused.dial(f"for{agent}")
        # Nobody else is there, and a call may be over at any time: the lead would wait, if the team let them.
        handoff = await refused.returned("RETURNED", "NOAGENT")
        assert handoff["reason"] == f"{AGENTS[agent]} was not rung (in a call)"
        await ordinary.hang_up()
        await seen.becomes(agent)
        await takes_a_lead(await Scene.set(stage, phones, ()), agent, phone)
        await seen.becomes(agent)
        await phone.unregister()
        await seen.becomes(agent, "unreachable")
        assert seen.now(agent)["device"] == ("NOT_INUSE" if driver == "Local" else "UNAVAILABLE")


async def takes_a_lead(scene: Scene, agent: str, phone: AnyPhone) -> None:
    await scene.dial(f"for{agent}")
    call = await phone.rings()
    await call.answer()
    await scene.offer_is(agent, "BRIEFING")
    await call.press("1")
    await scene.handoff("CONNECTED")
    await call.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", agent)
