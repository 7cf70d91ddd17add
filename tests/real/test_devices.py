"""Device states and hints of a real Asterisk, as `AmiDevices` has them: what phones do is known at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from adapters import nothing_left
from ami_scene import asterisk_of, connected, watching

from asterisk_warm.ami.queues import Paused, follow_pauses
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

AT_ONCE = 2.0
"""Seconds, on a machine that may be very busy; what was measured is some 10 ms."""
DIALPLAN = """
exten => tone,1,Answer()
 same => n,MusicOnHold(tone,20)
exten => to-ben,1,Dial(PJSIP/ben,20)
exten => round,1,Dial(Local/tone@lab-extra/n,20)
exten => 201,hint,PJSIP/ana&Custom:desk
exten => _4XX,hint,Custom:room-${EXTEN}
"""


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with asterisk_of(root, tmp_path_factory.mktemp("devices"), DIALPLAN) as running:
        yield running


@pytest.fixture
async def phones(asterisk: PrivateAsterisk) -> AsyncIterator[Phones]:
    async with Phones(asterisk.sip, asterisk.sip_password, record=False) as registered:
        yield registered
    await nothing_left(asterisk)


async def set_state(asterisk: PrivateAsterisk, device: str, state: str) -> None:
    await asyncio.to_thread(asterisk.cli, f"devstate change {device} {state}")


async def test_given_an_agents_ordinary_calls_then_their_device_is_busy_at_once_and_free_after(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana, ben = await phones.register("ana"), await phones.register("ben")
    async with watching(asterisk, "PJSIP/ana", "PJSIP/ben") as (seen, _):
        assert [seen.devices.state(f"PJSIP/{name}") for name in ("ana", "ben")] == ["NOT_INUSE"] * 2
        call = await ana.dial("to-ben")
        assert await seen.becomes("PJSIP/ana", "INUSE") - call.began_at < AT_ONCE
        offer = await ben.rings()
        assert await seen.becomes("PJSIP/ben", "RINGING") - offer.began_at < AT_ONCE
        await offer.answer()
        await seen.becomes("PJSIP/ben", "INUSE", AT_ONCE)
        await call.hang_up()
        await seen.becomes("PJSIP/ana", "NOT_INUSE", AT_ONCE)
        await seen.becomes("PJSIP/ben", "NOT_INUSE", AT_ONCE)


async def test_given_a_phone_when_it_unregisters_then_it_is_unavailable_until_it_is_back(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana = await phones.register("ana")
    async with watching(asterisk, "PJSIP/ana", "PJSIP/nobody") as (seen, _):
        assert seen.devices.state("PJSIP/nobody") == "INVALID"
        await ana.unregister()
        await seen.becomes("PJSIP/ana", "UNAVAILABLE", AT_ONCE)
        await ana.register()
        await seen.becomes("PJSIP/ana", "NOT_INUSE", AT_ONCE)


async def test_given_do_not_disturb_when_switched_then_it_is_known_whatever_case_the_name_is_written_in(
    asterisk: PrivateAsterisk,
) -> None:
    async with watching(asterisk, "Custom:DND201", "custom:dnd201") as (seen, _):
        assert seen.devices.state("Custom:DND201") == "UNKNOWN", "nobody has set it yet"
        for state in ("INUSE", "NOT_INUSE"):
            await set_state(asterisk, "Custom:DND201", state)
            await seen.becomes("Custom:DND201", state)
            await seen.becomes("custom:dnd201", state)


async def test_given_hints_when_their_devices_change_then_they_follow_wherever_they_are_written(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana = await phones.register("ana")
    names = ("201@lab-extra", "201@from-agents", "402@from-agents", "999@from-agents")
    async with watching(asterisk, *names) as (seen, _):
        assert [seen.devices.state(name) for name in names] == [*["NOT_INUSE"] * 3, "INVALID"]
        call = await ana.dial("tone")
        await seen.becomes("201@lab-extra", "INUSE", AT_ONCE)
        await seen.becomes("201@from-agents", "INUSE", AT_ONCE)
        await call.hang_up()
        await seen.becomes("201@from-agents", "NOT_INUSE", AT_ONCE)
        await set_state(asterisk, "Custom:room-402", "BUSY")
        await seen.becomes("402@from-agents", "BUSY")
        # A hint of a pattern is forgotten with the dialplan in which it was made.
        await asyncio.to_thread(asterisk.cli, "dialplan reload")
        for state in ("ONHOLD", "NOT_INUSE"):
            await set_state(asterisk, "Custom:room-402", state)
            await seen.becomes("402@from-agents", state)


async def test_given_a_local_channel_when_it_is_in_use_then_its_device_is(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    async with watching(asterisk, "Local/tone@lab-extra/n") as (seen, _):
        assert seen.devices.state("Local/tone@lab-extra/n") == "NOT_INUSE"
        call = await phones.lead("Grant", "+1555").dial("round")
        await call.answered()
        await seen.becomes("Local/tone@lab-extra/n", "INUSE")
        await call.hang_up()
        await seen.becomes("Local/tone@lab-extra/n", "NOT_INUSE")


async def test_given_names_that_are_watched_later_then_they_are_known_and_the_others_forgotten(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    await phones.register("ana")
    async with watching(asterisk) as (seen, _):
        assert seen.devices.state("PJSIP/ana") == "UNKNOWN"
        seen.devices.watch(["PJSIP/ana", "PJSIP/+1555@trunk"])
        await seen.becomes("PJSIP/ana", "NOT_INUSE")
        assert seen.devices.state("PJSIP/+1555@trunk") == "UNKNOWN"
        seen.devices.watch([])
        assert seen.devices.state("PJSIP/ana") == "UNKNOWN"


async def test_given_a_connection_that_is_cut_when_it_is_back_then_what_was_missed_is_known(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana = await phones.register("ana")
    await set_state(asterisk, "Custom:desk", "NOT_INUSE")
    async with watching(asterisk, "PJSIP/ana", "Custom:desk", "201@from-agents") as (seen, line):
        line.cut()
        await seen.until(lambda: seen.count("") == 2)
        call = await ana.dial("tone")
        await call.answered()
        await set_state(asterisk, "Custom:desk", "BUSY")
        assert seen.devices.state("PJSIP/ana") == "NOT_INUSE", "as it was last known"
        line.cut_off = False
        await seen.until(lambda: seen.count("") == 3)
        assert seen.devices.state("PJSIP/ana") == "INUSE"
        assert seen.devices.state("Custom:desk") == "BUSY"
        assert seen.devices.state("201@from-agents") == "BUSY"
        await call.hang_up()
        await seen.becomes("PJSIP/ana", "NOT_INUSE")
    await set_state(asterisk, "Custom:desk", "NOT_INUSE")


async def test_given_asterisk_restarts_then_every_state_is_known_again(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana = await phones.register("ana")
    await set_state(asterisk, "Custom:desk", "BUSY")
    async with watching(asterisk, "PJSIP/ana", "Custom:desk", "201@from-agents") as (seen, _):
        before = seen.count("")
        asterisk.stop()
        asterisk.launch()
        await asyncio.to_thread(asterisk.wait_booted)
        await seen.until(lambda: seen.count("") > before + 1, 10)
        await ana.register()
        await seen.until(lambda: seen.devices.state("PJSIP/ana") == "NOT_INUSE")
        await seen.until(lambda: seen.devices.state("201@from-agents") == "BUSY")
        assert seen.devices.state("Custom:desk") == "BUSY"
        await set_state(asterisk, "Custom:desk", "NOT_INUSE")
        await seen.becomes("201@from-agents", "NOT_INUSE")


async def test_given_a_filter_in_manager_conf_when_there_is_a_call_then_only_what_is_used_comes(
    asterisk: PrivateAsterisk, phones: Phones
) -> None:
    ana = await phones.register("ana")
    async with watching(asterisk, "PJSIP/ana") as (seen, line):
        line.events.clear()
        call = await ana.dial("tone")
        await seen.becomes("PJSIP/ana", "INUSE")
        await call.hang_up()
        await seen.becomes("PJSIP/ana", "NOT_INUSE")
        assert set(line.events) <= {"DeviceStateChange", "ExtensionStatus"}


async def test_given_a_queue_member_when_paused_and_back_then_both_are_told(
    asterisk: PrivateAsterisk,
) -> None:
    told: list[Paused] = []
    more = asyncio.Event()

    def listener(change: Paused) -> None:
        told.append(change)
        more.set()

    await asyncio.to_thread(asterisk.cli, "module load app_queue.so")
    async with connected(asterisk, lambda ami: follow_pauses(ami, listener)) as (ami, _):
        member = {"Queue": "support", "Interface": "PJSIP/ana"}
        await ami.action("QueuePause", {**member, "Paused": "true", "Reason": "lunch, until 1"})
        await ami.action("QueuePause", {**member, "Paused": "false"})
        async with asyncio.timeout(5):
            while len(told) < 2:
                more.clear()
                await more.wait()
    assert told == [
        Paused("PJSIP/ana", True, "lunch, until 1", "support"),
        Paused("PJSIP/ana", False, told[1].reason, "support"),
    ]
