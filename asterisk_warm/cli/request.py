"""The options of `handoff start`, as the API wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from asterisk_warm.cli.entries import entry
from asterisk_warm.cli.failures import Exit, Failure


def body_of(
    *,
    detail: Sequence[str],
    flags: Mapping[str, bool],
    numbers: Mapping[str, float | None],
    skill: Sequence[str],
    return_to: str | None,
    **texts: str | None,
) -> dict[str, Any]:
    """The body of `POST /v1/handoffs`; what was not given is left out. Raises Failure (usage)."""
    body: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    _just_one_of_each(body)
    body |= {name: True for name, given in flags.items() if given}
    body |= {name: number for name, number in numbers.items() if number is not None}
    if skill:
        body["skills"] = dict(entry("--skill", one, None) for one in skill)
    if detail:
        body["details"] = pairs("--detail", detail)
    if return_to is not None:
        body["return_to"] = _place(return_to)
    text_only(body)
    return body


def _just_one_of_each(body: Mapping[str, Any]) -> None:
    """Of what names the call, and of what names who is to have the lead."""
    call = _not_just_one(body, ("channel", "qualifier"))
    destination = _not_just_one(body, ("team", "agent", "outside"))
    if not call and not destination:
        return
    calls = "--channel is the lead's, --qualifier that of who hands them off: see `core show channels`"
    destinations = "whom there is: see `asterisk-warm team list`"
    remedies = [*([calls] if call else []), *([destinations] if destination else [])]
    raise Failure(Exit.USAGE, "; ".join(filter(None, (call, destination))), "; ".join(remedies))


def _not_just_one(body: Mapping[str, Any], names: Sequence[str]) -> str:
    """What is wrong; "" when one is given."""
    given = [f"--{name}" for name in names if name in body]
    if len(given) > 1:
        return f"{_listed(given, 'and')} cannot go together"
    return "" if given else f"{_listed([f'--{name}' for name in names], 'or')} must be given"


def _listed(words: Sequence[str], last: str) -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """`NAME=TEXT`, each. Raises Failure (usage)."""
    return dict(_pair(option, one) for one in given)


def _pair(option: str, given: str) -> tuple[str, str]:
    name, equals, text = given.partition("=")
    if not name.strip() or not equals:
        raise Failure(Exit.USAGE, f'{option} "{given[:40]}" is not NAME=TEXT', f"such as {option} plan=Gold")
    return name, text


def _place(given: str) -> dict[str, Any]:
    parts = given.split(",")
    if len(parts) != 3 or not all(parts) or not (parts[2].isascii() and parts[2].isdigit()):
        raise Failure(
            Exit.USAGE,
            f'--return-to "{given[:40]}" is not CONTEXT,EXTENSION,PRIORITY',
            "such as --return-to incoming,s,5",
        )
    return {"context": parts[0], "extension": parts[1], "priority": int(parts[2][:9])}


def text_only(body: object, what: str = "an option") -> None:
    """What was not text in the terminal's encoding arrives as lone surrogates, which no JSON can carry.
    Raises Failure (usage)."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Failure(Exit.USAGE, f"{what} is not text in this terminal's encoding", "use UTF-8") from error
