"""What may be written in short in a script is written out, as its form has it.

A question's wording may be one text, its choices a mapping of values to labels, an answer stand for itself in
`when` and `is`. YAML 1.1 reads the answers `yes` and `5` as something else: they count as they were written.
"""

from __future__ import annotations

from asterisk_warm.config.errors import KeyPath
from asterisk_warm.config.yaml_source import Source


def write_out(source: Source) -> None:
    """Change the values of ``source``, with the places of what comes to stand elsewhere."""
    writer = _Writer(source)
    for path, question in writer.mappings(source.values, ("questions",)):
        writer.question(path, question)


class _Writer:
    def __init__(self, source: Source) -> None:
        self._source = source

    def mappings(self, holder: dict[str, object], at: KeyPath) -> list[tuple[KeyPath, dict[str, object]]]:
        """The entries of the mapping, or the list, that ``holder`` has at the end of ``at``."""
        held = holder.get(str(at[-1]))
        entries = (
            held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
        )
        return [((*at, key), entry) for key, entry in entries if isinstance(entry, dict)]

    def question(self, at: KeyPath, question: dict[str, object]) -> None:
        self._wording(at, question)
        self._choices(at, question)
        self._conditions((*at, "when"), question)
        for path, rule in self.mappings(question, (*at, "rules")):
            self._answers(path, rule)

    def _wording(self, at: KeyPath, question: dict[str, object]) -> None:
        path, say = (*at, "say"), question.get("say")
        if say is not None and not isinstance(say, dict | list):
            self._as_was(path, (*path, "console"))
            question["say"] = {"console": say}

    def _choices(self, at: KeyPath, question: dict[str, object]) -> None:
        path, choices = (*at, "choices"), question.get("choices")
        if not isinstance(choices, dict):
            return
        for index, value in enumerate(choices):
            mark = self._source.key_marks.get((*path, value))
            for place in ((*path, index), (*path, index, "value")):
                self._source.marks[place] = mark or self._source.mark(path)
            self._as_was((*path, value), (*path, index, "label"))
        question["choices"] = [{"value": value, "label": label} for value, label in choices.items()]

    def _conditions(self, at: KeyPath, question: dict[str, object]) -> None:
        conditions = question.get("when")
        if not isinstance(conditions, dict):
            return
        for id, match in conditions.items():
            path = (*at, id)
            if isinstance(match, dict):
                self._answers(path, match)
            elif match is not None or path in self._source.broken:
                self._as_was(path, (*path, "is"), match)
                conditions[id] = answer = {"is": match}
                self._answers(path, answer)

    def _answers(self, at: KeyPath, match: dict[str, object]) -> None:
        """Make `is` a list, and numbers and words of YAML in it the texts that were written."""
        path, answers = (*at, "is"), match.get("is")
        if isinstance(answers, dict) or (answers is None and path not in self._source.broken):
            return
        if not isinstance(answers, list):
            self._as_was(path, (*path, 0))
            answers = [answers]
        match["is"] = [self._text((*path, index), answer) for index, answer in enumerate(answers)]

    def _text(self, path: KeyPath, answer: object) -> object:
        if isinstance(answer, bool | int | float):
            return self._source.text(path) or str(answer)
        return answer

    def _as_was(self, old: KeyPath, new: KeyPath, value: object = None) -> None:
        """What is said of ``old``, and of the items of the list ``value``, is said of ``new``."""
        source = self._source
        items = range(len(value)) if isinstance(value, list) else ()
        for path, there in ((old, new), *(((*old, index), (*new, index)) for index in items)):
            source.marks[there] = source.mark(path)
            if (text := source.text(path)) is not None:
                source.plain_texts[there] = text
            if path in source.broken:
                source.broken.add(there)
