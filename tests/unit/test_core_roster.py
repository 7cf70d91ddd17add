"""An edited configuration file and an edited store come together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.core.roster import (
    AgentRecord,
    Conflict,
    Merged,
    Roster,
    Seeds,
    TeamRecord,
    facts_of,
    merge,
)

SALES = TeamRecord("sales", "Sales", "700")
CARE = TeamRecord("care", "Care")
ANA = AgentRecord(
    *("ana", "Ana", "PJSIP/ana", "201"),
    teams=(("sales", 1),),
    skills=(("spanish", 5),),
    hints=("Custom:desk",),
)


def roster(*records: AgentRecord | TeamRecord) -> Roster:
    return Roster(
        {one.id: one for one in records if isinstance(one, AgentRecord)},
        {one.id: one for one in records if isinstance(one, TeamRecord)},
    )


def seeds(*records: AgentRecord | TeamRecord) -> Seeds:
    found = roster(*records)
    return Seeds(
        {id: facts_of(one) for id, one in found.agents.items()},
        {id: facts_of(one) for id, one in found.teams.items()},
    )


def check(merged: Merged, *records: AgentRecord | TeamRecord, conflicts: tuple[Conflict, ...] = ()) -> None:
    assert (merged.roster, merged.conflicts) == (roster(*records), conflicts)


def test_given_an_empty_store_then_it_has_what_the_file_says() -> None:
    merged = merge(Seeds(), Roster(), roster(SALES, ANA))
    check(merged, SALES, ANA)
    assert merged.seeds == seeds(SALES, ANA)


def test_given_nothing_has_changed_then_nothing_changes() -> None:
    merged = merge(seeds(SALES, ANA), roster(SALES, ANA), roster(SALES, ANA))
    check(merged, SALES, ANA)
    assert merged.seeds == seeds(SALES, ANA)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Ana María"},
        {"number": ""},
        {"at_once": 2},
        {"hints": ()},
        {"hints": ("Custom:desk", "201@from-internal")},
        {"teams": (("care", 1), ("sales", 2))},
        {"teams": ()},
        {"skills": (("german", 1),)},
        {"calendar": "work", "shifts": ("mon-fri 09:00-17:30",), "timezone": "Europe/Madrid"},
    ],
)
def test_given_one_side_has_changed_something_then_it_is_changed(change) -> None:
    changed = replace(ANA, **change)
    base = seeds(SALES, CARE, ANA)
    by_file = merge(base, roster(SALES, CARE, ANA), roster(SALES, CARE, changed))
    check(by_file, SALES, CARE, changed)
    assert by_file.seeds == seeds(SALES, CARE, changed)
    in_store = merge(base, roster(SALES, CARE, changed), roster(SALES, CARE, ANA))
    check(in_store, SALES, CARE, changed)
    assert in_store.seeds == base
    by_both = merge(base, roster(SALES, CARE, changed), roster(SALES, CARE, changed))
    check(by_both, SALES, CARE, changed)
    assert by_both.seeds == seeds(SALES, CARE, changed)


def test_given_both_have_changed_different_things_then_both_are_kept() -> None:
    ours = replace(ANA, number="202", teams=(("care", 3), ("sales", 1)), skills=())
    theirs = replace(ANA, name="Ana María", teams=(("sales", 2),), skills=(("german", 2), ("spanish", 5)))
    merged = merge(seeds(SALES, CARE, ANA), roster(SALES, CARE, ours), roster(SALES, CARE, theirs))
    both = replace(
        ANA,
        name="Ana María",
        number="202",
        teams=(("care", 3), ("sales", 2)),
        skills=(("german", 2),),
    )
    check(merged, SALES, CARE, both)


def test_given_both_have_changed_the_same_then_the_store_keeps_its_own_and_it_is_told_until_one_gives_in() -> (
    None
):
    ours = replace(ANA, number="", teams=(("sales", 3),), skills=(), hints=("a", "b"))
    theirs = replace(ANA, number="203", teams=(("sales", 2),), skills=(("spanish", 7),), hints=("c",))
    told = (
        Conflict("agent ana", "number", "", "203"),
        Conflict("agent ana", "team sales", "tier 3", "tier 2"),
        Conflict("agent ana", "skill spanish", "missing", "level 7"),
        Conflict("agent ana", "hints", "a, b", "c"),
    )
    merged = merge(seeds(SALES, ANA), roster(SALES, ours), roster(SALES, theirs))
    assert sorted(map(str, merged.conflicts)) == sorted(map(str, told))
    assert merged.roster == roster(SALES, ours)
    again = merge(merged.seeds, merged.roster, roster(SALES, theirs))
    assert again == merged
    check(merge(again.seeds, roster(SALES, theirs), roster(SALES, theirs)), SALES, theirs)
    file_gives_in = merge(again.seeds, again.roster, roster(SALES, ours))
    check(file_gives_in, SALES, ours)
    assert file_gives_in.seeds == seeds(SALES, ours)


def test_given_a_conflict_then_its_words_name_the_place_and_the_remedy() -> None:
    assert str(Conflict("agent ana", "number", "", "203")) == (
        "agent ana: number is empty here, and 203 in the configuration; make them alike, or take the file's "
        "with `asterisk-warm agent import`"
    )


# -- agents ------------------------------------------------------------------------------------------------


def test_given_an_agent_of_the_store_alone_then_they_stay() -> None:
    ben = AgentRecord("ben", "Ben", "PJSIP/ben", teams=(("sales", 1),))
    merged = merge(seeds(SALES), roster(SALES, ben), roster(SALES))
    check(merged, SALES, ben)
    assert merged.seeds == seeds(SALES)


def test_given_an_agent_gone_from_the_file_when_not_edited_since_then_they_are_removed() -> None:
    merged = merge(seeds(SALES, ANA), roster(SALES, ANA), roster(SALES))
    check(merged, SALES)
    assert merged.seeds == seeds(SALES)


def test_given_an_agent_gone_from_the_file_when_edited_since_then_they_stay_and_it_is_told() -> None:
    edited = replace(ANA, number="202")
    merged = merge(seeds(SALES, ANA), roster(SALES, edited), roster(SALES))
    check(merged, SALES, edited, conflicts=(Conflict("agent ana", "it", "edited", "removed"),))
    assert merge(merged.seeds, merged.roster, roster(SALES)) == merged
    check(merge(merged.seeds, roster(SALES), roster(SALES)), SALES)


def test_given_an_agent_removed_from_the_store_then_they_come_back_only_when_removed_from_the_file_before() -> (
    None
):
    merged = merge(seeds(SALES, ANA), roster(SALES), roster(SALES, ANA))
    check(merged, SALES)
    assert merged.seeds == seeds(SALES, ANA)
    gone = merge(merged.seeds, merged.roster, roster(SALES))
    assert gone.seeds == seeds(SALES)
    check(merge(gone.seeds, gone.roster, roster(SALES, ANA)), SALES, ANA)


def test_given_an_agent_removed_from_the_store_when_the_file_changes_them_then_it_is_told() -> None:
    merged = merge(seeds(SALES, ANA), roster(SALES), roster(SALES, replace(ANA, number="9")))
    check(merged, SALES, conflicts=(Conflict("agent ana", "it", "removed", "changed"),))
    assert merged.seeds == seeds(SALES, ANA)


def test_given_an_agent_of_the_store_when_the_file_has_them_too_then_what_was_left_open_is_taken() -> None:
    in_store = AgentRecord("ana", "Ana", "PJSIP/ana-2", calendar="own")
    merged = merge(seeds(SALES), roster(SALES, in_store), roster(SALES, ANA))
    both = replace(ANA, endpoint="PJSIP/ana-2", calendar="own")
    told = Conflict("agent ana", "endpoint", "PJSIP/ana-2", "PJSIP/ana")
    check(merged, SALES, both, conflicts=(told,))
    assert merge(merged.seeds, merged.roster, roster(SALES, ANA)) == merged


def test_given_a_field_that_is_new_in_this_version_then_it_counts_as_left_at_its_default() -> None:
    before = dict(facts_of(ANA))
    del before["at_once"]
    old = Seeds({"ana": before}, {"sales": facts_of(SALES)})
    check(merge(old, roster(SALES, ANA), roster(SALES)), SALES)
    check(
        merge(old, roster(SALES, ANA), roster(SALES, replace(ANA, at_once=2))), SALES, replace(ANA, at_once=2)
    )


# -- teams -------------------------------------------------------------------------------------------------


def test_given_a_team_of_the_file_then_it_always_exists() -> None:
    check(merge(seeds(SALES), Roster(), roster(SALES)), SALES)


def test_given_a_team_gone_from_the_file_then_it_goes_when_nobody_is_left_in_it() -> None:
    check(merge(seeds(SALES, CARE, ANA), roster(SALES, CARE, ANA), roster(SALES, ANA)), SALES, ANA)
    in_care = replace(ANA, teams=(("care", 1), ("sales", 1)))
    merged = merge(seeds(SALES, CARE, ANA), roster(SALES, CARE, in_care), roster(SALES, ANA))
    told = Conflict("team care", "it", "the team of ana", "removed")
    check(merged, SALES, CARE, in_care, conflicts=(told,))
    check(merge(merged.seeds, roster(SALES, CARE, ANA), roster(SALES, ANA)), SALES, ANA)


def test_given_a_team_renamed_in_the_file_then_it_is_renamed() -> None:
    renamed = replace(SALES, name="New business")
    check(merge(seeds(SALES), roster(SALES), roster(renamed)), renamed)


# -- whatever was edited -----------------------------------------------------------------------------------

teams = st.dictionaries(st.sampled_from(["sales", "care"]), st.integers(1, 2), max_size=2)
agents = st.builds(
    lambda id, number, teams: AgentRecord(id, id, f"PJSIP/{id}", number, tuple(sorted(teams.items()))),
    st.sampled_from(["ana", "ben"]),
    st.sampled_from(["", "1", "2"]),
    teams,
)
rosters = st.lists(agents, max_size=3).map(lambda some: roster(SALES, CARE, *some))


@given(rosters, rosters, rosters)
def test_given_any_edits_then_a_second_start_changes_nothing_more_and_tells_the_same(
    base, stored, seeded
) -> None:
    first = merge(seeds(*base.agents.values(), *base.teams.values()), stored, seeded)
    assert merge(first.seeds, first.roster, seeded) == first


@given(rosters, rosters, rosters)
def test_given_no_conflict_then_neither_side_has_lost_a_change(base, stored, seeded) -> None:
    merged = merge(seeds(*base.agents.values(), *base.teams.values()), stored, seeded)
    told = {one.what for one in merged.conflicts}
    for id in ("ana", "ben"):
        was, ours, theirs, now = (side.agents.get(id) for side in (base, stored, seeded, merged.roster))
        if f"agent {id}" in told:
            continue
        assert was in (ours, theirs) or ours == theirs or None not in (ours, theirs)
        if ours == was or theirs == ours:
            assert now == theirs
        elif theirs == was:
            assert now == ours
