"""The demo as its user runs it, from the command line to the folder, and to Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import RATE, read_wav

pytestmark = pytest.mark.real

CHECKOUT = Path(__file__).parents[2]


def started(workdir: Path, *arguments: str) -> subprocess.Popen[str]:
    """`asterisk-warm demo` on its own, with everything temporary inside `workdir`."""
    # Its own process: its own network too, so that it meets no other lab's ports.
    environment = {**os.environ, "TMPDIR": str(workdir), "PYTHONPATH": str(CHECKOUT), "COLUMNS": "80"}
    return subprocess.Popen(
        # Where the tests themselves run in a background job, Ctrl-C is switched off for all it starts.
        ["env", "--default-signal=INT", sys.executable, "-u", "-m", "asterisk_warm", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=workdir,
        env=environment,
    )


def assert_nothing_left(workdir: Path, *kept: str) -> None:
    # The speech model's runtime leaves a file of its own in every temporary folder it meets.
    left = {path.name for path in workdir.iterdir()} - {*kept, ".ses"}
    assert not left, f"left in the temporary folder: {left}"
    running = [line for line in _command_lines() if str(workdir) in line]
    assert not running, f"still running: {running}"


def _command_lines() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile


def test_given_all_scenes_when_played_then_the_folder_tells_and_sounds_them(
    root: Root, version: str, workdir: Path
) -> None:
    demo = started(workdir, "--asterisk", version, "--out", "out")
    said, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, said
    out = workdir / "out"
    outcomes = {1: "CONNECTED", 2: "NOAGENT", 3: "CONNECTED"}
    heard = {1: {"lead", "ana", "ben"}, 2: {"lead"}, 3: {"lead", "ana", "ben"}}
    assert {path.name for path in out.iterdir()} == {"index.html", "scene-1", "scene-2", "scene-3"}
    for number, status in outcomes.items():
        folder = out / f"scene-{number}"
        kept = json.loads((folder / "journal.json").read_text())
        assert kept["handoff"]["status"] == status
        assert kept["journal"][0]["event"] == "HandoffRequested"
        assert {path.stem for path in folder.glob("*.wav")} == heard[number]
        for wav in folder.glob("*.wav"):
            samples = read_wav(wav)
            assert len(samples) > 2 * RATE and np.abs(samples.astype(int)).max() > 3000, wav
        with Image.open(folder / "timeline.png") as image:
            assert image.width == 1600
    assert_what_happened(out)
    assert_nothing_left(workdir, "out")


def assert_what_happened(out: Path) -> None:
    outcome, measured = {}, {}
    for number in (1, 2, 3):
        kept = json.loads((out / f"scene-{number}" / "journal.json").read_text())
        outcome[number] = {offer["agent_id"]: offer["state"] for offer in kept["handoff"]["offers"]}
        measured[number] = kept["measured"]
    assert outcome[1] == {"ana": "DECLINED", "ben": "ACCEPTED", "cleo": "LOST"}
    assert outcome[2] == {"ben": "BUSY"}
    assert sorted(outcome[3].values()) == ["ACCEPTED", "LOST", "LOST"]
    if shutil.which("tcpdump"):
        # A demo on a busy machine: far beyond what `make bench` asks for, yet not a person's pause.
        assert 0 < measured[1]["key_to_voice_ms"] < 500
        assert 0 <= measured[3]["keys_apart_ms"] < 50
    story = (out / "scene-2" / "story.txt").read_text()
    assert "was not rung (in a call)" in story and "was not rung (phone not registered)" in story
    assert re.search(
        r"told goodbye \((Ana|Ben) \w+ took the lead\)", (out / "scene-3" / "story.txt").read_text()
    )


def test_given_a_running_scene_when_interrupted_then_everything_is_cleared_away(
    root: Root, version: str, workdir: Path
) -> None:
    demo = started(workdir, "--asterisk", version, "--scene", "1", "--out", "out")
    assert demo.stdout is not None
    said = ""
    while "answered" not in said:
        line = demo.stdout.readline()
        assert line, said
        said += line
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=20)
    assert demo.returncode == 130, said + rest
    assert "Traceback" not in rest
    assert_nothing_left(workdir)
