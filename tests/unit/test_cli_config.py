"""The commands that need no daemon: `check`, `serve` that cannot, `--help`, `--version`, `demo`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from api_stage import open_stage
from cli_runs import FROM_HERE, run

from asterisk_warm import __version__

GOOD = """\
asterisk:
  ari: {{url: "http://127.0.0.1:1", password: env:ARI}}
  ami: {{port: 1, password: env:AMI}}
database: {database}
api: {{socket: {folder}/api.sock}}
sounds: {{directory: {folder}/sounds}}
agents:
  ana: {{name: Ana Lopez, endpoint: PJSIP/ana}}
  ben: {{name: Ben, endpoint: PJSIP/ben}}
teams:
  sales: {{name: Sales, agents: [ana, ben]}}
"""
SECRETS = {"ARI": "sesame-1", "AMI": "sesame-2"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, database: str = "", change: tuple[str, str] = ("", "")) -> Path:
    path = folder / "warm.yaml"
    text = GOOD.format(folder=folder, database=database or f"sqlite:///{folder}/warm.db")
    path.write_text(text.replace(*change), encoding="utf-8")
    return path


# -- check ---------------------------------------------------------------------------------------------------


async def test_given_a_good_config_when_checked_then_its_teams_are_shown(config: Path) -> None:
    shown = await run("check", config, **SECRETS)
    assert (shown.code, shown.err) == (0, "")
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert lines[0] == f"{config} is good."
    assert lines[2:] == [
        "team   name   mode  qualifier  ring  wait  agents",
        "sales  Sales  auto  stay       all   60 s  Ana Lopez (PJSIP/ana)",
        "                                           Ben (PJSIP/ben)",
    ]
    assert "sesame" not in shown.out


async def test_given_a_good_config_when_checked_for_machines_then_it_is_json(config: Path) -> None:
    answer = (await run("check", config, "--json", **SECRETS)).json
    assert (answer["ok"], answer["errors"], answer["warnings"]) == (True, [], [])
    (team,) = answer["teams"]
    assert (team["mode"], team["qualifier_mode"], team["ring"], team["wait_seconds"]) == (
        *("auto", "stay", "all", 60.0),
    )
    ben = team["agents"][1]
    assert (ben["id"], ben["name"], ben["endpoint"], ben["number"]) == ("ben", "Ben", "PJSIP/ben", None)
    assert (ben["at_once"], ben["skills"], answer["calendars"]) == (1, [], {})


async def test_given_a_ring_and_calendars_when_checked_then_they_are_shown_and_no_address(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, change=("agents: [ana, ben]", "agents: [ana, ben], ring: fanout, fanout: 2"))
    calendars = "calendars: {sources: {ana: {url: 'https://h/sesame'}, all: {file: /srv/all.ics}}}\n"
    path.write_text(path.read_text() + calendars)

    shown = await run("check", path, **SECRETS)

    assert (shown.code, shown.err) == (0, "")
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert lines[3] == "sales  Sales  auto  stay       fanout, 2  60 s  Ana Lopez (PJSIP/ana)"
    assert lines[-1] == "calendars: ana (url), all (file)"
    assert "sesame" not in shown.out
    assert (await run("check", path, "--json", **SECRETS)).json["calendars"] == {"ana": "url", "all": "file"}


async def test_given_a_doubtful_config_when_checked_then_it_is_good_with_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, change=("[ana, ben]", "[ana]"))
    shown = await run("check", path, **SECRETS)
    assert shown.code == 0
    assert shown.err.startswith(f"warning: {path}:9:")
    assert (await run("check", path, "--json", **SECRETS)).json["warnings"][0]["line"] == 9


@pytest.mark.parametrize("command", ["check", "serve"])
async def test_given_a_faulty_config_then_2_with_every_fault(tmp_path: Path, command: str) -> None:
    path = written(tmp_path, change=("[ana, ben]", "[ana, bne], rnig: all"))
    *faults, count, remedy = (await run(command, path, ARI="sesame")).told(2)
    assert [fault.split(":")[1] for fault in faults] == ["3", "11", "11"]
    assert any('did you mean "ben"?' in fault for fault in faults)
    assert any('did you mean "ring"?' in fault for fault in faults)
    assert count == f"asterisk-warm: {path} has 3 faults"
    assert remedy == "see docs/configuration.md, and check it again"


async def test_given_a_faulty_config_when_checked_for_machines_then_2_and_json(tmp_path: Path) -> None:
    shown = await run("check", written(tmp_path, change=("[ana, ben]", "[bne]")), "--json", **SECRETS)
    assert (shown.code, shown.err) == (2, "")
    (fault,) = shown.json["errors"]
    assert (fault["path"], fault["line"], fault["suggestion"]) == ("teams.sales.agents[0]", 11, "ben")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"\0", b"a: \x1b[31m"], ids=repr)
async def test_given_what_is_no_config_when_checked_then_2(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "warm.yaml"
    if content is not None:
        path.write_bytes(content)
    told = (await run("check", path)).told(2)
    assert all(line.isprintable() for line in told)


# -- serve, when it cannot -----------------------------------------------------------------------------------


async def test_given_a_database_that_cannot_be_when_served_then_1(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = written(tmp_path, f"sqlite:///{tmp_path}/file/warm.db")
    what, remedy = (await run("serve", path, **SECRETS)).told(1)
    assert what.startswith(f"asterisk-warm: {tmp_path}/file/warm.db: ")
    assert "database" in remedy


async def test_given_a_socket_in_use_when_served_then_1(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        path = written(tmp_path, f"sqlite:///{tmp_path}/other.db")
        shown = await run("serve", path, **SECRETS)
        assert (shown.code, "Traceback" in shown.err) == (1, False)
        *_, what, remedy = shown.err.splitlines()
        assert f"another daemon listens on {stage.socket} already" in what
        assert remedy == "stop it first, or give another path in api.socket"
        assert (await stage.ask("GET", "/v1/health"))[0] == 200


# -- help ----------------------------------------------------------------------------------------------------


async def test_given_the_version_when_asked_then_it_is_told() -> None:
    assert (await run("--version")).out == f"asterisk-warm {__version__}\n"


@pytest.mark.parametrize("command", ["", "serve", "check", "health", "demo", "handoff", "handoff start"])
async def test_given_help_when_asked_then_it_fits(command: str) -> None:
    shown = await run(*command.split(), "--help")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"Usage: asterisk-warm {command}".rstrip())
    assert max(map(len, shown.out.splitlines())) <= 80


@pytest.mark.parametrize("command", ["", "handoff"])
async def test_given_no_command_then_2_and_help(command: str) -> None:
    assert (await run(*command.split())).told(2)[0].startswith(f"Usage: asterisk-warm {command}".rstrip())


@pytest.mark.parametrize(
    ("arguments", "see"),
    [
        (("handof",), "see `asterisk-warm --help`"),
        (("--verbose",), "see `asterisk-warm --help`"),
        (("handoff", "lsit"), "see `asterisk-warm handoff --help`"),
        (("serve",), "see `asterisk-warm serve --help`"),
        (("demo", "--scene", "9"), "see `asterisk-warm demo --help`"),
        (("demo", "--asterisk", "1.8"), "see `asterisk-warm demo --help`"),
    ],
)
async def test_given_a_wrong_command_then_2(arguments: tuple[str, ...], see: str) -> None:
    assert (await run(*arguments)).told(2)[1:] == [see]


HEAVY = (
    "aiohttp",
    "msgspec",
    "numpy",
    "phonenumbers",
    "rich.console",
    "rich.table",
    "sqlalchemy",
    "structlog",
    "uvloop",
    "yaml",
)


NOWHERE = ("--socket", "/nonexistent")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["handoff", "list", *NOWHERE],
        ["lead", "show", "+12025550123", *NOWHERE],
        ["script", "list", *NOWHERE],
        ["qualify", "run", "solar", *NOWHERE],
    ],
)
async def test_given_a_light_command_then_nothing_heavy_is_loaded(arguments: list[str]) -> None:
    script = (
        "import sys; from asterisk_warm.cli.run import run; run(sys.argv[1:]);"
        f"sys.exit(', '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(FROM_HERE)},
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
