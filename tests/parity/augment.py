"""Augmentations by torchvision's functions: the reference for tests/data/augment_test.cpp.

Small random images of odd sizes in float64 that hold 0 and 1 each, so that torchvision's clamp to [0, 1] is one to the
image's own range. The hue alone is float32, in which torchvision computes it whatever it is given.
Run by hand: python tests/parity/augment.py (needs torch, torchvision, pillow and safetensors).
"""
import math
import pathlib

import torch
import torchvision.transforms.functional as T
from safetensors.torch import save_file
from torchvision.transforms import InterpolationMode

torch.manual_seed(0)
tensors = {}
images = torch.rand(4, 3, 9, 11, dtype=torch.float64)
images[1, :, 4, :] = 0.5  # without colour
images[2, 1] = images[2, 0]  # two channels that are the greatest together
images[:, 0, 2, 3], images[:, 2, 5, 7] = 0, 1
tensors["images"] = images


def store(case, function, **parameters):
    """`function` of every image with its own parameters."""
    columns = {name: torch.tensor(values, dtype=torch.float64) for name, values in parameters.items()}
    results = [function(image, *[values[i] for values in parameters.values()]) for i, image in enumerate(images)]
    tensors.update({f"{case}.{name}": values for name, values in columns.items()})
    tensors[f"{case}.result"] = torch.stack(results).contiguous()


def affine(image, degrees, scale, shear):
    return T.affine(image, degrees, [0, 0], scale, [shear, 0.0], InterpolationMode.BILINEAR)


def rotate(image, degrees):
    return T.rotate(image, -degrees, InterpolationMode.BILINEAR)  # torchvision's rotate turns the other way than its affine


def erase(image, top, left, height, width):
    return T.erase(image, int(top), int(left), int(height), int(width), torch.tensor(0.25, dtype=torch.float64))


store("affine", affine, degrees=[0.0, 25.0, -70.0, 160.0], scale=[1.0, 0.7, 1.4, 1.1], shear=[10.0, 0.0, -30.0, 20.0])
store("rotate", rotate, degrees=[0.0, 90.0, -33.0, 12.5])
store("blur", lambda image, sigma: T.gaussian_blur(image, [7, 7], [sigma, sigma]), sigma=[0.1, 0.5, 1.0, 2.5])
store("saturation", T.adjust_saturation, factor=[0.0, 0.4, 1.0, 1.8])
store("hue", lambda image, turn: T.adjust_hue(image.float(), turn), turn=[-0.5, -0.13, 0.0, 0.31])
store("erase", erase, top=[0, 3, 8, 2], left=[0, 4, 10, 0], height=[9, 2, 1, 7], width=[11, 5, 1, 3])
tensors["affine.degrees"] *= math.pi / 180
tensors["affine.shear"] *= math.pi / 180
tensors["rotate.degrees"] *= math.pi / 180
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
