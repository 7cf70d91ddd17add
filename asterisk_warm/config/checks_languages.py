"""What would be said in one language by a voice of another."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.languages import SENTENCES, WORDED, base, worded
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.config.written import HANDOFF, Written

_IN_BRACES = re.compile(r"\{[a-z_]+\}")


def check(written: Written) -> None:
    scopes = dict(written.settings())
    for scope, settings in scopes.items():
        if written.value((*scope, "language")) is not None and written.sound((*scope, "language")):
            _own(written, scope, settings, scopes[HANDOFF])
        for language, translation in settings.translations.items():
            if language in written.mapping((*scope, "translations")):
                _translation(written, scope, settings, language, translation)


def _own(written: Written, scope: KeyPath, settings: HandoffSettings, default: HandoffSettings) -> None:
    """What a team does not say in words of its own, nor in a translation into its language."""
    language, path = settings.language or "", (*scope, "language")
    translation = settings.translations.get(language, TemplateSettings())
    chosen = worded(settings.templates)
    said = (written.given((*scope, "templates")) & chosen) | translation.model_fields_set
    inherited = chosen - said
    if base(language) not in SENTENCES:
        english = [name for name in WORDED if name not in said | inherited]
        _warn(written, path, language, "English", english)
    if default.language is not None and base(default.language) != base(language):
        theirs = f"the words of handoff ({default.language})"
        _warn(written, path, language, theirs, _with_words(settings.templates, inherited))


def _translation(
    written: Written,
    scope: KeyPath,
    settings: HandoffSettings,
    language: str,
    translation: TemplateSettings,
) -> None:
    """What it does not have is said as in `templates`, unless the product has words of that language."""
    templates = settings.templates
    as_there = worded(templates) if base(language) in SENTENCES else TemplateSettings.model_fields.keys()
    untold = as_there - translation.model_fields_set
    if base(settings.language) != base(language):
        path = (*scope, "translations", language)
        _warn(written, path, language, "the words of templates", _with_words(templates, untold))


def _with_words(templates: TemplateSettings, names: Collection[str]) -> Sequence[str]:
    """Those of ``names`` that say more than what is put into them."""
    texts = {name: getattr(templates, name) for name in TemplateSettings.model_fields if name in names}
    return [name for name, text in texts.items() if any(map(str.isalpha, _IN_BRACES.sub("", text)))]


def _warn(written: Written, path: KeyPath, language: str | None, words: str, names: Sequence[str]) -> None:
    if not names:
        return
    told = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    verb = "are" if len(names) > 1 else "is"
    message = f"{dotted(path)}: {told} {verb} said in {words}"
    written.warn(path, message, expected=f"{'templates' if len(names) > 1 else 'a template'} in {language}")
