"""How long the lead hears nobody when a qualifier hands them on, beside Asterisk's own transfers.

One run, all ways in turn, on the same Asterisk with the same phones; everything is read from RTP and SIP in a
capture. A qualifier talks to the lead and dials a feature code; one agent answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from asterisk_warm.lab.bench_figures import middle, p99
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.rawphones import HastyPhone, HostileLead
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import AGENT_HZ, FRAME_SECONDS, LEAD_HZ, Hearing
from asterisk_warm.lab.traffic import Traffic

LEAD, QUALIFIER, AGENT = LEAD_HZ[0], AGENT_HZ[9], AGENT_HZ[0]
AGENT_PHONE = "a0"
STAY, CONSULT = "stay (*5)", "consult (*6)"
ATXFER, BLIND = "Asterisk's atxfer (*8)", "Asterisk's blindxfer (*9)"
CODES = {STAY: "*5", CONSULT: "*6", ATXFER: "*87000", BLIND: "*97000"}
TALK_SECONDS = 0.4
KEY_SECONDS = 0.25
TAKEN_SECONDS = 0.5
"""By when a call has been taken over, after the code's last key."""

DIALPLAN = f"""
exten => live,1,Dial(PJSIP/qualifier,20,tb(warm-arm^s^1(qualified)))
exten => 7000,1,Dial(PJSIP/{AGENT_PHONE},20)
"""
FEATURES = {"features.conf": "[general](+)\nxfersound =\n[featuremap]\natxfer => *8\nblindxfer => *9\n"}
"""Without the sound that Asterisk plays at the end, which alone takes 0.4 s."""
TEAM = {"name": "Qualified", "agents": [AGENT_PHONE]}


@dataclass(frozen=True)
class Ids:
    """A scene in the capture: SIP Call-IDs, and when the qualifier hung up (epoch seconds; 0: did not)."""

    lead: str
    qualifier: str
    agent: str
    left_at: float


@dataclass(frozen=True)
class Row:
    """Milliseconds; None where there is no such thing."""

    way: str
    scenes: int
    lost: int
    takeover: tuple[float, float] | None
    """Longest time without the other's voice as the call is taken over: median and p99, both directions."""
    completion: tuple[float, float]
    """From the qualifier's BYE (or the agent's answer) to the agent's voice at the lead; in stay, where they
    talk already, the longest hole around it."""


async def scene(stage: Stage, quinn: HastyPhone, ana: HastyPhone, way: str) -> Ids:
    """One handoff, that way. Raises TimeoutError."""
    async with HostileLead(stage.pbx.sip, "live", '"Lead" <sip:+15550000@bench>', tone_hz=LEAD) as lead:
        await quinn.rings()
        quinn.answer()
        await lead.answered()
        await asyncio.sleep(TALK_SECONDS)
        for key in CODES[way]:
            await quinn.press_at(key, time.time() + KEY_SECONDS + random.uniform(0, 0.02))
        await ana.rings()
        ana.answer()
        left_at = 0.0
        if way in (STAY, CONSULT):
            await asyncio.sleep(TALK_SECONDS)
            await ana.press_at("1", time.time() + KEY_SECONDS)
        if way != BLIND:
            await asyncio.sleep(TALK_SECONDS + random.uniform(0, 0.02))
            left_at = time.time()
            quinn.hang_up()
        await asyncio.sleep(TALK_SECONDS)
        ids = Ids(lead.call_id, quinn.call_id, ana.call_id, left_at)
    await asyncio.wait_for(ana.ended.wait(), 10.0)
    await stage.nothing_left(10.0)
    return ids


async def run(stage: Stage, folder: Path, scenes: int) -> list[Row]:
    """All ways in turn, so many times."""
    print(f"  {scenes} handoffs by a qualifier each way, one at a time")
    sip, password = stage.pbx.sip, stage.pbx.sip_password
    played: dict[str, list[Ids]] = {way: [] for way in CODES}
    with Capture(folder / "qualifier.pcap") as capture:
        async with (
            HastyPhone(sip, password, "qualifier", tone_hz=QUALIFIER) as quinn,
            HastyPhone(sip, password, AGENT_PHONE, tone_hz=AGENT) as ana,
        ):
            for _ in range(scenes):
                for way in random.sample(list(CODES), len(CODES)):
                    try:
                        played[way].append(await scene(stage, quinn, ana, way))
                    except TimeoutError:
                        await stage.nothing_left(30.0)
        traffic = capture.traffic()
    return [_row(traffic, way, scenes, ids) for way, ids in played.items()]


def _row(traffic: Traffic, way: str, scenes: int, played: Sequence[Ids]) -> Row:
    # In a consult the qualifier goes aside at once: only where the two talk on is there a hole to be heard.
    taken = [gap for ids in played for gap in _takeover(traffic, ids)] if way == STAY else []
    done = [gap for ids in played if (gap := _MEASURES[way](traffic, ids)) is not None]
    takeover = (middle(taken), p99(taken)) if taken else None
    return Row(way, scenes, scenes - len(done), takeover, (middle(done), p99(done)))


def _takeover(traffic: Traffic, ids: Ids) -> list[float]:
    """How long each of the two did not hear the other as their call was taken over."""
    keys = traffic.keys_of(ids.qualifier)
    if len(keys) < 2:
        return []
    begin = keys[1].released_at
    at_lead = traffic.heard_at(ids.lead).between(begin, begin + TAKEN_SECONDS)
    at_qualifier = traffic.heard_at(ids.qualifier).between(begin, begin + TAKEN_SECONDS)
    return [*_longest_without(at_qualifier, LEAD), *_longest_without(at_lead, QUALIFIER)]


def _longest_without(ear: Hearing, hz: int) -> list[float]:
    heard = ear.times[ear.has(hz)]
    return [max(0.0, float(np.diff(heard).max()) - FRAME_SECONDS) * 1000] if len(heard) > 1 else []


def _after_leaving(traffic: Traffic, ids: Ids) -> float | None:
    """From the qualifier's BYE to the first frame of the agent's voice at the lead."""
    heard = traffic.heard_at(ids.lead).first_frame_with(AGENT, after=ids.left_at)
    return None if heard is None else (heard - ids.left_at) * 1000


def _around_leaving(traffic: Traffic, ids: Ids) -> float | None:
    """Lead and agent talk already: the longest time without the agent's voice as the qualifier leaves."""
    ear = traffic.heard_at(ids.lead).between(ids.left_at - 0.1, ids.left_at + TALK_SECONDS)
    gaps = _longest_without(ear, AGENT)
    return gaps[0] if gaps else None


def _after_answer(traffic: Traffic, ids: Ids) -> float | None:
    """From the agent's answer to their voice at the lead."""
    answered = traffic.dialog(ids.agent).answered_at
    heard = traffic.heard_at(ids.lead).first_frame_with(AGENT, after=answered or 0.0)
    return None if heard is None or answered is None else (heard - answered) * 1000


_MEASURES: dict[str, Callable[[Traffic, Ids], float | None]] = {
    STAY: _around_leaving,
    CONSULT: _after_leaving,
    ATXFER: _after_leaving,
    BLIND: _after_answer,
}


def show(console: Console, rows: Sequence[Row]) -> None:
    table = Table(title="A qualifier hands the lead on: ms without a voice", pad_edge=False)
    for name in ("way", "n", "taken over", "p99", "completed", "p99"):
        table.add_column(name, justify="left" if name == "way" else "right")
    for row in rows:
        takeover = [f"{value:.1f}" for value in row.takeover] if row.takeover else ["", ""]
        done = [f"{value:.1f}" for value in row.completion]
        table.add_row(row.way, f"{row.scenes - row.lost}", *takeover, *done)
    console.print(table)
    console.print("taken over: longest time without the other's voice, both directions; completed: from the")
    console.print(
        "qualifier's BYE to the agent's voice at the lead (stay: they talk already, the longest hole;"
    )
    console.print("blindxfer: from the agent's answer)")
    own = {row.way: row.completion[0] for row in rows}
    console.print(f"consult completes in {own[CONSULT] / own[ATXFER]:.2f} times what Asterisk's atxfer takes")
