"""The texts that are spoken: templates with the names that each may use."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from asterisk_warm.config.section import Section
from asterisk_warm.config.values import Expects, nearest, refuse
from asterisk_warm.core.wording import TemplateError, placeholders


def _template_of(*known: str) -> AfterValidator:
    def check(template: str) -> str:
        try:
            for placeholder in placeholders(template):
                if placeholder.name not in known:
                    likely = nearest(placeholder.name, known)
                    problem = f"uses {{{placeholder.name}}}, which is not known here"
                    raise refuse(problem, f"{{{likely}}}" if likely else None)
        except TemplateError as error:
            raise refuse(f"has {error.problem}") from None
        return template

    return AfterValidator(check)


Spoken = Annotated[str, Field(min_length=1, max_length=1000)]
_OF_LEAD = ("name", "number", "summary", "score")

Briefing = Annotated[
    Spoken,
    _template_of(*_OF_LEAD, "more", "team", "details"),
    Expects("text with {name}, {number}, {summary}, {score}, {more}, {team} or {details}"),
]
Instructions = Annotated[
    Spoken,
    _template_of("accept", "decline", "repeat", "details", "ask"),
    Expects("text with {accept}, {decline}, {repeat}, {details} or {ask}"),
]
Display = Annotated[
    Spoken,
    _template_of(*_OF_LEAD),
    Expects("text with {name}, {number}, {summary} or {score}"),
]
Introduction = Annotated[
    Spoken,
    _template_of("agent", "team", "name"),
    Expects("text with {agent}, {team} or {name}"),
]
Taken = Annotated[
    Spoken,
    _template_of("agent", "team"),
    Expects("text with {agent} or {team}"),
]
Returned = Annotated[
    Spoken,
    _template_of("name", "reason"),
    Expects("text with {name} or {reason}"),
]
Recall = Annotated[
    Spoken,
    _template_of("name", "reason", "accept"),
    Expects("text with {name}, {reason} or {accept}"),
]


class TemplateSettings(Section):
    briefing: Briefing = Field(
        default="{name}. {summary}", description="What each agent hears before deciding."
    )
    instructions: Instructions = Field(
        default="Press {accept} to take the call, {decline} to decline, {repeat} to hear this again, "
        "{details} for details, {ask} to ask something.",
        description="What follows the briefing: the keys.",
    )
    details: Briefing = Field(
        default="{more}. {details}.", description="What an agent hears who asks for details."
    )
    display: Display = Field(
        default="{name}, {score}: {summary}", description="The lead, as the agents' phones show them."
    )
    introduction: Introduction = Field(
        default="Thank you for holding. I am connecting you to {agent} now.",
        description="What the lead hears as the agent joins.",
    )
    taken: Taken = Field(default="This call was taken by {agent}.", description="What the other agents hear.")
    returned: Returned = Field(
        default="{name} is back with you. {reason}.",
        description="What the qualifier alone hears when nobody took the lead.",
    )
    recall: Recall = Field(
        default="{name} is waiting for you. {reason}. Press {accept} to talk to them.",
        description="What a qualifier who had hung up hears when rung because nobody took the lead.",
    )
