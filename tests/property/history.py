"""A handoff told event by event, for tests of the core: `connected().then(ev.AgentHungUp, offer=1, …)`."""

from __future__ import annotations

from typing import Any, TypeVar

from property.handoffs import AGENTS, ON_HOLD, QUINN, policy, request, stamp

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Command, Tell, TellQualifier
from asterisk_warm.core.handoff.invariants import violations
from asterisk_warm.core.handoff.model import Handoff, Outcome, Playing, Qualifier, QualifierIs
from asterisk_warm.core.handoff.policy import Action, Mode
from asterisk_warm.core.handoff.story import Chapter
from asterisk_warm.core.handoff.table import TABLE
from asterisk_warm.core.handoff.transition import Decision, begin, transition

C = TypeVar("C", bound=Command)
EVERYBODY = tuple(agent.id for agent in AGENTS)


class History:
    """Each step checks the invariants and the table. `at` is the clock of the next event."""

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
        row = TABLE[before.state].get(type(event))
        assert self.decision.handoff.state in {before.state, *(row.to if row is not None else ())}
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
            **self._qualifier_found(),
        }
        return self.then(ev.Reconciled, later=later, **{**found, **fields})

    def _qualifier_found(self) -> dict[str, Any]:
        """Where they are thought to be."""
        where = self.handoff.qualifier_is
        return {
            "qualifier_present": where is not QualifierIs.GONE,
            "qualifier_in_stasis": self.handoff.qualifier_here,
            "qualifier_with_lead": where is QualifierIs.WITH_LEAD,
            "qualifier_with_agent": where is QualifierIs.WITH_AGENT,
        }

    def asks(self, action: Action, later: float = 1.0) -> History:
        """The qualifier, by the API."""
        return self.then(ev.QualifierAsked, later=later, action=action, by="api")

    def keys(self, digits: str, later: float = 1.0) -> History:
        """The qualifier presses them, a moment apart."""
        self.at += later
        for digit in digits:
            self.then(ev.QualifierPressed, later=0.25, digit=digit)
        return self

    def found(self, *agents: str, later: float = 0.0, hope: bool = True) -> History:
        """Agents are reserved for this lead; without any, there is nobody now."""
        return self.then(ev.AgentsFound, later=later, free=agents, not_free=(), hope=hope)

    def qualifier_hangs_up(self, later: float = 1.0) -> History:
        return self.then(ev.QualifierHungUp, later=later, cause="normal clearing")

    def lead_hangs_up(self, later: float = 1.0) -> History:
        return self.then(ev.LeadHungUp, later=later, cause="normal clearing")

    def agent_hangs_up(self, offer: int = 1, later: float = 1.0) -> History:
        return self.then(ev.AgentHungUp, later=later, **hung_up(offer=offer))

    @property
    def handoff(self) -> Handoff:
        return self.decision.handoff

    @property
    def commands(self) -> tuple[Command, ...]:
        """Ordered by the last event, but for what screens are told."""
        return tuple(order for order in self.decision.commands if not isinstance(order, Tell))

    @property
    def news(self) -> list[str]:
        """What screens are told by the last event: `offer.made 1`."""
        told = [order for order in self.decision.commands if isinstance(order, Tell)]
        return [f"{tell.news} {tell.offer}" if tell.offer else tell.news.value for tell in told]

    @property
    def kinds(self) -> list[str]:
        return [type(command).__name__ for command in self.commands]

    def order(self, kind: type[C]) -> C:
        """The one order of that kind that the last event gave."""
        (found,) = [command for command in self.commands if isinstance(command, kind)]
        return found

    def told_aside(self) -> list[str]:
        """What the qualifier alone is told: texts, or names of prompts."""
        return [line.text or line.prompt for line in self.order(TellQualifier).media]

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


def with_qualifier(mode: Mode, who: Qualifier = QUINN, **settings: Any) -> dict[str, Any]:
    """The request of a qualifier in one call with the lead, without comfort announcements."""
    return {"policy": policy(mode, **{"comfort": 0.0, **settings}), "qualifier": who}


def staying(**settings: Any) -> History:
    """The qualifier talks on while agents are rung."""
    return offering(**with_qualifier(Mode.STAY, **settings))


def three_way(**settings: Any) -> History:
    """Agent 1 was brought to lead and qualifier."""
    accepted = introducing(**with_qualifier(Mode.STAY, **settings))
    return accepted.then(ev.AgentJoined, offer=1, later=0.1)


def aside(**settings: Any) -> History:
    """The qualifier waits aside while agents are rung, the lead is held."""
    return offering(**with_qualifier(Mode.CONSULT, **settings))


def consulting(**settings: Any) -> History:
    """Agent 1 talks to the qualifier alone."""
    accepted = introducing(**with_qualifier(Mode.CONSULT, **settings))
    return accepted.then(ev.ConsultStarted, offer=1, later=0.1)


def swapped(**settings: Any) -> History:
    """The qualifier talks to the lead, agent 1 waits."""
    return consulting(**settings).asks(Action.SWAP).then(ev.QualifierJoined, later=0.1)


def blonde(**settings: Any) -> History:
    """The qualifier has hung up while agents were rung."""
    return staying(**settings).qualifier_hangs_up()


def left(**settings: Any) -> History:
    """Connected, in a bridge of Asterisk's own; the qualifier has left."""
    talking = three_way(**settings).asks(Action.COMPLETE).then(ev.QualifierLeft)
    talking.then(ev.LeadLeft).then(ev.AgentLeft, offer=1).then(ev.BridgeClosed)
    return talking.agent_hangs_up(2).agent_hangs_up(3)


def returned(**settings: Any) -> History:
    """Nobody took the lead: the qualifier, who waited aside, is being joined to them."""
    history = aside(**settings)
    for offer in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, offer))
    return history


def recalling(**settings: Any) -> History:
    """Nobody took the lead: the qualifier, who had hung up, is rung."""
    history = blonde(**settings)
    for offer in (1, 2, 3):
        history.then(ev.AgentHungUp, later=1.0, **hung_up(Outcome.BUSY, offer))
    return history


def at_phone(**settings: Any) -> History:
    """The lead is on hold at the qualifier's own phone while agents are rung."""
    ready = History(**with_qualifier(Mode.CONSULT, ON_HOLD, **settings)).then(ev.SpeechReady)
    return ready.then(ev.AgentsFound, free=EVERYBODY, not_free=())


def consulting_at_phone(**settings: Any) -> History:
    """Agent 1 talks to the qualifier alone, who has the lead on hold at their own phone."""
    answered = at_phone(**settings).then(ev.AgentAnswered, offer=1, later=3.0)
    accepted = answered.then(ev.DigitPressed, offer=1, digit="1", later=4.0)
    return accepted.then(ev.ConsultStarted, offer=1, later=0.1)


def hung_up(outcome: Outcome = Outcome.HUNG_UP, offer: int = 1) -> dict[str, Any]:
    return {"offer": offer, "outcome": outcome, "cause": outcome.value.replace("_", " ")}
