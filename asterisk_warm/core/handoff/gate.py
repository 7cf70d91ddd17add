"""What must hold of a lead before anyone is rung for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from asterisk_warm.core.handoff.model import Refusal, Status


@dataclass(frozen=True, slots=True)
class Condition:
    status: Status
    """What the dialplan is told when it does not hold."""
    words: str


CONDITIONS: Mapping[str, Condition] = {
    "qualified": Condition(Status.NOTQUALIFIED, "the lead is not qualified"),
    "consent": Condition(Status.NOCONSENT, "the lead has not consented"),
}
"""What a team may `require`, by name; the order is that in which they are checked."""


def refusal(require: Iterable[str], holds: Collection[str]) -> Refusal | None:
    """Why a lead of whom `holds` is known may not be handed off; None when they may."""
    wanted = set(require)
    missing = [condition for name, condition in CONDITIONS.items() if name in wanted and name not in holds]
    if not missing:
        return None
    return Refusal(missing[0].status, " and ".join(condition.words for condition in missing))
