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
class Summary:
    lead: str
    outcome: str
    reason: str
    agents: tuple[AgentRow, ...]
    gap_seconds: float | None
    """The handoff gap: from the request until a human was with the lead."""
    gap: Gap | None
    """Measured from RTP."""
    keys_apart_ms: float | None
    """Between the accept keys of two agents, from RTP."""

    def figures(self) -> list[tuple[str, str]]:
        """(what, how much), for those there are."""
        rows = [("outcome", f"{self.outcome}: {self.reason}" if self.reason else self.outcome)]
        if self.gap_seconds is not None:
            rows.append(("handoff gap", f"{self.gap_seconds:.2f} s from the request until a human was there"))
        if self.gap is not None:
            rows.append(("key to voice", f"{gap_words(self.gap)} (from RTP)"))
        if self.keys_apart_ms is not None:
            rows.append(("two accepts", f"{self.keys_apart_ms:.1f} ms apart (from RTP)"))
        return rows


def gap_words(gap: Gap) -> str:
    """ "19.2 ms, beside the introduction's 2.46 s" """
    beside = f", beside the introduction's {gap.introduction:.2f} s" if gap.introduction else ""
    return f"{gap.milliseconds:.1f} ms{beside}"


def summary(handoff: Handoff, gap: Gap | None, keys_apart_ms: float | None = None) -> Summary:
    latest = {offer.agent.id: offer for offer in handoff.offers}
    return Summary(
        lead=handoff.lead.name or handoff.lead.number,
        outcome=handoff.status.value if handoff.status else handoff.state.value,
        reason=handoff.reason,
        agents=tuple(
            _row(agent.name, note(handoff, agent.id), latest.get(agent.id)) for agent in handoff.agents
        ),
        gap_seconds=None if handoff.gap_ms is None else handoff.gap_ms / 1000,
        gap=gap,
        keys_apart_ms=keys_apart_ms,
    )


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
