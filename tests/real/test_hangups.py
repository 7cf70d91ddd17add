"""Every state with a qualifier × whoever hangs up in it, alone or two in the same moment: the documented outcome, nobody left
alone, no leg left behind. The table is that of docs/qualifier.md."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from live import LiveScene
from scene import api, until

from asterisk_warm.lab.call import Call, PhoneError
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

LEAD, QUINN, ANA = "lead", "qualifier", "agent"


@dataclass(frozen=True)
class Outcome:
    """What may come of it: (state, status) pairs, and where the lead is then."""

    ends: tuple[tuple[str, str], ...]
    lead: str
    """gone, qualifier, agent, dialplan; or `waits`: held, the agents ring on."""
    talk_on: bool = False
    """Qualifier and agent go on talking."""


def ended(lead: str, *ends: str, talk_on: bool = False) -> Outcome:
    return Outcome(tuple((e.split()[0], e.split()[1]) for e in ends), lead, talk_on)


ABANDONED, COMPLETED = "ABANDONED ABANDONED", "COMPLETED CONNECTED"


def offering(status: str) -> dict[tuple[str, ...], Outcome]:
    """While agents are sought; `status` is what an agent who hangs up amounts to."""
    back = f"RETURNED {status}"
    return {
        (LEAD,): ended("gone", ABANDONED),
        (QUINN,): ended("waits"),
        (ANA,): ended("qualifier", back),
        (LEAD, QUINN): ended("gone", ABANDONED),
        (LEAD, ANA): ended("gone", ABANDONED, back),
        (QUINN, ANA): ended("dialplan", back),
    }


THREE = {
    (LEAD,): ended("gone", COMPLETED, talk_on=True),
    (QUINN,): ended("agent", "CONNECTED CONNECTED"),
    (ANA,): ended("qualifier", "RETURNED TIMEOUT"),
    (LEAD, QUINN): ended("gone", COMPLETED),
    (LEAD, ANA): ended("gone", COMPLETED, "RETURNED TIMEOUT"),
    (QUINN, ANA): ended("dialplan", COMPLETED, "RETURNED TIMEOUT"),
}
CONSULTING = {
    (LEAD,): ended("gone", ABANDONED, talk_on=True),
    (QUINN,): ended("agent", "CONNECTED CONNECTED"),
    (ANA,): ended("qualifier", "RETURNED TIMEOUT"),
    (LEAD, QUINN): ended("gone", ABANDONED, COMPLETED),
    (LEAD, ANA): ended("gone", ABANDONED, "RETURNED TIMEOUT"),
    (QUINN, ANA): ended("dialplan", "RETURNED TIMEOUT", COMPLETED),
}
CONNECTED = {
    (LEAD,): ended("gone", COMPLETED),
    (ANA,): ended("dialplan", COMPLETED),
    (LEAD, ANA): ended("gone", COMPLETED),
}
BLIND = {
    (LEAD,): ended("gone", ABANDONED),
    (ANA,): ended("dialplan", "RETURNED NOAGENT"),
    (LEAD, ANA): ended("gone", ABANDONED, "RETURNED NOAGENT"),
}
GRID: dict[tuple[str, str], dict[tuple[str, ...], Outcome]] = {
    ("stay", "ringing"): offering("NOAGENT"),
    ("stay", "briefing"): offering("TIMEOUT"),
    ("stay", "three"): THREE,
    ("stay", "connected"): CONNECTED,
    ("consult", "ringing"): offering("NOAGENT"),
    ("consult", "briefing"): offering("TIMEOUT"),
    ("consult", "consulting"): CONSULTING,
    ("consult", "swapped"): {**CONSULTING, (LEAD,): ended("gone", ABANDONED)},
    ("consult", "three"): THREE,
    ("consult", "connected"): CONNECTED,
    ("blind", "ringing"): BLIND,
    ("blind", "connected"): CONNECTED,
}


def cells() -> Iterator[tuple[str, str, tuple[str, ...], Outcome]]:
    for (mode, state), row in GRID.items():
        for who, outcome in row.items():
            yield mode, state, who, outcome


async def bring_to(scene: LiveScene, mode: str, state: str) -> Call:
    """The scene in that state; returns the agent's call."""
    calls = await scene.offered(mode=mode)
    ana = calls["ana"]
    if mode == "blind":
        await scene.quinn.ended()
    if state == "ringing":
        return ana
    await ana.answer()
    if mode == "blind":
        await scene.handoff("CONNECTED")
        return ana
    await scene.offer_is("ana", "BRIEFING")
    if state == "briefing":
        return ana
    await ana.press("1")
    if mode == "consult":
        await scene.handoff("CONSULTING")
        if state == "consulting":
            await scene.seen(lambda h: h["qualifier"]["place"] == "with_agent", "in private")
            return ana
        await scene.asks("swap" if state == "swapped" else "three-way")
        if state == "swapped":
            await scene.seen(lambda h: h["lead_is"] == "with_qualifier", "swapped")
            return ana
    await scene.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
    if state == "connected":
        await scene.asks("complete")
        await scene.handoff("CONNECTED")
    return ana


@asynccontextmanager
async def nobody_at_the_qualifiers_phone(scene: LiveScene) -> AsyncIterator[None]:
    """Who is rung again to have the lead back turns the call away."""

    async def turn_away() -> None:
        while True:
            call = await scene.qualifier.rings(60.0)
            await call.busy()

    task = asyncio.create_task(turn_away())
    try:
        yield
    finally:
        task.cancel()


async def in_one_bridge(scene: LiveScene, *phones: str) -> None:
    """Asterisk has exactly these in one bridge."""

    def together() -> bool:
        lines = [line.split("!") for line in scene.stage.pbx.cli("core show channels concise").splitlines()]
        bridges = [line[-2] for line in lines if any(line[0].startswith(f"PJSIP/{p}-") for p in phones)]
        return len(bridges) == len(phones) and len(set(bridges)) == 1 and bridges[0] not in ("", "(None)")

    await until(together, 5.0, f"{' and '.join(phones)} in one bridge")


@pytest.mark.parametrize(
    ("mode", "state", "who", "outcome"),
    [pytest.param(*cell, id=f"{cell[0]}-{cell[1]}-{'+'.join(cell[2])}") for cell in cells()],
)
async def test_given_each_state_when_somebody_hangs_up_then_it_ends_as_documented(
    stage: Stage, phones: Phones, mode: str, state: str, who: tuple[str, ...], outcome: Outcome
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",))
    ana = await bring_to(scene, mode, state)
    calls = {LEAD: scene.call, QUINN: scene.quinn, ANA: ana}
    async with nobody_at_the_qualifiers_phone(scene):
        await asyncio.gather(*(calls[one].hang_up() for one in who))
        if outcome.lead == "waits":
            await scene.seen(
                lambda h: h["state"] == "OFFERING" and h["lead_is"] == "held", "held, and sought"
            )
            assert not ana.is_over and not scene.call.is_over
            await ana.hang_up()
            status = "NOAGENT" if state == "ringing" else "TIMEOUT"
            outcome = ended("dialplan", f"RETURNED {status}")
        states = [end[0] for end in outcome.ends]
        handoff = await scene.handoff(*states)
        assert (handoff["state"], handoff["status"]) in outcome.ends
        assert handoff["reason"]
        if outcome.lead == "dialplan":
            await scene.logged("lab-returned")
        elif outcome.lead in (QUINN, ANA):
            await in_one_bridge(scene, "anonymous", "qualifier" if outcome.lead == QUINN else "ana")
        if outcome.talk_on:
            await in_one_bridge(scene, "qualifier", "ana")
        # Whoever still talks hangs up, and nothing is left.
        for call in calls.values():
            await call.hang_up()
        await asyncio.gather(*(over(call) for call in calls.values()))
        settled = await scene.seen(lambda h: h["settled"], "settled", 15.0)
        assert settled["reason"]
    await stage.nothing_left()


async def over(call: Call) -> None:
    try:
        await call.ended()
    except PhoneError:
        raise AssertionError(f"{call.phone} is still on the line") from None


def test_given_the_grid_then_every_pair_of_who_is_on_the_line_is_in_it() -> None:
    for (mode, state), row in GRID.items():
        there = {LEAD, ANA} | ({QUINN} if mode != "blind" and state != "connected" else set())
        pairs = {frozenset(pair) for pair in itertools.combinations(sorted(there), 2)}
        assert {frozenset(who) for who in row if len(who) == 2} == pairs, (mode, state)
        assert {who[0] for who in row if len(who) == 1} == there, (mode, state)


async def test_given_a_qualifier_who_hangs_up_as_the_lead_comes_back_then_the_lead_is_never_left_with_a_dead_call(
    stage: Stage, phones: Phones
) -> None:
    """In some such moments Asterisk's Bridge() takes a channel that is being hung up, and keeps it for ever."""
    for attempt in range(20):
        scene = await LiveScene.talking(stage, phones, ("ana",))
        await scene.offered()
        handoff = (await scene.handoff("OFFERING"))["id"]
        asked = asyncio.create_task(api(stage, "POST", f"/v1/handoffs/{handoff}/take-back"))
        await asyncio.sleep(0.002 + attempt * 0.0005)
        await scene.quinn.hang_up()
        if (await asked)[0] == 409:
            # They were faster, and the lead is held for the agents: that is another scene.
            await api(stage, "DELETE", f"/v1/handoffs/{handoff}")
        await scene.logged("lab-returned")
        await scene.call.hang_up()
        await scene.call.ended()
        await scene.seen(lambda h: h["settled"], "settled")
