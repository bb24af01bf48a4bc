"""Tensors that are a formula of a name and a place, in Python as tests/models/filled.hpp has them in C++, so that weights and
inputs of any size need not be kept in a file.
"""
import math

import numpy
import torch


def noise(name, count):
    """Whole numbers that look random, as float64 in [-1, 1): 32 bits of arithmetic that any language can repeat."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = (numpy.arange(count, dtype=numpy.uint64) * 2654435761 + seed) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> numpy.uint64(shift))) * factor % 2**32
    x ^= x >> numpy.uint64(16)
    return x.astype(numpy.float64) / 2**31 - 1


def filled(name, shape):
    """float32: weights of unit gain, scales and variances near 1, biases and means small, counts 0."""
    values = noise(name, math.prod(shape))
    if name.endswith("num_batches_tracked"):
        values = numpy.zeros(1)
    elif len(shape) > 1:
        values = values * math.sqrt(6 / math.prod(shape[1:]))
    elif name.endswith(("running_var", "weight")):
        values = 1 + values / 4
    else:
        values = values / 8
    return torch.from_numpy(values).float().reshape(shape)


def fill(module):
    module.load_state_dict({name: filled(name, value.shape).to(value.dtype) for name, value in module.state_dict().items()})
    return module


def projections(name, tensor, count=3):
    """A few dot products with noise: any difference in the tensor shows in them."""
    values = tensor.detach().double().flatten()
    return [float(values @ torch.from_numpy(noise(f"{name}/{k}", values.numel()))) for k in range(count)]
