"""Losses and metrics of regression by PyTorch and NumPy: the reference for tests/objectives and tests/metrics.

Run by hand: python tests/parity/regression.py (needs torch, numpy and safetensors).
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
tensors = {}


def store(**values):
    for name, value in values.items():
        tensors[name] = torch.as_tensor(value, dtype=torch.float64).detach().clone().contiguous()


predictions = (2 * torch.randn(7, 3)).requires_grad_()
target = 2 * torch.randn(7, 3)
weight = torch.rand(7) + 0.1
scale = torch.tensor([3.0, 0.5, 20.0]).expand(7, 3)
store(predictions=predictions, target=target, weight=weight, scale=scale)

losses = {
    "squared": F.mse_loss(predictions, target, reduction="none"),
    "absolute": F.l1_loss(predictions, target, reduction="none"),
    "huber": F.huber_loss(predictions, target, reduction="none", delta=0.7),
}
for name, loss in losses.items():
    gradient, = torch.autograd.grad(loss.mean(), predictions, retain_graph=True)
    row = loss.mean(1)
    store(**{f"{name}.loss": loss.mean(), f"{name}.weighted": (row * weight).sum() / weight.sum(), f"{name}.gradient": gradient})

y, p, w = (1e4 + (target * scale).numpy()), (1e4 + (predictions * scale).detach().numpy()), weight.numpy()
for name, weights in (("plain", np.ones(7)), ("weighted", w)):
    share = weights[:, None] / weights.sum()
    mean = (share * y).sum(0)
    store(**{f"rmse.{name}": np.sqrt((share * (p - y) ** 2).sum() / 3), f"mae.{name}": (share * np.abs(p - y)).sum() / 3,
             f"r2.{name}": (1 - (share * (p - y) ** 2).sum(0) / (share * (y - mean) ** 2).sum(0)).mean()})
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
