"""Files of torch.save with the tensors that they hold: the reference for tests/io/pytorch*_test.cpp.

pytorch_files.safetensors: "file.FORMAT.CASE[.VARIANT]" is a whole file, compressed with gzip, "CASE/TENSOR" what was
saved; of types that safetensors lacks, the bytes. Both formats, every type, views, shared storages, parameters,
checkpoints, what has to be refused.
pytorch_files.json: digests of weights that others made, which are not part of the project; written only where FOLDER is
given, laid out as VAETL_TEST_DATA is.
Run by hand: python tests/parity/pytorch_files.py [FOLDER] (needs torch 2.13, numpy and safetensors).
"""
import collections
import gzip
import hashlib
import io
import json
import os
import pathlib
import struct
import sys
import types
import warnings
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__)
SAFE = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool}
tensors = {}


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def stream(value, **options):
    return saved(value, _use_new_zipfile_serialization=False, **options)


def file(name, data):
    tensors[f"file.{name}"] = torch.frombuffer(bytearray(gzip.compress(data, mtime=0)), dtype=torch.uint8)


def plain(tensor):
    tensor = tensor.detach().contiguous().clone()
    return tensor if tensor.dtype in SAFE else tensor.reshape(-1).view(torch.uint8)


def case(name, data, expected):
    file(name, data)
    for key, tensor in expected.items():
        tensors[f"{name.split('.')[1]}/{key}"] = plain(tensor)


def both(name, value, expected=None):
    expected = value if expected is None else expected
    case(f"zip.{name}", saved(value), expected)
    case(f"stream.{name}", stream(value), expected)


def rezipped(data, compression=zipfile.ZIP_STORED, change=lambda name, content: content, again=()):
    """The same records written by another program."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", compression) as new:
        for name in [*old.namelist(), *again]:
            new.writestr(name, change(name, old.read(name)))
    return buffer.getvalue()


def zip64(data):
    """The same archive with its directory told in the records for large archives."""
    count, size, offset = struct.unpack("<HII", data[-12:-2])
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(data) - 22, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:-22] + end64 + locator + end


ramp = torch.arange(-3, 3).reshape(2, 3)
typed = {str(t).removeprefix("torch."): ramp.to(t) for t in sorted(SAFE, key=str)}
typed["bool"] = ramp % 2 == 0
typed["complex64"] = ramp.to(torch.complex64) * (1 + 2j)
typed["complex128"] = ramp.to(torch.complex128) * (1 - 2j)
both("types", typed)
case("zip.new_types",
     saved(new := {str(t).removeprefix("torch."): (ramp.float() + 3).to(t) for t in
                   [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]}), new)

base = torch.arange(24.0)
both("views", {"base": base, "transposed": base.view(4, 6).t(), "slice": base[3:20:4], "offset": base[5:9],
               "expanded": base[2:3].expand(3, 2), "scalar": base[7], "empty": torch.zeros(0, 3),
               "empty_view": base[4:4], "number": torch.tensor(5), "image": torch.arange(24.0).view(1, 2, 3, 4).contiguous(
                   memory_format=torch.channels_last)})

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Linear(4, 2))
weights = network.state_dict()
both("ordered", weights)
case("zip.ordered.protocol4", saved(weights, pickle_protocol=4), weights)
case("stream.ordered.protocol4", stream(weights, pickle_protocol=4), weights)
case("zip.ordered.protocol5", saved(weights, pickle_protocol=5), weights)
case("zip.ordered.repacked", rezipped(saved(weights)), weights)
case("zip.ordered.zip64", zip64(saved(weights)), weights)
torch.serialization.set_crc32_options(False)
case("zip.ordered.no_checksums", saved(weights), weights)
torch.serialization.set_crc32_options(True)

parameter = torch.nn.Parameter(torch.ones(2))
parameter.tag = "x"
attributed = torch.ones(3) * 2
attributed.tag = [1, 2]
both("parameters", {"parameter": torch.nn.Parameter(torch.ones(2, 2)), "with_state": parameter, "retyped": attributed})

optimizer = torch.optim.SGD(network[:2].parameters(), lr=0.1, momentum=0.9)
network[:2](torch.ones(1, 2, 5, 5)).sum().backward()
optimizer.step()
small = {"w": torch.ones(2, 2), "b": torch.zeros(2)}
facts = {"epoch": 18, "arch": "resnet18", "best_prec1": np.float64(91.78), "count": np.int64(-3), "half": np.float16(0.5),
         "flag": np.bool_(True), "yes": True, "nothing": None, "big": 2**70, "negative": -(2**40), "name": "Größe",
         "bytes": b"\x00\xff", "no_bytes": b"", "device": torch.device("cuda:1"), "dtype": torch.float32,
         "size": torch.Size([2, 3]), "set": {7}, "losses": [0.5, 0.25], "pair": ("a", 1),
         "seen": collections.Counter("aab"), 3: "three"}
both("checkpoint", {**facts, "state_dict": small, "optimizer": optimizer.state_dict()}, small)
both("deep", {"epoch": 1, "nets": {"main": small}, "optimizer": {"state": {0: {"m": base}}}}, small)
both("dotted", {"net.g": {"a": {"w": base}, "b": base + 1}, "loss": 1.0}, {"a.w": base, "b": base + 1})
both("pair", (small, {"lr": 0.1}), small)
prefixed = {"module." + name: tensor for name, tensor in small.items()}
both("prefixed", {"model": prefixed}, prefixed)
both("several", {"netG": small, "netD": {"w": base}, "loss": torch.tensor(2.0)}, {})
both("two_usual", {"model": small, "state_dict": small}, {})
both("none", {"epoch": 3, "losses": [1.0]}, {})
both("tensor", base, {})
both("list", [base, base], {})


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 1)


class Attack:
    def __reduce__(self):
        return os.system, ("exit 1",)


LeNet.__module__ = "models"
sys.modules["models"] = types.ModuleType("models")
sys.modules["models"].LeNet = LeNet
both("refused.module", LeNet(), {})
both("refused.system", {"w": base, "x": Attack()}, {})
both("refused.sparse", {"w": torch.eye(2).to_sparse()}, {})
file("zip.refused.conj", saved({"w": torch.ones(2, dtype=torch.complex64).conj()}))
both("refused.array", {"w": np.zeros(2)}, {})
both("refused.text_scalar", {"w": np.str_("x")}, {})
file("zip.refused.storage", saved({"w": base, "s": torch.ones(2).untyped_storage()}))
file("zip.refused.compressed", rezipped(saved(small), zipfile.ZIP_DEFLATED))
file("zip.refused.twice", rezipped(saved(small), again=["archive/data/0"]))
file("zip.refused.big", rezipped(saved(small), change=lambda name, data: b"big" if name.endswith("byteorder") else data))
file("zip.refused.version", rezipped(saved(small), change=lambda name, data: b"99" if name.endswith("/version") else data))
file("zip.refused.short", rezipped(saved(small), change=lambda name, data: data[:-1] if name.endswith("data/0") else data))
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as other:
    other.writestr("a/code/__torch__.py", "")
    other.writestr("a/data.pkl", "")
file("zip.refused.script", buffer.getvalue())
buffer = io.BytesIO()
np.savez(buffer, x=np.zeros(1))
file("zip.refused.npz", buffer.getvalue())
save_file(tensors, HERE.with_suffix(".safetensors"))


def digests(path):
    """What is held against torch.load: the list of names, types and shapes; all bytes, by name; the sum of everything."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    weights = content.get("state_dict", content)
    names, values, total = hashlib.sha256(), hashlib.sha256(), 0.0
    for name, tensor in sorted(weights.items(), key=lambda item: item[0].encode()):
        names.update(f"{name} {str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}\n".encode())
        values.update(tensor.contiguous().numpy().tobytes())
        total += tensor.double().sum().item()
    facts = {k: v for k, v in content.items() if isinstance(v, (int, float, str))}
    return {"tensors": len(weights), "elements": sum(t.numel() for t in weights.values()), "sum": total,
            "names_sha256": names.hexdigest(), "values_sha256": values.hexdigest(), "values": facts}


if len(sys.argv) > 1:
    root = pathlib.Path(sys.argv[1]) / "weights"
    found = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix in (".th", ".pth", ".tar"))
    result = {name: digests(root / name) for name in found if "eshal26" not in name}  # that one holds a whole module
    HERE.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
