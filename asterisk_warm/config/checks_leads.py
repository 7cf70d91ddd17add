"""What is wrong with how leads are known, and between them, scripts and teams."""

from __future__ import annotations

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.values import nearest
from asterisk_warm.config.written import Written

_CRM: KeyPath = ("leads", "crm")
_FOUND = ("name", "summary", "language", "details")


def check(written: Written) -> None:
    _known_scripts(written)
    _digits(written)
    if written.given(_CRM) and written.sound(_CRM, *((*_CRM, name) for name in written.mapping(_CRM))):
        _credentials(written)
        _found(written)


def _known_scripts(written: Written) -> None:
    """The script of a team is one of those that are named."""
    known = written.mapping(("scripts",))
    for scope in (("handoff",), *(("teams", team) for team in written.mapping(("teams",)))):
        path: KeyPath = (*scope, "script")
        name = written.value(path)
        if name is not None and written.sound(path, ("scripts",)) and str(name) not in known:
            message = f'{dotted(path)}: there is no script "{name}"'
            likely = nearest(str(name), known)
            written.report(path, message, expected="an id of scripts", suggestion=likely)


def _digits(written: Written) -> None:
    """A digit stands for one disposition."""
    first: dict[str, str] = {}
    for id in written.mapping(("dispositions",)):
        path: KeyPath = ("dispositions", id, "key")
        key = written.value(path)
        if key is None or path in written.faulty:
            continue
        if str(key) in first:
            message = f'{dotted(path)}: {first[str(key)]} has the key "{key}" already'
            written.report(path, message, expected="a key of its own for each")
        first.setdefault(str(key), id)


def _credentials(written: Written) -> None:
    given = written.given(_CRM)
    if len(given & {"user", "password"}) == 1:
        message = f"{dotted(_CRM)} has one of user and password"
        written.report_name(_CRM, message, expected="both of them, or neither")
    elif given >= {"user", "token"}:
        message = f"{dotted(_CRM)} has a user and a token"
        written.report_name(_CRM, message, expected="one of them")


def _found(written: Written) -> None:
    if not any(written.value((*_CRM, name)) for name in _FOUND):
        message = f"{dotted(_CRM)} does not say what is to be read from the answer"
        written.report_name(_CRM, message, expected=f"at least one of {', '.join(_FOUND)}")
