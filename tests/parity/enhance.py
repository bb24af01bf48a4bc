"""Repairs without a model by scipy and Pillow, and style transfer by torch's autograd and Adam on a MobileNet in plain torch.nn:
the reference for tests/recipe/enhance_test.cpp and tests/recipe/style_transfer_test.cpp; and the skip autoencoder in torch.nn, for
tests/models/skip_autoencoder_test.cpp.

Run by hand: python tests/parity/enhance.py (needs torch, numpy, scipy, Pillow and safetensors).
"""
import json
import math
import pathlib

import numpy as np
import torch
from filled import fill, filled, noise
from PIL import Image
from restorer import SkipAutoencoder
from safetensors.numpy import save_file
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

random = np.random.default_rng(0)
tensors = {}
skip = {"name": "skip_autoencoder", "input": [2, 11, 9], "channels": [3, 4, 5], "activation": "elu"}


def classical():
    x = random.random((2, 3, 13, 17)).astype(np.float32)
    tensors["x"] = x
    for side in (3, 5):
        tensors[f"median{side}"] = ndimage.median_filter(x, size=(1, 1, side, side), mode="nearest")
    enlarged = [[np.asarray(Image.fromarray(plane).resize((34, 26), Image.BICUBIC)) for plane in picture] for picture in x]
    tensors["bicubic"] = np.array(enlarged)


def laplace(picture, missing):
    """The exact solution: every missing pixel is the mean of its neighbours within the picture."""
    places = np.full(picture.shape, -1)
    places[missing] = np.arange(missing.sum())
    matrix, right = sparse.lil_matrix((missing.sum(), missing.sum())), np.zeros(missing.sum())
    for y, x in zip(*np.nonzero(missing)):
        row = places[y, x]
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not (0 <= v < picture.shape[0] and 0 <= u < picture.shape[1]):
                continue
            matrix[row, row] += 1
            if missing[v, u]:
                matrix[row, places[v, u]] -= 1
            else:
                right[row] += picture[v, u]
    filled_picture = picture.astype(np.float64).copy()
    filled_picture[missing] = spsolve(matrix.tocsr(), right)
    return filled_picture


def diffusion():
    x = tensors["x"]
    missing = np.zeros((2, 1, 13, 17), bool)
    missing[0, 0, 3:9, 4:12] = True
    missing[0, 0, :2, :3] = True  # a corner
    missing[1, 0] = random.random((13, 17)) < 0.6
    tensors["missing"] = missing.astype(np.uint8)
    tensors["diffused"] = np.array([[laplace(plane, hole[0]) for plane in picture] for picture, hole in zip(x, missing)])


class Mobile:
    """The first layers of MobileNetV1 (arXiv:1704.04861) in evaluation, with vaetl's names; float64."""

    def __init__(self, width, slope):
        self.width, self.slope = width, slope

    def channels(self, count):
        return max(1, int(count * self.width + 0.5))

    def conv(self, x, name, norm, outputs, kernel, stride, groups):
        weight = filled(f"{name}.weight", (outputs, x.shape[1] // groups, kernel, kernel)).double()
        h = torch.nn.functional.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=groups)
        of = {key: filled(f"{norm}.{key}", (outputs,)).double() for key in ("running_mean", "running_var", "weight", "bias")}
        h = torch.nn.functional.batch_norm(h, of["running_mean"], of["running_var"], of["weight"], of["bias"])
        return torch.nn.functional.leaky_relu(h, self.slope)

    def maps(self, x):
        h, result = self.conv(x, "stage1.0.0", "stage1.0.1", self.channels(32), 3, 2, 1), {}
        rows = [("stage1", 1, [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)]), ("stage2", 0, [(512, 2)] + 5 * [(512, 1)])]
        for stage, first, row in rows:
            for i, (maps, stride) in enumerate(row):
                name = f"{stage}.{first + i}"
                h = self.conv(h, f"{name}.0", f"{name}.1", h.shape[1], 3, stride, h.shape[1])
                result[name] = h = self.conv(h, f"{name}.3", f"{name}.4", self.channels(maps), 1, 1, 1)
        return result


STEPS, STYLE_WEIGHT, SMOOTHNESS, RATE = 4, 20.0, 100.0, 0.03
CONTENT, STYLE = "stage1.5", ("stage1.1", "stage1.3", "stage1.5", "stage2.5")


def gram(maps):
    rows = maps.flatten(2)[0]
    return rows @ rows.t() / rows.shape[1]


def style():
    content, manner = (torch.from_numpy((noise(name, 3 * 32 * 48) * 0.5 + 0.5).reshape(1, 3, 32, 48) * 255).round() / 255
                       for name in ("content", "style"))
    content = torch.nn.functional.avg_pool2d(content, 3, 1, 1).mul(255).round() / 255
    net, x = Mobile(0.25, 0.1), content.clone().requires_grad_()
    wanted, grams = net.maps(content)[CONTENT], {layer: gram(maps) for layer, maps in net.maps(manner).items()}
    adam = torch.optim.Adam([x], RATE)
    for step in range(STEPS + 1):
        maps = net.maps(x)
        losses = [(maps[CONTENT] - wanted).square().mean() / wanted.square().mean(),
                  sum((gram(maps[layer]) - grams[layer]).square().sum() / grams[layer].square().sum() for layer in STYLE) / len(STYLE),
                  x.diff(dim=2).square().mean() + x.diff(dim=3).square().mean()]
        total = losses[0] + STYLE_WEIGHT * losses[1] + SMOOTHNESS * losses[2]
        tensors[f"style.losses.{step}"] = np.array([float(loss.detach()) for loss in (*losses, total)])
        if step == STEPS:
            break
        adam.zero_grad()
        total.backward()
        adam.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        adam.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    tensors["style.content"] = (content[0] * 255).round().to(torch.uint8).numpy()
    tensors["style.style"] = (manner[0] * 255).round().to(torch.uint8).numpy()
    tensors["style.picture"] = (x.detach()[0] * 255).round().to(torch.uint8).numpy()


def restorer():
    net = fill(SkipAutoencoder({**skip, "kernel": 3})).double()
    x = (filled("restorer.input", (3, 2, 11, 9)).double() + 2.5) / 5
    y = net(x)
    loss = (y - x.flip(0)).square().mean()
    loss.backward()
    tensors["restorer.input"], tensors["restorer.output"] = x.float().numpy(), y.detach().numpy()
    for name, value in net.named_parameters():
        tensors[f"restorer.gradient.{name}"] = value.grad.numpy()


classical()
diffusion()
style()
restorer()
save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, pathlib.Path(__file__).with_suffix(".safetensors"),
          {"models": json.dumps([{"model": skip}])})
