"""In which words teams of other languages speak, and what `check` says of those that nobody has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_warm.config import Config, load
from asterisk_warm.config.languages import SENTENCES, WORDED
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.core.wording import placeholders
from asterisk_warm.speech.prompts import LANGUAGES

SMALL = """\
asterisk: {{ari: {{password: x}}, ami: {{password: x}}}}
agents: {{ana: {{name: Ana, endpoint: PJSIP/ana}}}}
teams: {{sales: {{name: Sales, agents: [ana]{team}}}}}
handoff: {{{handoff}}}
"""
ENGLISH, SPANISH = TemplateSettings(), TemplateSettings.model_validate(SENTENCES["es"])
ALL = ", ".join(f"{name}: Dit" for name in WORDED)


def loaded(folder: Path, team: str = "", handoff: str = "") -> Config:
    path = folder / "warm.yaml"
    path.write_text(SMALL.format(team=team and f", {team}", handoff=handoff), encoding="utf-8")
    path.chmod(0o600)
    return load(path, {})


def words(config: Config) -> TemplateSettings:
    return config.policy("sales").templates


def test_given_the_products_own_words_then_they_are_templates_in_each_language_of_its_prompts() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    for sentences in SENTENCES.values():
        read = TemplateSettings.model_validate(sentences)
        for name, text in sentences.items():
            named = {part.name for part in placeholders(getattr(ENGLISH, name))} - {"reason"}
            assert {part.name for part in placeholders(text)} == named
            assert getattr(read, name) == text


@pytest.mark.parametrize("language", ["es", "es-mx"])
@pytest.mark.parametrize("where", ["team", "handoff"])
def test_given_a_team_that_speaks_spanish_when_loaded_then_so_do_its_templates(
    tmp_path: Path, language: str, where: str
) -> None:
    config = loaded(tmp_path, **{where: f"language: {language}"})
    assert (words(config), config.warnings) == (SPANISH, ())
    assert config.handoff.templates == (SPANISH if where == "handoff" else ENGLISH)


@pytest.mark.parametrize("language", ["", "language: en", "language: en-us"])
def test_given_a_team_that_speaks_english_when_loaded_then_so_do_its_templates(
    tmp_path: Path, language: str
) -> None:
    config = loaded(tmp_path, language)
    assert (words(config), config.warnings) == (ENGLISH, ())


def test_given_the_english_words_in_the_file_when_a_team_speaks_spanish_then_they_are_nobodys_choice(
    tmp_path: Path,
) -> None:
    config = loaded(tmp_path, "language: es", f'templates: {{instructions: "{ENGLISH.instructions}"}}')
    assert (words(config), config.warnings) == (SPANISH, ())


def test_given_words_of_its_own_when_loaded_then_they_go_before_a_translation_and_that_before_the_rest(
    tmp_path: Path,
) -> None:
    config = loaded(
        tmp_path,
        "language: es, templates: {taken: Lo tiene Ana.}",
        "templates: {taken: Gone., introduction: Hello., display: '{name}'},"
        "translations: {es: {taken: Ya no., introduction: Hola.}}",
    )
    told = words(config)
    assert (told.taken, told.introduction, told.display) == ("Lo tiene Ana.", "Hola.", "{name}")
    assert told.instructions == SPANISH.instructions
    assert config.warnings == ()


def test_given_a_translation_when_loaded_then_what_it_lacks_is_said_in_its_language(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, handoff="translations: {es: {briefing: 'Es {name}'}, en: {}, en-gb: {taken: Gone.}}"
    )
    told = dict(config.policy("sales").translations)
    assert told["es"] == SPANISH.model_copy(update={"briefing": "Es {name}"})
    assert (told["en"], told["en-gb"].taken, told["en-gb"].recall) == (ENGLISH, "Gone.", ENGLISH.recall)
    assert config.warnings == ()


def test_given_a_team_of_another_language_when_translated_into_english_then_it_is_english(
    tmp_path: Path,
) -> None:
    config = loaded(tmp_path, handoff="language: es, translations: {en: {}}")
    assert dict(config.policy("sales").translations)["en"] == ENGLISH
    assert config.warnings == ()


WARNINGS = [
    (
        "language: fr",
        "",
        "teams.sales.language",
        "instructions, introduction, taken, returned and recall are said in English (expected templates in fr)",
    ),
    (
        "language: fr, templates: {instructions: A, introduction: B, taken: C, returned: D}",
        "",
        "teams.sales.language",
        "recall is said in English (expected a template in fr)",
    ),
    (
        f"templates: {{recall: '{ENGLISH.recall}'}}, language: fr",
        "templates: {instructions: A, introduction: B, taken: C, returned: D}",
        "teams.sales.language",
        "recall is said in English (expected a template in fr)",
    ),
    (
        "language: es",
        "language: en, templates: {taken: Gone., returned: Back., briefing: '{name}'}",
        "teams.sales.language",
        "taken and returned are said in the words of handoff (en) (expected templates in es)",
    ),
    (
        "",
        "language: nl",
        "handoff.language",
        "instructions, introduction, taken, returned and recall are said in English (expected templates in nl)",
    ),
    (
        "translations: {fr: {taken: Parti., instructions: A, introduction: B, returned: C}}",
        "",
        "teams.sales.translations.fr",
        "recall is said in the words of templates (expected a template in fr)",
    ),
    (
        "",
        "templates: {taken: Gone., display: '{name}', briefing: 'For you: {name}'}, translations: {es: {}}",
        "handoff.translations.es",
        "briefing and taken are said in the words of templates (expected templates in es)",
    ),
]


@pytest.mark.parametrize(("team", "handoff", "path", "told"), WARNINGS, ids=range(len(WARNINGS)))
def test_given_words_in_another_language_than_the_voices_when_loaded_then_it_is_said_which(
    tmp_path: Path, team: str, handoff: str, path: str, told: str
) -> None:
    (warning,) = loaded(tmp_path, team, handoff).warnings
    assert warning.path == path
    assert str(warning).endswith(f": {path}: {told}")


@pytest.mark.parametrize(
    ("team", "handoff"),
    [
        (f"language: nl, templates: {{{ALL}}}", ""),
        ("", f"language: nl, templates: {{{ALL}}}"),
        ("language: nl", f"templates: {{{ALL}}}"),
        ("language: nl-be", f"language: nl, templates: {{{ALL}}}"),
        ("language: nl", f"language: en, translations: {{nl: {{{ALL}}}}}"),
    ],
)
def test_given_all_words_when_loaded_then_there_is_nothing_to_say(
    tmp_path: Path, team: str, handoff: str
) -> None:
    assert loaded(tmp_path, team, handoff).warnings == ()
