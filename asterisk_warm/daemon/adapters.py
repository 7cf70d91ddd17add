"""Adapters, made as the configuration says."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from asterisk_warm.agi.ports import Services
from asterisk_warm.agi.server import AgiServer
from asterisk_warm.api.network import Network
from asterisk_warm.calendars.calendars import Calendars
from asterisk_warm.calendars.source import CalendarSource
from asterisk_warm.config import Config
from asterisk_warm.config.errors import ConfigErrors
from asterisk_warm.config.script_file import read_script
from asterisk_warm.core.script.model import Script
from asterisk_warm.crm.fields import Fields
from asterisk_warm.crm.http import HttpCrm
from asterisk_warm.daemon.failures import CannotStart
from asterisk_warm.daemon.handing_off import languages, spoken_keys
from asterisk_warm.engine.ports.speech import Speaker
from asterisk_warm.engine.qualifying.ports import BadSource, SourceFault
from asterisk_warm.speech import CachedSpeaker, speaker_from
from asterisk_warm.webhooks import Endpoint


def calendars(config: Config) -> Calendars:
    sources = {
        name: CalendarSource(
            file=source.file,
            url=source.url.reveal() if source.url else "",
            caldav=source.caldav.reveal() if source.caldav else "",
            user=source.user or "",
            password=source.password.reveal() if source.password else "",
        )
        for name, source in config.calendars.sources.items()
    }
    return Calendars(sources, config.calendars.refresh_seconds, config.calendars.stale_seconds)


def speaker(config: Config) -> CachedSpeaker:
    return speaker_from(
        config.sounds.directory,
        str(config.sounds.asterisk_directory),
        config.speech.engines,
        config.speech.budget_seconds,
        spoken_keys(config),
        config.sounds.prompts,
        voices=config.speech.voices,
        languages=sorted(languages(config)),
    )


def agi(config: Config, services: Services, speaker: Speaker) -> AgiServer | None:
    """None when the configuration switches it off."""
    if not config.agi.port:
        return None
    language = config.handoff.language or ""
    return AgiServer(services, speaker, host=config.agi.address, port=config.agi.port, language=language)


def crm(config: Config) -> HttpCrm | None:
    """None when there is none."""
    settings = config.leads.crm
    if settings is None:
        return None
    return HttpCrm(
        settings.url.reveal(),
        Fields(settings.name or "", settings.summary or "", settings.language or "", dict(settings.details)),
        user=settings.user or "",
        password=settings.password.reveal() if settings.password else "",
        token=settings.token.reveal() if settings.token else "",
        headers={name: value.reveal() for name, value in settings.headers.items()},
        budget_seconds=settings.budget_seconds,
        cache_seconds=settings.cache_seconds,
    )


def endpoints(config: Config) -> list[Endpoint]:
    return [
        Endpoint(
            name,
            entry.url.reveal(),
            tuple(secret.reveal() for secret in entry.secrets),
            frozenset(entry.events),
            entry.timeout_seconds,
        )
        for name, entry in config.webhooks.items()
    ]


def network(config: Config) -> Network | None:
    """Where the API listens beside its socket; None: nowhere. Raises CannotStart."""
    api = config.api
    if not api.port:
        return None
    tls = None
    if api.certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(api.certificate, api.key)
        except (OSError, ssl.SSLError) as error:
            raise CannotStart(
                f"the certificate {api.certificate} cannot be used: {error}",
                "see `api.certificate` and `api.key` in the config",
                exit_code=2,
            ) from error
    return Network(api.address, api.port, tls)


def script_of(source: str, name: str) -> Script:
    """The engine's `ScriptReader`."""
    try:
        return read_script(source, name)
    except ConfigErrors as errors:
        raise BadSource(
            [
                SourceFault(error.line, error.column, error.path, error.message, error.remedy)
                for error in errors.errors
            ]
        ) from errors


def machine_zone() -> tzinfo:
    """The machine's time zone, with its daylight-saving changes where they can be found."""
    name = os.environ.get("TZ", "").removeprefix(":")
    with suppress(OSError, ValueError):
        if name:
            return ZoneInfo(name)
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file)
    return UTC
