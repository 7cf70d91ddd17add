"""Countries, as options take them."""

from __future__ import annotations

from asterisk_warm.cli.failures import Exit, Failure


def region_of(given: str) -> str:
    """As the library of numbers calls it; empty: none. Raises Failure (usage)."""
    if not given:
        return ""
    from phonenumbers import SUPPORTED_REGIONS

    if given.upper() not in SUPPORTED_REGIONS:
        raise Failure(
            Exit.USAGE, f'--region "{given[:40]}" is no country', "two letters, such as --region US"
        )
    return given.upper()
