"""A hostile lead from the dialplan to the agent's ear and phone: options, variables and caller ID, as the core and the ARI
adapter make words, headers and variables of them."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote, unquote, urlsplit

import pytest
from hostile_texts import HALF, TEXTS, UNSEEN, hidden
from property.handoffs import AGENTS, LEAD, policy, request

from asterisk_warm.ari.headers import header_variables
from asterisk_warm.ari.model import CallerId, Channel
from asterisk_warm.ari.shown import party
from asterisk_warm.ari.translate import lead_at_door
from asterisk_warm.core.handoff import wording
from asterisk_warm.core.handoff.commands import RingAgent
from asterisk_warm.core.handoff.model import Handoff, Lead, Status
from asterisk_warm.core.handoff.options import (
    LEAD_VARIABLES,
    RECORDING,
    BadOption,
    read,
)
from asterisk_warm.core.handoff.policy import Policy
from asterisk_warm.core.handoff.queue_log import lines as queue_lines
from asterisk_warm.core.handoff.transition import begin
from asterisk_warm.core.plain import MARKS_AT_MOST
from asterisk_warm.core.script import reading, running
from asterisk_warm.core.script.answers import Answer
from asterisk_warm.core.script.model import Channel as By
from asterisk_warm.core.script.model import Choice, Kind, Match, Question, Rule, Script, Verdict, Wording
from asterisk_warm.core.script.speaking import say
from asterisk_warm.engine.directory import Destination, Directory, Outside, Team
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.orders.headers import headers
from asterisk_warm.engine.ports.calls import Shown

EVERY = {**TEXTS, "halves of characters": HALF}
PAGE = "https://crm.example/open?h={id}&n={number}&a={agent}"
RULES = policy(page=PAGE, own_words=True, queue_log=True)
KNOWN_OPTIONS = (
    "mode",
    "ring",
    "music",
    "wait",
    "priority",
    "skills",
    "introduction",
    "qualified",
    "consent",
)


def handoff_of(lead: Lead, rules: Policy = RULES) -> Handoff:
    return begin(request(lead=lead, policy=rules)).handoff


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_hostile_variables_then_the_lead_is_words_and_nothing_that_leads_elsewhere(text: str) -> None:
    variables = dict.fromkeys(LEAD_VARIABLES, text) | {"WARM_LEAD_PLAN": text, f"WARM_LEAD_{text}": text}
    asked = read(RULES, "lead-1", text, text, (), variables)
    lead = asked.lead
    facts = (lead.name, lead.number, lead.summary, lead.language, lead.qualification, *sum(lead.details, ()))
    assert not hidden(facts)
    assert (len(lead.name), len(lead.number), len(lead.summary)) <= (80, 40, 500)
    assert re.fullmatch(r"[a-z0-9-]{0,35}", lead.language) and re.fullmatch(
        r"[a-z0-9-]{0,40}", lead.qualification
    )
    assert not lead.recording or RECORDING.fullmatch(lead.recording)
    assert asked.policy == RULES and not any(asked.said.values()), "no text is a yes"


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_hostile_options_then_each_is_refused_in_words_that_do_nothing_in_a_dialplan(text: str) -> None:
    for option in (
        text,
        f"{text}=1",
        *(f"{name}={text}" for name in (*KNOWN_OPTIONS, "language", "recording")),
    ):
        try:
            asked = read(RULES, "lead-1", "Ana", "+12025550123", [option], {})
        except BadOption as bad:
            words = str(bad)
            assert not hidden(words) and len(words) < 600
            # Ours are around what was given.
            assert not set(words) & set("\\$`") and words.count('"') <= 2
        else:
            assert asked.policy.mode is RULES.mode


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd", "/etc/passwd", "a/../b", "..", "a//b", "a/", "sound:x", "recording:x", "a,b"),
        *("a&b", "a b", "a\nb", "a%2f..", "${WARM_ID}", "x" * 121, "\u0430bc", "a;b", "-o/etc/x", ".hidden"),
        *("a/.hidden", "a\\b", "a?b", "a#b", "a\0"),
    ],
)
def test_given_a_recording_that_leads_elsewhere_then_there_is_none(name: str) -> None:
    told = read(RULES, "lead-1", "Ana", "", (), {"WARM_LEAD_RECORDING": name})
    assert told.lead.recording == ""
    with pytest.raises(BadOption, match="must be the name of a recording"):
        read(RULES, "lead-1", "Ana", "", [f"recording={name}x/.."], {})


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_given_arguments_of_stasis_then_each_stays_one_value(text: str) -> None:
    encoded = quote(text, safe="")
    channel = Channel("lead-1", "PJSIP/x-1", "Up", CallerId(text, text))
    door = lead_at_door(channel, ["handoff", encoded, encoded, f"WARM_LEAD_NAME={encoded}"])
    assert door is not None
    assert (door.team, door.lead.variables, door.lead.shown_name) == (text, {"WARM_LEAD_NAME": text}, text)
    assert list(door.options) == [text]


@pytest.mark.parametrize("encoded", ["%ED%A0%BD", "%FF%FE", "%F0%9F", "%", "%zz", "%C0%AE%C0%AE%C0%AF"])
def test_given_bytes_that_are_no_text_then_the_rest_is_kept(encoded: str) -> None:
    channel = Channel("lead-1", "PJSIP/x-1", "Up", CallerId())
    door = lead_at_door(channel, ["handoff", "sales", f"WARM_LEAD_NAME=Ana{encoded}"])
    assert door is not None and door.lead.variables["WARM_LEAD_NAME"].startswith("Ana")
    assert (
        door.lead.variables["WARM_LEAD_NAME"].encode() and ".." not in door.lead.variables["WARM_LEAD_NAME"]
    )


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_a_hostile_lead_then_what_the_agents_phone_is_sent_is_one_harmless_line_each(text: str) -> None:
    lead = read(RULES, "lead-1", text, text, (), {"WARM_LEAD_SUMMARY": text, "WARM_LEAD_PLAN": text}).lead
    handoff = handoff_of(lead)
    for agent in AGENTS:
        ring = RingAgent(
            offer=1, agent=agent, name=wording.display(handoff, agent), number=lead.number, seconds=20,
            page=wording.page(handoff, agent), alert="", auto_answer=True,
        )  # fmt: skip
        url = urlsplit(ring.page)
        assert (url.scheme, url.netloc, url.path) == ("https", "crm.example", "/open") and not url.fragment
        assert re.fullmatch(r"h=[\w.%~-]*&n=[\w.%~-]*&a=[\w.%~-]*", url.query, re.ASCII)
        assert unquote(url.query.split("&")[1]) == f"n={lead.number}".encode(errors="replace").decode()
        for value in header_variables(agent.endpoint, headers(handoff.id, ring)).values():
            assert value.isascii() and value.isprintable() and len(value) <= 400
        line = party(Shown(ring.name, ring.number))
        match = re.fullmatch(r'"([^"\\<>{}$`;|%]*)" <([\w+*#.-]*)>', line)
        assert match is not None and len(match[1]) <= 60 and not hidden(line), line
        assert longest_marks(match[1]) <= MARKS_AT_MOST


def longest_marks(text: str) -> int:
    runs = re.findall(r"[\u0300-\u036f]+", text)
    return max(map(len, runs), default=0)


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_a_hostile_lead_then_all_that_is_said_and_logged_is_one_line(text: str) -> None:
    lead = read(RULES, "lead-1", text, text, (), {"WARM_LEAD_SUMMARY": text, "WARM_LEAD_PLAN": text}).lead
    handoff = handoff_of(replace(lead, more=text, recording="interview-1"))
    for line in wording.lines(handoff):
        assert not {"\n", "\r", "\0", "\x1b"} & set(line.text), line
    for agent in AGENTS:
        media = wording.briefing_media(handoff, agent)
        assert [line.recording for line in media if line.recording] == ["interview-1"], (
            "none is of the lead's words"
        )
    for entry in queue_lines(None, handoff):
        assert entry.message.count("|") == 1 and not hidden(entry.message)


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_a_hostile_reason_then_the_variables_can_stand_in_quotes(text: str) -> None:
    handoff = handoff_of(LEAD).evolve(status=Status.NOTQUALIFIED, reason=f"the lead is not qualified: {text}")
    told = dict(wording.variables(handoff))
    assert not set(told["WARM_CAUSE"]) & set('"\\$`') and told["WARM_CAUSE"].startswith(
        "the lead is not qualified: "
    )


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_given_a_hostile_team_then_it_is_not_found_in_words_of_one_line(text: str) -> None:
    teams = {"sales": Team("sales", "Sales", AGENTS, policy())}
    directory = Directory(
        teams, default=Team("", "", (), policy()), outside=Outside(("+1555*",), "PJSIP/{number}@trunk")
    )
    with pytest.raises(Refused) as refused:
        directory.team(text)
    assert not hidden(refused.value.message) and not set(refused.value.message) & set("\\$`")
    for destination in (Destination(agent=text), Destination(number=text), Destination(team=text)):
        with pytest.raises(Refused) as refused:
            directory.find(destination)
        assert not hidden(refused.value.message)


# -- answers -------------------------------------------------------------------------------------------------

ASKED = Script("s", "S", (), ready=1, nurture=0, summary="{q}", language="en")
CHOICES = (Choice("a", "Alpha"), Choice("b", "<b>&"))


@pytest.mark.parametrize("kind", Kind)
def test_given_hostile_answers_to_any_kind_of_question_then_each_is_canonical_or_refused(kind: Kind) -> None:
    question = Question("q", kind, Wording("Q?"), choices=CHOICES if kind is Kind.CHOICE else ())
    script = replace(ASKED, questions=(question,))
    for text in EVERY.values():
        for given in (text, text[:2000], text[:300], text[:12], f"1{text[:100]}", f"a@{text[:40]}.com"):
            try:
                value = reading.read(script, question, given, on="2026-11-28", region="US")
            except reading.BadAnswer as bad:
                assert not hidden(bad.message, but=UNSEEN) and len(bad.message) < 200
            else:
                assert value and value.encode() and not hidden(value, but=UNSEEN)
                assert kind is not Kind.NUMBER or re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII)
                assert kind is not Kind.PHONE or re.fullmatch(r"\+\d+", value, re.ASCII)
                assert not hidden(reading.clean(say(question, value, "en")), but=UNSEEN)


def test_given_a_hostile_answer_when_summed_up_then_it_fills_its_place_and_no_other() -> None:
    question = Question("q", Kind.TEXT, Wording("Q?"), rules=(Rule(Match(), points=1),))
    script = replace(ASKED, questions=(question,), summary="Wants: {q}.", details="")
    for text in EVERY.values():
        answers: tuple[Answer, ...] = ()
        try:
            answers = running.take(
                script, (), question, text[:2000], at=1.0, on="2026-11-28", by="x", channel=By.API, asked="Q?"
            )
        except reading.BadAnswer:
            continue
        told = running.outcome(script, answers, "Grant")
        assert told.summary == "" or told.summary.startswith("Wants: "), told
        assert len(told.summary) < 250 and not hidden(told.summary, but=UNSEEN)
        assert told.score == 1 and told.verdict is Verdict.READY
