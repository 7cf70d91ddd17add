"""What a lead's qualification amounts to, by the version of the script that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_warm.core.script.answers import Outcome, Qualification
from asterisk_warm.core.script.model import Kind, Script
from asterisk_warm.core.script.running import outcome, since
from asterisk_warm.engine.qualifying.scripts import ScriptService

GIVEN_VALID_DAYS = 30.0
"""How long a qualification counts that another system has handed over."""
OWN_WORDS = "words"
"""Id of the free-text question whose recorded answer is what the lead says of themselves."""
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Result:
    qualification: Qualification
    script: Script | None
    """None: another system's."""
    outcome: Outcome

    @property
    def valid_days(self) -> float:
        return self.script.valid_days if self.script is not None else GIVEN_VALID_DAYS

    @property
    def since(self) -> float:
        """When the oldest of the answers that count was given: those that were carried over do not become
        younger by that. Without any, when it was finished, or worked on last."""
        found = self.qualification
        oldest = since(self.script, found.answers) if self.script is not None else None
        return oldest if oldest is not None else found.ended_at or found.updated_at

    def days(self, now: float) -> float:
        """How old it is."""
        return max(0.0, now - self.since) / DAY

    @property
    def own_words(self) -> str:
        """Name of the recording of what the lead says of themselves; empty: there is none."""
        asked = self.script.question(OWN_WORDS) if self.script is not None else None
        if asked is None or asked.kind is not Kind.TEXT:
            return ""
        answers = [answer for answer in self.qualification.answers if answer.question == OWN_WORDS]
        return answers[-1].recording if answers else ""


async def result(scripts: ScriptService, found: Qualification, lead_name: str = "") -> Result:
    """Raises Refused when the script's version cannot be read any more."""
    given = found.given
    if given is not None:
        what = Outcome(True, given.score, given.verdict, given.reason, given.summary, "")
        return Result(found, None, what)
    script = (await scripts.script(found.script, found.version)).script
    return Result(found, script, outcome(script, found.answers, lead_name))
