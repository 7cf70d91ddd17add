"""What `health` says is to be mended, and how far a first start is, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from structlog.testing import capture_logs

from asterisk_warm.daemon.findings import speechless, undelivered
from asterisk_warm.daemon.rendering import Rendering
from asterisk_warm.speech import Down
from asterisk_warm.webhooks import Failing

AT = datetime(2026, 11, 28, 10, 57, tzinfo=UTC).timestamp()


def test_given_an_engine_that_was_slow_then_it_is_told_when_and_from_when_it_is_tried_again() -> None:
    down = {"espeak:es": Down("took longer than 3 s", times=1, ago=12.0, rests=48.0)}
    assert list(speechless(down, AT + 12, UTC)) == [
        "the speech engine espeak:es failed at 10:57:00 UTC: took longer than 3 s; it is tried again from "
        "10:58:00 UTC: see `speech` in the config"
    ]


def test_given_an_engine_that_fails_time_and_again_then_it_is_told_how_often() -> None:
    down = {"hibari": Down("not installed", times=3, ago=100.0, rests=0.0)}
    assert list(speechless(down, AT + 100, UTC)) == [
        "the speech engine hibari has failed 3 times in a row, last at 10:57:00 UTC: not installed; it is tried "
        "again with the next new line: see `speech` in the config"
    ]
    assert list(speechless({}, AT, UTC)) == []


def test_given_a_webhook_that_is_refused_then_it_is_told_since_when_and_what_to_do() -> None:
    failing = Failing("crm", "wants no more (410 Gone): take the webhook out of the configuration", AT)
    assert list(undelivered([failing], UTC)) == [
        "the webhook crm, since 2026-11-28 10:57:00 UTC, wants no more (410 Gone): take the webhook out of the "
        "configuration; see `asterisk-warm webhook list --webhook crm`"
    ]


def test_given_prompts_being_rendered_then_the_log_is_told_now_and_then_and_health_always() -> None:
    now = 0.0
    rendering = Rendering(lambda: now)
    assert rendering.words == ""
    with capture_logs() as logs:
        rendering.begin()
        assert rendering.words == "rendering prompts"
        for done in range(1, 13):
            now += 1.0
            rendering.progress("comfort", done, 12)
            assert rendering.words == f"rendering prompts, {done} of 12"
        rendering.end()
    assert rendering.words == ""
    assert [line["event"].partition(";")[0] for line in logs] == ["rendering prompts"] * 4
    assert [line.get("done") for line in logs] == [None, 5, 10, 12]
