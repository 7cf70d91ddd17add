"""A phone's Transfer key, pressed in a call (SIP REFER): blind, or between the phone's two calls."""

from __future__ import annotations

import time
from contextlib import suppress

import structlog

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.events import QualifierAsked
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.engine.directory import Destination, Directory
from asterisk_warm.engine.entrance.aside import Aside
from asterisk_warm.engine.entrance.live import LiveCalls, Request
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.orders.places import BYE, location
from asterisk_warm.engine.ports.calls import Transfer
from asterisk_warm.engine.ports.pbx import Pbx, PbxError
from asterisk_warm.engine.switchboard import Switchboard

log = structlog.get_logger(__name__)


class TransferKey:
    def __init__(
        self, pbx: Pbx, open_handoffs: Switchboard, directory: Directory, live: LiveCalls, aside: Aside
    ) -> None:
        self._pbx = pbx
        self._open = open_handoffs
        self._directory = directory
        self._live = live
        self._aside = aside

    async def pressed(self, transfer: Transfer) -> None:
        """Do it, or tell the phone and the qualifier why not."""
        try:
            if transfer.attended:
                await self._attended(transfer)
            else:
                await self._blind(transfer)
        except (Refused, PbxError) as error:
            log.warning("a transfer was refused", channel=transfer.channel, why=str(error))
            with suppress(PbxError):
                await self._pbx.tell_phone(transfer.channel, Progress.UNAVAILABLE)
            await self._aside.say(transfer.channel, str(error))

    async def _blind(self, transfer: Transfer) -> None:
        """To one of ours: a handoff. To any other number: as the phone could dial it itself."""
        here = await self._live.locate(transfer.channel)
        if here.peer is None:
            raise Refused("conflict", "there is nobody on the line to transfer")
        team = self._directory.dialled(transfer.number)
        if team is None:
            self._live.refuse_if_in_handoff(here.party.channel)
            if await self._pbx.transfer(here.peer.channel, transfer.channel, transfer.number):
                return
            # Only what is ours can be told that there is nobody: a handoff that ends at once.
            team = self._directory.nobody(transfer.number[:40])
        request = Request(Destination(), (f"mode={team.transfer_mode.value}",), "phone")
        await self._live.take_over(here.peer, here.party, team, request, refer=True)

    async def _attended(self, transfer: Transfer) -> None:
        """Onto a consult with one of ours: completes it. Else the two others are connected, and who was put
        onto a call with nobody (a queue, a mailbox) dials what was dialled there."""
        leg = self._open.leg_of(transfer.consult)
        mailbox = self._open.find(leg[0]) if leg is not None else None
        if mailbox is not None and mailbox.handoff is not None:
            now = time.time()
            why_not = refusal(mailbox.handoff, Action.COMPLETE, now)
            if why_not:
                raise Refused("conflict", why_not)
            complete = QualifierAsked(at=now, event_id=new_event_id(), action=Action.COMPLETE, by="phone")
            await mailbox.ask(complete)
            return
        await self._connect(transfer)

    async def _connect(self, transfer: Transfer) -> None:
        first = await self._live.locate(transfer.channel)
        second = await self._live.locate(transfer.consult)
        lead, peer, dialled = first.peer, second.peer, second.party.place
        if lead is None:
            raise Refused("conflict", "there is nobody on the line to transfer")
        if peer is not None:
            back = None if lead.kept else lead.place or location(BYE)
            await self._pbx.connect(lead.channel, peer.channel, transfer.channel, back)
        elif dialled is None or not await self._pbx.transfer(
            lead.channel, transfer.channel, dialled.extension
        ):
            raise Refused("conflict", "there is nobody in the other call")
