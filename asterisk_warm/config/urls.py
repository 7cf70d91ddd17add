"""The kinds of address that are fetched or opened over HTTP, and what is sent along."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from asterisk_warm.config.values import Expects, Secret, nearest, refuse, secret_text

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _checked(text: str, placeholders: Collection[str] = ()) -> str:
    """Allow one address of a host that nobody but who wrote it chooses."""
    for name in _PLACEHOLDER.findall(text):
        if name not in placeholders:
            likely = nearest(name, placeholders)
            raise refuse(f"uses {{{name}}}, which is not known here", f"{{{likely}}}" if likely else None)
    plain = _PLACEHOLDER.sub("0", text)
    if not re.fullmatch(r"https?://[\x21-\x7e]+", plain) or set(plain) & set('{}"<>\\^`|'):
        raise refuse("is not a URL of http:// or https://")
    try:
        url, written = urlsplit(plain), urlsplit(text)
        usable = url.hostname is not None and url.port != 0
    except ValueError:
        usable = False
    if not usable or url.netloc != written.netloc:
        raise refuse("has no valid host and port")
    if url.username is not None:
        raise refuse("holds a user, which has a setting of its own or goes into a secret header")
    return text


def _hidden(text: str) -> Secret:
    """Shown without its path: whoever has such an address may need no more to use it."""
    url = urlsplit(text)
    return Secret(text, f"{url.scheme}://{url.netloc}/***")


def _look_up_url(value: object, info: ValidationInfo) -> Secret:
    text = _checked(secret_text(value, info), ("number",))
    if "{number}" not in text:
        raise refuse("does not hold {number}")
    return _hidden(text)


def _webhook_url(value: object, info: ValidationInfo) -> Secret:
    return _hidden(_checked(secret_text(value, info)))


def _page_url(value: str) -> str:
    return _checked(value, ("id", "number", "agent"))


def _signing_secret(value: object, info: ValidationInfo) -> Secret:
    """A secret of Standard Webhooks: 24 to 64 bytes in Base64 behind `whsec_`."""
    text = secret_text(value, info)
    if not text.startswith("whsec_"):
        raise refuse("does not begin with whsec_")
    try:
        length = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        raise refuse("is not Base64 after whsec_") from None
    if not 24 <= length <= 64:
        raise refuse(f"stands for {length} bytes, not for 24 to 64")
    return Secret(text)


_RESERVED = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"}


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", value):
        raise refuse("is not the name of a header")
    if value.lower() in _RESERVED:
        raise refuse("is a header that HTTP itself sets")
    return value


def _header_value(value: object, info: ValidationInfo) -> Secret:
    text = secret_text(value, info)
    if not text.isascii():
        raise refuse("holds a character that is not ASCII")
    return Secret(text)


def _pointer(value: str) -> str:
    """A JSON pointer (RFC 6901); the empty one, which is the whole document, is no text."""
    if not value.startswith("/"):
        raise refuse("does not start with a slash", f"/{value.replace('.', '/')}" if value.strip() else None)
    if re.search(r"~(?![01])", value):
        raise refuse('holds a "~" that is neither ~0 nor ~1')
    if not value.isprintable():
        raise refuse("holds a control character or a line break")
    return value


LOOK_UP_URL = Expects("http://... or https://... with {number} in it, env:NAME or file:/path")
PAGE_URL = Expects("http://... or https://..., with {id}, {number} or {agent} in it or not")
WEBHOOK_URL = Expects("http://... or https://..., env:NAME or file:/path")
SIGNING = Expects("whsec_ and Base64, env:NAME or file:/path")
HEADER = Expects("the name of a header, such as X-Api-Key")
POINTER = Expects("a JSON pointer, such as /contact/name")

LookUpUrl = Annotated[Secret, BeforeValidator(_look_up_url), LOOK_UP_URL]
PageUrl = Annotated[str, Field(max_length=500), AfterValidator(_page_url), PAGE_URL]
WebhookUrl = Annotated[Secret, BeforeValidator(_webhook_url), WEBHOOK_URL]
SigningSecret = Annotated[Secret, BeforeValidator(_signing_secret), SIGNING]
HeaderName = Annotated[str, AfterValidator(_header), HEADER]
HeaderValue = Annotated[Secret, BeforeValidator(_header_value), Expects("text, env:NAME or file:/path")]
Pointer = Annotated[str, Field(max_length=200), AfterValidator(_pointer), POINTER]
