"""`asterisk-warm health`: is the daemon well?"""

from __future__ import annotations

from typing import Any

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.failures import Exit
from asterisk_warm.cli.options import DEFAULT_SOCKET, Json, Socket
from asterisk_warm.cli.output import say, show_json


def health(socket: Socket = DEFAULT_SOCKET, json: Json = False) -> int:
    """Ask the daemon how it is. Exit code 4: not connected to Asterisk (yet); 1: something else is wrong."""
    answer = ask(socket, "GET", "/v1/health")
    if json:
        show_json(answer)
    else:
        _tell(answer)
    if not answer["ari_connected"]:
        return Exit.UNREACHABLE
    return Exit.FAILED if answer["findings"] else Exit.OK


def _tell(answer: dict[str, Any]) -> None:
    starting = answer.get("starting", "")
    say(f"daemon         {answer['version']}{f' (starting: {starting})' if starting else ''}")
    say(f"Asterisk       {answer['asterisk'] or 'unknown'}")
    say(f"ARI            {_connected(answer['ari_connected'], starting)}")
    say(f"AMI            {_connected(answer['ami_connected'], starting)}")
    say(f"open handoffs  {answer['open_handoffs']}")
    for finding in answer["findings"]:
        say(f"to mend        {finding}")


def _connected(yes: bool, starting: str) -> str:
    """Before prompts are there it is not even tried."""
    return "connected" if yes else "not yet" if starting else "NOT connected"
