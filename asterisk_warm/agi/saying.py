"""An answer as the sounds that Playback() is given."""

from __future__ import annotations

import asyncio

import structlog

from asterisk_warm.agi.answer import Answer
from asterisk_warm.agi.text import listed
from asterisk_warm.engine.ports.speech import Speaker, SpeechUnavailable

log = structlog.get_logger(__name__)

SPEECH_SECONDS = 2.0
"""How long somebody who listens waits for words that were not rendered yet."""
SAY_AT_MOST = 1400
"""Bytes."""


async def sounds(answer: Answer, speaker: Speaker | None) -> str:
    """Sounds joined by `&`; empty when there is nothing to say, or nobody to say it. Prompts are there at
    once; what cannot be rendered in time is left out."""
    if speaker is None:
        return ""
    uris = [speaker.prompt(name) for name in answer.prompts]
    if answer.line:
        uris += await _spoken(answer.line, speaker)
    return listed((uri.removeprefix("sound:") for uri in uris), "&", SAY_AT_MOST)


async def _spoken(line: str, speaker: Speaker) -> list[str]:
    try:
        async with asyncio.timeout(SPEECH_SECONDS):
            return list(await speaker.prepare([line]))
    except (TimeoutError, SpeechUnavailable) as error:
        log.warning("presence is told without the details", why=str(error) or "speech took too long")
        return []
