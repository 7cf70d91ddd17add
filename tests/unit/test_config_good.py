"""What a good configuration gives: every team's settings filled in, secrets found and never shown."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest

from asterisk_warm.config import AgentSettings, Config, ConfigErrors, DialplanPlace, describe_settings, load
from asterisk_warm.core.handoff.gate import CONDITIONS

SAMPLE = Path(__file__).parents[2] / "config" / "asterisk_warm.yaml"
SIGNING = "whsec_" + base64.b64encode(b"hunter2" * 4).decode()
MORE = {
    "WARM_CALENDAR_PASSWORD": "hunter2-calendar",
    "WARM_CRM_PASSWORD": "hunter2-crm",
    "WARM_CRM_TOKEN": "hunter2-token",
    "WARM_WEBHOOK_SECRET": SIGNING,
}
ENVIRON = {"WARM_ARI_PASSWORD": "hunter2-ari", "WARM_AMI_PASSWORD": "hunter2-ami"}

SMALL = """\
asterisk: {ari: {password: env:WARM_ARI_PASSWORD}, ami: {password: env:WARM_AMI_PASSWORD}}
agents: {ana: {name: Ana Lopez, endpoint: PJSIP/ana}, ben: {name: Ben, endpoint: PJSIP/ben}}
teams: {sales: {name: Sales, agents: [ana, ben]}}
"""


def loaded(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> Config:
    path = folder / "warm.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def test_given_the_sample_when_loaded_then_it_is_good_and_says_the_defaults() -> None:
    config = load(SAMPLE, ENVIRON)

    assert config.warnings == ()
    assert config.policy("sales").ring_seconds == 25
    assert config.policy("renewals").ring_seconds == 40


def test_given_the_sample_when_its_defaults_are_taken_out_then_nothing_changes(tmp_path: Path) -> None:
    full = load(SAMPLE, ENVIRON)
    kept = re.sub(
        r"^(database|api|agi|sounds|speech|log|presence|calendars|leads|recordings|dispositions|screens|handoff):.*?(?=^\S)",
        "",
        SAMPLE.read_text(),
        flags=re.M | re.S,
    )

    short = loaded(tmp_path, kept)

    assert "handoff:" not in kept
    assert short.policy("sales") == full.policy("sales")
    same = [name for name in Config.__dataclass_fields__ if name not in ("file", "warnings")]
    assert all(repr(getattr(short, name)) == repr(getattr(full, name)) for name in same)


def test_given_the_sample_when_all_of_it_counts_then_it_is_good_and_has_every_setting(tmp_path: Path) -> None:
    everything = re.sub(r"^( *)# ( *[a-z_]+:( .*)?)$", r"\1\2", SAMPLE.read_text(), flags=re.M)
    shutil.copytree(SAMPLE.parent / "scripts", tmp_path / "scripts")

    config = loaded(tmp_path, everything, ENVIRON | MORE)

    assert [warning.path for warning in config.warnings] == ["teams.sales.tiers"], "they do not say priority"
    names = {setting.path.rpartition(".")[2] for setting in describe_settings()}
    assert names - set(re.findall(r"([a-z_]+):", everything)) == set()


def test_given_nothing_but_the_needed_when_loaded_then_every_value_of_a_team_is_filled_in(
    tmp_path: Path,
) -> None:
    team = loaded(tmp_path, SMALL).policy("sales")

    assert team.agents == (
        AgentSettings("ana", "Ana Lopez", "PJSIP/ana"),
        AgentSettings("ben", "Ben", "PJSIP/ben"),
    )
    assert (team.id, team.name, team.mode, team.ring) == ("sales", "Sales", "auto", "all")
    times = (team.ring_seconds, team.decision_seconds, team.hold_seconds, team.comfort_seconds)
    assert times == (25.0, 30.0, 120.0, 20.0)
    assert all(isinstance(seconds, float) for seconds in times)
    assert (team.music, team.introduction) == ("default", True)
    assert (team.keys.accept, team.keys.decline, team.keys.repeat) == ("1", "2", "3")
    assert team.templates.briefing == "{name}. {summary}"


def test_given_nothing_but_the_needed_when_loaded_then_a_qualifier_has_all_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALL)
    team = config.policy("sales")

    assert (team.qualifier_mode, team.transfer_key) == ("stay", "stay")
    times = (team.linger_seconds, team.warn_seconds, team.recall_seconds, team.take_back_seconds)
    assert times == (300.0, 15.0, 20.0, 120.0)
    assert (team.require, team.queue_log, team.recording, team.return_to) == ((), False, None, None)
    keys = team.qualifier_keys
    assert (keys.complete, keys.three_way, keys.swap, keys.take_back) == ("*2", "*3", "*4", "*1")
    assert (team.number, team.agents[0].number, config.outside) == (None, None, None)


def test_given_settings_for_qualifiers_when_loaded_then_each_is_what_was_written(tmp_path: Path) -> None:
    text = SMALL + (
        "handoff: {qualifier_mode: consult, transfer_key: auto, linger_seconds: 5m, warn_seconds: 0,\n"
        "  recall_seconds: 0, take_back_seconds: 1h, require: [consent.text, ready], queue_log: yes,\n"
        "  recording: /var/spool/asterisk/monitor/, return_to: 'from-trunk,+1*#.@/_-,1000000',\n"
        "  qualifier_keys: {complete: 11, swap: '#'}}\n"
    )
    team = loaded(tmp_path, text).policy("sales")

    assert (team.qualifier_mode, team.transfer_key) == ("consult", "auto")
    times = (team.linger_seconds, team.warn_seconds, team.recall_seconds, team.take_back_seconds)
    assert times == (300.0, 0.0, 0.0, 3600.0)
    assert team.require == ("consent.text", "ready")
    assert team.queue_log is True
    assert team.recording == Path("/var/spool/asterisk/monitor")
    assert team.return_to == DialplanPlace("from-trunk", "+1*#.@/_-", 1_000_000)
    keys = team.qualifier_keys
    assert (keys.complete, keys.three_way, keys.swap, keys.take_back) == ("11", "*3", "#", "*1")


def test_given_a_team_that_wants_none_when_loaded_then_that_of_handoff_does_not_count(tmp_path: Path) -> None:
    text = SMALL.replace("[ana, ben]", "[ana, ben], require: [], recording: , return_to: ~") + (
        "handoff: {require: [consent.call], recording: /srv/recordings, return_to: 'a,b,1'}\n"
    )
    config = loaded(tmp_path, text)

    team = config.policy("sales")
    assert (team.require, team.recording, team.return_to) == ((), None, None)
    assert config.handoff.return_to == DialplanPlace("a", "b", 1)


def test_given_the_conditions_of_a_lead_when_required_then_each_may_be(tmp_path: Path) -> None:
    text = SMALL + f"handoff: {{require: [{', '.join(CONDITIONS)}]}}\n"
    assert loaded(tmp_path, text).policy("sales").require == tuple(CONDITIONS)


def test_given_handoff_when_loaded_then_it_stands_for_whoever_is_no_team(tmp_path: Path) -> None:
    text = SMALL.replace("[ana, ben]", "[ana, ben], hold_seconds: 5m")
    settings = loaded(tmp_path, text + "handoff: {hold_seconds: 90}\n").handoff

    assert (settings.id, settings.name, settings.number, settings.agents) == ("", "", None, ())
    assert settings.hold_seconds == 90


@pytest.mark.parametrize(
    "settings",
    [
        "hold_seconds: 10",  # shorter than the default of warn_seconds, which nobody wrote
        "hold_seconds: 10, warn_seconds: 9.9",
        "hold_seconds: 10, warn_seconds: 0",
    ],
)
def test_given_a_short_hold_when_loaded_then_the_warning_is_no_fault(tmp_path: Path, settings: str) -> None:
    text = SMALL + f"handoff: {{ring_seconds: 5, decision_seconds: 5, {settings}}}\n"
    assert loaded(tmp_path, text).warnings == ()


@pytest.mark.parametrize(
    ("written", "number"),
    [("201", "201"), ('"+15551234"', "+15551234"), ('"*201#"', "*201#"), ('"0201"', "0201"), ("", None)],
)
def test_given_a_number_when_loaded_then_it_is_text(tmp_path: Path, written: str, number: str | None) -> None:
    agent = SMALL.replace("PJSIP/ben}", f"PJSIP/ben, number: {written}}}")
    team = SMALL.replace("name: Sales", f"name: Sales, number: {written}")
    assert loaded(tmp_path, agent).agents["ben"].number == number
    assert loaded(tmp_path, team).policy("sales").number == number


def test_given_an_agent_whose_id_is_the_number_when_loaded_then_that_is_good(tmp_path: Path) -> None:
    text = SMALL.replace("ana: {", "201: {number: 201, ").replace("[ana", "[201")
    assert loaded(tmp_path, text).agents["201"].number == "201"


def test_given_outside_numbers_when_loaded_then_they_are_texts(tmp_path: Path) -> None:
    text = SMALL + "outside: {allow: [+1555*, '+15551234', 911, 0049*], endpoint: 'PJSIP/{number}@trunk'}\n"
    outside = loaded(tmp_path, text).outside
    assert outside is not None
    assert outside.allow == ("+1555*", "+15551234", "911", "0049*")
    assert outside.endpoint == "PJSIP/{number}@trunk"


def test_given_settings_of_a_team_when_loaded_then_each_counts_before_handoff_one_by_one(
    tmp_path: Path,
) -> None:
    text = SMALL.replace(
        "[ana, ben]", "[ana], hold_seconds: 5m, keys: {accept: '*'}, templates: {taken: Gone.}"
    ) + (
        "handoff: {hold_seconds: 90, ring_seconds: 20, keys: {accept: '7', repeat: '9'},\n"
        "  templates: {briefing: Hi}}\n"
    )
    team = loaded(tmp_path, text).policy("sales")

    assert (team.hold_seconds, team.ring_seconds) == (300, 20)
    assert (team.keys.accept, team.keys.decline, team.keys.repeat) == ("*", "2", "9")
    assert (team.templates.briefing, team.templates.taken) == ("Hi", "Gone.")


def test_given_an_unknown_team_when_asked_for_its_policy_then_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        loaded(tmp_path, SMALL).policy("support")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("25", 25),
        ("2.5", 2.5),
        ("25s", 25),
        ("2m", 120),
        ("1m30s", 90),
        ("1m30", 90),
        ('"45"', 45),
        ("0.1h", None),
    ],
)
def test_given_a_duration_when_loaded_then_it_is_in_seconds(
    tmp_path: Path, written: str, seconds: float | None
) -> None:
    text = SMALL + f"handoff: {{decision_seconds: {written}}}\n"
    if seconds is None:
        with pytest.raises(ConfigErrors):
            loaded(tmp_path, text)
    else:
        assert loaded(tmp_path, text).policy("sales").decision_seconds == seconds


@pytest.mark.parametrize("word", ["yes", "on", "true", "True"])
def test_given_a_yaml_word_where_true_is_meant_when_loaded_then_it_is_true(tmp_path: Path, word: str) -> None:
    assert (
        loaded(tmp_path, SMALL + f"handoff: {{introduction: {word}}}\n").policy("sales").introduction is True
    )


def test_given_plain_numbers_as_ids_and_keys_when_loaded_then_they_are_texts(tmp_path: Path) -> None:
    text = SMALL.replace("ana", "101") + "handoff: {keys: {accept: 6}}\n"

    config = loaded(tmp_path, text)

    assert config.policy("sales").agents[0].id == "101"
    assert config.policy("sales").keys.accept == "6"


def test_given_anchors_and_merges_when_loaded_then_what_is_written_out_wins(tmp_path: Path) -> None:
    text = SMALL.replace(
        "teams: {", "teams: {base: &base {name: Base, agents: [ana], ring_seconds: 11, music: jazz}, "
    )
    text = text.replace("{name: Sales,", "{<<: *base, name: Sales,")

    team = loaded(tmp_path, text).policy("sales")

    assert (team.name, team.ring_seconds, team.music, len(team.agents)) == ("Sales", 11, "jazz", 2)


def test_given_empty_sections_when_loaded_then_they_are_all_defaults(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        SMALL + "handoff:\n  keys:\n  qualifier_keys:\n  templates:\noutside:\napi:\nsounds:\nlog:\n",
    )

    assert config.policy("sales").keys.accept == "1"
    assert config.policy("sales").qualifier_keys.complete == "*2"
    assert config.outside is None
    assert config.sounds.asterisk_directory == config.sounds.directory


def test_given_another_sound_folder_when_loaded_then_asterisk_sees_the_same_unless_told(
    tmp_path: Path,
) -> None:
    one = loaded(tmp_path, SMALL + "sounds: {directory: /srv/sounds}\n").sounds
    two = loaded(tmp_path, SMALL + "sounds: {directory: /srv/sounds, asterisk_directory: /mnt/s}\n").sounds

    assert one.asterisk_directory == Path("/srv/sounds")
    assert two.asterisk_directory == Path("/mnt/s")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://pbx.example.com", "https://pbx.example.com"),
        ("http://127.0.0.1:8088/", "http://127.0.0.1:8088"),
        ('"http://[::1]:8088/asterisk/"', "http://[::1]:8088/asterisk"),
    ],
)
def test_given_a_url_when_loaded_then_it_has_no_slash_at_its_end(
    tmp_path: Path, written: str, read: str
) -> None:
    text = SMALL.replace("ari: {", f"ari: {{url: {written}, ")
    assert loaded(tmp_path, text).asterisk.ari.url == read


@pytest.mark.parametrize(
    "endpoint",
    [
        "PJSIP/ana",
        "PJSIP/+15551234@trunk",
        "PJSIP/t/sip:1@10.0.0.1:5060",
        "SIP/a",
        "Local/1@a/n",
        "Dongle/d0",
    ],
)
def test_given_an_endpoint_of_any_technology_when_loaded_then_it_is_taken(
    tmp_path: Path, endpoint: str
) -> None:
    assert loaded(tmp_path, SMALL.replace("PJSIP/ana", endpoint)).agents["ana"].endpoint == endpoint


# ---- secrets ----


def test_given_passwords_when_shown_in_any_way_then_they_are_not(tmp_path: Path) -> None:
    text = SMALL + "database: postgresql://warm:hunter2-db@db/warm?password=hunter2-q&x=1\n"

    config = loaded(tmp_path, text)

    assert config.asterisk.ari.password.reveal() == "hunter2-ari"
    assert config.asterisk.ami.password.reveal() == "hunter2-ami"
    assert config.database.reveal() == "postgresql://warm:hunter2-db@db/warm?password=hunter2-q&x=1"
    assert str(config.database) == "postgresql://warm:***@db/warm?password=***&x=1"
    everything = f"{config} {config!r} {config.asterisk.model_dump()} {config.database!r}"
    assert "hunter2" not in everything


def test_given_a_password_file_when_loaded_then_its_line_is_the_password(tmp_path: Path) -> None:
    (tmp_path / "ari.secret").write_text("hunter2 file\n")
    text = SMALL.replace("env:WARM_ARI_PASSWORD", "file:ari.secret")
    text = text.replace("env:WARM_AMI_PASSWORD", f"file:{tmp_path}/ari.secret")

    config = loaded(tmp_path, text)

    assert config.asterisk.ari.password.reveal() == "hunter2 file"
    assert config.asterisk.ami.password.reveal() == "hunter2 file"


def test_given_a_database_in_the_environment_when_loaded_then_it_is_found(tmp_path: Path) -> None:
    config = loaded(tmp_path, SMALL + "database: env:DB\n", ENVIRON | {"DB": "sqlite:////srv/warm.db"})
    assert config.database.reveal() == "sqlite:////srv/warm.db"


# ---- warnings: usable, hardly meant ----


def warnings(folder: Path, text: str) -> list[str]:
    return [str(warning).removeprefix(f"{folder}/") for warning in loaded(folder, text).warnings]


def test_given_an_agent_in_no_team_when_loaded_then_a_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, SMALL.replace("[ana, ben]", "[ana]")) == [
        'warm.yaml:2:55: agent "ben" is in no team'
    ]


def test_given_a_hold_shorter_than_ringing_and_deciding_when_loaded_then_a_warning(tmp_path: Path) -> None:
    text = SMALL + "handoff:\n  ring_seconds: 30\n  hold_seconds: 40\n"
    assert warnings(tmp_path, text) == [
        "warm.yaml:5:17: handoff: hold_seconds (40) can end before an agent who answers late has decided "
        "(ring_seconds 30 + decision_seconds 30)"
    ]


def test_given_a_password_everyone_can_read_when_loaded_then_a_warning(tmp_path: Path) -> None:
    text = SMALL.replace("env:WARM_ARI_PASSWORD", "hunter2")
    path = tmp_path / "warm.yaml"
    path.write_text(text)
    path.chmod(0o644)
    (warning,) = load(path, ENVIRON).warnings
    path.chmod(0o640)

    assert load(path, ENVIRON).warnings == ()
    assert str(warning) == (
        f"{path}:1:28: asterisk.ari.password is written in a file that every user of this machine can read "
        "(expected env:NAME or file:/path, or chmod o-r warm.yaml)"
    )
