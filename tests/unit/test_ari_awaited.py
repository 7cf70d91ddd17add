"""Waiting for the event that an order causes."""

from __future__ import annotations

import asyncio

import pytest

from asterisk_warm.ari.awaited import Awaited
from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.engine.ports import LegGone

ANA = Channel(id="ana")


async def test_given_one_who_waits_when_the_event_comes_then_they_go_on() -> None:
    awaited = Awaited()
    with awaited.event("StasisStart", "ana") as entered:
        awaited.tell(Message(type="StasisStart", channel=Channel(id="ben")))
        awaited.tell(Message(type="StasisEnd", channel=ANA))
        assert not entered.done()
        awaited.tell(Message(type="StasisStart", channel=ANA))
        awaited.tell(Message(type="StasisStart", channel=ANA))
        await entered
    awaited.tell(Message(type="StasisStart", channel=ANA))


async def test_given_a_dial_when_it_is_told_then_it_is_of_the_peer() -> None:
    awaited = Awaited()
    with awaited.event("Dial", "ana") as dialled:
        awaited.tell(Message(type="Dial"))
        awaited.tell(Message(type="Dial", peer=ANA))
        await dialled


async def test_given_one_who_waits_when_the_channel_goes_then_they_are_told_instead() -> None:
    awaited = Awaited()
    with awaited.event("StasisStart", "ana") as entered, awaited.event("Dial", "ana") as dialled:
        awaited.tell(Message(type="ChannelDestroyed", channel=ANA))
        for future in (entered, dialled):
            with pytest.raises(LegGone, match="ana"):
                await future


async def test_given_nobody_came_to_await_it_when_the_channel_went_then_nothing_is_left_behind() -> None:
    awaited = Awaited()
    with awaited.event("Dial", "ana"):
        awaited.tell(Message(type="ChannelDestroyed", channel=ANA))
    with awaited.event("Dial", "ana") as dialled, pytest.raises(TimeoutError):
        await asyncio.wait_for(dialled, 0.001)
    with awaited.event("Dial", "ana") as again:
        assert not again.done()
    assert again.cancelled()
