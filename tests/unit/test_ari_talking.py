"""When somebody has said what they had to say, by Asterisk's events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from asterisk_warm.ari.headers import VALUE_LIMIT, header_value, header_variables
from asterisk_warm.ari.model import Channel, LiveRecording, Message
from asterisk_warm.ari.talking import SILENCE_SECONDS, Talking

LEG, NAME = "warm-1-aside-300001", "warm-1-question-1"


def at(second: float) -> str:
    return datetime.fromtimestamp(1_700_000_000 + second, UTC).isoformat()


def started(second: float) -> Message:
    return Message(
        "RecordingStarted", at(second), recording=LiveRecording(NAME, "recording", f"channel:{LEG}")
    )


def talks(second: float, channel: str = LEG) -> Message:
    return Message("ChannelTalkingStarted", at(second), channel=Channel(channel))


def silent(second: float, channel: str = LEG) -> Message:
    return Message("ChannelTalkingFinished", at(second), channel=Channel(channel))


def told(*messages: Message) -> tuple[Talking, list[str]]:
    talking = Talking()
    return talking, [ended for message in messages if (ended := talking.hear(message))]


def test_given_who_speaks_and_is_silent_then_the_recording_has_all():
    talking, ended = told(started(0), talks(4), silent(4 + 1 + SILENCE_SECONDS))
    assert ended == [NAME] and talking.has_talked(LEG)


def test_given_who_says_nothing_then_it_does_not_end_by_itself():
    talking, ended = told(started(0))
    assert not ended and not talking.has_talked(LEG)


def test_given_who_still_speaks_at_the_end_then_they_have_talked():
    talking, ended = told(started(0), talks(4))
    assert not ended and talking.has_talked(LEG)


def test_given_who_spoke_before_only_then_that_is_not_the_end():
    talking, ended = told(talks(-2), started(0), silent(-1 + SILENCE_SECONDS))
    assert not ended and not talking.has_talked(LEG)
    assert talking.hear(talks(3)) == "" and talking.hear(silent(4 + SILENCE_SECONDS)) == NAME


def test_given_who_began_before_and_went_on_then_that_counts():
    talking, ended = told(talks(-1), started(0), silent(1 + SILENCE_SECONDS))
    assert ended == [NAME] and talking.has_talked(LEG)


def test_given_others_who_speak_then_it_does_not_concern_the_recording():
    talking, ended = told(started(0), talks(1, "other"), silent(5, "other"), silent(9, "nobody"))
    assert not ended and not talking.has_talked(LEG)


@pytest.mark.parametrize("over", ["forget", "destroyed", "clear"])
def test_given_the_recording_is_over_then_nothing_is_remembered_of_it(over: str):
    talking, _ = told(started(0), talks(1))
    if over == "forget":
        talking.forget(LEG)
    elif over == "clear":
        talking.clear()
    else:
        talking.hear(Message("ChannelDestroyed", at(2), channel=Channel(LEG)))
    assert not talking.has_talked(LEG)
    assert talking.hear(silent(9)) == ""
    assert not (talking._begun or talking._talking or talking._talked)


def test_given_a_second_recording_by_the_same_leg_then_what_was_said_in_the_first_does_not_count():
    talking, ended = told(started(0), talks(1), silent(5), started(10))
    assert ended == [NAME] and not talking.has_talked(LEG)


@pytest.mark.parametrize(("uri", "channel"), [("channel:1.2", "1.2"), ("bridge:x", ""), ("", "")])
def test_given_what_is_recorded_then_its_channel(uri: str, channel: str):
    assert LiveRecording("x", "done", uri).channel == channel


# -- headers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "variables"),
    [
        ("PJSIP/ana", {"PJSIP_HEADER(add,X-A)": "1", "PJSIP_HEADER(add,X-B)": "2"}),
        ("PJSIP/555@trunk", {"PJSIP_HEADER(add,X-A)": "1", "PJSIP_HEADER(add,X-B)": "2"}),
        ("SIP/ana", {"SIPADDHEADER01": "X-A: 1", "SIPADDHEADER02": "X-B: 2"}),
        ("Local/ana@x/n", {}),
        ("IAX2/ana", {}),
        ("", {}),
    ],
)
def test_given_an_endpoint_then_how_its_invite_gets_headers(endpoint: str, variables: dict[str, str]):
    assert header_variables(endpoint, {"X-A": "1", "X-None": " \r\n", "X-B": "2"}) == variables


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("https://x/?a=b&c=%20d,e;f", "https://x/?a=b&c=%20d,e;f"),
        ("a\r\nX-Evil: 1", "a X-Evil: 1"),
        ("a\r\n\r\nv=0", "a v=0"),
        ("\x00\x07Zoë\u202e 🔥\x7f", "Zo"),
        ("a" * 10_000, "a" * VALUE_LIMIT),
        ("\n" * 10_000, ""),
    ],
)
def test_given_any_value_then_it_is_one_printable_line(given: str, value: str):
    assert header_value(given) == value
