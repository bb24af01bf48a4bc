"""What each Python peer is told, and what it prints at the end: one line of JSON."""
import argparse
import json
import resource
import time

import workloads

CLOCK_TICKS = 100  # of /proc/PID/stat, on every Linux


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workload", choices=workloads.WORKLOADS)
    parser.add_argument("--data", help="folder of x_train.npy and y_train.npy; all of Fashion-MNIST by default")
    parser.add_argument("--epochs", type=int, default=workloads.EPOCHS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="of PyTorch; cuda: data and model there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evaluate", action="store_true", help="score the autoencoder on the test split")
    return parser


def seconds_since_start():
    """Of the process, the interpreter's own start included."""
    with open("/proc/self/stat") as stat:
        started = int(stat.read().rpartition(")")[2].split()[19]) / CLOCK_TICKS
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class Record:
    """Times epochs. The first one is warm-up: compilation, caches, allocators."""

    def __init__(self):
        self.stamps = [time.perf_counter()]
        self.loss = None

    def epoch(self, loss):
        self.loss = float(loss)
        self.stamps.append(time.perf_counter())

    def tell(self, examples, parameters, evaluated=None):
        first = min(1, len(self.stamps) - 2)
        told = {"samples_per_s": examples * (len(self.stamps) - 1 - first) / (self.stamps[-1] - self.stamps[first]),
                "seconds": self.stamps[-1] - self.stamps[0], "loss": self.loss, "parameters": int(parameters),
                "evaluated": evaluated, "process_seconds": seconds_since_start(),
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        print(json.dumps(told), flush=True)
