"""Lines and prompts in the language of whom they are for."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

import asterisk_warm.speech
from asterisk_warm.speech import CachedSpeaker, EngineDown, SoundFolder, Voices, prompt_names, speaker_from
from asterisk_warm.speech.audio import RATE, tone
from asterisk_warm.speech.prompts import KEYS, LANGUAGES, PAUSE, QUIET, QUIET_SECONDS, SILENCE, prompt_texts
from asterisk_warm.speech.voices import names_of

SENTENCES = Path(asterisk_warm.speech.__file__).parent / "sentences"
URI = "sound:/as/asterisk/sees/it/"


class Tone:
    """An engine that says everything as a tone, or not at all, and remembers what."""

    def __init__(self, name: str, fails: Exception | None = None) -> None:
        self.name = name
        self.fails = fails
        self.said: list[str] = []
        self.warm = 0
        self.closed = 0

    async def identity(self) -> str:
        return f"{self.name} 1"

    async def warm_up(self) -> None:
        self.warm += 1

    async def say(self, text: str) -> bytes:
        if self.fails:
            raise self.fails
        self.said.append(text)
        return tone(500, 0.5)

    async def close(self) -> None:
        self.closed += 1


class Engines:
    """Makes one of each name."""

    def __init__(self, **fails: Exception) -> None:
        self.fails = fails
        self.made: dict[str, Tone] = {}

    def __call__(self, name: str) -> Tone:
        made = self.made.setdefault(name, Tone(name, self.fails.get(name.partition(":")[2])))
        return made

    def said(self) -> dict[str, list[str]]:
        return {name: engine.said for name, engine in self.made.items() if engine.said}


def here(folder: Path) -> SoundFolder:
    return SoundFolder(folder, "/as/asterisk/sees/it")


def of(
    folder: Path, engines: Engines, chosen: dict[str, str] | None = None, *languages: str
) -> CachedSpeaker:
    voices = Voices(engines, chosen or {})
    return CachedSpeaker(here(folder), [engines("first")], voices=voices, languages=languages)


@pytest.fixture
async def speaker(tmp_path: Path) -> AsyncIterator[CachedSpeaker]:
    real = speaker_from(tmp_path, "/as/asterisk/sees/it", ["hibari", "espeak"], 60.0, None, None)
    yield real
    await real.close()


def sound(folder: Path, uri: str) -> bytes:
    return (folder / f"{uri.removeprefix(URI)}.ulaw").read_bytes()


async def test_given_a_briefing_in_two_languages_then_each_has_a_voice_of_its_own(
    tmp_path: Path, speaker: CachedSpeaker
) -> None:
    line = "Grant Weatherly, seguro de hogar. Renueva en tres semanas."
    (english,) = await speaker.prepare([line], "en")
    (spanish,) = await speaker.prepare([line], "es")
    (mexican,) = await speaker.prepare([line], "es-mx")
    assert len({english, spanish, mexican}) == 3
    assert all(2 < len(sound(tmp_path, uri)) / RATE < 9 for uri in (english, spanish, mexican))
    assert (speaker.spoken(line, "es"), speaker.spoken(line, "en")) == (spanish, english)
    assert speaker.spoken(line, "fr") == english, "better than a prompt"
    assert await speaker.prepare([line]) == (english,)


async def test_given_a_language_that_espeak_does_not_have_then_the_first_engine_speaks(
    tmp_path: Path, speaker: CachedSpeaker
) -> None:
    (uri,) = await speaker.prepare(["Hello there."], "xx")
    assert (uri,) == await speaker.prepare(["Hello there."])


@pytest.mark.parametrize(
    ("chosen", "language", "speaks"),
    [
        ({}, "", "first"),
        ({}, "en", "first"),
        ({}, "en-gb", "first"),
        ({"en": "emma"}, "en-gb", "emma"),
        ({}, "es", "espeak:es"),
        ({}, "es-mx", "espeak:es-mx"),
        ({"es": "sofia"}, "es-mx", "sofia"),
        ({"es": "sofia", "es-mx": "lupe"}, "es-mx", "lupe"),
        ({"es": "sofia"}, "fr", "espeak:fr"),
        ({"es": "first"}, "es", "first"),
        ({"es": "sofia"}, "-w /tmp/x", "first"),
        ({"es": "sofia"}, "../es", "first"),
    ],
)
async def test_given_a_language_then_who_speaks_it(
    tmp_path: Path, chosen: dict[str, str], language: str, speaks: str
) -> None:
    engines = Engines()
    await of(tmp_path, engines, chosen).prepare(["Hola."], language)
    assert engines.said() == {speaks: ["Hola."]}


async def test_given_a_voice_that_fails_then_the_language_and_at_last_the_first_engine_speak(
    tmp_path: Path,
) -> None:
    down = EngineDown("not here")
    engines = Engines(sofia=down, **{"es-mx": down})
    await of(tmp_path, engines, {"es": "hibari:sofia"}).prepare(["Hola."], "es-mx")
    assert engines.said() == {"espeak:es": ["Hola."]}
    engines.fails["es"] = down
    for engine in engines.made.values():
        engine.fails = engines.fails.get(engine.name.partition(":")[2])
    await of(tmp_path / "other", engines, {"es": "hibari:sofia"}).prepare(["Hola."], "es-mx")
    assert engines.said()["first"] == ["Hola."]


async def test_given_the_languages_in_use_then_each_is_loaded_at_the_start_and_let_go_at_the_end(
    tmp_path: Path,
) -> None:
    engines = Engines()
    speaker = of(tmp_path, engines, {"es": "sofia", "de": "first"}, "es", "de", "fr")
    await speaker.ensure_prompts()
    warm = {name: engine.warm for name, engine in engines.made.items()}
    assert warm == {"first": 1, "sofia": 1, "espeak:es": 0, "espeak:de": 0, "espeak:fr": 1}
    await speaker.prepare(["Ciao."], "it")
    await speaker.close()
    assert all(engine.closed == 1 for engine in engines.made.values())
    assert "espeak:it" in engines.made


async def test_given_a_restart_then_what_was_spoken_in_a_language_is_known(tmp_path: Path) -> None:
    (uri,) = await of(tmp_path, Engines(), {}, "es").prepare(["Hola."], "es")
    again, engines = of(tmp_path, again_engines := Engines(), {}, "es"), again_engines
    await again.ensure_prompts()
    assert again.spoken("Hola.", "es") == uri and again.spoken("Hola.") is None
    assert "Hola." not in engines.said().get("espeak:es", [])
    await again.close()


# -- prompts -------------------------------------------------------------------------------------------------


async def test_given_a_language_in_use_then_its_prompts_are_there_and_else_the_english_ones(
    tmp_path: Path,
) -> None:
    engines = Engines()
    speaker = of(tmp_path, engines, {}, "es-mx", "fr", "en-gb")
    assert speaker.prompt("comfort", "es-mx") == f"{URI}prompts/comfort"
    told: list[tuple[int, int]] = []
    await speaker.ensure_prompts(lambda _, done, total: told.append((done, total)))
    count = 2 * len(prompt_names())  # There are none of ours in French.
    assert told == [(done, count) for done in range(1, count + 1)]
    assert speaker.has_prompts()
    assert speaker.prompt("comfort", "es-mx") == f"{URI}prompts/es-mx/comfort"
    for language in ("", "en", "en-gb", "fr", "es", "..", "prompts/es"):
        assert speaker.prompt("comfort", language) == f"{URI}prompts/comfort"
    assert speaker.prompt("beep", "es-mx") == f"{URI}prompts/beep"
    assert set(engines.said()["espeak:es-mx"]) == set(prompt_texts(KEYS, "es").values())
    assert set(engines.said()["first"]) == set(prompt_texts().values())
    await speaker.close()


async def test_given_a_language_that_cannot_be_spoken_any_more_then_no_old_prompt_names_wrong_keys(
    tmp_path: Path,
) -> None:
    before = of(tmp_path, Engines(), {}, "es")
    await before.ensure_prompts()
    assert before.prompt("instructions", "es").endswith("/es/instructions")
    await before.close()
    down = EngineDown("not here")
    engines = [Tone("first", down)]
    keys = {"accept": "9"}
    after = CachedSpeaker(here(tmp_path), engines, languages=["es"], keys=keys)
    await after.ensure_prompts()
    assert after.prompt("instructions", "es") == f"{URI}prompts/instructions"
    differing = CachedSpeaker(here(tmp_path), [Tone("first")], languages=["es"], keys=None)
    await differing.ensure_prompts()
    assert differing.prompt("instructions", "es") == f"{URI}prompts/instructions"
    assert differing.prompt("comfort", "es") == f"{URI}prompts/es/comfort"
    for speaker in (after, differing):
        await speaker.close()


async def test_given_the_admins_own_recordings_in_a_language_then_they_win_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, sounds = tmp_path / "own", tmp_path / "sounds"
    (own / "es").mkdir(parents=True)
    (own / "pt").mkdir()
    (own / "es" / "comfort.wav").write_bytes(b"RIFF la suya")
    (own / "comfort.wav").write_bytes(b"RIFF their own")
    speaker = CachedSpeaker(here(sounds), [Tone("first")], languages=["es", "fr"], own_prompts=own)
    await speaker.ensure_prompts()
    assert speaker.prompt("comfort", "es") == f"{URI}replaced/es/comfort"
    assert (sounds / "replaced" / "es" / "comfort.wav").read_bytes() == b"RIFF la suya"
    assert speaker.prompt("sorry", "es") == f"{URI}prompts/es/sorry"
    assert speaker.prompt("comfort", "fr") == speaker.prompt("comfort") == f"{URI}replaced/comfort"
    assert "own/pt replaces no prompt" in caplog.text and "own/es" not in caplog.text
    (own / "es" / "comfort.wav").unlink()
    await speaker.ensure_prompts()
    assert speaker.prompt("comfort", "es") == f"{URI}prompts/es/comfort"
    await speaker.close()


@pytest.mark.parametrize(("name", "seconds"), [(QUIET, QUIET_SECONDS), (PAUSE, 0.3), (SILENCE, 0.06)])
async def test_given_a_prompt_without_a_sound_then_it_is_that_long_and_silent(
    name: str, seconds: float, tmp_path: Path
) -> None:
    speaker = CachedSpeaker(here(tmp_path), [])
    await speaker.ensure_prompts()
    quiet = sound(tmp_path, speaker.prompt(name))
    assert len(quiet) == seconds * RATE and set(quiet) == {0xFF}
    await speaker.close()


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("language", LANGUAGES)
def test_given_each_language_then_it_has_every_prompt_with_the_same_keys(language: str) -> None:
    english, own = (yaml.safe_load((SENTENCES / f"{name}.yaml").read_text()) for name in ("en", language))
    assert list(own["prompts"]) == list(english["prompts"])
    assert set(own["keys"]) == {"*", "#"}
    for name, text in own["prompts"].items():
        assert placeholders(text) == placeholders(english["prompts"][name]), name
        assert set(prompt_names()) > {name}
    assert {path.stem for path in SENTENCES.iterdir()} == set(LANGUAGES)


def test_given_keys_that_are_no_digits_then_each_language_has_words_for_them() -> None:
    keys = {"accept": "#", "decline": "*"}
    assert prompt_texts(keys)["instructions"].startswith("Press pound to accept, star to decline, 3 ")
    told = prompt_texts(keys, "es")["instructions"]
    assert told.startswith("Pulse almohadilla para aceptar, asterisco para rechazar, 3 ")


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("es", ("es",)),
        ("es-mx", ("es-mx", "es")),
        ("", ()),
        ("ES", ()),
        ("es_MX", ()),
        ("e", ()),
        ("es\n", ()),
        ("-v", ()),
        ("es;id", ()),
        ("../es", ()),
    ],
)
def test_given_what_is_no_language_then_nobody_is_asked_for_it(language: str, names: tuple[str, ...]) -> None:
    assert names_of(language) == names
