"""What AMI tells by itself and who hears it; and what runs beside each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from ami_server import Server, running, until

from asterisk_warm.ami import manager
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.ports.pbx import PbxRefused


@pytest.fixture
def server() -> Server:
    return Server()


# -- what the dialplan says ----------------------------------------------------------------------------------

USER_EVENT = (
    "Event: UserEvent",
    "Privilege: user,all",
    "UserEvent: WarmRequest",
    "Uniqueid: 1.2",
    "What: stay",
)


async def test_given_one_who_listens_when_the_dialplan_says_something_then_they_are_told_all_of_it(
    server: Server,
) -> None:
    told: list[Mapping[str, str]] = []
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        assert server.actions[0]["Events"] == "user"
        server.pieces = 3
        await server.tell(*USER_EVENT, "Team: Zoë: x")
        await until(lambda: len(told) == 1)
        assert told[0]["UserEvent"] == "WarmRequest"
        assert (told[0]["Uniqueid"], told[0]["What"], told[0]["Team"]) == ("1.2", "stay", "Zoë: x")
        assert type(told[0]) is dict


async def test_given_events_of_others_when_told_then_only_the_dialplans_are_handed_over(
    server: Server,
) -> None:
    told: list[Mapping[str, str]] = []
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        await server.tell("Event: FullyBooted", "Status: Fully Booted")
        await server.tell("Event: Hangup", "UserEvent: WarmRequest")
        await server.tell("no event at all")
        await server.tell("Event: UserEventful", "UserEvent: WarmRequest")
        await server.tell(*USER_EVENT)
        await until(lambda: bool(told))
        assert len(told) == 1 and told[0]["Event"] == "UserEvent"
        await ami.set_variable("x", "y", "z")


async def test_given_an_event_between_an_order_and_its_answer_when_both_come_then_each_goes_its_way(
    server: Server,
) -> None:
    told: list[Mapping[str, str]] = []
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        server.answer = lambda _: "\r\n".join([*USER_EVENT, "", "Response: Success", "AsteriskVersion: 22"])
        assert await ami.version() == "22"
        await until(lambda: len(told) == 1)


@pytest.mark.parametrize(
    "odd",
    [
        ("Event: UserEvent", "Event: twice"),
        ("Event: UserEvent", "UserEvent: WarmRequest", "ActionID: x", "ActionID: y"),
        ("Event: Response", "Response: Success"),
    ],
)
async def test_given_an_event_that_names_a_field_twice_when_told_then_the_connection_lasts(
    server: Server, odd: tuple[str, ...]
) -> None:
    told: list[Mapping[str, str]] = []
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        await server.tell(*odd)
        await server.tell(*USER_EVENT)
        await until(lambda: any(event.get("What") == "stay" for event in told))
        assert server.connections == 1


async def test_given_one_who_listens_badly_when_told_then_the_connection_lasts(server: Server) -> None:
    told: list[Mapping[str, str]] = []

    def listen(event: Mapping[str, str]) -> None:
        told.append(event)
        raise RuntimeError("not listening")

    async with running(server, listen) as ami:
        assert await ami.wait_connected(5)
        for number in (1, 2):
            await server.tell(*USER_EVENT)
            await until(lambda number=number: len(told) == number)
        await ami.set_variable("x", "y", "z")
        assert server.connections == 1


async def test_given_a_reconnection_when_the_dialplan_says_something_then_they_are_told_again(
    server: Server,
) -> None:
    told: list[Mapping[str, str]] = []
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        server.drop()
        await until(lambda: server.connections == 2 and ami.connected)
        await server.tell(*USER_EVENT)
        await until(lambda: len(told) == 1)


# -- who listens, and what runs beside a connection ----------------------------------------------------------


async def test_given_listeners_when_logging_in_then_only_the_classes_of_their_events_are_asked_for(
    server: Server,
) -> None:
    told: list[str] = []

    def prepare(ami: AmiManager) -> None:
        for name in ("QueueMemberPause", "DeviceStateChange", "ExtensionStatus"):
            ami.listen(name, lambda event: told.append(event["Event"]))
        ami.listen("DeviceStateChange", lambda event: told.append(event["State"]))

    async with running(server, prepare=prepare) as ami:
        assert await ami.wait_connected(5)
        assert server.actions[0]["Events"] == "agent,call"
        await server.tell("Event: Newchannel", "Channel: PJSIP/ana-1")
        await server.tell("Event: DeviceStateChange", "Device: PJSIP/ana", "State: INUSE")
        await server.tell("Event: QueueMemberPause", "Interface: PJSIP/ana")
        await until(lambda: len(told) == 3)
        assert told == ["DeviceStateChange", "INUSE", "QueueMemberPause"]


async def test_given_an_event_of_unknown_class_when_listened_to_then_the_remedy_is_told(
    server: Server,
) -> None:
    with pytest.raises(ValueError, match=r"Newchannel.*add it"):
        AmiManager("127.0.0.1", 1, "warm", "secret").listen("Newchannel", print)


async def test_given_a_listener_that_fails_when_told_then_the_connection_lasts(server: Server) -> None:
    wrong: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
    async with running(server, lambda event: print(event["Nothing"])) as ami:
        assert await ami.wait_connected(5)
        await server.tell(*USER_EVENT)
        await until(lambda: len(wrong) == 1)
        await ami.set_variable("x", "y", "z")
        assert server.connections == 1


async def test_given_a_task_beside_when_the_connection_is_lost_then_it_ends_and_runs_again_with_the_next(
    server: Server,
) -> None:
    seen: list[str] = []

    def prepare(ami: AmiManager) -> None:
        async def task() -> None:
            seen.append(f"began, {ami.connected}")
            try:
                await asyncio.Event().wait()
            finally:
                seen.append(f"ended, {ami.connected}")

        ami.beside(task)

    async with running(server, prepare=prepare) as ami:
        await until(lambda: seen == ["began, True"])
        server.drop()
        await until(lambda: seen == ["began, True", "ended, False", "began, True"])
        assert ami.connected
    assert seen[3:] == ["ended, False"]


async def test_given_a_task_beside_that_is_done_when_others_go_on_then_so_does_the_connection(
    server: Server,
) -> None:
    done = asyncio.Event()

    async def task() -> None:
        done.set()

    async with running(server, prepare=lambda ami: ami.beside(task)) as ami:
        await asyncio.wait_for(done.wait(), 5)
        await ami.set_variable("x", "y", "z")
        assert server.connections == 1


async def test_given_a_task_beside_that_gets_no_answer_when_it_gives_up_then_a_new_connection_is_made(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "ACTION_SECONDS", 0.1)
    server.answer = lambda action: "Response: Success" if action["Action"] == "Login" else None

    def prepare(ami: AmiManager) -> None:
        async def task() -> None:
            await ami.rows("DeviceStateList")

        ami.beside(task)

    async with running(server, prepare=prepare):
        await until(lambda: server.connections == 2)


@pytest.mark.parametrize("pieces", [0, 7])
async def test_given_a_list_when_asked_for_then_its_rows_come_and_no_event_is_taken_for_one(
    server: Server, pieces: int
) -> None:
    told: list[Mapping[str, str]] = []
    server.pieces = pieces

    def listing(action: dict[str, str]) -> str:
        if action["Action"] != "DeviceStateList":
            return "Response: Success"
        ours = f"\r\nActionID: {action['ActionID']}\r\n"
        return (
            f"Response: Success{ours}EventList: start\r\n\r\n"
            f"Event: DeviceStateChange{ours}Device: PJSIP/ana\r\nState: INUSE\r\n\r\n"
            + "\r\n".join(USER_EVENT)
            + "\r\n\r\nEvent: DeviceStateListComplete\r\nListItems: 1"
        )

    server.answer = listing
    async with running(server, told.append) as ami:
        assert await ami.wait_connected(5)
        rows = await ami.rows("DeviceStateList")
        assert [(row["Device"], row["State"]) for row in rows] == [("PJSIP/ana", "INUSE")]
        await until(lambda: len(told) == 1)
        server.answer = lambda _: "Response: Error\r\nMessage: Permission denied"
        with pytest.raises(PbxRefused, match="Permission denied"):
            await ami.rows("DeviceStateList")
