"""The programs from outside: what they print, write and return. Usage: test_apps.py BIN [unittest options]"""
import json
import os
import pickle
import resource
import shutil
import signal
import struct
import subprocess
import unittest

import support
from support import CLASSES, Case, read_weights

VAE = {"name": "vae", "widths": [16], "latent": 4}


def programs():
    return sorted(path.name for path in support.BIN.glob("vaetl-*"))


class CommandLine(Case):
    def test_help_has_an_example(self):
        for program in ["vaetl", *programs()]:
            text = self.run_program(program, "--help").stdout
            self.assertIn("\nExample:\n  " + program, text)
            self.assertIn("Usage: " + program, text)

    def test_version(self):
        for program in ["vaetl", *programs()]:
            self.assertRegex(self.run_program(program, "--version").stdout, rf"^{program} \d+\.\d+\.\d+\n$")

    def test_dispatcher(self):
        listed = self.run_program("vaetl", "--help").stdout
        for program in programs():
            self.assertIn("\n  " + program.removeprefix("vaetl-") + " ", listed)
        self.assertEqual(self.run_program("vaetl", "zoo", "--help").stdout,
                         self.run_program("vaetl-zoo", "--help").stdout)
        self.assertEqual(self.run_program("vaetl", "help", "zoo").stdout,
                         self.run_program("vaetl-zoo", "--help").stdout)
        done = self.run_program("vaetl", "trian", code=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, 'vaetl: command line: expected a task that --help lists, found "trian"; '
                                      'did you mean "train"?\n')

    def test_help_on_names(self):
        names = self.run_program("vaetl-train", "help").stdout
        for name in ["cnn", "conv_vae", "simclr", "masking", "adamw", "crop", "accuracy", "trainer"]:
            self.assertIn(" " + name, names)
        cnn = self.run_program("vaetl-train", "help", "cnn").stdout
        self.assertIn("channels", cnn)
        self.assertEqual(cnn, self.run_program("vaetl-train", "--help", "cnn").stdout)
        self.assertIn("steps", self.run_program("vaetl-sweep", "--help", "trainer").stdout)
        self.refused(2, ['found "cnm"', '"cnn"'], "vaetl-train", "help", "cnm")

    def test_options_that_are_none(self):
        recipe = self.recipe("options")
        self.refused(2, ['"--resum"', 'did you mean "--resume"?'], "vaetl-train", recipe, "--resum")
        self.refused(2, ["FOLDER after --out", '"--resume"'], "vaetl-train", recipe, "--out", "--resume")
        self.refused(2, ["--threads", "from 1 to 1024", '"two"'], "vaetl-train", recipe, "--threads", "two")
        self.refused(2, ["--seed", "at least 0", '"-1"'], "vaetl-train", recipe, "--seed", "-1")
        self.refused(2, ["one RECIPE"], "vaetl-train", recipe, recipe)
        self.refused(2, ["RECIPE", "nothing"], "vaetl-train")
        self.refused(2, ["--out FILE.html"], "vaetl-report", "runs")
        self.refused(2, ['"lst"', '"list"'], "vaetl-zoo", "lst")
        self.refused(2, ["--name with add"], "vaetl-zoo", "list", "--name", "x")
        self.refused(2, ['"prob"', 'did you mean "probe"?'], "vaetl-transfer", "--from", "x", "--data",
                     f"idx:{self.data}", "--method", "prob")
        self.refused(2, ["no --data"], "vaetl-transfer", "--from", "x")

    def test_output_that_cannot_be_written(self):
        for to, reason in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]:
            for program in ["vaetl", "vaetl-zoo"]:
                done = subprocess.run(["sh", "-c", f'"$0" --help {to}', str(support.BIN / program)], text=True,
                                      stderr=subprocess.PIPE, env=self.environment)
                self.assertEqual(done.returncode, 7)
                self.assertEqual(done.stderr, f"{program}: standard output: expected to be written, found {reason}\n")


class BadInputs(Case):
    """Each is one clear line and its code, and leaves nothing behind."""

    def tearDown(self):
        shutil.rmtree(self.folder / "out", ignore_errors=True)

    def refused_run(self, code, parts, recipe, *arguments):
        self.refused(code, parts, "vaetl-train", recipe, "--out", "out", *arguments)
        self.assertFalse((self.folder / "out").exists(), "a partial run was left")

    def refused_text(self, code, parts, text):
        path = self.folder / "bad.json"
        path.write_text(text)
        self.refused_run(code, parts, path)

    def other_data(self, name):
        folder = self.folder / name
        shutil.copytree(self.data, folder)
        return folder, self.recipe(name, data={"open": f"idx:{folder}"})

    def test_truncated_idx(self):
        folder, recipe = self.other_data("truncated")
        images = folder / "train-images-idx3-ubyte"
        content = images.read_bytes()
        images.write_bytes(content[:-100])
        self.refused_run(3, ["train-images-idx3-ubyte", str(len(content)), str(len(content) - 100)], recipe)

    def test_swapped_images_and_labels(self):
        folder, recipe = self.other_data("swapped")
        images, labels = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
        images.rename(folder / "kept")
        labels.rename(images)
        (folder / "kept").rename(labels)
        self.refused_run(3, ["train-"], recipe)

    def test_unknown_model(self):
        self.refused_run(2, ["model", '"cmn"', '"cnn"'], self.recipe("unknown", model={"name": "cmn"}))

    def test_misspelt_key(self):
        self.refused_run(2, ["trainer", '"epohcs"', '"epochs"'], self.recipe("misspelt", trainer={"epohcs": 1}))
        self.refused_run(2, ['"trianer"', '"trainer"'], self.recipe("right"), "trianer.steps=1")

    def test_wrong_type(self):
        self.refused_run(2, ["trainer.steps", "an integer", "a string"], self.recipe("typed"), 'trainer.steps="many"')

    def test_duplicate_keys(self):
        self.refused_text(2, ["bad.json", '"seed"'], '{"name": "a", "seed": 1, "seed": 2}')

    def test_nested_brackets(self):
        self.refused_text(2, ["bad.json"], "[" * 200_000)
        self.refused_text(2, ["bad.json"], '{"data": ' + "[" * 200_000 + "]" * 200_000 + "}")

    def test_no_json(self):
        self.refused_text(2, ["bad.json", "line 1"], "name = run\n")
        self.refused_text(2, ["bad.json"], "")
        self.refused_run(2, ["absent.json"], "absent.json")

    def test_shape_that_does_not_fit(self):
        recipe = self.recipe("shape", model={"name": "mlp", "input": [1, 32, 32], "classes": CLASSES})
        self.refused_run(3, ["(1, 32, 32)", "(1, 28, 28)"], recipe)

    def test_lying_header(self):
        lying = self.folder / "lying.safetensors"
        header = json.dumps({"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}).encode()
        lying.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
        self.refused(4, ["lying.safetensors"], "vaetl-evaluate", lying, "--data", f"idx:{self.data}")
        lying.write_bytes(struct.pack("<Q", 1 << 60) + header)
        recipe = self.recipe("lying", transfer={"from": str(lying)})
        self.refused_run(4, ["lying.safetensors"], recipe)

    def test_checkpoint_of_another_model(self):
        self.run_program("vaetl-train", self.recipe("one"), "--quiet", "--out", "one")
        other = self.recipe("two", model={"name": "mlp", "widths": [8], "classes": CLASSES})
        self.run_program("vaetl-train", other, "--quiet", "--out", "two")
        for name in ["run.json", "model", "report.html", "pictures"]:
            path = self.folder / "two" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "two" / "checkpoints")
        shutil.copytree(self.folder / "one" / "checkpoints", self.folder / "two" / "checkpoints")
        self.refused(4, ["two/checkpoints/last"], "vaetl-train", other, "--out", "two", "--resume")
        self.refused(2, ["two", "another"], "vaetl-train", self.recipe("one"), "--out", "two", "--resume")

    def test_unwritable_folder(self):
        recipe = self.recipe("unwritable")
        self.refused(7, ["one.txt"], "vaetl-train", recipe, "--out", self.write("one.txt") / "run")
        self.refused(7, ["/proc"], "vaetl-train", recipe, "--out", "/proc/run")
        self.refused(7, ["one.txt"], "vaetl-train", recipe, "--out", "one.txt/run", "--dry-run")

    def write(self, name):
        path = self.folder / name
        path.write_text("")
        return path

    def test_absent_device(self):
        self.refused_run(5, ["cuda:99"], self.recipe("device"), "--device", "cuda:99")
        self.refused_run(2, ['"gpu"'], self.recipe("device"), "--device", "gpu")

    def test_resume_without_a_run(self):
        self.refused_run(4, ["out", "a run to go on from"], self.recipe("new"), "--resume")

    def test_folder_that_holds_a_run(self):
        recipe = self.recipe("held")
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "held")
        before = self.weights("held")
        self.refused(7, ["held", "--resume"], "vaetl-train", recipe, "--out", "held")
        self.assertEqual(self.weights("held"), before)

    def test_other_programs(self):
        self.refused(4, ["nothing-there"], "vaetl-evaluate", "nothing-there", "--data", f"idx:{self.data}")
        self.refused(2, ['"fashion-mnits"', '"fashion-mnist"'], "vaetl-train",
                     self.recipe("data", data={"open": "fashion-mnits"}))
        self.refused(4, ["data"], "vaetl-report", "data", "--out", "page.html")
        self.assertFalse((self.folder / "page.html").exists())
        self.refused(4, ["nothing-there"], "vaetl-transfer", "--from", "nothing-there", "--data", f"idx:{self.data}")
        self.refused(2, ["section \"transfer\""], "vaetl-transfer", self.recipe("plain"))
        self.refused(2, ["seeds"], "vaetl-sweep", self.recipe("plain"), "--seeds", "0")

    def test_memory_used_up(self):
        recipe = self.recipe("memory", model={"name": "cnn", "channels": [4096], "dense": [], "batch_norm": True,
                                              "classes": CLASSES},
                             trainer={"steps": 1, "batch_size": 200})  # the convolution's output alone takes 2.6 GB
        done = subprocess.run(["sh", "-c", 'ulimit -v 3000000; exec "$@"', "sh",
                               *self.command("vaetl-train", recipe, "--quiet", "--json", "--out", "out")], text=True,
                              capture_output=True, cwd=self.folder, env=self.environment)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(done.stderr, "vaetl-train: memory: expected as much as the run needs, found no more of it on the "
                                      "machine or the device; make trainer.batch_size or the model smaller\n")
        self.assertEqual(json.loads(done.stdout)["error"]["code"], 5)

    def test_diverged(self):
        recipe = self.recipe("diverged", trainer={"steps": 400, "optimizer": {"name": "sgd", "lr": 1e30}})
        done = self.run_program("vaetl-train", recipe, "--quiet", "--json", "--out", "diverged", code=6)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("step", json.loads(done.stdout)["error"]["message"])


class Training(Case):
    def test_run_folder_and_result(self):
        recipe = self.recipe("plain")
        done = self.run_program("vaetl-train", recipe, "--out", "plain")
        self.assertIn("accuracy", done.stdout)
        self.assertIn("the run lies in plain", done.stdout)
        self.assertIn("40/40 steps", done.stderr)
        result = self.json_of("vaetl-train", recipe, "--out", "again", "--quiet")
        self.assertEqual((result["run"], result["status"], result["steps"]), ("again", "done", 40))
        self.assertGreater(result["metrics"]["accuracy"], 0.9)
        self.assertEqual(self.weights("plain"), self.weights("again"))
        for name in ["recipe.json", "metrics.jsonl", "run.json", "report.html", "model/model.json"]:
            self.assertTrue((self.folder / "plain" / name).exists(), name)

        scored = self.json_of("vaetl-evaluate", "plain", "--data", f"idx:{self.data}")
        self.assertAlmostEqual(scored["metrics"]["accuracy"], result["metrics"]["accuracy"], places=6)
        self.assertEqual(set(scored["metrics"]), {"accuracy", "cross_entropy"})
        self.assertEqual(scored["data"]["examples"], 80)
        one = self.json_of("vaetl-evaluate", "plain/model/model.safetensors", "--data", f"idx:{self.data}", "--split",
                           "train", "--metrics", "accuracy")
        self.assertEqual((list(one["metrics"]), one["data"]["examples"]), (["accuracy"], 200))
        self.refused(2, ['"acuracy"', '"accuracy"'], "vaetl-evaluate", "plain", "--data", f"idx:{self.data}",
                     "--metrics", "acuracy")

        complete = self.run_program("vaetl-train", recipe, "--out", "plain", "--resume")
        self.assertIn("nothing was left to do", complete.stderr)

    def test_quiet(self):
        done = self.run_program("vaetl-train", self.recipe("quiet"), "--out", "quiet", "--quiet")
        self.assertEqual(done.stderr, "")

    def test_dry_run_writes_nothing(self):
        recipe = self.recipe("dry")
        before = sorted(path for path in self.folder.rglob("*"))
        done = self.run_program("vaetl-train", recipe, "--dry-run")
        for part in ["200 to train", "mlp", "40 steps", "head"]:
            self.assertIn(part, done.stdout)
        self.assertEqual(self.json_of("vaetl-train", recipe, "--dry-run")["steps"], 40)
        self.assertEqual(sorted(path for path in self.folder.rglob("*")), before)

    def test_printed_config_runs(self):
        recipe = self.recipe("config")
        printed = self.run_program("vaetl-train", recipe, "trainer.steps=21", "--seed", "5", "--print-config").stdout
        resolved = json.loads(printed)
        self.assertEqual((resolved["seed"], resolved["trainer"]["steps"]), (5, 21))
        self.assertIn("clip_norm", resolved["trainer"])
        (self.folder / "resolved.json").write_text(printed)
        self.run_program("vaetl-train", "trainer.steps=21", recipe, "--out", "given", "--seed=5", "--quiet")
        self.run_program("vaetl-train", "resolved.json", "--out", "resolved", "--quiet")
        self.assertEqual(self.weights("given"), self.weights("resolved"))
        self.assertEqual(json.loads((self.folder / "resolved" / "recipe.json").read_text()), resolved)

    @unittest.skipUnless(os.uname().sysname == "Linux", "reads Linux's count of page faults")
    def test_activations_are_kept(self):
        recipe = self.recipe("faults", model={"name": "cnn", "channels": [16], "dense": [8], "batch_norm": True,
                                              "classes": CLASSES}, evaluate=[])
        fixed = dict(self.environment, MALLOC_MMAP_THRESHOLD_="131072")  # the user's choice: every activation returned
        returned, kept = self.faults_a_step(recipe, fixed), self.faults_a_step(recipe, self.environment)
        activation = 200 * 16 * 28 * 28 * 4 / resource.getpagesize()  # pages of the first convolution's output
        self.assertGreater(returned, activation)
        self.assertLess(kept, activation / 4)

    def faults_a_step(self, recipe, environment):
        """Over many steps: how the heap grows in the first few varies with the huge pages that the machine has left."""
        counts = []
        for steps in (8, 72):
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
            shutil.rmtree(self.folder / "faults", ignore_errors=True)
            self.run_program("vaetl-train", recipe, f"trainer.steps={steps}", "trainer.batch_size=200", "--out", "faults",
                             "--quiet", environment=environment)
            counts.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before)
        return (counts[1] - counts[0]) / 64


class Interrupted(Case):
    """Steps fall between epochs of 10 and checkpoints every 37."""
    trainer = {"steps": 1200, "batch_size": 20, "checkpoint_every": 37, "log_every": 1000}
    recipes = {
        "vae": {"model": VAE, "objective": "elbo", "evaluate": []},
        "simclr": {"model": {"name": "mlp", "widths": [12], "classes": 0}, "evaluate": [],
                   "objective": {"name": "simclr", "projection": [8]}, "data": {"views": 2, "augment": ["shift", "noise"]}},
    }

    def long_recipe(self, name):
        changes = dict(self.recipes[name], trainer=self.trainer)
        changes["data"] = dict(changes.get("data", {}), open=f"idx:{self.data}")
        return self.recipe(name, **changes)

    def resumed_equal(self, name, how, code):
        recipe = self.long_recipe(name)
        whole, broken = f"{name}-whole", f"{name}-broken"
        if not (self.folder / whole).exists():
            self.run_program("vaetl-train", recipe, "--out", whole, "--quiet")
        shutil.rmtree(self.folder / broken, ignore_errors=True)
        ended = self.stop_in_training(how, "vaetl-train", recipe, "--out", broken, "--json")
        self.assertEqual(ended[0], code, ended)
        at = json.loads((self.folder / broken / "checkpoints" / "last" / "state.json").read_text())["step"]
        done = self.run_program("vaetl-train", recipe, "--out", broken, "--resume", "--json")
        self.assertIn(f"resumed at step {at} of 1200", done.stderr)
        self.assertEqual(json.loads(done.stdout)["resumed_from"], at)
        same = [(self.folder / run / "model" / "model.safetensors").read_bytes() for run in (whole, broken)]
        self.assertEqual(same[0], same[1])
        return at, ended

    def test_killed_vae(self):
        at, _ = self.resumed_equal("vae", [signal.SIGKILL], -signal.SIGKILL)
        self.assertEqual(at % 37, 0)

    def test_killed_simclr(self):
        self.resumed_equal("simclr", [signal.SIGKILL], -signal.SIGKILL)

    def test_interrupted(self):
        # Twice in one moment is one request, as a launcher sends it to the process and its group.
        at, (_, stdout, stderr) = self.resumed_equal("vae", [signal.SIGINT, signal.SIGINT], 130)
        result = json.loads(stdout)
        self.assertEqual((result["status"], result["steps"]), ("interrupted", at))
        last = stderr.splitlines()[-1]
        self.assertTrue(last.startswith(f"interrupted at step {at} and saved; go on with: vaetl-train "), stderr)
        self.assertTrue(last.endswith(" --resume"), last)

    def test_terminated_and_threads(self):
        environment = dict(self.environment)
        environment.pop("OMP_NUM_THREADS")
        recipe = self.recipe("threads", model=VAE, objective="elbo", evaluate=[], trainer=dict(self.trainer, steps=400))
        code, stdout, _ = self.stop_in_training([signal.SIGTERM], "vaetl-train", recipe, "--out", "threads", "--threads",
                                                "3", environment=environment)
        self.assertEqual((code, stdout), (143, ""))
        shutil.copytree(self.folder / "threads", self.folder / "warned")
        again = self.run_program("vaetl-train", "threads", "--resume", environment=environment)
        self.assertIn("3 threads, as before", again.stderr)
        warned = self.run_program("vaetl-train", recipe, "--out", "warned", "--resume", "--threads", "1",
                                  environment=environment)
        self.assertIn("1 threads now, 3 before: results may differ", warned.stderr)


class Transfer(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        case.run_program("vaetl-train", case.recipe("source", model=VAE, objective="elbo", evaluate=[]), "--out", "source",
                         "--quiet")
        case.run_program("vaetl-zoo", "add", "source", "--name", "tiny-vae", "--summary", "A tiny VAE", "--licence",
                         "MIT")

    def runTest(self):
        """So that setUpClass has a case to run programs with."""

    def flags(self, *more):
        return ["--from", "tiny-vae", "--data", f"idx:{self.data}", "--labels-per-class", "5", "--steps", "20", *more]

    def test_methods(self):
        source = read_weights(self.folder / "source" / "model" / "model.safetensors")
        changed = {}
        for method in ["probe", "fine_tune", "scratch", "lora"]:
            more = ["method.rank=2"] if method == "lora" else []
            result = self.json_of("vaetl-transfer", *self.flags("--method", method, "--out", f"by-{method}", *more))
            self.assertEqual(result["transfer"]["method"]["name"], method)
            self.assertEqual((result["name"], result["data"]["train"], result["steps"]), (method, 20, 20))
            self.assertIn("accuracy", result["metrics"])
            target = self.weights(f"by-{method}")
            shared = set(source) & set(target)
            self.assertTrue(shared)
            changed[method] = {name for name in shared if source[name] != target[name]}
        self.assertEqual(result["transfer"]["method"]["rank"], 2)
        self.assertEqual((changed["probe"], changed["lora"]), (set(), set()))
        self.assertTrue(changed["fine_tune"])
        self.assertTrue(changed["scratch"])
        card = json.loads((self.folder / "by-probe" / "model" / "model.json").read_text())
        self.assertEqual(card["base_model"], "tiny-vae")
        card = json.loads((self.folder / "by-scratch" / "model" / "model.json").read_text())
        self.assertEqual(card.get("base_model", ""), "")

    def test_methods_explain_themselves(self):
        listed = self.run_program("vaetl-transfer", "--help").stdout
        for method in ["fine_tune", "linear_probe", "lora", "l2_sp"]:
            self.assertRegex(listed, rf"\n  {method} +\S")
            for ways in (["--method", method, "--help"], ["--help", method]):
                told = self.run_program("vaetl-transfer", *ways).stdout
                self.assertIn(f'method "{method}": ', told)
                self.assertIn("arXiv:", told)
        self.assertRegex(told, r"alpha +number +0\.\d+ +at least 0")
        printed = self.json_of("vaetl-transfer", *self.flags("--method", "gradual", "method.every=1", "--print-config"))
        self.assertNotIn("method", printed["transfer"])
        self.assertEqual(printed["transfer"]["gradual"]["every"], 1)
        self.refused(2, ["--method", '"lorra"', 'did you mean "lora"?'], "vaetl-transfer", "--method", "lorra", "--help")
        self.refused(2, ["transfer.method", '"rnk"', '"rank"'], "vaetl-transfer",
                     *self.flags("--method", "lora", "method.rnk=3"))

    def test_report_comes_first(self):
        dry = self.run_program("vaetl-transfer", *self.flags("--dry-run", "--method", "probe"))
        for part in ["tiny-vae", "loaded", "frozen"]:
            self.assertIn(part, dry.stdout)
        done = self.run_program("vaetl-transfer", *self.flags("--method", "probe", "--out", "told"))
        self.assertIn("loaded", done.stderr)
        self.assertLess(done.stderr.index("loaded"), done.stderr.index("20/20 steps"))

    def test_recipe(self):
        recipe = self.recipe("adapt", model=None, transfer={"from": "zoo:tiny-vae", "heads": [{"classes": CLASSES}]})
        result = self.json_of("vaetl-transfer", recipe, "transfer.freeze=[\"backbone\"]", "--out", "adapted")
        self.assertGreater(result["metrics"]["accuracy"], 1.5 / CLASSES)
        self.refused(2, ["RECIPE and --method"], "vaetl-transfer", recipe, "--method", "probe")

    def test_small_additions(self):
        recipe = self.recipe("lora", model=None, transfer={"from": "zoo:tiny-vae", "heads": [{"classes": CLASSES}],
                                                           "adapters": [{"name": "lora", "rank": 1}],
                                                           "freeze": ["backbone"]})
        accuracy = self.json_of("vaetl-transfer", recipe, "--out", "lora")["metrics"]["accuracy"]
        for name, flag in [("task", "--delta"), ("merged", "--merge")]:
            self.run_program("vaetl-zoo", "add", "lora", "--name", name, flag)
            found = self.json_of("vaetl-evaluate", name, "--data", f"idx:{self.data}", "--metrics", "accuracy")
            self.assertEqual(found["metrics"]["accuracy"], accuracy)
        task, merged, base = (self.json_of("vaetl-zoo", "show", name) for name in ["task", "merged", "tiny-vae"])
        self.assertEqual(task["base"], {"name": "tiny-vae", "sha256": base["weights"]["sha256"]})
        self.assertLess(task["weights"]["bytes"], merged["weights"]["bytes"])
        self.assertNotIn("adapters", merged["model"])
        self.refused(2, ["a model with adapters", "none"], "vaetl-zoo", "add", "tiny-vae", "--name", "x", "--merge")
        self.refused(2, ["base_model", "none"], "vaetl-zoo", "add", "tiny-vae", "--name", "x", "--delta")
        shutil.rmtree(self.folder / "zoo" / "merged")

    def test_zoo(self):
        listed = self.json_of("vaetl-zoo", "list")["entries"]
        self.assertIn("tiny-vae", [entry["name"] for entry in listed])
        self.assertIn("A tiny VAE", self.run_program("vaetl-zoo", "list").stdout)
        card = self.json_of("vaetl-zoo", "show", "tiny-vae")
        self.assertEqual((card["name"], card["licence"], card["model"]["name"]), ("tiny-vae", "MIT", "vae"))
        self.assertIn("sha256", self.run_program("vaetl-zoo", "show", "tiny-vae").stdout)
        self.refused(4, ['"tiny-vea"', '"tiny-vae"'], "vaetl-zoo", "show", "tiny-vea")
        self.assertEqual(self.json_of("vaetl-zoo", "path")["path"][0], str(self.folder / "zoo"))
        verified = self.json_of("vaetl-zoo", "verify", "tiny-vae")
        self.assertTrue(verified["passed"])

        shutil.copytree(self.folder / "zoo" / "tiny-vae", self.folder / "spoilt")
        weights = self.folder / "spoilt" / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        done = self.run_program("vaetl-zoo", "verify", "spoilt", "--json", code=4)
        self.assertFalse(json.loads(done.stdout)["passed"])
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.refused(4, ["sha256"], "vaetl-evaluate", "spoilt", "--data", f"idx:{self.data}")

    def test_weights_of_others(self):
        own = self.folder / "source" / "model"
        content = (own / "model.safetensors").read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + size])
        del header["__metadata__"]
        text = json.dumps(header).encode()
        bare = self.folder / "bare.bin"
        bare.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size:])
        described = self.folder / "described.json"
        described.write_text(json.dumps(json.loads((own / "model.json").read_text())["model"]))
        scores = [self.json_of("vaetl-evaluate", model, *more, "--data", f"idx:{self.data}")["metrics"]
                  for model, more in ((own, []), (bare, ["--model", str(described)]))]
        self.assertEqual(*scores)
        self.refused(4, ["bare.bin", "--model JSON"], "vaetl-evaluate", bare, "--data", f"idx:{self.data}")
        self.refused(2, ["--model", "leave --model out"], "vaetl-evaluate", own, "--model", "vae", "--data", "x")

        class Attack:
            def __reduce__(self):
                return os.system, ("exit 1",)

        parts = [0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}, {"weight": Attack()}, []]
        hostile = self.folder / "hostile.pth"
        hostile.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
        self.refused(4, ["hostile.pth: expected tensors", '"posix.system"'], "vaetl-evaluate", hostile, "--model", "vae",
                     "--data", f"idx:{self.data}")

    def test_evaluate_chooses_metrics(self):
        scores = self.json_of("vaetl-evaluate", "tiny-vae", "--data", f"idx:{self.data}")["metrics"]
        self.assertEqual(set(scores), {"elbo", "reconstruction_bce", "reconstruction_mse"})

    def test_evaluate_by_class(self):
        self.run_program("vaetl-train", self.recipe("classes"), "--quiet", "--out", "classes")
        evaluate = ["vaetl-evaluate", "classes", "--data", f"idx:{self.data}"]
        told = self.json_of(*evaluate, "--metrics", "accuracy,top_k?k=2,ece,auroc", "--intervals", "--per-class", "--confusion", "c.csv")
        rows = [row.split(",") for row in (self.folder / "c.csv").read_text().splitlines()]
        self.assertEqual(rows[0], ["label", "0", "1", "2", "3"])
        counts = [[int(cell) for cell in row[1:]] for row in rows[1:]]
        self.assertEqual([sum(row) for row in counts], [20] * 4)
        right = sum(counts[k][k] for k in range(4))
        self.assertAlmostEqual(told["metrics"]["accuracy"], right / 80)
        self.assertGreaterEqual(told["metrics"]["top_k?k=2"], told["metrics"]["accuracy"])
        interval = told["intervals"]["accuracy"]
        self.assertTrue(interval["low"] <= told["metrics"]["accuracy"] <= interval["high"], interval)
        first = told["per_class"][0]
        self.assertAlmostEqual(first["recall"], counts[0][0] / 20)
        self.assertEqual([each["examples"] for each in told["per_class"]], [20] * 4)
        text = self.run_program(*evaluate, "--per-class", "--confusion", "c.svg").stdout
        self.assertRegex(text, r"class +examples +precision +recall +F1\n *0 +20 ")
        self.assertTrue((self.folder / "c.svg").read_text().startswith("<svg "))
        self.refused(2, ["--confusion: expected FILE.svg or FILE.csv", '"c.png"'], *evaluate, "--confusion", "c.png")
        self.refused(2, ["the confusion matrix", "Classifier"], "vaetl-evaluate", "tiny-vae", *evaluate[2:], "--per-class")
        self.refused(2, ["metric top_k: k", "at most the model's 4 classes"], *evaluate, "--metrics", "top_k")
        seen = self.json_of("vaetl-evaluate", "tiny-vae", *evaluate[2:], "--metrics", "psnr,ssim")["metrics"]
        self.assertTrue(0 < seen["psnr"] < 100 and -1 < seen["ssim"] < 1, seen)

    def test_evaluate_tells_labels_that_the_model_lacks(self):
        self.run_program("vaetl-train", self.recipe("four"), "--quiet", "--out", "four")
        other = self.folder / "other"
        shutil.copytree(self.data, other)
        labels = next(other.glob("t10k-labels*"))
        labels.write_bytes(labels.read_bytes()[:-1] + b"\x09")
        self.refused(3, ["labels from 0 to 3", "9"], "vaetl-evaluate", "four", "--data", f"idx:{other}")
        labels.write_bytes(labels.read_bytes()[:8] + b"\x09" * (len(labels.read_bytes()) - 8))
        self.refused(3, ["labels from 0 to 3", "9"], "vaetl-evaluate", "four", "--data", f"idx:{other}")


class Sweep(Case):
    def test_sweep_and_report(self):
        recipe = self.recipe("sweep", sweep={"vary": {"data.take_per_class": [2, 4]}, "baseline": "narrow", "ways": {
            "narrow": {"model.widths": [4]}, "wide": {"model.widths": [16]}}})
        points = self.run_program("vaetl-sweep", recipe, "--dry-run").stdout.splitlines()
        self.assertEqual(len(points), 4)
        arguments = [recipe, "--seeds", "2", "--vary", "data.take_per_class=3", "--out", "swept"]
        first = self.run_program("vaetl-sweep", *arguments)
        for part in ["narrow", "wide", "±"]:
            self.assertIn(part, first.stdout)
        files = {path: path.stat().st_mtime_ns for path in (self.folder / "swept" / "points").glob("*.json")}
        self.assertEqual(len(files), 4)
        second = self.json_of("vaetl-sweep", *arguments)
        self.assertEqual((second["status"], len(second["points"]), second["seeds"]), ("done", 4, 2))
        self.assertEqual({path: path.stat().st_mtime_ns for path in files}, files)
        self.assertEqual([(d["way"], d["against"]) for d in second["paired"]], [("wide", "narrow")])

        self.run_program("vaetl-train", self.recipe("single"), "--out", "single", "--quiet")
        made = self.json_of("vaetl-report", "single", "swept", "--out", "pages/report.html", "--title", "Tiny & small")
        page = (self.folder / made["report"]).read_text()
        self.assertTrue(page.lower().startswith("<!doctype html>"))
        self.assertIn("Tiny &amp; small", page)
        self.assertNotRegex(page, r'(src|href)="(https?:)?//')

    def test_drawn_settings(self):
        recipe = self.recipe("drawn", data={"open": f"idx:{self.data}", "validation": 0.2})
        arguments = [recipe, "--vary", "trainer.optimizer.lr=log:1e-5..0.1", "--vary", "model.widths=[4],[8]", "--on", "validation",
                     "--metric", "cross_entropy", "--out", "drawn", "--jobs", "2"]
        few = self.json_of("vaetl-sweep", *arguments, "--random", "2")
        self.assertEqual((few["drawn"], few["on"], few["metric"], len(few["points"])), (2, "validation", "cross_entropy", 2))
        kept = {path: path.stat().st_mtime_ns for path in (self.folder / "drawn" / "points").glob("*.json")}
        more = self.run_program("vaetl-sweep", *arguments, "--random", "4")
        self.assertEqual({path: path.stat().st_mtime_ns for path in kept}, kept)
        lines = more.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["widths", "lr", "cross_entropy", "(validation)"])
        losses = [float(line.split()[2]) for line in lines[1:]]
        self.assertEqual((len(losses), losses), (4, sorted(losses)))
        self.refused(2, ["--vary", "0 < low < high", "0 and 1"], "vaetl-sweep", recipe, "--vary", "trainer.steps=log:0..1")
        self.refused(2, ["sweep.on", '"train"'], "vaetl-sweep", recipe, "--on", "train")
        self.refused(2, ["sweep.random", "keys to draw values for"], "vaetl-sweep", recipe, "--random", "3")

    def test_failed_points(self):
        recipe = self.recipe("failing", data={"open": f"idx:{self.data}", "take_per_class": 2})
        done = self.run_program("vaetl-sweep", recipe, "--vary", "data.take_per_class=2,1000", "--out", "failing", "--json",
                                "--quiet", code=3)
        self.assertEqual(json.loads(done.stdout)["status"], "failed")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_interrupted_sweep_goes_on(self):
        recipe = self.recipe("long", trainer={"steps": 300, "batch_size": 20})
        arguments = [recipe, "--seeds", "12", "--out", "long", "--jobs", "1"]
        process = self.start("vaetl-sweep", *arguments)
        points = self.folder / "long" / "points"
        while len(list(points.glob("*.json")) if points.exists() else []) < 2:
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, stderr)
        self.assertIn("what is done is kept", stderr.splitlines()[-1])
        kept = {path: path.stat().st_mtime_ns for path in points.glob("*.json")}
        self.assertLess(len(kept), 12)
        self.assertEqual(len(self.json_of("vaetl-sweep", *arguments)["points"]), 12)
        self.assertEqual({path: path.stat().st_mtime_ns for path in kept}, kept)


if __name__ == "__main__":
    support.main()
