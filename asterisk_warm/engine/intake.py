"""A lead at the door: who wants what for whom, made into a `HandoffRequested`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.model import Agent, ReturnPlace
from asterisk_warm.core.handoff.options import BadOption, read
from asterisk_warm.core.handoff.policy import Policy
from asterisk_warm.core.handoff.transition import begin
from asterisk_warm.core.handoff.wording import lines
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_event_id, new_handoff_id
from asterisk_warm.engine.ports import LeadAtDoor


@dataclass(frozen=True, slots=True)
class Team:
    """A team as configured."""

    id: str
    name: str
    agents: tuple[Agent, ...]
    policy: Policy


class Intake:
    def __init__(self, teams: Mapping[str, Team]) -> None:
        self._teams = teams

    def team(self, name: str) -> Team:
        """Raises Refused (not_found) with the known teams."""
        team = self._teams.get(name)
        if team is None:
            known = ", ".join(sorted(self._teams)) or "none"
            raise Refused("not_found", f'no team "{name[:40]}"', f"configured teams: {known}")
        return team

    def standing_lines(self) -> Sequence[str]:
        """What is said alike for every lead (instructions, introductions without a name, farewells):
        worth rendering beforehand."""
        nobody = LeadAtDoor("", "", "", {})
        said = [lines(begin(self.request(nobody, team, (), "start-up")[0]).handoff) for team in self._teams]
        return [line for of_team in said for line in of_team]

    def request(
        self,
        lead: LeadAtDoor,
        team_name: str,
        options: Sequence[str],
        requested_by: str,
        return_to: ReturnPlace | None = None,
    ) -> tuple[HandoffRequested, str]:
        """The request and its ticket. Raises Refused (not_found, invalid)."""
        team = self.team(team_name)
        try:
            asked = read(
                team.policy, lead.channel, lead.shown_name, lead.shown_number, options, lead.variables
            )
        except BadOption as bad:
            raise Refused("invalid", str(bad), "see the options in docs/dialplan.md") from bad
        request = HandoffRequested(
            at=time.time(),
            event_id=new_event_id(),
            handoff=new_handoff_id(),
            team=team.id,
            team_name=team.name,
            lead=asked.lead,
            agents=team.agents,
            policy=asked.policy,
            requested_by=requested_by,
            return_to=return_to,
        )
        return request, asked.ticket
