"""A lead who is asked by the daemon's questions: satisfies `questions.Interview`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asterisk_warm.cli.asking import ask
from asterisk_warm.cli.client import qualification_path
from asterisk_warm.cli.failures import Exit, Failure
from asterisk_warm.cli.request import text_only

CONSOLE = {"channel": "console"}
"""How answers came that somebody has typed."""

Found = dict[str, Any]


class Interviewed:
    def __init__(self, socket: Path, begun: Found) -> None:
        self._socket = socket
        self.now = begun

    @property
    def question(self) -> Found | None:
        question: Found | None = self.now["question"]
        return question

    def heading(self) -> list[str]:
        """Who is asked what."""
        found = self.now
        who = ", ".join(part for part in (found["lead_name"], found["lead"]) if part)
        heading = f"{found['id']}: {found['script']} version {found['version']}{f' for {who}' if who else ''}"
        known = len(found["answers"])
        return [heading, *([f"answered already: {known}"] if known else [])]

    def answer(self, given: str) -> str:
        assert self.question is not None, "something was asked"
        asked = self.question["id"]
        self._do("answer", {"answer": given, "question": asked, **CONSOLE})
        return next((str(one["words"]) for one in self.now["answers"] if one["question"] == asked), "")

    def skip(self) -> None:
        self._do("skip", CONSOLE)

    def back(self) -> None:
        self._do("back", CONSOLE)

    def _do(self, part: str, body: Mapping[str, Any]) -> None:
        text_only(body, "the answer")
        # The lead may be asked on the phone at the same time.
        seen = {**body, "revision": self.now["revision"]}
        try:
            self.now = ask(self._socket, "POST", qualification_path(self.now["id"], part), seen)
        except Failure as failure:
            there = ask(self._socket, "GET", qualification_path(self.now["id"]))
            if there["revision"] == self.now["revision"]:
                raise
            self.now = there
            raise Failure(
                Exit.CONFLICT, "somebody else has answered meanwhile", "this is how it stands now:"
            ) from failure


def told(found: Found) -> list[str]:
    """What it comes to, or how to go on."""
    if found["verdict"] is None:
        lead = f" --lead {found['lead']}" if found["lead"] else ""
        # Without a number nobody knows that it is the same lead.
        go_on = f"run {found['script']}{lead}" if lead else f"answer {found['id']} ANSWER"
        told = [f"{found['id']}: score {found['score']:g}, no verdict yet."]
        return [*told, f"Go on with: asterisk-warm qualify {go_on}"]
    verdict = f"{found['id']}: score {found['score']:g}, verdict {found['verdict']}: {found['reason']}."
    return [verdict, *([found["summary"]] if found["summary"] else [])]
