"""Kills trainings at random moments; what is resumed must end with the weights of a run that nobody disturbed.

    python tests/faults/kill.py build/release/bin --moments 60 [--seed 0] [--families mlp,gan]

A training of each family runs once as it is. Then others of it are killed (SIGKILL) after a random share of its time,
resumed, killed again, and at last left alone: model.safetensors must be equal by checksum.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps"))
from support import CLASSES, write_set  # noqa: E402

KILLS_A_RUN = 3
LABELLED = {"evaluate": ["accuracy"]}


def trainer(**options):
    """Checkpoints fall at every seventh step, epochs end at every tenth."""
    return {"steps": 260, "batch_size": 20, "checkpoint_every": 7, "log_every": 11, "validate_every": 20, **options}


def families(folder):
    images = {"open": f"idx:{folder}"}
    validated = dict(images, validation=0.1)  # 180 to train: 9 steps an epoch
    return {
        "mlp": {"data": dict(images, augment=["shift", "noise"]), "objective": "cross_entropy", **LABELLED,
                "model": {"name": "mlp", "widths": [16], "classes": CLASSES, "dropout": 0.2, "batch_norm": True},
                "trainer": trainer(lr_curve={"step": {"every": 8, "factor": 0.5, "unit": "epochs"}},
                                   optimizer={"name": "sgd", "lr": 0.05, "momentum": 0.9}, keep=2)},
        "vae": {"data": images, "model": {"name": "vae", "widths": [16], "latent": 4},
                "objective": {"name": "elbo", "beta": {"linear": {"over": 10, "unit": "epochs"}}},
                "trainer": trainer(lr_curve={"cosine": {"warmup": 0.1, "period": 0.3}})},
        "gan": {"data": dict(images, labels=False), "objective": {"name": "adversarial", "critic_steps": 2},
                "model": {"name": "gan", "widths": [16], "noise": 4, "spectral_norm": True, "batch_norm": True},
                "trainer": trainer(ema_decay=0.99, optimizer={"name": "adam", "lr": 1e-3, "beta1": 0.5})},
        "lstm": {"data": {"open": {"name": "text", "path": str(folder / "rhymes.txt"), "window": 12}, "order": "lanes"},
                 "model": {"name": "lstm", "embedding": 8, "hidden": 16, "per_step": True, "dropout": 0.1, "layers": 2},
                 "objective": "language_model", "trainer": trainer(clip_norm=1.0, batch_size=8)},
        "autoencoder": {"data": images, "objective": {"name": "reconstruction", "corrupt": {"name": "masking", "share": 0.3}},
                        "model": {"name": "autoencoder", "widths": [16], "latent": 4},
                        "trainer": trainer(accumulate=3, batch_size=7, optimizer={"name": "adamw", "lr": 3e-3})},
        "thawing": {"data": images, "objective": "cross_entropy", **LABELLED,
                    "model": {"name": "mlp", "widths": [24, 16], "classes": CLASSES, "batch_norm": True},
                    "transfer": {"from": "none", "freeze": ["backbone"],
                                 "tuning": [{"groups": "encoder.1", "from": 6, "unit": "epochs", "lr_scale": 0.3},
                                            {"groups": "encoder.0", "from": 13, "unit": "epochs", "lr_scale": 0.1}]},
                    "trainer": trainer()},
        "gradual": {"data": images, "objective": "cross_entropy", **LABELLED,
                    "model": {"name": "mlp", "widths": [24, 16], "classes": CLASSES, "batch_norm": True},
                    "transfer": {"from": "none", "method": {"name": "gradual", "over": 0.9}, "norm": "statistics"},
                    "trainer": trainer(optimizer={"name": "adamw", "lr": 0.01})},
        "lora": {"data": dict(images, augment=["shift"]), "objective": "cross_entropy", **LABELLED,
                 "model": {"name": "mlp", "widths": [24, 16], "classes": CLASSES, "dropout": 0.1},
                 "transfer": {"from": "none", "method": {"name": "lora", "rank": 2}}, "trainer": trainer()},
        "l2_sp": {"data": images, "objective": "cross_entropy", **LABELLED,
                  "model": {"name": "mlp", "widths": [16], "classes": CLASSES},
                  "transfer": {"from": "none", "method": {"name": "l2_sp", "alpha": 0.01}}, "trainer": trainer()},
        "plateau": {"data": validated, "objective": "cross_entropy", **LABELLED,
                    "model": {"name": "mlp", "widths": [16], "classes": CLASSES, "dropout": 0.2},
                    "trainer": trainer(monitor="cross_entropy", patience=8, validate_every=9, validate_at="step",
                                       plateau={"factor": 0.3, "patience": 2, "threshold": 0.02},
                                       optimizer={"name": "adamw", "lr": 0.01})},
    }


class Farm:
    def __init__(self, binaries, folder):
        self.program = str(binaries.resolve() / "vaetl-train")
        self.folder = folder
        self.environment = dict(os.environ, OMP_NUM_THREADS="1", HOME=str(folder))
        data = folder / "data"
        data.mkdir()
        write_set(data, "train", 200, 1)
        write_set(data, "t10k", 40, 2)
        draw = random.Random(5)
        words = ["sun", "moon", "star", "sea", "stone", "bird", "leaf", "wind"]
        (data / "rhymes.txt").write_text(" ".join(draw.choice(words) for _ in range(400)) + "\n")
        self.recipes = {}
        for name, parts in families(data).items():
            path = folder / f"{name}.json"
            path.write_text(json.dumps({"name": name, "seed": 3, **parts}))
            self.recipes[name] = path

    def start(self, name, out, *more):
        self.log = self.folder / "log"
        with open(self.log, "w") as log:
            return subprocess.Popen([self.program, str(self.recipes[name]), "--out", str(out), *more], cwd=self.folder,
                                    env=self.environment, stdout=subprocess.DEVNULL, stderr=log)

    def finish(self, name, out, *more):
        code = self.start(name, out, *more).wait(timeout=300)
        if code != 0:
            sys.exit(f"{name}: exit code {code}\n{self.log.read_text()}")
        return hashlib.sha256((out / "model" / "model.safetensors").read_bytes()).hexdigest()

    def whole(self, name):
        out = self.folder / f"{name}-whole"
        digest = self.finish(name, out)
        return digest, json.loads((out / "run.json").read_text())

    def killed(self, name, out, delay):
        """Kills a run `delay` seconds after its training began; the step of its checkpoint, None if it ended before."""
        resumed = (out / "recipe.json").exists()
        process = self.start(name, out, *(["--resume"] if resumed else []))
        begun = (lambda: "resumed at step" in self.log.read_text() or "begins anew" in self.log.read_text()) \
            if resumed else (out / "recipe.json").exists
        while process.poll() is None and not begun():
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return None
        state = out / "checkpoints" / "last" / "state.json"
        return json.loads(state.read_text())["step"] if state.exists() else 0


def torment(farm, name, moments, draw):
    """Runs that are killed up to KILLS_A_RUN times each, until `moments` kills hit; the steps they went back to."""
    expected, run = farm.whole(name)
    steps, chain = [], 0
    while len(steps) < moments:
        out = farm.folder / f"{name}-{chain}"
        chain += 1
        if chain > 10 * moments:
            sys.exit(f"{name}: it is too short to be hit")
        for _ in range(min(KILLS_A_RUN, moments - len(steps))):
            at = farm.killed(name, out, draw.uniform(0, run["seconds"] * 2 / KILLS_A_RUN))
            if at is None:
                break
            steps.append(at)
        found = farm.finish(name, out, "--resume")
        if found != expected:
            sys.exit(f"{name}: killed and resumed at steps {steps}, it ended with other weights: see {out}")
        shutil.rmtree(out)
    return steps, run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("--moments", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", default="")
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    memory = pathlib.Path("/dev/shm")  # a kill is no loss of power: the disk's own pace proves nothing
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vaetl-faults-", dir=memory if os.access(memory, os.W_OK) else None))
    farm = Farm(chosen.binaries, folder)
    names = chosen.families.split(",") if chosen.families else list(farm.recipes)
    shares = collections.Counter(names[i % len(names)] for i in range(chosen.moments))
    began, total, within = time.monotonic(), 0, 0
    for name in names:
        if not shares[name]:
            continue
        steps, run = torment(farm, name, shares[name], draw)
        epoch = run["steps"] / max(1, run["epochs"])
        inside = sum(1 for step in steps if step % round(epoch))
        total, within = total + len(steps), within + inside
        print(f"{name:<12} {len(steps)} kills, resumed at steps {steps} of {run['steps']}: equal", flush=True)
    print(f"{total} kills, {within} resumed within an epoch, all equal to the undisturbed runs; "
          f"{time.monotonic() - began:.0f} s")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
