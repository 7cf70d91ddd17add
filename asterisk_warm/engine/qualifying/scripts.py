"""Scripts and their versions: published, compared, taken back; and read once each."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from asterisk_warm.core.handoff.options import clean
from asterisk_warm.core.presence import By
from asterisk_warm.core.script.compare import differences
from asterisk_warm.core.script.graph import svg
from asterisk_warm.core.script.lint import lint
from asterisk_warm.core.script.model import Script
from asterisk_warm.engine.errors import Refused, or_refused
from asterisk_warm.engine.qualifying.ports import (
    BadSource,
    ScriptReader,
    ScriptStore,
    ScriptVersion,
    SourceFault,
)
from asterisk_warm.engine.qualifying.views import FindingView, ScriptView, by_words, script_view

log = structlog.get_logger(__name__)

CONFIGURATION = "configuration"
"""Who has published what the configuration file names."""
NOTE_LIMIT = 200
READ_AT_MOST = 200
"""How many versions are kept as they were read."""
ERROR = "error"
LIST = "see `asterisk-warm script list`"

Places = Callable[[str], Mapping[str, tuple[int, int]]]
"""Of a script's source: path (`questions.owner`) → line and column."""


def nowhere(_: str) -> Mapping[str, tuple[int, int]]:
    """It is not known where."""
    return {}


@dataclass(frozen=True, slots=True)
class Published:
    """A version, and the script that it is."""

    version: ScriptVersion
    script: Script


class ScriptService:
    def __init__(self, store: ScriptStore, read: ScriptReader, places: Places = nowhere) -> None:
        """`places` tells where in a source something is, so that findings have a line."""
        self._store = store
        self._read = read
        self._places = places
        self._published: dict[tuple[str, int], Published] = {}

    # -- seeing ----------------------------------------------------------------------------------------------

    async def list(self) -> Sequence[ScriptView]:
        """The current version of each. Raises Refused (unreachable)."""
        return [
            await self._view(version, current=True) for version in await or_refused(self._store.scripts())
        ]

    async def versions(self, id: str) -> Sequence[ScriptView]:
        """Newest first. Raises Refused (not_found, unreachable)."""
        found = await or_refused(self._store.versions(id))
        if not found:
            raise _no_script(id)
        return [await self._view(version, current=version is found[0]) for version in found]

    async def show(self, id: str, version: int | None = None) -> ScriptView:
        """With its source; the current version, or the one named. Raises Refused (not_found, unreachable)."""
        found = await self._find(id, version)
        current = await self._find(id) if version is not None else found
        return await self._view(found, current=found.version == current.version, source=found.source)

    async def diff(self, id: str, old: int, new: int) -> Sequence[str]:
        """What has changed from one version to another, in words. Raises Refused (not_found, conflict,
        unreachable)."""
        before, after = await self.script(id, old), await self.script(id, new)
        return differences(before.script, after.script)

    async def graph(self, id: str, version: int | None = None) -> str:
        """The script as a picture: SVG. Raises Refused (not_found, conflict, unreachable)."""
        found = await self.script(id, version)
        return await asyncio.to_thread(svg, found.script)

    async def script(self, id: str, version: int | None = None) -> Published:
        """The current version, or the one named, as it is read. Raises Refused (not_found, conflict,
        unreachable)."""
        kept = self._published.get((id, version)) if version is not None else None
        if kept is not None:
            return kept
        found = await self._find(id, version)
        return self._published.get((id, found.version)) or await self._as_read(found)

    async def _find(self, id: str, version: int | None = None) -> ScriptVersion:
        if version is None:
            found = await or_refused(self._store.current(id))
        else:
            found = await or_refused(self._store.version(id, version))
        if found is None and version is not None and await or_refused(self._store.current(id)) is not None:
            name = clean(id, 40)
            remedy = f"see `asterisk-warm script versions {name}`"
            raise Refused("not_found", f'script "{name}" has no version {version}', remedy)
        if found is None:
            raise _no_script(id)
        return found

    async def _as_read(self, version: ScriptVersion) -> Published:
        try:
            script = await asyncio.to_thread(self._read, version.source, f"{version.script}.yaml")
        except BadSource as bad:
            # Written by an older program, or into the database by hand.
            first = bad.faults[0]
            raise Refused(
                "conflict",
                f"version {version.version} of {version.script} cannot be read any more: "
                f"line {first.line}: {first.message}",
                "publish it anew",
            ) from bad
        return self._keep(Published(version, script))

    def _keep(self, published: Published) -> Published:
        while len(self._published) >= READ_AT_MOST:
            del self._published[next(iter(self._published))]
        version = published.version
        self._published[version.script, version.version] = published
        return published

    async def _view(self, version: ScriptVersion, *, current: bool, source: str = "") -> ScriptView:
        kept = self._published.get((version.script, version.version))
        with suppress(Refused):  # What cannot be read any more is shown all the same.
            kept = kept or await self._as_read(version)
        return script_view(version, kept.script if kept else None, current=current, source=source)

    # -- publishing ------------------------------------------------------------------------------------------

    def check(self, source: str) -> Sequence[FindingView]:
        """What is wrong with a source, or questionable; nothing is stored."""
        try:
            return self._findings(self._read(source, "script"), source)
        except BadSource as bad:
            return [_fault_view(fault) for fault in bad.faults]

    def _findings(self, script: Script, source: str) -> builtins.list[FindingView]:
        places = self._places(source)
        found = []
        for finding in lint(script):
            line, column = _place(places, finding.path)
            found.append(
                FindingView(
                    str(finding.severity), line, column, finding.path, finding.message, finding.remedy
                )
            )
        return found

    async def publish(self, source: str, by: By, note: str = "") -> ScriptView:
        """As the next version, which is the current one from now on; qualifications that have begun keep
        theirs. Raises BadSource, Refused (invalid, unreachable; conflict: the current version is just
        this)."""
        script = await asyncio.to_thread(self._read, source, "script")
        await asyncio.to_thread(self._refuse_errors, script, source)
        current = await or_refused(self._store.current(script.id))
        if current is not None and current.source == source:
            raise _just_this(current)
        return await self._publish(script, source, by_words(by), clean(note, NOTE_LIMIT))

    def _refuse_errors(self, script: Script, source: str) -> None:
        errors = [finding for finding in self._findings(script, source) if finding.severity == ERROR]
        if errors:
            words = "; ".join(_finding_words(finding) for finding in errors[:5])
            more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
            raise Refused("invalid", f"{words}{more}", errors[0].remedy or "see `asterisk-warm script lint`")

    async def _publish(self, script: Script, source: str, by: str, note: str) -> ScriptView:
        version = await or_refused(self._store.publish(script.id, source, by, time.time(), note))
        self._published_now(version, script)
        return script_view(version, script, current=True, source=source)

    def _published_now(self, version: ScriptVersion, script: Script) -> None:
        self._keep(Published(version, script))
        log.info("script published", script=version.script, version=version.version, by=version.by)

    async def rollback(self, id: str, version: int, by: By) -> ScriptView:
        """Publish an earlier version again, as the next one. Raises Refused (not_found, conflict,
        unreachable)."""
        earlier, current = await self.script(id, version), await self._find(id)
        if current.version == version:
            raise Refused("conflict", f"version {version} of {current.script} is the current one")
        if current.source == earlier.version.source:
            raise _just_this(current)
        note = f"rollback to version {version}"
        return await self._publish(earlier.script, earlier.version.source, by_words(by), note)

    async def seed(self, sources: Mapping[str, str]) -> Sequence[str]:
        """At start: publish what the configuration file names (id → source), where no version is just that
        yet. What is an earlier version stays one: somebody has published another since, or gone back. Returns
        what was not published, and why, in words. Raises JournalError."""
        told = [await self._seed(id, source) for id, source in sources.items()]
        return [f"script {id}: {why}" for id, why in zip(sources, told, strict=True) if why]

    async def _seed(self, id: str, source: str) -> str:
        """Why the file's text is not the current version; empty: it is. Raises JournalError."""
        versions = await self._store.versions(id)
        same = next((version for version in versions if version.source == source), None)
        if same is not None:
            return "" if same is versions[0] else _differs(same, versions[0])
        try:
            script = await asyncio.to_thread(self._read, source, f"{id}.yaml")
            await asyncio.to_thread(self._refuse_errors, script, source)
        except BadSource as bad:
            return _finding_words(_fault_view(bad.faults[0]))
        except Refused as refused:
            return refused.message
        self._published_now(await self._store.publish(script.id, source, CONFIGURATION, time.time()), script)
        return ""


def _no_script(id: str) -> Refused:
    return Refused("not_found", f'no script "{clean(id, 40)}"', LIST)


def _just_this(current: ScriptVersion) -> Refused:
    words = f"version {current.version} of {current.script}, the current one, is just this"
    return Refused("conflict", words, "there is nothing to publish")


def _differs(file: ScriptVersion, current: ScriptVersion) -> str:
    """Of a file that is an earlier version."""
    id, by = current.script, f"by {current.by}{f': {current.note}' if current.note else ''}"
    return (
        f"the configuration's file is version {file.version}, but version {current.version} is the current "
        f"one ({by}): either `asterisk-warm script rollback {id} {file.version}`, or make the file what "
        f"`asterisk-warm script show {id}` prints"
    )


def _fault_view(fault: SourceFault) -> FindingView:
    return FindingView(ERROR, fault.line, fault.column, fault.path, fault.message, fault.remedy)


def _finding_words(finding: FindingView) -> str:
    where = f"line {finding.line}: " if finding.line else ""
    return f"{where}{finding.path}: {finding.message}" if finding.path else f"{where}{finding.message}"


def _place(places: Mapping[str, tuple[int, int]], path: str) -> tuple[int, int]:
    """Of the thing itself, or of what it is in; (0, 0): not known."""
    while path:
        if path in places:
            return places[path]
        cut = max(path.rfind("."), path.rfind("["))
        path = path[: max(cut, 0)]
    return 0, 0
