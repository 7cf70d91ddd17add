"""What has changed between two versions of a script, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from asterisk_warm.core.script.choosing import offered
from asterisk_warm.core.script.model import Question, Script
from asterisk_warm.core.script.telling import limits_words, match_words, rule_words


def differences(old: Script, new: Script) -> Sequence[str]:
    """A line for each difference: of the script as a whole, then question by question in their new order;
    empty: there is none."""
    return [*_changed("", _script(old), _script(new)), *_gone(old, new), *_questions(old, new)]


def _script(script: Script) -> Mapping[str, str]:
    return {
        "id": script.id,
        "name": script.name,
        "language": script.language,
        "date order": script.date_order,
        "days that it counts": f"{script.valid_days:g}",
        "score of ready": f"{script.ready:g}",
        "score of nurture": f"{script.nurture:g}",
        "reason below ready": script.below,
        "summary": script.summary,
        "details": script.details,
    }


def _question(question: Question) -> Mapping[str, str]:
    return {
        "kind": question.kind,
        "wording": question.wording.console,
        "voice wording": question.wording.voice,
        "text wording": question.wording.text,
        "help": question.help,
        "optional": "yes" if question.optional else "no",
        "limits": limits_words(question, question),
        "tries": f"{question.tries}",
        "seconds": f"{question.seconds:g}",
    }


def _gone(old: Script, new: Script) -> Iterator[str]:
    for question in old.questions:
        if new.question(question.id) is None:
            yield f"{question.id}: is no longer asked"


def _questions(old: Script, new: Script) -> Iterator[str]:
    moved = _moved([question.id for question in old.questions], [question.id for question in new.questions])
    for place, question in enumerate(new.questions):
        after = f"after {new.questions[place - 1].id}" if place else "first"
        before = old.question(question.id)
        if before is None:
            yield f"{question.id}: is new, asked {after}: {question.wording.console}"
            continue
        if question.id in moved:
            yield f"{question.id}: is asked {after} now"
        yield from _changed(f"{question.id}: ", _question(before), _question(question))
        yield from _conditions(question.id, _when(old, before), _when(new, question))
        yield from _listed(question.id, "answer", _choices(before), _choices(question))
        yield from _listed(question.id, "rule", _rules(before), _rules(question))


def _moved(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """Those of both that have changed places; as few as may be."""
    ours, theirs = [id for id in old if id in new], [id for id in new if id in old]
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return set(theirs) - {id for block in blocks for id in theirs[block.b : block.b + block.size]}


def _changed(who: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name, now in new.items():
        before = old[name]
        if before != now:
            yield f"{who}{name} {_quoted(now)} instead of {_quoted(before)}"


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "none"


def _when(script: Script, question: Question) -> str:
    earlier = {other.id: _bare(other) for other in script.questions}
    return ", ".join(f"{id} is {match_words(earlier.get(id), match)}" for id, match in question.when.items())


def _conditions(id: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        now, before = (f"only if {when}" if when else "always" for when in (new, old))
        yield f"{id}: is asked {now}, was {before}"


def _choices(question: Question) -> list[str]:
    return [f"{choice.key} {choice.value} “{choice.label}”" for choice in offered(question)]


def _rules(question: Question) -> list[str]:
    return [rule_words(_bare(question), rule) for rule in question.rules]


def _bare(question: Question) -> Question:
    """Its answers go by their values, so that a new label is one difference."""
    return replace(question, choices=())


def _listed(id: str, what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for text in _only(old, new):
        yield f"{id}: {what} gone: {text}"
    for text in _only(new, old):
        yield f"{id}: {what} new: {text}"
    if old != new and sorted(old) == sorted(new):
        yield f"{id}: the {what}s are in another order"


def _only(these: Sequence[str], those: Sequence[str]) -> list[str]:
    """As often as these have them more than those."""
    return list((Counter(these) - Counter(those)).elements())
