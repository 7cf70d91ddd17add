"""Handoffs and events for tests of the core: plausible ones, in any order, repeated and late."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import LEAD as LEAD_LEG
from asterisk_warm.core.handoff.model import (
    QUALIFIER,
    Agent,
    Lead,
    Outcome,
    Playing,
    Qualifier,
    Refusal,
    ReturnPlace,
    Said,
    Status,
    agent_name,
)
from asterisk_warm.core.handoff.policy import Action, Keys, Mode, Policy, Templates

TEMPLATES = Templates(
    briefing="{name}. {summary}",
    instructions="Press {accept} to accept, {decline} to decline, {repeat} to repeat.",
    introduction="I am connecting you to {agent} now.",
    taken="This call was taken by {agent}.",
    display="{name}",
)
AGENTS = tuple(Agent(name, name.title(), f"PJSIP/{name}") for name in ("ana", "ben", "cy"))
LEAD = Lead("lead-1", "Grant Weatherly", "+15550100", "home insurance, renews in three weeks")

_ids = itertools.count()


def policy(
    mode: Mode = Mode.AUTO, introduction: bool = True, comfort: float = 20.0, **changes: Any
) -> Policy:
    given = Policy(
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
    return replace(given, **changes)


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


QUINN = Qualifier("qualifier-1", "Quinn", "200", "PJSIP/quinn")
"""In one call with the lead."""
ON_HOLD = replace(QUINN, held_channel="held-1")
"""Has the lead on hold in another call of the same phone."""

FORBIDDEN = Refusal(Status.NOCONSENT, "the lead has not consented")


@st.composite
def _requests(draw: st.DrawFn) -> ev.HandoffRequested:
    kind = draw(st.sampled_from(["none", "one call", "refer", "on hold", "on hold"]))
    modes = {
        "none": [Mode.AUTO, Mode.BLIND],
        "one call": list(Mode),
        "refer": [Mode.STAY, Mode.AUTO],
        "on hold": [Mode.CONSULT],
    }[kind]
    qualifier = None
    if kind != "none":
        who = ON_HOLD if kind == "on hold" else replace(QUINN, refer=kind == "refer")
        qualifier = replace(who, endpoint=draw(st.sampled_from(["PJSIP/quinn", "PJSIP/quinn", ""])))
    return request(
        policy=policy(
            draw(st.sampled_from(modes)),
            introduction=draw(st.booleans()),
            comfort=draw(st.sampled_from([0.0, 20.0])),
            hold_seconds=draw(st.sampled_from([120.0, 120.0, 3.0])),
            warn_seconds=draw(st.sampled_from([15.0, 0.0])),
            recall_seconds=draw(st.sampled_from([20.0, 20.0, 0.0])),
            take_back_seconds=draw(st.sampled_from([120.0, 0.0])),
            queue_log=draw(st.booleans()),
            asks=draw(st.sampled_from([2, 2, 1, 0])),
            look_up=draw(st.sampled_from([False, False, True])),
        ),
        lead=replace(LEAD, key=draw(st.sampled_from(["", "+15550100"])), named=draw(st.booleans())),
        agents=AGENTS[: draw(st.sampled_from([3, 3, 2, 1, 0]))],
        return_to=draw(st.sampled_from([None, ReturnPlace("incoming", "s", 3)])),
        qualifier=qualifier,
        refusal=draw(
            st.sampled_from([*[None] * 12, FORBIDDEN, FORBIDDEN, replace(FORBIDDEN, untouched=True)])
        ),
        said=draw(
            st.sampled_from([(), (Said("qualified", True), Said("consent", False, "WARM_LEAD_CONSENT"))])
        ),
    )


requests = _requests()

_offer = st.integers(1, 7)
_subset = st.lists(st.sampled_from([a.id for a in AGENTS]), unique=True).map(tuple)
_numbers = st.lists(st.integers(1, 6), unique=True).map(tuple)
_questions = st.integers(1, 4)
_playback = st.one_of(
    st.tuples(st.just(Playing.BRIEFING), st.integers(1001, 3003)),
    st.tuples(st.just(Playing.FAREWELL), _offer),
    st.tuples(st.sampled_from([Playing.QUESTION, Playing.REPLY]), _questions),
    st.tuples(st.sampled_from([Playing.QUESTION, Playing.REPLY]), _questions),
    st.tuples(st.sampled_from([Playing.COMFORT, Playing.INTRODUCTION, Playing.ASIDE]), st.integers(0, 4)),
)
_commands = st.sampled_from([kind.__name__ for kind in co.Command.__subclasses__()])
_legs = st.one_of(st.sampled_from([LEAD_LEG, QUALIFIER]), _offer.map(agent_name))


@st.composite
def _reconciled(draw: st.DrawFn) -> tuple[type[ev.Event], dict[str, object]]:
    lead = [draw(st.booleans()) for _ in range(3)]
    who = [draw(st.booleans()) for _ in range(4)]
    up, others, joined = draw(_numbers), draw(_numbers), draw(_numbers)
    return ev.Reconciled, {
        "after_outage": draw(st.booleans()),
        "lead_present": lead[0],
        "lead_in_stasis": lead[0] and lead[1],
        "lead_in_bridge": all(lead),
        "agents_up": up,
        "agents_ringing": tuple(n for n in others if n not in up),
        "agents_joined": tuple(n for n in joined if n in up),
        "agents_out_of_stasis": tuple(n for n in others if n in up and n not in joined),
        "agents_consulted": tuple(n for n in up if n not in joined and n not in others),
        "qualifier_present": who[0],
        "qualifier_in_stasis": who[0] and who[1],
        "qualifier_with_lead": who[0] and who[1] and who[2],
        "qualifier_with_agent": who[0] and who[1] and who[3] and not who[2],
    }


kinds = st.one_of(
    st.just((ev.LeadSecured, {})),
    st.just((ev.LeadHungUp, {"cause": "normal clearing"})),
    st.just((ev.LeadLeft, {})),
    st.just((ev.QualifierJoined, {})),
    st.just((ev.QualifierHungUp, {"cause": "normal clearing"})),
    st.just((ev.QualifierLeft, {})),
    st.sampled_from("*1234").map(lambda digit: (ev.QualifierPressed, {"digit": digit})),
    st.sampled_from(Action).map(lambda action: (ev.QualifierAsked, {"action": action, "by": "api"})),
    st.sampled_from(Action).map(lambda action: (ev.QualifierAsked, {"action": action, "by": "cli"})),
    _offer.map(lambda n: (ev.ConsultStarted, {"offer": n})),
    _legs.map(lambda leg: (ev.ChannelReplaced, {"leg": leg, "channel": f"new-{leg}"})),
    _legs.map(lambda leg: (ev.HandedOn, {"to": "warm-2", "leg": leg})),
    _subset.map(
        lambda free: (
            ev.AgentsFound,
            {
                "free": free,
                "not_free": tuple((a.id, "in a call") for a in AGENTS if a.id not in free),
                "hope": len(free) % 2 == 1,
            },
        )
    ),
    st.just((ev.SpeechReady, {})),
    st.sampled_from([{}, {"why": "no answer"}, {"name": "Ann Lee", "details": (("Plan", "gold"),)}]).map(
        lambda found: (ev.LeadFound, found)
    ),
    st.tuples(_questions, st.booleans(), st.sampled_from([False, False, True])).map(
        lambda t: (ev.Recorded, {"number": t[0], "reply": t[1], "failed": t[2]})
    ),
    _offer.map(lambda n: (ev.AgentRinging, {"offer": n})),
    _offer.map(lambda n: (ev.AgentAnswered, {"offer": n})),
    st.tuples(_offer, st.sampled_from(Outcome)).map(
        lambda t: (ev.AgentHungUp, {"offer": t[0], "outcome": t[1], "cause": "because"})
    ),
    _offer.map(lambda n: (ev.AgentLeft, {"offer": n})),
    st.tuples(_offer, st.sampled_from("112345555*")).map(
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
    _reconciled(),
)
"""(event class, its fields but time and id)."""
