"""SIP in a capture: whose call it is, when it rang, what its phone was told, and where its sound went."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from asterisk_warm.lab.pcap import Datagrams

_DEFAULT_DIGIT_PAYLOAD = 101
# After a BYE some last packets are on their way; no port is used again that soon.
_MEDIA_LINGERS = 0.5
_ADDRESS = re.compile(
    r'\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^<"]*?))\s*<?sips?:(?P<number>[^@>;]*)'
)


def name_and_number(header: str) -> tuple[str, str]:
    """Of a From or P-Asserted-Identity header: the name, and the user of its address ("" what it has not)."""
    match = _ADDRESS.match(header)
    if match is None:
        return "", ""
    name = match["quoted"] if match["quoted"] is not None else match["plain"] or ""
    return re.sub(r"\\(.)", r"\1", name), match["number"]


@dataclass(frozen=True)
class Shown:
    """Whom Asterisk told a phone it has on the other end, from then on."""

    at: float
    name: str
    number: str


@dataclass(frozen=True)
class Replaces:
    """A call as the Replaces header (RFC 3891) names it to Asterisk, whose own tag is `to_tag`."""

    call_id: str
    to_tag: str
    from_tag: str

    def __str__(self) -> str:
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"


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
    def body(self) -> str:
        """What comes after the headers."""
        return self.text.partition("\r\n\r\n")[2]

    def tag(self, name: str, short: str) -> str:
        """The tag of its From or To header, "" when there is none."""
        match = re.search(r";\s*tag=([^;,>\s]+)", self.header(name, short))
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
    def shown(self) -> list[Shown]:
        """Whom Asterisk named to the phone as the other end, each time that changed, in order.

        First comes the From header of the INVITE that rang there (nothing when the phone itself called), then
        every P-Asserted-Identity, whatever message it came with.
        """
        told: list[Shown] = []
        for message in self.messages:
            for header in _identities(message, is_invite=message is self.invite):
                name, number = name_and_number(header)
                if not told or (told[-1].name, told[-1].number) != (name, number):
                    told.append(Shown(message.at, name, number))
        return told

    @property
    def notified(self) -> list[tuple[float, str]]:
        """How Asterisk said that the phone's transfer goes: when, and the NOTIFY's status line (a repeat
        counts once)."""
        said: dict[str, tuple[float, str]] = {}
        for message in self.messages:
            if message.first_line.startswith("NOTIFY ") and "sipfrag" in message.header("Content-Type", "c"):
                said.setdefault(message.header("CSeq"), (message.at, message.body.strip()))
        return list(said.values())

    @property
    def replaces(self) -> Replaces:
        """What another phone's INVITE names to take this call over. Raises ValueError before it has rung."""
        tagged = [m for m in self.messages if m.status > 100 and m.method == "INVITE" and m.tag("To", "t")]
        if not tagged:
            raise ValueError(f"{self.call_id} is no dialog yet")
        # The latest: of a call that was challenged, the first answer is another dialog's.
        answer = tagged[-1]
        caller, called = answer.tag("From", "f"), answer.tag("To", "t")
        ours, phones = (caller, called) if answer.from_phone else (called, caller)
        return Replaces(self.call_id, to_tag=ours, from_tag=phones)

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


def _identities(message: Message, *, is_invite: bool) -> list[str]:
    if message.from_phone:
        return []
    headers = [message.header("From", "f") if is_invite else "", message.header("P-Asserted-Identity")]
    return [header for header in headers if header]


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
