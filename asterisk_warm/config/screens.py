"""Who is told of offers: the agents' screens, and other systems by webhook."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from asterisk_warm.config.durations import ScreenSeconds, TimeoutSeconds
from asterisk_warm.config.section import Section, distinct
from asterisk_warm.config.urls import PAGE_URL, SIGNING, PageUrl, SigningSecret, WebhookUrl
from asterisk_warm.config.values import Expects

Event = Literal[
    "offer.made",
    "offer.answered",
    "offer.accepted",
    "offer.closed",
    "handoff.ended",
    "handoff.outcome",
    "qualification.finished",
]
"""What a webhook may be told: the news of a handoff, what came of it, and the end of a qualification."""
EVENTS: tuple[Event, ...] = get_args(Event)


class ScreensSettings(Section):
    budget_seconds: ScreenSeconds = Field(
        default=0.25,
        description="How long an agent's phone waits to ring until screens and webhooks have been told.",
    )
    page: Annotated[PageUrl | None, Expects(PAGE_URL.text, default="none")] = Field(
        default=None, description="The page that a softphone may open as it rings."
    )


class WebhookEntry(Section):
    url: WebhookUrl = Field(description="Where the news is sent, by POST.")
    secrets: Annotated[
        tuple[SigningSecret, ...],
        Field(min_length=1, max_length=5, strict=False),
        Expects("a list of 1 to 5 secrets of whsec_ and Base64", item=SIGNING.text),
    ] = Field(
        description="What it is signed with (Standard Webhooks): with each of them, so that a new one can be "
        "brought in before the old one is taken out."
    )
    events: Annotated[
        tuple[Event, ...],
        Field(min_length=1, strict=False),
        distinct("an event"),
        Expects(f"a list of {', '.join(EVENTS[:-1])} and {EVENTS[-1]}", item="such an event", default="all"),
    ] = Field(default=EVENTS, description="What is sent there.")
    timeout_seconds: TimeoutSeconds = Field(
        default=10.0, description="How long one attempt may take before it is made again later."
    )
