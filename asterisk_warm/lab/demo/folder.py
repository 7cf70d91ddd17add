"""The folder that a run leaves: what everyone heard, the timelines, the journals, a page over them all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.demo import page, picture
from asterisk_warm.lab.demo.lanes import Chart
from asterisk_warm.lab.demo.measured import Gap
from asterisk_warm.lab.demo.picture import Envelope, Sheet
from asterisk_warm.lab.demo.scenes import Scene
from asterisk_warm.lab.demo.summary import Summary
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, Samples
from asterisk_warm.lab.traffic import Traffic


@dataclass(frozen=True)
class Played:
    """A scene that is over, with all that is kept of it."""

    scene: Scene
    chart: Chart
    summary: Summary
    gap: Gap | None
    heard: Mapping[str, Envelope]
    """By lane."""
    recordings: Mapping[str, Call]
    """The answered calls, by lane."""
    handoff: Mapping[str, Any]
    journal: Sequence[Mapping[str, Any]]
    story: Sequence[Mapping[str, Any]]


def save(played: Played, out: Path) -> page.Chapter:
    """Write one scene's folder below `out`; returns what the page needs of it."""
    name = f"scene-{played.scene.number}"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    for who, call in played.recordings.items():
        call.save_heard(folder / f"{who}.wav")
    title = f"{played.scene.number}. {played.scene.title}"
    picture.save(
        Sheet(title, played.scene.plot, played.chart, played.heard, played.gap), folder / "timeline.png"
    )
    kept = {
        "handoff": played.handoff,
        "measured": _measured(played),
        "journal": played.journal,
    }
    (folder / "journal.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    (folder / "story.txt").write_text("".join(story_line(line) + "\n" for line in played.story))
    names = {lane.id: lane.name for lane in played.chart.lanes}
    return page.Chapter(
        folder=name,
        title=title,
        plot=played.scene.plot,
        summary=played.summary,
        recordings=tuple((names[who], f"{who}.wav") for who in played.recordings),
        story=tuple((f"{line['offset']:.2f} s", line["who"], line["text"]) for line in played.story),
    )


def _measured(played: Played) -> dict[str, float | None]:
    gap, silence = played.gap, played.summary.silence_seconds
    return {
        "key_to_voice_ms": None if gap is None else gap.milliseconds,
        "introduction_seconds": None if gap is None else gap.introduction,
        "keys_apart_ms": played.summary.keys_apart_ms,
        "longest_silence_ms": None if silence is None else silence * 1000,
    }


def story_line(line: Mapping[str, Any]) -> str:
    return f"+{line['offset']:6.2f} s  {line['who']:<16}{line['text']}"


def envelope_of_call(call: Call) -> Envelope:
    """What a phone recorded, from its answer on: where nothing was captured."""
    return _envelope(call.heard, call.answered_at or call.began_at)


def envelope_of_traffic(traffic: Traffic, call: Call) -> Envelope:
    heard = traffic.heard_at(call.call_id)
    return Envelope(
        heard.times, np.abs(heard.frames.astype(np.int32)).max(axis=1, initial=0).astype(np.float64)
    )


def _envelope(samples: Samples, start: float) -> Envelope:
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.int32)
    level = np.abs(frames).max(axis=1, initial=0).astype(np.float64)
    times = np.asarray(start + np.arange(len(frames)) * FRAME_SECONDS, dtype=np.float64)
    return Envelope(times, level)
