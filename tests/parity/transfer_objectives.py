"""L2-SP and DELTA by the formulas of their papers in PyTorch: the reference for tests/transfer/regularisers_test.cpp.

A small CNN stands at other weights than those it started from. Everything is float64.
Run by hand: python tests/parity/transfer_objectives.py (needs torch and safetensors).
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


class Convolution(torch.nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.conv = torch.nn.Conv2d(channels_in, channels_out, 3, padding=1)

    def forward(self, x):
        return F.max_pool2d(F.relu(self.conv(x)), 2)


class Dense(torch.nn.Module):
    def __init__(self, features_in, features_out):
        super().__init__()
        self.dense = torch.nn.Linear(features_in, features_out)

    def forward(self, x):
        return F.relu(self.dense(x.flatten(1)))


class Classifier(torch.nn.Module):
    """The outputs of its layer groups are kept in `maps`."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.ModuleList([Convolution(1, 4), Convolution(4, 5), Dense(20, 6)])
        self.head = torch.nn.Linear(6, 3)

    def forward(self, x):
        self.maps = []
        for group in self.encoder:
            x = group(x)
            self.maps.append(x)
        return self.head(x)


tensors = {}
x, labels = torch.rand(7, 1, 8, 8), torch.tensor([0, 2, 1, 1, 0, 2, 2])
source, model = Classifier(), Classifier()
with torch.no_grad():
    for start, now in zip(source.parameters(), model.parameters()):
        start.mul_(1.5)
        now.copy_(start + 0.1 * torch.randn_like(start))


def store(name, loss):
    tensors[f"{name}.loss"] = loss.detach().clone()
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    for (parameter, value), gradient in zip(model.named_parameters(), found):
        tensors[f"{name}.gradient.{parameter}"] = torch.zeros_like(value) if gradient is None else gradient


def l2_sp(alpha, beta):
    """arXiv:1802.01483, equation 2 on the encoder and equation 3's second part on the head."""
    start = dict(source.named_parameters())
    loss = 0
    for name, value in model.named_parameters():
        if name.startswith("encoder"):
            loss = loss + alpha / 2 * torch.linalg.vector_norm(value - start[name].detach()) ** 2
        else:
            loss = loss + beta / 2 * torch.linalg.vector_norm(value) ** 2
    return loss


def attention():
    """For each group, softmax over the channels of the rise of the loss to first order, as the sum over a channel's values."""
    loss = F.cross_entropy(source(x), labels)
    weights = []
    for feature_map, slope in zip(source.maps, torch.autograd.grad(loss, source.maps)):
        rises = [sum(-(feature_map[n, c] * slope[n, c]).sum() for n in range(len(x))) for c in range(feature_map.shape[1])]
        weights.append(torch.softmax(torch.stack(rises).detach(), 0))
    return weights


def delta(alpha, weights):
    """arXiv:1901.09229: channel by channel and example by example."""
    model(x)
    with torch.no_grad():
        source(x)
    total = 0
    for now, then, weight in zip(model.maps, source.maps, weights):
        channels = now.shape[1]
        for n in range(len(x)):
            for c in range(channels):
                places = now[n, c].numel()
                total = total + channels * weight[c] * ((now[n, c] - then[n, c]) ** 2).sum() / places
    return alpha / 2 * total / len(x)


store("l2_sp", l2_sp(0.3, 0.02))
store("alike", delta(0.7, [torch.full((feature_map,), 1 / feature_map) for feature_map in (4, 5, 6)]))
weights = attention()
store("attention", delta(0.7, weights))
for i, weight in enumerate(weights):
    tensors[f"attention.weights.{i}"] = weight
tensors["x"], tensors["labels"] = x, labels
for name, start in source.state_dict().items():
    tensors[f"source.{name}"] = start.clone()
for name, now in model.state_dict().items():
    tensors[f"model.{name}"] = now.clone()
save_file({name: value.contiguous() for name, value in tensors.items()}, pathlib.Path(__file__).with_suffix(".safetensors"))
