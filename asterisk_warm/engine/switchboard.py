"""All handoffs that are open: one mailbox each, the way of events to them, and how they are taken up
again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence

import structlog

from asterisk_warm.core.handoff.commands import (
    CloseBridge,
    Command,
    FindAgents,
    HangUpAgent,
    PrepareSpeech,
    ReturnLead,
    RingAgent,
)
from asterisk_warm.core.handoff.events import Event, HandoffRequested
from asterisk_warm.core.handoff.ids import PREFIX, agent_leg, bridge_id, parse_agent_leg
from asterisk_warm.core.handoff.model import Handoff, Status
from asterisk_warm.engine import codec
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports import Found, Journal, JournalError, Pbx, PbxError, StoredHandoff
from asterisk_warm.engine.reconcile import compare

log = structlog.get_logger(__name__)

RERUN = (FindAgents, PrepareSpeech, RingAgent, HangUpAgent, ReturnLead, CloseBridge)
"""Unfinished commands that are simply carried out again after a restart. What the others establish (music,
playbacks, the join, the letting go) is ordered anew by the core from what Asterisk really has."""


class Switchboard:
    def __init__(self, journal: Journal, pbx: Pbx, executor: Executor) -> None:
        self._journal = journal
        self._pbx = pbx
        self._executor = executor
        self._mailboxes: dict[str, Mailbox] = {}
        self._by_lead: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._mailboxes)

    def begin(self, request: HandoffRequested) -> Mailbox:
        mailbox = self._open(request.handoff, request.lead.channel)
        mailbox.begin(request)
        return mailbox

    def find(self, handoff: str) -> Mailbox | None:
        """The mailbox of an open handoff."""
        return self._mailboxes.get(handoff)

    def handoff_of_lead(self, channel: str) -> str | None:
        """Which handoff events of this lead's channel are for."""
        return self._by_lead.get(channel)

    def holding(self, channel: str) -> str | None:
        """The handoff that still has the lead; None also when it is only clearing up, or has let them go."""
        handoff_id = self._by_lead.get(channel)
        mailbox = self._mailboxes.get(handoff_id or "")
        handoff = mailbox.handoff if mailbox is not None else None
        if handoff is not None and (handoff.state.final or handoff.lead_out):
            return None
        return handoff_id

    def post(self, handoff: str, event: Event) -> None:
        """A fact about a handoff, from its adapter."""
        mailbox = self._mailboxes.get(handoff)
        if mailbox is None:
            log.debug(
                "event for a handoff that is not open", handoff=handoff, event_kind=type(event).__name__
            )
            return
        mailbox.post(event)

    # -- restart, reconnect: one path
    # ----------------------------------------------------------------------------

    async def recover(self) -> Found:
        """Compare every open handoff with what Asterisk really has; at the first call, load them from
        the journal first. Returns what Asterisk has. Raises PbxError when it cannot be read."""
        # What came after the reading had begun is not in it: it must not be taken for gone.
        asked, open_before = time.time(), frozenset(self._mailboxes)
        kept = [stored for stored in await self._journal.unsettled() if stored.id not in open_before]
        # Opened first: facts that come while Asterisk is read wait in the mailbox.
        resumed = [(stored, self._reopen(stored)) for stored in kept]
        try:
            found = await self._pbx.look()
        except PbxError:
            for stored, _ in resumed:
                del self._mailboxes[stored.id]
            raise
        for stored, handoff in resumed:
            self._resume(stored, handoff, found, asked)
        for handoff_id in open_before & self._mailboxes.keys():
            self._reconcile(self._mailboxes[handoff_id], found, asked)
        await self._reap(found)
        return found

    def _reopen(self, stored: StoredHandoff) -> Handoff:
        handoff = codec.decode_handoff(stored.snapshot_json)
        self._open(handoff.id, handoff.lead.channel)
        return handoff

    def _resume(self, stored: StoredHandoff, handoff: Handoff, found: Found, asked: float) -> None:
        pending = [(n, codec.decode_command(kind, data)) for n, kind, data in stored.pending]
        again = [(n, command) for n, command in pending if isinstance(command, RERUN)]
        log.info("resuming", id=handoff.id, state=handoff.state.value, unfinished=len(again))
        orders = [command for _, command in again]
        event = compare(handoff, found, asked, after_outage=True, pending=orders)
        overtaken = [n for n, command in pending if not isinstance(command, RERUN)]
        self._mailboxes[handoff.id].resume(handoff, event, again, overtaken)

    def _reconcile(self, mailbox: Mailbox, found: Found, asked: float) -> None:
        if mailbox.handoff is not None:
            running: Sequence[Command] = mailbox.running
            mailbox.post(compare(mailbox.handoff, found, asked, after_outage=True, pending=running))

    async def _reap(self, found: Found) -> None:
        """Whatever bears our name but belongs to no open handoff is cleared away."""
        for channel in found.channels:
            parsed = parse_agent_leg(channel)
            if parsed is not None and parsed[0] not in self._mailboxes:
                await self._clear(self._pbx.hang_up(channel), channel)
        for bridge in found.bridges:
            owner = bridge.removesuffix("-bridge")
            if bridge.startswith(PREFIX) and bridge == bridge_id(owner) and owner not in self._mailboxes:
                await self._clear(self._pbx.close_bridge(bridge), bridge)

    async def _clear(self, order: Awaitable[None], what: str) -> None:
        try:
            await order
            log.info("cleared away what no handoff owns", what=what)
        except PbxError as error:
            log.debug("could not clear", what=what, why=str(error))

    # -- mailboxes -------------------------------------------------------------------------------------------

    def _open(self, handoff: str, lead_channel: str) -> Mailbox:
        mailbox = Mailbox(self._journal, self._executor, self._settled, self._given_up)
        self._mailboxes[handoff] = mailbox
        self._by_lead[lead_channel] = handoff
        return mailbox

    def _settled(self, mailbox: Mailbox) -> None:
        handoff = mailbox.handoff
        if handoff is None:
            return
        self._mailboxes.pop(handoff.id, None)
        if self._by_lead.get(handoff.lead.channel) == handoff.id:
            del self._by_lead[handoff.lead.channel]

    async def _given_up(self, mailbox: Mailbox, error: JournalError) -> None:
        """Without a journal nothing can be decided safely, but a lead on hold must not wait for ever:
        they go on in the dialplan, and nobody is left ringing for them. What is in the journal is
        reconciled at the next start."""
        for lead, handoff in list(self._by_lead.items()):
            if self._mailboxes.get(handoff) is mailbox:
                log.critical("handoff given up", handoff=handoff, why=str(error))
                await self.send_back(lead, "the handoff's journal cannot be written")
                for offer in mailbox.handoff.offers if mailbox.handoff is not None else ():
                    if offer.leg_open:
                        leg = agent_leg(handoff, offer.number)
                        await self._clear(self._pbx.hang_up(leg), leg)
                del self._by_lead[lead], self._mailboxes[handoff]

    async def send_back(self, lead: str, why: str) -> None:
        """Without a handoff there is nothing to wait for: the lead goes on in the dialplan, with the
        reason."""
        variables = {"WARM_STATUS": Status.ERROR.value, "WARM_CAUSE": why, "WARM_ID": ""}
        try:
            await self._pbx.return_lead(lead, variables, None)
        except PbxError as error:
            log.warning("a lead could not be sent back", channel=lead, why=str(error))

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await asyncio.gather(*(mailbox.stop() for mailbox in self._mailboxes.values()))
