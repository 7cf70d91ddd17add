"""What is said before the command: which daemon, and how much to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_stage import Stage, open_stage
from cli_runs import run

CONFIG = """
asterisk:
  ari: {{url: "http://127.0.0.1:8088", user: warm, password: "env:NOT_SET_HERE"}}
  ami: {{host: 127.0.0.1, port: 5038, user: warm, password: "env:NOT_SET_HERE"}}
database: env:NOT_SET_HERE
api: {{socket: {socket}}}
sounds: {{directory: {folder}}}
agents: {{ana: {{name: Ana, endpoint: PJSIP/ana}}}}
teams: {{sales: {{name: Sales, agents: [ana]}}}}
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as opened:
        yield opened


def config_for(socket: Path) -> Path:
    path = socket.parent / "warm.yaml"
    path.write_text(CONFIG.format(socket=socket, folder=socket.parent))
    return path


@pytest.mark.parametrize("command", [("health",), ("handoff", "list")], ids=lambda c: c[-1])
async def test_given_several_sockets_when_asked_then_the_nearest_to_the_command_counts(
    stage: Stage, command: tuple[str, ...]
) -> None:
    right, wrong = stage.socket, stage.socket.with_name("nobody.sock")
    config, nobodys = config_for(right), stage.socket.with_name("nobody.yaml")
    nobodys.write_text(CONFIG.format(socket=wrong, folder=wrong.parent))
    environment = {"ASTERISK_WARM_SOCKET": str(wrong)}
    for before, behind in (
        (("--socket", wrong), ("--socket", right)),
        (("--socket", right, "--config", nobodys), ()),
        (("--config", config), ()),
    ):
        done = await run(*before, *command, *behind, **environment)
        assert (done.code, done.err) == (0, ""), (before, behind)
    assert (await run(*command, ASTERISK_WARM_SOCKET=str(right))).code == 0
    told = (await run(*command, **environment)).told(4)
    assert told[0] == f"asterisk-warm: no daemon listens on {wrong}"


async def test_given_a_faulty_config_when_asked_for_its_socket_then_2_and_every_fault(tmp_path: Path) -> None:
    path = config_for(tmp_path / "api.sock")
    path.write_text(path.read_text().replace("agents: [ana]", "agents: [anna]").replace("url:", "uri:"))
    *faults, count, _ = (await run("--config", path, "health")).told(2)
    assert count == f"asterisk-warm: {path} has {len(faults)} faults"
    assert all(fault.startswith(f"{path}:") for fault in faults)
    assert any('did you mean "ana"?' in fault for fault in faults)
    assert (await run("--config", tmp_path / "none.yaml", "health")).code == 2


async def test_given_debug_when_it_fails_then_the_traceback_is_shown_before_the_words(tmp_path: Path) -> None:
    arguments = ("health", "--socket", tmp_path / "api.sock")
    plain = await run(*arguments)
    told = await run("--debug", *arguments)
    assert "Traceback" not in plain.err
    assert (told.code, told.out) == (4, "")
    assert told.err.startswith("Traceback") and "FileNotFoundError" in told.err
    assert told.err.endswith(plain.err)


async def test_given_a_fault_of_the_program_then_one_line_each_and_1(stage: Stage, tmp_path: Path) -> None:
    broken = tmp_path / "rich"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('\\x1b[31mbroken\\n')")
    arguments = ("handoff", "story", await stage.lead_is_offered(), "--socket", stage.socket)
    assert (await run(*arguments, PYTHONPATH=f"{tmp_path}:{Path(__file__).parents[2]}")).told(1) == [
        r"asterisk-warm: RuntimeError: \x1b[31mbroken\n",
        "this is a fault of asterisk-warm; `asterisk-warm --debug ...` shows where",
    ]
