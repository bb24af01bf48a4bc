"""Log-mel spectrograms from their definition in float64 NumPy: the reference for tests/data/sound_test.cpp.

The transform is a sum over samples (np.fft.rfft), the mel scales are those of Slaney (Auditory Toolbox, 1998: linear to
1 kHz, then 27 steps for a factor of 6.4) and O'Shaughnessy (1987: 2595 log10(1 + f / 700)), each filter a triangle.
Run by hand: python tests/parity/mel.py (needs numpy, torch and safetensors).
"""
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

rng = np.random.default_rng(0)


def slaney(hertz):
    hertz = np.asarray(hertz, float)
    above = 15 + 27 * np.log(np.maximum(hertz, 1e-9) / 1000) / np.log(6.4)
    return np.where(hertz < 1000, 3 * hertz / 200, above)


def oshaughnessy(hertz):
    return 2595 * np.log10(1 + np.asarray(hertz, float) / 700)


def inverse(scale, mel, top):
    """The frequency of a mel by bisection: no formula of its own."""
    low, high = np.zeros_like(mel), np.full_like(mel, top * 1.01 + 1)
    for _ in range(200):
        middle = (low + high) / 2
        below = scale(middle) < mel
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def filters(rate, fft, mels, low, high, kind):
    scale = slaney if kind == "slaney" else oshaughnessy
    edges = inverse(scale, np.linspace(scale(low), scale(high), mels + 2), high)
    bins = np.arange(fft // 2 + 1) * rate / fft
    bank = np.stack([np.interp(bins, edges[m:m + 3], [0, 1, 0], left=0, right=0) for m in range(mels)])
    if kind == "slaney":
        bank *= (2 / (edges[2:] - edges[:-2]))[:, None]
    return bank


def log_mel(sound, rate, fft, window, hop, mels, low, high, kind, log, floor):
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    taper = np.zeros(fft)
    start = (fft - window) // 2
    taper[start:start + window] = hann
    padded = np.pad(sound / 32768, fft // 2)
    frames = [np.fft.rfft(taper * padded[t:t + fft]) for t in range(0, len(sound) + 1, hop)]
    power = np.abs(np.stack(frames, 1)) ** 2
    energy = np.maximum(filters(rate, fft, mels, low, high, kind) @ power, floor)
    return np.log(energy) if log == "ln" else np.log10(energy)


rate, size = 16000, 2000
time = np.arange(size) / rate
tones = 0.4 * np.sin(2 * np.pi * 440 * time) + 0.2 * np.sin(2 * np.pi * (1000 + 2000 * time / time[-1]) * time)
noise = rng.normal(size=size) * 0.05
silence = np.where(np.arange(size) < 900, tones, 0)
sounds = np.clip(np.round(np.stack([tones + noise, noise, silence]) * 32768), -32768, 32767).astype(np.int16)

cases = {
    "slaney": dict(fft=512, window=400, hop=160, mels=40, low=0, high=8000, kind="slaney", log="ln", floor=1e-10),
    "htk": dict(fft=512, window=512, hop=128, mels=23, low=60, high=7600, kind="htk", log="log10", floor=1e-6),
}
tensors = {"input": torch.from_numpy(sounds)}
for name, options in cases.items():
    images = np.stack([log_mel(sound.astype(float), rate, **options) for sound in sounds])
    tensors[name] = torch.from_numpy(images.astype(np.float32))
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
