"""What must hold of a lead before anyone is rung."""

from __future__ import annotations

import pytest

from asterisk_warm.core.handoff.gate import CONDITIONS, refusal
from asterisk_warm.core.handoff.model import Refusal, Status

UNQUALIFIED = Refusal(Status.NOTQUALIFIED, "the lead is not qualified")
NO_CONSENT = Refusal(Status.NOCONSENT, "the lead has not consented")
NEITHER = Refusal(Status.NOTQUALIFIED, "the lead is not qualified and the lead has not consented")


@pytest.mark.parametrize(
    ("require", "holds", "refused"),
    [
        ((), (), None),
        ((), ("qualified",), None),
        (("qualified",), (), UNQUALIFIED),
        (("qualified",), ("consent",), UNQUALIFIED),
        (("consent",), ("qualified",), NO_CONSENT),
        (("consent", "qualified"), (), NEITHER),
        (("qualified", "consent"), ("qualified",), NO_CONSENT),
        (("qualified", "consent"), ("qualified", "consent"), None),
    ],
)
def test_given_what_is_required_and_what_holds_then_why_not_or_nothing(require, holds, refused):
    assert refusal(require, frozenset(holds)) == refused


def test_given_the_conditions_then_each_has_a_status_of_its_own():
    assert len({condition.status for condition in CONDITIONS.values()}) == len(CONDITIONS)
