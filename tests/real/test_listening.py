"""What an agent is told, understood by a machine from the sound that reached the phone."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from listener import errors, starts, transcribe, words
from scene import until

from asterisk_warm.lab.phones import Phone, Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage
from asterisk_warm.lab.tones import Samples

pytestmark = pytest.mark.real

FIRST_SECONDS = 4.0
RATE = 8000
AT_MOST = 0.2
"""Share of words that may be wrong over all leads; names are what a small model gets wrong."""

NAMES = (
    *("Grant Weatherly", "Mary Johnson", "Peter Clark", "Susan Baker", "John Miller", "Emily Carter"),
    *("Robert Green", "Linda Scott", "David Turner", "Karen White"),
)
WHYS = (
    "Home insurance, renews in three weeks.",
    "Wants a quote for car insurance.",
    "Asks about solar panels for the roof.",
)
LEADS = [(name, WHYS[(place + turn) % len(WHYS)]) for turn in range(3) for place, name in enumerate(NAMES)]
LISTENERS = {f"listener{n}": f"Listener {n}" for n in range(len(NAMES))}

DIALPLAN = "\n".join(
    f"exten => lead-{n},1,Set(WARM_LEAD_NAME={name})\n"
    f" same => n,Set(WARM_LEAD_SUMMARY={why})\n"
    f" same => n,Gosub(warm-handoff,s,1(team{n % len(NAMES)}))\n"
    " same => n,Goto(lab-returned,s,1)"
    for n, (name, why) in enumerate(LEADS)
)
TEAMS = {f"team{n}": {"name": f"Team {n}", "agents": [agent]} for n, agent in enumerate(LISTENERS)}


@pytest.fixture(scope="session", params=["22"])
def version(request: pytest.FixtureRequest) -> str:
    """What is said does not depend on Asterisk's version."""
    return str(request.param)


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    with Stage(root, folder, teams=TEAMS, agents=LISTENERS, dialplan=DIALPLAN) as on_stage:
        yield on_stage
    shutil.rmtree(folder, ignore_errors=True)


async def heard_by(agent: Phone, seconds: float) -> Samples:
    """What the agent's phone hears in the first seconds of speech."""
    call = await agent.rings(30.0)
    await call.answer()
    await call.listen_for(seconds)
    await call.press("2")
    await call.ended(15.0)
    begins = starts(call.heard)
    return call.heard[begins : begins + round(FIRST_SECONDS * RATE)]


@pytest.mark.timeout(300)
async def test_given_thirty_leads_when_agents_are_briefed_then_who_and_why_are_understood_in_four_seconds(
    stage: Stage,
) -> None:
    meant, wrong, told = 0, 0, []
    async with stage.phones(record=True) as phones:
        agents = await asyncio.gather(*(phones.register(agent) for agent in LISTENERS))
        for turn in range(0, len(LEADS), len(NAMES)):
            # Understanding takes the whole machine, which phones that listen need.
            heard = await _briefings(phones, agents, turn)
            for lead, sound in zip(LEADS[turn : turn + len(NAMES)], heard, strict=True):
                first = await asyncio.to_thread(transcribe, sound)
                said = words(" ".join(lead))
                meant += len(said)
                wrong += errors(said, words(first))
                told.append(f"{' '.join(lead)} -> {first}")
    rate = wrong / meant
    print(f"word error rate over {len(LEADS)} leads: {rate:.3f}", *told, sep="\n")
    assert rate <= AT_MOST, told


async def _briefings(phones: Phones, agents: Sequence[Phone], turn: int) -> list[Samples]:
    """A lead for each agent, all at once."""
    calls = [
        await phones.lead("Lead", f"555010{turn + place}").dial(f"lead-{turn + place}")
        for place in range(len(agents))
    ]
    briefings = await asyncio.gather(*(heard_by(agent, FIRST_SECONDS + 2.0) for agent in agents))
    for call in calls:
        await call.answered()
        await call.hang_up()
    await until(lambda: not any(not call.is_over for call in calls), 10.0, "every lead gone")
    return list(briefings)
