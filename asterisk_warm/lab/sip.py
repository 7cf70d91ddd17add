"""SIP as a capture shows it: enough to know whose call it is, when it rang, and where its sound went."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from asterisk_warm.lab.pcap import Datagrams

_DEFAULT_DIGIT_PAYLOAD = 101
# After a BYE some last packets are on their way; no port is used again that soon.
_MEDIA_LINGERS = 0.5


@dataclass(frozen=True)
class Message:
    """One SIP message."""

    at: float
    from_phone: bool
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def status(self) -> int:
        """The response's code, 0 for a request."""
        match = re.match(r"SIP/2\.0 (\d{3})", self.text)
        return int(match.group(1)) if match else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request a response answers; "" when it is neither."""
        return self.header("CSeq").rpartition(" ")[2]

    def header(self, name: str, short: str = "") -> str:
        """A header's value, "" when there is none. `short` is its compact form."""
        names = rf"{name}|{short}" if short else name
        match = re.search(rf"^(?:{names})\s*:\s*(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return match.group(1) if match else ""

    @property
    def audio_port(self) -> int | None:
        """Where its SDP wants audio, if it has one."""
        match = re.search(r"^m=audio (\d+)", self.text, re.MULTILINE)
        return int(match.group(1)) if match else None


@dataclass
class Dialog:
    """One call between a phone and Asterisk. Moments are epoch seconds, None when they never came."""

    call_id: str
    from_phone: bool
    messages: list[Message] = field(default_factory=list)

    @property
    def invite(self) -> Message:
        return self.messages[0]

    @property
    def invited_at(self) -> float:
        return self.invite.at

    @property
    def ringing_at(self) -> float | None:
        return self._first(lambda m: m.method == "INVITE" and m.status in (180, 183))

    @property
    def answered_at(self) -> float | None:
        return self._first(lambda m: m.method == "INVITE" and m.status == 200)

    @property
    def cancelled_at(self) -> float | None:
        return self._first(lambda m: m.first_line.startswith("CANCEL "))

    @property
    def ended_at(self) -> float | None:
        """When either side hung up, or the INVITE was cancelled or refused."""
        return self._first(_ends_the_call)

    @property
    def refused_with(self) -> int:
        """The final code of an INVITE that was not answered, 0 otherwise."""
        return next((m.status for m in self.messages if _refuses(m)), 0)

    @property
    def to_user(self) -> str:
        """Whom the INVITE is for: an endpoint's name, or the extension that a phone dialled."""
        match = re.match(r"INVITE sips?:([^@;>\s]*)", self.invite.text)
        return match.group(1) if match else ""

    @property
    def phone_port(self) -> int:
        """Where the phone takes its audio, 0 when it never said."""
        ports = [m.audio_port for m in self.messages if m.from_phone and m.audio_port]
        return ports[0] if ports else 0

    @property
    def digit_payload(self) -> int:
        """The RTP payload type by which the phone sends keys: the one that Asterisk asked for."""
        for message in self.messages:
            match = re.search(r"^a=rtpmap:(\d+) telephone-event", message.text, re.MULTILINE)
            if match and not message.from_phone:
                return int(match.group(1))
        return _DEFAULT_DIGIT_PAYLOAD

    @property
    def media_until(self) -> float:
        return float("inf") if self.ended_at is None else self.ended_at + _MEDIA_LINGERS

    def _first(self, wanted: Callable[[Message], bool]) -> float | None:
        return next((m.at for m in self.messages if wanted(m)), None)


def _refuses(message: Message) -> bool:
    is_challenge = message.status in (401, 407)
    return message.method == "INVITE" and message.status >= 300 and not is_challenge


def _ends_the_call(message: Message) -> bool:
    return _refuses(message) or message.first_line.startswith(("BYE ", "CANCEL "))


def dialogs_in(datagrams: Datagrams, sip_port: int) -> dict[str, Dialog]:
    """Every call, by Call-ID, in the order of their INVITEs. A message that comes twice is kept twice."""
    dialogs: dict[str, Dialog] = {}
    for message in _messages(datagrams, sip_port):
        call_id = message.header("Call-ID", "i")
        if call_id not in dialogs and message.first_line.startswith("INVITE "):
            dialogs[call_id] = Dialog(call_id, message.from_phone)
        if call_id in dialogs:
            dialogs[call_id].messages.append(message)
    return dialogs


def _messages(datagrams: Datagrams, sip_port: int) -> Iterable[Message]:
    involved = (datagrams.source == sip_port) | (datagrams.destination == sip_port)
    for index in np.flatnonzero(involved):
        text = datagrams.payload(int(index)).decode("utf-8", "replace")
        yield Message(float(datagrams.times[index]), int(datagrams.source[index]) != sip_port, text)
