"""The commands for webhooks and tokens, in front of a real API on a real socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from api_leads_stage import Far, open_far
from api_stage import Stage
from cli_runs import Run, run

from asterisk_warm.engine.screens.ports import Delivery
from asterisk_warm.webhooks.webhooks import NOT_CONFIGURED

HOSTILE = "\x1b[31m陳\r\n \u202e\U0001f600 [bold]${SHELL(x)} " + "w" * 300


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    async with open_far(tmp_path) as opened:
        yield opened


@pytest.fixture
def stage(far: Far) -> Stage:
    return far.stage


async def webhook(stage: Stage, *arguments: str | bytes) -> Run:
    return await run("webhook", *arguments, "--socket", stage.socket)


async def token(stage: Stage, *arguments: str | bytes) -> Run:
    return await run("token", *arguments, "--socket", stage.socket)


async def delivered(stage: Stage) -> Sequence[Delivery]:
    """One that is waiting, one that has arrived, one that was given up."""
    now = time.time()
    made = [Delivery(0, f"notice-{n}", "crm", "offer.made", b"{}", now, now + 600) for n in range(2)] + [
        Delivery(0, "notice-2", "wall", "qualification.finished", b"{}", now, now)
    ]
    waiting, arrived, failed = await stage.deliveries.add(made)
    await stage.deliveries.save(replace(arrived, next_at=None, attempts=1, delivered_at=now))
    await stage.deliveries.save(replace(failed, next_at=None, attempts=9, error="answered 500"))
    return waiting, arrived, failed


# -- webhooks ------------------------------------------------------------------------------------------------


async def test_given_deliveries_when_listed_then_each_says_what_became_of_it(stage: Stage) -> None:
    assert (await webhook(stage, "list")).lines == ["Nothing was sent yet."]
    assert (await webhook(stage, "list", "--state", "failed")).lines == ["None."]
    waiting, arrived, failed = await delivered(stage)
    head, *rows = [" ".join(line.split()) for line in (await webhook(stage, "list")).lines]
    assert head == "id webhook what tried came to"
    assert rows[0] == f"{failed.id} wall qualification.finished 9 given up: answered 500"
    assert rows[1].startswith(f"{arrived.id} crm offer.made 1 delivered 20")
    assert rows[2].startswith(f"{waiting.id} crm offer.made 0 not tried yet; next 20")
    only = (await webhook(stage, "list", "--webhook", "crm", "--state", "pending")).lines[1:]
    assert [line.split()[0] for line in only] == [str(waiting.id)]
    for arguments, query in ((("--state", "failed"), "?state=failed"), (("--limit", "1"), "?limit=1")):
        shown = (await webhook(stage, "list", *arguments, "--json")).json
        assert shown == (await stage.ask("GET", f"/v1/webhooks/deliveries{query}"))[1]


async def test_given_deliveries_when_replayed_then_they_are_due_again(stage: Stage) -> None:
    waiting, arrived, failed = await delivered(stage)
    assert (await webhook(stage, "replay", str(arrived.id), str(waiting.id))).lines == ["sent again: 2"]
    assert (await webhook(stage, "replay", "--failed", "--webhook", "crm")).lines == ["sent again: 0"]
    assert (await webhook(stage, "replay", "--failed", "--json")).json == {"replayed": 1, "left": 0}
    states = {one.id: one for one in await stage.deliveries.list("", "pending", 10)}
    assert set(states) == {waiting.id, arrived.id, failed.id}
    assert (await webhook(stage, "replay", str(failed.id), "999")).told(3) == [
        "asterisk-warm: 1 of these are no deliveries, or their webhook is not configured; sent again: 1",
        "see `asterisk-warm webhook list`",
    ]


async def test_given_a_webhook_that_is_not_configured_any_more_then_it_says_so_and_what_to_do(
    stage: Stage,
) -> None:
    made = [
        Delivery(0, f"notice-{webhook}", webhook, "offer.made", b"{}", 1.0, 2.0) for webhook in ("crm", "old")
    ]
    crm, old = await stage.deliveries.add(made)
    await stage.deliveries.save(replace(crm, next_at=None, attempts=9, error="answered 500"))
    await stage.deliveries.save(replace(old, next_at=None, attempts=2, error=NOT_CONFIGURED))
    _, *lines = (await webhook(stage, "list", "--webhook", "old")).lines
    assert " ".join(" ".join(lines).split()) == f"{old.id} old offer.made 2 given up: {NOT_CONFIGURED}"
    said = "left, because their webhook is not configured: 1"
    assert (await webhook(stage, "replay", "--failed")).lines == [f"sent again: 1; {said}"]
    assert (await webhook(stage, "replay", str(old.id))).told(3) == [
        "asterisk-warm: 1 of these are no deliveries, or their webhook is not configured; sent again: 0",
        "see `asterisk-warm webhook list`",
    ]


async def test_given_a_webhook_that_nobody_knows_then_3_and_those_there_are(stage: Stage) -> None:
    for arguments in (("list",), ("list", "--state", "failed"), ("replay", "--failed")):
        assert (await webhook(stage, *arguments, "--webhook", "nosuch")).told(3) == [
            'asterisk-warm: no webhook "nosuch"',
            "configured webhooks: crm, wall",
        ]
    # One that was taken out of the configuration is known by what it was sent.
    await stage.deliveries.add([Delivery(0, "notice-0", "old", "offer.made", b"{}", 1.0, 2.0)])
    assert (await webhook(stage, "list", "--webhook", "old", "--state", "failed")).lines == ["None."]
    assert (await webhook(stage, "list", "--webhook", "crm", "--state", "failed")).lines == ["None."]


async def test_given_what_a_receiver_answers_when_listed_then_nothing_reaches_the_terminal(
    stage: Stage,
) -> None:
    failed = (await delivered(stage))[2]
    await stage.deliveries.save(replace(failed, next_at=None, attempts=9, error=HOSTILE))
    assert any("[31m" in line for line in (await webhook(stage, "list")).lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--state", "lost"), '--state: "lost" is not all, pending, delivered or failed'),
        (("list", "--webhook", "x" * 65), "--webhook: must have from 0 to 64 characters, not 65"),
        (("replay",), "ids or --failed must be given, and not both"),
        (("replay", "1", "--failed"), "ids or --failed must be given, and not both"),
        (("replay", "1", "--webhook", "crm"), "ids and --webhook cannot go together"),
        (("replay", "one"), "Invalid value for '[ID]...': "),
        (("replay", "9" * 30), "ID: must be the id of a delivery"),
        (("replay", "--failed", "--webhook", b"\xff"), "an option is not text in this terminal's encoding"),
    ],
)
async def test_given_a_wrong_command_line_then_2(
    stage: Stage, arguments: tuple[str | bytes, ...], said: str
) -> None:
    assert (await webhook(stage, *arguments)).told(2)[0].startswith(f"asterisk-warm: {said}")


# -- tokens --------------------------------------------------------------------------------------------------


async def test_given_a_token_when_made_and_revoked_then_it_opens_until_then(far: Far) -> None:
    stage = far.stage
    assert (await token(stage, "list")).lines == ["No tokens yet; see `asterisk-warm token create --help`."]
    (all_of_it,) = (await token(stage, "create")).lines
    (secret,) = (await token(stage, "create", "--agent", "Ana", "--note", "the desk")).lines
    assert (await far.ask("GET", "/v1/agents", secret=all_of_it))[0] == 200
    assert (await far.ask("GET", "/v1/agents/ana", secret=secret))[0] == 200
    assert (await far.ask("GET", "/v1/leads", secret=secret))[0] == 403

    head, *rows = (await token(stage, "list")).lines
    assert head.split() == ["id", "opens", "note", "made", "now"]
    assert {row.split()[1]: (row.split()[2], row.split()[-1]) for row in rows} == {
        "everything": ("-", "valid"),
        "ana": ("the", "valid"),
    }
    assert all(secret not in row and all_of_it not in row for row in rows)
    id = next(row.split()[0] for row in rows if "everything" in row)
    assert (await token(stage, "revoke", id)).lines == [f"{id} is revoked."]
    assert (await far.ask("GET", "/v1/agents", secret=all_of_it))[0] == 401
    assert any(line.endswith("revoked") for line in (await token(stage, "list")).lines)
    assert (await token(stage, "revoke", "token-0")).told(3) == [
        "asterisk-warm: there is no token token-0",
        "see `asterisk-warm token list`",
    ]


async def test_given_json_when_asked_for_then_it_is_what_the_api_answers(stage: Stage) -> None:
    made = (await token(stage, "create", "--note", "crm", "--json")).json
    listed = (await token(stage, "list", "--json")).json
    assert listed == (await stage.ask("GET", "/v1/tokens"))[1]
    assert {key: value for key, value in made.items() if key != "secret"} == listed["tokens"][0]
    assert made["secret"].startswith("warm_")
    assert (await token(stage, "revoke", made["id"], "--json")).json["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create", "--agent", "zoe"), 2, '--agent: no agent "zoe"'),
        (("create", "--agent", ""), 2, "--agent: must have from 1 to 80 characters, not 0"),
        (("create", "--note", "\x1b[31m"), 2, "--note: must have no line ends"),
        (("create", "--note", b"\xff"), 2, "an option is not text in this terminal's encoding"),
        (("revoke", "../agents/ana"), 3, "that is not the id of a token"),
        (("revoke",), 2, "Missing argument 'ID'."),
    ],
)
async def test_given_what_cannot_be_done_then_it_says_why(
    stage: Stage, arguments: tuple[str | bytes, ...], code: int, said: str
) -> None:
    assert (await token(stage, *arguments)).told(code)[0].startswith(f"asterisk-warm: {said}")


async def test_given_long_notes_when_listed_then_it_fits(stage: Stage) -> None:
    await token(stage, "create", "--note", "\u202e" + "陳" * 39 + "w" * 40)
    assert len((await token(stage, "list")).lines) > 2


async def test_given_no_daemon_then_4(tmp_path: Path) -> None:
    for arguments in (("webhook", "list"), ("webhook", "replay", "1"), ("token", "create")):
        what, _ = (await run(*arguments, "--socket", tmp_path / "x")).told(4)
        assert what == f"asterisk-warm: no daemon listens on {tmp_path / 'x'}"
