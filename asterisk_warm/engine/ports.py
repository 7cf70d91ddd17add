"""What the engine needs from outside, as Protocols; the daemon chooses who provides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from asterisk_warm.core.handoff.commands import Progress


class PbxError(Exception):
    """An order to Asterisk was not carried out; the message says why, in words."""


class LegGone(PbxError):
    """The channel that was addressed no longer exists."""


class PbxRefused(PbxError):
    """Asterisk answered, and said no (unknown endpoint, wrong state, missing sound)."""


class EndpointUnreachable(PbxRefused):
    """The phone cannot be called now: not registered, or not known to Asterisk."""


class PbxUnreachable(PbxError):
    """Asterisk did not answer in time, or the connection is down: whether the order was carried out is
    unknown."""


class JournalError(Exception):
    """The journal could not be written or read (disk full, database gone); the message says where, and
    the remedy."""


class SpeechUnavailable(Exception):
    """No speech engine could render the text; the message says why."""


@dataclass(frozen=True, slots=True)
class FoundChannel:
    """One channel as Asterisk has it now."""

    id: str
    up: bool
    """True when answered."""
    bridge: str | None
    """Id of the ARI bridge it is in, if any."""
    in_stasis: bool
    """True when it is in our application."""


@dataclass(frozen=True, slots=True)
class LeadAtDoor:
    """A channel that has entered our application."""

    channel: str
    shown_name: str
    shown_number: str
    """Caller ID."""
    variables: Mapping[str, str]
    """Its `WARM_LEAD_*` channel variables."""


class Door(StrEnum):
    """What a channel has come in for."""

    HANDOFF = "handoff"
    """A lead, to be handed to a team."""
    CONSULT = "consult"
    """A qualifier, in a second call from the phone on which they have the lead on hold."""


@dataclass(frozen=True, slots=True)
class AtDoor:
    """A channel in our application, with what it came in for."""

    lead: LeadAtDoor
    team: str
    options: Sequence[str]
    door: Door = Door.HANDOFF


class Wish(StrEnum):
    """What can be asked for by a feature code in a call."""

    STAY = "stay"
    CONSULT = "consult"
    AUTO = "auto"
    WHO = "who"
    """To hear who is free."""
    ARM = "arm"
    """The phone's Transfer key is to come to us."""


@dataclass(frozen=True, slots=True)
class InCall:
    """A feature code, dialled by a qualifier in a call that is not ours."""

    channel: str
    """The qualifier's."""
    wish: Wish
    team: str
    """Empty: that of the channel."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A phone's Transfer key, pressed in a call (SIP REFER)."""

    channel: str
    """The phone's channel in that call."""
    number: str
    """What was dialled; empty in an attended transfer."""
    consult: str = ""
    """In an attended transfer, the phone's channel in its other call."""
    attended: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What Asterisk really has: the ground truth a restart is reconciled with."""

    channels: Mapping[str, FoundChannel]
    bridges: frozenset[str]
    at_door: Sequence[AtDoor] = ()
    """Every lead in our application, whether or not a handoff has it."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the dialplan."""

    context: str
    extension: str
    priority: int


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody's channel, as Asterisk has it."""

    channel: str
    name: str
    """Of the caller ID."""
    number: str
    endpoint: str
    """The device it belongs to, where it can be rung again (`PJSIP/quinn`); empty: none."""
    place: Location | None
    """Where in the dialplan it goes on when what it does now is over; None: nowhere."""
    kept: bool = False
    """It is in our own part of the dialplan: where it goes on was written down when it came."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A channel, and what it does."""

    party: Party
    talking: bool
    peer: Party | None
    """The one it talks to; None when there is none, or more than one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A name and number, as phones show them."""

    name: str
    number: str


class Pbx(Protocol):
    """Control of Asterisk. Every method is idempotent, has a time-out of its own and raises only
    `PbxError`s."""

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        """Answer the lead, start music on its channel, make the handoff's bridge
        (`mixing,dtmf_events`, id `bridge`), put the lead in it, and set the variables on its channel.
        Music class `""` means Asterisk's default."""

    async def hold_music(self, lead: str, music: str) -> None:
        """(Re)start music on the lead's channel."""

    async def ring(
        self,
        leg: str,
        lead: str,
        endpoint: str,
        caller: Shown,
        called: Shown,
        seconds: float,
        variables: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> None:
        """Create channel `leg` to `endpoint` and dial it on behalf of the lead's channel (in call records
        they belong together), showing the `caller`; `called` is what others' phones will show of it.
        `headers` are of the INVITE, where the endpoint is a SIP phone. What
        becomes of it (ringing, answered, busy, …) arrives as events. If a channel of that id exists
        already and is ours, go on from where it is. Raises EndpointUnreachable where the phone cannot be
        called now."""

    async def play(self, channel: str, playback: str, media: Sequence[str]) -> None:
        """Play sounds (`sound:…` URIs, in order) on one channel; `PlaybackEnded` follows."""

    async def play_to_lead(self, lead: str, playback: str, media: Sequence[str]) -> None:
        """Interrupt the lead's music with sounds; it resumes by itself, and `PlaybackEnded` follows."""

    async def stop_playback(self, playback: str) -> None:
        """Stop it; already ended is fine."""

    async def join(
        self,
        lead: str,
        agent: str,
        bridge: str,
        stop: Sequence[str],
        introduction: Sequence[str],
        playback: str,
        *,
        agent_waits: bool = False,
    ) -> None:
        """The fastest safe join: in parallel stop the playbacks in `stop`, stop the lead's music, add
        the agent to the bridge, and, where `introduction` is not empty, play it to lead (as
        `playback`) and agent together. Then verify that the music is off. An agent who waits hears music
        until then."""

    async def take_over(
        self,
        lead: str,
        other: str,
        bridge: str,
        places: Mapping[str, Location],
        variables: Mapping[str, str],
        *,
        drop: bool,
    ) -> None:
        """Bring two channels that talk to each other outside our application into the handoff's bridge,
        unnoticed: at most two frames are lost each way. `places`: where each of them goes on in the
        dialplan afterwards; who is not in it keeps the place it has. `variables` are
        the lead's. With `drop` only the lead is kept, and the other one's phone is told that its transfer
        has succeeded. Without an `other` ("") the lead comes alone, from wherever they are."""

    async def join_qualifier(self, lead: str, qualifier: str, bridge: str, stop: Sequence[str]) -> None:
        """Put the qualifier in the lead's bridge, wherever they are; stop the playbacks and the music."""

    async def set_aside(self, qualifier: str, bridges: Sequence[str]) -> None:
        """Take the qualifier out of whichever bridge they are in, answered, and let them hear ringing."""

    async def consult(
        self, qualifier: str, agent: str, bridge: str, stop: Sequence[str], *, agent_waits: bool
    ) -> None:
        """Put qualifier and agent in a bridge of their own (made if need be); stop the playbacks, and the
        music of an agent who waits."""

    async def tell(self, channel: str, leg: str, playback: str, media: Sequence[str]) -> None:
        """Say something into the ear of a channel that talks to others, who hear nothing of it and are heard
        all along; by a channel `leg` of ours, which is gone again at the end. Takes as long as the sounds."""

    async def tell_phone(self, channel: str, progress: Progress) -> None:
        """Tell a phone that asked for a transfer (SIP REFER) how it goes. Where Asterisk cannot, nothing."""

    async def show(self, channel: str, shown: Shown) -> None:
        """What the phone at that channel shows as the other end."""

    async def release(self, channel: str) -> None:
        """Let a channel go on in the dialplan, where its Stasis() stands."""

    async def log_queue(self, queue: str, event: str, agent: str, message: str, unique_id: str) -> None:
        """Write a line to Asterisk's queue_log."""

    async def let_go(self, first: str, second: str, variables: Mapping[str, str]) -> None:
        """Give a talking pair to a plain dialplan bridge (context `warm-connected`), where they need
        neither us nor Stasis. The variables are the first one's."""

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        """Set the variables, then send the lead on in the dialplan: after its Stasis(), or to a given
        place."""

    async def hang_up(self, channel: str) -> None:
        """Hang up a leg of ours. Raises LegGone when there is none."""

    async def close_bridge(self, bridge: str) -> None:
        """Remove the handoff's bridge; already gone is fine."""

    # -- questions that agents ask back --

    async def record(self, channel: str, recording: str, media: Sequence[str], seconds: float) -> None:
        """Play sounds on a channel that is in no bridge, then record what is said there, until a key, two
        seconds of silence, or so many seconds. `Recorded` follows."""

    async def record_within(
        self, channel: str, leg: str, recording: str, seconds: float, *, all: bool
    ) -> None:
        """Record what is said from now on by a channel in a bridge (with `all`, by the others there too), as
        it talks on; by a channel `leg` of ours, which is gone again at the end. Until two seconds of silence
        after something was said, or so many seconds. `Recorded` follows."""

    async def stop_recording(self, recording: str) -> None:
        """End it, and keep nothing; already over is fine. What is recorded by a leg of ours: hang that up."""

    async def has_recording(self, recording: str) -> bool:
        """Is there a stored one of that name?"""

    async def forget_recording(self, recording: str) -> None:
        """Delete a stored one; already gone is fine."""

    async def look(self) -> Found:
        """Read all channels and bridges."""

    async def locate(self, channel: str) -> Whereabouts:
        """A channel of Asterisk's (given by id or name), what it does, and with whom. Raises LegGone when
        there is none."""

    async def other_call(self, channel: str) -> tuple[Party, Party] | None:
        """Another call of the phone that a channel belongs to: the phone's own channel in it, and the one it
        talks to (or has on hold). None when there is none, or more than one."""

    async def watch(self, channel: str) -> None:
        """Be told from here on what happens to a channel that is not in our application."""

    async def lead_variables(self, channel: str) -> Mapping[str, str]:
        """A channel's `WARM_LEAD_*` variables, wherever it is."""

    async def team_of(self, channel: str) -> str:
        """The team of a qualifier's feature codes, as `warm-arm` has set it; empty: none."""

    async def transfer(self, channel: str, by: str, number: str) -> bool:
        """Send a channel to a number as the phone at channel `by` may dial it; False when there is no such
        number."""

    async def connect(self, lead: str, peer: str, by: str, on: Location | None) -> None:
        """Bring the two together whom a phone talks to in its two calls, outside our application; the phone
        (`by`, in its call with the lead) is told that its transfer succeeded. Where the lead goes on after
        the talk: `on`; None: it knows."""

    async def fetch_lead(self, channel: str, location: Location | None, arguments: Sequence[str]) -> None:
        """Bring a channel that is in the dialplan into our application (AMI Redirect), as if it had
        called Stasis() there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal record: an event, what the handoff became by it, and the orders that follow."""

    handoff: str
    event_id: str
    at: float
    """Seconds since the epoch."""
    event: str
    """Kind of the event (class name)."""
    event_json: bytes
    snapshot_json: bytes
    state: str
    team: str
    lead_channel: str
    lead_name: str
    lead_number: str
    settled: bool
    """Nothing is left to do for this handoff: it need not be loaded at a restart."""
    commands: Sequence[tuple[str, bytes]]
    """(kind, JSON) in order."""
    done: Sequence[int]
    """Outbox ids whose outcome this event is, or that were finished since."""
    agent: str = ""
    """Id of the agent who got the lead; empty: nobody yet."""
    joined_at: float | None = None
    """Since when the agent talks to the lead."""
    ended_at: float | None = None
    """When that talk ended."""
    node: str = ""
    """The daemon that runs this handoff; empty: the one that writes this."""


@dataclass(frozen=True, slots=True)
class StoredHandoff:
    """An unsettled handoff as a restart finds it."""

    id: str
    snapshot_json: bytes
    pending: Sequence[tuple[int, str, bytes]]
    """Outbox commands not marked done: (outbox id, kind, JSON), oldest first."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One journal line, as read back."""

    seq: int
    at: float
    event: str
    event_json: bytes
    state: str
    """The handoff's state after the event."""
    commands: Sequence[tuple[str, bytes, float | None]]
    """(kind, JSON, done_at or None)."""


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """A line of `handoff list`."""

    id: str
    state: str
    team: str
    lead_channel: str
    lead_name: str
    lead_number: str
    created_at: float
    updated_at: float
    settled: bool
    snapshot_json: bytes


class Journal(Protocol):
    """The write-ahead journal. `commit` is one database transaction. Every method may raise JournalError."""

    async def commit(self, entry: Entry) -> Sequence[int] | None:
        """Append the event, save the snapshot, insert the commands, mark `done` ones; returns the new
        commands' outbox ids, in order. An event_id already stored for that handoff is ignored as a
        duplicate and returns None."""

    async def mark_done(self, outbox_ids: Sequence[int], at: float) -> None: ...

    async def unsettled(self) -> Sequence[StoredHandoff]: ...

    async def events(self, handoff: str) -> Sequence[StoredEvent]: ...

    async def get(self, handoff: str) -> HandoffRow | None: ...

    async def list(self, open_only: bool, limit: int) -> Sequence[HandoffRow]: ...

    async def of_lead(self, number: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs of a lead by their number, newest first."""

    async def of_agent(self, agent: str, limit: int) -> Sequence[HandoffRow]:
        """The handoffs whose lead an agent has talked to, the latest talk first."""


class Speaker(Protocol):
    """Text to sounds. Languages are two letters, `es`; empty, or one without a voice: the first engine's."""

    async def prepare(self, lines: Sequence[str], language: str = "") -> Sequence[str]:
        """For each line its sound URI, rendered if not cached. Raises SpeechUnavailable."""

    def spoken(self, text: str, language: str = "") -> str | None:
        """The sound URI of a text that has been rendered; None when it has not. At once, without
        rendering."""

    def prompt(self, name: str, language: str = "") -> str:
        """The sound URI of a shipped prompt, in that language where there is one."""
