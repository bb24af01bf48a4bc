"""vaetl-predict from outside. Usage: test_predict_app.py BIN [unittest options]"""
import contextlib
import csv
import io
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import threading
import unittest
import wave

import support
from pictures import write_png
from support import CLASSES, SIDE, Case, read_weights


def write_npy(path, shape, kind, body):
    header = str({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body)


def floats_of(weights, name):
    dtype, shape, body = weights[name]
    assert dtype == "F32"
    values = struct.unpack(f"<{len(body) // 4}f", body)
    return [values[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])] if len(shape) == 2 else list(values)


def linear(x, weight, bias):
    return [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(weight, bias)]


def softmax(logits):
    powers = [math.exp(logit - max(logits)) for logit in logits]
    return [power / sum(powers) for power in powers]


class Predict(Case):
    def rows(self, *arguments, code=0, **options):
        done = self.run_program("vaetl-predict", *arguments, code=code, **options)
        return list(csv.DictReader(io.StringIO(done.stdout))), done.stderr.splitlines()

    def alike(self, found, expected):
        """The same rows; sums in batches of another size differ in their last bits."""
        def rounded(rows):
            return [{key: value if not key.startswith("probability") else None for key, value in row.items()} for row in rows]
        self.assertEqual(rounded(found), rounded(expected))
        for row, other in zip(found, expected):
            for key in filter(lambda key: key.startswith("probability"), row):
                self.assertAlmostEqual(float(row[key]), float(other[key]), delta=1e-5)

    def left_nothing(self, name):
        self.assertFalse((self.folder / name).exists(), "a partial file was left")
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".vaetl-")], [])


class Pictures(Predict):
    """A model of IDX files, which carries no way to read others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        case.run_program("vaetl-train", case.recipe("mlp"), "--quiet", "--out", "mlp")
        case.run_program("vaetl-train", case.recipe("vae", model={"name": "vae", "widths": [8], "latent": 2}, objective="elbo",
                                                    data={"open": f"idx:{cls.data}", "labels": False}, evaluate=None,
                                                    trainer={"steps": 2, "batch_size": 20}), "--quiet", "--out", "vae")
        content = (cls.data / "t10k-images-idx3-ubyte").read_bytes()[16:]
        cls.images = [content[i * SIDE * SIDE:(i + 1) * SIDE * SIDE] for i in range(80)]
        cls.labels = (cls.data / "t10k-labels-idx1-ubyte").read_bytes()[8:]
        for i, image in enumerate(cls.images):
            write_png(cls.folder / "png" / f"{i % 3}" / f"{i:02}.png", SIDE, SIDE, image)
        write_npy(cls.folder / "images.npy", (80, SIDE, SIDE), "|u1", content)

    def expected(self, image):
        """The network in plain Python."""
        weights = self.weights("mlp")
        names = [name[:-len(".weight")] for name in weights if name.endswith(".weight")]
        head = next(name for name in names if "head" in name)
        hidden = next(name for name in names if name != head)
        x = [pixel / 255 for pixel in image]
        h = [max(0, v) for v in linear(x, floats_of(weights, hidden + ".weight"), floats_of(weights, hidden + ".bias"))]
        return softmax(linear(h, floats_of(weights, head + ".weight"), floats_of(weights, head + ".bias")))

    def test_probabilities_are_the_networks(self):
        rows, told = self.rows("mlp", "--data", f"idx:{self.data}", "--top", "4")
        self.assertEqual((len(rows), told), (80, []))
        self.assertEqual(list(rows[0]), ["input", "prediction", "probability", "prediction_2", "probability_2", "prediction_3",
                                         "probability_3", "prediction_4", "probability_4"])
        for i in (0, 1, 41, 79):
            found = {row_class: float(rows[i]["probability" + rank]) for rank in ("", "_2", "_3", "_4")
                     for row_class in [rows[i]["prediction" + rank]]}
            for k, probability in enumerate(self.expected(self.images[i])):
                self.assertAlmostEqual(found[str(k)], probability, delta=2e-5)
            self.assertEqual(sorted(found.values(), reverse=True), list(found.values()))
        accuracy = sum(row["prediction"] == str(label) for row, label in zip(rows, self.labels)) / 80
        scored = self.json_of("vaetl-evaluate", "mlp", "--data", f"idx:{self.data}", "--metrics", "accuracy")
        self.assertAlmostEqual(accuracy, scored["metrics"]["accuracy"], places=6)

    def test_files_folders_arrays_and_sets_agree(self):
        by_set = {int(row["input"]) - 1: row for row in self.rows("mlp", "--data", f"idx:{self.data}")[0]}
        by_array = self.rows("mlp", "images.npy", "--batch", "7")[0]
        self.alike(by_array, list(by_set.values()))
        by_file, told = self.rows("mlp", "png", "--batch", "9")
        self.assertEqual(told, [])
        self.assertEqual([row["input"] for row in by_file], sorted(f"png/{i % 3}/{i:02}.png" for i in range(80)))
        for row in by_file:
            self.alike([{**row, "input": ""}], [{**by_set[int(row["input"][-6:-4])], "input": ""}])
        named = [row["input"] for row in by_file]
        self.alike(self.rows("mlp", *named)[0], by_file)
        self.alike(self.rows("mlp", "-", input="\n".join(named))[0], by_file)
        self.run_program("vaetl-predict", "mlp", "png", "--out", "rows.csv", "--threads", "2", "--batch", "3")
        with open(self.folder / "rows.csv", newline="") as file:
            self.alike(list(csv.DictReader(file)), by_file)

    def test_colour_becomes_the_models_channels(self):
        image = self.images[5]
        write_png(self.folder / "colour.png", SIDE, SIDE, b"".join(bytes([v, v, v]) for v in image), channels=3)
        grey = self.rows("mlp", "png/2/05.png")[0][0]
        self.alike(self.rows("mlp", "colour.png")[0], [{**grey, "input": "colour.png"}])

    def test_json(self):
        lines = self.run_program("vaetl-predict", "mlp", "images.npy", "--format", "jsonl", "--top", "2").stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        self.assertEqual(len(rows), 80)
        self.assertEqual(list(rows[0]), ["input", "prediction", "probability", "prediction_2", "probability_2"])
        found = self.json_of("vaetl-predict", "mlp", "images.npy", "--top", "2")
        self.assertEqual(found, {"model": "mlp", "rows": 80, "left_out": 0, "predictions": rows})
        found = self.json_of("vaetl-predict", "mlp", "images.npy", "--out", "rows.jsonl", "--format", "jsonl", "--top", "2")
        self.assertEqual(found, {"model": "mlp", "rows": 80, "left_out": 0, "out": "rows.jsonl"})
        self.assertEqual((self.folder / "rows.jsonl").read_text().splitlines(), lines)
        self.refused(2, ["--format", "--json"], "vaetl-predict", "mlp", "images.npy", "--format", "csv")

    def test_what_is_read_is_not_replaced(self):
        before = (self.folder / "images.npy").read_bytes()
        self.refused(2, ["--out: expected another file than the one that is read", "images.npy"], "vaetl-predict", "mlp", "images.npy",
                     "--out", str(self.folder / "png" / ".." / "images.npy"))
        self.assertEqual((self.folder / "images.npy").read_bytes(), before)

    def test_numbers_up_to_1_for_a_model_of_bytes_are_doubted(self):
        values = [value / 255 for value in self.images[0]]
        write_npy(self.folder / "shares.npy", (1, SIDE, SIDE), "<f4", struct.pack(f"<{len(values)}f", *values))
        done = self.run_program("vaetl-predict", "mlp", "shares.npy")
        self.assertIn("shares.npy: expected values from 0 to 255, as the model was trained on, found values from 0 to 1; multiply "
                      "them by 255", done.stderr)
        write_npy(self.folder / "bytes.npy", (1, SIDE, SIDE), "<f4", struct.pack(f"<{len(values)}f", *self.images[0]))
        self.assertEqual(self.run_program("vaetl-predict", "mlp", "bytes.npy").stderr, "")

    def test_bad_files_are_told_and_the_others_predicted(self):
        bad = self.folder / "mixed"
        for i in range(6):
            write_png(bad / f"{i}.png", SIDE, SIDE, self.images[i])
        (bad / "1.png").write_bytes((bad / "0.png").read_bytes()[:60])
        write_png(bad / "3.png", SIDE + 1, SIDE, bytes((SIDE + 1) * SIDE))
        (bad / "4.jpg").write_text("no picture")
        (bad / "notes.xml").write_text("other")
        for batch in ("1", "2", "64"):
            rows, told = self.rows("mlp", "mixed", "--batch", batch, code=3)
            self.assertEqual([row["input"] for row in rows], [f"mixed/{i}.png" for i in (0, 2, 4, 5)])
            left_out = [line for line in told if line.startswith("left out: ")]
            self.assertEqual(len(left_out), 3)
            self.assertIn("mixed/1.png", left_out[0])
            self.assertIn("mixed/3.png: expected a picture of 28×28 pixels, as the model reads, found 29×28; resize it", left_out[1])
            self.assertIn("mixed/4.jpg", left_out[2])
            self.assertEqual(told[-1], "3 left out, 4 predicted")
            self.assertTrue(any("1 other file (.xml), ignored" in line or "1 other file (.xml); ignored" in line for line in told), told)
        found = json.loads(self.run_program("vaetl-predict", "mlp", "mixed", "--json", "--quiet", code=3).stdout)
        self.assertEqual((found["rows"], found["left_out"], len(found["predictions"])), (4, 3, 4))
        self.refused(3, ["mixed/1.png"], "vaetl-predict", "mlp", "mixed", "--strict", "--quiet", "--out",
                     "strict.csv")
        self.left_nothing("strict.csv")
        rows, told = self.rows("mlp", "png/0/00.png", "absent.png", "png/0/03.png", code=3)
        self.assertEqual(len(rows), 2)
        self.assertIn("absent.png", told[0])

    def test_a_reader_that_leaves(self):
        """As head does: no word, no error."""
        process = subprocess.Popen(self.command("vaetl-predict", "mlp", "-", "--batch", "1"), cwd=self.folder, env=self.environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def feed():
            try:
                for _ in range(100_000):
                    process.stdin.write(b"png/0/00.png\n")
                process.stdin.close()
            except BrokenPipeError:
                pass
        feeder = threading.Thread(target=feed)
        feeder.start()
        self.assertTrue(process.stdout.readline().startswith(b"input,"))
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), 0)
        feeder.join()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()

    def test_rows_come_while_the_input_is_open(self):
        process = subprocess.Popen(self.command("vaetl-predict", "mlp", "-", "--batch", "1"), cwd=self.folder, env=self.environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"png/0/00.png\n")
        process.stdin.flush()
        self.assertTrue(process.stdout.readline().startswith(b"input,"))
        self.assertTrue(process.stdout.readline().startswith(b"png/0/00.png,"))
        process.stdin.close()
        self.assertEqual(process.wait(timeout=60), 0)
        process.stdout.close()

    def test_refusals(self):
        def refused(code, parts, *arguments):
            self.refused(code, parts, "vaetl-predict", *arguments, "--out", "bad.csv")
            self.left_nothing("bad.csv")
        refused(2, ["predict: expected a model with a head", '"vae"', "vaetl-encode"], "vae", "png")
        refused(2, ["--data REF", "neither"], "mlp")
        refused(2, ["--data REF", "both"], "mlp", "png", "--data", f"idx:{self.data}")
        refused(2, ["--split"], "mlp", "png", "--split", "test")
        refused(2, ["top", "4 classes", "5"], "mlp", "png", "--top", "5")
        refused(2, ["--top", "from 1", '"0"'], "mlp", "png", "--top", "0")
        refused(2, ["format", '"xml"'], "mlp", "png", "--format", "xml")
        refused(3, ["absent.png", "No such file"], "mlp", "absent.png")
        refused(3, ["absent.png", "2 inputs were left out"], "mlp", "absent.png", "other.png")
        write_npy(self.folder / "other.npy", (2, 5), "<f4", struct.pack("<10f", *range(10)))
        refused(3, ["(N, 1, 28, 28)", "(2, 5)"], "mlp", "other.npy")
        refused(3, ["empty", "pictures"], "mlp", self.empty_folder())
        refused(4, ["nothing-there"], "nothing-there", "png")
        refused(5, ["cuda:99"], "mlp", "png", "--device", "cuda:99")
        self.refused(7, ["absent/rows.csv"], "vaetl-predict", "mlp", "png", "--out", "absent/rows.csv")
        self.refused(2, ["MODEL FILE… or -", "nothing"], "vaetl-predict")

    def empty_folder(self):
        (self.folder / "empty").mkdir(exist_ok=True)
        return "empty"

    def test_values_that_are_not_finite(self):
        values = [float(v) for image in self.images[:3] for v in image]
        values[SIDE * SIDE + 7] = math.nan
        write_npy(self.folder / "gaps.npy", (3, 1, SIDE, SIDE), "<f4", struct.pack(f"<{len(values)}f", *values))
        rows, told = self.rows("mlp", "gaps.npy", code=3)
        self.assertEqual([row["input"] for row in rows], ["1", "3"])
        self.assertIn("gaps.npy: row 2: expected finite values", told[0])
        self.alike(rows[:1], self.rows("mlp", "images.npy")[0][:1])


class Tables(Predict):
    TOWNS = ["Bonn", "Ulm", "Köln"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        draw = random.Random(5)
        lines = ["age,town,size,kind,weight"]
        for _ in range(300):
            age, town = draw.randrange(20, 80), draw.choice(cls.TOWNS)
            kind = "old, rich" if age > 50 else "young"
            lines.append(f'{age},{town},{draw.random():.3f},"{kind}",{2 * age + cls.TOWNS.index(town)}')
        (cls.folder / "table.csv").write_text("\n".join(lines) + "\n")
        train = {"steps": 150, "batch_size": 50, "optimizer": {"name": "adamw", "lr": 0.01}}
        recipe = case.recipe("kinds", data={"open": f"csv:{cls.folder}/table.csv?target=kind&ignore=weight"},
                             model={"name": "mlp", "widths": [16]}, trainer=train, evaluate=None)
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "kinds")
        recipe = case.recipe("weights", data={"open": f"csv:{cls.folder}/table.csv?target=weight&task=values&ignore=kind"},
                             model={"name": "mlp", "widths": [16]}, trainer=train, objective="squared_error", evaluate=None)
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "weights")

    def test_columns_by_name_without_the_target(self):
        new = "size,age,extra,town\n0.5,70,x,Ulm\n0.1,22,y,Bonn\n0.2,71,z,Köln\n"
        (self.folder / "new.csv").write_text(new)
        rows, told = self.rows("kinds", "new.csv")
        self.assertEqual(told, [])
        self.assertEqual([(row["input"], row["prediction"]) for row in rows], [("1", "old, rich"), ("2", "young"), ("3", "old, rich")])
        self.assertEqual(self.rows("kinds", "-", input=new)[0], rows)
        both = self.rows("kinds", "new.csv", "new.csv")[0]
        self.assertEqual([row["input"] for row in both], [f"new.csv:{i}" for i in (1, 2, 3)] * 2)

    def test_as_the_reader_of_labelled_data_reads_them(self):
        by_set = self.rows("kinds", "--data", "csv:table.csv")[0]
        for batch in ("1", "7", "300"):
            self.alike(self.rows("kinds", "table.csv", "--batch", batch)[0], by_set)

    def test_values_in_their_own_units(self):
        new = "size,age,town\n0.5,70,Ulm\n0.1,30,Bonn\n"
        rows = self.rows("weights", "-", input=new)[0]
        self.assertEqual(list(rows[0]), ["input", "weight"])
        self.assertAlmostEqual(float(rows[0]["weight"]), 141, delta=15)
        self.assertAlmostEqual(float(rows[1]["weight"]), 60, delta=15)
        self.refused(2, ["top", "values"], "vaetl-predict", "weights", "table.csv", "--top", "2")

    def test_outputs_that_are_no_numbers(self):
        text = "size,age,town\n0.5,70,Ulm\n3e38,-3e38,Ulm\n0.1,22,Bonn\n"
        for model in ("kinds", "weights"):
            rows, told = self.rows(model, "-", input=text, code=3)
            self.assertEqual([row["input"] for row in rows], ["1", "3"])
            self.assertIn("input 2: expected finite outputs", told[0])
            self.assertEqual(told[1], "1 left out, 2 predicted")
        self.refused(3, ["input 1: expected finite outputs"], "vaetl-predict", "kinds", "-", input="size,age,town\n3e38,-3e38,Ulm\n")

    def test_bad_rows_in_the_middle(self):
        good = ["0.5,70,Ulm", "0.1,22,Bonn", "0.2,71,Nowhere"]
        text = "size,age,town\n" + "\n".join([good[0], "0.1,22", "many,22,Bonn", good[1], '0.1,"22,Bonn', good[2]]) + "\n"
        for batch in ("1", "2", "100"):
            rows, told = self.rows("kinds", "-", "--batch", batch, input=text, code=3)
            self.assertEqual([row["input"] for row in rows], ["1", "4", "6"])
            self.assertEqual(len(told), 4, told)
            self.assertIn("standard input:3: expected 3 values, found 2", told[0])
            self.assertIn('standard input:4: expected a number in column "size", found "many"', told[1])
            self.assertIn("standard input:6", told[2])
            self.assertEqual(told[3], "3 left out, 3 predicted")
        self.refused(3, ["standard input:3"], "vaetl-predict", "kinds", "-", "--strict", input=text)

    def test_a_table_of_other_columns(self):
        self.refused(3, ["names of the columns"], "vaetl-predict", "kinds", "-", input="1,2,3\n4,5,6\n")
        self.refused(3, ['a column "town"'], "vaetl-predict", "kinds", "-", input="size,age\n4,5\n")
        self.refused(3, ["rows of a table", "none"], "vaetl-predict", "kinds", "-", input="")

    def test_memory_does_not_grow_with_the_rows(self):
        """300 000 rows through a pipe: what no file backs stays where it was after the first thousands."""
        process = subprocess.Popen(self.command("vaetl-predict", "kinds", "-"), cwd=self.folder, env=self.environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def anonymous():
            """In MB; a process that is ending has none."""
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"RssAnon:\s*(\d+)", status)
            return int(found[1]) / 1024 if found else 0

        def feed():
            process.stdin.write(b"size,age,town\n")
            block = "".join(f"0.{i % 1000:03},{20 + i % 60},{self.TOWNS[i % 3]}\n" for i in range(10_000)).encode()
            for _ in range(30):
                process.stdin.write(block)
            process.stdin.close()
        feeder = threading.Thread(target=feed)
        feeder.start()
        count, early, late = 0, 0, 0
        for line in process.stdout:
            count += 1
            if count == 20_000:
                early = anonymous()
            if count > 20_000 and count % 20_000 == 0 and process.poll() is None:
                late = max(late, anonymous())
        feeder.join()
        self.assertEqual(process.wait(timeout=60), 0)
        process.stdout.close()
        self.assertEqual(count, 300_001)
        self.assertLess(late - early, 8, f"MB after 20 000 rows {early}, at most {late}")


class Texts(Predict):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        draw = random.Random(2)
        words = {"good": ["fine", "nice", "great", "lovely"], "bad": ["awful", "dull", "poor", "ugly"]}
        lines = [f"{label}\t{' '.join(draw.choices(words[label] + ['the', 'film', 'was'], k=6))} {draw.choice(words[label])}"
                 for label in ("good", "bad") for _ in range(100)]
        (cls.folder / "films.tsv").write_text("\n".join(lines) + "\n")
        recipe = case.recipe("films", data={"open": f"lines:{cls.folder}/films.tsv", "preprocess": [{"name": "bag"}]},
                             model={"name": "mlp", "widths": [8]}, evaluate=None,
                             trainer={"steps": 100, "batch_size": 40, "optimizer": {"name": "adamw", "lr": 0.02}})
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "films")
        recipe = case.recipe("writer", data={"open": f"text:{cls.folder}/films.tsv?by=character&window=8", "order": "lanes"},
                             model={"name": "lstm", "hidden": 8, "per_step": True}, objective="language_model", evaluate=None,
                             trainer={"steps": 1, "batch_size": 2})
        case.run_program("vaetl-train", recipe, "--quiet", "--out", "writer")

    def test_a_text_a_line(self):
        text = "what a lovely, nice film\n\ndull and poor\nunheard words\n"
        rows, told = self.rows("films", "-", input=text)
        self.assertEqual([row["input"] for row in rows], ["1", "3", "4"])
        self.assertEqual([row["prediction"] for row in rows[:2]], ["good", "bad"])
        self.assertGreater(float(rows[0]["probability"]), 0.8)
        (self.folder / "new.txt").write_text(text)
        self.assertEqual(self.rows("films", "new.txt")[0], rows)
        by_set = self.rows("films", "--data", "lines:films.tsv")[0]
        (self.folder / "bare.txt").write_text("\n".join(line.split("\t")[1] for line in (self.folder / "films.tsv").read_text().splitlines()))
        self.alike(self.rows("films", "bare.txt", "--batch", "17")[0], by_set)

    def test_bytes_that_are_no_text(self):
        done = subprocess.run(self.command("vaetl-predict", "films", "-"), input=b"nice\n\xff\xfe\ndull\n", capture_output=True,
                              cwd=self.folder, env=self.environment)
        self.assertEqual(done.returncode, 3)
        self.assertEqual([line.split(b",")[0] for line in done.stdout.splitlines()], [b"input", b"1", b"3"])
        self.assertIn(b"standard input:2: expected a line of text", done.stderr)

    def test_a_language_model_is_refused(self):
        self.refused(2, ["a model with a head", "vaetl-generate"], "vaetl-predict", "writer", "-", input="x\n")


class Sounds(Predict):
    def write_tone(self, path, hertz, seconds=0.25, rate=8000):
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(b"".join(struct.pack("<h", int(20000 * math.sin(2 * math.pi * hertz * t / rate)))
                                      for t in range(int(seconds * rate))))

    def test_sound_files(self):
        for i in range(8):
            self.write_tone(self.folder / "tones" / "low" / f"{i}.wav", 200 + 10 * i)
            self.write_tone(self.folder / "tones" / "high" / f"{i}.wav", 2000 + 50 * i)
        recipe = self.recipe("tones", data={"open": f"sound:{self.folder}/tones?rate=8000&seconds=0.25"}, evaluate=None,
                             model={"name": "mlp", "widths": [8]},
                             trainer={"steps": 60, "batch_size": 8, "optimizer": {"name": "adamw", "lr": 0.02}})
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "tones-model")
        self.write_tone(self.folder / "new" / "a.wav", 230, seconds=0.5, rate=16000)
        self.write_tone(self.folder / "new" / "b.wav", 2200, seconds=0.1)
        rows, told = self.rows("tones-model", "new")
        self.assertEqual([(row["input"], row["prediction"]) for row in rows], [("new/a.wav", "low"), ("new/b.wav", "high")])
        by_set = self.rows("tones-model", "--data", "sound:tones")[0]
        by_file = self.rows("tones-model", "tones")[0]
        self.alike([{**row, "input": ""} for row in by_file], [{**row, "input": ""} for row in by_set])
        (self.folder / "new" / "b.wav").write_bytes(b"RIFF")
        rows, told = self.rows("tones-model", "-", input="new/a.wav\nnew/b.wav\n", code=3)
        self.assertEqual((len(rows), len(told)), (1, 2))


class SeriesWindows(Predict):
    def test_forecasts(self):
        lines = ["time,level,other"] + [f"{t},{math.sin(t / 5):.5f},{t % 3}" for t in range(400)]
        (self.folder / "series.csv").write_text("\n".join(lines) + "\n")
        recipe = self.recipe("forecast", data={"open": f"series:{self.folder}/series.csv?window=20&horizon=2&target=level"},
                             model={"name": "lstm", "hidden": 8}, objective="squared_error", evaluate=None,
                             trainer={"steps": 150, "batch_size": 32, "optimizer": {"name": "adamw", "lr": 0.02}})
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "forecast")
        new = ["time,level,other"] + [f"{t},{math.sin(t / 5):.5f},{t % 3}" for t in range(1000, 1030)]
        text = "\n".join(new) + "\n"
        rows, told = self.rows("forecast", "-", input=text)
        self.assertEqual(list(rows[0]), ["input", "level+1", "level+2"])
        self.assertEqual([row["input"] for row in rows], [str(line) for line in range(21, 32)])  # of each window's last row
        for row in rows:
            t = 1000 + int(row["input"]) - 2
            self.assertAlmostEqual(float(row["level+1"]), math.sin((t + 1) / 5), delta=0.35)
        self.refused(3, ["windows of 20 complete rows"], "vaetl-predict", "forecast", "-", input="\n".join(new[:10]) + "\n")


class FoldersOfPictures(Predict):
    def test_the_models_own_size(self):
        """Preprocessing that resizes reads any size."""
        draw = random.Random(9)
        for label, bright in (("dark", 40), ("light", 200)):
            for i in range(12):
                width, height = draw.randrange(8, 14), draw.randrange(8, 14)
                write_png(self.folder / "photos" / label / f"{i}.png", width, height,
                          bytes(min(255, bright + draw.randrange(50)) for _ in range(width * height * 3)), channels=3)
        recipe = self.recipe("photos", data={"open": f"folder:{self.folder}/photos?size=[8,8]"}, evaluate=None,
                             model={"name": "mlp", "widths": [8]},
                             trainer={"steps": 60, "batch_size": 8, "optimizer": {"name": "adamw", "lr": 0.02}})
        self.run_program("vaetl-train", recipe, "--quiet", "--out", "light")
        by_set = self.rows("light", "--data", "folder:photos")[0]
        by_file, told = self.rows("light", "photos", "--batch", "5")
        self.assertEqual(told, [])
        self.alike([{**row, "input": ""} for row in by_file], [{**row, "input": ""} for row in by_set])
        self.assertTrue(all(row["prediction"] in row["input"] for row in by_file))


class Examples(Predict):
    def test_the_helps_example_runs(self):
        self.run_program("vaetl-train", self.recipe("cnn"), "--quiet", "--out", "runs/cnn")
        for i in range(3):
            write_png(self.folder / "photos" / f"{i}.png", SIDE, SIDE, bytes(SIDE * SIDE))
        words = self.run_program("vaetl-predict", "--help").stdout.split("\nExample:\n")[1].split()
        self.assertEqual(words[0], "vaetl-predict")
        self.run_program(*words)
        self.assertEqual(len((self.folder / words[words.index("--out") + 1]).read_text().splitlines()), 4)


if __name__ == "__main__":
    support.main()
