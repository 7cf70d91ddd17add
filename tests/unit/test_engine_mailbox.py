"""Event → decision → journal → order → outcome, on a real journal in SQLite. Asterisk is the simulator of
`tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from property.live_engine import Live, live
from property.model_asterisk import LEAD, QUALIFIER
from property.model_engine import MemoryJournal

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Outcome, Playing
from asterisk_warm.engine import mailbox
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import Entry
from asterisk_warm.engine.ports.pbx import PbxUnreachable
from asterisk_warm.store import Database, SqlJournal


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Live]:
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_calls()
        stage.enter()
        yield stage


async def accepted(stage: Live) -> None:
    await stage.until_rung()
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    stage.world.agent_presses(1, "1")
    stage.world.playback_ends(await stage.until_heard(Playing.INTRODUCTION))
    await stage.until_state("CONNECTED")


async def orders(stage: Live) -> list[tuple[str, bool]]:
    events = await stage.journal.events(stage.world.handoff)
    return [(kind, done is not None) for event in events for kind, _, done in event.commands]


async def test_given_a_whole_handoff_then_it_is_in_the_journal_and_nothing_is_left(stage):
    await accepted(stage)
    await stage.until(lambda: stage.world.lead.talks_to)
    assert stage.world.lead.variables["WARM_STATUS"] == "CONNECTED"
    stage.world.lead_hangs_up()
    shown = await stage.until_settled()
    assert (shown.state, shown.status, shown.agent.name) == ("COMPLETED", "CONNECTED", "Ana")
    assert not stage.world.legs and not stage.world.bridges and not stage.world.playbacks
    assert await stage.journal.unsettled() == []
    assert all(done for _, done in await orders(stage))
    story = [line.text for line in await stage.service.story(stage.world.handoff)]
    assert story[0].startswith("Grant (+15550100) is to be handed to Sales")
    assert any(text.startswith("CONNECTED, handoff gap ") for text in story)


async def test_given_an_event_told_twice_then_the_journal_has_it_once_and_it_orders_once(stage):
    await stage.until_rung()
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    key = ev.DigitPressed(at=1.0, event_id="same", offer=1, digit="3")
    for _ in range(3):
        stage.service.post(stage.world.handoff, replace(key))
    stage.world.lead_hangs_up()
    stage.world.playback_ends(await stage.until_heard(Playing.FAREWELL))
    await stage.until_settled()
    events = [event.event for event in await stage.journal.events(stage.world.handoff)]
    assert events.count("DigitPressed") == 1


async def test_given_the_engine_is_stopped_then_another_goes_on_from_the_journal(stage):
    await stage.until_rung()
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    await stage.stop()
    stage.world.agent_ends(2, Outcome.BUSY)
    stage.world.playback_ends(await stage.until_heard(Playing.BRIEFING))
    await stage.start()
    await stage.service.recover()
    await stage.until_heard(Playing.BRIEFING)
    stage.world.agent_presses(1, "1")
    stage.world.playback_ends(await stage.until_heard(Playing.INTRODUCTION))
    shown = await stage.until_state("CONNECTED")
    assert [offer.state for offer in shown.offers] == ["ACCEPTED", "NO_ANSWER", "LOST"]
    stage.world.lead_hangs_up()
    await stage.until_settled()


async def test_given_an_order_of_an_older_version_then_it_is_overtaken(stage):
    await stage.until_rung()
    await stage.stop()
    older = "UPDATE handoff_outbox SET kind = 'FindAgents', done_at = NULL WHERE kind = 'PrepareSpeech'"
    await stage.journal._database.write(lambda driver: driver.execute(older, ()))
    await stage.start()
    await stage.service.recover()
    stage.world.agent_answers(1)
    await stage.until_heard(Playing.BRIEFING)
    (first, *_) = await stage.journal.events(stage.world.handoff)
    assert {kind: done for kind, _, done in first.commands}["FindAgents"] is not None


async def test_given_what_another_daemon_has_open_then_it_is_not_cleared_away(stage):
    stage.world.lead_hangs_up()
    await stage.until_settled()
    own = (await stage.journal.get(stage.world.handoff)).snapshot_json
    theirs = Entry(
        handoff="warm-theirs", event_id="1", at=1.0, event="X", event_json=b"{}", snapshot_json=own,
        state="OFFERING", team="sales", lead_channel="x", lead_name="", lead_number="", settled=False,
        commands=(), done=(), node="another",
    )  # fmt: skip
    await stage.journal.commit(theirs)
    stage.world.create("warm-theirs-agent-1")
    stage.world.create("warm-lost-agent-1")
    stage.world.bridges |= {"warm-theirs-bridge", "warm-lost-bridge"}
    await stage.service.recover()
    assert set(stage.world.legs) == {"warm-theirs-agent-1"}
    assert stage.world.bridges == {"warm-theirs-bridge"}


async def test_given_nothing_of_ours_is_known_then_it_is_cleared_away_at_the_start(stage):
    stage.world.lead_hangs_up()
    await stage.until_settled()
    stage.world.create("warm-lost-agent-1")
    stage.world.create("other-agent-1")
    stage.world.bridges |= {"warm-lost-bridge", "warm-lost", "other-bridge"}
    await stage.service.recover()
    assert set(stage.world.legs) == {"other-agent-1"}
    assert stage.world.bridges == {"warm-lost", "other-bridge"}


async def test_given_orders_about_one_leg_then_one_after_the_other(tmp_path):
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_calls()
        stage.enter()
        await stage.until_rung()
        stage.pbx.at_once = False
        stage.world.agent_answers(1)
        await stage.until(lambda: stage.pbx.orders)
        (briefing,) = stage.pbx.orders
        stage.world.agent_presses(1, "2")
        await stage.until_state("OFFERING")
        stage.world.agent_ends(2, Outcome.BUSY)
        await stage.until(lambda: "BUSY" in _states(stage))
        assert stage.pbx.orders == [briefing], "the farewell waits for the briefing to have been started"
        briefing.reply.set_result(briefing.carry_out())
        await stage.until(lambda: [order.name for order in stage.pbx.orders] == ["stop " + briefing.name[5:]])
        stage.pbx.at_once = True


def _states(stage: Live) -> list[str]:
    mailbox = stage.service._open.find(stage.world.handoff)  # the state before it can be read back
    return [] if mailbox is None or mailbox.handoff is None else [o.state for o in mailbox.handoff.offers]


async def test_given_no_answer_from_asterisk_then_the_order_is_repeated_when_it_is_back(stage):
    await stage.until_rung()
    stage.pbx.at_once = False
    stage.world.agent_answers(1)
    await stage.until(lambda: stage.pbx.orders)
    lost = stage.pbx.orders.pop()
    stage.reachable.clear()
    lost.reply.set_exception(PbxUnreachable("no answer"))
    stage.pbx.at_once = True
    stage.reachable.set()
    await stage.until_heard(Playing.BRIEFING)


async def test_given_asterisk_stays_away_then_the_order_has_failed(stage, monkeypatch):
    monkeypatch.setattr("asterisk_warm.engine.executor.UNREACHABLE_SECONDS", 0.01)
    await stage.until_rung()
    stage.reachable.clear()
    stage.pbx.connected = False
    stage.world.agent_answers(1)
    await stage.until(lambda: "FAILED" in _states(stage))
    stage.pbx.connected = True
    stage.reachable.set()


async def test_given_the_journal_fails_for_good_then_the_lead_goes_on_and_nobody_rings(stage, monkeypatch):
    monkeypatch.setattr(mailbox, "JOURNAL_SECONDS", 0.0)
    monkeypatch.setattr(mailbox, "JOURNAL_RETRY_SECONDS", 0.0)
    await stage.until_rung()
    await stage.journal._database.close()
    stage.world.agent_answers(1)
    await stage.until(lambda: stage.service.leg_of("lead-1") is None)
    assert not stage.world.lead.in_app and not stage.world.agents()
    assert stage.world.lead.variables["WARM_STATUS"] == "ERROR"


async def test_given_speech_fails_then_the_prompts_serve(tmp_path):
    async with live(tmp_path, comfort=0.0) as stage:
        stage.pbx.speech_works = False
        stage.world.lead_calls()
        stage.enter()
        await accepted(stage)
        story = [line.text for line in await stage.service.story(stage.world.handoff)]
        assert "briefing not spoken, prompts serve instead: no voice" in story
        stage.world.lead_hangs_up()
        await stage.until_settled()


async def test_given_a_handoff_that_does_not_take_what_is_asked_then_refused(stage, monkeypatch):
    monkeypatch.setattr(mailbox, "ASK_SECONDS", 0.01)
    await stage.until_rung()

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(stage.journal, "commit", hang)
    with pytest.raises(Refused) as refused:
        await stage.service.cancel(stage.world.handoff, "Dana")
    assert refused.value.kind == "unreachable"


async def test_given_a_lead_who_is_taken_over_after_the_end_then_they_go_on_at_once(tmp_path, monkeypatch):
    """An order that takes longer than the handoff lasts: its outcome is waited for."""
    async with live(tmp_path, comfort=0.0) as stage:
        stage.world.lead_talks_to_qualifier()
        stage.pbx.at_once = False
        asked = asyncio.ensure_future(
            stage.service.start(destination=Destination(team="sales"), qualifier=QUALIFIER)
        )
        for name in ("locate", "variables"):
            await stage.until(lambda name=name: [order.name for order in stage.pbx.orders] == [name])
            order = stage.pbx.orders[0]
            order.reply.set_result(order.carry_out())
        stage.world.handoff = (await asked).id
        await stage.until(lambda: len(stage.pbx.orders) == 1)
        (take_over,) = [order for order in stage.pbx.orders if order.name == f"take over {LEAD}"]
        stage.pbx.at_once = True
        at, event_id = time.time(), "x"
        stage.service.post(stage.world.handoff, ev.CancelRequested(at=at, event_id=event_id, by="Dana"))
        stage.service.post(stage.world.handoff, ev.QualifierLeft(at=at, event_id="y"))
        stage.service.post(stage.world.handoff, ev.LeadLeft(at=at, event_id="z"))
        await stage.until_state("RETURNED")
        for order in list(stage.pbx.orders):
            order.reply.set_result(order.carry_out())
        await stage.until(lambda: stage.service.leg_of(LEAD) is None)
        assert take_over.reply.done()
        assert stage.world.lead.talks_to == QUALIFIER and not stage.world.bridges


async def test_given_the_same_entries_then_the_journal_of_the_model_keeps_what_sqlite_keeps(tmp_path):
    async with await Database.open(f"sqlite:///{tmp_path / 'warm.db'}") as database:
        real, model = SqlJournal(database), MemoryJournal()
        for entry in _entries():
            kept, expected = await real.commit(entry), await model.commit(entry)
            assert (kept if kept is None else list(kept)) == expected
        for journal in (real, model):
            await journal.mark_done([4], 1009.0)
        assert await real.unsettled() == await model.unsettled()
        for name in ("warm-1", "warm-2"):
            assert await real.get(name) == await model.get(name)
            for one, other in zip(await real.events(name), await model.events(name), strict=True):
                assert replace(one, seq=other.seq, commands=list(one.commands)) == other
        for open_only in (True, False):
            assert await real.list(open_only, 10) == await model.list(open_only, 10)
        assert await real.get("warm-3") is None and await model.get("warm-3") is None


def _entries() -> list[Entry]:
    ring, hang_up = ("RingAgent", b"{}"), ("HangUpAgent", b"{}")

    def entry(handoff: str, event: str, at: float, settled: bool, commands: list, done: list[int]) -> Entry:
        return Entry(
            handoff, event, at, "X", b"{}", b"{}", "S", "sales", "ch", "Ana", "1", settled, commands, done
        )

    return [
        entry("warm-1", "a", 1000.0, False, [ring, ring], []),
        entry("warm-1", "a", 1001.0, False, [ring], [1]),
        entry("warm-2", "a", 1002.0, False, [ring, hang_up], []),
        entry("warm-1", "b", 1003.0, False, [hang_up], [1]),
        entry("warm-2", "b", 1004.0, True, [], [3]),
    ]
