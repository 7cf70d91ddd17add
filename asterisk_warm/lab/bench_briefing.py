"""What a briefing costs, without Asterisk: time and CPU of its texts, spoken for the first time and again,
and the room they take. `python -m asterisk_warm.lab.bench_briefing`; part of `make bench`.

The texts are those that the core makes of leads, in English by hibari and in Spanish by espeak-ng."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.model import Agent, Handoff, Lead
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, Templates
from asterisk_warm.core.handoff.states import State
from asterisk_warm.lab.bench_figures import middle, p99
from asterisk_warm.speech import CachedSpeaker, speaker_from
from asterisk_warm.speech.audio import RATE

BUDGET_SECONDS = 30.0
"""No line is to fail here for a busy machine's sake."""
WHO, DETAILS = "name and why", "details"
COLD, CACHED, RESTARTED = "first time", "again", "after a restart"
_TICKS = os.sysconf("SC_CLK_TCK")
_FIRST = ("Grant", "Mary", "Peter", "Susan", "John", "Emily", "Robert", "Linda", "David", "Karen")
_LAST = ("Weatherly", "Johnson", "Clark", "Baker", "Miller", "Carter", "Green", "Scott", "Turner", "White")


@dataclass(frozen=True)
class Language:
    engine: str
    templates: Templates
    whys: Sequence[str]
    details: Sequence[tuple[str, str]]


_MORE = "{details}. {more}"
LANGUAGES = {
    "en": Language(
        "hibari",
        Templates("{name}. {summary}", "Press {accept} to accept.", "", "", details=_MORE),
        ("Owns a house, insurance renews in three weeks.", "Wants a quote for car insurance."),
        (("City", "Denver"), ("Insured", "yes"), ("Claims in five years", "none"), ("Plan", "Gold")),
    ),
    "es": Language(
        "espeak:es",
        Templates("{name}. {summary}", "Pulse {accept} para aceptar.", "", "", details=_MORE),
        ("Tiene casa propia, el seguro vence en tres semanas.", "Quiere un presupuesto para su coche."),
        (
            ("Ciudad", "Sevilla"),
            ("Asegurado", "sí"),
            ("Siniestros en cinco años", "ninguno"),
            ("Plan", "Oro"),
        ),
    ),
}


@dataclass(frozen=True)
class Row:
    """Milliseconds for each text; `seconds` of sound, `kib` on disk, `hits` as a share."""

    language: str
    text: str
    when: str
    n: int
    median: float
    p99: float
    cpu: float
    seconds: float
    kib: float
    hits: float


# -- the texts -----------------------------------------------------------------------------------------------


def texts_of(language: str, leads: int) -> dict[str, list[str]]:
    """What → the texts of so many leads."""
    agent = Agent("ana", "Ana Lopez", "PJSIP/ana")
    handoffs = [_handoff(LANGUAGES[language], agent, number) for number in range(leads)]
    return {
        WHO: [wording.briefing_text(handoff, agent) for handoff in handoffs],
        DETAILS: [wording.details_text(handoff, agent) for handoff in handoffs],
    }


def _handoff(spoken: Language, agent: Agent, number: int) -> Handoff:
    first, last = _FIRST[number % 10], _LAST[number // 10 % 10]
    # No two are alike, even of a thousand leads.
    name = f"{first} {last}" if number < 100 else f"{first} {last} {number // 100}"
    why, details = spoken.whys[number % len(spoken.whys)], (*spoken.details, ("Score", str(number)))
    return Handoff(
        id=f"warm-{number}",
        team="sales",
        team_name="Sales",
        lead=Lead(f"lead-{number}", name, f"+1555{number:04d}", why, details),
        agents=(agent,),
        policy=Policy(Mode.AUTO, 25.0, 30.0, 600.0, 0.0, "default", False, Keys(), spoken.templates),
        requested_by="bench",
        return_to=None,
        state=State.REQUESTED,
        requested_at=time.time(),
        hold_until=time.time() + 600.0,
    )


# -- the measuring -------------------------------------------------------------------------------------------


def _cpu_ms() -> float:
    """This process's, that of children who have ended, and that of those who live (the speech workers)."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    return 1000 * (seconds + sum(_ticks(pid) for pid in _children()) / _TICKS)


def _children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def _ticks(pid: int) -> int:
    """Of it and of its own children who have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11:15])


class Bench:
    """All texts, in each language; `folder` is where sounds are kept."""

    def __init__(self, folder: Path, leads: int) -> None:
        self._folder, self._leads = folder, leads
        self.rows: list[Row] = []

    async def run(self) -> list[Row]:
        for language, spoken in LANGUAGES.items():
            texts = texts_of(language, self._leads)
            speaker = await self._speaker(spoken.engine)
            for when in (COLD, CACHED):
                for what, lines in texts.items():
                    await self._spoken(speaker, language, what, lines, when)
            await speaker.close()
            speaker = await self._speaker(spoken.engine)
            for what, lines in texts.items():
                await self._spoken(speaker, language, what, lines, RESTARTED)
            await speaker.close()
        return self.rows

    async def _speaker(self, engine: str) -> CachedSpeaker:
        speaker = speaker_from(self._folder, str(self._folder), [engine], BUDGET_SECONDS, None, None)
        await speaker.ensure_prompts()
        return speaker

    async def _spoken(
        self, speaker: CachedSpeaker, language: str, what: str, lines: Sequence[str], when: str
    ) -> None:
        print(f"  {len(lines)} texts, {LANGUAGES[language].engine}: {what}, {when}", flush=True)
        before, took, uris = self._files(), list[float](), list[str]()
        cpu = _cpu_ms()
        for line in lines:
            began = time.perf_counter()
            uris += await speaker.prepare([line])
            took.append((time.perf_counter() - began) * 1000)
        cpu = (_cpu_ms() - cpu) / len(lines)
        sizes = [self._size(uri) for uri in uris]
        hits = 1 - (self._files() - before) / len(lines)
        mean = sum(sizes) / len(sizes)
        self.rows.append(
            Row(
                language, what, when, len(lines), middle(took), p99(took), cpu, mean / RATE, mean / 1024, hits
            )
        )

    def _files(self) -> int:
        return sum(1 for _ in (self._folder / "cache").rglob("*.ulaw"))

    def _size(self, uri: str) -> int:
        return Path(f"{uri.removeprefix('sound:')}.ulaw").stat().st_size


async def run(folder: Path, leads: int) -> list[Row]:
    return await Bench(folder / "spoken", leads).run()


def show(console: Console, rows: Sequence[Row]) -> None:
    table = Table(title="What a briefing costs: ms for each text", pad_edge=False)
    for name in ("text", "", "n", "median", "p99", "CPU", "in the cache", "seconds", "KiB"):
        table.add_column(name, justify="left" if name in ("text", "") else "right")
    for row in rows:
        table.add_row(
            f"{LANGUAGES[row.language].engine}: {row.text}",
            row.when,
            str(row.n),
            *(f"{value:.2f}" for value in (row.median, row.p99, row.cpu)),
            f"{row.hits:.0%}",
            f"{row.seconds:.1f}",
            f"{row.kib:.0f}",
        )
    console.print(table)
    for language, spoken in LANGUAGES.items():
        cold = [row for row in rows if row.language == language and row.when == COLD]
        ms, cpu, kib, seconds = (sum(of) for of in zip(*map(_costs, cold), strict=True))
        console.print(
            f"a briefing by {spoken.engine}: {ms:.0f} ms, {cpu:.0f} ms of CPU, {kib:.0f} KiB on disk; "
            f"a second of sound takes {cpu / seconds:.0f} ms of CPU"
        )


def _costs(row: Row) -> tuple[float, float, float, float]:
    return row.median, row.cpu, row.kib, row.seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_briefing", description=__doc__)
    parser.add_argument("--leads", type=int, default=60, help="how many briefings in each language")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        rows = uvloop.run(run(folder, asked.leads))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(Console(width=110), rows)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
