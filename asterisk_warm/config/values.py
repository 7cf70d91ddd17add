"""The kinds of value a setting can have: how each is read, and the words that say what was expected.

Every reader raises `PydanticCustomError` with the context keys ``problem`` and ``suggestion``; the caller
adds the place. What Asterisk dials has its kinds in `dialled`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Expects:
    """Finishes the sentence "expected ..."; ``item`` does so for one item of a list.

    ``default`` describes a default that is worked out. ``whole``: a section whose settings are described
    elsewhere, so that the reference has one row for it.
    """

    text: str
    item: str | None = None
    default: str | None = None
    whole: bool = False


class Secret:
    """A text that is never shown: printing it, in a log or a traceback, gives ``shown`` instead.

    Not a dataclass: those are taken apart by `asdict`, pydantic and pretty printers.
    """

    __slots__ = ("_value", "shown")

    def __init__(self, value: str, shown: str = "***") -> None:
        self._value = value
        self.shown = shown

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.shown})"

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value may refer to: environment variables, and files beside the configuration file."""

    environ: Mapping[str, str]
    folder: Path


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the word of ``known`` that ``word`` was most likely meant to be, or None.

    ``likeness`` goes from 0, anything, to 1, nothing but another case.
    """
    by_lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(word[:80].lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def refuse(problem: str, suggestion: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("setting", "{problem}", {"problem": problem, "suggestion": suggestion})


def plain_number(value: object) -> object:
    """Take ``101`` for ``"101"``: extensions are what many name their agents by, and it can mean nothing
    else.
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _identifier(value: str) -> str:
    if re.fullmatch(r"[a-z0-9_-]{1,40}", value):
        return value
    likely = re.sub(r"[^a-z0-9_-]+", "_", value.lower()).strip("_")[:40]
    raise refuse("is not an id", likely or None)


def _line(value: str) -> str:
    if any(not character.isprintable() for character in value):
        raise refuse("holds a control character or a line break")
    if value != value.strip():
        raise refuse("starts or ends with a space", value.strip() or None)
    return value


def _key(value: str) -> str:
    if re.fullmatch(r"[0-9*#A-D]", value):
        return value
    suggestion = value.upper() if re.fullmatch(r"[a-d]", value) else None
    raise refuse("is not one key of a telephone", suggestion)


def _key_sequence(value: str) -> str:
    if re.fullmatch(r"[0-9*#]{1,4}", value):
        return value
    raise refuse("is not 1 to 4 keys of a telephone")


def _music_class(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", value):
        return value
    raise refuse("is not the name of a music class")


def _account(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        return value
    raise refuse("is not a user name")


def _host(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.:-]{1,253}", value):
        return value
    raise refuse("is not a host name or address")


def _http_url(value: str) -> str:
    """Return the base address of Asterisk's HTTP server without a slash at its end."""
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise refuse("is not a URL")
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise refuse("has no http:// before it", f"http://{value}")
    if scheme not in ("http", "https"):
        likely = {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme.lower())
        address = f"{likely}://{rest.removesuffix('/ari')}"
        raise refuse("is neither http:// nor https://", address if likely.startswith("http") else None)
    try:
        url = urlsplit(value)
        usable = url.hostname is not None and url.port != 0
    except ValueError:
        raise refuse("has no valid host and port") from None
    if not usable:
        raise refuse("has no valid host and port")
    if url.username is not None:
        raise refuse("holds a user: user and password have settings of their own")
    if url.query or url.fragment:
        raise refuse('holds a "?" or "#"')
    path = url.path.rstrip("/")
    if path.endswith("/ari"):
        raise refuse(
            "ends in /ari, which is added to it", f"{scheme}://{url.netloc}{path.removesuffix('/ari')}"
        )
    return f"{scheme}://{url.netloc}{path}"


def _folder(value: object) -> Path:
    """Return an absolute folder fit for a media URI of Asterisk, where a comma starts the next sound."""
    if not isinstance(value, str):
        raise refuse("is not the path of a folder")
    if not value.startswith("/"):
        raise refuse("is a relative path", f"/{value.removeprefix('./')}" if value else None)
    if not re.fullmatch(r"[\w/.+@: -]+", value):
        raise refuse("holds a character that cannot stand in a sound's path")
    return Path(value)


def _beside(value: object, info: ValidationInfo) -> Path:
    around = info.context
    if not isinstance(value, str) or not value.isprintable() or not value.strip() or value.endswith("/"):
        raise refuse("is not the path of a file")
    return around.folder / value if isinstance(around, Surroundings) else Path(value)


def _socket(value: object) -> Path:
    if not isinstance(value, str) or not value.isprintable():
        raise refuse("is not the path of a socket")
    if not value.startswith("/") or value.endswith("/"):
        raise refuse("is not the full path of a socket")
    length = len(os.fsencode(value))
    if length > 107:
        raise refuse(f"is {length} bytes long; Linux takes no socket path of more than 107")
    return Path(value)


def secret_text(value: object, info: ValidationInfo) -> str:
    """Return the text a secret setting stands for: itself, or what ``env:NAME`` or ``file:PATH`` holds."""
    if not isinstance(value, str):
        raise refuse("is not text")
    around = info.context
    assert isinstance(around, Surroundings)
    if value.startswith("env:"):
        name = value.removeprefix("env:").strip()
        if name not in around.environ:
            raise refuse(f"needs the environment variable {name or '(no name given)'}, which is not set")
        text = around.environ[name]
    elif value.startswith("file:"):
        text = _secret_file(around.folder / value.removeprefix("file:").strip())
    else:
        text = value
    if not text:
        raise refuse("is empty")
    if not text.isprintable():
        raise refuse("holds a line break or another control character")
    return text


def _secret_file(path: Path) -> str:
    try:
        if not path.is_file():
            raise refuse(f"needs the file {path}, which is not there")
        with path.open("rb") as handle:
            return handle.read(4097).decode("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, PydanticCustomError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise refuse(f"needs the file {path}: {reason}") from None


def _password(value: object, info: ValidationInfo) -> Secret:
    return Secret(secret_text(value, info))


_DATABASE = re.compile(r"(?P<scheme>[a-z]+)(?:\+[a-z0-9]+)?://(?P<rest>[\x21-\x7e]*)")


def database_url(text: str) -> Secret:
    """Read a SQLAlchemy URL of SQLite (an absolute file) or PostgreSQL; shown without its password."""
    match = _DATABASE.fullmatch(text)
    if match is None:
        raise refuse("is not a database URL", f"sqlite:///{text}" if text.startswith("/") else None)
    scheme, rest = match["scheme"], match["rest"]
    if scheme not in ("sqlite", "postgresql"):
        likely = nearest(scheme, ("sqlite", "postgresql"))
        raise refuse("names a database that is not supported", f"{likely}://..." if likely else None)
    if scheme == "sqlite":
        file = rest.partition("?")[0]
        if not file.startswith("//") or file.endswith("/"):
            raise refuse("does not give the full path of its file (four slashes)")
    elif not re.fullmatch("[^/]*/[^/]+", rest.partition("?")[0]):
        raise refuse("does not name its database")
    masked = re.sub(r"(://[^:/@]*:)[^/]*@", r"\1***@", text)
    return Secret(text, re.sub(r"(password=)[^&]*", r"\1***", masked))


def _database(value: object, info: ValidationInfo) -> Secret:
    return database_url(secret_text(value, info))


IDENTIFIER = Expects("an id: 1 to 40 of a-z, 0-9, _ and -")

Identifier = Annotated[str, BeforeValidator(plain_number), AfterValidator(_identifier), IDENTIFIER]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line), Expects("text")]
Key = Annotated[
    str,
    BeforeValidator(plain_number),
    AfterValidator(_key),
    Expects('one key in quotes, such as "1" or "*"'),
]
KeySequence = Annotated[
    str,
    BeforeValidator(plain_number),
    AfterValidator(_key_sequence),
    Expects('1 to 4 of 0-9, * and # in quotes, such as "*2"'),
]
MusicClass = Annotated[str, AfterValidator(_music_class), Expects("a class of musiconhold.conf")]
Account = Annotated[str, AfterValidator(_account), Expects("a name of letters, digits, _ . and -")]
Host = Annotated[str, AfterValidator(_host), Expects("a host name or address")]
Port = Annotated[int, Field(ge=1, le=65535), Expects("a port from 1 to 65535")]
PortOrNone = Annotated[int, Field(ge=0, le=65535), Expects("a port from 1 to 65535, or 0")]
HttpUrl = Annotated[str, AfterValidator(_http_url), Expects("a URL such as http://127.0.0.1:8088")]
Folder = Annotated[Path, BeforeValidator(_folder), Expects("the full path of a folder")]
BesideFile = Annotated[Path, BeforeValidator(_beside), Expects("the path of a file")]
"""A path without `/` in front starts at the folder of the configuration file."""
SocketPath = Annotated[Path, BeforeValidator(_socket), Expects("a full path of at most 107 bytes")]
Password = Annotated[Secret, BeforeValidator(_password), Expects("text, env:NAME or file:/path")]
Database = Annotated[
    Secret,
    BeforeValidator(_database),
    Expects("sqlite:////path/file.db, postgresql://user@host/name, env:NAME or file:/path"),
]
Flag = Annotated[bool, Expects("true or false")]


def expectation(metadata: Iterable[Any]) -> Expects | None:
    """Return the `Expects` among the metadata of a field; the last one given counts."""
    found = [item for item in metadata if isinstance(item, Expects)]
    return found[-1] if found else None
