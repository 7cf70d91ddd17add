"""The lab itself: a private Asterisk, phones that ring and talk, and a capture that tells who heard what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from second_phone import SecondCall, SecondPhone

from asterisk_warm.lab.asterisk import AsteriskFailed, PrivateAsterisk
from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.network import enter_private_network
from asterisk_warm.lab.phones import Call, Phone, PhoneError, Phones
from asterisk_warm.lab.rawphones import ExactPhone, HostileLead, RefusingPhone, ReplacingPhone
from asterisk_warm.lab.root import NoAsterisk, Version, debian_mirror, find_or_build, security_mirror
from asterisk_warm.lab.sip import Dialog, Message, Replaces, name_and_number
from asterisk_warm.lab.tones import FRAME, MUSIC_HZ, Hearing, chord, linear_to_ulaw, ulaw_to_linear, write_wav

CACHE = Path(__file__).parents[2] / ".cache"
ANNA, BERT, CLEO, LEAD = 700, 800, 900, 1750
both_user_agents = pytest.mark.parametrize("user_agent", ["baresip", "linphone"])

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", autouse=True)
def own_network() -> None:
    enter_private_network()


@pytest.fixture(scope="module", params=["22", "16"])
def pbx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateAsterisk]:
    root = find_or_build(cast(Version, request.param), CACHE, print)
    with PrivateAsterisk(root, tmp_path_factory.mktemp("pbx")) as asterisk:
        yield asterisk


@pytest.fixture
def capture(pbx: PrivateAsterisk, tmp_path: Path) -> Iterator[Capture]:
    with Capture(tmp_path / "lab.pcap") as running:
        yield running


def test_given_apt_sources_of_either_format_then_the_mirrors_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    with pytest.raises(NoAsterisk, match="no Debian mirror"):
        debian_mirror(tmp_path)
    (tmp_path / "sources.list").write_text(
        "# deb http://old/debian x main\ndeb [arch=amd64] http://a/debian x main\n"
    )
    assert debian_mirror(tmp_path) == "http://a/debian"
    assert security_mirror("http://a/debian", tmp_path) == "http://a/debian-security"
    (tmp_path / "sources.list").unlink()
    (folder / "debian.sources").write_text(
        "Types: deb\nURIs: http://b/debian/20260101T000000Z/ http://b/debian-security\n"
    )
    assert debian_mirror(tmp_path) == "http://b/debian/20260101T000000Z/"
    assert security_mirror("http://b/debian", tmp_path) == "http://b/debian-security"


def test_given_sound_with_a_hole_then_the_silence_is_measured() -> None:
    samples = ulaw_to_linear(linear_to_ulaw(chord((ANNA, LEAD), seconds=1.0)))
    frames = samples.reshape(-1, FRAME).copy()
    times = np.asarray(1000.0 + np.arange(len(frames)) * 0.02, dtype=np.float64)
    frames[10:15] = 0
    kept = np.r_[0:20, 25:50]
    hearing = Hearing(times[kept], frames[kept])
    assert hearing.hears(ANNA, LEAD) and not hearing.hears(800)
    assert hearing.longest_silence(1000.0, 1000.38) == pytest.approx(0.1)
    assert hearing.longest_silence(1000.38, 1000.98) == pytest.approx(0.1)
    assert hearing.longest_silence(1000.0, 1002.0) == pytest.approx(1.0)
    assert hearing.first_frame_with(ANNA, after=1000.19) == pytest.approx(1000.3)
    assert hearing.last_frame_with(ANNA, before=1000.3) == pytest.approx(1000.18)
    assert hearing.who_was_audible({ANNA: "Anna"})[:2] == [
        (1000.0, "Anna"),
        (pytest.approx(1000.2), "silence"),
    ]


async def test_given_a_root_when_booted_then_it_is_that_version_and_has_nothing_to_complain_of(
    pbx: PrivateAsterisk,
) -> None:
    assert f"Asterisk {pbx.root.version}" in pbx.cli("core show version")
    assert pbx.complaints() == []
    assert pbx.channels() == [] and pbx.bridges() == []


async def test_given_a_lead_and_an_agent_when_connected_then_each_hears_only_the_other(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        anna = await phones.register("agent1", tone_hz=ANNA)
        lead = phones.lead("Grant Weatherly", "+15551230001", tone_hz=LEAD)
        call = await lead.dial("agent1")
        offer = await anna.rings()
        assert (offer.caller_name, offer.caller_number) == ("Grant Weatherly", "+15551230001")
        await offer.answer()
        await call.answered()
        await call.listen_for(0.6)
        await offer.press("1#")
        await call.listen_for(0.3)
        assert call.digits == "1#"
        await call.hang_up()
        assert await offer.ended() == "the other side hung up"

    traffic = capture.traffic()
    lead_hears, anna_hears = traffic.heard_at(call.call_id), traffic.heard_at(offer.call_id)
    assert lead_hears.hears(ANNA) and not lead_hears.hears(LEAD)
    assert anna_hears.hears(LEAD) and not anna_hears.hears(ANNA)
    assert traffic.said_at(offer.call_id).hears(ANNA)
    keys = traffic.keys_of(offer.call_id)
    assert [key.key for key in keys] == ["1", "#"]
    assert all(0.05 < key.released_at - key.pressed_at < 0.3 for key in keys)


async def test_given_a_lead_on_hold_when_captured_then_music_is_heard_without_a_break(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        call = await phones.lead("Zoe", "5550002", tone_hz=LEAD).dial("music")
        await call.answered()
        await call.listen_for(1.0)
        await call.hang_up()

    hearing = capture.traffic().heard_at(call.call_id)
    start, end = float(hearing.times[0]), float(hearing.times[-1])
    assert hearing.hears(*MUSIC_HZ) and not hearing.hears(ANNA) and not hearing.hears(LEAD)
    assert hearing.longest_silence(start, end) < 0.1
    assert hearing.longest_silence(start, end + 1.0) >= 0.9


async def test_given_agents_who_cannot_take_a_call_then_each_reason_is_its_own(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        anna = await phones.register("agent1")
        lead = phones.lead("Grant", "5550003")

        busy = await lead.dial("agent1")
        await (await anna.rings()).busy()
        assert (await busy.ended()).startswith("486 Busy Here")

        refused = await lead.dial("agent1")
        await (await anna.rings()).hang_up()
        with pytest.raises(PhoneError, match="it ended: 486"):
            await refused.answered()

        left = await lead.dial("agent1")
        unanswered = await anna.rings()
        await left.ringing()
        await left.hang_up()
        assert await unanswered.ended() == "the other side hung up"

        await anna.unregister()
        unreachable = await lead.dial("agent1")
        assert (await unreachable.ended()).startswith("404")
        never_registered = await lead.dial("agent2")
        assert (await never_registered.ended()).startswith("404")

    dialogs = capture.traffic().dialogs_to("agent1")
    assert [dialog.refused_with for dialog in dialogs[:2]] == [486, 486]
    assert dialogs[2].cancelled_at is not None
    assert len(dialogs) == 3


async def test_given_a_phone_that_refuses_with_any_code_then_asterisk_passes_its_meaning_on(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        lead = phones.lead("Grant", "5550005")
        for code, reason in ((480, "Temporarily Unavailable"), (603, "Decline"), (500, "Server Error")):
            async with RefusingPhone(pbx.sip, pbx.sip_password, "agent3", code, reason) as phone:
                await (await lead.dial("agent3")).ended()
                assert phone.refused == 1
    assert pbx.registered() == []
    assert [d.refused_with for d in capture.traffic().dialogs_to("agent3")] == [480, 603, 500]


async def test_given_two_keys_one_millisecond_apart_then_they_leave_so(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        ExactPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=ANNA) as anna,
        ExactPhone(pbx.sip, pbx.sip_password, "agent2", tone_hz=ANNA) as bert,
    ):
        calls = []
        for number, phone in enumerate((anna, bert), start=1):
            calls.append(await phones.lead("Grant", "5550006").dial(f"agent{number}"))
            await phone.rings()
            phone.answer()
            await calls[-1].answered()
        when = time.time() + 0.25
        await asyncio.gather(anna.press_at("1", when), bert.press_at("2", when + 0.001))
        await asyncio.gather(*(call.listen_for(0.3) for call in calls))
        assert [call.digits for call in calls] == ["1", "2"]

    traffic = capture.traffic()
    first, second = (traffic.keys_of(phone.call_id)[0].released_at for phone in (anna, bert))
    assert abs(first - when) < 0.01
    assert abs(second - first - 0.001) < 0.01
    assert traffic.heard_at(calls[0].call_id).hears(ANNA)


async def test_given_an_answering_machine_when_called_then_its_words_are_heard_again_and_again(
    pbx: PrivateAsterisk, capture: Capture, tmp_path: Path
) -> None:
    words = write_wav(tmp_path / "words.wav", np.concatenate((chord((ANNA,), 0.3), chord((LEAD,), 0.3))))
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        machine = await phones.register("agent1", says=words)
        call = await phones.lead("Grant", "5550007").dial("agent1")
        await (await machine.rings()).answer()
        await call.listen_for(1.4)
        await call.hang_up()
    hearing = capture.traffic().heard_at(call.call_id)
    assert hearing.hears(ANNA, LEAD)
    starts = np.flatnonzero(np.diff(hearing.has(ANNA).astype(int)) == 1)
    assert len(starts) >= 1 and call.heard.any()


async def test_given_a_hostile_name_when_the_lead_calls_then_it_is_shown_and_the_lead_is_heard(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    name = r"\"; ${SHELL(id)} & , 🔥 مرحبا"
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        anna = await phones.register("agent1", tone_hz=ANNA)
        async with HostileLead(pbx.sip, "agent1", f'"{name}" <sip:666@evil>', tone_hz=LEAD) as lead:
            offer = await anna.rings()
            assert "${SHELL(id)} & , 🔥 مرحبا" in offer.caller_name
            await offer.answer()
            await lead.answered()
            await offer.listen_for(0.3)
        assert await offer.ended() == "the other side hung up"

    traffic = capture.traffic()
    assert traffic.heard_at(offer.call_id).hears(LEAD)
    assert traffic.heard_at(lead.call_id).hears(ANNA)


@asynccontextmanager
async def desk_phone(
    user_agent: str, pbx: PrivateAsterisk, phones: Phones
) -> AsyncIterator[Phone | SecondPhone]:
    """Phone agent1, of either make."""
    if user_agent == "baresip":
        yield await phones.register("agent1", tone_hz=ANNA)
    else:
        async with SecondPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=ANNA) as phone:
            yield phone


async def talk(phones: Phones, desk: Phone | SecondPhone) -> tuple[Call, Call | SecondCall]:
    """A lead and the phone at the desk, connected."""
    lead = await phones.lead("Grant Weatherly", "+15551230001", tone_hz=LEAD).dial(desk.name)
    call = await desk.rings()
    await call.answer()
    await lead.answered()
    # What a phone asks for within a millisecond of that, before they are in a bridge, Asterisk refuses (400).
    await lead.listen_for(0.2)
    return lead, call


@both_user_agents
async def test_given_a_call_when_held_and_resumed_then_the_lead_hears_music_meanwhile(
    pbx: PrivateAsterisk, capture: Capture, user_agent: str
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones, desk_phone(user_agent, pbx, phones) as desk:
        lead, call = await talk(phones, desk)
        for _ in range(2):
            await lead.listen_for(0.4)
            await call.hold()
            await lead.listen_for(0.4)
            await call.resume()
        await call.press("7")
        await lead.listen_for(0.4)
        await call.hang_up()
        await lead.ended()
        with pytest.raises(PhoneError, match="is over: hung up here"):
            await call.hold()
    hearing = capture.traffic().heard_at(lead.call_id)
    voices = [who for _, who in hearing.who_was_audible({ANNA: "Anna", MUSIC_HZ[0]: "music"})]
    assert [who for who in voices if who != "silence"] == ["Anna", "music", "Anna", "music", "Anna"]
    assert lead.digits == "7"


@both_user_agents
async def test_given_a_call_when_transferred_blind_then_the_other_phone_has_it_and_all_are_told(
    pbx: PrivateAsterisk, capture: Capture, user_agent: str
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones, desk_phone(user_agent, pbx, phones) as desk:
        bert = await phones.register("agent2", tone_hz=BERT)
        lead, call = await talk(phones, desk)
        transfer = asyncio.create_task(call.transfer("agent2"))
        taken = await bert.rings()
        assert (taken.caller_name, taken.caller_number) == ("Grant Weatherly", "+15551230001")
        await taken.answer()
        assert await transfer == "200 OK"
        await call.ended()
        await lead.listen_for(0.3)
    traffic = capture.traffic()
    assert traffic.heard_at(lead.call_id).hears(BERT)
    told = traffic.notified_at(call.call_id)
    assert [line for _, line in told] == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]
    answered_at = traffic.dialog(taken.call_id).answered_at
    assert answered_at is not None and 0 <= told[-1][0] - answered_at < 1
    assert [who.number for who in traffic.shown_at(lead.call_id)] == ["agent1", "agent2"]
    assert [(who.name, who.number) for who in traffic.shown_at(taken.call_id)] == [
        ("Grant Weatherly", "+15551230001")
    ]


@both_user_agents
async def test_given_nobody_there_when_transferred_then_the_phone_says_why_and_keeps_its_call(
    pbx: PrivateAsterisk, capture: Capture, user_agent: str
) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        desk_phone(user_agent, pbx, phones) as desk,
        RefusingPhone(pbx.sip, pbx.sip_password, "agent2", 486, "Busy Here"),
    ):
        lead, call = await talk(phones, desk)
        assert await call.transfer("9999") == "404 Not Found"
        assert not call.is_over and not lead.is_over
        assert await call.transfer("agent2") == "503 Service Unavailable"
        assert not call.is_over
        await call.hang_up()
    finals = [line for _, line in capture.traffic().notified_at(call.call_id) if " 1" not in line]
    assert finals == ["SIP/2.0 404 Not Found", "SIP/2.0 503 Service Unavailable"]


@both_user_agents
async def test_given_a_consultation_when_transferred_then_those_two_are_connected_and_shown_each_other(
    pbx: PrivateAsterisk, capture: Capture, user_agent: str
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones, desk_phone(user_agent, pbx, phones) as desk:
        bert = await phones.register("agent2", tone_hz=BERT)
        lead, call = await talk(phones, desk)
        await call.hold()
        consultation = await desk.dial("agent2")
        asked = await bert.rings()
        await consultation.ringing()
        await asked.answer()
        await consultation.answered()
        await asked.listen_for(0.3)
        if isinstance(call, Call):
            assert isinstance(consultation, Call)
            assert await call.attended_transfer(consultation) == "200 OK"
        else:
            assert isinstance(consultation, SecondCall)
            assert await call.attended_transfer(consultation) == "200 OK"
        await call.ended()
        assert await consultation.ended() == "the other side hung up"
        await asked.listen_for(0.4)
    traffic = capture.traffic()
    assert traffic.heard_at(lead.call_id).hears(MUSIC_HZ[0], BERT)
    assert traffic.heard_at(asked.call_id).hears(ANNA, LEAD)
    assert [who.number for who in traffic.shown_at(lead.call_id)] == ["agent1", "agent2"]
    assert [who.number for who in traffic.shown_at(asked.call_id)] == ["agent1", "+15551230001"]
    assert traffic.notified_at(call.call_id)[-1][1] == "SIP/2.0 200 OK"


@both_user_agents
async def test_given_a_frozen_asterisk_when_transferred_or_held_then_the_phone_says_that_nothing_came(
    pbx: PrivateAsterisk, user_agent: str
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones, desk_phone(user_agent, pbx, phones) as desk:
        lead, call = await talk(phones, desk)
        pbx.freeze()
        try:
            with pytest.raises(PhoneError, match=r"0\.3 s"):
                await call.transfer("agent2", timeout=0.3)
            with pytest.raises(PhoneError, match=r"0\.3 s"):
                await call.hold(timeout=0.3)
        finally:
            pbx.thaw()
        # Asterisk catches up now: it has let the lead go, and waits for this phone to hang up.
        await call.hang_up()
        await lead.ended()


async def test_given_a_second_user_agent_when_calls_end_then_it_says_how(pbx: PrivateAsterisk) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        SecondPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=ANNA) as desk,
    ):
        assert pbx.registered() == ["agent1"]
        lead = phones.lead("Grant", "5550008")
        given_up = await lead.dial("agent1")
        offer = await desk.rings()
        assert desk.is_ringing and (offer.caller_name, offer.caller_number) == ("Grant", "5550008")
        await given_up.hang_up()
        assert await offer.ended() == "the other side hung up" and not offer.is_answered

        declined = await lead.dial("agent1")
        offer = await desk.rings()
        await offer.hang_up()
        assert offer.cause == "hung up here" and (await declined.ended()).startswith("403")
        assert not desk.is_ringing

        unreachable = await desk.dial("agent3")
        with pytest.raises(PhoneError, match="404 Not Found"):
            await unreachable.answered()
        with pytest.raises(TimeoutError, match=r"did not ring within 0\.1 s"):
            await desk.rings(timeout=0.1)
    assert pbx.registered() == []


async def test_given_a_call_of_another_phone_when_picked_up_with_replaces_then_it_goes_on_there(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        ReplacingPhone(pbx.sip, pbx.sip_password, "agent3", tone_hz=CLEO) as cleo,
    ):
        lead, call = await talk(phones, await phones.register("agent1", tone_hz=ANNA))
        await lead.listen_for(0.3)
        await cleo.pick_up(capture.traffic().dialog(call.call_id).replaces)
        assert await call.ended() == "the other side hung up"
        await lead.listen_for(0.4)
        cleo.hang_up()
        await lead.ended()
    traffic = capture.traffic()
    voices = traffic.heard_at(lead.call_id).who_was_audible({ANNA: "Anna", CLEO: "Cleo"})
    assert [who for _, who in voices if who != "silence"] == ["Anna", "Cleo"]
    assert traffic.heard_at(cleo.call_id).hears(LEAD)
    assert [who.number for who in traffic.shown_at(lead.call_id)] == ["agent1", "agent3"]
    assert [who.name for who in traffic.shown_at(cleo.call_id)] == ["Grant Weatherly"]


async def test_given_a_phone_that_rings_when_its_call_is_picked_up_with_replaces_then_it_stops(
    pbx: PrivateAsterisk, capture: Capture
) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        ExactPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=ANNA) as anna,
        ReplacingPhone(pbx.sip, pbx.sip_password, "agent3", tone_hz=CLEO) as cleo,
    ):
        lead = await phones.lead("Grant", "5550009").dial("agent1")
        await anna.rings()
        await cleo.pick_up(anna.replaces)
        await asyncio.wait_for(anna.ended.wait(), 5)
        await lead.answered()
        await lead.listen_for(0.3)
    dialog = capture.traffic().dialog(anna.call_id)
    assert dialog.replaces == anna.replaces and dialog.answered_at is None
    assert capture.traffic().heard_at(lead.call_id).hears(CLEO)


async def test_given_tags_that_are_nobodys_when_picked_up_with_replaces_then_it_is_refused(
    pbx: PrivateAsterisk,
) -> None:
    async with (
        Phones(pbx.sip, pbx.sip_password) as phones,
        ExactPhone(pbx.sip, pbx.sip_password, "agent1", tone_hz=ANNA) as anna,
        ReplacingPhone(pbx.sip, pbx.sip_password, "agent3", tone_hz=CLEO) as cleo,
    ):
        await phones.lead("Grant", "5550010").dial("agent1")
        await anna.rings()
        with pytest.raises(RuntimeError, match=r"refused: SIP/2\.0 481"):
            await cleo.pick_up(Replaces(anna.call_id, anna.replaces.to_tag, "nobodys"))
        assert not anna.ended.is_set()


def test_given_a_dialog_then_every_change_of_the_display_and_every_notify_is_told_once() -> None:
    def message(at: float, from_phone: bool, *lines: str, body: str = "") -> Message:
        return Message(at, from_phone, "\r\n".join([*lines, "", body]))

    asked = "From: <sip:+1@x>;tag=us"
    phones = message(2, True, "SIP/2.0 200 OK", asked, "To: <sip:a@x>;tag=phone", "CSeq: 1 INVITE")
    notify = ("NOTIFY sip:a@x SIP/2.0", "CSeq: 3 NOTIFY", "Content-Type: message/sipfrag;version=2.0")
    dialog = Dialog(
        "id",
        False,
        [
            message(
                1, False, "INVITE sip:a@x SIP/2.0", asked, 'P-Asserted-Identity: "G, \\"W\\"" <sip:+1@x>'
            ),
            phones,
            message(3, True, "UPDATE sip:x SIP/2.0", "P-Asserted-Identity: <sip:the-phone@x>"),
            message(4, False, "UPDATE sip:a@x SIP/2.0", 'P-Asserted-Identity: "G, \\"W\\"" <sip:+1@x>'),
            message(5, False, "INVITE sip:a@x SIP/2.0", asked, "P-Asserted-Identity: Bo <sip:+2@x>"),
            message(6, False, *notify, body="SIP/2.0 100 Trying\r\n"),
            message(7, False, *notify, body="SIP/2.0 100 Trying\r\n"),
        ],
    )
    shown = [(who.at, who.name, who.number) for who in dialog.shown]
    assert shown == [(1, "", "+1"), (1, 'G, "W"', "+1"), (5, "Bo", "+2")]
    assert dialog.notified == [(6, "SIP/2.0 100 Trying")]
    assert str(dialog.replaces) == "id;to-tag=us;from-tag=phone"
    with pytest.raises(ValueError, match="no dialog yet"):
        _ = Dialog("id", False, dialog.messages[:1]).replaces
    assert name_and_number("sip:+3@x;tag=1") == ("", "+3") and name_and_number("tel:+4") == ("", "")


async def test_given_a_registered_phone_when_asterisk_is_killed_and_restarted_then_it_can_be_called(
    pbx: PrivateAsterisk,
) -> None:
    async with Phones(pbx.sip, pbx.sip_password) as phones:
        anna = await phones.register("agent1")
        pbx.restart()
        assert pbx.registered() == ["agent1"]
        pbx.kill()
        with pytest.raises(AsteriskFailed, match="does not run"):
            pbx.cli("core show uptime")
        pbx.start()
        await anna.register()
        call = await phones.lead("Grant", "5550004").dial("agent1")
        await (await anna.rings()).answer()
        await call.answered()


def test_given_a_running_lab_when_stopped_then_neither_process_nor_mount_is_left(
    pbx: PrivateAsterisk, tmp_path: Path
) -> None:
    pbx.stop()
    with PrivateAsterisk(pbx.root, tmp_path) as second:
        pid, mounts = second.pid, Path(f"/proc/{second.pid}/mounts").read_text()
        assert str(tmp_path) in mounts
    assert not Path(f"/proc/{pid}").exists()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert not any((tmp_path / "layers").iterdir())
    pbx.start()
