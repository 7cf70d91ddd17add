"""Requests by HTTP, on connections that stay open: what every Asterisk takes."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from asterisk_warm.engine.ports.pbx import PbxUnreachable

REQUEST_SECONDS = 5.0
CONNECTIONS = 8
"""Asterisk's listen backlog is 10: a burst of new connections beyond it costs a second each."""
KEEPALIVE_SECONDS = 10.0
"""Asterisk itself closes an idle connection after 15."""


class HttpRequests:
    """Carried out side by side. `url` is that of Asterisk's HTTP server, without `/ari`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made at first use, because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, method: str, path: str, query: Mapping[str, str], body: object) -> tuple[int, bytes]:
        """(status, body). Raises PbxUnreachable."""
        try:
            async with self.session.request(
                method, f"{self._url}/ari{path}", params=query, json=body
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or type(error).__name__
            raise PbxUnreachable(f"Asterisk did not answer {method} {path}: {words}") from error
