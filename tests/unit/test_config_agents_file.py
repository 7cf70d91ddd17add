"""Agents from CSV and YAML files: the good ones, and every fault with its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_warm.config.agents_file import AgentsFile, read_agents
from asterisk_warm.config.csv_source import rows
from asterisk_warm.core.roster import AgentRecord

HEADER = "id,name,endpoint,number,teams,skills,timezone,shifts,calendar,at_once\n"
SHORT = "id,name,endpoint\n"
ANA = AgentRecord("ana", "Ana", "PJSIP/ana")
BEN = AgentRecord("ben", "Ben", "PJSIP/ben")

Read = Callable[..., AgentsFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(content: str | bytes, name: str = "agents.csv", **known: list[str]) -> AgentsFile:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_agents(path, **known)

    return of


def told(found: AgentsFile) -> list[str]:
    return [str(fault).partition("agents.")[2].partition(":")[2] for fault in found.faults]


# ---- CSV ----


def test_given_every_column_when_read_then_each_agent_is_a_record(read: Read) -> None:
    found = read(
        HEADER + "zoe,Zoë,PJSIP/zoe,,,,,,,\n"
        "ana,Ana Lopez,PJSIP/ana,+15551234,sales;renewals:2,spanish:7;insurance:3,Europe/Berlin,"
        "mon-fri 09:00-17:30;sat 10:00-14:00,work,2\n",
        teams=["renewals", "sales"],
        calendars=["work"],
    )
    assert found.faults == ()
    assert found.good == (
        AgentRecord(
            id="ana",
            name="Ana Lopez",
            endpoint="PJSIP/ana",
            number="+15551234",
            teams=(("renewals", 2), ("sales", 1)),
            skills=(("insurance", 3), ("spanish", 7)),
            at_once=2,
            timezone="Europe/Berlin",
            shifts=("mon-fri 09:00-17:30", "sat 10:00-14:00"),
            calendar="work",
        ),
        AgentRecord("zoe", "Zoë", "PJSIP/zoe"),
    )
    assert found.given == set(HEADER.strip().split(","))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid,name,endpoint\nana,Ana,PJSIP/ana\nben,Ben,PJSIP/ben\n",
        "id;name;endpoint\r\nana;Ana;PJSIP/ana\r\nben;Ben;PJSIP/ben",
        "id,name,endpoint\rana,Ana,PJSIP/ana\rben,Ben,PJSIP/ben\r",
        "Endpoint , NAME,Id,,\nPJSIP/ana, Ana ,ana,,\n\n,,,,\n  \nPJSIP/ben,Ben,ben\n".replace("ben\n", "ben,,\n"),
        '"id","name","endpoint"\n"ana","Ana","PJSIP/ana"\n"ben","Ben","PJSIP/ben"\n',
        "id,name,endpoint,at_once\nana,Ana,PJSIP/ana,1\nben,Ben,PJSIP/ben,\n",
    ],
)  # fmt: skip
def test_given_what_spreadsheets_write_when_read_then_it_is_the_same(read: Read, text: str) -> None:
    assert (read(text).good, read(text).faults) == ((ANA, BEN), ())


def test_given_semicolons_between_columns_when_read_then_a_quoted_cell_holds_several(read: Read) -> None:
    found = read('id;name;endpoint;teams\nana;"Ana ""A""; Lopez";PJSIP/ana;"sales;renewals:2"\n')
    assert found.good == (
        AgentRecord("ana", 'Ana "A"; Lopez', "PJSIP/ana", teams=(("renewals", 2), ("sales", 1))),
    )
    assert found.given == {"id", "name", "endpoint", "teams"}


def test_given_one_bad_agent_when_read_then_the_others_are_good(read: Read) -> None:
    found = read(SHORT + "ana,Ana,PJSIP/ana\ncleo,,cleo\nben,Ben,PJSIP/ben\n")
    assert found.good == (ANA, BEN)
    assert told(found) == [
        "3:1: agents.cleo.name is missing (expected text)",
        '3:7: agents.cleo.endpoint: "cleo" has no technology before the name (expected TECHNOLOGY/name, such as PJSIP/ana; did you mean "PJSIP/cleo"?)',
    ]


def test_given_a_language_when_read_then_the_record_has_it(read: Read) -> None:
    found = read("id,name,endpoint,language\nana,Ana,PJSIP/ana,es-mx\nben,Ben,PJSIP/ben,\n")
    assert ([agent.language for agent in found.good], found.faults) == (["es-mx", ""], ())
    assert found.given == {"id", "name", "endpoint", "language"}
    found = read("id,name,endpoint,language\nana,Ana,PJSIP/ana,es_MX\nben,Ben,PJSIP/ben,Spanish\n")
    assert (told(found), found.good) == (
        [
            '2:19: agents.ana.language: "es_MX" is not a language (expected a language, such as es or es-mx; did you mean "es-mx"?)',
            '3:19: agents.ben.language: "Spanish" is not a language (expected a language, such as es or es-mx)',
        ],
        (),
    )


FAULTS = [
    ("ana,Ana,PJSIP/ana,2 01,,,,,,", '2:19: agents.ana.number: "2 01" is not a number to be dialled (expected 1 to 20 of 0-9, * and #, + in front or not, such as "201"; did you mean "201"?)'),
    ("ana,Ana,PJSIP/ana,,sales:0,,,,,", '2:20: agents.ana.teams: "sales:0" has no tier after "sales" (expected a tier from 1 to 9, such as sales:2)'),
    ("ana,Ana,PJSIP/ana,,slaes,,,,,", '2:20: agents.ana.teams.slaes: there is no team "slaes" (expected renewals, sales; did you mean "sales"?)'),
    ("ana,Ana,PJSIP/ana,,Sales Team,,,,,", '2:20: "Sales Team" is not an id (expected an id: 1 to 40 of a-z, 0-9, _ and -; did you mean "sales_team"?)'),
    ("ana,Ana,PJSIP/ana,,sales;sales:2,,,,,", '2:20: agents.ana.teams: "sales;sales:2" names "sales" twice (expected each of them once)'),
    ('ana,Ana,PJSIP/ana,,"sales,renewals",,,,,', '2:20: agents.ana.teams: "sales,renewals" holds a "," (expected ";" between one and the next)'),
    ("ana,Ana,PJSIP/ana,,,spanish,,,,", '2:21: agents.ana.skills: "spanish" gives no level for "spanish" (expected a level, such as spanish:7)'),
    ("ana,Ana,PJSIP/ana,,,spanish:11,,,,", '2:21: agents.ana.skills.spanish: "11" is too large (expected a level from 1 to 10)'),
    ("ana,Ana,PJSIP/ana,,,spanish:high,,,,", '2:21: agents.ana.skills.spanish: "high" is of the wrong kind (expected a level from 1 to 10)'),
    ("ana,Ana,PJSIP/ana,,,,Berlin,,,", '2:22: agents.ana.timezone: "Berlin" is not a time zone (expected an IANA time zone, such as Europe/Berlin; did you mean "Europe/Berlin"?)'),
    ("ana,Ana,PJSIP/ana,,,,,daily 08:00-12:00;never,,", '2:23: agents.ana.shifts[1]: "never" is not a shift: a shift is days and hours with one space between them (expected days and hours in quotes, such as "mon-fri 09:00-17:30")'),
    ("ana,Ana,PJSIP/ana,,,,,,wrok,", '2:24: agents.ana.calendar: there is no calendar "wrok" (expected work; did you mean "work"?)'),
    ("ana,Ana,PJSIP/ana,,,,,,,0", '2:25: agents.ana.at_once: "0" is too small (expected a number from 1 to 20)'),
    ("ana,Ana,PJSIP/ana,,,,,,,²", '2:25: agents.ana.at_once: "²" is of the wrong kind (expected a number from 1 to 20)'),
    ("ana,=cmd()|'/C calc'!A0,PJSIP/ana,,,,,,,", """2:5: agents.ana.name: "=cmd()|'/C calc'!A0" starts like a formula of a spreadsheet (expected a name)"""),
    ("ana, @SUM(1),PJSIP/ana,,,,,,,", '2:5: agents.ana.name: "@SUM(1)" starts like a formula of a spreadsheet (expected a name)'),
    ("=1+1,Ana,PJSIP/ana,,,,,,,", '2:1: "=1+1" is not an id (expected an id: 1 to 40 of a-z, 0-9, _ and -; did you mean "1_1"?)'),
    ('ana,"Ana\r\nLopez",PJSIP/ana,,,,,,,', '2:5: agents.ana.name: "Ana\\r\\nLopez" holds a control character or a line break (expected text)'),
    ('ana,Ana,"PJSIP/ana\nAction: x",,,,,,,', '2:9: agents.ana.endpoint: "PJSIP/ana\\nAction: x" holds \'\\n\', which cannot be part of an endpoint (expected TECHNOLOGY/name, such as PJSIP/ana)'),
    ('"a\nb",Ana,PJSIP/ana,,,,,,,', '2:1: "a\\nb" is not an id (expected an id: 1 to 40 of a-z, 0-9, _ and -; did you mean "a_b"?)'),
    ("ana,\x1b[31mAna,PJSIP/ana,,,,,,,", '2:5: agents.ana.name: "\\x1b[31mAna" holds a control character or a line break (expected text)'),
    (",Ana,PJSIP/ana,,,,,,,", "2:1: the row has no id (expected an id for every agent)"),
    ("ana,Ana", "2:1: 2 cells, where the first line names 10 columns (expected as many; text with a delimiter in it is put in quotes)"),
    ("ana,Lopez, Ana,PJSIP/ana,,,,,,,1", "2:1: 11 cells, where the first line names 10 columns (expected as many; text with a delimiter in it is put in quotes)"),
    ('ana,"Ana,PJSIP/ana,,,,,,,', "2:5: a quote is opened and never closed (expected text in quotes with every quote in it doubled, or no quotes)"),
    ('ana,"Ana" Lopez,PJSIP/ana,,,,,,,', "2:5: there is text after a closing quote (expected text in quotes with every quote in it doubled, or no quotes)"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "fault"), FAULTS, ids=[row for row, _ in FAULTS])
def test_given_a_bad_row_when_read_then_it_is_told_and_the_next_one_is_good(
    read: Read, row: str, fault: str
) -> None:
    found = read(
        f"{HEADER}{row}\nben,Ben,PJSIP/ben,,,,,,,\n", teams=["sales", "renewals"], calendars=["work"]
    )
    assert told(found) == [fault]
    assert found.good == (BEN,)


def test_given_one_id_twice_when_read_then_nobody_guesses_which_was_meant(read: Read) -> None:
    found = read(SHORT + "ana,Ana,PJSIP/ana\nben,Ben,PJSIP/ben\nana,Ana,PJSIP/x\n")
    assert found.good == (BEN,)
    assert told(found) == [
        '4:1: "ana" is there twice, first on line 2 and again on line 4 (expected one row for each agent)'
    ]


def test_given_one_endpoint_or_number_twice_when_read_then_the_second_is_a_fault(read: Read) -> None:
    found = read(
        "id,name,endpoint,number\nana,Ana,PJSIP/ana,201\nben,Ben,PJSIP/ana,202\ncleo,Cleo,PJSIP/cleo,201\n"
    )
    assert [agent.id for agent in found.good] == ["ana"]
    assert told(found) == [
        '3:9: agents.ben.endpoint: agent "ana" has the endpoint PJSIP/ana already (expected an endpoint of the agent\'s own)',
        '4:22: agents.cleo.number: agent "ana" has the number "201" already (expected a number that stands for nobody else)',
    ]


COLUMNS = "id, name, endpoint, number, teams, skills, timezone, shifts, calendar, at_once, language"


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("id,nmae,endpoint,id\nana,Ana,PJSIP/ana,ana\n", [
            '1:1: the column "name" is missing (expected at least id, name, endpoint)',
            f'1:4: unknown column "nmae" (expected {COLUMNS}; did you mean "name"?)',
            '1:18: the column "id" is there twice (expected one of the two)',
        ]),
        ("id,name,endpoint,\x1b[2J\n", [f'1:18: unknown column "\\x1b[2j" (expected {COLUMNS})']),
        ("ana,Ana,PJSIP/ana\n", ['1:1: the columns "id", "name", "endpoint" are missing: the first line has "ana", "Ana", "PJSIP/ana" (expected columns such as id,name,endpoint,number,teams,skills)']),
        ("", ["1:1: the file is empty (expected a first line with columns such as id,name,endpoint,number,teams,skills)"]),
        ("\n,,\n\n", ["1:1: the file is empty (expected a first line with columns such as id,name,endpoint,number,teams,skills)"]),
        ('id,"name\n', ["1:4: a quote is opened and never closed (expected as many quotes as are closed)"]),
        (SHORT, ["1:1: there are no agents in the file (expected an agent at least)"]),
        (b"id,name,endpoint\nana,A\0na,PJSIP/ana\n", ["2:1: this is a binary file, or text in UTF-16 (expected text in UTF-8)"]),
        (SHORT.encode("utf-16"), ["1:1: this is a binary file, or text in UTF-16 (expected text in UTF-8)"]),
        (SHORT.encode() + b"ana,Jos\xe9,PJSIP/ana\n", ["2:8: the byte 0xe9 is not UTF-8 (expected text saved as UTF-8)"]),
        (b"x" * 2_000_000, ["1:1: the file is larger than 1 MiB (expected a file of agents; is this the right one?)"]),
    ],
)  # fmt: skip
def test_given_a_file_that_is_none_of_agents_when_read_then_it_is_told(
    read: Read, content: str | bytes, faults: list[str]
) -> None:
    found = read(content)
    assert (told(found), found.good) == (faults, ())


def test_given_lines_of_a_megabyte_when_read_then_told_in_short(read: Read) -> None:
    for cell in ("x" * 1_000_000, '"' + '""' * 490_000 + '"', '"' + "\n" * 1_000_000 + '"', ";" * 1_000_000):
        found = read(f"{SHORT}ana,{cell},PJSIP/ana\nben,Ben,PJSIP/ben\n")
        (fault,) = told(found)
        assert fault.startswith("2:1: ") or fault.startswith("2:5: ")
        assert len(fault) < 200
        assert found.good == (BEN,)


def test_given_no_readable_file_when_read_then_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "agents.txt").write_text(SHORT)
    cases = {
        "missing.csv": "there is no such file (expected a CSV or YAML file of agents)",
        "missing.yaml": "there is no such file (expected a CSV or YAML file of agents)",
        "agents.txt": "the name of the file does not say what it is (expected a name that ends in .csv, .yaml, .yml)",
    }
    for name, fault in cases.items():
        found = read_agents(tmp_path / name)
        assert [str(each) for each in found.faults] == [f"{tmp_path / name}:1:1: {fault}"]
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "this is a folder (expected a CSV or YAML file, such as" in str(read_agents(folder).faults[0])


# ---- YAML ----

AGENTS = """\
agents:
  ana: {name: Ana, endpoint: PJSIP/ana}
  ben: {name: Ben, endpoint: PJSIP/ben}
"""


@pytest.mark.parametrize("name", ["agents.yaml", "agents.yml", "agents.YML"])
def test_given_a_section_of_agents_when_read_then_nothing_is_said_of_their_teams(
    read: Read, name: str
) -> None:
    found = read(AGENTS, name)
    assert (found.good, found.faults) == ((ANA, BEN), ())
    assert found.given == set(AgentRecord.__dataclass_fields__) - {"teams"}


def test_given_a_whole_configuration_when_read_then_only_agents_and_teams_count(read: Read) -> None:
    text = "asterisk: {ari: {password: env:NOPE}}\nhandoff: {hold_seconds: 22:30}\nnonsense: 1\n" + AGENTS
    text += "teams:\n  sales: {name: Sales, agents: [ben, ana], tiers: {ana: 2}}\n  vip: {name: V, agents: [ana]}\n"
    found = read(text, "agents.yaml", teams=["sales", "vip"])

    assert found.faults == ()
    assert [agent.teams for agent in found.good] == [(("sales", 2), ("vip", 1)), (("sales", 1),)]
    assert found.given == set(AgentRecord.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "faults", "good"),
    [
        ("agents: 5", ['1:9: agents: "5" is not a section with entries in it (expected at least one agent)'], []),
        ("agents:", ["1:8: agents has no value (expected at least one agent)"], []),
        ("agents: {}", ["1:1: there are no agents in the file (expected an agent at least)"], []),
        ("log: {}", ["1:1: there are no agents in the file (expected an agent at least)"], []),
        ("agents: [a", ["2:1: a comma or a closing bracket is missing"], []),
        (AGENTS + "  ana: {name: Eve, endpoint: PJSIP/eve}", ["4:3: agents.ana is given twice, first on line 2 and again on line 4 (expected one of the two)"], ["ben"]),
        (AGENTS.replace("name: Ana", "name: Ana, number: +1555"), ['2:28: agents.ana.number: YAML reads +1555 without quotes as the number 1555 (expected a number in quotes; did you mean "+1555"?)'], ["ben"]),
        (AGENTS.replace("name: Ana", "name: No"), ['2:15: agents.ana.name: "No" without quotes is true or false in YAML, not text (expected text; did you mean "No"?)'], ["ben"]),
        (AGENTS.replace("name: Ana", "name: Ana, teams: [sales]"), ['2:20: unknown setting agents.ana.teams (expected name, endpoint, number, skills, at_once, hints, dnd, timezone, shifts, calendar, language)'], ["ben"]),
        (AGENTS.replace("name: Ana", "name: Ana, calendar: x"), ['2:20: agents.ana.calendar: there is no calendar "x" (expected a calendar that is there)'], ["ben"]),
        (AGENTS + "teams: {sales: {name: S, agents: [ana, bne]}}", ['4:40: teams.sales.agents[1]: there is no agent "bne" (expected an id of agents; did you mean "ben"?)'], ["ben"]),
        (AGENTS + "teams: {vip: {name: S, agents: [ana]}}", ['4:9: teams.vip: there is no team "vip" (expected sales)'], ["ben"]),
    ],
)  # fmt: skip
def test_given_faults_in_yaml_when_read_then_they_are_told_and_the_others_are_good(
    read: Read, text: str, faults: list[str], good: list[str]
) -> None:
    found = read(text + "\n", "agents.yaml", teams=["sales"], calendars=[])
    assert told(found) == faults
    assert [agent.id for agent in found.good] == good


# ---- whatever is in the file ----


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='ab,;"\n\r:=\x00é\ud800 ', max_size=60), st.sampled_from(["", SHORT, HEADER]))
def test_given_any_csv_when_read_then_it_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, text: str, header: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((header + text).encode("utf-8", "surrogatepass"))
    found = read_agents(path)
    assert found.faults or found.good
    assert all(fault.line >= 1 and fault.column >= 1 and str(fault).isprintable() for fault in found.faults)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.text(alphabet='ab,;"\n\r é', max_size=6), min_size=2, max_size=4), max_size=5))
def test_given_what_the_standard_library_writes_when_read_then_it_is_what_was_written(
    table: list[list[str]],
) -> None:
    table = [["a", "b"], *table]
    written = io.StringIO()
    csv.writer(written).writerows(table)
    found = [[cell.text for cell in row.cells] for row in rows(written.getvalue())]
    assert found == [row for row in table if any(cell.strip() for cell in row)]
