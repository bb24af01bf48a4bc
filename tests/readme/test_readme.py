"""What the README says is so: its C++ program is examples/few_labels.cpp to the letter, and it reaches what it promises."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv.pop(1)).resolve() / "bin"
LEAST_ACCURACY = 0.70  # five points below what the program prints, so that no rounding fails it


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


class Readme(unittest.TestCase):
    def test_the_program_is_the_example(self):
        self.assertIn((ROOT / "examples/few_labels.cpp").read_text(), blocks("cpp"))

    def test_the_program_reaches_its_accuracy(self):
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("dataset-fashion-mnist is not installed")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([BIN / "example_few_labels"], env=dict(os.environ, VAETL_ZOO=folder), capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            accuracy = float(re.search(r"^accuracy (\S+)$", done.stdout, re.M).group(1))
            self.assertGreaterEqual(accuracy, LEAST_ACCURACY)
            self.assertLess(accuracy, 1)
            self.assertTrue((pathlib.Path(folder) / "my-classifier/model.safetensors").is_file())

    def test_pretraining_in_a_program(self):
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("dataset-fashion-mnist is not installed")
        done = subprocess.run([BIN / "example_pretrain"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(float(re.search(r"^elbo (\S+)$", done.stdout, re.M).group(1)), -290)  # untrained: about -540
        self.assertGreater(float(re.search(r"^accuracy (\S+)$", done.stdout, re.M).group(1)), 0.55)

    def test_the_callback_in_the_documentation_is_the_example(self):
        example = (ROOT / "examples/callback.cpp").read_text().split("// [callback]\n")[1]
        self.assertIn("```cpp\n" + example + "```", (ROOT / "docs/training.md").read_text())

    def test_the_callback_stops_a_training(self):
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("dataset-fashion-mnist is not installed")
        recipe = json.loads((ROOT / "recipes/fashion-mlp.json").read_text())
        recipe.update(evaluate=[], callbacks=[{"name": "stop_at_loss", "loss": 1.5}])
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "recipe.json"
            file.write_text(json.dumps(recipe))
            done = subprocess.run([BIN / "example_callback", file], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        steps = int(re.search(r"^stopped after (\d+) steps$", done.stdout, re.M).group(1))
        self.assertLess(steps, 469)  # an epoch

    def run_example(self, name):
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("dataset-fashion-mnist is not installed")
        done = subprocess.run([BIN / f"example_{name}"], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_predicting_from_several_threads(self):
        self.assertEqual(self.run_example("threads"), "4 threads predicted 2000 pictures, gradients off\n")

    def test_own_parts_train_by_a_recipe(self):
        errors = [float(error) for error in re.findall(r"^squared error (\S+) at step \d+$", self.run_example("own_parts"), re.M)]
        self.assertEqual(len(errors), 4)
        self.assertLess(errors[-1], 40)  # of the mean picture: 68

    def test_a_cancelled_training_goes_on(self):
        cancelled, resumed = re.fullmatch(r"cancelled after (\d+) steps\nwent on at step (\d+), done after 2000 steps\n",
                                          self.run_example("cancel")).groups()
        self.assertEqual(cancelled, resumed)
        self.assertLess(int(cancelled), 2000)

    def test_weights_of_a_gpu_open_without_one(self):
        try:
            import torch
            from safetensors.torch import load_file
        except ImportError:
            self.skipTest("no Python with torch and safetensors")
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("dataset-fashion-mnist is not installed")
        entry = ROOT / "zoo/fashion-mnist-mlp"
        accuracy = json.loads((entry / "model.json").read_text())["metrics"]["accuracy"]["value"]
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch("torch.serialization.location_tag", lambda storage: "cuda:0"):
            for name, options in (("zip.pt", {}), ("stream.pt", {"_use_new_zipfile_serialization": False})):
                file = pathlib.Path(folder) / name
                torch.save(load_file(entry / "model.safetensors"), file, **options)
                if not torch.cuda.is_available():
                    self.assertRaisesRegex(RuntimeError, "CUDA device", torch.load, file)  # so it is such a file
                done = subprocess.run([BIN / "example_gpu_weights", file], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertAlmostEqual(float(done.stdout.split()[1]), accuracy, delta=2e-4)

    def test_the_zoo_table_is_that_of_the_cards(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "VAETL_ZOO": ""}
            table = subprocess.run([BIN / "vaetl-zoo", "list", "--markdown"], env=environment, capture_output=True, text=True, check=True).stdout
        found = re.search(r"<!-- vaetl-zoo list --markdown -->\n(.*?)<!-- end -->", (ROOT / "README.md").read_text(), re.S).group(1)
        self.assertEqual(found, table, "put what `vaetl-zoo list --markdown` prints between the two comments")

    def test_every_path_it_names_exists(self):
        text = (ROOT / "README.md").read_text()
        for path in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
            self.assertTrue((ROOT / path).exists(), path)
        for command in re.findall(r"(?:scripts|recipes)/[\w.-]+\.(?:sh|json)", text):
            self.assertTrue((ROOT / command).exists(), command)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
