"""Orders that bring the lead to us, and to whom they talk meanwhile."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import SecureLead, TakeOver
from asterisk_warm.core.handoff.events import Event, LeadLeft, LeadSecured
from asterisk_warm.core.handoff.model import QUALIFIER, Handoff
from asterisk_warm.engine.orders.facts import Handlers, lead_gone, now, qualifier_gone
from asterisk_warm.engine.orders.places import BYE, location
from asterisk_warm.engine.orders.there import is_there
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxRefused


class TakingOrders:
    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx

    @property
    def handlers(self) -> Handlers:
        return {SecureLead: self._secure_lead, TakeOver: self._take_over}

    async def _secure_lead(self, handoff: Handoff, command: SecureLead) -> Event:
        try:
            lead, bridge = handoff.lead.channel, handoff.bridge
            if handoff.fetching:
                await self._fetch_alone(handoff, command)
            else:
                await self._pbx.secure_lead(lead, bridge, command.music, dict(command.variables))
        except LegGone as gone:
            return lead_gone(gone)
        return LeadSecured(**now())

    async def _take_over(self, handoff: Handoff, command: TakeOver) -> Event:
        lead, who = handoff.lead.channel, handoff.qualifier
        if who is None or command.other not in ("", QUALIFIER):
            # Taken back from an agent: the lead keeps the place that they have.
            other = handoff.channel_of(command.other)
            places = {other: location(BYE)}
        else:
            other = who.channel if command.other else who.held_channel
            places = {lead: location(handoff.return_to), other: location(who.return_to)}
        known = {channel: place for channel, place in places.items() if place is not None}
        variables = dict(command.variables)
        if command.other == QUALIFIER:
            variables |= _recording(handoff)
        try:
            await self._pbx.take_over(lead, other, handoff.bridge, known, variables, drop=not command.other)
        except (LegGone, PbxRefused) as error:
            if not await is_there(self._pbx, lead):
                return lead_gone(error)
            if not await is_there(self._pbx, other):
                if command.other == QUALIFIER:
                    return qualifier_gone(error)
                if not command.other:
                    return LeadLeft(**now())  # The phone has ended the call in which it held the lead.
            raise
        return LeadSecured(**now())

    async def _fetch_alone(self, handoff: Handoff, command: SecureLead) -> None:
        """A lead whose qualifier has hung up while they were being taken over. Raises PbxError."""
        lead, place = handoff.lead.channel, location(handoff.return_to)
        places = {lead: place} if place is not None else {}
        variables = {**dict(command.variables), **_recording(handoff)}
        await self._pbx.take_over(lead, "", handoff.bridge, places, variables, drop=False)
        await self._pbx.hold_music(lead, command.music)


def _recording(handoff: Handoff) -> dict[str, str]:
    """Begun on the lead's way in, unless it runs already; empty: none."""
    folder = handoff.policy.recording
    return {"WARM_RECORD": f"{folder}/{handoff.id}.wav"} if folder else {}
