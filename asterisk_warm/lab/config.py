"""The private Asterisk's config folder: the lab's templates around the files the product ships."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_warm.lab.root import Root
from asterisk_warm.lab.tones import MUSIC_HZ, RETURNED_HZ, chord, write_wav

TEMPLATES = Path(__file__).with_name("conf")
_CHECKOUT = Path(__file__).parents[2]
_INSTALLED = Path(sys.prefix) / "share" / "asterisk-warm"
SHIPPED = _CHECKOUT if (_CHECKOUT / "dialplan").exists() else _INSTALLED
SHIPPED_DIALPLAN = SHIPPED / "dialplan" / "asterisk_warm.conf"
SHIPPED_FEATURES = SHIPPED / "dialplan" / "asterisk_warm_features.conf"
SHIPPED_CONFIG = SHIPPED / "config"

_RENDERED = (
    "asterisk.conf",
    "modules.conf",
    "logger.conf",
    "indications.conf",
    "rtp.conf",
    "musiconhold.conf",
)
# Read by modules that complain when the file is missing; their defaults suit the lab.
_EMPTY = (
    "ccss.conf",
    "cdr.conf",
    "cel.conf",
    "chan_websocket.conf",
    "pjproject.conf",
    "res_http_media_cache.conf",
    "udptl.conf",
    "websocket_client.conf",
)
_FOLDERS = ("etc", "run", "log", "spool", "spool/recording", "db", "cache", "keys", "tone")
_LONGEST_SOCKET_PATH = 107
_DEFAULT_USER = "asterisk_warm"
_USER_RIGHTS = {
    "http.conf": "",
    "ari.conf": "type = user\nread_only = no",
    "manager.conf": "read = system,call,agent,user,reporting,dtmf\nwrite = call,agent,user,reporting",
}


def _password() -> str:
    return secrets.token_urlsafe(12)


@dataclass(frozen=True)
class LabConfig:
    """What one private Asterisk is told: folders, ports, phones and credentials."""

    work: Path
    agents: tuple[str, ...]
    dialplan: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    music: str = "tone"
    sip_port: int = 15060
    ari_port: int = 18088
    ami_port: int = 15038
    rtp_first: int = 20000
    rtp_last: int = 24000
    sip_password: str = field(default_factory=_password)
    ari_password: str = field(default_factory=_password)
    ami_secret: str = field(default_factory=_password)

    @property
    def ari_user(self) -> str:
        return _shipped_user("ari.conf") or _DEFAULT_USER

    @property
    def ami_user(self) -> str:
        return _shipped_user("manager.conf") or _DEFAULT_USER


def render(config: LabConfig, root: Root) -> None:
    """Write the config folder `work/etc` anew, and the folders Asterisk writes into. Needs no root rights."""
    control_socket = config.work / "run" / "asterisk.ctl"
    if len(str(control_socket)) > _LONGEST_SOCKET_PATH:
        raise ValueError(f"{config.work}: too long a path, Asterisk's control socket would not fit")
    for name in _FOLDERS:
        (config.work / name).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(config.work / "etc")
    (config.work / "etc").mkdir()
    _write_tone(config.work / "tone" / "tone.wav")
    for name, text in _texts(config, root).items():
        (config.work / "etc" / name).write_text(text)


def _texts(config: LabConfig, root: Root) -> dict[str, str]:
    values = _values(config, root)
    texts = dict.fromkeys(_EMPTY, "[general]\n") | {"acl.conf": ""}
    texts |= {name: _fill(name, values) for name in _RENDERED}
    phones = "".join(_fill("pjsip-phone.conf", {"name": name}) for name in (*config.agents, "qualifier"))
    texts["pjsip.conf"] = _fill("pjsip.conf", {**values, "phones": phones})
    for name, user, password in (
        ("http.conf", "", ""),
        ("ari.conf", config.ari_user, config.ari_password),
        ("manager.conf", config.ami_user, config.ami_secret),
    ):
        texts[name] = _fill(name, {**values, **_around(name, user), "password": password})
    shipped = SHIPPED_DIALPLAN.read_text() if SHIPPED_DIALPLAN.exists() else ""
    codes = SHIPPED_FEATURES.read_text() if SHIPPED_FEATURES.exists() else ""
    texts["features.conf"] = f"[general]\n[applicationmap]\n{codes}"
    texts["extensions.conf"] = _fill(
        "extensions.conf",
        {"shipped": shipped, "extra": config.dialplan, "returned_hz": str(RETURNED_HZ)},
    )
    for name, text in config.extra.items():
        texts[name] = texts.get(name, "") + "\n" + text + "\n"
    return texts


def _values(config: LabConfig, root: Root) -> dict[str, str]:
    tone = f"{config.work}/tone"
    music = _music_folder(root) or tone
    return {
        "work": str(config.work),
        "astmoddir": root.directories["astmoddir"],
        "astvarlibdir": root.directories["astvarlibdir"],
        "astdatadir": root.directories["astdatadir"],
        "music": music,
        "default_music": music if config.music == "music" else tone,
        "sip_port": str(config.sip_port),
        "ari_port": str(config.ari_port),
        "ami_port": str(config.ami_port),
        "rtp_first": str(config.rtp_first),
        "rtp_last": str(config.rtp_last),
        "sip_password": config.sip_password,
    }


def _music_folder(root: Root) -> str | None:
    """Where the root keeps its music on hold, if it has any; packages differ."""
    for parent in ("astdatadir", "astvarlibdir"):
        folder = f"{root.directories[parent]}/moh"
        if any((root.path / folder.lstrip("/")).glob("*.*")):
            return folder
    return None


def _around(name: str, user: str) -> dict[str, str]:
    """The shipped file's text; the lab's own lines are then added to its sections, and win."""
    shipped = re.sub(r"^\[general\](?!\()", "[general](+)", _shipped(name), flags=re.MULTILINE)
    known = user in _sections(shipped)
    section = f"[{user}](+)" if known else f"[{user}]\n{_USER_RIGHTS[name]}"
    return {"shipped": shipped, "user": section}


def _shipped(name: str) -> str:
    path = SHIPPED_CONFIG / name
    return path.read_text() if path.exists() else ""


def _shipped_user(name: str) -> str | None:
    return next((section for section in _sections(_shipped(name)) if section != "general"), None)


def _sections(text: str) -> list[str]:
    return re.findall(r"^\[([^\]]+)\]", text, re.MULTILINE)


def _fill(name: str, values: Mapping[str, str]) -> str:
    """A template with its `@names@` replaced. Raises KeyError for a name without a value."""
    template = (TEMPLATES / name).read_text()
    return re.sub(r"@([a-z_]+)@", lambda match: values[match.group(1)], template)


def _write_tone(path: Path) -> None:
    if not path.exists():
        write_wav(path, chord(MUSIC_HZ, seconds=60.0))
