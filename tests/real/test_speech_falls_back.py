"""The speech engine is missing, slow, failing or dying: agents hear recorded prompts, and the lead is handed off all the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from ears import hears
from scene import ASK_HZ, LEAD_TONE, QUESTION_HZ, REPLY_HZ, TONES, Scene, api, record_prompts, talk
from speech_faults import ENGINES, FAULTS, MISSING, Faulty

from asterisk_warm.agi.voice import PHRASE_SECONDS, WORDING_SECONDS
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import chord, write_wav

pytestmark = pytest.mark.real

BUDGET_SECONDS = 2.0
MARGIN_SECONDS = 3.0
"""What a busy machine takes for itself, beside what is waited for."""
AGI_PORT = 24581
BRIEFING_HZ, DETAILS_HZ = 2300, 2400
"""Of the recorded prompts; the others are those of all scenes."""
WORDING_HZ = {"home": 1200, "insured": 1400}
"""Of the questions of the interview that are recordings."""
TEAMS = {
    "fallen": {
        "name": "Fallen",
        "agents": ["ana"],
        "comfort_seconds": 0,
        "introduction": False,
        "question_seconds": 3,
    }
}
_TELLS = "result=${WARM_RESULT} complete=${WARM_COMPLETE} verdict=${WARM_VERDICT} cause=${WARM_CAUSE}|"
# Never said before: nothing of it is in the cache.
DIALPLAN = f"""
exten => fallen,1,Set(WARM_LEAD_SUMMARY=Case ${{EPOCH}} ${{RAND(1,99999)}} of home insurance)
 same => n,Gosub(warm-handoff,s,1(fallen,detail.plan=Gold ${{EPOCH}} ${{RAND(1,99999)}}))
 same => n,Goto(lab-returned,s,1)
exten => ask,1,Gosub(warm-qualify,s,1(insurance,fresh=yes))
 same => n,Log(NOTICE,lab-asked {_TELLS})
 same => n,Hangup()
exten => h,1,Log(NOTICE,lab-left ${{CHANNEL}} status=${{WARM_STATUS}} gap=${{WARM_GAP_MS}} agent=${{WARM_AGENT}} cause=${{WARM_CAUSE}})
[globals]
WARM_AGI=agi://127.0.0.1:{AGI_PORT}
"""
SCRIPT = """
id: insurance
name: Home insurance
questions:
  home: {{ask: yesno, say: {{console: "{home}", voice: "{home}"}}, help: "{help}", rules: [{{is: yes, points: 10}}]}}
  insured: {{ask: yesno, say: {{console: "{insured}", voice: "{insured}"}}}}
verdicts: {{ready: 10}}
summary: "Owns a home: {{home}}."
"""


@pytest.fixture(scope="session", params=["22"])
def version(request: pytest.FixtureRequest) -> str:
    """What becomes of speech does not depend on Asterisk's version."""
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def faulty(engine: str) -> Iterator[Faulty]:
    folder = Path(tempfile.mkdtemp(prefix="warm-speech-"))
    yield Faulty(engine, folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path, engine: str, faulty: Faulty) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    if (sounds / "cache").is_dir():  # What the prompts of a real start cost is not the question here.
        shutil.copytree(sounds / "cache", folder / "sounds" / "cache", dirs_exist_ok=True)
    settings = {
        "sounds": {"directory": str(folder / "sounds"), "prompts": str(_prompts(folder / "prompts"))},
        "speech": {"engines": [engine], "budget_seconds": BUDGET_SECONDS},
        "agi": {"port": AGI_PORT},
    }
    with Stage(
        root,
        folder,
        teams=TEAMS,
        agents={"ana": AGENTS["ana"]},
        dialplan=DIALPLAN,
        settings=settings,
        environment=faulty.environment,
    ) as on_stage:
        yield on_stage
    shutil.rmtree(folder, ignore_errors=True)


def _prompts(folder: Path) -> Path:
    record_prompts(folder)
    for name, hz in (("briefing", BRIEFING_HZ), ("details", DETAILS_HZ)):
        write_wav(folder / f"{name}.wav", chord((hz,), 1.0))
    return folder


Breaks = Callable[[str], None]


@pytest.fixture
def breaks(stage: Stage, faulty: Faulty) -> Iterator[Breaks]:
    """Lets the engine fail in such a way, which it has not done before: the daemon is new."""

    def broken(fault: str) -> None:
        stage.daemon.stop()
        faulty.is_(MISSING if fault == MISSING else "")
        _start(stage)
        faulty.is_(fault)

    yield broken
    faulty.is_("")


def _start(stage: Stage) -> None:
    """Until the daemon has rendered what it says to all, or cannot."""
    before = len(stage.daemon.log())
    stage.daemon.start()
    deadline = time.monotonic() + 60.0
    while "rendered what may be said" not in stage.daemon.log()[before:]:
        assert time.monotonic() < deadline, stage.daemon.log()[-3000:]
        time.sleep(0.05)


async def accepted(scene: Scene, capture: Capture, call: Call) -> None:
    """The agent accepts, and the two talk."""
    pressed = time.time()
    await call.press("1")
    await talk(capture, scene.call.call_id, call.call_id, TONES["ana"], after=pressed)
    await call.hang_up()
    await scene.returned("COMPLETED", "CONNECTED", "ana")


@pytest.mark.parametrize("fault", [*FAULTS, MISSING])
async def test_given_an_engine_with_a_fault_when_a_lead_calls_then_a_recorded_briefing_is_heard_and_they_are_connected(
    breaks: Breaks, stage: Stage, phones: Phones, capture: Capture, faulty: Faulty, engine: str, fault: str
) -> None:
    await asyncio.to_thread(breaks, fault)
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("fallen", "ana")
    await hears(capture, calls["ana"].call_id, BRIEFING_HZ)
    await accepted(scene, capture, calls["ana"])
    traffic = capture.traffic()
    rang = traffic.dialog(calls["ana"].call_id).invited_at - traffic.dialog(scene.call.call_id).invited_at
    print(f"{engine} {fault}: the agent's phone rang after {rang:.2f} s")
    assert faulty.met == (fault != MISSING), "it was asked to speak while it had that fault"
    assert rang < BUDGET_SECONDS + MARGIN_SECONDS
    assert all("recorded prompts serve" in line for line in stage.daemon.complaints())


async def test_given_no_engine_when_the_agent_asks_for_more_and_asks_back_then_prompts_serve(
    breaks: Breaks, stage: Stage, phones: Phones, capture: Capture
) -> None:
    await asyncio.to_thread(breaks, MISSING)
    scene = await Scene.set(stage, phones, ("ana",))
    calls = await scene.briefed("fallen", "ana")
    ana, lead = calls["ana"], scene.call.call_id
    await hears(capture, ana.call_id, BRIEFING_HZ)
    await ana.press("4")
    await hears(capture, ana.call_id, DETAILS_HZ)
    await ana.press("3")
    await hears(capture, ana.call_id, BRIEFING_HZ, frames=60)
    await ana.press("5")
    await hears(capture, ana.call_id, ASK_HZ)
    # The question ends by itself, and is the agent's tone; the reply is the lead's.
    await hears(capture, lead, QUESTION_HZ)
    await hears(capture, lead, TONES["ana"])
    await hears(capture, lead, REPLY_HZ, frames=10)
    await hears(capture, ana.call_id, LEAD_TONE)
    await accepted(scene, capture, ana)


async def publish(stage: Stage, wordings: Mapping[str, str]) -> None:
    """A script with help that nobody has spoken before."""
    source = SCRIPT.format(help=f"It is about a home, {time.time()}.", **wordings)
    status, answer = await api(stage, "POST", "/v1/scripts", {"source": source})
    assert status == 201, answer


async def told(scene: Scene) -> dict[str, str]:
    """How the dialplan got its lead back from the interview."""
    found = await scene.logged(
        r": lab-asked result=(?P<result>\w*) complete=(?P<complete>\w*) verdict=(?P<verdict>\w*) cause=(?P<cause>.*)\|",
        seconds=20.0,
    )
    return found.groupdict()


@pytest.mark.parametrize("fault", ["slow", "dies", MISSING])
async def test_given_recorded_questions_when_the_engine_is_at_fault_then_the_interview_goes_on(
    breaks: Breaks, stage: Stage, phones: Phones, capture: Capture, faulty: Faulty, fault: str
) -> None:
    await asyncio.to_thread(breaks, fault)
    folder = stage.pbx.workdir
    recordings = {
        name: f"sound:{write_wav(folder / f'{name}.wav', chord((hz,), 1.0)).with_suffix('')}"
        for name, hz in WORDING_HZ.items()
    }
    await publish(stage, recordings)
    scene = await Scene.set(stage, phones, ())
    call = await scene.dial("ask")
    await call.answered()
    for question, key in (("home", "1"), ("insured", "2")):
        await hears(capture, call.call_id, WORDING_HZ[question], frames=10)
        await call.press(key)
    answer = await told(scene)
    await call.ended(15.0)
    assert (answer["result"], answer["complete"], answer["verdict"]) == ("OK", "yes", "ready")
    assert faulty.met == (fault != MISSING)


@pytest.mark.parametrize("fault", ["slow", "dies", MISSING])
async def test_given_questions_to_be_spoken_when_the_engine_is_at_fault_then_the_dialplan_has_the_lead_back_at_once(
    breaks: Breaks, stage: Stage, phones: Phones, faulty: Faulty, engine: str, fault: str
) -> None:
    await asyncio.to_thread(breaks, fault)
    await publish(stage, {"home": f"Do you own a home, {time.time()}?", "insured": "Is it insured?"})
    scene = await Scene.set(stage, phones, ())
    call = await scene.dial("ask")
    await call.answered()
    began = time.monotonic()
    answer = await told(scene)
    took = time.monotonic() - began
    await call.ended(15.0)
    print(f"{engine} {fault}: the lead was back after {took:.2f} s")
    assert (answer["result"], answer["complete"]) == ("UNREACHABLE", "no")
    assert answer["cause"].startswith("a question cannot be spoken: ")
    assert faulty.met == (fault != MISSING)
    waited = PHRASE_SECONDS + WORDING_SECONDS if fault == "slow" else 0.0
    assert took < waited + MARGIN_SECONDS
