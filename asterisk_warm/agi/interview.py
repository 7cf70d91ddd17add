"""A whole qualification on the phone: question by question, each answer kept as it comes."""

from __future__ import annotations

import structlog

from asterisk_warm.agi.asking import Asking, Given, Heard, Missed, Unheard, Wish, hints
from asterisk_warm.agi.keying import wrong
from asterisk_warm.agi.phone import HungUp, Phone
from asterisk_warm.agi.phrases import PHRASES, spoken_in
from asterisk_warm.agi.ports import Qualifications
from asterisk_warm.agi.voice import Voice, recorded
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.model import Channel, Question, Script
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.qualifying.views import QualificationView
from asterisk_warm.engine.recordings import answer_recording

log = structlog.get_logger(__name__)


class Interview:
    """Goes on from where `view` stands, and keeps it up to date: whatever ends the interview, it has what was
    answered."""

    def __init__(
        self,
        phone: Phone,
        voice: Voice,
        asking: Asking,
        qualifications: Qualifications,
        script: Script,
        view: QualificationView,
        by: By,
    ) -> None:
        self.view = view
        self._phone, self._voice, self._asking = phone, voice, asking
        self._qualifications, self._script, self._by = qualifications, script, by
        self._misses = 0
        """In a row, at the present question."""
        self._unheard: set[str] = set()
        """Questions whose recording Asterisk does not find: they are spoken."""

    async def run(self, *, resumed: bool) -> None:
        """Until nothing is left to ask, or a required question has no answer. Raises HungUp, Refused."""
        if self.view.question is None:
            return
        self._render_ahead()
        said = await self._voice.phrases(["welcome-back", "keys"] if resumed else ["keys"])
        while (question := self._question()) is not None:
            try:
                heard = await self._ask(question, said)
            except Unheard as missing:
                self._speak_instead(question, missing)
                said = []
                continue
            said = await self._follow(question, heard)
            if self._misses >= question.tries:
                await self._phone.play(await self._voice.phrases(["given-up"]))
                return
        await self._phone.play([*said, *await self._voice.phrases(["done"])])

    def _question(self) -> Question | None:
        asked = self.view.question
        return None if asked is None else self._script.question(asked.id)

    # -- asking ----------------------------------------------------------------------------------------------

    async def _ask(self, question: Question, said: list[str]) -> Heard:
        recording = answer_recording(self.view.id, question.id, self.view.revision)
        return await self._asking.ask(question, self._wording(question), said, recording)

    def _wording(self, question: Question) -> str:
        voice = question.wording.voice
        return question.wording.console if not voice or question.id in self._unheard else voice

    def _speak_instead(self, question: Question, missing: Unheard) -> None:
        log.warning("Asterisk does not find a sound", question=question.id, sound=str(missing))
        if not recorded(self._wording(question)):
            remedy = "see sounds.directory and sounds.asterisk_directory of the configuration"
            raise Refused("unreachable", f"Asterisk does not find the sound {missing}", remedy) from missing
        self._unheard.add(question.id)

    def _render_ahead(self) -> None:
        """Nobody waits for it then."""
        self._voice.render_ahead(*said_in(self._script, self._voice.language))

    # -- what follows from what was heard: what is said before the next question --------------------------

    async def _follow(self, question: Question, heard: Heard) -> list[str]:
        if isinstance(heard, Given):
            return await self._answered(question, heard)
        if isinstance(heard, Missed):
            return await self._missed(question, heard)
        self._misses = 0
        return await self._wished(question, heard)

    async def _answered(self, question: Question, given: Given) -> list[str]:
        try:
            view = await self._qualifications.answer(
                self.view.id,
                given.text,
                question=question.id,
                channel=Channel.VOICE,
                by=self._by,
                recording=given.recording,
            )
        except Refused as refused:
            return await self._not_taken(question, refused)
        self._moved(view)
        if given.hung_up:
            raise HungUp
        return []

    async def _not_taken(self, question: Question, refused: Refused) -> list[str]:
        if refused.kind == "unreachable":
            raise refused
        log.info("an answer on the phone was not taken", question=question.id, why=refused.kind)
        self.view = await self._qualifications.show(self.view.id)
        if self._question() != question:
            # Somebody else has answered it meanwhile.
            self._misses = 0
            return []
        return await self._missed(question, Missed(wrong(question, self._voice.language)))

    async def _missed(self, question: Question, missed: Missed) -> list[str]:
        self._misses += 1
        if self._misses < question.tries or not question.optional:
            return await self._voice.say(missed.why)
        await self._skip(no_answer=True)
        return await self._voice.phrases(["left-out"])

    async def _wished(self, question: Question, wish: Wish) -> list[str]:
        if wish is Wish.HELP and question.help:
            return await self._voice.extra(question.help)
        if wish is Wish.HELP:
            return await self._voice.phrases(["no-help"])
        if wish is Wish.SKIP and not question.optional:
            return await self._voice.phrases(["no-skip"])
        if wish is Wish.SKIP:
            await self._skip()
        if wish is Wish.BACK:
            try:
                self._moved(await self._qualifications.back(self.view.id))
            except Refused:
                return await self._voice.phrases(["first"])
        return []

    async def _skip(self, *, no_answer: bool = False) -> None:
        skipped = await self._qualifications.skip(self.view.id, Channel.VOICE, self._by, no_answer=no_answer)
        self._moved(skipped)

    def _moved(self, view: QualificationView) -> None:
        self.view = view
        self._misses = 0


def said_in(script: Script, language: str) -> tuple[list[str], list[str]]:
    """What may be said in an interview, in the order in which it may be needed: texts of the script's, and
    words of the product's own."""
    texts = []
    for question in script.questions:
        texts += [question.wording.voice or question.wording.console, question.help]
    own = [hint for question in script.questions for hint in hints(script, question, language)]
    own += [text for text in PHRASES[spoken_in(language)].values() if "{" not in text]
    return texts, list(dict.fromkeys(own))


async def render(speaker: Speaker, script: Script, language: str) -> None:
    """Beforehand, so that not even the first lead waits; `language` is that of scripts which say none."""
    voice = Voice(speaker, script.language or language)
    await voice.prepare(*said_in(script, voice.language))
