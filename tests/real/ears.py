"""What was heard, and whether this machine was fit to tell."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scene import COMFORT_HZ, FAREWELL_HZ, INTRODUCTION_HZ, LEAD_TONE, MUSIC, RETURNED, TONES, until

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ, FRAME_SECONDS, Hearing
from asterisk_warm.lab.traffic import Traffic

FOREVER = float("inf")
NO_SILENCE = 0.1
"""Longest silence a lead may hear, in seconds."""
GAP = 0.15
"""By when voices must carry after an accept, in seconds, on a machine that does much else; `make bench` measures it."""
TRIES = 4
ALL = (
    *(MUSIC, COMFORT_HZ, BRIEFING_MARKER_HZ, INTRODUCTION_HZ, FAREWELL_HZ, LEAD_TONE, RETURNED),
    *TONES.values(),
)
"""Every sound there is."""


def audible(ear: Hearing, *tones: int) -> set[int]:
    """Which of the tones are heard at all (two frames may be a click)."""
    return {hz for hz in tones if ear.hears(hz, frames=3)}


async def hears(capture: Capture, call: str, hz: int, frames: int = 20) -> Traffic:
    """Wait until that has been heard in the call."""

    def heard() -> Traffic | None:
        traffic = capture.traffic()
        return traffic if traffic.heard_at(call).hears(hz, frames=frames) else None

    return await until(heard, 8.0, f"{hz} Hz")


def onset(ear: Hearing, hz: int, after: float = 0.0) -> float | None:
    """When a tone began that lasted: where sounds change, one frame may hold a bit of everything."""
    has = ear.has(hz) & (ear.times >= after)
    begun = np.flatnonzero(has[:-2] & has[1:-1] & has[2:])
    return float(ear.times[begun[0]]) if len(begun) else None


@dataclass(frozen=True)
class Bystander:
    """Callers who only listen to music meanwhile. What they miss too is the machine's doing, not the handoff's."""

    calls: tuple[str, ...]

    @classmethod
    async def listening(cls, phones: Phones) -> Bystander:
        calls = [await phones.lead("Bystander", f"555001{n}", tone_hz=300).dial("music") for n in range(3)]
        await asyncio.gather(*(call.answered() for call in calls))
        return cls(tuple(call.call_id for call in calls))

    def stalled(self, traffic: Traffic, start: float = 0.0, end: float = FOREVER) -> float:
        """Seconds around that time for which the machine did not keep up."""
        missed = [0.0]
        for call in self.calls:
            for ear in (traffic.heard_at(call), traffic.said_at(call)):
                late = np.diff(ear.between(start - 0.25, end + 0.25).times) - FRAME_SECONDS
                missed.append(float(late[late > FRAME_SECONDS].sum()))
        return max(missed)

    def silence(self, traffic: Traffic, ear: Hearing, start: float | None, end: float | None) -> float:
        """The longest silence of ours that an ear heard between two moments, which there must have been."""
        assert start is not None and end is not None
        part = ear.between(start, end)
        edges = np.concatenate(([start], part.times[~part.silent()], [end]))
        gaps = np.diff(edges) - FRAME_SECONDS
        holes = [
            (gaps[i] - self.stalled(traffic, edges[i], edges[i + 1]), edges[i] - start)
            for i in np.flatnonzero(gaps > NO_SILENCE)
        ]
        if not holes:
            return float(max(gaps.max(), 0.0))
        longest, at = max(holes)
        print(f"silence of {longest:.3f} s, {at:.3f} s after the answer")
        return float(longest)


def when_the_machine_keeps_up(scene: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """A test of sound, played again when it fails while bystanders missed something too: what a busy machine does to
    RTP is not the handoff's. On a machine that keeps up it is played once, and each failure counts.

    `phones`, `capture` and `bystander` are new for each try."""

    async def test(**given: Any) -> None:
        stage: Stage = given["stage"]
        workdir: Path = given["workdir"]
        wanted = {name: value for name, value in given.items() if name in asked}
        for attempt in range(1, TRIES + 1):
            with Capture(workdir / f"scene{attempt}.pcap") as capture:
                try:
                    async with stage.phones() as phones:
                        bystander = await Bystander.listening(phones)
                        await scene(**wanted, phones=phones, capture=capture, bystander=bystander)
                    await stage.nothing_left()
                    return
                except (AssertionError, TimeoutError):
                    stalled = bystander.stalled(capture.traffic())
                    if stalled < FRAME_SECONDS or attempt == TRIES:
                        raise
                    print(f"played again: the machine fell {stalled:.2f} s behind")
                    await stage.nothing_left(20.0)

    own = {"phones", "capture", "bystander"}
    signature = inspect.signature(scene)
    asked = signature.parameters.keys() - own
    fixtures = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        for name in sorted({*asked, "stage", "workdir"})
    ]
    test.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]
    test.__name__, test.__doc__ = scene.__name__, scene.__doc__
    test.__module__ = scene.__module__
    return test
