"""LoRA, IA3 and bottleneck adapters beside plain layers of PyTorch, each as its paper computes it: by a second path
beside the layer (LoRA), on its output (IA3, bottleneck). The reference for tests/models/parity_adapters_test.cpp.
Weights, inputs and targets are what float32 holds exactly, everything computed from them is float64. Every case makes
ten steps of gradient descent of its adapter alone.

Run by hand: python tests/parity/adapters.py (needs torch and safetensors).
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

STEPS, RATE = 10, 0.1
LORA = 2.0  # alpha 4, rank 2
tensors = {}


def leaf(*shape):
    return (0.5 * torch.randn(*shape)).float().double().requires_grad_()


def step(forward, parameters, x, target):
    loss = (forward(parameters, x) - target).square().mean()
    adapter = {k: v for k, v in parameters.items() if v.is_leaf and is_adapter(k)}
    gradients = torch.autograd.grad(loss, list(adapter.values()))
    moved = {k: (v - RATE * g).detach().requires_grad_() for (k, v), g in zip(adapter.items(), gradients)}
    return {**parameters, **moved}


def is_adapter(name):
    return name.startswith(("lora", "scale", "down", "up"))


def case(name, forward, parameters, x):
    x = x.float().double().requires_grad_()
    y = forward(parameters, x)
    probe = torch.randn(y.shape).float().double()
    target = torch.randn(y.shape).float().double()
    (y * probe).sum().backward()
    values = {"input": x, "output": y, "probe": probe, "target": target, "grad.input": x.grad}
    values |= {f"weights.{k}": v for k, v in parameters.items()}
    values |= {f"grad.{k}": v.grad for k, v in parameters.items()}
    moved = parameters
    for _ in range(STEPS):
        moved = step(forward, moved, x.detach(), target)
    values |= {f"after.{k}": v for k, v in moved.items() if is_adapter(k)}
    for key, value in values.items():
        tensors[f"{name}/{key}"] = value.detach().float().contiguous().clone()


def linear(p, x):
    return F.linear(x, p["weight"], p["bias"])


def dense():
    base = {"weight": leaf(5, 4), "bias": leaf(5)}
    fresh = lambda: {k: v.detach().clone().requires_grad_() for k, v in base.items()}
    case("lora_linear", lambda p, x: linear(p, x) + LORA * F.linear(F.linear(x, p["lora_a"]), p["lora_b"]),
         {**fresh(), "lora_a": leaf(2, 4), "lora_b": leaf(5, 2)}, torch.randn(6, 4))
    case("ia3_linear", lambda p, x: p["scale"] * linear(p, x), {**fresh(), "scale": leaf(5)}, torch.randn(6, 4))

    def bottleneck(p, x):
        y = linear(p, x)
        hidden = F.gelu(F.linear(y, p["down.weight"], p["down.bias"]))
        return y + F.linear(hidden, p["up.weight"], p["up.bias"])

    case("bottleneck_linear", bottleneck,
         {**fresh(), "down.weight": leaf(3, 5), "down.bias": leaf(3), "up.weight": leaf(5, 3), "up.bias": leaf(5)},
         torch.randn(6, 4))


def convolutions():
    def conv(p, x):
        return F.conv2d(x, p["weight"], p["bias"], stride=2, padding=1)

    def lora(p, x):  # a convolution to two channels, then one of a kernel of one pixel
        down = F.conv2d(x, p["lora_a"].view(2, 3, 3, 3), stride=2, padding=1)
        return conv(p, x) + LORA * F.conv2d(down, p["lora_b"].view(4, 2, 1, 1))

    def bottleneck(p, x):
        y = conv(p, x)
        hidden = torch.relu(F.conv2d(y, p["down.weight"][..., None, None], p["down.bias"]))
        return y + F.conv2d(hidden, p["up.weight"][..., None, None], p["up.bias"])

    base = lambda: {"weight": leaf(4, 3, 3, 3), "bias": leaf(4)}
    x = torch.randn(2, 3, 6, 5)
    case("lora_conv", lora, {**base(), "lora_a": leaf(2, 27), "lora_b": leaf(4, 2)}, x)
    case("ia3_conv", lambda p, x: p["scale"][:, None, None] * conv(p, x), {**base(), "scale": leaf(4)}, x)
    case("bottleneck_conv", bottleneck,
         {**base(), "down.weight": leaf(2, 4), "down.bias": leaf(2), "up.weight": leaf(4, 2), "up.bias": leaf(4)}, x)

    def grouped(p, x):  # without a bias; each half of the channels sees its own
        return p["scale"][:, None, None] * F.conv2d(x, p["weight"], padding=1, groups=2)

    case("ia3_grouped", grouped, {"weight": leaf(4, 1, 3, 3), "scale": leaf(4)}, torch.randn(2, 2, 4, 5))


def transposed():
    def conv(p, x, groups=1):
        return F.conv_transpose2d(x, p["weight"], p["bias"], stride=2, padding=1, output_padding=(0, 1), groups=groups)

    def lora(p, x):  # to two channels by a kernel of one pixel, then a transposed convolution
        down = F.conv2d(x, p["lora_b"].t()[..., None, None])
        up = F.conv_transpose2d(down, p["lora_a"].view(2, 2, 4, 4), stride=2, padding=1, output_padding=(0, 1))
        return conv(p, x) + LORA * up

    x = torch.randn(2, 4, 3, 3)
    case("lora_transposed", lora,
         {"weight": leaf(4, 2, 4, 4), "bias": leaf(2), "lora_a": leaf(2, 32), "lora_b": leaf(4, 2)}, x)
    case("ia3_transposed", lambda p, x: p["scale"][:, None, None] * conv(p, x, 2),
         {"weight": leaf(4, 3, 4, 4), "bias": leaf(6), "scale": leaf(6)}, x)


def recurrent_parameters(rnn):
    return {k: leaf(*v.shape) for k, v in rnn.named_parameters()}


def recurrent():
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    parameters = recurrent_parameters(lstm)
    names = [k.removeprefix("weight") for k in parameters if k.startswith("weight")]
    factors = {}
    for name in names:
        rows, columns = parameters["weight" + name].shape
        factors |= {"lora_a" + name: leaf(2, columns), "lora_b" + name: leaf(rows, 2)}

    def lora(p, x):
        weights = {k: v for k, v in p.items() if not is_adapter(k)}
        for name in names:
            weights["weight" + name] = weights["weight" + name] + LORA * p["lora_b" + name] @ p["lora_a" + name]
        return torch.func.functional_call(lstm, weights, (x,))[0]

    case("lora_lstm", lora, {**parameters, **factors}, torch.randn(3, 5, 3))

    def ia3(p, x):  # a GRU by hand
        h, steps = torch.zeros(x.shape[0], 4).double(), []
        for t in range(x.shape[1]):
            i = p["scale_ih_l0"] * F.linear(x[:, t], p["weight_ih_l0"], p["bias_ih_l0"])
            g = p["scale_hh_l0"] * F.linear(h, p["weight_hh_l0"], p["bias_hh_l0"])
            (ir, iz, i_n), (hr, hz, hn) = i.chunk(3, 1), g.chunk(3, 1)
            z = torch.sigmoid(iz + hz)
            n = torch.tanh(i_n + torch.sigmoid(ir + hr) * hn)
            h = (1 - z) * n + z * h
            steps.append(h)
        return torch.stack(steps, 1)

    gru = nn.GRU(3, 4, batch_first=True).double()
    case("ia3_gru", ia3, {**recurrent_parameters(gru), "scale_ih_l0": leaf(12), "scale_hh_l0": leaf(12)},
         torch.randn(3, 5, 3))

    def bottleneck(p, x):
        y = torch.func.functional_call(gru, {k: v for k, v in p.items() if not is_adapter(k)}, (x,))[0]
        hidden = torch.tanh(F.linear(y, p["down.weight"], p["down.bias"]))
        return y + F.linear(hidden, p["up.weight"], p["up.bias"])

    case("bottleneck_gru", bottleneck,
         {**recurrent_parameters(gru), "down.weight": leaf(1, 4), "down.bias": leaf(1), "up.weight": leaf(4, 1),
          "up.bias": leaf(4)}, torch.randn(3, 5, 3))


if __name__ == "__main__":
    torch.manual_seed(0)
    dense()
    convolutions()
    transposed()
    recurrent()
    save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
