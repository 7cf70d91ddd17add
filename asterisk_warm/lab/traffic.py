"""What a capture tells: each phone's calls, the sound that reached it, the keys it pressed, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asterisk_warm.lab.pcap import Datagrams, read_pcap
from asterisk_warm.lab.sip import Dialog, Shown, dialogs_in
from asterisk_warm.lab.tones import FRAME, Hearing, ulaw_to_linear

_RTP_HEADER = 12
_KEYS = "0123456789*#ABCD"


@dataclass(frozen=True)
class KeyPress:
    """One key, as RFC 4733 sent it: the first packet of the event, and the first with the END bit."""

    key: str
    pressed_at: float
    released_at: float


@dataclass(frozen=True)
class Traffic:
    """All UDP of a capture. Calls are named by the SIP Call-ID at the phone; moments are epoch seconds."""

    datagrams: Datagrams
    sip_port: int

    @classmethod
    def read(cls, path: Path, sip_port: int) -> Traffic:
        return cls(read_pcap(path), sip_port)

    @cached_property
    def dialogs(self) -> dict[str, Dialog]:
        """Every call between a phone and Asterisk, in the order of their INVITEs."""
        return dialogs_in(self.datagrams, self.sip_port)

    def dialog(self, call_id: str) -> Dialog:
        """One call's signalling. Raises KeyError."""
        return self.dialogs[call_id]

    def dialogs_to(self, phone: str) -> list[Dialog]:
        """Every INVITE that Asterisk sent to one phone, by its endpoint's name."""
        return [d for d in self.dialogs.values() if not d.from_phone and d.to_user == phone]

    def shown_at(self, call_id: str) -> list[Shown]:
        """Whom the phone was told it has on the other end of that call, each time that changed."""
        return self.dialogs[call_id].shown

    def notified_at(self, call_id: str) -> list[tuple[float, str]]:
        """How the phone was told that its transfer of that call goes: moments, and "SIP/2.0 200 OK"."""
        return self.dialogs[call_id].notified

    def heard_at(self, call_id: str) -> Hearing:
        """The sound that reached the phone in that call."""
        dialog = self.dialogs[call_id]
        return self._sound(dialog, self.datagrams.destination == dialog.phone_port)

    def said_at(self, call_id: str) -> Hearing:
        """The sound that the phone sent in that call."""
        dialog = self.dialogs[call_id]
        return self._sound(dialog, self.datagrams.source == dialog.phone_port)

    def keys_of(self, call_id: str) -> list[KeyPress]:
        """The keys pressed at the phone in that call, in order."""
        dialog = self.dialogs[call_id]
        packets = self._rtp(dialog, self.datagrams.source == dialog.phone_port, dialog.digit_payload)
        # One press is one RTP timestamp, however often its packets are repeated.
        presses: dict[int, KeyPress] = {}
        ended: set[int] = set()
        for index in packets:
            packet = self.datagrams.payload(int(index))
            moment = float(self.datagrams.times[index])
            stamp, code = int.from_bytes(packet[4:8], "big"), packet[_RTP_HEADER]
            first = presses.setdefault(stamp, KeyPress(_KEYS[code], moment, float("inf")))
            if packet[_RTP_HEADER + 1] & 0x80 and stamp not in ended:
                ended.add(stamp)
                presses[stamp] = KeyPress(first.key, first.pressed_at, moment)
        return list(presses.values())

    def _sound(self, dialog: Dialog, direction: npt.NDArray[np.bool_]) -> Hearing:
        chosen = self._rtp(dialog, direction, payload_type=0)
        chosen = chosen[self.datagrams.length[chosen] == _RTP_HEADER + FRAME]
        spans = self.datagrams.start[chosen][:, None] + np.arange(_RTP_HEADER, _RTP_HEADER + FRAME)
        return Hearing(self.datagrams.times[chosen], ulaw_to_linear(self.datagrams.buffer[spans]))

    def _rtp(
        self, dialog: Dialog, direction: npt.NDArray[np.bool_], payload_type: int
    ) -> npt.NDArray[np.int64]:
        """Which datagrams are this call's RTP in one direction, of one payload type."""
        data = self.datagrams
        during = (data.times >= dialog.invited_at) & (data.times <= dialog.media_until)
        candidates = np.flatnonzero(direction & during & (data.length > _RTP_HEADER))
        first, second = data.buffer[data.start[candidates]], data.buffer[data.start[candidates] + 1]
        # Version 2 with neither extension nor contributors, as both ends of the lab send it.
        return np.asarray(candidates[(first == 0x80) & ((second & 0x7F) == payload_type)])
