"""Records the prompts that come with the package. Run it (`python -m`) after a change of prompts.yaml."""

from __future__ import annotations

import asyncio
from pathlib import Path

from asterisk_warm.speech.audio import RATE, telephone
from asterisk_warm.speech.engine import Engine
from asterisk_warm.speech.folder import SUFFIX
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.prompts import prompt_texts
from asterisk_warm.speech.text import speakable

FOLDER = Path(__file__).with_name("shipped")


async def record(engine: Engine, folder: Path) -> None:
    """Write each spoken prompt, with the usual keys in it, to `folder`."""
    for name, text in prompt_texts().items():
        speech = await engine.say(speakable(text))
        sound = telephone(speech.samples, speech.rate)
        (folder / f"{name}{SUFFIX}").write_bytes(sound)
        print(f"{name}: {len(sound) / RATE:.1f} s")


if __name__ == "__main__":
    asyncio.run(record(HibariEngine(), FOLDER))
