"""`asterisk-warm qualify …`: ask a lead a script's questions, or see what was answered."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import qualification_path, query
from asterisk_warm.cli.failures import Exit
from asterisk_warm.cli.interview import CONSOLE, Interviewed, told
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, LeadNumber, Qualification, Script, Socket
from asterisk_warm.cli.output import say, show, show_json, tell
from asterisk_warm.cli.questions import ask_on, show_question, talk
from asterisk_warm.cli.request import text_only

app = typer.Typer(
    name="qualify",
    help="Ask a lead the questions of a script, and see what it comes to.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Lead = Annotated[str, typer.Option("--lead", metavar="NUMBER", help="The lead's number.", show_default=False)]
Language = Annotated[
    str | None, typer.Option(metavar="LANGUAGE", help="Language of the words: es.", show_default=False)
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask everything anew.")]


@app.command()
def run(
    script: Script,
    lead: Lead = "",
    language: Language = None,
    fresh: Fresh = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> int:
    """Ask one question after the other. What was answered before is not asked again."""
    interview = Interviewed(socket, _begin(socket, script, lead, language, fresh=fresh))
    to = talk(json=json)
    for line in interview.heading():
        tell(line, to=to)
    finished = ask_on(interview, to)
    if json:
        show_json(interview.now)
    else:
        for line in told(interview.now):
            tell(line)
    return Exit.OK if finished else Exit.FAILED


@app.command()
def start(
    script: Script,
    lead: Lead = "",
    language: Language = None,
    fresh: Fresh = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Begin, or go on where it was left, and tell the first question."""
    _show(_begin(socket, script, lead, language, fresh=fresh), json)


@app.command()
def answer(
    qualification: Qualification,
    text: Annotated[str, typer.Argument(metavar="ANSWER", help="What the lead said.", show_default=False)],
    question: Annotated[
        str | None,
        typer.Option(metavar="ID", help="To this question; else the one asked now.", show_default=False),
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Take down an answer, and tell the next question."""
    body = {"answer": text, **CONSOLE, **({} if question is None else {"question": question})}
    text_only(body)
    _show(ask(socket, "POST", qualification_path(qualification, "answer"), body), json)


@app.command()
def skip(qualification: Qualification, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Skip the question that is asked now, where it may be."""
    _show(ask(socket, "POST", qualification_path(qualification, "skip"), CONSOLE), json)


@app.command()
def back(qualification: Qualification, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Take the latest answer back."""
    _show(ask(socket, "POST", qualification_path(qualification, "back"), {}), json)


@app.command("show")
def show_qualification(
    qualification: Qualification,
    wording: Annotated[
        bool, typer.Option("--wording", help="What exactly was asked, instead of by whom and when.")
    ] = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Show what was answered, by whom and when, and what it comes to."""
    found = ask(socket, "GET", qualification_path(qualification))
    if json:
        show_json(found)
        return
    from asterisk_warm.cli.qualification_tables import answers, facts, wordings

    show(facts(found))
    if found["answers"]:
        show("", (wordings if wording else answers)(found["answers"]))


@app.command("list")
def list_qualifications(
    lead: LeadNumber = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not finished.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 20,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """List qualifications, newest first."""
    asked = query(limit=limit, state="open" if open_only else "all", lead=lead)
    found = ask(socket, "GET", f"/v1/qualifications{asked}")
    if json:
        show_json(found)
    elif found["qualifications"]:
        from asterisk_warm.cli.qualification_tables import qualifications

        show(qualifications(found["qualifications"], time.time()))
    else:
        say(
            "None yet; see `asterisk-warm qualify run --help`." if lead is None and not open_only else "None."
        )


def _begin(socket: Path, script: str, lead: str, language: str | None, *, fresh: bool) -> Any:
    body: dict[str, Any] = {"script": script, "lead": lead, **CONSOLE}
    body |= {} if language is None else {"language": language}
    body |= {"fresh": True} if fresh else {}
    text_only(body)
    return ask(socket, "POST", "/v1/qualifications", body)


def _show(found: dict[str, Any], json: bool) -> None:
    """What is to be asked next, or what it has come to."""
    if json:
        show_json(found)
        return
    question = found["question"]
    if question is None:
        for line in told(found):
            tell(line)
        return
    say(f"{found['id']} asks {question['id']}:")
    show_question(question, sys.stdout)
