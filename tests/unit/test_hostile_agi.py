"""Hostile arguments, variables and caller IDs through a real AGI server: each is answered, and nothing of it acts in the
channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from urllib.parse import quote

import pytest
from agi_stage import NOW, Desk, MemorySpeaker, Peer, environment
from hostile_texts import ACTING, TEXTS

from asterisk_warm.agi.server import AgiServer
from asterisk_warm.agi.text import VALUE_AT_MOST
from asterisk_warm.core.script.model import Kind, Match, Question, Rule, Script, Wording
from asterisk_warm.engine.leads.views import LeadRecordView

NUMBER = "+12025550123"
SCRIPT = Script(
    "every",
    "Every",
    (Question("words", Kind.TEXT, Wording("Why?"), rules=(Rule(Match(), points=1),)),),
    ready=1,
    nurture=0,
    summary="{words}",
)
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "presence": (
        "{}",
        "agent={}",
        "agent=ana,{}",
        "pause,{}",
        "pause,lunch,{}",
        "offline,{}",
        "wrapup,{}",
        "toggle,{}",
    ),
    "available": ("{}",),
    "agent": ("{}",),
    "lead": ("{}",),
    "qualify": ("{}", "every,{}", "every,language={}", "every,fresh={}", "every,lead={}"),
    "score": ("{}", "every,{}"),
    "answer": ("{},words,x", "every,{},x", "every,words,{}", "every,words,x,{}"),
    "outcome": ("{}", "sold,{}", "agent={},sold", "agent=ana,sold,{}"),
    "nothing-of-that-name": ("{}",),
}
"""Script → its arguments, each with a place for a text; a comma parts them, as in the dialplan."""
COMMANDS = (
    *("SET VARIABLE WARM_", "GET FULL VARIABLE ", "VERBOSE ", "failure", "ANSWER", "CHANNEL STATUS"),
    *('GET DATA "/cache/', 'GET DATA "" ', "WAIT FOR DIGIT ", 'RECORD FILE "/spool/recording/qual-'),
)
NEVER = frozenset('"\\$`\r\n\0')
"""What is in no variable, whichever it is."""


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    desk.leads.talks["ana"] = "warm-1"
    await desk.publish(SCRIPT)
    return desk


@pytest.fixture
async def server(desk: Desk, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[AgiServer]:
    serving = AgiServer(desk.services, MemorySpeaker(), port=0, now=lambda: NOW)
    await serving.start()
    yield serving
    await serving.stop()
    logged = capsys.readouterr()
    assert "Traceback" not in logged.out + logged.err and "failed" not in logged.out


async def answered(server: AgiServer, request: bytes, **variables: str) -> Peer:
    """A peer whom the server has told all; every command it was sent is one line that Asterisk takes whole."""
    peer = await Peer.connect(server.port)
    peer.send(request)
    assert await peer.obey(**variables) != "", request[:2000]
    for line in peer.lines:
        assert len(line.encode()) < 2048, "Asterisk 16 would cut it off"
        assert line.startswith(COMMANDS) and line.isprintable(), line
    for name, value in peer.variables.items():
        assert not set(value) & NEVER, (name, value)
        assert value.isprintable() and len(value.encode()) <= VALUE_AT_MOST
        if name not in ("WARM_CAUSE", "WARM_SAY"):
            assert not set(value) & ACTING, (name, value)
    return peer


@pytest.mark.parametrize("script", SCRIPTS)
async def test_given_hostile_arguments_then_they_are_answered_and_nothing_acts(
    server: AgiServer, script: str
) -> None:
    for text in TEXTS.values():
        for form in SCRIPTS[script]:
            # More would be too long a request, which is told in another way.
            arguments = [part.replace("{}", text[:60_000]) for part in form.split(",")]
            await answered(
                server, environment(script, *arguments, caller=NUMBER), ASTSPOOLDIR=quote("/spool")
            )


async def test_given_hostile_answers_in_percents_then_they_are_kept_as_words(
    server: AgiServer, desk: Desk
) -> None:
    for text in TEXTS.values():
        desk.kept.kept.clear()
        peer = await answered(
            server, environment("answer", "every", "words", quote(text[:2000]), caller=NUMBER)
        )
        (kept,) = desk.kept.kept.values()
        assert peer.variables["WARM_RESULT"] in ("OK", "INVALID")
        for one in kept.answers:
            assert one.value and not set(one.value) & set("\r\n\0\x1b\u202e\u2028")


async def test_given_half_characters_and_bytes_in_percents_then_they_do_no_harm(server: AgiServer) -> None:
    for value in ("%ED%A0%BD", "%ff%fe", "%00%0d%0a", "%", "%zz", "%F0%9F", "%C0%AE%C0%AE/"):
        peer = await answered(server, environment("answer", "every", "words", f"Ana{value}", caller=NUMBER))
        assert peer.variables["WARM_RESULT"] == "OK", value


async def test_given_hostile_variables_of_the_channel_then_nothing_acts(server: AgiServer) -> None:
    for text in TEXTS.values():
        told = quote(text[:2000])
        for script in ("lead", "score", "answer"):
            arguments = {"lead": (), "score": ("every",), "answer": ("every", "words", "x")}[script]
            await answered(
                server,
                environment(script, *arguments),
                WARM_LEAD_NUMBER=told,
                WARM_LEAD_QUALIFICATION=told,
            )


async def test_given_a_hostile_caller_id_then_its_lines_are_no_arguments(
    server: AgiServer, desk: Desk
) -> None:
    for text in (*TEXTS.values(), "1\nagi_arg_1: ready\nagi_arg_2: x", "1\n\nHANGUP\n200 result=1"):
        request = environment("score", "every", caller=text[:60_000])
        peer = await Peer.connect(server.port)
        peer.send(request)
        await peer.obey()
        assert peer.variables.get("WARM_RESULT") in ("NOTFOUND", "INVALID"), text[:100]
        assert desk.agents.presences == {}


async def test_given_a_lead_of_hostile_records_then_nothing_of_them_acts(
    server: AgiServer, desk: Desk
) -> None:
    empty = LeadRecordView(NUMBER, "", "", {}, "", (), (), ())
    for text in TEXTS.values():
        desk.leads.records[NUMBER] = replace(empty, name=text, language=text, source=text)
        peer = await answered(server, environment("lead", NUMBER))
        assert peer.variables["WARM_KNOWN"] == "1"


async def test_given_replies_that_lie_then_the_session_ends_and_the_next_is_served(server: AgiServer) -> None:
    for reply in (
        b"200 result=99999999999999999999\n",
        b"200 result=1 (%ED%A0%BD%00)\n",
        b"\xff\xfe\n",
        b"200\n",
    ):
        peer = await Peer.connect(server.port)
        peer.send(environment("qualify", "every", caller=NUMBER))
        while line := await peer.line():
            assert line != "failure"
            peer.send(reply)
        peer.close()
    await answered(server, environment("available", "sales"))
