"""What is wrong between settings that are each well formed: references, contradictions, doubles."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from asterisk_warm.config import (
    checks_calendars,
    checks_handoff,
    checks_languages,
    checks_leads,
    checks_people,
    checks_routing,
)
from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.written import Written


def check(written: Written) -> None:
    """Report contradictions, and what is usable and yet hardly meant."""
    checks_people.check(written)
    checks_calendars.check(written)
    checks_handoff.check(written)
    checks_routing.check(written)
    checks_languages.check(written)
    checks_leads.check(written)
    _network(written)
    _readable_passwords(written)


def _network(written: Written) -> None:
    """What goes over the network is encrypted, unless somebody has said otherwise."""
    api = written.mapping(("api",))
    if not written.sound(("api",), *(("api", name) for name in api)):
        return
    if ("certificate" in written.given(("api",))) != ("key" in written.given(("api",))):
        message = "api has one of certificate and key"
        written.report_name(("api",), message, expected="both of them, or neither")
        return
    address = str(api.get("address", "127.0.0.1"))
    if api.get("port") and not api.get("certificate") and not api.get("plain") and not _here(address):
        path: KeyPath = ("api", "address")
        message = f"{dotted(path)}: other machines would reach {address} without encryption"
        written.report(path, message, expected="certificate and key, or plain: true")


def _here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _readable_passwords(written: Written) -> None:
    secrets = [path for path in written.source.marks if path[-1:] in (("password",), ("token",))]
    secrets += [
        path for path in written.source.marks if path[:1] == ("webhooks",) and path[2:3] == ("secrets",)
    ]
    for path in secrets:
        value = written.value(path)
        literal = isinstance(value, str) and not value.startswith(("env:", "file:"))
        if literal and os.stat(written.source.file).st_mode & 0o004:
            message = f"{dotted(path)} is written in a file that every user of this machine can read"
            written.warn(
                path,
                message,
                expected=f"env:NAME or file:/path, or chmod o-r {Path(written.source.file).name}",
            )
