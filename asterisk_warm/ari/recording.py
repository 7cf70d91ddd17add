"""Questions that agents ask back: recorded until whoever speaks has ended, kept in Asterisk, forgotten."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asterisk_warm.ari.client import AriClient, NotThere, decoded, part
from asterisk_warm.ari.model import Message, StoredRecording
from asterisk_warm.ari.orders import CREATE_SECONDS, TAKEN, Manager, Orders
from asterisk_warm.ari.talking import SILENCE_SECONDS, Talking
from asterisk_warm.core.handoff.ids import aside_leg, parse_aside_leg, parse_recording
from asterisk_warm.engine.ports.pbx import LegGone, PbxError, PbxRefused, PbxUnreachable
from asterisk_warm.engine.recordings import BEFORE, before
from asterisk_warm.engine.within import within

TALK_ENERGY = 256
"""Mean amplitude (of 32767) from which on a frame is speech: Asterisk's own default."""
FORMAT = "ulaw"
"""As our other sounds: what plays them is loaded."""
STORED = "/recordings/stored"
_UNLISTED = (
    "the folder `recording` of its spool directory must be there, and in it no broken link "
    "and no name that is not UTF-8"
)
_LISTENERS = 300_000
"""Added to a question's number, for the leg that listens to the agent."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that somebody speaks alone, or is about to."""

    recording: str
    channel: str
    leg: str
    seconds: float


class Recording(Orders):
    """Always by a leg that listens in (Snoop), never on the channel itself: Asterisk keeps one that it has
    dialled in a hidden bridge, in which it records nothing; and one that is being recorded can be joined to
    nobody.

    Asterisk's own time limit for silence counts from the beginning, and would cut off who thinks first. So
    its talk detection tells when somebody has begun to speak, and has ended."""

    def __init__(self, client: AriClient, app: str, manager: Manager) -> None:
        super().__init__(client, app, manager)
        self._talking = Talking()
        self._asked: dict[str, _Asked] = {}
        """By recording."""
        self._dropped: set[str] = set()
        """Recordings of which nothing is to be kept."""
        self._orders: set[asyncio.Task[None]] = set()

    # -- what happens ----------------------------------------------------------------------------------------

    def hear(self, message: Message) -> None:
        super().hear(message)
        ended = self._talking.hear(message)
        if ended and parse_recording(ended) is not None:
            self._afterwards(self._stop(ended))
        match message.type:
            case "PlaybackFinished" if message.playback is not None:
                self._said_before(message.playback.id)
            case "ChannelDtmfReceived" if message.channel is not None:
                self._key(message.channel.id)
            case "RecordingFinished" | "RecordingFailed" if message.recording is not None:
                self._over(message.recording.name, message.recording.channel)

    def _said_before(self, playback: str) -> None:
        asked = self._asked.get(playback.removesuffix(BEFORE)) if playback.endswith(BEFORE) else None
        if asked is not None:
            self._afterwards(self._record(asked.leg, asked.recording, asked.seconds))

    def _key(self, channel: str) -> None:
        for asked in self._asked.values():
            if asked.channel == channel:
                self._afterwards(self._stop(asked.recording))

    def _over(self, recording: str, channel: str) -> None:
        if parse_recording(recording) is None:
            return
        self._talking.forget(channel)
        self._asked.pop(recording, None)
        if recording in self._dropped:
            self._dropped.discard(recording)
            self._afterwards(self.forget_recording(recording))
        if parse_aside_leg(channel) is not None:
            self._afterwards(self.hang_up(channel))

    def _afterwards(self, order: Coroutine[Any, Any, None]) -> None:
        async def carry_out() -> None:
            with suppress(PbxError):  # Whoever it is about may be gone; nothing recorded is told in time.
                await order

        task = asyncio.create_task(carry_out())
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    # -- orders ----------------------------------------------------------------------------------------------

    async def record(self, channel: str, recording: str, media: Sequence[str], seconds: float) -> None:
        asked = _Asked(recording, channel, _listener(recording), seconds)
        self._dropped.discard(recording)
        await self._listen(channel, asked.leg, "in")
        self._asked[recording] = asked
        try:
            if media:
                await self.play(channel, before(recording), media)
            else:
                await self._record(asked.leg, recording, seconds)
        except PbxError:
            await self.stop_recording(recording)
            raise

    async def record_within(
        self, channel: str, leg: str, recording: str, seconds: float, *, all: bool
    ) -> None:
        self._dropped.discard(recording)
        await self._listen(channel, leg, "both" if all else "in")
        try:
            await self._record(leg, recording, seconds)
        except PbxError:
            with suppress(PbxError):
                await self.hang_up(leg)
            raise

    async def _listen(self, channel: str, leg: str, spy: str) -> None:
        """Make the leg that hears what the channel says (`in`), or what it hears too (`both`)."""
        query = {"app": self._app, "appArgs": TAKEN, "spy": spy}
        try:
            with self._awaited.event("StasisStart", leg) as entered:
                await self._post(f"/channels/{part(channel)}/snoop/{part(leg)}", **query)
                await within(entered, CREATE_SECONDS)
            detect = f"{SILENCE_SECONDS * 1000:.0f},{TALK_ENERGY}"
            await self._post(f"/channels/{part(leg)}/variable", variable="TALK_DETECT(set)", value=detect)
        except (TimeoutError, PbxError) as error:
            with suppress(PbxError):
                await self.hang_up(leg)
            if isinstance(error, PbxError):
                raise
            raise PbxUnreachable(f"no channel that listens came within {CREATE_SECONDS:g} s") from None

    async def _record(self, leg: str, recording: str, seconds: float) -> None:
        query = {
            "name": recording,
            "format": FORMAT,
            "maxDurationSeconds": str(math.ceil(seconds)),
            "ifExists": "overwrite",
        }
        try:
            await self._post(f"/channels/{part(leg)}/record", **query)
        except PbxRefused as refused:
            remedy = "can it write to the folder `recording` of its spool directory, and does that exist?"
            raise PbxRefused(f"Asterisk does not record ({refused}): {remedy}") from refused

    async def _stop(self, recording: str) -> None:
        await self._post(f"/recordings/live/{part(recording)}/stop")

    async def stop_recording(self, recording: str) -> None:
        self._dropped.add(recording)
        asked = self._asked.pop(recording, None)
        if asked is not None:
            await self.stop_playback(before(recording))
        try:
            await self._delete(f"/recordings/live/{part(recording)}")
        except NotThere:
            self._dropped.discard(recording)
        with suppress(LegGone):
            await self.hang_up(_listener(recording))

    # -- what Asterisk keeps: it reads the whole folder for each order, so these go apart --------------------

    async def has_recording(self, recording: str) -> bool:
        try:
            await self._ari.request("GET", f"{STORED}/{part(recording)}", apart=True)
        except NotThere:
            return False
        return True

    async def forget_recording(self, recording: str) -> None:
        """Of a link, only the link."""
        with suppress(NotThere):
            await self._ari.request("DELETE", f"{STORED}/{part(recording)}", apart=True)

    async def stored_recordings(self) -> list[str]:
        """All names, whoever recorded them; with a `/` what lies in a folder of its own."""
        try:
            text = await self._ari.request("GET", STORED, apart=True)
        except PbxRefused as refused:
            raise PbxRefused(f"Asterisk does not list its recordings ({refused}): {_UNLISTED}") from refused
        return [one.name for one in decoded(STORED, text, list[StoredRecording])]


def _listener(recording: str) -> str:
    handoff, number, _ = parse_recording(recording) or (recording, 0, False)
    return aside_leg(handoff, _LISTENERS + number)
