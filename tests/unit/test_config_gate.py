"""What `check` says of teams that ask for more than a script can give, or for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_warm.config import load

SMALL = """\
asterisk: {{ari: {{password: x}}, ami: {{password: x}}}}
agents: {{ana: {{name: Ana, endpoint: PJSIP/ana}}}}
teams: {{sales: {{name: Sales, agents: [ana]{team}}}, vip: {{name: VIP, agents: [ana]}}}}
handoff: {{{handoff}}}
scripts: {{{scripts}}}
"""
SCRIPT = """\
id: {id}
name: Home
summary: "{{owner}}"
verdicts: {{ready: 1, nurture: 1}}
questions:
  owner: {{ask: yesno, say: Is it yours, rules: [{{is: yes, points: {points}}}]}}
"""
POINTS = {"home": 90, "solar": 20.5}


def warnings(
    folder: Path, team: str, handoff: str = "", scripts: tuple[str, ...] = ("home", "solar")
) -> list[str]:
    for id in scripts:
        (folder / f"{id}.yaml").write_text(SCRIPT.format(id=id, points=POINTS[id]), encoding="utf-8")
    path = folder / "warm.yaml"
    named = ", ".join(f"{id}: {id}.yaml" for id in scripts)
    path.write_text(SMALL.format(team=team and f", {team}", handoff=handoff, scripts=named), encoding="utf-8")
    path.chmod(0o600)
    return [str(warning).removeprefix(f"{path}:") for warning in load(path, {}).warnings]


UNREACHED = [
    (
        "script: home, least_score: 500",
        "",
        "3:72: teams.sales: no lead has least_score (500): the script home gives at most 90 points (expected at most 90)",
    ),
    (
        "script: solar, least_score: 21",
        "",
        "3:73: teams.sales: no lead has least_score (21): the script solar gives at most 20.5 points (expected at most 20.5)",
    ),
    (
        "least_score: 91",
        "",
        "3:58: teams.sales: no lead has least_score (91): the scripts of this file give at most 90 points (expected at most 90)",
    ),
    (
        "script: solar",
        "least_score: 40",
        "3:53: teams.sales: no lead has least_score (40): the script solar gives at most 20.5 points (expected at most 20.5)",
    ),
    (
        "",
        "script: solar, least_score: 40",
        "4:39: handoff: no lead has least_score (40): the script solar gives at most 20.5 points (expected at most 20.5)",
    ),
]


@pytest.mark.parametrize(("team", "handoff", "told"), UNREACHED, ids=range(len(UNREACHED)))
def test_given_a_score_that_no_lead_can_have_when_loaded_then_it_is_said(
    tmp_path: Path, team: str, handoff: str, told: str
) -> None:
    assert warnings(tmp_path, team, handoff) == [told]


NOTHING = "says whose answers agents are told, and keeps no lead from them"


@pytest.mark.parametrize(
    ("team", "handoff", "path"),
    [
        ("script: home", "", "teams.sales.script"),
        ("script: home, require: [consent.call]", "", "teams.sales.script"),
        ("script: home, require: []", "require: [ready]", "teams.sales.script"),
        ("", "script: home", "handoff.script"),
    ],
)
def test_given_a_script_of_which_nothing_is_required_when_loaded_then_it_is_said(
    tmp_path: Path, team: str, handoff: str, path: str
) -> None:
    (told,) = warnings(tmp_path, team, handoff)
    expected = "(expected require: [ready] or least_score beside it, if it is to)"
    assert told.endswith(f": {path} {NOTHING} {expected}")


@pytest.mark.parametrize(
    ("team", "handoff"),
    [
        ("script: home, least_score: 90", ""),
        ("script: home, require: [ready]", ""),
        ("script: home", "require: [ready]"),
        ("least_score: 10", "script: solar"),
        ("require: [ready]", "script: home"),
        ("script: ~", "script: home, require: [ready]"),
    ],
)
def test_given_what_leads_can_have_when_loaded_then_there_is_nothing_to_say(
    tmp_path: Path, team: str, handoff: str
) -> None:
    assert warnings(tmp_path, team, handoff) == []


def test_given_no_scripts_in_the_file_when_a_score_is_asked_for_then_nobody_knows_better(
    tmp_path: Path,
) -> None:
    assert warnings(tmp_path, "least_score: 500", scripts=()) == []
