"""Channels that outlive their own hangup: ended once, and only those that were let go."""

from __future__ import annotations

import asyncio

import pytest

from asterisk_warm.ari import undead as module
from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.ari.undead import Undead
from asterisk_warm.engine.ports.pbx import LegGone

ANA, LEAD = "warm-1-agent-1", "1795.7"


@pytest.fixture(autouse=True)
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.02)


class Asterisk:
    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.undead = Undead(self.hang_up)

    async def hang_up(self, channel: str) -> None:
        self.hung_up.append(channel)
        if channel == LEAD:
            raise LegGone("the channel is gone")

    def tells(self, kind: str, channel: str = ANA) -> None:
        self.undead.hear(Message(type=kind, channel=Channel(id=channel)))

    async def later(self) -> list[str]:
        await asyncio.sleep(0.06)
        return self.hung_up


async def test_given_one_who_was_let_go_when_they_hang_up_and_do_not_end_then_they_are_ended() -> None:
    asterisk = Asterisk()
    asterisk.undead.let_go(ANA)
    assert await asterisk.later() == []
    asterisk.tells("ChannelHangupRequest")
    asterisk.tells("ChannelHangupRequest")
    assert asterisk.hung_up == []
    assert await asterisk.later() == [ANA]
    asterisk.tells("ChannelDestroyed")
    assert await asterisk.later() == [ANA]


async def test_given_a_hangup_before_they_were_let_go_when_they_do_not_end_then_they_are_ended() -> None:
    asterisk = Asterisk()
    asterisk.tells("ChannelHangupRequest")
    asterisk.tells("StasisEnd")
    asterisk.undead.let_go(ANA)
    assert await asterisk.later() == [ANA]


async def test_given_one_who_was_let_go_when_they_end_in_time_then_nothing_is_done() -> None:
    asterisk = Asterisk()
    asterisk.undead.let_go(ANA)
    asterisk.tells("StasisEnd")
    asterisk.tells("ChannelHangupRequest")
    asterisk.tells("ChannelDestroyed")
    assert await asterisk.later() == []


async def test_given_one_who_was_not_let_go_when_they_hang_up_then_nothing_is_done() -> None:
    asterisk = Asterisk()
    asterisk.undead.let_go(ANA)
    asterisk.tells("ChannelHangupRequest", LEAD)
    asterisk.undead.hear(Message(type="ChannelHangupRequest"))
    assert await asterisk.later() == []


async def test_given_one_who_is_gone_after_all_when_ended_then_nothing_breaks() -> None:
    asterisk = Asterisk()
    asterisk.undead.let_go(LEAD)
    asterisk.tells("ChannelHangupRequest", LEAD)
    assert await asterisk.later() == [LEAD]


async def test_given_a_lead_of_whose_end_nothing_more_is_told_when_they_have_left_then_they_are_forgotten() -> (
    None
):
    asterisk = Asterisk()
    asterisk.tells("ChannelHangupRequest", LEAD)
    asterisk.tells("StasisEnd", LEAD)
    await asterisk.later()
    assert not asterisk.undead._dying and not asterisk.undead._watches
