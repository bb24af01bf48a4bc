"""vaetl-encode from outside. Usage: test_encode_app.py BIN [unittest options]"""
import csv
import json
import pathlib
import shutil
import struct
import unittest
import xml.etree.ElementTree

import support
from support import CLASSES, SIDE, Case
from test_generate_app import read_npy, read_png

try:
    import werkzeug.test
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.projector import projector_plugin
except ImportError:
    projector_plugin = None


class Encode(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        case.run_program("vaetl-train", case.recipe("vae", model={"name": "vae", "widths": [32], "latent": 4}, objective="elbo",
                                                    data={"open": f"idx:{cls.data}", "labels": False}, evaluate=None,
                                                    trainer={"steps": 200, "batch_size": 50,
                                                             "optimizer": {"name": "adam", "lr": 0.01}}),
                         "--quiet", "--out", "vae")
        cls.labels = list((cls.data / "t10k-labels-idx1-ubyte").read_bytes()[8:])
        cls.reference = ["vae", "--data", f"idx:{cls.data}"]

    def encode(self, *arguments):
        return self.json_of("vaetl-encode", *self.reference, *arguments)

    def test_arrays_and_tables_hold_the_posteriors_mean(self):
        found = self.encode("--out", "z.npy")
        self.assertEqual((found["data"]["examples"], found["features"], found["out"]), (80, 4, "z.npy"))
        dtype, shape, values = read_npy(self.folder / "z.npy")
        self.assertEqual((dtype, shape), ("<f4", (80, 4)))
        self.encode("--out", "z.csv")
        with open(self.folder / "z.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["input", "label", "z0", "z1", "z2", "z3"])
        self.assertEqual([row["label"] for row in rows], [str(label) for label in self.labels])
        table = [struct.pack("<f", float(row[f"z{i}"])) for row in rows for i in range(4)]
        self.assertEqual(table, [struct.pack("<f", value) for value in values])
        self.encode("--out", "again.npy")  # a mean, and no draw
        self.assertEqual((self.folder / "again.npy").read_bytes(), (self.folder / "z.npy").read_bytes())

    def test_some_of_the_examples(self):
        def numbers(*arguments):
            self.encode("--out", "some.csv", *arguments)
            with open(self.folder / "some.csv", newline="") as file:
                return [int(row["input"]) for row in csv.DictReader(file)]
        self.assertEqual(numbers("--count", "5"), [1, 2, 3, 4, 5])
        drawn = numbers("--count", "5", "--seed", "1")
        self.assertEqual(drawn, numbers("--count", "5", "--seed", "1"))
        self.assertEqual(drawn, sorted(set(drawn)))
        self.assertNotIn(drawn, ([1, 2, 3, 4, 5], numbers("--count", "5", "--seed", "2")))
        self.refused(2, ["--seed", "--count"], "vaetl-encode", *self.reference, "--out", "x.npy", "--seed", "1")

    def test_a_folder_for_the_projector(self):
        self.encode("--out", "projector/")
        folder = self.folder / "projector"
        values = [[float(v) for v in line.split("\t")] for line in (folder / "tensors.tsv").read_text().splitlines()]
        self.encode("--out", "z.npy")
        flat = read_npy(self.folder / "z.npy")[2]
        self.assertEqual([struct.pack("<f", v) for row in values for v in row], [struct.pack("<f", v) for v in flat])
        metadata = [line.split("\t") for line in (folder / "metadata.tsv").read_text().splitlines()]
        self.assertEqual(metadata[0], ["label", "input"])
        self.assertEqual([row[0] for row in metadata[1:]], [str(label) for label in self.labels])
        width, height, channels, rows = read_png(folder / "sprite.png")
        self.assertEqual((width, height, channels), (9 * SIDE, 9 * SIDE, 1))  # the least square that holds 80
        image = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16 + 10 * SIDE * SIDE:16 + 11 * SIDE * SIDE]
        self.assertEqual(b"".join(row[SIDE:2 * SIDE] for row in rows[SIDE:2 * SIDE]), image)  # the eleventh
        self.refused(7, ["projector", "new or empty"], "vaetl-encode", *self.reference, "--out", "projector/")

    @unittest.skipIf(projector_plugin is None, "tensorboard is not installed")
    def test_tensorboard_reads_the_folder(self):
        """Its own plugin, asked as the page in the browser asks it."""
        shutil.rmtree(self.folder / "shown", ignore_errors=True)
        self.encode("--out", "shown/")
        logdir = str(self.folder / "shown")
        plugin = projector_plugin.ProjectorPlugin(base_plugin.TBContext(logdir=logdir))
        apps = plugin.get_plugin_apps()

        def ask(path, **query):
            query = "&".join(f"{key}={value}" for key, value in query.items())
            return werkzeug.test.Client(apps[path]).get(f"{path}?{query}")
        runs = json.loads(ask("/runs").get_data())
        self.assertEqual(runs, ["."])
        info = json.loads(ask("/info", run=".").get_data())
        embedding = info["embeddings"][0]
        self.assertEqual((embedding["tensorName"], embedding["tensorShape"]), ("latents", [80, 4]))
        self.assertEqual(embedding["sprite"]["singleImageDim"], [SIDE, SIDE])
        tensor = ask("/tensor", run=".", name="latents").get_data()
        self.assertEqual(len(tensor), 80 * 4 * 4)
        self.encode("--out", "z.npy")
        self.assertEqual(struct.unpack("<320f", tensor), read_npy(self.folder / "z.npy")[2])
        self.assertEqual(len(ask("/metadata", run=".", name="latents").get_data().splitlines()), 81)
        sprite = ask("/sprite_image", run=".", name="latents")
        self.assertEqual(sprite.get_data(), (self.folder / "shown" / "sprite.png").read_bytes())

    def test_maps(self):
        for method in ("pca", "tsne"):
            found = self.encode("--map", method, "--out", "map.csv")
            self.assertGreater(found["metrics"]["trustworthiness"], 0.8)
            with open(self.folder / "map.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(list(rows[0]), ["input", "label", "x", "y"])
            places = [(float(row["x"]), float(row["y"])) for row in rows]
            nearest = [min((j for j in range(80) if j != i), key=lambda j: (places[i][0] - places[j][0]) ** 2 +
                           (places[i][1] - places[j][1]) ** 2) for i in range(80)]
            agree = sum(self.labels[i] == self.labels[j] for i, j in enumerate(nearest)) / 80
            self.assertGreater(agree, 0.9, method)  # four bands of light are four clusters
            self.encode("--map", method, "--out", "map.npy")
            self.assertEqual(read_npy(self.folder / "map.npy")[1], (80, 2))
        self.encode("--map", "tsne", "--out", "again.npy")
        self.assertEqual((self.folder / "again.npy").read_bytes(), (self.folder / "map.npy").read_bytes())

    def test_pictures_of_maps(self):
        text = self.run_program("vaetl-encode", *self.reference, "--map", "pca", "--out", "map.svg").stdout
        self.assertRegex(text, r"trustworthiness +0\.\d{4}\n")
        root = xml.etree.ElementTree.fromstring((self.folder / "map.svg").read_text())
        space = "{http://www.w3.org/2000/svg}"
        circles = root.findall(f".//{space}circle")
        self.assertEqual(len(circles), 80 + CLASSES)
        self.assertEqual([text.text for text in root.findall(f".//{space}text")], [str(k) for k in range(CLASSES)])
        legend = [circle.get("fill") for circle in root.findall(f"{space}circle")]
        self.assertEqual(len(set(legend)), CLASSES)
        points = root.findall(f"{space}g/{space}circle")
        self.assertEqual([point.get("fill") for point in points], [legend[label] for label in self.labels])
        self.encode("--map", "pca", "--out", "map.png")
        width, height, channels, rows = read_png(self.folder / "map.png")
        self.assertEqual((width, height, channels), (940, 720, 3))
        colours = {tuple(row[3 * x:3 * x + 3]) for row in rows for x in range(720, 735)}  # of the legend
        for colour in legend:
            self.assertIn(tuple(bytes.fromhex(colour[1:])), colours)

    def test_without_labels(self):
        write = (self.data / "t10k-images-idx3-ubyte").read_bytes()
        bare = self.folder / "bare"
        bare.mkdir()
        (bare / "train-images-idx3-ubyte").write_bytes(write)
        for out in ("bare.csv", "bare/"):
            self.json_of("vaetl-encode", "vae", "--data", f"idx:{bare}", "--out", f"of-{out}")
        self.assertEqual((self.folder / "of-bare.csv").read_text().splitlines()[0], "input,z0,z1,z2,z3")
        self.assertEqual((self.folder / "of-bare" / "metadata.tsv").read_text().splitlines()[:2], ["1", "2"])
        self.json_of("vaetl-encode", "vae", "--data", f"idx:{bare}", "--map", "pca", "--out", "bare.svg")
        self.assertNotIn("<text", (self.folder / "bare.svg").read_text())

    def test_refusals(self):
        def refused(code, parts, *arguments, out="bad.npy"):
            self.refused(code, parts, "vaetl-encode", *arguments, "--out", out)
            self.assertFalse((self.folder / out).exists(), "a partial file was left")
            self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".vaetl-")], [])
        refused(2, ["--out: expected FILE.npy, FILE.csv, FOLDER/, FILE.png or FILE.svg", '"bad.txt"'], *self.reference, out="bad.txt")
        refused(2, ["--map pca or --map tsne"], *self.reference, out="bad.png")
        refused(2, ["--map", '"tnse"', "tsne"], *self.reference, "--map", "tnse")
        refused(2, ["--map", "projector"], *self.reference, "--map", "pca", out="bad/")
        refused(2, ["--perplexity", "tsne"], *self.reference, "--map", "pca", "--perplexity", "5")
        refused(2, ["--count", "at least 1"], *self.reference, "--count", "0")
        refused(2, ["--data REF"], "vae")
        refused(3, ["nowhere"], "vae", "--data", "idx:nowhere")
        refused(3, ["t-SNE", "3"], *self.reference, "--map", "tsne", "--count", "3")
        refused(4, ["nothing-there"], "nothing-there", *self.reference[1:])
        refused(7, ["absent/bad.npy"], *self.reference, out="absent/bad.npy")
        self.refused(2, ["--out FILE.npy"], "vaetl-encode", *self.reference)

    def test_the_helps_example_runs(self):
        words = self.run_program("vaetl-encode", "--help").stdout.split("\nExample:\n")[1].split()
        self.assertEqual(words[0], "vaetl-encode")
        words = [{"fashion-mnist-conv-vae": "vae", "fashion-mnist": f"idx:{self.data}"}.get(w, w) for w in words]
        self.run_program(*words)
        self.assertTrue((self.folder / words[words.index("--out") + 1]).is_file())


if __name__ == "__main__":
    support.main()
