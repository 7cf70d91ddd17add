"""Templates of spoken sentences: ``"{name}. {summary}"`` plus a lead's details becomes text to be said.

Two things make this more than ``str.format``. A template can only name a value: there are no attributes,
indexes, conversions or format specs to reach into objects with, and a value is never read as a template
itself. And a detail that is missing takes the words around it along, so that what is said still reads well.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate


class TemplateError(ValueError):
    """A template that cannot be read. ``offset`` is the position of the fault in the template, from 0."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``{name}`` in a template, found at ``offset`` (from 0)."""

    name: str
    offset: int


def placeholders(template: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of ``template`` in order, repeats included.

    Raises TemplateError on a lone brace, and on anything in braces that is not a plain lower-case name.
    """
    return tuple(part for part in _parse(template) if isinstance(part, Placeholder))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put ``values`` into ``template`` and return the text to say, possibly ``""``.

    A value that is absent, or holds no letter or digit, is *missing*. Missing values are taken out together
    with the smallest unit that holds nothing else: a bracket, a clause (between commas, colons or
    semicolons), a sentence. So ``"{name}. Wants: {summary}."`` without a summary is ``"Ana."``, and
    ``"{name}, from {team}."`` without a name is ``"from Sales."``. A template's own line breaks end a
    sentence; control characters in values become spaces.

    Raises TemplateError as `placeholders` does.
    """
    spoken: list[str] = []
    skeleton = ""
    for part in _parse(template):
        if isinstance(part, str):
            skeleton += part
            continue
        value = _one_line(values.get(part.name, ""))
        if any(character.isalnum() for character in value):
            skeleton += _value_mark(len(spoken))
            spoken.append(value)
        else:
            skeleton += _MISSING
    sentences = (_without_missing(sentence) for sentence in _SENTENCE_END.split(_drop_brackets(skeleton)))
    return _insert(" ".join(filter(None, sentences)), spoken)


def spoken_key(key: str) -> str:
    """Return how a key of a telephone is said: `fill` would take ``*`` and ``#``, no words, as missing."""
    return {"*": "star", "#": "hash"}.get(key, key)


DIGIT_CHARACTERS = 4
"""For how many letters a digit counts in what is spoken: measured, it takes five times as long as one."""


def spoken_length(text: str) -> int:
    """Return how long it takes to say, in letters."""
    return sum(map(_length, text))


def _length(character: str) -> int:
    return DIGIT_CHARACTERS if character.isdigit() else 1


def shortened(text: str, letters: int) -> str:
    """Return as many sentences of ``text`` as are spoken in the time of that many letters; where not even one
    is, as many clauses, or words.
    """
    fits = bisect_right(list(accumulate(map(_length, text))), letters)
    if fits == len(text):
        return text
    for end in (_A_SENTENCE, _A_CLAUSE, _A_WORD):
        fitting = [match.start() for match in end.finditer(text) if 0 < match.start() <= fits]
        if fitting:
            return text[: fitting[-1]].rstrip()
    return text[:fits]


_A_SENTENCE, _A_CLAUSE, _A_WORD = re.compile(r"[.!?](?=\s)"), re.compile(r"[,;:](?=\s)"), re.compile(r"\s")

# A filled template is first a skeleton: values stand in it as numbered marks, missing values as one
# character, so that tidying up never touches the words of a value. The marks are control characters, which
# `_parse` takes out of templates.
_MISSING = "\x00"
_VALUE_START, _VALUE_END = "\x01", "\x02"
_VALUE = re.compile(f"{_VALUE_START}([0-9]+){_VALUE_END}([.!?]?)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_CLAUSE_END = re.compile(r"(\s*[,;:](?=[\s\x00-\x02]))")
_CLOSING = re.compile(r"[.!?]*\s*\Z")
_BRACKETS = re.compile(r"\([^()\x01]*\x00[^()\x01]*\)|\[[^\[\]\x01]*\x00[^\[\]\x01]*\]")
_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


@lru_cache
def _parse(template: str) -> tuple[str | Placeholder, ...]:
    return tuple(_parts(template))


def _parts(template: str) -> Iterator[str | Placeholder]:
    position = 0
    for token in _TOKEN.finditer(template):
        yield _CONTROL.sub(" ", template[position : token.start()])
        position = token.end()
        name = token.group(1)
        if name is not None:
            yield Placeholder(name, token.start())
        elif len(token.group()) == 2:
            yield token.group()[0]
        else:
            raise TemplateError(token.start(), _brace_problem(template, token.start()))
    yield _CONTROL.sub(" ", template[position:])


def _brace_problem(template: str, offset: int) -> str:
    if template[offset] == "}":
        return 'a "}" that closes nothing (write "}}" to say a brace)'
    inside, closed, _ = template[offset + 1 :].partition("}")
    if not closed:
        return 'a "{" that is never closed (write "{{" to say a brace)'
    return f"{{{inside[:30]}}} where only a plain name may stand in braces"


def _one_line(value: str) -> str:
    return " ".join(_CONTROL.sub(" ", value).split())


def _value_mark(number: int) -> str:
    return f"{_VALUE_START}{number}{_VALUE_END}"


def _drop_brackets(skeleton: str) -> str:
    return _BRACKETS.sub("", skeleton)


def _without_missing(sentence: str) -> str:
    if _is_only_missing(sentence):
        return ""
    closing = _CLOSING.search(sentence)
    end = closing.start() if closing else len(sentence)
    body = "".join(_kept_clauses(sentence[:end])).replace(_MISSING, " ")
    body = re.sub(r"\s+([,;:])", r"\1", " ".join(body.split()))
    return body + sentence[end:].strip() if body else ""


def _kept_clauses(sentence: str) -> Iterator[str]:
    """Yield what stays of a sentence: each clause behind the separator that leads to it, the first without
    one.
    """
    pieces = _CLAUSE_END.split(sentence)
    first = True
    for index in range(0, len(pieces), 2):
        clause = pieces[index]
        if _is_only_missing(clause):
            continue
        separator = pieces[index - 1].strip() if index else ""
        yield clause.lstrip() if first else separator + clause
        first = False


def _is_only_missing(text: str) -> bool:
    return _MISSING in text and _VALUE_START not in text


def _insert(skeleton: str, spoken: list[str]) -> str:
    def value(match: re.Match[str]) -> str:
        text, closing = spoken[int(match.group(1))], match.group(2)
        # "Wants a quote." at the end of "{summary}." must not be said as two full stops.
        return text if text[-1] in ".!?" else text + closing

    return _VALUE.sub(value, skeleton).strip()
