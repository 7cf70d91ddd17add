"""The command: what was asked for, what can go wrong, and what to do about it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from baresip import BaresipError
from rich.console import Console

from asterisk_warm.lab.asterisk import AsteriskFailed
from asterisk_warm.lab.call import PhoneError
from asterisk_warm.lab.capture import CaptureFailed
from asterisk_warm.lab.daemon import DaemonFailed
from asterisk_warm.lab.demo.evening import ASTERISKS, play
from asterisk_warm.lab.demo.scenes import SCENES
from asterisk_warm.lab.root import NoAsterisk

SCENE_CHOICES = ("all", *(str(scene.number) for scene in SCENES))

_LOOK = "what happened is in {logs}; if the machine was busy, run it again"
_REMEDIES: Mapping[type[Exception], str] = {
    NoAsterisk: "install Asterisk 16 or later, or be root on Debian with its package mirror within reach",
    AsteriskFailed: "its log is {logs}/asterisk.log; another --asterisk may do",
    DaemonFailed: "its log is {logs}/daemon.log",
    CaptureFailed: "be root, or remove tcpdump to go without measuring",
    PhoneError: _LOOK,
    TimeoutError: _LOOK,
    BaresipError: _LOOK,
    subprocess.SubprocessError: _LOOK,
    OSError: "be root, with room on the disk",
}
"""By kind of error, the first that fits."""


def main(asterisk: str = "auto", scene: str = "all", out: Path | None = None) -> int:
    """Play the scenes and write the folder. Exit codes: 0 played, 1 failed, 2 no such choice, 130 stopped."""
    console = Console()
    for option, value, choices in (("--asterisk", asterisk, ASTERISKS), ("--scene", scene, SCENE_CHOICES)):
        if value not in choices:
            _complain(console, f"{option} {value}: expected {', '.join(choices)}")
            return 2
    out = out or Path(time.strftime("demo-%Y%m%d-%H%M%S"))
    try:
        play(console, asterisk, [one for one in SCENES if scene in ("all", str(one.number))], out)
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130
    except tuple(_REMEDIES) as error:
        logs = out / "logs"
        remedy = next(words for kind, words in _REMEDIES.items() if isinstance(error, kind))
        if "{logs}" in remedy and not logs.exists():
            remedy = "run it again, or with another --asterisk"
        what = (str(error) or type(error).__name__).splitlines()[0]
        _complain(console, f"failed: {what[:200]}; {remedy.format(logs=logs)}")
        return 1
    return 0


def _complain(console: Console, line: str) -> None:
    console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
