"""What an agent's phone is told beside who calls: SIP headers of the INVITE."""

from __future__ import annotations

from asterisk_warm.core.handoff.commands import RingAgent

_NAMELESS = "<sip:warm>"
"""Where a header's value needs an address that nobody looks at."""


def headers(handoff: str, command: RingAgent) -> dict[str, str]:
    """For softphones that open pages, for distinctive ringing, and for phones that are to answer by
    themselves.

    There is no standard for the last: Snom, Yealink, Grandstream and Gigaset heed `answer-after` in
    Call-Info, Yealink, Polycom, AudioCodes and Mitel `alert-autoanswer` in Alert-Info (Mitel only with a
    delay). Whoever does not know one of them ignores it, and all may be set up not to answer."""
    found = {"X-Warm-Handoff": handoff}
    if command.page:
        found["X-Warm-URL"] = command.page
    if command.alert:
        found["Alert-Info"] = command.alert
    if command.auto_answer:
        found["Call-Info"] = f"{_NAMELESS};answer-after=0"
        found["Alert-Info"] = f"{command.alert or _NAMELESS};info=alert-autoanswer;delay=0"
    return found
