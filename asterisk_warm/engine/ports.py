"""What the engine needs from outside, as Protocols; `daemon.py` chooses who provides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class AtDoor:
    """A lead in our application, with what it came in for."""

    lead: LeadAtDoor
    team: str
    options: Sequence[str]


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


class Pbx(Protocol):
    """Control of Asterisk. Every method is idempotent, has a time-out of its own and raises only
    `PbxError`s."""

    async def secure_lead(self, lead: str, bridge: str, music: str, variables: Mapping[str, str]) -> None:
        """Answer the lead, start music on its channel, make the handoff's bridge
        (`mixing,dtmf_events`, id `bridge`), put the lead in it, and set the variables on its channel.
        Music class `""` means Asterisk's default."""

    async def hold_music(self, lead: str, music: str) -> None:
        """(Re)start music on the lead's channel."""

    async def devices(self, endpoints: Sequence[str]) -> Mapping[str, str]:
        """Device state of each endpoint (`PJSIP/ana`), in Asterisk's words: NOT_INUSE, INUSE, BUSY,
        UNAVAILABLE, RINGING, …"""

    async def ring(
        self,
        leg: str,
        lead: str,
        endpoint: str,
        name: str,
        number: str,
        seconds: float,
        variables: Mapping[str, str],
    ) -> None:
        """Create channel `leg` to `endpoint` and dial it on behalf of the lead's channel (in call records
        they belong together), showing the lead's name and number. What becomes of it (ringing, answered,
        busy, …) arrives as events. If a channel of that id exists already and is ours, go on from where
        it is. Raises EndpointUnreachable where the phone cannot be called now."""

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
    ) -> None:
        """The fastest safe join: in parallel stop the playbacks in `stop`, stop the lead's music, add
        the agent to the bridge, and, where `introduction` is not empty, play it to lead (as
        `playback`) and agent together. Then verify that the music is off."""

    async def let_go(self, lead: str, agent: str, variables: Mapping[str, str]) -> None:
        """Give the talking pair to a plain dialplan bridge (context `warm-connected`), where they
        need neither us nor Stasis."""

    async def return_lead(self, lead: str, variables: Mapping[str, str], to: Location | None) -> None:
        """Set the variables, then send the lead on in the dialplan: after its Stasis(), or to a given
        place."""

    async def hang_up(self, channel: str) -> None:
        """Hang up a leg of ours. Raises LegGone when there is none."""

    async def close_bridge(self, bridge: str) -> None:
        """Remove the handoff's bridge; already gone is fine."""

    async def look(self) -> Found:
        """Read all channels and bridges."""

    async def locate(self, channel: str) -> tuple[str, Location | None]:
        """The id of a channel of Asterisk's (given by id or name), and where in the dialplan it is:
        None when it is talking in a bridge. Raises LegGone when there is none."""

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


class Speaker(Protocol):
    """Text to sounds."""

    async def prepare(self, lines: Sequence[str]) -> Sequence[str]:
        """For each line its sound URI, rendered if not cached. Raises SpeechUnavailable."""

    def spoken(self, text: str) -> str | None:
        """The sound URI of a text that has been rendered; None when it has not. At once, without
        rendering."""

    def prompt(self, name: str) -> str:
        """The sound URI of a shipped prompt."""
