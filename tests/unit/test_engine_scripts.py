"""Scripts and their versions: published, compared, taken back. The YAML is read as the daemon reads it."""

from __future__ import annotations

import pytest
from lead_memory import HOME, MemoryScripts, script_of
from structlog.testing import capture_logs

from asterisk_warm.config.script_file import places
from asterisk_warm.core.presence import By
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.qualifying.ports import BadSource
from asterisk_warm.engine.qualifying.scripts import READ_AT_MOST, ScriptService

DANA = By("dana", "cli")
SHORTER = HOME.replace("    optional: true\n    from: 0\n    to: 20\n", "")
DEAD_END = HOME.replace("is: house, points: 10", "is: house, points: 10, goto: owner")
NO_YAML = HOME.replace("ask: yesno", "ask: maybe")


@pytest.fixture
def store() -> MemoryScripts:
    return MemoryScripts()


@pytest.fixture
def scripts(store: MemoryScripts) -> ScriptService:
    return ScriptService(store, script_of, places)


async def refused(work) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


async def test_given_a_script_is_published_then_it_is_the_current_version(scripts):
    view = await scripts.publish(HOME, DANA, "first\r\ntry")
    assert (view.id, view.name, view.version, view.current) == ("home", "Home insurance", 1, True)
    assert (view.by, view.note, view.questions, view.language) == ("cli (dana)", "first try", 4, "en")
    assert await scripts.show("home") == view
    assert view.source == HOME
    (listed,) = await scripts.list()
    assert (listed.id, listed.source) == ("home", "")


async def test_given_a_second_version_then_each_is_shown_with_what_has_changed(scripts):
    await scripts.publish(HOME, DANA)
    await scripts.publish(SHORTER, DANA)
    assert [(one.version, one.current) for one in await scripts.versions("home")] == [(2, True), (1, False)]
    old = await scripts.show("home", 1)
    assert (old.source, old.current) == (HOME, False)
    assert any("claims" in line for line in await scripts.diff("home", 1, 2))
    assert not await scripts.diff("home", 2, 2)


async def test_given_a_rollback_then_the_earlier_version_is_published_again(scripts):
    await scripts.publish(HOME, DANA)
    await scripts.publish(SHORTER, DANA)
    view = await scripts.rollback("home", 1, DANA)
    assert (view.version, view.note, view.source) == (3, "rollback to version 1", HOME)
    error = await refused(scripts.rollback("home", 3, DANA))
    assert (error.kind, error.message) == ("conflict", "version 3 of home is the current one")
    error = await refused(scripts.rollback("home", 1, DANA))
    assert (error.kind, error.message) == ("conflict", "version 3 of home, the current one, is just this")


async def test_given_the_current_text_when_it_is_published_again_then_it_is_no_new_version(scripts, store):
    await scripts.publish(HOME, DANA)
    error = await refused(scripts.publish(HOME, DANA, "once more"))
    assert (error.kind, error.message) == ("conflict", "version 1 of home, the current one, is just this")
    assert error.remedy == "there is nothing to publish"
    await scripts.publish(SHORTER, DANA)
    assert (await scripts.publish(HOME, DANA)).version == 3, "an earlier text is something new again"


@pytest.mark.parametrize("what", ["show", "versions", "graph", "rollback", "diff"])
async def test_given_no_such_script_then_not_found_with_where_to_look(scripts, what):
    arguments = {"rollback": ("nothing\r\n", 1, DANA), "diff": ("nothing\r\n", 1, 2)}
    error = await refused(getattr(scripts, what)(*arguments.get(what, ("nothing\r\n",))))
    assert (error.kind, error.message) == ("not_found", 'no script "nothing"')
    assert "script list" in error.remedy


async def test_given_no_such_version_then_not_found(scripts):
    await scripts.publish(HOME, DANA)
    error = await refused(scripts.show("home", 7))
    assert (error.kind, error.message) == ("not_found", 'script "home" has no version 7')
    assert "script versions home" in error.remedy


async def test_given_a_source_that_cannot_be_read_then_every_fault_has_its_place(scripts, store):
    with pytest.raises(BadSource) as caught:
        await scripts.publish(NO_YAML, DANA)
    assert [(fault.line, fault.path) for fault in caught.value.faults] == [(9, "questions.owner.ask")]
    (finding,) = scripts.check(NO_YAML)
    assert (finding.severity, finding.line, finding.path) == ("error", 9, "questions.owner.ask")
    assert not store.published


async def test_given_a_script_with_errors_then_it_is_not_published_and_the_place_is_told(scripts, store):
    error = await refused(scripts.publish(DEAD_END, DANA))
    assert error.kind == "invalid"
    assert error.message.startswith("line 19: questions.kind.rules[0]")
    assert not store.published
    assert {finding.severity for finding in scripts.check(DEAD_END)} == {"error"}


async def test_given_a_script_with_many_errors_then_the_first_are_told(scripts):
    broken = HOME.replace("{kind}, {claims} claims", " ".join(f"{{x{n}}}" for n in range(9)))
    error = await refused(scripts.publish(broken, DANA))
    assert error.message.endswith("; and 4 more")


async def test_given_a_good_script_then_nothing_is_an_error(scripts):
    assert all(finding.severity == "warning" for finding in scripts.check(HOME))


def test_given_nobody_who_knows_places_then_findings_have_none(store):
    findings = ScriptService(store, script_of).check(DEAD_END)
    assert findings and {(finding.line, finding.column) for finding in findings} == {(0, 0)}


async def test_given_a_script_then_its_picture(scripts):
    await scripts.publish(HOME, DANA)
    assert (await scripts.graph("home")).startswith("<svg")


async def test_given_a_version_has_been_read_then_it_is_not_read_again(store):
    read = []

    def reader(source, name):
        read.append(name)
        return script_of(source, name)

    scripts = ScriptService(store, reader)
    await scripts.publish(HOME, DANA)
    first = await scripts.script("home")
    assert (await scripts.script("home", 1)) is first is await scripts.script("home")
    assert read == ["script"]
    await store.publish("home", SHORTER, "somebody else", 1.0)
    assert (await scripts.script("home")).version.version == 2, "another daemon's version is seen"
    assert read == ["script", "home.yaml"]


async def test_given_very_many_versions_then_only_so_many_are_kept_as_read(scripts, store):
    for n in range(READ_AT_MOST + 5):
        await scripts.publish(f"{HOME}# {n}\n", DANA)
    assert len(scripts._published) == READ_AT_MOST
    assert (await scripts.script("home", 1)).version.version == 1


async def test_given_a_stored_version_that_cannot_be_read_any_more_then_it_is_said_so(scripts, store):
    await store.publish("home", NO_YAML, "an older program", 1.0)
    error = await refused(scripts.script("home"))
    assert error.kind == "conflict"
    assert error.message.startswith("version 1 of home cannot be read any more: line 9:")
    (listed,) = await scripts.list()
    assert (listed.id, listed.questions) == ("home", 0)


async def test_given_the_store_fails_then_unreachable(scripts, store):
    async def fail(_: str) -> None:
        raise JournalError("disk full")

    store.meanwhile = fail
    for work in (scripts.list(), scripts.show("home"), scripts.versions("home"), scripts.publish(HOME, DANA)):
        error = await refused(work)
        assert (error.kind, "disk full" in error.message) == ("unreachable", True)


# -- the configuration's -------------------------------------------------------------------------------------


async def test_given_the_configurations_script_then_it_is_published_when_its_file_has_changed(scripts):
    assert await scripts.seed({"home": HOME}) == []
    assert await scripts.seed({"home": HOME}) == []
    assert [one.version for one in await scripts.versions("home")] == [1]
    await scripts.seed({"home": SHORTER})
    newest, _ = await scripts.versions("home")
    assert (newest.version, newest.by) == (2, "configuration")


async def test_given_others_have_published_since_then_theirs_stays_until_the_file_changes(scripts):
    await scripts.seed({"home": HOME})
    await scripts.publish(SHORTER, DANA, "asks less")
    assert await scripts.seed({"home": HOME}) == [
        "script home: the configuration's file is version 1, but version 2 is the current one (by cli (dana): asks "
        "less): either `asterisk-warm script rollback home 1`, or make the file what `asterisk-warm script show home` "
        "prints"
    ]
    assert (await scripts.show("home")).by == "cli (dana)"
    assert await scripts.seed({"home": SHORTER}) == [], "the file is made what was published"
    assert await scripts.seed({"home": HOME + "# changed\n"}) == []
    assert (await scripts.show("home")).by == "configuration"


async def test_given_a_rollback_of_what_the_file_says_then_a_restart_does_not_undo_it_and_says_so(scripts):
    await scripts.seed({"home": HOME})
    await scripts.publish(SHORTER, DANA)  # what the file says too, from now on
    assert await scripts.seed({"home": SHORTER}) == []
    await scripts.rollback("home", 1, DANA)
    for _ in range(2):
        (told,) = await scripts.seed({"home": SHORTER})
        assert "is version 2, but version 3 is the current one (by cli (dana): rollback to version 1)" in told
        assert (await scripts.show("home")).source == HOME
    await scripts.rollback("home", 2, DANA)
    assert await scripts.seed({"home": SHORTER}) == []


async def test_given_what_the_configuration_publishes_then_the_log_says_so(scripts):
    with capture_logs() as log:
        await scripts.seed({"home": HOME})
        await scripts.seed({"home": HOME})
    (line,) = log
    assert line == {
        "event": "script published",
        "script": "home",
        "version": 1,
        "by": "configuration",
        "log_level": "info",
    }


async def test_given_scripts_of_the_configuration_that_will_not_do_then_the_others_are_published(scripts):
    problems = await scripts.seed({"bad": NO_YAML, "dead": DEAD_END, "home": HOME})
    assert [problem.partition(": ")[0] for problem in problems] == ["script bad", "script dead"]
    assert "line 9" in problems[0] and "line 19" in problems[1]
    assert [one.id for one in await scripts.list()] == ["home"]
