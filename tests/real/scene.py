"""What the scenes have in common: who is who, and what everyone must have heard in the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from asterisk_warm.lab.call import Call
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ, MUSIC_HZ

LEAD_TONE = LEAD_HZ[0]
TONES = dict(zip(AGENTS, AGENT_HZ, strict=False))
LEAD_NAME, LEAD_NUMBER = "Grant Weatherly", "+15551230001"


@dataclass
class Scene:
    """A lead and some agents, before anything happens."""

    stage: Stage
    lead: Phone
    agents: dict[str, Phone]
    call: Call = field(init=False)

    @classmethod
    async def set(cls, stage: Stage, phones: Phones, agents: tuple[str, ...] = tuple(AGENTS)) -> Scene:
        lead = phones.lead(LEAD_NAME, LEAD_NUMBER, tone_hz=LEAD_TONE)
        return cls(stage, lead, {a: await phones.register(a, tone_hz=TONES[a]) for a in agents})

    async def dial(self, team: str) -> Call:
        self.call = await self.lead.dial(team)
        return self.call

    async def all_ring(self, timeout: float = 8.0) -> dict[str, Call]:
        calls = await asyncio.gather(*(phone.rings(timeout) for phone in self.agents.values()))
        return dict(zip(self.agents, calls, strict=True))

    async def returned(self, seconds: float = 15.0) -> dict[str, Any]:
        """The lead is back in the dialplan and the call over: the settled handoff, checked against what the dialplan was told."""
        handoff = await self.stage.settled(seconds=seconds)
        pattern = rf"lab-returned .* status={handoff['status']} .*"
        await asyncio.to_thread(self.stage.pbx.wait_for_log, pattern)
        return handoff


def offer(handoff: dict[str, Any], agent: str, nth: int = -1) -> dict[str, Any]:
    """The agent's latest (or nth) offer in a handoff as the API shows it."""
    return [dict(o) for o in handoff["offers"] if o["agent_id"] == agent][nth]


MUSIC = MUSIC_HZ[0]
