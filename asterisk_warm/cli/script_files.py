"""Script files, read and looked at on this side of the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asterisk_warm.cli.failures import Exit, Failure

if TYPE_CHECKING:
    from asterisk_warm.config.errors import ConfigError
    from asterisk_warm.core.script.lint import Finding as Found
    from asterisk_warm.core.script.model import Script

Finding = dict[str, Any]
"""As the API has it (`POST /v1/scripts/check`)."""


def source_of(file: Path) -> str:
    """Raises Failure."""
    from asterisk_warm.config.errors import ConfigErrors
    from asterisk_warm.config.script_file import WANTED
    from asterisk_warm.config.text_file import text_of

    try:
        return text_of(file, WANTED)
    except ConfigErrors as errors:
        raise Failure(Exit.USAGE, str(errors.errors[0]), "give the script's YAML file") from errors


def findings(source: str, file: Path) -> list[Finding]:
    """What is wrong with a file: of its YAML, or else of the script in it."""
    from asterisk_warm.config.errors import ConfigErrors
    from asterisk_warm.config.script_file import places, read_script
    from asterisk_warm.core.script.lint import lint

    try:
        found = lint(read_script(source, str(file)))
    except ConfigErrors as errors:
        return [_of_yaml(error) for error in errors.errors]
    known = places(source)
    return [_of_script(finding, known) for finding in found]


def _of_script(finding: Found, known: Mapping[str, tuple[int, int]]) -> Finding:
    from asterisk_warm.config.script_file import place

    line, column = place(finding.path, known) if finding.path else (0, 0)
    return {
        "severity": str(finding.severity),
        "line": line,
        "column": column,
        "path": finding.path,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _of_yaml(error: ConfigError) -> Finding:
    return {
        "severity": "error",
        "line": error.line,
        "column": error.column,
        "path": error.path,
        "message": error.message,
        "remedy": error.remedy,
    }


def told(file: Path, finding: Finding) -> str:
    """One line: where, how bad, what, and what would do."""
    place = f"{file}:{finding['line']}:{finding['column']}" if finding["line"] else str(file)
    # Faults of the YAML name what they are about in their words, those of the script do not.
    about = "" if finding["path"] in finding["message"] else f"{finding['path']}: "
    remedy = f" ({finding['remedy']})" if finding["remedy"] else ""
    return f"{place}: {finding['severity']}: {about}{finding['message']}{remedy}"


def has_errors(found: Sequence[Finding]) -> bool:
    return any(finding["severity"] == "error" for finding in found)


def sound_source(file: Path) -> tuple[str, Sequence[Finding]]:
    """The YAML of a script that can be asked, and what might be wrong with it. Raises Failure."""
    source = source_of(file)
    found = findings(source, file)
    if has_errors(found):
        raise _refused(file, found)
    return source, found


def _refused(file: Path, found: Sequence[Finding]) -> Failure:
    first, *others = [finding for finding in found if finding["severity"] == "error"]
    more = f" (and {len(others)} more)" if others else ""
    problem = {"detail": told(file, first), "findings": list(found)}
    return Failure(
        Exit.USAGE, f"{told(file, first)}{more}", f"see all: asterisk-warm script lint {file}", problem
    )


def script_of(file: Path) -> Script:
    """A script that can be asked. Raises Failure."""
    from asterisk_warm.config.script_file import read_script

    source, _ = sound_source(file)
    return read_script(source, str(file))


def changes(before: str, file: Path) -> list[str]:
    """What a file would change. Raises Failure."""
    from asterisk_warm.config.errors import ConfigErrors
    from asterisk_warm.config.script_file import read_script
    from asterisk_warm.core.script.compare import differences

    after = script_of(file)
    try:
        published = read_script(before, "the published version")
    except ConfigErrors as errors:
        raise Failure(
            Exit.CONFLICT, f"what is published cannot be read here: {errors.errors[0]}", "publish it anew"
        ) from errors
    return list(differences(published, after))
