"""Records the prompts that come with the package: to be run (`python -m`) after sentences/en.yaml changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from asterisk_warm.speech.audio import RATE, tone
from asterisk_warm.speech.engine import Engine
from asterisk_warm.speech.folder import SUFFIX
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.prompts import BEEP, prompt_texts
from asterisk_warm.speech.text import speakable

FOLDER = Path(__file__).with_name("shipped")


async def record(engine: Engine, folder: Path) -> None:
    """Write the beep and each spoken prompt, with the usual keys in it, to `folder`."""
    sounds = {BEEP: tone(1000.0, 0.2)}
    for name, text in prompt_texts().items():
        sounds[name] = await engine.say(speakable(text))
    for name, sound in sounds.items():
        (folder / f"{name}{SUFFIX}").write_bytes(sound)
        print(f"{name}: {len(sound) / RATE:.1f} s")


async def main() -> None:
    """With hibari, into the package."""
    engine = HibariEngine()
    try:
        await engine.warm_up()
        await record(engine, FOLDER)
    finally:
        await engine.close()


if __name__ == "__main__":
    asyncio.run(main())
