"""Who is at the other end of a unix socket, as the kernel says."""

from __future__ import annotations

import os
import pwd
import socket
import struct

from aiohttp import web

_CREDENTIALS = struct.Struct("3i")
"""`struct ucred`: process, user, group; unix(7)."""


def user_of(request: web.Request) -> str:
    """The name of the user who asks, for the journal: `api (root)`."""
    transport = request.transport
    there = transport.get_extra_info("socket") if transport is not None else None
    if there is None:
        return "api"
    # A socket of our own on the same connection: uvloop's stand-in does not offer getsockopt.
    with socket.socket(fileno=os.dup(there.fileno())) as connection:
        got = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(got)
    return f"api ({_name(user)})"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
