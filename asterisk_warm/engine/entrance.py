"""The ways in: a lead at the door, a live call that is taken over, a feature code, a phone's Transfer key."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import structlog

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.events import HandoffRequested, QualifierAsked
from asterisk_warm.core.handoff.handlers.qualifier import refusal
from asterisk_warm.core.handoff.ids import aside_leg, playback_id
from asterisk_warm.core.handoff.model import LOST, Handoff, Playing, Qualifier, ReturnPlace, Status
from asterisk_warm.core.handoff.options import TICKET
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.directory import Destination, Team
from asterisk_warm.engine.errors import NotAllowed, Refused
from asterisk_warm.engine.executor import BYE
from asterisk_warm.engine.ids import new_event_id, new_handoff_id
from asterisk_warm.engine.intake import Intake
from asterisk_warm.engine.mailbox import Mailbox
from asterisk_warm.engine.ports import (
    AtDoor,
    Door,
    InCall,
    LeadAtDoor,
    LegGone,
    Location,
    Party,
    Pbx,
    PbxError,
    Speaker,
    SpeechUnavailable,
    Transfer,
    Whereabouts,
    Wish,
)
from asterisk_warm.engine.switchboard import Switchboard
from asterisk_warm.engine.within import within

log = structlog.get_logger(__name__)

FETCH_SECONDS = 5.0
"""How long a channel may take from the dialplan into our application."""
SPEECH_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, whoever the lead is."""

    destination: Destination
    options: Sequence[str]
    requested_by: str
    return_to: Location | None = None


@dataclass(slots=True)
class _Fetch:
    """A request that waits for its lead to arrive from the dialplan."""

    team: Team
    options: Sequence[str]
    requested_by: str
    return_to: ReturnPlace
    arrived: asyncio.Future[Handoff]


class Entrance:
    def __init__(
        self, pbx: Pbx, open_handoffs: Switchboard, intake: Intake, agents: AgentService, speaker: Speaker
    ) -> None:
        self._pbx = pbx
        self._open = open_handoffs
        self._intake = intake
        self._agents = agents
        self._speaker = speaker
        self._fetches: dict[str, _Fetch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- by request ------------------------------------------------------------------------------------------

    async def start(self, channel: str, qualifier: str, request: Request) -> Handoff:
        """Of a live call, or of a channel that waits in the dialplan. Raises Refused."""
        if bool(channel) == bool(qualifier):
            raise Refused(
                "invalid", "the lead's or the qualifier's channel must be given", "give one of them"
            )
        team = self._intake.directory.find(request.destination)
        here = await self._locate(channel or qualifier)
        self._refuse_if_in_handoff(here.party.channel)
        if here.peer is not None:
            lead, by = (here.party, here.peer) if channel else (here.peer, here.party)
            return await self._take_over(lead, by, team, request)
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

    async def _locate(self, channel: str) -> Whereabouts:
        try:
            return await self._pbx.locate(channel)
        except LegGone as gone:
            raise Refused(
                "not_found", f'no channel "{channel}" in Asterisk', "see `core show channels`"
            ) from gone
        except PbxError as error:
            raise Refused("unreachable", f"Asterisk did not say where the channel is: {error}") from error

    def _refuse_if_in_handoff(self, *channels: str) -> None:
        for channel in channels:
            handoff = self._open.holding(channel)
            if handoff is not None:
                raise Refused(
                    "conflict", f"this call is in handoff {handoff} already", f"cancel {handoff} first"
                )

    async def _take_over(
        self, lead: Party, by: Party, team: Team, request: Request, *, refer: bool = False, held: str = ""
    ) -> Handoff:
        """A call of two becomes a handoff; it is in the journal before the call is touched."""
        self._refuse_if_in_handoff(lead.channel, by.channel)
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
        try:
            described = await self._pbx.lead_variables(lead.channel)
        except LegGone as gone:
            raise Refused("not_found", f'channel "{lead.channel}" has hung up') from gone
        except PbxError as error:
            raise Refused("unreachable", f"the call could not be looked at: {error}") from error
        at_door = LeadAtDoor(lead.channel, lead.name, lead.number, described)
        asked = await self._intake.request(
            at_door, team, request.options, request.requested_by, back, qualifier
        )
        # Somebody else may have asked for it meanwhile.
        self._refuse_if_in_handoff(lead.channel, by.channel)
        if not refer:
            _raise_if_refused(asked)
        return await self._begun(self._open.begin(asked))

    @staticmethod
    async def _begun(mailbox: Mailbox) -> Handoff:
        """Once it is in the journal. Raises Refused (unreachable)."""
        try:
            while mailbox.handoff is None:
                await within(mailbox.changed(), FETCH_SECONDS)
        except TimeoutError as error:
            words = f"it was not written to the journal within {FETCH_SECONDS:g} s"
            raise Refused("unreachable", words) from error
        return mailbox.handoff

    async def _fetch(self, lead: Party, team: Team, request: Request) -> Handoff:
        """A channel that waits in the dialplan comes to us by itself, through our context."""
        # Whatever can be refused is refused before the channel is touched.
        self._refuse_if_in_handoff(lead.channel)
        described = await self._variables(lead.channel)
        at_door = LeadAtDoor(lead.channel, lead.name, lead.number, described)
        _raise_if_refused(await self._intake.request(at_door, team, request.options, request.requested_by))
        self._refuse_if_in_handoff(lead.channel)
        back = request.return_to or lead.place
        if back is None:
            raise Refused(
                "conflict", f"{lead.channel} has no place in the dialplan to go on", "give `return_to`"
            )
        ticket = secrets.token_hex(8)
        arrived: asyncio.Future[Handoff] = asyncio.get_running_loop().create_future()
        place = ReturnPlace(back.context, back.extension, back.priority)
        self._fetches[ticket] = _Fetch(team, request.options, request.requested_by, place, arrived)
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

    # -- by the dialplan -------------------------------------------------------------------------------------

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
        fetch = self._fetches.get(ticket) if ticket is not None else None
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
            self._spawn(self._tell_fetch(fetch, mailbox))

    def _send_back(self, at_door: AtDoor, refused: Refused) -> None:
        """A request that cannot be met must not cost the lead."""
        channel = at_door.lead.channel
        log.warning("lead refused", channel=channel, team=at_door.team, why=refused.message)
        words = f"{refused.message} ({refused.remedy})" if refused.remedy else refused.message
        status = refused.status if isinstance(refused, NotAllowed) else Status.ERROR.value
        self._spawn(self._open.send_back(channel, words, status))

    async def _tell_fetch(self, fetch: _Fetch, mailbox: Mailbox) -> None:
        with suppress(Refused):  # Then whoever asked is told that it did not arrive in time.
            handoff = await self._begun(mailbox)
            if not fetch.arrived.done():
                fetch.arrived.set_result(handoff)

    async def _consult(self, at_door: AtDoor) -> None:
        """A second call of a phone that has a lead on hold: its Transfer key, pressed again, completes."""
        channel = at_door.lead.channel
        try:
            team = self._intake.directory.team(at_door.team)
            calls = await self._pbx.other_call(channel)
            if calls is None:
                raise Refused("conflict", "this phone has no other call, or more than one, to hand off")
            held, lead = calls
            by = (await self._locate(channel)).party
            # Its own way on is after its Stasis().
            by = replace(
                by, place=None, kept=False, name=by.name or held.name, number=by.number or held.number
            )
            for watched in (lead.channel, held.channel):
                await self._pbx.watch(watched)
            request = Request(Destination(team=team.id), (*at_door.options, "mode=consult"), "phone")
            await self._take_over(lead, by, team, request, held=held.channel)
        except Refused as refused:
            self._send_back(at_door, refused)
        except PbxError as error:
            self._send_back(at_door, Refused("unreachable", str(error)))

    # -- by keys in a call -----------------------------------------------------------------------------------

    def asked_in_call(self, asked: InCall) -> None:
        self._spawn(self._asked_in_call(asked))

    async def _asked_in_call(self, asked: InCall) -> None:
        try:
            if asked.wish is Wish.ARM:
                await self._pbx.watch(asked.channel)
                return
            team = self._intake.directory.team(asked.team or await self._pbx.team_of(asked.channel))
            if asked.wish is Wish.WHO:
                await self._say(asked.channel, who_words(team, self._agents.why_not(team)))
                return
            here = await self._locate(asked.channel)
            if here.peer is None:
                raise Refused("conflict", "there is nobody on the line to hand off")
            request = Request(Destination(team=team.id), (f"mode={asked.wish.value}",), "feature code")
            await self._take_over(here.peer, here.party, team, request)
        except Refused as refused:
            log.warning("a feature code was refused", channel=asked.channel, why=refused.message)
            await self._say(asked.channel, refused.message)
        except PbxError as error:
            log.warning("a feature code failed", channel=asked.channel, why=str(error))

    async def _say(self, channel: str, words: str) -> None:
        """To the qualifier alone."""
        sound = None
        try:
            (sound,) = await within(self._speaker.prepare([words]), SPEECH_SECONDS)
        except (SpeechUnavailable, TimeoutError) as error:
            log.info("not spoken", words=words, why=str(error))
        # Of no handoff: an id of its own names the channel that speaks.
        name = new_handoff_id()
        try:
            await self._pbx.tell(
                channel,
                aside_leg(name, 1),
                playback_id(name, Playing.ASIDE, 1),
                [sound or self._speaker.prompt("refused")],
            )
        except PbxError as error:
            log.info("nobody heard it", channel=channel, why=str(error))

    # -- by a phone's Transfer key ---------------------------------------------------------------------------

    def transfer_asked(self, transfer: Transfer) -> None:
        self._spawn(self._transfer_asked(transfer))

    async def _transfer_asked(self, transfer: Transfer) -> None:
        try:
            if transfer.attended:
                await self._attended(transfer)
            else:
                await self._blind(transfer)
        except (Refused, PbxError) as error:
            log.warning("a transfer was refused", channel=transfer.channel, why=str(error))
            with suppress(PbxError):
                await self._pbx.tell_phone(transfer.channel, Progress.UNAVAILABLE)
            await self._say(transfer.channel, str(error))

    async def _blind(self, transfer: Transfer) -> None:
        """To one of ours: a handoff. To any other number: as the phone could dial it itself."""
        here = await self._locate(transfer.channel)
        if here.peer is None:
            raise Refused("conflict", "there is nobody on the line to transfer")
        directory = self._intake.directory
        team = directory.dialled(transfer.number)
        if team is None:
            self._refuse_if_in_handoff(here.party.channel)
            if await self._pbx.transfer(here.peer.channel, transfer.channel, transfer.number):
                return
            # Only what is ours can be told that there is nobody: a handoff that ends at once.
            team = directory.nobody(transfer.number[:40])
        request = Request(Destination(), (f"mode={team.transfer_mode.value}",), "phone")
        await self._take_over(here.peer, here.party, team, request, refer=True)

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
        first, second = await self._locate(transfer.channel), await self._locate(transfer.consult)
        lead, peer, dialled = first.peer, second.peer, second.party.place
        if lead is None:
            raise Refused("conflict", "there is nobody on the line to transfer")
        if peer is not None:
            back = None if lead.kept else lead.place or Location(BYE.context, BYE.extension, BYE.priority)
            await self._pbx.connect(lead.channel, peer.channel, transfer.channel, back)
        elif dialled is None or not await self._pbx.transfer(
            lead.channel, transfer.channel, dialled.extension
        ):
            raise Refused("conflict", "there is nobody in the other call")

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _raise_if_refused(request: HandoffRequested) -> None:
    if request.refusal is not None:
        raise NotAllowed(request.refusal.status.value, request.refusal.reason)


def who_words(team: Team, why_not: Mapping[str, str]) -> str:
    """Who is free, as it is said to a qualifier."""
    names = [agent.name for agent in team.agents if not why_not.get(agent.id, "?")]
    if not names:
        return f"Nobody of {team.name} is free."
    if len(names) == 1:
        return f"{names[0]} is free."
    return f"{', '.join(names[:-1])} and {names[-1]} are free."


def _place(location: Location | None) -> ReturnPlace | None:
    if location is None:
        return None
    return ReturnPlace(location.context, location.extension, location.priority)
