"""espeak-ng as a subprocess per line: a robot's voice, but everywhere, in every script and most languages."""

from __future__ import annotations

import asyncio
import re
import struct

from asterisk_warm.engine.within import within
from asterisk_warm.speech.engine import EngineDown
from asterisk_warm.speech.frames import Frame, Kind, convert
from asterisk_warm.speech.renderer import Renderer

_VOICE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")
_ENGLISH = "en-us"
_RATES = range(4_000, 192_001)  # what is converted takes memory by the rate, which must not be just anything
_HEADER = 44  # bytes of the WAV header espeak-ng writes before the samples; its length field is a placeholder


class EspeakEngine:
    """espeak-ng, the text on its standard input, no shell, killed after `time_limit` seconds per line.

    Its sound is finished by a worker of its own, which several voices may share (`finisher`): a hibari that
    hangs must not hold this one up too.
    """

    def __init__(
        self,
        voice: str = "",
        *,
        program: str = "espeak-ng",
        time_limit: float = 5.0,
        finisher: Renderer | None = None,
    ) -> None:
        """`voice`: as espeak-ng calls it, often a language; empty: American English. Raises ValueError."""
        self.name = f"espeak:{voice}" if voice else "espeak"
        voice = voice or _ENGLISH
        if not _VOICE.fullmatch(voice):
            raise ValueError(f"{voice!r} is no espeak-ng voice name: letters, digits, '-', '+' and '_'")
        self._voice = voice
        self._program = program
        self._time_limit = time_limit
        self._version = ""
        self._renderer = finisher or Renderer(Frame(Kind.LOAD))

    async def identity(self) -> str:
        if not self._version:
            told = (await self._run("--version")).decode(errors="replace")
            found = re.search(r"\d+(?:\.\d+)+", told)
            self._version = found[0] if found else "unknown"
        return f"espeak-ng {self._version} {self._voice}"

    async def warm_up(self) -> None:
        """Learn whether it runs, and start the worker. Raises EngineDown."""
        await self.identity()
        await self._renderer.start()

    async def say(self, text: str) -> bytes:
        # -b 1: UTF-8. -z: no pause after the last sentence. Without -m, tags are not interpreted.
        wav = await self._run("-v", self._voice, "-b", "1", "-z", "--stdin", "--stdout", text=text)
        if len(wav) < _HEADER or wav[:4] != b"RIFF":
            raise EngineDown("did not return a WAV")
        (rate,) = struct.unpack_from("<I", wav, 24)
        if rate not in _RATES:
            raise EngineDown(f"returned a WAV of {rate} samples a second")
        even = _HEADER + (len(wav) - _HEADER) // 2 * 2
        return await self._renderer.sound(convert(rate, wav[_HEADER:even]), self._time_limit)

    async def close(self) -> None:
        """End the worker; espeak-ng itself keeps nothing between lines."""
        await self._renderer.close()

    async def _run(self, *arguments: str, text: str = "") -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                self._program,
                *arguments,
                # What reads nothing gets no pipe: it may be gone before there was anything to write to it.
                stdin=asyncio.subprocess.PIPE if text else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise EngineDown(f"cannot run {self._program}: {error.strerror}") from error
        try:
            out, err = await within(process.communicate(text.encode() or None), self._time_limit)
        except TimeoutError:
            raise EngineDown(f"took longer than {self._time_limit:g} s") from None
        except RuntimeError as error:  # uvloop's word for a pipe that was closed at the other end
            raise EngineDown("ended before it had read the text") from error
        finally:
            if process.returncode is None:  # timed out, or we are being cancelled
                process.kill()
                await process.wait()
        if process.returncode:
            said = err.decode(errors="replace").strip() or "no message"
            raise EngineDown(f"ended with status {process.returncode}: {said.splitlines()[-1]}")
        return out
