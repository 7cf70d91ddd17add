"""The three scenes: who does what, when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_warm.config.models import KeySettings, TemplateSettings
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.wording import fill, spoken_key
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.demo.voices import Voice
from asterisk_warm.lab.demo.watch import Watch
from asterisk_warm.lab.phones import Phone
from asterisk_warm.lab.stage import AGENTS
from asterisk_warm.lab.tones import Samples

LEAD_NAME, LEAD_NUMBER = "Grant Weatherly", "+15551230001"
SUMMARY = "home insurance, renews in three weeks"

TEAM_NAME = "Sales"
TEMPLATES = TemplateSettings(introduction="Thank you, here is {agent}.")
TEAMS = {"sales": {"name": TEAM_NAME, "agents": [*AGENTS], "templates": TEMPLATES.model_dump()}}

LINES: Mapping[str, tuple[str, str]] = {
    "hello": ("lead", "Hello, this is Grant, about my home insurance."),
    "hi ben": ("lead", "Hi Ben."),
    "ben": ("ben", "Hi Grant, Ben here, about your policy."),
    "ana": ("ana", "Hi Grant, this is Ana."),
    "ben 2": ("ben", "Hi Grant, this is Ben."),
}
"""What the people say: name → (who, text)."""


def introductions() -> dict[str, str]:
    """What the lead hears as each agent comes."""
    return {agent: fill(TEMPLATES.introduction, {"agent": name}) for agent, name in AGENTS.items()}


def announced() -> list[str]:
    """All that the daemon will have to say, so that it can be made beforehand."""
    keys = KeySettings()
    pressed = {"accept": keys.accept, "decline": keys.decline, "repeat": keys.repeat}
    return [
        fill(TEMPLATES.briefing, {"name": LEAD_NAME, "summary": SUMMARY}),
        fill(TEMPLATES.instructions, {action: spoken_key(key) for action, key in pressed.items()}),
        *introductions().values(),
        *(fill(TEMPLATES.taken, {"agent": name}) for name in AGENTS.values()),
    ]


def dialplan(sounds: Path) -> str:
    """What the lead calls, and where Ana is when she is in another call."""
    return f"""
exten => demo,1,Set(WARM_LEAD_SUMMARY={SUMMARY})
 same => n,Gosub(warm-handoff,s,1(sales,comfort=1.5))
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
    agents: Mapping[str, Phone]
    sounds: Mapping[str, Samples]
    watch: Watch
    calls: dict[str, Call] = field(default_factory=dict)
    """By who: "lead" or the agent's id."""
    voices: dict[str, Voice] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def lead_calls(self) -> None:
        await self._speaks("lead", await self.lead.dial("demo"))

    async def rings(self, *agents: str) -> None:
        """Wait until all of them ring, at once."""
        calls = await asyncio.gather(*(self.agents[agent].rings(timeout=15.0) for agent in agents))
        self.calls.update(zip(agents, calls, strict=True))

    async def answers(self, agent: str, *, after: float) -> None:
        await asyncio.sleep(after)
        await self.calls[agent].answer()
        await self._speaks(agent, self.calls[agent])

    async def presses(self, agent: str, key: str, *, after: float) -> None:
        await asyncio.sleep(after)
        await self.calls[agent].press(key)

    async def says(self, who: str, line: str) -> None:
        await self.voices[who].say(self.sounds[line])

    async def _speaks(self, who: str, call: Call) -> None:
        self.calls[who] = call
        self.voices[who] = await self.stack.enter_async_context(Voice(call))

    async def lead_hangs_up(self) -> None:
        await self.calls["lead"].hang_up()
        await asyncio.gather(*(call.ended() for call in self.calls.values()))


async def warm_handoff(play: Play) -> None:
    """Ana declines, Cleo never answers, Ben takes the lead."""
    await play.lead_calls()
    await play.calls["lead"].answered()
    hello = asyncio.create_task(play.says("lead", "hello"))
    await play.rings("ana", "ben", "cleo")
    await asyncio.gather(play.answers("ana", after=0.7), play.answers("ben", after=1.3))
    await asyncio.gather(play.presses("ana", "2", after=1.5), play.presses("ben", "1", after=3.6), hello)
    await play.watch.until(lambda handoff: handoff.state is State.CONNECTED)
    await play.says("ben", "ben")
    await play.says("lead", "hi ben")
    await play.lead_hangs_up()


async def nobody_free(play: Play) -> None:
    """Ana is in another call, Ben turns the call away, Cleo's phone is off."""
    other = await play.agents["ana"].dial("elsewhere")
    await asyncio.gather(other.answered(), play.agents["cleo"].unregister())
    try:
        await play.lead_calls()
        await play.rings("ben")
        await asyncio.sleep(1.2)
        await play.calls["ben"].busy()
        await play.calls["lead"].ended(timeout=10.0)
    finally:
        await other.hang_up()
        await play.agents["cleo"].register()


async def two_accepts(play: Play) -> None:
    """Ana and Ben press 1 in the same instant."""
    await play.lead_calls()
    await play.rings("ana", "ben", "cleo")
    await asyncio.gather(play.answers("ana", after=0.6), play.answers("ben", after=0.6))
    await asyncio.sleep(2.0)
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
        "A warm handoff",
        "Three agents ring at once. Ana hears who it is and declines, Cleo never answers, Ben accepts.",
        warm_handoff,
    ),
    Scene(
        2,
        "Nobody free",
        "Ana is in another call, Ben is busy, Cleo's phone is off: the lead comes back with a reason.",
        nobody_free,
    ),
    Scene(
        3,
        "Two accepts at once",
        "Ana and Ben press 1 in the same instant: one wins, the other hears by whom the call was taken.",
        two_accepts,
    ),
)


@asynccontextmanager
async def on_stage(
    lead: Phone, agents: Mapping[str, Phone], sounds: Mapping[str, Samples], watch: Watch
) -> AsyncIterator[Play]:
    """A play whose people fall silent at its end."""
    async with AsyncExitStack() as stack:
        yield Play(lead, agents, sounds, watch, stack=stack)
