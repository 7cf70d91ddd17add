"""What is written in a file and can be relied on, for those who compare one setting with another.

This also serves a file that has other faults, on what is left of it, so that one run tells everything. A
setting that was already reported is neither used nor replaced by its default.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_warm.config.errors import ConfigError, KeyPath
from asterisk_warm.config.handoff import HandoffSettings
from asterisk_warm.config.section import overlay
from asterisk_warm.config.yaml_source import Source

HANDOFF: KeyPath = ("handoff",)


class Written:
    """``faulty`` are the paths not to be relied on; ``warnings`` is what is usable and yet hardly meant."""

    def __init__(self, source: Source, faulty: set[KeyPath]) -> None:
        self.source = source
        self.faulty = faulty
        self._faulty_lists = {path[:-1] for path in faulty if path and isinstance(path[-1], int)}
        self.warnings: list[ConfigError] = []

    def concerned(self, scope: KeyPath, *settings: KeyPath) -> bool:
        """Tell whether ``scope`` is the place to report a contradiction of ``settings``: it sets one, and all
        are sound.
        """
        if not self.sound_in(scope, *settings):
            return False
        return scope == HANDOFF or any((*scope, *setting) in self.source.marks for setting in settings)

    def sound_in(self, scope: KeyPath, *settings: KeyPath) -> bool:
        """Tell whether nothing is wrong with ``settings``, in ``scope`` and in ``handoff``."""
        relied_on = {(*place, *setting) for place in (scope, HANDOFF) for setting in settings}
        return self.sound(*relied_on, *(path[:-1] for path in relied_on))

    def sound(self, *paths: KeyPath) -> bool:
        """Tell whether nothing is wrong with what is written at ``paths``."""
        return self.faulty.isdisjoint(paths)

    def place(self, scope: KeyPath, *settings: KeyPath) -> KeyPath:
        """Return the path of the first of ``settings`` that is written in ``scope``, else in ``handoff``."""
        places = ((*place, *setting) for place in (scope, HANDOFF) for setting in settings)
        return next((path for path in places if path in self.source.marks), scope)

    def members(self, team: str) -> Iterator[tuple[KeyPath, str]]:
        members = self.mapping(("teams", team)).get("agents")
        for index, agent in enumerate(members if isinstance(members, list) else ()):
            path: KeyPath = ("teams", team, "agents", index)
            if path not in self.faulty:
                yield path, str(agent)

    def settings(self) -> Iterator[tuple[KeyPath, HandoffSettings]]:
        """The settings that count in `handoff` itself, and in each team; what is faulty has its default."""
        defaults = HandoffSettings.model_validate(self.usable(HANDOFF))
        yield HANDOFF, defaults
        for team in self.mapping(("teams",)):
            scope: KeyPath = ("teams", team)
            yield scope, overlay(defaults, HandoffSettings.model_validate(self.usable(scope)))

    def usable(self, path: KeyPath) -> dict[str, object]:
        """Return the handoff settings written at ``path`` that nobody has found fault with."""
        faultless = self._faultless(path)
        return {name: value for name, value in faultless.items() if name in HandoffSettings.model_fields}

    def _faultless(self, path: KeyPath) -> dict[str, object]:
        return {
            name: self._faultless((*path, name)) if isinstance(value, dict) else value
            for name, value in self.mapping(path).items()
            if (*path, name) not in self.faulty and (*path, name) not in self._faulty_lists
        }

    def given(self, path: KeyPath) -> set[str]:
        """Return the names of the settings of a section that have a value."""
        return {name for name, value in self.mapping(path).items() if value is not None}

    def mapping(self, path: KeyPath) -> dict[str, object]:
        value = self.value(path)
        return value if isinstance(value, dict) else {}

    def value(self, path: KeyPath) -> object:
        value: object = self.source.values
        for part in path:
            if isinstance(value, dict):
                value = value.get(str(part))
            else:
                value = value[part] if isinstance(value, list) and isinstance(part, int) else None
        return value

    def report(
        self, path: KeyPath, message: str, *, expected: str | None = None, suggestion: str | None = None
    ) -> None:
        self.source.report(path, message, expected=expected, suggestion=suggestion)

    def report_name(
        self, path: KeyPath, message: str, *, expected: str | None = None, suggestion: str | None = None
    ) -> None:
        """Report in the place of the name of the setting at ``path``, not of its value."""
        mark = self.source.key_marks.get(path)
        self.source.report(path, message, expected=expected, suggestion=suggestion, mark=mark)

    def warn(self, path: KeyPath, message: str, *, expected: str | None = None) -> None:
        mark = None if path in self.source.plain_texts else self.source.key_marks.get(path)
        self.warnings.append(self.source.error(path, message, expected=expected, mark=mark))

    def sets(self, scope: KeyPath, name: str) -> bool:
        """Tell whether somebody has written the setting ``name`` for ``scope``, there or in ``handoff``."""
        return any((*place, name) in self.source.marks for place in (scope, HANDOFF))
