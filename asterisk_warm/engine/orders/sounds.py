"""Lines → what Asterisk is told to play."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from asterisk_warm.core.handoff.model import Line
from asterisk_warm.engine.ports.pbx import Pbx, PbxError
from asterisk_warm.engine.ports.speech import Speaker, SpeechUnavailable
from asterisk_warm.engine.within import within

LEADING = frozenset({"own-words"})
"""Prompts that say what is coming: heard before their line's recording, and not without it. Any other prompt
is heard in a recording's place when that is not there."""
NOTHING = "silence"
"""The prompt that is played where nothing is left to be heard: Asterisk takes no order to play nothing."""


class Sounds:
    def __init__(self, pbx: Pbx, speaker: Speaker, seconds: float) -> None:
        """`seconds`: how long rendering may take before prompts serve instead."""
        self._pbx = pbx
        self._speaker = speaker
        self._seconds = seconds

    async def prepare(self, lines: Iterable[Line]) -> str:
        """Render the texts of all lines, in each language. Why one or another could not be, in words; empty
        when all could."""
        texts: dict[str, list[str]] = {}
        for line in lines:
            if line.text:
                texts.setdefault(line.language, []).append(line.text)
        problems: list[str] = []
        try:
            await within(self._render(texts, problems), self._seconds)
        except TimeoutError:
            problems.append(f"not ready within {self._seconds:g} s")
        return "; ".join(dict.fromkeys(problems))

    async def _render(self, texts: dict[str, list[str]], problems: list[str]) -> None:
        for language, spoken in texts.items():
            try:
                await self._speaker.prepare(spoken, language)
            except SpeechUnavailable as unavailable:
                problems.append(str(unavailable))

    async def of(self, lines: Sequence[Line]) -> list[str]:
        """What is there of them now, rendering nothing; empty only for no lines at all."""
        found = [uri for line in lines for uri in await self._one(line)]
        return found or ([self.prompt(NOTHING)] if lines else [])

    def prompt(self, name: str, language: str = "") -> str:
        return self._speaker.prompt(name, language)

    async def _one(self, line: Line) -> list[str]:
        if line.recording:
            return await self._recorded(line)
        spoken = self._speaker.spoken(line.text, line.language) if line.text else None
        return [spoken or self.prompt(line.prompt, line.language)]

    async def _recorded(self, line: Line) -> list[str]:
        prompt = [self.prompt(line.prompt, line.language)] if line.prompt else []
        leads = line.prompt in LEADING
        there = False
        with suppress(PbxError):  # Then it cannot be played either.
            there = await self._pbx.has_recording(line.recording)
        if there:
            return [*(prompt if leads else ()), f"recording:{line.recording}"]
        return [] if leads else prompt
