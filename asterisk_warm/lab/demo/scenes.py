"""The scenes: who does what, when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from asterisk_warm.config.handoff import KeySettings
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Handoff, LeadIs
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.wording import fill, spoken_key
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.demo.lanes import Key, Prelude
from asterisk_warm.lab.demo.voices import Voice
from asterisk_warm.lab.demo.watch import Watch
from asterisk_warm.lab.phones import Phone
from asterisk_warm.lab.stage import AGENTS
from asterisk_warm.lab.tones import Samples

LEAD_NAME, LEAD_NUMBER = "Grant Weatherly", "+15551230001"
QUALIFIER_NAME = "Quinn Harper"
SUMMARY = "home insurance, renews in three weeks"

_BETWEEN_KEYS = 0.25

TEAM_NAME = "Sales"
TEMPLATES = TemplateSettings(introduction="Thank you, here is {agent}.")
TEAMS = {"sales": {"name": TEAM_NAME, "agents": [*AGENTS], "templates": TEMPLATES.model_dump()}}

LINES: Mapping[str, tuple[str, str]] = {
    "hello": (LEAD, "Hello, this is Grant."),
    "moment": (QUALIFIER, "Hi Grant, I will get you a colleague."),
    "thanks": (LEAD, "Thank you, Quinn."),
    "here is ben": (QUALIFIER, "Grant, here is Ben."),
    "hi ben": (LEAD, "Hi Ben."),
    "ben": ("ben", "Hi Grant, I have your policy here."),
    "ana": ("ana", "Hi Grant, this is Ana."),
    "ben 2": ("ben", "Hi Grant, this is Ben."),
}
"""What the people say: name → (who, text)."""

CALLER_ID = f"[qualifier](+)\ncallerid = {QUALIFIER_NAME} <qualifier>\n"
"""For pjsip.conf: by what name the qualifier's phone is known."""


def introductions() -> dict[str, str]:
    """What the lead hears as each agent comes."""
    return {agent: fill(TEMPLATES.introduction, {"agent": name}) for agent, name in AGENTS.items()}


def announced() -> list[str]:
    """All that the daemon will have to say, so that it can be made beforehand."""
    pressed = KeySettings().model_dump()
    return [
        fill(TEMPLATES.briefing, {"name": LEAD_NAME, "summary": SUMMARY}),
        fill(TEMPLATES.instructions, {action: spoken_key(key) for action, key in pressed.items()}),
        *introductions().values(),
        *(fill(TEMPLATES.taken, {"agent": name}) for name in AGENTS.values()),
    ]


def dialplan(sounds: Path) -> str:
    """What the lead calls, with a qualifier to answer or without, and where Ana is when she is in another
    call."""
    return f"""
exten => live,1,Set(WARM_LEAD_SUMMARY={SUMMARY})
 same => n,Dial(PJSIP/qualifier,20,b(warm-arm^s^1(sales)))
 same => n,Hangup()
exten => demo,1,Set(WARM_LEAD_SUMMARY={SUMMARY})
 same => n,Gosub(warm-handoff,s,1(sales,comfort=1))
 same => n,Log(NOTICE,demo ${{WARM_STATUS}})
 same => n,GotoIf($["${{WARM_STATUS}}" = "CONNECTED"]?done)
 same => n,Playback({sounds}/prompts/sorry)
 same => n(done),Hangup()
exten => elsewhere,1,Answer()
 same => n,MusicOnHold(music)
"""


@dataclass
class Play:
    """A scene while it runs: the phones, their calls, and what the handoff has come to."""

    lead: Phone
    phones: Mapping[str, Phone]
    """Everybody else's, by who: the agent's id, or "qualifier"."""
    sounds: Mapping[str, Samples]
    watch: Watch
    calls: dict[str, Call] = field(default_factory=dict)
    """By who, "lead" among them."""
    voices: dict[str, Voice] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def lead_calls(self, extension: str) -> None:
        await self._speaks(LEAD, await self.lead.dial(extension))

    async def lead_talks_to_qualifier(self, *, after: float) -> None:
        """Lead and qualifier are in a call of Asterisk's own, which the qualifier answers after a time."""
        await self.lead_calls("live")
        self.watch.prelude = Prelude(LEAD_NAME, QUALIFIER_NAME, self.calls[LEAD].began_at)
        await self.rings(QUALIFIER)
        await self.answers(QUALIFIER, after=after)
        await self.calls[LEAD].answered()
        self.watch.prelude = replace(self.watch.prelude, answered_at=self.calls[QUALIFIER].answered_at)

    async def rings(self, *who: str) -> None:
        """Wait until all of them ring, at once."""
        calls = await asyncio.gather(*(self.phones[one].rings(timeout=15.0) for one in who))
        self.calls.update(zip(who, calls, strict=True))

    async def answers(self, who: str, *, after: float) -> None:
        await asyncio.sleep(after)
        await self.calls[who].answer()
        await self._speaks(who, self.calls[who])

    async def presses(self, who: str, keys: str, *, after: float) -> None:
        """One key after the other, as fast as a phone sends them."""
        await asyncio.sleep(after)
        for key in keys[:-1]:
            await self.calls[who].press(key)
            await asyncio.sleep(_BETWEEN_KEYS)
        # Before the handoff begins only the phone knows of it.
        if self.watch.prelude is not None and not self.watch.chapters and who == QUALIFIER:
            self.watch.prelude = replace(self.watch.prelude, key=Key(time.time(), keys))
        await self.calls[who].press(keys[-1])

    async def says(self, who: str, line: str, *, answered: bool = False) -> None:
        """With `answered`, until somebody else may begin to speak."""
        await self.voices[who].say(self.sounds[line], answered=answered)

    async def talk(self, *lines: tuple[str, str]) -> None:
        """(who, line) after (who, line)."""
        for who, line in lines[:-1]:
            await self.says(who, line, answered=True)
        await self.says(*lines[-1])

    async def _speaks(self, who: str, call: Call) -> None:
        self.calls[who] = call
        self.voices[who] = await self.stack.enter_async_context(Voice(call))

    async def lead_hangs_up(self) -> None:
        await self.calls[LEAD].hang_up()
        await asyncio.gather(*(call.ended() for call in self.calls.values()))


def three_talk(handoff: Handoff) -> bool:
    """Is the agent with the lead, and the qualifier too?"""
    return handoff.state is State.INTRODUCING and handoff.lead_is is LeadIs.WITH_AGENT


async def qualifier_stays(play: Play) -> None:
    """Quinn talks to the lead and goes on while agents ring; Ana declines, Ben accepts, Quinn introduces him
    and leaves."""
    await play.lead_talks_to_qualifier(after=0.3)
    await asyncio.gather(
        play.talk((LEAD, "hello"), (QUALIFIER, "moment"), (LEAD, "thanks")), _asked_for_and_briefed(play)
    )
    await play.watch.until(three_talk)
    await play.says(QUALIFIER, "here is ben", answered=True)
    await asyncio.gather(play.says("ben", "ben", answered=True), play.presses(QUALIFIER, "*2", after=1.3))
    await play.calls[QUALIFIER].ended()
    await play.says(LEAD, "hi ben")
    await play.lead_hangs_up()


async def _asked_for_and_briefed(play: Play) -> None:
    # While the lead speaks: a phone is silent for as long as its keys are pressed.
    await play.presses(QUALIFIER, "*5", after=0.8)
    await play.rings("ana", "ben", "cleo")
    await asyncio.gather(play.answers("ana", after=0.3), play.answers("ben", after=0.6))
    await asyncio.gather(play.presses("ana", "2", after=0.7), play.presses("ben", "1", after=2.8))


async def warm_handoff(play: Play) -> None:
    """Ana declines, Cleo never answers, Ben takes the lead."""
    await play.lead_calls("demo")
    await play.calls[LEAD].answered()
    hello = asyncio.create_task(play.says(LEAD, "hello"))
    await play.rings("ana", "ben", "cleo")
    await asyncio.gather(play.answers("ana", after=0.3), play.answers("ben", after=0.6))
    # Ben has heard who waits and why.
    await asyncio.gather(play.presses("ana", "2", after=1.3), play.presses("ben", "1", after=3.3), hello)
    await play.watch.until(lambda handoff: handoff.state is State.CONNECTED)
    await play.talk(("ben", "ben"), (LEAD, "hi ben"))
    await play.lead_hangs_up()


async def nobody_free(play: Play) -> None:
    """Ana is in another call, Ben turns the call away, Cleo's phone is off."""
    other = await play.phones["ana"].dial("elsewhere")
    await asyncio.gather(other.answered(), play.phones["cleo"].unregister())
    try:
        await play.lead_calls("demo")
        await play.rings("ben")
        # Before a comfort announcement would begin, which the reason would cut.
        await asyncio.sleep(0.6)
        await play.calls["ben"].busy()
        await play.calls[LEAD].ended(timeout=10.0)
    finally:
        await other.hang_up()
        await play.phones["cleo"].register()


async def two_accepts(play: Play) -> None:
    """Ana and Ben press 1 in the same instant."""
    await play.lead_calls("demo")
    await play.rings("ana", "ben", "cleo")
    await asyncio.gather(play.answers("ana", after=0.3), play.answers("ben", after=0.3))
    await asyncio.sleep(1.5)
    await asyncio.gather(*(play.calls[agent].press("1") for agent in ("ana", "ben")))
    handoff = await play.watch.until(lambda seen: seen.state is State.CONNECTED)
    winner = next(offer.agent.id for offer in handoff.offers if offer.state is OfferState.ACCEPTED)
    loser = "ben" if winner == "ana" else "ana"
    await play.says(winner, "ana" if winner == "ana" else "ben 2")
    await play.calls[loser].ended()
    await play.lead_hangs_up()


@dataclass(frozen=True)
class Scene:
    number: int
    title: str
    plot: str
    play: Callable[[Play], Awaitable[None]]


SCENES = (
    Scene(
        1,
        "The qualifier stays",
        "Quinn talks on with the lead while three agents ring. Ana declines, Ben accepts, Quinn introduces "
        "him and leaves.",
        qualifier_stays,
    ),
    Scene(
        2,
        "The lead waits",
        "Nobody is on the line: Grant hears music. Ana declines, Cleo never answers, Ben accepts.",
        warm_handoff,
    ),
    Scene(
        3,
        "Nobody free",
        "Ana is in another call, Ben is busy, Cleo's phone is off: the lead comes back with a reason.",
        nobody_free,
    ),
    Scene(
        4,
        "Two accepts at once",
        "Ana and Ben press 1 in the same instant: one wins, the other hears by whom the call was taken.",
        two_accepts,
    ),
)


@asynccontextmanager
async def on_stage(
    lead: Phone, others: Mapping[str, Phone], sounds: Mapping[str, Samples], watch: Watch
) -> AsyncIterator[Play]:
    """A play whose people fall silent at its end."""
    async with AsyncExitStack() as stack:
        yield Play(lead, others, sounds, watch, stack=stack)
