"""What an agent asks back, and what others know of the lead, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from property.handoffs import LEAD, policy
from property.history import History, briefing, staying

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Playing
from asterisk_warm.core.handoff.story import tell


def told(history: History, since: float = 0.0) -> list[str]:
    return [f"{line.who}: {line.text}" for line in tell(history.chapters) if line.at >= since]


def presses(history: History, digit: str) -> list[str]:
    return told(history.then(ev.DigitPressed, later=1.0, offer=1, digit=digit), history.at)


def test_given_a_question_and_its_reply_then_the_story_tells_who_asks_whom():
    history = briefing()
    began = history.at + 1.0
    presses(history, "5")
    history.then(ev.Recorded, number=1, reply=False)
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1)
    history.then(ev.Recorded, number=1, reply=True).then(ev.Recorded, number=7, reply=True)
    history.then(ev.PlaybackEnded, what=Playing.REPLY, number=1)
    assert told(history, began) == [
        "Ana: pressed 5 (ask)",
        "Ana: asks the lead something",
        "Ana: has asked",
        "lead: hears the question",
        "lead: is listened to",
        "lead: has replied",
        "Ana: hears the reply",
        "Ana: hears which keys to press",
    ]


def test_given_the_qualifier_is_asked_then_the_story_names_them():
    history = staying().then(ev.AgentAnswered, offer=1)
    assert presses(history, "5")[-1] == "Ana: asks Quinn something"
    history.then(ev.Recorded, number=1, reply=False)
    assert told(history, history.at)[-1] == "Quinn: hears the question"
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1)
    history.then(ev.Recorded, number=1, reply=True, later=1.0, failed=True)
    assert told(history, history.at) == [
        "Quinn: said nothing that can be played",
        "Ana: has no question under way any more",
        "Ana: hears that there is no reply",
    ]


@pytest.mark.parametrize("digit", ["#", "5", "4", "9"])
def test_given_the_key_that_ends_the_question_then_the_story_says_so(digit):
    history = briefing()
    presses(history, "5")
    assert presses(history, digit) == [f"Ana: pressed {digit} (ended the question)"]
    history.then(ev.AgentAnswered, offer=2)
    asked = history.then(ev.DigitPressed, later=1.0, offer=2, digit="#")
    assert told(asked, history.at) == ["Ben: pressed # (no meaning)"]


def test_given_a_key_while_their_question_is_under_way_then_the_story_says_why_nothing_follows():
    history = briefing()
    presses(history, "5")
    history.then(ev.Recorded, number=1, reply=False)
    late = "but their question is under way"
    assert presses(history, "4") == [f"Ana: pressed 4 (details, {late})"]
    assert presses(history, "#") == [f"Ana: pressed # (no meaning, {late})"]
    assert presses(history, "1")[0] == "Ana: pressed 1 (accept)"
    assert presses(history, "4") == ["Ana: pressed 4 (details, too late)"]


def test_given_the_other_keys_then_what_the_agent_hears():
    templates = replace(policy().templates, details="{details}")
    history = briefing(policy=policy(asks=1, templates=templates))
    assert presses(history, "4") == ["Ana: pressed 4 (details)", "Ana: hears that there are no details"]
    presses(history, "5")
    history.then(ev.AgentAnswered, offer=2)
    asked = history.then(ev.DigitPressed, later=1.0, offer=2, digit="5")
    assert told(asked, history.at)[-1] == "Ben: hears that somebody else is asking"
    history.then(ev.Recorded, number=1, reply=False, failed=True)
    assert presses(history, "5")[-1] == "Ana: hears that they cannot ask more"
    detailed = briefing(lead=replace(LEAD, details=(("Plan", "gold"),)))
    assert presses(detailed, "4")[-1] == "Ana: hears the details"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            {"name": "Grace Hopper", "summary": "renews in May", "details": (("Plan", "gold"),)},
            "is known elsewhere: Grace Hopper, renews in May, Plan: gold",
        ),
        ({}, "is known elsewhere: no words"),
        ({"why": "it did not answer"}, "nothing more is known of them: it did not answer"),
    ],
)
def test_given_a_look_up_then_the_story_tells_what_came_of_it_once(found, words):
    history = History(policy=policy(look_up=True), lead=replace(LEAD, key="+15550100"))
    assert told(history)[-1] == "lead: is looked up elsewhere"
    history.then(ev.LeadFound, later=0.3, **found)
    assert told(history, history.at) == [f"lead: {words}"]
    history.then(ev.LeadFound, later=0.3, **found)
    assert told(history, history.at) == []
