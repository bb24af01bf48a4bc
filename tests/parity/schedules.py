"""Rates by torch.optim.lr_scheduler: the reference for tests/core/schedule_parity_test.cpp and tests/train/plateau_test.cpp.

A training of 90 steps, 9 an epoch. Run by hand: python tests/parity/schedules.py (needs torch).
"""
import json
import pathlib
import random

import torch
from torch.optim import lr_scheduler as lr

STEPS, EPOCH = 90, 9


def optimizer():
    return torch.optim.SGD([torch.zeros(1, dtype=torch.float64, requires_grad=True)], lr=1.0)


def follow(make, count):
    """The rate before each of `count` calls of step() and after the last."""
    target = optimizer()
    scheduler = make(target)
    rates = [target.param_groups[0]["lr"]]
    for _ in range(count):
        target.step()
        scheduler.step()
        rates.append(target.param_groups[0]["lr"])
    return rates


def by_step(curve, make, count=STEPS):
    rates = follow(make, count)
    return {"curve": curve, "steps": list(range(count + 1)), "rates": rates, "of": STEPS}


def by_epoch(curve, make, held=True):
    """A scheduler that is called once an epoch holds its rate in between; a smooth curve meets it where epochs begin."""
    rates = follow(make, STEPS // EPOCH)
    steps = range(STEPS) if held else range(0, STEPS + 1, EPOCH)
    return {"curve": curve, "steps": list(steps), "rates": [rates[step // EPOCH] for step in steps], "of": STEPS}


def warm_cosine(target, warmup, whole):
    first = lr.LambdaLR(target, lambda step: step / warmup)
    return lr.SequentialLR(target, [first, lr.CosineAnnealingLR(target, whole - warmup)], [warmup])


def one_cycle(pct_start, div, final_div):
    # PyTorch's rise ends at step pct_start * total - 1 and its fall at total - 1; ours at these shares of the training.
    total = STEPS + 1
    theirs = (pct_start * STEPS + 1) / total
    case = by_step({"one_cycle": {"pct_start": pct_start, "div": div, "final_div": final_div}},
                   lambda o: lr.OneCycleLR(o, 1.0, total_steps=total, pct_start=theirs, div_factor=div,
                                           final_div_factor=final_div, cycle_momentum=False))
    return case


CURVES = [
    by_step({"linear": [1, 0.1]}, lambda o: lr.LinearLR(o, 1.0, 0.1, STEPS)),
    by_step({"linear": {"from": 1, "to": 0.25, "over": 40, "unit": "steps"}}, lambda o: lr.LinearLR(o, 1.0, 0.25, 40)),
    by_step({"cosine": {"floor": 0.1}}, lambda o: lr.CosineAnnealingLR(o, STEPS, 0.1)),
    by_step({"cosine": {"warmup": 0.2}}, lambda o: warm_cosine(o, 18, STEPS)),
    by_step({"cosine": {"warmup": 2, "unit": "epochs"}}, lambda o: warm_cosine(o, 18, STEPS)),
    by_step({"cosine": {"floor": 0.05, "period": 15, "unit": "steps"}},
            lambda o: lr.CosineAnnealingWarmRestarts(o, 15, 1, 0.05)),
    by_step({"cosine": {"period": 10, "multiplier": 2, "unit": "steps"}},
            lambda o: lr.CosineAnnealingWarmRestarts(o, 10, 2)),
    by_step({"cosine": {"period": 1, "multiplier": 3, "unit": "epochs"}},
            lambda o: lr.CosineAnnealingWarmRestarts(o, 9, 3)),
    by_step({"step": {"every": 7, "unit": "steps"}}, lambda o: lr.StepLR(o, 7, 0.1)),
    by_step({"step": {"every": 0.1, "factor": 0.5}}, lambda o: lr.StepLR(o, 9, 0.5)),
    by_epoch({"step": {"every": 3, "factor": 0.3, "unit": "epochs"}}, lambda o: lr.StepLR(o, 3, 0.3)),
    by_epoch({"step": {"at": [3, 4, 8], "unit": "epochs"}}, lambda o: lr.MultiStepLR(o, [3, 4, 8], 0.1)),
    by_step({"step": {"at": [0.3, 0.7], "factor": 0.2}}, lambda o: lr.MultiStepLR(o, [27, 63], 0.2)),
    by_step({"exponential": {"factor": 0.97, "unit": "steps"}}, lambda o: lr.ExponentialLR(o, 0.97)),
    by_epoch({"exponential": {"factor": 0.8, "unit": "epochs"}}, lambda o: lr.ExponentialLR(o, 0.8), held=False),
    one_cycle(0.3, 25, 1e4),
    one_cycle(0.25, 10, 100),
]

draw = random.Random(4)


def plateau(options, mode, values):
    target = optimizer()
    # PyTorch waits for one entry more than its patience.
    scheduler = lr.ReduceLROnPlateau(target, mode, factor=options["factor"], patience=options["patience"] - 1,
                                     threshold=options["threshold"], cooldown=options["cooldown"],
                                     min_lr=options["floor"], eps=0)
    factors = []
    for value in values:
        scheduler.step(value)
        factors.append(target.param_groups[0]["lr"])
    return {"options": options, "higher_is_better": mode == "max", "values": values, "factors": factors}


def series(fall):
    return [2 * fall ** i + draw.random() * 0.2 for i in range(40)]


PLATEAUS = [
    plateau(dict(factor=0.5, patience=1, threshold=1e-4, cooldown=0, floor=0), "min", series(0.9)),
    plateau(dict(factor=0.1, patience=3, threshold=1e-4, cooldown=0, floor=0.005), "min", series(0.8)),
    plateau(dict(factor=0.3, patience=2, threshold=0.05, cooldown=3, floor=0), "min", series(0.85)),
    plateau(dict(factor=0.5, patience=2, threshold=1e-4, cooldown=1, floor=0), "max", series(1.02)),
]

text = json.dumps({"steps": STEPS, "epoch": EPOCH, "curves": CURVES, "plateaus": PLATEAUS}, indent=None)
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
