"""The images of docker/ build from this checkout and a bare Debian, and what is in them runs.

buildah takes the part of the Docker engine, mmdebstrap that of the registry the bases come from. The base
images stay in `.cache/images`; the built ones are removed.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from asterisk_warm import __version__
from asterisk_warm.lab.root import debian_mirror

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

TOP = Path(__file__).parents[2]
IMAGES = TOP / ".cache" / "images"
# The tests may live in a private network; building needs the one they were started in.
OUTSIDE = ("nsenter", f"--net=/proc/{os.getppid()}/ns/net")
BUILDAH = ("buildah", "--root", str(IMAGES / "store"), "--runroot", str(IMAGES / "run"))
CA_INSIDE = "/tmp/pip-ca.pem"
SHARE = "/opt/asterisk-warm/share/asterisk-warm"

Run = Callable[..., str]


def test_given_a_bare_debian_when_the_daemon_image_is_built_then_it_runs_and_not_as_root() -> None:
    with built("Dockerfile", suite="trixie") as run:
        assert __version__ in run("asterisk-warm", "--version")
        assert run("id", "-un").strip() == "asterisk-warm"
        secrets = ("env", "WARM_ARI_PASSWORD=one", "WARM_AMI_PASSWORD=two")
        run(*secrets, "asterisk-warm", "check", f"{SHARE}/config/asterisk_warm.yaml")


def test_given_a_bare_debian_when_the_demo_image_is_built_then_it_holds_asterisk_and_the_demo() -> None:
    with built("asterisk.Dockerfile", suite="forky") as run:
        assert run("asterisk", "-V").startswith("Asterisk 22.")
        assert "Usage" in run("asterisk-warm", "demo", "--help")


@contextmanager
def built(dockerfile: str, suite: str) -> Iterator[Run]:
    """Build `docker/{dockerfile}` on a bare Debian `suite`; gives a function that runs a command in it."""
    image = f"localhost/asterisk-warm-test-{os.getpid()}"
    with ExitStack() as stack:
        volumes = [f"--volume={path}:{inside}:ro" for path, inside in stack.enter_context(pip_settings())]
        sh(
            *(*OUTSIDE, *BUILDAH, "bud", "--isolation=chroot", "--quiet", *volumes),
            *(f"--build-arg=BASE={base_image(suite)}", f"--file=docker/{dockerfile}", f"--tag={image}", "."),
        )
        stack.callback(sh, *BUILDAH, "rmi", image)
        container = sh(*BUILDAH, "from", image).strip()
        stack.callback(sh, *BUILDAH, "rm", container)
        yield lambda *command: sh(*BUILDAH, "run", "--isolation=chroot", container, "--", *command)


def base_image(suite: str) -> str:
    """What a registry's `debian:{suite}-slim` holds, near enough, from the Debian mirror of this machine."""
    name = f"localhost/debian-{suite}"
    if name in sh(*BUILDAH, "images", "--format={{.Name}}").split():
        return name
    mirror = debian_mirror()
    with tempfile.TemporaryDirectory() as folder:
        tar = f"{folder}/{suite}.tar"
        # A mirror may be a frozen snapshot, whose Release files have run out.
        valid = '--aptopt=Acquire::Check-Valid-Until "false"'
        sh(*OUTSIDE, "mmdebstrap", "--variant=minbase", valid, suite, tar, f"deb {mirror} {suite} main")
        container = sh(*BUILDAH, "from", "scratch").strip()
        sh(*BUILDAH, "add", "--quiet", container, tar, "/")
    sh(*BUILDAH, "commit", "--quiet", "--rm", container, name)
    return name


@contextmanager
def pip_settings() -> Iterator[list[tuple[Path, str]]]:
    """What to mount for pip inside to find packages as pip here does: its settings, and files they name."""
    options: dict[str, str] = {}
    # In pip's own order of precedence, the environment last; each line is like  global.cert='/path'.
    for line in sh(sys.executable, "-m", "pip", "config", "list").splitlines():
        key, _, value = line.partition("=")
        options[key.rpartition(".")[2]] = ast.literal_eval(value)
    mounts: dict[Path, str] = {}
    if certificate := options.get("cert"):
        # Not at its own path, which belongs to a package that is installed inside.
        mounts[Path(certificate)] = options["cert"] = CA_INSIDE
    for word in " ".join(options.values()).split():
        local = Path(word.removeprefix("file://"))
        if local.is_absolute() and local.exists():
            # An index's files may lie beside its pages.
            folder = Path(*local.parts[:3])
            mounts[folder] = str(folder)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        lines = [f"{key} = {' '.join(value.split())}\n" for key, value in options.items()]
        settings.write("[global]\n" + "".join(lines))
        settings.flush()
        yield [*mounts.items(), (Path(settings.name), "/etc/pip.conf")]


def sh(*command: str) -> str:
    """The command's output; the test fails with all it said when it fails, or is not there."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is missing; `make test` installs it", pytrace=False)
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}", pytrace=False)
    return done.stdout
