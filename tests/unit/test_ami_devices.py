"""Device states and hints, where Asterisk is slow, boots, or tells things in an unlucky order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from ami_server import Action, Server, running, until

from asterisk_warm.ami import devices as module
from asterisk_warm.ami import manager
from asterisk_warm.ami.devices import STATES, AmiDevices


class Asterisk(Server):
    """Has devices and hints: some listed, some only told when asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: dict[str, str] = {}
        self.asked_for: dict[str, str] = {}
        self.hints: dict[str, tuple[str, str]] = {}
        """Hint → its devices, and the status that is told when asked for."""
        self.listed_hints: dict[str, tuple[str, str]] = {}
        self.booting = False
        self.answer = self._answer
        self.meanwhile: Callable[[Action], str] = lambda _: ""
        """What is told just before an answer."""

    def asked(self, word: str) -> int:
        return sum(word in action.get("Variable", "") + action.get("Exten", "") for action in self.actions)

    def _answer(self, action: Action) -> str:
        answers = {
            "DeviceStateList": self._devices,
            "ExtensionStateList": self._hints,
            "Getvar": self._device,
            "ExtensionState": self._hint,
        }
        answer = answers.get(action["Action"])
        return self.meanwhile(action) + answer(action) if answer else "Response: Success"

    def _devices(self, action: Action) -> str:
        if self.booting:
            return "Response: Error\r\nMessage: Invalid/unknown command: DeviceStateList."
        rows = [f"Event: DeviceStateChange\r\nDevice: {d}\r\nState: {s}" for d, s in self.listed.items()]
        return _list(action, rows)

    def _hints(self, action: Action) -> str:
        rows = [f"Event: ExtensionStatus\r\n{_row(*hint)}" for hint in self.listed_hints.items()]
        return _list(action, rows)

    def _device(self, action: Action) -> str:
        name = action["Variable"].removeprefix("DEVICE_STATE(").removesuffix(")")
        state = "" if self.booting else self.asked_for.get(name, "INVALID")
        return f"Response: Success\r\nVariable: {action['Variable']}\r\nValue: {state}"

    def _hint(self, action: Action) -> str:
        name = f"{action['Exten']}@{action['Context']}"
        return f"Response: Success\r\nMessage: Extension Status\r\n{_row(name, self.hints.get(name, ('', '-1')))}"

    async def device(self, name: str, state: str) -> None:
        await self.tell("Event: DeviceStateChange", f"Device: {name}", f"State: {state}")


def _row(name: str, hint: tuple[str, str]) -> str:
    exten, _, context = name.partition("@")
    return f"Exten: {exten}\r\nContext: {context}\r\nHint: {hint[0]}\r\nStatus: {hint[1]}"


def _list(action: Action, rows: list[str]) -> str:
    said = ["Response: Success\r\nEventList: start\r\nMessage: will follow", *rows]
    ours = f"\r\nActionID: {action['ActionID']}\r\n\r\n"
    return "".join(message + ours for message in said) + "Event: ListComplete\r\nEventList: Complete"


@pytest.fixture
def asterisk(monkeypatch: pytest.MonkeyPatch) -> Asterisk:
    monkeypatch.setattr(module, "AGAIN_SECONDS", ())
    return Asterisk()


class Seen:
    def __init__(self) -> None:
        self.devices: AmiDevices
        self.told: list[tuple[str, str]] = []

    def listen(self, name: str) -> None:
        self.told.append((name, self.devices.state(name) if name else ""))


@asynccontextmanager
async def watching(asterisk: Asterisk, *names: str) -> AsyncIterator[Seen]:
    """Connected, and the first states are in."""
    seen = Seen()

    def prepare(ami: manager.AmiManager) -> None:
        seen.devices = AmiDevices(ami)
        seen.devices.listen(seen.listen)
        seen.devices.watch(names)

    async with running(asterisk, prepare=prepare):
        await until(lambda: seen.told == [("", "")])
        yield seen


async def test_given_the_lists_when_connected_then_only_what_is_in_neither_is_asked_for(
    asterisk: Asterisk,
) -> None:
    asterisk.listed = {"PJSIP/Ana": "INUSE", "PJSIP/other": "BUSY"}
    asterisk.asked_for = {"Custom:DND201": "UNKNOWN"}
    asterisk.listed_hints = {"201@phones": ("PJSIP/ana", "1")}
    async with watching(asterisk, "pjsip/ana", "Custom:DND201", "201@phones") as seen:
        assert asterisk.names == ["Login", "DeviceStateList", "ExtensionStateList", "Getvar"]
        assert [seen.devices.state(n) for n in ("PJSIP/ana", "Custom:DND201", "201@phones")] == [
            "INUSE",
            "UNKNOWN",
            "INUSE",
        ]
        assert seen.devices.state("PJSIP/other") == "UNKNOWN", "it is not watched"


async def test_given_events_when_they_come_then_each_change_is_told_once_by_the_watched_name(
    asterisk: Asterisk,
) -> None:
    asterisk.listed = {"PJSIP/ana": "NOT_INUSE", "PJSIP/ben": "NOT_INUSE"}
    async with watching(asterisk, "PJSIP/ana", "Pjsip/Ben") as seen:
        for name, state in (
            ("PJSIP/ana", "NOT_INUSE"),
            ("PJSIP/other", "INUSE"),
            ("PJSIP/ana", "ODD"),
            ("PJSIP/ana", "RINGING"),
            ("PJSIP/ana", "RINGING"),
            ("PJSIP/ben", "INUSE"),
        ):
            await asterisk.device(name, state)
        await until(lambda: len(seen.told) == 3)
        assert seen.told[1:] == [("PJSIP/ana", "RINGING"), ("Pjsip/Ben", "INUSE")]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", "NOT_INUSE"),
        ("1", "INUSE"),
        ("2", "BUSY"),
        ("4", "UNAVAILABLE"),
        ("8", "RINGING"),
        ("9", "RINGINUSE"),
        ("16", "ONHOLD"),
        ("17", "ONHOLD"),
        ("-1", "INVALID"),
        ("-2", "INVALID"),
        ("", "INVALID"),
    ],
)
async def test_given_a_hints_status_when_told_then_it_is_a_device_state(
    asterisk: Asterisk, status: str, state: str
) -> None:
    asterisk.listed_hints = {"201@phones": ("PJSIP/ana", "1")}
    asterisk.hints = {"202@phones": ("", status)}
    async with watching(asterisk, "201@phones", "202@phones") as seen:
        assert seen.devices.state("202@phones") == state
        assert state in STATES
        await asterisk.tell(
            "Event: ExtensionStatus", *_row("201@phones", ("PJSIP/ana", status)).split("\r\n")
        )
        await until(lambda: seen.devices.state("201@phones") == state)


async def test_given_a_hint_that_no_event_names_when_a_device_of_it_changes_then_it_is_asked_for(
    asterisk: Asterisk,
) -> None:
    asterisk.hints = {"201@outer": ("PJSIP/ana&Custom:desk,CustomPresence:ana", "0")}
    async with watching(asterisk, "201@outer") as seen:
        await asterisk.tell("Event: ExtensionStatus", *_row("201@inner", ("PJSIP/ana", "1")).split("\r\n"))
        for device, status, state in (("PJSIP/ana", "1", "INUSE"), ("custom:Desk", "2", "BUSY")):
            asterisk.hints["201@outer"] = ("PJSIP/ana&Custom:desk", status)
            await asterisk.device(device, "INUSE")
            await until(lambda state=state: seen.told[-1] == ("201@outer", state))
        assert asterisk.asked("201") == 3


async def test_given_an_event_that_comes_before_an_answer_when_both_are_in_then_the_event_counts(
    asterisk: Asterisk,
) -> None:
    event = "Event: DeviceStateChange\r\nDevice: {}\r\nState: INUSE\r\n\r\n"
    asterisk.listed = {"PJSIP/ana": "NOT_INUSE"}
    asterisk.asked_for = {"Custom:desk": "NOT_INUSE"}
    names = {"DeviceStateList": "PJSIP/ana", "Getvar": "Custom:desk"}
    asterisk.meanwhile = lambda action: event.format(names.get(action["Action"], "none"))
    async with watching(asterisk, "PJSIP/ana", "Custom:desk") as seen:
        assert [seen.devices.state(name) for name in names.values()] == ["INUSE", "INUSE"]
        await asterisk.device("PJSIP/ana", "NOT_INUSE")
        await until(lambda: seen.told[-1] == ("PJSIP/ana", "NOT_INUSE"))


async def test_given_asterisk_still_boots_when_connected_then_it_is_asked_again_until_it_knows(
    asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", (0.1, 0.2, 0.3))
    asterisk.booting = True
    asterisk.asked_for = {"PJSIP/ana": "NOT_INUSE"}
    async with watching(asterisk, "PJSIP/ana", "201@phones") as seen:
        assert [seen.devices.state(name) for name in ("PJSIP/ana", "201@phones")] == ["UNKNOWN", "INVALID"]
        asterisk.booting = False
        asterisk.hints = {"201@phones": ("PJSIP/ana", "0")}
        await until(lambda: len(seen.told) == 3)
        assert sorted(seen.told[1:]) == [("201@phones", "NOT_INUSE"), ("PJSIP/ana", "NOT_INUSE")]
        assert asterisk.names.count("Getvar") == asterisk.names.count("ExtensionState") == 2


async def test_given_what_was_known_when_the_connection_is_lost_then_it_stays_until_asterisk_knows_better(
    asterisk: Asterisk,
) -> None:
    asterisk.listed = {"PJSIP/ana": "INUSE", "PJSIP/ben": "NOT_INUSE"}
    async with watching(asterisk, "PJSIP/ana", "PJSIP/ben") as seen:
        asterisk.listed = {"PJSIP/ana": "NOT_INUSE"}
        asterisk.drop()
        await until(lambda: seen.told == [("", "")] * 2)
        assert seen.devices.state("PJSIP/ana") == "INUSE"
        await until(lambda: seen.told == [("", "")] * 3)
        assert [seen.devices.state(f"PJSIP/{n}") for n in ("ana", "ben")] == ["NOT_INUSE", "INVALID"]


async def test_given_no_connection_for_long_then_nothing_is_known_until_there_is_one(
    asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLIND_SECONDS", 0.05)
    asterisk.listed = {"PJSIP/ana": "INUSE"}
    async with watching(asterisk, "PJSIP/ana") as seen:
        monkeypatch.setattr(manager, "FIRST_RETRY", 0.3)
        asterisk.drop()
        await until(lambda: seen.devices.state("PJSIP/ana") == "UNKNOWN")
        assert seen.told[-1] == ("", "")
        await until(lambda: seen.devices.state("PJSIP/ana") == "INUSE")


async def test_given_a_list_that_never_ends_when_waited_for_then_the_connection_is_given_up(
    asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asterisk.listed = {"PJSIP/ana": "NOT_INUSE"}
    async with watching(asterisk, "PJSIP/ana") as seen:
        monkeypatch.setattr(manager, "ACTION_SECONDS", 0.1)
        asterisk.answer = lambda a: (
            "Response: Success\r\nEventList: start" if "List" in a["Action"] else "Response: Success"
        )
        asterisk.drop()
        await until(lambda: asterisk.connections > 2)
        assert seen.devices.state("PJSIP/ana") == "NOT_INUSE"


async def test_given_many_names_when_watched_later_then_each_is_asked_for_once_and_the_rest_is_forgotten(
    asterisk: Asterisk,
) -> None:
    names = [f"Custom:desk{n}" for n in range(120)]
    asterisk.listed = {"PJSIP/ana": "INUSE"}
    asterisk.asked_for = dict.fromkeys(names, "BUSY")
    async with watching(asterisk, "PJSIP/ana") as seen:
        seen.devices.watch([*names, *names])
        assert seen.devices.state("PJSIP/ana") == "UNKNOWN"
        await until(lambda: len(seen.told) == 121)
        assert sorted(seen.told[1:]) == sorted((name, "BUSY") for name in names)
        seen.devices.watch(names[:1])
        assert seen.devices.state(names[0]) == "BUSY"
        assert asterisk.names.count("Getvar") == 120


@pytest.mark.parametrize(
    "through_a_trunk",
    [
        "PJSIP/+1555@trunk",
        "SIP/trunk/1555",
        "DAHDI/g0/1555",
        "PJSIP/trunk/sip:1555@provider",
        "IAX2/me@there",
    ],
)
async def test_given_a_number_through_a_trunk_when_watched_then_the_trunk_says_nothing_of_who_answers_there(
    asterisk: Asterisk, through_a_trunk: str
) -> None:
    async with watching(asterisk, through_a_trunk) as seen:
        assert seen.devices.state(through_a_trunk) == "UNKNOWN"
        assert "Getvar" not in asterisk.names


@pytest.mark.parametrize("name", ["Local/201@agents/n", "local/201@agents", "Local/201@Agents/nj"])
async def test_given_a_local_channel_when_watched_then_its_options_do_not_count(
    asterisk: Asterisk, name: str
) -> None:
    asterisk.asked_for = {name.removesuffix("/n").removesuffix("/nj"): "NOT_INUSE"}
    async with watching(asterisk, name) as seen:
        assert seen.devices.state(name) == "NOT_INUSE"
        await asterisk.device("Local/201@agents", "INUSE")
        await until(lambda: seen.told[-1] == (name, "INUSE"))


@pytest.mark.parametrize(
    "odd", ["", "PJSIP/a)", "PJSIP/a b", "Custom:${SHELL(x)}", "x\r\nAction: Originate", "a,b@c", "x" * 201]
)
async def test_given_what_is_no_name_when_watched_then_asterisk_is_not_asked(
    asterisk: Asterisk, odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with watching(asterisk, odd) as seen:
        assert seen.devices.state(odd) == "INVALID"
        assert asterisk.names == ["Login", "DeviceStateList", "ExtensionStateList"]
        assert "neither a device" in capsys.readouterr().out


async def test_given_a_user_who_may_not_ask_when_connected_then_the_connection_lasts_and_nothing_is_known(
    asterisk: Asterisk,
) -> None:
    refusing = "Response: Error\r\nMessage: Permission denied"
    asterisk.answer = lambda action: "Response: Success" if action["Action"] == "Login" else refusing
    async with watching(asterisk, "PJSIP/ana", "201@phones") as seen:
        assert [seen.devices.state(name) for name in ("PJSIP/ana", "201@phones")] == ["INVALID"] * 2
        await asterisk.device("PJSIP/ana", "INUSE")
        await until(lambda: seen.told[-1] == ("PJSIP/ana", "INUSE"))
        assert asterisk.connections == 1


async def test_given_names_watched_before_asterisk_is_there_when_asked_then_they_are_unknown() -> None:
    devices = AmiDevices(manager.AmiManager("127.0.0.1", 1, "warm", "secret"))
    devices.watch(["PJSIP/ana"])
    await asyncio.sleep(0)
    assert devices.state("PJSIP/ana") == "UNKNOWN"
