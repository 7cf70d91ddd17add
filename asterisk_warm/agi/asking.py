"""One question on the phone: said, heard, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

import structlog

from asterisk_warm.agi.keying import BadKeys, Read, most_keys, read_keys
from asterisk_warm.agi.phone import SPOKEN, HungUp, Phone
from asterisk_warm.agi.phrases import phrase
from asterisk_warm.agi.ports import Recordings
from asterisk_warm.agi.voice import Voice
from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.model import Kind, Question, Script
from asterisk_warm.engine.ports.pbx import PbxError

log = structlog.get_logger(__name__)

MENU = "*"
PAUSE = 3.0
"""Seconds after a key that end a number."""
RECORDING_TIMES = 4
"""So many times longer than an answer may take to begin, a recording may last."""
SPOKEN_KINDS = (Kind.TEXT, Kind.EMAIL)


class Wish(Enum):
    """What can be wished for in place of an answer, after `*`."""

    REPEAT = auto()
    BACK = auto()
    SKIP = auto()
    HELP = auto()


WISHES: Mapping[str, Wish] = {"1": Wish.REPEAT, "2": Wish.BACK, "3": Wish.SKIP, "0": Wish.HELP}


@dataclass(frozen=True, slots=True)
class Given:
    text: str
    recording: str = ""
    hung_up: bool = False
    """The lead has, after it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """No answer; what to tell the lead, a line each."""

    why: tuple[str, ...]


Heard = Given | Wish | Missed


class Unheard(Exception):
    """Asterisk did not find the sounds of a question; the message names one."""


class Asking:
    """`today` is what the days of a date are counted from."""

    def __init__(
        self,
        phone: Phone,
        voice: Voice,
        script: Script,
        recordings: Recordings,
        today: Callable[[], date],
    ) -> None:
        self._phone, self._voice = phone, voice
        self._script = script
        self._recordings = recordings
        self._today = today

    async def ask(self, question: Question, wording: str, before: Sequence[str], recording: str) -> Heard:
        """`before` are sounds that are played first. A key at any moment is the first one of the answer.
        `recording`: the name of the one that a spoken answer becomes, to which a key leads on.

        Raises HungUp, Unheard, Refused (unreachable)."""
        sounds = await self._voice.wording(wording, hints(self._script, question, self._voice.language))
        spoken = question.kind in SPOKEN_KINDS
        played = await self._phone.play(before)
        if not played.key or (spoken and played.key != MENU):
            played = await self._phone.play(sounds)
            if played.missing:
                raise Unheard(played.missing)
        if spoken and played.key != MENU:
            return await self._recorded(question, recording)
        key = played.key or await self._phone.key(question.seconds)
        if key == MENU:
            return await self._menu(question)
        return await self._keyed(question, key) if key else self._silent()

    async def _keyed(self, question: Question, key: str) -> Heard:
        keys = await self._phone.more(key, most_keys(question), PAUSE)
        if MENU in keys and question.kind is not Kind.NUMBER:
            return await self._menu(question)
        if not keys:
            return self._silent()
        try:
            read = read_keys(self._script, question, keys, self._voice.language, self._today())
        except BadKeys as bad:
            return Missed(bad.why)
        return await self._confirmed(question, read)

    async def _confirmed(self, question: Question, read: Read) -> Heard:
        """What was keyed is read back, where that can be done; only 1 confirms it."""
        sounds = await self._voice.phrases(["entered"], words=read.words) if read.words else []
        if not sounds:
            return Given(read.text)
        for _ in range(question.tries):
            played = await self._phone.play(sounds)
            key = played.key or await self._phone.key(question.seconds)
            if key == "1":
                return Given(read.text)
            if key == "2":
                return Wish.REPEAT
            if key == MENU:
                return await self._menu(question)
        return self._silent()

    async def _recorded(self, question: Question, name: str) -> Heard:
        path = f"{await self._phone.spool()}/{name}"
        made = await self._phone.record(path, RECORDING_TIMES * question.seconds)
        if made.seconds >= SPOKEN and made.key != MENU:
            return Given("", name, made.hung_up)
        await self._forget(name)
        if made.hung_up:
            raise HungUp
        if made.key == MENU:
            return await self._menu(question)
        return Missed((phrase("not-heard", self._voice.language),))

    async def _forget(self, name: str) -> None:
        try:
            await self._recordings.forget_recording(name)
        except PbxError as error:
            log.warning("an empty recording stays in Asterisk", recording=name, why=str(error))

    async def _menu(self, question: Question) -> Wish:
        skip = ["menu-skip"] if question.optional else []
        played = await self._phone.play(
            await self._voice.phrases(["menu-repeat", "menu-back", *skip, "menu-help"])
        )
        key = played.key or await self._phone.key(question.seconds)
        return WISHES.get(key, Wish.REPEAT)

    def _silent(self) -> Missed:
        return Missed((phrase("no-answer", self._voice.language),))


def hints(script: Script, question: Question, language: str) -> list[str]:
    """How to answer, a line each."""
    if question.kind is Kind.CHOICE:
        choices = offered(question, language)
        return [phrase("choice", language, key=one.key, label=one.label) for one in choices]
    if question.kind is Kind.DATE:
        return [phrase(f"date-{script.date_order}", language)]
    name = "record" if question.kind in SPOKEN_KINDS else str(question.kind)
    return [phrase(name, language)]
