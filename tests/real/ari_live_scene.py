"""What the scenes of a call that somebody else made begin with: a lead and a qualifier, who talk in a call of Asterisk's
own."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from adapters import SIP_PORT, Adapters, bridge, leg, nothing_left, private_asterisk, until
from ari_scene import ANA, ANA_HZ, LEAD_TONE, MUSIC

from asterisk_warm.ari.model import Channel, Variable
from asterisk_warm.core.handoff.events import AgentAnswered
from asterisk_warm.core.handoff.ids import aside_leg, consult_id, playback_id
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Playing
from asterisk_warm.engine.ports.calls import Location, Party, Shown
from asterisk_warm.engine.ports.pbx import LegGone
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.call import Call, PhoneError
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import AGENT_HZ, Hearing, chord, write_wav

QUINN_HZ, WORD_HZ = AGENT_HZ[9], 2950
GRANT_NAME, GRANT_NUMBER = "Grant Weatherly", "+15551230001"
GRANT = Shown(GRANT_NAME, GRANT_NUMBER)
AFTER = Location("from-leads", "talk", 2)
"""Where the lead goes on after the call."""
DIALPLAN = """
exten => talk,1,Dial(PJSIP/qualifier,20,g)
 same => n,Goto(lab-returned,s,1)
exten => waiting,1,Answer()
 same => n,Wait(30)
 same => n,Hangup()
"""


@contextmanager
def live_asterisk(root: Root, folder: Path, dialplan: str = "") -> Iterator[PrivateAsterisk]:
    """`dialplan`: what it has besides ours."""
    write_wav(folder / "word.wav", chord((WORD_HZ,), 0.6))
    write_wav(folder / "long.wav", chord((WORD_HZ,), 20.0))
    with private_asterisk(root, folder, ("ana", "ben"), DIALPLAN + dialplan) as running:
        yield running


@asynccontextmanager
async def live_call(asterisk: PrivateAsterisk, folder: Path, extension: str = "talk") -> AsyncIterator[Live]:
    """The two talk when entered; afterwards nothing is left of them. The capture is written to `folder`."""
    with Capture(folder / "scene.pcap", sip_port=SIP_PORT) as capture:
        async with Adapters(asterisk) as adapters:
            async with Phones(asterisk.sip, asterisk.sip_password) as phones:
                live = await Live(adapters, phones, capture).begin(extension)
                try:
                    yield live
                finally:
                    await live.end()
            await nothing_left(asterisk)


class Live:
    number = 0
    quinn: str
    """The qualifier's channel."""
    lead: str
    phone: Phone
    """The qualifier's."""
    call: Call
    """The lead's."""
    quinns: Call

    def __init__(self, adapters: Adapters, phones: Phones, capture: Capture) -> None:
        Live.number += 1
        self.adapters, self.phones, self.capture = adapters, phones, capture
        self.pbx, self.engine = adapters.pbx, adapters.engine
        self._log_from = len(adapters.asterisk.log())
        self.handoff = f"warm-live{Live.number}"
        self.bridge, self.leg, self.consult = (
            bridge(self.handoff),
            leg(self.handoff),
            consult_id(self.handoff),
        )
        self.aside = aside_leg(self.handoff, 1)
        self.word = playback_id(self.handoff, Playing.ASIDE, 1)

    async def begin(self, extension: str) -> Live:
        self.phone = await self.phones.register("qualifier", tone_hz=QUINN_HZ)
        self.call = await self.phones.lead(GRANT_NAME, GRANT_NUMBER, tone_hz=LEAD_TONE).dial(extension)
        self.quinns = await self.phone.rings()
        await self.quinns.answer()
        await self.call.answered()
        self.lead, self.quinn = await self.channel("anonymous"), await self.channel("qualifier")
        await self.talking(self.lead)
        self.engine.handoffs |= {self.lead: (self.handoff, LEAD), self.quinn: (self.handoff, QUALIFIER)}
        return self

    async def channel(self, endpoint: str, nth: int = 0) -> str:
        channels = await self.adapters.client.get("/channels", list[Channel])
        found = [c.id for c in channels if c.name.startswith(f"PJSIP/{endpoint}-")]
        return sorted(found, key=lambda channel: (len(channel), channel))[nth]  # "….9" before "….10"

    async def talking(self, channel: str) -> Party:
        """Wait until a channel has a peer (who has been answered is not in the bridge yet)."""
        deadline = time.monotonic() + 2
        while (peer := (await self.pbx.locate(channel)).peer) is None:
            assert time.monotonic() < deadline
        return peer

    # -- what is done with them ------------------------------------------------------------------------------

    async def take_over(
        self, variables: Mapping[str, str] | None = None, places: object = ..., *, drop: bool = False
    ) -> None:
        where = {self.lead: AFTER, self.quinn: None} if places is ... else places
        described = {"WARM_ID": self.handoff} if variables is None else variables
        await self.pbx.take_over(self.lead, self.quinn, self.bridge, where, described, drop=drop)  # type: ignore[arg-type]

    async def answered(self) -> Call:
        """An agent, rung for this lead, has answered."""
        ana = await self.phones.register("ana", tone_hz=ANA_HZ)
        await self.pbx.ring(self.leg, self.lead, "PJSIP/ana", GRANT, ANA, 20, {}, {})
        offer = await ana.rings()
        await offer.answer()
        await self.engine.fact(AgentAnswered, self.handoff)
        return offer

    async def consulting(self, *, agent_waits: bool = False) -> Call:
        offer = await self.answered()
        await self.pbx.set_aside(self.quinn, [self.bridge])
        await self.pbx.hold_music(self.lead, "")
        await self.pbx.consult(self.quinn, self.leg, self.consult, [], agent_waits=agent_waits)
        return offer

    def sound(self, name: str) -> list[str]:
        return [f"sound:{self.adapters.asterisk.workdir}/{name}"]

    # -- what has become of them -----------------------------------------------------------------------------

    async def variable(self, channel: str, name: str) -> str:
        found = await self.adapters.client.get(f"/channels/{channel}/variable", Variable, variable=name)
        return found.value

    async def places(self) -> dict[str, str | None]:
        """Which bridge each of the three is in; nothing of who is not there."""
        names = {self.lead: "lead", self.quinn: "quinn", self.leg: "ana"}
        found = (await self.pbx.look()).channels
        return {names[c.id]: c.bridge for c in found.values() if c.id in names}

    async def logged(self, pattern: str) -> None:
        """Wait until Asterisk has logged that in this scene."""
        asterisk = self.adapters.asterisk
        await until(lambda: re.search(pattern, asterisk.log()[self._log_from :]) is not None)

    async def until_gone(self, channel: str) -> None:
        deadline = time.monotonic() + 2
        while channel in (await self.pbx.look()).channels:
            assert time.monotonic() < deadline

    async def heard(self, call: Call, seconds: float = 0.4) -> Hearing:
        """What a phone hears from here on, for that long, if anything."""
        since = time.time() + 0.1
        with suppress(PhoneError):  # Nothing at all.
            await call.listen_for(seconds + 0.1)
        to = time.time()
        while True:
            # What was sent until then may not be in the capture yet.
            ear = self.capture.traffic().heard_at(call.call_id)
            if time.time() > to + 0.5 or (len(ear.times) and ear.times[-1] >= to):
                return ear.between(since, to)
            await asyncio.sleep(0.02)

    async def hear_each_other(self, one: tuple[Call, int], other: tuple[Call, int]) -> None:
        (call, voice), (others_call, others_voice) = one, other
        ear, others_ear = await asyncio.gather(self.heard(call), self.heard(others_call))
        assert ear.hears(others_voice, frames=10) and others_ear.hears(voice, frames=10)
        assert not ear.hears(MUSIC) and not others_ear.hears(MUSIC)

    async def end(self) -> None:
        """Everything of this scene goes, as far as it is there."""
        for order in (
            *(call.hang_up() for call in (self.call, self.quinns)),
            self.pbx.hang_up(self.leg),
            *(self.pbx.close_bridge(one) for one in (self.bridge, self.consult)),
        ):
            try:
                await order
            except LegGone:
                continue
