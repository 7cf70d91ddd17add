"""How often each peer has come without a token that counts."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

AT_ONCE = 10
"""How often one may fail in a row before it has to wait."""
EACH_SECONDS = 3.0
"""How often after that."""
PEERS_AT_MOST = 4096
"""How many are remembered; of more than these, the latest."""


class Failures:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_at: OrderedDict[str, float] = OrderedDict()
        """Peer → when all its failures are forgotten; the latest to fail last."""

    def wait(self, peer: str) -> float:
        """For how many seconds it is not even told why; 0: it is."""
        owed = self._paid_at.get(_net(peer), 0.0) - self._clock()
        return max(0.0, owed - (AT_ONCE - 1) * EACH_SECONDS)

    def add(self, peer: str) -> None:
        net = _net(peer)
        self._paid_at[net] = max(self._paid_at.get(net, 0.0), self._clock()) + EACH_SECONDS
        self._paid_at.move_to_end(net)
        if len(self._paid_at) > PEERS_AT_MOST:
            self._paid_at.popitem(last=False)

    def __len__(self) -> int:
        return len(self._paid_at)


def _net(peer: str) -> str:
    """Who has one IPv6 address has 2^64 of them."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
