"""The FastAGI server: one session for each call that asks, and nothing a peer does holds up another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from asterisk_warm.agi.answer import FAIL, FAILURES, Answer, Result, commands
from asterisk_warm.agi.call import Call
from asterisk_warm.agi.environment import Environment, NotAgi, read_environment
from asterisk_warm.agi.ports import Services
from asterisk_warm.agi.saying import sounds
from asterisk_warm.agi.scripts import answer, seconds, unreachable
from asterisk_warm.agi.session import AgiError, Session
from asterisk_warm.engine.ports.journal import JournalError
from asterisk_warm.engine.ports.speech import Speaker

log = structlog.get_logger(__name__)

HOST, PORT = "127.0.0.1", 4573


@dataclass(frozen=True, slots=True)
class Limits:
    sessions: int = 500
    """At once. As many again are told that it is too many; more are closed."""
    request_bytes: int = 64 * 1024
    """Of what Asterisk says first, and of each reply."""
    request_seconds: float = 5.0
    script_seconds: float = 10.0
    """For what is no interview."""
    telling_seconds: float = 5.0
    """For all of an answer's commands."""
    stop_seconds: float = 2.0
    """How long sessions that are under way may take when the daemon stops."""


class CannotListen(OSError):
    """The address cannot be listened on; `message` says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class AgiServer:
    """Without a speaker nothing is spoken, and WARM_SAY stays empty. `language` is that of scripts which say
    none; `now` gives seconds since the epoch."""

    def __init__(
        self,
        services: Services,
        speaker: Speaker | None = None,
        *,
        host: str = HOST,
        port: int = PORT,
        language: str = "",
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._services = services
        self._speaker = speaker
        self._language = language
        self._address = host, port
        self._limits = limits or Limits()
        self._now = now
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The one it listens on (of interest when it was asked for port 0)."""
        assert self._server is not None, "started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises CannotListen."""
        host, port = self._address
        try:
            self._server = await asyncio.start_server(
                self._connected, host, port, limit=self._limits.request_bytes, backlog=self._limits.sessions
            )
        except OSError as error:
            raise CannotListen(
                f"cannot listen for AGI on {host}:{port}: {error.strerror or error}",
                "stop what listens there, or give another agi.address or agi.port",
            ) from error
        log.info("agi listens", host=host, port=self.port)

    async def stop(self) -> None:
        """Take no more calls, and let those under way finish."""
        if self._server is None:
            return
        self._server.close()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=self._limits.stop_seconds)
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task of its own"
        self._sessions.add(task)
        try:
            await self._serve(reader, writer, len(self._sessions))
        except (AgiError, TimeoutError) as error:
            log.info("an AGI session ended early", why=str(error) or "the peer was too slow")
        except asyncio.CancelledError:
            # The daemon stops; asyncio would report this task otherwise.
            pass
        finally:
            self._sessions.discard(task)
            _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sessions: int) -> None:
        if sessions > 2 * self._limits.sessions:
            raise AgiError("far too many calls ask at once")
        if sessions > self._limits.sessions:
            refusal = Answer(Result.UNREACHABLE, "too many calls ask at once")
            return await self._refuse(reader, writer, refusal)
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                environment = await read_environment(reader, self._limits.request_bytes)
        except NotAgi as error:
            if not error.spoke:
                raise AgiError(str(error)) from error
            return await self._refuse(reader, writer, Answer(Result.INVALID, str(error)))
        except ConnectionError as error:
            raise AgiError("the connection was lost") from error
        session = Session(environment, reader, writer)
        found = await self._answer(environment, session)
        say = await sounds(found, self._speaker)
        async with asyncio.timeout(self._limits.telling_seconds):
            await _tell(session, found, say)

    async def _answer(self, environment: Environment, session: Session) -> Answer:
        call = Call(environment, session, self._services, self._now, self._speaker, self._language)
        limit = seconds(environment.script) or self._limits.script_seconds
        try:
            async with asyncio.timeout(limit):
                return await answer(call)
        except AgiError:
            raise
        except TimeoutError:
            return unreachable(call, f"no answer within {limit:g} seconds")
        except JournalError as error:
            log.error("an AGI script failed", script=environment.script, why=str(error))
        except Exception:
            log.exception("an AGI script failed", script=environment.script)
        return unreachable(call, "the daemon could not answer; its log has the reason")

    async def _refuse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: Answer
    ) -> None:
        """Without having read what was asked: all commands at once, and then whatever else comes, until the
        other side closes. To close with something unread would take the commands back."""
        log.warning("an AGI call was refused", why=refusal.cause)
        lines = [*commands(refusal, ""), FAIL, ""]
        with suppress(ConnectionError):
            async with asyncio.timeout(self._limits.telling_seconds):
                writer.write("\n".join(lines).encode())
                # Else Asterisk reads all of it, does the first command, and waits for more to come.
                writer.write_eof()
                while await reader.read(self._limits.request_bytes):
                    pass


async def _tell(session: Session, found: Answer, say: str) -> None:
    for line in commands(found, say):
        await session.command(line)
    if found.result in FAILURES:
        await session.verbose(f"asterisk_warm: {session.environment.script}: {found.cause}", level=1)
        await session.send(FAIL)


def _close(writer: asyncio.StreamWriter) -> None:
    """At once for a peer that takes nothing more: what it was sent is lost then, and it has had its time."""
    if writer.transport.get_write_buffer_size():
        writer.transport.abort()
    else:
        writer.close()
