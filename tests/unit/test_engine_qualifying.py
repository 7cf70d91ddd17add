"""Leads being asked: begun, answered by whichever channel, resumed on a call-back, finished, handed over by others."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from lead_memory import HOME, MemoryLeads, MemoryQualifications, MemoryScripts, script_of

from asterisk_warm.core.leads import LeadRecord
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.model import Channel
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.keeping import TRIES
from asterisk_warm.engine.qualifying.ports import ScriptVersion
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.service import QualificationService
from asterisk_warm.engine.qualifying.views import QualificationView

DANA = By("dana", "cli")
LEAD = By("lead", "agi")
NUMBER = "+12025550123"
DAY = 86400.0


class Desk:
    """The service on stores in memory; `told` are the verdicts that others heard of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leads, self.kept, self.versions = MemoryLeads(), MemoryQualifications(), MemoryScripts()
        self.scripts = ScriptService(self.versions, script_of)
        self.told: list[QualificationView] = []
        self.now = 1_800_000_000.0
        monkeypatch.setattr(time, "time", lambda: self.now)
        self.service = QualificationService(
            self.kept,
            self.scripts,
            self.leads,
            region="US",
            zone=timezone(timedelta(hours=14)),
            finished=self._finished,
        )

    async def _finished(self, view: QualificationView) -> None:
        self.told.append(view)

    async def begin(self, lead: str = NUMBER, **more) -> QualificationView:
        return await self.service.begin("home", lead, by=DANA, channel=Channel.CONSOLE, **more)

    async def answer(self, id: str, text: str, **more) -> QualificationView:
        self.now += 1
        return await self.service.answer(id, text, **{"channel": Channel.CONSOLE, "by": DANA, **more})

    async def answers(self, id: str, *texts: str) -> QualificationView:
        for text in texts:
            view = await self.answer(id, text)
        return view


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(monkeypatch)
    await desk.scripts.publish(HOME, DANA)
    return desk


async def refused(work) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


async def test_given_a_lead_then_one_question_after_the_other_until_there_is_a_verdict(desk):
    desk.leads.records[NUMBER] = LeadRecord(NUMBER, "Grant")
    view = await desk.begin("(202) 555-0123")
    assert (view.lead, view.lead_name, view.version, view.complete) == (NUMBER, "Grant", 1, False)
    assert (view.question.id, view.verdict, view.language) == ("owner", None, "en")
    assert [(one.key, one.value) for one in view.question.choices] == [("1", "yes"), ("2", "no")]
    view = await desk.answers(view.id, "y")
    assert (view.question.id, view.question.kind, view.score) == ("kind", "choice", 20)
    assert [(one.key, one.label) for one in view.question.choices] == [("1", "a house"), ("2", "a flat")]
    view = await desk.answers(view.id, "a house", "3", "a quote by Friday")
    assert (view.complete, view.verdict, view.score, view.question) == (True, "ready", 30, None)
    assert (view.summary, view.ended_at) == ("a house, 3 claims", desk.now)
    assert desk.told == [view]
    assert await desk.service.show(view.id) == view


async def test_given_an_answer_then_who_gave_it_when_how_and_to_which_words_is_kept(desk):
    id = (await desk.begin()).id
    await desk.answer(id, "1", channel=Channel.VOICE, by=LEAD)
    (answer,) = (await desk.service.show(id)).answers
    assert (answer.question, answer.value, answer.words.casefold()) == ("owner", "yes", "yes")
    assert (answer.at, answer.by, answer.channel) == (desk.now, "lead", "voice")
    assert answer.asked == "Do you own the home?"
    (kept,) = desk.kept.kept[id].answers
    assert kept.on == "2027-01-15", "the day where the engine is, not in Greenwich"


async def test_given_a_knockout_then_it_is_over_with_the_reason(desk):
    view = await desk.answers((await desk.begin()).id, "no")
    assert (view.verdict, view.reason, view.complete) == ("disqualified", "does not own a home", True)
    error = await refused(desk.answer(view.id, "house"))
    assert (error.kind, error.message) == ("conflict", f"{view.id} is finished")


async def test_given_an_answer_that_will_not_do_then_refused_with_what_would_and_nothing_is_kept(desk):
    id = (await desk.begin()).id
    error = await refused(desk.answer(id, "perhaps\r\n${SHELL(x)}" + "y" * 70000))
    assert error.kind == "invalid" and error.remedy
    assert len(error.message) < 300 and error.message.isprintable()
    assert (await desk.service.show(id)).answers == ()


async def test_given_a_named_question_then_its_answer_is_changed_also_when_all_is_over(desk):
    view = await desk.answers((await desk.begin()).id, "yes", "flat", "0", "a quote")
    assert (view.verdict, view.score) == ("nurture", 20)
    view = await desk.answer(view.id, "house", question="kind")
    assert (view.verdict, view.score, view.ended_at) == ("ready", 30, desk.now)
    assert [one.verdict for one in desk.told] == ["nurture", "ready"]
    error = await refused(desk.answer(view.id, "x", question="colour"))
    assert (error.kind, error.message) == ("not_found", 'home has no question "colour"')
    assert error.remedy == "one of owner, kind, claims, words"


async def test_given_optional_questions_then_they_can_be_skipped_and_others_cannot(desk):
    id = (await desk.begin()).id
    error = await refused(desk.service.skip(id, Channel.CONSOLE, DANA))
    assert error.kind == "invalid"
    await desk.answers(id, "yes", "house")
    view = await desk.service.skip(id, Channel.CONSOLE, DANA)
    assert (view.question.id, view.answers[-1].skipped) == ("words", True)


async def test_given_back_then_the_last_answer_is_taken_back_also_when_all_is_over(desk):
    id = (await desk.begin()).id
    error = await refused(desk.service.back(id))
    assert (error.kind, error.message) == ("conflict", "there is no answer to take back")
    await desk.answers(id, "no")
    view = await desk.service.back(id)
    assert (view.question.id, view.complete, view.verdict, view.ended_at) == ("owner", False, None, None)


async def test_given_free_text_then_a_recording_will_do(desk):
    id = (await desk.begin()).id
    await desk.answers(id, "yes", "house", "0")
    view = await desk.answer(id, "", recording="qual/own-words")
    assert (view.answers[-1].value, view.answers[-1].recording) == ("", "qual/own-words")
    assert view.complete


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/x", "a&b", "x" * 121, "a\r\nb", "${X}"])
async def test_given_a_recording_by_a_name_that_leads_elsewhere_then_invalid(desk, name):
    id = (await desk.begin()).id
    error = await refused(desk.answer(id, "", question="words", recording=name))
    assert error.kind == "invalid" and error.message.isprintable()


# -- resumed -------------------------------------------------------------------------------------------------


async def test_given_a_lead_who_hung_up_in_the_middle_then_the_call_back_goes_on_with_the_next_question(desk):
    id = (await desk.begin()).id
    await desk.answers(id, "yes")
    view = await desk.begin("+1 202-555-0123")
    assert (view.id, view.question.id) == (id, "kind")
    fresh = await desk.begin(fresh=True)
    assert fresh.id != id and fresh.question.id == "owner"


async def test_given_a_new_version_meanwhile_then_who_has_begun_keeps_theirs_and_others_get_it(desk):
    id = (await desk.begin()).id
    await desk.scripts.publish(HOME.replace("Do you own the home?", "Is it yours?"), DANA)
    view = await desk.begin()
    assert (view.id, view.version, view.question.console) == (id, 1, "Do you own the home?")
    other = await desk.begin("+12025550199")
    assert (other.version, other.question.console) == (2, "Is it yours?")


async def test_given_an_earlier_qualification_then_what_still_holds_is_not_asked_again(desk):
    await desk.answers((await desk.begin()).id, "yes", "flat", "0", "a quote")
    desk.now += 20 * DAY
    again = await desk.begin()
    assert (again.complete, again.verdict) == (True, "nurture"), "nothing is left to ask"
    desk.now += 11 * DAY
    old = await desk.begin()
    assert old.question.id == "owner", "after 30 days all is asked anew"
    assert [one.id for one in desk.told] == [again.id] != [old.id]


async def test_given_a_finished_one_that_counts_then_whoever_begins_again_gets_it_and_nobody_is_told_anew(
    desk,
):
    first = (await desk.begin()).id
    await desk.answers(first, "yes", "house")
    await desk.service.skip(first, Channel.CONSOLE, DANA)
    finished = await desk.answer(first, "", recording="qual/own-words")
    for _ in range(29):
        desk.now += DAY
        assert await desk.begin() == finished, "a skipped question stays skipped as long as it counts"
    assert len(desk.kept.kept) == len(desk.told) == 1
    assert (await desk.begin(fresh=True)).id != first
    assert (await desk.begin()).id != first, "what was begun since then goes on"


async def test_given_a_finished_one_whose_recording_is_deleted_then_that_alone_is_asked_again(desk):
    first = (await desk.begin()).id
    await desk.answers(first, "yes", "house", "0")
    await desk.answer(first, "", recording="qual/own-words")
    kept = desk.kept.kept[first]
    *others, words = kept.answers
    gone = replace(words, recording="", recording_gone=True)
    desk.kept.kept[first] = replace(kept, answers=(*others, gone))
    again = await desk.begin()
    assert (again.id != first, again.question.id, len(again.answers)) == (True, "words", 3)


async def test_given_answers_that_were_carried_over_then_they_keep_their_age(desk):
    await desk.answers((await desk.begin()).id, "yes", "flat")
    desk.now += 20 * DAY
    view = await desk.answers((await desk.begin()).id, "0", "a quote")
    desk.now += 15 * DAY
    again = await desk.begin()
    assert (again.id != view.id, again.question.id) == (True, "owner"), "35 days old"
    assert [one.question for one in again.answers] == ["claims", "words"], "15 days old"
    finished = await desk.answers(again.id, "yes", "house")
    desk.now += 14 * DAY
    assert await desk.begin() == finished
    desk.now += 2 * DAY
    last = await desk.begin()
    assert (last.question.id, [one.question for one in last.answers]) == ("claims", ["owner", "kind"])


async def test_given_an_open_one_with_an_answer_that_is_too_old_then_that_one_is_asked_again(desk):
    first = (await desk.begin()).id
    await desk.answers(first, "yes")
    desk.now += 20 * DAY
    await desk.answers(first, "flat")
    desk.now += 15 * DAY
    again = await desk.begin()
    assert (again.id != first, again.question.id) == (True, "owner")
    assert [one.question for one in again.answers] == ["kind"]


async def test_given_a_new_version_by_which_it_comes_to_the_same_then_the_finished_one_still_holds(desk):
    finished = await desk.answers((await desk.begin()).id, "yes", "house", "0", "a quote")
    await desk.scripts.publish(HOME.replace("What is it?", "Which kind?"), DANA)
    assert await desk.begin() == finished
    await desk.scripts.publish(HOME.replace("points: 20", "points: 21"), DANA)
    again = await desk.begin()
    assert (again.id != finished.id, again.version, again.score) == (True, 3, 31)
    assert await desk.begin() == again
    assert [one.id for one in desk.told] == [finished.id, again.id]


async def test_given_a_new_version_that_asks_more_then_that_alone_is_asked(desk):
    finished = await desk.answers((await desk.begin()).id, "yes", "house", "0", "a quote")
    more = "  garden:\n    ask: yesno\n    say: Is there a garden?\n"
    await desk.scripts.publish(HOME + more, DANA)
    again = await desk.begin()
    assert (again.id != finished.id, again.question.id, len(again.answers)) == (True, "garden", 4)


async def test_given_a_finished_one_whose_version_cannot_be_read_any_more_then_its_answers_are_carried(desk):
    finished = await desk.answers((await desk.begin()).id, "no")
    desk.versions.published["home"] = [ScriptVersion("home", 1, "no: script", 1.0, "an older program")]
    await desk.versions.publish("home", HOME, "cli", desk.now)
    desk.scripts._published.clear()
    again = await desk.begin()
    assert (again.id != finished.id, again.version, again.verdict) == (True, 2, "disqualified")


async def test_given_an_open_one_that_is_too_old_then_it_is_not_gone_on_with(desk):
    id = (await desk.begin()).id
    await desk.answers(id, "yes")
    desk.now += 31 * DAY
    assert (await desk.begin()).id != id


async def test_given_an_open_one_whose_version_cannot_be_read_any_more_then_a_new_one_begins(desk):
    id = (await desk.begin()).id
    desk.versions.published["home"] = [ScriptVersion("home", 1, "no: script", 1.0, "an older program")]
    await desk.versions.publish("home", HOME, "cli", desk.now)
    desk.scripts._published.clear()
    view = await desk.begin()
    assert (view.id != id, view.version) == (True, 2)
    assert [one.id for one in await desk.service.list(5)] == [view.id]


async def test_given_callers_without_a_number_then_none_goes_on_with_anothers(desk):
    first, second = await desk.begin(""), await desk.begin("")
    assert first.id != second.id
    assert await desk.service.latest("") is None


async def test_given_no_such_script_or_language_then_refused(desk):
    service, how = desk.service, {"by": DANA, "channel": Channel.CONSOLE}
    assert (await refused(service.begin("x\r\n", NUMBER, **how))).message == 'no script "x"'
    error = await refused(desk.begin(language="${LANG}"))
    assert (error.kind, error.message) == ("invalid", '"${LANG}" is no language')
    assert (await desk.begin(language="ES")).language == "es"


# -- several at once -----------------------------------------------------------------------------------------


async def test_given_two_who_answer_the_same_question_at_once_then_the_next_one_is_not_answered_by_it(desk):
    id = (await desk.begin()).id
    await desk.answers(id, "yes")
    gate = asyncio.Barrier(2)
    waiting = 2

    async def together(what: str) -> None:
        nonlocal waiting
        if what == "save" and waiting:
            waiting -= 1
            await gate.wait()

    desk.kept.meanwhile = together
    await asyncio.gather(desk.answer(id, "1"), desk.answer(id, "2"))
    view = await desk.service.show(id)
    assert view.question.id == "claims"
    assert view.answers[-1].question == "kind" and view.revision == 4


async def test_given_others_who_are_always_faster_then_it_is_given_up_with_words(desk):
    id = (await desk.begin()).id
    tried = 0

    async def faster(what: str) -> None:
        nonlocal tried
        if what == "save":
            tried += 1
            kept = desk.kept.kept[id]
            desk.kept.kept[id] = replace(kept, revision=kept.revision + 1)

    desk.kept.meanwhile = faster
    error = await refused(desk.answer(id, "yes"))
    assert (error.kind, tried) == ("conflict", TRIES)


async def test_given_the_store_fails_then_unreachable(desk):
    id = (await desk.begin()).id

    async def fail(_: str) -> None:
        raise JournalError("disk full")

    desk.leads.meanwhile = fail
    assert (await desk.service.show(id)).lead_name == "", "a summary does without the name"
    desk.kept.meanwhile = fail
    for work in (desk.begin(), desk.answer(id, "yes"), desk.service.list(5), desk.service.latest(NUMBER)):
        assert (await refused(work)).kind == "unreachable"


# -- seen, and handed over by others -------------------------------------------------------------------------


async def test_given_several_then_they_are_listed_newest_first(desk):
    first = (await desk.begin()).id
    desk.now += 1
    second = (await desk.begin("100")).id
    await desk.answers(second, "no")
    service = desk.service
    assert [one.id for one in await service.list(10)] == [second, first]
    assert [one.id for one in await service.list(10, open_only=True)] == [first]
    assert [one.id for one in await service.list(10, lead="100")] == [second]
    assert await service.list(10, lead="100", open_only=True) == []
    assert (await service.latest("202 555 0123", "home")).id == first
    assert await service.latest(NUMBER, "other") is None


async def test_given_another_systems_qualification_then_it_is_finished_at_once(desk):
    view = await desk.service.give(
        NUMBER, "dialler\r\n7", 55.5, "ready", "hot", "wants a loan\r\nX: y", By("crm", "api")
    )
    assert (view.script, view.version, view.verdict, view.score) == ("dialler 7", 0, "ready", 55.5)
    assert (view.summary, view.source, view.complete) == ("wants a loan X: y", "api (crm)", True)
    assert desk.told == [view] and view.question is None
    for work in (desk.answer(view.id, "x"), desk.service.back(view.id)):
        assert (await refused(work)).kind == "conflict"
    assert (await desk.begin()).question.id == "owner", "its answers are not known"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"verdict": "maybe"}, 'no verdict "maybe"'),
        ({"score": float("nan")}, "the score is no number that can be kept"),
        ({"score": 1e300}, "the score is no number that can be kept"),
        ({"script": " \r\n"}, "a qualification needs the name of a script"),
    ],
)
async def test_given_another_systems_qualification_that_will_not_do_then_invalid(desk, changed, words):
    given = {"script": "x", "score": 1.0, "verdict": "ready", "reason": "", "summary": "", **changed}
    error = await refused(desk.service.give(NUMBER, by=DANA, **given))
    assert (error.kind, error.message) == ("invalid", words)
    assert error.remedy


async def test_given_no_such_qualification_then_not_found(desk):
    for work in (
        desk.service.show("qual-x\n"),
        desk.answer("qual-x\n", "yes"),
        desk.service.back("qual-x\n"),
    ):
        error = await refused(work)
        assert (error.kind, error.message) == ("not_found", 'no qualification "qual-x"')
