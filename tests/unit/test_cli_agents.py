"""The commands for agents, in front of a real API on a real socket."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_stage import Stage, open_stage
from cli_runs import Run, fit, run

from asterisk_warm.core.presence import Busy, Calendar

HOSTILE = "\x1b[31m陳\r\n \u202e\U0001f600 [bold]${SHELL(x)} " + "w" * 300
NAME = "Wolfeschlegelsteinhausenbergerdorff 陳大文 the Third of That Name"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


async def agent(stage: Stage, *arguments: str | bytes | Path, **environment: str) -> Run:
    return await run("agent", *arguments, "--socket", stage.socket, **environment)


async def got(stage: Stage, id: str = "ana") -> Any:
    return (await stage.ask("GET", f"/v1/agents/{id}"))[1]


# -- seeing --------------------------------------------------------------------------------------------------


async def test_given_agents_when_listed_then_each_is_free_or_every_reason_is_told(stage: Stage) -> None:
    await stage.ask("POST", "/v1/agents/ben/offline", {"reason": "gone home"})
    stage.devices.set("PJSIP/ben", "UNAVAILABLE")
    stage.devices.set("PJSIP/cy", "ONHOLD")
    lines = [
        re.sub(r"for \d+ s", "for N s", " ".join(line.split())) for line in (await agent(stage, "list")).lines
    ]
    assert lines == [
        "agent name now idle",
        "ana Ana free -",
        "ben Ben offline: gone home, for N s -",
        "phone not registered",
        "cy Cy in a call, on hold -",
    ]
    assert [line.split()[0] for line in (await agent(stage, "list", "--team", "vip")).lines] == [
        "agent",
        "ana",
    ]
    assert (await agent(stage, "list", "--json")).json == (await stage.ask("GET", "/v1/agents"))[1]
    of_vip = (await agent(stage, "list", "--team", "vip", "--json")).json
    assert [one["id"] for one in of_vip["agents"]] == ["ana"]


async def test_given_no_agents_when_listed_then_it_says_so(stage: Stage) -> None:
    for id in ("ana", "ben", "cy"):
        await stage.ask("DELETE", f"/v1/agents/{id}")
    assert (await agent(stage, "list")).lines == ["No agents yet; see `asterisk-warm agent add --help`."]
    assert (await agent(stage, "list", "--team", "vip")).lines == ["No agents in this team."]


async def test_given_an_agent_when_shown_then_all_that_is_known_is_told(stage: Stage) -> None:
    body = {
        **{"name": "Dee Young", "endpoint": "PJSIP/dee", "number": "204", "teams": {"sales": 2, "vip": 1}},
        **{"skills": {"insurance": 3, "spanish": 7}, "at_once": 2, "timezone": "UTC"},
        **{"shifts": ["daily 00:00-24:00"], "calendar": "work"},
    }
    await stage.ask("PUT", "/v1/agents/dee", body)
    stage.calendars.set("dee", Calendar((), time.time() - 90, 900))
    shown = (await agent(stage, "show", "dee young")).lines
    assert shown == [
        "id            dee",
        "name          Dee Young",
        "now           free",
        "declared      ready",
        "phone         PJSIP/dee, NOT_INUSE",
        "number        204",
        "teams         sales (tier 2), vip (tier 1)",
        "skills        insurance 3, spanish 7",
        "at once       2 handoffs",
        "shifts        daily 00:00-24:00, UTC",
        "calendar      work, read 1 min ago",
    ]
    assert (await agent(stage, "show", "dee", "--json")).json["id"] == "dee"


async def test_given_a_free_agent_when_asked_why_then_it_says_that_they_can(stage: Stage) -> None:
    assert (await agent(stage, "why", "Ana")).lines == ["Ana (ana) can be offered a lead now."]


async def test_given_several_reasons_when_asked_why_then_each_is_a_sentence_with_its_end(
    stage: Stage,
) -> None:
    until = time.time() + 1830
    await stage.ask("POST", "/v1/agents/ana/pause", {"reason": "lunch", "until": until})
    await stage.ask("POST", "/v1/agents/ana/wrapup", {"seconds": 600})
    clock = time.strftime("%H:%M", time.localtime(until))
    head, _, *told = (await agent(stage, "why", "ana")).lines
    assert head == "Ana (ana) cannot be offered a lead now, for 2 reasons:"
    assert told[0].startswith("1.  Ana is paused: lunch, for ")
    assert told[0].endswith(" (in 30 min).") and clock in told[0]
    assert told[1] == "    End it with: asterisk-warm agent ready ana"
    assert told[2].startswith("2.  Ana is wrapping up the last call, until ")
    assert told[3] == "    End it with: asterisk-warm agent wrapup ana --finish"
    assert told[5].startswith("All of it is over at ") and told[5].endswith(", in 30 min.")


async def test_given_every_kind_of_reason_and_long_names_when_shown_then_it_fits(stage: Stage) -> None:
    ids = [f"{n:02}_{'the-longest-id-that-an-agent-may-have'}"[:40] for n in range(12)]
    agents = [
        {
            **{"id": id, "name": f"{n} {NAME}", "endpoint": f"PJSIP/{n}", "teams": {"sales": 1}},
            **{"dnd": "Custom:DND" if n == 6 else "", "calendar": "work" if n in (7, 8) else ""},
            **{"shifts": ["mon 00:00-00:01"] if n == 9 else []},
        }
        for n, id in enumerate(ids)
    ]
    assert (await stage.ask("POST", "/v1/agents/import", {"agents": agents}))[1]["faults"] == []
    for n, state in enumerate(("INUSE", "RINGINUSE", "UNAVAILABLE", "INVALID")):
        stage.devices.set(f"PJSIP/{n}", state)
    await stage.ask("POST", f"/v1/agents/{ids[3]}/pause", {"reason": HOSTILE})
    await stage.ask("POST", f"/v1/agents/{ids[4]}/offline", {"reason": "w" * 80})
    await stage.ask("POST", f"/v1/agents/{ids[5]}/wrapup", {"seconds": 7200})
    stage.devices.set("Custom:DND", "INUSE")
    now = time.time()
    stage.calendars.set(ids[7], Calendar((Busy(now - 1, now + 9999, "board " * 30),), now, 900))
    stage.calendars.set(ids[8], Calendar((), now - 4000, 900, "no answer " * 20))
    lines = (await agent(stage, "list")).lines
    assert sum("Wolfeschlegels" in line for line in lines) == 12
    for command in ("why", "show", "history"):
        for id in ids:
            assert (await agent(stage, command, id)).lines
    told = "\n".join((await agent(stage, "why", ids[3])).lines)
    assert "\x1b" not in told and "[31m" in told and "no such device in Asterisk" in told


async def test_given_colours_when_listed_then_they_only_add(stage: Stage) -> None:
    stage.devices.set("PJSIP/ben", "UNAVAILABLE")
    coloured = (await agent(stage, "list", FORCE_COLOR="1", TERM="xterm")).out
    plain = (await agent(stage, "list", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")).out
    assert "\x1b[32mfree" in coloured and "\x1b[31mphone not registered" in coloured
    assert "\x1b[3" not in plain and "phone not registered" in plain


# -- declaring -----------------------------------------------------------------------------------------------


async def test_given_a_pause_when_declared_then_it_is_told_with_its_end_and_kept_as_by_the_cli(
    stage: Stage,
) -> None:
    (line,) = (await agent(stage, "pause", "ana", "--reason", "lunch", "--for", "30m")).lines
    view = await got(stage)
    clock = time.strftime("%H:%M", time.localtime(view["until"]))
    assert re.fullmatch(
        rf"Ana \(ana\) is paused: lunch, until ([A-Z]..)? ?{clock} \(in (30|29) min\)\.", line
    )
    assert (view["source"], view["reason"]) == ("cli", "lunch")
    assert 1700 < view["until"] - time.time() <= 1800
    assert (await agent(stage, "pause", "ana")).lines == ["Ana (ana) is paused."]
    assert (await agent(stage, "ready", "ana")).lines == ["Ana (ana) is ready, and can be offered a lead."]


async def test_given_a_time_of_the_clock_when_paused_then_it_is_the_next_one_in_local_time(
    stage: Stage,
) -> None:
    soon = time.localtime(time.time() + 3600)
    done = await agent(stage, "pause", "ana", "--until", time.strftime("%H:%M", soon))
    assert done.code == 0
    until = (await got(stage))["until"]
    assert time.strftime("%H:%M:%S", time.localtime(until)) == time.strftime("%H:%M:00", soon)
    assert 3500 < until - time.time() <= 3600
    day = time.strftime("%Y-%m-%d 12:00", time.localtime(time.time() + 5 * 86400))
    assert (await agent(stage, "pause", "ana", "--until", day)).code == 0
    assert time.strftime("%Y-%m-%d %H:%M", time.localtime((await got(stage))["until"])) == day


async def test_given_somebody_in_a_call_when_declared_then_that_is_told_too(stage: Stage) -> None:
    stage.devices.set("PJSIP/ana", "INUSE")
    assert (await agent(stage, "ready", "ana")).lines == [
        "Ana (ana) is ready, but cannot be offered a lead: in a call."
    ]
    stage.devices.set("PJSIP/ana", "NOT_INUSE")
    id = await stage.lead_is_offered()
    shown = (await agent(stage, "offline", "ana", "--reason", "gone home")).lines
    assert shown == ["Ana (ana) is offline: gone home.", f"What they are in goes on: {id}."]


async def test_given_a_wrap_up_when_extended_twice_and_finished_then_it_is(stage: Stage) -> None:
    for least in (60, 180):
        (line,) = (await agent(stage, "wrapup", "ana", "--extend", "2m")).lines
        assert line.startswith("Ana (ana) wraps up, until ")
        assert least < (await got(stage))["wrapup_until"] - time.time() <= least + 60
    finished = (await agent(stage, "wrapup", "ana", "--finish")).lines
    assert finished == ["Ana (ana) has no wrap-up any more, and is now free."]


async def test_given_what_was_declared_when_the_history_is_told_then_newest_first(stage: Stage) -> None:
    await agent(stage, "pause", "ana", "--reason", "lunch")
    await agent(stage, "ready", "ana")
    head, ready, paused, added = (await agent(stage, "history", "ana")).lines
    assert head.split() == ["at", "became", "by"]
    assert [line.split()[2:] for line in (ready, paused)] == [
        ["ready", ready.split()[-2], "(cli)"],
        ["paused:", "lunch", paused.split()[-2], "(cli)"],
    ]
    assert added.split()[2] == "added"
    assert len((await agent(stage, "history", "ana", "--limit", "1")).lines) == 2
    assert len((await agent(stage, "history", "ana", "--json")).json["history"]) == 3


async def test_given_json_when_declared_then_it_is_the_agent_as_the_api_has_them(stage: Stage) -> None:
    for arguments in (("ready",), ("pause", "--for", "5m"), ("offline",), ("wrapup", "--extend", "5m")):
        done = (await agent(stage, arguments[0], "ana", *arguments[1:], "--json")).json
        assert done["id"] == "ana" and "why" in done


# -- who they are --------------------------------------------------------------------------------------------


async def test_given_a_new_agent_when_added_then_they_are_there_and_can_be_removed(stage: Stage) -> None:
    added = await agent(
        stage,
        *("add", "dee", "--name", "Dee Young", "--endpoint", "PJSIP/dee", "--number", "204"),
        *("--team", "sales:2", "--team", "vip", "--skill", "spanish:7", "--at-once", "2"),
        *("--timezone", "Europe/Berlin", "--shift", "mon-fri 09:00-17:30", "--shift", "sat 10:00-14:00"),
        *(
            "--calendar",
            "work",
            "--hint",
            "Custom:desk",
            "--hint",
            "204@from-internal",
            "--dnd",
            "Custom:DND",
        ),
    )
    assert added.lines == ["Dee Young (dee) is an agent, in sales (tier 2), vip (tier 1)."]
    record = (await stage.records())["dee"]
    assert (record.teams, record.skills, record.at_once) == (
        (("sales", 2), ("vip", 1)),
        (("spanish", 7),),
        2,
    )
    assert record.shifts == ("mon-fri 09:00-17:30", "sat 10:00-14:00")
    assert (record.hints, record.dnd) == (("Custom:desk", "204@from-internal"), "Custom:DND")
    assert (record.number, record.calendar, record.timezone) == ("204", "work", "Europe/Berlin")
    assert (await agent(stage, "remove", "dee young")).lines == ["Dee Young (dee) is no agent any more."]
    assert "dee" not in await stage.records()


async def test_given_an_agent_who_is_there_when_added_then_5_and_replaced_only_when_asked(
    stage: Stage,
) -> None:
    again = ("add", "ana", "--name", "Ana Two", "--endpoint", "PJSIP/ana2")
    assert (await agent(stage, *again)).told(5) == [
        "asterisk-warm: there is an agent ana already",
        "choose another id, or replace them",
    ]
    assert (await got(stage))["name"] == "Ana"
    assert (await agent(stage, *again, "--replace")).lines == ["Ana Two (ana) is an agent, in no team."]


CSV = """\
id,name,endpoint,number,teams
ana,Ana Lopez,PJSIP/ana,201,sales;vip
dee,Dee Young,PJSIP/dee,204,sales:2
eve,Eve,PJSIP/e&ve,205,sales
fay,Fay,PJSIP/fay,206,slaes
gus,Gus,PJSIP/ben,207,sales
"""


async def test_given_a_file_with_faults_when_imported_then_the_good_are_kept_and_each_fault_named(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "agents.csv"
    file.write_text(CSV)
    for would, there in (("would be ", False), ("", True)):
        done = await agent(stage, "import", file, *(["--dry-run"] if would else []))
        assert (done.code, done.out.splitlines()) == (
            1,
            [
                f"{would}added: 1 (dee)",
                f"{would}replaced: 1 (ana)",
                "faults: 3; whoever has one is left out",
            ],
        )
        faults = [line for line in done.err.splitlines() if not line.startswith("warning")]
        assert faults[0].startswith(f"{file}:4:") and "PJSIP/e&ve" in faults[0]
        assert faults[1].startswith(f"{file}:5:") and 'did you mean "sales"?' in faults[1]
        assert faults[2] == (
            f"{file}: agents.gus.endpoint: PJSIP/ben is the phone of ben already "
            "(give each agent a phone of their own)"
        )
        assert ("dee" in await stage.records()) is there
    assert (await stage.records())["ana"].name == "Ana Lopez"


async def test_given_a_good_file_when_imported_then_0_and_what_it_says_nothing_of_is_kept(
    stage: Stage, tmp_path: Path
) -> None:
    body: dict[str, Any] = {
        "name": "Dee",
        "endpoint": "PJSIP/dee",
        "skills": {"spanish": 7},
        "teams": {"vip": 3},
    }
    body |= {"shifts": ["daily 08:00-20:00"], "at_once": 3, "dnd": "Custom:DND", "hints": ["Custom:desk"]}
    await stage.ask("PUT", "/v1/agents/dee", body)
    file = tmp_path / "agents.csv"
    file.write_text("id,name,endpoint\ndee,Dee Young,PJSIP/dee\n")
    done = await agent(stage, "import", file)
    assert (done.code, done.out) == (0, "replaced: 1 (dee)\n")
    record = (await stage.records())["dee"]
    assert (record.name, record.skills, record.teams, record.at_once, record.shifts) == (
        "Dee Young",
        (("spanish", 7),),
        (("vip", 3),),
        3,
        ("daily 08:00-20:00",),
    )
    # What cannot be kept is not lost in silence.
    assert record.dnd == "Custom:DND" or ("dnd" in done.err and "now empty" in done.err)
    assert record.hints == ("Custom:desk",) or ("hints" in done.err and "now empty" in done.err)


async def test_given_yaml_when_imported_as_json_then_the_answer_has_it(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    many = "".join(f"  a{n}: {{name: A{n}, endpoint: PJSIP/a{n}}}\n" for n in range(25))
    file.write_text(f"agents:\n{many}")
    dry = await agent(stage, "import", file, "--dry-run")
    assert (dry.code, dry.out.count("\n")) == (0, 1)
    assert dry.out.startswith("would be added: 25 (a0, a1,") and dry.out.endswith(" and 15 more)\n")
    answer = (await agent(stage, "import", file, "--json")).json
    assert (len(answer["added"]), answer["replaced"], answer["faults"]) == (25, [], [])


@pytest.mark.parametrize(
    ("name", "text"),
    [("none.csv", None), ("agents.txt", "id,name\n"), ("empty.csv", ""), ("bad.yaml", "a: [")],
)
async def test_given_no_usable_file_when_imported_then_1_and_why(
    stage: Stage, tmp_path: Path, name: str, text: str | None
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    done = await agent(stage, "import", tmp_path / name)
    assert (done.code, done.out.splitlines()[0]) == (1, "added or replaced: nobody")
    assert done.err.startswith(f"{tmp_path / name}:1:")
    assert len(await stage.records()) == 3


# -- what cannot be done -------------------------------------------------------------------------------------

ADD = ("add", "dee", "--name", "Dee", "--endpoint", "PJSIP/dee")


@pytest.mark.parametrize(
    ("arguments", "said", "remedy"),
    [
        (
            ("pause", "ana", "--for", "30"),
            '--for "30" is not a time with its unit',
            "such as 30m, 1h30m or 90s",
        ),
        (("pause", "ana", "--for", "0m"), "--for must be more than nothing", "such as 30m"),
        (
            ("pause", "ana", "--until", "25:00"),
            '--until "25:00" is not a time',
            'such as 14:30, or "2026-03-01 14:30"',
        ),
        (
            ("pause", "ana", "--for", "5m", "--until", "14:30"),
            "--for and --until cannot go together",
            "give only one of them",
        ),
        (
            ("pause", "ana", "--until", "2001-01-01 12:00"),
            "the end of the pause must be in the future, within 31 days",
            "",
        ),
        (
            ("pause", "ana", "--for", "999h"),
            "the end of the pause must be in the future, within 31 days",
            "",
        ),
        (
            ("pause", "ana", "--reason", b"\xff"),
            "an option is not text in this terminal's encoding",
            "use UTF-8",
        ),
        (
            ("wrapup", "ana"),
            "--extend or --finish must be given, and only one",
            "such as --extend 2m",
        ),
        (
            ("wrapup", "ana", "--extend", "2m", "--finish"),
            "--extend or --finish must be given, and only one",
            "such as --extend 2m",
        ),
        (
            ("wrapup", "ana", "--extend", "5h"),
            "--extend: must be a number of seconds from 0 to 14400, not 18000.0",
            "",
        ),
        (
            (*ADD, "--team", "sales:x"),
            '--team "sales:x" is not TEAM or TEAM:TIER',
            "such as --team sales:2",
        ),
        (
            (*ADD, "--skill", "spanish"),
            '--skill "spanish" is not SKILL:LEVEL',
            "such as --skill spanish:7",
        ),
        (
            (*ADD, "--team", "slaes"),
            '--team slaes: there is no team "slaes"',
            'did you mean "sales"?',
        ),
        (
            (*ADD, "--shift", "mon-fri"),
            "--shift: a shift is days and hours with one space between them; write e.g. mon-fri 09:00-17:30, "
            "sat,sun 22:00-06:00 or daily 08:00-12:00",
            "",
        ),
        (
            ("add", "Dee!", "--name", "Dee", "--endpoint", "PJSIP/dee"),
            'ID: "Dee!" is not an id',
            "write 1 to 40 of a-z, 0-9, _ and -",
        ),
    ],
)
async def test_given_a_wrong_command_line_then_2_and_nothing_is_done(
    stage: Stage, arguments: tuple[str | bytes, ...], said: str, remedy: str
) -> None:
    assert (await agent(stage, *arguments)).told(2) == [f"asterisk-warm: {said}", *filter(None, [remedy])]
    assert (await got(stage))["free"]
    assert len(await stage.records()) == 3


@pytest.mark.parametrize("id", ["nobody", "../../health", "%", "ü\n", "\x1b[31m", "w" * 9000, b"\xff"])
async def test_given_no_such_agent_then_3(stage: Stage, id: str | bytes) -> None:
    for arguments in (
        ("show",),
        ("why",),
        ("ready",),
        ("wrapup", "--extend", "2m"),
        ("remove",),
        ("history",),
    ):
        what, remedy = (await agent(stage, arguments[0], id, *arguments[1:])).told(3)
        assert what.startswith('asterisk-warm: no agent "') or what == "asterisk-warm: that is no agent"
        assert remedy == "see `asterisk-warm agent list`"


async def test_given_no_such_team_when_listed_or_watched_then_3(stage: Stage) -> None:
    for command in ("list", "watch"):
        assert (await agent(stage, command, "--team", "sails")).told(3)[0] == 'asterisk-warm: no team "sails"'


async def test_given_an_agent_in_a_handoff_when_removed_then_5(stage: Stage) -> None:
    await stage.lead_is_offered()
    assert (await agent(stage, "remove", "ana")).told(5) == [
        "asterisk-warm: ana is in a handoff",
        "pause them, and wait for its end",
    ]


async def test_given_json_when_refused_then_the_problem_is_json_too(stage: Stage) -> None:
    (line,) = (await agent(stage, "pause", "nobody", "--json")).told(3)
    assert json.loads(line)["type"] == "urn:asterisk-warm:problem:not_found"


async def test_given_hostile_names_when_shown_then_nothing_reaches_the_terminal(stage: Stage) -> None:
    body = {"name": "\U0001f600 [bold]${SHELL(x)} [/bold]\u00a0" + "w" * 100, "endpoint": "PJSIP/dee"}
    status, _ = await stage.ask("PUT", "/v1/agents/dee", body)
    assert status == 422, "a no-break space is no printable character"
    body["name"] = body["name"].replace("\u00a0", " ")
    assert (await stage.ask("PUT", "/v1/agents/dee", body))[0] == 201
    for arguments in (("list",), ("show", "dee"), ("why", "dee"), ("pause", "dee")):
        done = await agent(stage, *arguments)
        assert done.code == 0 and "[bold]" in done.out
        assert arguments[0] == "pause" or fit(done.out)
