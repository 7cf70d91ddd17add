"""Twenty leads in one second, by SIPp: each is connected or comes back with a reason, and nothing is left."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
import sipp
from scene import RACES, HastyPhone

from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real


async def test_given_twenty_leads_at_once_then_half_are_connected_and_half_come_back_with_a_reason(
    stage: Stage,
) -> None:
    sip, password = stage.pbx.sip, stage.pbx.sip_password
    winners = {team: pair[0] for team, pair in RACES.items()}
    async with AsyncExitStack() as registered:
        phones = {
            team: await registered.enter_async_context(HastyPhone(sip, password, winner, tone_hz=700))
            for team, winner in winners.items()
        }
        # Nobody of team "tones" is registered.
        load = asyncio.create_task(sipp.run("lead", sip, [*winners, *(["tones"] * len(winners))]))
        await asyncio.gather(*(_accept(phone) for phone in phones.values()))
        seen = await _ended(stage, len(winners), "RETURNED")
        connected = await _ended(stage, len(winners), "CONNECTED")
        assert {handoff["agent"]["id"] for handoff in connected} == set(winners.values())
        assert {handoff["status"] for handoff in seen} == {"NOAGENT"}
        assert all(handoff["reason"] for handoff in seen)
        for phone in phones.values():
            phone.hang_up()
        result = await load
    assert (result.successful, result.failed) == (2 * len(winners), 0), result.errors
    await stage.nothing_left()


async def _accept(phone: HastyPhone) -> None:
    await phone.rings(10)
    phone.answer()
    await phone.press_at("1", time.time() + 0.3)


async def _ended(stage: Stage, number: int, state: str) -> list[dict[str, object]]:
    """The newest handoffs that are in a state, as soon as there are that many."""

    def found() -> list[dict[str, object]]:
        return [handoff for handoff in stage.daemon.handoffs(2 * number) if handoff["state"] == state]

    async with asyncio.timeout(15):
        while len(await asyncio.to_thread(found)) < number:
            pass
    return found()
