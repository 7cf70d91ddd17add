"""A handoff told event by event, for tests of the core: `connected().then(ev.AgentHungUp, offer=1, …)`."""

from __future__ import annotations

from typing import Any

from property.handoffs import AGENTS, request, stamp

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import Handoff, Outcome, Playing
from asterisk_warm.core.handoff.story import Chapter
from asterisk_warm.core.handoff.transition import Decision, begin, transition

EVERYBODY = tuple(agent.id for agent in AGENTS)


class History:
    """Each step checks the invariants. `at` is the clock of the next event."""

    def __init__(self, **changes: Any) -> None:
        first = request(**changes)
        self.at = first.at
        self.decision: Decision = begin(first)
        self.chapters = [Chapter(first, None, self.decision.handoff, self.decision.commands)]

    def then(self, kind: type[ev.Event], *, later: float = 0.0, **fields: Any) -> History:
        self.at += later
        return self.take(kind(**stamp(self.at), **fields))

    def take(self, event: ev.Event) -> History:
        before = self.decision.handoff
        self.decision = transition(before, event)
        assert violations(self.decision.handoff) == []
        self.chapters.append(Chapter(event, before, self.decision.handoff, self.decision.commands))
        return self

    def wait(self) -> History:
        """Until the next deadline."""
        due = self.decision.deadline
        assert due is not None
        return self.then(ev.DeadlinePassed, later=due - self.at)

    def reconciled(self, later: float = 1.0, **fields: Any) -> History:
        """Asterisk is read after an outage; by default the lead is held in the bridge, no agent there."""
        found: dict[str, Any] = {
            "after_outage": True,
            "lead_present": True,
            "lead_in_stasis": True,
            "lead_in_bridge": True,
            "agents_up": (),
            "agents_ringing": (),
            "agents_joined": (),
            "agents_out_of_stasis": (),
        }
        return self.then(ev.Reconciled, later=later, **{**found, **fields})

    @property
    def handoff(self) -> Handoff:
        return self.decision.handoff

    @property
    def commands(self) -> tuple[Command, ...]:
        """Ordered by the last event."""
        return self.decision.commands

    @property
    def kinds(self) -> list[str]:
        return [type(command).__name__ for command in self.commands]

    def offer_states(self) -> list[str]:
        return [offer.state.value for offer in self.handoff.offers]

    def told(self) -> dict[str, str]:
        """The variables that the last event sent to the dialplan."""
        for command in self.commands:
            if type(command).__name__ in ("ReturnLead", "LetGo"):
                return dict(command.variables)  # type: ignore[attr-defined]
        raise AssertionError(f"nothing was told: {self.commands}")


def seeking(**changes: Any) -> History:
    return History(**changes).then(ev.LeadSecured)


def offering(free: tuple[str, ...] = EVERYBODY, **changes: Any) -> History:
    others = tuple((agent, "in a call") for agent in EVERYBODY if agent not in free)
    ready = seeking(**changes).then(ev.SpeechReady)
    return ready.then(ev.AgentsFound, free=free, not_free=others)


def briefing(free: tuple[str, ...] = EVERYBODY, **changes: Any) -> History:
    """Agent 1 has answered."""
    return offering(free, **changes).then(ev.AgentAnswered, offer=1, later=3.0)


def introducing(free: tuple[str, ...] = EVERYBODY, **changes: Any) -> History:
    """Agent 1 has accepted."""
    return briefing(free, **changes).then(ev.DigitPressed, offer=1, digit="1", later=4.0)


def connected(free: tuple[str, ...] = EVERYBODY, **changes: Any) -> History:
    joined = introducing(free, **changes).then(ev.AgentJoined, offer=1)
    return joined.then(ev.PlaybackEnded, what=Playing.INTRODUCTION, number=1, later=1.5)


def hung_up(outcome: Outcome = Outcome.HUNG_UP, offer: int = 1) -> dict[str, Any]:
    return {"offer": offer, "outcome": outcome, "cause": outcome.value.replace("_", " ")}
