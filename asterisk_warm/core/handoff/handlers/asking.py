"""A question that an agent asks back: what is recorded, what is heard, and what does not come."""

from __future__ import annotations

from asterisk_warm.core.handoff.events import CommandFailed, PlaybackEnded, Recorded
from asterisk_warm.core.handoff.model import Asked, Asking, Handoff, Playing
from asterisk_warm.core.handoff.moves.asking import await_reply, decide_anew, give_up, put, tell_reply
from asterisk_warm.core.handoff.step import Step


def recorded(handoff: Handoff, event: Recorded) -> Step:
    """The question, or the reply; one that is not awaited any more says nothing."""
    asking = _at(handoff, Asked.REPLYING if event.reply else Asked.RECORDING, event.number)
    if asking is None:
        return Step(handoff)
    if event.failed:
        return give_up(handoff, event.at)
    return (tell_reply if event.reply else put)(handoff, asking, event.at)


def played(handoff: Handoff, event: PlaybackEnded) -> Step:
    """The question to whoever is asked, or the reply to the agent."""
    asking = _at(handoff, _HEARD[event.what], event.number)
    if asking is None:
        return Step(handoff)
    if event.what is Playing.REPLY:
        return decide_anew(handoff, asking, event.at, *(["no-reply"] if event.failed else []))
    return give_up(handoff, event.at) if event.failed else await_reply(handoff, asking, event.at)


_HEARD = {Playing.QUESTION: Asked.ASKING, Playing.REPLY: Asked.TELLING}


def _at(handoff: Handoff, step: Asked, number: int) -> Asking | None:
    """The question that is under way, if it is that one and has come so far."""
    asking = handoff.asking
    return asking if asking is not None and asking.number == number and asking.step is step else None


def due(handoff: Handoff, at: float) -> Step:
    """A step took too long; but a reply whose end was never told has been heard."""
    asking = handoff.asking
    if asking is None or at < asking.deadline:
        return Step(handoff)
    return decide_anew(handoff, asking, at) if asking.step is Asked.TELLING else give_up(handoff, at)


def failed(handoff: Handoff, event: CommandFailed) -> Step | None:
    """None: the order was not about the question that is under way."""
    asking = handoff.asking
    if asking is None or _ORDERED.get(event.command) is not asking.step:
        return None
    return give_up(handoff, event.at)


_ORDERED = {"RecordQuestion": Asked.RECORDING, "PutQuestion": Asked.ASKING, "RecordReply": Asked.REPLYING}
