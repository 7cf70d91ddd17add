"""What app_queue's pause events say."""

from __future__ import annotations

import pytest
from ami_server import Server, running, until

from asterisk_warm.ami.queues import Paused, follow_pauses, paused


def event(**fields: object) -> dict[str, object]:
    """As Asterisk sends it, with much that nobody here reads."""
    return {
        "Event": "QueueMemberPause",
        "Privilege": "agent,all",
        "Queue": "sales",
        "MemberName": "Ana Lopez",
        "Interface": "PJSIP/ana",
        "StateInterface": "PJSIP/ana",
        "Status": "1",
        "Paused": "1",
        "PausedReason": "lunch",
        **fields,
    }


@pytest.mark.parametrize(
    ("told", "change"),
    [
        (event(), Paused("PJSIP/ana", True, "lunch", "sales")),
        (event(Paused="0", PausedReason=""), Paused("PJSIP/ana", False, "", "sales")),
        (event(PausedReason=["a", "b"]), Paused("PJSIP/ana", True, "", "sales")),
        (event(Paused=""), None),
        (event(Paused="yes"), None),
        (event(Interface=""), None),
        (event(Interface=["PJSIP/ana", "PJSIP/ben"]), None),
        ({}, None),
    ],
)
def test_given_an_event_when_read_then_it_says_who_is_paused_or_nothing(
    told: dict[str, object], change: Paused | None
) -> None:
    assert paused(told) == change


async def test_given_one_who_follows_when_asterisk_tells_then_they_hear_of_members_only() -> None:
    told: list[Paused] = []
    server = Server()
    async with running(server, prepare=lambda ami: follow_pauses(ami, told.append)) as ami:
        assert await ami.wait_connected(5)
        assert server.actions[0]["Events"] == "agent"
        await server.tell("Event: QueueMemberPause", "Paused: 1")
        await server.tell("Event: QueueMemberPause", "Queue: q", "Interface: PJSIP/ana", "Paused: 0")
        await until(lambda: told == [Paused("PJSIP/ana", False, "", "q")])
