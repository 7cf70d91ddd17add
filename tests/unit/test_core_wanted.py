"""Whether an order still makes sense in the moment in which it would be carried out, with a qualifier on the
line."""

from __future__ import annotations

import pytest
from property.history import (
    History,
    aside,
    at_phone,
    blonde,
    consulting,
    introducing,
    left,
    offering,
    recalling,
    returned,
    staying,
    swapped,
    three_way,
    with_qualifier,
)

from asterisk_warm.core.handoff import commands as co
from asterisk_warm.core.handoff.commands import Progress
from asterisk_warm.core.handoff.policy import Mode
from asterisk_warm.core.handoff.wanted import still_wanted

CONSULT = co.StartConsult(1, None)
OTHER = co.StartConsult(2, None)
TELL = co.TellQualifier(1, (), talking=True)
SHOW = co.ShowParty("lead", "", "")
BACK = co.TakeOver("", ())


def accepted() -> History:
    return introducing(**with_qualifier(Mode.CONSULT))


def requested() -> History:
    return History(**with_qualifier(Mode.STAY))


def over() -> History:
    return staying().lead_hangs_up()


@pytest.mark.parametrize(
    ("order", "wanted", "overtaken"),
    [
        (co.TakeOver("qualifier", ()), [requested], [over, lambda: requested().qualifier_hangs_up()]),
        (BACK, [at_phone], [over, lambda: at_phone().keys("*1")]),
        (co.SetAside(), [aside, at_phone], [staying, consulting, blonde]),
        (co.JoinQualifier(None), [returned, swapped, staying], [aside, consulting, blonde, over]),
        (co.ReleaseQualifier(), [over], [staying, left, blonde]),
        (CONSULT, [accepted, consulting], [swapped, aside, three_way, lambda: consulting().keys("*2")]),
        (OTHER, [], [accepted, consulting]),
        (co.HoldAgent(1, ""), [swapped], [consulting, three_way]),
        (TELL, [staying, over, left], [blonde, recalling]),
        (co.TellPhone(Progress.ANSWERED), [staying, left], [blonde]),
        (SHOW, [consulting, three_way], [left, over]),
        (co.LogQueue("sales", "CONNECT", "", ""), [staying, over, left], []),
        (co.LetGo("qualifier", "agent-1", ()), [lambda: consulting().lead_hangs_up()], [consulting, left]),
        (co.LetGo("lead", "agent-1", ()), [left], [three_way, over]),
        (co.LetGo("lead", "qualifier", ()), [lambda: staying().keys("*1")], [staying, over]),
        (co.JoinAgent(1, (), 1, None, None), [lambda: consulting().keys("*2")], [consulting, left]),
        (co.HoldLead(""), [aside, consulting, recalling], [staying, swapped, over]),
        (co.SecureLead("", ()), [offering], [staying, over]),
        (co.CheckLegs(), [offering, over], []),
    ],
)
def test_given_an_order_then_as_long_as_it_makes_sense(order, wanted, overtaken):
    for told in wanted:
        assert still_wanted(told().handoff, order), told
    for told in overtaken:
        assert not still_wanted(told().handoff, order), told
