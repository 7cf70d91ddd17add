"""What must hold of a lead before anyone is rung for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asterisk_warm.core.handoff.model import Refusal, Status
from asterisk_warm.core.handoff.policy import Policy
from asterisk_warm.core.script.model import Verdict

READY = "ready"


@dataclass(frozen=True, slots=True)
class Condition:
    status: Status
    """What the dialplan is told when it does not hold."""
    unknown: str
    """Why not, in words, when nobody has said anything of it."""
    denied: str
    """Why not, when it was said not to hold."""


CONDITIONS: Mapping[str, Condition] = {
    READY: Condition(Status.NOTQUALIFIED, "the lead was never asked", "the lead is not qualified"),
    "consent.call": Condition(
        Status.NOCONSENT, "no consent to be called is recorded", "the lead does not consent to be called"
    ),
    "consent.text": Condition(
        Status.NOCONSENT, "no consent to be texted is recorded", "the lead does not consent to be texted"
    ),
    "consent.recording": Condition(
        Status.NOCONSENT,
        "no consent to the call's recording is known",
        "the lead does not consent to the call's recording",
    ),
}
"""What a team may `require`, by name; the order is that in which they are checked."""

TOLD: Mapping[str, str] = {"qualified": READY, "consent": "consent.call"}
"""What can be said of a lead by an option, a variable or the API → the condition that it is about."""


@dataclass(frozen=True, slots=True)
class Qualified:
    """How a lead's qualification stands."""

    script: str
    version: int
    """0: another system's."""
    score: float
    verdict: str
    """Empty: it is not finished."""
    reason: str
    days: float
    """How long ago it was finished (or worked on last)."""
    valid_days: float

    @property
    def counts(self) -> bool:
        """Is it finished, and not too old?"""
        return bool(self.verdict) and self.days <= self.valid_days


@dataclass(frozen=True, slots=True)
class Standing:
    """What the gate goes by."""

    said: Mapping[str, bool]
    """What somebody has said of this call's lead, by condition; it wins over what is known, but for a consent
    that was withdrawn: nobody's word but the lead's next one brings that back."""
    qualified: Qualified | None = None
    """The qualification that counts, or else the latest one; None: there is none."""
    consents: Mapping[str, bool] = field(default_factory=dict)
    """The lead's latest word, by condition."""
    unread: str = ""
    """Why nothing is known of the lead, in words; empty: it was looked up."""


def refusal(policy: Policy, standing: Standing) -> Refusal | None:
    """Why such a lead may not be handed off; None when they may."""
    missing = [
        (condition.status, why)
        for name, condition in CONDITIONS.items()
        if _asked_for(policy, name) and (why := _why_not(policy, standing, name, condition))
    ]
    if not missing:
        return None
    return Refusal(missing[0][0], " and ".join(dict.fromkeys(why for _, why in missing)))


def _asked_for(policy: Policy, name: str) -> bool:
    return name in policy.require or (name == READY and policy.least_score is not None)


def _why_not(policy: Policy, standing: Standing, name: str, condition: Condition) -> str:
    """Empty when it holds."""
    said = standing.said.get(name, standing.consents.get(name))
    if said and standing.consents.get(name) is False:
        return f"{condition.denied}, by their latest recorded word"
    if said is not None:
        return "" if said else condition.denied
    if standing.unread:
        return standing.unread
    if name == READY and standing.qualified is not None:
        return _not_ready(policy, standing.qualified)
    return f"{condition.unknown} ({policy.script})" if name == READY and policy.script else condition.unknown


def _not_ready(policy: Policy, found: Qualified) -> str:
    of = f"{found.script}, version {found.version}" if found.version else found.script
    if not found.verdict:
        return f"the lead's qualification is not finished ({of})"
    if not found.counts:
        return f"the qualification is {found.days:.0f} days old ({of})"
    if READY in policy.require and found.verdict != Verdict.READY:
        return f"{CONDITIONS[READY].denied}: {found.reason or found.verdict} ({of})"
    if policy.least_score is not None and found.score < policy.least_score:
        return f"the lead's score is {found.score:g}, and {policy.least_score:g} is the least ({of})"
    return ""
