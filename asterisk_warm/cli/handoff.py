"""`asterisk-warm handoff …`: what is going on, what went on, and how to step in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import handoff_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.options import DEFAULT_SOCKET, HandoffId, Json, Socket
from asterisk_warm.cli.output import say, show, show_json, tell
from asterisk_warm.cli.request import body_of, text_only
from asterisk_warm.cli.words import where_lead_is

app = typer.Typer(
    name="handoff",
    help="See, start, steer and cancel handoffs of a running daemon.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_handoffs(
    all: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 20,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """List handoffs, newest first."""
    answer = ask(socket, "GET", f"/v1/handoffs?state={'all' if all else 'open'}&limit={limit}")
    if json:
        show_json(answer)
    elif answer["handoffs"]:
        from asterisk_warm.cli.tables import handoffs

        show(handoffs(answer["handoffs"], time.time()))
    else:
        say("No handoffs yet." if all else "No open handoffs; --all lists those that have ended.")


@app.command("show")
def show_handoff(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Show one handoff: where everybody is, who was rung, and what came of it."""
    answer = ask(socket, "GET", handoff_path(handoff))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.tables import facts, offers

    show(facts(answer))
    if answer["offers"]:
        show("", offers(answer["offers"]))


@app.command()
def story(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Tell one handoff in words, from its journal."""
    answer = ask(socket, "GET", handoff_path(handoff, "story"))
    if json:
        show_json(answer)
    else:
        from asterisk_warm.cli.tables import told

        show(told(answer["story"]))


@app.command()
def cancel(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Call a handoff off. Phones stop ringing, and the lead is with the qualifier again, or goes on in the
    dialplan."""
    answer = ask(socket, "DELETE", handoff_path(handoff))
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is cancelled.")


@app.command()
def complete(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Leave the lead to the agent. While agents are being rung, to whoever will accept."""
    _steer(handoff, "complete", socket, json)


@app.command("three-way")
def three_way(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Bring lead, qualifier and agent together."""
    _steer(handoff, "three-way", socket, json)


@app.command()
def swap(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Move the qualifier to the lead, or to the agent. The other one waits."""
    _steer(handoff, "swap", socket, json)


@app.command("take-back")
def take_back(handoff: HandoffId, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Give the lead back to the qualifier. The agents are dismissed."""
    _steer(handoff, "take-back", socket, json)


def _steer(handoff: str, action: str, socket: Path, json: bool) -> None:
    answer = ask(socket, "POST", handoff_path(handoff, action))
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is {answer['state']}; the lead is {where_lead_is(answer)}.")


@app.command()
def outcome(
    handoff: HandoffId,
    disposition: Annotated[
        str | None,
        typer.Argument(metavar="[DISPOSITION]", help="One of the config: sold.", show_default=False),
    ] = None,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the next one should know.", show_default=False)
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Write down what came of a handoff. The next agent, or a call-back, begins from it."""
    body = {k: v for k, v in {"disposition": disposition, "note": note}.items() if v is not None}
    if not body:
        raise Failure(Exit.USAGE, "a disposition or --note must be given", 'such as --note "wants a quote"')
    text_only(body)
    answer = ask(socket, "POST", handoff_path(handoff, "outcome"), body)
    if json:
        show_json(answer)
    else:
        tell(_outcome_words(answer))


def _outcome_words(outcome: dict[str, Any]) -> str:
    note = outcome["note"] and f": {outcome['note']}"
    if outcome["disposition"]:
        return f"{outcome['handoff']} came to {outcome['disposition_name']}{note}"
    return f"Noted for {outcome['handoff']}{note}"


@app.command()
def start(
    channel: Annotated[
        str | None,
        typer.Option(metavar="CHANNEL", help="The lead's channel: its id or name.", show_default=False),
    ] = None,
    qualifier: Annotated[
        str | None,
        typer.Option(
            metavar="CHANNEL", help="Or the channel of the qualifier they talk to.", show_default=False
        ),
    ] = None,
    team: Annotated[
        str | None, typer.Option(metavar="TEAM", help="The team to ring.", show_default=False)
    ] = None,
    agent: Annotated[
        str | None, typer.Option(metavar="AGENT", help="Or one agent, by id or name.", show_default=False)
    ] = None,
    outside: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Or an allowed outside number.", show_default=False)
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE", help="stay, consult, auto or blind, instead of the team's.", show_default=False
        ),
    ] = None,
    qualified: Annotated[bool, typer.Option("--qualified", help="The lead is qualified.")] = False,
    consent: Annotated[bool, typer.Option("--consent", help="The lead has consented.")] = False,
    qualification: Annotated[
        str | None, typer.Option(metavar="ID", help="What was asked of this lead.", show_default=False)
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="What the lead speaks: es.", show_default=False)
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="How long to wait for somebody to become free.", show_default=False
        ),
    ] = None,
    priority: Annotated[
        int | None,
        typer.Option(metavar="0-9", help="Among leads who wait, the higher comes first.", show_default=False),
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SKILL:LEVEL", help="What the agent must be able to do; repeat it.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The lead's name.", show_default=False)
    ] = None,
    number: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The lead's number.", show_default=False)
    ] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why they call, in a sentence.", show_default=False)
    ] = None,
    detail: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="Anything else of the lead; repeat it.", show_default=False),
    ] = None,
    return_to: Annotated[
        str | None,
        typer.Option(
            metavar="CONTEXT,EXTENSION,PRIORITY",
            help="Where the lead goes on when nobody has them; else after the step they were in.",
            show_default=False,
        ),
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Hand off a lead. They may be talking to the qualifier, or be waiting in the dialplan."""
    body = body_of(
        channel=channel,
        qualifier=qualifier,
        team=team,
        agent=agent,
        outside=outside,
        mode=mode,
        name=name,
        number=number,
        summary=summary,
        qualification=qualification,
        language=language,
        detail=detail or [],
        numbers={"wait": wait, "priority": priority},
        skill=skill or [],
        flags={"qualified": qualified, "consent": consent},
        return_to=return_to,
    )
    answer = ask(socket, "POST", "/v1/handoffs", body)
    if json:
        show_json(answer)
    else:
        say(f"{answer['id']} is {answer['state']}.")
        say(f"Follow it with: asterisk-warm handoff story {answer['id']}")
