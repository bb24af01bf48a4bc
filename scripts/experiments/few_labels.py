#!/usr/bin/env python3
"""What is a source worth with few labels, and which method makes the most of it?

One small network on Fashion-MNIST and MNIST with 1 to 100 labels a class: from scratch, and from encoders that learnt from the set's own
60,000 pictures without labels (recipes/small-*.json). Every method searches as many settings inside the labels at hand (vaetl-sweep):

    python3 scripts/experiments/few_labels.py --out runs/few-labels --plot docs/images/few-labels-methods.svg

What is done is not done again. OUT holds SET-SOURCE/ (the encoders), SET-PART/ (sweeps) and result.json; tables are printed in Markdown.
"""
import argparse
import json
import math
import pathlib

from programs import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = {"autoencoder": "autoencoder", "denoising-autoencoder": "denoising autoencoder", "vae": "VAE", "simclr": "SimCLR"}
METHODS = ["linear_probe", "knn", "fine_tune", "gradual", "l2_sp", "lora"]
NO_FLIPS = [{"name": "shift", "pixels": 2}, {"name": "crop", "scale": [0.5, 1]}, {"name": "brightness", "brightness": 0.4}]
CHANGES = {("mnist", "simclr"): [f"data.augment={json.dumps(NO_FLIPS)}"]}  # a digit in a mirror is another one, or none


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["fashion-mnist", "mnist"])
    parser.add_argument("--labels", type=int, nargs="+", default=[1, 5, 10, 50, 100], help="a class")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.003, 0.001, 0.01], help="to choose from; the first at one label")
    parser.add_argument("--pulls", type=float, nargs=2, default=[0.01, 0.1], help="l2_sp's alpha, each with the first two rates")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"), help="where the programs lie")
    parser.add_argument("--plot", help="an SVG file")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def pretrain(given, data, source):
    out = pathlib.Path(given.out) / f"{data}-{source}"
    begun = ["--resume"] if (out / "recipe.json").exists() else []
    program(given, "vaetl-train", ROOT / f"recipes/small-{source}.json", f"data.open={data}", *CHANGES.get((data, source), []),
            "--out", out, "--threads", 1, *begun)
    return out


def recipe(given, data, ways, search=None):
    sweep = {"ways": ways, "vary": {"data.take_per_class": given.labels}, "seeds": given.seeds, "metric": "accuracy"}
    if search:
        sweep["search"] = {"grid": search, "folds": 2, "metric": "accuracy"}
    first = next(iter(ways.values()))["transfer.from"]
    return {"name": "few-labels", "data": {"open": data}, "transfer": {"from": first, "heads": [{"classes": 10}]},
            "objective": "cross_entropy", "trainer": {"steps": given.steps, "batch_size": 64, "optimizer": "adamw"},
            "evaluate": ["accuracy"], "sweep": sweep}


def ways_of(given, data, methods, **more):
    folder = pathlib.Path(given.out)
    return {f"{source}-{method}": {"transfer.from": str(folder / f"{data}-{source}"), "transfer.method": method, **more}
            for source in SOURCES for method in methods}


def sweeps(given, data):
    """Part → recipe. A probe has nothing to search but its penalty, which it chooses by itself; l2_sp's pull is a setting of its own."""
    rates = {"trainer.optimizer.lr": given.rates}
    pulls = [["cross_entropy", {"name": "l2_sp", "alpha": alpha, "beta": 0.01}] for alpha in given.pulls]
    probe = {"trainer.steps": 0, "evaluate": ["accuracy", "knn"]}
    scratch = {"scratch": {"transfer.from": str(pathlib.Path(given.out) / f"{data}-simclr"), "transfer.method": "scratch"}}
    trained = {**scratch, **ways_of(given, data, ["fine_tune", "gradual", "lora"])}
    return {"probe": recipe(given, data, ways_of(given, data, ["linear_probe"], **probe)),
            "train": recipe(given, data, trained, rates),
            "l2_sp": recipe(given, data, ways_of(given, data, ["l2_sp"]),
                            {"objective": pulls, "trainer.optimizer.lr": given.rates[:2]})}


def run_sweep(given, data, part, content):
    out = pathlib.Path(given.out) / f"{data}-{part}"
    file = out.with_suffix(".json")
    file.write_text(json.dumps(content, indent=2))
    return program(given, "vaetl-sweep", file, "--out", out, "--jobs", given.jobs, "--threads", 1)["points"]


def collect(points):
    """(source, method) → labels → accuracies by seed."""
    table = {}
    for point in points:
        source, _, method = point["way"].rpartition("-")
        labels = point["vary"]["data.take_per_class"]
        for metric, value in point["metrics"].items():
            key = (source, "knn" if metric == "knn" else method)
            table.setdefault(key, {}).setdefault(labels, {})[point["seed"]] = value
    return table


def mean(values):
    return sum(values) / len(values)


def spread(values):
    return math.sqrt(sum((v - mean(values)) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else 0.0


def labels_in(table):
    return sorted(table[("", "scratch")])


def markdown(data, table):
    counts = labels_in(table)
    best = {labels: max(mean(row[labels].values()) for row in table.values()) for labels in counts}
    lines = [f"| {data}, labels a class | " + " | ".join(map(str, counts)) + " |", "|---" * (len(counts) + 1) + "|"]
    order = [("", "scratch")] + [(source, method) for source in SOURCES for method in METHODS]
    for source, method in order:
        name = f"{SOURCES[source]}: `{method}`" if source else "the network from scratch"
        cells = []
        for labels in counts:
            values = list(table[(source, method)][labels].values())
            text = f"{100 * mean(values):.1f} ± {100 * spread(values):.1f}"
            cells.append(f"**{text}**" if mean(values) == best[labels] else text)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


COLOURS = {"linear_probe": "#1f77b4", "knn": "#17becf", "fine_tune": "#d62728", "gradual": "#ff7f0e",
           "l2_sp": "#9467bd", "lora": "#2ca02c"}
WIDTH, HEIGHT, LEFT, TOP, GAP, STEP = 220, 190, 46, 64, 18, 5


def element(name, content=None, **attributes):
    words = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f"<{name}{words}/>" if content is None else f"<{name}{words}>{content}</{name}>"


def gain(table, source, method, labels):
    """Points above the network from scratch."""
    return 100 * (mean(table[(source, method)][labels].values()) - mean(table[("", "scratch")][labels].values()))


def panel(table, source, x0, y0, low, high):
    """One source's methods: what they gain over labels, the latter on a logarithmic axis."""
    counts = labels_in(table)
    first, last = math.log(counts[0]), math.log(counts[-1])
    def x(labels): return x0 + 10 + (WIDTH - 20) * (math.log(labels) - first) / max(last - first, 1e-9)
    def y(points): return y0 + HEIGHT * (high - points) / (high - low)
    parts = [element("rect", x=x0, y=y0, width=WIDTH, height=HEIGHT, fill="none", stroke="#cccccc")]
    for value in range(low, high + 1, STEP):
        colour = "#777777" if value == 0 else "#eeeeee"
        parts.append(element("line", x1=x0, x2=x0 + WIDTH, y1=f"{y(value):.1f}", y2=f"{y(value):.1f}", stroke=colour))
    for method in METHODS:
        points = [(x(labels), y(gain(table, source, method, labels))) for labels in counts]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(element("polyline", points=path, fill="none", stroke=COLOURS[method], stroke_width=1.6))
        parts += [element("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=2, fill=COLOURS[method]) for px, py in points]
    for labels in counts:
        parts.append(element("text", labels, x=f"{x(labels):.1f}", y=y0 + HEIGHT + 13, text_anchor="middle"))
    return parts


def legend():
    parts = []
    for i, method in enumerate(METHODS):
        x = LEFT + 118 * i
        parts.append(element("line", x1=x, x2=x + 22, y1=16, y2=16, stroke=COLOURS[method], stroke_width=2))
        parts.append(element("text", method, x=x + 27, y=20))
    return parts


def plot(tables):
    parts, width, height = legend(), LEFT + len(SOURCES) * (WIDTH + GAP), TOP + len(tables) * (HEIGHT + 52)
    for row, (data, table) in enumerate(tables.items()):
        gains = [gain(table, *key, labels) for key in table for labels in labels_in(table)]
        low, high = math.floor(min(gains) / STEP) * STEP, math.ceil(max(gains) / STEP) * STEP
        y0 = TOP + row * (HEIGHT + 52)
        for value in range(low, high + 1, STEP):
            y = y0 + HEIGHT * (high - value) / (high - low) + 4
            parts.append(element("text", f"{value:+d}" if value else 0, x=LEFT - 6, y=f"{y:.1f}", text_anchor="end"))
        for column, source in enumerate(SOURCES):
            x0 = LEFT + column * (WIDTH + GAP)
            parts.append(element("text", f"{data}: {SOURCES[source]}", x=x0 + WIDTH / 2, y=y0 - 8, text_anchor="middle", font_weight="bold"))
            parts += panel(table, source, x0, y0, low, high)
    parts.append(element("text", "labels a class → points of accuracy above the network from scratch", x=width / 2, y=height - 8,
                         text_anchor="middle"))
    body = "\n".join([element("rect", width="100%", height="100%", fill="white"), *parts])
    return element("svg", "\n" + body + "\n", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", font_family="sans-serif",
                   font_size=11) + "\n"


def run(given, data):
    for source in SOURCES:
        pretrain(given, data, source)
    return [point for part, content in sweeps(given, data).items() for point in run_sweep(given, data, part, content)]


def main():
    given = arguments()
    file = pathlib.Path(given.out) / "result.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    result = json.loads(file.read_text()) if file.exists() else {}  # sets may be run one by one
    for data in given.sets:
        result[data] = run(given, data)
        file.write_text(json.dumps(result, indent=2))
        print(markdown(data, collect(result[data])) + "\n", flush=True)
    if given.plot:
        pathlib.Path(given.plot).write_text(plot({data: collect(points) for data, points in result.items()}))


if __name__ == "__main__":
    main()
