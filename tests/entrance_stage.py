"""What the tests of the ways into a handoff share. Asterisk is the simulator of `tests/property/model_asterisk.py`."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from property.live_engine import Live
from property.model_asterisk import LEAD, QUALIFIER

from asterisk_warm.core.handoff.model import Handoff
from asterisk_warm.engine.directory import Destination
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.views import HandoffView

SALES = Destination(team="sales")
NUMBER = "+12025550123"


async def refused(work: Awaitable[object]) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


async def taken_over(stage: Live) -> HandoffView:
    """Wait until a handoff has the lead, and the agents ring."""
    await stage.until(lambda: stage.service.leg_of(LEAD))
    stage.world.handoff = stage.service.leg_of(LEAD)[0]
    await stage.until_rung()
    return await stage.view()


async def whispered(stage: Live) -> str:
    """What the qualifier alone has been told."""
    await stage.until(lambda: stage.world.whispered)
    ((channel, sounds),) = stage.world.whispered
    assert channel == QUALIFIER and not stage.world.asides
    return sounds[0]


def handoff_of(stage: Live) -> Handoff:
    mailbox = stage.service._open.find(stage.world.handoff)
    assert mailbox is not None and mailbox.handoff is not None
    return mailbox.handoff


async def handoffs(stage: Live) -> list[HandoffView]:
    return await stage.service.list(open_only=False, limit=10)
