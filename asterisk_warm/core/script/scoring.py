"""What the answers amount to: score, verdict and why."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from asterisk_warm.core.script.answers import Answer, Outcome
from asterisk_warm.core.script.model import Script, Verdict
from asterisk_warm.core.script.path import Path, walked
from asterisk_warm.core.script.speaking import templated


def outcome(script: Script, answers: Sequence[Answer], name: str = "") -> Outcome:
    """Only answers on the path count. `name`: the lead's, for the templates. Raises TemplateError where
    `lint` finds an error in one of them."""
    path = walked(script, answers)
    score = rounded(fsum(step.effect.points for step in path.steps))
    verdict = _verdict(script, path, score)
    reason = "" if verdict is None else _reason(script, path, score, verdict)
    return Outcome(path.next is None, score, verdict, reason, *templated(script, path.steps, name, score))


def rounded(score: float) -> float:
    """Without the dust of adding tenths."""
    return round(score, 6)


def _verdict(script: Script, path: Path, score: float) -> Verdict | None:
    if path.next is not None:
        return None
    if path.knockout or score < min(script.nurture, script.ready):
        return Verdict.DISQUALIFIED
    return Verdict.READY if score >= script.ready else Verdict.NURTURE


def _reason(script: Script, path: Path, score: float, verdict: Verdict) -> str:
    points = f"{score:g} points, ready from {script.ready:g}"
    if verdict is Verdict.READY:
        return points
    return path.knockout or f"{script.below} ({points})"
