"""SIP headers of an agent's INVITE, as variables of the channel that is made: whatever is in them, each stays
one line."""

from __future__ import annotations

from collections.abc import Mapping

VALUE_LIMIT = 400
"""Characters; a chan_sip header with its name must fit into 256, or Asterisk cuts it."""


def header_variables(endpoint: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What sets these headers on a new channel to `endpoint`; nothing where it is no SIP phone. A header
    without a value is left out."""
    values = {name: value for name, given in headers.items() if (value := header_value(given))}
    match endpoint.partition("/")[0].upper():
        case "PJSIP":
            return {f"PJSIP_HEADER(add,{name})": value for name, value in values.items()}
        case "SIP":
            return {
                f"SIPADDHEADER{n:02}": f"{name}: {values[name]}" for n, name in enumerate(values, start=1)
            }
        case _:
            return {}


def header_value(value: str) -> str:
    """Printable ASCII on one line, bounded; other characters are left out."""
    kept = "".join(c if " " <= c <= "~" else " " if c.isspace() else "" for c in value[: VALUE_LIMIT * 4])
    return " ".join(kept.split())[:VALUE_LIMIT]
