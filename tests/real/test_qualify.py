"""Qualification by telephone on a real Asterisk: real phones hear the questions and key the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from adapters import private_asterisk
from qualify_scene import DIALPLAN, LEAD_HZ, PITCHES, Scene, heard_in, playing, record_questions
from scene import until

from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.rawphones import HostileLead
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import FRAME_SECONDS, RATE, chord, write_wav

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with private_asterisk(root, tmp_path_factory.mktemp("qualify"), ("ana", "ben"), DIALPLAN) as running:
        yield running


@pytest.fixture
async def scene(asterisk: PrivateAsterisk) -> AsyncIterator[Scene]:
    sounds = record_questions(asterisk.workdir / "own", {"owner": 5.0})
    async with playing(asterisk, sounds) as on_stage:
        yield on_stage


async def test_given_every_kind_of_question_then_each_is_answered_by_keys_or_voice(scene: Scene) -> None:
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "1", "owner", "1", "size", "120*5#", "entered", "1")
    await lead.says("renews", "12032027", "entered", "1", "mobile", "2025550199#", "entered", "1")
    await lead.hears("words")
    await scene.speaks()
    await lead.call.press("#")
    await lead.says("extra", "42#", "entered", "1")
    await lead.hears("done")
    told = await scene.told()
    assert (told["agi"], told["result"], told["complete"]) == ("SUCCESS", "OK", "yes")
    assert (told["verdict"], told["score"], told["summary"]) == ("ready", "11", "a house")
    assert told["along"] == told["id"]
    kept = await scene.desk.qualifications.show(told["id"])
    assert {one.question: one.value for one in kept.answers} == {
        "home": "house",
        "owner": "yes",
        "size": "120.5",
        "renews": "2027-03-12",
        "mobile": "+12025550199",
        "words": "",
        "extra": "42",
    }
    assert {one.channel for one in kept.answers} == {"voice"} and {one.by for one in kept.answers} == {"lead"}
    recording = next(one.recording for one in kept.answers if one.question == "words")
    assert heard_in(scene.recording(recording)) == ["lead"]
    playback = await scene.calls(recording, "listen")
    await playback.hears("lead")


# -- keys ----------------------------------------------------------------------------------------------------


async def test_given_a_key_in_the_midst_of_a_question_then_it_is_the_answer_and_the_rest_is_not_heard(
    scene: Scene,
) -> None:
    await scene.publish("owner", "extra")
    lead = await scene.calls("every")
    await lead.says("keys", "", "owner", "1")
    await lead.hears("extra")
    heard = lead.frames(PITCHES["owner"])
    assert 5 <= heard < 3.0 / FRAME_SECONDS, "of 5 seconds"
    await lead.call.hang_up()
    told = await scene.told("left")
    kept = await scene.desk.qualifications.show(told["id"])
    assert [(one.question, one.value) for one in kept.answers] == [("owner", "yes")]


async def test_given_keys_as_fast_as_a_machine_presses_them_then_none_is_lost(scene: Scene) -> None:
    await scene.publish("size")
    await scene.asks("every")
    caller = '"Machine" <sip:+12025550126@127.0.0.1>'
    async with HostileLead(scene.asterisk.sip, "ask", caller, tone_hz=LEAD_HZ) as machine:
        await machine.answered()
        await scene.logged("Playing '.*/size")
        await machine.press_fast("123*45#")
        await scene.logged(f"Playing '.*/pitch-{PITCHES['entered']}")
        await machine.press_fast("1")
        told = await scene.told()
    kept = await scene.desk.qualifications.show(told["id"])
    assert [one.value for one in kept.answers] == ["123.45"]


async def test_given_wrong_keys_and_silence_then_the_lead_is_told_and_an_optional_question_is_left_out(
    scene: Scene,
) -> None:
    await scene.publish("home", "size", "extra")
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "5", "not-a-choice", "", "home", "7")
    await lead.says("size", "9#", "not-a-number", "", "between", "", "size", "", "no-answer", "")
    await lead.says("size", "12#", "entered", "2", "size", "13#", "entered", "1")
    await lead.hears("extra", "no-answer", "extra", "no-answer", "extra", "left-out", "done")
    told = await scene.told()
    assert (told["result"], told["complete"], told["verdict"]) == ("OK", "yes", "nurture")
    kept = await scene.desk.qualifications.show(told["id"])
    assert [(one.question, one.value, one.skipped, one.no_answer) for one in kept.answers] == [
        ("home", "flat", False, False),
        ("size", "13", False, False),
        ("extra", "", True, True),
    ]


async def test_given_no_answer_to_a_required_question_then_it_ends_politely_and_goes_on_in_the_dialplan(
    scene: Scene,
) -> None:
    await scene.publish("home", "size")
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "1", "size", "", "no-answer", "", "size", "1#", "not-a-number", "")
    await lead.hears("between", "size", "given-up")
    told = await scene.told()
    assert (told["agi"], told["result"], told["complete"], told["verdict"]) == ("SUCCESS", "OK", "no", "")
    assert told["id"]


async def test_given_the_star_key_then_a_question_is_repeated_gone_back_from_explained_and_skipped(
    scene: Scene,
) -> None:
    await scene.publish("home", "owner", "renews")
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "*", "menu-repeat", "0", "help", "")
    await lead.says("home", "*", "menu-repeat", "1")
    await lead.says("home", "*", "menu-repeat", "2", "first", "", "home", "*", "menu-repeat", "3")
    await lead.says("no-skip", "", "home", "1", "owner", "*", "menu-repeat", "")
    await lead.says("menu-back", "2", "home", "7", "owner", "1", "renews", "*")
    await lead.says("menu-repeat", "", "menu-back", "", "menu-skip", "3")
    await lead.hears("done")
    told = await scene.told()
    kept = await scene.desk.qualifications.show(told["id"])
    assert {one.question: one.value for one in kept.answers} == {"home": "flat", "owner": "yes", "renews": ""}
    assert [one.question for one in kept.answers if one.skipped and not one.no_answer] == ["renews"]


async def test_given_a_date_that_cannot_be_then_the_lead_is_told_how_to_key_it(scene: Scene) -> None:
    await scene.publish("renews")
    lead = await scene.calls("every")
    await lead.says("keys", "", "renews", "31022027", "not-a-date", "", "renews", "010227", "entered", "1")
    await lead.hears("done")
    told = await scene.told()
    kept = await scene.desk.qualifications.show(told["id"])
    assert [one.value for one in kept.answers] == ["2027-02-01"]


# -- voices --------------------------------------------------------------------------------------------------


async def test_given_a_lead_who_says_nothing_then_no_recording_is_kept_as_an_answer(scene: Scene) -> None:
    await scene.publish("words")
    silent = scene.phones.lead("Silent", "+12025550124")
    lead = await scene.calls("every", phone=silent)
    await lead.hears("keys", "words", "not-heard")
    await lead.call.hang_up()
    told = await scene.told("left")
    assert (await scene.desk.qualifications.show(told["id"])).answers == ()
    assert scene.desk.recordings.forgotten == [f"{told['id']}-words-1"]


async def test_given_a_lead_who_stops_talking_then_the_recording_ends_by_itself(scene: Scene) -> None:
    await scene.publish("words")
    # Talks from the answer on, while the question is asked too.
    talk = chord((LEAD_HZ,), 12.0)
    words = write_wav(scene.asterisk.workdir / "talk.wav", np.append(talk, np.zeros(180 * RATE, np.int16)))
    talker = scene.phones.lead("Talker", "+12025550125", says=words)
    lead = await scene.calls("every", phone=talker)
    await lead.hears("keys", "words", "done", seconds=30.0)
    told = await scene.told()
    kept = await scene.desk.qualifications.show(told["id"])
    assert heard_in(scene.recording(kept.answers[0].recording)) == ["lead"]


async def test_given_a_hangup_in_the_midst_of_a_recording_then_what_was_said_is_kept(scene: Scene) -> None:
    await scene.publish("words", "extra")
    lead = await scene.calls("every")
    await lead.hears("keys", "words")
    await scene.speaks()
    await lead.call.hang_up()
    told = await scene.told("left")
    assert (told["agi"], told["result"], told["complete"]) == ("HANGUP", "OK", "no")
    kept = await scene.desk.qualifications.show(told["id"])
    assert heard_in(scene.recording(kept.answers[0].recording)) == ["lead"]


# -- once more -----------------------------------------------------------------------------------------------


async def test_given_a_hangup_in_the_middle_then_the_next_call_goes_on_with_the_next_question(
    scene: Scene,
) -> None:
    await scene.publish("home", "owner", "extra")
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "1")
    await lead.hears("owner")
    await lead.call.hang_up()
    left = await scene.told("left")
    assert (left["agi"], left["result"], left["complete"]) == ("HANGUP", "OK", "no")
    again = await scene.calls("every")
    await again.says("welcome-back", "", "keys", "", "owner", "1", "extra", "3#", "entered", "1")
    await again.hears("done")
    told = await scene.told()
    assert (told["id"], told["complete"], told["verdict"]) == (left["id"], "yes", "ready")


async def test_given_nothing_left_to_ask_then_nothing_is_asked_unless_it_is_to_be_fresh(scene: Scene) -> None:
    await scene.publish("owner")
    lead = await scene.calls("every")
    await lead.says("keys", "", "owner", "1")
    await lead.hears("done")
    first = await scene.told()
    again = await scene.calls("every")
    await again.call.ended(15.0)
    told = await scene.told()
    assert told["id"] == first["id"] and not again.story()
    assert (told["complete"], told["score"]) == ("yes", first["score"])
    fresh = await scene.calls("every,fresh=yes")
    await fresh.says("keys", "", "owner", "2")
    await fresh.hears("done")
    told = await scene.told()
    assert (told["verdict"], told["reason"]) == ("disqualified", "rents")


async def test_given_a_lead_without_a_number_then_the_channel_remembers_the_qualification(
    scene: Scene,
) -> None:
    await scene.publish("home", "size")
    lead = await scene.calls("every", "twice")
    await lead.says("keys", "", "home", "1", "size", "", "no-answer", "", "size", "", "no-answer", "")
    await lead.hears("size", "given-up", "welcome-back")
    await lead.says("keys", "", "size", "20#", "entered", "1")
    await lead.hears("done")
    told = await scene.told()
    assert told["along"] == told["id"] and told["complete"] == "yes"
    kept = await scene.desk.qualifications.show(told["id"])
    assert kept.lead == "" and [one.value for one in kept.answers] == ["house", "20"]


async def test_given_spanish_then_the_product_speaks_it_and_the_answers_are_the_same(scene: Scene) -> None:
    await scene.publish("home", "renews")
    lead = await scene.calls("every,language=es")
    await lead.says("keys", "", "home", "1", "renews", "12032027")
    await lead.says("entered", "1")
    await lead.hears("done")
    told = await scene.told()
    assert told["complete"] == "yes"
    said = [line for line, language in scene.speaker.languages.items() if language == "es"]
    assert "Ha marcado 12 de marzo de 2027. Pulse 1 si es correcto, 2 para intentarlo de nuevo." in said
    assert {"en"} & set(scene.speaker.languages.values()) == set(), "nothing is said in English"


CROWD = 40


async def test_given_many_leads_asked_at_once_then_each_has_their_own_answers_and_agents_are_served(
    scene: Scene,
) -> None:
    await scene.publish("owner")
    await scene.asks("every")
    await asyncio.gather(
        *(
            scene.cli(f"channel originate Local/asked@crowd/n extension key{1 + n % 2}@crowd")
            for n in range(CROWD)
        )
    )
    call = await scene.phones.agent("ana").dial("*280")
    await call.ended(20.0)
    done = await until(
        lambda: scene.finished(CROWD), 60.0, f"{CROWD} qualifications in {scene.log()[-2000:]}"
    )
    assert set(done) == {"OK yes"}
    answers = [one.answers[-1].value for one in scene.desk.kept.kept.values()]
    assert sorted(answers) == ["no"] * (CROWD // 2) + ["yes"] * (CROWD // 2)


# -- when something is missing -------------------------------------------------------------------------------


async def test_given_no_daemon_then_the_dialplan_goes_on(scene: Scene) -> None:
    await scene.server.stop()
    lead = await scene.calls("every")
    told = await scene.told()
    assert (told["agi"], told["result"]) == ("FAILURE", "UNREACHABLE")
    await lead.call.ended()


async def test_given_a_daemon_that_goes_away_in_the_middle_then_the_dialplan_goes_on_and_answers_are_kept(
    scene: Scene,
) -> None:
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "1")
    await lead.hears("owner")
    await scene.server.stop()
    told = await scene.told()
    assert told["result"] == "UNREACHABLE"
    kept = await scene.desk.qualifications.latest("+12025550123")
    assert kept is not None and [one.value for one in kept.answers] == ["house"]


async def test_given_no_speech_then_recordings_are_enough_and_a_spoken_question_ends_it(scene: Scene) -> None:
    scene.speaker.works = False
    await scene.publish("home", "owner", spoken="owner")
    lead = await scene.calls("every")
    await lead.says("home", "1")
    told = await scene.told()
    assert (told["agi"], told["result"], told["complete"]) == ("FAILURE", "UNREACHABLE", "no")
    assert told["cause"].startswith("a question cannot be spoken: no engine works; ")
    kept = await scene.desk.qualifications.show(told["id"])
    assert [one.value for one in kept.answers] == ["house"]


async def test_given_a_recording_that_is_not_there_then_the_question_is_spoken(scene: Scene) -> None:
    await scene.publish("home", "gone")
    lead = await scene.calls("every")
    await lead.says("keys", "", "home", "1", "gone", "", "yesno", "2")
    await lead.hears("done")
    told = await scene.told()
    assert told["complete"] == "yes"


# -- from the dialplan ---------------------------------------------------------------------------------------


async def test_given_answers_from_the_dialplan_then_the_telephone_goes_on_from_there(scene: Scene) -> None:
    await scene.publish("home", "owner", "extra")
    lead = await scene.calls("answer,every,home,house", "agi")
    told = await scene.told()
    assert (told["result"], told["complete"], told["next"]) == ("OK", "no", "owner")
    await lead.call.ended()
    wrong = await scene.calls("answer,every,home,castle", "agi")
    told = await scene.told()
    assert (told["agi"], told["result"]) == ("FAILURE", "INVALID") and "castle" in told["cause"]
    await wrong.call.ended()
    phone = await scene.calls("every")
    await phone.says("welcome-back", "", "keys", "", "owner", "1", "extra", "4#", "entered", "1")
    await phone.hears("done")
    finished = await scene.told()
    score = await scene.calls("score,every", "agi")
    told = await scene.told()
    assert (told["result"], told["verdict"], told["id"]) == ("OK", "ready", finished["id"])
    await score.call.ended()


HOSTILE = "a}${SHELL(touch /tmp/x)} & b; `id` | c > d % é \u202e \\ <script>"


async def test_given_hostile_words_then_they_are_kept_and_nothing_of_them_acts(scene: Scene) -> None:
    await scene.publish("words", summary="{words}")
    caller = scene.phones.lead(HOSTILE, "+12025550123")
    lead = await scene.calls("", "hostile", phone=caller)
    told = await scene.told()
    await lead.call.ended()
    assert (told["result"], told["complete"]) == ("OK", "yes")
    assert not set(told["summary"]) & set('"\\<>{}[]$`;|&%'), told["summary"]
    assert "SHELL(touch /tmp/x)" in told["summary"], "as words"
    kept = await scene.desk.qualifications.show(told["id"])
    assert "${SHELL(touch /tmp/x)}" in kept.answers[0].value, "as it was said"
    assert not (scene.asterisk.root.path / "tmp" / "x").exists()


# -- what came of it -----------------------------------------------------------------------------------------


async def test_given_the_code_of_a_disposition_then_it_is_written_down_for_the_agents_talk(
    scene: Scene,
) -> None:
    scene.desk.leads.talks["ana"] = "warm-1"
    phone = scene.phones.agent("ana")
    call = await phone.dial("*2842")
    await call.ended(15.0)
    written = scene.desk.leads.outcomes[-1]
    assert (written.handoff, written.disposition, written.by, written.source) == (
        *("warm-1", "callback", "ana"),
        "code",
    )
    assert f"Playing '{scene.sounds}/pitch-" in scene.log(), "and the phone hears it"
    await (await phone.dial("*2849")).ended(15.0)
    assert len(scene.desk.leads.outcomes) == 1
