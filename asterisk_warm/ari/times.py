"""When something happened, as Asterisk says."""

from __future__ import annotations

import time
from datetime import datetime

from asterisk_warm.ari.model import Message


def moment(message: Message) -> float:
    """Seconds since the epoch; now, where Asterisk gave no time."""
    try:
        return datetime.fromisoformat(message.timestamp).timestamp()
    except ValueError:
        return time.time()
