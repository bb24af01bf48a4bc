"""Weights that others made, with --model, wherever a program takes a MODEL: test_described_app.py FOLDER/OF/PROGRAMS"""
import json
import struct

import support
from support import CLASSES, Case

UNIT = [{"name": "scale", "from": [0, 255], "to": [0, 1]}]
VAE = {"name": "vae", "input": [1, 28, 28], "widths": [16], "latent": 4}
MLP = {"name": "mlp", "input": [1, 28, 28], "widths": [16], "classes": CLASSES}


def write_foreign(file, out):
    """The same tensors as another program writes them: without a word on what they belong to."""
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    del header["__metadata__"]
    text = json.dumps(header).encode()
    out.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size:])


class Described(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        vae = case.recipe("vae", model=VAE, objective="elbo", evaluate=["reconstruction_mse"], trainer={"steps": 30, "batch_size": 50})
        for name, recipe in [("vae", vae), ("mlp", case.recipe("mlp"))]:
            case.run_program("vaetl-train", recipe, "--quiet", "--out", name)
            write_foreign(cls.folder / name / "model" / "model.safetensors", cls.folder / f"{name}.safetensors")
        for name, model in [("vae", VAE), ("mlp", MLP)]:
            (cls.folder / f"{name}-full.json").write_text(json.dumps({"model": model, "preprocess": UNIT}))

    def bytes_of(self, program, name, *arguments, out):
        self.run_program(program, name, *arguments, "--out", out)
        return (self.folder / out).read_bytes()

    def test_generate(self):
        whole = self.bytes_of("vaetl-generate", "vae", "--count", 4, out="new.npy")
        self.assertEqual(whole, self.bytes_of("vaetl-generate", "vae.safetensors", "--model", "vae-full.json", "--count", 4,
                                              out="other.npy"))
        picture = self.bytes_of("vaetl-generate", "vae", "--count", 4, out="new.png")
        self.assertEqual(picture, self.bytes_of("vaetl-generate", "vae.safetensors", "--model", json.dumps(VAE), "--count", 4,
                                                out="other.png"))
        self.refused(4, ["vae.safetensors", "metadata that describe the model", "--model JSON"], "vaetl-generate",
                     "vae.safetensors", "--out", "x.png")
        self.refused(2, ["--model", '"vae", which has a description'], "vaetl-generate", "vae", "--model", "vae-full.json", "--out",
                     "x.png")
        self.refused(4, ["vae.safetensors", "the weights of this model"], "vaetl-generate", "vae.safetensors", "--model",
                     json.dumps({**VAE, "latent": 5}), "--out", "x.png")
        self.refused(2, ['"vea"', '"vae"'], "vaetl-generate", "vae.safetensors", "--model", "vea", "--out", "x.png")
        self.assertFalse((self.folder / "x.png").exists())

    def test_reconstruct(self):
        data = ["--data", f"idx:{self.data}"]
        for out in ("new.npy", "new.png"):
            whole = self.bytes_of("vaetl-reconstruct", "vae", *data, out=out)
            for model in ("vae-full.json", json.dumps(VAE)):
                self.assertEqual(whole, self.bytes_of("vaetl-reconstruct", "vae.safetensors", "--model", model, *data,
                                                      out=f"other-{out}"))
        self.refused(4, ["--model JSON"], "vaetl-reconstruct", "vae.safetensors", *data, "--out", "x.png")

    def test_zoo_import(self):
        self.run_program("vaetl-zoo", "import", "mlp.safetensors", "--model", "mlp-full.json", "--name", "theirs", "--licence", "MIT")
        self.assertTrue(self.json_of("vaetl-zoo", "verify", "theirs")["passed"])
        card = self.json_of("vaetl-zoo", "show", "theirs")
        self.assertEqual((card["licence"], card["preprocess"]), ("MIT", UNIT))
        data = ["--data", f"idx:{self.data}", "--metrics", "accuracy,cross_entropy"]
        self.assertEqual(self.json_of("vaetl-evaluate", "theirs", *data)["metrics"],
                         self.json_of("vaetl-evaluate", "mlp", *data)["metrics"])
        self.refused(2, ["--model: expected the preprocessing", '"preprocess": ["scale"]'], "vaetl-zoo", "import", "mlp.safetensors",
                     "--model", json.dumps(MLP), "--name", "bare")
        self.refused(4, ["mlp.safetensors", "--model JSON"], "vaetl-zoo", "add", "mlp.safetensors", "--name", "bare")
        self.refused(2, ["--model with import"], "vaetl-zoo", "show", "theirs", "--model", "mlp-full.json")
        self.assertFalse((self.folder / "zoo" / "bare").exists())

    def transfer(self, source, method, *options):
        theirs = ["--model", "mlp-full.json"] if source == "mlp.safetensors" else []
        return self.json_of("vaetl-transfer", "--from", source, *theirs, "--method", method, "--data", f"idx:{self.data}",
                            "--labels-per-class", 5, "--steps", 20, "--seed", 1, "--quiet", *options)

    def test_transfer(self):
        for method in ("fine_tune", "probe"):  # a new head is drawn after the source was built
            own, theirs = (self.transfer(source, method, "--dry-run")["transfer"]["report"].split("preprocessing: ")
                           for source in ("mlp", "mlp.safetensors"))
            self.assertEqual(own[0], theirs[0])
            self.assertEqual((own[1], theirs[1]), ("the source's\n", "fitted when it trains\n"))  # what --model says
        self.transfer("mlp.safetensors", "probe", "--out", "theirs-probe")
        kept, source = self.weights("theirs-probe"), self.weights("mlp")
        self.assertEqual([name for name in source if kept[name] != source[name]], ["head.bias", "head.weight"])
        own, theirs = (self.transfer(source, "scratch", "--out", f"scratch-{source}") for source in ("mlp", "mlp.safetensors"))
        self.assertEqual(own["metrics"], theirs["metrics"])
        recipe = json.loads((self.folder / "theirs-probe" / "recipe.json").read_text())
        self.assertEqual(recipe["model"]["name"], "mlp")
        data = ["--data", f"idx:{self.data}", "--out", "never"]
        self.refused(2, ["transfer.from", "weights that carry a description"], "vaetl-transfer", "--from", "mlp.safetensors", *data)
        self.refused(2, ["--model", '"mlp", which has a description'], "vaetl-transfer", "--from", "mlp", "--model",
                     "mlp-full.json", *data)
        read = {"model": MLP, "preprocess": [{"name": "read", "reader": {"name": "csv"}}]}
        self.refused(2, ["--model: preprocess", "how files were read", "vaetl-zoo import"], "vaetl-transfer", "--from",
                     "mlp.safetensors", "--model", json.dumps(read), *data)
        self.refused(2, ["RECIPE and --model"], "vaetl-transfer", self.recipe("plain"), "--model", "mlp-full.json")
        self.assertFalse((self.folder / "never").exists())


if __name__ == "__main__":
    support.main()
