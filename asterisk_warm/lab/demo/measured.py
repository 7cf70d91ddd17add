"""The handoff gap from RTP: from the end of the accept key to the agent's first frame at the lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asterisk_warm.lab.tones import FRAME, Hearing
from asterisk_warm.lab.traffic import Traffic

_LOOK_FOR = 10.0
_DELAY = 0.25
"""Longest way, in seconds, from the agent's phone to the lead's."""
_SAME = 0.8
"""Correlation of a frame with what it was sent as; of strangers it stays below 0.5."""


@dataclass(frozen=True)
class Gap:
    """Moments of the kernel, in epoch seconds."""

    key_released_at: float
    voice_at: float
    introduction: float = 0.0
    """How many seconds of it are the line that the lead hears meanwhile."""

    @property
    def milliseconds(self) -> float:
        """Without the introduction."""
        return (self.voice_at - self.key_released_at - self.introduction) * 1000


def key_released_at(traffic: Traffic, call: str, key: str) -> float | None:
    """When the END of that key first left the phone; None when it was not pressed."""
    presses = [press.released_at for press in traffic.keys_of(call) if press.key == key]
    return presses[-1] if presses else None


def gap(traffic: Traffic, lead_call: str, agent_call: str, key: str, introduction: float = 0.0) -> Gap | None:
    """From the accept key's first END packet to the first frame at the lead that is the agent's; None when
    there is none. Calls are named by their SIP Call-ID.

    `introduction` is the length in seconds of the line that the lead hears in between. A frame of the agent's
    that slips through before that line begins is not what a person would call hearing them.
    """
    accepted = key_released_at(traffic, agent_call, key)
    if accepted is None:
        return None
    said = traffic.said_at(agent_call).between(accepted - 2 * _DELAY, accepted + _LOOK_FOR)
    heard = traffic.heard_at(lead_call).between(accepted + introduction, accepted + _LOOK_FOR)
    voice = first_frame_from(said, heard)
    return None if voice is None else Gap(accepted, voice, introduction)


def first_frame_from(said: Hearing, heard: Hearing) -> float | None:
    """When the first frame of `heard` came that was in `said` shortly before, at whatever offset. A phone
    that is never quite silent can be told by its own noise."""
    for moment, frame in zip(heard.times, heard.frames, strict=True):
        sent = said.between(moment - _DELAY, moment)
        if (
            len(sent.times)
            and _likeness(frame.astype(np.float64), sent.frames.ravel().astype(np.float64)) > _SAME
        ):
            return float(moment)
    return None


def _likeness(frame: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> float:
    """The highest normalised correlation of the frame with any stretch of its length."""
    energy = np.convolve(stretch**2, np.ones(FRAME), "valid") * float(frame @ frame)
    products = np.correlate(stretch, frame, "valid")
    return float(np.max(products / np.sqrt(np.maximum(energy, 1.0))))
