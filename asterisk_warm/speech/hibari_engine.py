"""hibari-tts in a worker: a neural English voice, fast on one core, and nothing is sent away."""

from __future__ import annotations

from importlib import metadata

from asterisk_warm.speech.engine import CannotSay, EngineDown
from asterisk_warm.speech.frames import Frame, Kind
from asterisk_warm.speech.latin import in_latin
from asterisk_warm.speech.renderer import Renderer

DISTRIBUTION = "hibari-tts"
_BUNDLED = "heart"


class HibariEngine:
    """One model in a process of its own, loaded by `warm_up` or the first line; one line at a time.

    `time_limit` (seconds) is for one line, without the wait for its turn. A voice must be on this machine:
    it is never downloaded.
    """

    def __init__(self, voice: str = "", *, time_limit: float = 5.0) -> None:
        """`voice`: as hibari calls it; empty: the one that it brings along. All are English."""
        self.name = f"hibari:{voice}" if voice else "hibari"
        self._voice = voice = voice or _BUNDLED
        self._time_limit = time_limit
        self._renderer = Renderer(Frame(Kind.LOAD, voice.encode()))

    async def identity(self) -> str:
        try:
            version = metadata.version(DISTRIBUTION)
        except metadata.PackageNotFoundError:
            raise EngineDown(f"the Python package {DISTRIBUTION} is not installed") from None
        return f"hibari {version} {self._voice}"

    async def warm_up(self) -> None:
        """Start the worker and load the model, rather than during the first briefing. Raises EngineDown."""
        await self.identity()  # says more plainly than an ImportError that the package is missing
        await self._renderer.start()

    async def say(self, text: str) -> bytes:
        latin = in_latin(text)
        if not any(char.isalnum() for char in latin):
            raise CannotSay("no letter in it has a sound in English")
        return await self._renderer.sound(Frame(Kind.SAY, latin.encode()), self._time_limit)

    async def close(self) -> None:
        """End the worker."""
        await self._renderer.close()
