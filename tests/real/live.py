"""A qualifier on the line with the lead, as the scenes of `stay` and `consult` begin."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scene import LEAD_NAME, LEAD_NUMBER, LEAD_TONE, TONES, Scene, api, command, until
from second_phone import SecondCall, SecondPhone

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import AGENT_HZ

QUALIFIER = "qualifier"
QUALIFIER_TONE = AGENT_HZ[9]


@dataclass
class LiveScene(Scene):
    """The lead has called, and talks to the qualifier in a call of Asterisk's own."""

    qualifier: Phone | SecondPhone = field(init=False)
    quinn: Call | SecondCall = field(init=False)
    """The qualifier's call."""

    @classmethod
    async def talking(
        cls,
        stage: Stage,
        phones: Phones,
        agents: Sequence[str] = tuple(AGENTS),
        extension: str = "live",
        qualifier: Phone | SecondPhone | None = None,
    ) -> LiveScene:
        scene = await cls.set(stage, phones, agents)
        assert isinstance(scene, LiveScene)
        scene.qualifier = qualifier or await phones.register(QUALIFIER, tone_hz=QUALIFIER_TONE)
        await scene.dial(extension)
        scene.quinn = await scene.qualifier.rings()
        await scene.quinn.answer()
        await scene.call.answered()
        # What a phone asks for within a millisecond of that, before they are in a bridge, Asterisk refuses.
        await scene.call.listen_for(0.1)
        return scene

    async def qualifier_channel(self) -> str:
        """The unique id of the qualifier's channel."""

        def found() -> str | None:
            lines = self.stage.pbx.cli("core show channels concise").splitlines()
            return next(
                (line.split("!")[-1] for line in lines if line.startswith(f"PJSIP/{QUALIFIER}-")), None
            )

        return await until(found, 5.0, "the qualifier's channel")

    async def hand_off(self, team: str = "tones", mode: str = "stay", **more: object) -> dict[str, Any]:
        """By the API."""
        body = {"qualifier": await self.qualifier_channel(), "team": team, "mode": mode, **more}
        status, answer = await api(self.stage, "POST", "/v1/handoffs", body)
        assert status == 201, answer
        return dict(answer)

    async def offered(self, team: str = "tones", mode: str = "stay", **more: object) -> dict[str, Call]:
        """Handed off, and every agent's phone rings."""
        await self.hand_off(team, mode, **more)
        return await self.all_ring()

    async def accepted(self, agent: str, team: str = "tones", mode: str = "stay") -> dict[str, Call]:
        """This agent has accepted: a talk of three, or a consult."""
        calls = await self.offered(team, mode)
        await calls[agent].answer()
        await self.offer_is(agent, "BRIEFING")
        await calls[agent].press("1")
        if mode == "consult":
            await self.handoff("CONSULTING")
        else:
            await self.seen(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent", "three")
        return calls

    async def presses(self, keys: str) -> None:
        """The qualifier, on their phone, key by key."""
        for key in keys:
            await self.quinn.press(key)
            await asyncio.sleep(0.25)  # a phone sends keys no faster

    async def asks(self, action: str) -> dict[str, Any]:
        """The same by the API."""
        newest = (await self.seen(lambda _: True, "any"))["id"]
        status, answer = await api(self.stage, "POST", f"/v1/handoffs/{newest}/{action}")
        assert status == 200, answer
        return dict(answer)


__all__ = ["LEAD_NAME", "LEAD_NUMBER", "LEAD_TONE", "TONES", "LiveScene", "command"]
