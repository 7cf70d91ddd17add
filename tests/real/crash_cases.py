"""Where a handoff can be when the daemon dies, what may happen while it is away, and how it must go on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from crash_scene import Act, Case, count_orders

from asterisk_warm.lab.tones import RETURNED_HZ

Do = Callable[[Act], Awaitable[None]]

# -- before: how it gets there ---------------------------------------------------------------------


async def nothing(act: Act) -> None:
    return


async def rung(act: Act) -> None:
    await act.dial()
    act.offers = list(await asyncio.gather(*(agent.rings(10) for agent in act.agents)))
    await act.until(lambda view: len(view["offers"]) == len(act.agents))


async def briefed(act: Act) -> None:
    await rung(act)
    await asyncio.gather(*(offer.answer() for offer in act.offers))
    await act.until(lambda view: all(offer["state"] == "BRIEFING" for offer in view["offers"]))


async def connected(act: Act) -> None:
    """Let go: Asterisk alone carries the talk."""
    await briefed(act)
    await act.offers[0].press("1")
    await _let_go(act)


async def blindly_connected(act: Act) -> None:
    await rung(act)
    await act.offers[0].answer()
    await _let_go(act)


async def _let_go(act: Act) -> None:
    await act.in_state("CONNECTED")
    await act.journal_has(lambda lines: any(line["event"] == "BridgeClosed" for line in lines))


async def announcement_begins(act: Act) -> None:
    comforts = count_orders(await act.journal(), "PlayComfort")
    await act.journal_has(lambda lines: count_orders(lines, "PlayComfort") > comforts)


async def introduction_begins(act: Act) -> None:
    await act.offers[0].press("1")
    await _joined(act)


async def blind_introduction_begins(act: Act) -> None:
    await act.offers[0].answer()
    await _joined(act)


async def _joined(act: Act) -> None:
    await act.in_state("INTRODUCING")
    await act.journal_has(lambda lines: any(line["event"] == "AgentJoined" for line in lines))


async def farewell_begins(act: Act) -> None:
    """The only agent declines: the lead goes on at once, the agent hears a word."""
    await act.offers[0].press("2")
    await act.in_state("RETURNED")


def stopped_before(pattern: str, act_then: Do, *, done: bool = False) -> Do:
    """As `act_then`, until the daemon sends a request like `pattern`; `{id}`, `{lead}` and `{agent}` are filled in."""

    async def stop(act: Act) -> None:
        known = {"agent": act.agents[0].name, "id": "[^/]+", "lead": "[^/]+"}
        if hasattr(act, "handoff"):
            known |= {"id": act.handoff["id"], "lead": re.escape(act.handoff["lead"]["channel"])}
        async with act.scene.door:
            hold = act.scene.stage.gate.hold(pattern.format(**known), done=done)
            await act_then(act)
            await hold.reached()

    return stop


ANSWER = "POST /ari/channels/{lead}/answer"
CREATE = "POST /ari/channels/create"
DIAL = "POST /ari/channels/{id}-agent-1/dial"
JOIN = "POST /ari/bridges/{id}-bridge/addChannel\\?channel={id}-agent-1"
CONTINUE = "POST /ari/channels/{lead}/continue"


async def dials(act: Act) -> None:
    await act.dial()


async def dials_and_rings(act: Act) -> None:
    await act.dial()
    act.offers = [await act.agents[0].rings(10)]


async def waits_for_all(act: Act) -> None:
    """Nobody is free, and all are expected back."""
    for agent in act.agents:
        await declared(act, agent.name, "pause", {"minutes": 1})
    await act.dial()
    await act.in_state("SEEKING")
    await act.until(lambda view: len(view["not_free"]) == len(act.agents))


async def declared(act: Act, agent: str, state: str, body: dict[str, object]) -> None:
    request = act.scene.stage.daemon.request
    status, answer = await asyncio.to_thread(request, "POST", f"/v1/agents/{agent}/{state}", body)
    assert status == 200, answer


async def accepts(act: Act) -> None:
    await act.offers[0].press("1")


async def declines(act: Act) -> None:
    await act.offers[0].press("2")


# -- meanwhile -------------------------------------------------------------------------------------


async def agent_answers(act: Act) -> None:
    await act.offers[0].answer()


async def agent_answers_and_presses(act: Act) -> None:
    await act.offers[0].answer()
    await act.offers[0].press("1")


async def agent_hangs_up(act: Act) -> None:
    await act.offers[0].hang_up()


async def lead_hangs_up(act: Act) -> None:
    await act.call.hang_up()


async def both_hang_up(act: Act) -> None:
    await asyncio.gather(lead_hangs_up(act), agent_hangs_up(act))


# -- after: how it must go on ----------------------------------------------------------------------


async def rings_on(act: Act) -> None:
    """The same call still rings; it is answered, briefed, accepted."""
    await _recovered(act)
    assert act.offers[0].is_ringing, act.offers[0].cause
    await act.offers[0].answer()
    await act.until(lambda view: view["offers"][0]["state"] == "BRIEFING")
    await act.offers[0].press("1")
    await talks(act)


async def rings_now(act: Act) -> None:
    act.offers = [await act.agents[0].rings(10)]
    await act.until(lambda view: bool(view["offers"]))
    await rings_on(act)


def ready_again(then: Do) -> Do:
    """The agents who were waited for are back."""

    async def check(act: Act) -> None:
        await _recovered(act)
        for agent in act.agents:
            await declared(act, agent.name, "ready", {})
        await then(act)

    return check


async def rings_on_blind(act: Act) -> None:
    await _recovered(act)
    assert act.offers[0].is_ringing, act.offers[0].cause
    await act.offers[0].answer()
    await talks(act)


async def is_briefed_again(act: Act) -> None:
    """The key that was pressed meanwhile is lost: the agent hears the briefing (again), and the next key counts."""
    await _recovered(act)
    await act.journal_has(_briefs_after_recovery)
    assert not act.offers[0].is_over, act.offers[0].cause
    assert act.handoff["offers"][0]["state"] == "BRIEFING" or act.handoff["state"] == "OFFERING"
    await act.offers[0].press("1")
    await talks(act)


def _briefs_after_recovery(lines: list) -> bool:  # type: ignore[type-arg]
    recovered = next((i for i, line in enumerate(lines) if line["event"] == "Reconciled"), len(lines))
    return count_orders(lines[recovered:], "PlayToAgent", what="briefing") == 1


async def talks(act: Act) -> None:
    """The first agent has the lead; then they hang up, and the lead goes on in the dialplan."""
    await act.in_state("CONNECTED", seconds=15)
    await act.hears_agent()
    await _let_go(act)
    assert not act.call.is_over and not act.offers[0].is_over
    await act.offers[0].hang_up()
    await act.settled()
    assert (act.handoff["state"], act.handoff["status"]) == ("COMPLETED", "CONNECTED"), act.handoff
    await _back_in_dialplan(act)


async def is_rung_again(act: Act) -> None:
    """Who had accepted is gone: the agent who had lost is asked again, and takes the lead."""
    act.offers = [act.offers[0], await act.agents[1].rings(10)]
    await act.offers[1].answer()
    await act.until(lambda view: view["offers"][-1]["state"] == "BRIEFING")
    await act.offers[1].press("1")
    await act.in_state("CONNECTED")
    await act.hears_agent(1)
    await act.offers[1].hang_up()
    await act.settled()
    assert (act.handoff["state"], act.handoff["status"]) == ("COMPLETED", "CONNECTED"), act.handoff
    await _back_in_dialplan(act)


def returns(*statuses: str) -> Do:
    async def check(act: Act) -> None:
        await act.settled()
        assert act.handoff["state"] == "RETURNED", act.handoff
        assert act.handoff["status"] in statuses, act.handoff
        assert all(offer.is_over for offer in act.offers)
        await _back_in_dialplan(act)

    return check


async def is_abandoned(act: Act) -> None:
    await _ends(act, "ABANDONED")


async def is_completed(act: Act) -> None:
    await _ends(act, "COMPLETED")


async def is_completed_and_lead_goes_on(act: Act) -> None:
    await _ends(act, "COMPLETED")
    await _back_in_dialplan(act)


async def has_returned_already(act: Act) -> None:
    await _ends(act, "RETURNED")


async def _ends(act: Act, state: str) -> None:
    await act.settled()
    assert act.handoff["state"] == state, act.handoff
    for offer in act.offers:
        await offer.ended()


async def _recovered(act: Act) -> None:
    await act.until(lambda view: True)
    await act.journal_has(lambda lines: any(line["event"] == "Reconciled" for line in lines))


async def _back_in_dialplan(act: Act) -> None:
    await act.scene.heard(lambda traffic: traffic.heard_at(act.call.call_id).hears(RETURNED_HZ, frames=5))
    await act.call.hang_up()


# -- the plans -------------------------------------------------------------------------------------

OFFERS = (
    Case("ringing, nothing", rung, nothing, nothing, rings_on, "OFFERING"),
    Case("ringing, answered", rung, nothing, agent_answers, is_briefed_again, "OFFERING"),
    Case("ringing, answered and pressed", rung, nothing, agent_answers_and_presses, is_briefed_again, "OFFERING"),
    Case("ringing, refused", rung, nothing, agent_hangs_up, returns("TIMEOUT", "NOAGENT"), "OFFERING"),
    Case("ringing, lead gone", rung, nothing, lead_hangs_up, is_abandoned, "OFFERING"),
    Case("ringing, both gone", rung, nothing, both_hang_up, is_abandoned, "OFFERING"),
    Case("briefing, nothing", briefed, nothing, nothing, is_briefed_again, "OFFERING"),
    Case("briefing, pressed", briefed, nothing, accepts, is_briefed_again, "OFFERING"),
    Case("briefing, agent gone", briefed, nothing, agent_hangs_up, returns("TIMEOUT"), "OFFERING"),
    Case("briefing, lead gone", briefed, nothing, lead_hangs_up, is_abandoned, "OFFERING"),
    Case("briefing, both gone", briefed, nothing, both_hang_up, is_abandoned, "OFFERING"),
    Case("announcement, nothing", rung, announcement_begins, nothing, rings_on, "OFFERING", "comforted", first=True),
    Case("announcement, answered", rung, announcement_begins, agent_answers, is_briefed_again, "OFFERING", "comforted", first=True),
    Case("announcement, lead gone", rung, announcement_begins, lead_hangs_up, is_abandoned, "OFFERING", "comforted", first=True),
    Case("returning, nothing", briefed, stopped_before(CONTINUE, declines), nothing, returns("DECLINED"), "RETURNED"),
    Case("returning, lead gone", briefed, stopped_before(CONTINUE, declines), lead_hangs_up, has_returned_already, "RETURNED"),
    Case("farewell, nothing", briefed, farewell_begins, nothing, has_returned_already, "RETURNED", music=False),
    Case("farewell, agent gone", briefed, farewell_begins, agent_hangs_up, has_returned_already, "RETURNED", music=False),
)  # fmt: skip

JOINING = (
    Case("accepted, nothing", briefed, stopped_before(JOIN, accepts), nothing, talks, "INTRODUCING", music=False),
    Case("accepted, agent gone", briefed, stopped_before(JOIN, accepts), agent_hangs_up, is_rung_again, "INTRODUCING", agents=2, music=False, invites=2),
    Case("joined unheard, nothing", briefed, stopped_before(JOIN, accepts, done=True), nothing, talks, "INTRODUCING", music=False),
    Case("introducing, nothing", briefed, introduction_begins, nothing, talks, "INTRODUCING", "introduced", agents=2, music=False),
    Case("introducing, agent gone", briefed, introduction_begins, agent_hangs_up, is_rung_again, "INTRODUCING", "introduced", agents=2, music=False, invites=2),
    Case("introducing, lead gone", briefed, introduction_begins, lead_hangs_up, is_abandoned, "INTRODUCING", "introduced", music=False),
    Case("introducing, both gone", briefed, introduction_begins, both_hang_up, is_abandoned, "INTRODUCING", "introduced", music=False),
    Case("not let go, nothing", briefed, stopped_before(CONTINUE, accepts), nothing, talks, "CONNECTED", music=False),
    Case("not let go, agent gone", briefed, stopped_before(CONTINUE, accepts), agent_hangs_up, is_completed_and_lead_goes_on, "CONNECTED", music=False),
    Case("not let go, lead gone", briefed, stopped_before(CONTINUE, accepts), lead_hangs_up, is_completed, "CONNECTED", music=False),
    Case("let go, nothing", connected, nothing, nothing, talks, "CONNECTED", music=False),
    Case("let go, agent gone", connected, nothing, agent_hangs_up, is_completed, "CONNECTED", music=False),
    Case("let go, lead gone", connected, nothing, lead_hangs_up, is_completed, "CONNECTED", music=False),
    Case("let go, both gone", connected, nothing, both_hang_up, is_completed, "CONNECTED", music=False),
)  # fmt: skip

EDGES = (
    Case("requested, nothing", nothing, stopped_before(ANSWER, dials), nothing, rings_now, "REQUESTED", music=False),
    Case("requested, lead gone", nothing, stopped_before(ANSWER, dials), lead_hangs_up, is_abandoned, "REQUESTED", music=False),
    Case("waiting, nothing", waits_for_all, nothing, nothing, ready_again(rings_now), "SEEKING", "patient"),
    Case("waiting, lead gone", waits_for_all, nothing, lead_hangs_up, ready_again(is_abandoned), "SEEKING", "patient"),
    Case("created not, nothing", nothing, stopped_before(CREATE, dials), nothing, rings_now, "OFFERING"),
    Case("dialled not, nothing", nothing, stopped_before(DIAL, dials), nothing, rings_now, "OFFERING"),
    Case("dialled unheard, nothing", nothing, stopped_before(DIAL, dials_and_rings, done=True), nothing, rings_on, "OFFERING"),
    Case("blind ringing, nothing", rung, nothing, nothing, rings_on_blind, "OFFERING", "blind"),
    Case("blind ringing, answered", rung, nothing, agent_answers, talks, "OFFERING", "blind"),
    Case("blind ringing, refused", rung, nothing, agent_hangs_up, returns("TIMEOUT", "NOAGENT"), "OFFERING", "blind"),
    Case("blind ringing, lead gone", rung, nothing, lead_hangs_up, is_abandoned, "OFFERING", "blind"),
    Case("blind ringing, both gone", rung, nothing, both_hang_up, is_abandoned, "OFFERING", "blind"),
    Case("blind introducing, nothing", rung, blind_introduction_begins, nothing, talks, "INTRODUCING", "blind-introduced", music=False),
    Case("blind introducing, agent gone", rung, blind_introduction_begins, agent_hangs_up, returns("TIMEOUT"), "INTRODUCING", "blind-introduced", music=False),
    Case("blind introducing, lead gone", rung, blind_introduction_begins, lead_hangs_up, is_abandoned, "INTRODUCING", "blind-introduced", music=False),
    Case("blind let go, nothing", blindly_connected, nothing, nothing, talks, "CONNECTED", "blind", music=False),
    Case("blind let go, agent gone", blindly_connected, nothing, agent_hangs_up, is_completed, "CONNECTED", "blind", music=False),
)  # fmt: skip

_LONG = (
    "ringing, answered", "briefing, pressed", "announcement, nothing", "introducing, agent gone", "let go, nothing",
    "accepted, nothing",
)  # fmt: skip
LONG = tuple(case for case in (*OFFERS, *JOINING) if case.name in _LONG)
STOPPED = tuple(
    case
    for case in (*OFFERS, *JOINING)
    if case.name in ("ringing, nothing", "briefing, pressed", "let go, nothing")
)
PLANS = (OFFERS, JOINING, EDGES, LONG, STOPPED)
