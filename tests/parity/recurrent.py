"""Recurrent layers and sequence models by plain torch.nn with the parameter names of vaetl's: the reference for
tests/models/lstm_test.cpp. Unequal lengths are packed sequences here. Weights, inputs and noise are what float32 holds
exactly, everything computed from them is float64, and the file has it rounded to float32. Every model makes ten steps of
torch.optim.SGD, each on a batch of its own.

Run by hand: python tests/parity/recurrent.py (needs torch and safetensors).
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

STEPS, RATE, MOMENTUM, COUNT, LANE = 10, 0.02, 0.9, 4, 5  # LANE: windows of a lane, steps of an epoch
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
tensors = {}


def rounded(values):
    return values.float().double()


def round_weights(module):
    module.load_state_dict({k: rounded(v) for k, v in module.state_dict().items()})
    return module


def keep(case, values):
    for name, value in values.items():
        tensors[f"{case}/{name}"] = value.detach().clone().contiguous()


# ---- layers

def run_layer(rnn, x, lengths, state=None):
    if lengths is None:
        return rnn(x, state)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, last = rnn(packed, state)
    return pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], last


def summary(rnn, last):
    h = last[0] if isinstance(last, tuple) else last
    return torch.cat([h[-2], h[-1]], 1) if rnn.bidirectional else h[-1]


def layer_case(case, cell, options, lengths=None, carried=False):
    rnn = round_weights(CELLS[cell](3, 4, batch_first=True, **options))
    x = rounded(torch.randn(COUNT, 6, 3)).requires_grad_()
    shape = (options.get("num_layers", 1), COUNT, 4)
    state = None
    if carried:
        state = [rounded(torch.randn(shape)) for _ in range(2 if cell == "lstm" else 1)]
        keep(case, {f"start{i}": part for i, part in enumerate(state)})
    given = None if state is None else tuple(state) if cell == "lstm" else state[0]
    output, last = run_layer(rnn, x, lengths, given)
    probe = rounded(torch.randn(output.shape))
    h = summary(rnn, last)
    ((output * probe).sum() + h.square().sum()).backward()
    keep(case, {"x": x, "output": output, "last": h, "probe": probe, "grad.x": x.grad,
                **{f"weights.{k}": v for k, v in rnn.state_dict().items()},
                **{f"grad.{k}": p.grad for k, p in rnn.named_parameters()}})
    if lengths is not None:
        keep(case, {"length": lengths})
    if not rnn.bidirectional and lengths is None:
        keep(case, {f"end{i}": part for i, part in enumerate(last if cell == "lstm" else [last])})


LENGTHS = torch.tensor([6, 1, 4, 3])
LAYERS = [
    ("lstm_one", "lstm", {}, None, False),
    ("lstm_carried", "lstm", {"num_layers": 2}, None, True),
    ("lstm_padded", "lstm", {"num_layers": 2}, LENGTHS, False),
    ("lstm_both", "lstm", {"bidirectional": True, "num_layers": 2}, None, False),
    ("lstm_both_padded", "lstm", {"bidirectional": True, "num_layers": 2}, LENGTHS, False),
    ("gru_one", "gru", {}, None, False),
    ("gru_carried", "gru", {"num_layers": 2}, None, True),
    ("gru_padded", "gru", {}, LENGTHS, False),
    ("gru_both_padded", "gru", {"bidirectional": True, "num_layers": 2}, LENGTHS, False),
]


# ---- models

class SelfAttention(nn.MultiheadAttention):
    """Over the steps of each sequence alone."""

    def __init__(self, item, width):
        super().__init__(width, item["heads"], batch_first=True)

    def forward(self, x, lengths):
        padding = None if lengths is None else torch.arange(x.shape[1])[None] >= lengths[:, None]
        return super().forward(x, x, x, key_padding_mask=padding, need_weights=False)[0]


class Residual(nn.Module):
    def __init__(self, item, width):
        super().__init__()
        self.of = SelfAttention(item["of"], width)

    def forward(self, x, lengths):
        return x + self.of(x, lengths)


OVER_STEPS = {"self_attention": SelfAttention, "residual": Residual}


class Encoder(nn.Module):
    def __init__(self, o):
        super().__init__()
        features = o["input"][-1] * (o["input"][0] if len(o["input"]) == 3 else 1)
        if o.get("vocabulary"):
            self.embedding = nn.Embedding(o["vocabulary"], o["embedding"])
            features = o["embedding"]
        self.rnn = CELLS[o.get("cell", "lstm")](features, o["hidden"], o.get("layers", 1), batch_first=True,
                                                bidirectional=o.get("bidirectional", False))
        width = o["hidden"] * (2 if self.rnn.bidirectional else 1)
        if o.get("insert"):
            self.rnn_inserted = nn.ModuleList([OVER_STEPS[item["name"]](item, width) for item in o["insert"]])

    def forward(self, x, lengths=None, state=None):
        steps = self.embedding(x) if hasattr(self, "embedding") else x
        output, last = run_layer(self.rnn, steps, lengths, state)
        if not hasattr(self, "rnn_inserted"):
            return output, summary(self.rnn, last), last
        for block in self.rnn_inserted:
            output = block(output, lengths)
        ends = torch.full((len(x),), x.shape[1]) if lengths is None else lengths
        last_steps = torch.stack([row[end - 1] for row, end in zip(output, ends)])
        if self.rnn.bidirectional:
            half = last_steps.shape[1] // 2
            last_steps = torch.cat([last_steps[:, :half], output[:, 0, half:]], 1)
        return output, last_steps, last


class Lstm(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o, self.encoder = o, Encoder(o)
        width = o["hidden"] * (2 if o.get("bidirectional") else 1)
        self.head = nn.Linear(width, o.get("classes", 0) + o.get("outputs", 0))

    def forward(self, x, lengths=None, state=None):
        if x.dim() == 4:  # a picture: row by row, the channels of a row side by side
            x = torch.stack([torch.cat([x[:, c, row] for c in range(x.shape[1])], 1) for row in range(x.shape[2])], 1)
        if self.o.get("continues"):
            return self.continued(x)
        output, features, last = self.encoder(x, lengths, state)
        return self.head(output if self.o.get("per_step") else features), last

    def continued(self, x):
        level, spread = x[:, -1:], torch.sqrt(((x - x.mean(1, keepdim=True)) ** 2).mean(1, keepdim=True) + 0.0025)
        values = self.head(self.encoder((x - level) / spread)[1])
        columns = self.o["continues"]
        horizon = values.shape[1] // len(columns)
        return (level[:, 0, columns].repeat(1, horizon) + values * spread[:, 0, columns].repeat(1, horizon)), None


class Decoder(nn.Module):
    def __init__(self, o, out):
        super().__init__()
        cell, layers = o.get("cell", "lstm"), o.get("layers", 1)
        self.cell, self.layers, self.hidden = cell, layers, o["hidden"]
        self.state = nn.Linear(o["latent"], (2 if cell == "lstm" else 1) * layers * o["hidden"])
        if o.get("vocabulary"):
            self.embedding = nn.Embedding(o["vocabulary"], o["embedding"])
        self.rnn = CELLS[cell](o["latent"] + (o["embedding"] if o.get("vocabulary") else 0), o["hidden"], layers, batch_first=True)
        self.output = nn.Linear(o["hidden"], out)

    def forward(self, z, steps, seen=None):
        start = self.state(z).view(len(z), -1, self.layers, self.hidden).permute(1, 2, 0, 3).contiguous()
        start = (start[0], start[1]) if self.cell == "lstm" else start[0]
        parts = [z[:, None].expand(-1, steps, -1)]
        if seen is not None:
            parts.insert(0, self.embedding(seen))
        return self.output(self.rnn(torch.cat(parts, 2), start)[0])


class Coder(nn.Module):
    def __init__(self, name, o):
        super().__init__()
        self.o, self.encoder, self.variational = o, Encoder(o), name == "sequence_vae"
        width = o["hidden"] * (2 if o.get("bidirectional") else 1)
        if self.variational:
            self.latent = nn.ModuleDict({"mean": nn.Linear(width, o["latent"]), "log_var": nn.Linear(width, o["latent"])})
        else:
            self.latent = nn.Linear(width, o["latent"])
        self.decoder = Decoder(o, o.get("vocabulary") or o["input"][-1])

    def log_prob(self, z, x):
        if not self.o.get("vocabulary"):
            output = self.decoder(z, x.shape[1])
            each = torch.distributions.Normal(output, self.o["sigma"]).log_prob(x).sum(2)
            if self.o.get("padded"):
                each = torch.stack([row * 1.0 if (end := last_nonzero(steps)) == len(steps) else
                                    torch.cat([row[:end], torch.zeros(len(steps) - end)]) for row, steps in zip(each, x)])
            return each.sum(1)
        seen = torch.cat([torch.zeros(len(x), 1, dtype=torch.long), x[:, :-1]], 1)
        log_p = self.decoder(z, x.shape[1], seen).log_softmax(2)
        total = []
        for row, ids in zip(log_p, x.tolist()):
            text = [i for i in ids if i != 0]  # padding is at the end alone
            text = (text + [0])[:len(ids)]
            total.append(sum(row[t, i] for t, i in enumerate(text)))
        return torch.stack(total)


def last_nonzero(steps):
    return max((t + 1 for t, step in enumerate(steps) if bool((step != 0).any())), default=0)


def lengths_of(fields, ids):
    if "length" in fields:
        return fields["length"]
    return (fields["input"] != 0).sum(1).clamp(min=1) if ids else None


def loss_of(model, objective, fields, noise, state):
    """The loss of one batch; a language model's state goes on."""
    x, target, ids = fields["input"], fields.get("target"), bool(model.o.get("vocabulary"))
    if objective == "cross_entropy":
        logits, _ = model(x, lengths_of(fields, ids))
        return F.cross_entropy(logits, target), None
    if objective == "squared_error":
        return F.mse_loss(model(x)[0], target), None
    if objective == "language_model":
        logits, last = model(x, None, state)
        last = tuple(part.detach() for part in last) if isinstance(last, tuple) else last.detach()
        return F.cross_entropy(logits.flatten(0, 1), target.flatten()), last
    if objective == "per_step":
        output, _ = model(x, fields.get("length"))
        if target.is_floating_point():
            keep_steps = torch.cat([output[n, :k] for n, k in enumerate(fields["length"])])
            return F.mse_loss(keep_steps, torch.cat([target[n, :k] for n, k in enumerate(fields["length"])])), None
        ignored = target.clone()
        if "length" in fields:
            for n, k in enumerate(fields["length"]):
                ignored[n, k:] = -100
        return F.cross_entropy(output.flatten(0, 1), ignored.flatten()), None
    features = model.encoder(x, lengths_of(fields, ids))[1]
    if objective == "reconstruction":
        return F.mse_loss(model.decoder(model.latent(features), x.shape[1]), x), None
    mean, log_var = model.latent["mean"](features), model.latent["log_var"](features)
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mean, torch.exp(0.5 * log_var)),
                                           torch.distributions.Normal(0.0, 1.0)).sum(1)
    return (kl - model.log_prob(mean + torch.exp(0.5 * log_var) * noise, x)).mean(), None


VALUES = {"input": [6, 3], "hidden": 5}
IDS = {"input": [7], "vocabulary": 9, "embedding": 3, "hidden": 5}
ATTENTION = [{"after": "encoder.rnn", "name": "residual", "of": {"name": "self_attention", "heads": 2}, "gate": False},
             {"after": "encoder.rnn", "name": "self_attention", "heads": 3}]
CASES = [
    ("classifier", "lstm", {**VALUES, "classes": 3}, "cross_entropy", {}),
    ("picture", "lstm", {"input": [2, 5, 3], "hidden": 4, "classes": 3}, "cross_entropy", {}),
    ("padded_both", "lstm", {**VALUES, "input": [-1, 3], "layers": 2, "bidirectional": True, "classes": 3}, "cross_entropy",
     {"padded": True}),
    ("text", "lstm", {**IDS, "cell": "gru", "classes": 4}, "cross_entropy", {"texts": True}),
    ("forecaster", "lstm", {**VALUES, "cell": "gru", "layers": 2, "classes": 0, "outputs": 4}, "squared_error", {}),
    ("continued", "lstm", {**VALUES, "classes": 0, "outputs": 4, "continues": [2, 0]}, "squared_error", {}),
    ("tagger", "lstm", {**VALUES, "bidirectional": True, "per_step": True, "classes": 3}, "per_step", {"padded": True}),
    ("step_values", "lstm", {**VALUES, "cell": "gru", "per_step": True, "classes": 0, "outputs": 2}, "per_step",
     {"padded": True, "values": 2}),
    ("language", "lstm", {**IDS, "layers": 2, "per_step": True, "classes": 9}, "language_model", {}),
    ("autoencoder", "sequence_autoencoder", {**VALUES, "cell": "lstm", "bidirectional": True, "latent": 2, "likelihood": "gaussian"},
     "reconstruction", {}),
    ("vae", "sequence_vae", {**VALUES, "cell": "gru", "layers": 2, "bidirectional": False, "latent": 2, "likelihood": "gaussian",
                             "sigma": 0.5, "padded": True}, "elbo", {"padded": True}),
    ("vae_text", "sequence_vae", {**IDS, "cell": "lstm", "bidirectional": False, "latent": 2}, "elbo", {"texts": True}),
    ("attention", "lstm", {"input": [-1, 3], "hidden": 3, "bidirectional": True, "classes": 2, "insert": ATTENTION},
     "cross_entropy", {"padded": True}),
]


def padded_zero(x, lengths):
    return torch.stack([torch.cat([row[:k], torch.zeros_like(row[k:])]) for row, k in zip(x, lengths.tolist())])


def fields_of(options, objective, extra):
    shape = [6 if size == -1 else size for size in options["input"]]
    many, time = STEPS * COUNT, shape[1] if len(shape) == 3 else shape[0]
    fields, lengths = {}, torch.randint(1, time + 1, (many,))
    if options.get("vocabulary"):
        ids = torch.randint(1, options["vocabulary"], (many, time + 1))
        fields["input"] = padded_zero(ids[:, :-1], lengths) if extra.get("texts") else ids[:, :-1]
    else:
        fields["input"] = rounded(torch.randn(many, *shape))
        if extra.get("padded"):
            fields["input"] = padded_zero(fields["input"], lengths)
    if extra.get("padded"):
        fields["length"] = lengths
    if objective == "cross_entropy":
        fields["target"] = torch.randint(0, options["classes"], (many,))
    elif objective == "squared_error":
        fields["target"] = rounded(torch.randn(many, options["outputs"]))
    elif objective == "language_model":
        fields["target"] = ids[:, 1:]
        fields["index"] = (torch.arange(COUNT) * LANE + torch.arange(STEPS)[:, None] % LANE).flatten()
    elif extra.get("values"):
        fields["target"] = rounded(torch.randn(many, time, extra["values"]))
    elif objective == "per_step":
        fields["target"] = torch.randint(0, options["classes"], (many, time))
    return {name: values.view(STEPS, COUNT, *values.shape[1:]) for name, values in fields.items()}


def model_case(case, name, options, objective, extra):
    model = round_weights(Lstm(options) if name == "lstm" else Coder(name, options))
    fields = fields_of(options, objective, extra)
    noise = rounded(torch.randn(STEPS, COUNT, options.get("latent", 1)))
    keep(case, {**{f"weights.{k}": v for k, v in model.state_dict().items()}, **{f"field.{k}": v for k, v in fields.items()}})
    if objective == "elbo":
        keep(case, {"noise": noise})
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    losses, state = [], None
    for step in range(STEPS):
        if step % LANE == 0:
            state = None
        optimizer.zero_grad()
        loss, state = loss_of(model, objective, {k: v[step] for k, v in fields.items()}, noise[step], state)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            keep(case, {f"grad.{k}": p.grad for k, p in model.named_parameters()})
        optimizer.step()
    keep(case, {"losses": torch.stack(losses), **{f"after.{k}": v for k, v in model.state_dict().items()}})


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    for item in LAYERS:
        layer_case(*item)
    for item in CASES:
        model_case(*item)
    kept = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    layers = [{"case": case, "cell": cell, "layers": o.get("num_layers", 1), "bidirectional": o.get("bidirectional", False)}
              for case, cell, o, _, _ in LAYERS]
    models = [{"case": case, "model": {"name": name, **o}, "objective": objective} for case, name, o, objective, _ in CASES]
    save_file(kept, str(pathlib.Path(__file__).with_suffix(".safetensors")),
              {"models": json.dumps(models), "layers": json.dumps(layers)})
