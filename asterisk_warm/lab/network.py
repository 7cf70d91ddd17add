"""A network of our own: several labs run side by side, and none reaches outside or is reached from there."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_IFF_UP = 0x1
_entered: set[int] = set()


class PrivateNetworkRefused(RuntimeError):
    """The kernel did not let this process have a network namespace of its own."""


def enter_private_network() -> None:
    """Move the calling thread into a new, empty network whose only interface is `lo`, up.

    Children and threads started *afterwards from this thread* share it; threads that already run stay
    outside, so call it first. The network goes with its last process.

    Raises PrivateNetworkRefused (not root, or a container without CAP_SYS_ADMIN): the lab's ports are unusual
    enough to share the machine's loopback then, one lab at a time.
    """
    if in_private_network():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise PrivateNetworkRefused(f"no private network: {reason} (it needs root, or CAP_SYS_ADMIN)")
    _bring_up("lo")
    _entered.add(_network_id())


def in_private_network() -> bool:
    """Has the calling thread entered a network of its own?"""
    return _network_id() in _entered


def _network_id() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def _bring_up(interface: str) -> None:
    name = interface.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh22x", name, 0)
        flags = struct.unpack_from("16sh", fcntl.ioctl(s, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(s, _SIOCSIFFLAGS, struct.pack("16sh22x", name, flags | _IFF_UP))
