"""What the scenes have in common: who is who, what Asterisk is told beside the product's own dialplan, and what must be
so at the end of every handoff."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from asterisk_warm.core.handoff.states import State
from asterisk_warm.lab.call import Call
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.rawphones import HastyPhone as HastyPhone
from asterisk_warm.lab.rawphones import HostileLead
from asterisk_warm.lab.stage import AGENTS, Stage
from asterisk_warm.lab.tones import (
    AGENT_HZ,
    BRIEFING_MARKER_HZ,
    LEAD_HZ,
    MUSIC_HZ,
    RETURNED_HZ,
    chord,
    write_wav,
)
from asterisk_warm.lab.traffic import Traffic

T = TypeVar("T")

LEAD_TONE = LEAD_HZ[0]
TONES = dict(zip(AGENTS, AGENT_HZ, strict=False))
LEAD_NAME, LEAD_NUMBER = "Grant Weatherly", "+15551230001"
MUSIC = MUSIC_HZ[0]

INTRODUCTION_HZ, FAREWELL_HZ, COMFORT_HZ = 3100, 2900, 3000
ACCEPTED_HZ, ASIDE_HZ = 2850, 2950
ASK_HZ, QUESTION_HZ, REPLY_HZ, NO_REPLY_HZ, ASK_LATER_HZ, NO_DETAILS_HZ = 3150, 3200, 3250, 3350, 3400, 3500
_RECORDINGS = {
    "briefing": (BRIEFING_MARKER_HZ, 2.0),
    "instructions": (BRIEFING_MARKER_HZ, 1.0),
    "introduction": (INTRODUCTION_HZ, 1.0),
    **dict.fromkeys(("comfort", "comfort-2", "comfort-3"), (COMFORT_HZ, 0.6)),
    "beep": (ACCEPTED_HZ, 0.3),
    **dict.fromkeys(("returned", "recall", "lead-waits"), (ASIDE_HZ, 0.6)),
    "ask": (ASK_HZ, 0.6),
    "question-follows": (QUESTION_HZ, 0.6),
    "reply-now": (REPLY_HZ, 0.6),
    "no-reply": (NO_REPLY_HZ, 0.6),
    **dict.fromkeys(("ask-later", "no-more-questions"), (ASK_LATER_HZ, 0.6)),
    "no-details": (NO_DETAILS_HZ, 0.6),
    **dict.fromkeys(
        ("taken", "declined", "no-decision", "lead-left", "too-late", "cancelled", "taken-back"),
        (FAREWELL_HZ, 0.4),
    ),
}
"""Prompts as tones that analysis can tell from every voice: (pitch, seconds)."""

_IN_TONES = {
    "templates": {
        "briefing": "{details}",
        "instructions": "...",
        "introduction": "...",
        "taken": "...",
        "returned": "...",
        "recall": "...",
        "details": "...",
    }
}
"""Templates that say nothing, so that the prompts above are heard in their place."""

RACERS = {f"racer{n}": f"Racer {n}" for n in range(20)}
RACES = {f"race{n}": (f"racer{2 * n}", f"racer{2 * n + 1}") for n in range(10)}
_ALL = list(AGENTS)
_QUIET: dict[str, Any] = {"introduction": False, "comfort_seconds": 0, **_IN_TONES}
TONE_TEAMS: dict[str, dict[str, Any]] = {
    "tones": {"name": "Tones", "agents": _ALL, **_QUIET},
    "introduced": {"name": "Introduced", "agents": _ALL, **_QUIET, "introduction": True},
    "soothed": {"name": "Soothed", "agents": _ALL, **_QUIET, "introduction": True, "comfort_seconds": 2},
    "asked": {"name": "Asked", "agents": _ALL, **_QUIET, "question_seconds": 3, "asks": 1},
    "spoken": {"name": "Spoken", "agents": ["ana"], "comfort_seconds": 0},
    "hasty": {"name": "Hasty", "agents": ["ana", "ben"], **_QUIET, "ring_seconds": 1, "decision_seconds": 1},
    "placed": {"name": "Placed", "agents": ["ana"], **_QUIET, "return_to": "lab-elsewhere,here,1"},
    "strict": {"name": "Strict", "agents": ["ana"], **_QUIET, "require": ["ready", "consent.call"]},
    "blind": {"name": "Blind", "agents": _ALL, **_QUIET, "mode": "blind"},
    "blind-hasty": {"name": "Hasty", "agents": ["ana", "ben"], **_QUIET, "mode": "blind", "ring_seconds": 1},
    **{team: {"name": team.title(), "agents": list(pair), **_QUIET} for team, pair in RACES.items()},
    **{
        f"{team}-hasty": {"name": team.title(), "agents": list(pair), **_QUIET, "decision_seconds": 1}
        for team, pair in RACES.items()
    },
}

DIALPLAN = """
exten => short-budget,1,Gosub(warm-handoff,s,1(tones,hold=2))
 same => n,Goto(lab-returned,s,1)
exten => odd-options,1,Gosub(warm-handoff,s,1(tones,ring=soon,colour=red,mode=warm))
 same => n,Goto(lab-returned,s,1)
exten => wordy,1,Set(WARM_LEAD_SUMMARY=This is case ${EPOCH} ${RAND(1,99999)} of home insurance and it renews in three weeks so they would like to hear about prices and about what is covered when the roof is blown away)
 same => n,Gosub(warm-handoff,s,1(sales))
 same => n,Goto(lab-returned,s,1)
exten => described,1,Set(WARM_LEAD_NAME=${PJSIP_HEADER(read,X-Name)})
 same => n,Set(WARM_LEAD_SUMMARY=${PJSIP_HEADER(read,X-Summary)})
 same => n,Gosub(warm-handoff,s,1(tones))
 same => n,Goto(lab-returned,s,1)
exten => waiting,1,Answer()
 same => n,MusicOnHold(tone,30)
 same => n,Goto(lab-returned,s,1)
exten => menu,1,Answer()
 same => n,Wait(30)
 same => n,Goto(lab-returned,s,1)
exten => deep,1,Gosub(warm-lab-outer,s,1)
exten => to-ana,1,Dial(PJSIP/ana,20)
exten => out,1,Dial(PJSIP/cleo,20,B(warm-arm^s^1(tones)))
 same => n,Goto(lab-returned,s,1)
exten => consult,1,Gosub(warm-consult,s,1(tones))
 same => n,Log(NOTICE,lab-consulted ${CHANNEL} status=${WARM_STATUS})
 same => n,Hangup()
exten => live,1,Dial(PJSIP/qualifier,20,b(warm-arm^s^1(tones)))
 same => n,Goto(lab-returned,s,1)
exten => live-on,1,Dial(PJSIP/qualifier,20,gb(warm-arm^s^1(tones)))
 same => n,MusicOnHold(tone,30)
 same => n,Goto(lab-returned,s,1)
exten => h,1,Log(NOTICE,lab-left ${CHANNEL} status=${WARM_STATUS} gap=${WARM_GAP_MS} agent=${WARM_AGENT} cause=${WARM_CAUSE})
[lab-trunk]
exten => _+X.,1,Dial(PJSIP/ben,20)
 same => n,Hangup(${HANGUPCAUSE})
[warm-lab-outer]
exten => s,1,Gosub(warm-lab-inner,s,1)
include => warm-hungup
[warm-lab-inner]
exten => s,1,Hangup()
include => warm-hungup
[lab-elsewhere]
exten => here,1,NoOp()
 same => n,Log(NOTICE,lab-elsewhere ${CHANNEL} status=${WARM_STATUS})
 same => n,Goto(lab-returned,s,1)
"""

_TOLD = r"NOTICE\[.*: {event} (?P<channel>\S+) status=(?P<status>\w*) gap=(?P<gap>\w*) agent=(?P<agent>\w*) cause=(?P<cause>.*)"


def record_prompts(folder: Path) -> Path:
    """Write the tones that take the place of the product's prompts in these tests."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (hz, seconds) in _RECORDINGS.items():
        write_wav(folder / f"{name}.wav", chord((hz,), seconds))
    return folder


def _newest(stage: Stage) -> str:
    return next((str(handoff["id"]) for handoff in stage.daemon.handoffs(1)), "")


async def until(what: Callable[[], T | None], seconds: float, missing: str) -> T:
    """What `what` returns as soon as it is neither None nor False. Asked in a thread; AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := await asyncio.to_thread(what):
            return found
        now = time.monotonic()
        assert now < deadline, f"not within {seconds:g} s: {missing}"
        # What takes long (a whole capture is read) is done less often: the phones need the machine too.
        await asyncio.sleep(max(0.02, 3 * (now - began)))


@dataclass(frozen=True)
class Told:
    """What the dialplan knew of the handoff when the lead came back, or hung up."""

    status: str
    gap: str
    agent: str
    cause: str


@dataclass
class Scene:
    """A lead and some agents, before anything happens. Its log is what Asterisk has written since."""

    stage: Stage
    lead: Phone
    agents: dict[str, Phone]
    before: str
    """The newest handoff of before; "" if there was none."""
    log_from: int
    call: Call = field(init=False)
    _first: str = field(init=False, default="")

    @classmethod
    async def set(
        cls,
        stage: Stage,
        phones: Phones,
        agents: Sequence[str] = tuple(AGENTS),
        *,
        says: Mapping[str, Path] | None = None,
    ) -> Scene:
        lead = phones.lead(LEAD_NAME, LEAD_NUMBER, tone_hz=LEAD_TONE)
        voices = says or {}
        registered = await asyncio.gather(
            *(phones.register(a, tone_hz=TONES[a], says=voices.get(a)) for a in agents)
        )
        before, size = await asyncio.to_thread(_newest, stage), stage.pbx.log_path.stat().st_size
        return cls(stage, lead, dict(zip(agents, registered, strict=True)), before, size)

    async def again(self) -> None:
        """What is seen and logged from now on is of the next handoff."""
        self.before, self._first = await asyncio.to_thread(_newest, self.stage), ""
        self.log_from = self.stage.pbx.log_path.stat().st_size

    # -- what happens --------------------------------------------------------------------------------------

    async def dial(self, extension: str) -> Call:
        self.call = await self.lead.dial(extension)
        return self.call

    async def all_ring(self, timeout: float = 8.0) -> dict[str, Call]:
        try:
            calls = await asyncio.gather(*(phone.rings(timeout) for phone in self.agents.values()))
        except TimeoutError as error:
            raise AssertionError(
                f"{error}:\n{self.log()[-3000:]}\n{self.stage.daemon.log()[-3000:]}"
            ) from None
        return dict(zip(self.agents, calls, strict=True))

    async def ringing(self, extension: str) -> dict[str, Call]:
        """The lead calls, and every agent's phone rings."""
        await self.dial(extension)
        return await self.all_ring()

    async def briefed(self, extension: str, *agents: str) -> dict[str, Call]:
        """The lead calls, and these agents have answered and are being briefed."""
        calls = await self.ringing(extension)
        await asyncio.gather(*(calls[agent].answer() for agent in agents))
        for agent in agents:
            await self.offer_is(agent, "BRIEFING")
        return calls

    async def connected(self, extension: str, agent: str) -> dict[str, Call]:
        """The lead calls, this agent accepts, and they talk."""
        calls = await self.briefed(extension, agent)
        await calls[agent].press("1")
        await self.handoff("CONNECTED")
        return calls

    async def channel(self) -> str:
        """The unique id of the lead's channel, once they are in the dialplan and answered."""
        await self.call.answered()

        def found() -> str | None:
            lines = self.stage.pbx.cli("core show channels concise").splitlines()
            leads = [line.split("!") for line in lines if line.startswith("PJSIP/anonymous-")]
            return leads[-1][-1] if leads else None

        return await until(found, 5.0, "the lead's channel")

    async def start(self, channel: str, team: str, **more: object) -> dict[str, Any]:
        """Hand off a channel through the API."""
        status, handoff = await api(
            self.stage, "POST", "/v1/handoffs", {"channel": channel, "team": team, **more}
        )
        assert status == 201, handoff
        return dict(handoff)

    # -- what can be seen ----------------------------------------------------------------------------------

    async def handoff(self, *states: str, seconds: float = 10.0) -> dict[str, Any]:
        """The scene's handoff as soon as it is in one of the states."""
        return await self.seen(lambda handoff: handoff["state"] in states, " or ".join(states), seconds)

    async def offer_is(self, agent: str, *states: str, nth: int = -1) -> dict[str, Any]:
        """The agent's latest offer as soon as it is in one of the states."""

        def there(handoff: dict[str, Any]) -> bool:
            offers = [o for o in handoff["offers"] if o["agent_id"] == agent]
            return bool(offers) and offers[nth]["state"] in states

        return offer(await self.seen(there, f"{agent}'s offer {' or '.join(states)}"), agent, nth)

    async def seen(
        self, what: Callable[[dict[str, Any]], bool], words: str, seconds: float = 10.0
    ) -> dict[str, Any]:
        last: list[dict[str, Any]] = []

        def look() -> dict[str, Any] | None:
            # Asked for by its id as soon as that is known, which is a fraction of the work for the daemon.
            last[:] = [self.stage.daemon.handoff(self._first)] if self._first else self.handoffs()
            if last:
                self._first = last[-1]["id"]
            return last[-1] if last and what(last[-1]) else None

        try:
            return await until(look, seconds, words)
        except AssertionError as error:
            raise AssertionError(f"{error}; the scene's handoffs: {last}") from None

    def handoffs(self) -> list[dict[str, Any]]:
        """The scene's handoffs, newest first."""
        for limit in (4, 1000):
            newest = self.stage.daemon.handoffs(limit)
            own = list(itertools.takewhile(lambda handoff: handoff["id"] != self.before, newest))
            if len(own) < limit:
                break
        return own

    def log(self) -> str:
        with self.stage.pbx.log_path.open("rb") as file:
            file.seek(self.log_from)
            return file.read().decode(errors="replace")

    async def logged(self, pattern: str, seconds: float = 8.0) -> re.Match[str]:
        try:
            return await until(lambda: re.search(pattern, self.log()), seconds, f"{pattern!r} in the log")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.log()[-3000:]}") from None

    async def told(self, event: str) -> Told:
        """What the dialplan logged at `lab-returned` or `lab-left`."""
        found = await self.logged(_TOLD.format(event=event))
        return Told(found["status"], found["gap"], found["agent"], found["cause"].strip())

    async def let_go(self) -> None:
        """Wait until the connected two are in the dialplan, which knows by then what came of it."""
        await self.logged(r"Executing \[s@warm-connected:")

    # -- how it ends ---------------------------------------------------------------------------------------

    async def returned(self, state: str, status: str, agent: str = "") -> dict[str, Any]:
        """The lead is back in the dialplan, which knows what the API says, and is let go there."""
        told = await self.told("lab-returned")
        return await self._over(told, state, status, agent)

    async def left(self, state: str, status: str, agent: str = "") -> dict[str, Any]:
        """The lead has hung up, and the dialplan's `h` extension knows what the API says."""
        await self.call.ended()
        told = await self.told("lab-left")
        return await self._over(told, state, status, agent)

    async def _over(self, told: Told, state: str, status: str, agent: str) -> dict[str, Any]:
        ended = await self.handoff(state)
        if not self.call.is_over:
            await self.call.hang_up()
        handoff = await self.seen(lambda seen: seen["settled"], "settled", 15)
        assert (handoff["state"], handoff["status"]) == (state, status)
        assert (handoff["agent"] or {"id": ""})["id"] == agent
        gap = "" if handoff["gap_ms"] is None else str(handoff["gap_ms"])
        # A lead who talked, or hung up, was told why beforehand; who comes back by our order knows all.
        taken = f"{handoff['agent'] and handoff['agent']['name']} took the lead"
        before = {"CONNECTED": taken, "ABANDONED": "the lead hung up before anyone was connected"}
        assert told.cause in (handoff["reason"], before.get(status))
        assert (told.status, told.gap, told.agent) == (status, gap, agent)
        assert handoff["reason"] == ended["reason"] != ""
        await asyncio.to_thread(one_end, self.stage, handoff["id"])
        return handoff


def one_end(stage: Stage, handoff: str) -> None:
    """The journal has one terminal state, entered once and never left."""
    states = [line["state"] for line in stage.daemon.journal(handoff)]
    first = next(i for i, state in enumerate(states) if State(state).final)
    assert len(set(states[first:])) == 1, states
    told = [line["text"] for line in stage.daemon.story(handoff)]
    assert len([text for text in told if text.startswith(f"{states[-1]} (")]) == 1, told


def offer(handoff: dict[str, Any], agent: str, nth: int = -1) -> dict[str, Any]:
    """The agent's latest (or nth) offer in a handoff as the API shows it."""
    return [dict(o) for o in handoff["offers"] if o["agent_id"] == agent][nth]


def offer_states(handoff: dict[str, Any]) -> dict[str, str]:
    """Each agent's latest offer's state."""
    return {o["agent_id"]: o["state"] for o in handoff["offers"]}


async def talk(capture: Capture, lead: str, agent: str, agent_hz: int, *, after: float = 0.0) -> Traffic:
    """Wait until lead and agent (calls, by id) hear each other, by RTP."""

    def both() -> Traffic | None:
        traffic = capture.traffic()
        at_lead = traffic.heard_at(lead).between(after, float("inf"))
        at_agent = traffic.heard_at(agent).between(after, float("inf"))
        good = at_lead.hears(agent_hz, frames=20) and at_agent.hears(LEAD_TONE, frames=20)
        return traffic if good else None

    return await until(both, 8.0, f"{agent_hz} Hz at the lead and {LEAD_TONE} Hz at the agent")


async def command(stage: Stage, *words: str) -> tuple[int, str, str]:
    """What `asterisk-warm …` answers: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "asterisk_warm", *words, "--socket", str(stage.daemon.socket)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def api(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """What the HTTP API answers: status, body."""
    return await asyncio.to_thread(stage.daemon.request, method, path, body)


class HastyLead(HostileLead):
    """A hand-written lead who changes their mind."""

    async def cancel(self) -> None:
        """CANCEL, and wait for what became of the call; one that had just been answered is hung up."""
        self.send(*self._request("CANCEL", 1, self._invite_via, self._to))
        await asyncio.wait_for(self._decided.wait(), 5.0)
        if self.status == 200:
            self.hang_up()

    def hang_up(self) -> None:
        assert self.final is not None
        self.send(*self._request("BYE", 2, self.via(), self.final.header("To")))
        self._voice.close()
        self.ended.set()

    async def hang_up_at(self, when: float) -> None:
        await asyncio.sleep(max(0.0, when - time.time()))
        self.hang_up()


class RawLead(HostileLead):
    """A hand-written lead whose headers may hold bytes that are no text, as surrogates."""

    def send(self, *lines: str, body: str = "") -> None:
        head = [*lines, f"Content-Length: {len(body.encode())}"]
        message = "\r\n".join(head) + "\r\n\r\n" + body
        self._transport.sendto(message.encode(errors="surrogateescape"), self.asterisk)


RETURNED = RETURNED_HZ
