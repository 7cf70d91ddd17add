"""`NAME:NUMBER`, as options take it: a team and the tier in it, a skill and its level."""

from __future__ import annotations

from asterisk_warm.cli.failures import Exit, Failure


def entry(option: str, given: str, default: int | None) -> tuple[str, int]:
    """Without `:NUMBER` it is `default`, where there is one. Raises Failure (usage)."""
    id, colon, number = given.rpartition(":") if ":" in given else (given, "", "")
    if not colon and default is not None:
        return id, default
    if id and number.isascii() and number.isdigit() and len(number) < 4:
        return id, int(number)
    form = "TEAM or TEAM:TIER" if default is not None else "SKILL:LEVEL"
    example = "sales:2" if default is not None else "spanish:7"
    raise Failure(Exit.USAGE, f'{option} "{given[:40]}" is not {form}', f"such as {option} {example}")
