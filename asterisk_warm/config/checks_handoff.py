"""What is wrong between settings of `handoff`, or of a team, that are each well formed."""

from __future__ import annotations

from itertools import combinations

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.handoff import HandoffSettings, KeySettings, QualifierKeySettings
from asterisk_warm.config.written import Written

_TIMES: tuple[KeyPath, ...] = (("ring_seconds",), ("decision_seconds",), ("hold_seconds",))


def check(written: Written) -> None:
    """Check the settings that count in each scope: ``handoff`` itself, or one team."""
    for scope, settings in written.settings():
        _times(written, scope, settings)
        _warning_time(written, scope, settings)
        _waiting_time(written, scope, settings)
        _keys(written, scope, settings)
        _qualifier_keys(written, scope, settings.qualifier_keys)


def _times(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    ring, hold, decision = settings.ring_seconds, settings.hold_seconds, settings.decision_seconds
    if ring > hold and written.concerned(scope, ("ring_seconds",), ("hold_seconds",)):
        path = written.place(scope, ("ring_seconds",), ("hold_seconds",))
        message = f"{dotted(scope)}: ring_seconds ({ring:g}) is longer than hold_seconds ({hold:g})"
        written.report(path, message, expected="ring_seconds of at most hold_seconds")
    elif ring + decision > hold and written.concerned(scope, *_TIMES):
        path = written.place(scope, *_TIMES)
        message = (
            f"{dotted(scope)}: hold_seconds ({hold:g}) can end before an agent who answers late "
            f"has decided (ring_seconds {ring:g} + decision_seconds {decision:g})"
        )
        written.warn(path, message)


def _warning_time(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    """A default that does not suit a short hold is nobody's slip: the warning comes at once."""
    warn, hold = settings.warn_seconds, settings.hold_seconds
    both: tuple[KeyPath, ...] = (("warn_seconds",), ("hold_seconds",))
    if warn >= hold and written.sets(scope, "warn_seconds") and written.concerned(scope, *both):
        path = written.place(scope, *both)
        message = f"{dotted(scope)}: warn_seconds ({warn:g}) is not shorter than hold_seconds ({hold:g})"
        written.report(path, message, expected="warn_seconds of less than hold_seconds, or 0")


def _waiting_time(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    """A default that does not suit a short hold is nobody's slip: waiting ends with the hold."""
    wait, hold = settings.wait_seconds, settings.hold_seconds
    both: tuple[KeyPath, ...] = (("wait_seconds",), ("hold_seconds",))
    if wait > hold and written.sets(scope, "wait_seconds") and written.concerned(scope, *both):
        message = f"{dotted(scope)}: wait_seconds ({wait:g}) is longer than hold_seconds ({hold:g})"
        written.warn(written.place(scope, *both), message, expected="wait_seconds of at most hold_seconds")


def _keys(written: Written, scope: KeyPath, settings: HandoffSettings) -> None:
    """Where nothing may be asked back, the key for it is like any other."""
    keys = settings.keys
    names = [name for name in KeySettings.model_fields if name != "ask" or settings.asks]
    for one, other in combinations(names, 2):
        key = getattr(keys, one)
        if key == getattr(keys, other) and written.concerned(scope, ("keys", one), ("keys", other)):
            path = written.place(scope, ("keys", other), ("keys", one))
            message = f'{dotted(scope)}.keys: {one} and {other} are both "{key}"'
            written.report(path, message, expected="a key of its own for each")


def _qualifier_keys(written: Written, scope: KeyPath, keys: QualifierKeySettings) -> None:
    """What was pressed last is looked at after every key: who presses *12 has pressed *1, and 12."""
    for names in combinations(QualifierKeySettings.model_fields, 2):
        part, whole = sorted(names, key=lambda name: len(getattr(keys, name)))
        pressed, within = getattr(keys, part), getattr(keys, whole)
        settings: list[KeyPath] = [("qualifier_keys", name) for name in reversed(names)]
        if pressed not in within or not written.concerned(scope, *settings):
            continue
        section, path = f"{dotted(scope)}.qualifier_keys", written.place(scope, *settings)
        if pressed == within:
            message = f'{section}: {part} and {whole} are both "{pressed}"'
            written.report(path, message, expected="a sequence of its own for each")
        else:
            message = f'{section}: who presses {whole} ("{within}") presses {part} ("{pressed}") as well'
            written.report(path, message, expected="sequences of which none is part of another")
