"""Small pictures of every kind with what they look like: the reference for tests/io/picture_test.cpp. PNGs are put together
here and their pixels known; JPEGs are written and decoded by Pillow. For each NAME: NAME/file (bytes), NAME/own, NAME/rgb
and NAME/grey (C, H, W).

Run by hand: python tests/parity/pictures.py (needs numpy, pillow 13 and safetensors).
"""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 10, 13
tensors = {}


def png(colour, depth, pixels, extra=()):
    """`pixels`: (H, W, C) of the depth's values."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in pixels]
    else:
        bits = [np.unpackbits(row.reshape(-1, 1).astype(np.uint8), axis=1)[:, 8 - depth:].reshape(-1) for row in pixels]
        rows = [np.packbits(row).tobytes() for row in bits]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*e) for e in extra) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def smooth(channels):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [127 + 120 * np.sin(x / (2 + c) + y / (3 + 2 * c) + c) for c in range(channels)]
    return np.stack(planes, -1).round().astype(np.uint8)


def grey_of(rgb):
    return np.asarray(Image.fromarray(rgb).convert("L"))[..., None]


def on_white(rgba):
    rgb, alpha = rgba[..., :3].astype(float), rgba[..., 3:].astype(float)
    return np.floor((rgb * alpha + 255 * (255 - alpha)) / 255 + 0.5).astype(np.uint8)


def keep(name, data, own):
    """`own`: (H, W, 1, 3 or 4) uint8."""
    rgb = own.repeat(3, -1) if own.shape[-1] == 1 else on_white(own) if own.shape[-1] == 4 else own
    grey = own if own.shape[-1] == 1 else grey_of(rgb)
    tensors[f"{name}/file"] = np.frombuffer(data, np.uint8).copy()
    for kind, pixels in {"own": own, "rgb": rgb, "grey": grey}.items():
        tensors[f"{name}/{kind}"] = np.ascontiguousarray(pixels.transpose(2, 0, 1))


def rounded(pixels):
    return np.floor(pixels / 257 + 0.5).astype(np.uint8)  # 16 bits to 8


def pngs():
    noise = lambda channels, high=256: RNG.integers(0, high, (HEIGHT, WIDTH, channels))
    g, rgb, rgba = noise(1), noise(3), noise(4)
    keep("png_grey", png(0, 8, g), g.astype(np.uint8))
    keep("png_rgb", png(2, 8, rgb), rgb.astype(np.uint8))
    keep("png_rgba", png(6, 8, rgba), rgba.astype(np.uint8))
    la = noise(2)
    keep("png_grey_alpha", png(4, 8, la), la[..., [0, 0, 0, 1]].astype(np.uint8))
    one, two = noise(1, 2), noise(1, 4)
    keep("png_1_bit", png(0, 1, one), (one * 255).astype(np.uint8))
    keep("png_2_bit", png(0, 2, two), (two * 85).astype(np.uint8))
    deep, deep_rgb = noise(1, 65536), noise(3, 65536)
    keep("png_grey_16", png(0, 16, deep), rounded(deep))
    keep("png_rgb_16", png(2, 16, deep_rgb), rounded(deep_rgb))
    table, alpha, index = RNG.integers(0, 256, (16, 3)), RNG.integers(0, 256, 16), noise(1, 16)
    colours = table.astype(np.uint8)
    plte = (b"PLTE", colours.tobytes())
    keep("png_palette", png(3, 4, index, [plte]), colours[index[..., 0]])
    clear = np.concatenate([colours, alpha[:, None].astype(np.uint8)], 1)
    keep("png_palette_alpha", png(3, 4, index, [plte, (b"tRNS", alpha.astype(np.uint8).tobytes())]), clear[index[..., 0]])
    see = np.concatenate([np.repeat(g, 3, -1), np.where(g == g[2, 2], 0, 255)], -1).astype(np.uint8)
    keep("png_grey_transparent", png(0, 8, g, [(b"tRNS", struct.pack(">H", g[2, 2, 0]))]), see)


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def decoded(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def jpegs():
    rgb = Image.fromarray(smooth(3))
    cases = {"jpeg_grey": jpeg(Image.fromarray(smooth(1)[..., 0])), "jpeg_444": jpeg(rgb, subsampling=0),
             "jpeg_422": jpeg(rgb, subsampling=1), "jpeg_420": jpeg(rgb, subsampling=2),
             "jpeg_progressive": jpeg(rgb, progressive=True), "jpeg_rgb": jpeg(rgb, keep_rgb=True),
             "jpeg_cmyk": jpeg(Image.fromarray(smooth(4), "CMYK"))}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        cases[f"jpeg_exif_{orientation}"] = jpeg(rgb, exif=exif)
    for name, data in cases.items():
        keep(name, data, decoded(data))


pngs()
jpegs()
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
