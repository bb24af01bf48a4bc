"""vaetl-compress and vaetl-decompress from outside. Usage: test_compress_app.py BIN [unittest options]"""
import os
import shutil
import struct

import support
from support import Case
from pictures import write_png
from test_generate_app import read_png

VAE = {"name": "vae", "widths": [16], "latent": 4, "likelihood": "beta_binomial"}


def write_npy(path, shape, values, kind="|u1"):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()  # as NumPy writes it
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(values))


def pixels(picture):
    """Something else for each picture, on black."""
    return [(37 * picture + 11 * i) % 256 if i % 3 == 0 else 0 for i in range(784)]


class Compress(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        for name, model in [("vae", VAE), ("density", dict(VAE, likelihood="gaussian"))]:
            recipe = case.recipe(name, model=model, objective="elbo", data={"open": f"idx:{cls.data}", "labels": False},
                                 trainer={"steps": 60, "batch_size": 50, "optimizer": {"name": "adam", "lr": 0.01}},
                                 evaluate=["elbo"])
            case.run_program("vaetl-train", recipe, "--quiet", "--out", name)

    def compressed(self, name, *arguments, model="vae", **options):
        self.run_program("vaetl-compress", model, *arguments, "--out", name, **options)
        return (self.folder / name).read_bytes()

    def restored(self, name, out, *arguments, **options):
        return self.run_program("vaetl-decompress", "vae", name, "--out", out, *arguments, **options)

    def left_nothing(self, name):
        self.assertFalse((self.folder / name).exists(), "a partial file was left")
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".vaetl-")], [])

    def test_a_set_as_many_bits_as_its_bound(self):
        found = self.json_of("vaetl-compress", "vae", "--data", f"idx:{self.data}", "--out", "set.bb")
        self.assertEqual((found["pictures"], found["pixels"]), (80, 80 * 784))
        self.assertEqual(found["bytes"], (self.folder / "set.bb").stat().st_size)
        self.assertAlmostEqual(found["bits_per_pixel"], 8 * found["bytes"] / found["pixels"])
        elbo = self.json_of("vaetl-evaluate", "vae", "--data", f"idx:{self.data}", "--metrics", "elbo")["metrics"]["elbo"]
        bound = -elbo * 80 / 0.6931472 / 8
        self.assertGreater(found["bytes"], 0.99 * bound)
        self.assertLess(found["bytes"], 1.01 * bound + 1000)  # the header, and what a stream begins with
        self.restored("set.bb", "set.npy")
        content = (self.folder / "set.npy").read_bytes()
        size = struct.unpack("<H", content[8:10])[0]
        self.assertIn(b"(80, 1, 28, 28)", content[10:10 + size])
        stored = (self.data / "t10k-images-idx3-ubyte").read_bytes()[16:]
        self.assertEqual(content[10 + size:], stored)

    def test_an_array_comes_back_as_it_was_on_any_number_of_threads(self):
        path = self.folder / "given.npy"
        write_npy(path, (150, 28, 28), sum((pixels(i) for i in range(150)), []))
        one = self.compressed("one.bb", path, "--threads", "1")
        self.assertEqual(self.compressed("two.bb", path, "--threads", "2"), one)
        for threads in "12":
            self.restored("one.bb", f"back{threads}.npy", "--threads", threads)
            self.assertEqual((self.folder / f"back{threads}.npy").read_bytes(), path.read_bytes())

    def test_pictures_come_back_under_their_names(self):
        folder = self.folder / "pictures"
        folder.mkdir()
        for i in range(5):
            write_png(folder / f"no {i}.png", 28, 28, pixels(i))
        self.compressed("pictures.bb", folder)
        self.restored("pictures.bb", "back/")
        self.assertEqual(sorted(p.name for p in (self.folder / "back").iterdir()), [f"no {i}.png" for i in range(5)])
        for i in range(5):
            width, height, channels, rows = read_png(self.folder / "back" / f"no {i}.png")
            self.assertEqual((width, height, channels, b"".join(rows)), (28, 28, 1, bytes(pixels(i))))
        self.refused(7, ["back", "new or empty"], "vaetl-decompress", "vae", "pictures.bb", "--out", "back/")
        self.compressed("one-picture.bb", folder / "no 3.png")
        self.restored("one-picture.bb", "single.png")
        self.assertEqual(b"".join(read_png(self.folder / "single.png")[3]), bytes(pixels(3)))
        self.refused(2, ["--out", "as there are 5 pictures"], "vaetl-decompress", "vae", "pictures.bb", "--out", "x.png")

    def test_another_machine_or_model_is_refused(self):
        path = self.folder / "few.npy"
        write_npy(path, (3, 28, 28), sum((pixels(i) for i in range(3)), []))
        self.compressed("few.bb", path)
        plain = dict(self.environment, ATEN_CPU_CAPABILITY="default")
        kinds = {(self.compressed("k.bb", path, environment=e)).split(b'"processor":"')[1][:7] for e in [self.environment, plain]}
        if len(kinds) == 2:  # else this processor has nothing but the plain instructions
            self.refused(4, ["few.bb: expected a processor with", "as where it was compressed"], "vaetl-decompress", "vae",
                         "few.bb", "--out", "no.npy", environment=plain)
        self.refused(4, ["few.bb: expected the weights that compressed it"], "vaetl-decompress", "density", "few.bb", "--out",
                     "no.npy")
        self.left_nothing("no.npy")

    def test_damage_is_refused(self):
        path = self.folder / "d.npy"
        write_npy(path, (2, 28, 28), pixels(1) + pixels(2))
        good = self.compressed("d.bb", path)
        bad = self.folder / "bad.bb"
        for content in [b"", good[:-1], good[:600] + b"\0" + good[601:], path.read_bytes()]:
            bad.write_bytes(content)
            self.refused(3, ["bad.bb: expected "], "vaetl-decompress", "vae", "bad.bb", "--out", "no.npy")
        self.refused(3, ["none.bb"], "vaetl-decompress", "vae", "none.bb", "--out", "no.npy")
        self.left_nothing("no.npy")

    def test_refusals(self):
        def refused(code, parts, *arguments):
            self.refused(code, parts, "vaetl-compress", *arguments, "--out", "no.bb")
            self.left_nothing("no.bb")
        array, wide, floats = self.folder / "a.npy", self.folder / "wide.npy", self.folder / "floats.npy"
        write_npy(array, (1, 28, 28), pixels(1))
        write_npy(wide, (1, 28, 29), [0] * 28 * 29)
        write_npy(floats, (1, 28, 28), [0] * 4 * 784, "<f4")
        refused(2, ["a likelihood that gives each level", "found a density", "beta_binomial"], "density", array)
        refused(3, ["(any, 1, 28, 28)", "(1, 28, 29)"], "vae", wide)
        refused(3, ["floats.npy", "uint8", "float32"], "vae", floats)
        refused(2, ["pictures: FILE… or --data REF, found neither"], "vae")
        refused(2, ["found both"], "vae", array, "--data", f"idx:{self.data}")
        refused(3, ["none.png", "found none"], "vae", self.folder / "none.png")
        deep, colour = self.folder / "deep.png", self.folder / "mixed"
        write_png(deep, 28, 28, [1] * 2 * 784, depth=16)
        refused(3, ["deep.png", "at most 8 bits a channel"], "vae", deep)
        colour.mkdir()
        refused(3, ["mixed", "an empty folder"], "vae", colour)
        (colour / "notes.txt").write_text("x")
        refused(3, ["notes.txt", "FILE.png"], "vae", colour)
        (self.folder / "self.png").symlink_to("self.png")
        refused(3, ["self.png", "FILE.png"], "vae", self.folder / "self.png")
        odd = self.folder / "odd"
        odd.mkdir()
        write_png(self.folder / "plain.png", 28, 28, [1] * 784)
        for name in (b"a\xff.png", b"a\nb.png"):
            place = os.fsencode(odd) + b"/" + name
            shutil.copy(self.folder / "plain.png", place)
            refused(3, ["names in UTF-8 without control characters"], "vae", odd)
            os.remove(place)
        refused(2, ["--split: expected --data REF beside it"], "vae", array, "--split", "test")
        (self.folder / "some").mkdir()
        shutil.copy(self.folder / "plain.png", self.folder / "some" / "1.png")
        (self.folder / "some" / "2.png").write_bytes(b"")
        refused(3, ["pictures that can all be read", "found 1 that cannot"], "vae", "--data", f"folder:{self.folder}/some?channels=1", "--quiet")
        self.refused(2, ["--out FILE"], "vaetl-compress", "vae", array)
        self.refused(2, ["MODEL and FILE"], "vaetl-decompress", "vae", "--out", "x.npy")


if __name__ == "__main__":
    support.main()
