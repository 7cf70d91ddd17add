"""What an agent asks back, and the reply to it: recorded and played by a real Asterisk, heard by real phones. Who
hears what is told by tones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from adapters import SIP_PORT, Adapters, nothing_left, private_asterisk
from ari_scene import ANA_HZ, LEAD_TONE, MUSIC, Talk
from ears import hears

from asterisk_warm.ari.model import LiveRecording
from asterisk_warm.ari.talking import SILENCE_SECONDS
from asterisk_warm.core.handoff.events import DigitPressed, PlaybackEnded, Recorded
from asterisk_warm.core.handoff.ids import aside_leg, parse_aside_leg, playback_id, recording_name
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.engine.ports.pbx import LegGone
from asterisk_warm.engine.recordings import before
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import AGENT_HZ, RATE, chord, write_wav

pytestmark = pytest.mark.real

QUINN_HZ, ASK_HZ, BRIEFING_HZ = AGENT_HZ[9], 3000, 3300
ASK_SECONDS, PAUSE, SPEECH = 0.6, 3.0, 1.0
"""Of what is said before a question; how long somebody thinks, longer than the silence that ends a recording; how
long they speak."""
PATIENCE = 25.0


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    folder = tmp_path_factory.mktemp("ari-questions")
    write_wav(folder / "ask.wav", chord((ASK_HZ,), ASK_SECONDS))
    write_wav(folder / "briefing.wav", chord((BRIEFING_HZ,), 30.0))
    write_wav(folder / "quiet.wav", np.zeros(16 * RATE, dtype=np.int16))
    for name, hz in (("ana", ANA_HZ), ("lead", LEAD_TONE)):
        silence = np.zeros(round(PAUSE * RATE), dtype=np.int16)
        write_wav(folder / f"{name}.wav", np.concatenate((silence, chord((hz,), SPEECH))))
    with private_asterisk(root, folder, ("ana", "ben"), "") as running:
        yield running


@pytest.fixture
async def adapters(asterisk: PrivateAsterisk) -> AsyncIterator[Adapters]:
    async with Adapters(asterisk) as connected:
        yield connected


@pytest.fixture
async def phones(asterisk: PrivateAsterisk) -> AsyncIterator[Phones]:
    async with Phones(asterisk.sip, asterisk.sip_password) as registered:
        yield registered
    await nothing_left(asterisk)


@pytest.fixture
def capture(tmp_path: Path, asterisk: PrivateAsterisk) -> Iterator[Capture]:
    with Capture(tmp_path / "scene.pcap", sip_port=SIP_PORT) as running:
        yield running


class Asking(Talk):
    """An agent who has answered, while the lead hears music: both think for a while, and speak for a second, again
    and again."""

    offer: Call

    async def begin(self, extension: str = "sales") -> Asking:
        says = Path(self.adapters.asterisk.workdir) / "lead.wav"
        self.call = await self.phones.lead("Grant Weatherly", "+15551230001", says=says).dial(extension)
        await self.secured()
        self.question = recording_name(self.handoff, 1, reply=False)
        self.reply = recording_name(self.handoff, 1, reply=True)
        self.listener = aside_leg(self.handoff, 200_001)
        return self

    async def thinking(self, *, silent: bool = False) -> Call:
        """The agent, who says something now and then, or never."""
        says = None if silent else Path(self.adapters.asterisk.workdir) / "ana.wav"
        self.offer = await self.answered(await self.phones.register("ana", says=says))
        return self.offer

    async def recorded(self, *, reply: bool = False) -> Recorded:
        def told() -> Recorded | None:
            found = self.engine.told(Recorded, self.handoff)
            return next((event for event in found if event.reply is reply), None)

        found: Recorded = await self.engine.until(told, PATIENCE)
        return found

    async def played(self, what: Playing, number: int = 1) -> PlaybackEnded:
        def told() -> PlaybackEnded | None:
            found = self.engine.told(PlaybackEnded, self.handoff)
            return next((event for event in found if (event.what, event.number) == (what, number)), None)

        found: PlaybackEnded = await self.engine.until(told, PATIENCE)
        return found

    async def recording(self, name: str) -> None:
        """Wait until it is under way."""
        await self._until(lambda: self._state(name), "recording")

    async def _state(self, name: str) -> str:
        return (await self.adapters.client.get(f"/recordings/live/{name}", LiveRecording)).state

    async def _until(self, look: Callable[[], Awaitable[object]], wanted: object) -> None:
        deadline = time.monotonic() + 5
        while (found := await look()) != wanted:
            assert time.monotonic() < deadline, found

    async def forgotten(self, name: str) -> None:
        """Wait until it is not kept (any more): how it ends is told a moment later."""
        await self._until(lambda: self.pbx.has_recording(name), False)

    async def alone(self) -> None:
        """Wait until the channel that has recorded is gone."""

        async def listening() -> list[str]:
            return [channel for channel in (await self.pbx.look()).channels if parse_aside_leg(channel)]

        await self._until(listening, [])


@pytest.fixture
async def asking(capture: Capture, adapters: Adapters, phones: Phones) -> AsyncIterator[Asking]:
    scene = await Asking(adapters, phones).begin()
    yield scene
    await scene.end()
    for name in (scene.question, scene.reply):
        await scene.pbx.forget_recording(name)


async def test_given_an_agent_who_thinks_first_then_the_question_ends_after_they_spoke_and_the_lead_alone_hears_it(
    asking: Asking, capture: Capture
) -> None:
    await asking.thinking()
    await asking.pbx.record(asking.leg, asking.question, asking.sound("ask"), 12)
    ended = await asking.recorded()
    assert not ended.failed
    ear = capture.traffic().heard_at(asking.offer.call_id)
    asked = ear.last_frame_with(ASK_HZ)
    spoke = capture.traffic().said_at(asking.offer.call_id).between(asked or 0, ended.at)
    silence = ended.at - (spoke.last_frame_with(ANA_HZ) or 0)
    assert SILENCE_SECONDS - 0.3 < silence < PAUSE, "before they speak again"
    assert await asking.pbx.has_recording(asking.question)
    playback = playback_id(asking.handoff, Playing.QUESTION, 1)
    began = time.time()
    await asking.pbx.play_to_lead(asking.lead, playback, [f"recording:{asking.question}"])
    told = await asking.played(Playing.QUESTION)
    assert not told.failed
    await asking.call.listen_for(1.0)
    traffic = capture.traffic()
    lead = traffic.heard_at(asking.call.call_id)
    assert lead.between(began, told.at + 0.1).hears(ANA_HZ, frames=30)
    assert not lead.between(0, began).hears(ANA_HZ) and lead.between(0, began).hears(MUSIC, frames=50)
    assert lead.between(told.at + 0.2, time.time()).hears(MUSIC, frames=5)
    assert not traffic.heard_at(asking.offer.call_id).hears(ANA_HZ)
    await asking.pbx.forget_recording(asking.question)
    await asking.pbx.forget_recording(asking.question)
    assert not await asking.pbx.has_recording(asking.question)


async def test_given_a_key_when_the_agent_has_asked_then_the_recording_is_over_at_once(
    asking: Asking, capture: Capture
) -> None:
    offer = await asking.thinking()
    await asking.pbx.record(asking.leg, asking.question, [], 20)
    began, deadline = time.time(), time.monotonic() + PATIENCE
    while not capture.traffic().said_at(offer.call_id).between(began, time.time()).hears(ANA_HZ, frames=10):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    await offer.press("#")
    pressed = await asking.engine.fact(DigitPressed, asking.handoff)
    ended = await asking.recorded()
    assert not ended.failed and ended.at - pressed.at < SILENCE_SECONDS


async def test_given_an_agent_who_says_nothing_then_it_ends_in_time_and_there_is_nothing_to_be_played(
    asking: Asking,
) -> None:
    await asking.thinking(silent=True)
    began = time.time()
    await asking.pbx.record(asking.leg, asking.question, asking.sound("ask"), 3)
    ended = await asking.recorded()
    assert ended.failed and 3 <= ended.at - began < 12


async def test_given_a_reply_then_the_lead_has_silence_for_it_and_the_agent_alone_hears_it(
    asking: Asking, capture: Capture
) -> None:
    offer = await asking.thinking(silent=True)
    quiet = playback_id(asking.handoff, Playing.QUIET, 1)
    await asking.pbx.play_to_lead(asking.lead, quiet, asking.sound("quiet") * 2)
    await asking.pbx.record_within(asking.lead, asking.listener, asking.reply, 12, all=False)
    began = time.time()
    ended = await asking.recorded(reply=True)
    assert not ended.failed
    await asking.alone()
    await asking.pbx.stop_playback(quiet)
    await asking.played(Playing.QUIET)
    told = time.time()
    await asking.pbx.play(
        asking.leg, playback_id(asking.handoff, Playing.REPLY, 1), [f"recording:{asking.reply}"]
    )
    await asking.played(Playing.REPLY)
    await asking.call.listen_for(0.5)
    traffic = capture.traffic()
    lead, agent = traffic.heard_at(asking.call.call_id), traffic.heard_at(offer.call_id)
    assert not lead.between(began + 0.2, ended.at).hears(MUSIC)
    assert lead.between(told + 0.2, time.time()).hears(MUSIC, frames=30)
    assert not lead.hears(LEAD_TONE)
    assert agent.between(told, time.time()).hears(LEAD_TONE, frames=30)
    assert not agent.between(0, told).hears(LEAD_TONE)
    assert not asking.engine.doors[1:]


async def test_given_a_recording_that_is_given_up_then_the_agent_can_be_joined_at_once(
    asking: Asking, capture: Capture
) -> None:
    await asking.thinking()
    for media in (asking.sound("briefing"), []):
        # While what is said before is heard, and while it is recorded.
        await asking.pbx.record(asking.leg, asking.question, media, 20)
        if not media:
            await asking.recording(asking.question)
        began = time.monotonic()
        # As the executor does: the join first, and not after the question has ended.
        stop = [before(asking.question)]
        await asyncio.gather(
            asking.pbx.join(asking.lead, asking.leg, asking.bridge, stop, [], ""),
            asking.pbx.stop_recording(asking.question),
        )
        assert time.monotonic() - began < 5
        found = (await asking.pbx.look()).channels
        assert found[asking.leg].bridge == found[asking.lead].bridge == asking.bridge
        await asking.forgotten(asking.question)
        await asking.adapters.client.request(
            "POST", f"/bridges/{asking.bridge}/removeChannel", {"channel": asking.leg}
        )
    await asking.pbx.stop_recording(asking.question)


async def test_given_a_listener_that_is_hung_up_when_recording_then_it_is_told_and_nothing_is_left(
    asking: Asking,
) -> None:
    await asking.pbx.record_within(asking.lead, asking.listener, asking.reply, 20, all=False)
    await asking.pbx.stop_recording(asking.reply)
    await asking.recorded(reply=True)
    await asking.alone()
    await asking.forgotten(asking.reply)
    with pytest.raises(LegGone):
        await asking.pbx.record_within("nobody", asking.listener, asking.reply, 5, all=False)
    with pytest.raises(LegGone):
        await asking.pbx.record("nobody", asking.question, [], 5)


async def test_given_a_recording_in_a_folder_then_it_is_found_and_the_agent_alone_hears_it(
    asking: Asking, capture: Capture
) -> None:
    """As the lead's own words are kept."""
    offer = await asking.thinking(silent=True)
    folder = Path(asking.adapters.asterisk.workdir) / "spool" / "recording" / "warm" / "words"
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / "lead-1.wav", chord((ASK_HZ,), 1.0))
    assert await asking.pbx.has_recording("warm/words/lead-1")
    assert not await asking.pbx.has_recording("warm/words/lead-2")
    assert not await asking.pbx.has_recording("../../etc/modules")
    await asking.pbx.play(
        asking.leg, playback_id(asking.handoff, Playing.REPLY, 1), ["recording:warm/words/lead-1"]
    )
    assert not (await asking.played(Playing.REPLY)).failed
    await asking.call.listen_for(0.3)
    assert capture.traffic().heard_at(offer.call_id).hears(ASK_HZ, frames=30)
    assert not capture.traffic().heard_at(asking.call.call_id).hears(ASK_HZ)
    await asking.pbx.forget_recording("warm/words/lead-1")
    assert not await asking.pbx.has_recording("warm/words/lead-1")


async def test_given_a_recording_that_is_deleted_before_its_turn_then_what_follows_is_heard(
    asking: Asking, capture: Capture
) -> None:
    """As a briefing that begins while the lead's own words are still there."""
    offer = await asking.thinking(silent=True)
    briefing = [*asking.sound("ask"), "recording:warm/words/gone", *asking.sound("briefing")]
    await asking.pbx.play(asking.leg, playback_id(asking.handoff, Playing.BRIEFING, 1), briefing)
    await hears(capture, offer.call_id, BRIEFING_HZ)
    await asking.pbx.stop_playback(playback_id(asking.handoff, Playing.BRIEFING, 1))
    assert not (await asking.played(Playing.BRIEFING)).failed
    assert capture.traffic().heard_at(offer.call_id).hears(ASK_HZ, frames=20)
