"""A lead at the door, or in a talk: who wants what for whom, made into a `HandoffRequested`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.gate import Standing, refusal
from asterisk_warm.core.handoff.model import LOST, Line, Qualifier, ReturnPlace
from asterisk_warm.core.handoff.options import Asked, BadOption, read
from asterisk_warm.core.handoff.transition import begin
from asterisk_warm.core.handoff.wording import lines
from asterisk_warm.engine.directory import Directory, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_event_id, new_handoff_id
from asterisk_warm.engine.leads.known import NOTHING, Known, KnownLeads, merge
from asterisk_warm.engine.ports.calls import LeadAtDoor

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A request as it was told; what is known of the lead, and whether they may be handed off, is still to be
    found out."""

    request: HandoffRequested
    asked: Asked


class Intake:
    def __init__(self, directory: Directory, known: KnownLeads) -> None:
        self.directory = directory
        self._known = known

    def standing_lines(self) -> Sequence[Line]:
        """What is said alike for every lead (instructions, introductions without a name, farewells):
        worth rendering beforehand."""
        said: list[Line] = []
        for team in self.directory.teams:
            told = self.read(LeadAtDoor("", "", "", {}), team, (), "start-up")
            for language in ("", *(language for language, _ in team.policy.translations)):
                request = replace(told.request, lead=replace(told.request.lead, language=language))
                said += lines(begin(request).handoff)
        return list(dict.fromkeys(said))

    def read(
        self,
        lead: LeadAtDoor,
        team: Team,
        options: Sequence[str],
        requested_by: str,
        return_to: ReturnPlace | None = None,
        qualifier: Qualifier | None = None,
    ) -> Told:
        """At once, without looking anything up. Raises Refused (invalid)."""
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
        request = HandoffRequested(
            at=time.time(),
            event_id=new_event_id(),
            handoff=new_handoff_id(),
            team=team.id,
            team_name=team.name,
            lead=replace(asked.lead, key=self._known.key(asked.lead.number)),
            agents=team.agents,
            policy=asked.policy,
            requested_by=requested_by,
            return_to=return_to,
            lost_to=team.return_to or LOST,
            qualifier=qualifier,
            said=asked.told,
        )
        return Told(request, asked)

    async def complete(self, told: Told) -> HandoffRequested:
        """With what is known of the lead; and with its refusal in it, when something that must hold of them
        does not. Never fails, and does not take long."""
        try:
            return _merged(told, await self._known.of(told.request.lead, needed=_needs(told)))
        except Exception:
            # Something stored that cannot be read any more must not cost the lead.
            log.exception("a lead is handed off as told", handoff=told.request.handoff)
            return _merged(told, replace(NOTHING, unread="what is known of the lead could not be read"))

    async def request(
        self,
        lead: LeadAtDoor,
        team: Team,
        options: Sequence[str],
        requested_by: str,
        return_to: ReturnPlace | None = None,
        qualifier: Qualifier | None = None,
    ) -> HandoffRequested:
        """Both. Raises Refused (invalid)."""
        return await self.complete(self.read(lead, team, options, requested_by, return_to, qualifier))


def _needs(told: Told) -> bool:
    """Would the lead be refused by what was told of them?"""
    return refusal(told.asked.policy, Standing(told.asked.said)) is not None


def _merged(told: Told, known: Known) -> HandoffRequested:
    request, policy = told.request, told.asked.policy
    return replace(
        request,
        lead=merge(request.lead, known, policy.script, policy.language),
        refusal=refusal(policy, known.standing(policy.script, told.asked.said)),
    )
