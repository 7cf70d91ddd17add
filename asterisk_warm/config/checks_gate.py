"""What is hardly meant between what teams require of a lead and the scripts that they are asked by."""

from __future__ import annotations

from collections.abc import Mapping

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.written import HANDOFF, Written
from asterisk_warm.core.handoff.gate import READY
from asterisk_warm.core.script.model import Script
from asterisk_warm.core.script.ways import bounds

_SCORE: tuple[KeyPath, ...] = (("least_score",), ("script",))


def check(written: Written, scripts: Mapping[str, Script]) -> None:
    """Check a file that has no faults; ``scripts`` are those of the file, and have none either."""
    scopes = dict(written.settings())
    scored = any(settings.least_score is not None for settings in scopes.values())
    most = {id: bounds(script)[1] for id, script in scripts.items() if scored}
    for scope, settings in scopes.items():
        _within_reach(written, scope, settings, most)
        among = scopes.values() if scope == HANDOFF else (settings,)
        if written.value((*scope, "script")) is not None and not any(map(_asks, among)):
            _nothing_required(written, scope)


def _asks(settings: HandoffSettings) -> bool:
    return READY in settings.require or settings.least_score is not None


def _within_reach(
    written: Written, scope: KeyPath, settings: HandoffSettings, most: Mapping[str, float]
) -> None:
    """Where no script is named, any of them will do."""
    least = settings.least_score
    best = max((points for id, points in most.items() if settings.script in (None, id)), default=None)
    if least is None or best is None or least <= best or not written.concerned(scope, *_SCORE):
        return
    who = f"the script {settings.script} gives" if settings.script else "the scripts of this file give"
    message = f"{dotted(scope)}: no lead has least_score ({least:g}): {who} at most {best:g} points"
    written.warn(written.place(scope, *_SCORE), message, expected=f"at most {best:g}")


def _nothing_required(written: Written, scope: KeyPath) -> None:
    """It may be meant so."""
    path = (*scope, "script")
    message = f"{dotted(path)} says whose answers agents are told, and keeps no lead from them"
    written.warn(path, message, expected="require: [ready] or least_score beside it, if it is to")
