"""A handoff beside what Asterisk really has."""

from __future__ import annotations

from property.history import introducing, offering

from asterisk_warm.core.handoff.commands import HangUpAgent, RingAgent
from asterisk_warm.engine.ports import Found, FoundChannel
from asterisk_warm.engine.reconcile import compare

BRIDGE = "warm-1-bridge"


def found(*channels: FoundChannel, bridges: frozenset[str] = frozenset({BRIDGE})) -> Found:
    return Found({channel.id: channel for channel in channels}, bridges)


def leg(number: int, *, up: bool = True, bridge: str | None = None, inside: bool = True) -> FoundChannel:
    return FoundChannel(f"warm-1-agent-{number}", up, bridge, inside)


LEAD = FoundChannel("lead-1", True, BRIDGE, True)


def test_given_lead_and_agents_then_each_is_told_as_found():
    event = compare(offering().handoff, found(LEAD, leg(1), leg(2, up=False)), 1001.0, after_outage=True)
    assert (event.at, event.after_outage) == (1001.0, True)
    assert (event.lead_present, event.lead_in_stasis, event.lead_in_bridge) == (True, True, True)
    assert (event.agents_up, event.agents_ringing, event.agents_joined) == ((1,), (2,), ())


def test_given_the_winner_in_the_bridge_then_joined_and_out_of_the_application_then_out():
    handoff = introducing().handoff
    assert compare(handoff, found(LEAD, leg(1, bridge=BRIDGE)), 1.0, after_outage=False).agents_joined == (1,)
    out = compare(handoff, found(LEAD, leg(1, bridge="basic-1", inside=False)), 1.0, after_outage=False)
    assert (out.agents_up, out.agents_joined, out.agents_out_of_stasis) == ((1,), (), (1,))


def test_given_nothing_then_nothing():
    event = compare(offering().handoff, found(bridges=frozenset()), 1.0, after_outage=False)
    assert not (event.lead_present or event.lead_in_stasis or event.lead_in_bridge)
    assert event.agents_up == event.agents_ringing == ()


def test_given_the_lead_elsewhere_then_present_but_not_with_us():
    lead = FoundChannel("lead-1", True, "other", False)
    event = compare(offering().handoff, found(lead), 1.0, after_outage=False)
    assert (event.lead_present, event.lead_in_stasis, event.lead_in_bridge) == (True, False, False)


def test_given_ringing_that_is_still_to_be_ordered_then_it_counts_as_ringing():
    handoff = offering().handoff
    pending = [RingAgent(2, handoff.agents[1], "", "", 25.0), HangUpAgent(3)]
    event = compare(handoff, found(LEAD, leg(1)), 1.0, after_outage=True, pending=pending)
    assert (event.agents_up, event.agents_ringing) == ((1,), (2,))


def test_given_a_leg_that_is_known_to_be_closed_then_it_is_not_looked_for():
    handoff = offering().handoff
    closed = handoff.with_offer(handoff.offer(1).evolve(leg_open=False))
    assert compare(closed, found(LEAD, leg(1)), 1.0, after_outage=True).agents_up == ()
