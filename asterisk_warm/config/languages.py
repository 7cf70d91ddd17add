"""In which words a team speaks: those that are written for it, else the product's own of its language."""

from __future__ import annotations

from collections.abc import Mapping, Set

from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.section import overlay
from asterisk_warm.config.templates import TemplateSettings

ENGLISH = "en"

SENTENCES: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {},
    "es": {
        "instructions": "Pulse {accept} para atender la llamada, {decline} para rechazarla, {repeat} para "
        "oírlo otra vez, {details} para más detalles, {ask} para preguntar algo.",
        "introduction": "Gracias por esperar. Le pongo en comunicación con {agent}.",
        "taken": "{agent} ha atendido esta llamada.",
        "returned": "{name} vuelve a estar con usted. Nadie ha atendido la llamada.",
        "recall": "{name} le está esperando. Nadie ha atendido la llamada. Pulse {accept} para hablar.",
    },
}
"""By language, and name of the template. The English ones are the defaults of `TemplateSettings`; `{reason}`
is in English, so no other language says it."""

WORDED = tuple(SENTENCES["es"])
"""Templates that have words; the others have none but what they name, and suit every language."""


def base(language: str | None) -> str:
    """`es` of `es-mx`. Without a language the product speaks English."""
    return (language or ENGLISH).partition("-")[0]


def spoken(
    settings: HandoffSettings, own: TemplateSettings
) -> tuple[TemplateSettings, tuple[tuple[str, TemplateSettings], ...]]:
    """Return all templates, and all of each translation by language. ``own`` are those that are written for
    the team itself, which ``settings`` have too: they go before a translation into the team's language.
    """
    templates = _filled(settings.templates, base(settings.language))
    if settings.language in settings.translations:
        translated = overlay(templates, settings.translations[settings.language])
        templates = translated.model_copy(update={name: getattr(own, name) for name in worded(own)})
    return templates, tuple(
        (language, overlay(_untranslated(settings, templates, language), translation))
        for language, translation in sorted(settings.translations.items())
    )


def worded(templates: TemplateSettings) -> Set[str]:
    """Return the names of those that somebody has chosen. The product's English ones, which stand in the
    sample file too, are nobody's choice where another language is spoken.
    """
    fields = TemplateSettings.model_fields
    return {name for name in templates.model_fields_set if getattr(templates, name) != fields[name].default}


def _filled(written: TemplateSettings, language: str) -> TemplateSettings:
    sentences, kept = SENTENCES.get(language, {}), worded(written)
    return written.model_copy(update={name: sentences[name] for name in sentences.keys() - kept})


def _untranslated(settings: HandoffSettings, templates: TemplateSettings, language: str) -> TemplateSettings:
    """As what a translation does not have is said."""
    known = base(language) in SENTENCES
    return _filled(settings.templates, base(language)) if known else templates
