"""A handoff that somebody asks for (API, command line): of a live call, or of a channel that waits in the
dialplan."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asterisk_warm.core.handoff.model import Handoff, ReturnPlace
from asterisk_warm.core.handoff.options import TICKET
from asterisk_warm.engine.directory import Team
from asterisk_warm.engine.entrance.live import LiveCalls, Request
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.ports.calls import Door, LeadAtDoor, Party
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxError
from asterisk_warm.engine.within import within

FETCH_SECONDS = 5.0
"""How long a channel may take from the dialplan into our application."""


@dataclass(slots=True)
class Fetch:
    """A request that waits for its lead to arrive from the dialplan."""

    team: Team
    options: Sequence[str]
    requested_by: str
    return_to: ReturnPlace
    arrived: asyncio.Future[Handoff]


class Requests:
    def __init__(self, pbx: Pbx, intake: Intake, live: LiveCalls) -> None:
        self._pbx = pbx
        self._intake = intake
        self._live = live
        self._fetches: dict[str, Fetch] = {}

    async def start(self, channel: str, qualifier: str, request: Request) -> Handoff:
        """Of a live call, or of a channel that waits in the dialplan. Raises Refused."""
        if bool(channel) == bool(qualifier):
            raise Refused(
                "invalid", "the lead's or the qualifier's channel must be given", "give one of them"
            )
        team = self._intake.directory.find(request.destination)
        here = await self._live.locate(channel or qualifier)
        self._live.refuse_if_in_handoff(here.party.channel)
        if here.peer is not None:
            lead, by = (here.party, here.peer) if channel else (here.peer, here.party)
            return await self._live.take_over(lead, by, team, request)
        if qualifier:
            raise Refused(
                "conflict", f'channel "{qualifier}" is not talking to a lead', "see `core show channels`"
            )
        if here.talking:
            raise Refused(
                "conflict",
                f'channel "{channel}" is in a talk of more than two, or alone in one',
                "hand off a call of two",
            )
        return await self._fetch(here.party, team, request)

    def fetch(self, ticket: str) -> Fetch | None:
        """Which request the lead has been fetched for who comes with that ticket; None: it was given up."""
        return self._fetches.get(ticket)

    async def _fetch(self, lead: Party, team: Team, request: Request) -> Handoff:
        """A channel that waits in the dialplan comes to us by itself, through our context."""
        # Whatever can be refused is refused before the channel is touched.
        self._live.refuse_if_in_handoff(lead.channel)
        described = await self._variables(lead.channel)
        at_door = LeadAtDoor(lead.channel, lead.name, lead.number, described)
        asked = await self._intake.request(at_door, team, request.options, request.requested_by)
        self._live.refuse_if_in_handoff(lead.channel)
        await self._live.raise_if_refused(asked)
        back = request.return_to or lead.place
        if back is None:
            raise Refused(
                "conflict", f"{lead.channel} has no place in the dialplan to go on", "give `return_to`"
            )
        ticket = secrets.token_hex(8)
        arrived: asyncio.Future[Handoff] = asyncio.get_running_loop().create_future()
        place = ReturnPlace(back.context, back.extension, back.priority)
        self._fetches[ticket] = Fetch(team, request.options, request.requested_by, place, arrived)
        try:
            arguments = [Door.HANDOFF.value, team.id, f"{TICKET}={ticket}"]
            await self._pbx.fetch_lead(lead.channel, back, arguments)
            return await within(arrived, FETCH_SECONDS)
        except LegGone as gone:
            raise Refused("not_found", f'channel "{lead.channel}" has hung up') from gone
        except (PbxError, TimeoutError) as error:
            words = str(error) or f"it did not arrive within {FETCH_SECONDS:g} s"
            raise Refused("unreachable", f"the channel could not be fetched: {words}") from error
        finally:
            del self._fetches[ticket]

    async def _variables(self, channel: str) -> Mapping[str, str]:
        try:
            return await self._pbx.lead_variables(channel)
        except PbxError:
            return {}  # It will say so itself when it is fetched.
