"""Where the API listens beside its unix socket: at an address of the network, with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from asterisk_warm.api.unix_socket import CannotListen

CONNECTIONS_AT_MOST = 3000
"""Over the network, all peers together; screens are among them."""
HEAD_SECONDS = 20.0
"""How long a request may take to come, from the connection or the answer before it to the end of its head."""
LINGER_SECONDS = 2.0
"""How long the rest of a body is still read that nobody wants."""
HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Network:
    address: str
    """Of this machine: `127.0.0.1`, `::`."""
    port: int
    """0: any that is free."""
    ssl_context: ssl.SSLContext | None = None
    """None: no TLS; for a proxy on the same machine that has it."""


async def listen(network: Network, server: web.Server) -> asyncio.Server:
    """Raises CannotListen."""
    tls = network.ssl_context
    try:
        return await asyncio.get_running_loop().create_server(
            _limited(server),
            network.address,
            network.port,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls is not None else None,
        )
    except (OSError, OverflowError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or error
        raise CannotListen(
            f"the API cannot listen on {network.address} port {network.port}: {words}",
            "give another one in api.address or api.port",
        ) from error


def _limited(server: web.Server) -> Callable[[], asyncio.Protocol]:
    def accept() -> asyncio.Protocol:
        return _Full() if len(server.connections) >= CONNECTIONS_AT_MOST else server()

    return accept


class _Full(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
