"""Everything wired together, and run."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from asterisk_warm import __version__
from asterisk_warm.agi import outcome
from asterisk_warm.agi.interview import render
from asterisk_warm.agi.ports import Services as Scripts
from asterisk_warm.agi.server import CannotListen
from asterisk_warm.ami import codes
from asterisk_warm.ami.devices import AmiDevices
from asterisk_warm.ami.lamps import AmiLamps
from asterisk_warm.ami.manager import AmiManager
from asterisk_warm.ami.queues import Paused, follow_pauses
from asterisk_warm.api.screens import ScreenHub
from asterisk_warm.api.server import Api
from asterisk_warm.api.services import Services
from asterisk_warm.api.tokens import Tokens
from asterisk_warm.ari.claim import Claim
from asterisk_warm.ari.client import AriClient
from asterisk_warm.ari.link import AriLink
from asterisk_warm.ari.pbx import AriPbx
from asterisk_warm.ari.probe import missing_modules, takes_transfers, tell_arming
from asterisk_warm.ari.socket import Replaced
from asterisk_warm.config import Config
from asterisk_warm.config.script_file import places
from asterisk_warm.core.leads import Disposition
from asterisk_warm.core.presence import Declared
from asterisk_warm.daemon import adapters
from asterisk_warm.daemon.failures import CannotStart
from asterisk_warm.daemon.findings import speechless, uncounted, undelivered
from asterisk_warm.daemon.handing_off import directory
from asterisk_warm.daemon.log import set_up_log
from asterisk_warm.daemon.rendering import Rendering
from asterisk_warm.engine.engine import Engine
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.ports.pbx import PbxError
from asterisk_warm.engine.ports.speech import SpeechUnavailable
from asterisk_warm.engine.retention import Retention
from asterisk_warm.engine.screens.ports import Notice
from asterisk_warm.engine.screens.service import Screens
from asterisk_warm.engine.views import Health
from asterisk_warm.store.agents import SqlAgents
from asterisk_warm.store.database import Database
from asterisk_warm.store.deliveries import SqlDeliveries
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.journal import SqlJournal
from asterisk_warm.store.leads import SqlLeads
from asterisk_warm.store.qualifications import SqlQualifications
from asterisk_warm.store.scripts import SqlScripts
from asterisk_warm.store.tokens import SqlTokens
from asterisk_warm.webhooks import Webhooks

log = structlog.get_logger(__name__)

CONTEXTS = (
    "warm-handoff",
    "warm-connected",
    "warm-fetch",
    "warm-arm",
    "warm-note",
    "warm-agents",
    "warm-qualify",
)
"""What our dialplan file brings."""
AMI_SECONDS = 5.0
"""How long the start-up checks wait for AMI."""


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
        self._zone = adapters.machine_zone()
        self._rendering = Rendering()
        self._speaker = adapters.speaker(config)
        self._calendars = adapters.calendars(config)
        self._crm = adapters.crm(config)
        self._hub = ScreenHub(self._present)
        self._webhooks = Webhooks(SqlDeliveries(database), adapters.endpoints(config))
        self._screens = Screens(
            {"screens": self._hub, "webhooks": self._webhooks}, config.screens.budget_seconds
        )
        qualifications = SqlQualifications(database)
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
            zone=self._zone,
            speech_seconds=config.speech.budget_seconds,
            reachable=self._link.reachable,
            health=self._health,
            leads=SqlLeads(database),
            scripts=SqlScripts(database),
            qualifications=qualifications,
            read_script=adapters.script_of,
            places=places,
            screens=self._screens,
            crm=self._crm,
            dispositions=[
                Disposition(id, entry.name, entry.key or "") for id, entry in config.dispositions.items()
            ],
            region=config.leads.region,
        )
        self._service = self._engine.handoffs
        self._retention = Retention(pbx, qualifications, config.recordings.keep_days)
        if config.presence.queue_pause:
            follow_pauses(self._ami, self._queue_paused)
        engine = self._engine
        self._api = Api(
            Services(
                engine.handoffs,
                engine.agents,
                engine.leads,
                engine.scripts,
                engine.qualifications,
                self._webhooks,
            ),
            config.api.socket,
            screens=self._hub,
            tokens=Tokens(SqlTokens(database)),
            network=adapters.network(config),
        )
        asked = Scripts(engine.agents, engine.leads, engine.qualifications, engine.scripts, pbx)
        self._agi = adapters.agi(config, asked, self._speaker)
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
                self._rendering.begin()
                await self._prompts(self._rendering.progress)
                self._rendering.end()
            await self._start_agi()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._render())
                tasks.create_task(self._ami.run())
                tasks.create_task(self._calendars.run())
                tasks.create_task(self._webhooks.run())
                tasks.create_task(self._engine.run())
                tasks.create_task(self._retention.run(self._link.reachable))
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
            await self._screens.close()
            await self._webhooks.close()
            if self._crm is not None:
                await self._crm.close()
            await self._calendars.close()
            await self._speaker.close()
            await self._client.close()
            log.info("stopped; calls stay as they are")

    async def _begin(self) -> None:
        """The agents and scripts of the configuration, with what was changed in the store meanwhile."""
        config = self._config
        initial = Declared(config.presence.initial)
        conflicts = await self._engine.begin(config.agent_records, config.team_records, initial)
        for conflict in map(str, conflicts):
            log.warning("the store and the configuration differ", what=conflict)
            self._ours += (conflict,)
        sources = {id: file.source for id, file in config.scripts.items()}
        for problem in await self._engine.scripts.seed(sources):
            log.error("a script was not published", why=problem)
            self._ours += (problem,)

    async def _start_agi(self) -> None:
        """Leads are handed off without it too."""
        if self._agi is None:
            return
        try:
            await self._agi.start()
        except CannotListen as error:
            log.error("no AGI: feature codes do not work", why=error.message)
            self._ours += (f"{error.message}: {error.remedy}",)

    def _present(self, agent: str) -> Sequence[Notice]:
        """What a screen of theirs that connects now is to show."""
        return self._screens.present(self._service.open_handoffs, agent)

    def _queue_paused(self, change: Paused) -> None:
        pause = self._engine.agents.queue_paused(change.interface, change.paused, change.reason)
        task = asyncio.ensure_future(pause)
        self._pauses.add(task)
        task.add_done_callback(self._pauses.discard)

    def _user_event(self, event: Mapping[str, str]) -> None:
        asked = codes.asked(event)
        if asked is not None:
            self._service.asked_in_call(asked)

    async def _prompts(self, progress: Callable[[str, int, int], None] | None = None) -> None:
        """Beside everything else: calls must not wait for an engine to load."""
        try:
            await self._speaker.ensure_prompts(progress)
            lines = self._engine.standing_lines()
            for language in dict.fromkeys(line.language for line in lines):
                texts = [line.text for line in lines if line.language == language]
                await self._speaker.prepare(texts, language)
            await self._speaker.prepare(outcome.lines(self._engine.leads.dispositions.values()))
        except SpeechUnavailable as unavailable:
            log.error("speech does not work; recorded prompts serve", why=str(unavailable))

    async def _render(self) -> None:
        """Whatever may be said, beforehand."""
        await self._prompts()
        try:
            for script in await self._engine.scripts.list():
                published = await self._engine.scripts.script(script.id)
                await render(self._speaker, published.script, self._config.handoff.language or "")
            log.info("rendered what may be said")
        except (Refused, JournalError) as error:
            log.warning("scripts are not rendered beforehand", why=str(error))

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
            findings += await uncounted(self._ami, self._engine.staff.agents)
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

    def _mend(self) -> Iterator[str]:
        """What is to be mended now, and will tell by itself when it is."""
        yield from speechless(self._speaker.down, time.time(), self._zone)
        yield from undelivered(self._webhooks.failing, self._zone)

    async def _health(self, open_handoffs: int) -> Health:
        return Health(
            version=__version__,
            asterisk=self._version,
            ari_connected=self._link.connected,
            ami_connected=self._ami.connected,
            open_handoffs=open_handoffs,
            findings=(*self._findings, *self._ours, *self._mend()),
            starting=self._rendering.words,
        )
