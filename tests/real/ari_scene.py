"""What most scenes of the ARI adapter begin with: a lead who was secured, and an agent who has answered."""

from __future__ import annotations

from adapters import Adapters, bridge, leg

from asterisk_warm.core.handoff.events import AgentAnswered
from asterisk_warm.engine.ports.calls import Shown
from asterisk_warm.engine.ports.pbx import LegGone
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ, MUSIC_HZ

ANA_HZ, LEAD_TONE, MUSIC = AGENT_HZ[0], LEAD_HZ[0], MUSIC_HZ[0]
GRANT, ANA = Shown("Grant", "+1555"), Shown("Ana Lopez", "201")


class Talk:
    """A lead who was secured and an agent who has answered: what most scenes begin with."""

    def __init__(self, adapters: Adapters, phones: Phones) -> None:
        self.adapters, self.phones = adapters, phones
        self.pbx, self.engine = adapters.pbx, adapters.engine

    async def begin(self, extension: str = "sales") -> Talk:
        self.call: Call = await self.phones.lead("Grant Weatherly", "+15551230001", tone_hz=LEAD_TONE).dial(
            extension
        )
        await self.secured()
        return self

    async def secured(self) -> None:
        self.lead, self.handoff = await self.adapters.lead_at_door()
        self.bridge, self.leg = bridge(self.handoff), leg(self.handoff)
        await self.pbx.secure_lead(self.lead, self.bridge, "", {"WARM_ID": self.handoff})
        await self.call.answered()

    async def answered(self, ana: Phone) -> Call:
        await self.pbx.ring(self.leg, self.lead, "PJSIP/ana", GRANT, ANA, 20, {"WARM_ID": self.handoff}, {})
        offer = await ana.rings()
        await offer.answer()
        await self.engine.fact(AgentAnswered, self.handoff)
        return offer

    async def joined(self, ana: Phone) -> Call:
        offer = await self.answered(ana)
        await self.pbx.join(self.lead, self.leg, self.bridge, [], [], "")
        return offer

    def sound(self, name: str) -> list[str]:
        return [f"sound:{self.adapters.asterisk.workdir}/{name}"]

    async def end(self) -> None:
        """Everything of this scene goes, as far as it is there."""
        for order in (self.call.hang_up(), self.pbx.hang_up(self.leg), self.pbx.close_bridge(self.bridge)):
            try:
                await order
            except LegGone:
                continue
