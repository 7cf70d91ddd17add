"""Asking the daemon, and what it means for the exit code when it says no."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asterisk_warm.cli.client import TIMEOUT_SECONDS, Client
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.pointed import said

_EXITS = {404: Exit.NOT_FOUND, 409: Exit.CONFLICT, 503: Exit.UNREACHABLE}


def ask(
    socket: Path,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Any:
    """The answer, decoded; the daemon may take so many `seconds` for it. Raises Failure."""
    try:
        status, answer = Client(socket, seconds).request(method, path, body, headers)
    except TimeoutError as error:
        raise Failure(
            Exit.UNREACHABLE, f"the daemon on {socket} does not answer", "see its log; restart it"
        ) from error
    except OSError as error:
        raise Failure(Exit.UNREACHABLE, *_unreachable(socket, error)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise _stranger(socket) from error
    if status < 300:
        return answer
    raise _refused(socket, status, answer)


def _unreachable(socket: Path, error: OSError) -> tuple[str, str]:
    if isinstance(error, PermissionError):
        return f"no permission to use {socket}", "run this as root, or join the group of the socket"
    start = "start it with `asterisk-warm serve CONFIG`, or give its --socket"
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return f"no daemon listens on {socket}", start
    return f"the daemon on {socket} cannot be reached: {error.strerror or error}", start


def _stranger(socket: Path) -> Failure:
    return Failure(
        Exit.UNREACHABLE, f"what listens on {socket} is not asterisk-warm", "give the right --socket"
    )


def _refused(socket: Path, status: int, answer: Any) -> Failure:
    if not isinstance(answer, dict) or "detail" not in answer:
        return _stranger(socket)
    code = _EXITS.get(status, Exit.USAGE if 400 <= status < 500 else Exit.FAILED)
    errors = answer.get("errors")
    message = "; ".join(map(said, errors)) if isinstance(errors, list) else ""
    message = message or str(answer["detail"])
    return Failure(code, message, str(answer.get("remedy") or ""), answer)
