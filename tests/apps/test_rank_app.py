"""vaetl-zoo rank, the linear probe and neighbours from the command line: test_rank_app.py FOLDER/OF/PROGRAMS"""
import json
import random
import shutil

import support
from support import Case

VAE = {"name": "conv_vae", "input": [1, 28, 28], "channels": [4, 8], "dense": [16], "latent": 4}


class Rank(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        vae = case.recipe("vae", model=VAE, objective="elbo", evaluate=["reconstruction_mse"], trainer={"steps": 20, "batch_size": 50})
        coloured = case.recipe("mlp", model={"name": "mlp", "input": [1, 28, 28], "widths": [16], "classes": 4})
        for name, recipe in [("vae", vae), ("mlp", coloured)]:
            case.run_program("vaetl-train", recipe, "--quiet", "--out", name)
        case.run_program("vaetl-zoo", "add", "vae", "--name", "tiny-vae", "--quiet")

    def rank(self, *words, **options):
        return self.json_of("vaetl-zoo", "rank", *words, "--data", f"idx:{self.data}", **options)

    def test_sources_are_sorted_and_told_apart(self):
        ranking = self.rank("vae", "mlp", "tiny-vae")["ranking"]
        self.assertEqual({row["source"] for row in ranking}, {"vae", "mlp", "tiny-vae"})
        values = [row["scores"]["logme"] for row in ranking]
        self.assertEqual(values, sorted(values, reverse=True))
        by_name = {row["source"]: row for row in ranking}
        self.assertIsNone(by_name["vae"]["scores"]["leep"])
        self.assertLess(by_name["mlp"]["scores"]["leep"], 0)
        self.assertEqual(by_name["vae"]["scores"], by_name["tiny-vae"]["scores"])
        text = self.run_program("vaetl-zoo", "rank", "vae", "mlp", "--data", f"idx:{self.data}", "--by", "knn", "--scores",
                                "leep,knn").stdout
        self.assertIn("n/a", text)
        self.assertIn("seconds", text)

    def test_without_a_source_the_zoo_is_ranked(self):
        self.assertIn("tiny-vae", [row["source"] for row in self.rank("--labels-per-class", 20)["ranking"]])

    def test_what_does_not_fit_says_why(self):
        small = self.folder / "small"
        small.mkdir()
        draw = random.Random(5)
        support.write_idx(small / "train-images-idx3-ubyte", 3, (40, 14, 14), [draw.randrange(256) for _ in range(40 * 196)])
        support.write_idx(small / "train-labels-idx1-ubyte", 1, (40,), [i % 4 for i in range(40)])
        words = ["vaetl-zoo", "rank", "mlp", "--data", f"idx:{small}"]
        row, = self.json_of(*words)["ranking"]
        self.assertEqual((row["readable"], row["fits"]), (True, False))
        self.assertIn("14", row["why_not"])
        self.assertIn("does not fit: mlp", self.run_program(*words).stdout)

    def test_what_is_named_must_be_there(self):
        words = ["vaetl-zoo", "rank"]
        self.refused(4, ['"nothing-there"', "none of that name"], *words, "vae", "nothing-there", "--data", f"idx:{self.data}")
        self.refused(4, ['"nothing-there"'], *words, "nothing-there", "--data", "nope")
        self.refused(2, ['"nope"'], *words, "vae", "--data", "nope")
        zoo = self.folder / "zoo"
        shutil.copytree(zoo / "tiny-vae", zoo / "broken")
        self.addCleanup(shutil.rmtree, zoo / "broken")
        (zoo / "broken" / "model.safetensors").write_bytes(b"short")
        self.refused(4, ["broken/model.safetensors"], *words, "vae", "broken", "--data", f"idx:{self.data}")
        rows = {row["source"]: row for row in self.rank()["ranking"]}
        self.assertEqual((rows["broken"]["readable"], rows["broken"]["fits"]), (False, False))
        self.assertTrue(rows["tiny-vae"]["fits"])
        text = self.run_program(*words, "--data", f"idx:{self.data}").stdout
        self.assertIn("cannot be read: broken", text)
        self.assertNotIn("does not fit: broken", text)

    def test_kendall(self):
        (self.folder / "accuracies.json").write_text(json.dumps({"vae": 0.2, "mlp": 0.9}))
        result = self.rank("vae", "mlp", "--accuracies", "accuracies.json", "--scores", "logme,leep", "--cache", "features")
        self.assertEqual(result["kendall"]["logme"]["candidates"], 2)
        self.assertIn(result["kendall"]["logme"]["tau"], (1, -1))
        self.assertEqual(result["kendall"]["leep"], {"tau": None, "candidates": 1})
        self.assertEqual(len(list((self.folder / "features").iterdir())), 2)
        (self.folder / "wrong.json").write_text('{"vae": "good"}')
        self.refused(2, ["wrong.json", "a number"], "vaetl-zoo", "rank", "vae", "--data", f"idx:{self.data}", "--accuracies",
                     "wrong.json")
        (self.folder / "wrong.json").write_text('{"vae": 0.2, "mpl": 0.9}')
        self.refused(2, ["wrong.json", "sources that are ranked", '"mpl"', 'did you mean "mlp"'], "vaetl-zoo", "rank", "vae",
                     "mlp", "--data", f"idx:{self.data}", "--accuracies", "wrong.json")

    def test_mistakes(self):
        data = ["--data", f"idx:{self.data}"]
        self.refused(2, ["--data REF"], "vaetl-zoo", "rank", "vae")
        self.refused(2, ["--scores", '"logm"', '"logme"'], "vaetl-zoo", "rank", "vae", *data, "--scores", "logm")
        self.refused(2, ["--by", '"nce"'], "vaetl-zoo", "rank", "vae", *data, "--scores", "logme", "--by", "nce")
        self.refused(2, ["--scores with rank"], "vaetl-zoo", "list", "--scores", "logme")
        self.refused(2, ["--name with add"], "vaetl-zoo", "rank", "vae", *data, "--name", "x")

    def test_linear_probe(self):
        words = ["--from", "vae", "--data", f"idx:{self.data}", "--labels-per-class", 10, "--method", "linear_probe"]
        run = self.json_of("vaetl-transfer", *words, "--out", "probe")
        self.assertEqual(run["steps"], 0)
        self.assertGreater(run["metrics"]["accuracy"], 0.6)  # of a VAE of 20 steps; chance is 0.25
        self.assertGreater(run["transfer"]["head"]["validation"]["accuracy"], 0.6)
        told = self.run_program("vaetl-transfer", *words, "--out", "probe-2")
        self.assertIn("the head was solved in", told.stderr)
        again = self.json_of("vaetl-transfer", "probe", "--out", "probe", "--resume")
        self.assertTrue(again["complete"])
        self.assertGreater(self.json_of("vaetl-evaluate", "probe", *words[2:4], "--metrics", "accuracy")["metrics"]["accuracy"], 0.6)

    def test_neighbours(self):
        data = ["--data", f"idx:{self.data}"]
        scores = self.json_of("vaetl-evaluate", "vae", *data, "--metrics", "knn,knn?k=5")["metrics"]
        self.assertGreater(scores["knn?k=5"], 0.6)
        self.json_of("vaetl-evaluate", "vae", *data, "--metrics", "knn", "--labels-per-class", 3)
        self.refused(2, ["metric knn", "training data"], "vaetl-evaluate", "vae", *data, "--split", "train", "--metrics", "knn")


if __name__ == "__main__":
    support.main()
