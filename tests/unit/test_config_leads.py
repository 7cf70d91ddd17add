"""Scripts, leads, dispositions, screens, webhooks and languages of a good configuration, and what is wrong with
the files of scripts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from asterisk_warm.config import Config, ConfigErrors, load
from asterisk_warm.config.screens import EVENTS
from asterisk_warm.config.spoken import ENGINES
from asterisk_warm.core.handoff.commands import News
from asterisk_warm.core.handoff.policy import Keys
from asterisk_warm.core.script.model import Script

SMALL = """\
asterisk: {ari: {password: x}, ami: {password: x}}
agents: {ana: {name: Ana, endpoint: PJSIP/ana, language: es-mx}, ben: {name: Ben, endpoint: PJSIP/ben}}
teams: {sales: {name: Sales, agents: [ana, ben]}, vip: {name: VIP, agents: [ana]}}
"""
SIGNING, NEXT = (f"whsec_{base64.b64encode(text * 4).decode()}" for text in (b"hunter2-", b"hunter3-"))
ENVIRON = {"SIGNING": SIGNING, "CRM": "https://crm.example.com/hunter2/{number}", "TOKEN": "hunter2"}
SCRIPT = """\
id: home
name: Home
summary: "{owner}"
questions:
  owner:
    ask: yesno
    say: {console: Owner, voice: Do you own it, text: Do you own it}
    rules: [{is: yes, points: 10}, {is: no, knockout: does not own it}]
"""


def loaded(folder: Path, text: str, small: str = SMALL) -> Config:
    path = folder / "warm.yaml"
    path.write_text(small + text, encoding="utf-8")
    path.chmod(0o600)
    return load(path, ENVIRON)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        loaded(folder, text)
    return [str(error).replace(f"{folder}/", "") for error in raised.value.errors]


def scripts(folder: Path, **written: str) -> str:
    for name, text in written.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return f"scripts: {{{', '.join(f'{name}: {name}.yaml' for name in written)}}}\n"


# ---- scripts ----


def test_given_scripts_when_loaded_then_each_is_read_with_what_is_to_be_published(tmp_path: Path) -> None:
    text = scripts(tmp_path, home=SCRIPT)
    config = loaded(tmp_path, text + "handoff: {script: home, least_score: 10, require: [ready]}\n")

    read = config.scripts["home"]
    assert (read.file, read.source) == (tmp_path / "home.yaml", SCRIPT)
    assert isinstance(read.script, Script) and read.script.id == "home"
    team = config.policy("sales")
    assert (team.script, team.least_score, team.require) == ("home", 10, ("ready",))
    assert config.warnings == ()


def test_given_a_full_path_when_loaded_then_the_script_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "h.yaml").write_text(SCRIPT)
    assert [*loaded(tmp_path, f"scripts: {{home: {tmp_path}/elsewhere/h.yaml}}\n").scripts] == ["home"]


def test_given_a_team_of_no_script_when_loaded_then_that_of_handoff_does_not_count(tmp_path: Path) -> None:
    text = scripts(tmp_path, home=SCRIPT) + "handoff: {script: home, least_score: 0}\n"
    config = loaded(tmp_path, text, SMALL.replace("[ana]", "[ana], script: , least_score: ~"))
    assert (config.policy("vip").script, config.policy("vip").least_score) == (None, None)
    assert (config.policy("sales").script, config.policy("sales").least_score) == ("home", 0)


def test_given_a_script_that_is_not_there_when_loaded_then_it_is_told_where_it_is_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    assert faults(tmp_path, "scripts: {a: a.yaml, b: folder.yaml, c: latin.yaml}\n") == [
        "warm.yaml:4:14: scripts.a: a.yaml: there is no such file (expected a script, as in the sample config/scripts/insurance.yaml)",
        "warm.yaml:4:25: scripts.b: folder.yaml: this is a folder (expected a YAML file, such as folder.yaml/insurance.yaml)",
        "warm.yaml:4:41: scripts.c: latin.yaml: the byte 0xe9 is not UTF-8 (expected text saved as UTF-8)",
    ]


def test_given_faults_here_and_there_when_loaded_then_those_of_a_script_come_last(tmp_path: Path) -> None:
    text = scripts(tmp_path, home=SCRIPT.replace("ask: yesno", "ask: yeson"), other="id: other\n")
    told = faults(tmp_path, text + "log: {level: loud}\nhandoff: {script: hoem}\n")
    assert [line.partition(" ")[0] for line in told] == [
        *("warm.yaml:5:14:", "warm.yaml:6:19:", "home.yaml:6:10:"),
        *["other.yaml:1:1:"] * 3,
    ]
    assert told[1].endswith('there is no script "hoem" (expected an id of scripts; did you mean "home"?)')


def test_given_a_script_of_another_id_when_loaded_then_it_is_told(tmp_path: Path) -> None:
    assert faults(tmp_path, scripts(tmp_path, hoem=SCRIPT)) == [
        'warm.yaml:4:17: scripts.hoem: the script in hoem.yaml has the id "home" (expected the script under its own id)'
    ]


def test_given_a_script_that_leads_nowhere_when_loaded_then_its_own_line_is_named(tmp_path: Path) -> None:
    text = scripts(tmp_path, home=SCRIPT.replace("points: 10", "goto: nowhere"))
    (fault,) = faults(tmp_path, text)
    assert fault.startswith("home.yaml:8:29: questions.owner.rules[0].goto: ")
    assert "nowhere" in fault


def test_given_a_script_that_might_be_wrong_when_loaded_then_a_warning_of_its_file(tmp_path: Path) -> None:
    text = scripts(tmp_path, home=SCRIPT.replace('"{owner}"', "Owns a home"))
    config = loaded(tmp_path, text)
    (warning,) = config.warnings
    assert (warning.file, warning.line) == (str(tmp_path / "home.yaml"), 3)
    assert [*config.scripts] == ["home"]


# ---- leads, dispositions ----


def test_given_nothing_of_leads_when_loaded_then_nobody_is_asked_and_there_are_four_outcomes(
    tmp_path: Path,
) -> None:
    config = loaded(tmp_path, "")
    assert (config.leads.region, config.leads.crm, config.scripts) == ("US", None, {})
    assert {id: (entry.name, entry.key) for id, entry in config.dispositions.items()} == {
        "sold": ("Sold", "1"),
        "callback": ("Call back", "2"),
        "not_interested": ("Not interested", "3"),
        "wrong_person": ("Wrong person", "4"),
    }


def test_given_a_crm_when_loaded_then_it_is_what_was_written_and_its_secrets_are_never_shown(
    tmp_path: Path,
) -> None:
    config = loaded(
        tmp_path,
        "leads: {region: DE, crm: {url: env:CRM, token: env:TOKEN, headers: {X-Key: hunter2}, name: /a/name,\n"
        "  summary: /a~1b/0, language: /lang, details: {Plan: /plan}, budget_seconds: 2, cache_seconds: 1h}}\n",
    )
    crm = config.leads.crm
    assert crm is not None and crm.token is not None and config.leads.region == "DE"
    assert (crm.url.reveal(), crm.token.reveal()) == (ENVIRON["CRM"], "hunter2")
    assert {name: value.reveal() for name, value in crm.headers.items()} == {"X-Key": "hunter2"}
    assert (crm.name, crm.summary, crm.language, crm.details) == (
        "/a/name",
        "/a~1b/0",
        "/lang",
        {"Plan": "/plan"},
    )
    assert (crm.budget_seconds, crm.cache_seconds, crm.user, crm.password) == (2, 3600, None, None)
    assert str(crm.url) == "https://crm.example.com/***"
    assert "hunter2" not in f"{config}{config.leads.model_dump()}"


def test_given_a_crm_with_a_user_when_loaded_then_a_password_in_the_open_is_a_warning(tmp_path: Path) -> None:
    crm = "leads: {crm: {url: 'http://h/{number}', user: a, password: hunter2, details: {a: /b}}}\n"
    assert loaded(tmp_path, crm).warnings == ()
    (tmp_path / "warm.yaml").chmod(0o644)
    (warning,) = [w for w in load(tmp_path / "warm.yaml", ENVIRON).warnings if w.path.startswith("leads")]
    assert "leads.crm.password is written in a file that every user of this machine can read" in str(warning)


def test_given_dispositions_when_loaded_then_there_are_no_others(tmp_path: Path) -> None:
    config = loaded(tmp_path, "dispositions: {won: {name: Won, key: 0}, lost: {name: Lost}}\n")
    assert {id: (entry.name, entry.key) for id, entry in config.dispositions.items()} == {
        "won": ("Won", "0"),
        "lost": ("Lost", None),
    }
    assert loaded(tmp_path, "dispositions: {}\n").dispositions == {}


# ---- screens, webhooks, the API ----


def test_given_news_of_the_core_when_a_webhook_wants_them_then_each_is_known() -> None:
    assert (*News, "handoff.outcome", "qualification.finished") == EVENTS


def test_given_webhooks_when_loaded_then_they_sign_and_never_show_it(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        f"webhooks: {{crm: {{url: 'https://h/hunter2?x=1', secrets: [env:SIGNING, {NEXT}]}},\n"
        "  log: {url: 'http://127.0.0.1:8000', secrets: [env:SIGNING], events: [handoff.ended], timeout_seconds: 2}}\n",
    )
    crm, log = config.webhooks["crm"], config.webhooks["log"]
    assert [secret.reveal() for secret in crm.secrets] == [SIGNING, NEXT]
    assert (crm.url.reveal(), str(crm.url)) == ("https://h/hunter2?x=1", "https://h/***")
    assert (crm.events, crm.timeout_seconds) == (EVENTS, 10)
    assert (log.events, log.timeout_seconds) == (("handoff.ended",), 2)
    told = f"{config}{crm.model_dump()}"
    assert not [word for word in ("hunter2", SIGNING, NEXT) if word in told]


def test_given_a_signing_secret_everyone_can_read_when_loaded_then_a_warning(tmp_path: Path) -> None:
    hooks = f"webhooks: {{crm: {{url: 'https://h/', secrets: [env:SIGNING, {NEXT}]}}}}\n"
    assert loaded(tmp_path, hooks).warnings == ()
    (tmp_path / "warm.yaml").chmod(0o644)
    told = [str(warning) for warning in load(tmp_path / "warm.yaml", ENVIRON).warnings]
    assert [line for line in told if "webhooks.crm.secrets[1] is written in a file" in line]
    assert not [line for line in told if "secrets[0]" in line or NEXT in line]


def test_given_a_page_when_loaded_then_its_placeholders_stay(tmp_path: Path) -> None:
    page = "https://crm.example.com/#/call/{id}?lead={number}&agent={agent}"
    screens = loaded(tmp_path, f"screens: {{page: '{page}', budget_seconds: 0}}\n").screens
    assert (screens.page, screens.budget_seconds) == (page, 0)
    assert (loaded(tmp_path, "").screens.page, loaded(tmp_path, "").screens.budget_seconds) == (None, 0.25)


@pytest.mark.parametrize(
    "api",
    [
        "port: 8443",
        "address: '::1', port: 8443",
        "address: 127.0.0.5, port: 8443",
        "address: localhost, port: 8443",
        "address: 0.0.0.0",
        "address: 0.0.0.0, port: 8443, plain: yes",
        "address: 0.0.0.0, port: 8443, certificate: /srv/a.pem, key: /srv/a.key",
    ],
)
def test_given_an_api_that_gives_nothing_away_when_loaded_then_it_is_good(tmp_path: Path, api: str) -> None:
    assert loaded(tmp_path, f"api: {{{api}}}\n").api.socket == Path("/run/asterisk-warm/api.sock")


@pytest.mark.parametrize("address", ["0.0.0.0", "'::'", "pbx.example.com", "10.0.0.1", "localhost.evil.com"])
def test_given_an_api_for_everybody_when_loaded_then_it_needs_a_certificate(
    tmp_path: Path, address: str
) -> None:
    (fault,) = faults(tmp_path, f"api: {{port: 8443, address: {address}}}\n")
    assert fault.endswith("without encryption (expected certificate and key, or plain: true)")


# ---- languages, asking back ----


def test_given_translations_when_loaded_then_what_is_not_translated_is_in_the_teams_own_words(
    tmp_path: Path,
) -> None:
    own = "[ana], templates: {taken: Gone.}, translations: {es: {briefing: '{name}'}, fr: {}}"
    config = loaded(
        tmp_path,
        "handoff: {language: en, templates: {recall: Now.}, translations: {\n"
        "  es: {briefing: 'Es {name}', taken: 'Lo tiene {agent}.'}, de-at: {details: '{more}'}}}\n",
        SMALL.replace("[ana]", own),
    )

    sales, vip = (dict(config.policy(team).translations) for team in ("sales", "vip"))
    assert (config.policy("sales").language, [*sales], [*vip]) == (
        "en",
        ["de-at", "es"],
        ["de-at", "es", "fr"],
    )
    assert (sales["es"].briefing, sales["es"].taken, sales["es"].recall) == (
        "Es {name}",
        "Lo tiene {agent}.",
        "Now.",
    )
    assert (vip["es"].briefing, vip["es"].taken, vip["fr"].taken) == ("{name}", "Lo tiene {agent}.", "Gone.")
    assert (sales["de-at"].details, sales["de-at"].taken) == ("{more}", "This call was taken by {agent}.")
    assert vip["fr"] == config.policy("vip").templates
    assert [record.language for record in config.agent_records] == ["es-mx", ""]


def test_given_voices_when_loaded_then_they_are_by_language(tmp_path: Path) -> None:
    voices = loaded(
        tmp_path, "speech: {voices: {es: espeak:es-419, en: hibari, de: 'espeak:mb-de5+f2'}}\n"
    ).speech.voices
    assert voices == {"es": "espeak:es-419", "en": "hibari", "de": "espeak:mb-de5+f2"}
    assert loaded(tmp_path, f"speech: {{engines: [{', '.join(ENGINES)}]}}\n").speech.engines == ENGINES


def test_given_nothing_of_asking_back_when_loaded_then_it_is_allowed_twice(tmp_path: Path) -> None:
    team = loaded(tmp_path, "").policy("sales")
    assert (team.asks, team.question_seconds, team.own_words, team.auto_answer) == (2, 12, False, False)
    assert (team.alert, team.language, team.script, team.least_score) == (None, None, None, None)
    assert Keys(**team.keys.model_dump()) == Keys()


def test_given_settings_of_asking_back_when_loaded_then_each_is_what_was_written(tmp_path: Path) -> None:
    team = loaded(
        tmp_path,
        "handoff: {asks: 9, question_seconds: 30s, own_words: on, auto_answer: yes, alert: '<http://a>;info=b',\n"
        "  keys: {details: 0, ask: '#'}}\n",
    ).policy("sales")
    assert (team.asks, team.question_seconds, team.own_words, team.auto_answer) == (9, 30, True, True)
    assert (team.alert, team.keys.details, team.keys.ask) == ("<http://a>;info=b", "0", "#")


def test_given_no_asking_back_when_loaded_then_its_key_may_be_any(tmp_path: Path) -> None:
    assert loaded(tmp_path, "handoff: {asks: 0, keys: {accept: 5}}\n").policy("sales").keys.accept == "5"
