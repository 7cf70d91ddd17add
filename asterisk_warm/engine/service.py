"""What can be asked of the engine, and what Asterisk's adapter tells it: the front of the whole engine."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from asterisk_warm.core.handoff.events import CancelRequested, Event, QualifierAsked
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.model import Handoff, Status
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import State
from asterisk_warm.engine import codec, reading
from asterisk_warm.engine.agents.dispatcher import Dispatcher
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.entrance.entrance import Entrance
from asterisk_warm.engine.entrance.live import Request
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.executor import Executor
from asterisk_warm.engine.finding import resolve
from asterisk_warm.engine.ids import new_event_id
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.leads.views import OutcomeView
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports.calls import AtDoor, InCall, Location, Transfer
from asterisk_warm.engine.ports.journal import Journal
from asterisk_warm.engine.ports.pbx import Pbx
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.switchboard import Leg, Switchboard
from asterisk_warm.engine.views import HandoffView, Health, JournalLine, StoryLine, view
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

Outcomes = Callable[[str], Awaitable[Sequence[OutcomeView]]]
OUTCOMES_SECONDS = 1.0
"""How long it may take to read them, before a handoff is shown without."""


class HandoffService:
    def __init__(
        self,
        journal: Journal,
        pbx: Pbx,
        executor: Executor,
        intake: Intake,
        agents: AgentService,
        dispatcher: Dispatcher,
        health: Callable[[int], Awaitable[Health]],
        speaker: Speaker,
        outcomes: Outcomes,
    ) -> None:
        """`outcomes` reads what was written down of a handoff, by its id; it may raise Refused."""
        self._outcomes = outcomes
        self._journal = journal
        self._dispatcher = dispatcher
        self._open = Switchboard(journal, pbx, executor, dispatcher.changed, dispatcher.closed)
        self._entrance = Entrance(pbx, self._open, intake, agents, speaker)
        self._health = health

    # -- asked by people (API, CLI) --------------------------------------------------------------------------

    async def start(
        self,
        *,
        destination: Destination,
        channel: str = "",
        qualifier: str = "",
        mode: str | None = None,
        lead_name: str | None = None,
        lead_number: str | None = None,
        summary: str | None = None,
        language: str | None = None,
        qualification: str | None = None,
        details: Mapping[str, str] | None = None,
        holds: Mapping[str, bool] | None = None,
        routing: Mapping[str, str] | None = None,
        return_to: Location | None = None,
        requested_by: str = "api",
    ) -> HandoffView:
        """Hand off the lead of a live call, named by their `channel` or by their `qualifier`'s; or a channel
        that waits in the dialplan (a menu, a queue). When nobody takes the lead they are with the qualifier
        again, or go on after the step they were in, or at `return_to`. `qualification`: the id of the one
        that counts; `holds`: by the names of `gate.TOLD`; `routing`: the options `wait`, `priority` and
        `skills`. Raises Refused."""
        given = {
            "mode": mode,
            "name": lead_name,
            "number": lead_number,
            "summary": summary,
            "language": language,
            "qualification": qualification,
            **(routing or {}),
        }
        options = _options(given, details or {}, holds or {})
        request = Request(destination, options, requested_by, return_to)
        handoff = await self._entrance.start(channel, qualifier, request)
        return view(handoff)

    async def ask(self, handoff: str, action: Action, by: str) -> HandoffView:
        """Do what the qualifier could do by keys. Raises Refused (conflict) when that is not possible now."""
        mailbox = await self._find_open(handoff)
        now = mailbox.handoff
        why_not = refusal(now, action, time.time()) if now is not None else "it has only just been requested"
        row_id = await self._resolve(handoff)
        remedy = f"see `asterisk-warm handoff show {row_id}`"
        if why_not:
            raise Refused("conflict", f"{row_id}: {why_not}", remedy)
        event = QualifierAsked(at=time.time(), event_id=new_event_id(), action=action, by=by)
        follows = await mailbox.ask(event)
        assert mailbox.handoff is not None, "it has just taken an event"
        if not follows:
            was = mailbox.handoff.state
            raise Refused("conflict", f"{row_id} was {was} before {action} was possible", remedy)
        return view(mailbox.handoff)

    async def _find_open(self, handoff: str) -> Mailbox:
        row_id = await self._resolve(handoff)
        mailbox = self._open.find(row_id)
        if mailbox is None or (mailbox.handoff is not None and mailbox.handoff.state.final):
            raise Refused(
                "conflict", f"{row_id} has ended already", f"see `asterisk-warm handoff show {row_id}`"
            )
        return mailbox

    async def cancel(self, handoff: str, by: str) -> HandoffView:
        """Call it off: the lead is with the qualifier again, or goes on in the dialplan. Raises Refused
        (conflict) when lead and agent are together or it has ended."""
        mailbox = await self._find_open(handoff)
        row_id = await self._resolve(handoff)
        if mailbox.handoff is not None and mailbox.handoff.state in _TOO_LATE:
            raise Refused(
                "conflict",
                f"in {row_id} an agent has accepted already",
                "hang up on the phone to end the call",
            )
        await mailbox.ask(CancelRequested(at=time.time(), event_id=new_event_id(), by=by))
        now = mailbox.handoff
        assert now is not None, "it has just taken an event"
        if now.status is not Status.CANCELLED:
            raise Refused("conflict", f"{row_id} was {now.state} before it could be cancelled")
        return view(now)

    async def show(self, handoff: str) -> HandoffView:
        """With what was written down of it."""
        row_id = await self._resolve(handoff)
        now = await self._now(row_id)
        return view(now, await self._written_down(row_id))

    async def _written_down(self, row_id: str) -> Sequence[OutcomeView] | None:
        """None: it cannot be read. Where everybody is is shown all the same."""
        try:
            return await within(self._outcomes(row_id), OUTCOMES_SECONDS)
        except (Refused, TimeoutError) as error:
            why = str(error) or f"not read within {OUTCOMES_SECONDS:g} s"
            log.warning("what was written down of a handoff is not shown", id=row_id, why=why)
            return None

    async def _now(self, row_id: str) -> Handoff:
        """Raises Refused (unreachable)."""
        mailbox = self._open.find(row_id)
        if mailbox is not None and mailbox.handoff is not None:
            return mailbox.handoff
        row = await self._journal.get(row_id)
        if row is None:
            raise Refused("unreachable", f"{row_id} is only just being requested", "try again")
        return codec.decode_handoff(row.snapshot_json)

    async def list(self, *, open_only: bool, limit: int) -> list[HandoffView]:
        """Newest first."""
        rows = await self._journal.list(open_only, limit)
        return [view(codec.decode_handoff(row.snapshot_json)) for row in rows]

    @property
    def open_handoffs(self) -> Sequence[Handoff]:
        """As they are now, without a look into the journal."""
        return self._open.handoffs

    async def story(self, handoff: str) -> Sequence[StoryLine]:
        """With what was written down of it afterwards."""
        row_id = await self._resolve(handoff)
        events = await self._journal.events(row_id)
        # Nothing can be written down of one that is not in the journal yet.
        return reading.story(events, await self._outcomes(row_id) if events else ())

    async def journal(self, handoff: str) -> Sequence[JournalLine]:
        return reading.lines(await self._journal.events(await self._resolve(handoff)))

    async def health(self) -> Health:
        return await self._health(len(self._open))

    async def _resolve(self, handoff: str) -> str:
        """See `finding.resolve`."""
        return handoff if self._open.find(handoff) is not None else await resolve(self._journal, handoff)

    # -- told by the dispatcher ------------------------------------------------------------------------------

    async def tell(self, handoff: str, event: Event) -> bool:
        """Whether anything follows from the event, once the handoff has taken it. Raises Refused."""
        mailbox = self._open.find(handoff)
        if mailbox is None:
            raise Refused("not_found", "it is not open any more")
        return await mailbox.ask(event)

    # -- told by Asterisk's adapter --------------------------------------------------------------------------

    def entered(self, at_door: AtDoor) -> None:
        """A channel has entered our application, through our dialplan."""
        self._entrance.entered(at_door)

    def asked_in_call(self, asked: InCall) -> None:
        """A feature code was dialled in a call, or a phone made ready for its Transfer key."""
        self._entrance.asked_in_call(asked)

    def transfer_asked(self, transfer: Transfer) -> None:
        """A phone's Transfer key was pressed."""
        self._entrance.transfer_asked(transfer)

    def post(self, handoff: str, event: Event) -> None:
        """A fact about a handoff."""
        self._open.post(handoff, event)

    def leg_of(self, channel: str) -> Leg | None:
        """Whose events those of a channel are."""
        return self._open.leg_of(channel)

    def replaced(self, channel: str, by: str, at: float, event_id: str) -> None:
        """Another channel has come in the place of one of ours."""
        self._open.replaced(channel, by, at, event_id)

    async def recover(self) -> None:
        """Take up what the journal has and Asterisk has, after a restart or a reconnect: one path.
        Raises PbxError."""
        found = await self._open.recover()
        self._dispatcher.recovered()
        for at_door in found.at_door:
            # Came in, but the daemon died before it was in the journal.
            if self._open.leg_of(at_door.lead.channel) is None:
                log.info("lead found waiting without a handoff", channel=at_door.lead.channel)
                self._entrance.entered(at_door)

    async def stop(self) -> None:
        """Stop deciding; every call stays as it is in Asterisk, and every handoff in the journal."""
        await self._open.stop()


_TOO_LATE = frozenset({State.INTRODUCING, State.CONNECTED, State.RETURNING})


def _options(
    given: Mapping[str, str | None], details: Mapping[str, str], holds: Mapping[str, bool]
) -> tuple[str, ...]:
    options = [f"{key}={value}" for key, value in given.items() if value]
    options += [f"{key}={'yes' if value else 'no'}" for key, value in holds.items()]
    return (*options, *(f"detail.{key}={value}" for key, value in details.items()))
