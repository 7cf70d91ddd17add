"""How leads are handed off, and to whom: the configuration as the engine knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from asterisk_warm.config import AgentSettings, Config, TeamSettings
from asterisk_warm.config.templates import TemplateSettings
from asterisk_warm.core.handoff.model import Agent, ReturnPlace
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, QualifierKeys, Templates
from asterisk_warm.core.presence import Rules
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.engine.directory import Directory, Outside, Team


def spoken_keys(config: Config) -> Mapping[str, str] | None:
    """The keys that the shipped instructions can name: None when the teams, or who is handed a lead
    without a team, differ in them."""
    everybody = (config.handoff, *config.teams.values())
    keys = {tuple(settings.keys.model_dump().items()) for settings in everybody}
    return dict(keys.pop()) if len(keys) == 1 else None


def languages(config: Config) -> frozenset[str]:
    """In which anything may be said, beside the speech engine's own."""
    everybody = (config.handoff, *config.teams.values())
    spoken = {settings.language for settings in everybody}
    spoken |= {language for settings in everybody for language, _ in settings.translations}
    spoken |= {file.script.language for file in config.scripts.values()}
    return frozenset(language for language in spoken if language)


def directory(config: Config) -> Directory:
    """Whom the config lets a lead be handed to."""
    outside = config.outside
    return Directory(
        {name: _with_others(team(settings), config) for name, settings in config.teams.items()},
        default=_with_others(team(config.handoff), config),
        outside=Outside(outside.allow, outside.endpoint) if outside else None,
    )


def _with_others(team: Team, config: Config) -> Team:
    """What other sections of the configuration say for every team."""
    page, crm = config.screens.page or "", config.leads.crm
    return replace(team, policy=replace(team.policy, page=page, look_up=crm is not None))


def team(settings: TeamSettings) -> Team:
    """A team of the config as the engine knows it."""
    place = settings.return_to
    return Team(
        id=settings.id,
        name=settings.name,
        agents=tuple(_agent(agent) for agent in settings.agents),
        policy=_policy(settings),
        number=settings.number or "",
        transfer_mode=Mode(settings.transfer_key),
        return_to=ReturnPlace(place.context, place.extension, place.priority) if place else None,
    )


def _agent(settings: AgentSettings) -> Agent:
    return Agent(
        settings.id,
        settings.name,
        settings.endpoint,
        settings.number or "",
        language=settings.language or "",
    )


def _policy(settings: TeamSettings) -> Policy:
    qualifier = settings.qualifier_keys
    return Policy(
        mode=Mode(settings.mode),
        ring_seconds=settings.ring_seconds,
        decision_seconds=settings.decision_seconds,
        hold_seconds=settings.hold_seconds,
        comfort_seconds=settings.comfort_seconds,
        music=settings.music,
        introduction=settings.introduction,
        keys=Keys(**settings.keys.model_dump()),
        templates=_templates(settings.templates),
        qualifier_mode=Mode(settings.qualifier_mode),
        qualifier_keys=QualifierKeys(
            qualifier.complete, qualifier.three_way, qualifier.swap, qualifier.take_back
        ),
        linger_seconds=settings.linger_seconds,
        warn_seconds=settings.warn_seconds,
        recall_seconds=settings.recall_seconds,
        take_back_seconds=settings.take_back_seconds,
        require=settings.require,
        routing=Routing(
            strategy=Strategy(settings.ring),
            fanout=settings.fanout,
            widen_seconds=settings.widen_seconds,
            skills=settings.skills,
            relax_seconds=settings.relax_seconds,
            sticky_seconds=settings.sticky_seconds,
            wait_seconds=settings.wait_seconds,
        ),
        agents=Rules(settings.wrapup_seconds, settings.missed_offers),
        queue_log=settings.queue_log,
        recording=str(settings.recording or ""),
        language=settings.language or "",
        translations=tuple((language, _templates(words)) for language, words in settings.translations),
        own_words=settings.own_words,
        asks=settings.asks,
        question_seconds=settings.question_seconds,
        least_score=settings.least_score,
        script=settings.script or "",
        alert=settings.alert or "",
        auto_answer=settings.auto_answer,
    )


def _templates(settings: TemplateSettings) -> Templates:
    return Templates(**settings.model_dump())
