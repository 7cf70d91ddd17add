"""`asterisk-warm lead …`: who leads are, what they have consented to, what came of their calls."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import lead_path, query
from asterisk_warm.cli.failures import Exit
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Lead, Region, Socket
from asterisk_warm.cli.output import complain, say, show, show_json
from asterisk_warm.cli.request import pairs, text_only

app = typer.Typer(
    name="lead",
    help="See and keep what is known of leads.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_leads(
    after: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Those behind this number.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 50,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """List leads by number."""
    answer = ask(socket, "GET", f"/v1/leads{query(after=after, limit=limit)}")
    if json:
        show_json(answer)
    elif answer["leads"]:
        from asterisk_warm.cli.lead_tables import leads

        show(leads(answer["leads"]))
    else:
        say("No leads yet; see `asterisk-warm lead import --help`.")


@app.command("show")
def show_lead(lead: Lead, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Show one lead. Consents, qualifications, earlier handoffs and what came of them."""
    answer = ask(socket, "GET", lead_path(lead))
    if json:
        show_json(answer)
        return
    from asterisk_warm.cli.lead_tables import asked, facts, past

    show(facts(answer))
    if answer["qualifications"]:
        of_them = query(lead=answer["number"], limit=len(answer["qualifications"]))
        found = ask(socket, "GET", f"/v1/qualifications{of_them}")["qualifications"]
        show("", asked(found))
    if answer["handoffs"]:
        show("", past(answer["handoffs"]))


@app.command()
def save(
    lead: Lead,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Their name.", show_default=False)] = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="What they speak: es.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="From where they came.", show_default=False)
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="Anything else; repeat it.", show_default=False),
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Add a lead, or replace what is known of them. Their consents stay."""
    given = {"name": name, "language": language, "source": source}
    body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if attribute:
        body["attributes"] = pairs("--attribute", attribute)
    text_only(body)
    answer = ask(socket, "PUT", lead_path(lead), body)
    if json:
        show_json(answer)
    else:
        say(f"{answer['number']} is kept{f' as {name}' if name else ''}.")


@app.command()
def remove(lead: Lead, socket: Socket = DEFAULT_SOCKET, json: Json = False) -> None:
    """Remove a lead and their consents. Handoffs and qualifications stay."""
    answer = ask(socket, "DELETE", lead_path(lead))
    if json:
        show_json(answer)
    else:
        say(f"{answer['number']} is removed.")


@app.command()
def consent(
    lead: Lead,
    purpose: Annotated[
        str, typer.Argument(metavar="PURPOSE", help="call, text or recording.", show_default=False)
    ],
    basis: Annotated[
        str, typer.Option(metavar="TEXT", help="On what ground: web form, oral.", show_default=False)
    ],
    shown: Annotated[
        str, typer.Option(metavar="TEXT", help="The request as shown or spoken.", show_default=False)
    ],
    refused: Annotated[bool, typer.Option("--refused", help="They do not consent (any more).")] = False,
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="From where it is known.", show_default=False)
    ] = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Record that a lead consents, or does not."""
    body: dict[str, Any] = {
        "purpose": purpose,
        "granted": not refused,
        "basis": basis,
        "shown": shown,
        "at": time.time(),
    }
    body |= {} if source is None else {"source": source}
    text_only(body)
    answer = ask(socket, "POST", lead_path(lead, "consents"), body)
    if json:
        show_json(answer)
    else:
        word = "does not consent" if refused else "consents"
        say(f"{answer['number']} {word} to {purpose}; it is recorded.")


@app.command("import")
def import_leads(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file of leads.", show_default=False)],
    region: Region = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> int:
    """Add leads from a file, or replace them. What is wrong with one row keeps no other out."""
    from asterisk_warm.cli.lead_import import Import

    done = Import(file, region, socket, dry_run=dry_run).run(quiet=json)
    complain(*done.warnings)
    if json:
        show_json(done.total)
    else:
        complain(*done.faults)
        for line in done.summary():
            say(line)
    return Exit.FAILED if done.faults else Exit.OK
