"""The daemon killed at every point of a handoff, and started again: what goes on, and what nobody must notice."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CACHE
from crash_cases import EDGES, JOINING, LONG, OFFERS, PLANS, STOPPED
from crash_scene import Case, CrashScene, CrashStage

from asterisk_warm.ari.pbx import DIALLED
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.rawphones import ExactPhone
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.sip import Message

pytestmark = pytest.mark.real

NOTICED = "Deactivating Stasis app"
"""Said by Asterisk when it sees that the daemon's websocket is gone."""


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[CrashStage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    sounds = CACHE / "crash-sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    with CrashStage(root, folder, sounds, PLANS) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@pytest.fixture
async def phones(stage: CrashStage) -> AsyncIterator[Phones]:
    async with stage.phones() as on_stage:
        yield on_stage
    await stage.nothing_left()


@pytest.mark.parametrize("delay", (0, 2), ids=("at once", "after 2 s"))
@pytest.mark.parametrize("plan", (OFFERS, JOINING, EDGES), ids=("offers", "joining", "edges"))
async def test_given_handoffs_in_every_state_when_the_daemon_is_killed_and_restarted_then_each_goes_on_or_rolls_back(
    stage: CrashStage, phones: Phones, capture: Capture, plan: tuple[Case, ...], delay: float
) -> None:
    scene = CrashScene(stage, PLANS.index(plan), plan, phones, capture)
    await scene.play(delay)
    scene.check()


async def test_given_handoffs_when_the_daemon_is_away_for_10_s_then_music_and_talk_last_and_each_goes_on(
    stage: CrashStage, phones: Phones, capture: Capture
) -> None:
    scene = CrashScene(stage, PLANS.index(LONG), LONG, phones, capture)
    await scene.play(10)
    scene.check()


async def test_given_handoffs_when_the_daemon_is_stopped_in_order_then_calls_stay_and_the_next_start_goes_on(
    stage: CrashStage, phones: Phones, capture: Capture
) -> None:
    scene = CrashScene(stage, PLANS.index(STOPPED), STOPPED, phones, capture)
    await scene.play(0, end=stage.daemon.stop)
    scene.check()


async def test_given_no_daemon_when_a_lead_comes_then_the_call_goes_on_in_the_dialplan_as_offline(
    stage: CrashStage, phones: Phones
) -> None:
    known = len(stage.daemon.handoffs())
    noticed = stage.pbx.log().count(NOTICED)
    stage.daemon.kill()
    await asyncio.to_thread(stage.pbx.wait_for_log, f"(?s)(?:{NOTICED}.*){{{noticed + 1}}}")
    try:
        lead = await phones.lead("Grant Weatherly", "+15551239001").dial("sales")
        pattern = r"NOTICE.* lab-returned .* status=OFFLINE .* cause=(.*)"
        told = await asyncio.to_thread(stage.pbx.wait_for_log, pattern)
        assert told[1] == "the asterisk_warm daemon is not connected to Asterisk"
        assert not lead.is_over
        await lead.hang_up()
    finally:
        stage.daemon.start()
    assert len(stage.daemon.handoffs()) == known


async def test_given_a_lead_whom_the_daemon_never_heard_of_when_it_is_killed_and_restarted_then_the_handoff_begins(
    stage: CrashStage, phones: Phones
) -> None:
    agent = await phones.register("a0")
    os.kill(stage.daemon.pid, signal.SIGSTOP)
    lead = await phones.lead("Grant Weatherly", "+15551239002").dial("sales")
    await asyncio.to_thread(stage.pbx.wait_for_log, r"Stasis\(.*handoff,sales")
    stage.daemon.kill()
    stage.daemon.start()
    offer = await agent.rings(10)
    await takes(stage, offer)
    await parts(stage, offer)
    await lead.hang_up()


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
async def test_given_a_phone_that_does_not_ring_yet_when_the_daemon_is_killed_and_restarted_then_it_is_invited_once(
    stage: CrashStage, phones: Phones, capture: Capture, noted: bool
) -> None:
    """Asterisk does not show whether it has been dialled: the daemon notes it, and may be killed before."""
    async with SlowPhone(stage.pbx.sip, stage.pbx.sip_password, "a0", tone_hz=700) as agent:
        note = stage.gate.hold(f"POST /ari/channels/[^/]+/variable\\?variable={DIALLED}", done=noted)
        lead = await phones.lead("Grant Weatherly", "+15551239010").dial("sales")
        await agent.rings()
        await note.reached()
        stage.daemon.kill()
        stage.daemon.start()
        agent.ring()
        await offered(stage, "RINGING")
        agent.answer()
        await offered(stage, "BRIEFING")
        await agent.press_at("1", time.time() + 0.2)
        await stage.handoff("CONNECTED")
        assert len(capture.traffic().dialogs_to("a0")) == 1
        await lead.hang_up()
        await asyncio.wait_for(agent.ended.wait(), 5)


class SlowPhone(ExactPhone):
    """As behind a gateway to mobiles: it has the call, and rings only later."""

    def take(self, message: Message) -> None:
        if message.first_line.startswith("INVITE ") and ";tag=" not in message.header("To"):
            self.invite = message
            self.reply(message, 100, "Trying")
            self._invites.put_nowait(message)
        else:
            super().take(message)

    def ring(self) -> None:
        self.reply(self.invite, 180, "Ringing")


async def test_given_handoffs_when_asterisk_dies_and_comes_back_then_they_end_with_a_reason_and_new_ones_work(
    stage: CrashStage, phones: Phones
) -> None:
    talking = await begins(phones, stage, "+15551239003", await phones.register("a0"))
    await takes(stage, talking)
    ringing = await begins(phones, stage, "+15551239004", await phones.register("a1"))
    stage.pbx.kill()
    stage.pbx.start()
    await linked(stage)
    held, talked = await stage.settled(), await stage.settled(number=1)
    assert (held["state"], talked["state"]) == ("ABANDONED", "COMPLETED")
    assert held["reason"] == talked["reason"] == "the lead hung up (found gone when Asterisk was read)"
    assert ringing.is_ringing  # Their phones do not know yet.
    await phones.hang_up_all()
    offer = await begins(phones, stage, "+15551239005", await phones.register("a0"))
    await takes(stage, offer)
    await parts(stage, offer)
    await phones.hang_up_all()


async def test_given_a_handoff_when_asterisk_hangs_for_12_s_then_the_daemon_notices_reconnects_and_it_goes_on(
    stage: CrashStage, phones: Phones
) -> None:
    offer = await begins(phones, stage, "+15551239006", await phones.register("a0"))
    stage.pbx.freeze()
    frozen_at = time.monotonic()
    try:
        await linked(stage, False, seconds=15)
        await asyncio.sleep(max(0.0, frozen_at + 12 - time.monotonic()))
    finally:
        stage.pbx.thaw()
    await linked(stage)
    await takes(stage, offer)
    await parts(stage, offer)
    await phones.hang_up_all()


async def test_given_an_agent_in_briefing_when_every_connection_breaks_then_they_are_briefed_again_and_accept(
    stage: CrashStage, phones: Phones
) -> None:
    offer = await begins(phones, stage, "+15551239007", await phones.register("a0"))
    await offer.answer()
    handoff = await offered(stage, "BRIEFING")
    stage.gate.cut()
    await journalled(stage, handoff["id"], "Reconciled")
    await offer.press("1")
    assert (await stage.handoff("CONNECTED"))["id"] == handoff["id"]
    await parts(stage, offer)
    await phones.hang_up_all()


async def test_given_a_running_daemon_when_a_second_wants_its_database_then_it_is_refused_and_does_no_harm(
    stage: CrashStage, phones: Phones
) -> None:
    offer = await begins(phones, stage, "+15551239008", await phones.register("a0"))
    code, said = await asyncio.to_thread(second_daemon, stage.daemon.config)
    assert code != 0
    assert f"another daemon has the database open: process {stage.daemon.pid}" in said
    assert "Traceback" not in said
    await takes(stage, offer)
    await parts(stage, offer)
    await phones.hang_up_all()


async def test_given_a_running_daemon_when_a_second_takes_its_application_then_one_is_refused_and_no_call_is_harmed(
    stage: CrashStage, phones: Phones
) -> None:
    offer = await begins(phones, stage, "+15551239009", await phones.register("a0"))
    settings = yaml.safe_load(stage.daemon.config.read_text())
    folder = stage.daemon.folder / "second"
    folder.mkdir()
    settings |= {"database": f"sqlite:///{folder}/warm.db", "api": {"socket": f"{folder}/api.sock"}}
    config = folder / "second.yaml"
    config.touch(mode=0o600)
    config.write_text(yaml.safe_dump(settings))
    code, said = await asyncio.to_thread(second_daemon, config)
    assert code != 0
    assert "only one daemon may use an application name" in said, said
    assert "Traceback" not in said
    await takes(stage, offer)
    await parts(stage, offer)
    await phones.hang_up_all()


def second_daemon(config: Path) -> tuple[int, str]:
    """Its exit code and what it said. Raises AssertionError when it runs."""
    command = [sys.executable, "-m", "asterisk_warm", "serve", str(config)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
    except subprocess.TimeoutExpired as runs:
        raise AssertionError("the second daemon runs") from runs
    return done.returncode, done.stdout + done.stderr


async def begins(phones: Phones, stage: CrashStage, number: str, agent: Phone) -> Call:
    """A lead calls the sales team, and this agent's phone rings."""
    await phones.lead("Grant Weatherly", number).dial("sales")
    offer = await agent.rings(10)
    await offered(stage, "RINGING")
    return offer


async def takes(stage: CrashStage, offer: Call) -> None:
    await offer.answer()
    handoff = await offered(stage, "BRIEFING")
    await offer.press("1")
    await stage.handoff("CONNECTED")
    await journalled(stage, handoff["id"], "BridgeClosed")


async def parts(stage: CrashStage, offer: Call) -> None:
    await offer.hang_up()
    handoff = await stage.settled()
    assert (handoff["state"], handoff["status"]) == ("COMPLETED", "CONNECTED"), handoff


async def offered(stage: CrashStage, state: str) -> dict[str, Any]:
    return await asyncio.to_thread(
        stage.daemon.wait_for, lambda seen: any(offer["state"] == state for offer in seen["offers"])
    )


async def journalled(stage: CrashStage, handoff: str, event: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while event not in (
        lines := [line["event"] for line in await asyncio.to_thread(stage.daemon.journal, handoff)]
    ):
        assert time.monotonic() < deadline, lines
        await asyncio.sleep(0.05)


async def linked(stage: CrashStage, connected: bool = True, seconds: float = 10.0) -> None:
    """Wait until the daemon is connected to Asterisk, or knows that it is not."""
    deadline = time.monotonic() + seconds
    while (await asyncio.to_thread(stage.daemon.request, "GET", "/v1/health"))[1][
        "ari_connected"
    ] is not connected:
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)
