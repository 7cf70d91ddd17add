"""Phones of channel drivers beside PJSIP, and what Asterisk is told of them."""

from __future__ import annotations

import time

from iax_phone import IaxPhone

from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.phones import Call, Phone, Phones
from asterisk_warm.lab.root import Root

SECRET = "sesame"
IAX_PORT, SIP_PORT = 24569, 25070
SIP = f"127.0.0.1:{SIP_PORT}"
CONFIG = {
    "pjsip.conf": """
[shelf](lab-phone)
aors = shelf
[shelf](lab-aor)
contact = sip:shelf@127.0.0.1:9
[wall](lab-phone)
aors = wall
[wall](lab-aor)
contact = sip:wall@127.0.0.1:9
qualify_frequency = 1
qualify_timeout = 0.5
""",
    "iax.conf": f"""
[general]
; The port first: an address takes the one that is known by then.
bindport = {IAX_PORT}
bindaddr = 127.0.0.1
[phone](!)
type = friend
auth = md5
secret = {SECRET}
context = from-agents
requirecalltoken = no
disallow = all
allow = ulaw
[desk](phone)
host = dynamic
[nailed](!,phone)
host = 127.0.0.1
port = 9
[shelf](nailed)
[wall](nailed)
qualify = yes
qualifyfreqok = 1000
""",
    "sip.conf": f"""
[general]
udpbindaddr = {SIP}
[phone](!)
type = friend
secret = {SECRET}
context = from-agents
directmedia = no
disallow = all
allow = ulaw
[desk](phone)
host = dynamic
callcounter = yes
[uncounted](phone)
host = dynamic
[nailed](!,phone)
host = 127.0.0.1
port = 9
[shelf](nailed)
[wall](nailed)
qualify = yes
""",
}
"""`shelf` and `wall` have a fixed address, where nobody is; of `SIP/uncounted` chan_sip counts no calls."""


def has_chan_sip(root: Root) -> bool:
    """It was removed in Asterisk 21."""
    return root.major < 21


def load(asterisk: PrivateAsterisk) -> None:
    """Load the drivers that the lab does without."""
    for driver in ("chan_iax2", "chan_sip") if has_chan_sip(asterisk.root) else ("chan_iax2",):
        said = asterisk.cli(f"module load {driver}.so")
        assert said.startswith("Loaded"), said


class SipPhone(Phone):
    """Of chan_sip, which has a port of its own, beside those that the same `phones` have at PJSIP."""

    def __init__(self, phones: Phones, name: str) -> None:
        account = f"<sip:{name}@{SIP};transport=udp>;auth_pass={SECRET};regint=600"
        how = "answermode=manual;audio_codecs=pcmu;dtmfmode=rtpevent;audio_source=aumem,silence"
        super().__init__(phones, name, f"{account};{how}")

    async def dial(self, extension: str) -> Call:
        began_at = time.time()
        return self._keep(await (await self._user_agent()).dial(f"sip:{extension}@{SIP}"), began_at)


AnyPhone = Phone | IaxPhone
