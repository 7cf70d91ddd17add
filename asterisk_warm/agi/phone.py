"""What a lead hears, keys and says, as AGI commands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from asterisk_warm.agi.call import Channel
from asterisk_warm.agi.session import AgiError, CommandRefused, Reply
from asterisk_warm.agi.text import quoted

KEYS = "0123456789*#"
PLAY_AT_MOST = 300.0
"""Seconds that one sound may take."""
REPLY_SECONDS = 5.0
"""How long Asterisk may take for a reply, beside what it was told to do."""
SAMPLES = 8000
"""Of a recording, per second."""
SILENCE = 4
"""Seconds without a word that end a recording."""
_LEFT = 1.0
"""So much of them Asterisk leaves in it (measured with 16 and 22)."""
_UP = "6"
"""The state of a channel that is answered."""
SPOKEN = 0.3
"""Least seconds of a recording in which something may have been said."""


class HungUp(Exception):
    """The lead has."""


@dataclass(frozen=True, slots=True)
class Played:
    key: str
    """The one that was pressed meanwhile, which ended it; empty: none."""
    missing: str = ""
    """A sound that Asterisk did not find, if there was one."""


@dataclass(frozen=True, slots=True)
class Recorded:
    key: str
    """The one that ended it; empty: silence did, or the time was over."""
    seconds: float
    """What was said took, as far as Asterisk can tell."""
    hung_up: bool


class Phone:
    """One after the other; each method raises HungUp once the lead has, and AgiError.

    A key that comes while no command is under way is lost (Asterisk reads on without keeping it); between
    commands that follow at once there is no time for a whole key."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def answer(self) -> None:
        await self._do("ANSWER", REPLY_SECONDS)

    async def play(self, sounds: Sequence[str]) -> Played:
        """One after the other, until a key is pressed."""
        missing = ""
        for sound in sounds:
            # STREAM FILE would end the session where there is no such file.
            reply = await self._reply(f"GET DATA {quoted(sound)} 1 1", PLAY_AT_MOST)
            if reply.result == "-1":
                if await self._gone():
                    raise HungUp
                missing = missing or sound
            elif reply.value != "timeout":
                return Played(reply.result or "#", missing)
        return Played("", missing)

    async def _gone(self) -> bool:
        if not self._channel.hung_up:
            status = await self._reply("CHANNEL STATUS", REPLY_SECONDS)
            return status.result != _UP or self._channel.hung_up
        return True

    async def key(self, seconds: float) -> str:
        """The next one; empty: none in that time."""
        return _key(await self._do(f"WAIT FOR DIGIT {round(seconds * 1000)}", seconds))

    async def more(self, first: str, most: int, pause: float) -> str:
        """What is keyed from a first key on: up to `#`, a pause of so many seconds, or so many keys."""
        if first == "#" or most <= len(first):
            return first.removesuffix("#")
        rest = most - len(first)
        reply = await self._do(f'GET DATA "" {round(pause * 1000)} {rest}', pause * (rest + 1))
        return first + reply.result

    async def record(self, path: str, seconds: float) -> Recorded:
        """Into `path`.wav, after a tone: until a key, silence, or so many seconds."""
        line = f"RECORD FILE {quoted(path)} wav {quoted(KEYS)} {round(seconds * 1000)} BEEP s={SILENCE}"
        reply = await self._reply(line, seconds + REPLY_SECONDS)
        gone = reply.result == "-1"
        if gone and reply.endpos is None:
            raise AgiError("Asterisk cannot record, see its log")
        length = (reply.endpos or 0) / SAMPLES
        # After a silence the rest of the time is told; when the time was over, 0.
        silence = _LEFT if reply.value == "timeout" and reply.result != "0" else 0.0
        key = _key(reply) if reply.value == "dtmf" else ""
        return Recorded(key, max(0.0, length - silence), gone or self._channel.hung_up)

    async def spool(self) -> str:
        """The folder of Asterisk's stored recordings."""
        return f"{await self._channel.get('ASTSPOOLDIR') or '/var/spool/asterisk'}/recording"

    async def _do(self, line: str, seconds: float) -> Reply:
        reply = await self._reply(line, seconds)
        if reply.result == "-1" or self._channel.hung_up:
            raise HungUp
        return reply

    async def _reply(self, line: str, seconds: float) -> Reply:
        try:
            async with asyncio.timeout(seconds + REPLY_SECONDS):
                return await self._channel.command(line)
        except CommandRefused as refused:
            if refused.code == 511:
                raise HungUp from refused
            raise
        except TimeoutError as error:
            raise AgiError(f"no reply to {line.split(' ', 1)[0]} in time") from error


def _key(reply: Reply) -> str:
    return _KEY_OF.get(reply.result, "")


_KEY_OF = {str(ord(key)): key for key in KEYS}
