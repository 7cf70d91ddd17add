"""docs/api.md has every route, every member of requests and answers, every problem, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from asterisk_warm.api import (
    agent_kinds,
    agent_reading,
    failures,
    lead_reading,
    network,
    outward_reading,
    peer,
    problems,
    reading,
    script_reading,
    tokens,
)
from asterisk_warm.api import screen as one_screen
from asterisk_warm.api import screens as hub
from asterisk_warm.api.access import AGENTS_MAY, PROTOCOL, PROTOCOL_TOKEN
from asterisk_warm.api.agent_reading import Offline, Pause, Watching, WrapUp
from asterisk_warm.api.agent_routes import IMPORT_AT_MOST
from asterisk_warm.api.handling import BODY_AT_MOST, BODY_SECONDS
from asterisk_warm.api.lead_reading import LeadListing, Outcome
from asterisk_warm.api.outward_reading import DeliveryListing, NewToken, Replay
from asterisk_warm.api.outward_routes import DeliveryView, TokenView
from asterisk_warm.api.problems import Fault
from asterisk_warm.api.reading import Listing, Start
from asterisk_warm.api.routes import Routes
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.script_reading import Begin, Given, QualificationListing, Reply, Source
from asterisk_warm.api.script_routes import PUBLISH_AT_MOST
from asterisk_warm.api.services import Services
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.core.handoff import options
from asterisk_warm.core.handoff.gate import CONDITIONS
from asterisk_warm.core.handoff.model import LeadIs, QualifierIs
from asterisk_warm.core.handoff.options import DETAIL_LIMIT, LIMITS
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.leads import Consent, Disposition, LeadRecord, Purpose
from asterisk_warm.core.presence import Declared, Why
from asterisk_warm.core.roster import AgentRecord
from asterisk_warm.core.script.model import Verdict
from asterisk_warm.engine.agents import service
from asterisk_warm.engine.agents.views import CalendarView, ChangeView, PresenceView, ReasonView
from asterisk_warm.engine.leads.service import ATTRIBUTES_AT_MOST, NOTE_LIMIT, SHOWN_LIMIT
from asterisk_warm.engine.leads.views import ConsentView, LeadRecordView, OutcomeView, PastHandoffView
from asterisk_warm.engine.ports.calls import Location
from asterisk_warm.engine.qualifying.views import (
    AnswerView,
    ChoiceView,
    FindingView,
    QualificationView,
    QuestionView,
    ScriptView,
)
from asterisk_warm.engine.views import (
    AgentView,
    HandoffView,
    Health,
    JournalLine,
    LeadView,
    OfferView,
    QualifierView,
    StoryLine,
    TeamAgentView,
    TeamView,
)

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROUTE = re.compile(r"^### `([A-Z]+ /[^`]*)`$", re.MULTILINE)
NAME = re.compile(r"`([a-z_]+)`")


def part(title: str) -> str:
    """The text under a heading, up to the next."""
    found = re.search(rf"^##+ `?{re.escape(title)}`?\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> list[str]:
    """The names in the first column of a table, in order."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return [name for cell in cells for name in NAME.findall(cell)]


def names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def test_given_the_routes_when_looked_up_then_the_page_has_them_and_no_others() -> None:
    nothing = Services(**dict.fromkeys((field.name for field in fields(Services)), cast(Any, None)))
    served = Routes(nothing, ScreenHub(cast(Any, None)), cast(Tokens, None)).table()
    assert sorted(ROUTE.findall(PAGE)) == sorted(f"{method} {path}" for method, path, _ in served)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("GET /v1/health", Health),
        ("GET /v1/handoffs", Listing),
        ("POST /v1/handoffs", Start),
        ("A handoff", HandoffView),
        ("GET /v1/agents", Watching),
        ("PUT /v1/agents/{id}", AgentRecord),
        ("POST /v1/agents/{id}/pause", Pause),
        ("POST /v1/agents/{id}/offline", Offline),
        ("POST /v1/agents/{id}/wrapup", WrapUp),
        ("An agent", PresenceView),
        ("GET /v1/teams/{id}", TeamView),
        ("POST /v1/handoffs/{id}/outcome", Outcome),
        ("GET /v1/leads", LeadListing),
        ("PUT /v1/leads/{number}", LeadRecord),
        ("POST /v1/leads/{number}/consents", Consent),
        ("A lead", LeadRecordView),
        ("POST /v1/scripts", Source),
        ("A script", ScriptView),
        ("GET /v1/qualifications", QualificationListing),
        ("POST /v1/qualifications", Begin),
        ("POST /v1/qualifications/{id}/answer", Reply),
        ("A qualification", QualificationView),
        ("GET /v1/webhooks/deliveries", DeliveryListing),
        ("POST /v1/webhooks/replay", Replay),
        ("POST /v1/tokens", NewToken),
    ],
)
def test_given_a_route_when_looked_up_then_every_member_is_in_its_table_and_no_other(
    title: str, kind: type
) -> None:
    assert sorted(rows(part(title))) == sorted(names(kind))


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("GET /v1/handoffs/{id}/story", [StoryLine]),
        ("GET /v1/handoffs/{id}/journal", [JournalLine]),
        ("POST /v1/handoffs", [Location]),
        ("A handoff", [LeadView, QualifierView, AgentView, OfferView]),
        ("GET /v1/teams/{id}", [TeamAgentView]),
        ("An agent", [ReasonView, CalendarView]),
        ("GET /v1/agents/{id}/history", [ChangeView]),
        ("POST /v1/agents/import", [Fault]),
        ("Problems", [Fault]),
        ("POST /v1/handoffs/{id}/outcome", [OutcomeView]),
        ("GET /v1/dispositions", [Disposition]),
        ("POST /v1/leads/import", [Fault]),
        ("A lead", [ConsentView, PastHandoffView]),
        ("POST /v1/scripts/check", [FindingView]),
        ("POST /v1/qualifications", [Given]),
        ("A qualification", [QuestionView, ChoiceView, AnswerView]),
        ("GET /v1/webhooks/deliveries", [DeliveryView]),
        ("GET /v1/tokens", [TokenView]),
    ],
)
def test_given_an_inner_object_when_looked_up_then_its_members_are_named(
    title: str, kinds: list[type]
) -> None:
    told = set(re.findall(r'"([a-z_]+)"', part(title)))
    assert {name for kind in kinds for name in names(kind)} <= told


def test_given_the_problems_when_looked_up_then_the_page_has_them_and_no_others() -> None:
    assert sorted(rows(part("Problems"))) == sorted(problems.TITLES)


def test_given_the_words_for_places_and_modes_when_looked_up_then_the_page_has_them() -> None:
    told = part("A handoff")
    assert {place.value for place in LeadIs} <= set(NAME.findall(told))
    assert {place.value for place in QualifierIs} - {"nobody"} <= set(NAME.findall(told))
    assert {mode.value for mode in Mode} <= set(NAME.findall(part("POST /v1/handoffs")))


def test_given_the_words_for_presence_when_looked_up_then_the_page_has_them() -> None:
    assert sorted(rows(part("Reasons"))) == sorted(why.value for why in Why)
    told = set(NAME.findall(part("An agent")))
    assert {declared.value for declared in Declared} <= told
    assert set(peer.SOURCES) <= told
    assert f"`{peer.SOURCE}`" in PAGE
    assert rows(part("POST /v1/agents/import")) == ["agents", "dry_run"]


def test_given_the_limits_of_agents_when_looked_up_then_the_page_tells_them() -> None:
    assert f"at most {agent_reading.AGENTS_AT_MOST}" in part("POST /v1/agents/import")
    assert f"{IMPORT_AT_MOST // 1024 // 1024} MB" in part("Problems")
    assert f"to {service.WATCH_SECONDS:g};" in part("GET /v1/agents")
    assert f"within {service.PAUSE_AT_MOST / 86400:g} days" in part("POST /v1/agents/{id}/pause")
    assert f"cut to {service.REASON_LIMIT} characters" in part("POST /v1/agents/{id}/pause")
    assert f"up to {service.WRAPUP_AT_MOST:g}" in part("POST /v1/agents/{id}/wrapup")
    assert f"{agent_reading.HISTORY} when not given" in part("GET /v1/agents/{id}/history")
    for name in set(agent_kinds.REQUIRED) - {"id"}:
        assert re.search(rf"^\| `{name}` \|.*must be given \|$", part("PUT /v1/agents/{id}"), re.MULTILINE)


def test_given_the_limits_of_leads_and_scripts_when_looked_up_then_the_page_tells_them() -> None:
    put = part("PUT /v1/leads/{number}")
    for number in (LIMITS["name"], ATTRIBUTES_AT_MOST, DETAIL_LIMIT, lead_reading.CONSENTS_AT_MOST):
        assert re.search(rf"\b{number}\b", put)
    assert f"up to {SHOWN_LIMIT}" in part("POST /v1/leads/{number}/consents")
    assert f"up to {NOTE_LIMIT}" in part("POST /v1/handoffs/{id}/outcome")
    assert f"at most {lead_reading.LEADS_AT_MOST}" in part("POST /v1/leads/import")
    assert rows(part("POST /v1/leads/import")) == ["leads", "dry_run"]
    assert f"up to {script_reading.SOURCE_AT_MOST // 1024} kB" in part("POST /v1/scripts")
    assert f"{PUBLISH_AT_MOST // 1024} kB" in part("Problems")
    assert f"{lead_reading.LEADS} when not given" in part("GET /v1/leads")
    assert f"{script_reading.QUALIFICATIONS} when not given" in part("GET /v1/qualifications")
    assert f"{outward_reading.DELIVERIES} when not given" in part("GET /v1/webhooks/deliveries")
    assert f"at most {outward_reading.REPLAY_AT_MOST}" in part("POST /v1/webhooks/replay")
    assert f"up to {outward_reading.LONGEST_NOTE}" in part("POST /v1/tokens")
    assert f"within {BODY_SECONDS:g} s" in PAGE


def test_given_their_words_when_looked_up_then_the_page_has_them() -> None:
    assert {one.value for one in Purpose} <= set(NAME.findall(part("POST /v1/leads/{number}/consents")))
    assert {one.value for one in script_reading.CHANNELS} <= set(
        NAME.findall(part("POST /v1/qualifications"))
    )
    for title in ("POST /v1/qualifications", "A qualification"):
        assert {one.value for one in Verdict} <= set(NAME.findall(part(title)))
    assert set(outward_reading.STATES) <= set(NAME.findall(part("GET /v1/webhooks/deliveries")))


def test_given_the_network_when_looked_up_then_the_page_tells_its_limits_and_what_an_agent_may() -> None:
    told = part("Over the network")
    for number in (
        failures.AT_ONCE,
        failures.EACH_SECONDS,
        tokens.KNOWN_SECONDS,
        network.HEAD_SECONDS,
        network.CONNECTIONS_AT_MOST,
    ):
        assert re.search(rf"\b{number:g}\b", told), number
    for _, path in AGENTS_MAY:
        *_, last = path.split("/")
        assert last == "{id}" or last in told or "qualifications" in path, path
    screens = part("GET /v1/screen")
    for words in (
        f"{one_screen.PROOF_SECONDS:g} s",
        f"{one_screen.PROOF_SECONDS + one_screen.BEAT_SECONDS:g} s",
        f"{one_screen.MESSAGE_AT_MOST // 1024} kB",
        f"{hub.SCREENS_OF_AN_AGENT} screens of one agent",
        f"{hub.SCREENS_AT_MOST} in all",
        f"`{PROTOCOL}`",
        f"`{PROTOCOL_TOKEN}`",
    ):
        assert words in screens, words


def test_given_what_must_hold_when_it_does_not_then_the_page_has_its_status() -> None:
    assert "`warm_status`" in part("Problems")
    assert all(f"`{condition.status}`" in part("Problems") for condition in CONDITIONS.values())


def test_given_the_limits_when_looked_up_then_the_page_tells_them() -> None:
    assert f"from 1 to {reading.LIMIT_AT_MOST}; {reading.LIMIT} when not given" in PAGE
    assert f"at most {BODY_AT_MOST // 1024} kB" in PAGE
    cut = [options.LIMITS["name"], options.LIMITS["number"], options.LIMITS["summary"], options.DETAIL_LIMIT]
    for number in (*cut, options.DETAILS_AT_MOST):
        assert re.search(rf"\b{number}\b", part("POST /v1/handoffs"))
