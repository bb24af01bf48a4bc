"""Variational autoencoders by plain torch.nn and torch.distributions, with the parameter names of vaetl's: the reference for
tests/models/parity_vae_test.cpp. Everything is float64. Likelihoods over 256 levels are written out from their definitions.

Run by hand: python tests/parity/vae.py (needs torch and safetensors).
"""
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

tensors = {}


def store(case, **values):
    for name, value in values.items():
        tensors[f"{case}/{name}"] = value.detach().clone().contiguous()


# ---- likelihoods: log p(x) of raw outputs (N, 2, …), their gradient, their mean

def learned_gaussian(raw, x):
    low = math.log(1 / 256)
    sigma = torch.exp(low + F.softplus(raw[:, 1] - low))
    return Normal(raw[:, 0], sigma).log_prob(x), raw[:, 0]


def discretised_logistic(raw, x):
    """The difference of the cumulative distribution at a level's edges, seen from the side whose tail is lighter so that
    it does not cancel; the outermost levels have one edge."""
    mean, scale = raw[:, 0], torch.exp(-8 + F.softplus(raw[:, 1] + 8))
    none, all_of_it = torch.zeros_like(mean), torch.ones_like(mean)

    def probability(level):
        low, high = ((level - 0.5) / 255 - mean) / scale, ((level + 0.5) / 255 - mean) / scale
        below = torch.where(level < 255, torch.sigmoid(high), all_of_it) - torch.where(level > 0, torch.sigmoid(low), none)
        above = torch.where(level > 0, torch.sigmoid(-low), all_of_it) - torch.where(level < 255, torch.sigmoid(-high), none)
        return torch.where(low + high < 0, below, above)

    expected = sum(probability(torch.full_like(mean, k)) * k / 255 for k in range(256))
    return torch.log(probability(torch.round(x * 255))), expected


def beta_binomial(raw, x):
    """Polya's urn: draws of white and black balls, one after the other, in any of C(255, k) orders."""
    alpha, beta = (torch.exp(7 * torch.tanh(raw[:, i] / 7)) for i in (0, 1))
    level = torch.round(x * 255)
    result = torch.tensor([math.log(math.comb(255, int(k))) for k in level.flatten().tolist()]).view(level.shape)
    for i in range(255):
        result = result + torch.where(i < level, torch.log(alpha + i), torch.zeros_like(alpha))
        result = result + torch.where(i < 255 - level, torch.log(beta + i), torch.zeros_like(beta)) - torch.log(alpha + beta + i)
    return result, alpha / (alpha + beta)


def likelihoods():
    raw = torch.randn(3, 2, 1, 4, 5)
    raw[:, 1] -= 1
    x = torch.randint(0, 256, (3, 1, 4, 5)) / 255.0
    x[0, 0, 0, :2], x[1, 0, 0, :2] = 0, 1
    store("likelihood", raw=raw, x=x)
    for function in (learned_gaussian, discretised_logistic, beta_binomial):
        leaf = raw.clone().requires_grad_()
        log_prob, mean = function(leaf, x)
        log_prob = log_prob.flatten(1).sum(1)
        gradient, = torch.autograd.grad(log_prob.sum(), leaf)
        store(f"likelihood.{function.__name__}", log_prob=log_prob, gradient=gradient, mean=mean)


# ---- whole models

class DenseBlock(nn.Module):
    def __init__(self, inputs, outputs, activation):
        super().__init__()
        self.dense, self.activation = nn.Linear(inputs, outputs), activation

    def forward(self, x):
        return self.activation(self.dense(x.flatten(1)))


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs, side, activation):
        super().__init__()
        self.conv, self.side, self.activation = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), side, activation

    def forward(self, x):
        return self.activation(self.conv(x.reshape(len(x), -1, self.side, self.side)))


def same(x):
    return x


class Prior(nn.Module):
    """A mixture's own parameters, with logits for each class where there are any, or the pseudo-inputs of a VampPrior."""

    def __init__(self, kind, components, latent, shape, conditions):
        super().__init__()
        if kind == "mixture":
            self.mean, self.log_var = nn.Parameter(torch.randn(components, latent)), nn.Parameter(torch.randn(components, latent))
            self.logits = nn.Parameter(torch.randn((conditions, components) if conditions else (components,)))
        else:
            self.inputs = nn.Parameter(torch.randn(components, *shape))


class Vae(nn.Module):
    def __init__(self, encoder, features, decoder, latent, conditions=0, prior=None, shape=None):
        super().__init__()
        self.encoder, self.decoder, self.conditions = encoder, decoder, conditions
        self.latent = nn.ModuleDict({"mean": nn.Linear(features + conditions, latent), "log_var": nn.Linear(features + conditions, latent)})
        if prior:
            self.prior = Prior(prior, 5, latent, shape, conditions)

    def with_class(self, values, y):
        return torch.cat([values, F.one_hot(y, self.conditions).to(values)], 1) if self.conditions else values

    def posterior(self, x, y=None):
        h = self.with_class(self.encoder(x).flatten(1), y)
        return Normal(self.latent["mean"](h), torch.exp(0.5 * self.latent["log_var"](h)))

    def decode(self, z, y=None):
        return self.decoder(self.with_class(z, y))

    def log_prior(self, z, y=None):
        if not hasattr(self, "prior"):
            return Normal(0.0, 1.0).log_prob(z).sum(-1)
        if not self.conditions:
            return self.mixture().log_prob(z)
        return torch.stack([self.mixture(label).log_prob(each) for each, label in zip(z, y.tolist())])

    def mixture(self, label=None):
        """The prior of one class: with its weights, or of its pseudo-inputs, which are every conditions-th."""
        if hasattr(self.prior, "logits"):
            logits = self.prior.logits if label is None else self.prior.logits[label]
            parts, choice = Normal(self.prior.mean, torch.exp(0.5 * self.prior.log_var)), Categorical(logits=logits)
        else:
            inputs = self.prior.inputs if label is None else self.prior.inputs[label::self.conditions]
            parts = self.posterior(torch.sigmoid(inputs), None if label is None else torch.full((len(inputs),), label))
            choice = Categorical(logits=torch.zeros(len(inputs)))
        return MixtureSameFamily(choice, Independent(parts, 1))


def dense_vae(latent=3, conditions=0, **extra):
    encoder = nn.Sequential(DenseBlock(12, 6, F.relu))
    decoder = nn.Sequential(DenseBlock(latent + conditions, 6, F.relu), DenseBlock(6, 12, same))
    return Vae(encoder, 6, decoder, latent, conditions, **extra)


def conv_vae(maps=2, conditions=3, latent=3):
    encoder = nn.Sequential(ConvBlock(1, 2), ConvBlock(2, 4), DenseBlock(16, 5, F.relu))
    decoder = nn.Sequential(DenseBlock(latent + conditions, 5, F.relu), DenseBlock(5, 16, F.relu), UpBlock(4, 2, 2, F.relu),
                            UpBlock(2, maps, 4, same))
    return Vae(encoder, 5, decoder, latent, conditions)


def weights(model, kind="weights"):
    return {f"{kind}.{name}": value for name, value in model.named_parameters()}


def gradients(model):
    return {f"grad.{name}": p.grad for name, p in model.named_parameters()}


def bernoulli_log_prob(model, z, x, y=None):
    return Bernoulli(logits=model.decode(z, y).view(x.shape), validate_args=False).log_prob(x).flatten(1).sum(1)


def logistic_log_prob(model, z, x, y):
    return discretised_logistic(model.decode(z, y).view(len(x), 2, *x.shape[1:]), x)[0].flatten(1).sum(1)


def elbo_loss(model, noise, x, y, log_prob):
    q = model.posterior(x, y)
    z = q.loc + q.scale * noise
    kl = (q.log_prob(z).sum(1) - model.log_prior(z, y)) if hasattr(model, "prior") else kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    return (kl - log_prob(model, z, x, y)).mean()


def iwae_loss(model, noise, x, y, log_prob):
    """arXiv:1509.00519, equation 8: the samples one after the other."""
    q = model.posterior(x, y)
    log_w = []
    for each in noise:
        z = q.loc + q.scale * each
        log_w.append(log_prob(model, z, x, y) + model.log_prior(z, y) - q.log_prob(z).sum(1))
    return -(torch.logsumexp(torch.stack(log_w), 0) - math.log(len(noise))).mean()


def trained_case(case, model, loss, noise_shape, x, y, log_prob):
    """Loss, gradients, and the weights after ten steps of Adam, whose noise is seeded with the step."""
    store(case, x=x, **weights(model), **({} if y is None else {"condition": y}))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    noises = []
    for step in range(10):
        torch.manual_seed(step)
        noises.append(torch.randn(noise_shape))
        optimizer.zero_grad()
        value = loss(model, noises[-1], x, y, log_prob)
        value.backward()
        if step == 0:
            store(case, loss=value, **gradients(model))
        optimizer.step()
    store(case, noise=torch.stack(noises), **weights(model, "after"))


def models():
    x, y = torch.rand(6, 1, 8, 8).mul(255).round() / 255, torch.tensor([0, 2, 1, 1, 0, 2])
    trained_case("conditional", conv_vae(), elbo_loss, (6, 3), x, y, logistic_log_prob)
    small = torch.rand(6, 1, 3, 4)
    trained_case("iwae", dense_vae(), iwae_loss, (4, 6, 3), small, None, bernoulli_log_prob)
    trained_case("mixture", dense_vae(prior="mixture"), elbo_loss, (6, 3), small, None, bernoulli_log_prob)
    vamp = dense_vae(prior="vamp", shape=(1, 3, 4))
    trained_case("vamp", vamp, elbo_loss, (6, 3), small, None, bernoulli_log_prob)
    trained_case("vamp_iwae", dense_vae(prior="vamp", shape=(1, 3, 4)), iwae_loss, (4, 6, 3), small, None, bernoulli_log_prob)
    for kind in ("mixture", "vamp"):
        model = dense_vae(prior=kind, shape=(1, 3, 4), conditions=3)
        trained_case(f"conditional_{kind}", model, elbo_loss, (6, 3), small, y, bernoulli_log_prob)
    model = dense_vae(prior="mixture", conditions=3)
    trained_case("conditional_mixture_iwae", model, iwae_loss, (4, 6, 3), small, y, bernoulli_log_prob)


def priors():
    z = torch.randn(7, 3)
    for kind in ("mixture", "vamp"):
        for conditions, y in ((0, None), (3, torch.tensor([0, 2, 1, 1, 0, 2, 2]))):
            model = dense_vae(prior=kind, shape=(1, 3, 4), conditions=conditions)
            leaf = z.clone().requires_grad_()
            log_prior = model.log_prior(leaf, y)
            log_prior.sum().backward()
            used = {k: v for k, v in gradients(model).items() if v is not None}
            store(f"prior.{kind}.{conditions}", z=z, log_prior=log_prior, grad_z=leaf.grad, **weights(model), **used,
                  **({} if y is None else {"condition": y}))


def free_bits():
    """arXiv:1606.04934: the mean KL of each dimension over the batch counts at least λ."""
    mean, log_var = torch.randn(5, 4).mul(0.6).requires_grad_(), torch.randn(5, 4).mul(0.6).requires_grad_()
    weight = torch.rand(5) + 0.1
    store("free_bits", mean=mean, log_var=log_var, weight=weight)
    each = kl_divergence(Normal(mean, torch.exp(0.5 * log_var)), Normal(0.0, 1.0))
    bits = each.mean(0).sort().values[1:3].mean()  # some dimensions lie below it, some above
    paid = sum(max(bits.item(), kl) for kl in each.mean(0))
    weighted = sum(max(bits.item(), kl) for kl in (each * weight[:, None]).sum(0) / weight.sum())
    grads = torch.autograd.grad(paid, [mean, log_var])
    store("free_bits", bits=bits, paid=paid, weighted=weighted, kl=each.sum(1).mean(), grad_mean=grads[0], grad_log_var=grads[1])


def linear_gaussian():
    """x = W z + b + σ ε with orthogonal columns of W: p(x) and the posterior, which is diagonal, are known exactly."""
    sigma, scale = 0.3, torch.tensor([1.5, 0.7])
    basis = torch.linalg.qr(torch.randn(5, 2))[0] * scale
    bias = torch.randn(5)
    x = MultivariateNormal(bias, basis @ basis.T + sigma**2 * torch.eye(5)).sample((40,))
    log_p = MultivariateNormal(bias, basis @ basis.T + sigma**2 * torch.eye(5)).log_prob(x)
    precision = scale**2 + sigma**2
    store("linear", x=x, log_p=log_p, **{
        "weights.decoder.0.dense.weight": basis, "weights.decoder.0.dense.bias": bias,
        "weights.latent.mean.weight": (basis / precision).T, "weights.latent.mean.bias": -(basis / precision).T @ bias,
        "weights.latent.log_var.weight": torch.zeros(2, 5), "weights.latent.log_var.bias": torch.log(sigma**2 / precision)})


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    likelihoods()
    models()
    priors()
    free_bits()
    linear_gaussian()
    save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
