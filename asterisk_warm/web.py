"""What other people's web servers answer, or why they do not, in words that go on from the server's name."""

from __future__ import annotations

import os
from errno import EHOSTUNREACH
from http import HTTPStatus

import aiohttp


def status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def failure(error: Exception) -> str:
    """None of aiohttp's own, which hold the URL."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"has a certificate that is not trusted: {error.certificate_error}"
        case aiohttp.ClientConnectorDNSError():
            return "has a name that is not known"
        case aiohttp.ClientConnectorSSLError():
            return "does not speak TLS there: is it http:, or another port?"
        case aiohttp.ClientConnectorError():
            return f"is not reached: {os.strerror(error.os_error.errno or EHOSTUNREACH)}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | aiohttp.ClientPayloadError():
            return "broke off its answer"
        case _:
            return f"does not answer as a web server does ({type(error).__name__})"
