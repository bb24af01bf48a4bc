"""Weights of examples and of classes, on real pictures with a rare class: what they do to its recall, and what weighted test data mean.
Usage: test_weights_app.py BIN [unittest options]"""
import csv
import gzip
import pathlib
import unittest

import support
from support import Case, write_idx

SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
SIZE, RARE = 28 * 28, 6  # shirts, which look like T-shirts, pullovers and coats


def read_set(split, count):
    pixels = gzip.decompress(next(SOURCE.glob(f"{split}-images*")).read_bytes())[16:]
    labels = gzip.decompress(next(SOURCE.glob(f"{split}-labels*")).read_bytes())[8:]
    return [(pixels[i * SIZE:(i + 1) * SIZE], labels[i]) for i in range(count)]


@unittest.skipUnless(SOURCE.is_dir(), "dataset-fashion-mnist is not installed")
class RareClass(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rare = cls.folder / "rare"
        cls.rare.mkdir()
        seen, train = 0, []
        for image, label in read_set("train", 10000):
            seen += label == RARE
            if label != RARE or seen % 10 == 0:
                train.append((image, label))
        for split, examples in {"train": train, "t10k": read_set("t10k", 4000)}.items():
            write_idx(cls.rare / f"{split}-images-idx3-ubyte", 3, (len(examples), 28, 28), b"".join(image for image, _ in examples))
            write_idx(cls.rare / f"{split}-labels-idx1-ubyte", 1, (len(examples),), bytes(label for _, label in examples))

    def recall(self, name, **weights):
        recipe = self.recipe(name, data={"open": f"idx:{self.rare}", **weights}, model={"name": "mlp", "widths": [64]},
                             trainer={"epochs": 1, "batch_size": 32, "lr_curve": {"linear": [1, 0]},
                                      "optimizer": {"name": "adamw", "lr": 0.001}})
        self.run_program("vaetl-train", recipe, "--out", name)
        found = self.json_of("vaetl-evaluate", name, "--data", f"idx:{self.rare}", "--per-class", "--bootstrap", "20")
        return found["per_class"][RARE]["recall"]

    def test_balanced_weights_raise_its_recall(self):
        even, balanced = self.recall("even"), self.recall("balanced", class_weights="balanced")
        self.assertLess(even, 0.1)
        self.assertGreater(balanced, even + 0.15)
        listed = self.recall("listed", class_weights=[1] * RARE + [0] + [1] * (9 - RARE))
        self.assertEqual(listed, 0)

    def test_a_wrong_number_of_weights(self):
        recipe = self.recipe("short", data={"open": f"idx:{self.rare}", "class_weights": [1, 2]})
        self.refused(2, ["class_weights", "10 numbers, one a class", "found 2"], "vaetl-train", recipe)


def table(rows):
    return "x,z,w,y\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


class Columns(Case):
    """Two classes that overlap, b with a third of the examples of a."""

    def setUp(self):
        draw = support.random.Random(1)
        self.rows = [(round(draw.gauss(label, 1), 3), round(draw.gauss(0, 1), 3), draw.choice([0, 1, 5]), "ab"[label])
                     for label in ([0, 0, 0, 1] * 60)]
        (self.folder / "t.csv").write_text(table(self.rows))

    def train(self, name, reference, **data):
        self.run_program("vaetl-train", self.recipe(name, data={"open": reference, **data}, model={"name": "mlp", "widths": [8]}, evaluate=None),
                         "--out", name)
        return self.weights(name)

    def test_a_column_and_weights_of_classes_are_the_same_thing(self):
        """N / (K n): 240 / (2 · 180) and 240 / (2 · 60)."""
        (self.folder / "own.csv").write_text(table((x, z, {"a": 240 / 360, "b": 240 / 120}[y], y) for x, z, _, y in self.rows))
        by_column = self.train("column", "csv:own.csv?target=y&weight=w")
        by_class = self.train("class", "csv:t.csv?target=y&ignore=w", class_weights="balanced")
        self.assertEqual(by_column, by_class)
        self.assertNotEqual(by_column, self.train("plain", "csv:t.csv?target=y&ignore=w"))

    def test_weighted_test_data(self):
        """The accuracy is Σ w right / Σ w."""
        self.train("model", "csv:t.csv?target=y&weight=w")
        found = self.json_of("vaetl-evaluate", "model", "--data", "csv:t.csv", "--metrics", "accuracy", "--bootstrap", "50")
        rows = list(csv.DictReader(self.run_program("vaetl-predict", "model", "t.csv").stdout.splitlines()))
        self.assertEqual(len(rows), 240)
        right = [said["prediction"] == row[3] for said, row in zip(rows, self.rows)]
        weights = [row[2] for row in self.rows]
        self.assertAlmostEqual(found["metrics"]["accuracy"], sum(w for w, hit in zip(weights, right) if hit) / sum(weights), delta=1e-9)
        self.assertNotAlmostEqual(found["metrics"]["accuracy"], sum(right) / 240, delta=1e-3)
        (self.folder / "even.csv").write_text("x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, _, y in self.rows))
        lacking = self.json_of("vaetl-evaluate", "model", "--data", "csv:even.csv", "--metrics", "accuracy")
        self.assertAlmostEqual(lacking["metrics"]["accuracy"], sum(right) / 240, delta=1e-9)

    def test_bad_weights(self):
        (self.folder / "bad.csv").write_text("x,w,y\n1,1,a\n2,-1,b\n3,1,b\n")
        self.refused(3, ["bad.csv:3", 'a weight of at least 0 in column "w"', 'found "-1"'], "vaetl-data", "show",
                     "csv:bad.csv?target=y&weight=w", "--strict")
        shown = self.json_of("vaetl-data", "show", "csv:bad.csv?target=y&weight=w", "--quiet")
        self.assertIn("weight", shown["splits"]["train"]["fields"])


if __name__ == "__main__":
    support.main()
