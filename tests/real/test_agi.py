"""FastAGI and the feature codes on a real Asterisk, by real calls: what the dialplan is told, and what phones hear."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from adapters import nothing_left, private_asterisk
from agi_stage import Desk, MemoryAgents, MemorySpeaker, Peer
from scene import until

from asterisk_warm.agi.server import AgiServer, Limits
from asterisk_warm.core.presence import Declared
from asterisk_warm.engine.agents.views import LeadHistory
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.lampphone import LampPhone
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, Hearing, chord, write_wav
from asterisk_warm.speech.audio import tone
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.speaker import CachedSpeaker

pytestmark = pytest.mark.real

PORT = 24573
MANY = 200
TONES = {
    "you-are-ready": 700,
    "you-are-paused": 800,
    "you-are-offline": 900,
    "you-are-wrapping-up": 1000,
    "wrapup-over": 1100,
    "no-agent-here": 1200,
    "another-agents-key": 1300,
    "not-understood": 1400,
    "try-again": 1500,
}
"""Prompts as tones that can be told apart."""
SPOKEN_HZ = 1700

_LOG = (
    "lab-asked agi=${AGISTATUS} result=${WARM_RESULT} cause=${WARM_CAUSE} free=${WARM_FREE} "
    "agents=${WARM_FREE_AGENTS} wait=${WARM_WAIT_SECONDS} presence=${WARM_PRESENCE} name=${WARM_AGENT_NAME} "
    "why=${WARM_WHY} handoffs=${WARM_HANDOFFS} last=${WARM_LAST_AGENT}/${WARM_LAST_STATUS} say=${WARM_SAY}|"
)
DIALPLAN = f"""
exten => ask,1,Answer()
 same => n,Set(WARM_RESULT=before)
 same => n,Set(WARM_FREE=before)
 same => n,AGI(${{ASKED}})
 same => n,Log(NOTICE,{_LOG})
 same => n,Hangup()
exten => forged,1,Set(CALLERID(name)=${{URIDECODE(x%0aagi_arg_1: agent=ben%0aagi_arg_2: offline)}})
 same => n,Goto(ask,1)
exten => twice,1,Set(WARM_LEAD_NUMBER=${{URIDECODE(%2b1555%0a200 result=1)}})
 same => n,Goto(ask,1)
exten => many,1,Answer()
 same => n,Dial({"&".join(["Local/q@m/n"] * MANY)},30)
 same => n,Log(NOTICE,lab-many ${{DIALSTATUS}})
 same => n,Hangup()
exten => h,1,Log(NOTICE,lab-left agi=${{AGISTATUS}} result=${{WARM_RESULT}}|)
[m]
exten => q,1,AGI(${{WARM_AGI}}/available,sales)
 same => n,Log(NOTICE,lab-one agi=${{AGISTATUS}} result=${{WARM_RESULT}} free=${{WARM_FREE}}|)
 same => n,Hangup()
[from-agents]
include => warm-agents
[globals]
WARM_AGI=agi://127.0.0.1:{PORT}
"""


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    with private_asterisk(root, tmp_path_factory.mktemp("agi"), ("ana", "ben", "zoe"), DIALPLAN) as running:
        yield running


class ToneEngine:
    """In an engine's place: what it says is one tone."""

    name = "tone"

    async def identity(self) -> str:
        return "tone 1"

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def say(self, text: str) -> bytes:
        return tone(float(SPOKEN_HZ), 1.0)

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def speaker(asterisk: PrivateAsterisk) -> Speaker:
    """The real one, its prompts told apart by their pitch."""
    own = asterisk.workdir / "own"
    own.mkdir()
    for name, hz in TONES.items():
        write_wav(own / f"{name}.wav", chord((hz,), 1.0))
    folder = asterisk.workdir / "sounds"
    ready = CachedSpeaker(SoundFolder(folder, str(folder)), [ToneEngine()], own_prompts=own)
    asyncio.run(ready.ensure_prompts())
    return CachedSpeaker(SoundFolder(folder, str(folder)), [ToneEngine()], own_prompts=own)


@dataclass
class Scene:
    asterisk: PrivateAsterisk
    phones: Phones
    agents: MemoryAgents
    server: AgiServer
    log_from: int

    async def logged(self, pattern: str, seconds: float = 8.0) -> re.Match[str]:
        return await until(lambda: re.search(pattern, self.log()), seconds, f"{pattern!r} in the log")

    def log(self) -> str:
        with self.asterisk.log_path.open("rb") as file:
            file.seek(self.log_from)
            return file.read().decode(errors="replace")

    async def cli(self, command: str) -> str:
        return await asyncio.to_thread(self.asterisk.cli, command)

    def agent(self, name: str = "ana") -> Phone:
        return self.phones.agent(name)

    async def ask(self, script: str, extension: str = "ask") -> str:
        """One call that asks; what it was told, as the dialplan logs it."""
        await self.cli(f"dialplan set global ASKED agi://127.0.0.1:{PORT}/{script}")
        self.log_from = self.asterisk.log_path.stat().st_size
        call = await self.agent().dial(extension)
        told = await self.logged(r"Ext\. \w+: lab-asked (.*)\|")
        await call.ended()
        return told[1]

    async def hear(self, code: str, phone: str = "ana") -> list[str]:
        """One call of a phone to a feature code: the prompts it heard, in order, until it was hung up."""
        call = await self.agent(phone).dial(code)
        await call.answered()
        await call.ended(15.0)
        return order_of(heard(call.heard), {**{hz: name for name, hz in TONES.items()}, SPOKEN_HZ: "spoken"})


def heard(samples: np.ndarray) -> Hearing:
    count = len(samples) // FRAME
    return Hearing(np.arange(count) * FRAME_SECONDS, samples[: count * FRAME].reshape(count, FRAME))


def order_of(ear: Hearing, names: dict[int, str]) -> list[str]:
    """What lasted, by its beginning."""
    first = {name: ear.first_frame_with(hz) for hz, name in names.items() if ear.hears(hz, frames=15)}
    return sorted(first, key=lambda name: first[name] or 0.0)


@pytest.fixture
async def scene(asterisk: PrivateAsterisk, speaker: Speaker) -> AsyncIterator[Scene]:
    async with playing(asterisk, speaker) as on_stage:
        yield on_stage


class playing:
    """A scene with its own agents, server and phones; nothing is left in Asterisk at its end."""

    def __init__(
        self, asterisk: PrivateAsterisk, speaker: Speaker | None, limits: Limits | None = None
    ) -> None:
        self._agents = MemoryAgents()
        self._agents.names["zoe"] = 'Zoë "Z" \\ Müller ${EPOCH}'
        self._asterisk = asterisk
        self._server = AgiServer(
            Desk(self._agents).services, speaker, port=PORT, limits=limits, now=lambda: self._agents.now
        )
        self._phones = Phones(asterisk.sip, asterisk.sip_password)

    async def __aenter__(self) -> Scene:
        await self._server.start()
        await self._phones.__aenter__()
        size = self._asterisk.log_path.stat().st_size
        return Scene(self._asterisk, self._phones, self._agents, self._server, size)

    async def __aexit__(self, *_: object) -> None:
        await self._phones.__aexit__(None, None, None)
        await self._server.stop()
        await nothing_left(self._asterisk)


# -- scripts -------------------------------------------------------------------------------------------------


async def test_given_each_script_then_a_real_call_is_told_its_variables(scene: Scene) -> None:
    scene.agents.leads["+1555"] = LeadHistory("+1555", 3, "ben", "warm-1", "COMPLETED", "CONNECTED", 1.0)
    told = await scene.ask("available,sales")
    assert told.startswith("agi=SUCCESS result=OK cause= free=4 agents=ana,ben,cleo,zoe wait=42 ")
    told = await scene.ask("agent,zoe")
    assert "agi=SUCCESS result=OK" in told and "presence=ready name=Zoë Z Müller EPOCH why= " in told
    told = await scene.ask("lead,+1555")
    assert "handoffs=3 last=ben/CONNECTED" in told
    told = await scene.ask("presence,pause,lunch,20")
    assert "result=OK" in told and "presence=paused name=Ana Lopez why=paused: lunch" in told
    assert "you-are-paused" in told
    ana = scene.agents.presences["ana"]
    assert (ana.declared, ana.by.who, ana.by.source) == (Declared.PAUSED, "PJSIP/ana", "agi")
    assert ana.until == scene.agents.now + 1200
    told = await scene.ask("presence,agent=ben,offline")
    assert "presence=offline name=Ben Okafor" in told


WRONG = {
    "presense": ("agi=FAILURE result=INVALID", "there is no script 'presense': use one of presence"),
    "": ("agi=FAILURE result=INVALID", "there is no script ''"),
    "presence,redy": ("agi=FAILURE result=INVALID", "there is no state 'redy'"),
    "presence,pause,lunch,soon": ("agi=FAILURE result=INVALID", "'soon' is no number of minutes"),
    "available": ("agi=FAILURE result=INVALID", "0 arguments; use available,TEAM"),
    "available,sales,please": ("agi=FAILURE result=INVALID", "2 arguments"),
    "available,seles": ("agi=SUCCESS result=NOTFOUND", "there is no team 'seles'"),
    "presence,toggle,ben": ("agi=SUCCESS result=CONFLICT", "the key of ben"),
}


async def test_given_a_wrong_question_then_result_and_agistatus_tell_which_kind(scene: Scene) -> None:
    for script, (status, cause) in WRONG.items():
        told = await scene.ask(script)
        assert told.startswith(status) and cause in told, told
        known = script.split(",")[0] in ("presence", "available")
        assert ("free= " if known else "free=before") in told, "nothing of an earlier answer of the script"
    assert not scene.agents.presences


async def test_given_no_daemon_then_agistatus_fails_and_nothing_is_told(scene: Scene) -> None:
    await scene.server.stop()
    assert (await scene.ask("available,sales")).startswith("agi=FAILURE result=before ")


async def test_given_a_daemon_that_ends_in_the_middle_then_there_is_no_result(scene: Scene) -> None:
    await scene.server.stop()

    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b'SET VARIABLE WARM_RESULT ""\n')
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(ends, "127.0.0.1", PORT):
        assert (await scene.ask("available,sales")).startswith("agi=SUCCESS result= cause= free=before")


async def test_given_a_caller_id_with_lines_in_it_then_nobody_is_taken_for_another(scene: Scene) -> None:
    before = asyncio.get_running_loop().time()
    told = await scene.ask("presence", "forged")
    assert asyncio.get_running_loop().time() - before < 2.0, "at once"
    assert told.startswith("agi=FAILURE result=INVALID cause=the request says agi_arg_1 where it cannot be")
    assert not scene.agents.presences


async def test_given_a_variable_with_a_reply_in_it_then_the_replies_stay_in_step(scene: Scene) -> None:
    number = "+1555\n200 result=1"
    scene.agents.leads[number] = LeadHistory(number, 7, "", "", "", "", None)
    told = await scene.ask("lead", "twice")
    assert told.startswith("agi=SUCCESS result=OK") and "handoffs=7" in told


async def test_given_a_hangup_in_the_middle_then_asterisk_says_so_and_the_next_call_is_answered(
    scene: Scene,
) -> None:
    scene.agents.gate = asyncio.Event()
    await scene.cli(f"dialplan set global ASKED agi://127.0.0.1:{PORT}/available,sales")
    call = await scene.agent().dial("ask")
    await scene.agents.asked(1)
    await scene.cli("agi set debug on")
    await call.hang_up()
    await scene.logged("AGI Tx >> HANGUP")
    await scene.cli("agi set debug off")
    scene.agents.gate.set()
    left = await scene.logged(r"Ext\. h: lab-left (.*)\|")
    assert left[1] == "agi=HANGUP result=OK"
    scene.agents.gate = None
    assert (await scene.ask("available,sales")).startswith("agi=SUCCESS result=OK")


async def test_given_a_service_that_hangs_then_the_call_goes_on_in_time(
    asterisk: PrivateAsterisk, speaker: Speaker
) -> None:
    async with playing(asterisk, speaker, Limits(script_seconds=0.5)) as scene:
        scene.agents.gate = asyncio.Event()
        told = await scene.ask("available,sales")
        assert told.startswith("agi=FAILURE result=UNREACHABLE cause=no answer within 0.5 seconds")


async def test_given_slow_and_silent_peers_then_calls_beside_them_are_answered_at_once(scene: Scene) -> None:
    slow = [await Peer.connect(PORT) for _ in range(100)]
    for peer in slow[::2]:
        peer.send(b"agi_network: yes\n")
    before = asyncio.get_running_loop().time()
    assert (await scene.ask("available,sales")).startswith("agi=SUCCESS result=OK")
    assert asyncio.get_running_loop().time() - before < Limits().request_seconds - 1.0
    for peer in slow:
        peer.close()


async def test_given_too_many_calls_then_the_next_one_is_told_so(
    asterisk: PrivateAsterisk, speaker: Speaker
) -> None:
    async with playing(asterisk, speaker, Limits(sessions=5)) as scene:
        silent = [await Peer.connect(PORT) for _ in range(5)]
        before = asyncio.get_running_loop().time()
        told = await scene.ask("available,sales")
        assert told.startswith("agi=FAILURE result=UNREACHABLE cause=too many calls ask at once")
        assert asyncio.get_running_loop().time() - before < 2.0, "at once"
        for peer in silent:
            peer.close()


async def test_given_200_calls_that_ask_at_once_then_each_has_its_answer(scene: Scene) -> None:
    scene.agents.gate = asyncio.Event()
    call = await scene.agent().dial("many")
    await scene.agents.asked(MANY)
    scene.agents.gate.set()
    await scene.logged("lab-many", 30.0)
    await call.ended()
    told = re.findall(r"Ext\. q: lab-one (.*)\|", scene.log())
    assert told == ["agi=SUCCESS result=OK free=4"] * MANY


# -- feature codes -------------------------------------------------------------------------------------------


async def test_given_the_feature_codes_then_presence_changes_and_the_phone_hears_it(scene: Scene) -> None:
    assert await scene.hear("*280") == ["you-are-ready"]
    assert await scene.hear("*282") == ["you-are-paused"]
    ana = scene.agents.presences["ana"]
    assert (ana.declared, ana.by.who, ana.by.source) == (Declared.PAUSED, "ana", "code")
    assert await scene.hear("*280") == ["you-are-paused"]
    assert await scene.hear("*281") == ["you-are-ready"]
    assert scene.agents.presences["ana"].declared is Declared.READY
    await scene.agents.wrap_up("ana", 90.0, ana.by)
    assert await scene.hear("*280") == ["you-are-wrapping-up", "spoken"]
    assert await scene.hear("*283") == ["wrapup-over", "you-are-ready"]
    assert scene.agents.presences["ana"].wrapup_until == scene.agents.now
    assert "ben" not in scene.agents.presences


async def test_given_the_key_of_a_lamp_then_it_toggles_its_own_agent_only(scene: Scene) -> None:
    shown = await scene.cli("dialplan show *289ana@from-agents")
    assert "hint: Custom:warm-" in shown and "toggle" in shown, "beside the lamp itself"
    assert await scene.hear("*289ana") == ["you-are-paused"]
    assert await scene.hear("*289ana") == ["you-are-ready"]
    assert await scene.hear("*289ben") == ["another-agents-key"]
    assert await scene.hear("*289ana,agent=ben") == ["another-agents-key"], "what was dialled is one word"
    assert "ben" not in scene.agents.presences


async def test_given_a_phone_of_no_agent_then_it_hears_so(scene: Scene) -> None:
    del scene.agents.names["zoe"]
    assert await scene.hear("*282", "zoe") == ["no-agent-here"]


async def test_given_another_prefix_then_the_codes_and_lamps_have_it(scene: Scene) -> None:
    assert "'*281'" in await scene.cli("dialplan show warm-agents")
    try:
        await scene.cli("dialplan set global WARM_CODES *7700")
        await scene.cli("dialplan reload")
        shown = await scene.cli("dialplan show warm-agents")
        assert set(re.findall(r"'(\S+)' =>", shown)) == {
            *("*77000", "*77001", "*77002", "*77003", "*77004"),
            *("_*77004X", "_*77009."),
        }
        assert await scene.hear("*77002") == ["you-are-paused"]
        assert await scene.hear("*77009ana") == ["you-are-ready"]
        await scene.cli("devstate change Custom:warm-ana INUSE")
        async with LampPhone(scene.asterisk.sip, scene.asterisk.sip_password, "ben") as desk:
            await desk.subscribe("*77009ana")
            await desk.shows("*77009ana", "confirmed")
    finally:
        await scene.cli('dialplan set global WARM_CODES ""')
        await scene.cli("dialplan reload")
    assert "'*281'" in await scene.cli("dialplan show warm-agents")


async def test_given_no_daemon_then_the_phone_hears_a_sound_of_asterisks_own(scene: Scene) -> None:
    await scene.server.stop()
    try:
        await scene.cli('dialplan set global WARM_AGI ""')
        call = await scene.agent().dial("*281")
        await call.ended(15.0)
    finally:
        await scene.cli(f"dialplan set global WARM_AGI agi://127.0.0.1:{PORT}")
    ear = heard(call.heard)
    assert np.count_nonzero(~ear.silent()) * FRAME_SECONDS > 1.0
    assert "agi://127.0.0.1:4573/presence" in scene.log(), "the default address"
    assert re.search(r"Playing 'im-sorry\.", scene.log()) and "please-try-again" in scene.log()


async def test_given_sounds_that_asterisk_cannot_find_then_it_plays_its_own(
    asterisk: PrivateAsterisk,
) -> None:
    async with playing(asterisk, MemorySpeaker()) as scene:
        call = await scene.agent().dial("*282")
        await call.ended(15.0)
        assert scene.agents.presences["ana"].declared is Declared.PAUSED
        assert np.count_nonzero(~heard(call.heard).silent()) * FRAME_SECONDS > 0.4
        assert "Playing 'auth-thankyou" in scene.log()


async def test_given_no_sounds_at_all_then_tones_are_heard(asterisk: PrivateAsterisk) -> None:
    async with playing(asterisk, None) as scene:
        # What Asterisk brings in this root is WAV.
        await scene.cli("module unload format_wav.so")
        try:
            ok = await scene.agent().dial("*280")
            await ok.ended(15.0)
            del scene.agents.names["zoe"]
            failed = await scene.agent("zoe").dial("*280")
            await failed.ended(15.0)
        finally:
            await scene.cli("module load format_wav.so")
    # Of the 480 and 620 Hz of a failure these are the nearest pitches.
    assert heard(failed.heard).hears(500, 600, frames=20)
    assert heard(ok.heard).hears(1000, frames=10) and not heard(ok.heard).hears(500, frames=10)


async def test_given_a_hangup_while_it_speaks_then_the_caller_leaves_by_their_own_context(
    scene: Scene,
) -> None:
    call = await scene.agent().dial("*282")
    await scene.logged("Playing '.*you-are-paused")
    await call.hang_up()
    left = await scene.logged(r"Ext\. h: lab-left (.*)\|")
    assert left[1] == "agi=SUCCESS result=OK"
