"""Pictures and what Pillow's JPEG makes of them, for tests/data/check_test.cpp: near_pictures.safetensors beside this
file. Usage: python near_pictures.py"""
import io
import pathlib

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file


def stored(picture, quality):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return numpy.asarray(Image.open(buffer))


def main():
    generator = torch.Generator().manual_seed(7)
    small = torch.rand(60, 1, 7, 7, generator=generator)
    smooth = torch.nn.functional.interpolate(small, size=(28, 28), mode="bicubic", align_corners=False)
    pictures = (smooth.clamp(0, 1) * 255).round().to(torch.uint8)
    tensors = {"pictures": pictures}
    for quality in (95, 75):
        again = [torch.from_numpy(stored(p[0].numpy(), quality).copy()) for p in pictures]
        tensors[f"jpeg{quality}"] = torch.stack(again).unsqueeze(1)
    save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))


if __name__ == "__main__":
    main()
