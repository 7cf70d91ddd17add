"""What must hold of every handoff at every moment (the numbers are those of the design's invariants)."""

from __future__ import annotations

from asterisk_warm.core.handoff.model import Asking, Handoff, LeadIs, QualifierIs
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.transition import next_deadline


def violations(handoff: Handoff) -> list[str]:
    """Every invariant that is broken, in words; empty when all is well."""
    asked = _of_asking(handoff, handoff.asking) if handoff.asking is not None else []
    return [words for broken, words in [*_checks(handoff), *asked] if broken]


def _checks(handoff: Handoff) -> list[tuple[bool, str]]:
    final = handoff.state.final
    taken = [offer for offer in handoff.offers if offer.state is OfferState.ACCEPTED]
    accepted = [offer for offer in taken if not offer.recall]
    waiting = (
        handoff.lead_is in (LeadIs.HELD, LeadIs.AT_PHONE)
        or handoff.qualifier_here
        or handoff.qualifier_is is QualifierIs.LEAVING
        or any(offer.leg_open for offer in handoff.offers)
    )
    going = final and handoff.let_go and handoff.qualifier_is in (QualifierIs.LEFT, QualifierIs.GONE)
    """One of a pair that is let go may be seen leaving before the other."""
    limited = next_deadline(handoff) is not None
    return [
        (handoff.lead_is is LeadIs.HELD and not limited, "1: the lead is held without a deadline"),
        (
            handoff.lead_is is LeadIs.WITH_AGENT and not taken,
            "1: the lead is said to be with an agent, but none accepted",
        ),
        (
            handoff.lead_is is LeadIs.WITH_QUALIFIER
            and handoff.qualifier_is is not QualifierIs.WITH_LEAD
            and not going
            and not any(offer.recall for offer in taken),
            "1: the lead is said to be with a qualifier who is elsewhere",
        ),
        (
            handoff.lead_is is LeadIs.HELD and not final and handoff.held_since is None,
            "1: the lead is held and nobody counts for how long",
        ),
        (
            handoff.state is State.CONSULTING
            and handoff.qualifier_is not in (QualifierIs.WITH_AGENT, QualifierIs.WITH_LEAD),
            "1: a consult without the qualifier",
        ),
        (
            handoff.state is State.RETURNING and handoff.lead_is is not LeadIs.HELD,
            "1: the lead is on the way back, but not held",
        ),
        (
            handoff.state is State.RETURNING
            and handoff.qualifier_is is not QualifierIs.WITH_LEAD
            and not any(offer.recall for offer in (*taken, *handoff.open_offers)),
            "1: the lead is on the way back to nobody",
        ),
        (len(accepted) > 1, "2: two agents have accepted"),
        (
            bool(accepted) and any(not offer.recall for offer in handoff.open_offers),
            "2: offers are open beside the winner's",
        ),
        (
            handoff.lead_is in (LeadIs.GONE, LeadIs.LEFT) and bool(handoff.open_offers),
            "4: agents are being offered a lead who has gone",
        ),
        (
            any(o.deadline is None and not handoff.asks_back(o.number) for o in handoff.open_offers),
            "5: an offer is open without a deadline",
        ),
        (waiting and not limited, "5: something is awaited without a deadline"),
        (not final and not limited, "5: an open state without a deadline"),
        (final and bool(handoff.open_offers), "5: ended with open offers"),
        (final and not (handoff.reason and handoff.status), "5: ended without a reason"),
        (
            handoff.state in (State.CONSULTING, State.INTRODUCING, State.CONNECTED) and not accepted,
            "8: introduced or connected without an agent",
        ),
        (
            handoff.settled and (handoff.qualifier_here or handoff.qualifier_is is QualifierIs.LEAVING),
            "9: settled with the qualifier still with us",
        ),
        (handoff.settled and any(offer.leg_open for offer in handoff.offers), "9: settled with a leg left"),
    ]


def _of_asking(handoff: Handoff, asking: Asking) -> list[tuple[bool, str]]:
    offer, due = handoff.offer(asking.offer), next_deadline(handoff)
    asks_lead = asking.step.put and not asking.of_qualifier
    asks_qualifier = asking.step.put and asking.of_qualifier
    return [
        (due is None or due > asking.deadline, "5: a question is asked back without a deadline"),
        (
            offer is None or offer.state is not OfferState.BRIEFING or offer.recall,
            "2: somebody asks back who cannot accept the lead",
        ),
        (handoff.state is not State.OFFERING, "5: a question is asked back, but nobody is offered the lead"),
        (asks_lead and handoff.lead_is is not LeadIs.HELD, "1: a lead is asked who is not held"),
        (asks_lead and handoff.comfort_at is not None, "1: a lead is asked, and comforted at the same time"),
        (
            asks_qualifier and handoff.qualifier_is not in (QualifierIs.WITH_LEAD, QualifierIs.ASIDE),
            "3: a qualifier is asked who is elsewhere",
        ),
    ]
