"""Sound for the telephone: any mono waveform → trimmed, levelled 8 kHz G.711 µ-law.

µ-law without a header (`.ulaw`) is the one form on disk. Asterisk 16 and 22 play it with `format_pcm`, which
every build has; to a µ-law phone it is copied, to an A-law phone it is one table look-up, and any other codec
starts from 8 kHz either way. A `.wav` beside it would triple the size and make of one file two to be kept in
step, for no difference one can hear.

This is arithmetic on whole waveforms (numpy), for the worker: the daemon does not import it.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""A mono waveform, full scale ±1.0."""

RATE = 8000
"""Samples per second of everything written; one byte each."""

PEAK = 10 ** (-6 / 20)
"""−6 dBFS: loud enough for a handset, with room for the phone's own gain."""

_EDGE_SECONDS = 0.04
_SILENCE = 0.01  # of the peak: −40 dB
_FADE = 16  # samples, 2 ms: a cut in room noise must not click
_PASS_HZ, _STOP_HZ = 3400.0, 4000.0


def telephone(samples: Samples, rate: int) -> bytes:
    """`samples` at `rate` Hz as µ-law at 8 kHz: silence at the ends ≤ 40 ms, peak −6 dBFS; b"" if silent."""
    return mu_law(levelled(trimmed(resampled(samples, rate))))


def resampled(samples: Samples, rate: int) -> Samples:
    """`samples` at 8 kHz, by one spectrum, rolled off from 3.4 to 4 kHz: nothing folds back (aliasing)."""
    step = rate // gcd(rate, RATE)  # a multiple of this many samples is a whole number of samples at 8 kHz
    apart = rate // 20 + 1  # 50 ms of silence: the end of a spectrum's time runs on into its beginning
    padded = np.pad(samples.astype(np.float64), (0, apart + -(len(samples) + apart) % step))
    length = len(padded) * RATE // rate
    spectrum = np.fft.rfft(padded)
    hertz = np.arange(len(spectrum)) * rate / len(padded)
    spectrum *= np.cos(np.clip((hertz - _PASS_HZ) / (_STOP_HZ - _PASS_HZ), 0.0, 1.0) * np.pi / 2) ** 2
    return (np.fft.irfft(spectrum, length) * RATE / rate).astype(np.float32)


def trimmed(samples: Samples) -> Samples:
    """Without silence (40 dB under the peak) at either end but for 40 ms; empty if there is only that."""
    size = np.abs(samples)
    peak = float(size.max(initial=0.0))
    if peak < 1e-4:
        return samples[:0]
    loud = np.flatnonzero(size > peak * _SILENCE)
    edge = int(_EDGE_SECONDS * RATE)
    kept = samples[max(0, int(loud[0]) - edge) : int(loud[-1]) + 1 + edge].copy()
    if len(kept) > 2 * _FADE:
        ramp = np.linspace(0.0, 1.0, _FADE, dtype=np.float32)
        kept[:_FADE] *= ramp
        kept[-_FADE:] *= ramp[::-1]
    return kept


def levelled(samples: Samples) -> Samples:
    """Scaled so that the highest peak is `PEAK`; silence stays silence."""
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples * np.float32(PEAK / peak)).astype(np.float32) if peak > 0 else samples


def mu_law(samples: Samples) -> bytes:
    """ITU-T G.711 µ-law, one byte a sample."""
    bias, clip = 132, 32635
    pcm = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int32)
    size = np.minimum(np.abs(pcm), clip) + bias
    segment = np.floor(np.log2(size)).astype(np.int32) - 7  # how far the highest bit lies above bit 7
    mantissa = (size >> (segment + 3)) & 0x0F
    sign = np.where(pcm < 0, 0x80, 0)
    return bytes((~(sign | (segment << 4) | mantissa) & 0xFF).astype(np.uint8))


def tone(hertz: float, seconds: float) -> bytes:
    """A µ-law tone at half of `PEAK` with soft ends."""
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * hertz * time) * PEAK / 2
    ramp = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.01)
    return mu_law((wave * ramp).astype(np.float32))
