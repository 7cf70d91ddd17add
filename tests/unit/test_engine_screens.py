"""Screens: who is told what, and that no receiver is in another's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from store_databases import new_database
from structlog.testing import capture_logs
from webhook_stage import endpoint, serving

from asterisk_warm.core.handoff.commands import News, Tell
from asterisk_warm.core.handoff.model import Agent, Handoff, Lead, Offer, Qualifier, Status
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, Templates
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.views import AnswerView, QualificationView
from asterisk_warm.engine.screens.ports import Notice, Receiver
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.store import Database, SqlDeliveries
from asterisk_warm.webhooks import Webhooks

SECONDS = 60.0
ENGLISH = Templates("{name}. {summary}", "Press {accept}.", "Here is {agent}.", "{agent} has them.")
SPANISH = replace(ENGLISH, briefing="{name} llama por: {summary}")
POLICY = Policy(
    mode=Mode.STAY,
    ring_seconds=20,
    decision_seconds=30,
    hold_seconds=90,
    comfort_seconds=0,
    music="default",
    introduction=True,
    keys=Keys(),
    templates=ENGLISH,
    translations=(("es", SPANISH),),
    page="https://crm.example/lead?n={number}&agent={agent}&id={id}",
)
ANA = Agent("ana", "Ana Lopez", "PJSIP/ana", language="es")
BEN = Agent("ben", "Ben", "PJSIP/ben")
LEAD = Lead(
    channel="1.1",
    name="Eva",
    number="+1 555&x=1",
    summary="Roof quote",
    details=(("city", "Sevilla"),),
    language="es",
    score=62.5,
    verdict="ready",
    qualification="qual-1",
    more="Called twice.",
)


def offer(number: int, agent: Agent, state: OfferState, **changes: Any) -> Offer:
    return Offer(number, agent, state, leg_open=state.open, deadline=None, rung_at=5.0, **changes)


RINGING = (offer(1, ANA, OfferState.RINGING), offer(2, BEN, OfferState.RINGING))
TAKEN = (offer(1, ANA, OfferState.ACCEPTED), offer(2, BEN, OfferState.LOST, cause="no longer needed"))
HANDOFF = Handoff(
    id="warm-1",
    team="sales",
    team_name="Sales",
    lead=LEAD,
    agents=(ANA, BEN),
    policy=POLICY,
    requested_by="quinn",
    return_to=None,
    state=State.OFFERING,
    requested_at=1.0,
    hold_until=91.0,
    qualifier=Qualifier("1.2", "Quinn"),
    offers=RINGING,
)


class Kept:
    """Has everything at once, unless the test lets it wait or fail."""

    def __init__(
        self,
        storing: Callable[[], Awaitable[None]] | None = None,
        having: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.notices: list[Notice] = []
        self.told = asyncio.Event()
        self._storing = storing
        self._having = having

    async def tell(self, notice: Notice) -> Awaitable[None]:
        if self._storing is not None:
            await self._storing()
        self.notices.append(notice)
        self.told.set()
        return self._have()

    async def _have(self) -> None:
        if self._having is not None:
            await self._having()


async def for_ever() -> None:
    await asyncio.Event().wait()


async def raising() -> None:
    raise RuntimeError("boom")


async def full() -> None:
    raise JournalError("the disk is full")


@asynccontextmanager
async def telling(receivers: Mapping[str, Receiver], budget: float = SECONDS) -> AsyncIterator[Screens]:
    screens = Screens(receivers, budget, clock=lambda: 1000.5)
    yield screens
    await screens.close()


async def told(handoff: Handoff, news: News, number: int | None = 1) -> Notice:
    kept = Kept()
    async with telling({"kept": kept}) as screens:
        await screens.tell(handoff, Tell(news, number))
    (notice,) = kept.notices
    msgspec.json.encode(notice.data)
    return notice


# -- what is told ------------------------------------------------------------------------------------------------


async def test_given_an_offer_then_the_notice_says_who_why_and_where_to_look() -> None:
    notice = await told(HANDOFF, News.MADE)
    assert (notice.id, notice.kind, notice.at, notice.agent) == ("warm-1.1.made", "offer.made", 1000.5, "ana")
    assert notice.data == {
        "handoff": "warm-1",
        "team": {"id": "sales", "name": "Sales"},
        "mode": "stay",
        "qualifier": "Quinn",
        "lead": {
            "name": "Eva",
            "number": "+1 555&x=1",
            "summary": "Roof quote",
            "details": {"city": "Sevilla"},
            "score": 62.5,
            "verdict": "ready",
            "language": "es",
            "more": "Called twice.",
            "qualification": "qual-1",
        },
        "offer": {"number": 1, "state": "RINGING", "why": ""},
        "agent": {"id": "ana", "name": "Ana Lopez"},
        "briefing": "Eva llama por: Roof quote",
        "page": "https://crm.example/lead?n=%2B1%20555%26x%3D1&agent=ana&id=warm-1",
    }
    other = await told(HANDOFF, News.MADE, 2)
    assert (other.id, other.agent, other.data["briefing"]) == ("warm-1.2.made", "ben", "Eva. Roof quote")


async def test_given_the_example_in_the_docs_then_it_has_what_is_told() -> None:
    page = (Path(__file__).parents[2] / "docs" / "screens.md").read_text()
    example = msgspec.json.decode(page.partition("```json")[2].partition("```")[0])
    notice = await told(HANDOFF, News.MADE)
    assert set(example) == {"id", "type", "timestamp", "data"}
    assert _members(example["data"]) == _members(notice.data)
    kinds = {*News, "handoff.outcome", "qualification.finished"}
    assert all(f"| `{kind}` |" in page for kind in kinds)


def _members(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, Mapping) or path == "/lead/details":
        return {path}
    return {member for name, one in value.items() for member in _members(one, f"{path}/{name}")}


async def test_given_a_blind_handoff_then_there_is_no_briefing() -> None:
    notice = await told(HANDOFF.evolve(policy=replace(POLICY, mode=Mode.BLIND, page="")), News.MADE)
    assert (notice.data["briefing"], notice.data["page"]) == ("", "")


async def test_given_an_offer_that_another_took_then_its_screen_is_told_who() -> None:
    taken = HANDOFF.evolve(offers=TAKEN, state=State.CONNECTED)
    notice = await told(taken, News.CLOSED, 2)
    assert (notice.id, notice.agent) == ("warm-1.2.closed", "ben")
    assert notice.data["offer"] == {"number": 2, "state": "LOST", "why": "taken by Ana Lopez"}
    accepted = await told(taken, News.ACCEPTED)
    assert (accepted.id, accepted.data["offer"]["why"]) == ("warm-1.1.accepted", "")


async def test_given_an_end_then_it_is_told_of_the_handoff_and_no_screen() -> None:
    ended = HANDOFF.evolve(
        offers=TAKEN, state=State.COMPLETED, status=Status.CONNECTED, reason="they have talked", ended_at=60.0
    )
    notice = await told(ended, News.ENDED, None)
    assert (notice.id, notice.kind, notice.agent) == ("warm-1.ended", "handoff.ended", "")
    found = {name: notice.data[name] for name in ("agent", "state", "status", "why", "ended_at", "gap_ms")}
    assert found == {
        "agent": {"id": "ana", "name": "Ana Lopez"},
        "state": "COMPLETED",
        "status": "CONNECTED",
        "why": "they have talked",
        "ended_at": 60.0,
        "gap_ms": 0,
    }
    nobody = await told(HANDOFF.evolve(state=State.RETURNED), News.ENDED, None)
    assert nobody.data["agent"] is None


async def test_given_hostile_words_then_they_are_data_and_nothing_else() -> None:
    words = "\"'<script>${SHELL(id)}\r\n{id}&%s\0\u202e\U0001f600\ud800" + "ß" * 65536
    lead = replace(LEAD, name=words, number=words, summary=words, details=((words, words),), more=words)
    agent = replace(ANA, name=words)
    hostile = HANDOFF.evolve(
        lead=lead, offers=(offer(1, agent, OfferState.RINGING),), qualifier=Qualifier("1.2", words)
    )
    notice = await told(hostile, News.MADE)
    kept = words.replace("\ud800", "?")
    assert notice.data["lead"]["name"] == kept == notice.data["qualifier"] == notice.data["agent"]["name"]
    assert notice.data["lead"]["details"] == {kept: kept}
    assert notice.data["page"].isascii() and not set(notice.data["page"]) & set(" \r\n\"'<>{}\0")
    assert notice.id == "warm-1.1.made"


async def test_given_an_offer_that_there_is_not_then_nobody_is_told() -> None:
    kept = Kept()
    async with telling({"kept": kept}) as screens:
        await screens.tell(HANDOFF, Tell(News.MADE, 7))
    assert kept.notices == []


async def test_given_what_came_of_it_then_other_systems_are_told_with_an_id_of_its_own() -> None:
    view = OutcomeView("warm-1", "sold", "Sold", "Signs\ud800 tomorrow", 77.125, "ana", "code")
    kept = Kept()
    async with telling({"kept": kept}) as screens:
        await screens.outcome(view, "+15551234567")
        await screens.outcome(replace(view, at=78.0), "+15551234567")
    one, two = kept.notices
    assert (one.id, two.id) == ("warm-1.outcome.77125", "warm-1.outcome.78000")
    assert (one.kind, one.at, one.agent) == ("handoff.outcome", 77.125, "")
    assert one.data == {
        "lead": {"number": "+15551234567"},
        "handoff": "warm-1",
        "disposition": "sold",
        "disposition_name": "Sold",
        "note": "Signs? tomorrow",
        "at": 77.125,
        "by": "ana",
        "source": "code",
    }


async def test_given_a_finished_qualification_then_other_systems_are_told_all_of_it() -> None:
    answer = AnswerView(
        "owner", "yes", "yes", 9.0, "lead", "voice", "Do you own it?", False, False, "", False
    )
    view = QualificationView(
        **{"id": "qual-1", "script": "roof", "script_name": "Roof", "version": 2, "lead": "+1555"},
        **{"lead_name": "Eva", "language": "es", "complete": True, "score": 62.5, "verdict": "ready"},
        **{"reason": "enough", "summary": "Owner", "details": "owner: yes", "question": None},
        **{"answers": (answer,), "started_at": 1.0, "updated_at": 9.5, "ended_at": 9.5, "source": ""},
        revision=4,
    )  # type: ignore[arg-type]
    kept = Kept()
    async with telling({"kept": kept}) as screens:
        await screens.qualified(view)
    (notice,) = kept.notices
    assert (notice.id, notice.kind, notice.at) == ("qual-1.finished.4", "qualification.finished", 9.5)
    assert notice.data["qualification"] == "qual-1"
    assert notice.data["lead"] == {"name": "Eva", "number": "+1555"}
    assert (notice.data["score"], notice.data["verdict"], notice.data["script"]) == (62.5, "ready", "roof")
    assert notice.data["answers"][0]["asked"] == "Do you own it?"
    assert "question" not in notice.data and "revision" not in notice.data
    msgspec.json.encode(notice.data)


# -- what a screen shows that comes later ------------------------------------------------------------------------


def test_given_open_offers_and_talks_then_a_new_screen_is_told_of_those_of_its_agent() -> None:
    screens = Screens({}, 1.0, clock=lambda: 7.0)
    talking = HANDOFF.evolve(id="warm-2", offers=TAKEN, state=State.CONNECTED)
    over = talking.evolve(id="warm-3", state=State.COMPLETED)
    recall = HANDOFF.evolve(id="warm-4", offers=(replace(RINGING[0], recall=True),))
    found = {
        agent: [(one.id, one.kind) for one in screens.present([HANDOFF, talking, over, recall], agent)]
        for agent in ("ana", "ben", "cy")
    }
    assert found == {
        "ana": [("warm-1.1.made", "offer.made"), ("warm-2.1.accepted", "offer.accepted")],
        "ben": [("warm-1.2.made", "offer.made")],
        "cy": [],
    }


# -- who is waited for -------------------------------------------------------------------------------------------


async def test_given_an_offer_when_told_then_it_is_waited_for_until_all_have_it() -> None:
    had = asyncio.Event()
    slow, fast = Kept(having=lambda: _wait(had)), Kept()
    async with telling({"slow": slow, "fast": fast}) as screens:
        telling_it = asyncio.create_task(screens.tell(HANDOFF, Tell(News.MADE, 1)))
        async with asyncio.timeout(SECONDS):
            await slow.told.wait()
            await fast.told.wait()
        assert not telling_it.done() and len(fast.notices) == 1
        had.set()
        await telling_it


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


@pytest.mark.parametrize("where", ["storing", "having"])
async def test_given_a_receiver_that_hangs_then_the_budget_is_all_it_has_and_the_log_says_who(
    where: str,
) -> None:
    hang, fast = Kept(**{where: for_ever}), Kept()
    with capture_logs() as logs:
        async with telling({"hang": hang, "fast": fast}, 0.1) as screens:
            start = time.monotonic()
            await screens.tell(HANDOFF, Tell(News.MADE, 1))
            assert time.monotonic() - start >= 0.09
            assert len(fast.notices) == 1
    (line,) = logs
    assert (line["log_level"], line["slow"], line["notice"]) == ("warning", ["hang"], "warm-1.1.made")


@pytest.mark.parametrize("news", [News.ANSWERED, News.ACCEPTED, News.CLOSED])
async def test_given_other_news_then_nobody_is_waited_for_who_has_stored_it(news: News) -> None:
    hang, fast = Kept(having=for_ever), Kept()
    async with telling({"hang": hang, "fast": fast}) as screens, asyncio.timeout(SECONDS):
        await screens.tell(HANDOFF, Tell(news, 1))
        assert len(hang.notices) == 1 == len(fast.notices)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"storing": raising}, "a receiver failed"),
        ({"having": raising}, "a receiver failed"),
        ({"storing": full}, "a notice was not stored"),
    ],
)
@pytest.mark.parametrize("news", [News.MADE, News.CLOSED])
async def test_given_a_receiver_that_fails_then_it_is_logged_and_the_others_are_told(
    fault: Mapping[str, Callable[[], Awaitable[None]]], words: str, news: News
) -> None:
    fast = Kept()
    with capture_logs() as logs:
        async with telling({"fault": Kept(**fault), "fast": fast}) as screens, asyncio.timeout(SECONDS):
            await screens.tell(HANDOFF, Tell(news, 1))
            await fast.told.wait()
            await asyncio.gather(*screens._at_work)
    assert [(line["event"], line["receiver"]) for line in logs] == [(words, "fault")]


async def test_given_no_receivers_then_nothing_is_waited_for() -> None:
    async with telling({}) as screens, asyncio.timeout(SECONDS):
        await screens.tell(HANDOFF, Tell(News.MADE, 1))
        await screens.tell(HANDOFF, Tell(News.ENDED))


async def test_given_a_webhook_then_it_has_the_offer_before_the_phone_rings_and_once_after_a_restart(
    tmp_path: Path,
) -> None:
    async with serving() as server, await Database.open(new_database("sqlite", tmp_path)) as database:
        wanted = frozenset({"offer.made", "handoff.ended"})
        webhooks = Webhooks(SqlDeliveries(database), [endpoint(server.url, kinds=wanted)])
        async with telling({"webhooks": webhooks}) as screens, asyncio.timeout(SECONDS):
            await screens.tell(HANDOFF, Tell(News.MADE, 1))
            assert server.ids == ["warm-1.1.made"]
            await screens.tell(HANDOFF, Tell(News.MADE, 1))
            await screens.tell(HANDOFF, Tell(News.ENDED))
            await server.requests(2)
        await webhooks.close()
    assert server.ids == ["warm-1.1.made", "warm-1.ended"]
    assert server.got[0]["data"]["briefing"] == "Eva llama por: Roof quote"
