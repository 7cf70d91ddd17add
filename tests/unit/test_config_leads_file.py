"""Leads from a CSV file: the good ones, and every fault with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_warm.config.leads_file import MOST_FAULTS, MOST_ROWS, LeadsFile, read_leads
from asterisk_warm.core.leads import Consent, LeadRecord, Purpose

Read = Callable[..., LeadsFile]
CONSENT = "number,consent_call,consent_text,consent_recording,consent_basis,consent_shown,consent_at\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(content: str | bytes, region: str = "US") -> LeadsFile:
        path = tmp_path / "leads.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_leads(path, region)

    return of


def told(found: LeadsFile) -> list[str]:
    return [str(fault).partition("leads.csv:")[2] for fault in found.faults]


def test_given_every_column_when_read_then_each_lead_is_a_record(read: Read) -> None:
    found = read(
        "Number,Name,language,Source,consent_call,consent_basis,consent_shown,consent_at,Plan,city\n"
        '(202) 555-0123,Grant Weatherly,en,web form,yes,web form,"May we call you?\nYes.",2026-03-12T14:30+01:00,gold,Bern\n'
        "+34 612 345 678,Zoë,es-mx,,,,,,,\n"
    )
    assert found.faults == ()
    consent = Consent(
        Purpose.CALL, True, "web form", "May we call you?\nYes.", 1773322200.0, "import leads.csv"
    )
    assert found.good == (
        LeadRecord(
            "+12025550123", "Grant Weatherly", "en", (("city", "Bern"), ("plan", "gold")), "web form", (consent,)
        ),
        LeadRecord("+34612345678", "Zoë", "es-mx", (), "import leads.csv", ()),
    )  # fmt: skip
    assert found.given == {"number", "name", "language", "source", "attributes", "consents"}


def test_given_numbers_alone_when_read_then_nothing_else_is_given(read: Read) -> None:
    found = read("number\n202-555-0123\n")
    assert (found.good, found.faults) == ((LeadRecord("+12025550123", source="import leads.csv"),), ())
    assert found.given == {"number"}


def test_given_another_country_when_read_then_its_numbers_are_meant(read: Read) -> None:
    assert [lead.number for lead in read("number\n030 1234567\n", "DE").good] == ["+49301234567"]
    assert read("number\n030 123456\n", "US").good == ()


def test_given_every_consent_when_read_then_each_is_kept_with_its_ground(read: Read) -> None:
    found = read(CONSENT + "+12025550123,YES,no,1,keypress,Press 1,2026-03-12\n")
    assert found.faults == ()
    assert [(each.purpose, each.granted) for each in found.good[0].consents] == [
        (Purpose.CALL, True),
        (Purpose.TEXT, False),
        (Purpose.RECORDING, True),
    ]
    assert {(each.basis, each.shown, each.at) for each in found.good[0].consents} == {
        ("keypress", "Press 1", 1773273600.0)
    }
    assert [found.good[0].consented(purpose) for purpose in Purpose] == [True, False, True]


def test_given_a_refusal_when_read_then_it_needs_no_ground(read: Read) -> None:
    found = read("number,consent_call,consent_at\n+12025550123,no,2026-03-12T00:00Z\n")
    assert found.good[0].consents == (Consent(Purpose.CALL, False, "", "", 1773273600.0, "import leads.csv"),)


DOUBTS = [
    ("nmae", "name"),
    ("names", "name"),
    ("langauge", "language"),
    ("sourse", "source"),
    ("concent_call", "consent_call"),
    ("consent", "consent_at"),
    ("consent call", "consent_call"),
    ("consent_sms", "consent_basis"),
    ("consented_at", "consent_at"),
]


@pytest.mark.parametrize(("column", "likely"), DOUBTS, ids=[column for column, _ in DOUBTS])
def test_given_a_column_that_looks_like_one_of_ours_when_read_then_it_is_doubted(
    read: Read, column: str, likely: str
) -> None:
    found = read(f"number,city,{column}\n+12025550123,Bern,x\n")
    assert (found.faults, found.attributes) == ((), ("city", column))
    (doubt,) = found.doubts
    assert (doubt.line, doubt.column, doubt.suggestion) == (1, 13, likely)


@pytest.mark.parametrize(
    "columns",
    [
        "plan",
        "city",
        "surname",
        "nickname",
        "age",
        "score",
        "phone_2",
        "region",
        "name,names",
        "source,sources",
    ],
)
def test_given_a_column_of_somebodys_own_when_read_then_nobody_doubts_it(read: Read, columns: str) -> None:
    found = read(f"number,{columns}\n+12025550123{',x' * len(columns.split(','))}\n")
    assert (found.faults, found.doubts, found.attributes) == ((), (), (columns.split(",")[-1],))


FAULTS = [
    ("number,name", "x,Ana", '2:1: "x" is no telephone number (expected a number with + and its country\'s code, or one of US)'),
    ("number,name", ",Ana", "2:1: the row has no number (expected a number for every lead)"),
    ("number,name", "911,Ana", '2:1: "911" is no telephone number (expected a number with + and its country\'s code, or one of US)'),
    ("number,name", '"+12025550188\r\nX: y",Ana', '2:1: "+12025550188\\r\\nX: y" is no telephone number (expected a number with + and its country\'s code, or one of US)'),
    ("number,name", "202-555-0188,=1+1", '2:14: leads.202-555-0188.name: "=1+1" starts like a formula of a spreadsheet (expected text)'),
    ("number,name", "+12025550188,\x1b[31mAna", '2:14: leads.+12025550188.name: "\\x1b[31mAna" holds a control character or a line break (expected text)'),
    ("number,name", f"+12025550188,{'n' * 201}", '2:14: leads.+12025550188.name: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn..." is too long (expected text)'),
    ("number,name", "+12025550188", "2:1: 1 cells, where the first line names 2 columns (expected as many; text with a delimiter in it is put in quotes)"),
    ("number,name", '+12025550188,"Ana', "2:14: a quote is opened and never closed (expected text in quotes with every quote in it doubled, or no quotes)"),
    ("number,language", "+12025550188,es_MX", '2:14: leads.+12025550188.language: "es_MX" is not a language (expected a language, such as es or es-mx; did you mean "es-mx"?)'),
    ("number,source", "+12025550188,@x", '2:14: leads.+12025550188.source: "@x" starts like a formula of a spreadsheet (expected text)'),
    ("number,plan", "+12025550188,=HYPERLINK()", '2:14: leads.+12025550188.plan: "=HYPERLINK()" starts like a formula of a spreadsheet (expected text)'),
    ("number,plan", '+12025550188,"a\nb"', '2:14: leads.+12025550188.plan: "a\\nb" holds a control character or a line break (expected text)'),
    ("number,plan", f"+12025550188,{'p' * 2001}", '2:14: leads.+12025550188.plan: "ppppppppppppppppppppppppppppppppppppp..." is longer than 2000 characters (expected less)'),
    ("number,consent_call,consent_at,consent_basis", "+12025550188,perhaps,2026-03-12,web", '2:14: leads.+12025550188.consent_call: "perhaps" is neither yes nor no (expected yes or no)'),
    ("number,consent_call,consent_basis", "+12025550188,yes,web", '2:14: leads.+12025550188.consent_call: "yes" has no date (expected the time of it in a column consent_at)'),
    ("number,consent_call,consent_at", "+12025550188,yes,2026-03-12", '2:14: leads.+12025550188.consent_call: "yes" has no ground (expected one in a column consent_basis, such as web form)'),
    ("number,consent_call,consent_at", "+12025550188,no,yesterday", '2:17: leads.+12025550188.consent_at: "yesterday" is no date (expected a date or a time, such as 2026-03-12T14:30+01:00)'),
    ("number,consent_call,consent_at,consent_shown", "+12025550188,no,2026-03-12,\x07", '2:28: leads.+12025550188.consent_shown: "\\x07" holds a control character or a line break (expected text)'),
    ("number,consent_call,consent_at,consent_basis", "+12025550188,yes,2026-03-12,=1", '2:29: leads.+12025550188.consent_basis: "=1" starts like a formula of a spreadsheet (expected text)'),
]  # fmt: skip


@pytest.mark.parametrize(("header", "row", "fault"), FAULTS, ids=[f"{row[:40]}" for _, row, _ in FAULTS])
def test_given_a_bad_row_when_read_then_it_is_told_and_the_next_one_is_good(
    read: Read, header: str, row: str, fault: str
) -> None:
    found = read(f"{header}\n{row}\n+12025550123{',' * header.count(',')}\n")
    assert told(found) == [fault]
    assert [lead.number for lead in found.good] == ["+12025550123"]


@pytest.mark.parametrize("value", ["-5", "+1 202 555 0100", "-12.5%", "+3"])
def test_given_an_amount_when_it_is_an_attribute_then_it_is_no_formula(read: Read, value: str) -> None:
    assert read(f"number,offer\n+12025550123,{value}\n").good[0].attributes == (("offer", value),)


def test_given_one_number_twice_however_written_when_read_then_the_first_counts(read: Read) -> None:
    found = read("number,name\n(202) 555-0123,Grant\n+12025550124,Ana\n+1 202 555 0123,Eve\n")
    assert [lead.name for lead in found.good] == ["Grant", "Ana"]
    assert told(found) == [
        '4:1: "+1 202 555 0123" is there twice, first on line 2 (expected one row for each number)'
    ]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", ["1:1: the file is empty (expected a first line with columns such as number,name,language,source)"]),
        ("+12025550123,Grant\n", ['1:1: the column "number" is missing: the first line has "+12025550123", "Grant" (expected columns such as number,name,language,source)']),
        ("phone,name\n+12025550123,Grant\n", ['1:1: the column "number" is missing: the first line has "phone", "name" (expected columns such as number,name,language,source)']),
        (",".join(f"c{n}" for n in range(9)) + "\n", ['1:1: the column "number" is missing: the first line has "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7" and 1 more (expected columns such as number,name,language,source)']),
        ("number\n", ["1:1: there are no leads in the file (expected a lead at least)"]),
        ("number,name,Name\n", ['1:13: the column "name" is there twice (expected one of the two)']),
        ("number,=cmd()\n", ['1:8: "=cmd()" cannot be the name of an attribute (expected 1 to 40 characters)']),
        ("number,,x\n", ['1:8: "" cannot be the name of an attribute (expected 1 to 40 characters)']),
        ("number,\x1b[2J\n", ['1:8: "\\x1b[2j" cannot be the name of an attribute (expected 1 to 40 characters)']),
        ("number" + "".join(f",c{n}" for n in range(50)) + "\n", ["1:1: there are 51 columns (expected at most 50)"]),
        (b"number\n\xff\n", ["2:1: the byte 0xff is not UTF-8 (expected text saved as UTF-8)"]),
        (b"x" * (33 << 20), ["1:1: the file is larger than 32 MiB (expected a file of leads; is this the right one?)"]),
    ],
    ids=range(12),
)  # fmt: skip
def test_given_a_file_that_is_none_of_leads_when_read_then_it_is_told(
    read: Read, content: str | bytes, faults: list[str]
) -> None:
    found = read(content)
    assert (told(found), found.good) == (faults, ())


def test_given_no_file_when_read_then_it_is_told(tmp_path: Path) -> None:
    assert told(read_leads(tmp_path / "leads.csv", "US")) == [
        "1:1: there is no such file (expected a CSV file of leads)"
    ]


def test_given_more_rows_than_there_may_be_when_read_then_the_first_ones_count(read: Read) -> None:
    found = read("number\n" + "x\n" * (MOST_ROWS - 1) + "+12025550123\n+12025550124\n")
    assert [lead.number for lead in found.good] == ["+12025550123"]
    assert len(found.faults) == MOST_FAULTS + 1
    assert (
        told(found)[-1] == f"{MOST_FAULTS + 2}:1: and {MOST_ROWS - MOST_FAULTS} further faults from here on"
    )


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet='+1205,;"\n\r=yesno -\x00é\ud800', max_size=60),
    st.sampled_from(["", "number\n", "number,name\n", CONSENT]),
)
def test_given_any_csv_when_read_then_it_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, text: str, header: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((header + text).encode("utf-8", "surrogatepass"))
    found = read_leads(path, "US")
    assert found.faults or found.good
    assert all(fault.line >= 1 and fault.column >= 1 and str(fault).isprintable() for fault in found.faults)
    assert len({lead.number for lead in found.good}) == len(found.good)
