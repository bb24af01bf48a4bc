"""Calibration and top-k by torchmetrics and scikit-learn, likeness of pictures by scikit-image: the reference for
tests/metrics/quality_test.cpp.

Run by hand: python tests/parity/quality.py (needs torch, torchmetrics, scikit-learn, scikit-image and safetensors).
"""
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_calibration_error

random = np.random.default_rng(0)
tensors = {}


def classifier():
    labels = random.integers(0, 6, 200)
    logits = 1.5 * random.standard_normal((200, 6)) + 2 * np.eye(6)[labels]
    tensors["logits"], tensors["labels"] = logits, labels
    for bins in (5, 15):
        error = multiclass_calibration_error(torch.tensor(logits).softmax(1), torch.tensor(labels), num_classes=6, n_bins=bins, norm="l1")
        tensors[f"ece{bins}"] = np.array(error.item())
    for k in (1, 3):
        tensors[f"top{k}"] = np.array(top_k_accuracy_score(labels, logits, k=k, labels=np.arange(6)))


def pictures():
    x = random.random((4, 3, 16, 20))
    y = np.clip(x + random.standard_normal(x.shape) * np.array([0.02, 0.1, 0.3, 1.0])[:, None, None, None], 0, 1)
    tensors["x"], tensors["y"] = x, y
    tensors["psnr"] = np.array([peak_signal_noise_ratio(a, b, data_range=1) for a, b in zip(x, y)])
    tensors["ssim"] = np.array([structural_similarity(a, b, channel_axis=0, data_range=1, gaussian_weights=True, sigma=1.5,
                                                      use_sample_covariance=False) for a, b in zip(x, y)])


classifier()
pictures()
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
