"""Words as the sounds that a lead is played, in the interview's language."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from asterisk_warm.agi.phrases import base, phrase, spoken_in
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.speech import Speaker, SpeechUnavailable

log = structlog.get_logger(__name__)

WORDING_SECONDS = 8.0
"""How long a lead waits in silence for a question that was not rendered yet."""
PHRASE_SECONDS = 2.0
"""The same, for words that can be left out."""
RECORDED = "sound:"
"""How a wording begins that is a recording of the admin's: `sound:NAME[&NAME…]`."""


class Voice:
    """In two letters a language, as speakers have them. Without a speaker only recordings are heard."""

    def __init__(self, speaker: Speaker | None, language: str) -> None:
        self.language = base(language)
        self._speaker = speaker
        self._ahead: asyncio.Task[None] | None = None

    async def phrases(self, names: Iterable[str], **words: str) -> list[str]:
        """What the product says."""
        return await self.say([phrase(name, self.language, **words) for name in names])

    async def say(self, lines: Sequence[str]) -> list[str]:
        """Words of the product's; what cannot be said now is left out."""
        return await self._optional(lines, spoken_in(self.language))

    async def extra(self, text: str) -> list[str]:
        """Words of the script's that can be left out."""
        return recorded(text) or await self._optional([text], self.language)

    async def wording(self, text: str, hints: Sequence[str] = ()) -> list[str]:
        """A question, which must be heard, and how to answer it; a recording is the whole of it.

        Raises Refused (unreachable)."""
        try:
            async with asyncio.timeout(WORDING_SECONDS):
                return recorded(text) or [
                    *await self._spoken([text], self.language),
                    *await self._spoken(hints, spoken_in(self.language)),
                ]
        except (TimeoutError, SpeechUnavailable) as error:
            raise Refused(
                "unreachable",
                f"a question cannot be spoken: {str(error) or 'speech took too long'}",
                f"see the speech settings, or give it a recording ({RECORDED}NAME)",
            ) from error

    def render_ahead(self, texts: Sequence[str], phrases: Sequence[str]) -> None:
        """Render what may be said later, meanwhile: texts of the script's, and the product's own words."""
        self.close()
        self._ahead = asyncio.create_task(self.prepare(tuple(texts), tuple(phrases)), name="speech ahead")

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()

    async def prepare(self, texts: Sequence[str], phrases: Sequence[str]) -> None:
        """The same, and wait for it. Where nothing can be spoken, nothing is."""
        for lines, language in ((texts, self.language), (phrases, spoken_in(self.language))):
            for line in lines:
                if not line or recorded(line):
                    continue
                try:
                    await self._spoken([line], language)
                except SpeechUnavailable as error:
                    log.info("speech was not rendered ahead", why=str(error))
                    return

    async def _optional(self, lines: Sequence[str], language: str) -> list[str]:
        try:
            async with asyncio.timeout(PHRASE_SECONDS):
                return await self._spoken([line for line in lines if line], language)
        except (TimeoutError, SpeechUnavailable) as error:
            log.warning("an interview leaves words out", why=str(error) or "speech took too long")
            return []

    async def _spoken(self, lines: Sequence[str], language: str) -> list[str]:
        if not lines:
            return []
        if self._speaker is None:
            raise SpeechUnavailable("the daemon has no voice")
        uris = await self._speaker.prepare(lines, language)
        return [uri.removeprefix(RECORDED) for uri in uris]


def recorded(text: str) -> list[str]:
    """The recordings that a wording names; none: it is to be spoken."""
    if not text.startswith(RECORDED):
        return []
    return [name.strip() for name in text.removeprefix(RECORDED).split("&") if name.strip()]
