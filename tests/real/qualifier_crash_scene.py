"""Several live calls with a qualifier side by side, each handoff in a state of its own, through one `kill -9` of the daemon and
one restart."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crash_scene import GatedStage, Watch
from scene import LEAD_NAME, TONE_TEAMS, api, until

from asterisk_warm.lab.call import Call, PhoneError
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.daemon import DaemonFailed
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.tones import AGENT_HZ, LEAD_HZ

SLOTS = 14
"""Scenes side by side at most."""
AGENTS = {
    f"{kind}{slot}": f"{name} {slot}"
    for kind, name in (("a", "Ana"), ("q", "Quinn"))
    for slot in range(SLOTS)
}
TEAMS: dict[str, dict[str, Any]] = {
    f"team{slot}": {**TONE_TEAMS["tones"], "agents": [f"a{slot}"], "ring_seconds": 60}
    for slot in range(SLOTS)
}
DIALPLAN = """
exten => _callq.,1,Dial(PJSIP/${EXTEN:4},20)
 same => n,Goto(lab-returned,s,1)
exten => _aside.,1,Gosub(warm-consult,s,1(team${EXTEN:5}))
 same => n,Hangup()
"""
_TICK = 0.05
ANA_HZ, QUINN_HZ, LEAD_TONE = AGENT_HZ[0], AGENT_HZ[9], LEAD_HZ[0]

Do = Callable[["Act"], Awaitable[None]]


async def nothing(act: Act) -> None:
    return


@dataclass(frozen=True)
class Case:
    """How a handoff is brought to where the daemon dies, what happens while it is away, and how it must go on."""

    name: str
    prepare: Do
    meanwhile: Do
    after: Do
    at_last: Do = nothing
    """In the last moment, when all others are where they are to be."""
    held: bool = False
    """Whether the lead hears music all through the outage (else the qualifier, or the agent)."""
    cut: bool = False
    """Whether the daemon dies in the middle of what changes that: the order has ended the one, and not begun the other."""


class Board:
    """Asterisk's channels, read for all who ask: their ids, and the bridges that they are in, by device."""

    def __init__(self, stage: GatedStage) -> None:
        self._stage = stage
        self._reading, self._read_at = asyncio.Lock(), 0.0
        self._lines: list[list[str]] = []

    async def channels(self) -> list[list[str]]:
        """As `core show channels concise` has them: name first, bridge and id last."""
        asked = time.monotonic()
        async with self._reading:
            if self._read_at < asked:
                self._read_at = time.monotonic()
                said = await asyncio.to_thread(self._stage.pbx.cli, "core show channels concise")
                self._lines = [line.split("!") for line in said.splitlines() if "!" in line]
            return self._lines


@dataclass
class Act:
    """A case being played."""

    scene: QualifierCrash
    case: Case
    slot: int
    number: str
    """The lead's."""
    quinn_phone: Phone = field(init=False)
    ana_phone: Phone = field(init=False)
    lead: Call = field(init=False)
    quinn: Call = field(init=False)
    ana: Call = field(init=False)
    again: Call | None = None
    """Of the qualifier's phone: rung again, or their second call."""
    handoff: dict[str, Any] = field(init=False)
    """As it was last seen by `until`."""
    lead_name: str = ""
    """What Asterisk calls the lead's channel."""

    @property
    def team(self) -> str:
        return f"team{self.slot}"

    async def talking(self) -> None:
        """Lead and qualifier talk in a call of Asterisk's own; the agent is free."""
        phones = self.scene.phones
        self.ana_phone = await phones.register(f"a{self.slot}", tone_hz=ANA_HZ)
        self.quinn_phone = await phones.register(f"q{self.slot}", tone_hz=QUINN_HZ)
        caller = phones.lead(LEAD_NAME, self.number, tone_hz=LEAD_TONE)
        self.lead = await caller.dial(f"callq{self.slot}")
        self.quinn = await self.quinn_phone.rings(10)
        await self.quinn.answer()
        await self.lead.answered()

    async def ask_for(self, mode: str) -> None:
        """To be handed off."""
        body = {"qualifier": await self.channel(f"q{self.slot}"), "team": self.team, "mode": mode}
        status, self.handoff = await api(self.scene.stage, "POST", "/v1/handoffs", body)
        assert status == 201, self.handoff

    async def offered(self, mode: str) -> None:
        """Handed off, and the agent's phone rings."""
        await self.talking()
        await self.ask_for(mode)
        self.ana = await self.ana_phone.rings(10)
        await self.offer_is("RINGING")
        await self.named()

    async def ids(self) -> dict[str, str]:
        """The handoff's and its channels', as regular expressions."""
        lines = await self.scene.board.channels()
        quinn = await self.channel(f"q{self.slot}") if not self.quinn.is_over else ""
        bridge = next((line[-2] for line in lines if line[-1] == quinn), "")
        lead = next((line[-1] for line in lines if line[-2] == bridge and line[-1] != quinn and bridge), "")
        if hasattr(self, "handoff"):
            lead = self.handoff["lead"]["channel"]
        handoff = self.handoff["id"] if hasattr(self, "handoff") else ""
        found = {"id": handoff, "lead": lead, "quinn": quinn, "ana": f"{handoff}-agent-1"}
        return {name: re.escape(value) for name, value in found.items()}

    async def journal_has(self, event: str) -> None:
        deadline = time.monotonic() + 10
        while event not in (events := await self._events()):
            assert time.monotonic() < deadline, events
            await asyncio.sleep(_TICK)

    async def named(self) -> None:
        lead = self.handoff["lead"]["channel"]
        self.lead_name = next(line[0] for line in await self.scene.board.channels() if line[-1] == lead)

    async def asks(self, action: str) -> None:
        status, answer = await api(self.scene.stage, "POST", f"/v1/handoffs/{self.handoff['id']}/{action}")
        assert status == 200, answer

    # -- what can be seen ----------------------------------------------------------------------------------

    async def until(self, what: Callable[[dict[str, Any]], bool], seconds: float = 12.0) -> None:
        self.handoff = await self.scene.watch.until(self.number, what, seconds)

    async def in_state(self, *states: str) -> None:
        await self.until(lambda view: view["state"] in states)

    async def offer_is(self, state: str) -> None:
        """The latest."""
        await self.until(lambda view: bool(view["offers"]) and view["offers"][-1]["state"] == state)

    async def recovered(self) -> None:
        """It has been compared with what Asterisk has."""
        await self.until(lambda _: True)
        await self.journal_has("Reconciled")

    async def _events(self) -> list[str]:
        journal = await asyncio.to_thread(self.scene.stage.daemon.journal, self.handoff["id"])
        return [line["event"] for line in journal]

    async def ended(self, state: str, *statuses: str) -> None:
        await self.in_state("COMPLETED", "RETURNED", "ABANDONED", "FAILED")
        assert self.handoff["state"] == state, self.handoff
        assert self.handoff["status"] in statuses and self.handoff["reason"], self.handoff

    async def channel(self, device: str) -> str:
        deadline = time.monotonic() + 5
        while True:
            for line in await self.scene.board.channels():
                if line[0].startswith(f"PJSIP/{device}-"):
                    return line[-1]
            assert time.monotonic() < deadline, f"{device} has no channel"

    async def in_one_bridge(self, *who: str) -> None:
        """Asterisk has exactly these in one bridge: `lead`, `quinn`, `ana`."""
        deadline = time.monotonic() + 8
        while not await self._together(who):
            assert time.monotonic() < deadline, (
                f"{who} not in one bridge: {await self.scene.board.channels()}"
            )

    async def _together(self, who: Sequence[str]) -> bool:
        lines = await self.scene.board.channels()
        lead = self.handoff["lead"]["channel"]
        mine = {
            "lead": [line for line in lines if line[-1] == lead],
            "quinn": [line for line in lines if line[0].startswith(f"PJSIP/q{self.slot}-")],
            "ana": [line for line in lines if line[0].startswith(f"PJSIP/a{self.slot}-")],
        }
        there = [mine[one][0] for one in who if mine[one]]
        bridges = {line[-2] for line in there}
        if len(there) != len(who) or len(bridges) != 1 or bridges & {"", "(None)"}:
            return False
        bridge = bridges.pop()
        return len([line for line in lines if line[-2] == bridge]) == len(who)

    async def let_on(self) -> None:
        """The lead goes on in the dialplan, which knows what the API says."""
        await self.scene.logged(f"lab-returned {self.lead_name} status={self.handoff['status']} ")

    @property
    def calls(self) -> list[Call]:
        mine = [getattr(self, name, None) for name in ("lead", "quinn", "ana", "again")]
        return [call for call in mine if call is not None]

    async def hang_up_all(self) -> None:
        for call in self.calls:
            await call.hang_up()
        await self.until(lambda view: bool(view["settled"]), 15)


class QualifierCrash:
    """One plan, played."""

    def __init__(
        self, stage: GatedStage, number: int, plan: Sequence[Case], phones: Phones, capture: Capture
    ) -> None:
        self.stage, self.phones, self.capture = stage, phones, capture
        self.watch, self.board = Watch(stage, len(plan)), Board(stage)
        when = int(time.time()) % 1000
        self.acts = [
            Act(self, case, slot, f"+1555{number:02}{when:03}{slot:02}") for slot, case in enumerate(plan)
        ]
        self.control: Call
        """Hears Asterisk's music, and has nothing to do with the daemon."""
        self._log_from = stage.pbx.log_path.stat().st_size
        self.killed_at = self.ready_at = 0.0

    async def play(self, delay: float) -> None:
        """`delay`: seconds from the daemon's death to its restart."""
        watching = asyncio.create_task(self.watch.run())
        try:
            self.control = await self.phones.lead("Control", "+15550000000").dial("music")
            await self.control.answered()
            await all_of(self.acts, lambda act: act.case.prepare(act))
            await all_of(self.acts, lambda act: act.case.at_last(act))
            self.stage.daemon.kill()
            self.killed_at = time.time()
            await all_of(self.acts, lambda act: act.case.meanwhile(act))
            await asyncio.sleep(max(0.0, self.killed_at + delay - time.time()))
            self.stage.daemon.launch()  # in this thread: it dies with the one that started it
            await asyncio.to_thread(self.stage.daemon.wait_ready)
            self.ready_at = time.time()
            await all_of(self.acts, lambda act: act.case.after(act))
            await all_of(self.acts, lambda act: act.hang_up_all())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def logged(self, text: str) -> None:
        """Wait until Asterisk has logged that."""

        def look() -> bool:
            with self.stage.pbx.log_path.open("rb") as file:
                file.seek(self._log_from)
                return text in file.read().decode(errors="replace")

        await until(look, 8.0, text)


async def all_of(acts: Sequence[Act], what: Do) -> None:
    """For all acts at once; every failure is told, with the act's name."""
    results = await asyncio.gather(*(what(act) for act in acts), return_exceptions=True)
    told = (AssertionError, OSError, TimeoutError, DaemonFailed, PhoneError, KeyError, IndexError)
    failures = [
        f"{act.case.name}: {type(result).__name__}: {result}"
        for act, result in zip(acts, results, strict=True)
        if isinstance(result, told)
    ]
    others = [
        result for result in results if isinstance(result, BaseException) and not isinstance(result, told)
    ]
    assert not failures, "\n".join(failures)
    if others:
        raise others[0]
