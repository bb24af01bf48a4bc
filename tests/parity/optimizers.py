"""Ten updates of each optimiser, and clipped gradients: the reference for tests/train/{optimizer,clip}_test.cpp.

By torch.optim and torch.nn.utils where they have it; LARS (arXiv:1708.03888, algorithm 1), LAMB (arXiv:1904.00962,
algorithm 2), SAM (arXiv:2010.01412, algorithm 1) and adaptive clipping (arXiv:2102.06171, eq. 3) are written out.
All in float64: the reference's own error does not count.

Run by hand: python tests/parity/optimizers.py (needs torch and safetensors).
"""
import pathlib

import torch
from safetensors.torch import save_file


class Lars(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum, weight_decay, trust):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, trust=trust))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                wd = group["weight_decay"]
                rate = group["lr"]
                if p.dim() > 1:
                    rate *= group["trust"] * p.norm().item() / (p.grad.norm().item() + wd * p.norm().item())
                v = self.state[p].setdefault("v", torch.zeros_like(p))
                v.copy_(group["momentum"] * v + rate * (p.grad + wd * p))
                p.sub_(v)


class Lamb(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, eps, weight_decay):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                s = self.state[p]
                t = s["t"] = s.get("t", 0) + 1
                m = s["m"] = b1 * s.get("m", 0) + (1 - b1) * p.grad
                v = s["v"] = b2 * s.get("v", 0) + (1 - b2) * p.grad**2
                r = (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"]) + group["weight_decay"] * p
                ratio = p.norm() / r.norm() if p.dim() > 1 else 1.0
                p.sub_(group["lr"] * ratio * r)


ADAM = dict(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)
RMS = dict(lr=0.02, alpha=0.9, eps=1e-6)
CASES = {
    "sgd": (torch.optim.SGD, dict(lr=0.1, momentum=0.0)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.05)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "adam": (torch.optim.Adam, ADAM),
    "adamw": (torch.optim.AdamW, ADAM),
    "rmsprop": (torch.optim.RMSprop, RMS),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(RMS, momentum=0.8, weight_decay=0.1)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(RMS, centered=True, weight_decay=0.1)),
    "adagrad": (torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.2)),
    "lars": (Lars, dict(lr=2.0, momentum=0.9, weight_decay=0.05, trust=0.02)),
    "lamb": (Lamb, ADAM),
}

torch.manual_seed(0)
start = {"weight": torch.randn(3, 5), "bias": torch.randn(4)}
gradients = {"weight": torch.randn(10, 3, 5), "bias": torch.randn(10, 4)}
tensors = {f"start.{k}": v for k, v in start.items()} | {f"gradients.{k}": v for k, v in gradients.items()}
for name, (kind, options) in CASES.items():
    parameters = {k: v.double().requires_grad_() for k, v in start.items()}
    optimizer = kind(parameters.values(), **options)
    for step in range(10):
        for key, parameter in parameters.items():
            parameter.grad = gradients[key][step].double()
        optimizer.step()
    for key, parameter in parameters.items():
        tensors[f"{name}.{key}"] = parameter.detach().clone()

# A problem with a loss, for those that evaluate it again: y ≈ tanh(x Wᵀ) a + b.
problem = {"x": torch.randn(12, 4).double(), "y": torch.randn(12).double()}
begin = {"hidden": torch.randn(3, 4).double(), "out": torch.randn(3).double(), "bias": torch.zeros(1).double()}
tensors |= {f"problem.{k}": v for k, v in problem.items()} | {f"begin.{k}": v for k, v in begin.items()}


def fresh():
    return {k: v.clone().requires_grad_() for k, v in begin.items()}


def evaluate(p):
    for value in p.values():
        value.grad = None
    loss = (torch.tanh(problem["x"] @ p["hidden"].T) @ p["out"] + p["bias"] - problem["y"]).square().mean()
    loss.backward()
    return loss


p = fresh()
optimizer = torch.optim.LBFGS(p.values(), lr=0.9, max_iter=2, history_size=3, line_search_fn="strong_wolfe")
losses = [optimizer.step(lambda: evaluate(p)).detach() for _ in range(10)]
tensors |= {f"lbfgs.{k}": v.detach().clone() for k, v in p.items()} | {"lbfgs.losses": torch.stack(losses)}

p = fresh()
optimizer = torch.optim.SGD(p.values(), lr=0.1, momentum=0.9, weight_decay=0.05)
for _ in range(10):
    evaluate(p)
    norm = torch.cat([v.grad.flatten() for v in p.values()]).norm()
    before = {k: v.detach().clone() for k, v in p.items()}
    with torch.no_grad():
        for v in p.values():
            v.add_(0.3 * v.grad / norm)
    evaluate(p)
    with torch.no_grad():
        for k, v in p.items():
            v.copy_(before[k])
    optimizer.step()
tensors |= {f"sam.{k}": v.detach().clone() for k, v in p.items()}

# Clipping. The first unit of the kernel is at 0 and the second has a gradient too small to be clipped.
shapes = {"kernel": (4, 3, 2, 2), "matrix": (5, 3), "bias": (5,), "head": (2, 5)}
weights = {k: torch.randn(s) for k, s in shapes.items()}
clipped = {k: torch.randn(s) for k, s in shapes.items()}
weights["kernel"][0] = 0
clipped["kernel"][1] *= 1e-3
tensors |= {f"clip.weight.{k}": v for k, v in weights.items()} | {f"clip.gradient.{k}": v for k, v in clipped.items()}


def with_gradients():
    result = {k: v.double().requires_grad_() for k, v in weights.items()}
    for k, v in result.items():
        v.grad = clipped[k].double()
    return result


def keep(case, p):
    tensors.update({f"clip.{case}.{k}": v.grad.clone() for k, v in p.items()})


p = with_gradients()
torch.nn.utils.clip_grad_norm_(p.values(), 0.7)
keep("norm", p)
p = with_gradients()
torch.nn.utils.clip_grad_value_(p.values(), 0.4)
keep("value", p)
p = with_gradients()
for k, v in p.items():
    if k == "head":
        continue
    units = [v.grad] if v.dim() < 2 else list(v.grad)
    owners = [v.detach()] if v.dim() < 2 else list(v.detach())
    for g, w in zip(units, owners):
        most = 0.05 * max(w.norm().item(), 1e-3)
        if g.norm() > most:
            g.mul_(most / g.norm())
keep("adaptive", p)

save_file(tensors, str(pathlib.Path(__file__).with_suffix(".safetensors")))
