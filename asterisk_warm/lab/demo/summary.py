"""What came of a scene, in figures."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from asterisk_warm.core.handoff.model import Handoff, Offer
from asterisk_warm.lab.demo.lanes import note
from asterisk_warm.lab.demo.measured import Gap


@dataclass(frozen=True)
class AgentRow:
    """One agent of the team. Durations in seconds; None where it did not come to that."""

    name: str
    outcome: str
    rang: float | None
    briefed: float | None


@dataclass(frozen=True)
class QualifierRow:
    """Who was on the line with the lead. Seconds from the request on; None where it did not come to that."""

    name: str
    agent: str
    agent_there: float | None
    left: float | None


@dataclass(frozen=True)
class Summary:
    lead: str
    outcome: str
    reason: str
    agents: tuple[AgentRow, ...]
    qualifier: QualifierRow | None
    gap_seconds: float | None
    """The handoff gap: how long no human was with the lead, from the request on."""
    gap: Gap | None
    """Measured from RTP."""
    keys_apart_ms: float | None
    """Between the accept keys of two agents, from RTP."""
    silence_seconds: float | None
    """The longest in the lead's ear from the request on, from RTP."""

    def figures(self) -> list[tuple[str, str]]:
        """(what, how much), for those there are."""
        rows = [("outcome", f"{self.outcome}: {self.reason}" if self.reason else self.outcome)]
        if self.gap_seconds is not None:
            rows.append(("handoff gap", f"{self.gap_seconds:.2f} s {self._gap_is()}"))
        if self.qualifier is not None:
            rows += self._with_qualifier(self.qualifier)
        if self.gap is not None:
            rows.append(("key to voice", f"{gap_words(self.gap)} (from RTP)"))
        if self.keys_apart_ms is not None:
            rows.append(("two accepts", f"{self.keys_apart_ms:.1f} ms apart (from RTP)"))
        return rows

    def _gap_is(self) -> str:
        if self.qualifier is None:
            return "from the request until a human was there"
        return "without a human: there was one all along" if not self.gap_seconds else "without a human"

    def _with_qualifier(self, who: QualifierRow) -> list[tuple[str, str]]:
        rows = []
        if who.agent_there is not None:
            rows.append(("agent there", f"{who.agent_there:.2f} s after the request: {who.agent}"))
        if who.left is not None:
            rows.append(("qualifier", f"{who.name}, who left {who.left:.2f} s after the request"))
        if self.silence_seconds is not None:
            longest = f"{self.silence_seconds * 1000:.0f} ms"
            rows.append(("silence", f"at most {longest} in the lead's ear from the request on (from RTP)"))
        return rows


def gap_words(gap: Gap) -> str:
    """ "19.2 ms, beside the introduction's 2.46 s" """
    beside = f", beside the introduction's {gap.introduction:.2f} s" if gap.introduction else ""
    return f"{gap.milliseconds:.1f} ms{beside}"


def summary(
    handoff: Handoff,
    gap: Gap | None,
    keys_apart_ms: float | None = None,
    silence_seconds: float | None = None,
) -> Summary:
    latest = {offer.agent.id: offer for offer in handoff.offers}
    return Summary(
        lead=handoff.lead.name or handoff.lead.number,
        outcome=handoff.status.value if handoff.status else handoff.state.value,
        reason=handoff.reason,
        agents=tuple(
            _row(agent.name, note(handoff, agent.id), latest.get(agent.id)) for agent in handoff.agents
        ),
        qualifier=_qualifier(handoff),
        gap_seconds=None if handoff.gap_ms is None else handoff.gap_ms / 1000,
        gap=gap,
        keys_apart_ms=keys_apart_ms,
        silence_seconds=silence_seconds,
    )


def _qualifier(handoff: Handoff) -> QualifierRow | None:
    who, winner = handoff.qualifier, handoff.winner
    if who is None:
        return None

    def after(moment: float | None) -> float | None:
        return None if moment is None else moment - handoff.requested_at

    agent = winner.agent.name if winner else ""
    return QualifierRow(who.name or who.number, agent, after(handoff.joined_at), after(handoff.left_at))


def _row(name: str, outcome: str, offer: Offer | None) -> AgentRow:
    if offer is None:
        return AgentRow(name, outcome, None, None)
    rang = (offer.answered_at or offer.decided_at or offer.rung_at) - (offer.ringing_at or offer.rung_at)
    briefed = None
    if offer.answered_at is not None and offer.decided_at is not None:
        briefed = offer.decided_at - offer.answered_at
    return AgentRow(name, outcome, rang, briefed)


def table(told: Summary) -> RenderableType:
    agents = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    agents.add_column("agent", no_wrap=True)
    agents.add_column("outcome")
    agents.add_column("rang", justify="right", no_wrap=True)
    agents.add_column("briefed", justify="right", no_wrap=True)
    for row in told.agents:
        agents.add_row(Text(row.name), Text(row.outcome), seconds(row.rang), seconds(row.briefed))
    figures = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    figures.add_column(style="dim", no_wrap=True)
    figures.add_column()
    for what, how_much in told.figures():
        figures.add_row(what, Text(how_much))
    return Group(agents, Text(), figures)


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
