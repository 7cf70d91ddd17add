"""What an agent hears of the lead, and in which language; what their phone shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.handoffs import AGENTS, LEAD, TEMPLATES, policy
from property.history import (
    EVERYBODY,
    History,
    briefing,
    connected,
    consulting,
    offering,
    recalling,
    returned,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.model import Agent, Line, Playing
from asterisk_warm.core.handoff.policy import Mode, Policy
from asterisk_warm.core.handoff.wanted import still_wanted

ANA, BEN, CY = AGENTS
SPANISH = replace(
    TEMPLATES,
    briefing="{name}. Motivo: {summary}",
    instructions="Pulse {accept} para aceptar.",
    introduction="Le paso con {agent}.",
    taken="Ya lo tiene {agent}.",
    details="{details}. {more}",
    display="{name} ES",
)
TEAM = (ANA, replace(BEN, language="es"), replace(CY, language="fr"))
"""Nobody has a word of French here: Cy hears what there is."""
DETAILED = replace(LEAD, details=(("Plan", "gold"), ("Renewal", "May")), more="Owns the house", score=82.6)


def bilingual(**changes: Any) -> Policy:
    return policy(language="en", translations=(("es", SPANISH),), **changes)


def texts(history: History, offer: int = 1) -> list[str]:
    (order,) = [o for o in history.commands if isinstance(o, co.PlayToAgent) and o.offer == offer]
    return [line.text or line.recording or line.prompt for line in order.media]


# -- the briefing and the details ----------------------------------------------------------------------------


def test_given_the_briefing_then_name_and_why_come_first_and_the_keys_last():
    assert texts(briefing()) == [
        "Grant Weatherly. home insurance, renews in three weeks",
        "Press 1 to accept, 2 to decline, 3 to repeat.",
    ]


def test_given_the_lead_has_said_their_name_then_the_agent_hears_it_in_their_own_words():
    lead = replace(LEAD, recording="warm-lead-7")
    heard = briefing(lead=lead, policy=policy(own_words=True)).order(co.PlayToAgent).media
    assert heard[1] == Line("own-words", recording="warm-lead-7") and len(heard) == 3
    assert len(texts(briefing(lead=lead))) == 2, "not wanted"
    assert len(texts(briefing(policy=policy(own_words=True)))) == 2, "nothing said"


def test_given_the_details_key_then_the_details_alone_and_repeat_has_the_briefing_again():
    templates = replace(TEMPLATES, details="{details}. {more}.")
    history = briefing(lead=DETAILED, policy=policy(templates=templates))
    history.then(ev.DigitPressed, offer=1, digit="4")
    order = history.order(co.PlayToAgent)
    assert order.media == (Line("details", "Plan: gold, Renewal: May. Owns the house."),)
    assert (order.what, order.number, order.stop) == (Playing.BRIEFING, 1002, 1001)
    assert still_wanted(history.handoff, order)
    history.then(ev.DigitPressed, offer=1, digit="3")
    assert not still_wanted(history.handoff, order) and len(texts(history)) == 2


@pytest.mark.parametrize("template", ["{details}", "Details: {details}. {more}"])
def test_given_nothing_to_tell_then_the_agent_hears_so(template):
    history = briefing(policy=policy(templates=replace(TEMPLATES, details=template)))
    assert texts(history.then(ev.DigitPressed, offer=1, digit="4")) == ["no-details"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "4 for details, 5 to ask."),
        ({"asks": 0}, "4 for details."),
        ({"keys": replace(policy().keys, ask="*", details="")}, "star to ask."),
    ],
)
def test_given_the_instructions_then_they_name_the_keys_that_mean_something(changes, said):
    templates = replace(TEMPLATES, instructions="{details} for details, {ask} to ask.")
    assert texts(briefing(policy=policy(templates=templates, **changes)))[-1] == said


@pytest.mark.parametrize(
    ("score", "shown"), [(82.6, "83"), (0.0, "0"), (-0.2, "0"), (float("inf"), "inf"), (None, "")]
)
def test_given_a_score_then_it_is_said_and_shown_as_a_whole_number(score, shown):
    given = policy(templates=replace(TEMPLATES, briefing="{name}, {score}", display="{score}"))
    history = offering(lead=replace(LEAD, score=score), policy=given)
    rung = [order.name for order in history.commands if isinstance(order, co.RingAgent)]
    assert rung == [shown] * 3
    assert wording.briefing_text(history.handoff, ANA) == f"Grant Weatherly, {shown}".strip(", ")


# -- languages -----------------------------------------------------------------------------------------------


def test_given_agents_of_two_languages_then_each_is_briefed_in_theirs():
    history = offering(agents=TEAM, policy=bilingual())
    for number, text, language in (
        (1, "Grant Weatherly. home insurance, renews in three weeks", "en"),
        (2, "Grant Weatherly. Motivo: home insurance, renews in three weeks", "es"),
        (3, "Grant Weatherly. home insurance, renews in three weeks", "en"),
    ):
        line = history.then(ev.AgentAnswered, offer=number).order(co.PlayToAgent).media[0]
        assert line == Line("briefing", text, language)


def test_given_an_accept_then_each_loser_hears_so_in_their_language():
    history = offering(agents=TEAM, policy=bilingual())
    for number in (1, 2, 3):
        history.then(ev.AgentAnswered, offer=number)
    history.then(ev.DigitPressed, offer=1, digit="1")
    farewells = {o.offer: o.media[0] for o in history.commands if isinstance(o, co.PlayToAgent)}
    assert farewells == {
        2: Line("taken", "Ya lo tiene Ana.", "es"),
        3: Line("taken", "This call was taken by Ana.", "en"),
    }


def test_given_a_farewell_that_is_a_prompt_then_it_is_in_the_agents_language():
    history = offering(agents=TEAM, policy=bilingual()).then(ev.AgentAnswered, offer=2)
    history.then(ev.DigitPressed, offer=2, digit="2")
    assert history.order(co.PlayToAgent).media == (Line("declined", language="es"),)


def test_given_a_lead_of_another_language_then_the_introduction_and_comfort_are_in_theirs():
    lead = replace(LEAD, language="es")
    history = briefing(lead=lead, policy=bilingual())
    history.then(ev.DigitPressed, offer=1, digit="1")
    assert history.order(co.JoinAgent).introduction == (Line("introduction", "Le paso con Ana.", "es"),)
    comforted = offering(lead=lead, policy=bilingual()).then(ev.DeadlinePassed, later=20.0)
    assert comforted.order(co.PlayComfort).media == (Line("comfort", language="es"),)


def test_given_the_qualifier_then_they_are_told_in_the_policys_language():
    history = returned(language="en").then(ev.QualifierJoined)
    assert {line.language for line in history.order(co.TellQualifier).media} == {"en"}
    asked = recalling(language="en").then(ev.AgentAnswered, offer=4)
    assert [line.language for line in asked.order(co.PlayToAgent).media] == ["en"]


def test_given_a_request_then_all_that_may_be_said_is_made_ready_in_every_language():
    lead = replace(DETAILED, language="es")
    history = History(agents=TEAM, lead=lead, policy=bilingual())
    lines = history.order(co.PrepareSpeech).lines
    assert len(set(lines)) == len(lines) and all(line.text for line in lines)
    said: dict[str, set[str]] = {}
    for line in lines:
        said.setdefault(f"{line.prompt} {line.language}", set()).add(line.text)
    assert {name: len(found) for name, found in said.items()} == {
        **{"briefing en": 1, "briefing es": 1, "instructions en": 1, "instructions es": 1},
        **{"details en": 1, "details es": 1},
        **{"introduction es": 3, "taken en": 3, "taken es": 3},
    }


def test_given_a_large_team_then_one_briefing_is_made_ready_for_all_of_a_language():
    team = tuple(Agent(f"a{n}", f"Agent {n}", f"PJSIP/a{n}") for n in range(200))
    lines = History(agents=team, policy=policy(Mode.BLIND, introduction=False)).order(co.PrepareSpeech).lines
    assert len(lines) == 200


# -- the phone -----------------------------------------------------------------------------------------------


def test_given_the_display_then_the_phone_shows_the_lead_as_the_agents_language_has_it():
    history = offering(
        agents=TEAM, policy=bilingual(templates=replace(TEMPLATES, display="{name}: {summary}"))
    )
    shown = [order.name for order in history.commands if isinstance(order, co.RingAgent)]
    spoken = "Grant Weatherly: home insurance, renews in three weeks"
    assert shown == [spoken, "Grant Weatherly ES", spoken]


def test_given_a_talk_begins_then_the_connected_line_shows_the_same():
    templates = replace(TEMPLATES, display="{name} ({score})")
    history = consulting(templates=templates)
    (party,) = [o for o in history.commands if isinstance(o, co.ShowParty) and o.leg == "agent-1"]
    assert party.name == "Grant Weatherly"
    assert connected(lead=DETAILED).handoff.lead.score == 82.6


def test_given_a_long_text_then_the_phone_is_shown_its_beginning():
    history = offering(EVERYBODY[:1], lead=replace(LEAD, name="N" * 79 + " " + "M" * 79))
    assert history.order(co.RingAgent).name == "N" * 79


@given(st.text(), st.text(), st.text(min_size=1))
def test_given_any_texts_then_the_page_is_one_url_and_no_value_is_taken_for_a_name(number, id, agent):
    given = policy(page="https://crm.example/{id}/{number}?agent={agent}#{nothing}")
    handoff = History(handoff=id, lead=replace(LEAD, number=number), policy=given).handoff
    url = wording.page(handoff, replace(ANA, id=agent))
    assert url.startswith("https://crm.example/") and url.endswith("#{nothing}")
    path = url.removeprefix("https://crm.example/").removesuffix("#{nothing}")
    assert not set(path) & set(" {}<>\"'\r\n\\&")
    assert path.count("/") == 1 and path.count("?") == 1 and path.isascii()


def test_given_no_page_then_none():
    assert offering(EVERYBODY[:1]).order(co.RingAgent).page == ""


def test_given_a_long_reason_then_the_briefing_has_the_beginning_and_the_details_all_of_it():
    long = "Wants a quote for home insurance, renews in three weeks; the roof was new in 2019."
    handoff = replace(offering().handoff, lead=replace(LEAD, summary=long, more="Owns the house"))
    told = wording.briefing_text(handoff, ANA)
    assert told == "Grant Weatherly. Wants a quote for home insurance"
    assert wording.details_text(handoff, ANA) == long
    detailed = replace(handoff, lead=replace(handoff.lead, details=(("Plan", "gold"),)))
    assert wording.details_text(detailed, ANA) == f"{long} Plan: gold"
