"""Waiting for the event that an order causes."""

from __future__ import annotations

import asyncio

import pytest

from asterisk_warm.ari.awaited import Awaited
from asterisk_warm.ari.model import Channel, Message, Playback
from asterisk_warm.engine.ports.pbx import LegGone

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


async def test_given_one_who_waits_for_the_end_of_a_sound_when_it_ends_then_it_is_of_that_playback() -> None:
    awaited = Awaited()
    with awaited.event("PlaybackFinished", "p~1") as finished:
        awaited.tell(Message(type="PlaybackFinished"))
        awaited.tell(Message(type="PlaybackFinished", playback=Playback(id="p~2", state="done")))
        awaited.tell(Message(type="PlaybackStarted", playback=Playback(id="p~1", state="playing")))
        # A channel of that name would be another thing.
        awaited.tell(Message(type="StasisStart", channel=Channel(id="p~1")))
        assert not finished.done()
        for _ in range(2):
            awaited.tell(Message(type="PlaybackFinished", playback=Playback(id="p~1", state="failed")))
        await finished
    awaited.tell(Message(type="PlaybackFinished", playback=Playback(id="p~1", state="done")))


async def test_given_a_sound_on_a_channel_that_goes_when_it_ends_with_it_then_that_is_told_as_its_end() -> (
    None
):
    awaited = Awaited()
    with awaited.event("PlaybackFinished", "p~1") as finished:
        awaited.tell(Message(type="PlaybackFinished", playback=Playback(id="p~1", state="done")))
        awaited.tell(Message(type="ChannelDestroyed", channel=ANA))
        await finished


async def test_given_an_order_that_failed_while_its_event_was_waited_for_then_nothing_is_left_behind() -> (
    None
):
    awaited = Awaited()
    with pytest.raises(LegGone, match="order"), awaited.event("StasisStart", "ana") as entered:
        raise LegGone("order")
    assert entered.cancelled()
    awaited.tell(Message(type="ChannelDestroyed", channel=ANA))
