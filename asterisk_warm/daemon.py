"""The one place that names concrete adapters: a config in, a running daemon out."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from asterisk_warm import __version__
from asterisk_warm.agi.server import AgiServer, CannotListen
from asterisk_warm.ami import codes
from asterisk_warm.ami.devices import AmiDevices
from asterisk_warm.ami.lamps import AmiLamps
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ami.queues import Paused, follow_pauses
from asterisk_warm.api.server import Api
from asterisk_warm.ari.claim import Claim
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.link import AriLink
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.ari.probe import missing_modules, takes_transfers, tell_arming
from asterisk_warm.ari.socket import Replaced
from asterisk_warm.calendars.calendars import Calendars
from asterisk_warm.calendars.source import CalendarSource
from asterisk_warm.config import AgentSettings, Config, TeamSettings
from asterisk_warm.core.handoff.model import Agent, ReturnPlace
from asterisk_warm.core.handoff.policy import Keys, Mode, Policy, QualifierKeys, Templates
from asterisk_warm.core.presence import Declared, Rules
from asterisk_warm.core.routing import Routing, Strategy
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.directory import Directory, Outside, Team
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.ports import JournalError, PbxError, Speaker, SpeechUnavailable
from asterisk_warm.engine.views import Health
from asterisk_warm.speech import speaker_from
from asterisk_warm.store.agents import SqlAgents
from asterisk_warm.store.database import Database
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.journal import SqlJournal

log = structlog.get_logger(__name__)

CONTEXTS = ("warm-handoff", "warm-connected", "warm-fetch", "warm-arm", "warm-note", "warm-agents")
"""What our dialplan file brings."""
AMI_SECONDS = 5.0
"""How long the start-up checks wait for AMI."""


class CannotStart(Exception):
    """The daemon cannot run; `remedy` says what to do, `exit_code` what the shell is told."""

    def __init__(self, message: str, remedy: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message, self.remedy, self.exit_code = message, remedy, exit_code


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT; calls go on in Asterisk meanwhile and are taken up again at the next
    start. Raises CannotStart, alone or in a group."""
    set_up_log(config.log.level, config.log.format)
    try:
        database = await Database.open(config.database.reveal(), config.node)
    except StoreError as error:
        raise CannotStart(str(error), "see `database` in the config") from error
    try:
        async with asyncio.TaskGroup() as tasks:
            daemon = Daemon(config, database)
            running = tasks.create_task(daemon.run())
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    finally:
        await database.close()


class Daemon:
    """Everything wired together."""

    def __init__(self, config: Config, database: Database) -> None:
        ari, ami = config.asterisk.ari, config.asterisk.ami
        self._config = config
        self._client = AriClient(ari.url, ari.user, ari.password.reveal())
        self._ami = AmiManager(ami.host, ami.port, ami.user, ami.password.reveal())
        self._ami.listen("UserEvent", self._user_event)
        pbx = AriPbx(self._client, ari.app, self._ami)
        claim = Claim(self._client, ari.app, f"{socket.gethostname()}, database {database.place}")
        self._link = AriLink(self._client, ari.app, pbx, claim)
        self._speaker = speaker_from(
            config.sounds.directory,
            str(config.sounds.asterisk_directory),
            config.speech.engines,
            config.speech.budget_seconds,
            _keys(config),
            config.sounds.prompts,
        )
        self._calendars = calendars(config)
        self._engine = Engine(
            journal=SqlJournal(database),
            store=SqlAgents(database),
            pbx=pbx,
            speaker=self._speaker,
            devices=AmiDevices(self._ami),
            calendars=self._calendars,
            lamps=AmiLamps(self._ami) if config.presence.lamps else None,
            directory=directory(config),
            node=config.node,
            zone=machine_zone(),
            speech_seconds=config.speech.budget_seconds,
            reachable=self._link.reachable,
            health=self._health,
        )
        self._service = self._engine.handoffs
        if config.presence.queue_pause:
            follow_pauses(self._ami, self._queue_paused)
        self._api = Api(self._service, self._engine.agents, config.api.socket)
        self._agi = agi(config, self._engine.agents, self._speaker)
        self._pauses: set[asyncio.Task[None]] = set()
        self._ours: tuple[str, ...] = ()
        """What is to be mended on our own side."""
        self._findings: tuple[str, ...] = ()
        """And in Asterisk."""
        self._version = ""

    async def run(self) -> None:
        try:
            await self._begin()
            await self._api.start()
            if not self._speaker.has_prompts():
                # The very first start: no lead is taken before there is something to say.
                await self._prompts()
            await self._start_agi()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._prompts())
                tasks.create_task(self._ami.run())
                tasks.create_task(self._calendars.run())
                tasks.create_task(self._engine.run())
                tasks.create_task(self._link.run(self._service, self._checked))
        except* Replaced as group:
            words = str(group.exceptions[0])
            raise CannotStart(words, "stop the other one, or give this one its own `app`") from None
        except* JournalError as group:
            raise CannotStart(str(group.exceptions[0]), "see `database` in the config") from None
        finally:
            await tell_arming(self._client, False)
            if self._agi is not None:
                await self._agi.stop()
            await self._engine.stop()
            await self._api.stop()
            await self._calendars.close()
            await self._speaker.close()
            await self._client.close()
            log.info("stopped; calls stay as they are")

    async def _begin(self) -> None:
        """The agents of the configuration, with what was changed in the store meanwhile."""
        config = self._config
        initial = Declared(config.presence.initial)
        conflicts = await self._engine.begin(config.agent_records, config.team_records, initial)
        for conflict in map(str, conflicts):
            log.warning("the store and the configuration differ", what=conflict)
            self._ours += (conflict,)

    async def _start_agi(self) -> None:
        """Leads are handed off without it too."""
        if self._agi is None:
            return
        try:
            await self._agi.start()
        except CannotListen as error:
            log.error("no AGI: feature codes do not work", why=error.message)
            self._ours += (f"{error.message}: {error.remedy}",)

    def _queue_paused(self, change: Paused) -> None:
        pause = self._engine.agents.queue_paused(change.interface, change.paused, change.reason)
        task = asyncio.ensure_future(pause)
        self._pauses.add(task)
        task.add_done_callback(self._pauses.discard)

    def _user_event(self, event: Mapping[str, str]) -> None:
        asked = codes.asked(event)
        if asked is not None:
            self._service.asked_in_call(asked)

    async def _prompts(self) -> None:
        """Beside everything else: calls must not wait for an engine to load."""
        try:
            await self._speaker.ensure_prompts()
            await self._speaker.prepare(self._engine.standing_lines())
        except SpeechUnavailable as unavailable:
            log.error("no prompts", why=str(unavailable))

    async def _checked(self) -> None:
        """What is missing in Asterisk, told at every connect."""
        findings = await missing_modules(self._client)
        try:
            await self._ami.wait_connected(AMI_SECONDS)
            self._version = await self._ami.version()
            findings += [
                f"context {context} is missing: include dialplan/asterisk_warm.conf in extensions.conf"
                for context in CONTEXTS
                if not await self._ami.context_exists(context)
            ]
            findings += await self._uncounted()
        except PbxError as error:
            findings.append(f"{error}: check `asterisk.ami` and manager.conf")
        await tell_arming(self._client, await takes_transfers(self._client, self._version))
        # What start-up has made stays: the collector need not walk it in the middle of an accept.
        gc.collect()
        gc.freeze()
        self._findings = tuple(findings)
        for finding in findings:
            log.warning("finding", what=finding)
        log.info("ready", asterisk=self._version, findings=len(findings))

    async def _uncounted(self) -> list[str]:
        """Phones of chan_sip of whose calls nothing is seen."""
        peers = {
            name.partition("/")[2]: agent.record.id
            for agent in self._engine.staff.agents
            for name in (agent.record.endpoint, *agent.record.hints)
            if name.casefold().startswith("sip/")
        }
        return [
            f"agent {agent}: SIP/{peer} is rung in the middle of other calls: set callcounter=yes in sip.conf"
            for peer, agent in peers.items()
            if not await self._ami.counts_calls(peer)
        ]

    async def _health(self, open_handoffs: int) -> Health:
        return Health(
            version=__version__,
            asterisk=self._version,
            ari_connected=self._link.connected,
            ami_connected=self._ami.connected,
            open_handoffs=open_handoffs,
            findings=(*self._findings, *self._ours),
        )


def _keys(config: Config) -> Mapping[str, str] | None:
    """The keys that the shipped instructions can name: None when the teams, or who is handed a lead
    without a team, differ in them."""
    everybody = (config.handoff, *config.teams.values())
    keys = {(s.keys.accept, s.keys.decline, s.keys.repeat) for s in everybody}
    if len(keys) != 1:
        return None
    accept, decline, repeat = keys.pop()
    return {"accept": accept, "decline": decline, "repeat": repeat}


def directory(config: Config) -> Directory:
    """Whom the config lets a lead be handed to."""
    outside = config.outside
    return Directory(
        {name: team(settings) for name, settings in config.teams.items()},
        default=team(config.handoff),
        outside=Outside(outside.allow, outside.endpoint) if outside else None,
    )


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
    return Agent(settings.id, settings.name, settings.endpoint, settings.number or "")


def _policy(settings: TeamSettings) -> Policy:
    keys, qualifier, templates = settings.keys, settings.qualifier_keys, settings.templates
    return Policy(
        mode=Mode(settings.mode),
        ring_seconds=settings.ring_seconds,
        decision_seconds=settings.decision_seconds,
        hold_seconds=settings.hold_seconds,
        comfort_seconds=settings.comfort_seconds,
        music=settings.music,
        introduction=settings.introduction,
        keys=Keys(keys.accept, keys.decline, keys.repeat),
        templates=Templates(
            templates.briefing,
            templates.instructions,
            templates.introduction,
            templates.taken,
            templates.returned,
            templates.recall,
        ),
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
    )


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


def agi(config: Config, agents: AgentService, speaker: Speaker) -> AgiServer | None:
    """None when the configuration switches it off."""
    if not config.agi.port:
        return None
    return AgiServer(agents, speaker, host=config.agi.address, port=config.agi.port)


def machine_zone() -> tzinfo:
    """The machine's time zone, with its daylight-saving changes where they can be found."""
    name = os.environ.get("TZ", "").removeprefix(":")
    with suppress(OSError, ValueError):
        if name:
            return ZoneInfo(name)
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file)
    return UTC


def set_up_log(level: str, form: str) -> None:
    """Lines on standard error: text for people, JSON for machines."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
    last: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if form == "text":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
