"""How long a lead who asks for a team now is likely to wait for an agent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heapreplace
from math import inf

from asterisk_warm.core.presence import Reason, hopeful


def expected_wait(
    agents: Iterable[Sequence[Reason]], ahead: int, talk_seconds: float, now: float
) -> float | None:
    """In seconds, until an agent is free for a lead before whom `ahead` others wait; 0: somebody is free for
    them now; None: nobody can be expected.

    `agents`: of each agent of the team the reasons of `presence.why_not`. Who wraps up, pauses or is busy
    until a known time is free then. Who talks, or is rung, is free after `talk_seconds` (the mean of a talk
    and the wrap-up that follows): talks are of such different lengths that how long one has gone on says
    nothing of how long it still will. Who is gone with no end known does not count. Each lead ahead takes the
    agent who is free first, for `talk_seconds`; so one more lead ahead never makes the wait shorter."""
    free_in = [_free_in(reasons, talk_seconds, now) for reasons in agents if hopeful(reasons, inf)]
    if not free_in:
        return None
    heapify(free_in)
    for _ in range(ahead):
        heapreplace(free_in, free_in[0] + talk_seconds)
    return free_in[0]


def _free_in(reasons: Sequence[Reason], talk_seconds: float, now: float) -> float:
    ends = (talk_seconds if reason.until is None else reason.until - now for reason in reasons)
    return max((0.0, *ends))
