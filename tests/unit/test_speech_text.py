"""What may be given to a speech engine, whatever people typed."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.speech.latin import in_latin
from asterisk_warm.speech.text import SPOKEN_LIMIT, speakable

HOSTILE = [
    ("", ""),
    ("  \t ", ""),
    ("?!…", ""),
    ("Grant Weatherly, home insurance.", "Grant Weatherly, home insurance."),
    ('Grant "The Man" O\'Brien', "Grant The Man O'Brien"),
    ("Grant “The Man” O’Brien", "Grant The Man O'Brien"),
    ("${SHELL(id)} Bob", "Bob"),
    ("${A${B}c} Bob", "B c Bob"),
    ("$[1 + 1] Bob", "Bob"),
    ("＄｛SHELL(id)｝ Bob", "Bob"),
    ("$\u200f{SHELL(id)} Bob", "Bob"),
    ("${SHELL(id) Bob", ""),
    ("Bob\r\nAction: Hangup\r\n\r\n", "Bob Action: Hangup"),
    ("Bob\x00\x07\x1b[31m\x7f", "Bob 31m"),
    ("💩 Zoë 👋🏽 Müller 🇩🇪", "Zoë Müller"),
    ("\u202eBob\u202c \u2067Ann\u2069", "Bob Ann"),
    ("\ud800Bob\udfff", "Bob"),
    ("<speak>hi <break time='9s'/>Bob</speak>", "hi Bob"),
    ("<sc<b>ript>Bob", "Bob"),
    ("x < 5 > y", "x 5 y"),
    ("$(id) `id`; rm -rf / | tee & > <", "(id) id ; rm -rf / tee and"),
    ("--version", "-version"),
    ("-- -w /etc/passwd", "-w /etc/passwd"),
    ("say [Bob](/ɹˈʌd/) now", "say Bob now"),
    ("[a[b](/x/)](/y/)", "ab"),
    ("[[h@'loU]] Bob", "h at 'loU Bob"),
    ("a\\nb \\\\", "a nb"),
    ("Smith & Sons", "Smith and Sons"),
    ("anna@example.org", "anna at example.org"),
    ("+15551234567", "+1 5 5 5 1 2 3 4 5 6 7"),
    ("٠١٢٣٤٥٦٧", "0 1 2 3 4 5 6 7"),
    ("$250,000.50 and $1234567", "$250,000.50 and $1234567"),
    ("$ 5 $x", "5 x"),
    ("Дмитрий 日本 יוסי", "Дмитрий 日本 יוסי"),
    ("Co\u0301rdoba", "Córdoba"),
    ("wait!!!!!! what...", "wait! what."),
]


@pytest.mark.parametrize(("typed", "spoken"), HOSTILE)
def test_given_hostile_or_odd_text_then_only_what_can_be_said_is_left(typed: str, spoken: str) -> None:
    assert speakable(typed) == spoken


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("", "Smith and Sons, a at b"),
        ("en-gb", "Smith and Sons, a at b"),
        ("es", "Smith y Sons, a arroba b"),
        ("es-mx", "Smith y Sons, a arroba b"),
        ("fr", "Smith Sons, a b"),
        ("; id", "Smith Sons, a b"),
    ],
)
def test_given_a_language_then_signs_are_its_words_or_not_said(language: str, spoken: str) -> None:
    assert speakable("Smith & Sons, a@b ${SHELL(id)} <b>", language) == spoken


def test_given_more_than_the_limit_then_it_ends_at_a_word() -> None:
    text = speakable("handoff " * 200)
    assert len(text) <= SPOKEN_LIMIT
    assert set(text.split()) == {"handoff"}


def test_given_one_endless_word_then_it_is_cut() -> None:
    assert speakable("a" * 64_000) == "a" * SPOKEN_LIMIT


@pytest.mark.parametrize(
    "piece", ["a ", "[x](", "<a ", "${", "$[", "- ", "\u202e", "&", "(/", "١", "e\u0301\u0301"]
)
def test_given_64_kilobytes_then_it_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    assert len(speakable((piece * 64_000)[:64_000])) <= SPOKEN_LIMIT
    assert time.perf_counter() - started < 0.25  # 6 ms here; a backtracking pattern takes minutes


ANY_TEXT = st.text() | st.text(
    alphabet=[*"${}[]()<>/\\&@-+.,'\"` \r\n\x00a1Zé", "\u202e", "💩", "＄", "\ud800"], max_size=80
)


@given(ANY_TEXT, st.sampled_from(["", "en", "es", "es-mx", "fr"]))
def test_whatever_the_text_then_what_is_spoken_is_harmless(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert len(spoken) <= SPOKEN_LIMIT
    assert spoken == " ".join(spoken.split())
    assert not set(spoken) & set('<>[]{}\\`"|*_&@^~#=')
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "So"} for char in spoken)
    assert all(spoken[i + 1 : i + 2].isdigit() for i, char in enumerate(spoken) if char == "$")
    assert spoken == "" or any(char.isalnum() for char in spoken)
    spoken.encode()


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCXYZ ,.", max_size=SPOKEN_LIMIT))
def test_whatever_plain_english_then_no_word_is_lost(text: str) -> None:
    words = [word.strip(",.") for word in text.replace(",", " ").replace(".", " ").split()]
    assert speakable(text).replace(",", " ").replace(".", " ").split() == words


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Дмитрий Щербаков", "Dmitriy Shcherbakov"),
        ("Γιώργος", "Giorgos"),
        ("Zoë Müller, 25 €", "Zoë Müller, 25 €"),
        ("日本 Taro", "Taro"),
        ("יוסי", ""),
    ],
)
def test_given_another_alphabet_then_an_english_voice_gets_latin_letters(text: str, latin: str) -> None:
    assert in_latin(text) == latin


@given(st.text())
def test_whatever_the_text_then_its_latin_form_has_only_latin_letters(text: str) -> None:
    for char in in_latin(text):
        assert not char.isalpha() or char.isascii() or unicodedata.name(char).startswith("LATIN")
