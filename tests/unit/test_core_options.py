"""What the dialplan asks for, read without trust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.handoffs import policy

from asterisk_warm.core.handoff.gate import TOLD
from asterisk_warm.core.handoff.model import Said
from asterisk_warm.core.handoff.options import (
    DETAILS_AT_MOST,
    LEAD_VARIABLES,
    LIMITS,
    Asked,
    BadOption,
    clean,
    read,
)
from asterisk_warm.core.handoff.policy import Mode


def ask(*options: str, variables: dict[str, str] | None = None, qualifier: bool = False) -> Asked:
    return read(policy(), "ch-1", "Shown", "100", options, variables or {}, qualifier=qualifier)


def refused(*options: str) -> str:
    with pytest.raises(BadOption) as caught:
        ask(*options)
    return str(caught.value)


def test_given_nothing_then_the_teams_policy_and_the_caller_id():
    asked = ask()
    assert asked.policy == policy()
    assert (asked.lead.channel, asked.lead.name, asked.lead.number) == ("ch-1", "Shown", "100")
    assert (asked.lead.summary, asked.lead.details, asked.said) == ("", (), {})
    assert not asked.lead.named, "it is only what the caller ID says"


def test_given_options_variables_and_caller_id_then_options_win_over_variables_over_caller_id():
    variables = {
        "WARM_LEAD_NAME": "From Variable",
        "WARM_LEAD_NUMBER": "200",
        "WARM_LEAD_SUMMARY": "",
        "WARM_LEAD_PLAN": "gold",
        "OTHER": "x",
    }
    lead = ask("name=From Option", variables=variables).lead
    assert (lead.name, lead.number, lead.summary) == ("From Option", "200", "")
    assert lead.details == (("plan", "gold"),) and lead.named
    assert ask("name= \r\n").lead.named is False
    assert ask("name=", variables=variables).lead.name == "From Variable", "an empty option says nothing"


def test_given_details_in_options_then_they_join_those_of_the_variables():
    lead = ask("detail.city=Bonn", "detail.plan=silver", variables={"WARM_LEAD_PLAN": "gold"}).lead
    assert lead.details == (("city", "Bonn"), ("plan", "silver"))


def test_given_every_setting_then_this_handoff_alone_runs_under_it():
    asked = ask(
        " MODE = blind ", "ring=5", "decision=6.5", "hold=60", "comfort=0", "music=jazz-2", "introduction=no",
        "linger=60", "ticket=abc", "",
    ).policy  # fmt: skip
    assert (asked.mode, asked.ring_seconds, asked.decision_seconds) == (Mode.BLIND, 5.0, 6.5)
    assert (asked.hold_seconds, asked.comfort_seconds) == (60.0, 0.0)
    assert (asked.music, asked.introduction, asked.linger_seconds) == ("jazz-2", False, 60.0)
    assert ask("introduction=yes").policy.introduction


@pytest.mark.parametrize("asked", [[], ["mode=stay"], ["mode=consult"], ["mode=auto"], ["mode=blind"]])
def test_given_a_qualifier_then_every_mode_can_be_asked_for_and_theirs_is_the_default(asked):
    mode = asked[0].partition("=")[2] if asked else "stay"
    assert ask(*asked, qualifier=True).policy.mode is Mode(mode)


def test_given_a_lead_with_wishes_then_routing_heeds_them():
    policy = ask("wait=30", "priority=7", "skills=spanish:5; Insurance").policy
    assert (policy.routing.wait_seconds, policy.priority) == (30.0, 7)
    assert policy.routing.skills == (("insurance", 1), ("spanish", 5))


@pytest.mark.parametrize("mode", ["stay", "consult"])
def test_given_no_qualifier_then_no_mode_that_needs_one(mode):
    assert f"mode={mode} needs a qualifier who is on the call with the lead" in refused(f"mode={mode}")


@pytest.mark.parametrize(("told", "holds"), [("yes", True), (" YES ", True), ("1", True), ("true", True)] + [
    (told, False) for told in ("no", "0", "false", "perhaps")
])  # fmt: skip
def test_given_variables_then_anything_but_a_clear_yes_is_a_no(told, holds):
    variables = {"WARM_LEAD_CONSENT": told, "WARM_LEAD_QUALIFIED": "no"}
    asked = ask(variables=variables)
    assert asked.said == {"consent.call": holds, "ready": False}
    assert asked.lead.details == ()
    assert ask("consent=yes", variables=variables).said == {"consent.call": True, "ready": False}
    assert ask("consent=no", "qualified=yes", variables=variables).said == {
        "consent.call": False,
        "ready": True,
    }


def test_given_what_is_said_of_a_lead_then_it_is_known_who_says_so():
    variables = {"WARM_LEAD_CONSENT": "yes", "WARM_LEAD_QUALIFIED": "maybe"}
    qualified = Said("qualified", False, "WARM_LEAD_QUALIFIED")
    assert ask(variables=variables).told == (qualified, Said("consent", True, "WARM_LEAD_CONSENT"))
    assert ask("consent=no", variables=variables).told == (qualified, Said("consent", False))
    assert ask().told == ()


@pytest.mark.parametrize("told", ["", "  "])
def test_given_a_variable_that_is_empty_then_it_says_nothing(told):
    assert ask(variables={"WARM_LEAD_CONSENT": told}).said == {}


def test_given_language_qualification_and_recording_then_options_win_over_variables():
    variables = {
        "WARM_LEAD_LANGUAGE": "ES-mx",
        "WARM_LEAD_QUALIFICATION": "qual-01h2",
        "WARM_LEAD_RECORDING": "qual/own_words-1.2",
    }
    lead = ask(variables=variables).lead
    assert (lead.language, lead.qualification, lead.recording) == ("es-mx", "qual-01h2", "qual/own_words-1.2")
    lead = ask("language=de", "qualification= QUAL-2 ", "recording=Mine", variables=variables).lead
    assert (lead.language, lead.qualification, lead.recording) == ("de", "qual-2", "Mine")
    assert lead.details == ()
    assert ask("language=", variables=variables).lead.language == "es-mx"


HOSTILE = [
    "../etc/passwd",
    "a/../b",
    "/etc/x",
    "a b",
    "${X}",
    "a,b",
    "a&b",
    "x" * 200,
    "a\r\nb",
    ".hidden",
    "ä",
]


@pytest.mark.parametrize("name", ["language", "qualification", "recording"])
@pytest.mark.parametrize("value", HOSTILE)
def test_given_what_cannot_be_used_then_an_option_is_refused_and_a_variable_says_nothing(name, value):
    assert f"option {name}=" in refused(f"{name}={value}")
    lead = ask(variables={f"WARM_LEAD_{name.upper()}": value}).lead
    assert getattr(lead, name) == "" and lead.details == ()


def test_given_the_variables_with_a_meaning_then_each_is_read():
    assert set(LEAD_VARIABLES) == {f"WARM_LEAD_{name.upper()}" for name in (*LIMITS, *TOLD)}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("loud", 'option "loud" is not of the form key=value'),
        ("volume=3", 'unknown option "volume"; known: name, number, summary, language, qualification, '),
        ("mode=loud", "option mode=loud: must be one of stay, consult, auto, blind"),
        ("consent=maybe", "option consent=maybe: must be yes or no"),
        ("linger=1", "option linger=1: must be from 5 to 3600 seconds"),
        ("ring=soon", "option ring=soon: must be a number of seconds"),
        ("ring=0", "option ring=0: must be from 1 to 300 seconds"),
        ("ring=nan", "option ring=nan: must be from 1 to 300 seconds"),
        ("hold=inf", "option hold=inf: must be from 1 to 3600 seconds"),
        ("comfort=-1", "option comfort=-1: must be from 0 to 600 seconds"),
        ("music=../etc", "option music=../etc: must be the name of a music-on-hold class"),
        ("music=", "option music=: must be the name of a music-on-hold class"),
        ("introduction=maybe", "option introduction=maybe: must be yes or no"),
        ("wait=-1", "option wait=-1: must be from 0 to 3600 seconds"),
        ("priority=10", "option priority=10: must be from 0 to 9"),
        ("skills=", "option skills=: must be skill:level, parted by ;"),
        ("skills=spanish:11", "option skills=spanish:11: must be skill:level"),
        ("skills=a b", "option skills=a b: must be skill:level"),
    ],
)
def test_given_an_option_that_cannot_be_used_then_the_message_names_it_and_says_what_would_do(option, words):
    assert words in refused(option)


def test_given_several_bad_options_then_all_are_told_at_once():
    words = refused("loud", "ring=soon", "mode=x")
    assert words.count(";") == 2


def test_given_a_hostile_option_then_its_echo_is_short_and_printable():
    words = refused("evil\r\nAction: Originate" + "x" * 1000 + "=1")
    assert words.isprintable() and len(words) < 300


def test_given_too_many_details_then_the_first_by_name_are_kept():
    lead = ask(*(f"detail.k{n:02}={n}" for n in range(50))).lead
    assert len(lead.details) == DETAILS_AT_MOST
    assert lead.details[0] == ("k00", "0")


any_text = st.text(max_size=700)


@given(any_text, st.integers(1, 100))
def test_given_any_text_then_clean_is_one_printable_line_of_at_most_its_limit(text, limit):
    cleaned = clean(text, limit)
    assert cleaned.isprintable() and len(cleaned) <= limit
    assert cleaned == cleaned.strip()
    assert clean(cleaned, limit) == cleaned


@given(any_text, any_text, any_text, st.dictionaries(any_text, any_text, max_size=5))
def test_given_any_lead_details_then_they_are_printable_and_short(name, number, summary, others):
    variables = {"WARM_LEAD_SUMMARY": summary} | {f"WARM_LEAD_{key}": value for key, value in others.items()}
    lead = read(policy(), "ch-1", name, number, [], variables).lead
    for text, limit in [(lead.number, "number"), (lead.name, "name"), (lead.summary, "summary")]:
        assert text.isprintable() and len(text) <= LIMITS[limit]
    for key, value in lead.details:
        assert (key + value).isprintable() and len(key) <= 40 and len(value) <= 200


@given(st.lists(any_text, max_size=4))
def test_given_any_options_then_they_are_read_or_refused_in_printable_words(options):
    try:
        asked = read(policy(), "ch-1", "", "", options, {})
    except BadOption as bad:
        assert str(bad).isprintable()
    else:
        assert 1 <= asked.policy.ring_seconds <= 300
