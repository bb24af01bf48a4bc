"""Every command of docs/walkthrough.md, one after the other, on clothes as files: test_walkthrough.py FOLDER/OF/PROGRAMS"""
import gzip
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import support
from pictures import write_png

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
NAMES = ["coats", "shoes", "bags"]
LABELS = {4: 0, 7: 1, 8: 2}  # of Fashion-MNIST


def read_idx(name):
    content = gzip.open(SOURCE / f"{name}.gz").read()
    return content[4 + 4 * content[3]:]


def write_pictures(folder, split, count, first=0):
    """The first `count` of each class, as FOLDER/CLASS/N.png."""
    pixels, labels = read_idx(f"{split}-images-idx3-ubyte"), read_idx(f"{split}-labels-idx1-ubyte")
    written = dict.fromkeys(LABELS, -first)
    for i, label in enumerate(labels):
        if label not in LABELS or written[label] >= count:
            continue
        written[label] += 1
        if written[label] <= 0:
            continue
        place = folder / NAMES[LABELS[label]]
        place.mkdir(parents=True, exist_ok=True)
        picture = pixels[784 * i:784 * (i + 1)]
        write_png(place / f"{written[label]:04}.png", 28, 28, picture)


def blocks(text):
    """(kind, name or nothing, content) of each fenced block."""
    return re.findall(r"```(\w+) ?(\S*)\n(.*?)```", text, re.S)


@unittest.skipUnless(SOURCE.is_dir(), "dataset-fashion-mnist is not installed")
class Walkthrough(unittest.TestCase):
    def test_every_command(self):
        text = (ROOT / "docs" / "walkthrough.md").read_text()
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_pictures(folder / "pictures", "train", 120)
            write_pictures(folder / "new", "t10k", 4)
            environment = os.environ | {"PATH": f"{support.BIN}:{os.environ['PATH']}", "HOME": name, "OMP_NUM_THREADS": "1"}
            environment.pop("VAETL_ZOO", None)
            environment.pop("XDG_DATA_HOME", None)
            told = ""
            for kind, file, content in blocks(text):
                if kind == "json":
                    (folder / file).write_text(content)
                if kind != "sh":
                    continue
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", content], cwd=folder, env=environment, text=True,
                                      capture_output=True, timeout=300)
                self.assertEqual(done.returncode, 0, f"{content}\n{done.stdout}\n{done.stderr}")
                told += done.stdout
            self.check_results(folder, told)

    def check_results(self, folder, told):
        accuracy = float(re.search(r"^accuracy +(\S+)$", told, re.M).group(1))
        self.assertGreater(accuracy, 0.9)  # three kinds of clothes: guessing has a third
        predictions = re.findall(r"^new/(\w+)/\S+,(\w+),", told, re.M)
        self.assertEqual(len(predictions), 13)  # a folder of 12, and one of them again
        self.assertGreaterEqual(sum(real == said for real, said in predictions), 11)
        for made in ["grid.png", "new.png", "rebuilt.png", "odd.csv", "my-clothes.onnx", "report.html"]:
            self.assertGreater((folder / made).stat().st_size, 100, made)
        odd = [row.split(",") for row in (folder / "odd.csv").read_text().splitlines()]
        self.assertGreater(len(odd), 10)


if __name__ == "__main__":
    support.main()
