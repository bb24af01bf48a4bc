"""How each side trains a workload: a command, and what its output says."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "bench"
TCMALLOC = "libtcmalloc_minimal.so.4"

PYTHON_PEERS = {"pytorch_tuned": ["pytorch_tuned.py"], "pytorch_tcmalloc": ["pytorch_tuned.py"],
                "torch_compile": ["pytorch_tuned.py", "--compile"], "keras": ["keras_peer.py"], "jax": ["jax_peer.py"],
                "pytorch_idiomatic": ["pytorch_idiomatic.py"]}
PEERS = [*PYTHON_PEERS, "libtorch"]
CUDA_PEERS = ["pytorch_tuned", "torch_compile", "pytorch_idiomatic"]  # those that are asked for a device


class Failed(Exception):
    pass


def tcmalloc():
    """Its file, or None where it is not installed."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    return next((line.split()[-1] for line in listed.splitlines() if line.split()[:1] == [TCMALLOC]), None)


def environment(side, threads):
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD", "OMP_", "KMP_", "MKL_", "TF_", "XLA_"))}
    own["OMP_NUM_THREADS"] = str(threads)
    own["TORCHINDUCTOR_CACHE_DIR"] = str(BUILD / "inductor")
    own["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # in the process itself, whose time is counted as its own
    if side == "pytorch_tcmalloc":
        own["LD_PRELOAD"] = tcmalloc()
    return own


def execute(command, side, threads):
    """Runs to the end: standard output, seconds, resource usage."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,
                                   env=environment(side, threads), preexec_fn=lambda: os.sched_setaffinity(0, cores))
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise Failed(f"{' '.join(str(word) for word in command)}\n{errors.read()[-2000:]}")
    return output, seconds, usage


def read_run(folder, output, examples):
    """What the run's own record says: seconds and loss stand in metrics.jsonl, an entry an epoch; the first is warm-up."""
    told = json.loads(output)
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    rate = told["samples_per_second"]
    if len(entries) > 1:
        rate = examples * (len(entries) - 1) / (entries[-1]["seconds"] - entries[0]["seconds"])
    return {"samples_per_s": rate, "seconds": told["seconds"], "loss": entries[-1]["loss"],
            "parameters": told["model"]["parameters"], "evaluated": next(iter(told["metrics"].values()), None)}


def train_ours(recipe, overrides, examples, options, seed=0):
    with tempfile.TemporaryDirectory(dir=BUILD) as place:
        folder = pathlib.Path(place) / "run"
        command = [options.bin / "vaetl-train", HERE / "recipes" / f"{recipe}.json", *overrides, *options.set, "--out", folder,
                   "--threads", options.threads, "--seed", seed, "--device", options.device, "--json", "--quiet"]
        output, seconds, usage = execute(command, "vaetl", options.threads)
        told = read_run(folder, output, examples)
    return told, seconds, usage


def train_peer(side, arguments, options, seed=0):
    if side == "libtorch":
        command = [options.bin / "bench_libtorch_tutorial"]
    else:
        command = [sys.executable, HERE / "peers" / PYTHON_PEERS[side][0]]
    command += [*arguments, "--threads", options.threads, "--seed", seed]
    if side in PYTHON_PEERS:
        command += PYTHON_PEERS[side][1:]
    if side in CUDA_PEERS:
        command += ["--device", options.device]
    output, seconds, usage = execute(command, side, options.threads)
    return json.loads(output.splitlines()[-1]), seconds, usage


def result_of(told, seconds, usage):
    """Time and memory of whole processes are measured from outside, on all sides alike."""
    return {**told, "process_seconds": seconds, "peak_rss_mb": usage.ru_maxrss / 1024,
            "processor_seconds": usage.ru_utime + usage.ru_stime}
