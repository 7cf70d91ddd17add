"""The socket's file: who may use it, and what becomes of it."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_stage import open_stage

from asterisk_warm.api.unix_socket import CannotListen, bind


def leftover(path: Path) -> None:
    """What a daemon that was killed leaves behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


@pytest.fixture
def wide_open() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("wide_open")
async def test_given_any_umask_when_started_then_only_user_and_group_may_use_it(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        mode = stage.socket.stat().st_mode
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o660)


async def test_given_no_folder_when_bound_then_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "run" / "asterisk-warm" / "api.sock"
    bound = bind(path)
    assert path.is_socket()
    bound.remove()
    bound.socket.close()
    assert not path.exists()


async def test_given_a_socket_left_behind_when_started_then_it_is_replaced(tmp_path: Path) -> None:
    leftover(tmp_path / "api.sock")
    async with open_stage(tmp_path) as stage:
        assert (await stage.ask("GET", "/v1/health"))[0] == 200


async def test_given_a_daemon_when_another_starts_then_it_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    async with open_stage(tmp_path) as stage:
        with pytest.raises(CannotListen, match=r"another daemon listens on .*api\.sock already"):
            bind(stage.socket)
        assert (await stage.ask("GET", "/v1/health"))[0] == 200


def test_given_a_daemon_too_busy_to_answer_when_another_starts_then_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(CannotListen, match="already"):
            bind(path)
    assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_given_something_else_there_when_bound_then_it_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "api.sock"
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotListen, match="is not a socket") as caught:
        bind(path)
    assert "api.socket" in caught.value.remedy
    assert os.path.lexists(path)


def test_given_a_path_that_is_too_long_when_bound_then_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match="longer than 107 bytes"):
        bind(tmp_path / ("é" * 60))


def test_given_a_file_for_a_folder_when_bound_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotListen, match=r"cannot open the API's socket .*: (Not a directory|File exists)"):
        bind(tmp_path / "file" / "api.sock")


async def test_given_a_daemon_when_stopped_then_its_socket_is_gone_but_not_that_of_the_next(
    tmp_path: Path,
) -> None:
    async with open_stage(tmp_path) as stage:
        stage.socket.unlink()
        leftover(stage.socket)
    assert stage.socket.is_socket()
    async with open_stage(tmp_path) as stage:
        pass
    assert not stage.socket.exists()
