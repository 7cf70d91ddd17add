"""What Asterisk must have loaded, asked of Asterisk itself and never guessed from its version."""

from __future__ import annotations

import asyncio

from asterisk_warm.ari.client import AriClient
from asterisk_warm.engine.ports import LegGone, PbxError

NEEDED = {
    "res_stasis": "Stasis itself",
    "app_stasis": "the Stasis() application of the dialplan",
    "res_stasis_answer": "answering the lead",
    "res_stasis_playback": "briefings and announcements",
    "res_stasis_device_state": "knowing which agent's phone is free",
    "res_ari_channels": "control of channels",
    "res_ari_bridges": "control of bridges",
    "res_ari_playbacks": "stopping a briefing",
    "res_ari_device_states": "knowing which agent's phone is free",
    "res_ari_applications": "event filters",
    "res_ari_events": "events",
    "res_musiconhold": "music for the lead",
    "bridge_simple": "connecting two parties",
    "bridge_softmix": "mixing bridges",
    "app_stack": "Gosub() in our dialplan",
    "func_uri": "URIENCODE() in our dialplan",
    "format_pcm": "playing our µ-law sounds",
}


async def missing_modules(client: AriClient) -> list[str]:
    """Findings with their remedy; empty when all is there. Modules that cannot be asked about are not
    reported."""
    answers = await asyncio.gather(*(_missing(client, module) for module in NEEDED))
    return [
        f"module {module}.so is not loaded ({NEEDED[module]}): load it in modules.conf"
        for module, missing in zip(NEEDED, answers, strict=True)
        if missing
    ]


async def _missing(client: AriClient, module: str) -> bool:
    try:
        await client.request("GET", f"/asterisk/modules/{module}.so")
    except LegGone:
        return True
    except PbxError:
        return False
    return False
