"""The admin's own recordings in place of our prompts, brought to where Asterisk finds them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from asterisk_warm.speech.folder import PLAYABLE, UNFINISHED, SoundFolder

_log = logging.getLogger(__name__)


def mirror(
    source: Path | None, target: SoundFolder, names: Collection[str], languages: Collection[str] = ()
) -> None:
    """Make `target` hold the recordings in `source` that are named like one of `names`, and no others; and so
    its folder of each of the languages.

    They are copied because Asterisk may see `source` under another path, or not at all. Raises OSError.
    """
    for language in languages:
        own = source / language if source else None
        mirror(own if own and own.is_dir() else None, target.sub(language), names)
    wanted = _recordings(source, names, languages) if source else {}
    for file_name, path in wanted.items():
        target.keep(file_name, path.read_bytes())
    if target.directory.is_dir():
        for path in target.directory.iterdir():
            kept = path.name in wanted or path.name.startswith(UNFINISHED) or path.is_dir()
            if not kept:
                path.unlink(missing_ok=True)


def _recordings(source: Path, names: Collection[str], languages: Collection[str]) -> dict[str, Path]:
    found = {}
    for path in sorted(source.iterdir()):
        if path.suffix in PLAYABLE and path.stem in names:
            found[path.name] = path
        elif path.name not in languages:
            _log.warning("%s replaces no prompt: there are %s", path, ", ".join(sorted(names)))
    return found
