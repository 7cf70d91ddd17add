"""The benchmark's figures: from a capture and the kernel's books to a table."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from asterisk_warm.lab.traffic import Traffic

NATIVE, WARM = "Asterisk alone", "asterisk_warm"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True)
class Ids:
    """A scene in the capture: the SIP Call-IDs of the lead's and the winning agent's call, and their
    tones."""

    lead: str
    agent: str
    lead_hz: int
    agent_hz: int


@dataclass(frozen=True)
class Gaps:
    """Milliseconds, one of each for each scene."""

    to_lead: list[float]
    to_agent: list[float]
    first_invite: list[float]


@dataclass(frozen=True)
class Figures:
    """One row: milliseconds, but for the memory in KiB."""

    way: str
    concurrent: int
    scenes: int
    lost: int
    """Scenes that did not come to an end, or whose digit or sound is not in the capture."""
    to_lead: float
    to_lead_p99: float
    to_agent: float
    to_agent_p99: float
    first_invite: float
    asterisk_cpu: float
    """CPU time for each scene."""
    daemon_cpu: float
    daemon_kib: float | None
    kib_per_handoff: float | None


class Meter:
    """CPU time of Asterisk and the daemon since it was made, and the daemon's memory."""

    def __init__(self, asterisk: int, daemon: int) -> None:
        self._pids = (asterisk, daemon)
        self._before = [_cpu_ms(pid) for pid in self._pids]

    def cpu(self, scenes: int) -> tuple[float, float]:
        """(Asterisk's, the daemon's) milliseconds for each of so many scenes."""
        used = [_cpu_ms(pid) - before for pid, before in zip(self._pids, self._before, strict=True)]
        return used[0] / scenes, used[1] / scenes

    def memory(self) -> float:
        """The daemon's resident KiB, now."""
        return int(Path(f"/proc/{self._pids[1]}/statm").read_text().split()[1]) * _PAGE_KIB


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS


def gaps(traffic: Traffic, scenes: Sequence[Ids]) -> Gaps:
    """What the capture has of these scenes; those in which something is missing are left out."""
    found = [measured for scene in scenes if (measured := _gap(traffic, scene)) is not None]
    return Gaps(*([one[n] for one in found] for n in range(3)))


def _gap(traffic: Traffic, scene: Ids) -> tuple[float, float, float] | None:
    """(accept digit → lead, → agent, request → INVITE)."""
    if not {scene.agent, scene.lead} <= traffic.dialogs.keys():
        return None
    keys = traffic.keys_of(scene.agent)
    if not keys or math.isinf(keys[-1].released_at):
        return None
    accepted = keys[-1].released_at
    at_lead = traffic.heard_at(scene.lead).first_frame_with(scene.agent_hz, after=accepted - 0.05)
    at_agent = traffic.heard_at(scene.agent).first_frame_with(scene.lead_hz, after=accepted - 0.05)
    if at_lead is None or at_agent is None:
        return None
    return (at_lead - accepted) * 1000, (at_agent - accepted) * 1000, invite_after(traffic, scene)


def invite_after(traffic: Traffic, scene: Ids) -> float:
    """From the lead's INVITE to the agent's, in milliseconds."""
    return (traffic.dialog(scene.agent).invited_at - traffic.dialog(scene.lead).invited_at) * 1000


def figures(
    way: str,
    concurrent: int,
    asked: int,
    measured: Gaps,
    cpu: tuple[float, float],
    memory: tuple[float | None, float | None] = (None, None),
) -> Figures:
    """`memory`: (the daemon's KiB, its growth for each handoff)."""
    return Figures(
        way,
        concurrent,
        asked,
        asked - len(measured.to_lead),
        middle(measured.to_lead),
        p99(measured.to_lead),
        middle(measured.to_agent),
        p99(measured.to_agent),
        middle(measured.first_invite),
        *cpu,
        *memory,
    )


def middle(values: Sequence[float]) -> float:
    return median(values) if values else math.nan


def p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))] if ordered else math.nan


COLUMNS = (
    "held",
    "way",
    "n",
    "lead",
    "p99",
    "agent",
    "p99",
    "INVITE",
    "CPU Asterisk",
    "daemon",
    "MiB",
    "KiB",
)


def show(console: Console, version: str, rows: Sequence[Figures], first_words: Sequence[float]) -> None:
    """The table, and what is to be told beside it."""
    title = f"Accept digit → first frame at the lead, at the agent: ms (Asterisk {version})"
    table = Table(title=title, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "way" else "right")
    for row in rows:
        gap = (row.to_lead, row.to_lead_p99, row.to_agent, row.to_agent_p99)
        table.add_row(
            str(row.concurrent),
            row.way,
            str(row.scenes),
            *(f"{value:.1f}" for value in gap),
            f"{row.first_invite:.0f}",
            f"{row.asterisk_cpu:.1f}",
            f"{row.daemon_cpu:.1f}" if row.way == WARM else "",
            "" if row.daemon_kib is None else f"{row.daemon_kib / 1024:.0f}",
            "" if row.kib_per_handoff is None else f"{row.kib_per_handoff:.0f}",
        )
    console.print(table)
    console.print(
        "held: leads at once; INVITE: from the lead's to the first agent's; CPU: ms for each handoff;"
    )
    console.print("MiB: the daemon's memory; KiB: its growth for each handoff held")
    for native, warm in zip(rows[::2], rows[1::2], strict=True):
        console.print(
            f"{warm.concurrent} held: {warm.to_lead / native.to_lead:.2f} times Asterisk's own gap; "
            f"daemon {warm.daemon_cpu / warm.asterisk_cpu:.0%} of Asterisk's CPU{_lost(native)}{_lost(warm)}"
        )
    if first_words:
        console.print(
            f"a briefing never spoken before: INVITE after {middle(first_words):.0f} ms "
            f"(the longest of {len(first_words)}: {max(first_words):.0f})"
        )


def _lost(row: Figures) -> str:
    return f"; {row.way}: {row.lost} of {row.scenes} not measured" if row.lost else ""
