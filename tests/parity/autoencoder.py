"""Autoencoders by plain torch.nn with the parameter names of vaetl's, their objectives by the papers' formulas, and ten steps
of torch.optim.SGD: the reference for tests/models/autoencoder_test.cpp. Everything is computed in float64, from weights, inputs
and noise that float32 holds exactly and the file has in float32.

Run by hand: python tests/parity/autoencoder.py (needs torch and safetensors).
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

STEPS, RATE, MOMENTUM, COUNT = 10, 0.05, 0.9, 6
ACTIVATIONS = {"relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu, "elu": F.elu,
               "identity": lambda x: x, None: lambda x: x}
tensors = {}


class Dense(nn.Module):
    def __init__(self, inputs, outputs, activation=None, batch_norm=False):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.norm = nn.BatchNorm1d(outputs) if batch_norm else None
        self.activation = ACTIVATIONS[activation]

    def forward(self, x):
        h = self.dense(x.flatten(1))
        return self.activation(h if self.norm is None else self.norm(h))


class Code(Dense):
    """k-sparse: what is below the k-th largest value is zero (arXiv:1312.5663); in evaluation k is larger."""

    def __init__(self, inputs, o):
        super().__init__(inputs, o["latent"], o.get("code_activation", "identity"), o.get("code_batch_norm", False))
        self.k, self.factor = o.get("top_k", 0), o.get("top_k_factor", 1)

    def forward(self, x):
        h = super().forward(x)
        if self.k == 0:
            return h
        k = self.k if self.training else min(h.shape[1], round(self.k * self.factor))
        return h * (h >= h.sort(1, descending=True).values[:, k - 1:k]).to(h)


class Conv(nn.Module):
    def __init__(self, inputs, outputs, o):
        super().__init__()
        self.stride = 2 if o["downsample"] == "stride" else 1
        self.conv = nn.Conv2d(inputs, outputs, o["kernel"], stride=self.stride, padding=o["kernel"] // 2)
        self.norm = nn.BatchNorm2d(outputs) if o["batch_norm"] else None
        self.activation = ACTIVATIONS[o["activation"]]

    def forward(self, x):
        h = self.conv(x)
        h = self.activation(h if self.norm is None else self.norm(h))
        return F.max_pool2d(h, 2) if self.stride == 1 else h


class Up(nn.Module):
    def __init__(self, inputs, outputs, start, end, o, last):
        super().__init__()
        self.shape = (inputs, *start)
        self.conv = nn.ConvTranspose2d(inputs, outputs, o["kernel"] + 1, stride=2, padding=o["kernel"] // 2,
                                       output_padding=tuple(e - 2 * s for s, e in zip(start, end)))
        self.norm = nn.BatchNorm2d(outputs) if o["batch_norm"] and not last else None
        self.activation = ACTIVATIONS[None if last else o["activation"]]

    def forward(self, x):
        h = self.conv(x.reshape(-1, *self.shape))
        return self.activation(h if self.norm is None else self.norm(h))


def dense_parts(o):
    sizes, after = [math.prod(o["input"]), *o["widths"]], (o["activation"], o.get("batch_norm", False))
    encoder = [*(Dense(a, b, *after) for a, b in zip(sizes, sizes[1:])), Code(sizes[-1], o)]
    back = [o["latent"], *reversed(sizes)]
    blocks = [Dense(a, b, *after) for a, b in zip(back, back[1:-1])]
    return encoder, [*blocks, Dense(back[-2], back[-1])]


def conv_parts(o):
    maps, (height, width) = [o["input"][0], *o["channels"]], o["input"][1:]
    encoder = [Conv(a, b, o) for a, b in zip(maps, maps[1:])]
    for _ in o["channels"]:
        height, width = (math.ceil(s / 2) if o["downsample"] == "stride" else s // 2 for s in (height, width))
    sizes, after = [maps[-1] * height * width, *o["dense"]], (o["activation"], o["batch_norm"])
    encoder += [*(Dense(a, b, *after) for a, b in zip(sizes, sizes[1:])), Code(sizes[-1], o)]
    images = [tuple(o["input"][1:])]
    for _ in o["channels"]:
        images.insert(0, tuple(s // 2 for s in images[0]))
    back = [o["latent"], *reversed(o["dense"]), maps[-1] * math.prod(images[0])]
    decoder = [Dense(a, b, *after) for a, b in zip(back, back[1:])]
    maps.reverse()
    for i, (a, b) in enumerate(zip(maps, maps[1:])):
        decoder.append(Up(a, b, images[i], images[i + 1], o, last=i == len(maps) - 2))
    return encoder, decoder


class Autoencoder(nn.Module):
    def __init__(self, name, o):
        super().__init__()
        encoder, decoder = (conv_parts if name == "conv_autoencoder" else dense_parts)(o)
        self.encoder, self.decoder, self.output = nn.Sequential(*encoder), nn.Sequential(*decoder), o["output"]

    def mean(self, code, shape):
        output = self.decoder(code).reshape(shape)
        return torch.sigmoid(output) if self.output == "sigmoid" else output


def corrupt(x, noise, how):
    if how is None:
        return x
    if how["name"] == "gaussian":
        return x + how["sigma"] * noise
    result = x.clone()
    if how["name"] == "masking":
        result[noise < how["share"]] = 0
    else:
        result[(noise >= how["share"] / 2) & (noise < how["share"])] = 1
        result[noise < how["share"] / 2] = 0
    return result


def contraction(encoder, x):
    """||J||_F^2 from whole Jacobians, one example at a time."""
    each = [torch.autograd.functional.jacobian(lambda y: encoder(y[None])[0], example, create_graph=True) for example in x]
    return torch.stack([jacobian.square().sum() for jacobian in each]).mean()


def loss_of(model, x, weight, noise, objective):
    total, values = 0.0, {}
    for part in objective:
        if part["name"] == "reconstruction":
            code = model.encoder(corrupt(x, noise, part.get("corrupt")))
            mean = model.mean(code, x.shape)
            if part["loss"] == "mse":
                each = (mean - x).square().flatten(1).mean(1)
            else:
                each = F.binary_cross_entropy(mean, x, reduction="none").flatten(1).mean(1)
            value = (weight * each).sum() / weight.sum()
            values["reconstruction"] = value
        elif part["name"] == "sparsity_kl":
            activity = (weight[:, None] * model.encoder(x)).sum(0) / weight.sum()
            value = torch.distributions.kl_divergence(torch.distributions.Bernoulli(torch.full_like(activity, part["rho"])),
                                                      torch.distributions.Bernoulli(activity)).sum()
            value = part["weight"] * value
            values["sparsity"] = value
        elif part["name"] == "sparsity_l1":
            value = part["weight"] * (weight * torch.linalg.vector_norm(model.encoder(x), ord=1, dim=1)).sum() / weight.sum()
            values["sparsity"] = value
        else:
            value = part["weight"] * contraction(model.encoder, x)
            values["contraction"] = value
        total = total + value
    return total, values


DENSE = {"input": [1, 4, 5], "widths": [7], "activation": "relu", "latent": 3, "code_activation": "sigmoid", "output": "sigmoid"}
CONV = {"input": [2, 9, 7], "channels": [3, 4], "kernel": 3, "downsample": "max_pool", "dense": [6], "activation": "tanh",
        "batch_norm": False, "latent": 3, "output": "sigmoid"}
MSE, CROSS = {"name": "reconstruction", "loss": "mse"}, {"name": "reconstruction", "loss": "cross_entropy"}
# Weights that float32 holds exactly, as a schedule's value is of that type.
CASES = [
    ("classic", "autoencoder", DENSE, [CROSS]),
    ("weighted", "autoencoder", {**DENSE, "activation": "tanh"}, [MSE, {"name": "sparsity_kl", "rho": 0.1, "weight": 0.25}]),
    ("sparse_kl", "autoencoder", {**DENSE, "widths": [], "latent": 8}, [MSE, {"name": "sparsity_kl", "rho": 0.05, "weight": 0.125}]),
    ("sparse_l1", "autoencoder", {**DENSE, "widths": [9], "latent": 25, "code_activation": "relu"},
     [MSE, {"name": "sparsity_l1", "weight": 0.015625}]),
    ("k_sparse", "autoencoder", {**DENSE, "widths": [], "latent": 12, "code_activation": "identity", "code_batch_norm": True, "top_k": 3,
                                 "top_k_factor": 2, "output": "identity"}, [MSE]),
    ("gaussian", "autoencoder", {**DENSE, "activation": "silu", "batch_norm": True, "output": "identity"},
     [{**MSE, "corrupt": {"name": "gaussian", "sigma": 0.2}}]),
    ("masking", "autoencoder", {**DENSE, "widths": [6, 5]}, [{**CROSS, "corrupt": {"name": "masking", "share": 0.4}}]),
    ("salt_and_pepper", "autoencoder", {**DENSE, "widths": []},
     [{**CROSS, "corrupt": {"name": "salt_and_pepper", "share": 0.5}}, {"name": "sparsity_l1", "weight": 0.03125}]),
    ("contractive", "autoencoder", {**DENSE, "activation": "tanh"},
     [CROSS, {"name": "contractive", "exact": True, "weight": 0.25}]),
    ("conv", "conv_autoencoder", CONV, [CROSS]),
    ("conv_norm", "conv_autoencoder", {**CONV, "input": [1, 8, 7], "kernel": 5, "downsample": "stride", "dense": [],
                                       "activation": "elu", "batch_norm": True, "latent": 5, "top_k": 2, "top_k_factor": 2,
                                       "output": "identity"}, [{**MSE, "corrupt": {"name": "masking", "share": 0.3}}]),
    ("conv_contractive", "conv_autoencoder", {**CONV, "input": [1, 6, 6], "channels": [2], "dense": [], "downsample": "stride"},
     [MSE, {"name": "contractive", "exact": True, "weight": 0.25}]),
]


def rounded(values):
    return values.float().double()


def run(case, name, options, objective):
    model = Autoencoder(name, options)
    model.load_state_dict({k: v.float().to(v.dtype) for k, v in model.state_dict().items()})
    x, weight = rounded(torch.rand(COUNT, *options["input"])), rounded(torch.rand(COUNT) + 0.5)
    weight = weight if case == "weighted" else torch.ones(COUNT)
    kinds = [part["corrupt"]["name"] for part in objective if "corrupt" in part]
    noise = rounded((torch.randn if kinds == ["gaussian"] else torch.rand)(STEPS, COUNT, *options["input"]))
    kept = {"x": x, **{f"weights.{k}": v for k, v in model.state_dict().items()}}
    if case == "weighted":
        kept["weight"] = weight
    if kinds:
        kept["noise"] = noise
    kept = {k: v.float() if v.is_floating_point() else v.clone() for k, v in kept.items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, values = loss_of(model, x, weight, noise[step], objective)
        loss.backward()
        if step == 0:
            kept |= {"loss": loss, **{f"term.{k}": v for k, v in values.items()}}
            kept |= {f"grad.{k}": p.grad.clone() for k, p in model.named_parameters()}
        optimizer.step()
    kept |= {f"after.{k}": v for k, v in model.state_dict().items()}
    model.eval()
    code = model.encoder(x)
    mean = model.mean(code, x.shape)
    kept |= {"eval.code": code, "eval.mean": mean, "eval.mse": F.mse_loss(mean, x)}
    if options["output"] == "sigmoid":
        kept["eval.bce"] = F.binary_cross_entropy(mean, x)
    tensors.update({f"{case}/{k}": v.detach().clone().contiguous() for k, v in kept.items()})


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    for case in CASES:
        run(*case)
    described = [{"case": case, "model": {"name": name, **options}} for case, name, options, _ in CASES]
    save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")),
              {"models": json.dumps(described), "objectives": json.dumps({case: objective for case, _, _, objective in CASES})})
