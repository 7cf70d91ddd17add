"""Orders of qualification and asking back: in which languages something is said, what others know, what screens are
told before a phone rings, and how a question goes there and back. Asterisk is the simulator of
`tests/property/model_asterisk.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from property.handoffs import AGENTS
from property.history import History, aside, briefing, introducing, offering, staying
from property.model_asterisk import LEAD, QUALIFIER, Leg, ModelPbx, World

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.ids import aside_leg, recording_name
from asterisk_warm.core.handoff.model import Asked, Handoff, Line, Playing
from asterisk_warm.engine.executor import Executor, legs
from asterisk_warm.engine.leads.ports import LookedUp, LookUpFailed
from asterisk_warm.engine.orders.headers import headers
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.ports.pbx import PbxRefused
from asterisk_warm.engine.ports.speech import SpeechUnavailable

ANA = "warm-1-agent-1"
QUESTION, REPLY = (recording_name("warm-1", 1, reply=reply) for reply in (False, True))
RING = co.RingAgent(1, AGENTS[0], "Grant, 86", "+1555", 5.0)
STEPS: dict[Asked, tuple[type[ev.Event], dict[str, Any]]] = {
    Asked.RECORDING: (ev.DigitPressed, {"offer": 1, "digit": "5"}),
    Asked.ASKING: (ev.Recorded, {"number": 1, "reply": False}),
    Asked.REPLYING: (ev.PlaybackEnded, {"what": Playing.QUESTION, "number": 1}),
    Asked.TELLING: (ev.Recorded, {"number": 1, "reply": True}),
}


def asked(step: Asked, history: History | None = None) -> History:
    """The first agent's question has come so far."""
    told = history or briefing()
    for reached, (kind, fields) in STEPS.items():
        told.then(kind, later=1.0, **fields)
        if reached is step:
            return told
    raise AssertionError(step)


class Screens:
    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[co.Tell] = []
        self.error = error

    async def tell(self, handoff: Handoff, command: co.Tell) -> None:
        self.told.append(command)
        if self.error is not None:
            raise self.error


class Crm:
    def __init__(self, answer: LookedUp | Exception | None) -> None:
        self.answer = answer

    async def look_up(self, number: str) -> LookedUp | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Stage:
    def __init__(self, *channels: str, crm: Crm | None = None, screens: Screens | None = None) -> None:
        self.world = World(lambda handoff, event: None, time.time)
        self.world.legs = {name: Leg(name, up=True) for name in channels}
        self.world.bridges = {"warm-1-bridge", "warm-1-consult"}
        self.pbx = ModelPbx(self.world, at_once=True)
        self.executor = Executor(
            self.pbx, self.pbx, crm, screens, speech_seconds=1.0, reachable=self.reachable
        )

    async def reachable(self) -> None: ...

    async def run(self, history: History, command: co.Command) -> Any:
        return await self.executor.run(lambda: history.handoff, command)

    async def ordered(self, history: History, kind: type[co.Command]) -> Any:
        """Carry out what the last event has ordered of that kind."""
        return await self.run(history, history.order(kind))

    def heard(self, channel: str) -> list[str]:
        return [sound for place, sound in self.world.heard if place == channel]


# -- speech --------------------------------------------------------------------------------------------------


async def test_given_lines_in_two_languages_then_each_is_made_ready_in_its_own(monkeypatch) -> None:
    prepared: list[tuple[str, tuple[str, ...]]] = []

    async def prepare(lines: Sequence[str], language: str = "") -> Sequence[str]:
        prepared.append((language, tuple(lines)))
        if language == "es":
            raise SpeechUnavailable("espeak:es: not here")
        return lines

    stage = Stage()
    monkeypatch.setattr(stage.pbx, "prepare", prepare)
    lines = (Line("briefing", "One."), Line("taken"), Line("briefing", "Uno.", "es"), Line("x", "Two."))
    event = await stage.run(History(), co.PrepareSpeech(lines))
    assert prepared == [("", ("One.", "Two.")), ("es", ("Uno.",))]
    assert event.fallback == "espeak:es: not here"


async def test_given_rendering_takes_its_time_then_speech_is_ready_after_it(monkeypatch) -> None:
    ended: list[float] = []

    async def prepare(lines: Sequence[str], language: str = "") -> Sequence[str]:
        begun = time.time()
        while time.time() <= begun:
            pass
        ended.append(time.time())
        return lines

    stage = Stage()
    monkeypatch.setattr(stage.pbx, "prepare", prepare)
    event = await stage.run(History(), co.PrepareSpeech((Line("briefing", "One."),)))
    assert event.at >= ended[0]


async def test_given_a_line_then_it_is_spoken_in_its_language_or_is_the_prompt_in_it() -> None:
    stage = Stage(LEAD, ANA)
    media = (Line("briefing", "Hola.", "es"), Line("no-details", language="es"), Line("beep"))
    order = co.PlayToAgent(1, Playing.BRIEFING, 1001, media, stop=1000)
    assert await stage.run(briefing(), order) is None
    assert stage.heard(ANA) == ["sound:spoken/es/Hola.", "sound:warm/es/no-details", "sound:warm/beep"]


async def test_given_an_agent_who_has_just_answered_then_there_is_a_pause_before_the_first_word() -> None:
    stage = Stage(LEAD, ANA)
    order = co.PlayToAgent(1, Playing.BRIEFING, 1001, (Line("briefing", "Hola.", "es"),))
    assert await stage.run(briefing(), order) is None
    assert stage.heard(ANA) == ["sound:warm/pause", "sound:spoken/es/Hola."]


@pytest.mark.parametrize(
    ("line", "there", "heard"),
    [
        (Line("", recording="their-own"), True, ["recording:their-own"]),
        (Line("", recording="their-own"), False, ["sound:warm/silence"]),
        (Line("no-reply", recording="their-own"), True, ["recording:their-own"]),
        (Line("no-reply", "", "es", recording="their-own"), False, ["sound:warm/es/no-reply"]),
        (Line("own-words", recording="their-own"), True, ["sound:warm/own-words", "recording:their-own"]),
        (Line("own-words", recording="their-own"), False, ["sound:warm/silence"]),
    ],
)
async def test_given_a_recording_then_it_is_played_if_it_is_there(
    line: Line, there: bool, heard: list[str]
) -> None:
    stage = Stage(LEAD, ANA)
    stage.world.stored = {"their-own"} if there else set()
    await stage.run(briefing(), co.PlayToAgent(1, Playing.BRIEFING, 1001, (line,), stop=1000))
    assert stage.heard(ANA) == heard


async def test_given_asterisk_cannot_say_whether_there_is_a_recording_then_the_prompt_serves(
    monkeypatch,
) -> None:
    async def refuse(_: str) -> bool:
        raise PbxRefused("500")

    stage = Stage(LEAD, ANA)
    monkeypatch.setattr(stage.pbx, "has_recording", refuse)
    media = (Line("no-reply", recording="their-own"),)
    order = co.PlayToAgent(1, Playing.BRIEFING, 1001, media, stop=1000)
    assert await stage.run(briefing(), order) is None
    assert stage.heard(ANA) == ["sound:warm/no-reply"]


# -- what others know, and are told --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crm", "found", "why"),
    [
        (Crm(LookedUp("Grace", "renews", "es", (("Plan", "gold"),))), ("Grace", "renews", "es"), ""),
        (Crm(None), ("", "", ""), "the CRM knows nobody of that number"),
        (Crm(LookUpFailed("the CRM has failed (500)")), ("", "", ""), "the CRM has failed (500)"),
        (None, ("", "", ""), "no CRM is configured"),
    ],
)
async def test_given_a_lead_to_be_looked_up_then_what_is_known_or_why_nothing(
    crm: Crm | None, found: tuple[str, str, str], why: str, monkeypatch
) -> None:
    monkeypatch.setattr("asterisk_warm.engine.executor.still_wanted", lambda *_: True)
    event = await Stage(crm=crm).run(History(), co.LookUpLead("+1555"))
    assert isinstance(event, ev.LeadFound)
    assert ((event.name, event.summary, event.language), event.why) == (found, why)
    assert event.details == ((("Plan", "gold"),) if not why else ())


@pytest.mark.parametrize("screens", [Screens(), Screens(JournalError("disk full")), None])
async def test_given_news_then_screens_are_told_and_nothing_waits_for_an_answer(
    screens: Screens | None,
) -> None:
    tell = co.Tell(co.News.MADE, 1)
    assert await Stage(LEAD, screens=screens).run(offering(), tell) is None
    assert screens is None or screens.told == [tell]


async def test_given_an_offer_then_the_phone_rings_only_when_the_screen_was_told() -> None:
    """By the lanes, as the mailbox takes them."""
    assert set(legs(co.Tell(co.News.MADE, 1))) & set(legs(RING)) == {"agent-1"}
    for news in (co.News.ANSWERED, co.News.ACCEPTED, co.News.CLOSED):
        assert legs(co.Tell(news, 1)) == ("screen-1",) and "screen-1" in legs(co.Tell(co.News.MADE, 1))
        assert not set(legs(co.Tell(news, 2))) & set(legs(co.Tell(news, 1)))
    assert legs(co.Tell(co.News.ENDED)) == ("screens",)
    assert legs(co.LookUpLead("+1")) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, {}),
        ({"page": "https://x/?id=warm-1"}, {"X-Warm-URL": "https://x/?id=warm-1"}),
        ({"alert": "<http://x>;info=lead"}, {"Alert-Info": "<http://x>;info=lead"}),
        (
            {"auto_answer": True},
            {
                "Call-Info": "<sip:warm>;answer-after=0",
                "Alert-Info": "<sip:warm>;info=alert-autoanswer;delay=0",
            },
        ),
        (
            {"auto_answer": True, "alert": "<http://x>"},
            {
                "Call-Info": "<sip:warm>;answer-after=0",
                "Alert-Info": "<http://x>;info=alert-autoanswer;delay=0",
            },
        ),
    ],
)
async def test_given_an_agent_who_is_rung_then_their_phone_is_told(changes, told) -> None:
    stage = Stage(LEAD)
    order = co.RingAgent(1, AGENTS[0], "Grant, 86", "+1555", 5.0, **changes)
    assert await stage.run(offering(), order) is None
    assert stage.world.headers[ANA] == {"X-Warm-Handoff": "warm-1", **told} == headers("warm-1", order)


# -- a question there and back -------------------------------------------------------------------------------


async def test_given_a_question_to_the_lead_then_the_agent_speaks_it_and_the_lead_alone_hears_it() -> None:
    stage = Stage(LEAD, ANA)
    history = asked(Asked.RECORDING)
    assert await stage.ordered(history, co.RecordQuestion) is None
    assert stage.heard(ANA) == ["sound:warm/ask", "sound:warm/beep"]
    stage.world.recording_ends(QUESTION)
    history.then(ev.Recorded, number=1, reply=False)
    assert await stage.ordered(history, co.PutQuestion) is None
    put = [f"recording:{QUESTION}", "sound:warm/reply-now", "sound:warm/beep"]
    assert stage.heard(LEAD) == ["sound:warm/question-follows", *put]
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1)
    assert await stage.ordered(history, co.RecordReply) is None
    assert stage.heard(LEAD)[4:] == ["sound:warm/quiet"] * 2, "at least as long as the reply may take"
    assert stage.world.recordings == {REPLY: aside_leg("warm-1", 200_001)}
    stage.world.recording_ends(REPLY)
    history.then(ev.Recorded, number=1, reply=True)
    for order in history.commands:
        assert await stage.run(history, order) is None
    assert stage.heard(ANA)[2:] == [f"recording:{REPLY}"]
    assert stage.world.lead.music and not [p for p in stage.world.playbacks if "quiet" in p]


@pytest.mark.parametrize(("where", "talking"), [(staying, True), (aside, False)])
async def test_given_a_question_to_the_qualifier_then_they_alone_hear_it(where, talking: bool) -> None:
    stage = Stage(LEAD, QUALIFIER, ANA)
    history = asked(Asked.ASKING, where().then(ev.AgentAnswered, offer=1))
    stage.world.stored.add(QUESTION)
    putting = asyncio.create_task(stage.ordered(history, co.PutQuestion))
    assert await putting is None
    assert not stage.heard(LEAD)
    everywhere = [sound for _, sound in stage.world.heard]
    assert f"recording:{QUESTION}" in everywhere
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1)
    assert await stage.ordered(history, co.RecordReply) is None
    assert not stage.heard(LEAD), "the lead's music or talk goes on"
    assert stage.world.legs[aside_leg("warm-1", 200_001)].listens_to == QUALIFIER
    assert legs(co.PutQuestion(1, (), True, talking, None)) == (("aside",) if talking else ("qualifier",))


@pytest.mark.parametrize(
    ("step", "kind", "there", "outcome"),
    [
        (Asked.RECORDING, co.RecordQuestion, [LEAD], ev.AgentHungUp),
        (Asked.ASKING, co.PutQuestion, [ANA], ev.LeadHungUp),
        (Asked.REPLYING, co.RecordReply, [ANA], ev.LeadHungUp),
    ],
)
async def test_given_a_leg_that_is_gone_then_that_is_the_outcome(step, kind, there, outcome) -> None:
    assert type(await Stage(*there).ordered(asked(step), kind)) is outcome


@pytest.mark.parametrize(("step", "kind"), [(Asked.ASKING, co.PutQuestion), (Asked.REPLYING, co.RecordReply)])
@pytest.mark.parametrize("where", [staying, aside])
async def test_given_a_qualifier_who_is_gone_then_the_question_has_failed(step, kind, where) -> None:
    event = await Stage(LEAD, ANA).ordered(asked(step, where().then(ev.AgentAnswered, offer=1)), kind)
    assert isinstance(event, ev.PlaybackEnded | ev.Recorded) and event.failed and event.number == 1


@pytest.mark.parametrize(
    ("step", "kind", "refusing", "outcome"),
    [
        (Asked.RECORDING, co.RecordQuestion, "record", ev.Recorded),
        (Asked.ASKING, co.PutQuestion, "play_to_lead", ev.PlaybackEnded),
        (Asked.REPLYING, co.RecordReply, "record_within", ev.Recorded),
    ],
)
async def test_given_asterisk_refuses_then_the_question_has_failed(
    step, kind, refusing, outcome, monkeypatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise PbxRefused("500")

    stage = Stage(LEAD, ANA)
    monkeypatch.setattr(stage.pbx, refusing, refuse)
    event = await stage.ordered(asked(step), kind)
    assert type(event) is outcome and event.failed and event.number == 1


@pytest.mark.parametrize("step", list(Asked))
async def test_given_a_question_that_is_dropped_then_nothing_of_it_goes_on(step) -> None:
    stage = Stage(LEAD, ANA)
    history = asked(Asked.RECORDING)
    stage.world.stored.add(QUESTION)
    for reached, kind in zip(
        Asked, (co.RecordQuestion, co.PutQuestion, co.RecordReply, co.PlayToAgent), strict=True
    ):
        if reached is not Asked.RECORDING:
            history.then(STEPS[reached][0], **STEPS[reached][1])
        await stage.ordered(history, kind)
        if reached is step:
            break
        stage.world.recording_ends(QUESTION)
        stage.world.recording_ends(REPLY)
    drop = co.DropQuestion(1, 1, of_qualifier=False)
    assert await stage.run(history, drop) is None
    assert not stage.world.recordings
    assert not [
        playback for playback in stage.world.playbacks if "question" in playback or "quiet" in playback
    ]
    assert set(stage.world.legs) == {LEAD, ANA}
    assert legs(drop) == ("lead", "agent-1")
    assert legs(co.DropQuestion(1, 1, of_qualifier=True)) == ("qualifier", "agent-1")


async def test_given_an_agent_who_accepts_while_they_ask_then_they_are_joined_first_and_the_question_ends(
    monkeypatch,
) -> None:
    stage, orders = Stage(LEAD, ANA), []
    real = stage.pbx._order

    async def note(name: str, *stages: Any, seconds: float | None = None) -> Any:
        orders.append(name)
        return await real(name, *stages, seconds=seconds)

    history = asked(Asked.REPLYING)
    await stage.ordered(history, co.RecordReply)
    history.then(ev.DigitPressed, offer=1, digit="1")
    monkeypatch.setattr(stage.pbx, "_order", note)
    order = history.order(co.JoinAgent)
    assert order.stop_question == 1
    assert isinstance(await stage.run(history, order), ev.AgentJoined)
    assert orders[0] == f"join {ANA}"
    assert not stage.world.recordings and set(stage.world.legs) == {LEAD, ANA}
    assert not [playback for playback in stage.world.playbacks if "quiet" in playback]


async def test_given_a_join_that_is_refused_while_a_question_ends_then_that_is_told() -> None:
    stage = Stage(LEAD, ANA)
    stage.world.bridges.clear()
    event = await stage.run(introducing(), co.JoinAgent(1, (), 1, None, None, stop_question=1))
    assert (type(event), event.error) == (ev.CommandFailed, "no bridge warm-1-bridge")


async def test_given_the_end_then_the_recordings_of_all_questions_are_forgotten() -> None:
    stage = Stage()
    names = {recording_name("warm-1", n, reply=reply) for n in (1, 2, 3) for reply in (False, True)}
    stage.world.stored = {*names, "their-own"}
    history = offering().lead_hangs_up()
    assert isinstance(await stage.run(history, co.CloseBridge(asks=2)), ev.BridgeClosed)
    assert stage.world.stored == {"their-own", *(name for name in names if name.endswith("-3"))}
