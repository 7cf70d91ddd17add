"""Qualification on the phone: what is said, what is heard, and what becomes of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import pytest
from agi_stage import GONE, SECONDS, Caller, Desk, MemorySpeaker, Peer, Speech, environment

from asterisk_warm.agi import phone, voice
from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.asking import hints
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.environment import read_environment
from asterisk_warm.agi.phrases import PHRASES, phrase, spoken_in
from asterisk_warm.agi.scripts import SCRIPTS, answer
from asterisk_warm.agi.server import AgiServer, Limits
from asterisk_warm.agi.session import Reply
from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.model import Channel, Choice, Kind, Match, Question, Rule, Script, Wording
from asterisk_warm.engine.ports.journal import JournalError

NUMBER = "+12025550123"
HOME = Question(
    "home",
    Kind.CHOICE,
    Wording("Where do you live?", voice="What home is it?"),
    help="House or flat.",
    choices=(Choice("house", "a house"), Choice("flat", "a flat", "7")),
    rules=(Rule(Match(("house",)), points=10), Rule(Match(("flat",)), points=5)),
)
OWNER = Question(
    "owner", Kind.YESNO, Wording("Is it yours?"), rules=(Rule(Match(("no",)), knockout="rents"),)
)
SIZE = Question("size", Kind.NUMBER, Wording("How large is it?"), least=10, most=500)
RENEWS = Question("renews", Kind.DATE, Wording("When does it renew?"), optional=True)
MOBILE = Question("mobile", Kind.PHONE, Wording("Your number?"))
WORDS = Question("words", Kind.TEXT, Wording("What is it about?"), seconds=5)


@dataclass
class Stage:
    desk: Desk = field(default_factory=Desk)
    speaker: MemorySpeaker = field(default_factory=MemorySpeaker)
    caller: Caller = field(init=False)
    language: str = ""

    async def publish(self, *questions: Question, **changed: Any) -> None:
        ready = 10 if HOME in questions else 1
        asked = questions if ready == 10 else tuple(_scored(one) for one in questions)
        script = Script("every", "Every", asked, ready, 0, f"{{{asked[0].id}}}", language="en")
        await self.desk.publish(replace(script, **changed))

    async def run(
        self, script: str, *arguments: str, does: tuple[str | Speech, ...] = (), **how: str
    ) -> Answer:
        self.caller = Caller(self.speaker, does, **how)
        return await self.again(script, *arguments)

    async def again(self, script: str, *arguments: str, caller_id: str = NUMBER, **how: str) -> Answer:
        reader = asyncio.StreamReader()
        reader.feed_data(environment(script, *arguments, caller=caller_id, **how))
        asked = await read_environment(reader, 1 << 16)
        return await answer(
            Call(asked, self.caller, self.desk.services, time.time, self.speaker, self.language)
        )

    def kept(self) -> dict[str, str]:
        (kept,) = self.desk.kept.kept.values()
        return {one.question: one.value for one in kept.answers}

    def skipped(self) -> dict[str, str]:
        (kept,) = self.desk.kept.kept.values()
        why = {False: "on purpose", True: "no answer"}
        return {one.question: why[one.no_answer] for one in kept.answers if one.skipped}


def _scored(question: Question) -> Question:
    return replace(question, rules=(*question.rules, Rule(Match(), points=1)))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def _called(name: str, **words: str) -> str:
    return phrase(name, "en", **words)


# -- answers -------------------------------------------------------------------------------------------------


async def test_given_a_choice_then_its_keys_are_said_and_one_key_answers(stage: Stage) -> None:
    await stage.publish(HOME)
    found = await stage.run("qualify", "every", does=("7",))
    assert stage.caller.played[-4:-1] == [
        "What home is it?",
        "Press 1 for a house.",
        "Press 7 for a flat.",
    ]
    assert stage.caller.played[-1] == _called("done")
    assert stage.kept() == {"home": "flat"}
    assert {name: value for name, value in found.variables.items() if "QUALIFICATION" not in name} == {
        "WARM_COMPLETE": "yes",
        "WARM_SCORE": "5",
        "WARM_VERDICT": "nurture",
        "WARM_VERDICT_REASON": "the score is too low (5 points, ready from 10)",
        "WARM_SUMMARY": "a flat",
    }
    assert found.result is Result.OK


async def test_given_keys_of_a_number_date_and_telephone_then_they_are_read_back_and_taken(
    stage: Stage,
) -> None:
    await stage.publish(SIZE, RENEWS, MOBILE)
    await stage.run("qualify", "every", does=("120*5#", "1", "12032027", "1", "2025550199", "1"))
    read_back = [line for line in stage.caller.played if line.startswith("You entered")]
    assert [line.split(".")[0] for line in read_back] == [
        "You entered 120",
        "You entered 12 March 2027",
        "You entered 2 0 2 5 5 5 0 1 9 9",
    ]
    assert stage.kept() == {"size": "120.5", "renews": "2027-03-12", "mobile": "+12025550199"}


async def test_given_2_after_the_reading_back_then_it_is_asked_again(stage: Stage) -> None:
    await stage.publish(SIZE)
    await stage.run("qualify", "every", does=("12#", "2", "13#", "1"))
    assert stage.kept() == {"size": "13"}


async def test_given_no_confirmation_then_nothing_is_taken(stage: Stage) -> None:
    await stage.publish(replace(SIZE, tries=2))
    found = await stage.run("qualify", "every", does=("12#", "", "9", "12#", "", ""))
    assert stage.kept() == {} and found.variables["WARM_COMPLETE"] == "no"
    assert stage.caller.played[-1] == _called("given-up")


async def test_given_a_key_while_the_question_is_said_then_it_is_the_first_of_the_answer(
    stage: Stage,
) -> None:
    await stage.publish(SIZE)
    await stage.run("qualify", "every", does=("!42#", "!1"))
    assert stage.kept() == {"size": "42"}
    assert "How large is it?" not in stage.caller.played, "it came in the midst of the first sentence"


async def test_given_free_text_then_it_is_recorded_where_asterisk_finds_it(stage: Stage) -> None:
    await stage.publish(WORDS)
    found = await stage.run("qualify", "every", does=(Speech(3.0),))
    id = found.variables["WARM_QUALIFICATION"]
    assert stage.caller.recorded == [f"/spool/recording/{id}-words-1"]
    (record,) = (line for line in stage.caller.commands if line.startswith("RECORD"))
    assert record.endswith('wav "0123456789*#" 20000 BEEP s=4'), "four times as long as it may take to begin"
    (kept,) = stage.desk.kept.kept[id].answers
    assert (kept.value, kept.recording) == ("", f"{id}-words-1")


async def test_given_a_key_before_a_question_that_is_answered_by_voice_then_it_is_asked_all_the_same(
    stage: Stage,
) -> None:
    await stage.publish(WORDS)
    await stage.run("qualify", "every", does=("!5", "!5", Speech(3.0)))
    assert stage.caller.played[:2] == [_called("keys"), "What is it about?"]
    assert stage.kept() == {"words": ""}


async def test_given_a_recording_of_nothing_then_it_is_deleted_and_asked_again(stage: Stage) -> None:
    await stage.publish(WORDS)
    found = await stage.run("qualify", "every", does=(Speech(1.1, key=""), Speech(0.1), Speech(2.0)))
    name = f"{found.variables['WARM_QUALIFICATION']}-words-1"
    assert stage.desk.recordings.forgotten == [name, name]
    assert stage.caller.played.count(_called("not-heard")) == 2
    assert found.variables["WARM_COMPLETE"] == "yes"


async def test_given_a_recording_that_cannot_be_deleted_then_the_question_is_asked_again_all_the_same(
    stage: Stage,
) -> None:
    await stage.publish(WORDS)
    stage.desk.recordings.reachable = False
    found = await stage.run("qualify", "every", does=(Speech(0.1), Speech(2.0)))
    assert found.variables["WARM_COMPLETE"] == "yes"


# -- what is no answer ---------------------------------------------------------------------------------------


async def test_given_wrong_keys_then_it_is_told_what_would_do(stage: Stage) -> None:
    await stage.publish(HOME, SIZE, RENEWS, MOBILE)
    does = ("2", "1", "9#", "501#", "50#", "1", "31022027", "12032027", "1", "123#", "1", "2025550199", "1")
    await stage.run("qualify", "every", does=does)
    assert stage.kept()["mobile"] == "+12025550199"
    for told in ("not-a-choice", "not-a-number", "not-a-date", "not-a-phone"):
        assert _called(told) in stage.caller.played
    assert stage.caller.played.count(_called("between", least="10", most="500")) == 2


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"least": 10, "most": None}, _called("at-least", least="10")),
        ({"least": None, "most": 5}, _called("at-most", most="5")),
    ],
)
async def test_given_one_limit_then_that_is_told(stage: Stage, limits: dict[str, Any], told: str) -> None:
    await stage.publish(replace(SIZE, **limits))
    await stage.run("qualify", "every", does=("7#", GONE))
    assert told in stage.caller.played


async def test_given_tries_without_an_answer_then_an_optional_question_is_left_out(stage: Stage) -> None:
    await stage.publish(replace(RENEWS, tries=2), OWNER)
    found = await stage.run("qualify", "every", does=("", "#", "1"))
    assert _called("left-out") in stage.caller.played
    assert found.variables["WARM_COMPLETE"] == "yes" and stage.kept() == {"renews": "", "owner": "yes"}
    assert stage.skipped() == {"renews": "no answer"}


async def test_given_tries_without_an_answer_then_a_required_question_ends_it_politely(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)
    found = await stage.run("qualify", "every", does=("1", "", "5", ""))
    assert found.result is Result.OK and found.variables["WARM_COMPLETE"] == "no"
    assert found.variables["WARM_VERDICT"] == "" and stage.kept() == {"home": "house"}
    assert stage.caller.played[-1] == _called("given-up")


async def test_given_an_answer_in_between_then_the_tries_begin_anew(stage: Stage) -> None:
    await stage.publish(replace(HOME, tries=2), replace(OWNER, tries=2))
    found = await stage.run("qualify", "every", does=("", "1", "", "1"))
    assert found.variables["WARM_COMPLETE"] == "yes"


async def test_given_a_database_that_fails_then_the_interview_ends_and_says_how_far_it_came(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.publish(HOME, OWNER)

    async def fails(_: object) -> None:
        raise JournalError("disk full")

    class Full(Caller):
        def _next(self) -> str | Speech:
            if len(self.does) == 1:
                monkeypatch.setattr(stage.desk.kept, "save", fails)
            return super()._next()

    stage.caller = Full(stage.speaker, ("1", "1"))
    found = await stage.again("qualify", "every")
    assert found.result is Result.UNREACHABLE and "disk full" in found.cause
    assert (found.variables["WARM_COMPLETE"], stage.kept()) == ("no", {"home": "house"})


async def test_given_somebody_who_answers_at_a_screen_meanwhile_then_the_telephone_goes_on_from_there(
    stage: Stage,
) -> None:
    await stage.publish(MOBILE, OWNER)

    class Raced(Caller):
        async def command(self, line: str) -> Reply:
            if self.does == ["1", "1"]:
                (kept,) = stage.desk.kept.kept
                await stage.desk.qualifications.answer(
                    kept, "+12025550199", question="mobile", channel=Channel.CONSOLE, by=By("quinn", "cli")
                )
            return await super().command(line)

    stage.caller = Raced(stage.speaker, ("123#", "1", "1"))
    found = await stage.again("qualify", "every")
    assert found.variables["WARM_COMPLETE"] == "yes"
    assert _called("not-a-phone") not in stage.caller.played
    assert stage.kept() == {"mobile": "+12025550199", "owner": "yes"}


# -- keys ----------------------------------------------------------------------------------------------------


async def test_given_star_and_1_then_the_question_is_repeated(stage: Stage) -> None:
    await stage.publish(OWNER)
    await stage.run("qualify", "every", does=("*", "1", "1"))
    assert stage.caller.played.count("Is it yours?") == 2
    assert _called("menu-skip") not in stage.caller.played, "it is not optional"


async def test_given_star_and_2_then_it_goes_back_to_the_question_before(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)
    await stage.run("qualify", "every", does=("*", "2", "1", "*", "!2", "7", "1"))
    assert _called("first") in stage.caller.played, "there is none before the first one"
    assert stage.kept() == {"home": "flat", "owner": "yes"}


async def test_given_star_and_3_then_an_optional_question_is_skipped_and_no_other(stage: Stage) -> None:
    await stage.publish(RENEWS, OWNER)
    await stage.run("qualify", "every", does=("!*", "3", "*", "3", "1"))
    assert _called("no-skip") in stage.caller.played
    assert stage.kept() == {"renews": "", "owner": "yes"} and stage.skipped() == {"renews": "on purpose"}


async def test_given_star_and_0_then_the_help_is_said(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)
    await stage.run("qualify", "every", does=("*", "0", "1", "*", "0", "1"))
    assert "House or flat." in stage.caller.played and _called("no-help") in stage.caller.played


async def test_given_star_in_the_midst_of_a_date_or_after_a_recording_then_nothing_of_it_is_taken(
    stage: Stage,
) -> None:
    await stage.publish(RENEWS, WORDS)
    does = ("12*", "3", Speech(2.0, key="*"), "1", Speech(1.0))
    await stage.run("qualify", "every", does=does)
    assert stage.kept() == {"renews": "", "words": ""} and len(stage.desk.recordings.forgotten) == 1


async def test_given_star_while_it_is_read_back_then_there_is_the_menu(stage: Stage) -> None:
    await stage.publish(SIZE)
    await stage.run("qualify", "every", does=("12#", "*", "1", "13#", "1"))
    assert stage.kept() == {"size": "13"}


# -- hangups and call-backs ----------------------------------------------------------------------------------


async def test_given_a_hangup_then_what_was_answered_is_kept_and_the_next_call_goes_on(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)
    left = await stage.run("qualify", "every", does=("1", GONE))
    assert left.result is Result.OK and left.variables["WARM_COMPLETE"] == "no"
    found = await stage.run("qualify", "every", does=("1",))
    assert stage.caller.played[0] == _called("welcome-back") and "What home is it?" not in stage.caller.played
    assert found.variables["WARM_QUALIFICATION"] == left.variables["WARM_QUALIFICATION"]
    assert found.variables["WARM_COMPLETE"] == "yes"


async def test_given_a_hangup_in_a_recording_then_what_was_said_is_kept(stage: Stage) -> None:
    await stage.publish(WORDS, OWNER)
    await stage.run("qualify", "every", does=(Speech(2.0, hangs_up=True),))
    assert stage.kept() == {"words": ""}


async def test_given_a_hangup_before_a_word_was_said_then_no_recording_is_kept(stage: Stage) -> None:
    await stage.publish(WORDS, OWNER)
    await stage.run("qualify", "every", does=(Speech(0.0, hangs_up=True),))
    assert stage.kept() == {} and len(stage.desk.recordings.forgotten) == 1


async def test_given_another_number_then_it_is_that_leads(stage: Stage) -> None:
    await stage.publish(OWNER)
    await stage.run("qualify", "every", "lead=+12025550177", does=("1",), WARM_LEAD_NUMBER="+12025550188")
    await stage.run("qualify", "every", does=("1",), WARM_LEAD_NUMBER="+12025550188")
    await stage.run("qualify", "every", does=("1",))
    leads = [one.lead for one in stage.desk.kept.kept.values()]
    assert leads == ["+12025550177", "+12025550188", NUMBER]


async def test_given_no_number_then_the_channel_knows_the_qualification(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)
    stage.caller = Caller(stage.speaker, ("1", "", "", ""))
    first = await stage.again("qualify", "every", caller_id="")
    id = first.variables["WARM_LEAD_QUALIFICATION"]
    stage.caller = Caller(stage.speaker, ("1",), WARM_LEAD_QUALIFICATION=id)
    found = await stage.again("qualify", "every", caller_id="")
    assert found.variables["WARM_QUALIFICATION"] == id and found.variables["WARM_COMPLETE"] == "yes"
    score = await stage.again("score", "every", caller_id="")
    assert score.variables["WARM_VERDICT"] == "ready"
    stage.caller.does = ["1", GONE]
    fresh = await stage.again("qualify", "every", "fresh=yes", caller_id="")
    assert fresh.variables["WARM_QUALIFICATION"] != id


async def test_given_a_qualification_of_the_channel_that_is_not_there_then_a_new_one_begins(
    stage: Stage,
) -> None:
    await stage.publish(OWNER)
    stage.caller = Caller(stage.speaker, ("1",), WARM_LEAD_QUALIFICATION="qual-gone")
    found = await stage.again("qualify", "every", caller_id="")
    assert found.variables["WARM_COMPLETE"] == "yes"


async def test_given_nothing_left_to_ask_then_nothing_is_said(stage: Stage) -> None:
    await stage.publish(OWNER)
    first = await stage.run("qualify", "every", does=("1",))
    found = await stage.run("qualify", "every")
    assert found.variables == first.variables and stage.caller.played == []


@pytest.mark.parametrize("caller", ["restricted", "100", "12", "+4900001234"])
async def test_given_an_odd_caller_id_then_that_lead_is_asked_too_and_found_again(
    stage: Stage, caller: str
) -> None:
    await stage.publish(OWNER)
    stage.caller = Caller(stage.speaker, ("1",))
    first = await stage.again("qualify", "every", caller_id=caller)
    assert first.result is Result.OK and first.variables["WARM_COMPLETE"] == "yes"
    score = await stage.again("score", "every", caller_id=caller)
    assert score.variables["WARM_QUALIFICATION"] == first.variables["WARM_QUALIFICATION"]


# -- peers ---------------------------------------------------------------------------------------------------


@dataclass
class Wire:
    """A real server that gives other scripts next to no time, and asks its peers a yes-or-no question."""

    stage: Stage
    server: AgiServer

    async def ask(self) -> Peer:
        peer = await Peer.connect(self.server.port)
        peer.send(environment("qualify", "every", caller=NUMBER))
        for asked, reply in (("SET VARIABLE WARM_RESULT", b"1"), ("GET FULL VARIABLE", b"0")):
            assert (await peer.line()).startswith(asked)
            peer.send(b"200 result=" + reply + b"\n")
        return peer


BRIEF = 0.3


@pytest.fixture
async def wire(stage: Stage) -> AsyncIterator[Wire]:
    await stage.publish(OWNER)
    limits = Limits(script_seconds=BRIEF, telling_seconds=SECONDS)
    server = AgiServer(stage.desk.services, stage.speaker, port=0, limits=limits)
    await server.start()
    yield Wire(stage, server)
    await server.stop()


async def test_given_an_interview_then_it_has_more_time_than_other_scripts(wire: Wire) -> None:
    peer = await wire.ask()
    assert await peer.line() == "ANSWER"
    await asyncio.sleep(2 * BRIEF)
    peer.send(b"200 result=1\n")
    assert await peer.obey() == "OK"
    assert peer.variables["WARM_COMPLETE"] == "yes" and wire.stage.kept() == {"owner": "yes"}


async def test_given_an_asterisk_that_replies_no_more_then_the_session_ends(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "REPLY_SECONDS", 0.05)
    peer = await wire.ask()
    assert await peer.closed() == b"ANSWER\n"
    peer.close()


@pytest.mark.parametrize("reply", [b"511 Command Not Permitted\n", b"HANGUP\n200 result=-1\n"])
async def test_given_a_caller_who_is_gone_already_then_nothing_is_asked_and_the_variables_are_told(
    wire: Wire, reply: bytes
) -> None:
    peer = await wire.ask()
    assert await peer.line() == "ANSWER"
    peer.send(reply)
    assert await peer.obey() == "OK"
    assert (peer.variables["WARM_COMPLETE"], peer.variables["WARM_QUALIFICATION"][:5]) == ("no", "qual-")
    assert all(line.startswith("SET VARIABLE") for line in peer.lines)


async def test_given_an_asterisk_that_cannot_record_then_the_session_ends_and_answers_are_kept(
    wire: Wire,
) -> None:
    await wire.stage.publish(OWNER, WORDS)
    peer = await wire.ask()
    while not (line := await peer.line()).startswith("RECORD"):
        # A key for the yes-or-no question, and none for the other one.
        said = b" (timeout)" if wire.stage.kept() else b"1"
        peer.send(b"200 result=" + (b"1 (/spool)" if "URIENCODE" in line else said) + b"\n")
    peer.send(b"200 result=-1 (writefile)\n")
    assert await peer.closed() == b""
    assert wire.stage.kept() == {"owner": "yes"}
    peer.close()


# -- voices --------------------------------------------------------------------------------------------------


async def test_given_spanish_then_the_phrases_are_spanish(stage: Stage) -> None:
    await stage.publish(HOME, RENEWS)
    await stage.run("qualify", "every", "language=es-MX", does=("1", "12032027", "1"))
    assert "Pulse 1 para a house." in stage.caller.played
    assert any(line.startswith("Ha marcado 12 de marzo de 2027.") for line in stage.caller.played)
    assert stage.speaker.languages["What home is it?"] == "es"
    assert stage.speaker.languages[phrase("keys", "es")] == "es"


async def test_given_a_script_without_a_language_then_it_is_that_of_the_configuration(stage: Stage) -> None:
    await stage.publish(OWNER, language="")
    stage.language = "es"
    await stage.run("qualify", "every", does=("1",))
    assert phrase("yesno", "es") in stage.caller.played


async def test_given_a_language_without_phrases_then_they_are_english_in_an_english_voice(
    stage: Stage,
) -> None:
    await stage.publish(OWNER, language="fr")
    await stage.run("qualify", "every", does=("1",))
    assert stage.speaker.languages[_called("keys")] == "en"
    assert stage.speaker.languages["Is it yours?"] == "fr"


async def test_given_recordings_then_they_are_the_whole_question(stage: Stage) -> None:
    await stage.publish(replace(HOME, wording=Wording("Home?", voice="sound:own/home&own/keys")))
    await stage.run("qualify", "every", does=("1",))
    assert stage.caller.played == [_called("keys"), "own/home", "own/keys", _called("done")]


async def test_given_a_recording_that_is_not_there_then_the_question_is_spoken(stage: Stage) -> None:
    await stage.publish(replace(OWNER, wording=Wording("Yours?", voice="sound:own/owner")))
    stage.caller = Caller(stage.speaker, ("1",))
    stage.caller.missing = {"own/owner"}
    found = await stage.again("qualify", "every")
    assert "Yours?" in stage.caller.played and found.variables["WARM_COMPLETE"] == "yes"


async def test_given_no_sound_that_asterisk_finds_then_it_ends_at_once(stage: Stage) -> None:
    await stage.publish(OWNER)
    stage.caller = Caller(stage.speaker)
    stage.caller.missing = {f"/cache/{n}" for n in range(100)}
    found = await stage.again("qualify", "every")
    assert found.result is Result.UNREACHABLE and "sounds.asterisk_directory" in found.cause


@pytest.mark.parametrize("works", [False, None])
async def test_given_no_speech_then_recordings_are_asked_and_what_must_be_spoken_ends_it(
    stage: Stage, works: bool | None
) -> None:
    await stage.publish(replace(HOME, wording=Wording("Home?", voice="sound:own/home")), OWNER)
    stage.speaker.works = False
    if works is None:
        stage.speaker = None  # type: ignore[assignment]
    stage.caller = Caller(MemorySpeaker(), ("1",))
    found = await stage.again("qualify", "every")
    assert found.result is Result.UNREACHABLE
    assert found.cause.startswith("a question cannot be spoken: ") and "sound:NAME" in found.cause
    assert stage.kept() == {"home": "house"} and found.variables["WARM_COMPLETE"] == "no"
    assert stage.caller.played == ["own/home"]


async def test_given_speech_that_takes_too_long_then_it_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "WORDING_SECONDS", 0.05)
    monkeypatch.setattr(voice, "PHRASE_SECONDS", 0.05)
    await stage.publish(OWNER)
    stage.speaker.gate = asyncio.Event()
    async with asyncio.timeout(SECONDS):
        found = await stage.run("qualify", "every")
    assert found.cause.startswith("a question cannot be spoken: speech took too long")


async def test_given_an_interview_then_all_that_may_be_said_is_rendered_ahead(stage: Stage) -> None:
    await stage.publish(HOME, OWNER)

    rendered = asyncio.Event()

    class Told(MemorySpeaker):
        async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
            if _called("given-up") in lines:
                rendered.set()
            return await super().prepare(lines, language)

    class Patient(Caller):
        async def command(self, line: str) -> Reply:
            if line.startswith("WAIT"):
                await asyncio.wait_for(rendered.wait(), SECONDS)
            return await super().command(line)

    stage.speaker = Told()
    stage.caller = Patient(stage.speaker, (GONE,))
    await stage.again("qualify", "every")
    assert {"Is it yours?", "House or flat.", "Press 7 for a flat."} <= set(stage.speaker.said)


def test_given_the_phrases_then_each_language_has_the_same_with_the_same_words_in_them() -> None:
    english = PHRASES["en"]
    for language, texts in PHRASES.items():
        assert spoken_in(f"{language.upper()}_XX") == language
        assert texts.keys() == english.keys()
        for name, text in texts.items():
            assert set(re.findall(r"\{\w*\}", text)) == set(re.findall(r"\{\w*\}", english[name])), name
    assert spoken_in("xx") == "en"


def test_given_words_that_look_like_a_placeholder_then_they_are_said_as_they_are() -> None:
    assert phrase("choice", "en", label="{key} {0}", key="1") == "Press 1 for {key} {0}."


def test_given_each_kind_of_question_then_it_is_said_how_to_answer() -> None:
    script = Script("every", "Every", (), 0, 0, "", date_order="mdy")
    assert hints(script, RENEWS, "en") == [_called("date-mdy")]
    assert hints(script, WORDS, "en") == [_called("record")]
    assert hints(script, MOBILE, "es") == [phrase("phone", "es")]


# -- from the dialplan ---------------------------------------------------------------------------------------


async def test_given_answers_from_the_dialplan_then_the_next_question_is_told(stage: Stage) -> None:
    await stage.publish(HOME, SIZE)
    found = await stage.run("answer", "every", "home", "house")
    assert (found.variables["WARM_QUESTION"], found.variables["WARM_COMPLETE"]) == ("size", "no")
    found = await stage.run("answer", "every", "size", "1%302%2C5", NUMBER)
    assert (found.variables["WARM_QUESTION"], found.variables["WARM_VERDICT"]) == ("", "ready")
    assert stage.kept() == {"home": "house", "size": "102.5"}
    (kept,) = stage.desk.kept.kept.values()
    assert {one.channel for one in kept.answers} == {"dialplan"}


async def test_given_an_answer_that_will_not_do_then_it_is_said_why(stage: Stage) -> None:
    await stage.publish(SIZE)
    found = await stage.run("answer", "every", "size", "9")
    assert found.result is Result.INVALID and "must be from 10 to 500" in found.cause
    found = await stage.run("answer", "every", "colour", "9")
    assert found.result is Result.NOTFOUND and "colour" in found.cause
    assert not any(found.variables.values())


async def test_given_the_score_then_it_is_that_of_the_latest_qualification(stage: Stage) -> None:
    await stage.publish(HOME)
    none = await stage.run("score", "every")
    assert none.result is Result.NOTFOUND and not any(none.variables.values())
    await stage.run("answer", "every", "home", "house")
    found = await stage.run("score", "every", NUMBER)
    assert (found.variables["WARM_SCORE"], found.variables["WARM_VERDICT"]) == ("10", "ready")
    assert (await stage.run("score", "other")).result is Result.NOTFOUND


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("qualify", (), "0 arguments; use qualify,SCRIPT"),
        ("qualify", ("every", "slow=yes"), "there is no option 'slow=yes'; use language=…, fresh=…, lead=…"),
        ("qualify", ("every", "lead="), "there is no option 'lead='"),
        ("qualify", ("every", "fresh=perhaps"), "fresh is 'perhaps'; use fresh=yes or fresh=no"),
        ("qualify", ("every", "language=$HOME"), "is no language"),
        ("answer", ("every", "home"), "2 arguments; use answer,SCRIPT,QUESTION,VALUE,NUMBER"),
        ("score", (), "0 arguments; use score,SCRIPT,NUMBER"),
    ],
)
async def test_given_wrong_arguments_then_the_cause_says_what_to_do(
    stage: Stage, script: str, arguments: tuple[str, ...], words: str
) -> None:
    await stage.publish(HOME)
    found = await stage.run(script, *arguments)
    assert found.result is Result.INVALID and words in found.cause
    assert found.variables == dict.fromkeys(SCRIPTS[script].variables, "")


async def test_given_no_such_script_then_it_is_said(stage: Stage) -> None:
    found = await stage.run("qualify", "every")
    assert found.result is Result.NOTFOUND and "every" in found.cause


HOSTILE = '"; ${SHELL(id)} & `id` | %0aSET VARIABLE X "1\\ \r\n200 result=1 \u202e\U0001f600'


async def test_given_hostile_answers_then_variables_have_words_that_do_nothing(stage: Stage) -> None:
    await stage.publish(WORDS, summary="{words}")
    found = await stage.run("answer", "every", "words", quote(HOSTILE))
    assert found.result is Result.OK
    assert not set(found.variables["WARM_SUMMARY"]) & set('"\\<>{}[]$`;|&%\r\n')
    assert "SHELL(id)" in found.variables["WARM_SUMMARY"]


# -- what came of it -----------------------------------------------------------------------------------------


async def test_given_a_disposition_then_it_is_written_down_for_the_agents_latest_talk(stage: Stage) -> None:
    stage.desk.leads.talks["ana"] = "warm-1"
    found = await stage.run("outcome", "2")
    assert (found.variables["WARM_DISPOSITION"], found.variables["WARM_DISPOSITION_NAME"]) == (
        *("callback",),
        "Call back",
    )
    assert (found.variables["WARM_DISPOSITION_OF"], found.line) == ("warm-1", "Call back.")
    await stage.run("outcome", "sold", 'wants a "quote"')
    assert [(one.disposition, one.note, one.by) for one in stage.desk.leads.outcomes] == [
        ("callback", "", "ana"),
        ("sold", "wants a quote", "ana"),
    ]


async def test_given_a_phone_of_no_agent_then_it_hears_so(stage: Stage) -> None:
    stage.caller = Caller(stage.speaker)
    found = await stage.again("outcome", "1", channel="PJSIP/nobody-0000001f")
    assert (found.result, found.prompts) == (Result.NOTFOUND, ("no-agent-here",))


@pytest.mark.parametrize("word", ["2", "callback", "Call  BACK"])
async def test_given_a_disposition_by_digit_id_or_name_then_it_is_that(stage: Stage, word: str) -> None:
    stage.desk.leads.talks["ana"] = "warm-1"
    assert (await stage.run("outcome", word)).variables["WARM_DISPOSITION"] == "callback"


DIGITS = "1: Sold. 2: Call back."


@pytest.mark.parametrize(
    ("arguments", "result", "words", "prompts", "line"),
    [
        (
            ("9",),
            Result.INVALID,
            "there is no disposition '9'; use one of 1 (sold), 2 (callback)",
            ("not-understood",),
            DIGITS,
        ),
        ((), Result.INVALID, "no disposition was named; use one of 1 (sold), 2 (callback)", (), DIGITS),
        (("agent=ana",), Result.INVALID, "no disposition was named", (), DIGITS),
        (
            ("agent=dan", "1"),
            Result.NOTFOUND,
            "dan has not talked to a lead yet",
            ("refused",),
            "You have not talked to a lead yet.",
        ),
        (("agent=ana", "1", "a", "b"), Result.INVALID, "4 arguments", ("not-understood",), ""),
    ],
)
async def test_given_a_disposition_that_cannot_be_written_then_it_is_heard_why(
    stage: Stage, arguments: tuple[str, ...], result: Result, words: str, prompts: tuple[str, ...], line: str
) -> None:
    stage.desk.leads.talks["ana"] = "warm-1"
    found = await stage.run("outcome", *arguments)
    assert found.result is result and words in found.cause
    assert (found.prompts, found.line) == (prompts, line)
    assert not stage.desk.leads.outcomes


async def test_given_dispositions_without_digits_then_that_is_heard_and_their_ids_serve(stage: Stage) -> None:
    stage.desk.leads.talks["ana"] = "warm-1"
    stage.desk.leads.dispositions = {"lost": Disposition("lost", "Lost")}
    found = await stage.run("outcome", "1")
    assert found.line == "There are no digits for what came of a talk." and "use one of lost" in found.cause
    assert (await stage.run("outcome", "lost")).line == "Lost."
    stage.desk.leads.dispositions = {}
    assert "none is configured" in (await stage.run("outcome")).cause
