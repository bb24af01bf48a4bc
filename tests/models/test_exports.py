"""What is exported computes what the library does, for every registered model: test_exports.py FOLDER/OF/PROGRAMS

vaetl_test_models writes the exports (export_test.cpp) with what the library makes of a batch of three; then the modules
run under torch, and the ONNX files under onnxruntime, where that is installed (scripts/setup.sh says how).
"""
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve()

try:
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)
try:
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"ONNX is skipped: {error}")
    onnx = None

torch.set_num_threads(1)


def module_in(folder):
    spec = importlib.util.spec_from_file_location(f"exported_{folder.name}", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vaetl-exports-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        done = subprocess.run([str(BIN / "vaetl_test_models"), "--gtest_filter=*Exported.ToPythonAndOnnx*"], capture_output=True,
                              text=True, cwd=pathlib.Path(__file__).resolve().parents[2], env=dict(os.environ, OMP_NUM_THREADS="1", VAETL_EXPORTS=str(cls.folder)))
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout[-4000:]}{done.stderr[-2000:]}"
        cls.names = sorted(path.stem for path in cls.folder.glob("*.onnx") if "." not in path.stem)

    def parts_of(self, name):
        """Every part's inputs and what the library makes of them."""
        tensors = load_file(self.folder / f"{name}.safetensors")
        first = {"forward": "input" if "input" in tensors else "noise", "generate": "noise", "decode": "code"}
        for part, key in first.items():
            if part in tensors:
                yield part, {each: tensors[each] for each in (key, "condition") if each in tensors}, tensors[part]

    def inputs_of(self, name):
        return next(self.parts_of(name))[1]

    def vector(self, name):
        vector = json.loads((self.folder / name / "card.json").read_text())["test_vector"]
        key, values = next(iter(self.inputs_of(name).items()))
        inputs = {key: torch.tensor(vector["input"]).reshape(vector["shape"]).to(values.dtype)}
        if vector["condition"]:
            inputs["condition"] = torch.tensor(vector["condition"])
        return inputs, torch.tensor(vector["output"]), vector["tolerance"]

    def near(self, found, expected, tolerance, what):
        self.assertEqual(found.numel(), expected.numel(), what)
        difference = float((found.double().flatten() - expected.double().flatten()).abs().max())
        self.assertLessEqual(difference, tolerance, what)

    def check(self, name, computation):
        """The card's test vector, and every part on its batch; float32 sums in another order differ by far less."""
        inputs, expected, tolerance = self.vector(name)
        self.near(computation("forward")(inputs), expected, tolerance, f"{name}: test vector")
        for part, inputs, expected in self.parts_of(name):
            tolerance = 1e-4 * max(1.0, float(expected.abs().max()))
            self.near(computation(part)(inputs), expected, tolerance, f"{name}: {part} of three")

    def test_python_modules(self):
        self.assertGreater(len(self.names), 30)
        for name in self.names:
            with self.subTest(name), torch.no_grad():
                model = module_in(self.folder / name).load()
                self.check(name, lambda part: lambda inputs: getattr(model, part)(*inputs.values()))
                self.assertEqual(set(model.state_dict()), set(load_file(self.folder / name / "model.safetensors")))

    def test_modules_can_be_trained_on(self):
        model = module_in(self.folder / "cnn").load()
        model(*self.inputs_of("cnn").values()).square().sum().backward()
        for name, parameter in model.named_parameters():
            self.assertIsNotNone(parameter.grad, name)

    def test_bytes_are_taken_as_they_are(self):
        with torch.no_grad():
            model = module_in(self.folder / "cnn").load()
            raw = self.inputs_of("cnn")["input"]
            self.assertTrue(torch.equal(model(raw), model(raw.to(torch.uint8))))

    def test_a_module_checks_itself(self):
        for name in ("cnn", "gan_conditional"):
            done = subprocess.run([sys.executable, str(self.folder / name / "model.py")], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"^test vector: largest difference \S+, tolerance \S+\n$")
        copy = self.folder / "changed"
        shutil.copytree(self.folder / "mlp", copy)
        card = json.loads((copy / "card.json").read_text())
        card["test_vector"]["output"][0] += 1
        (copy / "card.json").write_text(json.dumps(card))
        done = subprocess.run([sys.executable, str(copy / "model.py")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stdout)

    @unittest.skipUnless(onnx, "onnx and onnxruntime are not installed")
    def test_onnx_files(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1

        def computation_in(file):
            onnx.checker.check_model(str(file), full_check=True)
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

            def compute(inputs):
                known = {each.name for each in session.get_inputs()}
                found, = session.run(None, {key: value.numpy() for key, value in inputs.items() if key in known})
                return torch.from_numpy(found)
            return compute

        for name in self.names:
            with self.subTest(name):
                self.check(name, lambda part: computation_in(self.folder / (name + ("" if part == "forward" else f".{part}") + ".onnx")))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
