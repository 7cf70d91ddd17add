"""Is a channel on the line?"""

from __future__ import annotations

from asterisk_warm.engine.ports.pbx import LegGone, Pbx


async def is_there(pbx: Pbx, channel: str) -> bool:
    """Raises PbxError where Asterisk cannot be asked."""
    try:
        await pbx.locate(channel)
    except LegGone:
        return False
    return True
