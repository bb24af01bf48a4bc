"""Weights travel between vaetl and the same networks in plain torch.nn (tests/parity/backbones.py), both ways and unrenamed:
test_both_ways.py FOLDER/OF/PROGRAMS

What vaetl-train leaves loads strictly into the module, which gives the output that the card's test vector has; what the module
saves is scored by vaetl-evaluate as the module scores itself.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve()
sys.path.insert(0, str(ROOT / "tests" / "parity"))

try:
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file, save_file

    import backbones
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

backbones.CLASSES = 10
torch.set_num_threads(1)
CASES = [
    (backbones.resnet, {"depth": 18, "width": 0.125}),
    (backbones.resnet, {"depth": 50, "width": 0.0625, "stem": "cifar"}),
    (backbones.cifar_resnet, {"depth": 8, "width": 0.5}),
    (backbones.vgg, {"depth": 11, "width": 0.03125, "batch_norm": True}),
    (backbones.mobilenet_v1, {"width": 0.125}),
    (backbones.mobilenet_v2, {"width": 0.25}),
    (backbones.lenet, {"channels": [4, 6], "kernel": 5, "dense": [20]}),
]


def near(found, expected):
    """float32 on both sides: of 50 layers each rounds by 2^-24 of sums of a few hundred products."""
    return torch.allclose(found, expected, rtol=2e-4, atol=2e-4 * max(1.0, float(expected.abs().max())))


class BothWays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vaetl-models-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        torch.manual_seed(0)
        cls.pixels, cls.labels = torch.randint(256, (24, 3, 32, 32), dtype=torch.uint8), torch.arange(24) % 10
        cls.data = cls.folder / "pictures.bin"  # as CIFAR-10 is stored: a label, then red, green, blue
        records = torch.cat([cls.labels.to(torch.uint8)[:, None], cls.pixels.flatten(1)], 1)
        cls.data.write_bytes(records.numpy().tobytes())

    def run_program(self, name, *arguments):
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        done = subprocess.run([str(BIN / name), *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True,
                              env=environment, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_to_python(self):
        for i, (make, options) in enumerate(CASES):
            with self.subTest(make.__name__, **options):
                recipe = {"name": "both-ways", "seed": i, "data": {"train": {"open": f"cifar:{self.data}"}},
                          "model": {"name": make.__name__, **options}, "objective": "cross_entropy",
                          "trainer": {"steps": 3, "batch_size": 8}}
                (self.folder / "recipe.json").write_text(json.dumps(recipe))
                out = self.folder / f"run{i}"
                self.run_program("vaetl-train", "recipe.json", "--out", out, "--device", "cpu")
                card = json.loads((out / "model" / "model.json").read_text())
                module = make(input=[3, 32, 32], **options)
                module.load_state_dict(load_file(out / "model" / "model.safetensors"), strict=True)
                module.eval()
                vector = card["test_vector"]
                x = torch.tensor(vector["input"], dtype=torch.float32).reshape(vector["shape"]) / 255
                with torch.no_grad():
                    y = module(x).flatten()
                self.assertTrue(near(torch.tensor(vector["output"], dtype=torch.float32), y), f"{vector['output']} {y}")

    def test_from_python(self):
        for i, (make, options) in enumerate(CASES):
            with self.subTest(make.__name__, **options):
                module = backbones.fill(make(input=[3, 32, 32], **options)).eval()
                file = self.folder / f"python{i}.safetensors"
                save_file(module.state_dict(), str(file))
                with torch.no_grad():
                    logits = module(self.pixels.float() / 255)
                model = json.dumps({"name": make.__name__, "input": [3, 32, 32], **options})
                scores = self.run_program("vaetl-evaluate", file, "--model", model, "--data", f"cifar:{self.data}", "--device", "cpu",
                                          "--metrics", "cross_entropy,accuracy")["metrics"]
                loss = float(F.cross_entropy(logits, self.labels))
                self.assertLessEqual(abs(scores["cross_entropy"] - loss), 2e-4 * max(1.0, float(logits.abs().max())))
                self.assertAlmostEqual(scores["accuracy"], float((logits.argmax(1) == self.labels).double().mean()))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
