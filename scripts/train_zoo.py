"""Trains entries of the zoo again, each by its own recipe, and tells whether their metrics return.

A metric returns if it lies in the card's interval, or within 1 % of the card's value where that is wider: on the same
processor with as many threads a training repeats to the bit, on another one rounding differs from the first step on.
"""
import argparse
import json
import pathlib
import sys

root = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "scripts" / "experiments"))
from programs import program  # noqa: E402

relative_tolerance = 0.01
made_sets = {"packed:shapes.safetensors": ["make", "shapes", "count=20000", "colour=false", "--seed", "0"]}


def data_of(given, recipe):
    """What the recipe reads; sets that are generated are made first."""
    data = recipe["data"]["open"]
    if data not in made_sets:
        return data
    file = given.out / data.partition(":")[2]
    if not file.exists():
        program(given, "vaetl-data", *made_sets[data], "--out", file)
    return f"packed:{file}"


def measured(given, entry, card, data):
    """The metrics of the new weights, measured as those of the card."""
    ordinary = [name for name, metric in card["metrics"].items() if not metric.get("judge")]
    words = ["--measure", ",".join(ordinary)] if ordinary else []
    judges = {metric["judge"] for metric in card["metrics"].values() if metric.get("judge")}
    for judge in judges:
        words += ["--judge", judge]
    if card.get("base"):
        words += ["--delta", "--base-model", card["base"]["name"]]
    program(given, "vaetl-zoo", "add", entry, "--name", card["name"], "--data", data, *words,
            VAETL_ZOO=f"{given.out / 'entries'}:{root / 'zoo'}")
    return json.loads((given.out / "entries" / card["name"] / "model.json").read_text())["metrics"]


def tolerance(metric):
    interval = metric.get("interval")
    half = (interval["high"] - interval["low"]) / 2 if interval else 0
    return max(half, relative_tolerance * abs(metric["value"]))


def retrain(given, name):
    folder = root / "zoo" / name
    card = json.loads((folder / "model.json").read_text())
    if not (folder / "recipe.json").exists():
        return [(name, "-", "", "", "", "imported: nothing to train")]
    recipe = json.loads((folder / "recipe.json").read_text())
    data, run = data_of(given, recipe), given.out / name
    threads = card["training"].get("threads", 1)
    program(given, "vaetl-train", folder / "recipe.json", f"data.open={json.dumps(data)}", "evaluate=[]", "--threads", threads, "--out", run,
            *(["--resume"] if given.resume else []))
    again = measured(given, run, card, data)
    rows = []
    for metric, told in sorted(card["metrics"].items()):
        found = again[metric]["value"] if metric in again else float("nan")
        returns = abs(found - told["value"]) <= tolerance(told)
        rows.append((name, metric, f"{told['value']:.5g}", f"{found:.5g}", f"{tolerance(told):.2g}", "yes" if returns else "NO"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every entry")
    parser.add_argument("--out", type=pathlib.Path, default=root / "runs" / "zoo", help="for runs and new entries (runs/zoo)")
    parser.add_argument("--bin", type=pathlib.Path, default=root / "build" / "release" / "bin", help="the programs (build/release/bin)")
    parser.add_argument("--resume", action="store_true", help="go on with interrupted trainings")
    given = parser.parse_args()
    known = sorted(path.parent.name for path in (root / "zoo").glob("*/model.json"))
    names = known if given.all else given.names
    if not names or set(names) - set(known):
        parser.error(f"expected names of entries (--all for every one): {', '.join(known)}")
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{'entry':34} {'metric':22} {'card':>10} {'again':>10} {'tolerance':>10}  returns", flush=True)
    lost = 0
    for name in names:
        for row in retrain(given, name):
            print("{:34} {:22} {:>10} {:>10} {:>10}  {}".format(*row), flush=True)
            lost += row[-1] == "NO"
    sys.exit(1 if lost else 0)


main()
