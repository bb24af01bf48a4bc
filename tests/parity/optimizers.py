"""Ten updates of each optimiser by torch.optim on given gradients: the reference for tests/train/optimizer_test.cpp.

Run by hand: python tests/parity/optimizers.py (needs torch and safetensors).
"""
import pathlib

import torch
from safetensors.torch import save_file

CASES = {
    "sgd": (torch.optim.SGD, dict(lr=0.1, momentum=0.0)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.05)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "adam": (torch.optim.Adam, dict(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
    "adamw": (torch.optim.AdamW, dict(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
}

torch.manual_seed(0)
start = torch.randn(3, 5)
gradients = torch.randn(10, 3, 5)
tensors = {"start": start, "gradients": gradients}
for name, (kind, options) in CASES.items():
    weight = start.clone().double().requires_grad_()  # in float64: the reference's own error does not count
    optimizer = kind([weight], **options)
    for gradient in gradients:
        weight.grad = gradient.double()
        optimizer.step()
    tensors[name] = weight.detach().clone()
save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")))
