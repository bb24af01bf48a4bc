"""What a person sees of a training: events, CSV, pictures, warnings; --find-lr, --find-batch, --profile.
Usage: test_training_app.py BIN [unittest options]"""
import array
import csv
import json
import re

import support
from support import Case

VAE = {"name": "vae", "widths": [16], "latent": 4}


def load_events(folder):
    """Every event of every file of a folder, in TensorBoard's order, by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    return [event for file in sorted(folder.glob("events.out.tfevents.*")) for event in EventFileLoader(str(file)).Load()]


def scalars(events):
    """tag → [(step, value)]"""
    found = {}
    for event in events:
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars":
                found.setdefault(value.tag, []).append((event.step, value.tensor.float_val[0]))
    return found


class Events(Case):
    def train(self, name, *arguments, **changes):
        changes.setdefault("callbacks", ["csv", "tensorboard", "pictures"])
        recipe = self.recipe(name.replace("/", "-"), trainer={"steps": 40, "batch_size": 20, "log_every": 5, "validate_every": 1}, **changes)
        return recipe, self.json_of("vaetl-train", recipe, "--out", name, *arguments)

    def setUp(self):
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            self.skipTest("tensorboard is not installed (scripts/setup.sh installs it)")

    def test_a_run_is_read_by_tensorboard(self):
        self.train("vae", model=VAE, objective="elbo", evaluate=None,
                   data={"open": f"idx:{self.data}", "labels": False, "validation": 0.1})
        run = self.folder / "vae"
        events = load_events(run / "events")
        self.assertEqual(events[0].file_version, "brain.Event:2")
        found = scalars(events)
        self.assertEqual([step for step, _ in found["train/loss"]], list(range(5, 41, 5)))
        history = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(len(history), 5)  # 180 examples are 9 steps an epoch
        self.assertEqual([step for step, _ in found["epoch/loss"]], [entry["step"] for entry in history])
        for (_, value), entry in zip(found["epoch/loss"], history):
            self.assertAlmostEqual(value, entry["loss"], delta=1e-6 * abs(entry["loss"]))  # float32
        values = [(event.step, value) for event in events for value in event.summary.value]
        kinds = {value.tag: value.metadata.plugin_data.plugin_name for _, value in values}
        groups = {tag for tag in kinds if tag.startswith("weights/")}
        summary = json.loads((run / "run.json").read_text())
        self.assertEqual(groups, {"weights/" + group["name"] for group in summary["model"]["groups"]})
        self.assertEqual({kinds[tag] for tag in groups}, {"histograms"})
        for group in summary["model"]["groups"]:
            tensor = next(value for _, value in values if value.tag == "weights/" + group["name"]).tensor
            counts = support_array(tensor)[:, 2]
            self.assertEqual(counts.sum(), group["parameters"])
        self.assertEqual(kinds["pictures"], "images")
        self.assertEqual(kinds["recipe"], "text")
        drawn = [value for _, value in values if value.tag == "pictures"]
        self.assertEqual(len(drawn), 5)
        for epoch, value in enumerate(drawn, 1):
            self.assertEqual(value.tensor.string_val[2], (run / f"pictures/epoch-{epoch}.png").read_bytes())

    def test_the_projector_shows_the_latents_of_the_map(self):
        """By TensorBoard's own plugin, over a folder of runs, as `tensorboard --logdir runs` finds them."""
        import werkzeug.test
        from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
        from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
        from tensorboard.plugins import base_plugin
        from tensorboard.plugins.projector import projector_plugin
        self.train("runs/vae", model=VAE, objective="elbo", evaluate=None, callbacks=["tensorboard"],
                   data={"open": f"idx:{self.data}", "labels": False})
        self.train("runs/without", callbacks=[{"name": "tensorboard", "projector": False}])
        self.assertEqual(len(list((self.folder / "runs/without/events").iterdir())), 1)
        logdir = str(self.folder / "runs")
        multiplexer = EventMultiplexer().AddRunsFromDirectory(logdir)
        multiplexer.Reload()
        runs = MultiplexerDataProvider(multiplexer, logdir)
        plugin = projector_plugin.ProjectorPlugin(base_plugin.TBContext(logdir=logdir, data_provider=runs))
        apps = plugin.get_plugin_apps()

        def ask(path, **query):
            return werkzeug.test.Client(apps[path]).get(path, query_string=query).get_data()
        self.assertEqual(json.loads(ask("/runs")), ["vae/events"])
        embedding = json.loads(ask("/info", run="vae/events"))["embeddings"][0]
        self.assertEqual((embedding["tensorName"], embedding["tensorShape"]), ("latents", [80, 4]))
        values = array.array("f", ask("/tensor", run="vae/events", name="latents"))
        self.assertEqual(len(values), 80 * 4)
        labels = [line.split("\t")[0] for line in ask("/metadata", run="vae/events", name="latents").decode().splitlines()]
        view = json.loads((self.folder / "runs/vae/views.json").read_text())["latents"]
        self.assertEqual(labels, ["label"] + [view["classes"][label] for label in view["labels"]])
        self.assertEqual(ask("/sprite_image", run="vae/events", name="latents")[:4], b"\x89PNG")

    def test_the_same_numbers_as_csv(self):
        self.train("classifier", callbacks=["csv"])
        history = [json.loads(line) for line in (self.folder / "classifier/metrics.jsonl").read_text().splitlines()]
        with open(self.folder / "classifier/metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([{key: float(value) for key, value in row.items()} for row in rows], history)
        self.assertFalse((self.folder / "classifier/events").exists())

    def test_a_resumed_run_is_one_curve(self):
        recipe = self.recipe("resumed", callbacks=["tensorboard"], trainer={
            "steps": 3000, "batch_size": 20, "log_every": 10, "checkpoint_every": 100, "validate_every": 1000})
        code, _, _ = self.stop_in_training([support.signal.SIGKILL], "vaetl-train", recipe, "--out", "resumed")
        self.assertEqual(code, -support.signal.SIGKILL)
        self.run_program("vaetl-train", recipe, "--out", "resumed", "--resume")
        self.assertEqual(len(list((self.folder / "resumed/events").glob("events.out.tfevents.*"))), 2)
        # As TensorBoard joins them: what was written after the checkpoint and done again is dropped.
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        events = EventAccumulator(str(self.folder / "resumed/events"), size_guidance={"scalars": 0})
        events.Reload()
        steps = [event.step for event in events.Scalars("train/loss")]
        self.assertEqual(steps, list(range(10, 3001, 10)))


def support_array(tensor):
    from tensorboard.util.tensor_util import make_ndarray
    return make_ndarray(tensor)


class Warnings(Case):
    def test_on_stderr_in_the_json_and_in_a_dry_run(self):
        recipe = self.recipe("large", trainer={"steps": 2, "batch_size": 500})
        line = "batches of 500 are larger than the set of 200 examples"
        done = self.run_program("vaetl-train", recipe, "--out", "large", "--json")
        self.assertIn("warning: " + line, done.stderr)
        self.assertEqual(len(json.loads(done.stdout)["warnings"]), 1)
        self.assertTrue(json.loads(done.stdout)["warnings"][0].startswith(line))
        self.assertIn("warning  " + line, self.run_program("vaetl-train", recipe, "--out", "other", "--dry-run").stdout)
        silent = self.run_program("vaetl-train", recipe, "trainer.checks=false", "--out", "unchecked", "--json")
        self.assertNotIn("warning", silent.stderr)
        self.assertEqual(json.loads(silent.stdout)["warnings"], [])

    def test_peak_memory(self):
        found = self.json_of("vaetl-train", self.recipe("memory"), "--out", "memory")
        self.assertGreater(found["peak_memory_mb"], 50)
        self.assertLess(found["peak_memory_mb"], 4000)


class Exploring(Case):
    def test_find_lr(self):
        recipe = self.recipe("rates")
        done = self.run_program("vaetl-train", recipe, "--find-lr")
        self.assertRegex(done.stdout, r"suggestion  trainer\.optimizer\.lr=\S+ \(the loss falls fastest\)\n")
        self.assertFalse((self.folder / "runs/rates").exists())
        page = (self.folder / "runs/rates.find-lr.html").read_text()
        self.assertIn("<svg", page)
        found = self.json_of("vaetl-train", recipe, "--find-lr", "--out", "plots/rates.html")
        self.assertEqual(found["plot"], "plots/rates.html")
        self.assertTrue((self.folder / "plots/rates.html").is_file())
        self.assertTrue(1e-4 < found["suggestion"] < 1, found["suggestion"])
        self.assertAlmostEqual(found["points"][0]["rate"], 1e-7)
        # What it suggests is a setting as it stands.
        override = re.search(r"trainer\.optimizer\.lr=\S+", done.stdout).group(0)
        self.json_of("vaetl-train", recipe, override, "--out", "found")

    def test_find_batch(self):
        found = self.json_of("vaetl-train", self.recipe("batches"), "--find-batch")
        sizes = [point["batch_size"] for point in found["points"]]
        self.assertEqual(sizes, [16, 32, 64, 128][:len(sizes)])
        self.assertIn(found["suggestion"], sizes)
        self.assertFalse((self.folder / "runs/batches").exists())
        text = self.run_program("vaetl-train", self.recipe("batches"), "--find-batch").stdout
        self.assertRegex(text, r"suggestion  trainer\.batch_size=\d+")

    def test_threads_by_measurement(self):
        recipe, environment = self.recipe("counted", trainer={"steps": 6}), dict(self.environment)
        environment.pop("OMP_NUM_THREADS", None)
        done = self.run_program("vaetl-train", recipe, "--threads", "auto", "--out", "counted", environment=environment)
        chosen = int(re.search(r"threads: (\d+) \(a step takes [\d.e-]+ ms on 1", done.stderr).group(1))
        self.assertEqual(json.loads((self.folder / "counted" / "run.json").read_text())["threads"], chosen)
        again = self.run_program("vaetl-train", "counted", "--threads", "auto", "--resume", environment=environment)
        self.assertNotIn("a step takes", again.stderr)  # it is part of what makes bits repeat

    def test_profile(self):
        recipe = self.recipe("profiled")
        found = self.json_of("vaetl-train", recipe, "--profile", "5", "--out", "trace.json")
        self.assertEqual(found["steps"], 5)
        self.assertAlmostEqual(sum(phase["share"] for phase in found["phases"]), 1)
        trace = json.loads((self.folder / "trace.json").read_text())
        phases = [event["name"] for event in trace["traceEvents"] if event.get("cat") == "phase"]
        self.assertEqual(phases.count("forward"), 5)
        text = self.run_program("vaetl-train", recipe, "--profile", "5").stdout
        for part in ["5 steps, ", "forward", "vaetl::dense_backward", "kernels in", "allocations of", "runs/profiled.trace.json"]:
            self.assertIn(part, text)
        self.assertFalse((self.folder / "runs/profiled").exists())

    def test_what_does_not_go_together(self):
        recipe = self.recipe("mixed")
        self.refused(2, ["one of them", "--profile and --find-lr"], "vaetl-train", recipe, "--find-lr", "--profile", "3")
        self.refused(2, ["--find-batch and --resume"], "vaetl-train", recipe, "--find-batch", "--resume")
        self.refused(2, ["--profile", "from 1"], "vaetl-train", recipe, "--profile", "0")


if __name__ == "__main__":
    support.main()
