"""A handoff beside what Asterisk really has."""

from __future__ import annotations

from property.history import consulting, introducing, offering, staying

from asterisk_warm.core.handoff.commands import HangUpAgent, RingAgent
from asterisk_warm.engine.ports.calls import Found, FoundChannel
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


QUINN = FoundChannel("qualifier-1", True, BRIDGE, True)


def test_given_a_qualifier_then_where_they_are():
    handoff = staying().handoff
    event = compare(handoff, found(LEAD, QUINN), 1.0, after_outage=True)
    assert (event.qualifier_present, event.qualifier_in_stasis) == (True, True)
    assert (event.qualifier_with_lead, event.qualifier_with_agent) == (True, False)
    event = compare(handoff, found(LEAD), 1.0, after_outage=True)
    assert not event.qualifier_present and not event.qualifier_in_stasis
    out = FoundChannel("qualifier-1", True, None, False)
    event = compare(handoff, found(LEAD, out), 1.0, after_outage=True)
    assert (event.qualifier_present, event.qualifier_in_stasis) == (True, False)


def test_given_a_consult_then_who_is_in_its_bridge():
    quinn = FoundChannel("qualifier-1", True, "warm-1-consult", True)
    there = found(LEAD, quinn, leg(1, bridge="warm-1-consult"))
    event = compare(consulting().handoff, there, 1.0, after_outage=True)
    assert (event.agents_consulted, event.agents_joined) == ((1,), ())
    assert (event.qualifier_with_agent, event.qualifier_with_lead) == (True, False)


def test_given_no_qualifier_then_none_is_found():
    event = compare(offering().handoff, found(LEAD, QUINN), 1.0, after_outage=True)
    assert not event.qualifier_present


def test_given_an_agent_whose_channel_was_replaced_then_the_new_one_is_looked_for():
    handoff = offering().handoff
    moved = handoff.with_offer(handoff.offer(1).evolve(channel="new"))
    other = FoundChannel("new", True, None, True)
    assert compare(moved, found(LEAD, other, leg(2)), 1.0, after_outage=True).agents_up == (1, 2)
