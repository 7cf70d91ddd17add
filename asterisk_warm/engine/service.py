"""What can be asked of the engine, and what Asterisk's adapter tells it: the front of the whole engine."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from asterisk_warm.core.handoff.events import CancelRequested, Event
from asterisk_warm.core.handoff.model import ReturnPlace, Status
from asterisk_warm.core.handoff.states import State
from asterisk_warm.engine import codec, reading
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports import (
    Journal,
    LeadAtDoor,
    LegGone,
    Location,
    Pbx,
    PbxError,
)
from asterisk_warm.engine.switchboard import Switchboard
from asterisk_warm.engine.views import HandoffView, Health, JournalLine, StoryLine, view

log = structlog.get_logger(__name__)

FETCH_SECONDS = 5.0
"""How long a channel may take from the dialplan into our application."""


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
        self._open = Switchboard(journal, pbx, executor)
        self._intake = intake
        self._health = health
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
        try:
            channel, here = await self._pbx.locate(channel)
        except LegGone as gone:
            raise Refused(
                "not_found", f'no channel "{channel}" in Asterisk', "see `core show channels`"
            ) from gone
        except PbxError as error:
            raise Refused("unreachable", f"Asterisk did not say where the channel is: {error}") from error
        self._refuse_if_in_handoff(channel)
        if here is None:
            raise Refused(
                "conflict",
                f'channel "{channel}" is talking to someone',
                "hand off a channel that is in the dialplan",
            )
        back = return_to or Location(here.context, here.extension, here.priority + 1)
        return await self._fetch(channel, team, options, requested_by, back)

    async def _fetch(
        self, channel: str, team: str, options: tuple[str, ...], by: str, back: Location
    ) -> HandoffView:
        ticket = secrets.token_hex(8)
        arrived: asyncio.Future[HandoffView] = asyncio.get_running_loop().create_future()
        place = ReturnPlace(back.context, back.extension, back.priority)
        self._fetches[ticket] = _Fetch(team, options, by, place, arrived)
        try:
            await self._pbx.fetch_lead(channel, back, ["handoff", team, f"ticket={ticket}"])
            return await asyncio.wait_for(arrived, FETCH_SECONDS)
        except LegGone as gone:
            raise Refused("not_found", f'channel "{channel}" has hung up') from gone
        except (PbxError, TimeoutError) as error:
            words = str(error) or f"it did not arrive within {FETCH_SECONDS:g} s"
            raise Refused("unreachable", f"the channel could not be fetched: {words}") from error
        finally:
            del self._fetches[ticket]

    def _refuse_if_in_handoff(self, channel: str) -> None:
        handoff = self._open.holding(channel)
        if handoff is not None:
            raise Refused("conflict", f"this lead is in handoff {handoff} already", f"cancel {handoff} first")

    async def cancel(self, handoff: str, by: str) -> HandoffView:
        """Call it off: the lead goes on in the dialplan. Raises Refused (conflict) when an agent has
        accepted or it has ended."""
        row_id = await self._resolve(handoff)
        mailbox = self._open.find(row_id)
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
        mailbox = self._open.find(row_id)
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
        return await self._health(len(self._open))

    async def _resolve(self, handoff: str) -> str:
        """An id, or the beginning or end of one that is unique among the latest. Raises Refused
        (not_found, conflict)."""
        if self._open.find(handoff) is not None or await self._journal.get(handoff) is not None:
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
        mailbox = self._open.find(self._open.holding(lead.channel) or "")
        if mailbox is None:
            self._enter(lead, team, options)
        else:
            self._spawn(self._enter_again(mailbox, lead, team, options))

    async def _enter_again(
        self, mailbox: Mailbox, lead: LeadAtDoor, team: str, options: Sequence[str]
    ) -> None:
        """Somebody may have sent the lead here again before their earlier handoff has taken that they
        left it."""
        await mailbox.caught_up()
        if self._open.holding(lead.channel) is None:
            self._enter(lead, team, options)
        else:
            log.info("lead is in a handoff already", channel=lead.channel)

    def _enter(self, lead: LeadAtDoor, team: str, options: Sequence[str]) -> None:
        ticket = next((o.removeprefix("ticket=") for o in options if o.startswith("ticket=")), None)
        fetch = self._fetches.get(ticket) if ticket is not None else None
        if ticket is not None and fetch is None:
            self._spawn(self._open.send_back(lead.channel, "the request that fetched this lead was given up"))
            return
        try:
            if fetch is None:
                request, _ = self._intake.request(lead, team, options, "dialplan")
            else:
                request, _ = self._intake.request(
                    lead, fetch.team, fetch.options, fetch.requested_by, fetch.return_to
                )
        except Refused as refused:
            # A request that cannot be understood must not cost the lead.
            log.warning("lead refused", channel=lead.channel, team=team, why=refused.message)
            words = f"{refused.message} ({refused.remedy})" if refused.remedy else refused.message
            self._spawn(self._open.send_back(lead.channel, words))
            return
        mailbox = self._open.begin(request)
        if fetch is not None:
            self._spawn(self._tell_fetch(fetch, mailbox))

    async def _tell_fetch(self, fetch: _Fetch, mailbox: Mailbox) -> None:
        while mailbox.handoff is None:
            await mailbox.changed()
        if not fetch.arrived.done():
            fetch.arrived.set_result(view(mailbox.handoff))

    def post(self, handoff: str, event: Event) -> None:
        """A fact about a handoff."""
        self._open.post(handoff, event)

    def handoff_of_lead(self, channel: str) -> str | None:
        return self._open.handoff_of_lead(channel)

    async def recover(self) -> None:
        """Take up what the journal has and Asterisk has, after a restart or a reconnect: one path.
        Raises PbxError."""
        found = await self._open.recover()
        for at_door in found.at_door:
            # Came in, but the daemon died before it was in the journal.
            if self._open.handoff_of_lead(at_door.lead.channel) is None:
                log.info("lead found waiting without a handoff", channel=at_door.lead.channel)
                self._enter(at_door.lead, at_door.team, at_door.options)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await self._open.stop()


RECENT = 500
"""Among how many handoffs an abbreviated id is looked up."""


def _options(
    mode: str | None, name: str | None, number: str | None, summary: str | None, details: Mapping[str, str]
) -> tuple[str, ...]:
    given = {"mode": mode, "name": name, "number": number, "summary": summary}
    options = [f"{key}={value}" for key, value in given.items() if value]
    return (*options, *(f"detail.{key}={value}" for key, value in details.items()))
