"""What our dialplan's UserEvent() says: a feature code that a qualifier has dialled in a call."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from asterisk_warm.engine.ports.calls import InCall, Wish

EVENT = "WarmRequest"


def asked(event: Mapping[str, object]) -> InCall | None:
    """None for events that are none of ours, or ask for what there is not."""
    # Asterisk gives the fields of a UserEvent as they were written, its own in mixed case. One that is there
    # twice is not text: it says nothing.
    fields = {key.lower(): value for key, value in event.items() if isinstance(value, str)}
    if fields.get("userevent") != EVENT or not fields.get("uniqueid"):
        return None
    try:
        wish = Wish(fields.get("what", ""))
    except ValueError:
        return None
    return InCall(fields["uniqueid"], wish, unquote(fields.get("team", ""), errors="ignore"))
