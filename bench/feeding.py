"""What reading costs a training: the same recipe from the files as they are and from one packed file, with and without threads
that work ahead. Of each the median over the repeats of the seconds of training and of the share of them that it waited for
batches; the weights must be the same everywhere.

    python bench/feeding.py [--data FOLDER] [--repeats 3] [--threads 1] [--json]
"""
import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SETS = {"mnist": ("mlp", 256, 2), "hymenoptera": ("cnn", 32, 2)}  # model, batch size, epochs


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("VAETL_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def references(name, data, folder, binaries):
    """The set as its files are, decoded at the batch where it has any to decode, and packed."""
    if name == "mnist":
        files = f"idx:{data / 'mnist'}"
    else:
        with tarfile.open(data / "hymenoptera" / "hymenoptera_data.tar") as archive:
            archive.extractall(folder, filter="data")
        files = f"folder:{folder / 'hymenoptera_data'}?size=[128,128]&memory=0"
    packed = folder / f"{name}.packed"
    run([binaries / "vaetl-data", "convert", files, "--out", packed, "--json"])
    return {"files": files, "packed": f"packed:{packed}"}


def train(reference, workers, name, folder, options):
    model, batch_size, epochs = SETS[name]
    shape = [1, 28, 28] if name == "mnist" else [3, 128, 128]
    recipe = {"name": "feeding", "data": {"open": reference},
              "model": {"name": model, "input": shape, "classes": 10 if name == "mnist" else 2}, "objective": "cross_entropy",
              "trainer": {"epochs": epochs, "batch_size": batch_size, "workers": workers}}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    out = tempfile.mkdtemp(dir=folder)
    told = run([options.bin / "vaetl-train", folder / "recipe.json", "--out", pathlib.Path(out) / "run", "--threads",
                options.threads, "--device", "cpu", "--quiet", "--json"])
    weights = (pathlib.Path(out) / "run" / "model" / "model.safetensors").read_bytes()
    return told["seconds"], told["waiting_share"], hashlib.sha256(weights).hexdigest()


def measure(name, folder, options):
    sides = {(kind, workers): [] for kind in ("files", "packed") for workers in (0, 2)}
    found = references(name, options.data, folder, options.bin)
    for _ in range(options.repeats):
        for kind, workers in sides:
            sides[kind, workers].append(train(found[kind], workers, name, folder, options))
    assert len({told[2] for side in sides.values() for told in side}) == 1, "the weights differ"
    return [{"set": name, "from": kind, "workers": workers,
             "seconds": statistics.median(told[0] for told in side), "waiting": statistics.median(told[1] for told in side)}
            for (kind, workers), side in sides.items()]


def main():
    options = arguments()
    rows = []
    for name in SETS:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(name, pathlib.Path(folder), options)
    if options.json:
        print(json.dumps(rows))
        return
    print("set          from    workers  seconds  waiting")
    for row in rows:
        print(f"{row['set']:<12} {row['from']:<7} {row['workers']:>7}  {row['seconds']:7.2f}  {100 * row['waiting']:5.1f} %")


main()
