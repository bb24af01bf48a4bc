"""Objectives by the formulas of their papers and PyTorch's own functions: the reference for tests/objectives.

Everything is float64. NT-Xent is written as its equation, pair by pair, and not as a matrix product.
Run by hand: python tests/parity/objectives.py (needs torch and safetensors).
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.distributions import Normal, kl_divergence

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
tensors = {}


def store(case, **values):
    for name, value in values.items():
        tensors[f"{case}.{name}"] = value.detach().clone().contiguous()


def nt_xent(projected, temperature):
    """arXiv:2002.05709, equation 1, for every i with its partner: a list of 2N losses, and whether the partner is nearest."""
    both = len(projected)
    losses, right = [], []
    for i in range(both):
        similarity = [F.cosine_similarity(projected[i], projected[k], dim=0) / temperature for k in range(both)]
        partner = (i + both // 2) % both
        others = [k for k in range(both) if k != i]
        losses.append(-torch.log(torch.exp(similarity[partner]) / sum(torch.exp(similarity[k]) for k in others)))
        right.append(float(max(others, key=lambda k: similarity[k].item()) == partner))
    return torch.stack(losses), torch.tensor(right)


def contrastive():
    count, features = 5, 6
    anchor = torch.randn(count, features)
    views = torch.cat([anchor, anchor + 0.7 * torch.randn(count, features)]).requires_grad_()
    head = torch.nn.Sequential(torch.nn.Linear(features, 7), torch.nn.ReLU(), torch.nn.Linear(7, 4))
    weight = torch.rand(count) + 0.1
    store("simclr", first=views[:count], second=views[count:], weight=weight)
    for name, value in head.state_dict().items():
        store("simclr.head", **{name: value})
    for name, temperature in (("warm", 0.5), ("cold", 0.1)):
        losses, right = nt_xent(head(views), temperature)
        by_example = losses.view(2, count).mean(0)
        gradient, = torch.autograd.grad(losses.mean(), views, retain_graph=True)
        store(f"simclr.{name}", loss=losses.mean(), weighted=(by_example * weight).sum() / weight.sum(),
              accuracy=right.mean(), gradient=gradient)


def classification():
    logits = torch.randn(6, 4).requires_grad_()
    labels = torch.tensor([0, 3, 1, 2, 3, 0])
    weight = torch.rand(6) + 0.1
    store("cross_entropy", logits=logits, labels=labels, weight=weight,
          accuracy=(logits.argmax(1) == labels).double().mean())
    for name, smoothing in (("plain", 0.0), ("smoothed", 0.1)):
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        gradient, = torch.autograd.grad(losses.mean(), logits)
        store(f"cross_entropy.{name}", loss=losses.mean(), weighted=(losses * weight).sum() / weight.sum(),
              gradient=gradient)


def variational():
    mean, log_var = torch.randn(5, 3).requires_grad_(), torch.randn(5, 3).requires_grad_()
    logits, x = torch.randn(5, 8).requires_grad_(), torch.rand(5, 8)
    weight = torch.rand(5) + 0.1
    posterior = Normal(mean, (0.5 * log_var).exp())
    kl = kl_divergence(posterior, Normal(torch.zeros(5, 3), torch.ones(5, 3))).sum(1)
    negative = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    gradients = torch.autograd.grad((negative + 4 * kl).mean(), [mean, log_var, logits])
    store("elbo", mean=mean, log_var=log_var, logits=logits, x=x, weight=weight, reconstruction=negative.mean(), kl=kl.mean(),
          weighted_kl=(kl * weight).sum() / weight.sum(), weighted_elbo=-((kl + negative) * weight).sum() / weight.sum(),
          mse=(x - logits.sigmoid()).square().mean(),
          gradient_mean=gradients[0], gradient_log_var=gradients[1], gradient_logits=gradients[2])


def mixed_labels():
    """Cross-entropy with the mixed probabilities themselves as the target."""
    logits = torch.randn(6, 4).requires_grad_()
    first, second = torch.tensor([0, 3, 1, 2, 3, 0]), torch.tensor([1, 3, 0, 0, 2, 3])
    mix = torch.tensor([0.9, 0.2, 0.5, 0.0, 1.0, 0.49])
    weight = torch.rand(6) + 0.1
    probabilities = mix[:, None] * F.one_hot(first, 4) + (1 - mix[:, None]) * F.one_hot(second, 4)
    losses = F.cross_entropy(logits, probabilities, reduction="none", label_smoothing=0.1)
    gradient, = torch.autograd.grad(losses.mean(), logits)
    major = torch.tensor([a if share >= 0.5 else b for a, b, share in zip(first.tolist(), second.tolist(), mix.tolist())])
    store("mixed", logits=logits, first=first, second=second, mix=mix, weight=weight, loss=losses.mean(), gradient=gradient,
          weighted=(losses * weight).sum() / weight.sum(), accuracy=(logits.argmax(1) == major).double().mean())


contrastive()
classification()
variational()
mixed_labels()
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
