"""Where a handoff with a qualifier can be when the daemon dies, what may happen while it is away, and how it must go on: as
docs/qualifier.md has it."""

from __future__ import annotations

import asyncio

from qualifier_crash_scene import Act, Case, Do, nothing

from asterisk_warm.lab.call import Call

# -- before: how it gets there -------------------------------------------------------------------------------


def ringing(mode: str) -> Do:
    async def prepare(act: Act) -> None:
        await act.offered(mode)

    return prepare


def briefing(mode: str) -> Do:
    async def prepare(act: Act) -> None:
        await act.offered(mode)
        await act.ana.answer()
        await act.offer_is("BRIEFING")

    return prepare


async def three(act: Act) -> None:
    await briefing("stay")(act)
    await act.ana.press("1")
    await in_three(act)


async def in_three(act: Act) -> None:
    await act.until(lambda h: h["state"] == "INTRODUCING" and h["lead_is"] == "with_agent")
    await act.in_one_bridge("lead", "quinn", "ana")


async def consulting(act: Act) -> None:
    await briefing("consult")(act)
    await act.ana.press("1")
    await in_private(act)


async def in_private(act: Act) -> None:
    await act.until(lambda h: h["state"] == "CONSULTING" and h["qualifier"]["place"] == "with_agent")
    await act.in_one_bridge("quinn", "ana")


async def swapped(act: Act) -> None:
    await consulting(act)
    await act.asks("swap")
    await act.until(lambda h: h["lead_is"] == "with_qualifier")
    await act.in_one_bridge("lead", "quinn")


async def consult_three(act: Act) -> None:
    await consulting(act)
    await act.asks("three-way")
    await in_three(act)


async def returning(act: Act) -> None:
    """The qualifier had hung up, nobody took the lead, and the qualifier's phone is rung."""
    await act.offered("stay")
    await act.quinn.hang_up()
    await act.until(lambda h: h["lead_is"] == "held")
    await act.ana.busy()
    act.again = await act.quinn_phone.rings(10)
    await act.in_state("RETURNING")
    await act.offer_is("RINGING")


async def returning_briefing(act: Act) -> None:
    await returning(act)
    await again(act).answer()
    await act.offer_is("BRIEFING")


async def second_call(act: Act) -> None:
    """The lead on hold at the qualifier's phone, who talks to the agent in a second call."""
    await act.talking()
    await asyncio.sleep(0.3)  # The phone's own re-INVITE after its answer would take the lead off hold again.
    await act.quinn.hold()
    act.again = await act.quinn_phone.dial(f"aside{act.slot}")
    act.ana = await act.ana_phone.rings(10)
    await act.ana.answer()
    await act.offer_is("BRIEFING")
    await act.named()
    await act.ana.press("1")
    await act.until(lambda h: h["state"] == "CONSULTING" and h["qualifier"]["place"] == "with_agent")


def again(act: Act) -> Call:
    """The qualifier's second call, or the one in which they are rung again."""
    assert act.again is not None
    return act.again


async def taken_back(act: Act) -> None:
    """Lead and agent talk, let go; the qualifier's phone is rung, because they want the lead back."""
    await three(act)
    await act.quinn.hang_up()
    await act.in_state("CONNECTED")
    await act.journal_has("BridgeClosed")
    await act.asks("take-back")
    act.again = await act.quinn_phone.rings(10)
    await act.offer_is("RINGING")


async def taken_back_briefing(act: Act) -> None:
    await taken_back(act)
    await again(act).answer()
    await act.offer_is("BRIEFING")


def stopped_before(pattern: str, then: Do, *, done: bool = False) -> Do:
    """As `then`, until the daemon sends a request like `pattern`, in which `{id}`, `{lead}`, `{quinn}` and
    `{ana}` are filled in. With `done` only its answer is kept back."""

    async def stop(act: Act) -> None:
        hold = act.scene.stage.gate.hold(pattern.format(**await act.ids()), done=done)
        await then(act)
        await hold.reached()

    return stop


async def talking(act: Act) -> None:
    await act.talking()


def asked(mode: str) -> Do:
    async def ask(act: Act) -> None:
        await act.ask_for(mode)
        await act.named()

    return ask


async def ana_accepts(act: Act) -> None:
    await act.ana.press("1")


async def ana_declines(act: Act) -> None:
    await act.ana.press("2")


async def again_accepts(act: Act) -> None:
    await again(act).press("1")


async def quinn_completes(act: Act) -> None:
    await act.asks("complete")


SUBSCRIBE = "POST /ari/applications/[^/]+/subscription\\?eventSource=channel(:|%3A){lead}"
TAKE_LEAD = "POST /ari/bridges/[^/]+-bridge/addChannel\\?channel={lead}"
TAKE_QUINN = "POST /ari/bridges/[^/]+-bridge/addChannel\\?channel={quinn}"
ASIDE = "POST /ari/bridges/[^/]+-bridge/removeChannel\\?channel={quinn}"
START_CONSULT = "POST /ari/bridges/{id}-consult/addChannel\\?channel={quinn}"
JOIN_ANA = "POST /ari/bridges/{id}-bridge/addChannel\\?channel={ana}"
JOIN_QUINN = "POST /ari/bridges/{id}-bridge/addChannel\\?channel={quinn}"
JOIN_AGAIN = "POST /ari/bridges/{id}-bridge2?/addChannel\\?channel={id}-agent-2"
RELEASE = "POST /ari/channels/{quinn}/continue"
LET_GO = "POST /ari/channels/{lead}/continue"
FETCH = "POST /ari/bridges/{id}-bridge2/addChannel\\?channel={lead}"


# -- meanwhile -----------------------------------------------------------------------------------------------


async def quinn_hangs_up(act: Act) -> None:
    await act.quinn.hang_up()


async def lead_hangs_up(act: Act) -> None:
    await act.lead.hang_up()


async def ana_hangs_up(act: Act) -> None:
    """Or turns the call away, where the phone rings."""
    await act.ana.hang_up()


async def again_hangs_up(act: Act) -> None:
    await again(act).hang_up()


async def again_answers(act: Act) -> None:
    await again(act).answer()


def both(first: Do, second: Do) -> Do:
    async def hang_up(act: Act) -> None:
        await asyncio.gather(first(act), second(act))

    return hang_up


# -- after: how it must go on --------------------------------------------------------------------------------


async def ana_takes_a_call_that_rings(act: Act) -> None:
    await act.recovered()
    assert act.ana.is_ringing, act.ana.cause
    await act.ana.answer()
    await ana_takes(act)


async def ana_takes(act: Act) -> None:
    """The key that was pressed meanwhile is lost: who is briefed is briefed again, and the next key counts."""
    await act.recovered()
    await act.offer_is("BRIEFING")
    assert not act.ana.is_over, act.ana.cause
    await act.ana.press("1")


def accepted_by_ring(then: Do) -> Do:
    async def check(act: Act) -> None:
        await ana_takes_a_call_that_rings(act)
        await then(act)

    return check


def accepted(then: Do) -> Do:
    async def check(act: Act) -> None:
        await ana_takes(act)
        await then(act)

    return check


async def three_talk(act: Act) -> None:
    """As before; the qualifier leaves, and the two talk."""
    await act.recovered()
    await in_three(act)
    await act.quinn.hang_up()
    await two_talk(act)


async def they_talk_in_private(act: Act) -> None:
    """As before; the qualifier completes by their keys."""
    await act.recovered()
    await in_private(act)
    for key in "*2":
        await act.quinn.press(key)
        await asyncio.sleep(0.25)
    await act.quinn.ended()
    await two_talk(act)


async def they_are_swapped(act: Act) -> None:
    await act.recovered()
    await act.in_one_bridge("lead", "quinn")
    assert act.handoff["state"] == "CONSULTING" and not act.ana.is_over
    await act.asks("swap")
    await they_talk_in_private(act)


async def two_talk(act: Act) -> None:
    """Lead and agent; when the agent hangs up, the lead goes on in the dialplan."""
    await act.in_state("CONNECTED")
    await act.in_one_bridge("lead", "ana")
    await act.ana.hang_up()
    await act.ended("COMPLETED", "CONNECTED")
    await act.let_on()


async def is_abandoned(act: Act) -> None:
    """All phones are free again."""
    await act.ended("ABANDONED", "ABANDONED")
    for call in act.calls:
        await call.ended()


async def is_completed_and_they_talk_on(act: Act) -> None:
    await act.ended("COMPLETED", "CONNECTED")
    await act.in_one_bridge("quinn", "ana")


async def is_abandoned_and_they_talk_on(act: Act) -> None:
    await act.ended("ABANDONED", "ABANDONED")
    await act.in_one_bridge("quinn", "ana")


def the_qualifier_has_the_lead(*statuses: str) -> Do:
    async def check(act: Act) -> None:
        await act.ended("RETURNED", *statuses)
        await act.in_one_bridge("lead", "quinn")
        await act.quinn.hang_up()
        await act.let_on()

    return check


async def the_qualifier_takes_the_lead(act: Act) -> None:
    """Rung again, and briefed (again)."""
    await act.recovered()
    if again(act).is_ringing:
        await again(act).answer()
    await act.offer_is("BRIEFING")
    await again(act).press("1")
    await act.ended("RETURNED", "NOAGENT")
    await act.in_one_bridge("lead", "quinn")
    await again(act).hang_up()
    await act.let_on()


async def the_lead_goes_on(act: Act) -> None:
    await act.ended("RETURNED", "NOAGENT")
    await act.let_on()


async def the_second_call_completes(act: Act) -> None:
    await act.recovered()
    assert not act.quinn.is_over and not act.lead.is_over
    for key in "*2":
        await again(act).press(key)
        await asyncio.sleep(0.25)
    await again(act).ended()
    await act.quinn.ended()
    await two_talk(act)


async def the_lead_is_at_the_phone(act: Act) -> None:
    """On hold in the first call, as before: what was asked in the second is over."""
    await act.in_state("RETURNED")
    await act.ana.ended()
    assert not act.quinn.is_over and not act.lead.is_over


async def the_agents_are_let_go(act: Act) -> None:
    await act.ended("ABANDONED", "ABANDONED")
    await act.ana.ended()


def rings_now(then: Do) -> Do:
    """The agent's phone, for the first time."""

    async def check(act: Act) -> None:
        act.ana = await act.ana_phone.rings(10)
        await act.offer_is("RINGING")
        await accepted_by_ring(then)(act)

    return check


def either(*ends: tuple[str, str]) -> Do:
    """Two in the same moment: nobody is left on the line."""

    async def check(act: Act) -> None:
        await act.in_state("COMPLETED", "RETURNED", "ABANDONED", "FAILED")
        assert (act.handoff["state"], act.handoff["status"]) in ends, act.handoff
        for call in act.calls:
            await call.ended()

    return check


def nobody_at_the_qualifiers_phone(then: Do) -> Do:
    """It rings again, and the call is turned away."""

    async def check(act: Act) -> None:
        act.again = await act.quinn_phone.rings(10)
        await act.again.busy()
        await then(act)

    return check


def the_lead_goes_on_as(state: str, *statuses: str) -> Do:
    async def check(act: Act) -> None:
        await act.ended(state, *statuses)
        await act.let_on()

    return check


async def the_qualifier_takes_the_lead_back(act: Act) -> None:
    await act.recovered()
    if again(act).is_ringing:
        await again(act).answer()
    await act.offer_is("BRIEFING")
    await again(act).press("1")
    await act.ended("RETURNED", "TAKENBACK")
    await act.ana.ended()
    await act.in_one_bridge("lead", "quinn")
    await again(act).hang_up()
    await act.let_on()


async def the_lead_is_with_who_was_rung_again(act: Act) -> None:
    """The key had come already."""
    await act.ended("RETURNED", "NOAGENT", "TAKENBACK")
    await act.in_one_bridge("lead", "quinn")
    await again(act).hang_up()
    await act.let_on()


async def two_talk_on(act: Act) -> None:
    await act.recovered()
    await again(act).ended()
    await two_talk(act)


async def is_completed(act: Act) -> None:
    await act.ended("COMPLETED", "CONNECTED")
    for call in act.calls:
        await call.ended()


async def is_completed_and_the_lead_goes_on(act: Act) -> None:
    await act.ended("COMPLETED", "CONNECTED")
    await act.let_on()
    await again(act).ended()


async def is_abandoned_untouched(act: Act) -> None:
    """Before anybody was rung."""
    await act.ended("ABANDONED", "ABANDONED")
    assert not act.handoff["offers"]
    for call in act.calls:
        await call.ended()


async def the_call_was_over(act: Act) -> None:
    """Nobody had touched it: Asterisk ended it as it ends any call."""
    await act.in_state("ABANDONED", "FAILED")
    for call in act.calls:
        await call.ended()


# -- the plans -----------------------------------------------------------------------------------------------

BACK = the_qualifier_has_the_lead
NOBODY = ("NOAGENT", "TIMEOUT")
"""Of a phone that rang: whether it was turned away or rang out is not known after the outage."""

STAY = (
    Case("stay ringing, nothing", ringing("stay"), nothing, accepted_by_ring(three_talk)),
    Case("stay ringing, qualifier", ringing("stay"), quinn_hangs_up, accepted_by_ring(two_talk)),
    Case("stay ringing, lead", ringing("stay"), lead_hangs_up, is_abandoned),
    Case("stay ringing, agent", ringing("stay"), ana_hangs_up, BACK(*NOBODY)),
    Case("stay briefing, nothing", briefing("stay"), nothing, accepted(three_talk)),
    Case("stay briefing, qualifier", briefing("stay"), quinn_hangs_up, accepted(two_talk)),
    Case("stay briefing, lead", briefing("stay"), lead_hangs_up, is_abandoned),
    Case("stay briefing, agent", briefing("stay"), ana_hangs_up, BACK("TIMEOUT")),
    Case("stay three, nothing", three, nothing, three_talk),
    Case("stay three, qualifier", three, quinn_hangs_up, two_talk),
    Case("stay three, lead", three, lead_hangs_up, is_completed_and_they_talk_on),
    Case("stay three, agent", three, ana_hangs_up, BACK("TIMEOUT")),
)  # fmt: skip

CONSULT = (
    Case("consult ringing, nothing", ringing("consult"), nothing, accepted_by_ring(they_talk_in_private), held=True),
    Case("consult ringing, qualifier", ringing("consult"), quinn_hangs_up, accepted_by_ring(two_talk), held=True),
    Case("consult ringing, lead", ringing("consult"), lead_hangs_up, is_abandoned),
    Case("consult ringing, agent", ringing("consult"), ana_hangs_up, BACK(*NOBODY), held=True),
    Case("consult briefing, nothing", briefing("consult"), nothing, accepted(they_talk_in_private), held=True),
    Case("consult briefing, qualifier", briefing("consult"), quinn_hangs_up, accepted(two_talk), held=True),
    Case("consult briefing, lead", briefing("consult"), lead_hangs_up, is_abandoned),
    Case("consult briefing, agent", briefing("consult"), ana_hangs_up, BACK("TIMEOUT"), held=True),
    Case("consulting, nothing", consulting, nothing, they_talk_in_private, held=True),
    Case("consulting, qualifier", consulting, quinn_hangs_up, two_talk, held=True),
    Case("consulting, lead", consulting, lead_hangs_up, is_abandoned_and_they_talk_on),
    Case("consulting, agent", consulting, ana_hangs_up, BACK("TIMEOUT"), held=True),
)  # fmt: skip

OTHERS = (
    Case("swapped, nothing", swapped, nothing, they_are_swapped),
    Case("swapped, qualifier", swapped, quinn_hangs_up, two_talk),
    Case("swapped, lead", swapped, lead_hangs_up, is_abandoned),
    Case("swapped, agent", swapped, ana_hangs_up, BACK("TIMEOUT")),
    Case("consult three, nothing", consult_three, nothing, three_talk),
    Case("consult three, qualifier", consult_three, quinn_hangs_up, two_talk),
    Case("consult three, lead", consult_three, lead_hangs_up, is_completed_and_they_talk_on),
    Case("consult three, agent", consult_three, ana_hangs_up, BACK("TIMEOUT")),
    Case("returning, nothing", returning, nothing, the_qualifier_takes_the_lead, held=True),
    Case("returning, answered", returning, again_answers, the_qualifier_takes_the_lead, held=True),
    Case("returning, qualifier", returning, again_hangs_up, the_lead_goes_on, held=True),
    Case("returning, lead", returning, lead_hangs_up, is_abandoned),
    Case("returning briefing, nothing", returning_briefing, nothing, the_qualifier_takes_the_lead, held=True),
    Case("returning briefing, qualifier", returning_briefing, again_hangs_up, the_lead_goes_on, held=True),
)  # fmt: skip

PHONE = (
    Case("second call, nothing", second_call, nothing, the_second_call_completes, held=True),
    Case("second call, qualifier", second_call, again_hangs_up, the_lead_is_at_the_phone, held=True),
    Case("second call, first call", second_call, quinn_hangs_up, is_abandoned_and_they_talk_on),
    Case("second call, lead", second_call, lead_hangs_up, is_abandoned_and_they_talk_on),
    Case("second call, agent", second_call, ana_hangs_up, the_lead_is_at_the_phone, held=True),
)  # fmt: skip
PAIRS = (
    Case("stay ringing, lead and qualifier", ringing("stay"), both(lead_hangs_up, quinn_hangs_up), is_abandoned),
    Case("stay ringing, lead and agent", ringing("stay"), both(lead_hangs_up, ana_hangs_up), is_abandoned),
    Case("stay ringing, qualifier and agent", ringing("stay"), both(quinn_hangs_up, ana_hangs_up), nobody_at_the_qualifiers_phone(the_lead_goes_on_as("RETURNED", *NOBODY))),
    Case("stay three, lead and qualifier", three, both(lead_hangs_up, quinn_hangs_up), is_completed),
    Case("stay three, lead and agent", three, both(lead_hangs_up, ana_hangs_up), either(("COMPLETED", "CONNECTED"), ("RETURNED", "TIMEOUT"))),
    Case("stay three, qualifier and agent", three, both(quinn_hangs_up, ana_hangs_up), the_lead_goes_on_as("COMPLETED", "CONNECTED")),
    Case("consult briefing, lead and qualifier", briefing("consult"), both(lead_hangs_up, quinn_hangs_up), is_abandoned),
    Case("consult briefing, qualifier and agent", briefing("consult"), both(quinn_hangs_up, ana_hangs_up), nobody_at_the_qualifiers_phone(the_lead_goes_on_as("RETURNED", "TIMEOUT")), held=True),
    Case("consulting, lead and qualifier", consulting, both(lead_hangs_up, quinn_hangs_up), is_abandoned),
    Case("consulting, lead and agent", consulting, both(lead_hangs_up, ana_hangs_up), is_abandoned),
    Case("consulting, qualifier and agent", consulting, both(quinn_hangs_up, ana_hangs_up), nobody_at_the_qualifiers_phone(the_lead_goes_on_as("RETURNED", "TIMEOUT")), held=True),
    Case("swapped, qualifier and agent", swapped, both(quinn_hangs_up, ana_hangs_up), nobody_at_the_qualifiers_phone(the_lead_goes_on_as("RETURNED", "TIMEOUT"))),
)  # fmt: skip

TAKING_BACK = (
    Case("taken back, nothing", taken_back, nothing, the_qualifier_takes_the_lead_back),
    Case("taken back, answered", taken_back, again_answers, the_qualifier_takes_the_lead_back),
    Case("taken back, qualifier", taken_back, again_hangs_up, two_talk_on),
    Case("taken back, lead", taken_back, lead_hangs_up, is_completed),
    Case("taken back, agent", taken_back, ana_hangs_up, is_completed_and_the_lead_goes_on),
    Case("taken back briefing, nothing", taken_back_briefing, nothing, the_qualifier_takes_the_lead_back),
    Case("taken back, not fetched", taken_back_briefing, nothing, the_lead_is_with_who_was_rung_again, cut=True, at_last=stopped_before(FETCH, again_accepts)),
    Case("taken back, fetched unheard", taken_back_briefing, nothing, the_lead_is_with_who_was_rung_again, at_last=stopped_before(FETCH, again_accepts, done=True)),
    Case("returning, not joined", returning_briefing, nothing, the_lead_is_with_who_was_rung_again, cut=True, at_last=stopped_before(JOIN_AGAIN, again_accepts)),
    Case("returning, joined unheard", returning_briefing, nothing, the_lead_is_with_who_was_rung_again, at_last=stopped_before(JOIN_AGAIN, again_accepts, done=True)),
    Case("consult declined, not joined", briefing("consult"), nothing, BACK("DECLINED"), cut=True, at_last=stopped_before(JOIN_QUINN, ana_declines)),
)  # fmt: skip

# At most seven at a time: each request that is stopped keeps one of the daemon's eight connections.
TAKING_OVER = (
    Case("not touched, nothing", talking, nothing, rings_now(three_talk), at_last=stopped_before(SUBSCRIBE, asked("stay"))),
    Case("not touched, lead", talking, lead_hangs_up, is_abandoned_untouched, at_last=stopped_before(SUBSCRIBE, asked("stay"))),
    Case("not touched, qualifier", talking, quinn_hangs_up, the_call_was_over, at_last=stopped_before(SUBSCRIBE, asked("stay"))),
    Case("taking over, nothing", talking, nothing, rings_now(three_talk), cut=True, at_last=stopped_before(TAKE_LEAD, asked("stay"))),
    Case("taking over, lead", talking, lead_hangs_up, is_abandoned_untouched, at_last=stopped_before(TAKE_LEAD, asked("stay"))),
    Case("taking over, qualifier", talking, quinn_hangs_up, rings_now(two_talk), at_last=stopped_before(TAKE_LEAD, asked("stay"))),
    Case("taken over unheard, nothing", talking, nothing, rings_now(three_talk), cut=True, at_last=stopped_before(TAKE_QUINN, asked("stay"), done=True)),
)  # fmt: skip

JOINING = (
    Case("not aside, nothing", talking, nothing, rings_now(they_talk_in_private), at_last=stopped_before(ASIDE, asked("consult"))),
    Case("accepted not joined, nothing", briefing("stay"), nothing, three_talk, at_last=stopped_before(JOIN_ANA, ana_accepts)),
    Case("accepted not joined, qualifier", briefing("stay"), quinn_hangs_up, two_talk, at_last=stopped_before(JOIN_ANA, ana_accepts)),
    Case("no consult yet, nothing", briefing("consult"), nothing, they_talk_in_private, held=True, at_last=stopped_before(START_CONSULT, ana_accepts)),
    Case("no consult yet, agent", briefing("consult"), ana_hangs_up, BACK("TIMEOUT"), held=True, at_last=stopped_before(START_CONSULT, ana_accepts)),
    Case("completed not let go, nothing", three, nothing, two_talk, at_last=stopped_before(LET_GO, quinn_completes)),
    Case("completed not released, nothing", consulting, nothing, two_talk, at_last=stopped_before(RELEASE, quinn_completes)),
)  # fmt: skip

PLANS = {
    "stay": STAY,
    "consult": CONSULT,
    "others": OTHERS,
    "phone": PHONE,
    "pairs": PAIRS,
    "taking back": TAKING_BACK,
    "taking over": TAKING_OVER,
    "joining": JOINING,
}
