"""The admin's own recordings in place of our prompts, brought to where Asterisk finds them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from asterisk_warm.speech.folder import PLAYABLE, UNFINISHED, SoundFolder

_log = logging.getLogger(__name__)


def mirror(source: Path | None, target: SoundFolder, names: Collection[str]) -> None:
    """Make `target` hold the recordings in `source` that are named like one of `names`, and no others.

    They are copied because Asterisk may see `source` under another path, or not at all. Raises OSError.
    """
    wanted = _recordings(source, names) if source else {}
    for file_name, path in wanted.items():
        target.keep(file_name, path.read_bytes())
    if target.directory.is_dir():
        for path in target.directory.iterdir():
            if path.name not in wanted and not path.name.startswith(UNFINISHED):
                path.unlink(missing_ok=True)


def _recordings(source: Path, names: Collection[str]) -> dict[str, Path]:
    found = {}
    for path in sorted(source.iterdir()):
        if path.suffix in PLAYABLE and path.stem in names:
            found[path.name] = path
        else:
            _log.warning("%s replaces no prompt: there are %s", path, ", ".join(sorted(names)))
    return found
