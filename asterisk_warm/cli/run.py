"""From the command line to an exit code; nothing that goes wrong ends in a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import TracebackType

from asterisk_warm.cli.failures import DEBUG, Exit, Failure
from asterisk_warm.cli.output import complain, safe_streams

PROGRAM = "asterisk-warm"


def main() -> None:
    """The console script."""
    safe_streams()
    sys.excepthook = _fault
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code."""
    import typer

    from asterisk_warm.cli.app import app

    try:
        code = app(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else Exit.OK
    except Failure as failure:
        return _fail(failure, json="--json" in arguments)
    except typer.TyperException as error:
        return _misused(error)
    except typer.Abort:
        return Exit.FAILED
    except BrokenPipeError:
        # Whoever read our output has enough of it (`| head`); nor may the flush at exit complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED


def _fail(failure: Failure, json: bool) -> int:
    if os.environ.get(DEBUG):
        sys.__excepthook__(Failure, failure, failure.__traceback__)
    if json:
        import json as encoder

        print(encoder.dumps(failure.problem), file=sys.stderr)
    else:
        complain(f"{PROGRAM}: {failure.message}", failure.remedy)
    return failure.exit_code


def _misused(error: Exception) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    words = getattr(error, "format_message", lambda: str(error))()
    if "\n" in words:  # no command was given, and this is the help
        print(words, file=sys.stderr)
    else:
        complain(f"{PROGRAM}: {words}", f"see `{command} --help`")
    return Exit.USAGE


def _fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if os.environ.get(DEBUG):
        sys.__excepthook__(kind, error, trace)
    complain(
        f"{PROGRAM}: {kind.__name__}: {error}",
        f"this is a fault of {PROGRAM}; `{PROGRAM} --debug ...` shows where",
    )
