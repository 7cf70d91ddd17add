"""The gate: what a team requires, each way in which it refuses a lead, and each in which it opens. That nobody was rung is seen in
the capture: there is no INVITE."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from ears import audible, onset
from journey_scene import (
    Journey,
    answered,
    consented,
    given,
    hears,
    like,
    nobody_rang,
    playing,
    spoken,
)
from live import QUALIFIER_TONE, LiveScene
from outside import Outside
from scene import LEAD_NUMBER, MUSIC, Scene, command, until

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

NUMBER = LEAD_NUMBER
DAY = 86400.0
SLOW_STEPS = 8_000_000
"""Of a query: seconds."""
NOT_HELD = 3.0
"""Seconds within which a lead whose record cannot be read is handed off or back, on a machine that does much else."""


@pytest.fixture(scope="module")
def stage(root: Root) -> Iterator[Stage]:
    with Outside(), playing(root) as on_stage:
        yield on_stage


@pytest.fixture(autouse=True)
def unknown(stage: Stage) -> None:
    """Nothing is known of the lead at the beginning of a scene."""
    with closing(sqlite3.connect(stage.daemon.database, timeout=5.0)) as database, database:
        database.execute("pragma foreign_keys = on")
        for table in ("leads", "qualifications"):
            database.execute(f"delete from {table}")


# -- refused -------------------------------------------------------------------------------------------------

Prepare = Callable[[Stage], Awaitable[object]]


async def _nothing(_: Stage) -> None:
    """Nobody has asked the lead anything."""


def _answers(*answers: str) -> Prepare:
    return lambda stage: answered(stage, NUMBER, *answers)


def _given(score: float, script: str = "home") -> Prepare:
    return lambda stage: given(stage, NUMBER, score, script=script)


def _consents(*words: tuple[str, bool]) -> Prepare:
    async def prepare(stage: Stage) -> None:
        await given(stage, NUMBER, 80)
        for purpose, granted in words:
            await consented(stage, NUMBER, purpose, granted=granted)

    return prepare


async def _long_ago(stage: Stage) -> None:
    await answered(stage, NUMBER, "yes", "house", "yes")
    then = time.time() - 31 * DAY
    with closing(sqlite3.connect(stage.daemon.database, timeout=5.0)) as database, database:
        (document,) = database.execute("select document from qualifications").fetchone()
        aged = json.loads(document) | dict.fromkeys(("started_at", "updated_at", "ended_at"), then)
        for answer in aged["answers"]:
            answer["at"] = then
        database.execute("update qualifications set updated_at = ?, document = ?", (then, json.dumps(aged)))


REFUSED = [
    pytest.param("closers", _nothing, "NOTQUALIFIED", "the lead was never asked (home)", id="never asked"),
    pytest.param(
        *("closers", _answers("yes"), "NOTQUALIFIED"),
        "the lead's qualification is not finished (home, version 1)",
        id="not finished",
    ),
    pytest.param(
        *("closers", _answers("no"), "NOTQUALIFIED"),
        "the lead is not qualified: does not own the home (home, version 1)",
        id="knocked out",
    ),
    pytest.param(
        *("closers", _answers("yes", "flat", "yes"), "NOTQUALIFIED"),
        "the lead is not qualified: in no hurry (45 points, ready from 50) (home, version 1)",
        id="too few points",
    ),
    pytest.param(
        *("closers", _long_ago, "NOTQUALIFIED"),
        "the qualification is 31 days old (home, version 1)",
        id="too old",
    ),
    pytest.param(
        *("closers", _given(80, "other"), "NOTQUALIFIED"),
        "the lead was never asked (home)",
        id="by another script",
    ),
    pytest.param(
        *("scored", _given(59.5), "NOTQUALIFIED"),
        "the lead's score is 59.5, and 60 is the least (home)",
        id="least score",
    ),
    pytest.param(
        *("guarded", _given(80), "NOCONSENT"), "no consent to be called is recorded", id="no consent"
    ),
    pytest.param(
        *("guarded", _consents(("call", True), ("call", False)), "NOCONSENT"),
        "the lead does not consent to be called",
        id="consent withdrawn",
    ),
    pytest.param(
        *("said-guarded", _consents(("call", False)), "NOCONSENT"),
        "the lead does not consent to be called, by their latest recorded word",
        id="said yes for, and withdrawn",
    ),
    pytest.param(
        *("guarded", _nothing, "NOTQUALIFIED"),
        "the lead was never asked and no consent to be called is recorded",
        id="neither",
    ),
    pytest.param(
        *("texted", _consents(("call", True)), "NOCONSENT"),
        "no consent to be texted is recorded",
        id="consent to something else",
    ),
    pytest.param(
        *("texted", _consents(("text", False)), "NOCONSENT"),
        "the lead does not consent to be texted",
        id="no texts",
    ),
    pytest.param(
        *("recorded", _nothing, "NOCONSENT"),
        "no consent to the call's recording is known",
        id="no recording",
    ),
]


@pytest.mark.parametrize(("team", "prepare", "status", "cause"), REFUSED)
async def test_given_a_lead_whom_a_team_does_not_take_then_nobody_is_rung_and_the_dialplan_knows_why(
    stage: Stage, phones: Phones, capture: Capture, team: str, prepare: Prepare, status: str, cause: str
) -> None:
    await prepare(stage)
    scene = await Journey.of(stage, phones, NUMBER, "ana", "ben")
    await scene.dial(team)
    told = await scene.told("lab-returned")
    assert (told.status, told.cause, told.agent) == (status, cause, "")
    await scene.call.hang_up()
    ended = await scene.seen(lambda handoff: handoff["settled"], "settled")
    assert (ended["status"], ended["reason"], ended["offers"]) == (status, cause, [])
    nobody_rang(capture)


# -- let through ---------------------------------------------------------------------------------------------


async def _by_api(stage: Stage, _: Path) -> str:
    await consented(stage, NUMBER)
    await answered(stage, NUMBER, "yes", "house", "yes")
    return "guarded"


async def _by_command(stage: Stage, _: Path) -> str:
    await given(stage, NUMBER, 80)
    words = ("call", "--basis", "oral", "--shown", "May we call you?")
    code, _out, err = await command(stage, "lead", "consent", NUMBER, *words)
    assert code == 0, err
    return "guarded"


async def _by_file(stage: Stage, workdir: Path) -> str:
    await given(stage, NUMBER, 80)
    file = workdir / "leads.csv"
    head = "number,name,consent_call,consent_basis,consent_shown,consent_at"
    file.write_text(f"{head}\n{NUMBER},Grace Hopper,yes,web form,May we call?,2026-11-01T10:00+00:00\n")
    code, _, err = await command(stage, "lead", "import", str(file))
    assert code == 0, err
    return "guarded"


async def _by_dialplan(_: Stage, __: Path) -> str:
    return "said-guarded"


SAID = "lead is qualified, says WARM_LEAD_QUALIFIED lead is consenting, says WARM_LEAD_CONSENT"


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(_by_api, id="api"),
        pytest.param(_by_command, id="command"),
        pytest.param(_by_file, id="file"),
        pytest.param(_by_dialplan, id="dialplan"),
    ],
)
async def test_given_what_a_team_requires_however_it_is_known_then_its_agents_ring(
    stage: Stage, phones: Phones, workdir: Path, prepare: Callable[[Stage, Path], Awaitable[str]]
) -> None:
    extension = await prepare(stage, workdir)
    scene = await Journey.of(stage, phones, NUMBER, "ana", "ben")
    await scene.ringing(extension)
    await scene.call.hang_up()
    await scene.left("ABANDONED", "ABANDONED")
    assert (SAID in await story(stage, scene.handoffs()[0]["id"])) == (extension == "said-guarded")


# -- with a qualifier on the line ----------------------------------------------------------------------------

WHY = "the lead was never asked and no consent to be called is recorded"
UNTOUCHED = f"lead stays where they are handoff RETURNED (NOTQUALIFIED): {WHY}"


async def story(stage: Stage, id: str) -> str:
    """As a command tells it: who did what, without the times."""
    code, out, err = await command(stage, "handoff", "story", id)
    assert code == 0, err
    return " ".join(re.sub(r"(?m)^\s*\+[\d.]+ s", "", out).split())


async def noted(scene: Scene) -> dict[str, Any]:
    """The refusal, as the journal has it."""
    (refused,) = scene.handoffs()
    facts = [refused[name] for name in ("state", "status", "reason", "settled", "offers")]
    assert facts == ["RETURNED", "NOTQUALIFIED", WHY, True, []]
    assert refused["lead"]["number"] == NUMBER
    return refused


async def test_given_a_lead_whom_a_team_does_not_take_when_their_qualifier_asks_by_command_then_it_says_why(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), "guarded-live")
    start = ("handoff", "start", "--qualifier", await scene.qualifier_channel(), "--team", "guarded")
    code, out, err = await command(stage, *start)
    assert (code, out) == (5, "")
    assert WHY in " ".join(err.split()) and "qualify the lead first" in err
    assert not scene.call.is_over and not scene.quinn.is_over
    nobody_rang(capture)
    refused = await noted(scene)
    assert refused["requested_by"].startswith("api (") and refused["qualifier"]["channel"]
    assert (await story(stage, refused["id"])).endswith(UNTOUCHED) and "Stasis" not in scene.log()
    await scene.again()
    code, _, err = await command(stage, *start, "--qualified", "--consent")
    assert code == 0, err
    await scene.all_ring()
    await scene.call.hang_up()
    vouched = await scene.seen(lambda handoff: handoff["settled"], "settled")
    assert f"lead is qualified and consenting, says {vouched['requested_by']}" in await story(
        stage, vouched["id"]
    )


async def test_given_a_lead_who_waits_when_they_are_to_be_handed_to_who_does_not_take_them_then_they_wait_on(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await Journey.of(stage, phones, NUMBER, "ana")
    await scene.dial("waiting")
    start = ("handoff", "start", "--channel", await scene.channel(), "--team", "guarded")
    code, _, err = await command(stage, *start)
    assert code == 5 and WHY in " ".join(err.split())
    refused = time.time()
    lead = scene.call.call_id
    await until(lambda: onset(capture.traffic().heard_at(lead), MUSIC, after=refused), 8.0, "music")
    assert "Stasis" not in scene.log()
    nobody_rang(capture)
    assert (await noted(scene))["qualifier"] is None
    await scene.call.hang_up()


async def test_given_a_lead_whom_a_team_does_not_take_when_their_qualifier_keys_it_then_they_alone_hear_why(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), "guarded-live")
    await scene.presses("*5")
    await hears(capture, scene.quinn, WHY)
    assert not like(capture, scene.call, await spoken(WHY))
    lead = capture.traffic().heard_at(scene.call.call_id)
    assert audible(lead, MUSIC, QUALIFIER_TONE) == {QUALIFIER_TONE}, "they talk on"
    nobody_rang(capture)
    refused = await noted(scene)
    assert (refused["requested_by"], refused["team"]) == ("feature code", "guarded")
    assert (await story(stage, refused["id"])).endswith(UNTOUCHED)
    await scene.quinn.hang_up()


@pytest.mark.parametrize("version", ["22"], indirect=True, scope="session")
async def test_given_a_lead_whom_a_team_does_not_take_when_their_qualifier_transfers_then_the_phone_is_told(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    scene = await LiveScene.talking(stage, phones, ("ana",), "guarded-live")
    assert await scene.quinn.transfer("guarded") == "603 Decline"
    ended = await scene.handoff("RETURNED")
    assert (ended["status"], ended["reason"], ended["offers"]) == ("NOTQUALIFIED", WHY, [])
    assert not scene.call.is_over and not scene.quinn.is_over
    nobody_rang(capture)
    await scene.quinn.hang_up()


# -- a database that is slow, or fails -----------------------------------------------------------------------


@contextmanager
def spoilt(stage: Stage, view: str = "") -> Iterator[None]:
    """What is known of qualifications is away, or (`view`) another."""
    with closing(sqlite3.connect(stage.daemon.database, timeout=5.0, isolation_level=None)) as database:
        database.execute("alter table qualifications rename to away")
        if view:
            database.execute(f"create view qualifications as {view}")
        try:
            yield
        finally:
            if view:
                database.execute("drop view qualifications")
            database.execute("alter table away rename to qualifications")


async def at_rest(stage: Stage) -> None:
    """A query goes on when nobody waits for it any more, and the daemon does not stop before it is over."""

    def rests() -> bool:
        busy = _running(stage.daemon.pid)
        for _ in range(20):
            time.sleep(0.05)
            busy &= _running(stage.daemon.pid)
        return not busy

    await until(rests, 60.0, "the daemon to be at rest")


def _running(pid: int) -> set[str]:
    """Its threads that run, or would if they had a processor."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                found.add(task.name)
    return found


SLOW = (
    f"with recursive steps(n) as (select 1 union all select n + 1 from steps where n < {SLOW_STEPS}), "
    "slow as materialized (select max(n) from steps) select away.* from slow cross join away"
)


@pytest.mark.parametrize(
    ("view", "cause"),
    [
        pytest.param("", "what is known of the lead could not be read", id="fails"),
        pytest.param(SLOW, "what is known of the lead could not be read within 1 s", id="slow"),
    ],
)
async def test_given_a_database_that_is_slow_or_fails_then_no_lead_is_held_by_it(
    stage: Stage, phones: Phones, capture: Capture, view: str, cause: str
) -> None:
    await answered(stage, NUMBER, "yes", "house", "yes")
    scene = await Journey.of(stage, phones, NUMBER, "ana", "ben")
    with spoilt(stage, view):
        refused = await scene.dial("closers")
        told = await scene.told("lab-returned")
        assert (told.status, told.cause) == ("NOTQUALIFIED", cause)
        await refused.hang_up()
        nobody_rang(capture)
        begun = time.time()
        for extension in ("open", "said-guarded"):
            await scene.again()
            await scene.ringing(extension)
            await scene.call.hang_up()
            await scene.left("ABANDONED", "ABANDONED")
    await at_rest(stage)
    traffic = capture.traffic()
    rung = [dialog.invited_at for dialog in traffic.dialogs_to("ana")]
    dialled = [d.invited_at for d in traffic.dialogs.values() if d.from_phone and d.invited_at >= begun]
    assert len(rung) == len(dialled) == 2
    assert max(ring - dial for ring, dial in zip(rung, dialled, strict=True)) < NOT_HELD
