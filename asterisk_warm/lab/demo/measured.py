"""The handoff gap from RTP: from the end of the accept key to the agent's first frame at the lead."""

from __future__ import annotations

from collections.abc import Sequence
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


def gap(
    traffic: Traffic,
    lead_call: str,
    agent_call: str,
    key: str,
    introduction: float = 0.0,
    others: Sequence[str] = (),
) -> Gap | None:
    """From the accept key's first END packet to the first frame at the lead that is the agent's; None when
    there is none. Calls are named by their SIP Call-ID.

    `introduction` is the length in seconds of the line that the lead hears in between. A frame of the agent's
    that slips through before that line begins is not what a person would call hearing them. `others` are the
    calls of who else talks to the lead then.
    """
    accepted = key_released_at(traffic, agent_call, key)
    if accepted is None:
        return None
    first, last = accepted - 2 * _DELAY, accepted + _LOOK_FOR
    said = traffic.said_at(agent_call).between(first, last)
    heard = traffic.heard_at(lead_call).between(accepted + introduction, last)
    besides = [traffic.said_at(call).between(first, last) for call in others]
    voice = first_frame_from(said, heard, besides)
    return None if voice is None else Gap(accepted, voice, introduction)


def first_frame_from(said: Hearing, heard: Hearing, others: Sequence[Hearing] = ()) -> float | None:
    """When the first frame of `heard` came that was in `said` shortly before, at whatever offset, be it mixed
    with what `others` said. A phone that is never quite silent can be told by its own noise."""
    for moment, frame in zip(heard.times, heard.frames, strict=True):
        rest = frame.astype(np.float64)
        for other in others:
            rest = _without(rest, _stretch(other, moment))
        if _likeness(rest, _stretch(said, moment)) > _SAME:
            return float(moment)
    return None


def _stretch(said: Hearing, moment: float) -> npt.NDArray[np.float64]:
    """All that a phone sent shortly before."""
    return said.between(moment - _DELAY, moment).frames.ravel().astype(np.float64)


def _likeness(frame: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> float:
    """The highest normalised correlation of the frame with any stretch of its length."""
    likenesses = _likenesses(frame, stretch)
    return float(np.max(likenesses, initial=0.0))


def _without(frame: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The frame less what is most like it in the stretch, as loud as it is in it."""
    likenesses = _likenesses(frame, stretch)
    if not len(likenesses):
        return frame
    at = int(np.argmax(likenesses))
    like = stretch[at : at + FRAME]
    return np.asarray(frame - like * (frame @ like) / max(float(like @ like), 1.0))


def _likenesses(frame: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(stretch) < FRAME:
        return np.zeros(0)
    energy = np.convolve(stretch**2, np.ones(FRAME), "valid") * float(frame @ frame)
    products = np.correlate(stretch, frame, "valid")
    return np.asarray(products / np.sqrt(np.maximum(energy, 1.0)))
