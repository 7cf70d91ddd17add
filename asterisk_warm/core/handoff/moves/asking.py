"""A question that an agent asks back: spoken, put to the lead or the qualifier, replied to, and told.

Each step has a time limit (`Asking.deadline`), and whatever else ends it goes through `give_up` or `settle`:
what is played and recorded stops, a lead who is still held has music again."""

from __future__ import annotations

from dataclasses import replace

from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import (
    Command,
    DropQuestion,
    HoldLead,
    JoinAgent,
    PlayToAgent,
    PutQuestion,
    RecordQuestion,
    RecordReply,
    SecureLead,
    StartConsult,
)
from asterisk_warm.core.handoff.model import Asked, Asking, Handoff, LeadIs, Line, Offer, Playing, QualifierIs
from asterisk_warm.core.handoff.moves.lead import resume_comfort
from asterisk_warm.core.handoff.moves.limits import QUESTION_MARGIN_SECONDS
from asterisk_warm.core.handoff.moves.offering import decide_from, say_more
from asterisk_warm.core.handoff.moves.qualifier import qualifier_talks
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.step import Step

# -- there and back ------------------------------------------------------------------------------------------


def ask(handoff: Handoff, offer: Offer, at: float) -> Step:
    """Let this agent speak a question; or tell them why not."""
    of_qualifier = _of_qualifier(handoff)
    if handoff.asking is not None:
        return _say_before_keys(handoff, offer, at, "ask-later")
    if offer.asks >= handoff.policy.asks:
        return _say_before_keys(handoff, offer, at, "no-more-questions")
    if of_qualifier is None:
        return _say_before_keys(handoff, offer, at, "no-reply")
    number = handoff.asks + 1
    asking = Asking(number, offer.number, Asked.RECORDING, of_qualifier, deadline=_limit(handoff, at))
    order = RecordQuestion(
        offer.number,
        number,
        (wording.to_agent(handoff, offer.agent, "ask"),),
        handoff.policy.question_seconds,
        offer.briefing_number,
    )
    offer = offer.evolve(asks=offer.asks + 1, deadline=None)
    return Step(handoff.with_offer(offer).evolve(asks=number, asking=asking), (order,))


def put(handoff: Handoff, asking: Asking, at: float) -> Step:
    """The question has been spoken: on to whoever can be asked now."""
    of_qualifier = _of_qualifier(handoff)
    if of_qualifier is None:
        return give_up(handoff, at)
    asking = replace(asking, of_qualifier=of_qualifier)
    order = PutQuestion(
        asking.number,
        wording.question_media(handoff, asking.number, of_qualifier=of_qualifier),
        of_qualifier,
        talking=of_qualifier and qualifier_talks(handoff),
        stop_comfort=handoff.comforts if handoff.comfort_playing and not of_qualifier else None,
    )
    if not of_qualifier:
        handoff = handoff.evolve(comfort_at=None, comfort_playing=False)
    return Step(_at_step(handoff, asking, Asked.ASKING, at), (order,))


def await_reply(handoff: Handoff, asking: Asking, at: float) -> Step:
    order = RecordReply(asking.number, asking.of_qualifier, handoff.policy.question_seconds)
    return Step(_at_step(handoff, asking, Asked.REPLYING, at), (order,))


def tell_reply(handoff: Handoff, asking: Asking, at: float) -> Step:
    """To the agent who has asked, alone; the lead has music again meanwhile."""
    media = wording.reply_media(handoff, _asker(handoff, asking).agent, asking.number)
    order = PlayToAgent(asking.offer, Playing.REPLY, asking.number, media)
    told = Step(_at_step(handoff, asking, Asked.TELLING, at), (order,))
    if asking.of_qualifier:
        return told
    music = HoldLead(handoff.policy.music)
    return Step(told.handoff, (music, *told.commands)).then(resume_comfort, at)


def decide_anew(handoff: Handoff, asking: Asking, at: float, *before: str) -> Step:
    """The agent has heard what there is: the keys again, and the full time to decide after them. `before`: a
    prompt."""
    return _say_before_keys(handoff.evolve(asking=None), _asker(handoff, asking), at, *before)


def _asker(handoff: Handoff, asking: Asking) -> Offer:
    offer = handoff.offer(asking.offer)
    assert offer is not None, "somebody asks"
    return offer


def _say_before_keys(handoff: Handoff, offer: Offer, at: float, *prompts: str) -> Step:
    words = tuple(wording.to_agent(handoff, offer.agent, prompt) for prompt in prompts)
    media: tuple[Line, ...] = (*words, wording.instructions_line(handoff, offer.agent))
    return say_more(handoff, offer, media, at)


def _at_step(handoff: Handoff, asking: Asking, step: Asked, at: float) -> Handoff:
    return handoff.evolve(asking=replace(asking, step=step, deadline=_limit(handoff, at)))


def _limit(handoff: Handoff, at: float) -> float:
    return at + handoff.policy.question_seconds + QUESTION_MARGIN_SECONDS


def _of_qualifier(handoff: Handoff) -> bool | None:
    """Whom can one ask: the qualifier where there is one, else a lead who is with us; None: nobody."""
    if _qualifier_can_reply(handoff):
        return True
    return False if handoff.lead_is is LeadIs.HELD and not handoff.fetching else None


def _qualifier_can_reply(handoff: Handoff) -> bool:
    return handoff.qualifier_is in (QualifierIs.WITH_LEAD, QualifierIs.ASIDE)


# -- whatever ends it ----------------------------------------------------------------------------------------


def give_up(handoff: Handoff, at: float) -> Step:
    """There will be no reply; the agent hears so."""
    asking = handoff.asking
    assert asking is not None, "there is a question"
    step = drop(handoff, at)
    if handoff.lead_asked:
        step = step.then(_music, at)
    return step.then(decide_anew, asking, at, "no-reply")


def drop(handoff: Handoff, at: float) -> Step:
    """Nothing more is played or recorded for it. Who was being asked may still be in silence."""
    asking = handoff.asking
    if asking is None:
        return Step(handoff)
    order = DropQuestion(asking.number, asking.offer, asking.of_qualifier)
    offer = _asker(handoff, asking)
    if offer.state.open:
        handoff = handoff.with_offer(decide_from(handoff, offer, at))
    return Step(handoff.evolve(asking=None), (order,))


def _music(handoff: Handoff, at: float) -> Step:
    return Step(handoff, (HoldLead(handoff.policy.music),)).then(resume_comfort, at)


def settle(before: Handoff | None, step: Step, at: float) -> Step:
    """After whatever has happened: a question is over when its agent decides no more, or when those who were
    asked can no longer reply."""
    handoff, commands = step
    asking = handoff.asking
    if before is None or asking is None:
        return step
    if _asker(handoff, asking).state is OfferState.BRIEFING:
        if not _cannot_reply(before, handoff, asking):
            return step
        given_up = give_up(handoff, at)
        return Step(given_up.handoff, (*given_up.commands, *commands))
    dropped = drop(handoff, at)
    if any(isinstance(order, JoinAgent | StartConsult) for order in commands):
        # They stop what is under way themselves, to be first.
        return Step(dropped.handoff, (*commands, *dropped.commands))
    if _waits_in_silence(handoff, commands):
        dropped = dropped.then(_music, at)
    return Step(dropped.handoff, (*dropped.commands, *commands))


def _cannot_reply(before: Handoff, handoff: Handoff, asking: Asking) -> bool:
    """Those who are asked are not there any more, or not on the channel any more that is played to."""
    if not asking.step.put:
        return False
    if asking.of_qualifier:
        return not _qualifier_can_reply(handoff) or handoff.qualifier != before.qualifier
    return handoff.lead.channel != before.lead.channel


def _waits_in_silence(handoff: Handoff, commands: tuple[Command, ...]) -> bool:
    held = handoff.lead_asked and handoff.lead_is is LeadIs.HELD
    music = any(isinstance(order, HoldLead | SecureLead) for order in commands)
    return held and not music and handoff.state in (State.SEEKING, State.OFFERING, State.RETURNING)
