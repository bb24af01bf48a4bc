"""The parameters of torchvision's own models, and what they put out for seeded weights: the reference for
tests/models/backbone_test.cpp. Weights and input are a formula of name and place (filled.py), so nothing large is kept.

Run by hand: python tests/parity/torchvision_parameters.py (needs torch and torchvision).
"""
import gzip
import json
import pathlib

import torch
import torchvision
from filled import fill, filled

MODELS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn",
          "vgg16_bn", "vgg19_bn", "mobilenet_v2"]
RUN = {"resnet18": 64, "resnet50": 64, "mobilenet_v2": 64, "vgg11_bn": 32}  # side of the picture


def outputs(model, side):
    fill(model)
    x = filled("input", (2, 3, side, side)).double()
    with torch.no_grad():
        return model.double().eval()(x)


def main():
    reference = {"torchvision": torchvision.__version__, "models": {}}
    for name in MODELS:
        torch.manual_seed(0)
        model = getattr(torchvision.models, name)()
        entry = {"parameters": {key: list(value.shape) for key, value in model.state_dict().items()}}
        # How the layers start: the standard deviation of each kind of weight, which a test of ours holds its own to.
        entry["deviations"] = {key: value.std().item() for key, value in model.named_parameters() if value.numel() > 4000}
        entry["bias_of_head"] = list(model.parameters())[-1].abs().max().item()
        if name in RUN:
            y = outputs(model, RUN[name])
            entry["side"], entry["logits"] = RUN[name], y[:, :10].tolist()
            entry["largest"] = y.abs().max().item()
        reference["models"][name] = entry
    text = json.dumps(reference, separators=(",", ":"))
    pathlib.Path(__file__).with_suffix(".json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


main()
