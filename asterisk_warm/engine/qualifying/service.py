"""Leads being asked: begun, answered one question at a time by whichever channel, resumed, finished."""

from __future__ import annotations

import builtins
import time
from collections.abc import Sequence
from datetime import datetime, tzinfo
from math import isfinite

import structlog

from asterisk_warm.core.handoff.options import LANGUAGE, LIMITS, RECORDING, clean
from asterisk_warm.core.numbers import e164
from asterisk_warm.core.presence import By
from asterisk_warm.core.script import running
from asterisk_warm.core.script.answers import Answer, Given, Qualification
from asterisk_warm.core.script.model import Channel, Question, Script, Verdict
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_qualification_id
from asterisk_warm.engine.leads.ports import LeadStore
from asterisk_warm.engine.qualifying.earlier import gone_on_with
from asterisk_warm.engine.qualifying.keeping import Finished, Keeping, nobody, over
from asterisk_warm.engine.qualifying.ports import QualificationStore
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.views import QualificationView, by_words

log = structlog.get_logger(__name__)

REASON_LIMIT = 200
SCRIPT_LIMIT = 64
SCORE_AT_MOST = 1e9


class QualificationService:
    """Every method may raise Refused (unreachable), and Refused (conflict) where a script's version cannot be
    read any more."""

    def __init__(
        self,
        store: QualificationStore,
        scripts: ScriptService,
        leads: LeadStore,
        *,
        region: str,
        zone: tzinfo,
        finished: Finished = nobody,
    ) -> None:
        """`region`: where numbers without a country code are from; `zone`: where a day begins; `finished` is
        told of each verdict."""
        self._kept = Keeping(store, scripts, leads, finished)
        self._scripts = scripts
        self._region = region
        self._zone = zone

    # -- seeing ----------------------------------------------------------------------------------------------

    async def show(self, id: str) -> QualificationView:
        """Raises Refused (not_found)."""
        return await self._kept.view(await self._kept.get(id))

    async def meant(self, id: str) -> str:
        """The id of the one that is meant by that, or by its beginning or end. Raises Refused (not_found,
        conflict)."""
        return await self._kept.meant(id)

    async def list(
        self, limit: int, *, open_only: bool = False, lead: str = ""
    ) -> Sequence[QualificationView]:
        """Newest first; those of one lead by when they were last changed."""
        if lead:
            found = await self._kept.of_lead(self._key(lead), limit)
            found = [one for one in found if not (open_only and one.ended_at is not None)]
        else:
            found = await self._kept.latest(limit, open_only=open_only)
        return await self._views(found)

    async def _views(self, found: Sequence[Qualification]) -> builtins.list[QualificationView]:
        return [view for one in found if (view := await self._kept.view_if_readable(one)) is not None]

    async def latest(self, lead: str, script: str = "") -> QualificationView | None:
        """The one of a lead (by that script) that was changed last."""
        found = await self._kept.of_lead(self._key(lead))
        return next(iter(await self._views([one for one in found if script in ("", one.script)][:1])), None)

    # -- asking ----------------------------------------------------------------------------------------------

    async def begin(
        self,
        script: str,
        lead: str,
        *,
        language: str = "",
        by: By,
        channel: Channel,
        fresh: bool = False,
    ) -> QualificationView:
        """A lead is to be asked; `lead` is their number, or empty. An open qualification of the same lead and
        script goes on (as the version that it began with), a finished one that still holds is the answer, and
        what is known from earlier ones is not asked again; with `fresh`, all is. Raises Refused (not_found,
        invalid)."""
        number, now, language = self._key(lead), time.time(), _language(language)
        published = await self._scripts.script(script)
        current = published.script
        found = () if fresh else await self._kept.of_lead(number)
        earlier = [one for one in found if one.script == current.id and one.given is None]
        standing = await gone_on_with(self._scripts, earlier, published, now)
        if standing is not None:
            return await self._kept.view(standing)
        said = sorted((answer for one in earlier for answer in one.answers), key=lambda answer: answer.at)
        begun = Qualification(
            id=new_qualification_id(),
            script=current.id,
            version=published.version.version,
            lead=number,
            language=language or current.language,
            started_at=now,
            updated_at=now,
            answers=running.carry(current, said, now),
        )
        log.info("qualification begun", id=begun.id, script=script, by=by_words(by), channel=channel.value)
        new = await self._kept.save(current, begun)
        assert new is not None, "nobody else knows its id"
        return new

    async def answer(
        self,
        id: str,
        text: str,
        *,
        question: str = "",
        channel: Channel,
        by: By,
        recording: str = "",
        seen: int | None = None,
    ) -> QualificationView:
        """Take down an answer: to the question that is asked now, or to the one named, which may have been
        answered before. `seen`, here and below: nothing is changed if the qualification is at another
        revision. Raises Refused (not_found, invalid, conflict)."""

        def take(script: Script, found: Qualification) -> tuple[Answer, ...]:
            now, asked = time.time(), _asked(script, meant)
            return running.take(
                script,
                found.answers,
                asked,
                text,
                at=now,
                on=self._day(now),
                by=by.who,
                channel=channel,
                asked=running.wording(asked, channel),
                recording=recording,
                region=self._region,
            )

        if recording and not (RECORDING.fullmatch(recording) and len(recording) <= LIMITS["recording"]):
            raise Refused("invalid", f'"{clean(recording, 40)}" is no name of a recording', "see docs/agi.md")
        meant = question or await self._asked_now(id, seen)
        return await self._kept.change(id, take, seen)

    async def skip(
        self, id: str, channel: Channel, by: By, *, seen: int | None = None, no_answer: bool = False
    ) -> QualificationView:
        """Leave out the question that is asked now; `no_answer`: because nothing came that would do. Raises
        Refused (not_found, invalid, conflict)."""

        def skip(script: Script, found: Qualification) -> tuple[Answer, ...]:
            now, asked = time.time(), _asked(script, meant)
            return running.skip(
                script,
                found.answers,
                asked,
                at=now,
                on=self._day(now),
                by=by.who,
                channel=channel,
                asked=running.wording(asked, channel),
                no_answer=no_answer,
            )

        meant = await self._asked_now(id, seen)
        return await self._kept.change(id, skip, seen)

    async def back(self, id: str, *, seen: int | None = None) -> QualificationView:
        """Take back the last answer; its question is asked again. Raises Refused (not_found, conflict)."""

        def back(script: Script, found: Qualification) -> tuple[Answer, ...]:
            before = running.back(script, found.answers)
            if before == found.answers:
                raise Refused("conflict", "there is no answer to take back")
            return before

        return await self._kept.change(id, back, seen)

    async def _asked_now(self, id: str, seen: int | None) -> str:
        """Once and for all: the next question is not meant if others answer this one meanwhile."""
        script, found = await self._kept.in_progress(id, seen)
        asked = running.next_question(script, found.answers)
        if asked is None:
            raise over(found)
        return asked.id

    # -- handed over by others -------------------------------------------------------------------------------

    async def give(
        self,
        lead: str,
        script: str,
        score: float,
        verdict: str,
        reason: str,
        summary: str,
        by: By,
    ) -> QualificationView:
        """Keep the finished qualification of another system; `script` is whatever that calls it. Raises
        Refused (invalid)."""
        verdicts = [one.value for one in Verdict]
        if verdict not in verdicts:
            raise Refused("invalid", f'no verdict "{clean(verdict, 40)}"', f"one of {', '.join(verdicts)}")
        if not isfinite(score) or abs(score) > SCORE_AT_MOST:
            raise Refused("invalid", "the score is no number that can be kept", "give another one")
        name = clean(script, SCRIPT_LIMIT)
        if not name:
            raise Refused("invalid", "a qualification needs the name of a script", "give `script`")
        now = time.time()
        given = Given(
            score,
            Verdict(verdict),
            clean(reason, REASON_LIMIT),
            clean(summary, LIMITS["summary"]),
            by_words(by),
        )
        kept = Qualification(
            id=new_qualification_id(),
            script=name,
            version=0,
            lead=self._key(lead),
            language="",
            started_at=now,
            updated_at=now,
            ended_at=now,
            given=given,
        )
        return await self._kept.keep_given(kept)

    # -- parts -----------------------------------------------------------------------------------------------

    def number(self, lead: str) -> str:
        """E.164; empty when it is no telephone number."""
        return e164(lead, self._region)

    def _key(self, lead: str) -> str:
        """As a lead is found: E.164, or whatever caller ID they have."""
        return self.number(lead) or clean(lead, LIMITS["number"])

    def _day(self, now: float) -> str:
        return datetime.fromtimestamp(now, self._zone).date().isoformat()


def _asked(script: Script, id: str) -> Question:
    """Raises Refused (not_found)."""
    question = script.question(id)
    if question is None:
        known = ", ".join(one.id for one in script.questions[:20])
        raise Refused("not_found", f'{script.id} has no question "{clean(id, 40)}"', f"one of {known}")
    return question


def _language(language: str) -> str:
    """Raises Refused (invalid)."""
    if language and not LANGUAGE.fullmatch(language.lower()):
        raise Refused("invalid", f'"{clean(language, 40)}" is no language', "write en, es, …")
    return language.lower()
