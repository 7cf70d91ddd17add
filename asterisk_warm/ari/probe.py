"""What Asterisk must have loaded, asked of Asterisk itself and never guessed from its version."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from asterisk_warm.ari.client import AriClient, NotThere
from asterisk_warm.engine.ports.pbx import LegGone, PbxError

NEEDED = {
    "res_stasis": "Stasis itself",
    "app_stasis": "the Stasis() application of the dialplan",
    "res_stasis_answer": "answering the lead",
    "res_stasis_playback": "briefings and announcements",
    "res_stasis_recording": "questions that agents ask back",
    "res_stasis_snoop": "words to the qualifier alone",
    "res_stasis_device_state": "knowing why a phone cannot be called",
    "res_ari_channels": "control of channels",
    "res_ari_bridges": "control of bridges",
    "res_ari_playbacks": "stopping a briefing",
    "res_ari_recordings": "questions that agents ask back",
    "res_ari_device_states": "knowing why a phone cannot be called",
    "res_ari_applications": "event filters",
    "res_ari_events": "events",
    "res_musiconhold": "music for the lead",
    "bridge_simple": "connecting two parties",
    "bridge_softmix": "mixing bridges",
    "app_exec": "ExecIf() in our dialplan",
    "app_stack": "Gosub() in our dialplan",
    "app_userevent": "feature codes in a call",
    "res_agi": "agents' feature codes",
    "func_callerid": "names and numbers on the phones",
    "func_cut": "CUT() in our dialplan",
    "func_devstate": "lamps that show who is free",
    "func_dialplan": "DIALPLAN_EXISTS() in our dialplan",
    "func_logic": "IF() in our dialplan",
    "func_talkdetect": "the end of what is said, in questions",
    "func_strings": "setting several variables at once",
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
    except NotThere as answer:
        return str(answer).startswith("Module")  # Else it is the request that is not known.
    except PbxError:
        return False
    return False


SAFE_TRANSFERS = {20: 18, 22: 8, 23: 2}
"""From which release of each series on a transfer that is left to ARI cannot crash Asterisk when it ends
(asterisk/asterisk issue 1467, mended by its commit 55e403fa8b)."""


async def takes_transfers(client: AriClient, version: str) -> bool:
    """Whether a phone's Transfer key can be left to us: asked of Asterisk, and its release known to survive
    it."""
    try:
        await client.request("POST", "/channels/warm-probe/transfer_progress", {"states": "channel_progress"})
    except LegGone:
        # There is no such channel; but there is such a request.
        return _is_safe(version)
    except PbxError:
        return False
    return False


def _is_safe(version: str) -> bool:
    found = re.match(r"(?:certified/)?(\d+)\.(\d+)", version)
    if found is None:
        return True  # Built from its source: newer than any release here.
    series, release = int(found[1]), int(found[2])
    return series > max(SAFE_TRANSFERS) or release >= SAFE_TRANSFERS.get(series, 1 << 30)


async def tell_arming(client: AriClient, takes: bool) -> None:
    """Tell the dialplan (`warm-arm`) whether a phone's Transfer key is to come to us."""
    with suppress(PbxError):
        await client.request(
            "POST",
            "/asterisk/variable",
            {"variable": "WARM_REFER", "value": "yes" if takes else "no"},
        )
