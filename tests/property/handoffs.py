"""Handoffs and events for tests of the core: plausible ones, in any order, repeated and late."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Agent, Lead, Outcome, Playing, ReturnPlace
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, Templates

TEMPLATES = Templates(
    briefing="{name}. {summary}",
    instructions="Press {accept} to accept, {decline} to decline, {repeat} to repeat.",
    introduction="I am connecting you to {agent} now.",
    taken="This call was taken by {agent}.",
)
AGENTS = tuple(Agent(name, name.title(), f"PJSIP/{name}") for name in ("ana", "ben", "cy"))
LEAD = Lead("lead-1", "Grant Weatherly", "+15550100", "home insurance, renews in three weeks")

_ids = itertools.count()


def policy(mode: Mode = Mode.AUTO, introduction: bool = True, comfort: float = 20.0) -> Policy:
    return Policy(
        mode=mode,
        ring_seconds=25.0,
        decision_seconds=30.0,
        hold_seconds=120.0,
        comfort_seconds=comfort,
        music="default",
        introduction=introduction,
        keys=Keys(),
        templates=TEMPLATES,
    )


def stamp(at: float) -> dict[str, object]:
    return {"at": at, "event_id": f"e{next(_ids)}"}


def request(at: float = 1000.0, **changes: object) -> ev.HandoffRequested:
    given: dict[str, object] = {
        "handoff": "warm-1",
        "team": "sales",
        "team_name": "Sales",
        "lead": LEAD,
        "agents": AGENTS,
        "policy": policy(),
        "requested_by": "dialplan",
    }
    return ev.HandoffRequested(**stamp(at), **{**given, **changes})  # type: ignore[arg-type]


requests = st.builds(
    lambda mode, introduction, comfort, agents, place: request(
        policy=policy(mode, introduction, comfort), agents=AGENTS[:agents], return_to=place
    ),
    st.sampled_from(Mode),
    st.booleans(),
    st.sampled_from([0.0, 20.0]),
    st.integers(0, 3),
    st.sampled_from([None, ReturnPlace("incoming", "s", 3)]),
)

_offer = st.integers(1, 7)
_subset = st.lists(st.sampled_from([a.id for a in AGENTS]), unique=True).map(tuple)
_numbers = st.lists(st.integers(1, 6), unique=True).map(tuple)
_playback = st.one_of(
    st.tuples(st.just(Playing.BRIEFING), st.integers(1001, 3003)),
    st.tuples(st.just(Playing.FAREWELL), _offer),
    st.tuples(st.sampled_from([Playing.COMFORT, Playing.INTRODUCTION]), st.integers(0, 4)),
)
_commands = st.sampled_from(
    [
        "SecureLead",
        "FindAgents",
        "RingAgent",
        "PlayToAgent",
        "JoinAgent",
        "HangUpAgent",
        "PlayComfort",
        "HoldLead",
        "LetGo",
        "ReturnLead",
        "CloseBridge",
    ]
)

kinds = st.one_of(
    st.just((ev.LeadSecured, {})),
    st.just((ev.LeadHungUp, {"cause": "normal clearing"})),
    st.just((ev.LeadLeft, {})),
    _subset.map(
        lambda free: (
            ev.AgentsFound,
            {"free": free, "not_free": tuple((a.id, "in a call") for a in AGENTS if a.id not in free)},
        )
    ),
    st.just((ev.SpeechReady, {})),
    _offer.map(lambda n: (ev.AgentRinging, {"offer": n})),
    _offer.map(lambda n: (ev.AgentAnswered, {"offer": n})),
    st.tuples(_offer, st.sampled_from(Outcome)).map(
        lambda t: (ev.AgentHungUp, {"offer": t[0], "outcome": t[1], "cause": "because"})
    ),
    _offer.map(lambda n: (ev.AgentLeft, {"offer": n})),
    st.tuples(_offer, st.sampled_from("1123*")).map(
        lambda t: (ev.DigitPressed, {"offer": t[0], "digit": t[1]})
    ),
    _offer.map(lambda n: (ev.AgentJoined, {"offer": n})),
    st.tuples(_playback, st.booleans()).map(
        lambda t: (ev.PlaybackEnded, {"what": t[0][0], "number": t[0][1], "failed": t[1]})
    ),
    st.just((ev.BridgeClosed, {})),
    st.just((ev.CancelRequested, {"by": "cli"})),
    st.just((ev.DeadlinePassed, {})),
    st.tuples(_commands, st.one_of(st.none(), _offer)).map(
        lambda t: (ev.CommandFailed, {"command": t[0], "offer": t[1], "error": "no"})
    ),
    st.tuples(
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        _numbers,
        _numbers,
        _numbers,
    ).map(
        lambda t: (
            ev.Reconciled,
            {
                "after_outage": t[0],
                "lead_present": t[1],
                "lead_in_stasis": t[1] and t[2],
                "lead_in_bridge": t[1] and t[2] and t[3],
                "agents_up": t[5],
                "agents_ringing": tuple(n for n in t[6] if n not in t[5]),
                "agents_joined": tuple(n for n in t[7] if n in t[5]),
                "agents_out_of_stasis": tuple(n for n in t[6] if n in t[5] and n not in t[7]),
            },
        )
    ),
)
"""(event class, its fields but time and id)."""
