"""Headers of the INVITE to an agent's phone, read from the wire: of PJSIP, of chan_sip, and of what is no SIP phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from adapters import SIP_PORT, Adapters, nothing_left, private_asterisk
from ari_scene import ANA, GRANT, Talk
from channel_drivers import CONFIG, IAX_PORT, SECRET, SipPhone, has_chan_sip, load
from channel_drivers import SIP_PORT as OTHER_SIP_PORT
from iax_phone import IaxPhone

from asterisk_warm.ari.headers import VALUE_LIMIT
from asterisk_warm.ari.model import Variable
from asterisk_warm.lab.asterisk import PrivateAsterisk
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root

pytestmark = pytest.mark.real

HOSTILE = 'Eve "x" \\ ${SHELL(id)} <sip:x@y>;a=b\r\nX-Evil: 1\x00 🔥 مرحبا \u202e\udcff' + "A" * 4000
SHOWN = 'Eve "x" \\ ${SHELL(id)} <sip:x@y>;a=b X-Evil: 1'
HEADERS = {
    "X-Warm-Handoff": "warm-1",
    "X-Warm-URL": "https://crm.example/leads/%2B15551230001?h=warm-1&agent=ana,b;c",
    "Alert-Info": "<sip:warm>;info=alert-autoanswer;delay=0",
    "Call-Info": "<sip:warm>;answer-after=0",
}


@pytest.fixture(scope="module")
def asterisk(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    folder = tmp_path_factory.mktemp("ari-headers")
    with private_asterisk(root, folder, ("ana",), "", CONFIG) as running:
        load(running)
        yield running


@pytest.fixture
async def talk(asterisk: PrivateAsterisk) -> AsyncIterator[Talk]:
    async with Adapters(asterisk) as adapters, Phones(asterisk.sip, asterisk.sip_password) as phones:
        scene = await Talk(adapters, phones).begin()
        yield scene
        await scene.end()
    await nothing_left(asterisk)


@pytest.mark.parametrize("driver", ["PJSIP", "SIP"])
async def test_given_headers_when_a_sip_phone_is_rung_then_the_invite_has_each_of_them_on_one_line(
    talk: Talk, tmp_path: Path, driver: str
) -> None:
    if driver == "SIP" and not has_chan_sip(talk.adapters.asterisk.root):
        pytest.skip("this Asterisk has no chan_sip")
    port = SIP_PORT if driver == "PJSIP" else OTHER_SIP_PORT
    phone = talk.phones.agent("ana") if driver == "PJSIP" else SipPhone(talk.phones, "desk")
    await phone.register()
    headers = {**HEADERS, "X-Hostile": HOSTILE, "X-Nothing": "\r\n"}
    with Capture(tmp_path / "scene.pcap", sip_port=port) as capture:
        endpoint = f"{driver}/{phone.name}"
        await talk.pbx.ring(talk.leg, talk.lead, endpoint, GRANT, ANA, 20, {"WARM_ID": "w"}, headers)
        await phone.rings()
        invite = capture.traffic().dialogs_to(phone.name)[0].invite
    told = {name: invite.header(name) for name in headers}
    hostile = told.pop("X-Hostile")
    assert told == {**HEADERS, "X-Nothing": ""}
    assert hostile.startswith(SHOWN) and len(hostile) <= VALUE_LIMIT and not invite.header("X-Evil")
    found = await talk.adapters.client.get(f"/channels/{talk.leg}/variable", Variable, variable="WARM_ID")
    assert found.value == "w"
    await phone.unregister()


async def test_given_headers_when_what_is_no_sip_phone_is_rung_then_it_rings_all_the_same(talk: Talk) -> None:
    async with IaxPhone(IAX_PORT, "desk", SECRET) as phone:
        await phone.register()
        await talk.pbx.ring(talk.leg, talk.lead, "IAX2/desk", GRANT, ANA, 20, {"WARM_ID": "w"}, HEADERS)
        await phone.rings()
        await talk.pbx.hang_up(talk.leg)
        await phone.unregister()
    log = talk.adapters.asterisk.log().splitlines()
    assert not [line for line in log if "HEADER" in line and ("ERROR" in line or "WARNING" in line)]
