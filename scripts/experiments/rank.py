#!/usr/bin/env python3
"""Do scores that train nothing foresee which source is best after fine-tuning?

Ranks the sources (vaetl-zoo rank), fine-tunes each with an equal search for its settings inside the labels at hand
(vaetl-sweep, which goes on where it was stopped), and gives Kendall's tau between each score and the mean test accuracy:

    python3 scripts/experiments/rank.py runs/a runs/b … --data fashion-mnist --labels-per-class 10 --out runs/rank-fashion

OUT holds ranking.json, sweep/, accuracies.json and result.json; the table is printed in Markdown.
"""
import argparse
import json
import pathlib
import sys

from programs import program

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="zoo names, run folders, weights files: at least eight for a tau worth telling")
    parser.add_argument("--data", required=True, help="the task, such as fashion-mnist")
    parser.add_argument("--labels-per-class", type=int, default=10)
    parser.add_argument("--ranking-labels", type=int, default=0, help="a class, that the scores see; as many as are trained on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--method", default="fine_tune")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-4, 3e-3], help="to choose from, for every source")
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"), help="where the programs lie")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def rank(given, sources, *more):
    labels = given.ranking_labels or given.labels_per_class
    return program(given, "vaetl-zoo", "rank", *sources, "--data", given.data, "--labels-per-class", labels, "--cache",
                   pathlib.Path(given.out) / "features", *more)


def classes_of(given):
    return len(program(given, "vaetl-data", "show", given.data)["splits"]["train"]["classes"])


def sweep_recipe(given, sources, classes):
    """One way a source; everything else is the same, the search too."""
    transfer = {"from": sources[0], "heads": [{"classes": classes}], "method": given.method}
    return {
        "name": "rank", "data": {"open": given.data, "take_per_class": given.labels_per_class}, "transfer": transfer,
        "objective": "cross_entropy", "trainer": {"steps": given.steps, "batch_size": 64}, "evaluate": ["accuracy"],
        "sweep": {"ways": {name.replace("/", "-"): {"transfer.from": name} for name in sources}, "seeds": given.seeds,
                  "metric": "accuracy",
                  "search": {"grid": {"trainer.optimizer": [{"name": "adamw", "lr": rate} for rate in given.rates]}}}}


def accuracies(given, sources, classes):
    out = pathlib.Path(given.out)
    recipe = out / "sweep.json"
    recipe.write_text(json.dumps(sweep_recipe(given, sources, classes), indent=2))
    report = program(given, "vaetl-sweep", recipe, "--out", out / "sweep")
    means = {row["way"]: (row["mean"], row["spread"]) for row in report["summary"]}
    return {name: means[name.replace("/", "-")] for name in sources}


def table(ranking, reached, kendall):
    scores = list(kendall)
    lines = ["| source | " + " | ".join(scores) + " | seconds | accuracy after fine-tuning |", "|---" * (len(scores) + 3) + "|"]
    for row in sorted(ranking, key=lambda row: -reached[row["source"]][0]):
        values = ["n/a" if row["scores"][s] is None else f"{row['scores'][s]:.4f}" for s in scores]
        mean, spread = reached[row["source"]]
        text = f"{100 * mean:.2f}" + (f" ± {100 * spread:.2f}" if spread is not None else "")
        lines.append(f"| {row['source']} | " + " | ".join(values) + f" | {row['seconds']:.1f} | {text} |")
    taus = ["n/a" if kendall[s]["tau"] is None else f"{kendall[s]['tau']:.2f}" for s in scores]
    return "\n".join(lines + ["| Kendall's tau | " + " | ".join(taus) + " | | |"])


def main():
    given = arguments()
    out = pathlib.Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    ranking = rank(given, given.sources)
    (out / "ranking.json").write_text(json.dumps(ranking, indent=2))
    for row in ranking["ranking"]:
        if not row["fits"]:
            print(f"left out, as it does not fit: {row['why_not']}", file=sys.stderr)
    fitting = [row["source"] for row in ranking["ranking"] if row["fits"]]
    reached = accuracies(given, fitting, classes_of(given))
    (out / "accuracies.json").write_text(json.dumps({name: mean for name, (mean, _) in reached.items()}, indent=2))
    result = rank(given, fitting, "--accuracies", out / "accuracies.json")
    (out / "result.json").write_text(json.dumps({**result, "accuracies": reached}, indent=2))
    print(table(result["ranking"], reached, result["kendall"]))


if __name__ == "__main__":
    main()
