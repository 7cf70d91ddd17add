"""docs/handoff.md is what `handoff_page.py` writes from the code, and leaves nothing out."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from handoff_page import AGENT_KEYS, HANGUPS, PAGE, RECOVERY, STATUSES, meanings, mermaid, page

from asterisk_warm.core.handoff.model import Asked, LeadIs, QualifierIs, Status
from asterisk_warm.core.handoff.policy import Action, Keys, Mode
from asterisk_warm.core.handoff.states import OfferState, State

GLOSSARY = PAGE.with_name("glossary.md")


def test_given_the_code_then_the_page_is_as_written_from_it():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/docs/handoff_page.py"


@pytest.mark.parametrize("kind", [State, OfferState])
def test_given_each_state_then_it_is_explained(kind):
    assert set(meanings(kind)) == {state.name for state in kind}
    assert all(meanings(kind).values())


def test_given_each_status_then_it_is_explained():
    assert set(STATUSES) == set(Status)


def test_given_the_diagram_then_every_state_can_be_reached_and_every_arrow_is_labelled():
    arrows = re.findall(r"^    (\S+) --> (\S+?)(?:: (.+))?$", mermaid(), re.MULTILINE)
    assert {to for _, to, _ in arrows} == {"[*]", *State}
    assert all(label for start, to, label in arrows if "[*]" not in to)


def test_given_each_state_then_its_recovery_is_told():
    told = " ".join(state for state, _, _ in RECOVERY)
    assert all(state.value in told for state in State if not state.final)
    assert "ended" in told


def test_given_each_state_with_a_qualifier_then_what_happens_when_somebody_hangs_up_is_told():
    told = " ".join(state for state, *_ in HANGUPS)
    assert all(state.value in told for state in State if not state.final)
    assert all(mode.value in told for mode in Mode)


@pytest.mark.parametrize("kind", [LeadIs, QualifierIs, Asked, Mode, Action])
def test_given_each_word_then_it_is_explained(kind):
    assert set(meanings(kind)) == {member.name for member in kind}
    assert all(meanings(kind).values())


def test_given_each_key_of_an_agent_then_it_is_explained():
    assert list(AGENT_KEYS) == [field.name for field in fields(Keys)]


def test_given_the_glossary_then_each_word_stands_once_and_in_order_of_the_design():
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(words) == len(set(words))
    assert {"lead", "agent", "handoff", "offer", "briefing", "leg", "qualifier"} <= set(words)
