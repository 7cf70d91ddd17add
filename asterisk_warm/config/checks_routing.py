"""What is wrong between how a team's leads are offered and what its agents are like."""

from __future__ import annotations

from collections.abc import Iterator, Set

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.people import TeamEntry
from asterisk_warm.config.written import HANDOFF, Written

_FEW_AT_A_TIME = {"fanout", "longest_idle", "round_robin", "skills"}
_COUNTS_WHERE = {
    "fanout": _FEW_AT_A_TIME,
    "widen_seconds": _FEW_AT_A_TIME | {"priority"},
    "tiers": {"priority"},
}
"""Of which values of `ring` a setting has a meaning."""


def check(written: Written) -> None:
    scopes = dict(written.settings())
    for scope, settings in scopes.items():
        rings = {settings.ring} if scope != HANDOFF else {each.ring for each in scopes.values()}
        _unused(written, scope, rings)
        if scope != HANDOFF:
            _asks_for_skills(written, scope, settings)
            _lacking_skills(written, scope, settings)


def _unused(written: Written, scope: KeyPath, rings: Set[str]) -> None:
    """What is written in `handoff` may be meant for any team."""
    for name, counting in _COUNTS_WHERE.items():
        path = (*scope, name)
        value = written.value(path)
        if value and value != TeamEntry.model_fields[name].default and not rings & counting:
            message = f"{dotted(path)} means nothing where ring is {min(rings)}"
            written.warn(path, message, expected=f"ring: {_either(counting)}")


def _either(words: Set[str]) -> str:
    *most, last = sorted(words)
    return f"{', '.join(most)} or {last}" if most else last


def _asks_for_skills(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    both: tuple[KeyPath, ...] = (("ring",), ("skills",))
    if settings.ring == "skills" and not settings.skills and written.sound_in(scope, *both):
        message = f"{dotted(scope)}: ring is skills, and no skills are asked for"
        path = written.place(scope, ("ring",))
        written.report(path, message, expected="skills with the least level of each, such as {spanish: 5}")


def _lacking_skills(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    """A level that is relaxed comes down to what they have; a skill that nobody has does not."""
    best: dict[str, int] = {}
    for skill, level in _skills_of_team(written, str(scope[-1])):
        best[skill] = max(level, best.get(skill, 0))
    for skill, least in settings.skills.items():
        place = written.place(scope, ("skills", skill))
        if skill not in best:
            written.warn(place, f'{dotted(scope)}: no agent of the team has the skill "{skill}"')
        elif best[skill] < least and not settings.relax_seconds:
            message = f'{dotted(scope)}: no agent of the team has "{skill}" at level {least}'
            written.warn(place, message, expected=f"a level of at most {best[skill]}, or relax_seconds")


def _skills_of_team(written: Written, team: str) -> Iterator[tuple[str, int]]:
    for _, agent in written.members(team):
        for skill, level in written.mapping(("agents", agent, "skills")).items():
            if isinstance(level, int):
                yield skill, level
