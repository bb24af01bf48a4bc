"""vaetl-zoo's commands as a user runs them: test_zoo_app.py FOLDER/OF/PROGRAMS"""
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import threading
import unittest

import support
from support import CLASSES, Case
from test_described_app import write_foreign

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "zoo"
MLP = {"name": "mlp", "input": [1, 28, 28], "widths": [16], "classes": CLASSES}
UNIT = [{"name": "scale", "from": [0, 255], "to": [0, 1]}]


class Server:
    """A web server over a folder, with Range and PUT, and with what goes wrong on the way."""

    def __init__(self, root):
        self.root, self.broken, self.ranges, self.refuse_put = pathlib.Path(root), {}, [], False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def file(self):
                return outer.root / self.path.lstrip("/")

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if not self.file().is_file():
                    return self.answer(404)
                body, asked = self.file().read_bytes(), self.headers.get("Range")
                if asked:
                    outer.ranges.append((self.path, asked))
                    first = int(asked.removeprefix("bytes=").removesuffix("-"))
                    if first >= len(body):
                        return self.answer(416)
                    rest = body[first:]
                    return self.answer(206, rest, Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
                cut = outer.broken.pop(self.path, None)
                if cut is None:
                    return self.answer(200, body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:cut])
                self.wfile.flush()
                self.close_connection = True

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.refuse_put:
                    return self.answer(403)
                self.file().parent.mkdir(parents=True, exist_ok=True)
                self.file().write_bytes(body)
                self.answer(201)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # clients that hang up are what is tested
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def sha256(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


class ZooCase(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment["no_proxy"] = "*"
        case = cls()
        case.run_program("vaetl-train", case.recipe("mlp", model=MLP), "--quiet", "--out", "mlp")
        case.run_program("vaetl-zoo", "add", "mlp", "--name", "tiny", "--summary", "A tiny classifier", "--licence", "MIT")

    def zoo(self, *words, **options):
        return self.json_of("vaetl-zoo", *words, **options)

    def no_zoo(self, code, parts, *words, **options):
        self.refused(code, parts, "vaetl-zoo", *words, **options)

    def other_zoo(self, name):
        """An environment whose zoo is another, empty folder."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder, dict(self.environment, VAETL_ZOO=str(folder))


class Shipped(Case):
    """The entries that come with vaetl."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment["VAETL_ZOO"] = str(SHIPPED)

    def test_all_are_whole(self):
        told = self.json_of("vaetl-zoo", "verify", "--all")
        self.assertTrue(told["passed"])
        self.assertGreaterEqual(len(told["entries"]), 22)

    def test_sizes(self):
        files = [path for path in SHIPPED.rglob("*") if path.is_file()]
        self.assertLessEqual(max(path.stat().st_size for path in files), 2.5e6)
        self.assertLessEqual(sum(path.stat().st_size for path in files), 16e6)

    @unittest.skipUnless(pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir(), "dataset-fashion-mnist is not installed")
    def test_every_recipe_runs(self):
        checked = 0
        for file in sorted(SHIPPED.glob("*/recipe.json")):
            if json.loads(file.read_text())["data"]["open"] == "fashion-mnist":
                with self.subTest(file.parent.name):
                    self.run_program("vaetl-train", file, "--dry-run", "--quiet")
                checked += 1
        self.assertGreaterEqual(checked, 18)

    def test_cards_are_complete(self):
        for folder in sorted(path.parent for path in SHIPPED.glob("*/model.json")):
            card = json.loads((folder / "model.json").read_text())
            imported = "imported" in card["training"]
            with self.subTest(folder.name):
                for key in ["summary", "intended_use", "limits", "citation", "licence", "data_licence", "preprocess", "inputs", "outputs",
                            "test_vector"]:
                    self.assertTrue(card[key], key)
                self.assertEqual((folder / "recipe.json").exists(), not imported)
                self.assertEqual((folder / "LICENSE").exists(), imported)
                self.assertNotIn(card["training"]["data"]["name"], ["", "mnist"])
                self.assertTrue((folder / "preview.png").exists())
                self.assertTrue(card["metrics"])
                for name, metric in card["metrics"].items():
                    self.assertTrue(metric["data"] and metric["split"], name)
                    self.assertTrue(metric.get("interval") or name == "knn" or metric["how"] == "told by its authors", name)
                for judge in {metric.get("judge", "") for metric in card["metrics"].values()} - {""}:
                    self.assertTrue((SHIPPED / judge / "model.json").exists(), judge)


class Entries(ZooCase):
    def test_help_of_a_command(self):
        overview = self.run_program("vaetl-zoo", "--help").stdout
        for command in ["list", "show", "verify", "add", "import", "remove", "diff", "pull", "push", "rank", "path"]:
            self.assertRegex(overview, rf"\n  {command} +\w")
            text = self.run_program("vaetl-zoo", command, "--help").stdout
            self.assertIn(f"Usage: vaetl-zoo {command}", text)
            self.assertIn(f"\nExample:\n  vaetl-zoo {command}", text)
        self.assertIn("--intended-use TEXT", self.run_program("vaetl-zoo", "add", "--help").stdout)
        self.assertNotIn("--intended-use", overview)
        self.no_zoo(2, ["--task with list"], "verify", "tiny", "--task", "classify")

    def test_card(self):
        card = self.zoo("show", "tiny")
        self.assertEqual(card["format_version"], 2)
        self.assertEqual(card["outputs"]["logits"]["shape"], ["N", CLASSES])
        accuracy = card["metrics"]["accuracy"]
        self.assertEqual((accuracy["split"], accuracy["examples"], accuracy["data"]), ("test", 80, f"idx:{self.data}"))
        self.assertLessEqual(accuracy["interval"]["low"], accuracy["value"])
        self.assertEqual(accuracy["how"], "when the entry was made")
        self.assertEqual(set(card["files"]) | {"model.json", "model.safetensors"}, {p.name for p in (self.folder / "zoo/tiny").iterdir()})
        self.assertEqual(card["training"]["seed"], 3)
        shown = self.run_program("vaetl-zoo", "show", "tiny").stdout
        self.assertIn("logits float32 (N, 4) NC", shown)

    def test_what_a_person_says(self):
        (self.folder / "LICENCE.txt").write_text("Do as you like.\n")
        (self.folder / "said.json").write_text(json.dumps(
            {"summary": "From a file", "intended_use": "Tests.", "limits": "All else.", "citation": "Nobody (2020)", "version": "1.2.0",
             "metrics": {"wit": {"value": 0.5, "data": "jokes", "split": "test", "how": "told by its authors"}},
             "trained_on": "bands", "licence_file": "LICENCE.txt", "classes": ["a", "b", "c", "d"]}))
        self.run_program("vaetl-zoo", "add", "mlp", "--name", "said", "--card", "said.json", "--summary", "Said", "--as-told")
        card = self.zoo("show", "said")
        self.assertEqual([card[key] for key in ("summary", "intended_use", "limits", "citation", "version", "classes")],
                         ["Said", "Tests.", "All else.", "Nobody (2020)", "1.2.0", list("abcd")])
        self.assertEqual(card["training"]["data"]["name"], "bands")
        self.assertEqual((self.folder / "zoo/said/LICENSE").read_text(), "Do as you like.\n")
        self.assertEqual(card["files"]["LICENSE"]["sha256"], sha256(self.folder / "LICENCE.txt"))
        self.assertNotIn("interval", card["metrics"]["accuracy"])
        self.assertEqual(card["metrics"]["wit"]["value"], 0.5)
        # Again from the entry itself: what nobody says anew stays.
        self.run_program("vaetl-zoo", "add", "said", "--name", "said", "--limits", "Some else.")
        card = self.zoo("show", "said")
        self.assertEqual([card[key] for key in ("summary", "limits", "intended_use")], ["Said", "Some else.", "Tests."])
        self.assertTrue((self.folder / "zoo/said/LICENSE").is_file())
        self.assertTrue(self.zoo("verify", "said")["passed"])
        (self.folder / "wrong.json").write_text('{"sumary": "x"}')
        self.no_zoo(2, ["wrong.json", '"sumary"', '"summary"'], "add", "mlp", "--name", "x", "--card", "wrong.json")
        (self.folder / "wrong.json").write_text('{"summary": "x", "summary": "y"}')
        self.no_zoo(2, ["wrong.json", "every key once"], "add", "mlp", "--name", "x", "--card", "wrong.json")
        self.zoo("remove", "said")

    def test_list_filters(self):
        names = lambda *words: [entry["name"] for entry in self.zoo("list", *words)["entries"]]
        self.assertIn("tiny", names("--task", "classify"))
        self.assertNotIn("tiny", names("--task", "generate"))
        self.assertIn("fashion-mnist-simclr", names("--data", "fashion-*", "--task", "encode"))
        self.assertNotIn("tiny", names("--data", "fashion-*"))
        self.assertEqual(names("--size", "60 kB", "--data", "idx:*"), ["tiny"])
        self.assertEqual(self.run_program("vaetl-zoo", "list", "--size", "10").stdout, "no entry fits\n")
        self.no_zoo(2, ["--task", '"clasify"', '"classify"'], "list", "--task", "clasify")
        for size in ("ten", "2.5 TB", "-3"):
            self.no_zoo(2, ["--size", f'"{size}"'], "list", f"--size={size}")
        self.assertIn("| [tiny](zoo/tiny) | A tiny classifier |", self.run_program("vaetl-zoo", "list", "--markdown").stdout)

    def test_verify_metrics(self):
        outcome = lambda *words: {check["name"]: check["outcome"]
                                  for check in self.zoo("verify", "tiny", "--metrics", *words)["entries"][0]["checks"]}
        self.assertEqual(outcome()["metric accuracy"], "skipped")  # a path, which no card may choose
        self.assertEqual(outcome("--data", f"idx:{self.data}")["metric accuracy"], "passed")
        self.no_zoo(2, ["--metrics beside --data"], "verify", "tiny", "--data", f"idx:{self.data}")
        other = self.folder / "other"
        other.mkdir()
        support.write_set(other, "train", 40, 1)
        support.write_set(other, "t10k", 80, 9)
        labels = other / "t10k-labels-idx1-ubyte"
        content = bytearray(labels.read_bytes())
        content[8:] = bytes((label + 1) % CLASSES for label in content[8:])
        labels.write_bytes(content)
        done = self.run_program("vaetl-zoo", "verify", "tiny", "--metrics", "--data", f"idx:{other}", code=4)
        self.assertIn("model.json: metrics.accuracy: expected", done.stderr)

    def test_any_file_is_vouched_for(self):
        for name in ("README.md", "recipe.json", "model.json"):
            spoilt = self.folder / "spoilt"
            shutil.copytree(self.folder / "zoo" / "tiny", spoilt)
            content = bytearray((spoilt / name).read_bytes())
            content[len(content) // 2] ^= 1
            (spoilt / name).write_bytes(content)
            done = self.run_program("vaetl-zoo", "verify", "./spoilt", code=4)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(f"spoilt/{name}", done.stderr)
            shutil.rmtree(spoilt)

    def test_diff(self):
        found = self.zoo("diff", "tiny", "mlp")
        self.assertEqual(found["tensors"]["others"], [])
        self.assertGreater(found["tensors"]["equal"], 0)
        self.assertNotIn("model", found["description"])
        self.run_program("vaetl-train", self.recipe("again", model={**MLP, "widths": [8]}), "--quiet", "--out", "again")
        text = self.run_program("vaetl-zoo", "diff", "tiny", "again").stdout
        self.assertIn("model.widths", text)
        self.assertIn("float32 (4, 16) and float32 (4, 8)", text)
        self.no_zoo(2, ["two MODELs"], "diff", "tiny")

    def test_remove(self):
        self.run_program("vaetl-zoo", "add", "mlp", "--name", "gone", "--as-told")
        self.assertEqual(self.zoo("remove", "gone")["removed"], [str(self.folder / "zoo" / "gone")])
        self.no_zoo(4, ['"zoo:gone"', "none of that name"], "remove", "gone")
        self.no_zoo(4, ["came with vaetl"], "remove", "fashion-mnist-simclr")

    def test_import(self):
        write_foreign(self.folder / "mlp/model/model.safetensors", self.folder / "theirs.safetensors")
        names = list(support.read_weights(self.folder / "theirs.safetensors"))
        self.assertTrue(names)
        (self.folder / "theirs.json").write_text(json.dumps({"model": MLP, "preprocess": UNIT}))
        self.run_program("vaetl-zoo", "import", "theirs.safetensors", "--model", "theirs.json", "--name", "theirs", "--licence", "MIT",
                         "--data", f"idx:{self.data}", "--measure", "accuracy")
        self.assertTrue(self.zoo("verify", "theirs")["passed"])
        card, own = self.zoo("show", "theirs"), self.zoo("show", "tiny")
        self.assertEqual(card["metrics"]["accuracy"]["value"], own["metrics"]["accuracy"]["value"])
        self.assertEqual(card["training"]["imported"]["sha256"], sha256(self.folder / "theirs.safetensors"))
        self.assertEqual(self.zoo("diff", "theirs", "tiny")["tensors"]["others"], [])
        # With names of their own, and something besides.
        theirs = self.folder / "theirs.safetensors"
        content = theirs.read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = {"net." + name: entry for name, entry in json.loads(content[8:8 + size]).items()}
        text = json.dumps(header).encode()
        theirs.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size:])
        self.no_zoo(4, ["strip_prefix=net."], "import", "theirs.safetensors", "--model", "theirs.json", "--name", "mapped")
        (self.folder / "mapped.json").write_text(json.dumps({"model": MLP, "preprocess": UNIT, "load": [{"from": "net.*", "to": "*"}]}))
        self.run_program("vaetl-zoo", "import", "theirs.safetensors", "--model", "mapped.json", "--name", "mapped")
        self.assertEqual(self.zoo("diff", "mapped", "tiny")["tensors"]["others"], [])
        self.no_zoo(2, ["--model JSON"], "import", "theirs.safetensors", "--name", "x")
        self.no_zoo(4, ["theirs.safetensors"], "add", "theirs.safetensors", "--name", "x")
        for name in ("theirs", "mapped"):
            self.zoo("remove", name)


class Others(ZooCase):
    """Checkpoints that others trained and published, in both formats of PyTorch: three commands each."""

    IMAGENET = [{"name": "scale"}, {"name": "standardise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}]
    FILES = {"lenet-mnist/lenet_mnist_model.wangxinya.pth": {"name": "lenet"},
             "resnet-cifar10/resnet20-12fca82f.th?strip_prefix=module.": {"name": "cifar_resnet", "depth": 20},
             "mobilenetv1x025-imagenet/mobilenetV1X0.25_pretrain.tar?strip_prefix=module.":
                 {"name": "mobilenet_v1", "input": [3, 224, 224], "width": 0.25, "classes": 1000}}

    def test_a_checkpoint_becomes_a_verified_entry(self):
        shared = pathlib.Path(os.environ.get("VAETL_TEST_DATA", pathlib.Path(__file__).parents[2] / "../shared/data")).resolve()
        if not (shared / "weights").is_dir():
            self.skipTest("no weights under VAETL_TEST_DATA (default ../shared/data)")
        for file, model in self.FILES.items():
            name = model["name"]
            (self.folder / "model.json").write_text(json.dumps({"model": model, "preprocess": ["scale"] if name == "lenet" else self.IMAGENET}))
            measured = ["--data", f"idx:{shared / 'mnist'}", "--measure", "accuracy"] if name == "lenet" else []
            self.run_program("vaetl-zoo", "import", shared / "weights" / file, "--model", "model.json", "--name", name, *measured)
            checks = self.zoo("verify", name, "--metrics", *measured[:2])
            self.assertTrue(checks["passed"])
            self.run_program("vaetl-zoo", "push", name, "--to", self.folder / "place")
            if measured:
                accuracy = self.zoo("show", name)["metrics"]["accuracy"]
                self.assertGreater(accuracy["interval"]["low"], 0.96)
                self.assertIn(("metric accuracy", "passed"), [(c["name"], c["outcome"]) for c in checks["entries"][0]["checks"]])


class Exchange(ZooCase):
    def setUp(self):
        self.place = self.folder / "place"
        shutil.rmtree(self.place, ignore_errors=True)
        self.server = Server(self.place)
        self.addCleanup(self.server.close)
        self.weights = "/tiny/1.0.0/model.safetensors"

    def push(self):
        self.run_program("vaetl-zoo", "push", "tiny", "--to", self.place)

    def edit_index(self, edit):
        index = json.loads((self.place / "index.json").read_text())
        edit(index)
        (self.place / "index.json").write_text(json.dumps(index))

    def assert_same(self, folder):
        own = self.folder / "zoo" / "tiny"
        self.assertEqual({p.name: sha256(p) for p in own.iterdir()}, {p.name: sha256(p) for p in folder.iterdir()})

    def test_by_a_folder_and_by_the_web(self):
        self.push()
        self.assertTrue(self.zoo("push", "tiny", "--to", self.place)["entries"][0]["was_there"])
        for address in (self.place, self.server.address, self.server.address + "/"):
            folder, environment = self.other_zoo("pulled")
            self.assertEqual([e["name"] for e in self.zoo("pull", "--from", address, environment=environment)["entries"]], ["tiny"])
            done = self.zoo("pull", "tiny", "--from", address, environment=environment)["entries"][0]
            self.assertEqual((done["version"], done["place"], done["was_there"]), ("1.0.0", str(folder / "tiny"), False))
            self.assert_same(folder / "tiny")
            self.assertEqual([p.name for p in folder.iterdir()], ["tiny"])
            self.assertTrue(self.zoo("pull", "tiny@1.0.0", "--from", address, environment=environment)["entries"][0]["was_there"])

    def test_push_by_put(self):
        self.zoo("push", "tiny", "--to", self.server.address)
        self.assertEqual((self.place / "tiny/1.0.0/model.safetensors").read_bytes(),
                         (self.folder / "zoo/tiny/model.safetensors").read_bytes())
        folder, environment = self.other_zoo("pulled")
        self.zoo("pull", "tiny", "--from", self.server.address, environment=environment)
        self.assert_same(folder / "tiny")
        shutil.rmtree(self.place)
        self.server.refuse_put = True
        self.no_zoo(7, [self.server.address, "to be taken by PUT", "the answer 403"], "push", "tiny", "--to", self.server.address)

    def test_versions(self):
        self.push()
        for version in ("1.10.0", "1.9.0"):
            self.run_program("vaetl-zoo", "add", "tiny", "--name", "tiny", "--entry-version", version, "--as-told")
            self.zoo("push", "tiny", "--to", self.place)
        self.run_program("vaetl-zoo", "add", "tiny", "--name", "tiny", "--summary", "Changed", "--as-told")
        self.no_zoo(4, ["tiny 1.9.0 with other content", "raise it"], "push", "tiny", "--to", self.place)
        self.run_program("vaetl-zoo", "add", "mlp", "--name", "tiny", "--summary", "A tiny classifier", "--licence", "MIT")
        folder, environment = self.other_zoo("pulled")
        pull = lambda *words: self.zoo("pull", *words, "--from", self.place, environment=environment)["entries"][0]["version"]
        self.assertEqual(pull("tiny"), "1.10.0")
        self.no_zoo(4, ["tiny", "version 1.10.0", "--replace"], "pull", "tiny@1.9.0", "--from", self.place, environment=environment)
        self.assertEqual(pull("tiny@1.9.0", "--replace"), "1.9.0")
        self.no_zoo(4, ["in version 3", "versions 1.0.0, 1.9.0, 1.10.0"], "pull", "tiny@3", "--from", self.place, environment=environment)
        self.no_zoo(4, ['"tinny"', 'did you mean "tiny"?'], "pull", "tinny", "--from", self.place, environment=environment)

    def test_a_broken_download_is_gone_on_from(self):
        self.push()
        folder, environment = self.other_zoo("pulled")
        self.server.broken[self.weights] = 20000
        self.no_zoo(4, [self.weights, "call it again: what has arrived is kept"], "pull", "tiny", "--from", self.server.address,
                    "--quiet", environment=environment)
        self.assertFalse((folder / "tiny").exists())
        self.zoo("pull", "tiny", "--from", self.server.address, environment=environment)
        self.assertEqual(self.server.ranges, [(self.weights, "bytes=20000-")])
        self.assert_same(folder / "tiny")
        self.assertEqual([p.name for p in folder.iterdir()], ["tiny"])

    def test_what_is_damaged_on_the_way_is_not_installed(self):
        self.push()
        folder, environment = self.other_zoo("pulled")
        served = self.place / self.weights.lstrip("/")
        content = bytearray(served.read_bytes())
        content[-1] ^= 1
        served.write_bytes(content)
        for address in (self.place, self.server.address):
            self.no_zoo(4, [self.weights], "pull", "tiny", "--from", address, "--quiet", environment=environment)
        self.assertFalse((folder / "tiny").exists())
        # An index that vouches for it: then the card does not.
        self.edit_index(lambda index: index["entries"][0]["files"]["model.safetensors"].update(sha256=sha256(served)))
        self.no_zoo(4, ["model.safetensors", "sha256"], "pull", "tiny", "--from", self.server.address, "--quiet", environment=environment)
        self.assertFalse((folder / "tiny").exists())

    def test_size_cap(self):
        self.push()
        folder, environment = self.other_zoo("pulled")
        for address in (self.place, self.server.address):
            self.no_zoo(4, ["at most 30,000 bytes", '"tiny"', "--max-bytes"], "pull", "tiny", "--from", address, "--max-bytes", 30000,
                        environment=environment)
        # An index that promises less than the server sends.
        self.edit_index(lambda index: index["entries"][0]["files"]["model.safetensors"].update(bytes=100))
        for address in (self.place, self.server.address):
            self.no_zoo(4, [self.weights, "100 bytes" if address == self.place else "of at most 100"], "pull", "tiny", "--from", address,
                        "--quiet", environment=environment)
        self.assertFalse((folder / "tiny").exists())

    def test_an_index_names_nothing_outside(self):
        self.push()
        _, environment = self.other_zoo("pulled")
        whole = (self.place / "index.json").read_text()
        told = {"bytes": 3, "sha256": "a" * 64}
        for edit, parts in [
                (lambda e: e.update(name="../tiny"), ["name", '"../tiny"', "an index cannot name anything but entries"]),
                (lambda e: e.update(version="../1.0.0"), ["version", '"../1.0.0"']),
                (lambda e: e["files"].update({"../x": told}), ["files", '"../x"']),
                (lambda e: e["files"].update({"/etc/passwd": told}), ["files", '"/etc/passwd"']),
                (lambda e: e["files"].update({"x": {**told, "sha256": "short"}}), ["x.sha256", '"short"']),
                (lambda e: e["files"].update({"x": {**told, "bytes": 1 << 62}}), ["x: expected at most"]),
                (lambda e: e["files"].pop("model.json"), ["expected model.json, found none"]),
                (lambda e: e.update(run="rm"), ['"run"'])]:
            (self.place / "index.json").write_text(whole)
            self.edit_index(lambda index: edit(index["entries"][0]))
            self.no_zoo(4, ["index.json", *parts], "pull", "tiny", "--from", self.server.address, environment=environment)
        for text, parts in [("{", ["index.json"]), ('{"format_version": 9}', ["version 1", "9", "update"]),
                            ('{"format_version": 1, "format_version": 1}', ["every key once"])]:
            (self.place / "index.json").write_text(text)
            self.no_zoo(4, parts, "pull", "tiny", "--from", self.server.address, environment=environment)
        (self.place / "index.json").unlink()
        self.no_zoo(4, ["index.json", "no such file", "vaetl-zoo push"], "pull", "tiny", "--from", self.place, environment=environment)
        self.no_zoo(4, ["index.json"], "pull", "tiny", "--from", "http://127.0.0.1:9/zoo", environment=environment)

    def test_a_link_in_a_place_leads_nowhere(self):
        self.push()
        _, environment = self.other_zoo("pulled")
        served = self.place / self.weights.lstrip("/")
        shutil.move(served, self.folder / "elsewhere")
        served.symlink_to(self.folder / "elsewhere")
        self.no_zoo(4, [self.weights, "a link to"], "pull", "tiny", "--from", self.place, environment=environment)

    def test_a_delta_brings_its_base(self):
        recipe = self.recipe("task", model=None, objective="cross_entropy",
                             transfer={"from": "zoo:tiny", "heads": [{"classes": CLASSES}], "freeze": ["backbone"]})
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "task")
        self.run_program("vaetl-zoo", "add", "task", "--name", "task", "--delta", "--base-model", "tiny")
        transferred = self.zoo("show", "task")["training"]["transfer"]
        self.assertEqual((transferred["from"], transferred["matched"]), ("zoo:tiny", 1))
        self.no_zoo(4, ['the base "tiny"', "push that first"], "push", "task", "--to", self.place)
        self.run_program("vaetl-zoo", "push", "tiny", "task", "--to", self.place)
        folder, environment = self.other_zoo("pulled")
        self.zoo("pull", "task", "--from", self.server.address, environment=environment)
        self.assertEqual(sorted(p.name for p in folder.iterdir()), ["task", "tiny"])
        self.assertTrue(self.zoo("verify", "task", environment=environment)["passed"])
        self.no_zoo(4, ["the base of task"], "remove", "tiny", environment=environment)
        self.zoo("remove", "task")

    def test_what_is_no_whole_entry_is_not_pushed(self):
        self.no_zoo(2, ["--to ADDRESS"], "push", "tiny")
        self.no_zoo(2, ["--from ADDRESS"], "pull", "tiny")
        spoilt = self.folder / "zoo" / "spoilt"
        shutil.copytree(self.folder / "zoo" / "tiny", spoilt)
        self.addCleanup(shutil.rmtree, spoilt)
        (spoilt / "README.md").write_text("something else")
        self.no_zoo(4, ["spoilt/README.md"], "push", "spoilt", "--to", self.place)
        self.assertFalse((self.place / "index.json").exists())


if __name__ == "__main__":
    support.main()
