"""The qualification scripts that the configuration names: each read, and looked at for where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from asterisk_warm.config.errors import ConfigError, ConfigErrors, KeyPath, dotted, printable
from asterisk_warm.config.script_file import WANTED, place, places, read_script
from asterisk_warm.config.text_file import text_of
from asterisk_warm.config.written import Written
from asterisk_warm.core.script.lint import Finding, Severity, lint
from asterisk_warm.core.script.model import Script


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """``source`` is the YAML as it is written in ``file``: what is published."""

    file: Path
    source: str
    script: Script


def read_scripts(written: Written, folder: Path) -> Mapping[str, ScriptFile]:
    """Return the scripts by id; paths start at ``folder``. What is wrong with one is a fault of its own file,
    what is hardly meant a warning.
    """
    found = {}
    for id in written.mapping(("scripts",)):
        path: KeyPath = ("scripts", id)
        if not written.sound(("scripts",), path):
            continue
        read = _read(written, path, folder / str(written.value(path)))
        if read is not None:
            found[id] = read
    return MappingProxyType(found)


def _read(written: Written, path: KeyPath, file: Path) -> ScriptFile | None:
    try:
        source = text_of(file, WANTED)
    except ConfigErrors as errors:
        for error in errors.errors:
            message = f"{dotted(path)}: {file}: {error.message}"
            written.report(path, message, expected=error.expected)
        return None
    try:
        script = read_script(source, str(file))
    except ConfigErrors as errors:
        written.source.errors += errors.errors
        return None
    if script.id != path[-1]:
        message = f'{dotted(path)}: the script in {file} has the id "{script.id}"'
        written.report(path, message, expected="the script under its own id")
    _look(written, str(file), source, script)
    return ScriptFile(file, source, script)


def _look(written: Written, file: str, source: str, script: Script) -> None:
    findings = lint(script)
    known = places(source) if findings else {}
    told = {Severity.ERROR: written.source.errors, Severity.WARNING: written.warnings}
    for finding in findings:
        told[finding.severity].append(_fault(file, finding, place(finding.path, known)))


def _fault(file: str, finding: Finding, at: tuple[int, int]) -> ConfigError:
    said = f"{finding.path}: {finding.message}" if finding.path else finding.message
    message = printable(f"{said}; {finding.remedy}" if finding.remedy else said)
    return ConfigError(file, *at, finding.path, message)
