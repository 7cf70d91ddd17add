"""State × event → handler, and the states it may lead to. This table is the machine; the diagram in the docs
is drawn from it.

What a state does not list is recorded and changes nothing: the machine is total (`transition`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asterisk_warm.core.handoff.events import (
    AgentAnswered,
    AgentHungUp,
    AgentJoined,
    AgentLeft,
    AgentRinging,
    AgentsFound,
    BridgeClosed,
    CancelRequested,
    CommandFailed,
    DeadlinePassed,
    DigitPressed,
    Event,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
    Reconciled,
    SpeechReady,
)
from asterisk_warm.core.handoff.handlers import (
    deadlines,
    ended,
    joining,
    lead,
    offers,
    recovery,
    seeking,
    talking,
)
from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.step import Step

Handler = Callable[[Handoff, Any], Step]


@dataclass(frozen=True, slots=True)
class Row:
    handler: Handler
    to: frozenset[State] = frozenset()
    """States it may lead to, besides staying."""


def _row(handler: Handler, *to: State) -> Row:
    return Row(handler, frozenset(to))


_S = State
_LEAVING: dict[type[Event], Row] = {
    LeadHungUp: _row(lead.hung_up, _S.ABANDONED),
    LeadLeft: _row(lead.left, _S.ABANDONED),
}
"""The lead may leave at any moment before the talk."""

_LEGS: dict[type[Event], Row] = {
    AgentRinging: _row(offers.ringing),
    AgentAnswered: _row(offers.agent_answered),
    AgentHungUp: _row(offers.agent_gone),
    AgentLeft: _row(offers.agent_left),
}
"""Legs of agents whose offer is over are looked after in every state."""

_AFTER: dict[type[Event], Row] = {
    **_LEGS,
    AgentAnswered: _row(ended.agent_late),
    AgentJoined: _row(ended.agent_late),
    LeadHungUp: _row(ended.lead_hung_up),
    LeadLeft: _row(ended.lead_left),
    PlaybackEnded: _row(offers.farewell_ended),
    BridgeClosed: _row(ended.bridge_closed),
    CommandFailed: _row(offers.command_failed),
    DeadlinePassed: _row(ended.deadline_passed),
    Reconciled: _row(recovery.after_the_end),
}

TABLE: Mapping[State, Mapping[type[Event], Row]] = {
    _S.REQUESTED: {
        **_LEAVING,
        LeadSecured: _row(seeking.lead_secured, _S.SEEKING, _S.OFFERING, _S.RETURNED),
        AgentsFound: _row(seeking.agents_found),
        SpeechReady: _row(seeking.speech_ready),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED),
        CommandFailed: _row(deadlines.securing_failed, _S.FAILED),
        DeadlinePassed: _row(deadlines.held, _S.RETURNED, _S.FAILED),
        Reconciled: _row(recovery.requested),
    },
    _S.SEEKING: {
        **_LEAVING,
        AgentsFound: _row(seeking.agents_found, _S.OFFERING, _S.RETURNED),
        SpeechReady: _row(seeking.speech_ready, _S.OFFERING, _S.RETURNED),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED),
        PlaybackEnded: _row(lead.comfort_ended),
        CommandFailed: _row(deadlines.securing_failed, _S.FAILED),
        DeadlinePassed: _row(deadlines.held, _S.RETURNED),
        Reconciled: _row(recovery.held, _S.ABANDONED),
    },
    _S.OFFERING: {
        **_LEAVING,
        AgentRinging: _row(offers.ringing),
        AgentAnswered: _row(offers.agent_answered, _S.INTRODUCING),
        DigitPressed: _row(offers.digit, _S.INTRODUCING, _S.RETURNED),
        AgentHungUp: _row(offers.agent_gone, _S.RETURNED),
        AgentLeft: _row(offers.agent_left, _S.RETURNED),
        AgentJoined: _row(ended.agent_late),
        PlaybackEnded: _row(offers.playback_ended),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED),
        CommandFailed: _row(deadlines.music_failed, _S.RETURNED),
        DeadlinePassed: _row(deadlines.held, _S.RETURNED),
        Reconciled: _row(recovery.held, _S.ABANDONED, _S.INTRODUCING, _S.RETURNED),
    },
    _S.INTRODUCING: {
        **_LEAVING,
        **_LEGS,
        AgentJoined: _row(joining.agent_joined, _S.CONNECTED),
        PlaybackEnded: _row(joining.playback_ended, _S.CONNECTED),
        AgentHungUp: _row(joining.agent_gone, _S.OFFERING, _S.RETURNED),
        AgentLeft: _row(joining.agent_left, _S.OFFERING, _S.RETURNED),
        CommandFailed: _row(joining.command_failed, _S.OFFERING, _S.RETURNED),
        DeadlinePassed: _row(deadlines.introducing, _S.CONNECTED, _S.OFFERING, _S.RETURNED),
        Reconciled: _row(recovery.introducing, _S.CONNECTED, _S.OFFERING, _S.RETURNED, _S.ABANDONED),
    },
    _S.CONNECTED: {
        **_LEGS,
        LeadHungUp: _row(talking.lead_hung_up, _S.COMPLETED),
        LeadLeft: _row(talking.lead_left, _S.COMPLETED),
        AgentHungUp: _row(talking.agent_hung_up, _S.COMPLETED),
        AgentLeft: _row(talking.agent_left, _S.COMPLETED),
        PlaybackEnded: _row(offers.farewell_ended),
        BridgeClosed: _row(ended.bridge_closed),
        CommandFailed: _row(talking.let_go_failed),
        DeadlinePassed: _row(talking.deadline_passed),
        Reconciled: _row(recovery.talking_still, _S.COMPLETED),
    },
    _S.COMPLETED: _AFTER,
    _S.RETURNED: _AFTER,
    _S.ABANDONED: _AFTER,
    _S.FAILED: _AFTER,
}
