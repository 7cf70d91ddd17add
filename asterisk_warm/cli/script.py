"""`asterisk-warm script …`: qualification scripts, from the file to what callers are asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm.cli import script_files
from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import script_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Region, Script, ScriptFile, Socket
from asterisk_warm.cli.output import complain, say, show, show_json, tell
from asterisk_warm.cli.regions import region_of
from asterisk_warm.cli.request import text_only
from asterisk_warm.cli.script_try import play

app = typer.Typer(
    name="script",
    help="Write, try, publish and compare qualification scripts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Version = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="That version; else the current one.", show_default=False),
]


# -- with a file alone ---------------------------------------------------------------------------------------


@app.command()
def lint(file: ScriptFile, json: Json = False) -> int:
    """Find what is wrong with a script. Questions nobody is asked, dead ends, thresholds nobody reaches,
    missing wordings."""
    findings = script_files.findings(script_files.source_of(file), file)
    if json:
        show_json({"findings": findings})
    else:
        for finding in findings:
            say(script_files.told(file, finding))
        if not findings:
            say(f"{file}: nothing to say against it.")
    return Exit.USAGE if script_files.has_errors(findings) else Exit.OK


@app.command("try")
def try_script(
    file: ScriptFile,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="The lead's name, for the summary.", show_default=False)
    ] = "",
    region: Region = "",
    json: Json = False,
) -> int:
    """Answer a script in the terminal, as a lead would. Nothing is stored."""
    return play(script_files.script_of(file), name, region_of(region), json=json)


@app.command()
def graph(
    script: Annotated[
        str,
        typer.Argument(
            metavar="SCRIPT", help="A YAML file, or the id of a published one.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the picture goes: SCRIPT.svg.", show_default=False),
    ] = None,
    version: Version = None,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Draw a script as a picture (SVG). Which answer leads where, and to which verdict."""
    place = output or Path(f"{Path(script).stem}.svg")
    try:
        place.write_text(_picture(socket, script, version), encoding="utf-8")
    except OSError as error:
        raise Failure(
            Exit.FAILED, f"{place} cannot be written: {error.strerror}", "give another --output"
        ) from error
    say(f"{place} shows it; any browser opens it.")


def _picture(socket: Path, script: str, version: int | None) -> str:
    # Ids have neither dots nor slashes.
    if "." not in script and "/" not in script:
        return str(ask(socket, "GET", _versioned(script_path(script, "graph"), version)))
    if version is not None:
        raise Failure(Exit.USAGE, "a file has no --version", "give the id of a published script")
    from asterisk_warm.core.script.graph import svg

    return svg(script_files.script_of(Path(script)))


# -- with the daemon -----------------------------------------------------------------------------------------


@app.command("list")
def list_scripts(socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """List the published scripts, in their current versions."""
    answer = ask(socket, "GET", "/v1/scripts")
    if json:
        show_json(answer)
    elif answer["scripts"]:
        from asterisk_warm.cli.qualification_tables import scripts

        show(scripts(answer["scripts"]))
    else:
        say("No scripts yet; see `asterisk-warm script publish --help`.")


@app.command("show")
def show_script(
    script: Script, version: Version = None, socket: Socket = DEFAULT_SOCKET, json: Json = False
) -> None:
    """Print the YAML of a script as it was published."""
    answer = ask(socket, "GET", _versioned(script_path(script), version))
    if json:
        show_json(answer)
    else:
        _print_source(answer["source"])


def _print_source(source: str) -> None:
    """Exactly as it is, where it goes to a file: it may be published again."""
    if not sys.stdout.isatty():
        print(source, end="" if source.endswith("\n") else "\n")
        return
    for line in source.splitlines():
        say(line)


@app.command()
def versions(script: Script, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """List the versions of a script, newest first."""
    answer = ask(socket, "GET", script_path(script, "versions"))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.qualification_tables import scripts

    show(scripts(answer["versions"]))


@app.command()
def publish(
    file: ScriptFile,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What has changed, and why.", show_default=False)
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Publish a script. Who is being asked goes on with the version they began with. Warnings are told as by
    lint."""
    source, warnings = script_files.sound_source(file)
    body: dict[str, Any] = {"source": source} | ({} if note is None else {"note": note})
    text_only(body)
    answer = ask(socket, "POST", "/v1/scripts", body)
    complain(*(script_files.told(file, warning) for warning in warnings))
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is published as version {answer['version']}.")


@app.command()
def diff(
    script: Script,
    old: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="From this version.", show_default=False)
    ] = None,
    new: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="To this version.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Or to what a file says.", show_default=False)
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Tell what has changed from one version to another. Without --old, from the one before; without --new,
    to the current one."""
    if file is not None and new is not None:
        raise Failure(Exit.USAGE, "--new and --file cannot go together", "give only one of them")
    if file is not None:
        before = ask(socket, "GET", _versioned(script_path(script), old))
        changes = script_files.changes(before["source"], file)
    else:
        changes = _changes(socket, script, old, new)
    if json:
        show_json({"changes": changes})
        return
    for change in changes:
        tell(change)
    if not changes:
        say("Nothing has changed.")


def _changes(socket: Path, script: str, old: int | None, new: int | None) -> list[str]:
    to = new if new is not None else ask(socket, "GET", script_path(script))["version"]
    before = old if old is not None else to - 1
    if before < 1:
        raise Failure(
            Exit.CONFLICT, f"there is no version before {to}", "give --old, or compare it with a --file"
        )
    return list(ask(socket, "GET", f"{script_path(script, 'diff')}?old={before}&new={to}")["changes"])


@app.command()
def rollback(
    script: Script,
    version: Annotated[
        int, typer.Argument(min=1, metavar="VERSION", help="The version to go back to.", show_default=False)
    ],
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Publish an earlier version again, as the next one."""
    answer = ask(socket, "POST", script_path(script, "rollback"), {"version": version})
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is as version {version} was; that is version {answer['version']} now.")


def _versioned(path: str, version: int | None) -> str:
    return path if version is None else f"{path}?version={version}"
