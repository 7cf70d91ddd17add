"""Asterisk's events → facts: what each means, told once, with an id that a replay repeats."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.ari.model import Channel, Message
from asterisk_warm.ari.times import moment
from asterisk_warm.ari.translate import Translator, cause_words, lead_at_door, transfer_asked
from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentLeft,
    AgentRinging,
    DigitPressed,
    Event,
    LeadHungUp,
    LeadLeft,
    PlaybackEnded,
    QualifierHungUp,
    QualifierLeft,
    QualifierPressed,
    Recorded,
)
from asterisk_warm.core.handoff.model import LEAD as THE_LEAD
from asterisk_warm.core.handoff.model import QUALIFIER as THE_QUALIFIER
from asterisk_warm.core.handoff.model import Outcome, Playing, agent_name
from asterisk_warm.engine.ports.calls import Door, Transfer

HANDOFF, LEAD, QUALIFIER, LEG = "warm-1", "1795.7", "1795.8", "warm-1-agent-3"
PICKED_UP = "1795.9"
"""A phone that has taken over an agent's call."""
LEGS = {
    LEAD: (HANDOFF, THE_LEAD),
    QUALIFIER: (HANDOFF, THE_QUALIFIER),
    LEG: (HANDOFF, agent_name(3)),
    "warm-1-agent-4": (HANDOFF, agent_name(4)),
    PICKED_UP: (HANDOFF, agent_name(5)),
    "aside": (HANDOFF, "somebody-else"),
}
STAMP = "2026-11-24T03:13:03.362+0100"


def message(kind: str, channel: str = "", state: str = "Up", **rest: Any) -> Message:
    """An event as Asterisk writes it, with much that nobody here reads."""
    raw: dict[str, Any] = {"type": kind, "timestamp": STAMP, "asterisk_id": "02:00", **rest}
    if channel:
        raw["peer" if kind == "Dial" else "channel"] = {
            "id": channel,
            "name": "PJSIP/x-1",
            "state": state,
            "connected": {"name": "", "number": ""},
        }
    return msgspec.json.decode(msgspec.json.encode(raw), type=Message)


def facts(*messages: Message) -> list[Event]:
    translator = Translator(LEGS.get)
    told = [fact for one in messages for fact in translator.facts(one)]
    assert all(handoff == HANDOFF for handoff, _ in told)
    return [event for _, event in told]


def kinds(*messages: Message) -> list[type[Event]]:
    return [type(event) for event in facts(*messages)]


def test_given_a_leg_from_first_ring_to_hangup_when_told_then_each_step_is_one_fact() -> None:
    told = facts(
        message("StasisStart", LEG, "Down"),
        message("Dial", LEG, "Down", dialstatus=""),
        message("ChannelStateChange", LEG, "Ringing"),
        message("Dial", LEG, "Ringing", dialstatus="RINGING"),
        message("ChannelStateChange", LEG),
        message("Dial", LEG, dialstatus="ANSWER"),
        message("ChannelDtmfReceived", LEG, digit="2", duration_ms=180),
        message("ChannelHangupRequest", LEG, cause=16),
        message("StasisEnd", LEG),
        message("ChannelDestroyed", LEG, cause=16, cause_txt="Normal Clearing"),
    )
    assert [type(event) for event in told] == [AgentRinging, AgentAnswered, DigitPressed, AgentHungUp]
    assert told[2] == DigitPressed(at=moment_of(STAMP), event_id=told[2].event_id, offer=3, digit="2")
    assert isinstance(told[3], AgentHungUp)
    assert (told[3].offer, told[3].outcome, told[3].cause) == (3, Outcome.HUNG_UP, "normal clearing")
    assert len({event.event_id for event in told}) == 4


@pytest.mark.parametrize(
    ("cause", "outcome", "words"),
    [
        (16, Outcome.NO_ANSWER, "rang out"),
        (19, Outcome.NO_ANSWER, "no answer"),
        (17, Outcome.BUSY, "busy"),
        (21, Outcome.DECLINED, "call rejected"),
        (20, Outcome.UNREACHABLE, "phone not registered"),
        (0, Outcome.FAILED, "normal clearing"),
        (88, Outcome.FAILED, "incompatible destination"),
    ],
)
def test_given_a_leg_that_was_never_answered_when_it_ends_then_the_cause_tells_why(
    cause: int, outcome: Outcome, words: str
) -> None:
    text = "Incompatible Destination" if cause == 88 else "Whatever"
    [told] = facts(message("ChannelDestroyed", LEG, "Ringing", cause=cause, cause_txt=text))
    assert isinstance(told, AgentHungUp)
    assert (told.outcome, told.cause) == (outcome, words)


def test_given_no_words_for_a_cause_when_asked_then_the_number_is_said() -> None:
    assert cause_words(77) == "cause 77"
    assert cause_words(77, "Odd Thing") == "odd thing"


def test_given_a_leg_taken_out_of_our_application_when_alive_then_it_left_and_has_not_hung_up() -> None:
    assert kinds(message("StasisEnd", LEG)) == [AgentLeft]
    assert kinds(message("ChannelHangupRequest", LEG), message("StasisEnd", LEG)) == []
    # Never answered: its end is told by ChannelDestroyed, with the reason.
    assert kinds(message("StasisEnd", LEG, "Ringing")) == []


def test_given_a_lead_when_they_hang_up_then_that_is_told_at_once_and_once() -> None:
    hung_up = [
        message("ChannelHangupRequest", LEAD, cause=16),
        message("ChannelHangupRequest", LEAD, cause=16, soft=True),
        message("StasisEnd", LEAD),
    ]
    [told] = facts(*hung_up)
    assert told == LeadHungUp(at=moment_of(STAMP), event_id=told.event_id, cause="normal clearing")
    assert kinds(message("StasisEnd", LEAD)) == [LeadLeft]
    assert kinds(message("ChannelDestroyed", LEAD, cause=16)) == [LeadHungUp]
    [told] = facts(message("ChannelHangupRequest", LEAD, cause=32, soft=True))
    assert isinstance(told, LeadHungUp) and told.cause == "ended by Asterisk"


def test_given_a_lead_who_was_let_go_when_they_hang_up_later_then_that_is_told_too() -> None:
    let_go = [
        message("StasisEnd", LEAD),
        message("ChannelHangupRequest", LEAD),
        message("ChannelDestroyed", LEAD),
    ]
    assert kinds(*let_go) == [LeadLeft, LeadHungUp]


def test_given_a_qualifier_when_they_hang_up_then_that_is_told_at_once_and_once() -> None:
    [told] = facts(
        message("ChannelHangupRequest", QUALIFIER, cause=16),
        message("ChannelHangupRequest", QUALIFIER, cause=16, soft=True),
        message("StasisEnd", QUALIFIER),
    )
    assert told == QualifierHungUp(at=moment_of(STAMP), event_id=told.event_id, cause="normal clearing")
    [told] = facts(message("ChannelHangupRequest", QUALIFIER, cause=32, soft=True))
    assert isinstance(told, QualifierHungUp) and told.cause == "ended by Asterisk"
    assert kinds(message("ChannelDestroyed", QUALIFIER, cause=16)) == [QualifierHungUp]


def test_given_a_qualifier_who_leaves_or_presses_a_key_then_it_is_told_of_them() -> None:
    assert kinds(message("StasisEnd", QUALIFIER)) == [QualifierLeft]
    [pressed] = facts(message("ChannelDtmfReceived", QUALIFIER, digit="*"))
    assert pressed == QualifierPressed(at=moment_of(STAMP), event_id=pressed.event_id, digit="*")
    released = [message("StasisEnd", QUALIFIER), message("ChannelHangupRequest", QUALIFIER)]
    assert kinds(*released) == [QualifierLeft, QualifierHungUp]


def test_given_a_qualifier_or_a_lead_when_what_is_told_is_an_agents_only_then_nothing_follows() -> None:
    for channel in (QUALIFIER, LEAD):
        ringing = message("Dial", channel, "Ringing", dialstatus="RINGING")
        assert kinds(ringing, message("ChannelStateChange", channel)) == []
    assert kinds(message("ChannelDtmfReceived", LEAD, digit="1")) == []


def test_given_two_keys_pressed_in_the_same_millisecond_then_they_are_two_facts() -> None:
    star, two = facts(*(message("ChannelDtmfReceived", QUALIFIER, digit=digit) for digit in "*2"))
    assert star.event_id != two.event_id


def test_given_another_channel_in_an_agents_place_when_something_happens_to_it_then_it_is_the_agents() -> (
    None
):
    told = facts(
        message("ChannelDtmfReceived", PICKED_UP, digit="1"),
        message("ChannelDestroyed", PICKED_UP, cause=16),
    )
    assert [type(event) for event in told] == [DigitPressed, AgentHungUp]
    assert {event.offer for event in told if isinstance(event, (DigitPressed, AgentHungUp))} == {5}


def test_given_another_phone_that_picks_up_an_agents_call_when_it_enters_then_it_has_answered() -> None:
    replaced = {"id": LEG, "name": "PJSIP/x-1"}
    [told] = facts(message("StasisStart", PICKED_UP, replace_channel=replaced))
    assert isinstance(told, AgentAnswered) and told.offer == 5
    # Of a lead or a qualifier that says nothing; nor does a leg's own entering.
    for other in (LEAD, QUALIFIER):
        assert kinds(message("StasisStart", other, replace_channel=replaced)) == []
    assert kinds(message("StasisStart", LEG), message("StasisStart", LEG, "Down")) == []


def test_given_a_channel_of_ours_that_is_nobodys_leg_when_it_ends_then_nothing_follows() -> None:
    assert kinds(message("StasisEnd", "aside"), message("ChannelDestroyed", "aside", cause=16)) == []


def test_given_an_outage_within_a_hangup_when_more_comes_then_nothing_is_suppressed() -> None:
    translator = Translator(LEGS.get)
    assert len(list(translator.facts(message("ChannelHangupRequest", LEAD)))) == 1
    translator.forget()
    assert len(list(translator.facts(message("StasisEnd", LEAD)))) == 1


def test_given_a_replayed_event_when_told_again_then_it_has_the_same_id() -> None:
    pressed = message("ChannelDtmfReceived", LEG, digit="1")
    first, second = facts(pressed, pressed)
    assert first == second
    other_key, other_leg = facts(
        message("ChannelDtmfReceived", LEG, digit="2"),
        message("ChannelDtmfReceived", "warm-1-agent-4", digit="1"),
    )
    assert len({first.event_id, other_key.event_id, other_leg.event_id}) == 3


@pytest.mark.parametrize(("state", "failed"), [("done", False), ("failed", True)])
def test_given_our_playback_when_it_ends_then_it_is_told(state: str, failed: bool) -> None:
    [told] = facts(message("PlaybackFinished", playback={"id": "warm-1~comfort~4", "state": state}))
    assert isinstance(told, PlaybackEnded)
    assert (told.what, told.number, told.failed) == (Playing.COMFORT, 4, failed)


def recording(kind: str, name: str, state: str, channel: str = "warm-1-aside-9") -> Message:
    told = {"name": name, "state": state, "format": "ulaw", "target_uri": f"channel:{channel}", "duration": 3}
    return message(kind, recording=told)


@pytest.mark.parametrize(("name", "number", "reply"), [("question", 2, False), ("reply", 12, True)])
@pytest.mark.parametrize(
    ("talked", "kind", "state", "failed"),
    [
        (True, "RecordingFinished", "done", False),
        (False, "RecordingFinished", "done", True),
        (True, "RecordingFinished", "canceled", True),
        (True, "RecordingFailed", "failed", True),
    ],
)
def test_given_our_recording_when_it_ends_then_it_is_told_and_whether_there_is_something_to_play(
    name: str, number: int, reply: bool, talked: bool, kind: str, state: str, failed: bool
) -> None:
    called = f"warm-1-{name}-{number}"
    before = [recording("RecordingStarted", called, "recording")]
    if talked:
        before.append(message("ChannelTalkingStarted", "warm-1-aside-9"))
    [told] = facts(*before, recording(kind, called, state))
    assert isinstance(told, Recorded)
    assert (told.number, told.reply, told.failed) == (number, reply, failed)
    assert told.event_id == f"{STAMP}/{called}/finished" and told.at == moment(before[0])


@pytest.mark.parametrize(
    "name", ["warm-1-question-x", "warm-1-words-1", "other-question-1", "voicemail/1", ""]
)
def test_given_somebody_elses_recording_when_it_ends_then_nothing_is_told(name: str) -> None:
    assert kinds(recording("RecordingFinished", name, "done"), message("RecordingFinished")) == []


def test_given_an_outage_then_who_talked_before_it_is_not_known_any_more() -> None:
    translator = Translator(LEGS.get)
    before = (
        recording("RecordingStarted", "warm-1-reply-1", "recording"),
        message("ChannelTalkingStarted", LEG),
    )
    assert [fact for one in before for fact in translator.facts(one)] == []
    translator.forget()
    [(_, told)] = translator.facts(recording("RecordingFinished", "warm-1-reply-1", "done", LEG))
    assert isinstance(told, Recorded) and told.failed


@pytest.mark.parametrize(
    "playback", ["warm-1~introduction~1-agent", "warm-1~whatever~1", "other~comfort~1", "x", ""]
)
def test_given_somebody_elses_playback_when_it_ends_then_nothing_is_told(playback: str) -> None:
    assert kinds(message("PlaybackFinished", playback={"id": playback, "state": "done"})) == []


def test_given_events_that_are_not_about_us_when_told_then_nothing_follows() -> None:
    assert (
        kinds(
            message("ChannelHangupRequest", "somebody"),
            message("StasisEnd", "warm-1-agent-x"),
            message("PlaybackFinished"),
            message("StasisEnd"),
            message("Dial", LEG, dialstatus="BUSY"),
            message("ChannelStateChange", LEG, "Ringing"),
            message("SomethingNew", LEG),
        )
        == []
    )


def test_given_a_time_stamp_with_an_offset_when_read_then_it_is_that_moment_else_now() -> None:
    assert moment_of("2026-11-24T03:13:03.362+0000") - moment_of(STAMP) == pytest.approx(3600)
    assert moment_of("2026-11-24T02:13:03.362Z") == pytest.approx(moment_of(STAMP))
    for broken in ("", "yesterday"):
        assert abs(moment_of(broken) - time.time()) < 5


def moment_of(stamp: str) -> float:
    return moment(Message(type="x", timestamp=stamp))


def test_given_a_lead_at_the_door_when_read_then_options_and_descriptions_are_told_apart() -> None:
    channel = msgspec.convert({"id": LEAD, "caller": {"name": "Grant", "number": "555"}}, Channel)
    arguments = [
        "handoff",
        "sales%20east",
        "mode%3Dauto",
        "",
        "WARM_LEAD_NAME=Zo%C3%AB%2C%20x%C3",
        "WARM_LEAD_SUMMARY=",
    ]
    door = lead_at_door(channel, arguments)
    assert door is not None
    assert (door.team, list(door.options)) == ("sales east", ["mode=auto"])
    assert (door.lead.channel, door.lead.shown_name, door.lead.shown_number) == (LEAD, "Grant", "555")
    assert door.lead.variables == {"WARM_LEAD_NAME": "Zoë, x", "WARM_LEAD_SUMMARY": ""}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["handoff"],
        ["consult"],
        ["else", "sales"],
        ["taken"],
        ["taken", "sales"],
        ["HANDOFF", "sales"],
        [""],
    ],
)
def test_given_another_way_in_when_read_then_it_is_nobodys_handoff(arguments: list[str]) -> None:
    assert lead_at_door(Channel(id=LEAD), arguments) is None


def test_given_a_qualifier_at_the_door_when_read_then_they_have_come_for_a_consult() -> None:
    channel = msgspec.convert({"id": QUALIFIER, "caller": {"name": "Quinn", "number": "200"}}, Channel)
    door = lead_at_door(channel, ["consult", "sales", "", "mode%3Dconsult"])
    assert door is not None
    assert (door.door, door.team, list(door.options)) == (Door.CONSULT, "sales", ["mode=consult"])
    assert door.lead.channel == QUALIFIER
    handed_off = lead_at_door(channel, ["handoff", "sales"])
    assert handed_off is not None and handed_off.door is Door.HANDOFF


@given(st.lists(st.text(max_size=30), max_size=8))
def test_given_any_arguments_when_read_then_nothing_breaks(arguments: list[str]) -> None:
    door = lead_at_door(Channel(id=LEAD), ["handoff", "sales", *arguments])
    assert door is not None and door.team == "sales"


# -- a phone's Transfer key ----------------------------------------------------------------------------------


def transfer(refer_to: dict[str, Any]) -> Message:
    """A ChannelTransfer as Asterisk 22 writes it."""
    other = {"id": "1795.1", "name": "PJSIP/lead-1"}
    by = {"source_channel": {"id": QUALIFIER}, "connected_channel": other, "bridge": {"id": "b"}}
    return message("ChannelTransfer", refer_to=refer_to, referred_by=by)


def test_given_a_blind_transfer_when_asked_then_it_is_known_who_and_whither() -> None:
    asked = transfer({"requested_destination": {"destination": "sales", "additional_protocol_params": []}})
    assert transfer_asked(asked) == Transfer(QUALIFIER, "sales")


def test_given_an_attended_transfer_when_asked_then_the_phones_other_call_is_known() -> None:
    other = {"id": "1795.20", "name": "PJSIP/quinn-2"}
    wanted = {"protocol_id": "abc@127.0.0.1", "destination": ""}
    asked = transfer({"requested_destination": wanted, "destination_channel": other, "bridge": {"id": "c"}})
    assert transfer_asked(asked) == Transfer(QUALIFIER, "", "1795.20", attended=True)


def test_given_an_attended_transfer_onto_a_call_elsewhere_when_asked_then_it_is_attended_and_onto_nothing_here() -> (
    None
):
    asked = transfer({"requested_destination": {"protocol_id": "abc@elsewhere", "destination": "200"}})
    assert transfer_asked(asked) == Transfer(QUALIFIER, "200", "", attended=True)


def test_given_a_transfer_under_way_when_its_progress_is_told_then_nothing_new_is_asked() -> None:
    for state in ("channel_progress", "channel_answered", "channel_declined"):
        told = transfer({"requested_destination": {"destination": "sales"}})
        told.state = state
        assert transfer_asked(told) is None


def test_given_a_transfer_without_one_who_asks_or_a_destination_when_read_then_nothing_is_asked() -> None:
    wanted = {"requested_destination": {"destination": "sales"}}
    assert transfer_asked(message("ChannelTransfer")) is None
    assert transfer_asked(message("ChannelTransfer", refer_to=wanted)) is None
    assert transfer_asked(message("ChannelTransfer", refer_to=wanted, referred_by={})) is None
    by = {"source_channel": {"id": QUALIFIER}}
    assert transfer_asked(message("ChannelTransfer", referred_by=by)) is None


def test_given_a_transfer_when_it_is_asked_for_then_it_is_no_fact_about_a_handoff() -> None:
    assert kinds(transfer({"requested_destination": {"destination": "sales"}})) == []


# -- whatever comes ------------------------------------------------------------------------------------------

_CHANNELS = st.sampled_from([LEAD, QUALIFIER, LEG, "other"])
_KINDS = st.sampled_from(
    [
        "ChannelHangupRequest",
        "StasisEnd",
        "ChannelDestroyed",
        "ChannelStateChange",
        "Dial",
        "ChannelDtmfReceived",
    ]
)


@given(st.lists(st.tuples(_KINDS, _CHANNELS, st.sampled_from(["Up", "Ringing"])), max_size=30))
def test_given_any_sequence_when_all_channels_have_ended_then_nothing_is_remembered(
    events: list[tuple[str, str, str]],
) -> None:
    translator = Translator(LEGS.get)
    ends = [("StasisEnd", channel, "Up") for channel in (LEAD, QUALIFIER, LEG, "other")]
    for kind, channel, state in [*events, *ends]:
        list(translator.facts(message(kind, channel, state)))
    assert not translator._hanging_up
