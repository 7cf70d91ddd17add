"""What can be asked of Asterisk, and how that can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.engine.ports.calls import Found, Location, Party, Shown, Whereabouts


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
