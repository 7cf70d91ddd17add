"""The stage of the qualifications by telephone: a script of every kind of question, every sentence as a pitch of its own,
and a lead who hears and keys."""

from __future__ import annotations

import asyncio
import re
import time
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import numpy as np
from adapters import nothing_left
from agi_stage import Desk
from scene import until

from asterisk_warm.agi.phrases import PHRASES
from asterisk_warm.agi.server import AgiServer
from asterisk_warm.core.script.model import Choice, Kind, Match, Question, Rule, Script, Wording
from asterisk_warm.engine.ports.speech import SpeechUnavailable
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.tones import FRAME, FRAME_SECONDS, RATE, Hearing, Samples, chord, write_wav

PORT = 24574
LEAD_HZ = 3300
"""The lead's own voice."""
QUESTIONS = ("home", "owner", "size", "renews", "mobile", "words", "extra")
_NAMES = [*QUESTIONS, "gone", *PHRASES["en"]]
PITCHES = {name: 1200 + 50 * n for n, name in enumerate(_NAMES)}
"""Questions and phrases as pitches that can be told apart."""
HELP_HZ, OTHER_HZ = 1150, 1100
_MENU = {hz for name, hz in PITCHES.items() if name.startswith("menu-")}

_TELLS = (
    "agi=${AGISTATUS} result=${WARM_RESULT} complete=${WARM_COMPLETE} score=${WARM_SCORE} "
    "verdict=${WARM_VERDICT} id=${WARM_QUALIFICATION} along=${WARM_LEAD_QUALIFICATION} "
    "next=${WARM_QUESTION} cause=${WARM_CAUSE} reason=${WARM_VERDICT_REASON} summary=${WARM_SUMMARY}|"
)
DIALPLAN = f"""
exten => ask,1,Gosub(warm-qualify,s,1(${{ASKED}}))
 same => n,Log(NOTICE,lab-told {_TELLS})
 same => n,Hangup()
exten => nobody,1,Set(CALLERID(num)=)
 same => n,Goto(ask,1)
exten => twice,1,Set(CALLERID(num)=)
 same => n,Gosub(warm-qualify,s,1(${{ASKED}}))
 same => n,Goto(ask,1)
exten => agi,1,Answer()
 same => n,AGI(agi://127.0.0.1:{PORT}/${{ASKED}})
 same => n,Log(NOTICE,lab-told {_TELLS})
 same => n,Hangup()
exten => hostile,1,Answer()
 same => n,AGI(agi://127.0.0.1:{PORT}/answer,every,words,${{URIENCODE(${{CALLERID(name)}})}})
 same => n,Log(NOTICE,lab-told {_TELLS})
 same => n,Hangup()
exten => listen,1,Answer()
 same => n,Playback(${{ASTSPOOLDIR}}/recording/${{ASKED}})
 same => n,Hangup()
exten => h,1,Log(NOTICE,lab-left {_TELLS})
[crowd]
exten => asked,1,Gosub(warm-qualify,s,1(every))
 same => n,Log(NOTICE,lab-one ${{WARM_RESULT}} ${{WARM_COMPLETE}}|)
 same => n,Hangup()
exten => _key[12],1,Answer()
 same => n(again),SendDTMF(${{EXTEN:-1}})
 same => n,Wait(1)
 same => n,Goto(again)
[from-agents]
include => warm-agents
[globals]
WARM_AGI=agi://127.0.0.1:{PORT}
"""


def script_of(sounds: Path, *named: str, spoken: str = "", summary: str = "") -> Script:
    """Of those questions that are named; none: one of each kind. `spoken` is one that has no recording."""

    def said(name: str) -> Wording:
        return Wording(console=name, voice="" if name == spoken else f"sound:{sounds}/{name}")

    every = (
        Question(
            "home",
            Kind.CHOICE,
            said("home"),
            help="It is about your home.",
            choices=(Choice("house", "a house"), Choice("flat", "a flat", "7")),
            rules=(Rule(Match(("house",)), points=10),),
            seconds=2,
        ),
        Question(
            "owner",
            Kind.YESNO,
            said("owner"),
            seconds=2,
            rules=(Rule(Match(("no",)), knockout="rents"), Rule(Match(("yes",)), points=1)),
        ),
        Question("size", Kind.NUMBER, said("size"), seconds=2, least=10, most=500),
        Question("renews", Kind.DATE, said("renews"), seconds=2, optional=True),
        Question("mobile", Kind.PHONE, said("mobile"), seconds=2),
        Question("words", Kind.TEXT, said("words"), seconds=5),
        Question("extra", Kind.NUMBER, said("extra"), seconds=2, optional=True),
        Question("gone", Kind.YESNO, said("gone"), seconds=2),
    )
    asked = tuple(one for one in every if one.id in (named or QUESTIONS))
    scored = any(one.id == "home" for one in asked)
    if not scored:
        asked = tuple(replace(one, rules=(*one.rules, Rule(Match(), points=1))) for one in asked)
    summary = summary or f"{{{asked[0].id}}}"
    return Script("every", "Every kind", asked, 10 if scored else 1, 0, summary, language="en")


class PitchSpeaker:
    """In the speech engine's place: each sentence is a pitch."""

    def __init__(self, folder: Path) -> None:
        self.works = True
        self.languages: dict[str, str] = {}
        self._folder = folder
        self._pitches = {text: PITCHES[name] for texts in PHRASES.values() for name, text in texts.items()}
        self._pitches |= {"gone": PITCHES["gone"], "It is about your home.": HELP_HZ}
        self._filled = {
            texts[name].partition("{")[0]: PITCHES[name]
            for texts in PHRASES.values()
            for name in ("entered", "between")
        }

    def _pitch(self, line: str) -> int:
        filled = (hz for start, hz in self._filled.items() if line.startswith(start))
        return self._pitches.get(line) or next(filled, OTHER_HZ)

    async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
        if not self.works:
            raise SpeechUnavailable("no engine works")
        self.languages.update(dict.fromkeys(lines, language))
        return [f"sound:{self._folder}/{self._record(self._pitch(line))}" for line in lines]

    def _record(self, hz: int) -> str:
        name = f"pitch-{hz}"
        if not (self._folder / f"{name}.wav").exists():
            # Long enough to be heard, and a key to be pressed, in the midst of it.
            write_wav(self._folder / f"{name}.wav", chord((hz,), 2.0 if hz in _MENU else 0.5))
        return name

    def spoken(self, text: str, language: str = "") -> str | None:
        return None

    def prompt(self, name: str, language: str = "") -> str:
        raise KeyError(name)


def record_questions(folder: Path, seconds: Mapping[str, float]) -> Path:
    folder.mkdir(exist_ok=True)
    for name in QUESTIONS:
        write_wav(folder / f"{name}.wav", chord((PITCHES[name],), seconds.get(name, 1.0)))
    return folder


def heard_in(samples: Samples) -> list[str]:
    """What was said, in order: each pitch that lasted for at least 0.1 s."""
    count = len(samples) // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME).astype(np.float64)
    names = {hz // 50: name for name, hz in PITCHES.items()} | {HELP_HZ // 50: "help", LEAD_HZ // 50: "lead"}
    spectrum = np.abs(np.fft.rfft(frames, axis=1)) * 2 / FRAME
    loudest = spectrum.argmax(axis=1)
    story: list[str] = []
    run, last, quiet = 0, "", 0
    for bin, level in zip(loudest, spectrum.max(axis=1), strict=True):
        name = names.get(int(bin), "") if level > 1000 else ""
        quiet = 0 if name else quiet + 1
        if name == last and name:
            run += 1
        elif name:
            run, last = 1, name
        elif quiet > 3:
            run, last = 0, ""
        if run == 5:
            story.append(name)
    return story


@dataclass
class Lead:
    """A call of the lead's; they act on what they hear."""

    call: Call
    told: int = 0
    """How many sentences they have listened to."""

    async def hears(self, *names: str, seconds: float = 15.0) -> None:
        """These sentences come next, and nothing else."""
        for name in names:
            await self._next(name, time.monotonic() + seconds)

    async def _next(self, name: str, deadline: float) -> None:
        while len(story := self.story()) <= self.told:
            assert time.monotonic() < deadline and not self.call.is_over, f"{name} is missing after {story}"
            await asyncio.sleep(0.02)
        assert story[self.told] == name, f"{name} is missing: {story}"
        self.told += 1

    def story(self) -> list[str]:
        return heard_in(self.call.heard)

    def frames(self, hz: int) -> int:
        """How many of 20 ms had that pitch."""
        samples = self.call.heard
        count = len(samples) // FRAME
        frames = samples[: count * FRAME].reshape(count, FRAME)
        return int(Hearing(np.arange(count, dtype=np.float64) * FRAME_SECONDS, frames).has(hz).sum())

    async def says(self, *pairs: str) -> None:
        """Question, keys, question, keys, …"""
        for name, keys in zip(pairs[::2], pairs[1::2], strict=True):
            await self.hears(name)
            if keys:
                await self.call.press(keys)


@dataclass
class Scene:
    asterisk: PrivateAsterisk
    phones: Phones
    server: AgiServer
    desk: Desk
    speaker: PitchSpeaker
    sounds: Path
    lead: Phone
    log_from: int = 0
    recorded: set[Path] = field(default_factory=set)
    """What was there before."""

    def __post_init__(self) -> None:
        self.recorded = self._recordings()

    async def calls(self, asked: str, extension: str = "ask", phone: Phone | None = None) -> Lead:
        """The lead calls, and is asked (`SCRIPT[,OPTIONS]`)."""
        await self.asks(asked)
        call = await (phone or self.lead).dial(extension)
        await call.answered()
        return Lead(call)

    async def asks(self, asked: str) -> None:
        """Whoever calls from now on."""
        await asyncio.to_thread(self.asterisk.cli, f'dialplan set global ASKED "{asked}"')
        self.log_from = self.asterisk.log_path.stat().st_size

    async def cli(self, command: str) -> None:
        await asyncio.to_thread(self.asterisk.cli, command)

    def finished(self, count: int) -> list[str] | None:
        """How so many of a crowd ended."""
        ends = re.findall(r"Ext\. asked: lab-one (.*)\|", self.log())
        return ends if len(ends) >= count else None

    async def logged(self, pattern: str) -> None:
        await until(lambda: re.search(pattern, self.log()), 15.0, f"{pattern!r} in {self.log()[-2000:]}")

    async def publish(self, *questions: str, spoken: str = "", summary: str = "") -> None:
        """Another version of the script, of these questions."""
        await self.desk.publish(script_of(self.sounds, *questions, spoken=spoken, summary=summary))

    async def told(self, event: str = "told") -> dict[str, str]:
        """What the dialplan knows at the end."""
        pattern = rf"Ext\. \w+: lab-{event} (.*)\|"
        found = await until(
            lambda: re.search(pattern, self.log()), 15.0, f"{pattern!r} in {self.log()[-2000:]}"
        )
        words = re.fullmatch(
            r"agi=(?P<agi>\w*) result=(?P<result>\w*) complete=(?P<complete>\w*) score=(?P<score>\S*) "
            r"verdict=(?P<verdict>\w*) id=(?P<id>\S*) along=(?P<along>\S*) next=(?P<next>\w*) "
            r"cause=(?P<cause>.*) reason=(?P<reason>.*) summary=(?P<summary>.*)",
            found[1],
        )
        assert words is not None, found[1]
        return words.groupdict()

    async def speaks(self, seconds: float = 1.0) -> None:
        """Until Asterisk has written that much of the recording that begins now, or has begun."""
        size = round(seconds * RATE * 2)
        await until(
            lambda: any(file.stat().st_size > size for file in self._recordings() - self.recorded),
            15.0,
            "words",
        )
        self.recorded = self._recordings()

    def _recordings(self) -> set[Path]:
        return set((self.asterisk.workdir / "spool" / "recording").glob("*.wav"))

    def log(self) -> str:
        with self.asterisk.log_path.open("rb") as file:
            file.seek(self.log_from)
            return file.read().decode(errors="replace")

    def recording(self, name: str) -> Samples:
        with wave.open(str(self.asterisk.workdir / "spool" / "recording" / f"{name}.wav"), "rb") as file:
            assert file.getframerate() == RATE
            return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


class playing:
    """A scene with its own desk, server and phones; nothing is left in Asterisk at its end."""

    def __init__(self, asterisk: PrivateAsterisk, sounds: Path) -> None:
        self._asterisk, self._sounds = asterisk, sounds
        self._desk, self._speaker = Desk(), PitchSpeaker(sounds)
        self._server = AgiServer(self._desk.services, self._speaker, port=PORT)
        self._phones = Phones(asterisk.sip, asterisk.sip_password)

    async def __aenter__(self) -> Scene:
        await self._server.start()
        await self._phones.__aenter__()
        await self._desk.publish(script_of(self._sounds))
        lead = self._phones.lead("Grant Weatherly", "+12025550123", tone_hz=LEAD_HZ)
        return Scene(
            self._asterisk, self._phones, self._server, self._desk, self._speaker, self._sounds, lead
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._phones.__aexit__(None, None, None)
        await self._server.stop()
        await nothing_left(self._asterisk)
