"""The scripts presence, available, agent and lead, asked as the server asks them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from agi_stage import NOW, Caller, Desk, MemoryAgents, MemorySpeaker, environment

from asterisk_warm.agi import saying
from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.environment import Environment, read_environment
from asterisk_warm.agi.saying import sounds
from asterisk_warm.agi.scripts import SCRIPTS, answer
from asterisk_warm.core.presence import By, Declared, Presence, Seen, Shift, wrap_up
from asterisk_warm.engine.agents.views import LeadHistory
from asterisk_warm.engine.leads.views import ConsentView, LeadRecordView, OutcomeView, PastHandoffView
from asterisk_warm.speech.prompts import prompt_names

ANA_DECLARED = {"WARM_AGENT_ID": "ana", "WARM_AGENT_NAME": "Ana Lopez"}


@dataclass
class Asking:
    desk: Desk = field(default_factory=Desk)
    caller: Caller = field(default_factory=lambda: Caller(MemorySpeaker()))

    @property
    def agents(self) -> MemoryAgents:
        return self.desk.agents

    async def __call__(self, script: str, *arguments: str, **how: str) -> Answer:
        asked = await _read(script, *arguments, **how)
        return await answer(Call(asked, self.caller, self.desk.services, lambda: NOW))

    def ana(self) -> Presence:
        return self.agents.presences["ana"]


async def _read(script: str, *arguments: str, **how: str) -> Environment:
    reader = asyncio.StreamReader()
    reader.feed_data(environment(script, *arguments, **how))
    return await read_environment(reader, 1 << 16)


@pytest.fixture
def ask() -> Asking:
    return Asking()


# -- presence ------------------------------------------------------------------------------------------------


async def test_given_no_state_then_it_only_tells(ask: Asking) -> None:
    found = await ask("presence")
    assert (found.result, found.prompts, found.line) == (Result.OK, ("you-are-ready",), "")
    assert found.variables == {
        **ANA_DECLARED,
        "WARM_PRESENCE": "ready",
        "WARM_FREE": "1",
        "WARM_WHY": "",
        "WARM_WHY_CODES": "",
        "WARM_REASON": "",
        "WARM_UNTIL": "",
    }
    assert not ask.agents.presences, "nothing was changed"


async def test_given_pause_with_reason_and_minutes_then_all_of_it_is_kept_and_told(ask: Asking) -> None:
    found = await ask("presence", "pause", "lunch", "20")
    assert ask.ana().declared is Declared.PAUSED
    assert (ask.ana().reason, ask.ana().until) == ("lunch", NOW + 1200)
    assert found.prompts == ("you-are-paused",) and found.line == "Lunch. 20 minutes left."
    assert found.variables == {
        **ANA_DECLARED,
        "WARM_PRESENCE": "paused",
        "WARM_FREE": "0",
        "WARM_WHY": "paused: lunch",
        "WARM_WHY_CODES": "paused",
        "WARM_REASON": "lunch",
        "WARM_UNTIL": str(round(NOW + 1200)),
    }


async def test_given_pause_alone_then_it_lasts_until_the_agent_is_ready_again(ask: Asking) -> None:
    found = await ask("presence", "pause")
    assert (ask.ana().until, found.line) == (None, "")
    assert (await ask("presence", "ready")).prompts == ("you-are-ready",)
    assert ask.ana().declared is Declared.READY


async def test_given_offline_then_it_is_told_with_its_reason(ask: Asking) -> None:
    found = await ask("presence", "offline", "gone home")
    assert (found.prompts, found.line) == (("you-are-offline",), "Gone home.")
    assert found.variables["WARM_WHY"] == "offline: gone home"


async def test_given_wrapup_then_it_begins_and_0_ends_it(ask: Asking) -> None:
    begun = await ask("presence", "wrapup", "1")
    assert (begun.prompts, begun.line) == (("you-are-wrapping-up",), "1 minute left.")
    assert begun.variables["WARM_PRESENCE"] == "ready" and begun.variables["WARM_WHY_CODES"] == "wrapup"
    ended = await ask("presence", "wrapup", "0")
    assert (ended.prompts, ended.line) == (("wrapup-over", "you-are-ready"), "")
    assert ask.ana().wrapup_until == NOW


async def test_given_pause_while_wrapping_up_then_the_pause_is_told(ask: Asking) -> None:
    ask.agents.presences["ana"] = wrap_up(Presence("ana"), NOW + 30, NOW)
    found = await ask("presence", "pause")
    assert (found.prompts, found.line) == (("you-are-paused",), "1 minute left.")


async def test_given_toggle_then_ready_and_paused_take_turns(ask: Asking) -> None:
    assert (await ask("presence", "toggle", "ana")).prompts == ("you-are-paused",)
    assert (await ask("presence", "toggle")).prompts == ("you-are-ready",)
    await ask("presence", "offline")
    assert (await ask("presence", "toggle", "ana")).prompts == ("you-are-ready",)


async def test_given_the_key_of_another_agent_then_nothing_changes(ask: Asking) -> None:
    found = await ask("presence", "toggle", "ben")
    assert (found.result, found.prompts) == (Result.CONFLICT, ("another-agents-key",))
    assert found.cause == "this is the phone of ana, and the key of ben"
    assert not ask.agents.presences


async def test_given_the_call_by_which_they_ask_then_it_does_not_make_them_busy(ask: Asking) -> None:
    ask.agents.seen["ana"] = Seen("INUSE", hints=("INUSE",))
    found = await ask("presence")
    assert (found.variables["WARM_FREE"], found.variables["WARM_WHY"], found.line) == ("1", "", "")
    assert (await ask("agent", "ana")).variables["WARM_WHY"] == "in a call"


async def test_given_ready_and_still_not_free_then_the_reason_is_said(ask: Asking) -> None:
    ask.agents.seen["ana"] = Seen("INUSE", dnd=True, shift=Shift(False, NOW + 60))
    found = await ask("presence")
    assert found.prompts == ("you-are-ready",)
    assert found.line == "Not free now: do-not-disturb is on. Not free now: off shift."
    assert found.variables["WARM_WHY_CODES"] == "dnd,shift"
    assert found.variables["WARM_UNTIL"] == str(round(NOW + 60))


async def test_given_a_feature_code_then_history_says_so(ask: Asking) -> None:
    await ask("presence", "pause", context="warm-say")
    assert ask.ana().by == By("ana", "code")
    await ask("presence", "ready", context="from-internal")
    assert ask.ana().by == By("PJSIP/ana", "agi")


async def test_given_an_agent_named_by_the_dialplan_then_it_is_theirs(ask: Asking) -> None:
    await ask("presence", "agent=ben", "pause", "meeting", "5", channel="Local/x@y-00000001;2")
    assert ask.agents.presences["ben"].by == By("Local/x@y", "agi")
    assert "ana" not in ask.agents.presences


async def test_given_agent_in_another_place_then_it_is_a_word_like_others(ask: Asking) -> None:
    await ask("presence", "pause", "agent=ben")
    assert ask.ana().reason == "agent=ben" and "ben" not in ask.agents.presences


@pytest.mark.parametrize("channel", ["PJSIP/trunk-00000001", "Local/281@from-agents-0000001a;2", "odd", ""])
async def test_given_a_phone_of_no_agent_then_it_says_so(ask: Asking, channel: str) -> None:
    found = await ask("presence", "pause", channel=channel, caller="ana")
    assert (found.result, found.prompts) == (Result.NOTFOUND, ("no-agent-here",))
    assert found.cause and not ask.agents.presences


async def test_given_a_reason_that_would_act_then_it_is_kept_without_what_acts(ask: Asking) -> None:
    await ask("presence", "pause", '${SHELL(id)} "lunch"\x00' + "x" * 200)
    assert ask.ana().reason.startswith("SHELL(id) lunch xxx") and len(ask.ana().reason) == 80


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no such state": (
        ("redy",),
        "there is no state 'redy'; use one of ready, pause, offline, wrapup, toggle",
    ),
    "a reason in two": (("pause", "lunch", "5", "x"), "too many arguments"),
    "something after ready": (("ready", "now"), "nothing follows ready"),
    "minutes in words": (("pause", "lunch", "twenty"), "'twenty' is no number of minutes; use 1 to 1440"),
    "no minutes": (("wrapup",), "'' is no number of minutes; use 0 to 240"),
    "a pause of no time": (("pause", "lunch", "0"), "use 1 to 1440"),
    "too many minutes": (("wrapup", "241"), "use 0 to 240"),
    "far too many minutes": (("wrapup", "9" * 5000), "use 0 to 240"),
    "other digits": (("wrapup", "\u0662"), "is no number of minutes"),
    "negative": (("wrapup", "-1"), "is no number of minutes"),
    "too many": (
        ("agent=ana", "pause", "a", "b", "c"),
        "5 arguments; use presence,STATE or presence,agent=ID,STATE",
    ),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
async def test_given_wrong_arguments_then_nothing_changes_and_the_cause_says_what_to_do(
    ask: Asking, arguments: tuple[str, ...], words: str
) -> None:
    found = await ask("presence", *arguments)
    assert (found.result, found.prompts) == (Result.INVALID, ("not-understood",))
    assert words in found.cause
    assert not ask.agents.presences
    assert set(found.variables) == set(SCRIPTS["presence"].variables) and not any(found.variables.values())


# -- the others ----------------------------------------------------------------------------------------------


async def test_given_a_team_of_which_some_are_free_then_how_many_and_who(ask: Asking) -> None:
    await ask("presence", "pause")
    found = await ask("available", "sales")
    assert found.variables == {
        "WARM_FREE": "2",
        "WARM_FREE_AGENTS": "ben,cleo",
        "WARM_FREE_NAMES": "Ben Okafor, Cleo Martin",
        "WARM_WAITING": "2",
        "WARM_WAIT_SECONDS": "42",
    }
    assert found.prompts == () and found.line == ""


async def test_given_more_free_agents_than_fit_then_the_number_is_right_all_the_same(ask: Asking) -> None:
    ask.agents.names |= {f"agent-{n:04}": f"Agent {n}" for n in range(1000)}
    found = await ask("available", "sales")
    assert found.variables["WARM_FREE"] == "1003"
    listed = found.variables["WARM_FREE_AGENTS"].split(",")
    assert len(listed) > 50 and set(listed) <= set(ask.agents.names)


async def test_given_an_agent_then_their_state_and_why_not(ask: Asking) -> None:
    ask.agents.seen["ben"] = Seen("UNAVAILABLE")
    found = await ask("agent", "ben")
    assert found.variables["WARM_AGENT_NAME"] == "Ben Okafor" and found.variables["WARM_FREE"] == "0"
    assert found.variables["WARM_WHY"] == "phone not registered"
    assert found.variables["WARM_WHY_CODES"] == "unreachable"


async def test_given_a_name_that_would_act_then_the_channel_gets_it_without_what_acts(ask: Asking) -> None:
    ask.agents.names["eve"] = 'Eve"\r\n${SHELL(id)}&x\\'
    found = await ask("agent", "eve")
    assert found.variables["WARM_AGENT_NAME"] == "Eve SHELL(id) x"


LAST = LeadHistory("+15551230001", 3, "ben", "warm-1", "COMPLETED", "CONNECTED", NOW - 5)
TOLD = {
    "WARM_HANDOFFS": "3",
    "WARM_LAST_AGENT": "ben",
    "WARM_LAST_ID": "warm-1",
    "WARM_LAST_STATE": "COMPLETED",
    "WARM_LAST_STATUS": "CONNECTED",
    "WARM_LAST_AT": str(round(NOW - 5)),
    "WARM_KNOWN": "0",
    "WARM_KNOWN_NAME": "",
    "WARM_KNOWN_LANGUAGE": "",
    "WARM_KNOWN_SOURCE": "",
    "WARM_KNOWN_CONSENT": "",
    "WARM_KNOWN_OUTCOME": "",
    "WARM_KNOWN_NOTE": "",
}


async def test_given_a_lead_then_what_is_known_of_them(ask: Asking) -> None:
    ask.agents.leads["+15551230001"] = LAST
    assert (await ask("lead", "+15551230001")).variables == TOLD
    ask.caller.variables["WARM_LEAD_NUMBER"] = "+15551230001"
    assert (await ask("lead", caller="201")).variables == TOLD, "the dialplan's number before the caller ID"
    ask.caller.variables.clear()
    assert (await ask("lead", caller="+15551230001")).variables == TOLD


async def test_given_a_new_lead_then_there_were_no_handoffs(ask: Asking) -> None:
    found = await ask("lead", "+15551230002")
    assert found.result is Result.OK
    told = {name: value for name, value in found.variables.items() if value}
    assert told == {"WARM_HANDOFFS": "0", "WARM_KNOWN": "0"}


def record(**what: Any) -> LeadRecordView:
    nothing: dict[str, Any] = {"name": "", "language": "", "attributes": {}, "source": "", "consents": ()}
    return LeadRecordView("+15551230001", **{**nothing, "handoffs": (), "qualifications": (), **what})


async def test_given_a_lead_who_was_written_down_then_their_record_is_told(ask: Asking) -> None:
    def consent(purpose: str, granted: bool) -> ConsentView:
        return ConsentView(purpose, granted, "oral", "May we?", NOW, "cli")

    outcomes = (
        OutcomeView("warm-1", "callback", "Call back", 'wants "a quote"', NOW, "ana", "code"),
        OutcomeView("warm-1", "sold", "Sold", "", NOW - 9, "ana", "code"),
    )
    past = PastHandoffView("warm-1", "sales", "COMPLETED", "CONNECTED", "", "Ana Lopez", NOW - 9, outcomes)
    ask.desk.leads.records["+15551230001"] = record(
        name="Grant $Weatherly",
        language="es",
        source="web form",
        consents=(consent("text", True), consent("call", True), consent("text", False)),
        handoffs=(past,),
    )
    found = await ask("lead", "+15551230001")
    assert {name: value for name, value in found.variables.items() if "KNOWN" in name} == {
        "WARM_KNOWN": "1",
        "WARM_KNOWN_NAME": "Grant Weatherly",
        "WARM_KNOWN_LANGUAGE": "es",
        "WARM_KNOWN_SOURCE": "web form",
        "WARM_KNOWN_CONSENT": "call",
        "WARM_KNOWN_OUTCOME": "callback",
        "WARM_KNOWN_NOTE": "wants a quote",
    }


async def test_given_a_lead_who_has_only_called_then_what_their_call_came_to_is_told(ask: Asking) -> None:
    outcomes = (
        OutcomeView("warm-1", "", "", "wants a new roof", NOW, "dana", "cli"),
        OutcomeView("warm-1", "sold", "Sold", "", NOW - 9, "ana", "code"),
    )
    past = PastHandoffView("warm-1", "sales", "COMPLETED", "CONNECTED", "", "Ana Lopez", NOW - 9, outcomes)
    ask.desk.leads.records["+15551230001"] = record(handoffs=(past,))
    told = (await ask("lead", "+15551230001")).variables
    known = ("WARM_KNOWN", "WARM_KNOWN_SOURCE", "WARM_KNOWN_OUTCOME", "WARM_KNOWN_NOTE")
    assert [told[name] for name in known] == ["0", "", "sold", "wants a new roof"]


@pytest.mark.parametrize(
    ("script", "arguments", "result", "words"),
    [
        ("available", (), Result.INVALID, "0 arguments; use available,TEAM"),
        ("available", ("sales", "x"), Result.INVALID, "2 arguments; use available,TEAM"),
        ("available", ("seles",), Result.NOTFOUND, "there is no team 'seles'; see asterisk-warm team list"),
        ("agent", ("dan",), Result.NOTFOUND, "there is no agent 'dan'; see asterisk-warm agent list"),
        ("agent", (), Result.INVALID, "0 arguments; use agent,ID"),
        ("lead", (), Result.INVALID, "no number: the caller has none"),
        ("Presence", (), Result.INVALID, "there is no script 'Presence'"),
        ("../presence", (), Result.INVALID, "there is no script '../presence'"),
        ("", (), Result.INVALID, "there is no script ''"),
    ],
)
async def test_given_a_question_that_cannot_be_answered_then_the_cause_says_what_to_do(
    ask: Asking, script: str, arguments: tuple[str, ...], result: Result, words: str
) -> None:
    found = await ask(script, *arguments)
    assert found.result is result and words in found.cause
    assert not any(found.variables.values()), "an earlier answer is not left standing"


# -- what is heard -------------------------------------------------------------------------------------------


async def test_given_an_answer_then_prompts_and_words_are_one_list_of_sounds() -> None:
    speaker = MemorySpeaker()
    told = Answer(Result.OK, prompts=("wrapup-over", "you-are-paused"), line="Lunch.")
    assert await sounds(told, speaker) == "/prompts/wrapup-over&/prompts/you-are-paused&/cache/1"
    assert speaker.said == ["Lunch."]


async def test_given_nothing_that_speaks_then_the_prompts_are_heard_or_the_dialplan_is_left_to_it() -> None:
    told = Answer(Result.OK, prompts=("you-are-paused",), line="Lunch.")
    assert await sounds(told, MemorySpeaker(works=False)) == "/prompts/you-are-paused"
    assert await sounds(told, None) == ""


async def test_given_speech_that_takes_too_long_then_the_prompts_are_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(MemorySpeaker):
        async def prepare(self, lines: Any, language: str = "") -> Any:
            await asyncio.Event().wait()

    monkeypatch.setattr(saying, "SPEECH_SECONDS", 0.05)
    told = Answer(Result.OK, prompts=("you-are-paused",), line="Lunch.")
    assert await sounds(told, Slow()) == "/prompts/you-are-paused"


async def test_given_any_answer_of_presence_then_its_prompts_are_there(ask: Asking) -> None:
    asked = [
        ("wrapup", "5"),
        ("wrapup", "0"),
        ("pause",),
        ("offline",),
        ("x",),
        ("toggle", "b"),
    ]
    said = {prompt for arguments in asked for prompt in (await ask("presence", *arguments)).prompts}
    said |= set((await ask("presence", channel="PJSIP/nobody-1")).prompts)
    assert len(said) == 8 and said <= set(prompt_names())
