"""Who comes into our application through our dialplan: a lead by themselves, one who was fetched for a
request, a qualifier in a second call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import structlog

from asterisk_warm.core.handoff.model import Status
from asterisk_warm.core.handoff.options import TICKET
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.entrance.live import LiveCalls, Request, begun
from asterisk_warm.engine.entrance.requests import Fetch, Requests
from asterisk_warm.engine.errors import NotAllowed, Refused
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports.calls import AtDoor, Door
from asterisk_warm.engine.ports.pbx import Pbx, PbxError
from asterisk_warm.engine.switchboard import Switchboard

log = structlog.get_logger(__name__)


class Arrivals:
    def __init__(
        self,
        pbx: Pbx,
        open_handoffs: Switchboard,
        intake: Intake,
        live: LiveCalls,
        requests: Requests,
        spawn: Callable[[Awaitable[None]], None],
    ) -> None:
        """`spawn` lets work run by itself."""
        self._pbx = pbx
        self._open = open_handoffs
        self._intake = intake
        self._live = live
        self._requests = requests
        self._spawn = spawn

    def entered(self, at_door: AtDoor) -> None:
        """A channel has entered our application."""
        mailbox = self._open.find(self._open.holding(at_door.lead.channel) or "")
        if mailbox is None:
            self._enter(at_door)
        else:
            self._spawn(self._enter_again(mailbox, at_door))

    async def _enter_again(self, mailbox: Mailbox, at_door: AtDoor) -> None:
        """Somebody may have sent the lead here again before their earlier handoff has taken that they
        left it."""
        await mailbox.caught_up()
        if self._open.holding(at_door.lead.channel) is None:
            self._enter(at_door)
        else:
            log.info("lead is in a handoff already", channel=at_door.lead.channel)

    def _enter(self, at_door: AtDoor) -> None:
        if at_door.door is Door.CONSULT:
            self._spawn(self._consult(at_door))
            return
        lead, prefix = at_door.lead, f"{TICKET}="
        ticket = next((o.removeprefix(prefix) for o in at_door.options if o.startswith(prefix)), None)
        fetch = self._requests.fetch(ticket) if ticket is not None else None
        if ticket is not None and fetch is None:
            self._spawn(self._open.send_back(lead.channel, "the request that fetched this lead was given up"))
            return
        try:
            if fetch is None:
                team = self._intake.directory.team(at_door.team)
                told = self._intake.read(lead, team, at_door.options, "dialplan")
            else:
                told = self._intake.read(lead, fetch.team, fetch.options, fetch.requested_by, fetch.return_to)
        except Refused as refused:
            self._send_back(at_door, refused)
            return
        # They are ours from now on: what happens while they are looked up (they hang up, they are found
        # waiting after a reconnect) is taken after it.
        mailbox = self._open.begin(told.request, partial(self._intake.complete, told))
        if fetch is not None:
            self._spawn(_tell(fetch, mailbox))

    def _send_back(self, at_door: AtDoor, refused: Refused) -> None:
        """A request that cannot be met must not cost the lead."""
        channel = at_door.lead.channel
        handoff = refused.handoff or None
        log.warning("lead refused", channel=channel, team=at_door.team, handoff=handoff, why=refused.message)
        words = f"{refused.message} ({refused.remedy})" if refused.remedy else refused.message
        status = refused.status if isinstance(refused, NotAllowed) else Status.ERROR.value
        self._spawn(self._open.send_back(channel, words, status))

    async def _consult(self, at_door: AtDoor) -> None:
        """A second call of a phone that has a lead on hold: its Transfer key, pressed again, completes."""
        channel = at_door.lead.channel
        try:
            team = self._intake.directory.team(at_door.team)
            calls = await self._pbx.other_call(channel)
            if calls is None:
                raise Refused("conflict", "this phone has no other call, or more than one, to hand off")
            held, lead = calls
            by = (await self._live.locate(channel)).party
            # Its own way on is after its Stasis().
            by = replace(
                by, place=None, kept=False, name=by.name or held.name, number=by.number or held.number
            )
            for watched in (lead.channel, held.channel):
                await self._pbx.watch(watched)
            request = Request(Destination(team=team.id), (*at_door.options, "mode=consult"), "phone")
            await self._live.take_over(lead, by, team, request, held=held.channel)
        except Refused as refused:
            self._send_back(at_door, refused)
        except PbxError as error:
            self._send_back(at_door, Refused("unreachable", str(error)))


async def _tell(fetch: Fetch, mailbox: Mailbox) -> None:
    with suppress(Refused):  # Then whoever asked is told that it did not arrive in time.
        handoff = await begun(mailbox)
        if not fetch.arrived.done():
            fetch.arrived.set_result(handoff)
