"""A lead at the door, or in a talk: who wants what for whom, made into a `HandoffRequested`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.gate import refusal
from asterisk_warm.core.handoff.model import LOST, Qualifier, ReturnPlace
from asterisk_warm.core.handoff.options import BadOption, read
from asterisk_warm.core.handoff.transition import begin
from asterisk_warm.core.handoff.wording import lines
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_event_id, new_handoff_id
from asterisk_warm.engine.ports import LeadAtDoor


class Intake:
    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def standing_lines(self) -> Sequence[str]:
        """What is said alike for every lead (instructions, introductions without a name, farewells):
        worth rendering beforehand."""
        said: list[str] = []
        for team in self.directory.teams:
            request = self._request(LeadAtDoor("", "", "", {}), team, (), "start-up", None, None, gate=False)
            said += lines(begin(request).handoff)
        return said

    def request(
        self,
        lead: LeadAtDoor,
        team: Team,
        options: Sequence[str],
        requested_by: str,
        return_to: ReturnPlace | None = None,
        qualifier: Qualifier | None = None,
    ) -> HandoffRequested:
        """The request; with its refusal in it, when something that must hold of the lead does not. Raises
        Refused (invalid)."""
        return self._request(lead, team, options, requested_by, return_to, qualifier, gate=True)

    def _request(
        self,
        lead: LeadAtDoor,
        team: Team,
        options: Sequence[str],
        requested_by: str,
        return_to: ReturnPlace | None,
        qualifier: Qualifier | None,
        *,
        gate: bool,
    ) -> HandoffRequested:
        try:
            asked = read(
                team.policy,
                lead.channel,
                lead.shown_name,
                lead.shown_number,
                options,
                lead.variables,
                qualifier=qualifier is not None,
            )
        except BadOption as bad:
            raise Refused("invalid", str(bad), "see the options in docs/dialplan.md") from bad
        forbidden = refusal(asked.policy.require, asked.holds) if gate else None
        return HandoffRequested(
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
            lost_to=team.return_to or LOST,
            qualifier=qualifier,
            refusal=forbidden,
        )
