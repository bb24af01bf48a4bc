"""vaetl-generate and vaetl-reconstruct from outside. Usage: test_generate_app.py BIN [unittest options]"""
import ast
import cmath
import csv
import json
import math
import shutil
import struct
import wave
import zlib

import support
from pictures import write_png
from support import CLASSES, Case

VAE = {"name": "vae", "widths": [16], "latent": 4}
AUTOENCODER = {"name": "autoencoder", "widths": [], "latent": 6, "code_activation": "sigmoid"}


def read_png(path):
    """Width, height, channels and rows of bytes of a PNG file without filters or with any."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at:at + 8])
        body = content[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            data += body
        at += 12 + size
    channels = {0: 1, 2: 3}[colour]
    raw, rows, previous = zlib.decompress(data), [], bytes(width * channels)
    for y in range(height):
        line = bytearray(raw[y * (width * channels + 1):(y + 1) * (width * channels + 1)])
        how, row = line[0], line[1:]
        for i in range(len(row)):
            left = row[i - channels] if i >= channels else 0
            up, corner = previous[i], previous[i - channels] if i >= channels else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda v: abs(guess - v))
            row[i] = (row[i] + (0, left, up, (left + up) // 2, paeth)[how]) % 256
        rows.append(bytes(row))
        previous = row
    return width, height, channels, rows


def read_npy(path):
    """dtype, shape and values of a small .npy file."""
    content = path.read_bytes()
    size = struct.unpack("<H", content[8:10])[0]
    header = ast.literal_eval(content[10:10 + size].decode())
    body = content[10 + size:]
    return header["descr"], header["shape"], struct.unpack(f"<{len(body) // 4}f", body)


class Models(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        for name, model, objective in [("vae", VAE, "elbo"), ("autoencoder", AUTOENCODER, "reconstruction")]:
            recipe = case.recipe(name, model=model, objective=objective, data={"open": f"idx:{cls.data}", "labels": False},
                                 trainer={"steps": 60, "batch_size": 50, "optimizer": {"name": "adam", "lr": 0.01}},
                                 evaluate=["reconstruction_mse"])
            case.run_program("vaetl-train", recipe, "--quiet", "--out", name)
        case.run_program("vaetl-train", case.recipe("mlp"), "--quiet", "--out", "mlp")

    def left_nothing(self, name):
        self.assertFalse((self.folder / name).exists(), "a partial file was left")
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".vaetl-")], [])


class Generate(Models):
    def test_a_grid_of_pictures(self):
        done = self.run_program("vaetl-generate", "vae", "--count", "6", "--out", "new.png")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        width, height, channels, rows = read_png(self.folder / "new.png")
        self.assertEqual((width, height, channels), (3 * 30 + 2, 2 * 30 + 2, 1))
        inside = [row[2:30] for row in rows[2:30]]
        self.assertGreater(max(map(max, inside)) - min(map(min, inside)), 50)

    def test_the_same_seed_makes_the_same_bytes(self):
        def bytes_of(name, *options):
            self.run_program("vaetl-generate", "vae", "--count", "4", "--out", name, *options)
            return (self.folder / name).read_bytes()
        first = bytes_of("a.png", "--seed", "5")
        self.assertEqual(first, bytes_of("b.png", "--seed", "5"))
        self.assertNotEqual(first, bytes_of("c.png", "--seed", "6"))
        self.assertNotEqual(first, bytes_of("d.png", "--seed", "5", "--temperature", "0.5"))
        self.assertNotEqual(first, bytes_of("e.png", "--seed", "5", "--truncation", "0.5"))

    def test_arrays_are_in_the_datas_own_units(self):
        found = self.json_of("vaetl-generate", "vae", "--count", "3", "--seed", "1", "--out", "new.npy")
        self.assertEqual(found, {"model": "vae", "count": 3, "seed": 1, "out": "new.npy"})
        dtype, shape, values = read_npy(self.folder / "new.npy")
        self.assertEqual((dtype, shape), ("<f4", (3, 1, 28, 28)))
        self.assertGreater(max(values), 100)  # bytes, and no shares of 1
        self.assertLessEqual(max(values), 255)
        self.run_program("vaetl-generate", "vae", "--count", "3", "--seed", "1", "--out", "new.png")
        rows = read_png(self.folder / "new.png")[3]
        self.assertEqual([round(v) for v in values[:28]], list(rows[2][2:30]))

    def test_a_file_for_each(self):
        self.run_program("vaetl-generate", "vae", "--count", "11", "--out", "each/")
        self.assertEqual(sorted(p.name for p in (self.folder / "each").iterdir()), [f"{i:02}.png" for i in range(11)])
        self.assertEqual(read_png(self.folder / "each" / "00.png")[:3], (28, 28, 1))
        self.refused(7, ["each", "a folder that is new or empty"], "vaetl-generate", "vae", "--out", "each/")

    def test_temperature_zero_is_one_picture(self):
        self.run_program("vaetl-generate", "vae", "--count", "2", "--temperature", "0", "--out", "zero.npy")
        values = read_npy(self.folder / "zero.npy")[2]
        self.assertEqual(values[:784], values[784:])

    def test_refusals(self):
        def refused(code, parts, *arguments, out="bad.png"):
            self.refused(code, parts, "vaetl-generate", *arguments, "--out", out)
            self.left_nothing(out)
        refused(2, ["generate: expected a model that offers Generator", '"mlp"'], "mlp")
        refused(2, ["a model that offers Generator", '"autoencoder"'], "autoencoder")
        refused(2, ["class: expected a model that offers Conditional", '"vae"'], "vae", "--class", "3")
        refused(2, ["class: expected a whole number from 0", '"three"'], "vae", "--class", "three")
        refused(2, ["--count", "an integer from 1", '"0"'], "vae", "--count", "0")
        refused(2, ["--temperature", "a number from 0 to 100", '"hot"'], "vae", "--temperature", "hot")
        refused(2, ["--prompt", "text"], "vae", "--prompt", "Once")
        refused(2, ["--out: expected FILE.png, FILE.npy, FILE.csv, FILE.wav or FOLDER/", '"bad.jpeg"'], "vae", out="bad.jpeg")
        refused(4, ["nothing-there"], "nothing-there")
        refused(4, ["data"], str(self.data / "train-images-idx3-ubyte"))
        refused(5, ["cuda:99"], "vae", "--device", "cuda:99")
        refused(7, ["absent/bad.png"], "vae", out="absent/bad.png")
        self.refused(2, ["--out FILE.png, FILE.npy, FILE.csv, FILE.wav or FOLDER/", "none"], "vaetl-generate", "vae")
        self.refused(2, ["MODEL", "nothing"], "vaetl-generate", "--out", "bad.png")

    def test_a_way_from_one_example_to_another(self):
        data = ["--data", f"idx:{self.data}"]
        self.run_program("vaetl-reconstruct", "vae", *data, "--out", "rebuilt.npy")
        rebuilt = read_npy(self.folder / "rebuilt.npy")[2]
        found = self.json_of("vaetl-generate", "vae", "--from", "2", "--to", "7", *data, "--count", "4", "--out", "way.npy")
        self.assertEqual(found["count"], 4)
        values = read_npy(self.folder / "way.npy")[2]
        for example, at in ((1, 0), (6, 3)):
            for expected, value in zip(rebuilt[784 * example:784 * (example + 1)], values[784 * at:784 * (at + 1)]):
                self.assertAlmostEqual(expected, value, delta=0.01)
        images = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16:]
        for name, i in (("a.png", 1), ("b.png", 6)):
            write_png(self.folder / name, 28, 28, images[784 * i:784 * (i + 1)])
        self.run_program("vaetl-generate", "vae", "--from", "a.png", "--to", "b.png", "--count", "4", "--out", "files.npy")
        self.assertEqual(read_npy(self.folder / "files.npy")[2], values)
        self.run_program("vaetl-generate", "autoencoder", "--from", "a.png", "--to", "b.png", "--scale", "2", "--out", "way.png")
        self.assertEqual(read_png(self.folder / "way.png")[:3], (10 * 58 + 2, 60, 1))

    def test_a_walk_is_animated(self):
        self.run_program("vaetl-generate", "vae", "--walk", "3", "--count", "9", "--animate", "12.5", "--out", "walk.png")
        self.run_program("vaetl-generate", "vae", "--walk", "3", "--count", "9", "--out", "walk.npy")
        _, shape, values = read_npy(self.folder / "walk.npy")
        self.assertEqual(shape, (9, 1, 28, 28))
        content = (self.folder / "walk.png").read_bytes()
        self.assertEqual((content.count(b"acTL"), content.count(b"fcTL"), content.count(b"fdAT")), (1, 9, 8))
        width, height, _, rows = read_png(self.folder / "walk.png")  # the first of them
        self.assertEqual((width, height), (28, 28))
        self.assertEqual([round(v) for v in values[:28]], list(rows[0]))

    def test_refusals_of_ways(self):
        def refused(parts, *arguments, code=2, out="bad.png"):
            self.refused(code, parts, "vaetl-generate", *arguments, "--out", out)
            self.left_nothing(out)
        data = ["--data", f"idx:{self.data}"]
        refused(["--from and --to", "one of them"], "vae", "--from", "1", *data)
        refused(["--from", "from 1 to 80", '"0"'], "vae", "--from", "0", "--to", "2", *data)
        refused(["absent.png"], "vae", "--from", "absent.png", "--to", "absent.png", code=3)
        refused(["--data: expected --from and --to"], "vae", *data)
        refused(["--seed: expected examples that are drawn, found --from and --to"], "vae", "--from", "1", "--to", "2", "--seed",
                "3", *data)
        refused(["--animate: expected --out FILE.png"], "vae", "--animate", "3", out="bad.npy")
        refused(["--animate", "0.1 to 100", '"1000"'], "vae", "--animate", "1000")
        refused(["--scale: expected pictures"], "vae", "--scale", "3", out="bad.npy")
        refused(["--walk", "from 2", '"1"'], "vae", "--walk", "1")
        refused(["interpolate: expected a model that offers Decoder"], "mlp", "--from", "1", "--to", "2", *data)
        refused(["generate: expected a model that offers Generator"], "autoencoder", "--walk", "3")

    def test_weights_that_were_changed(self):
        shutil.copytree(self.folder / "vae" / "model", self.folder / "changed")
        weights = self.folder / "changed" / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 255
        weights.write_bytes(content)
        self.refused(4, ["model.safetensors"], "vaetl-generate", "changed", "--out", "bad.png")
        self.left_nothing("bad.png")


class GenerateClasses(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        recipe = case.recipe("cvae", model={**VAE, "conditions": CLASSES}, objective="elbo",
                             trainer={"steps": 200, "batch_size": 50, "optimizer": {"name": "adam", "lr": 0.01}},
                             evaluate=["reconstruction_mse"])
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "cvae")

    def bands(self, name):
        """Which band of each picture is brightest: what tells its class."""
        _, (count, *_), values = read_npy(self.folder / name)
        pictures = [values[i * 784:(i + 1) * 784] for i in range(count)]
        return [max(range(CLASSES), key=lambda k: sum(p[k * 7 * 28:(k * 7 + 5) * 28])) for p in pictures]

    def test_one_class_or_each_in_turn(self):
        self.run_program("vaetl-generate", "cvae", "--class", "2", "--count", "5", "--temperature", "0.3", "--out", "two.npy")
        self.assertEqual(self.bands("two.npy"), [2] * 5)
        self.run_program("vaetl-generate", "cvae", "--count", "8", "--temperature", "0.3", "--out", "all.npy")
        self.assertEqual(self.bands("all.npy"), [0, 1, 2, 3] * 2)
        self.run_program("vaetl-generate", "cvae", "--count", "8", "--out", "all.png")
        self.assertEqual(read_png(self.folder / "all.png")[0], CLASSES * 30 + 2)  # a class in each column

    def test_classes_have_names_where_the_card_or_the_data_tell_them(self):
        card = json.loads((self.folder / "cvae/model/model.json").read_text())
        self.assertEqual(card.get("classes", []), [])
        found = self.run_program("vaetl-generate", "fashion-mnist-cgan", "--class", "Bag", "--count", "2", "--out", "bags.npy")
        self.run_program("vaetl-generate", "fashion-mnist-cgan", "--class", "8", "--count", "2", "--out", "eights.npy")
        self.assertEqual((self.folder / "bags.npy").read_bytes(), (self.folder / "eights.npy").read_bytes())
        self.refused(2, ["one of", "Bag", '"Bagg"', 'did you mean "Bag"?'], "vaetl-generate", "fashion-mnist-cgan", "--class", "Bagg",
                     "--out", "x.png")

    def test_a_walk_shows_all_classes(self):
        self.run_program("vaetl-generate", "cvae", "--walk", "2", "--count", "3", "--temperature", "0.3", "--out", "walk.npy")
        self.assertEqual(self.bands("walk.npy"), list(range(CLASSES)) * 3)
        self.run_program("vaetl-generate", "cvae", "--walk", "2", "--count", "3", "--animate", "5", "--out", "walk.png")
        self.assertEqual(read_png(self.folder / "walk.png")[:2], (62, 62))  # two by two, in each of three
        self.run_program("vaetl-generate", "cvae", "--walk", "2", "--count", "3", "--class", "1", "--temperature", "0.3", "--out",
                         "one.npy")
        self.assertEqual(self.bands("one.npy"), [1] * 3)

    def test_a_way_keeps_the_class_it_starts_from(self):
        data = ["--data", f"idx:{self.data}"]
        self.run_program("vaetl-generate", "cvae", "--from", "3", "--to", "4", *data, "--count", "3", "--out", "way.npy")
        self.assertEqual(self.bands("way.npy"), [2] * 3)
        self.run_program("vaetl-generate", "cvae", "--from", "3", "--to", "4", *data, "--class", "0", "--count", "3", "--out",
                         "way.npy")
        self.assertEqual(self.bands("way.npy"), [0] * 3)
        self.refused(2, ["--class: expected the class of both files"], "vaetl-generate", "cvae", "--from", "a.png", "--to", "a.png",
                     "--out", "x.png")

    def test_refusals(self):
        self.refused(2, ["class: expected one from 0 to 3, found 4"], "vaetl-generate", "cvae", "--class", "4", "--out", "x.png")
        self.refused(2, ["class: expected a whole number from 0", '"-1"'], "vaetl-generate", "cvae", "--class=-1", "--out",
                     "x.png")
        self.assertFalse((self.folder / "x.png").exists())


class GenerateText(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        (cls.folder / "corpus.txt").write_text("the cat sat on the mat\n" * 200)
        recipe = case.recipe("writer", data={"open": {"name": "text", "path": str(cls.folder / "corpus.txt"), "window": 32},
                                             "order": "lanes"},
                             model={"name": "lstm", "embedding": 8, "hidden": 32, "per_step": True},
                             objective="language_model", evaluate=None,
                             trainer={"steps": 150, "batch_size": 8, "optimizer": {"name": "adam", "lr": 0.02}})
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "writer")

    def test_texts_go_to_stdout_or_a_file(self):
        arguments = ["writer", "--prompt", "the cat", "--length", "40", "--temperature", "0"]
        text = self.run_program("vaetl-generate", *arguments).stdout
        self.assertTrue(text.startswith("the cat sat on the mat\nthe cat sat on "), text)
        self.run_program("vaetl-generate", *arguments, "--out", "text.txt")
        self.assertEqual((self.folder / "text.txt").read_text(), text)
        found = self.json_of("vaetl-generate", *arguments, "--count", "2")
        self.assertEqual(found["texts"], [text[:-1]] * 2)

    def test_evaluate_reads_labels_as_labels(self):
        scores = self.json_of("vaetl-evaluate", "writer", "--data", "text:corpus.txt?window=32")["metrics"]
        self.assertLessEqual({"nats_per_token", "perplexity", "step_accuracy"}, set(scores))
        self.assertNotIn("step_rmse", scores)

    def test_the_seed_draws(self):
        def drawn(*options):
            return self.json_of("vaetl-generate", "writer", "--length", "60", "--temperature", "3", *options)["texts"]
        self.assertEqual(drawn("--seed", "1"), drawn("--seed", "1"))
        self.assertNotEqual(drawn("--seed", "1"), drawn("--seed", "2"))
        self.assertNotEqual(drawn("--seed", "1"), drawn("--seed", "1", "--top-k", "2"))
        self.assertNotEqual(drawn("--seed", "1"), drawn("--seed", "1", "--top-p", "0.5"))

    def test_refusals(self):
        self.refused(2, ["--class", "a model that makes examples from noise"], "vaetl-generate", "writer", "--class", "1")
        self.refused(2, ["--top-p", "a number from"], "vaetl-generate", "writer", "--top-p", "2")
        self.refused(2, ["--length", "an integer from 1"], "vaetl-generate", "writer", "--length", "0")
        self.refused(7, ["absent/text.txt"], "vaetl-generate", "writer", "--out", "absent/text.txt")


def write_tone(path, hertz, seconds=0.25, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [int(9000 * math.sin(2 * math.pi * hertz * t / rate)) for t in range(int(seconds * rate))]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def read_clip(path):
    """Rate and samples."""
    with wave.open(str(path), "rb") as file:
        count = file.getnframes()
        return file.getframerate(), struct.unpack(f"<{count}h", file.readframes(count))


def loudest(samples, tones, rate=8000):
    """The name of the tone around which, a tenth up and down, there is most energy, in the middle eighth of a second."""
    middle = samples[len(samples) // 2 - 500:len(samples) // 2 + 500]

    def energy(hertz):
        return abs(sum(s * cmath.exp(2j * math.pi * hertz * t / rate) for t, s in enumerate(middle))) ** 2

    return max(tones, key=lambda name: sum(energy(f) for f in range(int(tones[name] * 0.9), int(tones[name] * 1.1), 8)))


class GenerateSound(Case):
    """A conditional VAE of three tones: what it makes is heard in the WAV files."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tones = {"deep": 400, "high": 1600, "mean": 800}
        for name, hertz in cls.tones.items():
            for i in range(12):
                write_tone(cls.folder / "tones" / name / f"{i}.wav", hertz * (1 + 0.01 * (i % 3)))
        case = cls()
        model = {"name": "vae", "widths": [32], "latent": 2, "conditions": 3, "likelihood": "gaussian", "sigma": 4}
        case.run_program("vaetl-train", case.recipe("speaker", model=model, objective="elbo", data={"open": "sound:tones"},
                                                    trainer={"steps": 300, "batch_size": 36,
                                                             "optimizer": {"name": "adam", "lr": 0.003}},
                                                    evaluate=[]), "--quiet", "--out", "speaker")

    def test_a_file_for_each_in_folders_by_class(self):
        self.run_program("vaetl-generate", "speaker", "--count", "6", "--out", "clips/")
        self.assertEqual(sorted(str(p.relative_to(self.folder / "clips")) for p in (self.folder / "clips").rglob("*.wav")),
                         ["deep/0.wav", "deep/3.wav", "high/1.wav", "high/4.wav", "mean/2.wav", "mean/5.wav"])
        for name in self.tones:
            for path in (self.folder / "clips" / name).iterdir():
                rate, samples = read_clip(path)
                self.assertEqual((rate, len(samples)), (8000, 2000))
                self.assertEqual(loudest(samples, self.tones), name, path)

    def test_one_file_of_all(self):
        for name in ("one.wav", "two.wav"):
            self.run_program("vaetl-generate", "speaker", "--class", "high", "--count", "3", "--seed", "4", "--out", name)
        rate, samples = read_clip(self.folder / "one.wav")
        self.assertEqual((rate, len(samples)), (8000, 6000))
        for first in (0, 2000, 4000):
            self.assertEqual(loudest(samples[first:first + 2000], self.tones), "high")
        self.assertEqual((self.folder / "one.wav").read_bytes(), (self.folder / "two.wav").read_bytes())

    def test_refusals(self):
        self.refused(2, ["--out: expected FILE.npy, as the model makes no series"], "vaetl-generate", "speaker", "--out", "a.csv")
        self.refused(2, ["--scale: expected pictures"], "vaetl-generate", "speaker", "--scale", "2", "--out", "a.wav")
        self.run_program("vaetl-generate", "speaker", "--count", "3", "--out", "again/")
        self.refused(7, ["new or empty"], "vaetl-generate", "speaker", "--count", "3", "--out", "again/")


class GenerateSeries(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [f"{1 + i % 2} " + " ".join(f"{50 + (20 if i % 2 else -20) + t + i % 3}" for t in range(6)) for i in range(40)]
        (cls.folder / "rows.txt").write_text("\n".join(rows) + "\n")
        case = cls()
        model = {"name": "vae", "widths": [16], "latent": 2, "conditions": 2, "likelihood": "gaussian", "sigma": 0.3}
        data = {"open": {"name": "ts", "path": "rows.txt"}, "preprocess": ["standardise"]}
        case.run_program("vaetl-train", case.recipe("rows", model=model, objective="elbo", data=data, evaluate=[],
                                                    trainer={"steps": 200, "batch_size": 40,
                                                             "optimizer": {"name": "adam", "lr": 0.01}}),
                         "--quiet", "--out", "rows")

    def test_a_row_each_in_the_datas_units(self):
        self.run_program("vaetl-generate", "rows", "--count", "8", "--out", "new.csv")
        with open(self.folder / "new.csv", newline="") as file:
            table = list(csv.reader(file))
        self.assertEqual(table[0], ["class"] + [f"t{t}" for t in range(6)])
        self.assertEqual([row[0] for row in table[1:]], ["1", "2"] * 4)
        for row in table[1:]:
            for t, value in enumerate(row[1:]):
                self.assertLess(abs(float(value) - (50 + (20 if row[0] == "2" else -20) + t + 1)), 8, row)

    def test_refusals(self):
        self.refused(2, ["--out: expected FILE.npy, as the model makes no sound"], "vaetl-generate", "rows", "--out", "a.wav")
        self.refused(2, ["makes no pictures"], "vaetl-generate", "rows", "--out", "a/")
        self.assertEqual(list(self.folder.glob("a*")), [])


class Reconstruct(Models):
    def reference(self):
        return ["--data", f"idx:{self.data}"]

    def test_inputs_above_and_what_is_made_of_them_below(self):
        found = self.json_of("vaetl-reconstruct", "autoencoder", *self.reference(), "--out", "rebuilt.png", "--count", "12")
        self.assertEqual(found["data"]["examples"], 12)
        self.assertEqual(found["data"]["split"], "test")
        self.assertEqual(set(found["metrics"]), {"reconstruction_mse", "reconstruction_bce"})
        width, height, _, rows = read_png(self.folder / "rebuilt.png")
        self.assertEqual((width, height), (10 * 30 + 2, 4 * 30 + 2))
        image = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16:16 + 784]
        self.assertEqual(b"".join(row[2:30] for row in rows[2:30]), image)
        apart = sum((a / 255 - b / 255) ** 2 for y in range(28) for a, b in zip(rows[2 + y][2:30], rows[32 + y][2:30])) / 784
        self.assertLess(apart, 0.1)
        self.assertEqual(set(rows[70][2 + 2 * 30:]), {255})  # the last row holds two

    def test_the_error_is_evaluates(self):
        found = self.json_of("vaetl-reconstruct", "vae", *self.reference(), "--out", "rebuilt.npy")
        scored = self.json_of("vaetl-evaluate", "vae", *self.reference(), "--metrics", "reconstruction_mse")
        self.assertEqual(found["metrics"]["reconstruction_mse"], scored["metrics"]["reconstruction_mse"])
        dtype, shape, values = read_npy(self.folder / "rebuilt.npy")
        self.assertEqual((dtype, shape), ("<f4", (80, 1, 28, 28)))
        pixels = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16:]
        apart = sum((a - b) ** 2 for a, b in zip(values, pixels)) / len(values) / 255 ** 2
        self.assertAlmostEqual(apart, scored["metrics"]["reconstruction_mse"], delta=1e-5)
        text = self.run_program("vaetl-reconstruct", "vae", *self.reference(), "--out", "rebuilt.npy").stdout
        self.assertRegex(text, r"reconstruction_mse +0\.\d{4}\n")

    def test_refusals(self):
        def refused(code, parts, *arguments, out="bad.png"):
            self.refused(code, parts, "vaetl-reconstruct", *arguments, "--out", out)
            self.left_nothing(out)
        refused(2, ["reconstruct: expected a model that offers Decoder", '"mlp"'], "mlp", *self.reference())
        refused(2, ["--data REF"], "vae")
        refused(2, ["--split", '"tset"', 'did you mean "test"?'], "vae", *self.reference(), "--split", "tset")
        refused(2, ["--out: expected FILE.png or FILE.npy"], "vae", *self.reference(), out="bad.txt")
        refused(2, ["--count", "at least 1"], "vae", *self.reference(), "--count", "0")
        refused(3, ["nowhere"], "vae", "--data", "idx:nowhere")
        refused(4, ["nothing-there"], "nothing-there", *self.reference())
        refused(7, ["absent/bad.png"], "vae", *self.reference(), out="absent/bad.png")


class ReconstructText(Case):
    TEXTS = ["the cat, sat", "a dog \"ran\"", "the mat", "a cat ran"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        (cls.folder / "lines.txt").write_text("\n".join(cls.TEXTS * 30) + "\n")
        (cls.folder / "new.txt").write_text("\n".join(cls.TEXTS) + "\n")
        recipe = case.recipe("texts", data={"open": f"lines:{cls.folder}/lines.txt?by=character&labels=false"}, evaluate=None,
                             model={"name": "sequence_autoencoder", "cell": "gru", "hidden": 32, "embedding": 8, "latent": 8},
                             objective={"name": "reconstruction", "loss": "likelihood"},
                             trainer={"steps": 200, "batch_size": 20, "optimizer": {"name": "adam", "lr": 0.01}})
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "texts")

    def reference(self, name="new.txt"):
        return ["--data", f"lines:{name}?labels=false"]

    def test_a_table_of_texts_and_what_is_made_of_them(self):
        found = self.json_of("vaetl-reconstruct", "texts", *self.reference())
        self.assertEqual([pair["text"] for pair in found["texts"]], self.TEXTS)
        self.assertGreater(found["metrics"]["tokens_rebuilt"], 0.95)  # four texts, learnt by heart
        self.assertEqual([pair["reconstruction"] for pair in found["texts"]], self.TEXTS)
        lines = self.run_program("vaetl-reconstruct", "texts", *self.reference(), "--count", "2").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["text", "reconstruction"])
        self.assertEqual(lines[1].split("  "), ["the cat, sat", "the cat, sat"])
        self.assertEqual(lines[2].split("   "), ["a dog \"ran\"", "a dog \"ran\""])
        self.assertEqual(lines[3], "")
        self.assertRegex(lines[4], r"^tokens_rebuilt  [01]\.\d{4}$")
        self.assertEqual(len(lines), 5)
        lines = self.run_program("vaetl-reconstruct", "texts", *self.reference("lines.txt")).stdout.splitlines()
        self.assertEqual(len(lines), 1 + 20 + 2)  # a few of many

    def test_files(self):
        table = self.run_program("vaetl-reconstruct", "texts", *self.reference()).stdout.split("\n\n")[0] + "\n"
        found = self.json_of("vaetl-reconstruct", "texts", *self.reference(), "--out", "texts.txt")
        self.assertEqual((found["out"], "texts" in found), ("texts.txt", False))
        self.assertEqual((self.folder / "texts.txt").read_text(), table)
        self.run_program("vaetl-reconstruct", "texts", *self.reference("lines.txt"), "--out", "texts.csv")
        with open(self.folder / "texts.csv", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(rows[0], ["text", "reconstruction"])
        self.assertEqual([row[0] for row in rows[1:]], self.TEXTS * 30)

    def test_refusals(self):
        self.refused(2, ["--out: expected FILE.txt or FILE.csv, as the model sees text", '"bad.png"'], "vaetl-reconstruct", "texts",
                     *self.reference(), "--out", "bad.png")
        self.refused(2, ["--count", "at least 1"], "vaetl-reconstruct", "texts", *self.reference(), "--count", "0")
        self.refused(7, ["absent/texts.csv"], "vaetl-reconstruct", "texts", *self.reference(), "--out", "absent/texts.csv")
        recipe = self.recipe("reader", data={"open": f"text:{self.folder}/lines.txt?by=character&window=8", "order": "lanes"},
                             model={"name": "lstm", "hidden": 8, "per_step": True}, objective="language_model", evaluate=None,
                             trainer={"steps": 1, "batch_size": 2})
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "reader")
        self.refused(2, ["reconstruct: expected a model that offers Decoder", '"lstm"'], "vaetl-reconstruct", "reader", "--data",
                     "text:lines.txt?window=8")


class Examples(Models):
    def test_the_helps_examples_run(self):
        """With this folder's model and data in place of the zoo's."""
        for program in ["vaetl-generate", "vaetl-reconstruct"]:
            example = self.run_program(program, "--help").stdout.split("\nExample:\n")[1].split()
            words = [{"fashion-mnist-conv-vae": "vae", "fashion-mnist": f"idx:{self.data}"}.get(w, w) for w in example[1:]]
            self.assertEqual(example[0], program)
            json.loads(self.run_program(program, *words, "--json").stdout)
            self.assertTrue((self.folder / words[words.index("--out") + 1]).is_file())


if __name__ == "__main__":
    support.main()
