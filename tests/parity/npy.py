"""Files of NumPy's own making with the arrays that they hold: the reference for tests/io/npy_test.cpp.

Every type in both byte orders and both orders of dimensions, the format's three versions, archives stored and deflated,
and what has to be refused.
Run by hand: python tests/parity/npy.py (needs numpy, torch and safetensors).
"""
import io
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

tensors = {}


def as_bytes(data):
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def npy(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    return buffer.getvalue()


def store(name, data, array):
    tensors[f"file.{name}"] = as_bytes(data)
    wide = {"u2": np.int32, "u4": np.int64}.get(array.dtype.str[1:])
    native = array.astype(wide or array.dtype.newbyteorder("="))
    tensors[f"value.{name}"] = torch.from_numpy(np.ascontiguousarray(native).reshape(array.shape))


ramp = np.arange(-12, 12).reshape(2, 3, 4)
for code in ["b1", "u1", "u2", "u4", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]:
    values = (ramp % 2 if code == "b1" else ramp % 251 if code[0] == "u" else ramp * 3 + (0.25 if code[0] == "f" else 0))
    for order in "<>":
        array = values.astype(np.dtype(order + code))
        store(f"{code}.{'little' if order == '<' else 'big'}.c", npy(array), array)
        store(f"{code}.{'little' if order == '<' else 'big'}.f", npy(np.asfortranarray(array)), array)

for version in [(1, 0), (2, 0), (3, 0)]:
    store(f"version{version[0]}", npy(ramp, version), ramp)
store("scalar", npy(np.float32(2.5)), np.array(2.5, np.float32))
store("empty", npy(np.zeros((0, 3), np.float32)), np.zeros((0, 3), np.float32))
store("one", npy(np.arange(5.0)), np.arange(5.0))
store("limits", npy(np.array([-(2**63), 2**63 - 1])), np.array([-(2**63), 2**63 - 1]))

for name, save in {"stored": np.savez, "deflated": np.savez_compressed}.items():
    buffer = io.BytesIO()
    save(buffer, x_train=ramp, y_train=np.array([1, 0]), objects=np.array([{}], dtype=object))
    tensors[f"archive.{name}"] = as_bytes(buffer.getvalue())

buffer = io.BytesIO()
np.lib.format.write_array(buffer, np.array([{}, []], dtype=object), allow_pickle=True)
tensors["refused.objects"] = as_bytes(buffer.getvalue())
tensors["refused.strings"] = as_bytes(npy(np.array(["a", "bc"])))
tensors["refused.records"] = as_bytes(npy(np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")])))
tensors["refused.complex numbers"] = as_bytes(npy(np.zeros(2, dtype=np.complex64)))
tensors["refused.times"] = as_bytes(npy(np.array(["2020-01-01"], dtype="datetime64[D]")))

save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"))
