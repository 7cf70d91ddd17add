"""What `health` says is to be mended, in words: what is so, since when, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo

from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.engine.agents.ports import StoredAgent
from asterisk_warm.speech import Down
from asterisk_warm.webhooks import Failing


def speechless(down: Mapping[str, Down], now: float, zone: tzinfo) -> Iterator[str]:
    """`now`: in seconds since the epoch."""
    for engine, failed in down.items():
        often = f"has failed {failed.times} times in a row, last" if failed.times > 1 else "failed"
        again = f"from {_clock(now + failed.rests, zone)}" if failed.rests else "with the next new line"
        yield (
            f"the speech engine {engine} {often} at {_clock(now - failed.ago, zone)}: {failed.why}; "
            f"it is tried again {again}: see `speech` in the config"
        )


def undelivered(webhooks: Iterable[Failing], zone: tzinfo) -> Iterator[str]:
    for one in webhooks:
        since = datetime.fromtimestamp(one.since, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        yield (
            f"the webhook {one.webhook}, since {since}, {one.why}; "
            f"see `asterisk-warm webhook list --webhook {one.webhook}`"
        )


async def uncounted(ami: AmiManager, agents: Iterable[StoredAgent]) -> list[str]:
    """Phones of chan_sip of whose calls nothing is seen. Raises PbxError."""
    peers = {
        name.partition("/")[2]: agent.record.id
        for agent in agents
        for name in (agent.record.endpoint, *agent.record.hints)
        if name.casefold().startswith("sip/")
    }
    return [
        f"agent {agent}: SIP/{peer} is rung in the middle of other calls: set callcounter=yes in sip.conf"
        for peer, agent in peers.items()
        if not await ami.counts_calls(peer)
    ]


def _clock(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%H:%M:%S %Z")
