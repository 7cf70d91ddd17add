"""Whatever is in the file: it loads, or ConfigErrors tells why; nothing else is ever raised."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asterisk_warm.config import Config, ConfigErrors, load

CONFIG = Path(__file__).parents[2] / "config"
SAMPLE, SCRIPTS = (CONFIG / "asterisk_warm.yaml").read_text(), CONFIG / "scripts"
LINES = [line for line in SAMPLE.splitlines() if line.strip() and not line.lstrip().startswith("#")]
LINES += [
    "calendars:",
    "  sources:",
    "    work:",
    "      file: /srv/work.ics",
    "    shifts: [daily 08:00-12:00]",
]
LINES += [
    "    tiers: {ana: 2}",
    "    timezone: Europe/Berlin",
    "    calendar: work",
    "    hints: [Custom:desk]",
]
LINES += ["outside:", '  allow: ["+15551234567", "+1555*"]', "  endpoint: PJSIP/{number}@trunk"]
LINES += ["scripts:", "  insurance: " + str(SCRIPTS / "insurance.yaml"), "  script: insurance"]
LINES += ["  crm:", "    url: http://crm/{number}", "    token: hunter2", "    headers: {X-Key: hunter2}"]
LINES += ["    name: /name", "    details: {plan: /plan}", "webhooks:", "  crm:", "    url: http://h/hunter2"]
LINES += ["    secrets: [whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==]", "    events: [offer.made]"]
LINES += ["  translations: {es: {taken: Lo tiene otro.}}", "  asks: 0", "  least_score: -1.5", "  plain: yes"]
LINES += ["  certificate: /srv/a.pem", "  key: /srv/a.key", "  voices: {es: espeak:es}", "    language: es"]
ENVIRON = {"WARM_ARI_PASSWORD": "hunter2", "WARM_AMI_PASSWORD": "hunter2"}

# fmt: off
FRAGMENTS = st.sampled_from([
    "no", "22:30", "0123", "0o7", "~", "*a", "&a ", "!!str ", "!x ", "[", "]", "{", "}", ": ", "- ",
    "\t", ">", "#", "'", "\"", "\\", "%", "@", "? ", "<<: ", "---", "1e9", ".nan", "2026-01-31", "=",
    "\n", "  ", "\u0085", "\u2028", "ana", "keys", "!!int ", "!!float ", "!!bool ", "!!timestamp ",
    "!!null ", "!!binary ", "!!set ", "1_0", "-0", "+.5", "\\ud800",
])
# fmt: on
TOKENS = st.lists(FRAGMENTS | st.sampled_from(LINES) | st.text(max_size=6), max_size=30).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated_samples(draw: st.DrawFn) -> str:
    """The sample with lines taken out, doubled, moved or given another value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        if not lines:
            break
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["out", "double", "move", "value", "insert", "indent"])):
            case "out":
                del lines[at]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "value":
                value = draw(VALUES.map(repr) | FRAGMENTS | st.text(max_size=10))
                lines[at] = lines[at].partition(":")[0] + ": " + value
            case "insert":
                place = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:place] + draw(FRAGMENTS) + lines[at][place:]
            case "indent":
                lines[at] = " " * draw(st.integers(0, 8)) + lines[at].lstrip()
    return "\n".join(lines) + "\n"


def loads_or_tells(path: Path) -> None:
    try:
        config = load(path, ENVIRON)
    except ConfigErrors as errors:
        assert errors.errors
        for error in errors.errors:
            assert error.line >= 1 and error.column >= 1
            assert error.file == str(path)
            assert str(error).isprintable(), "one line, nothing a terminal would act on"
            assert "hunter2" not in str(error)
    else:
        assert isinstance(config, Config)
        assert "hunter2" not in repr(config)
        for team in config.teams.values():
            assert team.agents and team.ring_seconds <= team.hold_seconds
            keys = vars(team.keys) if team.asks else {**vars(team.keys), "ask": "none"}
            assert len(set(keys.values())) == 5
            assert team.script is None or team.script in config.scripts
            assert all(own.briefing and own.recall for _, own in team.translations)
            pressed = vars(team.qualifier_keys).values()
            assert len(pressed) == 4 and not any(a in b for a, b in permutations(pressed, 2))
        numbers = [agent.number for agent in config.agents.values() if agent.number is not None]
        numbers += [team.number for team in config.teams.values() if team.number is not None]
        assert len(set(numbers)) == len(numbers)
        digits = [entry.key for entry in config.dispositions.values() if entry.key is not None]
        assert len(set(digits)) == len(digits)
        assert all(id == read.script.id for id, read in config.scripts.items())
        assert (config.api.certificate is None) == (config.api.key is None)
        endpoints = [record.endpoint for record in config.agent_records]
        assert len(set(endpoints)) == len(config.agents)
        assert all(set(dict(team.tiers)) <= set(team.members) for team in config.teams.values())
        known = {"", *config.calendars.sources}
        assert all(record.calendar in known for record in config.agent_records)


def written(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> Path:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    return path


@settings(max_examples=300, deadline=None)
@given(mutated_samples())
def test_given_a_damaged_sample_when_loaded_then_it_loads_or_tells(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    loads_or_tells(written(tmp_path_factory, text.encode("utf-8", "surrogatepass")))


@settings(max_examples=300, deadline=None)
@given(TOKENS)
@example("a: !!int x")
@example("a: !!float x")
@example("a: !!bool x")
@example("a: !!timestamp x")
@example("a: !!map x")
@example("!!map x")
@example("!!set {a, b}")
@example("? {a: b}\n: c")
@example("&a {x: *a, <<: *a}")
@example("&a ? *a\n: *a")
@example("a: &a\n  <<: *a")
@example("%YAML 1." + "9" * 5000 + "\n---\na: 1")
@example("a: " + "9" * 5000)
@example("a: " + "0" + "7" * 5000)
@example("a: " + "1:" * 5000 + "1")
def test_given_any_yaml_when_loaded_then_it_loads_or_tells(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    loads_or_tells(written(tmp_path_factory, text.encode("utf-8", "surrogatepass")))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_given_any_bytes_when_loaded_then_it_loads_or_tells(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    loads_or_tells(written(tmp_path_factory, content))
