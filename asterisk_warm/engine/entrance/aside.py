"""What a qualifier alone is told, in a call that is not (yet) a handoff's."""

from __future__ import annotations

import structlog

from asterisk_warm.core.handoff.ids import aside_leg, playback_id
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.engine.ids import new_handoff_id
from asterisk_warm.engine.ports.pbx import Pbx, PbxError
from asterisk_warm.engine.ports.speech import Speaker, SpeechUnavailable
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

SPEECH_SECONDS = 3.0


class Aside:
    def __init__(self, pbx: Pbx, speaker: Speaker) -> None:
        self._pbx = pbx
        self._speaker = speaker

    async def say(self, channel: str, words: str) -> None:
        """Returns when it was said; without a voice, a prompt says that it was refused."""
        sound = None
        try:
            (sound,) = await within(self._speaker.prepare([words]), SPEECH_SECONDS)
        except (SpeechUnavailable, TimeoutError) as error:
            log.info("not spoken", words=words, why=str(error))
        # Of no handoff: an id of its own names the channel that speaks.
        name = new_handoff_id()
        try:
            await self._pbx.tell(
                channel,
                aside_leg(name, 1),
                playback_id(name, Playing.ASIDE, 1),
                [sound or self._speaker.prompt("refused")],
            )
        except PbxError as error:
            log.info("nobody heard it", channel=channel, why=str(error))
