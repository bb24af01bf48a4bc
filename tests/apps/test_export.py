"""vaetl-zoo export as a user runs it, on a run and on every entry of the zoo: test_export.py FOLDER/OF/PROGRAMS"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import support

ZOO = pathlib.Path(__file__).resolve().parents[2] / "zoo"

try:
    import torch
    import safetensors.torch  # noqa: F401
except ImportError:
    torch = None
try:
    import numpy
    import onnxruntime
except ImportError as error:
    print(f"ONNX is skipped: {error}")
    onnxruntime = None


class Export(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.in_zoo = dict(cls.environment, VAETL_ZOO=str(ZOO))

    def run_of(self, name):
        if not (self.folder / name).exists():
            self.run_program("vaetl-train", self.recipe(name), "--out", name, "--quiet")
        return name

    def vector(self, folder):
        return json.loads((self.folder / folder / "card.json").read_text())["test_vector"]

    def check_module(self, folder):
        done = subprocess.run([sys.executable, str(self.folder / folder / "model.py")], capture_output=True, text=True,
                              cwd="/", env=dict(os.environ, OMP_NUM_THREADS="1"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("test vector: largest difference", done.stdout)

    def check_onnx(self, file, vector):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(self.folder / file), options, providers=["CPUExecutionProvider"])
        first, *others = session.get_inputs()
        kind = numpy.int64 if first.type == "tensor(int64)" else numpy.float32
        inputs = {first.name: numpy.array(vector["input"]).astype(kind).reshape(vector["shape"])}
        for other in others:
            inputs[other.name] = numpy.array(vector["condition"], dtype=numpy.int64)
        found, = session.run([vector["of"]], inputs)
        self.assertLessEqual(float(abs(found.ravel() - numpy.array(vector["output"])).max()), vector["tolerance"])

    def check_exports(self, model, environment):
        python, onnx = f"{model}-python", f"{model}.onnx"
        told = self.json_of("vaetl-zoo", "export", model, "--to", "python", "--out", python, environment=environment)
        also = self.json_of("vaetl-zoo", "export", model, "--to", "onnx", "--out", onnx, environment=environment)
        self.assertEqual(told["parts"][0], also["parts"][0])
        if torch:
            self.check_module(python)
        if onnxruntime:
            self.check_onnx(onnx, self.vector(python))
        for part in told["parts"][1:]:
            self.json_of("vaetl-zoo", "export", model, "--to", "onnx", "--out", f"{part['name']}.onnx", "--part", part["name"],
                         environment=environment)
            self.assertTrue((self.folder / f"{part['name']}.onnx").exists())
        return told

    def test_a_run(self):
        told = self.check_exports(self.run_of("small"), self.environment)
        self.assertEqual(told["parts"], [{"name": "forward", "input": "input (N, 1, 28, 28): as the data store it, values from 0 to 255",
                                          "output": f"logits (N, {support.CLASSES})"}])
        self.assertEqual(told["preprocess_before"], [])
        text = self.run_program("vaetl-zoo", "export", "small", "--to", "onnx", "--out", "again.onnx").stdout
        self.assertTrue(text.startswith("again.onnx\n  forward   input (N, "), text)

    def test_every_entry_of_the_zoo(self):
        names = [entry["name"] for entry in self.json_of("vaetl-zoo", "list", environment=self.in_zoo)["entries"]]
        self.assertGreater(len(names), 1)
        for name in names:
            with self.subTest(name):
                self.check_exports(name, self.in_zoo)

    def test_mistakes(self):
        run = self.run_of("small")
        export = ("vaetl-zoo", "export", run)
        self.refused(2, ["--to: expected one of onnx, python, found nothing"], *export, "--out", "x")
        self.refused(2, ['--to: expected one of onnx, python, found "pyton"', 'did you mean "python"'], *export, "--to", "pyton",
                     "--out", "x")
        self.refused(2, ["expected --out PATH, found none"], *export, "--to", "onnx")
        self.refused(2, ["export: part: expected of this model one of forward, found \"decode\""], *export, "--to", "onnx", "--out", "x",
                     "--part", "decode")
        self.refused(2, ["--part: expected it with --to onnx"], *export, "--to", "python", "--out", "x", "--part", "forward")
        self.refused(2, ["expected --part with export"], "vaetl-zoo", "list", "--part", "forward")
        self.refused(4, ['"smal'], "vaetl-zoo", "export", "smal", "--to", "onnx", "--out", "x.onnx")
        (self.folder / "thesis").mkdir()
        (self.folder / "thesis" / "text.txt").write_text("text")
        self.refused(7, ["thesis: expected an earlier export to replace", "found a folder of other things"], *export, "--to", "python",
                     "--out", "thesis")
        self.assertEqual(os.listdir(self.folder / "thesis"), ["text.txt"])
        self.refused(7, ["thesis"], *export, "--to", "onnx", "--out", "thesis")
        self.assertFalse((self.folder / "x").exists() or (self.folder / "x.onnx").exists())


if __name__ == "__main__":
    support.main()
