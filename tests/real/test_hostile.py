"""Whatever a caller sends as a name, a number or a reason: nothing of it acts, and the handoff works."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from scene import LEAD_TONE, TONES, HastyPhone, RawLead, Scene, api, command, talk

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

SHELL = "${SHELL(touch @file@)}"
LONG = "Grant Weatherly of the Very Long Name " * 108
NAMES = {
    "a quote and a backslash": (r"Gr\"ant O\\Hara", r"Gr\"ant O\\Hara", "Gr ant O Hara"),
    "a shell command": (f"Grant {SHELL}", f"Grant {SHELL}", "Grant SHELL(touch @file@)"),
    "an expression": ("Grant $[1/0] ${WARM_ID}", "Grant $[1/0] ${WARM_ID}", "Grant [1/0] WARM_ID"),
    "another device": ("Grant&PJSIP/ben", "Grant&PJSIP/ben", "Grant&PJSIP/ben"),
    "options": (
        "Grant,mode=blind|ring=1;hold=1",
        "Grant,mode=blind|ring=1;hold=1",
        "Grant,mode=blind ring=1 hold=1",
    ),
    "a folded line": ("Grant\r\n Weatherly", "Grant Weatherly", "Grant Weatherly"),
    "4 kB": (LONG, LONG[:79].rstrip(), LONG[:60].rstrip()),
    "right to left": ("مرحبا \u202egnp.exe", "مرحبا gnp.exe", "مرحبا gnp.exe"),
    "emoji": ("Grant 🔥🦊", "Grant 🔥🦊", "Grant 🔥🦊"),
    "invalid UTF-8": ("Gr\udcffant \udcc3(", None, None),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>", "script alert(1) /script"),
    "percent signs": ("Grant%0d%0aX-Evil: 1 %s%n", "Grant%0d%0aX-Evil: 1 %s%n", "Grant 0d 0aX-Evil: 1 s n"),
}
"""What is sent, what the API tells, and what the agents' phones show; None: anything safe."""

NUMBERS = {
    "a shell command": "%24%7BSHELL(touch%20@file@)%7D",
    "quotes": "555%22%3E%0d%0aX-Evil:1",
    "a device": "PJSIP%2Fben%26PJSIP%2Fcleo",
    "a long one": "5" * 500,
}


@pytest.mark.parametrize("kind", NAMES)
async def test_given_a_hostile_caller_name_then_it_is_only_shown(
    stage: Stage, phones: Phones, capture: Capture, workdir: Path, kind: str
) -> None:
    sent, told, shown = (text and text.replace("@file@", f"{stage.pbx.workdir}/made") for text in NAMES[kind])
    # A line may be folded after the name only: else Asterisk itself drops the packet.
    fold = "\r\n" if "\r\n" in sent else ""
    name = sent.replace("\r\n", "")
    lead = RawLead(stage.pbx.sip, "tones", f'"{name}"{fold} <sip:+15551230001@lab>', tone_hz=LEAD_TONE)
    told_name, _, shown_name = await handed_off(stage, phones, capture, lead)
    assert told is None or told_name == told
    assert shown is None or shown_name == shown


@pytest.mark.parametrize("kind", NUMBERS)
async def test_given_a_hostile_caller_number_then_it_is_only_shown(
    stage: Stage, phones: Phones, capture: Capture, kind: str
) -> None:
    number = NUMBERS[kind].replace("@file@", f"{stage.pbx.workdir}/made".replace("/", "%2F"))
    lead = RawLead(stage.pbx.sip, "tones", f'"Grant" <sip:{number}@lab>', tone_hz=LEAD_TONE)
    told_name, _, shown_name = await handed_off(stage, phones, capture, lead)
    assert (told_name, shown_name) == ("Grant", "Grant")


@pytest.mark.parametrize("kind", NAMES)
async def test_given_a_hostile_lead_variable_then_it_is_only_shown(
    stage: Stage, phones: Phones, capture: Capture, kind: str
) -> None:
    # Longer ones Asterisk does not give out.
    text = NAMES[kind][0].replace("@file@", f"{stage.pbx.workdir}/made")[:3000]
    headers = (f"X-Name: {text}", f"X-Summary: {text}")
    lead = RawLead(
        stage.pbx.sip, "described", "Grant <sip:+15551230001@lab>", headers=headers, tone_hz=LEAD_TONE
    )
    told_name, summary, _ = await handed_off(stage, phones, capture, lead)
    if NAMES[kind][1] is not None and "\\" not in text:
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        assert (told_name, summary) == (line[:80].strip(), line[:500].strip())


async def handed_off(stage: Stage, phones: Phones, capture: Capture, lead: RawLead) -> tuple[str, str, str]:
    """The lead calls, Ana accepts, they talk. Returns the lead's name and summary as the API tells them, and the name as
    Ana's phone shows it."""
    scene = await Scene.set(stage, phones, ())
    async with HastyPhone(stage.pbx.sip, stage.pbx.sip_password, "ana", tone_hz=TONES["ana"]) as ana, lead:
        await ana.rings(8.0)
        ana.answer()
        offering = await scene.handoff("OFFERING")
        await ana.press_at("1", time.time() + 0.25)
        traffic = await talk(capture, lead.call_id, ana.call_id, TONES["ana"])
        await scene.handoff("CONNECTED")
        ana.hang_up()
        await scene.told("lab-returned")
    handoff = await scene.seen(lambda seen: seen["settled"], "settled")
    assert (handoff["status"], handoff["team"], handoff["mode"]) == ("CONNECTED", "tones", "auto")
    # Nothing was evaluated, and nobody else was called.
    assert not (stage.pbx.workdir / "made").exists()
    assert [o["agent_id"] for o in handoff["offers"]] == ["ana"]
    assert len(handoff["not_free"]) == 2
    invite = traffic.dialog(ana.call_id).invite
    assert "X-Evil" not in re.findall(r"^([\w-]+):", invite.text, re.MULTILINE)
    name, number = shown_in(invite.header("From"))
    assert safe(name) and len(name) <= 60 and not set(name) & set('"\\<>{}$`|%')
    assert re.fullmatch(r"[\w+*#.-]{0,32}", number), number
    await told_safely(stage, offering["id"])
    return handoff["lead"]["name"], handoff["lead"]["summary"], name


def shown_in(header: str) -> tuple[str, str]:
    match = re.fullmatch(r'(?:"(?P<name>[^"]*)" )?<sip:(?P<number>[^@]*)@.*', header)
    assert match is not None, header
    return match["name"] or "", match["number"]


def safe(text: str) -> bool:
    return text.isprintable()


async def told_safely(stage: Stage, handoff: str) -> None:
    """The API and the journal hold one printable line for each thing the caller sent."""
    for path in ("", "/story", "/journal"):
        status, answer = await api(stage, "GET", f"/v1/handoffs/{handoff}{path}")
        assert status == 200
        texts = re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(answer, ensure_ascii=False))
        assert all(safe(json.loads(f'"{text}"')) for text in texts)


async def test_given_hostile_leads_when_listed_and_told_then_nothing_reaches_the_terminal(
    stage: Stage, phones: Phones, capture: Capture
) -> None:
    name = "Grant \x1b[31mred\x1b[0m \x9b2J \u202e\u2066 [bold]marked[/bold]"
    lead = RawLead(stage.pbx.sip, "tones", f'"{name}" <sip:+15551230001@lab>', tone_hz=LEAD_TONE)
    await handed_off(stage, phones, capture, lead)
    newest = (await api(stage, "GET", "/v1/handoffs?state=all&limit=1"))[1]["handoffs"][0]["id"]
    for words in (("list", "--all"), ("show", newest), ("story", newest)):
        code, out, err = await command(stage, "handoff", *words)
        assert (code, err) == (0, "")
        assert all(line.isprintable() for line in out.splitlines()), out
