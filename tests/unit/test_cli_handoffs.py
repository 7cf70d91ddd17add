"""The commands that talk to a daemon, in front of a real API on a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_stage import LEAD, Stage, open_stage
from cli_runs import Run, run
from rich.cells import cell_len

HOSTILE = "\x1b[31m陳\r\n \u202e\U0001f600 [bold]${SHELL(x)} " + "w" * 300


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def handoff(stage: Stage, *arguments: str | bytes, **environment: str) -> Run:
    return await run("handoff", *arguments, "--socket", stage.socket, **environment)


def fits(shown: Run) -> list[str]:
    """The lines of a command that went well: 80 columns, and nothing that a terminal obeys."""
    assert (shown.code, shown.err) == (0, ""), shown
    lines = shown.out.splitlines()
    assert all(cell_len(line) <= 80 for line in lines), shown.out
    assert all(line.isprintable() for line in lines), shown.out
    return lines


# -- 0: ok ---------------------------------------------------------------------------------------------------


async def test_given_no_handoffs_when_listed_then_it_says_so(stage: Stage) -> None:
    assert fits(await handoff(stage, "list")) == ["No open handoffs; --all lists those that have ended."]
    assert fits(await handoff(stage, "list", "--all")) == ["No handoffs yet."]
    assert (await handoff(stage, "list", "--json")).json == {"handoffs": []}


async def test_given_a_waiting_lead_when_started_then_it_is_followed_from_start_to_end(stage: Stage) -> None:
    stage.lead_waits()
    started = await handoff(
        stage,
        *("start", "--channel", LEAD, "--team", "sales", "--mode", "auto", "--name", "Grant Weatherly"),
        *("--number", "+15550100", "--summary", "home insurance", "--detail", "plan=Gold=1"),
        *("--wait", "30", "--priority", "7"),
        *("--detail", "renews=soon", "--return-to", "menu,s,7"),
    )
    what, follow = fits(started)
    id = what.split()[0]
    assert what == f"{id} is REQUESTED."
    assert follow == f"Follow it with: asterisk-warm handoff story {id}"
    await stage.pbx.ordered("ring")

    head, row = fits(await handoff(stage, "list"))
    assert head.split() == ["id", "state", "team", "lead", "agent", "age"]
    assert row.split()[:6] == [id, "OFFERING", "sales", "Grant", "Weatherly", "-"]

    shown = "\n".join(fits(await handoff(stage, "show", id[-5:])))
    for fact in (
        "state         OFFERING (open)",
        "  plan        Gold=1",
        "lead          Grant Weatherly, +15550100",
        "lead is       on hold",
    ):
        assert fact in shown
    assert "Ana" in shown and "RINGING" in shown

    await stage.agent_takes_it()
    _, row = fits(await handoff(stage, "list"))
    assert row.split()[1:6] == ["CONNECTED", "sales", "Grant", "Weatherly", "Ana"]
    told = fits(await handoff(stage, "story", id))
    assert told[0].split()[:2] == ["+0.00", "s"]
    assert any(line.split()[2:] == ["Ana", "pressed", "1", "(accept)"] for line in told), told

    shown = "\n".join(fits(await handoff(stage, "show", id)))
    assert "agent         Ana (ana)" in shown and "handoff gap   " in shown


async def test_given_an_open_handoff_when_cancelled_then_it_is(stage: Stage) -> None:
    id = await stage.lead_is_offered()
    assert fits(await handoff(stage, "cancel", id)) == [f"{id} is cancelled."]
    shown = "\n".join(fits(await handoff(stage, "show", id)))
    assert "status        CANCELLED" in shown


async def test_given_json_when_asked_for_then_it_is_what_the_api_answers(stage: Stage) -> None:
    stage.lead_waits()
    view = (await handoff(stage, "start", "--channel", LEAD, "--team", "sales", "--json")).json
    assert view["lead"]["channel"] == LEAD
    await stage.pbx.ordered("ring")
    id = view["id"]
    for arguments, path in (
        (("list",), "/v1/handoffs"),
        (("list", "--all", "--limit", "3"), "/v1/handoffs?state=all&limit=3"),
        (("show", id), f"/v1/handoffs/{id}"),
        (("story", id), f"/v1/handoffs/{id}/story"),
    ):
        assert (await handoff(stage, *arguments, "--json")).json == (await stage.ask("GET", path))[1]
    assert (await handoff(stage, "cancel", id, "--json")).json["status"] == "CANCELLED"


async def test_given_a_hostile_lead_when_shown_then_nothing_reaches_the_terminal(stage: Stage) -> None:
    id = await stage.lead_is_offered(
        **dict.fromkeys(["name", "number", "summary"], HOSTILE), details={HOSTILE.replace("=", ""): HOSTILE}
    )
    for arguments in (("list",), ("show", id), ("story", id)):
        lines = fits(await handoff(stage, *arguments))
        assert any("[31m" in line for line in lines)


async def test_given_a_poor_terminal_then_what_it_cannot_show_is_escaped(stage: Stage) -> None:
    id = await stage.lead_is_offered(name="陳")
    shown = await handoff(stage, "show", id, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert r"\u9673" in "\n".join(fits(shown))


async def test_given_the_socket_in_the_environment_then_it_is_used(stage: Stage) -> None:
    assert (await run("handoff", "list", ASTERISK_WARM_SOCKET=str(stage.socket))).code == 0


async def test_given_no_color_then_there_is_none(stage: Stage) -> None:
    id = await stage.lead_is_offered()
    await stage.agent_takes_it()
    coloured = "\x1b[32m"
    assert coloured in (await handoff(stage, "show", id, FORCE_COLOR="1", TERM="xterm")).out
    assert "\x1b[3" not in (await handoff(stage, "show", id, FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")).out


async def test_given_a_healthy_daemon_when_asked_then_all_is_told(stage: Stage) -> None:
    shown = await run("health", "--socket", stage.socket)
    assert fits(shown) == [
        "daemon         1.2.3",
        "Asterisk       22.10.1",
        "ARI            connected",
        "AMI            connected",
        "open handoffs  0",
    ]
    assert (await run("health", "--socket", stage.socket, "--json")).json["version"] == "1.2.3"


async def test_given_a_daemon_that_is_starting_when_asked_then_it_says_so_and_blames_no_asterisk(
    stage: Stage,
) -> None:
    stage.health = replace(stage.health, ari_connected=False, starting="rendering prompts, 3 of 81")
    shown = await run("health", "--socket", stage.socket)
    assert shown.code == 4 and "NOT" not in shown.out
    assert shown.out.splitlines()[:3] == [
        "daemon         1.2.3 (starting: rendering prompts, 3 of 81)",
        "Asterisk       22.10.1",
        "ARI            not yet",
    ]


# -- 1: failed -----------------------------------------------------------------------------------------------


async def test_given_findings_when_asked_how_it_is_then_1(stage: Stage) -> None:
    stage.health = replace(stage.health, findings=("AMI is not connected: check \x1b[1mhost",))
    shown = await run("health", "--socket", stage.socket)
    assert (shown.code, shown.out.splitlines()[-1]) == (
        1,
        r"to mend        AMI is not connected: check \x1b[1mhost",
    )


async def test_given_a_fault_of_the_daemon_then_1(stage: Stage) -> None:
    del stage.health
    assert (await run("health", "--socket", stage.socket)).told(1) == [
        "asterisk-warm: the daemon could not answer",
        "its log has the reason",
    ]


# -- 2: usage ------------------------------------------------------------------------------------------------

START = ("start", "--channel", LEAD, "--team", "sales")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start", "--team", "sales"), "--channel or --qualifier must be given"),
        (("start", "--channel", LEAD), "--team, --agent or --outside must be given"),
        (
            ("start",),
            "--channel or --qualifier must be given; --team, --agent or --outside must be given",
        ),
        ((*START, "--qualifier", "q"), "--channel and --qualifier cannot go together"),
        (
            (*START, "--agent", "ana", "--outside", "+15550100"),
            "--team, --agent and --outside cannot go together",
        ),
        (
            ("start", "--qualifier", "a b", "--outside", "ana"),
            "--qualifier: must have no spaces, commas or control characters; "
            "--outside: must be a telephone number: 2 to 20 digits, with or without a + before them",
        ),
        (("complete",), "Missing argument 'ID'."),
        (("show",), "Missing argument 'ID'."),
        (("list", "--limit", "0"), "Invalid value for '--limit': Input should be greater than or equal to 1"),
        (("list", "--al"), "No such option: --al (Possible options: --all, --help)"),
        ((*START, "--detail", "gold"), '--detail "gold" is not NAME=TEXT'),
        ((*START, "--skill", "spanish"), '--skill "spanish" is not SKILL:LEVEL'),
        ((*START, "--detail", "=gold"), '--detail "=gold" is not NAME=TEXT'),
        ((*START, "--return-to", "menu"), '--return-to "menu" is not CONTEXT,EXTENSION,PRIORITY'),
        ((*START, "--return-to", "menu,s,n"), '--return-to "menu,s,n" is not CONTEXT,EXTENSION,PRIORITY'),
        ((*START, "--name", b"\xff"), "an option is not text in this terminal's encoding"),
        ((*START, "--mode", "blnd"), '--mode: there is no mode "blnd"'),
        (
            ("start", "--channel", "a\r\nb", "--team", ""),
            "--channel: must have no spaces, commas or control characters; "
            "--team: must have from 1 to 79 characters, not 0",
        ),
    ],
)
async def test_given_a_wrong_command_line_then_2(
    stage: Stage, arguments: tuple[str | bytes, ...], said: str
) -> None:
    what, *remedy = (await handoff(stage, *arguments)).told(2)
    assert what == f"asterisk-warm: {said}"
    assert len(remedy) <= 1
    assert stage.pbx.done == []


async def test_given_too_much_to_send_then_2(stage: Stage) -> None:
    what, _ = (await handoff(stage, *START, "--summary", "x" * 100_000)).told(2)
    assert what == "asterisk-warm: the body is larger than 65536 bytes"


# -- 3: not found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "id"),
    [
        ("show", "warm-nobody"),
        ("story", "warm-nobody"),
        ("cancel", "warm-nobody"),
        ("show", "../../health"),
        ("cancel", "%"),
        ("story", "ü\n"),
        ("show", "w" * 9000),
    ],
)
async def test_given_no_such_handoff_then_3(stage: Stage, command: str, id: str) -> None:
    what, remedy = (await handoff(stage, command, id)).told(3)
    assert what in (
        'asterisk-warm: no handoff "warm-nobody"',
        "asterisk-warm: that is not the id of a handoff",
    )
    assert remedy == "see `asterisk-warm handoff list --all`"


async def test_given_no_such_team_or_channel_then_3(stage: Stage) -> None:
    said = (await handoff(stage, "start", "--channel", LEAD, "--team", "sails")).told(3)
    assert said == ['asterisk-warm: no team "sails"', "configured teams: sales, vip"]
    assert (await handoff(stage, *START)).told(3)[0] == f'asterisk-warm: no channel "{LEAD}" in Asterisk'


async def test_given_json_when_refused_then_the_problem_is_json_too(stage: Stage) -> None:
    (line,) = (await handoff(stage, "show", "warm-1", "--json")).told(3)
    assert json.loads(line)["type"] == "urn:asterisk-warm:problem:not_found"


# -- 4: unreachable ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [("health",), ("handoff", "list"), ("handoff", "cancel", "warm-1")], ids=lambda a: a[-1]
)
async def test_given_no_daemon_then_4(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "api.sock"
    start = "start it with `asterisk-warm serve CONFIG`, or give its --socket"
    absent = (await run(*arguments, "--socket", path)).told(4)
    assert absent == [f"asterisk-warm: no daemon listens on {path}", start]
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert (await run(*arguments, "--socket", path)).told(4) == absent


async def test_given_a_database_that_is_away_then_4(stage: Stage) -> None:
    await stage.database.close()
    assert (await handoff(stage, "list")).told(4) == [
        "asterisk-warm: the database cannot be used now",
        "the daemon's log has the reason",
    ]


async def test_given_asterisk_away_then_4(stage: Stage) -> None:
    stage.lead_waits()
    stage.pbx.connected = False
    assert "no connection" in (await handoff(stage, *START)).told(4)[0]
    stage.health = replace(stage.health, ari_connected=False, findings=("ARI is away",))
    shown = await run("health", "--socket", stage.socket)
    assert (shown.code, "ARI            NOT connected" in shown.out) == (4, True)


async def test_given_a_path_that_cannot_be_a_socket_then_4(tmp_path: Path) -> None:
    what, _ = (await run("health", "--socket", tmp_path / ("x" * 200))).told(4)
    assert "AF_UNIX path too long" in what


# -- 5: conflict ---------------------------------------------------------------------------------------------


async def test_given_an_agent_who_accepted_when_cancelled_then_5(stage: Stage) -> None:
    id = await stage.lead_is_offered()
    await stage.agent_takes_it()
    assert (await handoff(stage, "cancel", id)).told(5) == [
        f"asterisk-warm: in {id} an agent has accepted already",
        "hang up on the phone to end the call",
    ]


async def test_given_a_lead_in_a_handoff_when_started_again_then_5(stage: Stage) -> None:
    id = await stage.lead_is_offered()
    assert (await handoff(stage, *START)).told(5)[1] == f"cancel {id} first"
