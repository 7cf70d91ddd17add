"""The stage of the tests on a real Asterisk: one private Asterisk and daemon per version and worker, new phones for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scene", "ears", "agents_scene", "crowd", "ari_live_scene")

from scene import DIALPLAN, RACERS, TONE_TEAMS, record_prompts  # noqa: E402

from asterisk_warm.lab.capture import Capture  # noqa: E402
from asterisk_warm.lab.network import enter_private_network  # noqa: E402
from asterisk_warm.lab.phones import Phones  # noqa: E402
from asterisk_warm.lab.root import Root, find_or_build  # noqa: E402
from asterisk_warm.lab.stage import AGENTS, Stage  # noqa: E402

CACHE = Path(__file__).parents[2] / ".cache"
VERSIONS = ("22", "16")

TEAMS = {
    "sales": {"name": "Sales", "agents": ["ana", "ben", "cleo"]},
    "plain": {"name": "Plain", "agents": ["ana", "ben", "cleo"], "introduction": False, "comfort_seconds": 0},
    "quick": {
        "name": "Quick",
        "agents": ["ana", "ben"],
        "ring_seconds": 2,
        "decision_seconds": 2,
        "introduction": False,
    },
    "patient": {
        "name": "Patient",
        "agents": ["ana", "ben"],
        "ring_seconds": 6,
        "hold_seconds": 6,
        "comfort_seconds": 2,
    },
    "straight": {"name": "Straight", "agents": ["ana", "ben"], "mode": "blind", "introduction": False},
    **TONE_TEAMS,
}


def pytest_configure(config: pytest.Config) -> None:
    # Before anything starts a thread: whatever this worker starts lives in a network of its own.
    enter_private_network()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a module with one version on one worker (`--dist loadgroup`): they share an Asterisk and a daemon."""
    for item in items:
        spec = getattr(item, "callspec", None)
        version = spec.params.get("version") if spec else None
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{version or VERSIONS[0]}"))


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def root(version: str) -> Root:
    return find_or_build(version, CACHE, print)


@pytest.fixture
def workdir() -> Iterator[Path]:
    """Short, because Asterisk's control socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sounds() -> Path:
    """Rendered once and kept: prompts and spoken lines. One folder a worker: the recordings that take the place of prompts
    differ from module to module."""
    folder = CACHE / "test-sounds" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def stage(root: Root, sounds: Path) -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    settings = {
        "sounds": {"directory": str(sounds), "prompts": str(record_prompts(folder / "prompts"))},
        # The trunk of the lab: every outside number is Ben's phone.
        "outside": {"allow": ["+1555*"], "endpoint": "Local/{number}@lab-trunk/n"},
    }
    with Stage(
        root,
        folder,
        teams=TEAMS,
        agents={**AGENTS, **RACERS},
        dialplan=DIALPLAN,
        sounds=sounds,
        settings=settings,
    ) as on_stage:
        yield on_stage
        complaints = on_stage.daemon.complaints()
    shutil.rmtree(folder, ignore_errors=True)
    assert not complaints, complaints


@pytest.fixture
async def phones(stage: Stage) -> AsyncIterator[Phones]:
    async with stage.phones() as on_stage:
        yield on_stage
    await stage.nothing_left()


@pytest.fixture
def capture(workdir: Path, stage: Stage) -> Iterator[Capture]:
    with Capture(workdir / "scene.pcap") as running:
        yield running
