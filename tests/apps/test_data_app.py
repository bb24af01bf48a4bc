"""vaetl-data from outside: what it prints, writes and returns. Usage: test_data_app.py BIN [unittest options]"""
import csv
import hashlib
import http.server
import json
import os
import signal
import threading
import unittest

import support
from support import Case, write_idx

DATA = "vaetl-data"


class DataCase(Case):
    def setUp(self):
        self.before = set(self.folder.rglob("*"))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.before |= {path, path.parent}
        return path

    def nothing_new(self):
        """Also no hidden unfinished file."""
        self.assertEqual(set(self.folder.rglob("*")) - self.before, set())

    def refuse(self, code, parts, *arguments, **options):
        self.refused(code, parts, DATA, *arguments, **options)
        self.nothing_new()


class Lists(DataCase):
    def test_list(self):
        sets = {each["name"]: each for each in self.json_of(DATA, "list")["sets"]}
        self.assertIn("fashion-mnist", sets)
        self.assertEqual(sets["mnist"]["get"], "vaetl-data fetch mnist")
        environment = dict(self.environment, VAETL_DATA=str(self.folder))
        (self.folder / "mnist").mkdir()
        for name, size in [("train-images-idx3-ubyte.gz", 9912422)]:
            (self.folder / "mnist" / name).write_bytes(b"")
            os.truncate(self.folder / "mnist" / name, size)
        found = self.json_of(DATA, "list", environment=environment)["sets"]
        self.assertEqual(next(each["folder"] for each in found if each["name"] == "mnist"), str(self.folder / "mnist"))
        text = self.run_program(DATA, "list").stdout
        for part in ["fashion-mnist", "MIT", "KIND of a reference", "two-moons"]:
            self.assertIn(part, text)

    def test_help_on_names(self):
        for name, option in [("csv", "target"), ("two-moons", "noise"), ("idx", "no options")]:
            self.assertIn(option, self.run_program(DATA, "help", name).stdout)
        self.refuse(2, ['"two-moon"', '"two-moons"'], "help", "two-moon")

    def test_refused(self):
        self.refuse(2, ["nothing after list", '"x"'], "list", "x")
        self.refuse(2, ['"lst"', 'did you mean "list"'], "lst")
        self.refuse(2, ["--grid with show"], "list", "--grid", "x.png")
        self.refuse(2, ["one of check"])


class Shows(DataCase):
    def test_pictures(self):
        shown = self.json_of(DATA, "show", f"idx:{self.data}")
        self.assertEqual((shown["form"], shown["examples"], shown["found"]), ("pictures", 280, str(self.data)))
        self.assertEqual([c["examples"] for c in shown["splits"]["train"]["classes"]], [50] * 4)
        self.assertEqual(shown["splits"]["test"]["fields"]["input"]["shape"], [1, 28, 28])
        pixels = (self.data / "train-images-idx3-ubyte").read_bytes()[16:]
        self.assertAlmostEqual(shown["splits"]["train"]["columns"][0]["mean"], sum(pixels) / len(pixels), places=6)
        text = self.run_program(DATA, "show", f"idx:{self.data}").stdout
        for part in ["pictures", "(1, 28, 28)", "uint8", "train", "200", "opened in"]:
            self.assertIn(part, text)
        one = self.json_of(DATA, "show", f"idx:{self.data}", "--split", "test")
        self.assertEqual((one["examples"], list(one["splits"])), (80, ["test"]))

    def test_grid(self):
        grid = self.folder / "grid.png"
        self.run_program(DATA, "show", f"idx:{self.data}", "--grid", grid)
        header = grid.read_bytes()[:24]
        self.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
        size = [int.from_bytes(header[i:i + 4], "big") for i in (16, 20)]
        self.assertEqual(size, [10 * 30 + 2, 4 * 30 + 2])  # ten of each of four classes, two pixels between them
        grid.unlink()

    def test_table_and_what_is_left_out(self):
        path = self.write("table.csv", "age,town,kind\n20,Rome,a\n30,,b\n40,Rome,a,7\n50,Oslo,b\n")
        shown = self.json_of(DATA, "show", f"csv:{path}?target=kind")
        self.assertEqual(shown["left_out"]["count"], 1)
        self.assertIn("table.csv:4", shown["left_out"]["problems"][0])
        town = shown["splits"]["train"]["columns"][1]
        self.assertEqual((town["name"], town["categories"], town["missing"]), ("town", 2, 1))
        self.assertEqual(shown["splits"]["train"]["examples_shown"][0], "age=20 town=Rome")
        self.refuse(3, ["table.csv:4"], "show", f"csv:{path}?target=kind", "--strict")

    def test_text(self):
        path = self.write("text.tsv", "a\tHello you\nb\tGoodbye\nb\tHello Hello you\n")
        shown = self.json_of(DATA, "show", f"lines:{path}")
        self.assertEqual((shown["form"], shown["vocabulary"]), ("tokens", 5))  # padding, unknown, three words
        self.assertEqual(shown["splits"]["train"]["lengths"], {"low": 1, "median": 2, "high": 3})
        self.assertEqual(shown["splits"]["train"]["examples_shown"][0], "hello you")

    def test_refused(self):
        self.refuse(2, ['"fashion-mnits"', '"fashion-mnist"'], "show", "fashion-mnits")
        self.refuse(3, ["nothing there"], "show", "idx:/nowhere")
        self.refuse(2, ["--split", '"trian"'], "show", f"idx:{self.data}", "--split", "trian")
        self.refuse(2, ["one REF"], "show")
        self.refuse(7, ["none/grid.png"], "show", f"idx:{self.data}", "--grid", "none/grid.png")
        path = self.write("numbers.csv", "x,y\n1,2\n3,5\n")
        self.refuse(2, ["--grid", "pictures", "table"], "show", f"csv:{path}?target=y", "--grid", "g.png")


class Checks(DataCase):
    def test_nothing_wrong(self):
        result = self.json_of(DATA, "check", f"idx:{self.data}", "--strict")
        self.assertEqual((result["passed"], result["examples"], result["left_out"]), (True, 280, 0))

    def test_findings_and_exit_code(self):
        folder = self.folder / "leaky"
        folder.mkdir()
        for split, labels in [("train", [0, 1, 1]), ("t10k", [0, 1])]:
            pixels = b"".join(bytes((7 * i * i + label * 50 + k) % 256 for i in range(64)) for k, label in enumerate(labels))
            write_idx(folder / f"{split}-images-idx3-ubyte", 3, (len(labels), 8, 8), pixels)
            write_idx(folder / f"{split}-labels-idx1-ubyte", 1, (len(labels),), labels)
        self.before = set(self.folder.rglob("*"))
        result = self.json_of(DATA, "check", f"idx:{folder}", "--strict", code=3)
        leaks = next(each for each in result["findings"] if each["kind"] == "leaks")
        self.assertEqual((leaks["level"], leaks["count"], leaks["split"]), ("error", 2, "train, test"))
        self.assertEqual(leaks["examples"][0], [{"split": "train", "index": 0}, {"split": "test", "index": 0}])
        self.assertFalse(result["passed"])
        text = self.run_program(DATA, "check", f"idx:{folder}").stdout
        self.assertIn("train 0 = test 0", text)
        self.assertIn("errors were found", text)
        self.nothing_new()

    def test_all_problems_are_listed(self):
        rows = "".join(f"{i},{i % 2}" + (",9" if i < 15 else "") + "\n" for i in range(100))
        path = self.write("rows.csv", "x,y\n" + rows)
        result = self.json_of(DATA, "check", f"csv:{path}?target=y")
        self.assertEqual((result["left_out"], len(result["problems"])), (15, 15))
        self.assertEqual(self.run_program(DATA, "check", f"csv:{path}?target=y").stdout.count("rows.csv:"), 15)

    def test_refused(self):
        self.refuse(2, ['"cvs"', '"csv"'], "check", "cvs:x.csv")
        self.refuse(3, ["none.csv"], "check", "csv:none.csv")
        self.refuse(3, ["short.packed"], "check", f"packed:{self.write('short.packed', 'no header')}")
        self.refuse(2, ["--near", "from 0.5 to 1", '"0.1"'], "check", f"idx:{self.data}", "--near", "0.1")
        self.refuse(2, ["--out with"], "check", f"idx:{self.data}", "--out", "x")


class Packs(DataCase):
    def test_convert(self):
        out = self.folder / "all.packed"
        result = self.json_of(DATA, "convert", f"idx:{self.data}", "--out", out)
        self.assertEqual(result["splits"], {"train": 200, "validation": 0, "test": 80})
        packed, plain = (self.json_of(DATA, "show", ref) for ref in (result["open"], f"idx:{self.data}"))
        self.assertEqual(packed["splits"], plain["splits"])
        self.assertEqual(packed["name"], plain["name"])
        self.refused(7, ["all.packed", "--force"], DATA, "convert", f"idx:{self.data}", "--out", out)
        done = self.run_program(DATA, "convert", f"idx:{self.data}", "--out", out, "--force")
        self.assertIn("280/280", done.stderr)
        self.assertEqual(self.run_program(DATA, "convert", f"idx:{self.data}", "--out", out, "--force", "--quiet").stderr, "")
        out.unlink()

    def test_split(self):
        rows = "".join(f"{i},{i % 3}\n" for i in range(90))
        path = self.write("all.csv", "x,y\n" + rows)
        command = ["split", f"csv:{path}?target=y", "--test", "0.2", "--validation", "0.1", "--quiet"]
        result = self.json_of(DATA, *command, "--out", "a.packed")
        self.assertEqual(result["splits"], {"train": 63, "validation": 9, "test": 18})
        shown = self.json_of(DATA, "show", result["open"])["splits"]
        for split, each in [("train", 21), ("validation", 3), ("test", 6)]:
            self.assertEqual([c["examples"] for c in shown[split]["classes"]], [each] * 3)
        self.assertEqual(sum(shown[s]["columns"][0]["mean"] * shown[s]["examples"] for s in shown), sum(range(90)))
        self.run_program(DATA, *command, "--out", "b.packed")
        self.run_program(DATA, *command, "--out", "c.packed", "--seed", "1")
        a, b, c = ((self.folder / f"{name}.packed").read_bytes() for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)
        for name in "abc":
            (self.folder / f"{name}.packed").unlink()

    def test_split_of_a_set_with_a_test(self):
        result = self.json_of(DATA, "split", f"idx:{self.data}", "--validation", "0.1", "--out", "v.packed", "--quiet")
        self.assertEqual(result["splits"], {"train": 180, "validation": 20, "test": 80})
        (self.folder / "v.packed").unlink()
        self.refuse(2, ["--test", "without a test split"], "split", f"idx:{self.data}", "--test", "0.2", "--out", "x")

    def test_refused(self):
        ref = f"idx:{self.data}"
        self.refuse(2, ["--out FILE"], "convert", ref)
        self.refuse(3, ["/nowhere"], "convert", "idx:/nowhere", "--out", "x")
        self.refuse(7, ["none/x"], "convert", ref, "--out", "none/x")
        self.refuse(7, ["data", "a folder"], "convert", ref, "--out", "data", "--force")
        self.refuse(2, ["--test", "from 0 to 1", '"2"'], "split", ref, "--test", "2", "--out", "x")
        self.refuse(2, ["together below 1"], "split", ref, "--out", "x")
        self.refuse(2, ["together below 1"], "split", ref, "--test", "0.6", "--validation", "0.5", "--out", "x")
        lonely = self.write("lonely.csv", "x,y\n1,a\n2,a\n3,b\n")
        self.refuse(3, ["at least 2 examples", "(b)"], "split", f"csv:{lonely}?target=y", "--test", "0.5", "--out", "x")


class Makes(DataCase):
    def test_made_sets_open(self):
        for name, out, forms in [("two-moons", "m.csv", ["table"]), ("gaussians", "g", ["table", "table"]),
                                 ("shapes", "s.packed", ["pictures"]), ("sines", "s.ts", ["series"])]:
            made = self.json_of(DATA, "make", name, "--count", "40", "--out", out, "--quiet")
            self.assertEqual(made["options"]["count"], 40)
            self.assertEqual([self.json_of(DATA, "show", ref)["form"] for ref in made["open"]], forms, name)

    def test_moons(self):
        done = self.run_program(DATA, "make", "two-moons", "noise=0", "--count", "10", "--out", "plain.csv", "--seed", "4")
        self.assertIn("open it as 'csv:plain.csv?target=moon&test_share=0.25'", done.stdout)
        rows = list(csv.DictReader((self.folder / "plain.csv").read_text().splitlines()))
        self.assertEqual([row["moon"] for row in rows], ["0", "1"] * 5)
        self.refused(7, ["plain.csv", "--force"], DATA, "make", "two-moons", "--out", "plain.csv")
        self.run_program(DATA, "make", "two-moons", "--out", "plain.csv", "--force")

    def test_interrupted(self):
        process = self.start(DATA, "make", "shapes", "side=256", "--count", "100000", "--out", "big.packed", "--json")
        while not process.stderr.read(1):  # the first line of its progress
            pass
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(json.loads(stdout)["error"]["code"], 130)
        self.nothing_new()

    def test_refused(self):
        self.refuse(2, ["NAME after make"], "make", "--out", "x")
        self.refuse(2, ['"two-moon"', '"two-moons"'], "make", "two-moon", "--out", "x")
        self.refuse(2, ['"nois"', '"noise"'], "make", "two-moons", "nois=1", "--out", "x")
        self.refuse(2, ["at least 0", "-1"], "make", "two-moons", "noise=-1", "--out", "x")
        self.refuse(2, ["ends with .ts"], "make", "sines", "--out", "x.csv")
        self.refuse(7, ["none/x"], "make", "two-moons", "--out", "none/x")
        environment = dict(self.environment, PATH="/nowhere")
        self.refuse(2, ["apt-get install espeak-ng"], "make", "spoken-digits", "--out", "x", environment=environment)


class Fetches(DataCase):
    """From a server of our own, by VAETL_MIRROR; the checksums stay those of the table."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        handler_class = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        cls.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *args: handler_class(*args, directory=str(cls.folder / "mirror")))
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        (cls.folder / "mirror" / "iris").mkdir(parents=True)
        cls.environment["VAETL_MIRROR"] = f"http://127.0.0.1:{cls.server.server_port}"
        cls.environment.pop("VAETL_DATA", None)

    def test_refused(self):
        self.refuse(2, ["NAME"], "fetch")
        self.refuse(2, ['"iriss"', '"iris"'], "fetch", "iriss")
        self.refuse(2, ["hymenoptera"], "fetch", "hymenoptera")
        (self.folder / "mirror" / "iris" / "iris.csv").write_text("1,2,3,4,a\n")
        self.before = set(self.folder.rglob("*"))
        done = self.run_program(DATA, "fetch", "iris", "--out", "sets", "--quiet", "--json", code=3)
        self.assertIn("iris.csv", json.loads(done.stdout)["error"]["message"])
        self.assertFalse((self.folder / "sets" / "iris" / "iris.csv").exists())

    def test_a_fetched_set_opens(self):
        shared = os.environ.get("VAETL_TEST_DATA", str(support.pathlib.Path(__file__).parents[2] / "../shared/data"))
        source = support.pathlib.Path(shared) / "tabular" / "iris.csv"
        if not source.exists():
            self.skipTest("shared data are absent")
        (self.folder / "mirror" / "iris" / "iris.csv").write_bytes(source.read_bytes())
        done = self.run_program(DATA, "fetch", "iris")
        self.assertIn("licence", done.stderr)
        self.assertEqual(self.json_of(DATA, "show", "iris")["examples"], 150)
        again = self.json_of(DATA, "fetch", "iris", "--quiet")
        self.assertEqual(again["sets"][0]["files"][0]["state"], "present")
        self.assertEqual(again["sets"][0]["files"][0]["sha256"], hashlib.sha256(source.read_bytes()).hexdigest())


if __name__ == "__main__":
    support.main()
