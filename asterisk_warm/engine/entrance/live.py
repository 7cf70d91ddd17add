"""A live call of two, outside our application: who is in it, and how it becomes a handoff."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from asterisk_warm.core.handoff.events import HandoffRequested
from asterisk_warm.core.handoff.model import LOST, Handoff, Qualifier, ReturnPlace
from asterisk_warm.engine.directory import Destination, Team
from asterisk_warm.engine.errors import NotAllowed, Refused
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.orders.places import BYE
from asterisk_warm.engine.ports.calls import LeadAtDoor, Location, Party, Whereabouts
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxError
from asterisk_warm.engine.switchboard import Switchboard
from asterisk_warm.engine.within import within

BEGIN_SECONDS = 5.0
"""How long a request may take into the journal."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, whoever the lead is."""

    destination: Destination
    options: Sequence[str]
    requested_by: str
    return_to: Location | None = None


class LiveCalls:
    def __init__(self, pbx: Pbx, open_handoffs: Switchboard, intake: Intake) -> None:
        self._pbx = pbx
        self._open = open_handoffs
        self._intake = intake

    async def locate(self, channel: str) -> Whereabouts:
        """Raises Refused (not_found, unreachable)."""
        try:
            return await self._pbx.locate(channel)
        except LegGone as gone:
            raise Refused(
                "not_found", f'no channel "{channel}" in Asterisk', "see `core show channels`"
            ) from gone
        except PbxError as error:
            raise Refused("unreachable", f"Asterisk did not say where the channel is: {error}") from error

    def refuse_if_in_handoff(self, *channels: str) -> None:
        """Raises Refused (conflict)."""
        for channel in channels:
            handoff = self._open.holding(channel)
            if handoff is not None:
                raise Refused(
                    "conflict", f"this call is in handoff {handoff} already", f"cancel {handoff} first"
                )

    async def take_over(
        self, lead: Party, by: Party, team: Team, request: Request, *, refer: bool = False, held: str = ""
    ) -> Handoff:
        """A call of two becomes a handoff; it is in the journal before the call is touched. `refer`: the
        phone has asked by its Transfer key, and is told how that goes; `held`: the phone's channel in the
        call where it has the lead on hold. Raises Refused."""
        self.refuse_if_in_handoff(lead.channel, by.channel)
        qualifier = Qualifier(
            channel=by.channel,
            name=by.name,
            number=by.number,
            endpoint=by.endpoint,
            held_channel=held,
            refer=refer,
            return_to=None if by.kept else _place(by.place) or BYE,
        )
        back = _place(request.return_to)
        if back is None and not lead.kept:
            back = _place(lead.place) or team.return_to or LOST
        at_door = await self._described(lead)
        asked = await self._intake.request(
            at_door, team, request.options, request.requested_by, back, qualifier
        )
        # Somebody else may have asked for it meanwhile.
        self.refuse_if_in_handoff(lead.channel, by.channel)
        if not refer:
            await self.raise_if_refused(asked)
        return await begun(self._open.begin(asked))

    async def raise_if_refused(self, request: HandoffRequested) -> None:
        """What must hold of the lead does not: it is written down, the call stays as it is, and this raises
        NotAllowed."""
        refused = request.refusal
        if refused is None:
            return
        mailbox = self._open.note(replace(request, refusal=replace(refused, untouched=True)))
        with suppress(Refused):  # A journal that cannot be written changes nothing for who is refused.
            await begun(mailbox)
        raise NotAllowed(refused.status.value, refused.reason, request.handoff)

    async def _described(self, lead: Party) -> LeadAtDoor:
        try:
            variables = await self._pbx.lead_variables(lead.channel)
        except LegGone as gone:
            raise Refused("not_found", f'channel "{lead.channel}" has hung up') from gone
        except PbxError as error:
            raise Refused("unreachable", f"the call could not be looked at: {error}") from error
        return LeadAtDoor(lead.channel, lead.name, lead.number, variables)


async def begun(mailbox: Mailbox) -> Handoff:
    """Once it is in the journal. Raises Refused (unreachable)."""
    try:
        while mailbox.handoff is None:
            await within(mailbox.changed(), BEGIN_SECONDS)
    except TimeoutError as error:
        words = f"it was not written to the journal within {BEGIN_SECONDS:g} s"
        raise Refused("unreachable", words) from error
    return mailbox.handoff


def _place(location: Location | None) -> ReturnPlace | None:
    if location is None:
        return None
    return ReturnPlace(location.context, location.extension, location.priority)
