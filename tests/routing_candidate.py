"""An agent of a roster, with no more than routing asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    id: str
    tier: int = 1
    skills: tuple[tuple[str, int], ...] = ()
