"""`asterisk-warm serve`: the daemon."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, TypeVar

from asterisk_warm.cli.configs import load
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.options import Config

if TYPE_CHECKING:
    from asterisk_warm.daemon import CannotStart

E = TypeVar("E", bound=BaseException)


def serve(config: Config) -> None:
    """Run the daemon, until SIGTERM or Ctrl-C. Calls in Asterisk outlive it."""
    settings = load(config)

    # What is loaded stays: the garbage collector need not look at it, neither meanwhile nor ever after.
    gc.disable()
    import uvloop

    from asterisk_warm import daemon

    gc.freeze()
    gc.enable()

    failure: Failure | None = None
    try:
        uvloop.run(daemon.serve(settings))
    except* daemon.CannotStart as group:
        failure = _cannot_start(_first(group))
    except* OSError as group:
        failure = _os_failed(_first(group))
    if failure is not None:
        raise failure


def _cannot_start(error: CannotStart) -> Failure:
    return Failure(error.exit_code, error.message, error.remedy)


def _os_failed(error: OSError) -> Failure:
    """What knows a remedy (the API's socket) says it; of anything else the log has more."""
    return Failure(Exit.FAILED, f"the daemon cannot run: {error}", getattr(error, "remedy", "see its log"))


def _first(group: BaseExceptionGroup[E]) -> E:
    """The daemon's tasks are groups in groups; what ended them is the first leaf."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
