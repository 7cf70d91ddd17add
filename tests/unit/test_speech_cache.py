"""Spoken lines on disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from asterisk_warm.speech.cache import DAY, KEPT_DAYS, SpeechCache
from asterisk_warm.speech.folder import SoundFolder

NOW = time.time()


def here(folder: Path) -> SoundFolder:
    return SoundFolder(folder, "/sounds")


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def put(cache: SpeechCache, folder: Path, text: str, size: int, age: float) -> Path:
    name = cache.name("engine", text)
    cache.put(name, b"x" * size)
    path = folder / f"{name}.ulaw"
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_given_a_sound_then_it_is_found_and_asterisk_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        cache = SpeechCache(here(tmp_path / "deep" / "cache"))
        name = cache.name("engine", "Hello.")
        assert not cache.use(name)
        cache.put(name, b"sound")
    finally:
        os.umask(before)
    assert cache.use(name)
    assert cache.read(name) == b"sound"
    assert cache.uri(name) == f"sound:/sounds/{name}"
    (path,) = files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o644
    assert all(folder.stat().st_mode & 0o777 == 0o755 for folder in list(path.parents)[:3])


def test_given_another_engine_or_text_then_it_is_another_file() -> None:
    names = {SpeechCache.name(engine, text) for engine in ("a", "b") for text in ("x", "y")}
    assert len(names) == 4
    assert SpeechCache.name("a", "bx") != SpeechCache.name("ab", "x")


def test_given_too_much_then_the_longest_unused_go_first(tmp_path: Path) -> None:
    cache = SpeechCache(here(tmp_path), max_bytes=3000, clock=lambda: NOW)
    oldest = put(cache, tmp_path, "oldest", 1000, 9 * DAY)
    used = put(cache, tmp_path, "used", 1000, 8 * DAY)
    older = put(cache, tmp_path, "older", 1000, 7 * DAY)
    assert cache.use(cache.name("engine", "used"))
    young = put(cache, tmp_path, "young", 1000, 2 * DAY)
    assert files(tmp_path) == {used, young}, (oldest, older)


def test_given_too_much_of_today_then_nothing_is_removed(tmp_path: Path) -> None:
    cache = SpeechCache(here(tmp_path), max_bytes=1000, clock=lambda: NOW)
    kept = {put(cache, tmp_path, str(number), 500, DAY / 2) for number in range(6)}
    assert cache.prune() == 0
    assert files(tmp_path) == kept


def test_given_lines_of_long_ago_then_they_go_however_much_room_there_is(tmp_path: Path) -> None:
    cache = SpeechCache(here(tmp_path), clock=lambda: NOW)
    forgotten = put(cache, tmp_path, "forgotten", 10, (KEPT_DAYS + 1) * DAY)
    kept = put(cache, tmp_path, "kept", 10, (KEPT_DAYS - 1) * DAY)
    in_use = put(cache, tmp_path, "in use", 10, (KEPT_DAYS + 1) * DAY)
    assert cache.use(cache.name("engine", "in use"))
    assert cache.prune() == 1
    assert files(tmp_path) == {kept, in_use}, forgotten
    assert not cache.holds(cache.name("engine", "forgotten"))


def test_given_what_a_crash_left_half_written_then_it_goes_with_the_rest(tmp_path: Path) -> None:
    cache = SpeechCache(here(tmp_path), max_bytes=1000, clock=lambda: NOW)
    put(cache, tmp_path, "kept", 500, 0)
    half = tmp_path / "ab"
    half.mkdir(exist_ok=True)
    (half / ".new-xyz").write_bytes(b"x" * 600)
    os.utime(half / ".new-xyz", (NOW - 2 * DAY,) * 2)
    assert cache.prune() == 1


def test_given_a_full_disk_then_nothing_half_written_is_left(tmp_path: Path) -> None:
    cache = SpeechCache(here(tmp_path))
    name = cache.name("engine", "Hello.")
    (tmp_path / f"{name}.ulaw").mkdir(parents=True)  # what cannot be renamed over
    with pytest.raises(OSError):
        cache.put(name, b"sound")
    assert files(tmp_path) == set()


@pytest.mark.parametrize("path", ["relative", "/a,b", "/a&b", "/a b", "/a\nb", "/ä", ""])
def test_given_a_path_that_would_end_a_sounds_name_then_it_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Asterisk's path"):
        SoundFolder(tmp_path, path)


def test_given_a_relative_directory_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute"):
        SoundFolder(Path("sounds"), "/sounds")
