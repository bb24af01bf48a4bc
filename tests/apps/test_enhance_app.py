"""vaetl-enhance from outside. Usage: test_enhance_app.py BIN [unittest options]"""
import json
import math
import pathlib
import random
import unittest

import support
from pictures import write_png
from support import SIDE, Case
from test_generate_app import read_png

SIZE = 40


def photo(path, width, height, seed, channels=3):
    """Waves of colour."""
    draw = random.Random(seed)
    waves = [(draw.uniform(0.1, 0.6), draw.uniform(0.1, 0.6), draw.uniform(0, 6)) for _ in range(channels)]
    values = [int(127 + 120 * math.sin(a * x + b * y + c)) for y in range(height) for x in range(width) for a, b, c in waves]
    write_png(path, width, height, values, channels)


class Enhance(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        data = {"open": f"idx:{cls.data}", "labels": False}
        trainer = {"steps": 150, "batch_size": 20, "optimizer": {"name": "adam", "lr": 0.005}}
        restorer = {"name": "skip_autoencoder", "channels": [8, 8]}
        for name, corrupt in (("noise", {"name": "gaussian", "sigma": 0.3, "clip": True}), ("box", {"name": "box", "side": 0.2}),
                              ("halve", "halve")):
            case.run_program("vaetl-train", case.recipe(name, model=restorer, data=data, evaluate=None, trainer=trainer,
                                                        objective={"name": "restoration", "corrupt": corrupt}),
                             "--quiet", "--out", name)
        case.run_program("vaetl-train", case.recipe("dense", model={"name": "autoencoder", "widths": [64], "latent": 16}, data=data,
                                                    evaluate=None, trainer=trainer, objective="reconstruction"),
                         "--quiet", "--out", "dense")
        case.run_program("vaetl-train", case.recipe("mlp"), "--quiet", "--out", "mlp")
        photo(cls.folder / "content.png", SIZE, 30, 1)
        photo(cls.folder / "style.png", 36, SIZE, 2)
        photo(cls.folder / "photos" / "a.png", SIZE, 30, 3, channels=1)
        photo(cls.folder / "photos" / "more" / "a.png", 31, 25, 4)
        (cls.folder / "photos" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")

    def reference(self):
        return "--data", f"idx:{self.data}"

    def psnr(self, found):
        return {row["method"]: row["psnr"] for row in found["methods"]}

    def test_a_model_beats_what_needs_none(self):
        for model, classical, examples in (("noise", "median 3 × 3", 80), ("box", "diffusion", 30)):
            with self.subTest(model):
                found = self.json_of("vaetl-enhance", model, *self.reference(), "--count", str(examples))
                self.assertEqual([row["method"] for row in found["methods"]], ["damaged", classical, "model"])
                self.assertEqual(found["data"]["examples"], examples)
                quality = self.psnr(found)
                self.assertGreater(quality["model"], quality["damaged"] + 2)
                if model == "noise":
                    self.assertGreater(quality["model"], quality[classical] + 1)
                for row in found["methods"]:
                    self.assertTrue(0 < row["ssim"] <= 1)
        found = self.json_of("vaetl-enhance", "noise", *self.reference())
        self.assertEqual(found["damage"], {"name": "gaussian", "sigma": 0.3, "clip": True})  # as it was trained

    def test_the_damage_is_of_the_seed(self):
        def psnr(*arguments):
            return self.psnr(self.json_of("vaetl-enhance", "noise", *self.reference(), *arguments))
        self.assertEqual(psnr("--seed", "4"), psnr("--seed", "4"))
        self.assertNotEqual(psnr("--seed", "4"), psnr("--seed", "5"))
        weaker = psnr("--damage", "gaussian?sigma=0.1")
        self.assertAlmostEqual(weaker["damaged"], 20, delta=1.5)  # 10 log10(1 / 0.1²), and a little more as it is clipped

    def test_a_table_and_a_picture(self):
        done = self.run_program("vaetl-enhance", "halve", *self.reference(), "--out", "beside.png")
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual([row[0] for row in rows], ["PSNR", "damaged", "bicubic", "model"])
        self.assertEqual(done.stderr.strip(), "halve on 80 pictures")
        width, height, channels, _ = read_png(self.folder / "beside.png")
        self.assertEqual((width, height, channels), (10 * (SIDE + 2) + 2, 4 * (SIDE + 2) + 2, 1))

    def test_an_autoencoder_repairs_too(self):
        found = self.json_of("vaetl-enhance", "dense", *self.reference(), "--damage", "masking?share=0.2")
        self.assertEqual([row["method"] for row in found["methods"]], ["damaged", "diffusion", "model"])
        self.refused(2, ["--damage NAME, as no recipe beside the weights tells of any", "gaussian"], "vaetl-enhance", "dense", *self.reference())
        self.refused(3, ["photos/a.png: expected pictures of 28×28 pixels, the only ones that the model takes, found 40×30 pixels"],
                     "vaetl-enhance", "dense", "photos/a.png", "--out", "no.png")

    def test_files_of_any_size(self):
        done = self.run_program("vaetl-enhance", "noise", "photos", "--out", "repaired", "--json", code=3)
        found = json.loads(done.stdout)
        self.assertEqual(found, {"model": "noise", "pictures": 2, "left_out": 1, "out": "repaired"})
        lines = done.stderr.splitlines()
        self.assertTrue(lines[0].startswith("left out: photos/broken.png: expected"), lines)
        self.assertEqual(lines[1:], ["1 left out, 2 repaired"])
        sizes = [read_png(self.folder / "repaired" / name)[:3] for name in ("a.png", "a-2.png")]
        self.assertEqual(sizes, [(SIZE, 30, 1), (31, 25, 1)])
        self.run_program("vaetl-enhance", "halve", "photos/a.png", "--double", "--out", "large.png")
        self.assertEqual(read_png(self.folder / "large.png")[:2], (2 * SIZE, 60))
        self.run_program("vaetl-enhance", "noise", "photos/a.png", "--out", "again.png")
        self.assertEqual((self.folder / "again.png").read_bytes(), (self.folder / "repaired" / "a.png").read_bytes())

    def test_only_what_the_mask_says(self):
        mask = [255 if 10 <= x < 20 and 5 <= y < 12 else 0 for y in range(30) for x in range(SIZE)]
        write_png(self.folder / "mask.png", SIZE, 30, mask)
        self.run_program("vaetl-enhance", "box", "photos/a.png", "--mask", "mask.png", "--out", "filled.png")
        before, after = (b"".join(read_png(self.folder / name)[3]) for name in ("photos/a.png", "filled.png"))
        changed = [i for i in range(SIZE * 30) if before[i] != after[i]]
        self.assertTrue(changed and all(mask[i] for i in changed))
        self.refused(3, ["photos/more/a.png: expected a picture of the mask's 40×30 pixels, found 31×25"],
                     "vaetl-enhance", "box", "photos/more/a.png", "--mask", "mask.png", "--out", "no.png")

    def test_bad_input_is_told(self):
        one = ("photos/a.png", "--out", "no.png")
        for code, parts, arguments in (
                (2, ["expected MODEL FILE…, found nothing"], []),
                (2, ["expected FILE… behind MODEL, or --data REF, or --content FILE --style FILE, found none"], ["noise"]),
                (2, ["found 2 of them"], ["noise", "photos", *self.reference()]),
                (2, ["--out FILE.png or FOLDER/"], ["noise", "photos"]),
                (2, ["--out: expected FILE.png or FOLDER/", "x.jpg"], ["noise", "photos", "--out", "x.jpg"]),
                (2, ["--out: expected FOLDER/ for several pictures"], ["noise", "content.png", "style.png", "--out", "no.png"]),
                (2, ["--out: expected FILE.png, to compare side by side"], ["noise", *self.reference(), "--out", "folder"]),
                (2, ["--steps: expected --content FILE, to which it belongs, found files"], ["noise", *one, "--steps", "3"]),
                (2, ["--mask: expected files, to which it belongs"], ["noise", *self.reference(), "--mask", "m.png"]),
                (2, ["--damage", "corruption", "did you mean \"halve\"?"], ["noise", *self.reference(), "--damage", "halv"]),
                (2, ["--damage", "sigma"], ["noise", *self.reference(), "--damage", "gaussian?sigma=-1"]),
                (2, ["expected a model that offers Restorer"], ["mlp", *one]),
                (2, ["expected a model that offers Restorer"], ["mlp", *self.reference(), "--damage", "halve"]),
                (3, ["absent.png"], ["noise", "absent.png", "--out", "no.png"]),
                (3, ["photos/broken.png"], ["noise", "photos/broken.png", "--out", "no.png"]),
                (3, ["photos/broken.png"], ["noise", "photos", "--strict", "--out", "no/"]),
                (3, ["absent"], ["noise", "photos/a.png", "--mask", "absent.png", "--out", "no.png"]),
                (4, ["nowhere"], ["nowhere", *one]),
                (7, ["missing"], ["noise", "photos/a.png", "--out", "missing/no.png"]),
                (2, ["--style FILE"], ["noise", "--content", "content.png", "--out", "no.png"]),
                (2, ["--out FILE.png"], ["noise", "--content", "content.png", "--style", "style.png"]),
                (2, ["expected a model that offers Encoder"],
                 ["noise", "--content", "content.png", "--style", "style.png", "--out", "no.png"]),
                (7, ["missing/no.png: expected a folder that is there"],
                 ["noise", "--content", "content.png", "--style", "style.png", "--out", "missing/no.png"]),
                (7, ["missing/no.png: expected a folder that is there"], ["noise", *self.reference(), "--out", "missing/no.png"]),
                (3, ["the only ones that the model takes"],
                 ["mlp", "--content", "content.png", "--style", "style.png", "--out", "no.png"])):
            with self.subTest(" ".join(arguments)):
                self.refused(code, parts, "vaetl-enhance", *arguments)
                self.assertFalse((self.folder / "no.png").exists() or (self.folder / "no").exists())


class Restyle(Case):
    """With a network of the zoo, as its features are what makes a picture."""

    MODEL = str(pathlib.Path(__file__).resolve().parents[2] / "zoo" / "mobilenet-v1-025-imagenet")

    def test_the_style_comes_and_the_content_stays(self):
        photo(self.folder / "content.png", 48, 36, 1)
        photo(self.folder / "style.png", 40, 44, 2)
        pair = ("--content", "content.png", "--style", "style.png")
        found = self.json_of("vaetl-enhance", self.MODEL, *pair, "--size", "96", "--steps", "60", "--out", "styled.png")
        self.assertLess(found["after"]["style"], 0.3 * found["before"]["style"])
        self.assertLess(found["after"]["total"], 0.6 * found["before"]["total"])
        self.assertEqual(read_png(self.folder / "styled.png")[:3], (96, 72, 3))
        self.json_of("vaetl-enhance", self.MODEL, *pair, "--size", "96", "--steps", "60", "--out", "again.png")
        self.assertEqual((self.folder / "again.png").read_bytes(), (self.folder / "styled.png").read_bytes())
        for code, parts, arguments in (
                (2, ["--steps: expected an integer from 1"], ["--steps", "0"]),
                (2, ["--strict: expected files or --data REF"], ["--strict"]),
                (2, ["style transfer: expected a layer group of", "stage9"], ["--style-layers", "stage9"]),
                (3, ["absent.png"], ["--style", "absent.png"])):
            arguments = [*(pair if "--style" not in arguments else pair[:2]), *arguments]
            self.refused(code, parts, "vaetl-enhance", self.MODEL, *arguments, "--out", "no.png", "--quiet")
            self.assertFalse((self.folder / "no.png").exists())


if __name__ == "__main__":
    support.main()
