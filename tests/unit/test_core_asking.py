"""An agent asks back: the question goes to the lead or the qualifier, the reply to that agent alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from property.handoffs import policy
from property.history import (
    History,
    aside,
    at_phone,
    blonde,
    briefing,
    hung_up,
    staying,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff import events as ev
from asterisk_warm.core.handoff.model import Asked, Line, Outcome, Playing
from asterisk_warm.core.handoff.policy import Action
from asterisk_warm.core.handoff.states import State
from asterisk_warm.core.handoff.wanted import still_wanted

STEPS = {
    Asked.RECORDING: (ev.DigitPressed, {"offer": 1, "digit": "5"}),
    Asked.ASKING: (ev.Recorded, {"number": 1, "reply": False}),
    Asked.REPLYING: (ev.PlaybackEnded, {"what": Playing.QUESTION, "number": 1}),
    Asked.TELLING: (ev.Recorded, {"number": 1, "reply": True}),
}
"""What brings a question to each of its steps."""
KEYS = Line("instructions", "Press 1 to accept, 2 to decline, 3 to repeat.")


def until(step: Asked, history: History | None = None) -> History:
    """The first agent's question has come so far; by default it is the lead who is asked."""
    history = history or briefing(policy=policy(comfort=20.0))
    for reached, (kind, fields) in STEPS.items():
        history.then(kind, later=1.0, **fields)
        assert history.handoff.asking is not None and history.handoff.asking.step is reached
        if reached is step:
            return history
    raise AssertionError(step)


def of_qualifier(step: Asked, **settings: Any) -> History:
    return until(step, staying(**settings).then(ev.AgentAnswered, offer=1))


def said(history: History) -> list[str]:
    """What the first agent hears by the last event: texts, recordings, or names of prompts."""
    return [line.text or line.recording or line.prompt for line in history.order(co.PlayToAgent).media]


NO_REPLY = ["no-reply", KEYS.text]


# -- there and back ------------------------------------------------------------------------------------------


def test_given_the_key_then_the_agent_speaks_a_question_and_the_briefing_ends():
    history = until(Asked.RECORDING)
    order = co.RecordQuestion(1, 1, (Line("ask"),), 12.0, stop_briefing=1001)
    assert history.commands == (order,) and still_wanted(history.handoff, order)
    assert history.handoff.offers[0].asks == history.handoff.asks == 1


def test_given_the_question_then_the_lead_hears_it_instead_of_music():
    history = until(Asked.ASKING)
    question = Line("", recording="warm-1-question-1")
    media = (Line("question-follows"), question, Line("reply-now"), Line("beep"))
    order = co.PutQuestion(1, media, of_qualifier=False, talking=False, stop_comfort=None)
    assert history.commands == (order,) and still_wanted(history.handoff, order)
    assert history.handoff.lead_asked


def test_given_the_question_was_heard_then_the_reply_is_recorded_and_there_is_no_music():
    history = until(Asked.REPLYING)
    order = co.RecordReply(1, of_qualifier=False, seconds=12.0)
    assert history.commands == (order,) and still_wanted(history.handoff, order)
    assert not still_wanted(history.handoff, co.HoldLead("default"))


def test_given_the_reply_then_that_agent_alone_hears_it_and_the_lead_has_music_again():
    history = until(Asked.TELLING)
    reply = co.PlayToAgent(1, Playing.REPLY, 1, (Line("no-reply", recording="warm-1-reply-1"),))
    assert history.commands == (co.HoldLead("default"), reply)
    assert all(still_wanted(history.handoff, order) for order in history.commands)
    assert history.handoff.comfort_at == history.at + 20.0


def test_given_the_reply_was_heard_then_the_agent_has_the_keys_again_and_the_full_time_to_decide():
    history = until(Asked.TELLING).then(ev.PlaybackEnded, what=Playing.REPLY, number=1, later=3.0)
    assert history.commands == (co.PlayToAgent(1, Playing.BRIEFING, 1002, (KEYS,), stop=1001),)
    assert history.handoff.asking is None
    history.then(ev.PlaybackEnded, what=Playing.BRIEFING, number=1002, later=4.0)
    assert history.handoff.offers[0].deadline == history.at + 30.0
    assert history.then(ev.DigitPressed, offer=1, digit="1").handoff.state is State.INTRODUCING


def test_given_the_end_of_the_reply_is_never_told_then_the_agent_has_the_keys_again_all_the_same():
    history = until(Asked.TELLING).wait()
    while history.handoff.asking is not None:
        history.wait()
    assert said(history) == [KEYS.text]


def test_given_a_comfort_announcement_plays_then_it_ends_and_none_comes_until_the_reply_was_recorded():
    history = until(Asked.RECORDING).then(ev.DeadlinePassed, later=19.0)
    assert history.handoff.comfort_playing
    history.then(ev.Recorded, number=1, reply=False)
    assert history.order(co.PutQuestion).stop_comfort == 1
    assert history.then(ev.PlaybackEnded, what=Playing.COMFORT, number=1).commands == ()
    assert history.handoff.comfort_at is None
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1).then(ev.Recorded, number=1, reply=True)
    assert history.handoff.comfort_at == history.at + 20.0


@pytest.mark.parametrize("command", ["HoldLead", "PlayComfort"])
def test_given_music_could_not_be_started_before_then_the_lead_who_is_asked_hears_no_announcement(command):
    history = until(Asked.ASKING).then(ev.CommandFailed, command=command, offer=None, error="no")
    assert history.commands == () and history.handoff.comfort_at is None


def test_given_another_language_then_agent_and_lead_are_spoken_to_in_theirs():
    given = policy()
    spanish = replace(given.templates, instructions="Pulse {accept}.")
    history = briefing(policy=replace(given, translations=(("es", spanish),)))
    lead = replace(history.handoff.lead, language="es")
    agent = replace(history.handoff.offers[0].agent, language="es")
    changed = history.handoff.with_offer(replace(history.handoff.offers[0], agent=agent)).evolve(lead=lead)
    history.decision = history.decision._replace(handoff=changed)
    history.then(ev.DigitPressed, offer=1, digit="5")
    assert history.order(co.RecordQuestion).media == (Line("ask", language="es"),)
    history.then(ev.Recorded, number=1, reply=False)
    follows, question, now, beep = history.order(co.PutQuestion).media
    assert {follows.language, now.language, beep.language} == {"es"} and question.language == ""
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1, failed=True)
    keys = Line("instructions", "Pulse 1.", "es")
    assert history.order(co.PlayToAgent).media == (Line("no-reply", language="es"), keys)


# -- whom ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "talking"), [(staying, True), (aside, False), (at_phone, False)])
def test_given_a_qualifier_on_the_line_then_they_are_asked_alone_and_the_lead_hears_nothing(where, talking):
    history = until(Asked.ASKING, where().then(ev.AgentAnswered, offer=1))
    put = history.order(co.PutQuestion)
    assert put.of_qualifier and put.talking is talking and put.stop_comfort is None
    assert not history.handoff.lead_asked
    history.then(ev.PlaybackEnded, what=Playing.QUESTION, number=1)
    assert history.order(co.RecordReply).of_qualifier
    assert history.then(ev.Recorded, number=1, reply=True).kinds == ["PlayToAgent"]


def test_given_the_qualifier_has_hung_up_then_the_lead_is_asked():
    assert (
        not until(Asked.ASKING, blonde().then(ev.AgentAnswered, offer=1)).order(co.PutQuestion).of_qualifier
    )


def test_given_the_qualifier_hangs_up_while_the_question_is_spoken_then_the_lead_is_asked():
    history = of_qualifier(Asked.RECORDING).qualifier_hangs_up().then(ev.Recorded, number=1, reply=False)
    assert not history.order(co.PutQuestion).of_qualifier and history.handoff.lead_asked


def being_fetched() -> History:
    """The qualifier has left; the lead, on hold at their phone, is on the way to us."""
    history = at_phone().then(ev.AgentAnswered, offer=1).asks(Action.COMPLETE)
    assert history.handoff.fetching
    return history


def test_given_the_lead_is_not_with_us_yet_then_nobody_can_be_asked():
    history = being_fetched().then(ev.DigitPressed, offer=1, digit="5")
    assert said(history) == NO_REPLY and history.handoff.asking is None and history.handoff.asks == 0


def test_given_nobody_can_be_asked_any_more_when_the_question_is_spoken_then_there_is_no_reply():
    history = until(Asked.RECORDING, at_phone().then(ev.AgentAnswered, offer=1)).asks(Action.COMPLETE)
    history.then(ev.Recorded, number=1, reply=False)
    assert said(history) == NO_REPLY and history.handoff.asking is None


# -- who may ask ---------------------------------------------------------------------------------------------


def test_given_somebody_asks_already_then_another_agent_hears_so():
    history = until(Asked.ASKING).then(ev.AgentAnswered, offer=2)
    history.then(ev.DigitPressed, offer=2, digit="5")
    assert said(history) == ["ask-later", KEYS.text] and history.order(co.PlayToAgent).offer == 2
    assert history.handoff.asking is not None and history.handoff.asking.offer == 1


def test_given_an_agent_has_asked_often_enough_then_they_hear_so_and_another_may_still_ask():
    history = briefing(policy=policy(asks=1)).then(ev.DigitPressed, offer=1, digit="5")
    history.then(ev.Recorded, number=1, reply=False, failed=True).then(ev.DigitPressed, offer=1, digit="5")
    assert said(history) == ["no-more-questions", KEYS.text]
    history.then(ev.AgentAnswered, offer=2).then(ev.DigitPressed, offer=2, digit="5")
    assert history.order(co.RecordQuestion).number == 2


@pytest.mark.parametrize("settings", [{"asks": 0}, {"keys": replace(policy().keys, ask="")}])
def test_given_no_questions_are_allowed_then_the_key_means_nothing(settings):
    history = briefing(policy=policy(**settings)).then(ev.DigitPressed, offer=1, digit="5")
    assert history.commands == () and history.handoff.asking is None


@pytest.mark.parametrize("step", Asked)
@pytest.mark.parametrize("digit", "3459")
def test_given_their_own_question_is_under_way_then_other_keys_than_the_decision_mean_nothing(step, digit):
    history = until(step)
    before = history.handoff
    assert history.then(ev.DigitPressed, offer=1, digit=digit).handoff == before and history.commands == ()


def test_given_a_qualifier_who_is_rung_to_have_the_lead_back_then_they_cannot_ask():
    history = blonde()
    for offer in (1, 2, 3):
        history.then(ev.AgentHungUp, **hung_up(Outcome.BUSY, offer))
    history.then(ev.AgentAnswered, offer=4)
    for digit in "45":
        assert history.then(ev.DigitPressed, offer=4, digit=digit).commands == ()
    assert history.then(ev.DigitPressed, offer=4, digit="3").kinds == ["PlayToAgent"]


# -- whatever ends it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", Asked)
def test_given_the_agent_accepts_then_the_join_comes_first_and_stops_the_question(step):
    history = until(step).then(ev.DigitPressed, offer=1, digit="1")
    join, dropped = history.commands[0], history.commands[-1]
    assert isinstance(join, co.JoinAgent) and join.stop_question == 1
    assert isinstance(dropped, co.DropQuestion)
    assert "HoldLead" not in history.kinds and history.handoff.asking is None


@pytest.mark.parametrize("step", Asked)
def test_given_the_agent_accepts_in_a_consult_then_the_consult_stops_the_question(step):
    asked = until(step, aside().then(ev.AgentAnswered, offer=1))
    history = asked.then(ev.DigitPressed, offer=1, digit="1")
    assert history.handoff.state is State.CONSULTING
    assert history.order(co.StartConsult).stop_question == 1 and "DropQuestion" in history.kinds


@pytest.mark.parametrize("step", Asked)
def test_given_another_agent_accepts_then_who_asks_has_lost(step):
    history = until(step).then(ev.AgentAnswered, offer=2).then(ev.DigitPressed, offer=2, digit="1")
    assert history.order(co.JoinAgent).offer == 2 and history.order(co.JoinAgent).stop_question == 1
    assert history.handoff.asking is None
    farewells = [order for order in history.commands if isinstance(order, co.PlayToAgent)]
    assert [farewell.offer for farewell in farewells] == [1]


ENDS = {
    "the agent declines": (ev.DigitPressed, {"offer": 1, "digit": "2"}),
    "the agent hangs up": (ev.AgentHungUp, hung_up()),
    "the agent is taken away": (ev.AgentLeft, {"offer": 1}),
}


@pytest.mark.parametrize(("kind", "fields"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("step", Asked)
def test_given_the_agent_ends_it_then_the_lead_has_music_again(step, kind, fields):
    history = until(step).then(kind, **fields)
    assert history.handoff.state is State.OFFERING and history.handoff.asking is None
    assert history.commands[0] == co.DropQuestion(1, 1, of_qualifier=False)
    assert still_wanted(history.handoff, history.commands[0])
    assert ("HoldLead" in history.kinds) is step.put
    assert history.handoff.comfort_at is not None


@pytest.mark.parametrize("step", [Asked.ASKING, Asked.REPLYING])
def test_given_the_only_agent_hangs_up_then_the_lead_has_music_again_while_others_are_sought(step):
    history = until(step, briefing(("ana",)).found(hope=True)).agent_hangs_up()
    assert history.handoff.state is State.SEEKING and history.kinds[:2] == ["DropQuestion", "HoldLead"]


@pytest.mark.parametrize("step", Asked)
def test_given_the_lead_hangs_up_then_everything_ends(step):
    history = until(step).lead_hangs_up()
    assert history.handoff.state is State.ABANDONED and history.handoff.asking is None
    assert "DropQuestion" in history.kinds and "HoldLead" not in history.kinds


@pytest.mark.parametrize("step", Asked)
def test_given_the_hold_budget_is_used_up_then_the_question_ends_before_the_lead_is_sent_on(step):
    history = until(step)
    history.then(ev.DeadlinePassed, later=200.0)
    assert history.handoff.state is State.RETURNED
    assert history.kinds[:2] == ["DropQuestion", "ReturnLead"] and "HoldLead" not in history.kinds


def test_given_the_budget_is_used_up_and_the_qualifier_can_be_rung_then_the_lead_has_music_meanwhile():
    history = until(Asked.REPLYING, blonde().then(ev.AgentAnswered, offer=1))
    history.then(ev.DeadlinePassed, later=200.0)
    assert history.handoff.state is State.RETURNING
    assert history.kinds[:3] == ["DropQuestion", "HoldLead", "RingAgent"]


@pytest.mark.parametrize("step", Asked)
def test_given_the_qualifier_takes_the_lead_back_then_the_question_ends(step):
    history = of_qualifier(step).asks(Action.TAKE_BACK)
    assert history.handoff.state is State.RETURNED and history.handoff.asking is None
    assert history.commands[0] == co.DropQuestion(1, 1, of_qualifier=True)


@pytest.mark.parametrize("step", [Asked.ASKING, Asked.REPLYING])
def test_given_the_qualifier_who_is_asked_hangs_up_then_there_is_no_reply(step):
    history = of_qualifier(step).qualifier_hangs_up()
    assert history.handoff.state is State.OFFERING and history.handoff.asking is None
    assert said(history) == NO_REPLY
    assert history.kinds.count("HoldLead") == 1, "the lead has lost whom they talked to"


@pytest.mark.parametrize("step", [Asked.RECORDING, Asked.TELLING])
def test_given_the_qualifier_hangs_up_who_is_not_asked_just_now_then_it_goes_on(step):
    history = of_qualifier(step).qualifier_hangs_up()
    assert history.handoff.asking is not None and history.handoff.asking.step is step


@pytest.mark.parametrize("step", [Asked.ASKING, Asked.REPLYING])
def test_given_who_is_asked_goes_on_at_another_phone_then_there_is_no_reply(step):
    lead = until(step).then(ev.ChannelReplaced, leg="lead", channel="new-1")
    assert said(lead) == NO_REPLY and lead.kinds.count("HoldLead") == 1
    qualifier = of_qualifier(step).then(ev.ChannelReplaced, leg="qualifier", channel="new-1")
    assert said(qualifier) == NO_REPLY
    agent = until(step).then(ev.ChannelReplaced, leg="agent-1", channel="new-1")
    assert agent.handoff.asking is not None and agent.commands == ()


FAILURES = [
    (Asked.RECORDING, ev.Recorded, {"number": 1, "reply": False, "failed": True}),
    (Asked.RECORDING, ev.CommandFailed, {"command": "RecordQuestion", "offer": 1, "error": "no"}),
    (Asked.ASKING, ev.PlaybackEnded, {"what": Playing.QUESTION, "number": 1, "failed": True}),
    (Asked.ASKING, ev.CommandFailed, {"command": "PutQuestion", "offer": None, "error": "no"}),
    (Asked.REPLYING, ev.Recorded, {"number": 1, "reply": True, "failed": True}),
    (Asked.REPLYING, ev.CommandFailed, {"command": "RecordReply", "offer": None, "error": "no"}),
]


@pytest.mark.parametrize(("step", "kind", "fields"), FAILURES)
def test_given_a_failure_then_the_agent_hears_that_there_is_no_reply_and_decides(step, kind, fields):
    history = until(step).then(kind, **fields)
    assert said(history) == NO_REPLY and history.handoff.offers[0].deadline > history.at + 30.0
    music = ["HoldLead"] if step.put else []
    assert history.kinds == ["DropQuestion", *music, "PlayToAgent"]


@pytest.mark.parametrize("step", [Asked.RECORDING, Asked.ASKING, Asked.REPLYING])
def test_given_a_step_takes_too_long_then_there_is_no_reply(step):
    history = until(step, briefing(policy=policy(comfort=0.0, ring_seconds=100.0))).wait()
    assert said(history) == NO_REPLY and history.kinds[0] == "DropQuestion"


def test_given_the_reply_cannot_be_played_then_there_is_none():
    history = until(Asked.TELLING).then(ev.PlaybackEnded, what=Playing.REPLY, number=1, failed=True)
    assert said(history) == NO_REPLY and history.kinds == ["PlayToAgent"]


LATE = [
    (ev.Recorded, {"number": 1, "reply": False}),
    (ev.Recorded, {"number": 1, "reply": True}),
    (ev.PlaybackEnded, {"what": Playing.QUESTION, "number": 1}),
    (ev.PlaybackEnded, {"what": Playing.REPLY, "number": 1}),
    (ev.CommandFailed, {"command": "RecordReply", "offer": None, "error": "no"}),
]


@pytest.mark.parametrize(("kind", "fields"), LATE)
def test_given_facts_of_a_question_that_is_over_then_they_say_nothing(kind, fields):
    history = until(Asked.RECORDING).then(ev.Recorded, number=1, reply=False, failed=True)
    assert history.then(kind, **fields).commands == ()
    again = history.then(ev.DigitPressed, offer=1, digit="5").handoff
    assert history.then(kind, **fields).handoff == again and again.asking is not None


@pytest.mark.parametrize("step", Asked)
def test_given_orders_of_a_question_that_has_moved_on_then_they_are_not_wanted(step):
    history = until(step)
    orders = [
        order
        for chapter in history.chapters
        for order in chapter.commands
        if isinstance(order, co.RecordQuestion | co.PutQuestion | co.RecordReply)
        or (isinstance(order, co.PlayToAgent) and order.what is Playing.REPLY)
    ]
    assert [still_wanted(history.handoff, order) for order in orders] == [False] * (len(orders) - 1) + [True]
    history.lead_hangs_up()
    assert not any(still_wanted(history.handoff, order) for order in orders)


# -- a restart -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", Asked)
def test_given_an_outage_then_the_question_is_forgotten_and_the_agent_is_briefed_again(step):
    history = until(step).reconciled(agents_up=(1,), agents_ringing=(2, 3))
    assert history.handoff.asking is None
    assert history.commands[0] == co.DropQuestion(1, 1, of_qualifier=False)
    assert history.kinds.count("HoldLead") == 1
    assert said(history)[0].startswith("Grant Weatherly.")


def test_given_an_outage_and_a_reading_from_before_the_answer_then_the_agent_has_time_to_decide():
    history = until(Asked.ASKING).reconciled(agents_ringing=(1, 2, 3))
    assert history.handoff.offers[0].deadline == history.at + 30.0


def test_given_a_routine_reading_then_the_question_goes_on():
    history = until(Asked.REPLYING).reconciled(after_outage=False, agents_up=(1,), agents_ringing=(2, 3))
    assert history.commands == () and history.handoff.asking is not None


# -- nothing is left -----------------------------------------------------------------------------------------


def test_given_questions_then_their_recordings_are_forgotten_with_the_bridge():
    history = until(Asked.TELLING).lead_hangs_up()
    assert history.order(co.CloseBridge).asks == 1
