"""Hostile texts in a real dialplan: as arguments of our contexts and AGI scripts, as answers, as variables that describe a lead.
A few calls carry all of them, one after the other; nothing of them acts, and all are answered."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import yaml
from hostile_texts import TEXTS
from scene import DIALPLAN as SCENE_DIALPLAN
from scene import LEAD_TONE, TONE_TEAMS, RawLead, Scene, api, record_prompts
from test_hostile import handed_off

from asterisk_warm.lab.capture import Capture
from asterisk_warm.lab.phones import Phones
from asterisk_warm.lab.root import Root
from asterisk_warm.lab.stage import Stage

pytestmark = pytest.mark.real

AGI_PORT = 24577
NUMBER = "+12025550199"
PAGE = "https://crm.example/open?h={id}&n={number}&a={agent}"
PACKET = 2200
"""Bytes of texts that one INVITE carries: Asterisk takes none that is much longer than 4000."""
LONGEST = 400
_AGI = f"AGI(agi://127.0.0.1:{AGI_PORT}"
STEPS = {
    "answer": f"{_AGI}/answer,words,words,${{URIENCODE(${{T}})}},+1202555${{M}})",
    "raw": f"{_AGI}/answer,words,words,${{T}},{NUMBER})",
    "question": f"{_AGI}/answer,words,${{T}},x,{NUMBER})",
    "script": f"{_AGI}/score,${{T}},{NUMBER})",
    "number": f"{_AGI}/lead,${{T}})",
    "disposition": f"{_AGI}/outcome,agent=ana,${{T}})",
    "note": f"{_AGI}/outcome,agent=ana,1,${{T}})",
    "reason": f"{_AGI}/presence,agent=ben,pause,${{T}})",
    "qualify": "Gosub(warm-qualify,s,1(${T}))",
    "language": "Gosub(warm-qualify,s,1(words,language=${T}))",
    "team": "Gosub(warm-handoff,s,1(${T}))",
    "option": "Gosub(warm-handoff,s,1(tones,${T}))",
    "value": "Gosub(warm-handoff,s,1(tones,recording=../${T}))",
}
"""What is done with each text, `${T}`; `${M}` is a number of its own, of four digits."""
_ANSWERED = {
    "answer": {"OK"},
    **{step: {"OK", "INVALID"} for step in ("raw", "number", "reason")},
    **{step: {"INVALID"} for step in ("disposition", "language")},
    **{step: {"NOTFOUND", "INVALID"} for step in ("question", "script", "note", "qualify")},
    **{step: {"ERROR"} for step in ("team", "option", "value")},
}
"""What the steps come to."""
_EMPTY = "".join(
    f" same => n,Set({name}=)\n" for name in ("WARM_RESULT", "WARM_STATUS", "WARM_CAUSE", "WARM_SUMMARY")
)
_STEPS = "".join(
    f"{_EMPTY} same => n,{does}\n"
    f" same => n,Log(NOTICE,lab-one ${{N}} {name} ${{WARM_RESULT}}${{WARM_STATUS}} ${{URIENCODE(${{WARM_CAUSE}})}}"
    " ${URIENCODE(${WARM_SUMMARY})}|)\n"
    for name, does in STEPS.items()
)
_LEAD = ("NAME", "SUMMARY", "LANGUAGE", "QUALIFICATION", "RECORDING", "QUALIFIED", "CONSENT")
_DESCRIBED = "".join(f" same => n,Set(WARM_LEAD_{name}=${{T}})\n" for name in _LEAD)
DIALPLAN = f"""
exten => words,1,Answer()
 same => n,Set(N=0)
 same => n(next),Set(N=$[${{N}} + 1])
 same => n,Set(M=$[1000 + ${{PJSIP_HEADER(read,X-Before)}} + ${{N}}])
 same => n,GotoIf($[${{LEN(${{PJSIP_HEADER(read,X-T,${{N}})}})}} = 0]?over)
 same => n,Set(T=${{URIDECODE(${{PJSIP_HEADER(read,X-T,${{N}})}})}})
{_STEPS} same => n,Goto(next)
 same => n(over),Log(NOTICE,lab-over)
 same => n,Hangup()
exten => told,1,Set(T=${{URIDECODE(${{PJSIP_HEADER(read,X-T)}})}})
{_DESCRIBED} same => n,Set(WARM_LEAD_NUMBER=${{T}})
 same => n,Gosub(warm-handoff,s,1(tones))
 same => n,Goto(lab-returned,s,1)
"""
SCRIPT = {
    "id": "words",
    "name": "Words",
    "questions": {"words": {"ask": "text", "say": "Why?", "rules": [{"points": 10}]}},
    "verdicts": {"ready": 10},
    "summary": "{words}",
}


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    (folder / "words.yaml").write_text(yaml.safe_dump(SCRIPT))
    settings = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        "agi": {"port": AGI_PORT},
        "scripts": {"words": str(folder / "words.yaml")},
        "dispositions": {"sold": {"name": "Sold", "key": "1"}},
        "leads": {"region": "US"},
        "screens": {"page": PAGE},
    }
    teams = {name: TONE_TEAMS[name] for name in ("tones", "spoken")}
    lines = f"{DIALPLAN}{SCENE_DIALPLAN}[globals]\nWARM_AGI=agi://127.0.0.1:{AGI_PORT}\n"
    with Stage(root, folder, teams=teams, dialplan=lines, sounds=sounds, settings=settings) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


def packets() -> list[list[str]]:
    """All texts, as many in each as one INVITE carries; a zero ends a variable in Asterisk, whatever we do."""
    found: list[list[str]] = [[]]
    for text in (text[:LONGEST].replace("\0", "\x01") for text in TEXTS.values()):
        if sum(len(quote(one)) + 7 for one in (*found[-1], text)) > PACKET:
            found.append([])
        found[-1].append(text)
    return [one for one in found if one]


def headers(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"X-T: {quote(text, safe='')}" for text in texts)


async def test_given_hostile_words_in_the_dialplan_then_each_is_answered_and_nothing_acts(
    stage: Stage, phones: Phones
) -> None:
    answered: dict[str, set[str]] = {step: set() for step in STEPS}
    before = 0
    for texts in packets():
        scene = await Scene.set(stage, phones, ())
        carried = (f"X-Before: {before}", *headers(texts))
        lead = RawLead(
            stage.pbx.sip, "words", f"Grant <sip:{NUMBER}@lab>", headers=carried, tone_hz=LEAD_TONE
        )
        before += len(texts)
        async with lead:
            await scene.logged("lab-over", 60.0)
        told = re.findall(r"NOTICE\[.*: lab-one (\d+) (\w+) (\S*) (\S*) (\S*)\|", scene.log())
        assert [(int(n), step) for n, step, *_ in told] == [
            (n, step) for n in range(1, len(texts) + 1) for step in STEPS
        ]
        for n, step, result, cause, summary in told:
            answered[step].add(result)
            words = (texts[int(n) - 1], step, result, unquote(cause))
            assert result, words
            assert unquote(cause).isprintable() and not set(unquote(cause)) & set("\\$`"), words
            assert not set(unquote(summary)) & set('"\\<>{}[]$`;|&%\r\n'), words
        assert not made(stage)
    # A line end in an argument makes it another request, which is told as such.
    assert answered == _ANSWERED
    assert await nothing_begun(stage)


async def nothing_begun(stage: Stage) -> bool:
    """No handoff was; every answer that was kept is one printable line; Ben's reason does nothing."""
    _, found = await api(stage, "GET", "/v1/qualifications?limit=1000")
    kept = [answer["value"] for one in found["qualifications"] for answer in one["answers"]]
    assert kept and not any(set(value) & set("\r\n\0\x1b\u202e\u2028") for value in kept)
    assert any("${SHELL(touch" in value for value in kept), "it is kept as it was said"
    _, ben = await api(stage, "GET", "/v1/agents/ben")
    assert not set(ben["reason"]) & set('"\\$`<>|&;')
    return (await api(stage, "GET", "/v1/handoffs?state=all"))[1]["handoffs"] == []


@pytest.mark.parametrize("kind", ["a shell command", "a header of SIP", "a path", "speech markup"])
async def test_given_a_lead_described_by_hostile_words_then_they_are_handed_off_all_the_same(
    stage: Stage, phones: Phones, capture: Capture, kind: str
) -> None:
    lead = RawLead(
        stage.pbx.sip, "told", f"Grant <sip:{NUMBER}@lab>", headers=headers([TEXTS[kind]]), tone_hz=LEAD_TONE
    )
    name, summary, shown = await handed_off(stage, phones, capture, lead)
    assert name and summary and shown
    newest = (await api(stage, "GET", "/v1/handoffs?state=all&limit=1"))[1]["handoffs"][0]
    told = newest["lead"]
    assert not told.get("recording") and not told.get("language"), told
    invite = capture.traffic().dialogs_to("ana")[-1].invite
    page = f"https://crm.example/open?h={newest['id']}&n={quote(told['number'], safe='')}&a=ana"
    assert (invite.header("X-Warm-URL"), invite.header("X-Warm-Handoff")) == (page, newest["id"])
    assert not made(stage)


def made(stage: Stage) -> list[Path]:
    """Files that a text has made."""
    places = (Path("/tmp/warm-made"), stage.pbx.root.path / "tmp" / "warm-made", stage.pbx.workdir / "made")
    return [place for place in places if place.exists()]
