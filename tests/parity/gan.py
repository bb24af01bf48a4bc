"""GANs in plain torch.nn and torch.optim: the reference for tests/models/gan_test, objectives/gan_test, metrics/frechet_test.

Everything is float64. Losses are written with PyTorch's own functions, spectral norm is torch.nn.utils.spectral_norm. The
noise of every update is in the file; it is what the stated seed draws. While one half is updated, the running statistics
of the other stand still.
Run by hand: python tests/parity/gan.py (needs torch and safetensors).
"""
import contextlib
import json
import pathlib
import warnings

import torch
import torch.nn.functional as F
from components import make as make_component
from safetensors.torch import save_file
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import spectral_norm

warnings.filterwarnings("ignore")
tensors = {}


def store(case, values):
    for name, value in values.items():
        tensors[f"{case}/{name}"] = value.detach().clone().contiguous()


def after(module, width, norm, activation):
    if norm:
        module.norm = norm(width)
    module.activation = {None: lambda x: x, "relu": F.relu, "leaky_relu_0.2": lambda x: F.leaky_relu(x, 0.2)}[activation]


class Dense(nn.Module):
    def __init__(self, inputs, outputs, activation=None, norm=False, spectral=False):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        if spectral:
            spectral_norm(self.dense)
        after(self, outputs, nn.BatchNorm1d if norm else None, activation)

    def forward(self, x):
        h = self.dense(x.flatten(1))
        return self.activation(self.norm(h) if hasattr(self, "norm") else h)


class Down(nn.Module):
    def __init__(self, inputs, outputs, kernel, activation, norm, spectral):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2)
        if spectral:
            spectral_norm(self.conv)
        after(self, outputs, nn.BatchNorm2d if norm else None, activation)

    def forward(self, x):
        h = self.conv(x)
        return self.activation(self.norm(h) if hasattr(self, "norm") else h)


class Up(nn.Module):
    def __init__(self, inputs, outputs, kernel, start, end, activation=None, norm=False):
        super().__init__()
        self.shape = inputs, *start
        odd = tuple(e - 2 * s for s, e in zip(start, end))
        self.conv = nn.ConvTranspose2d(inputs, outputs, kernel + 1, stride=2, padding=(kernel - 1) // 2, output_padding=odd)
        after(self, outputs, nn.BatchNorm2d if norm else None, activation)

    def forward(self, x):
        h = self.conv(x.reshape(len(x), *self.shape))
        return self.activation(self.norm(h) if hasattr(self, "norm") else h)


class Half(nn.Module):
    """Blocks called 0, 1, … beside others, with components between them called 0_inserted, …."""

    def __init__(self, half, insert, blocks, shapes, **others):
        super().__init__()
        for name, module in {**{str(i): block for i, block in enumerate(blocks)}, **others}.items():
            if module is not None:
                self.add_module(name, module)
        self.count = len(blocks)
        for i, shape in enumerate(shapes):
            here = [{k: v for k, v in item.items() if k != "after"} for item in insert if item["after"] == f"{half}.{i}"]
            if here:
                self.add_module(f"{i}_inserted", nn.Sequential(*[make_component(item, shape) for item in here]))

    def run(self, x):
        for i in range(self.count):
            x = getattr(self, str(i))(x)
            if hasattr(self, f"{i}_inserted"):
                x = getattr(self, f"{i}_inserted")(x)
        return x


def dense_blocks(o, inputs):
    sizes = [inputs, *o["widths"]]
    critic = [Dense(a, b, "leaky_relu_0.2", o["critic_batch_norm"], o["spectral_norm"]) for a, b in zip(sizes, sizes[1:])]
    return critic, o["widths"][-1], [[width] for width in o["widths"]]


def dense_generator(o, noise):
    sizes = [noise, *reversed(o["widths"])]
    blocks = [Dense(a, b, "relu", o["batch_norm"]) for a, b in zip(sizes, sizes[1:])]
    return blocks + [Dense(sizes[-1], torch.Size(o["input"]).numel())], [[width] for width in sizes[1:]]


def conv_blocks(o, channels):
    maps, size = [channels, *o["channels"]], o["input"][1:]
    blocks, shapes = [], []
    for a, b in zip(maps, maps[1:]):
        blocks.append(Down(a, b, o["kernel"], "leaky_relu_0.2", o["critic_batch_norm"], o["spectral_norm"]))
        size = [(s + 1) // 2 for s in size]
        shapes.append([b, *size])
    return blocks, maps[-1] * size[0] * size[1], shapes


def conv_generator(o, noise):
    sizes = [o["input"][1:]]
    for _ in o["channels"]:
        sizes.append([s // 2 for s in sizes[-1]])
    maps = [o["input"][0], *o["channels"]]
    flat = maps[-1] * sizes[-1][0] * sizes[-1][1]
    blocks, shapes = [Dense(noise, flat, "relu", o["batch_norm"])], [[flat]]
    for i in reversed(range(1, len(maps))):
        last = {} if i == 1 else {"activation": "relu", "norm": o["batch_norm"]}
        blocks.append(Up(maps[i], maps[i - 1], o["kernel"], sizes[i], sizes[i - 1], **last))
        shapes.append([maps[i - 1], *sizes[i - 1]])
    return blocks, shapes


class Gan(nn.Module):
    def __init__(self, name, o):
        super().__init__()
        self.o, self.dense, count = o, name == "gan", o["conditions"]
        self.kind = o["critic_condition"] if count else None
        embedded = self.kind == "embedding"
        size = o["condition_size"]
        if self.dense:
            critic, features, seen = dense_blocks(o, torch.Size(o["input"]).numel() + embedded * size)
            generator, made = dense_generator(o, o["noise"] + bool(count) * size)
        else:
            critic, features, seen = conv_blocks(o, o["input"][0] + embedded)
            generator, made = conv_generator(o, o["noise"] + bool(count) * size)
        norm = spectral_norm if o["spectral_norm"] else lambda layer: layer
        joined = size if self.dense else o["input"][1] * o["input"][2]
        condition = {"embedding": joined, "projection": features}.get(self.kind)
        insert = o.get("insert", [])
        self.generator = Half("generator", insert, generator, made, condition=nn.Embedding(count, size) if count else None)
        self.critic = Half("critic", insert, critic, seen, condition=norm(nn.Embedding(count, condition)) if condition else None,
                           head=norm(nn.Linear(features, 1)),
                           auxiliary=nn.Linear(features, count) if self.kind == "auxiliary" else None)

    def generate(self, z, c):
        h = torch.cat([z, self.generator.condition(c)], 1) if self.kind else z
        return torch.tanh(self.generator.run(h)).reshape(len(z), *self.o["input"])

    def judge(self, x, c):
        h = x
        if self.kind == "embedding":
            e = self.critic.condition(c)
            h = torch.cat([x.flatten(1), e] if self.dense else [x, e.reshape(len(x), 1, *x.shape[2:])], 1)
        features = self.critic.run(h).flatten(1)
        score = self.critic.head(features)[:, 0]
        if self.kind == "projection":
            score = score + torch.einsum("nf,nf->n", features, self.critic.condition(c))
        return score, self.critic.auxiliary(features) if self.kind == "auxiliary" else None


@contextlib.contextmanager
def kept(module):
    """Batch norm's statistics are put back; spectral norm makes no step of its iteration."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    spectral = [m for m in module.modules() if hasattr(m, "weight_u")]
    for m in spectral:
        m.training = False
    yield
    for m in spectral:
        m.training = True
    for name, value in module.named_buffers():
        value.data.copy_(buffers[name])


def bce(score, target):
    return F.binary_cross_entropy_with_logits(score, torch.full_like(score, target))


def critic_loss(loss, real, fake, smoothing):
    if loss in ("non_saturating", "minimax"):
        return bce(real, 1.0 - smoothing) + bce(fake, 0.0)
    if loss == "least_squares":
        return 0.5 * F.mse_loss(real, torch.full_like(real, 1 - smoothing)) + 0.5 * F.mse_loss(fake, torch.zeros_like(fake))
    if loss == "hinge":
        return torch.clamp(1 - real, min=0).mean() + torch.clamp(1 + fake, min=0).mean()
    return fake.mean() - real.mean()


def generator_loss(loss, fake):
    return {"non_saturating": lambda: bce(fake, 1.0), "minimax": lambda: -bce(fake, 0.0),
            "least_squares": lambda: 0.5 * F.mse_loss(fake, torch.ones_like(fake))}.get(loss, lambda: -fake.mean())()


def slope(gan, x, c):
    x = x.detach().clone().requires_grad_()
    with kept(gan.critic):
        score = gan.judge(x, c)[0]
        return torch.autograd.grad(score.sum(), x, create_graph=True)[0].flatten(1)


def critic_terms(gan, o, x, c, z, u):
    with torch.no_grad(), kept(gan.generator):
        made = gan.generate(z, c)
    (real, real_logits), (fake, fake_logits) = gan.judge(x, c), gan.judge(made, c)
    terms = {"critic": critic_loss(o["loss"], real, fake, o.get("label_smoothing", 0))}
    if "gradient_penalty" in o:
        norm = slope(gan, (1 - u) * x + u * made, c).pow(2).sum(1).sqrt()
        terms["gradient_penalty"] = o["gradient_penalty"] * ((norm - 1) ** 2).mean()
    if "r1" in o:
        terms["r1"] = o["r1"] / 2 * slope(gan, x, c).pow(2).sum(1).mean()
    if real_logits is not None:
        terms["critic_class"] = o["auxiliary"] * (F.cross_entropy(real_logits, c) + F.cross_entropy(fake_logits, c))
    return terms, {"score_real": real.mean(), "score_generated": fake.mean()}


def generator_terms(gan, o, c, z):
    with kept(gan.critic):
        score, logits = gan.judge(gan.generate(z, c), c)
    terms = {"generator": generator_loss(o["loss"], score)}
    if logits is not None:
        terms["generator_class"] = o["auxiliary"] * F.cross_entropy(logits, c)
    return terms


def gradients(gan, half):
    return {f"{half}_grad.{name}": p.grad for name, p in gan.named_parameters() if name.startswith(half)}


def clip(gan, o):
    if "clip" in o:
        with torch.no_grad():
            for p in gan.critic.parameters():
                p.clamp_(-o["clip"], o["clip"])


STEPS = 10
CRITIC, GENERATOR = 0, 1


def train(case, name, options, objective):
    torch.manual_seed(len(case))
    gan, o, count = Gan(name, options), objective, 5
    with torch.no_grad():  # values that a slip would change
        for p in gan.parameters():
            p.add_(0.1 * torch.randn_like(p))
    store(case, {f"weights.{k}": v for k, v in gan.state_dict().items()})
    x = torch.rand(count, *options["input"]) * 2 - 1
    c = torch.arange(count) % max(1, options["conditions"])
    store(case, {"x": x, "condition": c})
    optimizers = [torch.optim.Adam(half.parameters(), lr=0.01, betas=(0.5, 0.999)) for half in (gan.critic, gan.generator)]

    def noise(step, update):
        torch.manual_seed(1000 + 2 * step + update)
        z, u = torch.randn(count, options["noise"]), torch.rand(count, *[1] * len(options["input"]))
        store(case, {f"noise.{step}.{update}": z, f"mix.{step}.{update}": u})
        return z, u

    for step in range(STEPS):
        for update in (CRITIC, GENERATOR):
            if update == GENERATOR and (step + 1) % o.get("critic_steps", 1):
                continue
            z, u = noise(step, update)
            clip(gan, o)
            gan.zero_grad()
            terms, logged = critic_terms(gan, o, x, c, z, u) if update == CRITIC else (generator_terms(gan, o, c, z), {})
            sum(terms.values()).backward()
            if step < o.get("critic_steps", 1):
                store(case, {f"term.{k}.{step}": v for k, v in {**terms, **logged}.items()})
                store(case, gradients(gan, "critic" if update == CRITIC else "generator"))
            optimizers[update].step()
    store(case, {f"after.{k}": v for k, v in gan.state_dict().items()})
    gan.eval()
    with torch.no_grad():
        made = gan.generate(z, c)
        score, logits = gan.judge(made, c)
    store(case, {"eval.generated": made, "eval.score": score, **({} if logits is None else {"eval.logits": logits})})
    return {"case": case, "model": {"name": name, **options}, "objective": {"name": "adversarial", **objective}}


DENSE = {"input": [1, 4, 3], "widths": [6, 5], "noise": 3, "batch_norm": False, "critic_batch_norm": False,
         "spectral_norm": False, "conditions": 0, "condition_size": 4, "critic_condition": "embedding"}
CONV = {"input": [2, 9, 8], "channels": [3, 4], "kernel": 3, "noise": 3, "batch_norm": True, "critic_batch_norm": False,
        "spectral_norm": False, "conditions": 0, "condition_size": 4, "critic_condition": "embedding"}
ATTENTION = {"name": "residual", "of": {"name": "self_attention", "heads": 2}, "gate": True}
INSERT = [{"after": "critic.0", **ATTENTION}, {"after": "generator.1", **ATTENTION}, {"after": "generator.0", "name": "glu"}]
CASES = [
    ("dense_non_saturating", "gan", DENSE, {"loss": "non_saturating", "label_smoothing": 0.1}),
    ("dense_auxiliary_minimax_r1", "gan", {**DENSE, "conditions": 3, "critic_condition": "auxiliary", "batch_norm": True},
     {"loss": "minimax", "r1": 2.0, "auxiliary": 0.5}),
    ("dense_wasserstein_clip", "gan", {**DENSE, "conditions": 3}, {"loss": "wasserstein", "clip": 0.2, "critic_steps": 3}),
    ("conv_least_squares", "dcgan", {**CONV, "conditions": 2, "critic_batch_norm": True}, {"loss": "least_squares"}),
    ("conv_hinge_projection", "dcgan", {**CONV, "conditions": 3, "critic_condition": "projection", "spectral_norm": True,
                                        "kernel": 5}, {"loss": "hinge", "critic_steps": 2}),
    ("conv_wgan_gp", "dcgan", CONV, {"loss": "wasserstein", "gradient_penalty": 10.0, "critic_steps": 2}),
    ("attention_r1", "dcgan", {**CONV, "input": [1, 4, 4], "channels": [2, 2], "noise": 2, "batch_norm": False,
                               "insert": INSERT}, {"loss": "non_saturating", "r1": 2.0}),
]


def frechet():
    a, b = torch.randn(40, 6) @ torch.randn(6, 6), torch.randn(30, 6) @ torch.randn(6, 6) + 1
    joint = torch.linalg.eigvals(a.T.cov() @ b.T.cov()).real.clamp(min=0).sqrt().sum()
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum() + a.T.cov().trace() + b.T.cov().trace() - 2 * joint
    pairs = [(a[i] - a[j]).norm() for i in range(40) for j in range(40) if i != j]
    store("frechet", {"a": a, "b": b, "distance": distance, "spread": torch.stack(pairs).mean()})


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with sdpa_kernel(SDPBackend.MATH):  # the one whose gradient has a gradient
        cases = [train(*case) for case in CASES]
    torch.manual_seed(0)
    frechet()
    save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"), {"models": json.dumps(cases)})
