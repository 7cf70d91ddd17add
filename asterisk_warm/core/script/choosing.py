"""What there is to choose from."""

from __future__ import annotations

from asterisk_warm.core.script.languages import yes_no
from asterisk_warm.core.script.model import Choice, Kind, Question


def offered(question: Question, language: str = "") -> tuple[Choice, ...]:
    """The choices of a question with their keys on the phone, those of yes or no too (1 and 2, labelled in
    that language); empty: it is answered otherwise."""
    if question.kind is Kind.YESNO:
        yes, no = yes_no(language)
        return Choice("yes", yes, "1"), Choice("no", no, "2")
    if question.kind is not Kind.CHOICE:
        return ()
    return tuple(
        Choice(choice.value, choice.label, choice.key or str(place))
        for place, choice in enumerate(question.choices, 1)
    )
