"""The stage of a lead's whole way: asked on the phone, let through, handed off, written down. With a script whose questions are
tones, and everything as a user's configuration has it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import outside
import yaml
from conftest import CACHE
from scene import DIALPLAN as SCENE_DIALPLAN
from scene import LEAD_TONE, TONE_TEAMS, Scene, api, command, record_prompts, until
from screen_scene import SECRETS
from test_briefing import LIKE, likeness

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import AGENT_HZ, RATE, Hearing, Samples, chord, ulaw_to_linear, write_wav
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.text import speakable

AGI_PORT = 24575
CRM_SECONDS = 0.5
QUESTIONS = {"owner": 3650, "kind": 3700, "insured": 3750}
"""Each question is a tone that speech has next to nothing of."""
_PLAIN_TONE = 3000.0
"""From that amplitude on it is our recording, and not a voice."""
DISPOSITIONS = {
    "sold": {"name": "Sold", "key": "1"},
    "callback": {"name": "Call back", "key": "2"},
}

Json = dict[str, Any]
_TELLS = "result=${WARM_RESULT} complete=${WARM_COMPLETE} verdict=${WARM_VERDICT}|"
DIALPLAN = f"""
exten => _ask-.,1,Gosub(warm-qualify,s,1(home))
 same => n,Log(NOTICE,lab-asked {_TELLS})
 same => n,Gosub(warm-handoff,s,1(${{EXTEN:4}}))
 same => n,Goto(lab-returned,s,1)
exten => asked,1,Gosub(warm-qualify,s,1(home))
 same => n,Log(NOTICE,lab-asked {_TELLS})
 same => n,Hangup()
exten => _[n]obody-.,1,Set(CALLERID(num)=)
 same => n,Goto(${{EXTEN:7}},1)
exten => _said-.,1,Set(WARM_LEAD_QUALIFIED=yes)
 same => n,Set(WARM_LEAD_CONSENT=yes)
 same => n,Goto(${{EXTEN:5}},1)
exten => guarded-live,1,Dial(PJSIP/qualifier,20,gb(warm-arm^s^1(guarded)))
 same => n,Hangup()
"""
"""`ask-TEAM`: asked first. `asked`: nothing else. `nobody-…`: without a number. `said-…`: the dialplan vouches for the lead."""
CONTEXTS = f"""
[from-agents]
include => warm-agents
[globals]
WARM_AGI=agi://127.0.0.1:{AGI_PORT}
"""

_TEMPLATES = {**TONE_TEAMS["tones"]["templates"], "details": "{more}."}
_QUIET: Json = {"introduction": False, "comfort_seconds": 0, "templates": _TEMPLATES}
TEAMS: Mapping[str, Json] = {
    "closers": {
        "name": "Closers",
        "agents": ["ana", "ben"],
        **_QUIET,
        "require": ["ready"],
        "script": "home",
    },
    "curious": TONE_TEAMS["asked"],
    "open": {"name": "Open", "agents": ["ana", "ben"], **_QUIET},
    "told": {
        **{"name": "Told", "agents": ["ana"], **_QUIET},
        "templates": {**_TEMPLATES, "briefing": "{name}. {details}."},
    },
    "guarded": {
        **{"name": "Guarded", "agents": ["ana", "ben"], **_QUIET},
        "require": ["ready", "consent.call"],
    },
    "scored": {"name": "Scored", "agents": ["ana"], **_QUIET, "require": ["ready"], "least_score": 60},
    "texted": {"name": "Texted", "agents": ["ana"], **_QUIET, "require": ["consent.text"]},
    "recorded": {"name": "Recorded", "agents": ["ana"], **_QUIET, "require": ["consent.recording"]},
}


def script(folder: Path) -> str:
    """The script's YAML: owner (1 yes, 2 no), kind (1 house, 2 flat), insured (1 yes, 2 no)."""
    say = {name: {"console": f"{name}?", "voice": f"sound:{folder}/{name}"} for name in QUESTIONS}
    owner = [{"is": "yes", "points": 40}, {"is": "no", "knockout": "does not own the home"}]
    kind = [{"is": "house", "points": 30}, {"is": "flat", "points": 5}]
    return yaml.safe_dump(
        {
            "id": "home",
            "name": "Home insurance",
            "language": "en",
            "questions": {
                "owner": {"ask": "yesno", "say": say["owner"], "rules": owner},
                "kind": {
                    **{"ask": "choice", "say": say["kind"], "rules": kind},
                    "choices": {"house": "a house", "flat": "a flat"},
                },
                "insured": {"ask": "yesno", "say": say["insured"], "rules": [{"is": "no", "points": 10}]},
            },
            "verdicts": {"ready": 50, "nurture": 20, "below": "in no hurry"},
            "summary": "Owns {kind}.",
            "details": "Insured: {insured}.",
        },
        sort_keys=False,
    )


@contextmanager
def playing(root: Root, stage: type[Stage] = Stage) -> Iterator[Stage]:
    """Asterisk and the daemon, with a script, dispositions, AGI, a CRM, a webhook, and teams that require something."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    sounds = CACHE / "journey-sounds"  # Its own: other tests' speech is of another engine.
    sounds.mkdir(parents=True, exist_ok=True)
    for name, hz in QUESTIONS.items():
        write_wav(folder / f"{name}.wav", chord((hz,), 0.6))
    (folder / "home.yaml").write_text(script(folder))
    systems = f"http://127.0.0.1:{outside.PORT}"
    crm = {"url": f"{systems}/leads/{{number}}", "name": "/name", "budget_seconds": CRM_SECONDS}
    settings: Json = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        "speech": {"engines": ["espeak"]},
        "agi": {"port": AGI_PORT},
        "scripts": {"home": str(folder / "home.yaml")},
        "dispositions": DISPOSITIONS,
        "leads": {"region": "US", "crm": {**crm, "details": {"plan": "/plan"}}},
        "webhooks": {"lab": {"url": f"{systems}/hook", "secrets": list(SECRETS)}},
    }
    dialplan = DIALPLAN + SCENE_DIALPLAN + CONTEXTS
    with stage(root, folder, teams=TEAMS, dialplan=dialplan, sounds=sounds, settings=settings) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@dataclass
class Journey(Scene):
    """A scene whose lead has a name and a number of their own, and may call again."""

    @classmethod
    async def of(
        cls, stage: Stage, phones: Phones, number: str, *agents: str, name: str = "Grant Weatherly"
    ) -> Journey:
        scene = await cls.set(stage, phones, agents)
        assert isinstance(scene, Journey)
        scene.lead = phones.lead(name, number, tone_hz=LEAD_TONE)
        return scene

    async def interviewed(self, capture: Capture, extension: str, *pairs: str) -> Call:
        """The lead calls; they hear question after question and press the key behind it (question, key, …). "" in place
        of a question: the key is pressed as soon as there is anything to hear."""
        call = await self.dial(extension)
        names = [name for name in pairs[::2] if name]
        for number, name in enumerate(pairs[::2]):
            if name:
                await self.asked(capture, call, names.index(name) + 1, name)
            else:
                await until(lambda: spoken_to(capture, call), 8.0, "a word")
            if key := pairs[2 * number + 1 : 2 * number + 2]:
                await call.press(key[0])
        return call

    async def asked(self, capture: Capture, call: Call, count: int, name: str) -> None:
        """As the `count`th question of this call, this one was heard, up to now."""

        def there() -> list[str] | None:
            dialog = capture.traffic().dialogs.get(call.call_id)
            story = questions(capture.traffic().heard_at(call.call_id)) if dialog is not None else []
            return story if len(story) >= count else None

        try:
            story = await until(there, 15.0, f"question {count}, {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log()[-3000:]}") from None
        assert story[count - 1] == name and len(story) == count, story

    async def out(self, *words: str) -> str:
        """What `asterisk-warm …` says; it must succeed."""
        code, out, err = await command(self.stage, *words)
        assert code == 0, err
        return " ".join(out.split())


def questions(ear: Hearing) -> list[str]:
    """Those that were heard, in order."""
    begun = []
    for name, hz in QUESTIONS.items():
        loud = np.concatenate(([False], ear.level(hz) > _PLAIN_TONE, [False]))
        edges = np.flatnonzero(loud[1:] != loud[:-1])
        begun += [(int(edges[n]), name) for n in range(0, len(edges), 2) if edges[n + 1] - edges[n] >= 5]
    return [name for _, name in sorted(begun)]


def spoken_to(capture: Capture, call: Call) -> bool:
    traffic = capture.traffic()
    return call.call_id in traffic.dialogs and not traffic.heard_at(call.call_id).silent().all()


async def spoken(text: str) -> Samples:
    """As the daemon has it said."""
    engine = EspeakEngine()
    try:
        return ulaw_to_linear(np.frombuffer(await engine.say(speakable(text)), np.uint8))
    finally:
        await engine.close()


async def hears(capture: Capture, call: Call, text: str, seconds: float = 15.0) -> None:
    """Wait until these words were heard in the call."""
    said = await spoken(text)
    await until(lambda: like(capture, call, said), seconds, f"{text!r} at {call.phone}")


def like(capture: Capture, call: Call, said: Samples) -> bool:
    """Was that heard in the call? Whatever other phone's voice it was mixed with."""
    heard = capture.traffic().heard_at(call.call_id).frames.reshape(-1)
    return len(heard) > 0 and likeness(_without_voices(heard), _without_voices(said)) > LIKE


def _without_voices(samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples)
    pitches = np.fft.rfftfreq(len(samples), 1 / RATE)
    for hz in (LEAD_TONE, *AGENT_HZ):
        spectrum[np.abs(pitches - hz) < 20] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), dtype=np.int16)


async def given(stage: Stage, number: str, score: float, verdict: str = "ready", **more: str) -> str:
    """Another system hands over what it has found out, as of the script `home` unless it says otherwise."""
    told = {"score": score, "verdict": verdict, "reason": more.get("reason", ""), "summary": ""}
    told["summary"] = more.get("summary", "")
    body = {"lead": number, "script": more.get("script", "home"), "given": told}
    status, answer = await api(stage, "POST", "/v1/qualifications", body)
    assert status == 201, answer
    return str(answer["id"])


async def answered(stage: Stage, number: str, *answers: str) -> Json:
    """A qualifier asks the lead by the API."""
    status, view = await api(
        stage, "POST", "/v1/qualifications", {"lead": number, "script": "home", "fresh": True}
    )
    assert status == 201, view
    for answer in answers:
        status, view = await api(stage, "POST", f"/v1/qualifications/{view['id']}/answer", {"answer": answer})
        assert status == 200, view
    return dict(view)


async def consented(stage: Stage, number: str, purpose: str = "call", *, granted: bool = True) -> None:
    body = {"purpose": purpose, "granted": granted, "basis": "oral", "shown": "May we call you?"}
    status, answer = await api(stage, "POST", f"/v1/leads/{number}/consents".replace("+", "%2B"), body)
    assert status in (200, 201), answer


def nobody_rang(capture: Capture) -> None:
    for agent in AGENTS:
        assert not capture.traffic().dialogs_to(agent), f"{agent} was rung"
