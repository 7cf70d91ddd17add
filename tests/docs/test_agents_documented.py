"""docs/agents.md names every reason, strategy and command, and its example is what routing does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from typer.main import get_command

from asterisk_warm.cli.app import app
from asterisk_warm.core.handoff.model import Agent
from asterisk_warm.core.presence import Lamp, Why
from asterisk_warm.core.routing import Routing, Seeker, Standing, Strategy, plan

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
NOW = 1_000_000.0
FANOUT, WIDEN, ASKED, RELAX = 1, 10.0, (("spanish", 5),), 15.0
"""As the text before the example says."""


def table(heading: str, first: str) -> list[list[str]]:
    """The rows of the first table after a heading that begins with the cell `first`."""
    text = PAGE.partition(f"\n{heading}\n")[2]
    lines = text[text.index(f"| {first} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def words(rows: Sequence[Sequence[str]]) -> set[str]:
    """What stands in code in the first column."""
    return {name for row in rows[2:] for name in re.findall(r"`([^`]+)`", row[0])}


def test_given_each_reason_then_the_page_says_how_it_ends_and_names_no_other() -> None:
    rows = table("## Who can be offered a lead", "reason")
    assert words(rows) == {why.value for why in Why}
    assert all(row[-1] for row in rows[2:])


def test_given_each_strategy_then_the_page_says_who_rings_and_names_no_other() -> None:
    assert words(table("## Whom to ring", "`ring`")) == {strategy.value for strategy in Strategy}


def test_given_each_lamp_then_the_page_says_when_it_is_shown() -> None:
    rows = table("## Lamps", "the agent")
    assert {row[1].strip("`") for row in rows[2:]} == {lamp.value for lamp in Lamp}


def test_given_each_command_for_agents_then_the_page_names_it_and_no_other() -> None:
    agent = get_command(app).commands["agent"]  # type: ignore[attr-defined]
    named = words(table("## Who the agents are", "command"))
    assert named == {f"agent {name}" for name in agent.commands}


# -- the example ---------------------------------------------------------------------------------------------


def team() -> tuple[tuple[Agent, ...], Mapping[str, Standing]]:
    """The agents of the example's first table."""
    names, _, tiers, idle, offered, spanish = table("## Whom to ring", "| ana")
    facts = zip(*(row[1:] for row in (names, tiers, idle, offered, spanish)), strict=True)
    roster, standings = [], {}
    for name, tier, idle_for, ago, level in facts:
        skills = (("spanish", int(level)),) if level else ()
        roster.append(Agent(name, name.title(), f"PJSIP/{name}", tier=int(tier), skills=skills))
        standings[name] = Standing((), NOW - minutes(idle_for), NOW - minutes(ago))
    return tuple(roster), standings


def minutes(text: str) -> float:
    return float(text.split()[0]) * 60


def rung(strategy: Strategy, seconds: Sequence[int]) -> list[list[str]]:
    """Who is newly rung at each of these moments, when nobody answers."""
    roster, standings = team()
    routing = Routing(
        strategy, FANOUT, WIDEN, ASKED if strategy is Strategy.SKILLS else (), RELAX, wait_seconds=60.0
    )
    ringing: frozenset[str] = frozenset()
    found = []
    for second in range(max(seconds) + 1):
        seeker = Seeker("warm-1", 0, NOW, NOW + 60, routing, roster, ringing=ringing)
        new = dict(plan([seeker], standings, NOW + second).offers).get("warm-1", ())
        ringing |= set(new)
        assert not new or second in seconds, f"{new} ring at {second} s, of which the page has no column"
        if second in seconds:
            found.append(list(new))
    return found


@pytest.mark.parametrize("strategy", Strategy)
def test_given_the_example_when_nobody_answers_then_they_ring_when_the_page_says(strategy: Strategy) -> None:
    head, _, *rows = table("Who rings when, if nobody answers meanwhile:", "`ring`")
    told = next(row[1:] for row in rows if row[0] == f"`{strategy.value}`")
    seconds = [int(cell.split()[0]) for cell in head[1:]]
    in_order = [sorted(cell.split(", ")) if cell else [] for cell in told]
    assert [sorted(names) for names in rung(strategy, seconds)] == in_order


def test_given_the_example_then_its_settings_are_those_that_the_page_names() -> None:
    assert f"`fanout: {FANOUT}`, `widen_seconds: {WIDEN:g}`" in PAGE
    assert f"asks for `{{spanish: {ASKED[0][1]}}}`, with `relax_seconds: {RELAX:g}`" in PAGE
