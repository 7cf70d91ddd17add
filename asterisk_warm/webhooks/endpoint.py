"""Where notices are sent, and how they are signed: standardwebhooks.com."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    url: str
    secrets: tuple[str, ...]
    """`whsec_` and Base64. Each of them signs, so that a new one can be brought in before the old one is
    taken out."""
    kinds: frozenset[str]
    """Of the notices that it wants."""
    timeout_seconds: float = 10.0
    """How long one attempt may take."""

    def __post_init__(self) -> None:
        """Raises ValueError for a secret that is none."""
        for secret in self.secrets:
            _key(secret)

    def headers(self, id: str, at: float, body: bytes) -> Mapping[str, str]:
        """Of one attempt, `at` in seconds since the epoch."""
        stamp = f"{int(at)}"
        signed = f"{id}.{stamp}.".encode() + body
        signatures = [f"v1,{_signature(secret, signed)}" for secret in self.secrets]
        return {
            "content-type": "application/json",
            "user-agent": "asterisk-warm",
            "webhook-id": id,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(signatures),
        }


def _signature(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(_key(secret), signed, sha256)).decode()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
