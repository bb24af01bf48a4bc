"""The image networks in plain torch.nn, at reduced width, with the parameter names of vaetl's: the reference for
tests/models/backbone_test.cpp. Weights and inputs are formulas (filled.py), everything is computed in float64; of gradients and
of weights after ten steps a few projections are kept.

Run by hand: python tests/parity/backbones.py (needs torch, numpy and safetensors).
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from filled import fill, filled, projections
from safetensors.torch import save_file
from torch import nn

CLASSES, BATCH = 5, 6


def times(channels, width):
    return max(1, int(channels * width + 0.5))


def norm_conv(inputs, outputs, kernel=3, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


# ---- residual networks

class Basic(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = norm_conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = norm_conv(width, width), nn.BatchNorm2d(width)
        self.more, self.stride = width - inputs, stride
        if shortcut == "conv" and (stride != 1 or self.more):
            self.downsample = nn.Sequential(norm_conv(inputs, width, 1, stride), nn.BatchNorm2d(width))

    def skip(self, x):
        if hasattr(self, "downsample"):
            return self.downsample(x)
        half = self.more // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.more - half))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.skip(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = norm_conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = norm_conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = norm_conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(norm_conv(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        return F.relu(self.bn3(self.conv3(h)) + self.downsample(x))


class Residual(nn.Module):
    def __init__(self, inputs, block, counts, first, width, stem, shortcut, head):
        super().__init__()
        self.large, self.head, channels = stem == "imagenet", head, times(first, width)
        self.conv1 = nn.Conv2d(inputs, channels, 7, 2, 3, bias=False) if self.large else norm_conv(inputs, channels)
        self.bn1, self.stages = nn.BatchNorm2d(channels), len(counts)
        for i, count in enumerate(counts):
            stage, planes = [], times(first * 2**i, width)
            for j in range(count):
                stage.append(block(channels, planes, 2 if i > 0 and j == 0 else 1, shortcut))
                channels = planes * block.expansion
            self.add_module(f"layer{i + 1}", nn.Sequential(*stage))
        self.add_module(head, nn.Linear(channels, CLASSES))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.max_pool2d(h, 3, 2, 1) if self.large else h
        for i in range(self.stages):
            h = getattr(self, f"layer{i + 1}")(h)
        return getattr(self, self.head)(h.mean((2, 3)))


def resnet(input, depth, width, stem="imagenet"):
    block, counts = {18: (Basic, (2, 2, 2, 2)), 34: (Basic, (3, 4, 6, 3)), 50: (Bottleneck, (3, 4, 6, 3))}[depth]
    return Residual(input[0], block, counts, 64, width, stem, "conv", "fc")


def cifar_resnet(input, depth, width, shortcut="pad"):
    return Residual(input[0], Basic, 3 * ((depth - 2) // 6,), 16, width, "cifar", shortcut, "linear")


# ---- VGG, MobileNets, LeNet

class Vgg(nn.Module):
    def __init__(self, input, depth, width, batch_norm, dropout):
        super().__init__()
        layers, channels = [], input[0]
        stages = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3)}[depth]
        for maps, count in zip((64, 128, 256, 512, 512), stages):
            for _ in range(count):
                layers.append(nn.Conv2d(channels, times(maps, width), 3, padding=1))
                layers += [nn.BatchNorm2d(times(maps, width))] if batch_norm else []
                layers.append(nn.ReLU())
                channels = times(maps, width)
            layers.append(nn.MaxPool2d(2))
        self.features, dense = nn.Sequential(*layers), times(4096, width)
        self.classifier = nn.Sequential(nn.Linear(channels * 49, dense), nn.ReLU(), nn.Dropout(dropout), nn.Linear(dense, dense),
                                        nn.ReLU(), nn.Dropout(dropout), nn.Linear(dense, CLASSES))

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


def vgg(input, depth, width, batch_norm=False, dropout=0.0):
    return Vgg(input, depth, width, batch_norm, dropout)


class MobileNet1(nn.Module):
    def __init__(self, input, width, slope):
        super().__init__()
        channels = times(32, width)

        def act():
            return nn.LeakyReLU(slope)

        def separable(inputs, outputs, stride):
            return nn.Sequential(norm_conv(inputs, inputs, 3, stride, inputs), nn.BatchNorm2d(inputs), act(),
                                 norm_conv(inputs, outputs, 1), nn.BatchNorm2d(outputs), act())

        stages = [[nn.Sequential(norm_conv(input[0], channels, 3, 2), nn.BatchNorm2d(channels), act())], [], []]
        rows = [[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)], [(512, 2)] + 5 * [(512, 1)], [(1024, 2), (1024, 1)]]
        for stage, row in zip(stages, rows):
            for maps, stride in row:
                stage.append(separable(channels, times(maps, width), stride))
                channels = times(maps, width)
        self.stage1, self.stage2, self.stage3 = (nn.Sequential(*stage) for stage in stages)
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.fc(self.stage3(self.stage2(self.stage1(x))).mean((2, 3)))


def mobilenet_v1(input, width, slope=0.1):
    return MobileNet1(input, width, slope)


def eighths(channels):
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden, self.adds = inputs * expand, stride == 1 and inputs == outputs
        widen = [nn.Sequential(norm_conv(inputs, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU6())] if expand > 1 else []
        self.conv = nn.Sequential(*widen, nn.Sequential(norm_conv(hidden, hidden, 3, stride, hidden), nn.BatchNorm2d(hidden), nn.ReLU6()),
                                  norm_conv(hidden, outputs, 1), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNet2(nn.Module):
    def __init__(self, input, width, dropout):
        super().__init__()
        channels, last = eighths(32 * width), eighths(1280 * max(1, width))
        layers = [nn.Sequential(norm_conv(input[0], channels, 3, 2), nn.BatchNorm2d(channels), nn.ReLU6())]
        for expand, maps, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                            (6, 320, 1, 1)):
            for i in range(count):
                layers.append(Inverted(channels, eighths(maps * width), stride if i == 0 else 1, expand))
                channels = eighths(maps * width)
        layers.append(nn.Sequential(norm_conv(channels, last, 1), nn.BatchNorm2d(last), nn.ReLU6()))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, CLASSES))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenet_v2(input, width, dropout=0.0):
    return MobileNet2(input, width, dropout)


class LeNet(nn.Module):
    def __init__(self, input, channels, kernel, dense):
        super().__init__()
        maps, size = [input[0], *channels], input[1:]
        for i, (a, b) in enumerate(zip(maps, maps[1:])):
            self.add_module(f"conv{i + 1}", nn.Conv2d(a, b, kernel))
            size = [(s - kernel + 1) // 2 for s in size]
        sizes = [maps[-1] * size[0] * size[1], *dense, CLASSES]
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            self.add_module(f"fc{i + 1}", nn.Linear(a, b))
        self.counts = len(channels), len(sizes) - 1

    def forward(self, x):
        for i in range(self.counts[0]):
            x = F.max_pool2d(F.relu(getattr(self, f"conv{i + 1}")(x)), 2)
        x = x.flatten(1)
        for i in range(self.counts[1]):
            x = getattr(self, f"fc{i + 1}")(x if i == 0 else F.relu(x))
        return x


def lenet(input, channels, kernel, dense):
    return LeNet(input, channels, kernel, dense)


CASES = [
    (resnet, {"input": [3, 33, 35], "depth": 18, "width": 0.0625}),
    (resnet, {"input": [1, 32, 24], "depth": 50, "width": 0.09375, "stem": "cifar"}),
    (cifar_resnet, {"input": [3, 16, 18], "depth": 20, "width": 0.25}),
    (cifar_resnet, {"input": [1, 13, 12], "depth": 8, "width": 0.3, "shortcut": "conv"}),
    (vgg, {"input": [3, 32, 40], "depth": 11, "width": 0.015625, "dropout": 0.0}),
    (vgg, {"input": [1, 67, 33], "depth": 16, "width": 0.015625, "batch_norm": True, "dropout": 0.0}),
    (mobilenet_v1, {"input": [3, 64, 63], "width": 0.125}),
    (mobilenet_v1, {"input": [1, 65, 64], "width": 0.25, "slope": 0.0}),
    (mobilenet_v2, {"input": [3, 64, 63], "width": 0.25, "dropout": 0.0}),
    (lenet, {"input": [1, 28, 28], "channels": [10, 20], "kernel": 5, "dense": [50]}),
    (lenet, {"input": [3, 30, 22], "channels": [4, 5, 6], "kernel": 3, "dense": []}),
]


def summary(values):
    """Of each tensor, by name, its norm and a few projections."""
    return torch.tensor([[value.double().norm().item(), *projections(name, value)] for name, value in sorted(values.items())],
                        dtype=torch.float64)


def run(make, options):
    model = fill(make(**options)).double()
    x, target = filled("input", (BATCH, *options["input"])).double(), torch.arange(BATCH) % CLASSES
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0002, momentum=0.9, weight_decay=1e-3)
    result, losses = {}, []
    for step in range(10):
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, target)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            result["logits"] = logits.detach()
            result["gradients"] = summary({name: p.grad for name, p in model.named_parameters()})
        optimizer.step()
    result["losses"] = torch.stack(losses)
    result["after"] = summary(model.state_dict())
    model.eval()
    result["evaluated"] = model(x).detach()
    return result, sorted(model.state_dict())


if __name__ == "__main__":
    tensors, models = {}, []
    for i, (make, options) in enumerate(CASES):
        result, names = run(make, options)
        case = f"{make.__name__}_{i}"
        tensors.update({f"{case}/{key}": value for key, value in result.items()})
        models.append({"case": case, "model": {"name": make.__name__, **options, "classes": CLASSES}, "names": names})
    save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")), {"models": json.dumps(models, separators=(",", ":"))})
