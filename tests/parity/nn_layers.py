"""Layers, likelihoods and whole models by plain torch.nn, with the parameter names of vaetl's: the reference for
tests/models/parity_*_test.cpp. Inputs and weights are float32, everything computed from them is computed in float64, so the
reference's own error does not count.

Run by hand: python tests/parity/nn_layers.py (needs torch and safetensors).
"""
import collections
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

ACTIVATIONS = {
    "relu": F.relu, "leaky_relu": F.leaky_relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu, "elu": F.elu,
    "silu": F.silu, "leaky_relu_0.2": lambda x: F.leaky_relu(x, 0.2),
}
tensors = {}


def store(case, values):
    for name, value in values.items():
        kept = value.detach().clone()
        tensors[f"{case}/{name}"] = kept.float() if kept.is_floating_point() else kept


def named_gradients(module):
    return {f"grad.{name}": p.grad for name, p in module.named_parameters()}


# ---- layers: output and gradients of sum(output * probe)

def layer_case(case, module, shape):
    module = module.double()
    module.load_state_dict({k: v.float().to(v.dtype) for k, v in module.state_dict().items()})
    store(case, {f"weights.{k}": v for k, v in module.state_dict().items()})
    x = torch.randn(shape).double().requires_grad_()
    y = module(x)
    probe = torch.randn(y.shape).double()
    (y * probe).sum().backward()
    store(case, {"input": x, "output": y, "probe": probe, "grad.input": x.grad, **named_gradients(module)})
    return module


def batch_norm_case(case, module, shape):
    with torch.no_grad():
        module.weight.uniform_(0.5, 1.5)
        module.bias.normal_()
    module = layer_case(case, module, shape)
    store(case, {f"after.{k}": v for k, v in module.state_dict().items()})
    module.eval()
    store(case, {"eval.output": module(tensors[f"{case}/input"].double())})


def layers():
    layer_case("linear", nn.Linear(4, 3), (5, 4))
    layer_case("conv", nn.Conv2d(2, 3, 3, padding=1), (2, 2, 5, 4))
    layer_case("conv_grey_stride", nn.Conv2d(1, 3, 5, stride=2, padding=2), (2, 1, 7, 6))
    layer_case("conv_transpose", nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1, output_padding=(0, 1)), (2, 3, 4, 3))
    layer_case("conv_transpose_grey", nn.ConvTranspose2d(1, 1, 2, stride=2), (2, 1, 3, 3))
    batch_norm_case("batch_norm_dense", nn.BatchNorm1d(3), (4, 3))
    batch_norm_case("batch_norm_image", nn.BatchNorm2d(3), (2, 3, 4, 5))


def activations():
    x = torch.linspace(-4, 4, 33)
    store("activation", {"input": x})
    for name, function in ACTIVATIONS.items():
        x64 = x.double().requires_grad_()
        y = function(x64)
        y.sum().backward()
        store("activation", {f"{name}.output": y, f"{name}.grad": x64.grad})


def likelihoods():
    raw, x = torch.randn(3, 1, 4, 5), torch.rand(3, 1, 4, 5)
    store("likelihood", {"raw": raw, "x": x})
    raw, x = raw.double(), x.double()
    bernoulli = -F.binary_cross_entropy_with_logits(raw, x, reduction="none").flatten(1).sum(1)
    gaussian = torch.distributions.Normal(raw, 0.1).log_prob(x).flatten(1).sum(1)
    store("likelihood", {"bernoulli": bernoulli, "gaussian": gaussian})


# ---- whole models

class DenseBlock(nn.Module):
    def __init__(self, inputs, outputs, activation=None, batch_norm=False, layer_norm=False):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        if batch_norm or layer_norm:
            self.norm = nn.BatchNorm1d(outputs) if batch_norm else nn.LayerNorm(outputs)
        self.activation = ACTIVATIONS.get(activation, lambda x: x)

    def forward(self, x):
        h = self.dense(x.flatten(1))
        return self.activation(self.norm(h) if hasattr(self, "norm") else h)


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel, downsample, activation, batch_norm):
        super().__init__()
        self.stride = 2 if downsample == "stride" else 1
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=self.stride, padding=kernel // 2)
        if batch_norm:
            self.norm = nn.BatchNorm2d(outputs)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x):
        h = self.conv(x)
        h = self.activation(self.norm(h) if hasattr(self, "norm") else h)
        return F.max_pool2d(h, 2) if self.stride == 1 else h


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel, start, end, activation=None, batch_norm=False):
        super().__init__()
        odd = tuple(e - 2 * s for s, e in zip(start, end))
        self.shape = (inputs, *start)
        self.conv = nn.ConvTranspose2d(inputs, outputs, kernel + 1, stride=2, padding=kernel // 2, output_padding=odd)
        if batch_norm:
            self.norm = nn.BatchNorm2d(outputs)
        self.activation = ACTIVATIONS.get(activation, lambda x: x)

    def forward(self, x):
        h = self.conv(x.reshape(-1, *self.shape))
        return self.activation(self.norm(h) if hasattr(self, "norm") else h)


def dense_encoder(o):
    sizes = [math.prod(o["input"]), *o["widths"]]
    norms = o.get("batch_norm", False), o.get("layer_norm", False)
    return nn.Sequential(*(DenseBlock(a, b, o["activation"], *norms) for a, b in zip(sizes, sizes[1:]))), sizes[-1]


def dense_decoder(o):
    sizes = [o["latent"], *reversed(o["widths"])]
    blocks = [DenseBlock(a, b, o["activation"]) for a, b in zip(sizes, sizes[1:])]
    return nn.Sequential(*blocks, DenseBlock(sizes[-1], math.prod(o["input"])))


def conv_encoder(o):
    maps, (height, width) = [o["input"][0], *o["channels"]], o["input"][1:]
    after = o["activation"], o["batch_norm"]
    blocks = [ConvBlock(a, b, o["kernel"], o["downsample"], *after) for a, b in zip(maps, maps[1:])]
    for _ in o["channels"]:
        height, width = (math.ceil(s / 2) if o["downsample"] == "stride" else s // 2 for s in (height, width))
    sizes = [maps[-1] * height * width, *o["dense"]]
    return nn.Sequential(*blocks, *(DenseBlock(a, b, *after) for a, b in zip(sizes, sizes[1:]))), sizes[-1]


def conv_decoder(o):
    after = o["activation"], o["batch_norm"]
    images = [tuple(o["input"][1:])]
    for _ in o["channels"]:
        images.insert(0, tuple(s // 2 for s in images[0]))
    sizes = [o["latent"], *reversed(o["dense"]), o["channels"][-1] * math.prod(images[0])]
    blocks = [DenseBlock(a, b, *after) for a, b in zip(sizes, sizes[1:])]
    maps = [*reversed(o["channels"]), o["input"][0]]
    for i, (a, b) in enumerate(zip(maps, maps[1:])):
        last = i == len(maps) - 2
        blocks.append(UpBlock(a, b, o["kernel"], images[i], images[i + 1], *(() if last else after)))
    return nn.Sequential(*blocks)


class Classifier(nn.Module):
    def __init__(self, encoder, features, classes):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(features, classes)

    def forward(self, x):
        return self.head(self.encoder(x).flatten(1))


class Vae(nn.Module):
    def __init__(self, encoder, features, decoder, latent):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.latent = nn.ModuleDict(collections.OrderedDict(mean=nn.Linear(features, latent), log_var=nn.Linear(features, latent)))

    def forward(self, x, noise):
        h = self.encoder(x).flatten(1)
        mean, log_var = self.latent["mean"](h), self.latent["log_var"](h)
        z = mean + torch.exp(0.5 * log_var) * noise
        return mean, log_var, self.decoder(z).reshape(x.shape)


def rounded(module):
    """float64 arithmetic on weights that float32 holds exactly."""
    module = module.double()
    module.load_state_dict({k: v.float().to(v.dtype) for k, v in module.state_dict().items()})
    return module


def classifier_case(case, options, module):
    module = rounded(module)
    store(case, {f"weights.{k}": v for k, v in module.state_dict().items()})
    x, target = torch.rand(6, *options["input"]), torch.arange(6) % options["classes"]
    logits = module(x.double())
    loss = F.cross_entropy(logits, target)
    loss.backward()
    store(case, {"x": x, "target": target, "logits": logits, "loss": loss, **named_gradients(module)})
    module.eval()
    store(case, {"eval.logits": module(x.double())})


def vae_case(case, options, module):
    module = rounded(module)
    store(case, {f"weights.{k}": v for k, v in module.state_dict().items()})
    x, noise = torch.rand(6, *options["input"]), torch.randn(6, options["latent"])
    mean, log_var, output = module(x.double(), noise.double())
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    kl = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1)
    if options["likelihood"] == "bernoulli":
        log_prob = -F.binary_cross_entropy_with_logits(output, x.double(), reduction="none").flatten(1).sum(1)
    else:
        log_prob = torch.distributions.Normal(output, 0.1).log_prob(x.double()).flatten(1).sum(1)
    loss = (kl - log_prob).mean()
    loss.backward()
    store(case, {"x": x, "noise": noise, "mean": mean, "log_var": log_var, "kl": kl, "log_prob": log_prob, "loss": loss,
                 **named_gradients(module)})
    module.eval()
    z = noise.double()
    decoded = module.decoder(z).reshape(x.shape)
    generated = torch.sigmoid(decoded) if options["likelihood"] == "bernoulli" else decoded
    store(case, {"eval.generated": generated, "eval.mean": module(x.double(), z)[0]})


CONV = {"input": [2, 9, 7], "channels": [3, 4], "kernel": 3, "downsample": "max_pool", "dense": [6], "activation": "relu",
        "batch_norm": False}
MODELS = [
    ("logistic", "mlp", {"input": [2, 3], "widths": [], "activation": "relu", "classes": 3}),
    ("mlp", "mlp", {"input": [1, 4, 5], "widths": [7, 5], "activation": "relu", "classes": 3}),
    ("mlp_norm", "mlp", {"input": [20], "widths": [6], "activation": "silu", "batch_norm": True, "classes": 4}),
    ("cnn_pool", "cnn", {**CONV, "classes": 3}),
    ("cnn_pool_gelu", "cnn", {**CONV, "activation": "gelu", "dense": [], "classes": 3}),
    ("cnn_stride_norm", "cnn", {**CONV, "input": [1, 9, 6], "kernel": 5, "downsample": "stride", "activation": "leaky_relu",
                                "batch_norm": True, "classes": 3}),
    ("vae", "vae", {"input": [1, 4, 5], "widths": [7], "activation": "tanh", "latent": 2, "likelihood": "bernoulli"}),
    ("vae_gaussian", "vae", {"input": [12], "widths": [6, 5], "activation": "elu", "latent": 3, "likelihood": "gaussian"}),
    ("conv_vae", "conv_vae", {**CONV, "input": [1, 9, 11], "latent": 2, "likelihood": "bernoulli"}),
    ("conv_vae_norm", "conv_vae", {**CONV, "input": [1, 8, 7], "downsample": "stride", "activation": "sigmoid",
                                   "batch_norm": True, "latent": 2, "likelihood": "gaussian"}),
    ("mlp_layer_norm", "mlp", {"input": [20], "widths": [6, 5], "activation": "relu", "layer_norm": True, "classes": 4}),
]


def models():
    for case, name, options in MODELS:
        conv = "conv" in name or name == "cnn"
        encoder, features = conv_encoder(options) if conv else dense_encoder(options)
        if "classes" in options:
            classifier_case(case, options, Classifier(encoder, features, options["classes"]))
        else:
            decoder = conv_decoder(options) if conv else dense_decoder(options)
            vae_case(case, options, Vae(encoder, features, decoder, options["latent"]))


if __name__ == "__main__":
    torch.manual_seed(0)
    layers()
    activations()
    likelihoods()
    models()
    described = [{"case": case, "model": {"name": name, **options}} for case, name, options in MODELS]
    save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")), {"models": json.dumps(described)})
