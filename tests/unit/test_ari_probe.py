"""What Asterisk has is asked of Asterisk; only a transfer that would crash it is known by its release."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.probe import NEEDED, _is_safe, missing_modules, takes_transfers, tell_arming

CHANNEL_NOT_FOUND = 404, '{"message": "Channel not found"}'
NO_SUCH_REQUEST = 404, '{"message": "Resource not found"}'
NO_MODULE = 404, '{"message": "Module could not be found in running modules"}'
NEW = "22.10.1"


class Asterisk:
    """In its place: answers by path, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.other = 200, "{}"
        self.asked: list[tuple[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs))
        status, text = self.answers.get(request.path, self.other)
        return web.Response(status=status, text=text)


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
async def client(asterisk: Asterisk) -> AsyncIterator[AriClient]:
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", asterisk.handle)
    async with TestServer(app) as server:
        client = AriClient(str(server.make_url("/")), "warm", "secret")
        yield client
        await client.close()


# -- a phone's Transfer key ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version",
    [
        *("20.18.0", "20.18.2", "20.19.1", "22.8.0", "22.8.0-rc1", "22.10.1", "22.10.1~dfsg-1", "23.2.0"),
        *("23.2.1", "23.10.0", "24.0.0", "24.0.0-rc1", "30.1.0", "certified/22.8-cert1"),
        *("GIT-master-1a2b3c", "UNKNOWN__and_probably_unsupported", "", "x22.1"),
    ],
)
def test_given_a_release_in_which_it_is_mended_then_transfers_are_safe(version: str) -> None:
    assert _is_safe(version)


@pytest.mark.parametrize(
    "version",
    [
        *("1.8.32", "11.25.3", "13.38.3", "16.28.0~dfsg-0+deb11u7", "18.26.4", "19.8.1", "20.0.0", "20.17.0"),
        *("20.17.9-rc1", "21.0.0", "21.12.1", "21.99.0", "22.0.0", "22.7.0", "22.7.9", "23.0.0", "23.1.0"),
        *("certified/20.7-cert5", "certified/18.9-cert17", "certified/16.8-cert14"),
    ],
)
def test_given_a_release_that_crashes_when_a_transfer_ends_then_none_is_taken(version: str) -> None:
    assert not _is_safe(version)


@given(st.text(max_size=40))
def test_given_any_version_when_judged_then_nothing_breaks(version: str) -> None:
    assert _is_safe(version) in (True, False)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 9))
def test_given_a_safe_release_then_the_next_one_of_its_series_is_safe_too(
    series: int, release: int, patch: int
) -> None:
    if _is_safe(f"{series}.{release}.{patch}"):
        assert _is_safe(f"{series}.{release + 1}.0")


async def test_given_an_asterisk_that_knows_the_request_when_it_is_safe_then_transfers_are_taken(
    client: AriClient, asterisk: Asterisk
) -> None:
    asterisk.other = CHANNEL_NOT_FOUND
    assert await takes_transfers(client, NEW)
    assert not await takes_transfers(client, "22.7.0")
    assert asterisk.asked[0] == (
        "POST",
        "/ari/channels/warm-probe/transfer_progress?states=channel_progress",
    )


@pytest.mark.parametrize(
    "answer",
    [NO_SUCH_REQUEST, (405, '{"message": "Invalid method"}'), (200, "{}"), (401, ""), (503, ""), (500, "")],
)
async def test_given_an_asterisk_that_does_not_know_it_when_asked_then_none_is_taken(
    client: AriClient, asterisk: Asterisk, answer: tuple[int, str]
) -> None:
    asterisk.other = answer
    assert not await takes_transfers(client, NEW)


async def test_given_no_asterisk_when_asked_then_none_is_taken_and_nothing_breaks() -> None:
    client = AriClient("http://127.0.0.1:1", "warm", "secret")
    assert not await takes_transfers(client, NEW)
    await tell_arming(client, True)
    assert await missing_modules(client) == []
    await client.close()


@pytest.mark.parametrize(("takes", "value"), [(True, "yes"), (False, "no")])
async def test_given_it_is_known_when_the_dialplan_is_told_then_by_a_global_variable(
    client: AriClient, asterisk: Asterisk, takes: bool, value: str
) -> None:
    await tell_arming(client, takes)
    assert asterisk.asked == [("POST", f"/ari/asterisk/variable?variable=WARM_REFER&value={value}")]


async def test_given_a_refusal_when_the_dialplan_is_told_then_nothing_breaks(
    client: AriClient, asterisk: Asterisk
) -> None:
    asterisk.other = 403, ""
    await tell_arming(client, True)


# -- modules -------------------------------------------------------------------------------------------------


async def test_given_a_module_that_is_not_there_when_asked_then_the_remedy_is_told(
    client: AriClient, asterisk: Asterisk
) -> None:
    asterisk.answers["/ari/asterisk/modules/bridge_softmix.so"] = NO_MODULE
    [finding] = await missing_modules(client)
    assert finding == ("module bridge_softmix.so is not loaded (mixing bridges): load it in modules.conf")
    assert len(asterisk.asked) == len(NEEDED)


async def test_given_all_modules_when_asked_then_there_are_no_findings(client: AriClient) -> None:
    assert await missing_modules(client) == []


@pytest.mark.parametrize(
    "answer", [NO_SUCH_REQUEST, (404, ""), (409, '{"message": "Module information …"}'), (403, "")]
)
async def test_given_modules_that_cannot_be_asked_about_then_none_is_reported(
    client: AriClient, asterisk: Asterisk, answer: tuple[int, str]
) -> None:
    asterisk.other = answer
    assert await missing_modules(client) == []
