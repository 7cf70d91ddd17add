"""What can be asked of the engine, and what Asterisk's adapter tells it: the front of the whole engine."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

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
from asterisk_warm.core.handoff.events import CancelRequested, Event
from asterisk_warm.core.handoff.ids import PREFIX, agent_leg, bridge_id, parse_agent_leg
from asterisk_warm.core.handoff.model import ReturnPlace, Status
from asterisk_warm.core.handoff.states import State
from asterisk_warm.engine import codec, reading
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.intake import Intake, LeadAtDoor
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports import (
    Found,
    Journal,
    JournalError,
    LegGone,
    Location,
    Pbx,
    PbxError,
    StoredHandoff,
)
from asterisk_warm.engine.reconcile import compare
from asterisk_warm.engine.views import HandoffView, Health, JournalLine, StoryLine, view

log = structlog.get_logger(__name__)

FETCH_SECONDS = 5.0
"""How long a channel may take from the dialplan into our application."""

RERUN = (FindAgents, PrepareSpeech, RingAgent, HangUpAgent, ReturnLead, CloseBridge)
"""Unfinished commands that are simply carried out again after a restart. What the others establish (music,
playbacks, the join, the letting go) is ordered anew by the core from what Asterisk really has."""


@dataclass(slots=True)
class _Fetch:
    """A request that waits for its lead to arrive from the dialplan."""

    team: str
    options: tuple[str, ...]
    requested_by: str
    return_to: ReturnPlace
    arrived: asyncio.Future[HandoffView]


class HandoffService:
    def __init__(
        self,
        journal: Journal,
        pbx: Pbx,
        executor: Executor,
        intake: Intake,
        health: Callable[[int], Awaitable[Health]],
    ) -> None:
        self._journal = journal
        self._pbx = pbx
        self._executor = executor
        self._intake = intake
        self._health = health
        self._mailboxes: dict[str, Mailbox] = {}
        self._by_lead: dict[str, str] = {}
        self._fetches: dict[str, _Fetch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- asked by people (API, CLI) --------------------------------------------------------------------------

    async def start(
        self,
        *,
        channel: str,
        team: str,
        mode: str | None = None,
        lead_name: str | None = None,
        lead_number: str | None = None,
        summary: str | None = None,
        details: Mapping[str, str] | None = None,
        return_to: Location | None = None,
        requested_by: str = "api",
    ) -> HandoffView:
        """Hand off a channel that is in the dialplan (waiting, listening, in an IVR). When it is not
        connected it goes on after the step it was in, or at `return_to`. Raises Refused."""
        options = _options(mode, lead_name, lead_number, summary, details or {})
        # Whatever can be refused is refused before the channel is touched.
        self._intake.request(LeadAtDoor(channel, "", "", {}), team, options, requested_by)
        self._refuse_if_in_handoff(channel)
        try:
            here = await self._pbx.locate(channel)
        except LegGone as gone:
            raise Refused(
                "not_found", f'no channel "{channel}" in Asterisk', "see `core show channels`"
            ) from gone
        except PbxError as error:
            raise Refused("unreachable", f"Asterisk did not say where the channel is: {error}") from error
        if here is None:
            raise Refused(
                "conflict",
                f'channel "{channel}" is talking to someone',
                "hand off a channel that is in the dialplan",
            )
        back = return_to or Location(here.context, here.extension, here.priority + 1)
        return await self._fetch(channel, here, team, options, requested_by, back)

    async def _fetch(
        self, channel: str, here: Location, team: str, options: tuple[str, ...], by: str, back: Location
    ) -> HandoffView:
        ticket = secrets.token_hex(8)
        arrived: asyncio.Future[HandoffView] = asyncio.get_running_loop().create_future()
        place = ReturnPlace(back.context, back.extension, back.priority)
        self._fetches[ticket] = _Fetch(team, options, by, place, arrived)
        try:
            await self._pbx.fetch_lead(channel, here, ["handoff", team, f"ticket={ticket}"])
            return await asyncio.wait_for(arrived, FETCH_SECONDS)
        except LegGone as gone:
            raise Refused("not_found", f'channel "{channel}" has hung up') from gone
        except (PbxError, TimeoutError) as error:
            words = str(error) or f"it did not arrive within {FETCH_SECONDS:g} s"
            raise Refused("unreachable", f"the channel could not be fetched: {words}") from error
        finally:
            del self._fetches[ticket]

    def _refuse_if_in_handoff(self, channel: str) -> None:
        handoff = self._by_lead.get(channel)
        if handoff is not None:
            raise Refused("conflict", f"this lead is in handoff {handoff} already", f"cancel {handoff} first")

    async def cancel(self, handoff: str, by: str) -> HandoffView:
        """Call it off: the lead goes on in the dialplan. Raises Refused (conflict) when an agent has
        accepted or it has ended."""
        row_id = await self._resolve(handoff)
        mailbox = self._mailboxes.get(row_id)
        if mailbox is None or mailbox.handoff is None or mailbox.handoff.state.final:
            raise Refused(
                "conflict", f"{row_id} has ended already", f"see `asterisk-warm handoff show {row_id}`"
            )
        if mailbox.handoff.state in (State.INTRODUCING, State.CONNECTED):
            raise Refused(
                "conflict",
                f"in {row_id} an agent has accepted already",
                "hang up on the phone to end the call",
            )
        await mailbox.ask(CancelRequested(at=time.time(), event_id=new_event_id(), by=by))
        if mailbox.handoff.status is not Status.CANCELLED:
            raise Refused("conflict", f"{row_id} was {mailbox.handoff.state} before it could be cancelled")
        return view(mailbox.handoff)

    async def show(self, handoff: str) -> HandoffView:
        row_id = await self._resolve(handoff)
        mailbox = self._mailboxes.get(row_id)
        if mailbox is not None and mailbox.handoff is not None:
            return view(mailbox.handoff)
        row = await self._journal.get(row_id)
        assert row is not None, "resolved from the journal"
        return view(codec.decode_handoff(row.snapshot_json))

    async def list(self, *, open_only: bool, limit: int) -> list[HandoffView]:
        """Newest first."""
        rows = await self._journal.list(open_only, limit)
        return [view(codec.decode_handoff(row.snapshot_json)) for row in rows]

    async def story(self, handoff: str) -> Sequence[StoryLine]:
        return reading.story(await self._journal.events(await self._resolve(handoff)))

    async def journal(self, handoff: str) -> Sequence[JournalLine]:
        return reading.lines(await self._journal.events(await self._resolve(handoff)))

    async def health(self) -> Health:
        return await self._health(len(self._mailboxes))

    async def _resolve(self, handoff: str) -> str:
        """An id, or the beginning or end of one that is unique among the latest. Raises Refused
        (not_found, conflict)."""
        if handoff in self._mailboxes or await self._journal.get(handoff) is not None:
            return handoff
        rows = await self._journal.list(False, RECENT)
        found = [row.id for row in rows if row.id.startswith(handoff) or row.id.endswith(handoff)]
        if len(found) == 1 and len(handoff) >= 4:
            return found[0]
        if found:
            raise Refused("conflict", f'"{handoff}" fits {len(found)} handoffs', "give more of the id")
        raise Refused("not_found", f'no handoff "{handoff}"', "see `asterisk-warm handoff list --all`")

    # -- told by Asterisk's adapter --------------------------------------------------------------------------

    def lead_entered(self, lead: LeadAtDoor, team: str, options: Sequence[str]) -> None:
        """A channel has entered our application and asks for a team."""
        ticket = next((o.removeprefix("ticket=") for o in options if o.startswith("ticket=")), None)
        fetch = self._fetches.get(ticket) if ticket is not None else None
        try:
            self._refuse_if_in_handoff(lead.channel)
            if fetch is None:
                request, _ = self._intake.request(lead, team, options, "dialplan")
            else:
                request, _ = self._intake.request(
                    lead, fetch.team, fetch.options, fetch.requested_by, fetch.return_to
                )
        except Refused as refused:
            log.warning("lead refused", channel=lead.channel, team=team, why=refused.message)
            self._spawn(self._send_back(lead.channel, refused))
            return
        mailbox = self._open(request.handoff, lead.channel)
        mailbox.begin(request)
        if fetch is not None:
            self._spawn(self._tell_fetch(fetch, mailbox))

    async def _tell_fetch(self, fetch: _Fetch, mailbox: Mailbox) -> None:
        while mailbox.handoff is None:
            await mailbox.changed()
        if not fetch.arrived.done():
            fetch.arrived.set_result(view(mailbox.handoff))

    async def _send_back(self, channel: str, refused: Refused) -> None:
        """A request that cannot be understood must not cost the lead: it goes on in the dialplan with
        the reason."""
        words = f"{refused.message} ({refused.remedy})" if refused.remedy else refused.message
        variables = {"WARM_STATUS": Status.ERROR.value, "WARM_CAUSE": words, "WARM_ID": ""}
        try:
            await self._pbx.return_lead(channel, variables, None)
        except PbxError as error:
            log.warning("a refused lead could not be sent back", channel=channel, why=str(error))

    def post(self, handoff: str, event: Event) -> None:
        """A fact about a handoff, from its adapter."""
        mailbox = self._mailboxes.get(handoff)
        if mailbox is None:
            log.debug(
                "event for a handoff that is not open", handoff=handoff, event_kind=type(event).__name__
            )
            return
        mailbox.post(event)

    def handoff_of_lead(self, channel: str) -> str | None:
        return self._by_lead.get(channel)

    # -- restart, reconnect: one path
    # ----------------------------------------------------------------------------

    async def recover(self) -> None:
        """Compare every open handoff with what Asterisk really has; at the first call, load them from
        the journal first. Raises PbxError when Asterisk cannot be read."""
        found = await self._pbx.look()
        for stored in await self._journal.unsettled():
            if stored.id not in self._mailboxes:
                self._resume(stored, found)
            else:
                self._reconcile(self._mailboxes[stored.id], found)
        await self._reap(found)

    def _resume(self, stored: StoredHandoff, found: Found) -> None:
        handoff = codec.decode_handoff(stored.snapshot_json)
        pending = [(n, codec.decode_command(kind, data)) for n, kind, data in stored.pending]
        again = [(n, command) for n, command in pending if isinstance(command, RERUN)]
        log.info("resuming", id=handoff.id, state=handoff.state.value, unfinished=len(again))
        mailbox = self._open(handoff.id, handoff.lead.channel)
        event = compare(
            handoff, found, time.time(), after_outage=True, pending=[command for _, command in again]
        )
        mailbox.resume(handoff, event, again, [n for n, command in pending if not isinstance(command, RERUN)])

    def _reconcile(self, mailbox: Mailbox, found: Found) -> None:
        if mailbox.handoff is not None:
            running: Sequence[Command] = mailbox.running
            mailbox.post(compare(mailbox.handoff, found, time.time(), after_outage=True, pending=running))

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
                await self._send_back(lead, Refused("unreachable", "the handoff's journal cannot be written"))
                for offer in mailbox.handoff.offers if mailbox.handoff is not None else ():
                    if offer.leg_open:
                        leg = agent_leg(handoff, offer.number)
                        await self._clear(self._pbx.hang_up(leg), leg)
                del self._by_lead[lead], self._mailboxes[handoff]

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await asyncio.gather(*(mailbox.stop() for mailbox in self._mailboxes.values()))


RECENT = 500
"""Among how many handoffs an abbreviated id is looked up."""


def _options(
    mode: str | None, name: str | None, number: str | None, summary: str | None, details: Mapping[str, str]
) -> tuple[str, ...]:
    given = {"mode": mode, "name": name, "number": number, "summary": summary}
    options = [f"{key}={value}" for key, value in given.items() if value]
    return (*options, *(f"detail.{key}={value}" for key, value in details.items()))
