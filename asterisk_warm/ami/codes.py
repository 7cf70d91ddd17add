"""What our dialplan's UserEvent() says: a feature code that a qualifier has dialled in a call."""

from __future__ import annotations

from collections.abc import Mapping

from asterisk_warm.engine.ports import InCall, Wish

EVENT = "WarmRequest"


def asked(event: Mapping[str, str]) -> InCall | None:
    """None for events that are none of ours, or ask for what there is not."""
    # Asterisk gives the fields of a UserEvent as they were written, its own in mixed case.
    fields = {key.lower(): value for key, value in event.items()}
    if fields.get("userevent") != EVENT or not fields.get("uniqueid"):
        return None
    try:
        wish = Wish(fields.get("what", ""))
    except ValueError:
        return None
    return InCall(fields["uniqueid"], wish, fields.get("team", ""))
