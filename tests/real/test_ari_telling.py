"""What one of two who talk is told, and what their phones show: the adapters against a real Asterisk and real phones. Who
hears what is told by tones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from adapters import until
from ari_live_scene import QUINN_HZ, WORD_HZ, Live, live_asterisk, live_call
from ari_scene import ANA, LEAD_TONE

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.events import PlaybackEnded, Recorded
from asterisk_warm.core.handoff.ids import aside_leg, playback_id, recording_name
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.engine.ports.calls import Shown
from asterisk_warm.engine.ports.pbx import PbxError
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

HOSTILE = 'Eve "x" \\ ${SHELL(id)} <sip:x@y>;a=b\r\nX-Evil: 1\x00 🔥 مرحبا \u202e\udcff' + "A" * 4000


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with live_asterisk(root, tmp_path_factory.mktemp("ari-telling")) as running:
        yield running


@pytest.fixture
async def live(asterisk: PrivateAsterisk, tmp_path: Path) -> AsyncIterator[Live]:
    async with live_call(asterisk, tmp_path) as talking:
        yield talking


# -- a word to one of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [True, False])
async def test_given_two_who_talk_when_one_is_told_something_then_they_alone_hear_it_and_are_heard_all_along(
    live: Live, ours: bool
) -> None:
    if ours:
        await live.take_over()
    await live.call.listen_for(0.2)
    began = time.time()
    await live.pbx.tell(live.quinn, live.aside, live.word, live.sound("word"))
    took = time.time() - began
    assert 0.5 < took < 1.5
    await live.until_gone(live.aside)
    traffic = live.capture.traffic()
    told = traffic.heard_at(live.quinns.call_id).between(began, time.time())
    other = traffic.heard_at(live.call.call_id).between(began, time.time())
    assert told.hears(WORD_HZ, frames=20) and not other.hears(WORD_HZ)
    assert other.longest_silence(began + 0.05, time.time() - 0.1) < 0.1
    assert other.between(began, time.time()).hears(QUINN_HZ, frames=20)
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
    # Whose it is to be told, it has told: it is nobody at the door.
    assert not live.engine.doors


async def test_given_a_missing_sound_when_told_then_it_is_over_at_once_and_nothing_is_left(
    live: Live,
) -> None:
    await live.take_over()
    async with asyncio.timeout(2):
        await live.pbx.tell(live.quinn, live.aside, live.word, ["sound:no-such-sound"])
    await live.until_gone(live.aside)


async def test_given_one_who_is_being_told_when_they_hang_up_then_it_ends_and_nothing_is_left(
    live: Live,
) -> None:
    await live.take_over()
    telling = asyncio.create_task(live.pbx.tell(live.quinn, live.aside, live.word, live.sound("long")))
    await live.quinns.listen_for(0.3)
    await live.quinns.hang_up()
    async with asyncio.timeout(3):
        outcome = (await asyncio.gather(telling, return_exceptions=True))[0]
    assert outcome is None or isinstance(outcome, PbxError)
    await live.until_gone(live.aside)


async def test_given_one_who_is_being_told_when_it_is_given_up_then_the_channel_that_speaks_is_gone(
    live: Live,
) -> None:
    await live.take_over()
    telling = asyncio.create_task(live.pbx.tell(live.quinn, live.aside, live.word, live.sound("long")))
    await live.quinns.listen_for(0.4)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await live.until_gone(live.aside)
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


async def test_given_two_words_at_once_when_told_then_both_are_and_nothing_is_left(live: Live) -> None:
    await live.take_over()
    other = aside_leg(live.handoff, 2), playback_id(live.handoff, Playing.ASIDE, 2)
    await asyncio.gather(
        live.pbx.tell(live.quinn, live.aside, live.word, live.sound("word")),
        live.pbx.tell(live.quinn, *other, live.sound("word")),
    )
    for aside in (live.aside, other[0]):
        await live.until_gone(aside)
    assert set((await live.pbx.look()).channels) == {live.lead, live.quinn}


@pytest.mark.parametrize("everybody", [True, False])
async def test_given_two_who_talk_when_one_is_recorded_then_the_other_is_too_only_if_wanted_and_hears_nothing(
    live: Live, everybody: bool
) -> None:
    await live.take_over()
    offer = await live.answered()
    name = recording_name(live.handoff, 1, reply=True)
    began = time.time()
    await live.pbx.record_within(live.quinn, live.aside, name, 2, all=everybody)
    recorded = await live.engine.fact(Recorded, live.handoff)
    assert (recorded.number, recorded.reply, recorded.failed) == (1, True, False)
    await live.until_gone(live.aside)
    other = live.capture.traffic().heard_at(live.call.call_id).between(began, recorded.at)
    assert other.hears(QUINN_HZ, frames=50) and not other.hears(LEAD_TONE)
    reply = playback_id(live.handoff, Playing.REPLY, 1)
    await live.pbx.play(live.leg, reply, [f"recording:{name}"])
    await live.engine.fact(PlaybackEnded, live.handoff)
    ear = live.capture.traffic().heard_at(offer.call_id)
    assert ear.hears(QUINN_HZ, frames=50) and ear.hears(LEAD_TONE, frames=50) is everybody
    await live.pbx.forget_recording(name)


# -- what the phones are told --------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", list(Progress))
async def test_given_a_phone_that_asked_for_no_transfer_when_told_how_it_goes_then_nothing_happens(
    live: Live, progress: Progress
) -> None:
    await live.pbx.tell_phone(live.quinn, progress)
    await live.take_over()
    await live.pbx.tell_phone(live.quinn, progress)
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))


@pytest.mark.parametrize(
    ("shown", "name", "number"),
    [
        (ANA, "Ana Lopez", "201"),
        (Shown("Zoë Müller 🔥", "+1 (555) 123-0001"), "Zoë Müller 🔥", "+15551230001"),
        (Shown(HOSTILE, "1@evil;tag=x"), "Eve x SHELL(id) sip:x@y a=b X-Evil: 1 🔥 مرحبا", "1eviltagx"),
    ],
)
async def test_given_a_phone_when_it_is_told_who_is_at_the_other_end_then_it_shows_that(
    live: Live, shown: Shown, name: str, number: str
) -> None:
    await live.take_over()
    await live.pbx.show(live.quinn, shown)

    def shows() -> bool:
        told = live.capture.traffic().shown_at(live.quinns.call_id)
        return bool(told) and told[-1].name.startswith(name) and told[-1].number == number

    await until(shows, 3.0)
    await live.hear_each_other((live.call, LEAD_TONE), (live.quinns, QUINN_HZ))
