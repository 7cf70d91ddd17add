"""Parts of the command line: times in words, and a client in front of what is not our daemon."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len

from asterisk_warm.cli import tables
from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import Client, handoff_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.output import plain, show
from asterisk_warm.cli.times import age, duration, offset
from asterisk_warm.cli.words import LEAD, QUALIFIER, where_lead_is, where_qualifier_is
from asterisk_warm.core.handoff.model import LeadIs, QualifierIs


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86400 * 400, "400 d"),
    ],
)
def test_given_an_age_then_it_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (12_340, "12.3 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (125_400, "2 min 05 s"),
    ],
)
def test_given_a_duration_then_it_is_told_briefly(milliseconds: float | None, words: str) -> None:
    assert duration(milliseconds) == words


def test_given_an_offset_then_it_has_a_sign_and_hundredths() -> None:
    assert (offset(0), offset(12.344), offset(-0.5)) == ("+0.00 s", "+12.34 s", "-0.50 s")


def test_given_text_that_a_terminal_would_obey_then_it_is_shown_instead() -> None:
    assert plain("a\x1b[31m\n\u202eé\U0001f600") == r"a\x1b[31m\n\u202eé" + "\U0001f600"


def test_given_any_id_then_its_path_stays_in_its_place() -> None:
    assert handoff_path("../../health?x#y", "story") == "/v1/handoffs/..%2F..%2Fhealth%3Fx%23y/story"
    assert handoff_path("\udcff\r\n") == "/v1/handoffs/%FF%0D%0A"


@contextmanager
def stranger(path: Path, answer: bytes) -> Iterator[None]:
    """Something else that listens there, and answers so; nothing means that it keeps silent."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        over = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                if answer:
                    connection.sendall(answer)
                else:
                    over.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b'HTTP/1.1 404 Not Found\r\nContent-Length: 25\r\n\r\n{"message":"no such page"}',
        b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    ],
    ids=lambda answer: repr(answer[:20]),
)
def test_given_something_else_that_listens_then_it_is_unreachable(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "s"
    with stranger(path, answer), pytest.raises(Failure) as caught:
        ask(path, "GET", "/v1/health")
    assert (caught.value.exit_code, caught.value.message) == (
        Exit.UNREACHABLE,
        f"what listens on {path} is not asterisk-warm",
    )


def test_given_a_daemon_that_keeps_silent_then_the_client_does_not_wait_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with stranger(path, b""), pytest.raises(TimeoutError):
        Client(path, timeout=0.05).request("GET", "/v1/health")


AGENT = {
    "id": "a" * 40,
    "name": "\x1b[31m陳" + "Wolfeschlegelsteinhausen" * 3,
    "free": True,
    "why": "",
    "tier": 1,
}
BUSY = {**AGENT, "free": False, "why": "\x1b[2J" + "in a call " * 20}


@pytest.mark.parametrize("many", [0, 1, 30])
def test_given_a_large_team_of_long_names_when_shown_then_it_fits(
    many: int, capsys: pytest.CaptureFixture[str]
) -> None:
    team = {"id": "a-team-" * 10, "name": "\x1b]0;" + "名" * 70, "free": many, "agents": [AGENT, BUSY] * many}
    team |= {"waiting": 12_000, "expected_wait": 86_399.0}
    show(tables.teams([team, team]), tables.agents(team))
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(cell_len(line) <= 80 and line.isprintable() for line in lines), lines


def test_given_places_that_a_newer_daemon_knows_then_they_are_told_as_they_are() -> None:
    assert where_lead_is({"lead_is": "on_the_moon"}) == "on_the_moon"
    assert where_qualifier_is({"place": "on_the_moon"}) == "on_the_moon"


def test_given_the_places_of_the_core_then_each_has_words() -> None:
    assert set(LEAD) == {place.value for place in LeadIs}
    assert set(QUALIFIER) == {place.value for place in QualifierIs} - {"nobody"}
