"""What the daemon and a speech worker tell each other: a question, then its answer, as frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

HEAD = struct.Struct("!IB")
"""Bytes of the body, kind."""

_RATE = struct.Struct("!I")


class Kind(IntEnum):
    """What a frame is, and what its body holds."""

    LOAD = 1
    """The name of the hibari voice to load; empty for none, where only CONVERT will be asked."""
    SAY = 2
    """Text for the loaded voice."""
    CONVERT = 3
    """A waveform to make telephone sound of: its rate in Hz, then mono samples, 16 bits, little-endian."""
    SOUND = 4
    """Done: µ-law at 8 kHz, or nothing after LOAD."""
    CANNOT_SAY = 5
    """Why there is no sound for it, in words."""
    DOWN = 6
    """Why the worker cannot work, in words."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One question or answer."""

    kind: Kind
    body: bytes = b""

    def packed(self) -> bytes:
        """As it goes through the pipe."""
        return HEAD.pack(len(self.body), self.kind) + self.body


def convert(rate: int, pcm: bytes) -> Frame:
    """The question CONVERT."""
    return Frame(Kind.CONVERT, _RATE.pack(rate) + pcm)


def waveform(frame: Frame) -> tuple[int, bytes]:
    """(rate, samples) of a CONVERT."""
    return _RATE.unpack_from(frame.body)[0], frame.body[_RATE.size :]


def read(pipe: BinaryIO) -> Frame | None:
    """The next frame, waited for; None when the other end is gone."""
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, kind = HEAD.unpack(head)
    body = pipe.read(size)
    return Frame(Kind(kind), body) if len(body) == size else None
