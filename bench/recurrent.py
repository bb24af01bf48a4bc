"""A character model in vaetl and the same in PyTorch, at equal budget: the same text, windows, lanes, carried state, network,
initial values, optimiser, clipping and number of steps. Both are scored on the held-out text, in nats a character. PyTorch
reads it in one piece; vaetl's metric reads it in lanes (metrics/language.hpp). With --own-start PyTorch draws initial values
of its own, which tells how much they matter.

    python bench/recurrent.py [--text FILE] [--epochs 1] [--hidden 128] [--layers 1] [--seeds 1] [--threads 1]
                              [--own-start] [--json]
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[1]
WINDOW, LANES, RATE, DECAY, CLIP, TEST = 64, 32, 0.003, 0.01, 1.0, 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = pathlib.Path(os.environ.get("VAETL_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--text", type=pathlib.Path, default=data / "text" / "tinyshakespeare" / "input.txt")
    parser.add_argument("--app", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "vaetl-train")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--own-start", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


class Writer(nn.Module):
    def __init__(self, ids, hidden, layers):
        super().__init__()
        self.embedding = nn.Embedding(ids, 64)
        self.rnn = nn.LSTM(64, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, ids)

    def forward(self, x, state=None):
        h, state = self.rnn(self.embedding(x), state)
        return self.head(h), tuple(part.detach() for part in state)


def parts(file):
    """Ids of the training and of the held-out text, as the reader `text` makes them: 0 padding, 1 unknown."""
    text = file.read_text()
    cut = int(len(text) * (1 - TEST))
    vocabulary = [c for c, _ in sorted(collections.Counter(text[:cut]).items(), key=lambda item: (-item[1], item[0]))]
    place = {c: i + 2 for i, c in enumerate(vocabulary)}
    return torch.tensor([place[c] for c in text[:cut]]), torch.tensor([place.get(c, 1) for c in text[cut:]]), len(vocabulary) + 2


def with_pytorch(options, seed):
    torch.manual_seed(seed)
    train, test, ids = parts(options.text)
    model = Writer(ids, options.hidden, options.layers)
    if not options.own_start:
        model.load_state_dict({name.removeprefix("encoder."): value for name, value in initial_values(options, seed).items()})
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    windows = (len(train) - 1) // WINDOW
    steps = windows // LANES
    rows = torch.arange(LANES)[:, None] * steps * WINDOW + torch.arange(WINDOW)
    start = time.perf_counter()
    for _ in range(options.epochs):
        state = None
        for step in range(steps):
            place = rows + step * WINDOW
            logits, state = model(train[place], state)
            loss = F.cross_entropy(logits.flatten(0, 1), train[place + 1].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
    seconds = time.perf_counter() - start
    model.eval()
    total, count, state = 0.0, (len(test) - 1) // WINDOW * WINDOW, None
    with torch.no_grad():
        for begin in range(0, count, 8192):
            end = min(count, begin + 8192)
            logits, state = model(test[None, begin:end], state)
            total += F.cross_entropy(logits[0], test[begin + 1:end + 1], reduction="sum").item()
    return {"nats": total / count, "seconds": seconds, "steps": steps * options.epochs}


def run_vaetl(options, seed, folder, **trainer):
    recipe = {
        "name": "writer", "seed": seed,
        "data": {"open": {"name": "text", "path": str(options.text), "window": WINDOW, "test_share": TEST}, "order": "lanes"},
        "model": {"name": "lstm", "embedding": 64, "hidden": options.hidden, "layers": options.layers, "per_step": True},
        "objective": "language_model",
        "trainer": {"batch_size": LANES, "clip_norm": CLIP, **trainer},
        "evaluate": ["nats_per_token"]}
    file = pathlib.Path(folder) / "recipe.json"
    file.write_text(json.dumps(recipe))
    done = subprocess.run([options.app, file, "--threads", str(options.threads), "--quiet", "--json", "--out", f"{folder}/run"],
                          check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def initial_values(options, seed):
    """Those of a run that makes one step at rate 0."""
    with tempfile.TemporaryDirectory() as folder:
        run_vaetl(options, seed, folder, steps=1, optimizer={"name": "sgd", "lr": 0})
        return load_file(f"{folder}/run/model/model.safetensors")


def with_vaetl(options, seed):
    with tempfile.TemporaryDirectory() as folder:
        summary = run_vaetl(options, seed, folder, epochs=options.epochs,
                            optimizer={"name": "adamw", "lr": RATE, "weight_decay": DECAY})
    return {"nats": summary["metrics"]["nats_per_token"], "seconds": summary["seconds"], "steps": summary["steps"]}


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    results = [{"seed": seed, "pytorch": with_pytorch(options, seed), "vaetl": with_vaetl(options, seed)}
               for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(results))
        return
    for result in results:
        ours, theirs = result["vaetl"], result["pytorch"]
        print(f"seed {result['seed']}, {ours['steps']} and {theirs['steps']} steps: vaetl {ours['nats']:.4f} nats, "
              f"{ours['seconds']:.1f} s; PyTorch {theirs['nats']:.4f} nats, {theirs['seconds']:.1f} s; "
              f"difference {ours['nats'] - theirs['nats']:+.6f}")


main()
