"""`asterisk-warm webhook …`: what other systems were told, and telling them again."""

from __future__ import annotations

from typing import Annotated

import typer

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import query
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Socket
from asterisk_warm.cli.output import say, show, show_json
from asterisk_warm.cli.request import text_only

app = typer.Typer(
    name="webhook",
    help="See what webhooks were sent, and send it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Which = Annotated[str | None, typer.Option(metavar="NAME", help="Only to this webhook.", show_default=False)]


@app.command("list")
def list_deliveries(
    webhook: Which = None,
    state: Annotated[str, typer.Option(metavar="STATE", help="all, pending, delivered or failed.")] = "all",
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 20,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """List deliveries, newest first. When each is tried next, and why it failed."""
    asked = query(webhook=webhook, state=state, limit=limit)
    answer = ask(socket, "GET", f"/v1/webhooks/deliveries{asked}")
    if json:
        show_json(answer)
    elif answer["deliveries"]:
        from asterisk_warm.cli.outward_tables import deliveries

        show(deliveries(answer["deliveries"]))
    else:
        say("Nothing was sent yet." if webhook is None and state == "all" else "None.")


@app.command()
def replay(
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[ID]...", help="Deliveries, as `webhook list` shows them.", show_default=False
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that have failed.")] = False,
    webhook: Which = None,
    socket: Socket = DEFAULT_SOCKET,
    json: Json = False,
) -> None:
    """Send deliveries again, under the same id. The receiver can tell that it has had them."""
    if bool(ids) is failed:
        raise Failure(Exit.USAGE, "ids or --failed must be given, and not both", "such as --failed")
    if ids and webhook is not None:
        raise Failure(Exit.USAGE, "ids and --webhook cannot go together", "give only the ids")
    body: dict[str, object] = {"ids": ids} if ids else {"state": "failed"}
    body |= {} if webhook is None else {"webhook": webhook}
    text_only(body)
    answer = ask(socket, "POST", "/v1/webhooks/replay", body)
    if json:
        show_json(answer)
    sent, left = f"sent again: {answer['replayed']}", answer["left"]
    if ids and left:
        said = f"{left} of these are no deliveries, or their webhook is not configured; {sent}"
        raise Failure(Exit.NOT_FOUND, said, "see `asterisk-warm webhook list`")
    if not json:
        say(f"{sent}; left, because their webhook is not configured: {left}" if left else sent)
