"""Find an Asterisk to run, or build one: a Debian root folder that holds nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from asterisk_warm.lab.network import in_private_network

Version = Literal["22", "16"]

OLDEST_SUPPORTED = 16
ROOTS_VARIABLE = "ASTERISK_WARM_ROOTS"

_PACKAGES = (
    "asterisk",
    "asterisk-modules",
    "asterisk-core-sounds-en-wav",
    "asterisk-moh-opsound-wav",
    "iproute2",
    "procps",
    "ca-certificates",
)
_SUITES: dict[Version, str] = {"22": "forky", "16": "bullseye"}
# A mirror's address may end in the moment of a frozen snapshot.
_SNAPSHOT = r"(?:/\d{8}T\d{6}Z)?/?"
# Since bullseye is in long-term support its Asterisk comes from the security archive only.
_NEEDS_SECURITY_ARCHIVE: frozenset[Version] = frozenset({"16"})


class NoAsterisk(RuntimeError):
    """No usable Asterisk was found and none could be built; the message says what is missing."""


@dataclass(frozen=True)
class Root:
    """A file tree with an Asterisk in it. `path` is `/` for the one installed on this machine."""

    path: Path

    @property
    def is_this_machine(self) -> bool:
        return self.path == Path("/")

    @cached_property
    def version(self) -> str:
        """What `asterisk -V` says, such as `22.10.1`."""
        command = ["asterisk", "-V"] if self.is_this_machine else ["chroot", str(self.path), "asterisk", "-V"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"Asterisk\s+(\d+(?:\.\d+)*)", text)
        if found is None:
            raise NoAsterisk(f"{' '.join(command)} did not name a version: {text!r}")
        return found.group(1)

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @cached_property
    def directories(self) -> dict[str, str]:
        """`[directories]` of the root's own asterisk.conf: where its modules and sounds are."""
        conf = self.path / "etc/asterisk/asterisk.conf"
        pairs = re.findall(r"^(ast\w+dir)\s*=>?\s*(\S+)", _read_if_allowed(conf), re.MULTILINE)
        found = dict(pairs)
        found.setdefault("astmoddir", self._guess_module_folder())
        found.setdefault("astvarlibdir", "/var/lib/asterisk")
        found.setdefault("astdatadir", "/usr/share/asterisk")
        return found

    def _guess_module_folder(self) -> str:
        for module in (self.path / "usr/lib").glob("**/asterisk/modules/app_dial.so"):
            return "/" + str(module.parent.relative_to(self.path))
        return "/usr/lib/asterisk/modules"


def _read_if_allowed(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, PermissionError):
        return ""


def installed() -> Root | None:
    """The Asterisk of this machine, when it has one that is new enough."""
    if shutil.which("asterisk") is None:
        return None
    root = Root(Path("/"))
    return root if root.major >= OLDEST_SUPPORTED else None


def find_or_build(version: Version, cache: Path, say: Callable[[str], None]) -> Root:
    """A root folder with Asterisk `version`: from $ASTERISK_WARM_ROOTS, from `cache`, or built into it.

    Building takes about 40 s and 390 MB; `say` hears of it line by line. It needs root, and the machine's own
    network, so call this before `enter_private_network`. Raises NoAsterisk.
    """
    name = f"asterisk-{version}"
    for folder in _known_folders(cache):
        if (folder / name / "usr/sbin/asterisk").exists():
            return Root((folder / name).resolve())
    return _build(version, cache.resolve() / name, say)


def _known_folders(cache: Path) -> list[Path]:
    given = os.environ.get(ROOTS_VARIABLE)
    return [Path(given), cache] if given else [cache]


def _build(version: Version, target: Path, say: Callable[[str], None]) -> Root:
    if os.geteuid() != 0:
        raise NoAsterisk(f"building {target.name} needs root; else install Asterisk ≥ {OLDEST_SUPPORTED}")
    if in_private_network():
        raise NoAsterisk(
            f"{target.name} must be built before the private network is entered: it has no mirror"
        )
    _install_mmdebstrap(say)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished-{os.getpid()}")
    suite = _SUITES[version]
    say(f"building a Debian {suite} root with Asterisk {version} (once; about 40 s)")
    try:
        _mmdebstrap(suite, unfinished, _archives(version, suite), say)
        return _publish(unfinished, target, say)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(unfinished: Path, target: Path, say: Callable[[str], None]) -> Root:
    try:
        unfinished.rename(target)
    except OSError:
        # Another process built the same root meanwhile; its result is as good as ours.
        if not (target / "usr/sbin/asterisk").exists():
            raise
    root = Root(target)
    say(f"{target.name} is ready: Asterisk {root.version}")
    return root


def _install_mmdebstrap(say: Callable[[str], None]) -> None:
    if shutil.which("mmdebstrap") is not None:
        return
    say("installing mmdebstrap")
    _run(["apt-get", "update"], say)
    _run(["apt-get", "install", "-y", "--no-install-recommends", "mmdebstrap"], say)


def _mmdebstrap(suite: str, into: Path, archives: list[str], say: Callable[[str], None]) -> None:
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        # A mirror may be a frozen snapshot, whose Release files have run out.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        suite,
        str(into),
        *archives,
    ]
    _run(command, say)


def _run(command: list[str], say: Callable[[str], None]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    last = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = line.strip() or last
            if line.startswith("I: "):
                say(line[3:].strip())
    if process.returncode != 0:
        raise NoAsterisk(f"{command[0]} failed ({process.returncode}): {last}")


def _archives(version: Version, suite: str) -> list[str]:
    mirror = debian_mirror()
    lines = [f"deb {mirror} {suite} main"]
    if version in _NEEDS_SECURITY_ARCHIVE:
        lines.append(f"deb {security_mirror(mirror)} {suite}-security main")
    return lines


def debian_mirror(etc_apt: Path = Path("/etc/apt")) -> str:
    """The Debian mirror this machine uses itself, read from its apt sources. Raises NoAsterisk."""
    for uri in _apt_uris(etc_apt):
        if re.search(rf"/debian{_SNAPSHOT}$", uri):
            return uri
    raise NoAsterisk(f"no Debian mirror in {etc_apt}: install Asterisk {OLDEST_SUPPORTED} or later by hand")


def security_mirror(mirror: str, etc_apt: Path = Path("/etc/apt")) -> str:
    """The security archive: the one apt names, else the one beside `mirror`."""
    for uri in _apt_uris(etc_apt):
        if re.search(rf"/debian-security{_SNAPSHOT}$", uri):
            return uri
    return re.sub(rf"/debian({_SNAPSHOT})$", r"/debian-security\1", mirror)


def _apt_uris(etc_apt: Path) -> list[str]:
    """Every archive address, in both of apt's formats (`deb URI suite …` and deb822 `URIs: …`)."""
    files = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]
    uris: list[str] = []
    for file in files:
        text = _read_if_allowed(file)
        if file.suffix == ".sources":
            for value in re.findall(r"^URIs:\s*(.+)$", text, re.MULTILINE):
                uris += value.split()
        elif file.suffix == ".list":
            uris += re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)", text, re.MULTILINE)
    return [address for uri in uris for address in _resolve_mirror_list(uri)]


def _resolve_mirror_list(uri: str) -> list[str]:
    """Cloud images write `mirror+file:/etc/apt/mirrors/debian.list`, a file with one address per line."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    lines = _read_if_allowed(Path("/" + uri.removeprefix("mirror+file:").lstrip("/"))).splitlines()
    return [line.split()[0].rstrip("/") for line in lines if line.strip() and not line.startswith("#")]
