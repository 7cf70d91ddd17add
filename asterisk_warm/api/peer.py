"""Who asks: at the other end of a unix socket as the kernel says, over the network as the token says; and
with which program, as that says."""

from __future__ import annotations

import os
import pwd
import socket
import struct

from aiohttp import web

from asterisk_warm.api.faults import shown
from asterisk_warm.api.problems import Fault, Problem
from asterisk_warm.core.presence import By
from asterisk_warm.engine.screens.ports import Token

_CREDENTIALS = struct.Struct("3i")
"""`struct ucred`: process, user, group; unix(7)."""
SOURCE = "Warm-Source"
"""The header in which a client of ours says that it is one."""
SOURCES = ("api", "cli")
TOKEN = web.RequestKey("token", Token)
"""The token of a request that has come over the network."""


def user_of(request: web.Request) -> str:
    """The name of the user who asks, for the journal: `api (root)`."""
    name = _user(request)
    return f"api ({name})" if name else "api"


def by_of(request: web.Request) -> By:
    """The same for the history of an agent, and from where. Raises Problem (422)."""
    source = request.headers.get(SOURCE, "api")
    if source not in SOURCES:
        told = Fault(SOURCE, f"{shown(source)} is not {' or '.join(SOURCES)}", "leave the header out")
        raise Problem.invalid([told])
    return By(_user(request), source)


def agent_of(request: web.Request) -> str:
    """The agent whose token it is; empty: one that opens everything, or the unix socket."""
    token: Token | None = request.get(TOKEN)
    return token.agent if token is not None else ""


def _user(request: web.Request) -> str:
    token: Token | None = request.get(TOKEN)
    if token is not None:
        return token.agent or token.note or token.id
    transport = request.transport
    there = transport.get_extra_info("socket") if transport is not None else None
    if there is None:
        return ""
    # A socket of our own on the same connection: uvloop's stand-in does not offer getsockopt.
    with socket.socket(fileno=os.dup(there.fileno())) as connection:
        got = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(got)
    return _name(user)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
