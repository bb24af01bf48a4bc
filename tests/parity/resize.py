"""Images resized by Pillow, channel by channel: the reference for tests/data/resize_test.cpp.

Run by hand: python tests/parity/resize.py (needs numpy, pillow 13 and safetensors); `--sweep` prints the measured difference
of LibTorch's antialiased kernels, called as vaetl calls them, over 600 random sizes instead.
"""
import pathlib
import sys

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# height, width → height, width: smaller, larger, one of each (rows first in Pillow, columns first), to and from single rows
# and columns, one side kept.
CASES = [(37, 53, 16, 16, 3), (24, 31, 60, 40, 1), (64, 48, 7, 5, 4), (50, 20, 20, 50, 3), (20, 50, 50, 20, 3),
         (40, 30, 12, 1, 1), (1, 30, 9, 12, 1), (30, 1, 12, 1, 3), (30, 20, 30, 8, 3), (30, 20, 11, 20, 3), (60, 50, 32, 44, 3)]


def resized(pixels, height, width, name):
    planes = [Image.fromarray(plane).resize((width, height), FILTERS[name]) for plane in pixels]
    return np.stack([np.asarray(plane) for plane in planes])


def pixels_of(rng, height, width, channels, extreme):
    noise = rng.integers(0, 256, (channels, height, width), dtype=np.uint8)
    return (noise >= 128).astype(np.uint8) * 255 if extreme else noise  # only 0 and 255: overshoot is clipped


def write():
    rng, tensors = np.random.default_rng(0), {}
    for i, (h, w, height, width, channels) in enumerate(CASES):
        pixels = pixels_of(rng, h, w, channels, i % 2 == 1)
        tensors[f"{i:02}/input"] = pixels
        for name in FILTERS:
            tensors[f"{i:02}/{name}"] = resized(pixels, height, width, name)
    save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))


def sweep():
    import torch
    kernels = {"bilinear": torch.ops.aten._upsample_bilinear2d_aa, "bicubic": torch.ops.aten._upsample_bicubic2d_aa}

    def one(kernel, x, height, width):
        return x if x.shape[2:] == (height, width) else kernel(x, [height, width], False, None, None)

    def rows(kernel, x, height):
        if x.shape[3] > 1:
            return one(kernel, x, height, x.shape[3])
        return one(kernel, torch.cat([x, x], 3), height, 2)[..., :1]

    def ours(kernel, x, height, width):
        h, w = x.shape[2:]
        if h - height > max(0, 2 * (w - width)):
            return one(kernel, rows(kernel, x, height), height, width)
        return rows(kernel, one(kernel, x, h, width), height)

    rng = np.random.default_rng(0)
    for name, kernel in kernels.items():
        largest, differing, count = 0, 0, 0
        for i in range(600):
            h, w, height, width = (int(v) for v in rng.integers(1, 300 if i % 5 else 1500, 4))
            pixels = pixels_of(rng, h, w, (1, 3, 4)[i % 3], i % 2 == 1)
            got = ours(kernel, torch.from_numpy(pixels)[None], height, width)[0].numpy().astype(int)
            gap = np.abs(got - resized(pixels, height, width, name))
            largest, differing, count = max(largest, gap.max()), differing + (gap > 0).sum(), count + gap.size
        print(f"{name}: at most {largest}, {100 * differing / count:.2f} % of the values differ "
              f"({torch.backends.cpu.get_cpu_capability()})")


if __name__ == "__main__":
    sweep() if "--sweep" in sys.argv else write()
