"""vaetl-detect from outside. Usage: test_detect_app.py BIN [unittest options]"""
import csv
import io
import json

import support
from pictures import write_png
from support import CLASSES, Case, write_set
from test_generate_app import read_png

VAE = {"name": "vae", "widths": [16], "latent": 4}


class Detect(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.folder / "other"
        cls.other.mkdir()
        write_set(cls.other, "train", 40, 7)
        write_set(cls.other, "t10k", 30, 8)
        images = cls.other / "t10k-images-idx3-ubyte"
        content = images.read_bytes()
        images.write_bytes(content[:16] + bytes(255 - value for value in content[16:]))  # negatives
        case = cls()
        recipe = case.recipe("vae", model=VAE, objective="elbo", data={"open": f"idx:{cls.data}", "labels": False},
                             trainer={"steps": 150, "batch_size": 50, "optimizer": {"name": "adam", "lr": 0.01}},
                             evaluate=["elbo"])
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "vae")
        case.run_program("vaetl-train", case.recipe("mlp"), "--quiet", "--out", "mlp")
        cls.normal = ["--data", f"idx:{cls.data}", "--normal", f"idx:{cls.data}"]

    def test_negatives_are_odd(self):
        for score in ["reconstruction", "elbo", "latent"]:
            found = self.json_of("vaetl-detect", "vae", *self.normal, "--odd-data", f"idx:{self.other}", "--score", score)
            self.assertEqual((found["score"], found["examples"], len(found["rows"])), (score, 110, 110))
            self.assertGreater(found["auroc"]["value"], 0.95, score)
            self.assertLessEqual(found["auroc"]["low"], found["auroc"]["value"])
            self.assertLessEqual(found["auroc"]["value"], found["auroc"]["high"])
            self.assertEqual([part["examples"] for part in found["data"]], [80, 30])
            above = [row["score"] > found["threshold"] for row in found["rows"]]
            self.assertEqual([row["odd"] for row in found["rows"]], above)
            self.assertAlmostEqual(found["odd"], sum(above) / 110)

    def test_rows_and_summary(self):
        done = self.run_program("vaetl-detect", "vae", *self.normal)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(list(rows[0]), ["data", "input", "score", "odd", "label"])
        self.assertEqual([int(row["input"]) for row in rows], list(range(1, 81)))
        self.assertIn("score reconstruction, odd above ", done.stderr)
        self.assertNotIn("AUROC", done.stderr)
        written = self.run_program("vaetl-detect", "vae", *self.normal, "--out", "odd.jsonl", "--quiet")
        self.assertEqual((written.stdout, written.stderr), ("", ""))
        lines = [json.loads(line) for line in (self.folder / "odd.jsonl").read_text().splitlines()]
        self.assertEqual([line["score"] for line in lines], [float(row["score"]) for row in rows])

    def test_files_are_called_by_their_names(self):
        images = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16:]
        for i in range(3):
            write_png(self.folder / "photos" / f"p{i}.png", 28, 28, images[784 * i:784 * (i + 1)])
        files = [str(self.folder / "photos" / f"p{i}.png") for i in range(3)]
        rows = self.json_of("vaetl-detect", "vae", "--data", f"folder:{self.folder}/photos", "--threshold", "1")["rows"]
        self.assertEqual([row["input"] for row in rows], files)
        done = self.run_program("vaetl-detect", "vae", "--data", f"folder:{self.folder}/photos", "--threshold", "1")
        self.assertEqual([row["input"] for row in csv.DictReader(io.StringIO(done.stdout))], files)
        self.run_program("vaetl-encode", "vae", "--data", f"folder:{self.folder}/photos", "--out", "latents.csv")
        with open(self.folder / "latents.csv") as table:
            self.assertEqual([row["input"] for row in csv.DictReader(table)], files)
        predicted = self.run_program("vaetl-predict", "mlp", "--data", f"folder:{self.folder}/photos").stdout
        self.assertEqual([row["input"] for row in csv.DictReader(io.StringIO(predicted))], files)

    def test_thresholds(self):
        def odd(*arguments):
            found = self.json_of("vaetl-detect", "vae", "--data", f"idx:{self.data}", *arguments)
            return found["threshold"], found["odd"]
        normal = ["--normal", f"idx:{self.data}", "--normal-split", "test"]
        self.assertEqual(odd(*normal, "--quantile", 1)[1], 0)  # of the same examples
        threshold, share = odd(*normal, "--quantile", 0.9)
        self.assertAlmostEqual(share, 0.1)
        self.assertEqual(odd("--threshold", threshold), (threshold, share))
        self.assertEqual(odd("--threshold", 0)[1], 1)

    def test_classes_that_are_normal(self):
        found = self.json_of("vaetl-detect", "mlp", *self.normal, "--normal-classes", "0,2")
        self.assertEqual(found["score"], "latent")
        self.assertGreater(found["auroc"]["value"], 0.8)
        all_but_one = ",".join(str(k) for k in range(CLASSES - 1))
        self.assertIn("auroc", self.json_of("vaetl-detect", "vae", *self.normal, "--normal-classes", all_but_one))

    def test_pictures_of_the_oddest(self):
        self.run_program("vaetl-detect", "vae", *self.normal, "--odd-data", f"idx:{self.other}", "--out", "rows.csv",
                         "--pictures", "oddest.png")
        width, height, channels, rows = read_png(self.folder / "oddest.png")
        self.assertEqual((width, height, channels), (10 * 30 + 2, 4 * 30 + 2, 1))
        with open(self.folder / "rows.csv", newline="") as file:
            worst = max(csv.DictReader(file), key=lambda row: float(row["score"]))
        images = (self.other / "t10k-images-idx3-ubyte").read_bytes()[16:]
        start = 784 * (int(worst["input"]) - 1)
        first = images[start:start + 28]
        self.assertEqual(rows[2][2:30], first)

    def test_refusals(self):
        def refused(code, parts, *arguments):
            self.refused(code, parts, "vaetl-detect", *arguments)
        data = ["--data", f"idx:{self.data}"]
        refused(2, ["normal data, whose scores say where odd begins", "--normal REF"], "vae", *data)
        refused(2, ["score latent: expected normal data"], "mlp", *data, "--threshold", "1")
        refused(2, ["--normal: expected no --threshold"], "vae", *self.normal, "--threshold", "1")
        refused(2, ["--odd-split: expected --odd-data REF"], "vae", *self.normal, "--odd-split", "test")
        refused(2, ["--seed: expected --samples N"], "vae", *self.normal, "--seed", "1")
        refused(2, ["--pictures: expected FILE.png"], "vae", *self.normal, "--pictures", "x.jpg")
        refused(2, ["one that this model allows: latent", '"elbo"'], "mlp", *self.normal, "--score", "elbo")
        refused(2, ["reconstruction, elbo, latent", '"mse"'], "vae", *self.normal, "--score", "mse")
        refused(2, ["--quantile", '"2"'], "vae", *self.normal, "--quantile", "2")
        refused(2, ["--threshold or --quantile"], "vae", *self.normal, "--quantile", ".5", "--threshold", "1")
        refused(2, ["--normal-classes", '"nine"'], "vae", *self.normal, "--normal-classes", "nine")
        refused(2, ["one way to say what is odd"], "vae", *self.normal, "--normal-classes", "1", "--odd-data", data[1])
        refused(2, ["--out", "FILE.csv or FILE.jsonl"], "vae", *self.normal, "--out", "rows.xml")
        refused(2, ["samples"], "vae", *self.normal, "--score", "latent", "--samples", "3")
        refused(2, ["--data REF"], "vae")
        every = ",".join(str(k) for k in range(CLASSES))
        refused(3, ["no positive one"], "vae", *self.normal, "--normal-classes", every)


if __name__ == "__main__":
    support.main()
