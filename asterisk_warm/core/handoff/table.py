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
    ChannelReplaced,
    CommandFailed,
    ConsultStarted,
    DeadlinePassed,
    DigitPressed,
    Event,
    HandedOn,
    LeadFound,
    LeadHungUp,
    LeadLeft,
    LeadSecured,
    PlaybackEnded,
    QualifierAsked,
    QualifierHungUp,
    QualifierJoined,
    QualifierLeft,
    QualifierPressed,
    Reconciled,
    Recorded,
    SpeechReady,
)
from asterisk_warm.core.handoff.handlers import (
    asking,
    consulting,
    deadlines,
    ended,
    joining,
    lead,
    offers,
    qualifier,
    recall,
    recovery,
    replaced,
    returning,
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

_ALWAYS: dict[type[Event], Row] = {
    ChannelReplaced: _row(replaced.channel),
}

_CAME: dict[type[Event], Row] = {
    LeadSecured: _row(seeking.lead_came),
}

_LEGS: dict[type[Event], Row] = {
    **_ALWAYS,
    AgentRinging: _row(offers.ringing),
    AgentAnswered: _row(offers.agent_answered),
    AgentHungUp: _row(offers.agent_gone),
    AgentLeft: _row(offers.agent_left),
}
"""Legs of agents whose offer is over are looked after in every state."""


def _asked(handler: Handler, *to: State) -> dict[type[Event], Row]:
    """What a qualifier asks for, by whatever means."""
    return {QualifierPressed: _row(qualifier.pressed, *to), QualifierAsked: _row(handler, *to)}


def _qualifier_lost(handler: Handler, *to: State) -> dict[type[Event], Row]:
    return {QualifierHungUp: _row(handler, *to), QualifierLeft: _row(handler, *to)}


_OFFER_ENDED = (_S.SEEKING, _S.RETURNED, _S.RETURNING)
"""Where it goes on when the last open offer has ended."""

_AFTER: dict[type[Event], Row] = {
    **_LEGS,
    **_qualifier_lost(qualifier.lost_after_the_end),
    AgentAnswered: _row(ended.agent_late),
    AgentJoined: _row(ended.agent_late),
    AgentHungUp: _row(ended.agent_hung_up),
    AgentLeft: _row(ended.agent_left),
    LeadSecured: _row(ended.lead_came),
    LeadHungUp: _row(ended.lead_hung_up),
    LeadLeft: _row(ended.lead_left),
    PlaybackEnded: _row(ended.playback_ended),
    HandedOn: _row(ended.handed_on),
    BridgeClosed: _row(ended.bridge_closed),
    CommandFailed: _row(ended.command_failed),
    DeadlinePassed: _row(ended.deadline_passed),
    Reconciled: _row(recovery.after_the_end),
}

TABLE: Mapping[State, Mapping[type[Event], Row]] = {
    _S.REQUESTED: {
        **_LEAVING,
        **_ALWAYS,
        **_asked(qualifier.asked, _S.RETURNED),
        **_qualifier_lost(qualifier.lost_while_seeking),
        LeadSecured: _row(seeking.lead_secured, _S.SEEKING, _S.OFFERING, _S.RETURNED, _S.RETURNING),
        AgentsFound: _row(seeking.agents_found),
        LeadFound: _row(seeking.lead_found),
        SpeechReady: _row(seeking.speech_ready),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED, _S.RETURNING),
        CommandFailed: _row(deadlines.securing_failed, _S.FAILED, _S.RETURNED, _S.RETURNING),
        DeadlinePassed: _row(deadlines.held, _S.RETURNED, _S.FAILED, _S.RETURNING),
        Reconciled: _row(recovery.requested),
    },
    _S.SEEKING: {
        **_LEAVING,
        **_CAME,
        **_LEGS,
        **_asked(qualifier.asked, _S.RETURNED, _S.RETURNING),
        **_qualifier_lost(qualifier.lost_while_seeking, _S.RETURNED),
        AgentsFound: _row(seeking.agents_found, _S.OFFERING, _S.RETURNED, _S.RETURNING),
        LeadFound: _row(seeking.lead_found),
        SpeechReady: _row(seeking.speech_ready, _S.OFFERING, _S.RETURNED, _S.RETURNING),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED, _S.RETURNING),
        QualifierJoined: _row(qualifier.joined),
        AgentAnswered: _row(ended.agent_late),
        AgentJoined: _row(ended.agent_late),
        PlaybackEnded: _row(offers.playback_ended),
        CommandFailed: _row(deadlines.securing_failed, _S.FAILED, _S.RETURNED, _S.RETURNING),
        DeadlinePassed: _row(deadlines.held, _S.RETURNED, _S.RETURNING),
        Reconciled: _row(recovery.held, _S.ABANDONED, _S.RETURNED),
    },
    _S.OFFERING: {
        **_LEAVING,
        **_CAME,
        **_ALWAYS,
        **_asked(qualifier.asked, _S.RETURNED, _S.RETURNING),
        **_qualifier_lost(qualifier.lost_while_seeking, _S.RETURNED),
        AgentsFound: _row(seeking.agents_found),
        QualifierJoined: _row(qualifier.joined),
        AgentRinging: _row(offers.ringing),
        AgentAnswered: _row(offers.agent_answered, _S.INTRODUCING),
        DigitPressed: _row(offers.digit, *_OFFER_ENDED, _S.CONSULTING, _S.INTRODUCING),
        AgentHungUp: _row(offers.agent_gone, *_OFFER_ENDED),
        AgentLeft: _row(offers.agent_left, *_OFFER_ENDED),
        AgentJoined: _row(ended.agent_late),
        PlaybackEnded: _row(offers.playback_ended),
        Recorded: _row(asking.recorded),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED, _S.RETURNING),
        CommandFailed: _row(deadlines.offering_failed, *_OFFER_ENDED, _S.FAILED),
        DeadlinePassed: _row(deadlines.held, *_OFFER_ENDED),
        Reconciled: _row(recovery.held, *_OFFER_ENDED, _S.ABANDONED, _S.INTRODUCING),
    },
    _S.CONSULTING: {
        **_LEAVING,
        **_CAME,
        **_LEGS,
        **_asked(qualifier.asked, _S.INTRODUCING, _S.RETURNED, _S.RETURNING),
        **_qualifier_lost(qualifier.lost_while_consulting, _S.INTRODUCING, _S.RETURNED),
        ConsultStarted: _row(consulting.started),
        QualifierJoined: _row(qualifier.joined),
        AgentHungUp: _row(consulting.agent_gone, _S.RETURNED, _S.RETURNING),
        AgentLeft: _row(consulting.agent_left, _S.RETURNED, _S.RETURNING),
        PlaybackEnded: _row(offers.playback_ended),
        CancelRequested: _row(seeking.cancelled, _S.RETURNED, _S.RETURNING),
        CommandFailed: _row(consulting.command_failed, _S.RETURNED, _S.RETURNING),
        DeadlinePassed: _row(consulting.deadline_passed, _S.RETURNED, _S.RETURNING),
        Reconciled: _row(
            recovery.consulting, *(_S.ABANDONED, _S.INTRODUCING, _S.SEEKING, _S.RETURNED, _S.RETURNING)
        ),
    },
    _S.INTRODUCING: {
        **_CAME,
        **_LEGS,
        **_asked(qualifier.asked, _S.CONNECTED, _S.RETURNED, _S.RETURNING),
        **_qualifier_lost(qualifier.lost_while_introducing, _S.CONNECTED),
        LeadHungUp: _row(joining.lead_hung_up, _S.ABANDONED, _S.COMPLETED),
        LeadLeft: _row(joining.lead_left, _S.ABANDONED, _S.COMPLETED),
        QualifierJoined: _row(qualifier.joined),
        AgentJoined: _row(joining.agent_joined, _S.CONNECTED),
        PlaybackEnded: _row(joining.playback_ended, _S.CONNECTED),
        AgentHungUp: _row(joining.agent_gone, _S.SEEKING, _S.RETURNED, _S.RETURNING),
        AgentLeft: _row(joining.agent_left, _S.SEEKING, _S.RETURNED, _S.RETURNING),
        CommandFailed: _row(
            joining.command_failed, *(_S.CONNECTED, _S.SEEKING, _S.RETURNED, _S.RETURNING, _S.FAILED)
        ),
        DeadlinePassed: _row(deadlines.introducing, _S.CONNECTED, _S.SEEKING, _S.RETURNED, _S.RETURNING),
        Reconciled: _row(
            recovery.introducing,
            *(_S.CONNECTED, _S.SEEKING, _S.RETURNED, _S.RETURNING, _S.ABANDONED, _S.COMPLETED),
        ),
    },
    _S.CONNECTED: {
        **_LEGS,
        **_asked(qualifier.asked),
        **_qualifier_lost(qualifier.lost_while_connected),
        LeadSecured: _row(recall.fetched, _S.RETURNING),
        DigitPressed: _row(offers.digit),
        LeadHungUp: _row(talking.lead_hung_up, _S.COMPLETED),
        LeadLeft: _row(talking.lead_left, _S.COMPLETED),
        AgentHungUp: _row(talking.agent_hung_up, _S.COMPLETED),
        AgentLeft: _row(talking.agent_left, _S.COMPLETED),
        PlaybackEnded: _row(offers.farewell_ended),
        HandedOn: _row(talking.handed_on, _S.COMPLETED),
        BridgeClosed: _row(ended.bridge_closed),
        CommandFailed: _row(talking.let_go_failed),
        DeadlinePassed: _row(talking.deadline_passed),
        Reconciled: _row(recovery.talking_still, _S.COMPLETED, _S.RETURNING),
    },
    _S.RETURNING: {
        **_CAME,
        **_LEGS,
        **_qualifier_lost(qualifier.lost_while_returning, _S.RETURNED),
        LeadHungUp: _row(returning.lead_hung_up, _S.ABANDONED, _S.COMPLETED),
        LeadLeft: _row(returning.lead_left, _S.ABANDONED, _S.COMPLETED),
        QualifierJoined: _row(qualifier.joined_again, _S.RETURNED),
        DigitPressed: _row(offers.digit, _S.RETURNED),
        AgentJoined: _row(returning.agent_joined, _S.RETURNED),
        AgentHungUp: _row(returning.agent_gone, _S.RETURNED),
        AgentLeft: _row(returning.agent_left, _S.RETURNED),
        PlaybackEnded: _row(offers.playback_ended),
        CommandFailed: _row(returning.command_failed, _S.RETURNED),
        DeadlinePassed: _row(returning.deadline_passed, _S.RETURNED),
        Reconciled: _row(recovery.returning, _S.ABANDONED, _S.COMPLETED, _S.RETURNED),
    },
    _S.COMPLETED: _AFTER,
    _S.RETURNED: _AFTER,
    _S.ABANDONED: _AFTER,
    _S.FAILED: _AFTER,
}
