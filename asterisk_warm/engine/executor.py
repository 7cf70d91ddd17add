"""Carries out commands through the ports. The outcome, where it matters, is the next event."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from asterisk_warm.core.handoff.commands import CheckLegs, Command, RingAgent
from asterisk_warm.core.handoff.events import Event
from asterisk_warm.core.handoff.model import Handoff, agent_name
from asterisk_warm.core.handoff.wanted import still_wanted
from asterisk_warm.engine.leads.ports import Crm
from asterisk_warm.engine.orders.agent import AgentOrders
from asterisk_warm.engine.orders.around import AroundOrders, Screens
from asterisk_warm.engine.orders.facts import Handlers, failed
from asterisk_warm.engine.orders.lanes import legs
from asterisk_warm.engine.orders.lead import LeadOrders
from asterisk_warm.engine.orders.places import BYE
from asterisk_warm.engine.orders.qualifier import QualifierOrders
from asterisk_warm.engine.orders.question import QuestionOrders
from asterisk_warm.engine.orders.sounds import Sounds
from asterisk_warm.engine.orders.taking import TakingOrders
from asterisk_warm.engine.ports.pbx import LegGone, Pbx, PbxError, PbxUnreachable
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.reconcile import compare
from asterisk_warm.engine.within import within

__all__ = ["BYE", "Executor", "Screens", "legs"]

log = structlog.get_logger(__name__)

UNREACHABLE_SECONDS = 5.0
"""How long an order waits for Asterisk to come back before it counts as failed."""


class Executor:
    """Shared by all mailboxes; holds no state of any handoff."""

    def __init__(
        self,
        pbx: Pbx,
        speaker: Speaker,
        crm: Crm | None = None,
        screens: Screens | None = None,
        *,
        speech_seconds: float,
        reachable: Callable[[], Awaitable[None]],
    ) -> None:
        """`speech_seconds`: how long rendering may take before prompts serve instead. `reachable`
        returns as soon as Asterisk can be reached again; it is waited for once before an order that
        met no answer is repeated. Without `crm` nobody knows more of a lead; without `screens` none are
        told."""
        self._pbx = pbx
        self._reachable = reachable
        sounds = Sounds(pbx, speaker, speech_seconds)
        self._run: Handlers = {
            **TakingOrders(pbx).handlers,
            **LeadOrders(pbx, sounds).handlers,
            **QualifierOrders(pbx, sounds).handlers,
            **AgentOrders(pbx, sounds).handlers,
            **QuestionOrders(pbx, sounds).handlers,
            **AroundOrders(sounds, crm, screens).handlers,
            CheckLegs: self._check_legs,
        }

    async def run(self, handoff: Callable[[], Handoff], command: Command) -> Event | None:
        """Carry out one command if it is still wanted. Returns the event it amounts to; None when it
        was not wanted any more, or when Asterisk itself will tell what became of it."""
        try:
            return await self._attempt(handoff, command)
        except PbxUnreachable as unanswered:
            try:
                await within(self._reachable(), UNREACHABLE_SECONDS)
                return await self._attempt(handoff, command)
            except (PbxError, TimeoutError):
                return failed(command, unanswered)
        except PbxError as error:
            return failed(command, error)

    async def _attempt(self, handoff: Callable[[], Handoff], command: Command) -> Event | None:
        now = handoff()
        if not still_wanted(now, command):
            log.debug("not wanted any more", handoff=now.id, command=type(command).__name__)
            return None
        event = await self._run[type(command)](now, command)
        if isinstance(command, RingAgent):
            await self._ring_nobody_else(handoff(), command.offer)
        return event

    async def _ring_nobody_else(self, handoff: Handoff, number: int) -> None:
        """An order that is repeated after a restart may come in the moment in which the offer ends: it makes
        the leg anew, by the same id, and nobody would look after it."""
        offer = handoff.offer(number)
        if offer is not None and not offer.leg_open:
            with suppress(LegGone):
                await self._pbx.hang_up(handoff.channel_of(agent_name(number)))

    async def _check_legs(self, handoff: Handoff, command: CheckLegs) -> Event:
        return compare(handoff, await self._pbx.look(), time.time(), after_outage=False)
