"""The components in plain torch.nn, with the parameter names of vaetl's: the reference for tests/models/components_test.cpp.
Weights and inputs are formulas (filled.py), everything is computed in float64.

Run by hand: python tests/parity/components.py (needs torch, numpy and safetensors).
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from filled import fill, filled
from safetensors.torch import save_file
from torch import nn


def feature_map(shape, inputs, outputs, kernel=1):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2) if len(shape) == 3 else nn.Linear(inputs, outputs)


def features(shape):
    return shape[0] if len(shape) == 3 else shape[-1]


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, shape, heads):
        super().__init__(features(shape), heads, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2) if x.dim() == 4 else x
        y = super().forward(tokens, tokens, tokens, need_weights=False)[0]
        return y.transpose(1, 2).reshape(x.shape) if x.dim() == 4 else y


class Glu(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.proj = feature_map(shape, features(shape), 2 * features(shape))
        self.dim = 1 if len(shape) == 3 else -1

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, self.dim)
        return value * torch.sigmoid(gate)


class Highway(nn.Module):
    def __init__(self, shape, activation):
        super().__init__()
        self.hidden, self.gate = (feature_map(shape, features(shape), features(shape)) for _ in range(2))
        self.activation = getattr(F, activation)

    def forward(self, x):
        t = torch.sigmoid(self.gate(x))
        return t * self.activation(self.hidden(x)) + (1 - t) * x


class FeedForward(nn.Module):
    def __init__(self, shape, hidden, kernel=1, activation="relu"):
        super().__init__()
        self.fc1 = feature_map(shape, features(shape), hidden, kernel)
        self.fc2 = feature_map(shape, hidden, features(shape), kernel)
        self.activation = getattr(F, activation)

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)))


class Layer(nn.Module):
    def __init__(self, shape, kernel=1, activation="relu"):
        super().__init__()
        self.fc = feature_map(shape, features(shape), features(shape), kernel)
        self.activation = getattr(F, activation)

    def forward(self, x):
        return self.activation(self.fc(x))


class Residual(nn.Module):
    def __init__(self, shape, of, gate):
        super().__init__()
        self.of = make(of, shape)
        if gate:
            self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x + (self.gate if hasattr(self, "gate") else 1) * self.of(x)


class SqueezeExcitation(nn.Module):
    def __init__(self, shape, reduction):
        super().__init__()
        hidden = max(1, features(shape) // reduction)
        self.fc1, self.fc2 = feature_map(shape, features(shape), hidden), feature_map(shape, hidden, features(shape))

    def forward(self, x):
        s = {2: lambda: x, 3: lambda: x.mean(1, keepdim=True), 4: lambda: x.mean((2, 3), keepdim=True)}[x.dim()]()
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(s))))


KINDS = {"self_attention": SelfAttention, "glu": Glu, "highway": Highway, "feed_forward": FeedForward, "layer": Layer,
         "residual": Residual, "squeeze_excitation": SqueezeExcitation}


def make(spec, shape):
    return KINDS[spec["name"]](shape, **{key: value for key, value in spec.items() if key != "name"})


FEED_FORWARD = {"name": "feed_forward", "hidden": 5, "kernel": 1, "activation": "gelu"}
CASES = [
    ({"name": "self_attention", "heads": 2}, [5, 6]), ({"name": "self_attention", "heads": 3}, [6, 3, 4]),
    ({"name": "glu"}, [5]), ({"name": "glu"}, [3, 5]), ({"name": "glu"}, [4, 3, 2]),
    ({"name": "highway", "activation": "tanh"}, [6]), ({"name": "highway", "activation": "relu"}, [3, 4, 2]),
    (FEED_FORWARD, [4, 6]), ({**FEED_FORWARD, "kernel": 3, "activation": "relu"}, [3, 4, 5]),
    ({"name": "layer", "kernel": 1, "activation": "silu"}, [3, 6]), ({"name": "layer", "kernel": 3, "activation": "relu"}, [4, 3, 5]),
    ({"name": "residual", "of": FEED_FORWARD, "gate": True}, [6]),
    ({"name": "residual", "of": {"name": "self_attention", "heads": 2}, "gate": False}, [4, 2, 3]),
    ({"name": "squeeze_excitation", "reduction": 2}, [6]), ({"name": "squeeze_excitation", "reduction": 2}, [3, 6]),
    ({"name": "squeeze_excitation", "reduction": 3}, [6, 3, 2]),
]


def main():
    tensors, cases = {}, []
    for i, (spec, shape) in enumerate(CASES):
        module = fill(make(spec, shape)).double()
        x = filled("input", (2, *shape)).double().requires_grad_()
        y = module(x)
        (y * filled("probe", y.shape).double()).sum().backward()
        case = f"{spec['name']}_{i}"
        tensors.update({f"{case}/grad.{name}": p.grad for name, p in module.named_parameters()})
        tensors.update({f"{case}/output": y.detach().contiguous(), f"{case}/grad.input": x.grad.contiguous()})
        cases.append({"case": case, "component": spec, "shape": shape})
    save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")), {"components": json.dumps(cases)})


if __name__ == "__main__":
    main()
