"""The pictures that every side reads: Fashion-MNIST, whole as its Debian package has it, or its first examples as two .npy
files, uint8 (N, C, H, W) and int64 (N). `fashion32` is made of it for the residual network: each picture in the middle
of 32 × 32 pixels, in a colour drawn with a fixed seed."""
import gzip
import os
import pathlib

import numpy as np

PLACES = [pathlib.Path(place) / "fashion-mnist"
          for place in [*filter(None, os.environ.get("VAETL_DATA", "").split(":")), "/usr/share/datasets"]]


def read_idx(name, header):
    for place in PLACES:
        if (place / name).exists():
            return np.frombuffer(gzip.decompress((place / name).read_bytes()), np.uint8, offset=header)
    raise SystemExit(f"{name} is in none of {', '.join(map(str, PLACES))}: apt-get install dataset-fashion-mnist")


def fashion_mnist(split):
    """Of `train` or `t10k`."""
    images = read_idx(f"{split}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    return images, read_idx(f"{split}-labels-idx1-ubyte.gz", 8).astype(np.int64)


def coloured(images):
    colours = np.random.default_rng(0).integers(64, 256, (len(images), 3, 1, 1), np.uint16)
    large = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2))).astype(np.uint16)
    return (large * colours // 255).astype(np.uint8)


def write(folder, pictures, examples):
    """The first examples; does nothing where they are written."""
    folder = pathlib.Path(folder)
    if (folder / "y_train.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = (part[:examples] for part in fashion_mnist("train"))
    np.save(folder / "x_train.npy", coloured(images) if pictures == "fashion32" else images)
    np.save(folder / "y_train.npy", labels)


def read(folder=None):
    """Training images and labels, from a folder that write() made or, without one, all of Fashion-MNIST."""
    if folder is None:
        return fashion_mnist("train")
    return np.load(pathlib.Path(folder) / "x_train.npy"), np.load(pathlib.Path(folder) / "y_train.npy")
