"""What leaves the speech adapter is telephone sound: judged by libsndfile's µ-law, which is not ours."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asterisk_warm.speech.audio import (
    PEAK,
    RATE,
    Samples,
    levelled,
    mu_law,
    resampled,
    telephone,
    tone,
    trimmed,
)


def heard(sound: bytes) -> Samples:
    samples, rate = soundfile.read(
        io.BytesIO(sound), format="RAW", subtype="ULAW", samplerate=RATE, channels=1, dtype="float32"
    )
    assert rate == RATE
    return np.asarray(samples, np.float32)


def sine(hertz: float, seconds: float, rate: int, size: float = 0.5) -> Samples:
    return (size * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def strength(samples: Samples, hertz: float) -> float:
    """Amplitude of one tone in the samples at 8 kHz."""
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE))))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_whatever_the_samples_then_an_independent_decoder_hears_them(values: list[float]) -> None:
    samples = np.array(values, np.float32)
    assert np.all(np.abs(heard(mu_law(samples)) - samples) <= 0.018 + 0.032 * np.abs(samples))


def test_given_the_corners_of_g711_then_the_bytes_are_the_standards() -> None:
    assert mu_law(np.array([0.0, 1.0, -1.0, 5.0], np.float32)) == bytes([0xFF, 0x80, 0x00, 0x80])


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100])
def test_given_any_rate_then_speech_keeps_its_pitch_level_and_length(rate: int) -> None:
    samples = resampled(sine(1000, 1.0, rate), rate)
    assert len(samples) / RATE == pytest.approx(1.05, abs=0.06)
    assert strength(samples[400:7600], 1000) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("hertz", [4400, 5000, 7000, 9000])
def test_given_sound_above_4_khz_then_nothing_folds_back(hertz: int) -> None:
    samples = resampled(sine(hertz, 1.0, 24000), 24000)
    assert float(np.abs(samples[400:7600]).max()) < 0.001


def test_given_silence_around_speech_then_at_most_40_ms_stay() -> None:
    quiet = np.zeros(24000, np.float32)
    sound = telephone(np.concatenate([quiet, sine(600, 0.5, 24000), quiet]), 24000)
    assert len(sound) / RATE == pytest.approx(0.5 + 2 * 0.04, abs=0.01)
    loud = np.flatnonzero(np.abs(heard(sound)) > 0.01 * PEAK)
    assert loud[0] <= 0.041 * RATE
    assert len(sound) - loud[-1] <= 0.041 * RATE


@pytest.mark.parametrize("size", [0.002, 0.3, 1.0])
def test_given_any_level_then_the_peak_is_6_db_under_full_scale(size: float) -> None:
    peak = float(np.abs(heard(telephone(sine(700, 0.5, 24000, size), 24000))).max())
    assert 20 * np.log10(peak) == pytest.approx(-6, abs=0.3)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(5000, np.float32)])
def test_given_silence_then_there_is_no_sound(samples: Samples) -> None:
    assert telephone(samples, 24000) == b""
    assert len(levelled(samples)) == len(samples)


def test_given_a_click_shorter_than_the_fades_then_it_is_kept_whole() -> None:
    assert trimmed(np.ones(10, np.float32)).tolist() == [1.0] * 10


def test_given_a_tone_then_it_is_that_tone() -> None:
    assert len(tone(1000, 0.2)) == 1600
    assert strength(heard(tone(1000, 0.2)), 1000) == pytest.approx(PEAK / 2, rel=0.1)
