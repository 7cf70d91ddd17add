"""What becomes of a configuration in the engine: whom a lead can be handed to, and how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_warm.config import Config, load
from asterisk_warm.config.languages import SENTENCES
from asterisk_warm.core.handoff.model import Agent, ReturnPlace
from asterisk_warm.core.handoff.policy import Mode, Policy, QualifierKeys
from asterisk_warm.core.presence import Rules
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.daemon.handing_off import directory, spoken_keys, team
from asterisk_warm.engine.directory import Destination, Directory
from asterisk_warm.engine.errors import Refused

SMALL = """\
asterisk: {ari: {password: x}, ami: {password: x}}
agents: {ana: {name: Ana Lopez, endpoint: PJSIP/ana, number: 201}, ben: {name: Ben, endpoint: PJSIP/ben}}
teams: {sales: {name: Sales, number: 300, agents: [ana, ben]}}
"""
SCRIPT = "id: home\nname: Home\nsummary: '{owner}'\nquestions: {owner: {ask: yesno, say: Owner}}\n"


def loaded(folder: Path, text: str) -> Config:
    path = folder / "warm.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def told(config: Config) -> Directory:
    """A directory that knows the agents of the configuration, as by a new store."""
    known = directory(config)
    known.update(config.agent_records, config.team_records)
    return known


def test_given_defaults_when_made_into_a_team_then_they_are_those_of_the_policy(tmp_path: Path) -> None:
    made = team(loaded(tmp_path, SMALL).policy("sales"))

    policy = made.policy
    assert policy == Policy(
        policy.mode,
        policy.ring_seconds,
        policy.decision_seconds,
        policy.hold_seconds,
        policy.comfort_seconds,
        policy.music,
        policy.introduction,
        policy.keys,
        type(policy.templates)(
            policy.templates.briefing,
            policy.templates.instructions,
            policy.templates.introduction,
            policy.templates.taken,
            details="{more}. {details}.",
        ),
        routing=Routing(wait_seconds=60.0),
        agents=Rules(wrapup_seconds=0.0, missed_offers=3),
    )
    assert (made.id, made.name, made.number) == ("sales", "Sales", "300")
    assert (made.transfer_mode, made.return_to) == (Mode.STAY, None)
    assert made.agents == (
        Agent("ana", "Ana Lopez", "PJSIP/ana", "201"),
        Agent("ben", "Ben", "PJSIP/ben", ""),
    )


def test_given_every_setting_when_made_into_a_team_then_each_has_its_place(tmp_path: Path) -> None:
    text = SMALL + (
        "handoff: {qualifier_mode: consult, transfer_key: auto, linger_seconds: 31, warn_seconds: 32,\n"
        "  recall_seconds: 33, take_back_seconds: 34, require: [consent.call], queue_log: true,\n"
        "  recording: /srv/recordings, return_to: 'from-trunk,s,7',\n"
        "  qualifier_keys: {complete: '55', three_way: '66', swap: '77', take_back: '88'},\n"
        "  templates: {returned: Back., recall: Waits.}}\n"
    )
    made = team(loaded(tmp_path, text).policy("sales"))

    policy = made.policy
    assert policy.qualifier_mode is Mode.CONSULT
    assert (policy.linger_seconds, policy.warn_seconds) == (31, 32)
    assert (policy.recall_seconds, policy.take_back_seconds) == (33, 34)
    assert (policy.require, policy.queue_log, policy.recording) == (
        ("consent.call",),
        True,
        "/srv/recordings",
    )
    assert policy.qualifier_keys == QualifierKeys(complete="55", three_way="66", swap="77", take_back="88")
    assert (policy.templates.returned, policy.templates.recall) == ("Back.", "Waits.")
    assert (made.transfer_mode, made.return_to) == (Mode.AUTO, ReturnPlace("from-trunk", "s", 7))


def test_given_every_setting_of_briefing_when_made_into_a_team_then_each_has_its_place(
    tmp_path: Path,
) -> None:
    (tmp_path / "home.yaml").write_text(SCRIPT)
    text = SMALL.replace("PJSIP/ana,", "PJSIP/ana, language: es,") + (
        "scripts: {home: home.yaml}\n"
        "handoff: {script: home, least_score: 40, own_words: yes, asks: 3, question_seconds: 7, alert: ring,\n"
        "  auto_answer: yes, language: en, keys: {details: 8, ask: 9},\n"
        "  templates: {briefing: B, instructions: I, details: D, display: N, introduction: H, taken: T},\n"
        "  translations: {es: {briefing: Es, details: Des}}}\n"
    )
    config = loaded(tmp_path, text)
    policy = team(config.policy("sales")).policy

    assert (policy.script, policy.least_score, policy.own_words) == ("home", 40, True)
    assert (policy.asks, policy.question_seconds) == (3, 7)
    assert (policy.alert, policy.auto_answer, policy.language) == ("ring", True, "en")
    assert (policy.keys.details, policy.keys.ask) == ("8", "9")
    words = policy.templates
    assert (words.briefing, words.instructions, words.details, words.display) == ("B", "I", "D", "N")
    assert (words.introduction, words.taken) == ("H", "T")
    spanish = {name: SENTENCES["es"][name] for name in ("returned", "recall")}
    assert policy.templates_in("es") == replace(words, briefing="Es", details="Des", **spanish)
    assert [agent.language for agent in told(config).team("sales").agents] == ["es", ""]


def test_given_a_page_and_a_crm_when_made_into_teams_then_each_policy_has_them(tmp_path: Path) -> None:
    text = SMALL + (
        "screens: {page: 'https://crm/{id}'}\n"
        "leads: {crm: {url: 'https://crm/{number}', name: /name}}\n"
    )  # fmt: skip
    known, bare = told(loaded(tmp_path, text)), told(loaded(tmp_path, SMALL))
    for destination in (Destination(team="sales"), Destination(agent="ana")):
        policy, plain = known.find(destination).policy, bare.find(destination).policy
        assert (policy.page, policy.look_up) == ("https://crm/{id}", True)
        assert (plain.page, plain.look_up) == ("", False)


def test_given_every_setting_of_routing_when_made_into_a_team_then_each_has_its_place(tmp_path: Path) -> None:
    text = SMALL.replace(
        "[ana, ben]",
        "[ana, ben], ring: priority, fanout: 2, widen_seconds: 3, skills: {spanish: 5}, relax_seconds: 6,\n"
        "  sticky_seconds: 7, wait_seconds: 8, wrapup_seconds: 9, missed_offers: 4, tiers: {ben: 2}",
    ).replace("PJSIP/ben}", "PJSIP/ben, skills: {spanish: 9}}")
    config = loaded(tmp_path, text)
    policy = team(config.policy("sales")).policy
    assert policy.routing == Routing(Strategy.PRIORITY, 2, 3.0, (("spanish", 5),), 6.0, 7.0, 8.0)
    assert policy.agents == Rules(9.0, 4)
    agents = told(config).team("sales").agents
    assert [(agent.id, agent.tier, agent.skills) for agent in agents] == [
        ("ana", 1, ()),
        ("ben", 2, (("spanish", 9),)),
    ]


def test_given_an_agent_alone_when_found_then_the_settings_of_handoff_count(tmp_path: Path) -> None:
    text = SMALL.replace("[ana, ben]", "[ana, ben], hold_seconds: 5m") + "handoff: {hold_seconds: 90}\n"
    known = told(loaded(tmp_path, text))

    alone, dialled = known.find(Destination(agent="ana")), known.dialled("201")

    assert dialled == alone
    assert [agent.id for agent in alone.agents] == ["ana"]
    assert alone.policy.hold_seconds == 90
    assert known.find(Destination(team="sales")).policy.hold_seconds == 300


def test_given_outside_numbers_when_asked_for_then_only_those_are_dialled(tmp_path: Path) -> None:
    text = SMALL + "outside: {allow: ['+1555*'], endpoint: 'PJSIP/{number}@trunk'}\n"
    known = directory(loaded(tmp_path, text))

    (agent,) = known.find(Destination(number="+15551234")).agents
    assert agent.endpoint == "PJSIP/+15551234@trunk"
    for numbers in (known, directory(loaded(tmp_path, SMALL))):
        with pytest.raises(Refused):
            numbers.find(Destination(number="+4930123"))


def test_given_keys_when_all_have_the_same_then_the_shipped_instructions_can_name_them(
    tmp_path: Path,
) -> None:
    same = loaded(tmp_path, SMALL + "handoff: {keys: {accept: 6}}\n")
    differ = loaded(tmp_path, SMALL.replace("[ana, ben]", "[ana, ben], keys: {accept: 6}"))

    assert spoken_keys(same) == {"accept": "6", "decline": "2", "repeat": "3", "details": "4", "ask": "5"}
    assert spoken_keys(differ) is None
