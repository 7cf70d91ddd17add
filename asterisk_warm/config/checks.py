"""What is wrong between settings that are each well formed: references, contradictions, doubles.

This also runs on a file that has other faults, on what is left of it, so that one run tells everything. A
setting that was already reported is neither used nor replaced by its default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from asterisk_warm.config.errors import ConfigError, KeyPath, dotted
from asterisk_warm.config.models import HandoffSettings, KeySettings, QualifierKeySettings, overlay
from asterisk_warm.config.values import nearest
from asterisk_warm.config.yaml_source import Source

_HANDOFF: KeyPath = ("handoff",)
_TIMES: tuple[KeyPath, ...] = (("ring_seconds",), ("decision_seconds",), ("hold_seconds",))


def check(source: Source, faulty: set[KeyPath]) -> list[ConfigError]:
    """Report contradictions to ``source`` and return the warnings; ``faulty`` are the paths not to be relied
    on.
    """
    checks = _Checks(source, faulty)
    checks.members()
    checks.endpoints()
    checks.misread_numbers()
    checks.numbers()
    checks.policies()
    checks.readable_passwords()
    return checks.warnings


class _Checks:
    def __init__(self, source: Source, faulty: set[KeyPath]) -> None:
        self._source = source
        self._faulty = faulty
        self._faulty_lists = {path[:-1] for path in faulty if path and isinstance(path[-1], int)}
        self.warnings: list[ConfigError] = []

    def members(self) -> None:
        """Every agent of a team is known and named once; an agent of no team is hardly meant."""
        known = self._mapping(("agents",))
        employed: set[str] = set()
        for team in self._mapping(("teams",)):
            seen: set[str] = set()
            for path, agent in self._members(team):
                if agent in seen:
                    self._source.report(path, f'{dotted(path)}: "{agent}" is in this team already')
                elif agent not in known and ("agents",) not in self._faulty:
                    message = f'{dotted(path)}: there is no agent "{agent}"'
                    likely = nearest(agent, known)
                    self._source.report(path, message, expected="an id of agents", suggestion=likely)
                seen.add(agent)
            employed |= seen
        for agent in known:
            if agent not in employed and not self._source.errors and not self._faulty:
                self._warn(("agents", agent), f'agent "{agent}" is in no team')

    def endpoints(self) -> None:
        """Two agents on one phone are possible (a shared desk), but more often a slip of copying."""
        first: dict[str, str] = {}
        for agent in self._mapping(("agents",)):
            path: KeyPath = ("agents", agent, "endpoint")
            endpoint = self._mapping(path[:-1]).get("endpoint")
            if not isinstance(endpoint, str) or path in self._faulty:
                continue
            if endpoint in first:
                self._warn(
                    path, f'{dotted(path)}: agent "{first[endpoint]}" has the same endpoint {endpoint}'
                )
            first.setdefault(endpoint, agent)

    def misread_numbers(self) -> None:
        """Of +15551234 without quotes YAML leaves 15551234, which is dialled otherwise."""
        for path, text in self._source.plain_texts.items():
            if path in self._faulty or not _holds_number(path):
                continue
            value = self._value(path)
            if not isinstance(value, int) or text == str(value):
                continue
            message = f"{dotted(path)}: YAML reads {text[:40]} without quotes as the number {value}"
            self._source.report(path, message, expected="a number in quotes", suggestion=f'"{text}"')
            self._faulty.add(path)

    def numbers(self) -> None:
        """A number that is dialled stands for one agent or team; their ids can be dialled as well."""
        everybody = {
            (section, id): None for section in ("agents", "teams") for id in self._mapping((section,))
        }
        first: dict[str, KeyPath] = {}
        for who in everybody:
            path: KeyPath = (*who, "number")
            value = self._value(path)
            if value is None or path in self._faulty:
                continue
            number = str(value)
            namesakes = (("agents", number), ("teams", number))
            others = [other for other in namesakes if other in everybody and other != who]
            if number in first:
                self._taken(path, f'{_called(first[number])} has the number "{number}" already')
            elif others:
                self._taken(path, f'"{number}" is the id of {_called(others[0])}')
            first.setdefault(number, who)

    def _taken(self, path: KeyPath, by: str) -> None:
        self._source.report(path, f"{dotted(path)}: {by}", expected="a number that stands for nobody else")

    def policies(self) -> None:
        defaults = HandoffSettings.model_validate(self._usable(_HANDOFF))
        self._policy(_HANDOFF, defaults)
        for team in self._mapping(("teams",)):
            scope: KeyPath = ("teams", team)
            self._policy(scope, overlay(defaults, HandoffSettings.model_validate(self._usable(scope))))

    def readable_passwords(self) -> None:
        passwords = [path for path in self._source.marks if path[-1:] == ("password",)]
        for path in passwords:
            value = self._mapping(path[:-1]).get("password")
            literal = isinstance(value, str) and not value.startswith(("env:", "file:"))
            if literal and os.stat(self._source.file).st_mode & 0o004:
                message = f"{dotted(path)} is written in a file that every user of this machine can read"
                self._warn(
                    path,
                    message,
                    expected=f"env:NAME or file:/path, or chmod o-r {Path(self._source.file).name}",
                )

    def _policy(self, scope: KeyPath, settings: HandoffSettings) -> None:
        """Check the settings that count in ``scope``: ``handoff`` itself, or one team."""
        self._times(scope, settings)
        self._warning_time(scope, settings)
        self._keys(scope, settings.keys)
        self._qualifier_keys(scope, settings.qualifier_keys)

    def _times(self, scope: KeyPath, settings: HandoffSettings) -> None:
        ring, hold, decision = settings.ring_seconds, settings.hold_seconds, settings.decision_seconds
        if ring > hold and self._concerned(scope, ("ring_seconds",), ("hold_seconds",)):
            path = self._place(scope, ("ring_seconds",), ("hold_seconds",))
            message = f"{dotted(scope)}: ring_seconds ({ring:g}) is longer than hold_seconds ({hold:g})"
            self._source.report(path, message, expected="ring_seconds of at most hold_seconds")
        elif ring + decision > hold and self._concerned(scope, *_TIMES):
            path = self._place(scope, *_TIMES)
            message = (
                f"{dotted(scope)}: hold_seconds ({hold:g}) can end before an agent who answers late "
                f"has decided (ring_seconds {ring:g} + decision_seconds {decision:g})"
            )
            self._warn(path, message)

    def _warning_time(self, scope: KeyPath, settings: HandoffSettings) -> None:
        """A default that does not suit a short hold is nobody's slip: the warning comes at once."""
        warn, hold = settings.warn_seconds, settings.hold_seconds
        written = any((*place, "warn_seconds") in self._source.marks for place in (scope, _HANDOFF))
        if warn >= hold and written and self._concerned(scope, ("warn_seconds",), ("hold_seconds",)):
            path = self._place(scope, ("warn_seconds",), ("hold_seconds",))
            message = f"{dotted(scope)}: warn_seconds ({warn:g}) is not shorter than hold_seconds ({hold:g})"
            self._source.report(path, message, expected="warn_seconds of less than hold_seconds, or 0")

    def _keys(self, scope: KeyPath, keys: KeySettings) -> None:
        for one, other in combinations(KeySettings.model_fields, 2):
            key = getattr(keys, one)
            if key == getattr(keys, other) and self._concerned(scope, ("keys", one), ("keys", other)):
                path = self._place(scope, ("keys", other), ("keys", one))
                message = f'{dotted(scope)}.keys: {one} and {other} are both "{key}"'
                self._source.report(path, message, expected="a key of its own for each")

    def _qualifier_keys(self, scope: KeyPath, keys: QualifierKeySettings) -> None:
        """What was pressed last is looked at after every key: who presses *12 has pressed *1, and 12."""
        for names in combinations(QualifierKeySettings.model_fields, 2):
            part, whole = sorted(names, key=lambda name: len(getattr(keys, name)))
            pressed, within = getattr(keys, part), getattr(keys, whole)
            settings: list[KeyPath] = [("qualifier_keys", name) for name in reversed(names)]
            if pressed not in within or not self._concerned(scope, *settings):
                continue
            section, path = f"{dotted(scope)}.qualifier_keys", self._place(scope, *settings)
            if pressed == within:
                message = f'{section}: {part} and {whole} are both "{pressed}"'
                self._source.report(path, message, expected="a sequence of its own for each")
            else:
                message = f'{section}: who presses {whole} ("{within}") presses {part} ("{pressed}") as well'
                self._source.report(path, message, expected="sequences of which none is part of another")

    def _concerned(self, scope: KeyPath, *settings: KeyPath) -> bool:
        """Tell whether ``scope`` is the place to report a contradiction of ``settings``: it sets one, and all
        are sound.
        """
        relied_on = {(*place, *setting) for place in (scope, _HANDOFF) for setting in settings}
        relied_on |= {path[:-1] for path in relied_on}
        if relied_on & self._faulty:
            return False
        return scope == _HANDOFF or any((*scope, *setting) in self._source.marks for setting in settings)

    def _place(self, scope: KeyPath, *settings: KeyPath) -> KeyPath:
        """Return the path of the first of ``settings`` that is written in ``scope``, else in ``handoff``."""
        places = ((*place, *setting) for place in (scope, _HANDOFF) for setting in settings)
        return next((path for path in places if path in self._source.marks), scope)

    def _members(self, team: str) -> Iterator[tuple[KeyPath, str]]:
        members = self._mapping(("teams", team)).get("agents")
        for index, agent in enumerate(members if isinstance(members, list) else ()):
            path: KeyPath = ("teams", team, "agents", index)
            if path not in self._faulty:
                yield path, str(agent)

    def _usable(self, path: KeyPath) -> dict[str, object]:
        """Return the handoff settings written at ``path`` that nobody has found fault with."""
        sound = self._sound(path)
        return {name: value for name, value in sound.items() if name in HandoffSettings.model_fields}

    def _sound(self, path: KeyPath) -> dict[str, object]:
        return {
            name: self._sound((*path, name)) if isinstance(value, dict) else value
            for name, value in self._mapping(path).items()
            if (*path, name) not in self._faulty and (*path, name) not in self._faulty_lists
        }

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        value = self._value(path)
        return value if isinstance(value, dict) else {}

    def _value(self, path: KeyPath) -> object:
        value: object = self._source.values
        for part in path:
            if isinstance(value, dict):
                value = value.get(str(part))
            else:
                value = value[part] if isinstance(value, list) and isinstance(part, int) else None
        return value

    def _warn(self, path: KeyPath, message: str, *, expected: str | None = None) -> None:
        mark = None if path in self._source.plain_texts else self._source.key_marks.get(path)
        self.warnings.append(self._source.error(path, message, expected=expected, mark=mark))


def _holds_number(path: KeyPath) -> bool:
    match path:
        case ("agents" | "teams", _, "number") | ("outside", "allow", _):
            return True
        case _:
            return False


def _called(who: KeyPath) -> str:
    """Return ``agent "ana"`` or ``team "sales"``."""
    section, id = who
    return f'{str(section).removesuffix("s")} "{id}"'
