"""All handoffs that are open: one mailbox each, the way of events to them, and how they are taken up
again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from asterisk_warm.core.handoff.commands import (
    CloseBridge,
    Command,
    DropQuestion,
    HangUpAgent,
    LogQueue,
    LookUpLead,
    PrepareSpeech,
    ReturnLead,
    RingAgent,
    Tell,
)
from asterisk_warm.core.handoff.events import ChannelReplaced, Event, HandedOn, HandoffRequested
from asterisk_warm.core.handoff.ids import owner_of_bridge, parse_agent_leg, parse_aside_leg
from asterisk_warm.core.handoff.model import LEAD, QUALIFIER, Handoff, Lead, Qualifier, Status, agent_name
from asterisk_warm.engine import codec
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.mailbox import Completion, Mailbox
from asterisk_warm.engine.ports.calls import Found
from asterisk_warm.engine.ports.journal import Journal, JournalError, StoredHandoff
from asterisk_warm.engine.ports.pbx import Pbx, PbxError
from asterisk_warm.engine.reconcile import compare

log = structlog.get_logger(__name__)

RERUN = (
    PrepareSpeech,
    LookUpLead,
    Tell,
    RingAgent,
    HangUpAgent,
    DropQuestion,
    ReturnLead,
    CloseBridge,
    LogQueue,
)
"""Unfinished commands that are simply carried out again after a restart. What the others establish (music,
playbacks, the join, the letting go) is ordered anew by the core from what Asterisk really has."""

Leg = tuple[str, str]
"""(handoff id, leg)."""


class Switchboard:
    def __init__(
        self,
        journal: Journal,
        pbx: Pbx,
        executor: Executor,
        became: Callable[[Handoff], None],
        given_up: Callable[[str], None],
    ) -> None:
        """`became` is told what each handoff is after each event, `given_up` the id of one that is not run
        any more though it has not ended."""
        self._journal = journal
        self._became = became
        self._tell_given_up = given_up
        self._pbx = pbx
        self._executor = executor
        self._mailboxes: dict[str, Mailbox] = {}
        self._legs: dict[str, Leg] = {}
        """Of open handoffs: channels of leads and qualifiers, and those in the place of an agent's."""
        self._replaced: set[str] = set()
        """Channels of agents in whose place another one has come."""

    def __len__(self) -> int:
        return len(self._mailboxes)

    def begin(self, request: HandoffRequested, completion: Completion | None = None) -> Mailbox:
        """From now on its channels are the handoff's, though the `completion` of the request takes a
        moment."""
        self._hand_on(request)
        mailbox = self._open(request.handoff, request.lead, request.qualifier)
        mailbox.begin(request, completion)
        return mailbox

    def note(self, request: HandoffRequested) -> Mailbox:
        """One that is refused and leaves the call as it is: for the journal, and for who is told of ends.
        Its channels stay whose they are."""
        mailbox = self._mailbox(request.handoff)
        mailbox.begin(request)
        return mailbox

    def _hand_on(self, request: HandoffRequested) -> None:
        """Who talk to each other because of an earlier handoff are not that one's any more."""
        channels = [request.lead.channel, *([request.qualifier.channel] if request.qualifier else [])]
        for channel in channels:
            earlier = self.leg_of(channel)
            if earlier is not None and earlier[0] in self._mailboxes:
                handoff, leg = earlier
                event_id = f"{request.event_id}/{leg}"
                event = HandedOn(at=request.at, event_id=event_id, to=request.handoff, leg=leg)
                self._mailboxes[handoff].post(event)

    @property
    def handoffs(self) -> Sequence[Handoff]:
        """What is open, as it is now."""
        return [box.handoff for box in self._mailboxes.values() if box.handoff is not None]

    def find(self, handoff: str) -> Mailbox | None:
        """The mailbox of an open handoff."""
        return self._mailboxes.get(handoff)

    def leg_of(self, channel: str) -> Leg | None:
        """Whose events those of a channel are: which handoff's, and which leg's."""
        leg = self._legs.get(channel)
        if leg is not None:
            return leg
        parsed = None if channel in self._replaced else parse_agent_leg(channel)
        return None if parsed is None else (parsed[0], agent_name(parsed[1]))

    def holding(self, channel: str) -> str | None:
        """The open handoff that has this channel; None also when it only clears up, or has let them go."""
        leg = self.leg_of(channel)
        mailbox = self._mailboxes.get(leg[0]) if leg is not None else None
        if leg is None or mailbox is None:
            return None
        handoff = mailbox.handoff
        return None if handoff is not None and (handoff.state.final or handoff.lead_out) else leg[0]

    def replaced(self, channel: str, by: str, at: float, event_id: str) -> None:
        """Another channel has come in the place of one of ours."""
        leg = self.leg_of(channel)
        if leg is None or leg[0] not in self._mailboxes:
            return
        self._legs.pop(channel, None)
        self._replaced.add(channel)
        self._legs[by] = leg
        self.post(leg[0], ChannelReplaced(at=at, event_id=event_id, leg=leg[1], channel=by))

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
        self._open(handoff.id, handoff.lead, handoff.qualifier)
        for offer in handoff.offers:
            if offer.channel:
                self._legs[offer.channel] = handoff.id, agent_name(offer.number)
        return handoff

    def _resume(self, stored: StoredHandoff, handoff: Handoff, found: Found, asked: float) -> None:
        # What an older version ordered, and this one knows no more, is overtaken: the core orders anew.
        pending = [
            (n, codec.decode_command(kind, data) if kind in codec.COMMANDS else None)
            for n, kind, data in stored.pending
        ]
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
        """Whatever bears our name but belongs to no open handoff is cleared away; but who talks in a bridge
        of Asterisk's own talks on, and what another daemon has open is its own."""
        for channel, there in found.channels.items():
            leg, aside = self.leg_of(channel), parse_aside_leg(channel)
            owner = leg[0] if leg is not None else aside
            orphan = leg is not None and leg[0] not in self._mailboxes
            lost = (orphan and (there.in_stasis or not there.up)) or aside is not None
            if owner is not None and lost and not await self._is_elsewhere(owner):
                await self._clear(self._pbx.hang_up(channel), channel)
        for bridge in found.bridges:
            owner = owner_of_bridge(bridge)
            if owner is not None and owner not in self._mailboxes and not await self._is_elsewhere(owner):
                await self._clear(self._pbx.close_bridge(bridge), bridge)

    async def _is_elsewhere(self, handoff: str) -> bool:
        """Does another daemon that uses the same journal have it open?"""
        row = None if handoff in self._mailboxes else await self._journal.get(handoff)
        return row is not None and not row.settled

    async def _clear(self, order: Awaitable[None], what: str) -> None:
        try:
            await order
            log.info("cleared away what no handoff owns", what=what)
        except PbxError as error:
            log.debug("could not clear", what=what, why=str(error))

    # -- mailboxes -------------------------------------------------------------------------------------------

    def _open(self, handoff: str, lead: Lead, qualifier: Qualifier | None) -> Mailbox:
        mailbox = self._mailbox(handoff)
        self._legs[lead.channel] = handoff, LEAD
        if qualifier is not None:
            self._legs[qualifier.channel] = handoff, QUALIFIER
        return mailbox

    def _mailbox(self, handoff: str) -> Mailbox:
        mailbox = Mailbox(self._journal, self._executor, self._became, self._settled, self._given_up)
        self._mailboxes[handoff] = mailbox
        return mailbox

    def _settled(self, mailbox: Mailbox) -> None:
        if mailbox.handoff is not None:
            self._close(mailbox.handoff.id)

    def _close(self, handoff: str) -> None:
        self._mailboxes.pop(handoff, None)
        for channel in [channel for channel, leg in self._legs.items() if leg[0] == handoff]:
            del self._legs[channel]
        self._replaced = {c for c in self._replaced if (parse_agent_leg(c) or ("",))[0] != handoff}

    async def _given_up(self, mailbox: Mailbox, error: JournalError) -> None:
        """Without a journal nothing can be decided safely, but a lead on hold must not wait for ever:
        they go on in the dialplan, and nobody is left ringing for them. What is in the journal is
        reconciled at the next start."""
        handoff = next((id for id, found in self._mailboxes.items() if found is mailbox), "")
        log.critical("handoff given up", handoff=handoff, why=str(error))
        for channel, leg in list(self._legs.items()):
            if leg == (handoff, LEAD):
                await self.send_back(channel, "the handoff's journal cannot be written")
            elif leg == (handoff, QUALIFIER):
                await self._clear(self._pbx.release(channel), channel)
        for offer in mailbox.handoff.offers if mailbox.handoff is not None else ():
            if offer.leg_open and mailbox.handoff is not None:
                channel = mailbox.handoff.channel_of(agent_name(offer.number))
                await self._clear(self._pbx.hang_up(channel), channel)
        self._close(handoff)
        self._tell_given_up(handoff)

    async def send_back(self, lead: str, why: str, status: str = Status.ERROR.value) -> None:
        """Without a handoff there is nothing to wait for: the lead goes on in the dialplan, with the
        reason."""
        variables = {"WARM_STATUS": status, "WARM_CAUSE": why, "WARM_ID": ""}
        try:
            await self._pbx.return_lead(lead, variables, None)
        except PbxError as error:
            log.warning("a lead could not be sent back", channel=lead, why=str(error))

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await asyncio.gather(*(mailbox.stop() for mailbox in self._mailboxes.values()))
