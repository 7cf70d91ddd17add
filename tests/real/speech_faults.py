"""Speech engines that let us down while the daemon runs: the real ones, with a fault that can be switched on and off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ENGINES = ("espeak", "hibari")
FAULTS = ("slow", "fails", "babbles", "dies")
MISSING = "missing"
"""A fault too, but one that a daemon starts with."""
SLOW_SECONDS = 30

# Version and voices are told all along: the daemon finds an engine that works, and then it does not any more.
_ESPEAK = """#!/bin/sh
PATH=/usr/bin:/bin
fault=$(cat "{folder}/fault")
[ "$1" = --version ] && fault=
[ -n "$fault" ] && echo "$fault" >> "{folder}/met"
case "$fault" in
  slow) exec sleep {slow} ;;
  fails) echo "no voice today" >&2; exit 1 ;;
  babbles) cat > /dev/null; printf RIFF; exec head -c 100000 /dev/zero ;;
  dies) "{real}" "$@" | head -c 3000; kill -9 $$ ;;
  *) exec "{real}" "$@" ;;
esac
"""
_HIBARI = '''"""The real one, with a fault."""
import importlib, os, pathlib, signal, sys, time
_folder = pathlib.Path({folder!r})
sys.path.remove({shadow!r})
del sys.modules["hibari"]
_real = importlib.import_module("hibari")
_speaks = _real.Hibari.__call__
def _faulty(self, text, **more):
    fault = (_folder / "fault").read_text() if text != "Warm up." else ""
    if fault:
        with (_folder / "met").open("a") as file:
            file.write(fault + "\\n")
    if fault == "slow":
        time.sleep({slow})
    if fault == "fails":
        raise RuntimeError("no voice today")
    if fault == "babbles":
        print("\\0" * 100_000)
        return _speaks(self, text, **more)[:0]
    if fault == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return _speaks(self, text, **more)
_real.Hibari.__call__ = _faulty
'''


class Faulty:
    """An engine as a daemon finds it that has `environment`."""

    def __init__(self, engine: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shadow = folder / "shadow" / "hibari" / "__init__.py"
        self._program = folder / "bin" / "espeak-ng"
        for path in (self._shadow, self._program):
            path.parent.mkdir(parents=True, exist_ok=True)
        # Nothing else is on the PATH of that daemon; this one starts it.
        (folder / "bin" / "setpriv").symlink_to(_found("setpriv"))
        self._engine = engine
        self.is_("")

    @property
    def environment(self) -> dict[str, str]:
        python = os.pathsep.join(filter(None, (str(self._folder / "shadow"), os.environ.get("PYTHONPATH"))))
        return {"PATH": str(self._folder / "bin"), "PYTHONPATH": python}

    def is_(self, fault: str) -> None:
        """From now on it has that fault; empty: none. One that is `missing` is so from the daemon's start on."""
        (self._folder / "met").unlink(missing_ok=True)
        (self._folder / "fault").write_text("" if fault == MISSING else fault)
        self._program.unlink(missing_ok=True)
        if fault == MISSING:
            self._shadow.write_text("raise ImportError('it is not here')\n")
        else:
            self._install()

    @property
    def met(self) -> bool:
        """Whether it was asked to speak while it had its fault."""
        return (self._folder / "met").exists()

    def _install(self) -> None:
        self._program.write_text(
            _ESPEAK.format(folder=self._folder, slow=SLOW_SECONDS, real=_found("espeak-ng"))
        )
        self._program.chmod(0o755)
        shadow = str(self._shadow.parents[1])
        self._shadow.write_text(_HIBARI.format(folder=str(self._folder), shadow=shadow, slow=SLOW_SECONDS))


def _found(program: str) -> str:
    path = shutil.which(program)
    assert path is not None, f"{program} is needed here"
    return path
