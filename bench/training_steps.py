"""Training steps a second: ours through a recipe and vaetl-train, and each peer's program, in turns. bench/run.sh prepares what
this needs and runs it; README.md says what is compared and by which rules.

    bench/run.sh [--workloads ae,vae,…,startup,frozen] [--peers a,b] [--repeats 5] [--threads 2] [--steps N] [--json]
"""
import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))

import data
import sides
from quiet import Machine, Watch
from workloads import EPOCHS, PICTURES, WORKLOADS

CUDA_EPOCHS = 6
STARTUP_PEERS = [peer for peer in sides.PYTHON_PEERS if peer != "pytorch_tcmalloc"]


def names(known):
    def parse(text):
        given = text.split(",")
        if unknown := set(given) - set(known):
            raise argparse.ArgumentTypeError(f"not among {', '.join(known)}: {', '.join(sorted(unknown))}")
        return given
    return parse


def arguments():
    everything = [*WORKLOADS, "startup", "frozen"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=names(everything), help="all; on cuda but startup and frozen")
    parser.add_argument("--peers", type=names(sides.PEERS), help="all; on cuda PyTorch's")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help=f"the first is warm-up; {EPOCHS}, on cuda {CUDA_EPOCHS}")
    parser.add_argument("--steps", type=int, help="of an epoch, in place of the workload's own")
    parser.add_argument("--set", action="append", default=[], metavar="section.key=value", help="changes our recipes")
    parser.add_argument("--bin", type=pathlib.Path, default=sides.ROOT / "build" / "release" / "bin")
    parser.add_argument("--quiet-ns", type=float, default=150, help="longest round trip of a quiet machine")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet moment before a run")
    parser.add_argument("--tries", type=int, default=3, help="of a run that was disturbed")
    parser.add_argument("--keep-disturbed", action="store_true", help="wait for nothing and drop nothing: a trial")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    on_cuda = options.device == "cuda"
    options.workloads = options.workloads or (list(WORKLOADS) if on_cuda else everything)
    options.peers = options.peers or (sides.CUDA_PEERS if on_cuda else sides.PEERS)
    options.epochs = options.epochs or (CUDA_EPOCHS if on_cuda else EPOCHS)
    if others := on_cuda and set(options.peers) - set(sides.CUDA_PEERS):
        parser.error(f"--device cuda: of the peers {', '.join(sides.CUDA_PEERS)} run there, {', '.join(sorted(others))} do not")
    return options


class Bench:
    """Runs in turns. A disturbed run is dropped and tried again; where no quiet one came, the disturbed ones stand in and are
    marked."""

    def __init__(self, options):
        self.options = options
        quiet_ns = float("inf") if options.keep_disturbed else options.quiet_ns
        self.machine = Machine(options.bin / "bench_round_trip", quiet_ns, options.patience)
        self.disturbed = 0

    def one(self, what, train, seed):
        for attempt in range(self.options.tries):
            self.machine.wait()
            watch = Watch(self.machine, self.options.threads)
            result = sides.result_of(*train(seed))
            disturbance = "" if self.options.keep_disturbed else watch.disturbance(result["processor_seconds"])
            note = f", disturbed: {disturbance}" if disturbance else ""
            print(f"{what}: {result['samples_per_s']:,.0f}/s, {result['process_seconds']:.1f} s, loss {result['loss']:.5g}{note}",
                  file=sys.stderr, flush=True)
            result["disturbed"] = bool(disturbance)
            if not disturbance:
                break
            self.disturbed += 1
        return result

    def turns(self, what, runs):
        """`runs`: name → function of a seed. Each repeat begins with another side."""
        found = {name: [] for name in runs}
        order = list(runs)
        for repeat in range(self.options.repeats):
            for name in order:
                found[name].append(self.one(f"{what} {name}", runs[name], repeat))
            order = order[1:] + order[:1]
        return {name: summary(results) for name, results in found.items()}


def summary(results):
    quiet = [result for result in results if not result["disturbed"]]
    used = quiet or results
    keys = ("samples_per_s", "seconds", "process_seconds", "peak_rss_mb", "loss", "evaluated")
    medians = {key: statistics.median(result[key] for result in used) for key in keys if used[0][key] is not None}
    rates = [result["samples_per_s"] for result in used]
    return {**medians, "parameters": used[0]["parameters"], "runs": len(used), "disturbed": not quiet,
            "spread": (max(rates) - min(rates)) / medians["samples_per_s"]}


def check_equal(name, found):
    """The same number of parameters, and the same loss within the tolerance of the workload."""
    workload, problems = WORKLOADS[name], []
    middle = statistics.median(side["loss"] for side in found.values())
    for side, result in found.items():
        expected = workload.parameters_of.get(side, workload.parameters)
        if result["parameters"] != expected:
            problems.append(f"{name}: {side} has {result['parameters']:,} parameters, not {expected:,}")
        if not abs(result["loss"] - middle) <= workload.tolerance * abs(middle):
            problems.append(f"{name}: {side} ends at loss {result['loss']:.5g}, the median is {middle:.5g}")
    return problems


def measure_workload(name, bench):
    options, workload = bench.options, WORKLOADS[name]
    on_cuda = options.device == "cuda"
    examples = workload.batch * (options.steps or (PICTURES // workload.batch if on_cuda else workload.steps))
    folder = sides.BUILD / "data" / f"{workload.pictures}-{examples}"
    data.write(folder, workload.pictures, examples)
    overrides = [f"data.open=npy:{folder}", f"trainer.epochs={options.epochs}"]
    ours = lambda seed: sides.train_ours(name, overrides, examples, options, seed)
    given = [name, "--data", folder, "--epochs", options.epochs]
    runs = {"vaetl": ours}
    if on_cuda:
        graph = [*overrides, "trainer.graph=auto"]
        runs = {"vaetl": lambda seed: sides.train_ours(name, graph, examples, options, seed), "vaetl_eager": ours}
    for peer in options.peers:
        runs[peer] = lambda seed, peer=peer: sides.train_peer(peer, given, options, seed)
    found = bench.turns(name, runs)
    rates = {side: result["samples_per_s"] for side, result in found.items() if not side.startswith("vaetl")}
    best = max(rates, key=rates.get, default=None)
    rate = found["vaetl"]["samples_per_s"]
    return {"ratio_to_best_peer": rate / rates[best] if best else None, "best_peer": best, "vaetl": rate, "peers": rates,
            "problems": check_equal(name, found), "sides": found}


def measure_startup(bench):
    """Process start to an autoencoder that was trained for three epochs and evaluated: time and peak memory against the peer
    that is done first."""
    options = bench.options
    given = ["ae", "--evaluate", "--epochs", EPOCHS]
    runs = {"vaetl": lambda seed: sides.train_ours("startup", [], PICTURES, options, seed)}
    for peer in STARTUP_PEERS:
        if peer in options.peers:
            runs[peer] = lambda seed, peer=peer: sides.train_peer(peer, given, options, seed)
    found = bench.turns("startup", runs)
    ours, peers = found["vaetl"], {side: result for side, result in found.items() if side != "vaetl"}
    best = min(peers, key=lambda side: peers[side]["process_seconds"], default=None)
    share = lambda key: ours[key] / peers[best][key] if best else None
    return {"fastest_peer": best, "time_share": share("process_seconds"), "memory_share": share("peak_rss_mb"), "sides": found}


def measure_frozen(bench):
    """A frozen convolutional encoder with a new head on 1000 labels: its features cached, which is what the trainer does, and
    forwarded in each epoch, which a rule that counts from the end of training on makes it do."""
    options = bench.options
    source = sides.BUILD / "frozen-source"
    if not (source / "run.json").exists():
        sides.execute([options.bin / "vaetl-train", sides.HERE / "recipes" / "conv_vae.json", "trainer.steps=200", "--out",
                       source, "--threads", options.threads, "--device", "cpu", "--quiet"], "vaetl", options.threads)
    forward = ['transfer.tuning=[{"groups": "backbone", "from": 1}]']
    runs = {"cached": lambda seed: sides.train_ours("frozen", [], 1000, options, seed),
            "forwarded": lambda seed: sides.train_ours("frozen", forward, 1000, options, seed)}
    found = bench.turns("frozen", runs)
    return {"ratio": found["cached"]["samples_per_s"] / found["forwarded"]["samples_per_s"], "sides": found}


def print_workloads(workloads):
    print(f"{'workload':<10} {'side':<18} {'samples/s':>10} {'ours to it':>10} {'loss':>9} {'MB':>6} {'runs':>5} {'spread':>7}")
    for name, measured in workloads.items():
        for side, found in measured["sides"].items():
            ratio = measured["vaetl"] / found["samples_per_s"]
            note = "  best peer" if side == measured["best_peer"] else ""
            note += "  disturbed" if found["disturbed"] else ""
            print(f"{name:<10} {side:<18} {found['samples_per_s']:>10,.0f} {ratio:>10.2f} {found['loss']:>9.4g} "
                  f"{found['peak_rss_mb']:>6.0f} {found['runs']:>5} {found['spread']:>7.0%}{note}")
    for measured in workloads.values():
        for problem in measured["problems"]:
            print(f"not equal: {problem}")


def print_startup(measured):
    print("\nprocess start to an evaluated autoencoder after 3 epochs")
    for side, found in measured["sides"].items():
        print(f"{side:<18} {found['process_seconds']:6.2f} s {found['peak_rss_mb']:6.0f} MB  test error {found['evaluated']:.4f}")
    if measured["fastest_peer"]:
        print(f"against {measured['fastest_peer']}: {measured['time_share']:.2f} of its time, {measured['memory_share']:.2f} of its memory")


def print_frozen(measured):
    print("\nfrozen convolutional encoder, new head, 1000 labels")
    for side, found in measured["sides"].items():
        print(f"{side:<18} {found['samples_per_s']:>10,.0f} samples/s, loss {found['loss']:.4f}")
    print(f"cached to forwarded: {measured['ratio']:.1f}")


def main():
    options = arguments()
    if "pytorch_tcmalloc" in options.peers and not sides.tcmalloc():
        print("without pytorch_tcmalloc: libtcmalloc-minimal4 is not installed", file=sys.stderr)
        options.peers = [peer for peer in options.peers if peer != "pytorch_tcmalloc"]
    sides.BUILD.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    told = {"workloads": {name: measure_workload(name, bench) for name in options.workloads if name in WORKLOADS}}
    if "startup" in options.workloads:
        told["startup"] = measure_startup(bench)
    if "frozen" in options.workloads:
        told["frozen"] = measure_frozen(bench)
    trips = bench.machine.round_trips
    told["machine"] = {"threads": options.threads, "disturbed_runs": bench.disturbed, "round_trip_ns": statistics.median(trips),
                       "longest_round_trip_ns": max(trips)}
    if options.json:
        print(json.dumps(told))
    else:
        if told["workloads"]:
            print_workloads(told["workloads"])
        if "startup" in told:
            print_startup(told["startup"])
        if "frozen" in told:
            print_frozen(told["frozen"])
        print(f"\n{bench.disturbed} runs were disturbed, round trip {statistics.median(trips):.0f} ns")
    sys.exit(1 if any(measured["problems"] for measured in told["workloads"].values()) else 0)


if __name__ == "__main__":
    try:
        main()
    except sides.Failed as failure:
        sys.exit(str(failure))
