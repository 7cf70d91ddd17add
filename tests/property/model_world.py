"""The truth of the simulated Asterisk: which channels, bridges and playbacks exist, what people do to them, and
what orders mean."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.ids import (
    consult_id,
    owner_of_bridge,
    parse_agent_leg,
    parse_aside_leg,
    parse_playback,
    parse_recording,
)
from asterisk_warm.core.handoff.model import LEAD as LEAD_LEG
from asterisk_warm.core.handoff.model import QUALIFIER as QUALIFIER_LEG
from asterisk_warm.core.handoff.model import Outcome, Playing, agent_name
from asterisk_warm.engine.ports.calls import AtDoor, Door, Found, FoundChannel, LeadAtDoor, Location, Shown
from asterisk_warm.engine.ports.pbx import LegGone, PbxRefused

LEAD = "lead-1"
QUALIFIER = "qualifier-1"
HELD = "held-1"
"""The qualifier's phone in its other call, in which it has the lead on hold."""
PLACE = Location("incoming", "s", 3)
"""Where the lead goes on in the dialplan."""
PEOPLE = {
    LEAD: ("Grant", "+15550100", "PJSIP/trunk"),
    QUALIFIER: ("Quinn", "200", "PJSIP/quinn"),
    HELD: ("Quinn", "200", "PJSIP/quinn"),
}
"""Channel → name, number and device."""

WhoseLeg = tuple[str, str]
"""(handoff id, leg)."""


def lead_at_door(channel: str) -> LeadAtDoor:
    return LeadAtDoor(channel, "Grant", "+15550100", {})


@dataclass(slots=True)
class Leg:
    """A channel."""

    id: str
    up: bool = False
    dialed: bool = False
    in_app: bool = True
    bridge: str | None = None
    music: bool = False
    ringback: bool = False
    """Hears ringing, made by us."""
    talks_to: str | None = None
    """The other channel in a bridge of Asterisk's own: before the handoff, or after letting go."""
    goes_on: bool = False
    """Whether it has a place in the dialplan after that talk; else it is hung up with the other one."""
    kept: bool = False
    """In our own part of the dialplan, let go by a handoff."""
    listens_to: str = ""
    """The channel that it records."""
    instead_of: str = ""
    """The channel in whose place this one has come."""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def first_id(self) -> str:
        """Of the channel that it was at first."""
        return self.instead_of or self.id


class World:
    """The truth. People act on it by the methods that are named after what they do; `tell` hears of it as the
    adapters would, if they are connected."""

    def __init__(self, tell: Callable[[str, ev.Event], None], clock: Callable[[], float]) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: set[str] = set()
        self.playbacks: dict[str, str] = {}
        """Playback id → the channel or bridge that hears it."""
        self.heard: list[tuple[str, str]] = []
        """(channel or bridge, sound): all that was ever played."""
        self.recordings: dict[str, str] = {}
        """Name of one that is being made → the channel that is recorded, or that records."""
        self.stored: set[str] = set()
        """Names of recordings that were made to their end."""
        self.headers: dict[str, Mapping[str, str]] = {}
        """Channel → the headers with which its phone was rung."""
        self.handoff = ""
        self.whose: Callable[[str], WhoseLeg | None] = lambda channel: None
        """Whose leg a channel is, as the engine knows it; where it does not, by the channel's name."""
        self.replaced: Callable[[str, str, float, str], None] = lambda old, new, at, event_id: None
        """Hears (channel, by which one it was replaced, time, event id)."""
        self.sent_on: list[Location | None] = []
        self.phone_told: list[Progress] = []
        """What the phone that asked for a transfer was told."""
        self.shown: dict[str, Shown] = {}
        """Channel → what its phone shows as the other end."""
        self.whispered: list[tuple[str, Sequence[str]]] = []
        """(channel, sounds): what was said into one ear alone during a talk."""
        self.queue_log: list[tuple[str, str, str, str, str]] = []
        self.watched: set[str] = set()
        self.transferred: list[tuple[str, str, str]] = []
        """(channel, by which phone's channel, number): sent away by a Transfer key."""
        self._tell = tell
        self._clock = clock
        self._ids = itertools.count()

    # -- what can be asked -----------------------------------------------------------------------------------

    def agents(self) -> dict[int, Leg]:
        found = {parse_agent_leg(leg.first_id): leg for leg in self.legs.values()}
        return {parsed[1]: leg for parsed, leg in found.items() if parsed is not None}

    def _who(self, first_id: str) -> Leg | None:
        return next((leg for leg in self.legs.values() if leg.first_id == first_id), None)

    @property
    def lead(self) -> Leg | None:
        return self._who(LEAD)

    @property
    def qualifier(self) -> Leg | None:
        return self._who(QUALIFIER)

    @property
    def asides(self) -> list[Leg]:
        """Channels by which something is being said into one ear."""
        return [leg for leg in self.legs.values() if parse_aside_leg(leg.id) is not None]

    def hears(self, place: str) -> list[str]:
        """What is being played to a channel or bridge."""
        return [playback for playback, where in self.playbacks.items() if where == place]

    def records(self, place: str) -> list[str]:
        """What is being recorded of a channel, or by it."""
        return [recording for recording, where in self.recordings.items() if where == place]

    def together(self, one: Leg, other: Leg) -> bool:
        """Do they hear each other?"""
        in_ours = one.bridge is not None and one.bridge == other.bridge
        return in_ours or one.talks_to == other.id

    def with_lead(self) -> list[int]:
        """Offers whose agent is in the bridge that the lead is in."""
        lead = self.lead
        if lead is None or lead.bridge is None:
            return []
        return [number for number, leg in self.agents().items() if leg.bridge == lead.bridge]

    def lead_hears_somebody(self) -> bool:
        """Is a human with the lead?"""
        lead = self.lead
        people = [*self.agents().values(), *([self.qualifier] if self.qualifier else [])]
        return lead is not None and any(self.together(lead, leg) for leg in people)

    def found(self) -> Found:
        channels = {
            leg.id: FoundChannel(leg.id, leg.up, leg.bridge if leg.in_app else None, leg.in_app)
            for leg in self.legs.values()
        }
        return Found(channels, frozenset(self.bridges), self._at_door())

    def _at_door(self) -> list[AtDoor]:
        """Who came in through our dialplan, and is not in a handoff as far as Asterisk can tell."""
        waiting = []
        for leg in self.legs.values():
            if leg.in_app and leg.first_id == LEAD:
                waiting.append(AtDoor(lead_at_door(leg.id), "sales", ()))
            if leg.in_app and leg.id == QUALIFIER and HELD in self.legs:
                at_door = LeadAtDoor(QUALIFIER, *PEOPLE[QUALIFIER][:2], {})
                waiting.append(AtDoor(at_door, "sales", (), Door.CONSULT))
        return waiting

    # -- what people do --------------------------------------------------------------------------------------

    def lead_calls(self) -> None:
        """And is at the door."""
        self.legs[LEAD] = Leg(LEAD, up=True)

    def lead_talks_to_qualifier(self) -> None:
        """In a call that the dialplan made."""
        self.legs[LEAD] = Leg(LEAD, up=True, in_app=False, talks_to=QUALIFIER, goes_on=True)
        self.legs[QUALIFIER] = Leg(QUALIFIER, up=True, in_app=False, talks_to=LEAD)

    def qualifier_holds_the_lead_and_calls(self) -> None:
        """In a second call of the same phone, which is at the door."""
        self.legs[LEAD] = Leg(LEAD, up=True, in_app=False, talks_to=HELD, goes_on=True)
        self.legs[HELD] = Leg(HELD, up=True, in_app=False, talks_to=LEAD)
        self.legs[QUALIFIER] = Leg(QUALIFIER, up=True)

    def lead_hangs_up(self) -> None:
        assert self.lead is not None
        self._destroy(self.lead.id)

    def lead_is_taken_away(self) -> None:
        """By something else in Asterisk: a redirect, a pickup."""
        assert self.lead is not None
        self._leave_app(self.lead)

    def qualifier_hangs_up(self) -> None:
        assert self.qualifier is not None
        self._destroy(self.qualifier.id)

    def qualifier_is_taken_away(self) -> None:
        assert self.qualifier is not None
        self._leave_app(self.qualifier)

    def qualifier_presses(self, digits: str) -> None:
        assert self.qualifier is not None
        for digit in digits:
            self._about(self.qualifier, _PRESSED, digit=digit)

    def agent_rings(self, number: int) -> None:
        self._about(self.agents()[number], _RANG)

    def agent_answers(self, number: int) -> None:
        leg = self.agents()[number]
        leg.up = True
        self._about(leg, _ANSWERED)

    def agent_presses(self, number: int, digit: str) -> None:
        """Which also ends what is being recorded there."""
        leg = self.agents()[number]
        self._about(leg, _PRESSED, digit=digit)
        for recording in self.records(leg.id):
            self.recording_ends(recording)

    def agent_ends(self, number: int, outcome: Outcome) -> None:
        leg = self.agents()[number]
        self._destroy(leg.id, Outcome.HUNG_UP if leg.up else outcome)

    def agent_is_taken_away(self, number: int) -> None:
        self._leave_app(self.agents()[number])

    def ends(self, channel: str) -> None:
        """A call that is not ours."""
        self._destroy(channel)

    def playback_ends(self, playback: str, failed: bool = False) -> None:
        if self.playbacks.pop(playback, None) is None:
            return
        parsed = parse_playback(playback)
        assert parsed is not None
        self._post(parsed[0], ev.PlaybackEnded, what=Playing(parsed[1]), number=parsed[2], failed=failed)

    def recording_ends(self, recording: str, failed: bool = False) -> None:
        place = self.recordings.pop(recording, None)
        parsed = parse_recording(recording)
        if place is None or parsed is None:
            return
        if not failed:
            self.stored.add(recording)
        if parse_aside_leg(place) is not None:
            self.legs.pop(place, None)
        self._post(parsed[0], ev.Recorded, number=parsed[1], reply=parsed[2], failed=failed)

    def is_replaced(self, channel: str) -> None:
        """A pickup or a transfer puts another channel into the place of one of ours."""
        old = self.legs.pop(channel)
        new = Leg(f"{old.first_id}+{next(self._ids)}", instead_of=old.first_id)
        for name in ("up", "dialed", "in_app", "bridge", "talks_to", "goes_on", "kept"):
            setattr(new, name, getattr(old, name))
        self.legs[new.id] = new
        if (other := self.legs.get(old.talks_to or "")) is not None:
            other.talks_to = new.id
        self.replaced(channel, new.id, self._clock(), f"w{next(self._ids)}")
        self._silence(channel)

    # -- what the orders mean --------------------------------------------------------------------------------

    def in_app(self, channel: str) -> Leg:
        leg = self.leg(channel)
        if not leg.in_app:
            raise PbxRefused(f"{channel} is not in the application")
        return leg

    def leg(self, channel: str) -> Leg:
        if channel not in self.legs:
            raise LegGone(f"{channel} is gone")
        return self.legs[channel]

    def enter(self, channel: str, bridge: str) -> None:
        if bridge not in self.bridges:
            raise PbxRefused(f"no bridge {bridge}")
        leg = self.in_app(channel)
        leg.bridge, leg.ringback = bridge, False
        if _is_leads(bridge):
            self._about(leg, _JOINED)

    def start(self, playback: str, place: str, media: Sequence[str]) -> None:
        self.playbacks[playback] = place
        self.heard += [(place, sound) for sound in media]

    def record(self, channel: str, recording: str, media: Sequence[str]) -> None:
        leg = self.in_app(channel)
        if leg.bridge is not None:
            raise PbxRefused(f"{channel} is in a bridge")
        self.heard += [(channel, sound) for sound in media]
        self.recordings[recording] = channel

    def record_within(self, channel: str, by: str, recording: str) -> None:
        self.leg(channel)
        self.legs[by] = Leg(by, up=True, listens_to=channel)
        self.recordings[recording] = by

    def fetch(self, first: str, second: str) -> None:
        """Two who talk to each other outside are in our application in the next moment."""
        legs = [self.leg(first), self.leg(second)]
        apart = legs[0].talks_to != second
        if apart and not all(leg.in_app for leg in legs):
            raise PbxRefused("they do not talk to each other")
        for leg in legs:
            leg.in_app, leg.talks_to = True, None

    def come(self, channel: str) -> None:
        """From wherever it is; who talked to it there goes on alone."""
        leg = self.leg(channel)
        other = self.legs.get(leg.talks_to or "")
        leg.in_app, leg.talks_to = True, None
        if other is not None:
            other.talks_to = None
            if not other.goes_on:
                self._destroy(other.id)

    def fetch_one(self, channel: str, other: str) -> None:
        """The one comes to us; the other one's phone has transferred its call, and it ends."""
        leg = self.leg(channel)
        if not leg.in_app and leg.talks_to != other:
            raise PbxRefused("they do not talk to each other")
        leg.in_app, leg.talks_to = True, None
        if other in self.legs:
            self.phone_told.append(Progress.ANSWERED)
            self.legs[other].talks_to = None
            self._destroy(other)

    def set_aside(self, channel: str) -> None:
        leg = self.in_app(channel)
        leg.bridge, leg.ringback = None, True

    def whisper(self, channel: str, leg: str, playback: str, media: Sequence[str]) -> None:
        self.leg(channel)
        self.whispered.append((channel, media))
        self.legs[leg] = Leg(leg, up=True)
        self.start(playback, leg, media)

    def whispered_out(self, leg: str) -> None:
        """All has been said."""
        for playback in self.hears(leg):
            self.playback_ends(playback)
        self.legs.pop(leg, None)

    def pair(self, first: str, second: str) -> None:
        """The talking pair moves to a bridge of Asterisk's own."""
        one, other = self.leg(first), self.leg(second)
        if one.talks_to == second:
            return
        if not (one.in_app and other.in_app):
            raise PbxRefused("one of them is not in the application")
        self._talk(one, other)
        one.kept = other.kept = True
        self._leave_app(one)
        self._leave_app(other)

    def connect(self, first: str, second: str) -> None:
        """Two who talk to others outside talk to each other."""
        legs = self.leg(first), self.leg(second)
        for leg in legs:
            old = self.legs.get(leg.talks_to or "")
            leg.talks_to = None
            if old is not None and old not in legs:
                old.talks_to = None
                self._destroy(old.id)
        self._talk(*legs)

    @staticmethod
    def _talk(first: Leg, second: Leg) -> None:
        first.talks_to, second.talks_to = second.id, first.id
        first.goes_on, second.goes_on = True, False

    def send_on(self, channel: str, to: Location | None) -> None:
        leg = self.leg(channel)
        if leg.in_app:
            self.sent_on.append(to)
            self._leave_app(leg)

    def release(self, channel: str) -> None:
        leg = self.leg(channel)
        if leg.in_app:
            self._leave_app(leg)

    def create(self, channel: str) -> None:
        self.legs.setdefault(channel, Leg(channel))

    def dial(self, channel: str) -> None:
        leg = self.leg(channel)
        if not leg.dialed:
            leg.dialed = True
            self._about(leg, _RANG)

    def hang_up(self, channel: str) -> None:
        leg = self.leg(channel)
        self._destroy(channel, Outcome.HUNG_UP if leg.up else Outcome.NO_ANSWER)

    def close(self, bridge: str) -> None:
        if bridge not in self.bridges:
            return
        self.bridges.remove(bridge)
        for leg in self.legs.values():
            leg.bridge = None if leg.bridge == bridge else leg.bridge
        self._silence(bridge)
        owner = owner_of_bridge(bridge)
        if owner is not None and _is_leads(bridge):
            self._post(owner, ev.BridgeClosed)

    # -- in common -------------------------------------------------------------------------------------------

    def _destroy(self, channel: str, outcome: Outcome = Outcome.HUNG_UP) -> None:
        leg = self.legs.pop(channel)
        self._silence(channel)
        for listener in [other.id for other in self.legs.values() if other.listens_to == channel]:
            self._destroy(listener)
        self._about(leg, _HUNG_UP, outcome=outcome, cause=outcome.value)
        other = self.legs.get(leg.talks_to or "")
        if other is not None:
            other.talks_to = None
            if not other.goes_on:
                self._destroy(other.id)

    def _leave_app(self, leg: Leg) -> None:
        leg.in_app, leg.bridge, leg.music, leg.ringback = False, None, False, False
        self._silence(leg.id)
        self._about(leg, _LEFT)

    def _silence(self, place: str) -> None:
        for playback in self.hears(place):
            self.playback_ends(playback, failed=True)
        for recording in self.records(place):
            self.recording_ends(recording, failed=True)

    def _about(self, leg: Leg, what: Mapping[str, type[ev.Event]], **fields: Any) -> None:
        """A fact about a channel is one about whichever leg of a handoff it is."""
        whose = self.whose(leg.id) or self._by_name(leg)
        role = whose[1].partition("-")[0] if whose is not None else ""
        kind = what.get(role)
        if whose is None or kind is None:
            return
        if role == "agent":
            fields["offer"] = int(whose[1].partition("-")[2])
        allowed = {name: value for name, value in fields.items() if name in kind.__dataclass_fields__}
        self._post(whose[0], kind, **allowed)

    def _by_name(self, leg: Leg) -> WhoseLeg | None:
        parsed = parse_agent_leg(leg.first_id)
        if parsed is not None:
            return parsed[0], agent_name(parsed[1])
        role = {LEAD: LEAD_LEG, QUALIFIER: QUALIFIER_LEG}.get(leg.first_id)
        return None if role is None else (self.handoff, role)

    def _post(self, handoff: str, kind: type[ev.Event], **fields: Any) -> None:
        self._tell(handoff, kind(at=self._clock(), event_id=f"w{next(self._ids)}", **fields))


def _is_leads(bridge: str) -> bool:
    """And not the one for qualifier and agent."""
    owner = owner_of_bridge(bridge)
    return owner is not None and bridge != consult_id(owner)


_HUNG_UP = {"lead": ev.LeadHungUp, "qualifier": ev.QualifierHungUp, "agent": ev.AgentHungUp}
_LEFT = {"lead": ev.LeadLeft, "qualifier": ev.QualifierLeft, "agent": ev.AgentLeft}
_PRESSED = {"qualifier": ev.QualifierPressed, "agent": ev.DigitPressed}
_RANG = {"agent": ev.AgentRinging}
_ANSWERED = {"agent": ev.AgentAnswered}
_JOINED = {"agent": ev.AgentJoined}
