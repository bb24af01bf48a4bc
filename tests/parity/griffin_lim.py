"""Phases for magnitudes by librosa, energies for mel filters by SciPy: the reference for tests/data/griffin_lim_test.cpp.

Phases start at 0 (init=None), so nothing is drawn; 12 rounds, with and without momentum, in float64. Of the energies only
what the filters make of them is kept, since more bins than filters leave many solutions that are as near.
Run by hand: python tests/parity/griffin_lim.py (needs librosa, scipy, torch and safetensors).
"""
import pathlib

import librosa
import numpy as np
import torch
from safetensors.torch import save_file
from scipy.optimize import nnls

FFT, WINDOW, HOP, SIZE = 64, 48, 16, 500
rng = np.random.default_rng(0)
time = np.arange(SIZE) / 8000
sound = np.stack([0.5 * np.sin(2 * np.pi * 440 * time), 0.3 * np.sin(2 * np.pi * 900 * time ** 1.2) * (time > 0.02)])
magnitude = np.abs(librosa.stft(sound, n_fft=FFT, hop_length=HOP, win_length=WINDOW, pad_mode="constant"))
magnitude *= 1 + 0.1 * rng.random(magnitude.shape)  # of no sound exactly
tensors = {"magnitude": magnitude}
for momentum in (0.0, 0.99):
    tensors[f"sound_{momentum:g}"] = librosa.griffinlim(
        magnitude, n_iter=12, hop_length=HOP, win_length=WINDOW, n_fft=FFT, momentum=momentum, init=None,
        pad_mode="constant", length=SIZE)

filters = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40)
energy = np.exp(rng.normal(size=(40, 30)))
found = np.stack([nnls(filters, column)[0] for column in energy.T], 1)
tensors |= {"filters": filters, "energy": energy, "filtered": filters @ found}
save_file({k: torch.tensor(np.ascontiguousarray(v), dtype=torch.float64) for k, v in tensors.items()},
          pathlib.Path(__file__).with_suffix(".safetensors"))
print("distance of the energies", np.linalg.norm(filters @ found - energy) / np.linalg.norm(energy))
