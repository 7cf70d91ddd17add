"""What is known of a lead: their word on each purpose, and what came of the last talk."""

from __future__ import annotations

from asterisk_warm.core.leads import (
    Consent,
    Disposition,
    LeadOutcome,
    LeadRecord,
    Purpose,
    came_to,
    disposition_of,
)


def consent(purpose: Purpose, granted: bool, at: float) -> Consent:
    return Consent(purpose, granted, "oral", "May we call you back?", at, "cli")


def test_given_several_words_on_a_purpose_then_the_latest_counts_and_other_purposes_do_not():
    said = (
        consent(Purpose.CALL, False, 1.0),
        consent(Purpose.CALL, True, 2.0),
        consent(Purpose.TEXT, False, 3.0),
    )
    lead = LeadRecord("+12025550123", consents=said)
    assert [lead.consented(purpose) for purpose in (Purpose.CALL, Purpose.TEXT, Purpose.RECORDING)] == [
        True,
        False,
        False,
    ]
    withdrawn = LeadRecord("+12025550123", consents=(*said, consent(Purpose.CALL, False, 4.0)))
    assert not withdrawn.consented(Purpose.CALL)


def outcome(disposition: str, note: str) -> LeadOutcome:
    return LeadOutcome("warm-1", "+12025550123", disposition, note, 1.0, "ana", "code")


def test_given_a_disposition_and_a_note_written_down_apart_then_each_is_the_latest():
    newest_first = (
        outcome("", "calls back on Friday"),
        outcome("sold", ""),
        outcome("lost", "too expensive"),
    )
    assert came_to(newest_first) == ("sold", "calls back on Friday")
    assert came_to(()) == ("", "")


def test_given_dispositions_then_each_is_meant_by_its_id_its_digit_or_its_name():
    sold, callback, lost = known = (
        Disposition("sold", "Sold", "1"),
        Disposition("callback", "Call back", "2"),
        Disposition("lost", "Sold"),
    )
    for word, meant in (
        ("sold", sold),
        ("1", sold),
        ("SOLD", sold),
        ("2", callback),
        (" call  BACK ", callback),
        ("lost", lost),
        ("3", None),
        ("", None),
        (" ", None),
    ):
        assert disposition_of(known, word) is meant, word
