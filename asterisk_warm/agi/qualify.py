"""The scripts `qualify`, `score` and `answer`: a lead is asked on the phone, or by an IVR of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import unquote

from asterisk_warm.agi.answer import Answer, Result
from asterisk_warm.agi.asking import Asking
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.interview import Interview
from asterisk_warm.agi.phone import HungUp, Phone
from asterisk_warm.agi.text import clean
from asterisk_warm.agi.voice import Voice
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.model import Channel
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.qualifying.views import QualificationView

OPTIONS = ("language", "fresh", "lead")
OF_QUALIFICATION = (
    *("WARM_QUALIFICATION", "WARM_COMPLETE", "WARM_SCORE", "WARM_VERDICT", "WARM_VERDICT_REASON"),
    *("WARM_SUMMARY", "WARM_LEAD_QUALIFICATION"),
)
TAKEN_ALONG = "WARM_LEAD_QUALIFICATION"
"""By which `warm-handoff`, or a later script, knows the qualification of a lead without a number."""
LEAD = "lead"
"""Who answers, as an answer says."""


async def qualify(call: Call, arguments: Sequence[str]) -> Answer:
    """`SCRIPT[,language=…][,fresh=yes][,lead=NUMBER]`: ask the lead all that is still to be asked."""
    script, options = arguments[0], _options(arguments[1:])
    await call.channel.set("WARM_RESULT", "")
    by = By(LEAD, call.source)
    began_at = call.now()
    view = await _begin(call, script, options, by)
    published = await call.services.scripts.script(view.script, view.version)
    phone, voice = Phone(call.channel), Voice(call.speaker, view.language or call.language)
    asking = Asking(
        phone, voice, published.script, call.services.recordings, lambda: date.fromtimestamp(call.now())
    )
    interview = Interview(phone, voice, asking, call.services.qualifications, published.script, view, by)
    try:
        await phone.answer()
        await interview.run(resumed=view.started_at < began_at)
    except HungUp:
        pass
    except Refused as refused:
        failed = Answer.of(refused)
        return Answer(failed.result, failed.cause, told(interview.view))
    finally:
        voice.close()
    return Answer(Result.OK, variables=told(interview.view))


async def _begin(call: Call, script: str, options: Mapping[str, str], by: By) -> QualificationView:
    fresh = options.get("fresh", "no") == "yes"
    lead = await call.lead(options.get("lead", ""))
    under_way = None if fresh or lead else await _of_channel(call, script)
    if under_way is not None and not under_way.complete:
        return under_way
    return await call.services.qualifications.begin(
        script,
        lead,
        language=options.get("language", ""),
        by=by,
        channel=Channel.VOICE,
        fresh=fresh,
    )


async def score(call: Call, arguments: Sequence[str]) -> Answer:
    """`SCRIPT[,NUMBER]`: what the latest qualification amounts to."""
    script, number = (*arguments, "")[:2]
    view = None if number else await _of_channel(call, script)
    lead = await call.lead(number)
    if view is None and lead:
        view = await call.services.qualifications.latest(lead, script)
    if view is None:
        raise Refused("not_found", f"no qualification of this lead by the script {clean(script, 40)!r}")
    return Answer(Result.OK, variables=told(view))


async def answer_one(call: Call, arguments: Sequence[str]) -> Answer:
    """`SCRIPT,QUESTION,VALUE[,NUMBER]`: take down one answer."""
    script, question, value, number = (*arguments, "")[:4]
    by = By(LEAD, call.source)
    view = None if number else await _of_channel(call, script)
    if view is None:
        lead = await call.lead(number)
        view = await call.services.qualifications.begin(script, lead, by=by, channel=Channel.DIALPLAN)
    view = await call.services.qualifications.answer(
        view.id, unquote(value), question=question, channel=Channel.DIALPLAN, by=by
    )
    following = view.question.id if view.question is not None else ""
    return Answer(Result.OK, variables={**told(view), "WARM_QUESTION": following})


def told(view: QualificationView) -> dict[str, str]:
    """A qualification as variables."""
    return {
        "WARM_QUALIFICATION": view.id,
        "WARM_COMPLETE": "yes" if view.complete else "no",
        "WARM_SCORE": f"{view.score:g}",
        "WARM_VERDICT": view.verdict or "",
        "WARM_VERDICT_REASON": clean(view.reason),
        "WARM_SUMMARY": clean(view.summary, 500),
        TAKEN_ALONG: view.id,
    }


async def _of_channel(call: Call, script: str) -> QualificationView | None:
    """The qualification by that script that an earlier step of this call began, if one has."""
    id = await call.channel.get(TAKEN_ALONG)
    if not id:
        return None
    try:
        view = await call.services.qualifications.show(id)
    except Refused as refused:
        if refused.kind != "not_found":
            raise
        return None
    return view if view.script == script else None


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """Raises Refused."""
    given = {}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in OPTIONS or not value:
            known = ", ".join(f"{name}=…" for name in OPTIONS)
            raise Refused("invalid", f"there is no option {clean(argument, 40)!r}", f"use {known}")
        given[key] = value
    if given.get("fresh", "no") not in ("yes", "no"):
        raise Refused("invalid", f"fresh is {clean(given['fresh'], 40)!r}", "use fresh=yes or fresh=no")
    return given
