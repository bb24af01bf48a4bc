"""Runs the programs in a folder of their own, on data that are made here."""
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("VAETL_TEST_BIN", "."))
CLASSES, SIDE = 4, 28


def write_idx(path, kind, shape, values):
    header = struct.pack(">BBBB", 0, 0, 8, kind) + struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(header + bytes(values))


def write_set(folder, split, count, seed):
    """Images whose bright band tells the class, in noise."""
    draw = random.Random(seed)
    labels = [i % CLASSES for i in range(count)]
    pixels = bytearray()
    for label in labels:
        image = bytearray(draw.randrange(60) for _ in range(SIDE * SIDE))
        band = slice(label * 7 * SIDE, (label * 7 + 5) * SIDE)
        image[band] = bytes(draw.randrange(150, 256) for _ in range(5 * SIDE))
        pixels += image
    write_idx(folder / f"{split}-images-idx3-ubyte", 3, (count, SIDE, SIDE), pixels)
    write_idx(folder / f"{split}-labels-idx1-ubyte", 1, (count,), labels)


def read_weights(file):
    """A safetensors file as name → (dtype, shape, bytes)."""
    content = pathlib.Path(file).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    body = content[8 + size:]
    return {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}


class Case(unittest.TestCase):
    """Each class of tests has a folder with the data; one thread a program, so that they do not wait for each other."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vaetl-apps-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.data = cls.folder / "data"
        cls.data.mkdir()
        write_set(cls.data, "train", 200, 1)
        write_set(cls.data, "t10k", 80, 2)
        (cls.folder / "zoo").mkdir()
        cls.environment = dict(os.environ, OMP_NUM_THREADS="1", VAETL_ZOO=str(cls.folder / "zoo"),
                               HOME=str(cls.folder / "home"))
        cls.environment.pop("XDG_DATA_HOME", None)

    def command(self, program, *arguments):
        return [str(BIN / program), *map(str, arguments)]

    def start(self, program, *arguments, environment=None):
        return subprocess.Popen(self.command(program, *arguments), cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment or self.environment)

    def run_program(self, program, *arguments, code=0, environment=None, **options):
        done = subprocess.run(self.command(program, *arguments), cwd=self.folder, text=True, capture_output=True,
                              env=environment or self.environment, timeout=120, **options)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def json_of(self, program, *arguments, **options):
        return json.loads(self.run_program(program, *arguments, "--json", **options).stdout)

    def refused(self, code, parts, program, *arguments, **options):
        """The code, one line on stderr that has every part, and the same as JSON on stdout."""
        done = self.run_program(program, *arguments, "--json", code=code, **options)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith(program + ": "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])
        error = json.loads(done.stdout)["error"]
        self.assertEqual(error["code"], code)
        self.assertEqual(f"{program}: {error['message']}", lines[0])
        self.assertEqual(set(error), {"code", "where", "expected", "found", "remedy", "message"})

    def recipe(self, name, **changes):
        """Writes a small recipe and gives its path."""
        recipe = {"name": name, "seed": 3, "data": {"open": f"idx:{self.data}"},
                  "model": {"name": "mlp", "widths": [16], "classes": CLASSES}, "objective": "cross_entropy",
                  "trainer": {"steps": 40, "batch_size": 20, "optimizer": {"name": "adamw", "lr": 0.01}},
                  "evaluate": ["accuracy"]}
        recipe.update(changes)
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({key: value for key, value in recipe.items() if value is not None}))
        return path

    def weights(self, run):
        return read_weights(self.folder / run / "model" / "model.safetensors")

    def stop_in_training(self, how, program, *arguments, environment=None):
        """Starts a training, sends the signals once a checkpoint is there; code, stdout, stderr."""
        out = self.folder / arguments[arguments.index("--out") + 1]
        process = self.start(program, *arguments, environment=environment)
        limit = time.monotonic() + 60
        while not (out / "checkpoints" / "last" / "state.json").exists():
            self.assertIsNone(process.poll(), "it ended before its first checkpoint")
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.002)
        for number in how:
            process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
        self.assertFalse((out / "model").exists(), "it finished before the signal came: give it more steps")
        return process.returncode, stdout, stderr


def main():
    global BIN
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(module="__main__", verbosity=2)
