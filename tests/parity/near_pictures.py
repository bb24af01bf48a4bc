"""Pictures and what Pillow's JPEG makes of them, for tests/data/check_test.cpp: near_pictures.safetensors beside this
file. With the name of an IDX file of pictures: which share of 1,000 of them, changed a little, correlates by 0.99 or
more with the original, as src/vaetl/data/check.hpp says.
Usage: python near_pictures.py [train-images-idx3-ubyte.gz]"""
import gzip
import io
import pathlib
import sys

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file


def stored(picture, quality):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return numpy.asarray(Image.open(buffer))


def stored_all(pictures, quality):
    return torch.stack([torch.from_numpy(stored(p.numpy(), quality).copy()) for p in pictures])


def unit(pictures, dy, dx):
    height, width = pictures.shape[1:]
    inside = pictures[:, 1 + dy:height - 1 + dy, 1 + dx:width - 1 + dx].flatten(1).double()
    centred = inside - inside.mean(1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True)


def correlation(a, b):
    still = unit(a, 0, 0)
    return torch.stack([(unit(b, dy, dx) * still).sum(1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]).amax(0)


def measure(file):
    content = gzip.open(file).read()
    pictures = torch.frombuffer(bytearray(content[16:]), dtype=torch.uint8).view(-1, 28, 28)
    pictures = pictures[::len(pictures) // 1000][:1000]
    real = pictures.double()
    changed = {"moved": pictures.roll((1, -1), (1, 2))}
    for name, values in (("× 1.05", real * 1.05), ("× 0.95", real * 0.95), ("+ 12.75", real + 12.75), ("- 12.75", real - 12.75)):
        changed[name] = values.round().clamp(0, 255).to(torch.uint8)
    for quality in (95, 90, 75, 50):
        changed[f"JPEG {quality}"] = stored_all(pictures, quality)
    for name, values in changed.items():
        print(f"{name:8} {100 * (correlation(pictures, values) >= 0.99).double().mean():.1f} %")


def main():
    generator = torch.Generator().manual_seed(7)
    small = torch.rand(60, 1, 7, 7, generator=generator)
    smooth = torch.nn.functional.interpolate(small, size=(28, 28), mode="bicubic", align_corners=False)
    pictures = (smooth.clamp(0, 1) * 255).round().to(torch.uint8)
    tensors = {f"jpeg{quality}": stored_all(pictures[:, 0], quality).unsqueeze(1) for quality in (95, 75)}
    save_file({"pictures": pictures, **tensors}, pathlib.Path(__file__).with_suffix(".safetensors"))


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
