"""Weights travel between vaetl and the same networks in plain torch.nn, both ways and unrenamed, for every family:
test_both_ways.py FOLDER/OF/PROGRAMS

What vaetl-train leaves loads strictly into the module (python_side.py), which makes of the card's test vector what the card says,
and rebuilds, generates or scores what the programs do. What the module saves, as safetensors or by torch.save, becomes a zoo entry
whose test vector the module repeats, and is used by the programs with the module's own results.
"""
import dataclasses
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve()

try:
    import numpy
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file, save_file

    import python_side as python
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

torch.set_num_threads(1)
COUNT, CLASSES, STORY = 12, 3, "the cat sat on the mat\n" * 20
SIGNED = [{"name": "scale", "from": [0, 255], "to": [-1, 1]}]
CROSS, MSE = {"name": "reconstruction", "loss": "cross_entropy"}, {"name": "reconstruction", "loss": "mse"}


@dataclasses.dataclass
class Family:
    model: dict
    data: str
    objective: object
    checks: tuple  # what the programs do with it


def dense(**options):
    return {"name": "autoencoder", "widths": [9], "latent": 4, **options}


def conv(name, **options):
    return {"name": name, "channels": [2, 3], "dense": [6], "downsample": "stride", **options}


GAN = {"name": "gan", "widths": [9, 6], "noise": 4}
DCGAN = {"name": "dcgan", "channels": [2, 3], "noise": 4}
IDS, VALUES = {"embedding": 4, "hidden": 6}, {"hidden": 5}
CODER = {"name": "sequence_autoencoder", "latent": 3}
INSERT = [{"after": "encoder.0", "name": "glu"}, {"after": "encoder.1", "name": "squeeze_excitation", "reduction": 2},
          {"after": "encoder.1", "name": "residual", "of": {"name": "feed_forward", "hidden": 5}}]
CLASSIFY, DECODE, BOTH = ("classify",), ("rebuild",), ("rebuild", "generate")
FAMILIES = [
    Family(dense(code_activation="sigmoid"), "pictures", CROSS, DECODE),
    Family(dense(widths=[], latent=8, code_batch_norm=True, top_k=3, output="identity"), "pictures", MSE, DECODE),
    Family(conv("conv_autoencoder", batch_norm=True, latent=4), "pictures", MSE, DECODE),
    Family({"name": "vae", "widths": [9], "latent": 3}, "pictures", "elbo", BOTH),
    Family({"name": "vae", "widths": [9], "latent": 3, "conditions": CLASSES}, "pictures", "elbo", BOTH),
    Family({"name": "vae", "widths": [9], "latent": 3, "prior": "mixture", "components": 5}, "pictures", "elbo", BOTH),
    Family({"name": "vae", "widths": [9], "latent": 3, "prior": "vamp", "components": 5}, "pictures", "elbo", BOTH),
    Family({"name": "vae", "widths": [9], "latent": 3, "conditions": CLASSES, "prior": "vamp", "components": 5}, "pictures", "elbo",
           BOTH),
    Family(conv("conv_vae", latent=3, downsample="max_pool"), "pictures", "elbo", BOTH),
    Family(conv("conv_vae", latent=3, conditions=CLASSES, likelihood="discretised_logistic"), "pictures", "elbo", BOTH),
    Family(conv("conv_vae", latent=3, batch_norm=True, prior="mixture", components=5), "pictures", "elbo", BOTH),
    Family(conv("conv_vae", latent=3, conditions=CLASSES, prior="mixture", components=5), "pictures", "elbo", BOTH),
    Family({**GAN, "batch_norm": True}, "pictures", "adversarial", ("generate",)),
    Family({**GAN, "conditions": CLASSES, "critic_condition": "projection"}, "pictures", "adversarial", ("generate",)),
    Family(DCGAN, "pictures", "adversarial", ("generate",)),
    Family({**DCGAN, "conditions": CLASSES, "critic_condition": "auxiliary", "spectral_norm": True}, "pictures", "adversarial",
           ("generate",)),
    Family({"name": "mlp", "widths": [8, 6], "activation": "tanh", "batch_norm": True, "insert": INSERT}, "pictures",
           "cross_entropy", CLASSIFY),
    Family({"name": "mlp", "widths": [6], "layer_norm": True}, "values", "squared_error", ("regress",)),
    Family(conv("cnn", batch_norm=True), "pictures", "cross_entropy", CLASSIFY),
    Family({"name": "lstm", "bidirectional": True, "layers": 2, **VALUES}, "cases", "cross_entropy", CLASSIFY),
    Family({"name": "lstm", "cell": "gru", "continues": [2, 0], **VALUES}, "values", "squared_error", ("regress",)),
    Family({"name": "lstm", "cell": "gru", **IDS}, "lines", "cross_entropy", ()),
    Family({"name": "lstm", "per_step": True, "layers": 2, **IDS}, "story", "language_model", ("write",)),
    Family({**CODER, "likelihood": "gaussian", "cell": "lstm", **VALUES}, "cases", MSE, DECODE),
    Family({**CODER, **IDS}, "lines", {"name": "reconstruction", "loss": "likelihood"}, ("rebuild_texts",)),
    Family({**CODER, "name": "sequence_vae", "likelihood": "gaussian", "layers": 2, **VALUES}, "cases", "elbo", BOTH),
    Family({**CODER, "name": "sequence_vae", "bidirectional": False, **IDS}, "lines", "elbo", ("rebuild_texts",)),
    Family({"name": "skip_autoencoder", "channels": [3, 4, 5]}, "colours", "restoration", ("restore",)),
    Family({"name": "resnet", "depth": 18, "width": 0.125}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "resnet", "depth": 50, "width": 0.0625, "stem": "cifar"}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "cifar_resnet", "depth": 8, "width": 0.5}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "vgg", "depth": 11, "width": 0.03125, "batch_norm": True}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "mobilenet_v1", "width": 0.125}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "mobilenet_v2", "width": 0.25}, "colours", "cross_entropy", CLASSIFY),
    Family({"name": "lenet", "channels": [4, 6], "kernel": 5, "dense": [20]}, "colours", "cross_entropy", CLASSIFY),
]


def write_idx(path, values):
    header = struct.pack(f">BBBB{values.dim()}I", 0, 0, 8, values.dim(), *values.shape)
    path.write_bytes(header + values.to(torch.uint8).numpy().tobytes())


def near(found, expected):
    """float32 against float64: of 50 layers each rounds by 2^-24 of sums of a few hundred products."""
    found, expected = torch.as_tensor(found, dtype=torch.double), expected.double()
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=2e-4, atol=2e-4 * max(1.0, float(expected.abs().max())))


class BothWays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vaetl-models-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        torch.manual_seed(0)
        cls.labels = torch.arange(COUNT) % CLASSES
        cls.examples, cls.references = {}, {}
        cls.write_pictures()
        cls.write_sequences()
        cls.write_texts()

    @classmethod
    def write_pictures(cls):
        cls.examples["pictures"] = torch.randint(256, (COUNT, 1, 8, 8))
        (cls.folder / "pictures").mkdir()
        for split in ("train", "t10k"):
            write_idx(cls.folder / "pictures" / f"{split}-images", cls.examples["pictures"][:, 0])
            write_idx(cls.folder / "pictures" / f"{split}-labels", cls.labels)
        colours = cls.examples["colours"] = torch.randint(256, (COUNT, 3, 32, 32))
        records = torch.cat([cls.labels[:, None], colours.flatten(1)], 1)  # as CIFAR-10 is stored
        (cls.folder / "colours.bin").write_bytes(records.to(torch.uint8).numpy().tobytes())
        cls.references |= {"pictures": f"idx:{cls.folder}/pictures", "colours": f"cifar:{cls.folder}/colours.bin"}

    @classmethod
    def write_sequences(cls):
        cls.examples["cases"] = cls.examples["values"] = torch.rand(COUNT, 6, 3) * 255
        cls.targets = torch.randn(COUNT, 2)
        for name, target in (("cases", cls.labels), ("values", cls.targets)):
            numpy.savez(cls.folder / f"{name}.npz", x=cls.examples[name].numpy(), y=target.numpy())
            cls.references[name] = f"npy:{cls.folder}/{name}.npz"

    @classmethod
    def write_texts(cls):
        cls.texts = ["abcab", "bca", "ccbbaa", "a", "cab", "bbb"] * (COUNT // 6)
        rows = [f"{'xyz'[label]}\t{text}\n" for label, text in zip(cls.labels.tolist(), cls.texts)]
        (cls.folder / "lines.tsv").write_text("".join(rows))
        (cls.folder / "story.txt").write_text(STORY)
        cls.references |= {"lines": f"lines:{cls.folder}/lines.tsv?by=character",
                           "story": f"text:{cls.folder}/story.txt?by=character&window=8"}

    def run_program(self, name, *arguments):
        environment = dict(os.environ, OMP_NUM_THREADS="1", VAETL_ZOO=str(self.folder / "zoo"))
        done = subprocess.run([str(BIN / name), *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True,
                              env=environment, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def train(self, family, name):
        """A run of two steps: its card."""
        data = {"open": self.references[family.data]}
        if family.data in ("cases", "values"):
            data["preprocess"] = SIGNED
        if family.data == "story":
            data["order"] = "lanes"
        recipe = {"name": name, "seed": 1, "data": data, "model": family.model, "objective": family.objective,
                  "trainer": {"steps": 2, "batch_size": 4}}
        (self.folder / "recipe.json").write_text(json.dumps(recipe))
        self.run_program("vaetl-train", "recipe.json", "--out", name, "--device", "cpu")
        return self.card(self.folder / name / "model")

    def card(self, folder):
        return json.loads((folder / "model.json").read_text())

    def near(self, found, expected, what):
        self.assertTrue(near(found, expected), f"{what}: {found} {expected}")

    # ---- what the preprocessing of a card makes of raw values, and back

    def seen(self, card, raw):
        for step in card["preprocess"]:
            if step["name"] == "scale":
                (low, high), (least, most) = step["from"], step["to"]
                raw = least + (raw.double() - low) * (most - least) / (high - low)
        return raw

    def own_units(self, card, values):
        for step in card["preprocess"]:
            if step["name"] == "scale":
                (low, high), (least, most) = step["from"], step["to"]
                values = low + (values - least) * (high - low) / (most - least)
        return values

    def ids_of(self, card, texts):
        """Token ids by the vocabulary that the weights carry: 0 padding, 1 unknown, then the characters."""
        vocabulary = card["preprocess"][0]["reader"]["vocabulary"]
        length = max(map(len, texts))
        return torch.tensor([[2 + vocabulary.index(c) for c in text] + [0] * (length - len(text)) for text in texts])

    def text_of(self, card, ids):
        vocabulary = card["preprocess"][0]["reader"]["vocabulary"]
        return "".join(["", "\ufffd", *vocabulary][i] for i in ids.tolist())

    # ---- the card's test vector, and what the programs do; `source` is a MODEL, and --model with it

    def check_vector(self, card, module):
        vector = card["test_vector"]
        x = torch.tensor(vector["input"], dtype=torch.double).reshape(vector["shape"])
        if card["inputs"]["input"]["dtype"] == "int64":
            x = x.long()
        elif vector["stage"] == "raw":
            x = self.seen(card, x)
        y = torch.tensor(vector["condition"]) if vector["condition"] else None
        self.assertEqual(y is not None, card["model"].get("conditions", 0) > 0)
        expected = python.vector_output(module, x, y)
        if vector["of"] == "restored":
            expected = self.own_units(card, expected)
        self.near(vector["output"], expected.flatten(), "test vector")

    def check_classify(self, family, card, module, source):
        logits = python.vector_output(module, self.seen(card, self.examples[family.data]))
        scores = self.run_program("vaetl-evaluate", *source, "--data", self.references[family.data], "--device", "cpu",
                                  "--metrics", "cross_entropy,accuracy")["metrics"]
        loss = float(F.cross_entropy(logits, self.labels))
        self.assertLessEqual(abs(scores["cross_entropy"] - loss), 2e-4 * max(1.0, float(logits.abs().max())))
        self.assertAlmostEqual(scores["accuracy"], float((logits.argmax(1) == self.labels).double().mean()))

    def check_regress(self, family, card, module, source):
        values = python.vector_output(module, self.seen(card, self.examples[family.data]))
        scores = self.run_program("vaetl-evaluate", *source, "--data", self.references[family.data], "--device", "cpu",
                                  "--metrics", "mae")["metrics"]
        self.near(scores["mae"], (values - self.targets).abs().mean(), "mae")

    def check_rebuild(self, family, card, module, source):
        self.run_program("vaetl-reconstruct", *source, "--data", self.references[family.data], "--device", "cpu", "--out", "out.npy")
        x = self.seen(card, self.examples[family.data])
        expected = python.rebuilt(module, x, self.labels if card["model"].get("conditions") else None)
        self.near(numpy.load(self.folder / "out.npy"), self.own_units(card, expected), "rebuilt")

    def check_restore(self, family, card, module, source):
        found = self.run_program("vaetl-enhance", *source, "--data", self.references[family.data], "--damage", "halve", "--device", "cpu")
        x = self.seen(card, self.examples[family.data])
        damaged = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2)
        repaired = python.vector_output(module, damaged).clamp(0, 1)
        self.near(found["methods"][2]["rmse"], (x - repaired).square().mean().sqrt(), "rmse")

    def check_generate(self, family, card, module, source):
        self.run_program("vaetl-generate", *source, "--temperature", 0, "--count", COUNT, "--device", "cpu", "--out", "out.npy")
        found = numpy.load(self.folder / "out.npy")
        conditions = card["model"].get("conditions", 0)
        y = torch.arange(COUNT) % conditions if conditions else None
        possible = [self.own_units(card, values) for values in python.generated_without_noise(module, COUNT, y)]
        for i, one in enumerate(found):
            self.assertTrue(any(near(one, values[i]) for values in possible), f"{i}: {one} {[values[i] for values in possible]}")

    def check_rebuild_texts(self, family, card, module, source):
        found = self.run_program("vaetl-reconstruct", *source, "--data", self.references[family.data], "--device", "cpu")
        ids = self.ids_of(card, self.texts)
        rebuilt = python.rebuilt(module, ids)
        self.assertEqual(found["texts"], [{"text": text, "reconstruction": self.text_of(card, row)}
                                          for text, row in zip(self.texts, rebuilt)])
        share = float(((ids == rebuilt) & (ids != 0)).sum() / (ids != 0).sum())
        self.assertAlmostEqual(found["metrics"]["tokens_rebuilt"], share, places=6)

    def check_write(self, family, card, module, source):
        found = self.run_program("vaetl-generate", *source, "--prompt", "the cat", "--length", 12, "--temperature", 0, "--device", "cpu")
        ids = self.ids_of(card, ["the cat"])
        for _ in range(12):
            logits = python.vector_output(module, ids)[:, -1]
            ids = torch.cat([ids, 2 + logits[:, 2:].argmax(1, keepdim=True)], 1)
        self.assertEqual(found["texts"], [self.text_of(card, ids[0])])

    def check_programs(self, family, card, module, source):
        for check in family.checks:
            getattr(self, f"check_{check}")(family, card, module, source)

    # ---- both ways

    def to_python(self, family, name):
        card = self.train(family, name)
        module = python.make(card["model"])
        module.load_state_dict(load_file(self.folder / name / "model" / "model.safetensors"), strict=True)
        module.double().eval()
        self.check_vector(card, module)
        if not {"classify", "regress"}.intersection(family.checks):  # there the test vector has said it all
            self.check_programs(family, card, module, [name])
        return card

    def from_python(self, family, name, card):
        module = python.shaken(python.make(card["model"]))
        save_file(module.state_dict(), str(self.folder / f"{name}.safetensors"))
        torch.save(module.state_dict(), self.folder / f"{name}.pt")
        module.double().eval()
        description = self.folder / f"{name}.json"
        description.write_text(json.dumps({"model": card["model"], "preprocess": card["preprocess"]}))
        self.run_program("vaetl-zoo", "import", f"{name}.safetensors", "--model", description, "--name", name)
        entry = self.card(self.folder / "zoo" / name)
        self.check_vector(entry, module)
        self.assertNotEqual(entry["test_vector"]["output"], card["test_vector"]["output"])
        self.check_programs(family, card, module, [f"{name}.pt", "--model", description])

    def test_every_family(self):
        for i, family in enumerate(FAMILIES):
            with self.subTest(**family.model), torch.no_grad():
                name = f"{i:02}-{family.model['name']}"
                self.from_python(family, name, self.to_python(family, name))
        self.assertTrue(self.run_program("vaetl-zoo", "verify", "--all")["passed"])

    def test_no_family_is_left_out(self):
        table = (pathlib.Path(__file__).resolve().parents[2] / "models" / "table.cpp").read_text()
        self.assertEqual(table.count(".add<"), len({family.model["name"] for family in FAMILIES}))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
