"""The AGI protocol: what Asterisk says first, what goes into a command, what comes back; by real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from agi_stage import SECONDS, Peer, environment
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.agi.environment import Environment, NotAgi, read_environment
from asterisk_warm.agi.session import AgiError, CommandRefused, Gone, Session, set_variable
from asterisk_warm.agi.text import VALUE_AT_MOST, WORDS_AT_MOST, clean, listed, quoted

LIMIT = 4096


def as_asterisk_parses(line: str) -> list[str]:
    """The words of a command, as parse_args() of Asterisk's res_agi.c reads them."""
    words: list[str] = []
    quoting = escaped = False
    between = True
    for char in line:
        if char == '"' and not escaped:
            quoting = not quoting
            if quoting and between:
                words.append("")
                between = False
        elif char in " \t" and not quoting and not escaped:
            between = True
        elif char == "\\" and not escaped:
            escaped = True
            continue
        else:
            if between:
                words.append("")
                between = False
            words[-1] += char
        escaped = False
    return words


# -- text ----------------------------------------------------------------------------------------------------


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=200))
def test_given_any_value_then_asterisk_reads_it_as_one_word(value: str) -> None:
    shown = "".join(char if char.isprintable() else " " for char in value)
    assert as_asterisk_parses(set_variable("WARM_X", value)) == ["SET", "VARIABLE", "WARM_X", shown]


@given(st.text())
def test_given_any_text_at_all_then_a_command_is_one_line_that_asterisk_can_hold(value: str) -> None:
    line = set_variable("WARM_X", value)
    assert len(line.encode()) < VALUE_AT_MOST + 64
    assert len(line.splitlines()) == 1 and "\0" not in line
    assert len(as_asterisk_parses(line)) == 4


def test_given_a_value_longer_than_asterisk_can_hold_then_it_is_cut_between_characters() -> None:
    word = quoted('"' * 5000)
    assert len(word.encode()) <= VALUE_AT_MOST + 2
    assert as_asterisk_parses(word) == ['"' * (VALUE_AT_MOST // 2)]
    assert quoted("ü" * 5000) == '"' + "ü" * (VALUE_AT_MOST // 2) + '"'


@given(st.text())
def test_given_words_from_outside_then_nothing_in_them_acts(text: str) -> None:
    words = clean(text)
    assert not set(words) & set('"\\<>{}[]$`;|&%\r\n\0')
    assert len(words) <= WORDS_AT_MOST and words == " ".join(words.split())


def test_given_words_that_would_act_then_what_they_say_is_kept() -> None:
    assert clean('lunch\r\nAction: x ${SHELL(id)} "quoted" 12:30 – back soon') == (
        "lunch Action: x SHELL(id) quoted 12:30 – back soon"
    )


def test_given_more_items_than_fit_then_none_is_cut_in_two() -> None:
    assert listed(["ana", "ben"]) == "ana,ben"
    assert listed(["ana", "ben", "cleo"], at_most=8) == "ana,ben"
    assert listed([]) == ""


@pytest.mark.parametrize("name", ["", "1A", "CDR(x)", "A B", "A\nSET", "Ä"])
def test_given_what_is_no_plain_name_then_no_command_is_made(name: str) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        set_variable(name, "x")


# -- what Asterisk says first --------------------------------------------------------------------------------


@asynccontextmanager
async def meeting(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Peer]:
    """A peer of a server that does `serve`; what that raises is raised at the end."""
    served: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        task.add_done_callback(lambda _: writer.close())
        served.put_nowait(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=LIMIT)
    peer = await Peer.connect(server.sockets[0].getsockname()[1])
    try:
        yield peer
        await asyncio.wait_for(await served.get(), SECONDS)
    finally:
        peer.close()
        server.close()


async def read(data: bytes) -> Environment:
    """What the server makes of it, given by a peer who then sends no more."""
    read: list[Environment] = []

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        read.append(await read_environment(reader, LIMIT))

    async with meeting(serve) as peer:
        peer.send(data)
        peer.writer.write_eof()
    return read[0]


async def test_given_a_request_then_script_endpoint_and_arguments_are_known() -> None:
    data = environment(
        "presence", "pause", "", "lunch break", channel="PJSIP/ana-desk-0000001f", caller="201"
    )
    assert await read(data) == Environment(
        "presence", "PJSIP/ana-desk-0000001f", "", "201", ("pause", "", "lunch break")
    )


@pytest.mark.parametrize(
    ("channel", "endpoint"),
    [
        ("PJSIP/ana-0000001f", "PJSIP/ana"),
        ("PJSIP/ana-2-0000001f", "PJSIP/ana-2"),
        ("SIP/trunk-a/b-00000002", "SIP/trunk-a/b"),
        ("Local/281@from-agents-0000001a;2", "Local/281@from-agents"),
        ("PJSIP/ana", ""),
        ("", ""),
    ],
)
async def test_given_a_channel_then_its_endpoint_is_known(channel: str, endpoint: str) -> None:
    assert (await read(environment("presence", channel=channel))).endpoint == endpoint


async def test_given_empty_arguments_at_the_end_then_they_do_not_count() -> None:
    assert (await read(environment("presence", "ready", "", ""))).arguments == ("ready",)


async def test_given_no_script_and_no_caller_then_both_are_empty() -> None:
    data = environment("x").replace(b"agi_network_script: x\n", b"")
    found = await read(data)
    assert (found.script, found.caller_id) == ("", "")


GOOD = environment("presence", "pause", caller="201")
HOSTILE = {
    "an argument by a caller ID": GOOD.replace(b": 201", b": 201\nagi_arg_1: agent=ben"),
    "a second channel": GOOD.replace(b": 201", b": 201\nagi_channel: PJSIP/ben-00000001"),
    "an end by a caller ID": GOOD.replace(b": 201", b": 201\n\n200 result=1"),
    "the end of the lines by a caller ID": GOOD.replace(
        b": 201", b": 201\nagi_threadid: 1\nagi_arg_1: agent=ben"
    ),
    "something after the arguments": GOOD[:-1] + b"agi_more: x\n\n",
    "no name": GOOD.replace(b"agi_language", b"language"),
    "a long line": b"agi_network: yes\nagi_x: " + b"x" * LIMIT * 2 + b"\n",
    "many lines": b"agi_network: yes\n" + b"".join(b"agi_x%d: %s\n" % (n, b"x" * 99) for n in range(100)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
async def test_given_lines_that_are_not_asterisks_then_the_request_is_none(data: bytes) -> None:
    with pytest.raises(NotAgi) as refused:
        await read(data)
    assert refused.value.spoke


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\n", b"", b"\xff" * LIMIT * 2, GOOD[:40]])
async def test_given_a_peer_who_does_not_speak_agi_then_nobody_waits_for_an_answer(data: bytes) -> None:
    with pytest.raises(NotAgi) as refused:
        await read(data)
    assert not refused.value.spoke


async def test_given_bytes_that_are_no_text_then_the_request_can_be_read() -> None:
    data = environment("presence", "pause", "lunch").replace(b"lunch", b"\xffl\xc3\xbcnch")
    assert (await read(data)).arguments == ("pause", "\ufffdlünch")


# -- commands and replies ------------------------------------------------------------------------------------

ASKED = Environment("presence", "PJSIP/ana-1", "", "", ())


@asynccontextmanager
async def session(scene: Callable[[Session], Awaitable[None]]) -> AsyncIterator[Peer]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await scene(Session(ASKED, reader, writer))

    async with meeting(serve) as peer:
        yield peer


async def test_given_a_hangup_between_the_replies_then_they_stay_in_step() -> None:
    got: list[object] = []

    async def scene(session: Session) -> None:
        await session.set("WARM_A", "1")
        got.append(session.hung_up)
        got.append(await session.get("WARM_B"))
        got.append(session.hung_up)

    async with session(scene) as peer:
        assert await peer.line() == 'SET VARIABLE WARM_A "1"'
        peer.send(b"200 result=1\n")
        assert await peer.line() == 'GET FULL VARIABLE "${URIENCODE(${WARM_B})}"'
        peer.send(b"HANGUP\n200 result=1 (a%0Ab%22)\n")
    assert got == [False, 'a\nb"', True]


async def test_given_no_such_variable_then_it_is_empty() -> None:
    got: list[str] = []

    async def scene(session: Session) -> None:
        got.append(await session.get("WARM_B"))
        got.append(await session.get("WARM_B"))

    async with session(scene) as peer:
        await peer.line()
        peer.send(b"200 result=0\n")
        await peer.line()
        peer.send(b"200 result=1 ()\n")
    assert got == ["", ""]


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (b"510 Invalid or unknown command\n", 510, "Invalid or unknown command"),
        (b"511 Command Not Permitted on a dead channel\n", 511, "Command Not Permitted on a dead channel"),
        (
            b"520-Invalid command syntax.  Proper usage follows:\nUsage: X\n\n520 End of proper usage.\n",
            520,
            "Invalid command syntax.  Proper usage follows: Usage: X ",
        ),
    ],
)
async def test_given_a_refused_command_then_its_code_and_words_are_told_and_the_next_one_goes_on(
    reply: bytes, code: int, words: str
) -> None:
    async def scene(session: Session) -> None:
        with pytest.raises(CommandRefused) as refused:
            await session.command("NONSENSE")
        assert (refused.value.code, str(refused.value)) == (code, words)
        await session.verbose("still here")

    async with session(scene) as peer:
        await peer.line()
        peer.send(reply)
        assert await peer.line() == 'VERBOSE "still here" 3'
        peer.send(b"200 result=1\n")


@pytest.mark.parametrize(
    "reply",
    [
        b"hello\n",
        b"\n",
        b"\xff\xfe\n",
        b"200\n",
        b"x" * LIMIT * 3,
        b"520-Invalid\n" + b"more\n" * 300,
    ],
)
async def test_given_no_reply_of_agi_then_the_session_ends(reply: bytes) -> None:
    async def scene(session: Session) -> None:
        with pytest.raises(AgiError) as error:
            await session.set("WARM_A", "1")
        assert not isinstance(error.value, CommandRefused | Gone)

    async with session(scene) as peer:
        await peer.line()
        peer.send(reply)


@pytest.mark.parametrize("last", [b"", b"200 resu", b"HANGUP\n", b"520-Invalid\nUsage\n"])
async def test_given_the_end_instead_of_a_reply_then_the_session_is_gone(last: bytes) -> None:
    async def scene(session: Session) -> None:
        with pytest.raises(Gone):
            await session.set("WARM_A", "1")

    async with session(scene) as peer:
        await peer.line()
        peer.send(last)
        peer.writer.write_eof()


async def test_given_a_reset_connection_then_the_session_is_gone() -> None:
    async def scene(session: Session) -> None:
        with pytest.raises(Gone):
            while True:
                await session.set("WARM_A", "1")

    async with session(scene) as peer:
        await peer.line()
        peer.writer.transport.abort()


async def test_given_a_reply_that_was_not_waited_for_then_no_other_is_taken_for_it() -> None:
    late = asyncio.Event()

    async def scene(session: Session) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.get("WARM_A")
        late.set()
        with pytest.raises(AgiError, match="was not waited for"):
            await session.set("WARM_B", "1")

    async with session(scene) as peer:
        await peer.line()
        await asyncio.wait_for(late.wait(), SECONDS)
        peer.send(b"200 result=1 (late)\n")
