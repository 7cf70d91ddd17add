"""The log of aiohttp's server, without what it could not read of a request: there may be a secret in it."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _Unquoted(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg = f"{record.msg}: {type(error).__name__}"
        return True


LOGGER = logging.getLogger("asterisk_warm.api.http")
LOGGER.addFilter(_Unquoted())
