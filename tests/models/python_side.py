"""What plain PyTorch makes of a model that vaetl describes: the modules of tests/parity by the description of a card, and their
outputs as a card's test vector, vaetl-reconstruct and vaetl-generate have them.
"""
import collections
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "parity"))

import autoencoder  # noqa: E402
import backbones  # noqa: E402
import components  # noqa: E402
import gan  # noqa: E402
import nn_layers  # noqa: E402
import recurrent  # noqa: E402
import restorer  # noqa: E402
import vae  # noqa: E402

BACKBONES = {"resnet": ("depth", "width", "stem"), "cifar_resnet": ("depth", "width", "shortcut"),
             "vgg": ("depth", "width", "batch_norm", "dropout"), "mobilenet_v1": ("width", "slope"),
             "mobilenet_v2": ("width", "dropout"), "lenet": ("channels", "kernel", "dense")}


def trunk(o):
    return nn_layers.conv_encoder(o) if "channels" in o else nn_layers.dense_encoder(o)


def with_inserted(encoder, o):
    """Dense blocks with components between them: 0, 0_inserted, 1, …."""
    blocks = collections.OrderedDict()
    for name, block in encoder.named_children():
        blocks[name] = block
        inserted = [{k: v for k, v in item.items() if k not in ("after", "bias")} for item in o.get("insert", [])
                    if item["after"] == f"encoder.{name}"]
        if inserted:
            width = block.dense.out_features
            blocks[f"{name}_inserted"] = nn.Sequential(*(components.make(spec, [width]) for spec in inserted))
    return nn.Sequential(blocks)


def make_classifier(o):
    encoder, features = trunk(o)
    return nn_layers.Classifier(with_inserted(encoder, o), features, o["classes"] + o.get("outputs", 0))


def make_vae(o):
    encoder, features = trunk(o)
    decoded = {**o, "latent": o["latent"] + o["conditions"]}
    maps = 2 if o["likelihood"] == "discretised_logistic" else 1
    decoded["input"] = [maps * o["input"][0], *o["input"][1:]]
    decoder = nn_layers.conv_decoder(decoded) if "channels" in o else nn_layers.dense_decoder(decoded)
    prior = None if o["prior"] == "standard" else o["prior"]
    module = vae.Vae(encoder, features, decoder, o["latent"], o["conditions"], prior=prior, shape=o["input"])
    module.shape, module.maps = o["input"], maps
    return module


def make(model):
    """The module of a card's "model"."""
    name, o = model["name"], {key: value for key, value in model.items() if key != "name"}
    if name in BACKBONES:
        backbones.CLASSES = o["classes"]
        return getattr(backbones, name)(o["input"], **{key: o[key] for key in BACKBONES[name] if key in o})
    if name in ("mlp", "cnn"):
        return make_classifier(o)
    if name in ("vae", "conv_vae"):
        return make_vae(o)
    if name in ("gan", "dcgan"):
        return gan.Gan(name, o)
    if name == "lstm":
        return recurrent.Lstm(o)
    if name == "skip_autoencoder":
        return restorer.SkipAutoencoder(o)
    return recurrent.Coder(name, o) if name.startswith("sequence_") else autoencoder.Autoencoder(name, o)


def is_ids(x):
    return not x.is_floating_point()


def code(module, x, y=None):
    if isinstance(module, autoencoder.Autoencoder):
        return module.encoder(x)
    if isinstance(module, vae.Vae):
        return module.posterior(x, y).loc
    features = module.encoder(x, (x != 0).sum(1).clamp(min=1) if is_ids(x) else None)[1]
    return (module.latent["mean"] if module.variational else module.latent)(features)


def vector_output(module, x, y=None):
    """What a test vector has of the input (of a GAN the noise) x and the class y."""
    if isinstance(module, gan.Gan):
        return module.generate(x, y)
    if isinstance(module, (autoencoder.Autoencoder, vae.Vae, recurrent.Coder)):
        return code(module, x, y)
    return module(x)[0] if isinstance(module, recurrent.Lstm) else module(x)


def greedy_ids(decoder, z, steps):
    """Token by token the most probable one, until padding."""
    ids = torch.zeros(len(z), 0, dtype=torch.long)
    going = torch.ones(len(z), dtype=torch.bool)
    for step in range(steps):
        seen = torch.cat([torch.zeros(len(z), 1, dtype=torch.long), ids], 1)
        token = decoder(z, step + 1, seen)[:, -1].argmax(1) * going
        going &= token != 0
        ids = torch.cat([ids, token[:, None]], 1)
    return ids


def vae_mean(module, z, y=None):
    raw = module.decode(z, y)
    if module.maps == 1:
        return torch.sigmoid(raw).reshape(len(z), *module.shape)
    raw = raw.reshape(len(z), module.maps, *module.shape)
    return vae.discretised_logistic(raw, torch.zeros_like(raw[:, 0]))[1]


def rebuilt(module, x, y=None):
    """decode(encode(x)), as the model makes it."""
    z = code(module, x, y)
    if isinstance(module, autoencoder.Autoencoder):
        return module.mean(z, x.shape)
    if isinstance(module, vae.Vae):
        return vae_mean(module, z, y)
    return greedy_ids(module.decoder, z, x.shape[1]) if is_ids(x) else module.decoder(z, x.shape[1])


def generated_without_noise(module, count, y=None):
    """What a generator may make at temperature 0: one possibility, of a learned prior one for each of its components."""
    if isinstance(module, gan.Gan):
        return [module.generate(torch.zeros(count, module.o["noise"], dtype=torch.double), y)]
    if isinstance(module, recurrent.Coder):
        return [module.decoder(torch.zeros(count, module.o["latent"], dtype=torch.double), module.o["input"][0])]
    if not hasattr(module, "prior"):
        return [vae_mean(module, torch.zeros(count, module.latent["mean"].out_features, dtype=torch.double), y)]
    if hasattr(module.prior, "logits"):
        means = module.prior.mean
    else:
        inputs, classes = torch.sigmoid(module.prior.inputs), module.conditions
        means = module.posterior(inputs, torch.arange(len(inputs)) % classes if classes else None).loc
    return [vae_mean(module, mean.expand(count, -1), y) for mean in means]


def shaken(module):
    """With weights and statistics of its own, so that a slip shows."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for name, value in module.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
    return module
