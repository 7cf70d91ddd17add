"""Agents, teams and calendars of a good configuration: as they were written, as the store is seeded with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_warm.config import Config, load
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.core.routing import Routing, Strategy

SMALL = """\
asterisk: {ari: {password: x}, ami: {password: x}}
agents:
  ben: {name: Ben, endpoint: PJSIP/ben}
  ana: {name: Ana Lopez, endpoint: PJSIP/ana, number: 201}
teams:
  sales: {name: Sales, number: 300, agents: [ben, ana]}
"""
ANA = "PJSIP/ana, number: 201"
BEN = "PJSIP/ben"
SALES = "[ben, ana]"


def loaded(folder: Path, text: str) -> Config:
    path = folder / "warm.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load(path, {"CALENDAR": "https://calendar.example.com/hunter2.ics", "PASSWORD": "hunter2"})


def warnings(folder: Path, text: str) -> list[str]:
    return [str(warning).removeprefix(f"{folder}/") for warning in loaded(folder, text).warnings]


def test_given_nothing_but_the_needed_when_loaded_then_routing_has_its_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALL)
    team = config.policy("sales")

    assert (team.ring, team.fanout, team.skills, team.tiers) == ("all", 1, (), ())
    assert (team.widen_seconds, team.relax_seconds, team.sticky_seconds) == (0, 0, 0)
    assert (team.wait_seconds, team.wrapup_seconds, team.missed_offers) == (60, 0, 3)
    assert (config.node, config.agi.address, config.agi.port) == ("warm", "127.0.0.1", 4573)
    presence = config.presence
    assert (presence.initial, presence.queue_pause, presence.lamps) == ("ready", False, True)
    calendars = config.calendars
    assert (calendars.refresh_seconds, calendars.stale_seconds, calendars.sources) == (120, 900, {})
    assert config.warnings == ()


def test_given_every_setting_when_loaded_then_each_is_what_was_written(tmp_path: Path) -> None:
    text = SMALL.replace(SALES, f"{SALES}, ring: longest_idle, fanout: 2, skills: {{fax: 1}}") + (
        "handoff: {widen_seconds: 10, skills: {spanish: 5}, relax_seconds: 1m, sticky_seconds: 5,\n"
        "  wait_seconds: 0, wrapup_seconds: 30s, missed_offers: 0}\n"
        "node: warm-2\nagi: {address: '::1', port: 0}\n"
        "presence: {initial: offline, queue_pause: yes, lamps: no}\n"
    )
    config = loaded(tmp_path, text)
    team = config.policy("sales")

    assert (team.ring, team.fanout, team.skills) == ("longest_idle", 2, (("fax", 1),))
    assert (team.widen_seconds, team.relax_seconds, team.sticky_seconds) == (10, 60, 5)
    assert (team.wait_seconds, team.wrapup_seconds, team.missed_offers) == (0, 30, 0)
    assert (config.handoff.ring, config.handoff.skills) == ("all", (("spanish", 5),))
    assert (config.node, config.agi.address, config.agi.port) == ("warm-2", "::1", 0)
    presence = config.presence
    assert (presence.initial, presence.queue_pause, presence.lamps) == ("offline", True, False)


@pytest.mark.parametrize("ring", [*Strategy])
def test_given_a_strategy_of_the_core_when_it_is_the_ring_then_it_is_known(
    tmp_path: Path, ring: Strategy
) -> None:
    text = SMALL.replace(SALES, f"{SALES}, ring: {ring}, skills: {{a: 1}}")
    assert Strategy(loaded(tmp_path, text).policy("sales").ring) is ring


def test_given_routing_of_the_core_when_the_team_is_read_then_every_field_has_a_setting(
    tmp_path: Path,
) -> None:
    team = loaded(tmp_path, SMALL).policy("sales")
    names = set(Routing.__dataclass_fields__) - {"strategy"}
    assert {name for name in names if not hasattr(team, name)} == set()


def test_given_an_agent_with_everything_when_loaded_then_the_record_has_it_sorted(tmp_path: Path) -> None:
    text = SMALL.replace(
        ANA,
        f"{ANA}, skills: {{spanish: 7, fax: 10}}, at_once: 2, timezone: Europe/Berlin, calendar: work,\n"
        "    hints: ['Custom:desk', '*21@ext-local', PJSIP/ana-mobile], dnd: 'Custom:DND201',\n"
        "    shifts: ['mon-fri  09:00-17:30', 'sat,sun 22:00-06:00']",
    )
    text += "  alpha: {name: Alpha, agents: [ana, ben], ring: priority, tiers: {ana: 3}}\n"
    text += "calendars: {sources: {work: {file: /srv/work.ics}}}\n"
    config = loaded(tmp_path, text)

    ana, ben = config.agent_records
    assert ana == AgentRecord(
        id="ana",
        name="Ana Lopez",
        endpoint="PJSIP/ana",
        number="201",
        teams=(("alpha", 3), ("sales", 1)),
        skills=(("fax", 10), ("spanish", 7)),
        at_once=2,
        hints=("Custom:desk", "*21@ext-local", "PJSIP/ana-mobile"),
        dnd="Custom:DND201",
        timezone="Europe/Berlin",
        shifts=("mon-fri 09:00-17:30", "sat,sun 22:00-06:00"),
        calendar="work",
    )
    assert ben == AgentRecord("ben", "Ben", "PJSIP/ben", teams=(("alpha", 1), ("sales", 1)))
    assert config.team_records == (TeamRecord("alpha", "Alpha"), TeamRecord("sales", "Sales", "300"))
    assert config.policy("alpha").tiers == (("ana", 3),)
    assert config.agents["ana"] == replace(config.agents["ana"], skills=ana.skills, hints=ana.hints)


def test_given_calendars_when_loaded_then_their_addresses_are_there_and_never_shown(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        SMALL + "calendars: {refresh_seconds: 30, stale_seconds: 1h, sources: {\n"
        "  a: {url: env:CALENDAR}, b: {url: 'webcal://h/hunter2'}, d: {file: /srv/a b.ics},\n"
        "  c: {caldav: 'https://dav.example.com:8443/hunter2/?x', user: ana, password: env:PASSWORD}}}\n",
    )
    sources = config.calendars.sources

    assert (config.calendars.refresh_seconds, config.calendars.stale_seconds) == (30, 3600)
    assert sources["a"].url is not None and sources["b"].url is not None
    assert sources["a"].url.reveal() == "https://calendar.example.com/hunter2.ics"
    assert sources["b"].url.reveal() == "https://h/hunter2"
    caldav, password = sources["c"].caldav, sources["c"].password
    assert caldav is not None and password is not None
    assert (caldav.reveal(), password.reveal()) == ("https://dav.example.com:8443/hunter2/?x", "hunter2")
    assert str(caldav) == "https://dav.example.com:8443/***"
    assert sources["d"].file == Path("/srv/a b.ics")
    assert "hunter2" not in f"{config}{config.calendars.model_dump()}"


# ---- warnings: usable, hardly meant ----


def test_given_a_local_channel_when_loaded_then_the_phone_behind_it_is_asked_for(tmp_path: Path) -> None:
    text = SMALL.replace("PJSIP/ana", "Local/201@phones/n")
    (told,) = warnings(tmp_path, text)
    assert "other calls of the phone behind Local/201@phones/n are not seen: give that phone in hints" in told
    assert warnings(tmp_path, text.replace("number: 201", "number: 201, hints: [PJSIP/a1]")) == []


@pytest.mark.parametrize(
    ("team", "handoff", "told"),
    [
        ("fanout: 2", "", "6:65: teams.sales.fanout means nothing where ring is all (expected ring: fanout, longest_idle, round_robin or skills)"),
        ("ring: priority, widen_seconds: 9", "", None),
        ("widen_seconds: 9", "", "6:72: teams.sales.widen_seconds means nothing where ring is all (expected ring: fanout, longest_idle, priority, round_robin or skills)"),
        ("ring: fanout, tiers: {ana: 2}", "", "6:71: teams.sales.tiers means nothing where ring is fanout (expected ring: priority)"),
        ("fanout: 1, widen_seconds: 0, tiers: {}", "", None),
        ("ring: fanout", "widen_seconds: 9, fanout: 2", None),
        ("music: x", "widen_seconds: 9", "7:26: handoff.widen_seconds means nothing where ring is all (expected ring: fanout, longest_idle, priority, round_robin or skills)"),
        ("wait_seconds: 121", "", "6:71: teams.sales: wait_seconds (121) is longer than hold_seconds (120) (expected wait_seconds of at most hold_seconds)"),
        ("hold_seconds: 55", "wait_seconds: 56", "6:71: teams.sales: wait_seconds (56) is longer than hold_seconds (55) (expected wait_seconds of at most hold_seconds)"),
        ("hold_seconds: 55", "", None),
        ("skills: {fax: 1}", "", '6:71: teams.sales: no agent of the team has the skill "fax"'),
        ("skills: {spanish: 8}", "", '6:75: teams.sales: no agent of the team has "spanish" at level 8 (expected a level of at most 7, or relax_seconds)'),
        ("skills: {spanish: 8}, relax_seconds: 5", "", None),
        ("music: x", "skills: {fax: 2}", '7:25: teams.sales: no agent of the team has the skill "fax"'),
        ("skills: {}", "skills: {fax: 2}", None),
    ],
)  # fmt: skip
def test_given_what_is_hardly_meant_when_loaded_then_a_warning(
    tmp_path: Path, team: str, handoff: str, told: str | None
) -> None:
    text = SMALL.replace(SALES, f"{SALES}, {team}").replace(ANA, f"{ANA}, skills: {{spanish: 7}}")
    if handoff:
        text += f"handoff: {{{handoff}}}\n"
    assert [line for line in warnings(tmp_path, text) if "can end before" not in line] == (
        [f"warm.yaml:{told}"] if told else []
    )
