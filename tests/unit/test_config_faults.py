"""Bad configurations: every fault is told at once, in its place, with what was expected."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asterisk_warm.config import ConfigErrors, load

GOOD = """\
asterisk:
  ari: {password: env:ARI}
  ami: {password: env:AMI}
agents:
  ana: {name: Ana, endpoint: PJSIP/ana}
  ben: {name: Ben, endpoint: PJSIP/ben}
teams:
  sales:
    name: Sales
    agents: [ana, ben]
"""
ENVIRON = {"ARI": "hunter2", "AMI": "hunter2", "EMPTY": "", "LINES": "hunter2\nmore"}


Faults = Callable[[str | bytes], list[str]]


def faults_of(path: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        load(path, ENVIRON)
    assert str(raised.value) == "\n".join(map(str, raised.value.errors))
    return [str(error).removeprefix(f"{path.parent}/") for error in raised.value.errors]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    def of(text: str | bytes) -> list[str]:
        path = tmp_path / "warm.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return faults_of(path)

    return of


def cases() -> Iterator[tuple[str, list[str]]]:
    """Read the blocks of test_config_faults.txt: what is done to the good file, and its faults."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split("\n")
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip() and not line.startswith(("# ", "## ")):
            block.append(line)
        elif block:
            yield block[0], block[1:]
            block = []


def changed(change: str) -> str:
    if change.startswith("+ "):
        return f"{GOOD}{change[2:]}\n"
    old, new = change.replace("⏎", "\n").split(" => ")
    assert old in GOOD
    return GOOD.replace(old, "" if new == "(nothing)" else new, 1)


@pytest.mark.parametrize(("change", "told"), [*cases()])
def test_given_a_fault_when_loaded_then_it_is_told_with_its_place(
    faults: Faults, change: str, told: list[str]
) -> None:
    assert faults(changed(change)) == [f"warm.yaml:{fault}" for fault in told]


DATABASE = "expected sqlite:////path/file.db, postgresql://user@host/name, env:NAME or file:/path"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("/var/lib/warm.db", 'is not a database URL ({}; did you mean "sqlite:////var/lib/warm.db"?)'),
        (
            "postgres://u:hunter2@h/db",
            'names a database that is not supported ({}; did you mean "postgresql://..."?)',
        ),
        ("mysql://u:hunter2@h/db", "names a database that is not supported ({})"),
        ("sqlite:///warm.db", "does not give the full path of its file (four slashes) ({})"),
        ("sqlite://", "does not give the full path of its file (four slashes) ({})"),
        ("postgresql://u:hunter2@h", "does not name its database ({})"),
    ],
)
def test_given_a_bad_database_when_loaded_then_told_without_its_password(
    faults: Faults, url: str, problem: str
) -> None:
    assert faults(f"{GOOD}database: {url}\n") == [f"warm.yaml:11:11: database {problem.format(DATABASE)}"]


# fmt: off
BREAKING = (
    "*hunter2", "&hunter2", "!hunter2", "!hun!ter2", "@hunter2", "%hunter2", "{hunter2: [}", '"hunter2',
    "{a: hunter2}", "[hunter2]", "0777", "20:22", "1234567890123456789012", '"hunter2\\n"',
    '"\\uD800hunter2"', "a: hunter2: b", "? hunter2", "|x hunter2",
)
# fmt: on


@pytest.mark.parametrize("password", BREAKING)
def test_given_a_password_that_breaks_the_file_when_loaded_then_it_is_not_shown(
    faults: Faults, password: str
) -> None:
    told = "\n".join(faults(GOOD.replace("env:ARI", password)))
    assert told.startswith("warm.yaml:")
    assert not [word for word in ("hunter2", "hun!", "0777", "20:22", "12345", "511", "1222") if word in told]


def test_given_faults_of_every_sort_when_loaded_then_all_are_told_in_the_order_of_lines(
    faults: Faults,
) -> None:
    text = GOOD.replace("PJSIP/ben", "ben").replace("[ana, ben]", "[ana, bne]").replace("env:ARI", "env:NOPE")
    text += "handoff: {hold_seconds: 10:10, ring_seconds: 2m}\nteams: {}\nlgo: {}\n"

    told = faults(text)

    assert [line.split(": ")[0] for line in told] == [
        "warm.yaml:2:19",
        "warm.yaml:6:30",
        "warm.yaml:10:19",
        "warm.yaml:11:25",
        "warm.yaml:12:1",
        "warm.yaml:13:1",
    ]


def test_given_a_fault_when_told_then_its_parts_are_there_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "warm.yaml"
    path.write_text(GOOD.replace("[ana, ben]", "[ana, bne]"))
    with pytest.raises(ConfigErrors) as raised:
        load(path, ENVIRON)
    (error,) = raised.value.errors
    assert (error.file, error.line, error.column, error.path) == (str(path), 10, 19, "teams.sales.agents[1]")
    assert (error.message, error.expected, error.suggestion) == (
        'teams.sales.agents[1]: there is no agent "bne"',
        "an id of agents",
        "ben",
    )


def test_given_a_password_file_that_holds_no_password_when_loaded_then_it_is_named(tmp_path: Path) -> None:
    cases = {
        b"\xff": "needs the file {}: it is not UTF-8 text",
        b"": "is empty",
        b"hunter2\nhunter3\n": "holds a line break or another control character",
    }
    secret, path = tmp_path / "secret", tmp_path / "warm.yaml"
    path.write_text(GOOD.replace("env:ARI", "file:secret"))
    for content, problem in cases.items():
        secret.write_bytes(content)
        told = f"asterisk.ari.password {problem.format(secret)} (expected text, env:NAME or file:/path)"
        assert faults_of(path) == [f"warm.yaml:2:19: {told}"]


# ---- the file as a whole ----

SAMPLE = "settings, as in the sample config/asterisk_warm.yaml"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", f"1:1: the file is empty (expected {SAMPLE})"),
        (b"# nothing\n\n", f"1:1: the file is empty (expected {SAMPLE})"),
        (b"---\n", f"1:1: the file is empty (expected {SAMPLE})"),
        (b"- a\n- b\n", '1:1: the file holds no settings (expected lines like "agents:")'),
        (b"\nhello\n", '2:1: the file holds no settings (expected lines like "agents:")'),
        (b"\x7fELF\n\x02\x00\x01", "2:1: this is a binary file, or text in UTF-16 (expected text in UTF-8)"),
        (
            "asterisk:\n".encode("utf-16"),
            "1:1: this is a binary file, or text in UTF-16 (expected text in UTF-8)",
        ),
        (
            "a: b\nname: é\n".encode("latin-1"),
            "2:7: the byte 0xe9 is not UTF-8 (expected text saved as UTF-8)",
        ),
        (
            b"a: b\nc: \x07\n",
            "2:4: the character U+0007 cannot stand in a YAML file (expected printable text)",
        ),
        (
            b"#" * 10_000_000,
            "1:1: the file is larger than 1 MiB (expected a configuration file; is this the right one?)",
        ),
        (b"log:\n\tlevel: info\n", "2:1: a tab is used where YAML allows spaces only: indent with spaces"),
        (b"log: {level: info\nx: 1\n", "2:2: a comma or a closing bracket is missing"),
        (
            b"log: *nowhere\n",
            '1:6: a word that starts with "*" is a YAML alias, of no anchor: put text in quotes',
        ),
        (b"a: b: c\n", '1:5: a second ": " in one line: use quotes, or mend the indentation'),
        (b"a: 1\n---\nb: 1\n", '2:1: the file holds more than one document: take out the "---" line'),
        (b'a: "never\n', "2:1: a quote or bracket is never closed"),
        (b'a: "\\UFFFFFFFF"\n', "1:7: a number or an escape is out of range"),
        (b"[" * 5000, "1:41: settings are nested more than 40 levels deep"),
    ],
)
def test_given_a_file_that_is_no_configuration_when_loaded_then_one_clear_fault(
    faults: Faults, content: bytes, fault: str
) -> None:
    assert faults(content) == [f"warm.yaml:{fault}"]


def test_given_a_byte_order_mark_when_loaded_then_it_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "warm.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path, ENVIRON).policy("sales").name == "Sales"


def test_given_aliases_that_unfold_without_end_when_loaded_then_a_fault_soon(faults: Faults) -> None:
    wide = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))
    merges = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 30)
    )
    for text in (wide, deep, merges):
        (fault,) = faults(text)
        assert "aliases unfold to more than 100000 values or 80 levels (expected fewer aliases)" in fault


def test_given_an_alias_inside_itself_when_loaded_then_a_fault(faults: Faults) -> None:
    assert "warm.yaml:11:9: an alias contains itself" in faults(GOOD + "speech: &s {engines: *s}\n")[0]


def test_given_no_readable_file_when_loaded_then_one_clear_fault(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    cases = {
        "missing.yaml": "there is no such file (expected a copy of the sample config/asterisk_warm.yaml)",
        "pipe": "this is not a regular file (expected a YAML file)",
        "socket": "this is not a regular file (expected a YAML file)",
        "loop": "the file cannot be read: Too many levels of symbolic links",
        "n" * 300: "the file cannot be read: File name too long",
        "nul\0": "the file cannot be read: embedded null byte",
    }
    for name, fault in cases.items():
        assert faults_of(tmp_path / name) == [f"{name}:1:1: {fault}"]
    assert faults_of(tmp_path) == [
        f"{tmp_path.name}:1:1: this is a folder (expected a YAML file, such as {tmp_path}/asterisk_warm.yaml)"
    ]
