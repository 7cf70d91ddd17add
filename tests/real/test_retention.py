"""What leads have said is deleted when its time is over, in a real Asterisk's folder, and leads are handed off as before."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ears import audible, hears
from scene import DIALPLAN, LEAD_TONE, TONE_TEAMS, TONES, Scene, api, command, record_prompts, talk, until
from structlog.testing import capture_logs

from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.core.script.answers import Answer, Qualification
from asterisk_warm.core.script.model import Channel
from asterisk_warm.engine.ids import new_qualification_id
from asterisk_warm.engine.ports.pbx import PbxRefused
from asterisk_warm.engine.recordings import answer_recording
from asterisk_warm.engine.retention import Retention
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import BRIEFING_MARKER_HZ, FRAME_SECONDS, chord, write_wav
from asterisk_warm.store import Database, SqlQualifications

pytestmark = pytest.mark.real

DAY = 86400.0
AGI_PORT = 24576
WHY_HZ = 3650
"""The only question."""
TEAM: dict[str, Any] = {**TONE_TEAMS["tones"], "name": "Own", "agents": ["ana"], "own_words": True}
SCENE = f"""
exten => asked,1,Gosub(warm-qualify,s,1(story))
 same => n,Gosub(warm-handoff,s,1(own))
 same => n,Goto(lab-returned,s,1)
{DIALPLAN}
[globals]
WARM_AGI=agi://127.0.0.1:{AGI_PORT}
"""


def script(folder: Path) -> str:
    write_wav(folder / "why.wav", chord((WHY_HZ,), 0.6))
    say = {"console": "Why do you call?", "voice": f"sound:{folder}/why"}
    words = {"ask": "text", "say": say, "rules": [{"points": 1}]}
    verdicts = {"ready": 1, "nurture": 1}
    return yaml.safe_dump(
        {
            "id": "story",
            "name": "Story",
            "questions": {"words": words},
            "verdicts": verdicts,
            "summary": "Calls.",
        }
    )


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    (folder / "story.yaml").write_text(script(folder))
    settings = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        "agi": {"port": AGI_PORT},
        "scripts": {"story": str(folder / "story.yaml")},
        "recordings": {"keep_days": 30},
    }
    with Stage(
        root, folder, teams={"own": TEAM}, dialplan=SCENE, sounds=sounds, settings=settings
    ) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


def recordings(stage: Stage) -> Path:
    return stage.pbx.workdir / "spool" / "recording"


@contextmanager
def undeletable(file: Path) -> Iterator[None]:
    """Even for root, which the lab's Asterisk is."""
    if subprocess.run(["chattr", "+i", file], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this file system has nothing that root may not delete")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", file], check=True)


def earlier(days: float, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a qualification that began so many days ago."""
    then = time.time() - days * DAY
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: then)
        return new_qualification_id()


async def set_back(stage: Stage, id: str, days: float) -> str:
    """As if the lead had been asked so many days ago, when `id` was made; the name of their recording. The daemon must not
    run."""
    async with await Database.open(f"sqlite:///{stage.daemon.database}") as database:
        store = SqlQualifications(database)
        (found,) = await store.list(9, open_only=False)
        name = answer_recording(id, "words", 0)
        at = found.updated_at - days * DAY
        answers = tuple(replace(answer, at=at, recording=name) for answer in found.answers)
        times = {"started_at": at, "updated_at": at, "ended_at": at}
        await store.save(replace(found, id=id, answers=answers, revision=0, **times))
    with sqlite3.connect(stage.daemon.database) as connection:
        connection.execute("DELETE FROM qualifications WHERE id = ?", (found.id,))
    connection.close()
    file = recordings(stage) / f"{name}.wav"
    (recordings(stage) / f"{found.answers[0].recording}.wav").rename(file)
    os.utime(file, (at, at))
    return name


@pytest.fixture
async def pbx(stage: Stage) -> AsyncIterator[AriPbx]:
    """Orders to this Asterisk, beside the daemon's."""
    asterisk = stage.pbx
    client = AriClient(asterisk.ari_url.removesuffix("/ari"), asterisk.ari_user, asterisk.ari_password)
    manager = AmiManager(asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_secret)
    yield AriPbx(client, "retention", manager)
    await client.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlQualifications]:
    async with await Database.open(f"sqlite:///{tmp_path / 'other.db'}") as database:
        yield SqlQualifications(database)


@pytest.fixture
def folder(stage: Stage) -> Iterator[Path]:
    """Asterisk's own, empty before and after."""
    assert list(recordings(stage).iterdir()) == []
    yield recordings(stage)
    for left in recordings(stage).iterdir():
        left.unlink() if not left.is_dir() or left.is_symlink() else shutil.rmtree(left)


async def test_given_links_folders_and_what_others_have_recorded_then_only_our_own_is_deleted(
    stage: Stage, folder: Path, pbx: AriPbx, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, linked, old = (answer_recording(earlier(40, monkeypatch), "words", 1) for _ in range(3))
    outside = stage.pbx.workdir
    elsewhere = write_wav(outside / "elsewhere.wav", chord((WHY_HZ,), 0.1))
    own, foreign = folder / f"{ours}.wav", folder / "greeting.wav"
    kept = [foreign, folder / "archive" / f"{old}.wav", outside / "linked" / f"{old}.wav"]
    for file in (own, *kept):
        file.parent.mkdir(exist_ok=True)
        shutil.copy(elsewhere, file)
    (folder / f"{linked}.wav").symlink_to(elsewhere)
    (folder / "linked").symlink_to(outside / "linked")
    listed = {ours, linked, "greeting", f"archive/{old}", f"linked/{old}"}
    assert set(await pbx.stored_recordings()) == listed
    sweeper = Retention(pbx, store, 30)
    assert await sweeper.sweep() == 0, "no answer of theirs is known: they are left until the next time"
    assert await sweeper.sweep() == 2
    assert set(await pbx.stored_recordings()) == listed - {ours, linked}
    assert all(file.exists() for file in (elsewhere, *kept))


async def test_given_what_asterisk_cannot_delete_or_list_then_it_is_told_with_the_remedy(
    folder: Path, pbx: AriPbx, store: SqlQualifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = earlier(40, monkeypatch)
    at = time.time() - 40 * DAY
    name = answer_recording(id, "words", 0)
    said = Answer("words", "", at, "2026-10-18", "lead", Channel.VOICE, "Why?", recording=name)
    await store.save(Qualification(id, "story", 1, "", "en", at, at, (said,)))
    file = write_wav(folder / f"{name}.wav", chord((WHY_HZ,), 0.1))
    with undeletable(file), capture_logs() as logs:
        assert await Retention(pbx, store, 30).sweep() == 0
    (told,) = [log for log in logs if log["event"] == "old recordings stay"]
    assert told["one"] == name and "Delete failed" in told["why"] and "spool directory" in told["remedy"]
    found = await store.get(id)
    assert found is not None and found.answers == (said,)

    (folder / "broken.wav").symlink_to("/nowhere.wav")
    with pytest.raises(PbxRefused, match="broken link"):
        await Retention(pbx, store, 30).sweep()
    (folder / "broken.wav").unlink()
    assert await Retention(pbx, store, 30).sweep() == 1
    assert not file.exists()
    await pbx.forget_recording(name)  # gone is gone


async def test_given_a_recorded_answer_when_its_time_is_over_then_it_is_gone_and_the_lead_is_handed_off_without(
    stage: Stage, phones: Phones, capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await Scene.set(stage, phones, ("ana",))
    call = await scene.dial("asked")
    await hears(capture, call.call_id, WHY_HZ)
    await until(
        lambda: any(f.stat().st_size > 16_000 for f in recordings(stage).glob("*.wav")), 15.0, "words"
    )
    await call.press("#")
    calls = await scene.all_ring()
    await calls["ana"].answer()
    traffic = await hears(capture, calls["ana"].call_id, LEAD_TONE)
    assert not traffic.heard_at(calls["ana"].call_id).hears(WHY_HZ)
    await call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")

    stage.daemon.stop()
    others = recordings(stage) / "greeting.wav"
    write_wav(others, chord((WHY_HZ,), 1.0))
    os.utime(others, (0, 0))
    id = earlier(31, monkeypatch)
    name = await set_back(stage, id, 31)
    assert [file.stem for file in recordings(stage).iterdir()].count(name) == 1
    stage.daemon.launch()  # in this thread: it dies with the one that started it
    await asyncio.to_thread(stage.daemon.wait_ready)

    def marked() -> dict[str, Any] | None:
        view = stage.daemon.request("GET", f"/v1/qualifications/{id}")[1]
        return dict(view) if view["answers"][0]["recording_gone"] else None

    view = await until(marked, 20.0, "the recording's end")
    assert [file.name for file in recordings(stage).iterdir()] == ["greeting.wav"]
    assert (view["complete"], view["verdict"], view["answers"][0]["recording"]) == (True, "ready", "")
    code, out, err = await command(stage, "qualify", "show", id)
    assert code == 0 and "recorded; the recording was deleted" in " ".join(out.split()), (out, err)

    await scene.again()
    calls = await scene.briefed("own", "ana")
    # What and how: the briefing's two parts are three seconds, between which their own words would be.
    traffic = await hears(
        capture, calls["ana"].call_id, BRIEFING_MARKER_HZ, frames=round(2.7 / FRAME_SECONDS)
    )
    assert audible(traffic.heard_at(calls["ana"].call_id), LEAD_TONE) == set()
    await calls["ana"].press("1")
    await talk(capture, scene.call.call_id, calls["ana"].call_id, TONES["ana"])
    await scene.handoff("CONNECTED")
    await calls["ana"].hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")

    # What nobody can hear any more is asked again.
    await scene.again()
    call = await scene.dial("asked")
    await hears(capture, call.call_id, WHY_HZ)
    await call.hang_up()
    _, newest = await api(stage, "GET", "/v1/qualifications?limit=1")
    assert newest["qualifications"][0]["id"] != id
