#!/usr/bin/env python3
"""How many bits a pixel a VAE stores pictures in, beside programs that everybody has.

Compresses the pictures of an IDX file with vaetl-compress on one thread, restores them on one and on two, compares every
byte, and gives the bound of the same weights (vaetl-evaluate --metrics elbo); then gzip, bzip2 and xz of the plain bytes,
PNG and lossless WebP of each picture and of all in one:

    python3 scripts/experiments/compress.py runs/mnist-vae-bits --idx …/mnist/t10k-images-idx3-ubyte.gz --out runs/bits.json

--binarise draws black and white from the grey values first, for a VAE with the likelihood bernoulli. Needs numpy and
Pillow. The table is printed in Markdown.
"""
import argparse
import bz2
import gzip
import io
import json
import lzma
import math
import pathlib
import tempfile
import time

import numpy as np
from PIL import Image

from programs import program

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a run folder or a zoo name, trained on pictures like these")
    parser.add_argument("--idx", required=True, help="pictures, as MNIST keeps them, gzip or not")
    parser.add_argument("--binarise", action="store_true")
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"), help="where the programs lie")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def read_idx(path):
    content = pathlib.Path(path).read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    sizes = np.frombuffer(content[4:4 + 4 * content[3]], ">u4").astype(int)
    return np.frombuffer(content[4 + 4 * content[3]:], np.uint8).reshape(sizes)


def by_vae(given, pictures, folder):
    """Sizes in bytes, seconds, and whether what comes back is the same."""
    plain, coded = folder / "pictures.npy", folder / "pictures.bb"
    np.save(plain, pictures)
    start = time.monotonic()
    found = program(given, "vaetl-compress", given.model, plain, "--out", coded, "--threads", 1)
    seconds = {"compress": time.monotonic() - start}
    for threads in (1, 2):
        restored = folder / f"restored{threads}.npy"
        start = time.monotonic()
        program(given, "vaetl-decompress", given.model, coded, "--out", restored, "--threads", threads)
        seconds[f"decompress, {threads} threads"] = time.monotonic() - start
        assert restored.read_bytes() == plain.read_bytes(), "what came back differs"
    return found["bytes"], seconds


def bound(given, pictures, folder):
    """Bytes of the ELBO, by a set of the same pictures."""
    data = folder / "data"
    data.mkdir()
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in pictures.shape)
    (data / "t10k-images-idx3-ubyte").write_bytes(header + pictures.tobytes())
    metrics = program(given, "vaetl-evaluate", given.model, "--data", f"idx:{data}", "--metrics", "elbo")["metrics"]
    return -metrics["elbo"] * len(pictures) / math.log(2) / 8


def encoded(picture, **how):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, **how)
    return buffer.tell()


def by_others(pictures, binary):
    """Bytes. Pictures of two levels are given to all as one bit a pixel."""
    raw = np.packbits(pictures > 127).tobytes() if binary else pictures.tobytes()
    images = [picture > 127 for picture in pictures] if binary else list(pictures)
    columns = math.isqrt(len(images))
    rows = [np.concatenate(images[i:i + columns], 1) for i in range(0, columns * columns, columns)]
    png, webp = {"format": "PNG", "optimize": True}, {"format": "WEBP", "lossless": True, "quality": 100, "method": 6}
    whole = len(images) / columns ** 2  # a square of most of them
    return {"gzip -9": len(gzip.compress(raw, 9)), "bzip2 -9": len(bz2.compress(raw, 9)),
            "xz -9e": len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)),
            "PNG, a file each": sum(encoded(image, **png) for image in images),
            "PNG, all in one": whole * encoded(np.concatenate(rows), **png),
            "WebP lossless, a file each": sum(encoded(image, **webp) for image in images),
            "WebP lossless, all in one": whole * encoded(np.concatenate(rows), **webp)}


def main():
    given = arguments()
    pictures = read_idx(given.idx)
    if given.binarise:
        draws = np.random.default_rng(0).random(pictures.shape)
        pictures = ((draws < pictures / 255) * 255).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        size, seconds = by_vae(given, pictures, pathlib.Path(folder))
        sizes = {"vaetl-compress, the file": size, "the VAE's −ELBO": bound(given, pictures, pathlib.Path(folder))}
    sizes.update(by_others(pictures, given.binarise))
    bits = {name: 8 * value / pictures.size for name, value in sizes.items()}
    pathlib.Path(given.out).write_text(json.dumps({"pictures": list(pictures.shape), "bytes": sizes, "bits_per_pixel": bits,
                                                   "seconds": seconds}, indent=2) + "\n")
    print("| coded by | bytes | bits a pixel |\n|---|---:|---:|")
    for name, value in sizes.items():
        print(f"| {name} | {value:,.0f} | {bits[name]:.3f} |")
    print("\n" + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))


if __name__ == "__main__":
    main()
