"""The lamps of desk phones follow presence: all at first, then what has changed; together, and again after a
failure. The clock stands still."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

import pytest
from property.model_engine import Loop
from staff_memory import MemoryAgents, SetCalendars, SetDevices

from asterisk_warm.core.presence import By, Declared, Lamp, Lease, declare, reserve, talk, wrap_up
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.engine.agents.lamps import RETRY_SECONDS, LampKeeper
from asterisk_warm.engine.agents.staff import Staff
from asterisk_warm.engine.ports.pbx import PbxRefused, PbxUnreachable

EVA = By("eva", "cli")
ANA, BEN = AgentRecord("ana", "Ana", "PJSIP/ana"), AgentRecord("ben", "Ben", "PJSIP/ben")


class Phones:
    """Satisfies `engine.agents.ports.Lamps`."""

    def __init__(self) -> None:
        self.shown: list[Mapping[str, str]] = []
        self.fails: list[Exception] = []

    async def show(self, states: Mapping[str, str]) -> None:
        if self.fails:
            raise self.fails.pop()
        self.shown.append(states)


class Stage:
    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.store = MemoryAgents([ANA, BEN])
        self.devices = SetDevices()
        self.staff = Staff(self.store, self.devices, SetCalendars(), UTC, lambda *_: None)
        self.phones = Phones()
        self.keeper = LampKeeper(self.staff, self.phones)
        self.do(self.staff.open())

    def do(self, work: Any) -> None:
        task = self.loop.create_task(work)
        self.loop.settle()
        task.result()

    def run(self) -> None:
        self.loop.create_task(self.keeper.run())
        self.loop.settle()

    def becomes(self, agent: str, how: Any, *what: Any) -> None:
        self.do(self.staff.change(agent, lambda presence: how(presence, *what)))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    loop = Loop()
    monkeypatch.setattr(time, "time", loop.time)
    yield Stage(loop)
    assert loop.crashed() == []
    loop.cancel_everything()
    loop.close()


def test_given_the_start_then_every_lamp_is_set(stage):
    stage.devices.set("PJSIP/ben", "INUSE")
    stage.run()
    assert stage.phones.shown == [{"ana": "NOT_INUSE", "ben": "INUSE"}]


@pytest.mark.parametrize(
    ("how", "lamp"),
    [
        (lambda p, now: declare(p, Declared.PAUSED, now, EVA), Lamp.AWAY),
        (lambda p, now: declare(p, Declared.OFFLINE, now, EVA), Lamp.OFFLINE),
        (lambda p, now: wrap_up(p, now + 60, now), Lamp.AWAY),
        (lambda p, now: reserve(p, Lease("warm-1", "warm", now + 60), now), Lamp.OFFERED),
        (lambda p, now: talk(p, Lease("warm-1", "warm", now + 60), now), Lamp.TALKING),
    ],
)
def test_given_an_agent_who_changes_then_their_lamp_alone_is_set(stage, how, lamp):
    stage.run()
    stage.becomes("ana", how, stage.loop.now)
    assert stage.phones.shown[1:] == [{"ana": lamp}]


def test_given_a_pause_that_ends_by_itself_then_the_lamp_follows(stage):
    stage.run()
    now = stage.loop.now
    stage.becomes("ana", lambda p: declare(p, Declared.PAUSED, now, EVA, "", now + 60))
    stage.loop.advance(61)
    assert stage.phones.shown[-1] == {"ana": "NOT_INUSE"}


def test_given_many_changes_at_once_then_they_are_set_together_and_as_they_are_at_last(stage):
    stage.run()
    for state in ("RINGING", "INUSE", "NOT_INUSE", "UNAVAILABLE"):
        stage.devices.set("PJSIP/ana", state)
        stage.devices.set("PJSIP/ben", "INUSE")
    stage.loop.settle()
    assert stage.phones.shown[1:] == [{"ana": Lamp.OFFLINE, "ben": Lamp.TALKING}]


@pytest.mark.parametrize("error", [PbxUnreachable("no connection"), PbxRefused("not allowed")])
def test_given_they_cannot_be_set_then_again_after_a_while_as_they_are_then(stage, error):
    stage.run()
    stage.phones.fails = [error, error]
    stage.devices.set("PJSIP/ana", "INUSE")
    stage.loop.settle()
    stage.devices.set("PJSIP/ben", "INUSE")
    stage.loop.advance(2 * RETRY_SECONDS - 1)
    assert len(stage.phones.shown) == 1
    stage.devices.set("PJSIP/ana", "RINGING")
    stage.loop.advance(2)
    assert stage.phones.shown[1:] == [{"ana": "INUSE", "ben": "INUSE"}]


def test_given_nothing_changes_then_nothing_is_set(stage):
    stage.run()
    stage.loop.advance(3600)
    assert len(stage.phones.shown) == 1
