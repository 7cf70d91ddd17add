"""Read a pcap file of UDP over IPv4 into arrays: hundreds of thousands of packets a second."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FILE_HEADER = 24
_RECORD = struct.Struct("<IIII")
_LITTLE_ENDIAN_MICROSECONDS = b"\xd4\xc3\xb2\xa1"
_ETHERNET_LINK = 1
_ETHERNET, _IP, _UDP = 14, 20, 8
_HEADERS = _ETHERNET + _IP + _UDP
_PLAIN_IPV4 = 0x45
_UDP_PROTOCOL = 17


@dataclass(frozen=True)
class Datagrams:
    """UDP datagrams in order of time, one entry of each array for each.

    `start` and `length` are the payload's place in `buffer`, `times` epoch seconds, `source` and
    `destination` ports.
    """

    buffer: npt.NDArray[np.uint8]
    times: npt.NDArray[np.float64]
    source: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]

    def payload(self, index: int) -> bytes:
        start = int(self.start[index])
        return self.buffer[start : start + int(self.length[index])].tobytes()


def read_pcap(path: Path) -> Datagrams:
    """The UDP datagrams of a capture by tcpdump on this machine; other packets are left out.

    Raises ValueError for another kind of file. A record that is still being written is left out.
    """
    data = path.read_bytes()
    if data[:4] != _LITTLE_ENDIAN_MICROSECONDS or int.from_bytes(data[20:24], "little") != _ETHERNET_LINK:
        raise ValueError(f"{path} is not a little-endian pcap of an Ethernet-like link")
    seconds, microseconds, frames = _records(data)
    buffer = np.frombuffer(data, dtype=np.uint8)
    udp = (buffer[frames + _ETHERNET] == _PLAIN_IPV4) & (buffer[frames + _ETHERNET + 9] == _UDP_PROTOCOL)
    frames = frames[udp]
    header = frames + _ETHERNET + _IP

    def word(at: int) -> npt.NDArray[np.int64]:
        high, low = buffer[header + at], buffer[header + at + 1]
        return np.asarray(high.astype(np.int64) * 256 + low)

    return Datagrams(
        buffer=buffer,
        times=(seconds + microseconds / 1e6)[udp],
        source=word(0),
        destination=word(2),
        start=header + _UDP,
        length=word(4) - _UDP,
    )


def _records(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Seconds, microseconds and place of every whole frame that is long enough to be UDP."""
    found: list[tuple[int, int, int]] = []
    at, unpack, size = _FILE_HEADER, _RECORD.unpack_from, len(data)
    while at + _RECORD.size <= size:
        seconds, microseconds, captured, _ = unpack(data, at)
        frame = at + _RECORD.size
        at = frame + captured
        if at <= size and captured >= _HEADERS:
            found.append((seconds, microseconds, frame))
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]
