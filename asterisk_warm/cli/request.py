"""The options of `handoff start`, as the API wants them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from asterisk_warm.cli.failures import Exit, Failure


def body_of(*, detail: Sequence[str], return_to: str | None, **texts: str | None) -> dict[str, Any]:
    """The body of `POST /v1/handoffs`; what was not given is left out. Raises Failure (usage)."""
    body: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    if detail:
        body["details"] = dict(map(_detail, detail))
    if return_to is not None:
        body["return_to"] = _place(return_to)
    _refuse_bytes(body)
    return body


def _detail(given: str) -> tuple[str, str]:
    name, equals, text = given.partition("=")
    if not name.strip() or not equals:
        raise Failure(Exit.USAGE, f'--detail "{given[:40]}" is not NAME=TEXT', "such as --detail plan=Gold")
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


def _refuse_bytes(body: object) -> None:
    """Arguments that were not text in the terminal's encoding arrive as lone surrogates, which no JSON can
    carry."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Failure(Exit.USAGE, "an option is not text in this terminal's encoding", "use UTF-8") from error
