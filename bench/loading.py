"""How fast pictures are read: `vaetl-data show` on a set beside Pillow and, where it is installed, torchvision, which do the
same work in one process: take every picture from the archive, decode it, convert it to RGB, resize it so that it covers the
size (antialiased, bilinear), keep the middle, and put it into one array.

Sides take turns; the figure of each is the median over the repeats of the seconds that reading took, without start-up. A
ratio above 1 means that vaetl is faster.

    python bench/loading.py [--data FOLDER] [--repeats 5] [--threads 1] [--json]
"""
import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import time

import numpy as np
from PIL import Image

try:
    import torch
    import torchvision
except (ImportError, RuntimeError) as problem:  # absent, or made for another torch
    print(f"without torchvision: {problem}", file=sys.stderr)
    torchvision = None

ROOT = pathlib.Path(__file__).resolve().parents[1]
SETS = {"hymenoptera": ("hymenoptera/hymenoptera_data.tar", 224), "cifar10-jpeg": ("cifar10/cifar10-jpeg-q75.tar.xz", 32)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("VAETL_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--app", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "vaetl-data")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of vaetl; the others take one")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def pictures(archive):
    with tarfile.open(archive, "r|*") as members:
        for member in members:
            if member.isfile() and member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                yield members.extractfile(member).read()


def covering(width, height, size):
    return (size * width // height, size) if width >= height else (size, size * height // width)


def with_pillow(archive, size):
    images = []
    for data in pictures(archive):
        image = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = covering(*image.size, size)
        left, top = round((width - size) / 2), round((height - size) / 2)
        image = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
        images.append(np.asarray(image))
    return np.stack(images)


def with_torchvision(archive, size):
    from torchvision.transforms.v2 import functional
    images = []
    for data in pictures(archive):
        image = torchvision.io.decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), torchvision.io.ImageReadMode.RGB)
        images.append(functional.center_crop(functional.resize(image, [size], antialias=True), [size, size]))
    return torch.stack(images)


def seconds_of(function, *args):
    start = time.perf_counter()
    count = len(function(*args))
    return time.perf_counter() - start, count


def seconds_of_app(options, archive, size):
    command = [options.app, "show", f"folder:{archive}?size=[{size},{size}]", "--threads", str(options.threads), "--json"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return shown["seconds"]


def measure(options, archive, size):
    sides = {"pillow": with_pillow}
    if torchvision:
        torch.set_num_threads(1)
        sides["torchvision"] = with_torchvision
    seconds = {name: [] for name in ["vaetl", *sides]}
    for _ in range(options.repeats):
        seconds["vaetl"].append(seconds_of_app(options, archive, size))
        for name, function in sides.items():
            taken, count = seconds_of(function, archive, size)
            seconds[name].append(taken)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {"pictures": count, "size": size, "threads": options.threads, "seconds": medians,
            "ratios": {name: medians[name] / medians["vaetl"] for name in sides}}


def main():
    options = arguments()
    results = {name: measure(options, options.data / file, size) for name, (file, size) in SETS.items()}
    if options.json:
        print(json.dumps(results))
        return
    for name, result in results.items():
        print(f"{name}: {result['pictures']} pictures to {result['size']}×{result['size']}, vaetl on {result['threads']} threads")
        for side, seconds in result["seconds"].items():
            ratio = f", ratio {result['ratios'][side]:.2f}" if side in result["ratios"] else ""
            print(f"  {side}: {seconds:.2f} s, {result['pictures'] / seconds:.0f} pictures a second{ratio}")


if __name__ == "__main__":
    main()
