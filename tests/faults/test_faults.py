"""Interrupts and full disks in a training. Usage: test_faults.py BIN [unittest options]"""
import json
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))
import support  # noqa: E402
from support import CLASSES, Case, read_weights  # noqa: E402

MLP = {"name": "mlp", "widths": [16], "classes": CLASSES}


class Training(Case):
    def begin(self, recipe, out, *more, steps=1, **options):
        """Starts a training and waits for a checkpoint of `steps` steps at least."""
        process = subprocess.Popen(self.command("vaetl-train", recipe, "--out", out, *more), cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment, **options)
        limit = time.monotonic() + 60
        while self.step_of(out) < steps:
            self.assertIsNone(process.poll(), "it ended before its first checkpoint")
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.002)
        return process

    def state_of(self, out):
        return self.folder / out / "checkpoints" / "last" / "state.json"

    def step_of(self, out):
        try:
            return json.loads(self.state_of(out).read_text())["step"]
        except FileNotFoundError:
            return 0

    def assert_goes_on_as_if_nothing_had_happened(self, recipe, out):
        self.run_program("vaetl-train", recipe, "--out", f"{out}-whole", "--quiet")
        self.run_program("vaetl-train", recipe, "--out", out, "--resume", "--quiet")
        self.assertEqual(self.weights(out), self.weights(f"{out}-whole"))

    def assert_complete(self, out):
        """Every file of the last checkpoint can be read."""
        for file in self.state_of(out).parent.glob("*.safetensors"):
            read_weights(file)
        self.assertGreater(self.step_of(out), 0)


class Interrupts(Training):
    def ends_within(self, seconds, process):
        began = time.monotonic()
        _, stderr = process.communicate(timeout=60)
        self.assertLess(time.monotonic() - began, seconds, stderr)
        return process.returncode, stderr

    def test_a_signal_saves_and_ends(self):
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            recipe = self.recipe(f"signal-{code}", model=MLP, trainer={"steps": 3000, "batch_size": 20,
                                                                       "checkpoint_every": 1000})
            process = self.begin(recipe, f"signal-{code}")
            process.send_signal(number)
            returned, stderr = self.ends_within(5, process)
            self.assertEqual(returned, code, stderr)
            self.assertIn("saved; go on with", stderr)
            self.assertNotEqual(self.step_of(f"signal-{code}") % 1000, 0)
            self.assert_goes_on_as_if_nothing_had_happened(recipe, f"signal-{code}")

    def test_a_signal_breaks_a_validation_off(self):
        # An epoch of two steps, then five thousand pictures to validate on: signals come within those.
        data = self.folder / "many"
        data.mkdir(exist_ok=True)
        support.write_set(data, "train", 5000, 3)
        support.write_set(data, "t10k", 20, 4)
        recipe = self.recipe("validating", data={"open": f"idx:{data}", "take_per_class": 10,
                                                 "validation": 0.9},
                             model={"name": "cnn", "channels": [8], "dense": [8], "classes": CLASSES},
                             trainer={"steps": 40, "batch_size": 20, "checkpoint_every": 1, "validate_every": 1,
                                      "monitor": "cross_entropy"}, evaluate=["cross_entropy"])
        process = self.begin(recipe, "validating", steps=3)
        process.send_signal(signal.SIGINT)
        returned, stderr = self.ends_within(5, process)
        self.assertEqual(returned, 130, stderr)
        self.assert_goes_on_as_if_nothing_had_happened(recipe, "validating")

    def test_a_second_interrupt_ends_at_once(self):
        # A step takes seconds on one thread; the first checkpoint is that of step 1.
        recipe = self.recipe("twice", model={"name": "cnn", "channels": [288, 288], "dense": [], "classes": CLASSES},
                             evaluate=[], trainer={"steps": 30, "batch_size": 200, "checkpoint_every": 1})
        process = self.begin(recipe, "twice")
        process.send_signal(signal.SIGINT)
        time.sleep(0.6)  # what comes within half a second is the same request
        self.assertIsNone(process.poll(), "a step was too short")
        process.send_signal(signal.SIGINT)
        returned, stderr = self.ends_within(0.5, process)
        self.assertEqual(returned, 130, stderr)
        self.assertNotIn("saved", stderr)
        self.assert_complete("twice")


class FullDisk(Training):
    """What cannot be written is code 7, and the checkpoint before stays."""

    def long_recipe(self, name):
        return self.recipe(name, model=MLP, trainer={"steps": 1500, "batch_size": 20, "checkpoint_every": 31})

    def test_in_mid_training(self):
        recipe = self.long_recipe("full")
        process = self.begin(recipe, "full", "--quiet", "--json", steps=31)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, 1000))
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 7, stderr)
        self.assertEqual(len(stderr.splitlines()), 1, stderr)
        self.assertIn("File too large", stderr)
        self.assertEqual(json.loads(stdout)["error"]["code"], 7)
        self.assert_complete("full")
        self.assertEqual(self.step_of("full") % 31, 0)
        self.assert_goes_on_as_if_nothing_had_happened(recipe, "full")

    def test_from_the_start(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))  # noqa: E731
        done = self.run_program("vaetl-train", self.long_recipe("small"), "--out", "small", "--quiet", code=7,
                                preexec_fn=limit)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(list((self.folder / "small" / "checkpoints").iterdir()), [])

    def test_a_file_system_that_fills_up(self):
        # Room for one checkpoint of 150 kB and not for two: the second cannot be written beside the first.
        script = ('mkdir small && mount -t tmpfs -o size=220k none small || exit 99; '
                  '"$0" "$1" --out small/run --quiet; code=$?; cp -r small/run/checkpoints/last kept; exit $code')
        recipe = self.long_recipe("filling")
        try:
            done = subprocess.run(["unshare", "-rm", "sh", "-c", script, str(support.BIN / "vaetl-train"), str(recipe)],
                                  cwd=self.folder, env=self.environment, text=True, capture_output=True, timeout=60)
        except FileNotFoundError:
            self.skipTest("there is no unshare")
        if done.returncode in (1, 99):
            self.skipTest("a file system of one's own is not allowed here")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("No space left on device", done.stderr)
        (self.folder / "filled" / "checkpoints").mkdir(parents=True)
        shutil.move(self.folder / "kept", self.state_of("filled").parent)
        self.assert_complete("filled")


if __name__ == "__main__":
    support.main()
