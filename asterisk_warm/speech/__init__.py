"""Briefing text → cached audio that Asterisk can play.

Importing this is cheap: numpy and the speech model are only ever loaded by the worker process.
"""

from asterisk_warm.speech.cache import SpeechCache
from asterisk_warm.speech.engine import CannotSay, Engine, EngineDown
from asterisk_warm.speech.espeak_engine import EspeakEngine
from asterisk_warm.speech.factory import speaker_from
from asterisk_warm.speech.folder import SoundFolder
from asterisk_warm.speech.hibari_engine import HibariEngine
from asterisk_warm.speech.lines import Down, SpeechUnavailable
from asterisk_warm.speech.prompts import UnknownPrompt, prompt_names
from asterisk_warm.speech.speaker import CachedSpeaker
from asterisk_warm.speech.text import speakable
from asterisk_warm.speech.voices import Voices

__all__ = [
    "CachedSpeaker",
    "CannotSay",
    "Down",
    "Engine",
    "EngineDown",
    "EspeakEngine",
    "HibariEngine",
    "SoundFolder",
    "SpeechCache",
    "SpeechUnavailable",
    "UnknownPrompt",
    "Voices",
    "prompt_names",
    "speakable",
    "speaker_from",
]
