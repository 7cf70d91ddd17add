"""Everything that the journal keeps comes back as it was."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.handoffs import FORBIDDEN, kinds, requests, stamp
from property.handoffs import request as requested
from property.history import History, briefing, connected, introducing, offering

from asterisk_warm.core.handoff.commands import Command
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.transition import begin, transition
from asterisk_warm.engine import codec

# SQL databases keep no lone surrogates, and neither does JSON.
st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("kind", codec.EVENTS.values(), ids=lambda kind: kind.__name__)
def test_given_any_event_of_each_kind_then_it_comes_back(kind):
    @given(st.builds(kind))
    @settings(max_examples=25, deadline=None)
    def comes_back(event: Event) -> None:
        assert codec.decode_event(type(event).__name__, codec.encode(event)) == event

    comes_back()


@pytest.mark.parametrize("kind", codec.COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_given_any_command_of_each_kind_then_it_comes_back(kind):
    @given(st.builds(kind))
    @settings(max_examples=25, deadline=None)
    def comes_back(command: Command) -> None:
        assert codec.decode_command(type(command).__name__, codec.encode(command)) == command

    comes_back()


def test_given_the_modules_then_every_kind_is_known():
    assert set(codec.EVENTS) == {kind.__name__ for kind in Event.__subclasses__()}
    assert set(codec.COMMANDS) == {kind.__name__ for kind in Command.__subclasses__()}


@pytest.mark.parametrize("told", [History, offering, briefing, introducing, connected])
def test_given_a_handoff_in_each_state_then_it_comes_back(told):
    handoff = told().handoff
    assert codec.decode_handoff(codec.encode(handoff)) == handoff


@given(requests, st.lists(kinds, max_size=15))
@settings(max_examples=100, deadline=None)
def test_given_any_history_then_what_comes_back_decides_alike(first, rest):
    handoff = begin(first).handoff
    for number, (kind, fields) in enumerate(rest):
        event = kind(**stamp(1000.0 + number), **fields)
        kept = codec.decode_handoff(codec.encode(handoff))
        assert transition(kept, event) == transition(handoff, event)
        handoff = transition(handoff, event).handoff


def test_given_a_snapshot_of_an_earlier_version_then_new_fields_have_their_defaults():
    handoff = offering().handoff
    data = msgspec.json.decode(codec.encode(handoff))
    optional = [f.name for f in dataclasses.fields(handoff) if f.default is not dataclasses.MISSING]
    for name in optional:
        del data[name]
    old = codec.decode_handoff(msgspec.json.encode(data))
    assert all(getattr(old, f.name) == f.default for f in dataclasses.fields(old) if f.name in optional)


@given(requests)
@settings(max_examples=25, deadline=None)
def test_given_a_request_of_an_earlier_version_then_new_fields_have_their_defaults(request):
    data = msgspec.json.decode(codec.encode(request))
    optional = [f for f in dataclasses.fields(request) if f.default is not dataclasses.MISSING]
    for field in optional:
        del data[field.name]
    old = codec.decode_event("HandoffRequested", msgspec.json.encode(data))
    assert old == dataclasses.replace(request, **{field.name: field.default for field in optional})


def test_given_a_refusal_of_an_earlier_version_then_the_lead_went_back_with_it():
    request = requested(refusal=FORBIDDEN)
    data = msgspec.json.decode(codec.encode(request))
    del data["refusal"]["untouched"]
    assert codec.decode_event("HandoffRequested", msgspec.json.encode(data)) == request


def test_given_what_no_version_wrote_then_it_is_refused():
    with pytest.raises(KeyError):
        codec.decode_event("LeadSneezed", b"{}")
    with pytest.raises(msgspec.ValidationError):
        codec.decode_event("LeadHungUp", b"{}")
    with pytest.raises(msgspec.ValidationError):
        codec.decode_handoff(b"{}")
