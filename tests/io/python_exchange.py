"""Weights travel between C++ and Python's safetensors, both ways: python_exchange.py PATH/TO/vaetl_test_io

C++ writes every dtype and Python reads equal bits; Python writes and C++ reads equal bits; and both files are the same,
byte for byte. tensors() is the counterpart of exchange_tensors() in tensor_files.cpp.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

DTYPES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}


def tensors():
    ramp = torch.arange(-3, 3).view(2, 3)
    result = {}
    for name, dtype in DTYPES.items():
        values = ramp.remainder(256) if dtype == torch.uint8 else ramp
        result[f"ramp.{name}"] = values.to(dtype)
    special = torch.tensor([float("inf"), -float("inf"), -0.0, 1 / 3], dtype=torch.float64)
    for name in ("Double", "Float", "Half", "BFloat16"):
        result[f"special.{name}"] = special.to(DTYPES[name])
    result["extremes"] = torch.tensor([-(2**63), 2**63 - 1])
    result["scalar"] = torch.tensor(2.5)
    result["empty"] = torch.empty(0, 3, dtype=torch.float16)
    result["six"] = torch.arange(64, dtype=torch.int16).view(2, 2, 2, 2, 2, 2)
    result["transposed"] = torch.arange(6, dtype=torch.float32).view(2, 3).t().contiguous()
    result['naïve "name"\\\n'] = torch.ones(3, dtype=torch.int8)
    return result


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def run_cpp(program, half, folder):
    command = [program, f"--gtest_filter=Exchange.{half}", "--gtest_brief=1"]
    subprocess.run(command, check=True, env={**os.environ, "VAETL_EXCHANGE": str(folder)})


def check_cpp_file(path):
    expected, found = tensors(), load_file(path)
    assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, f"{name}: {found[name].dtype} is not {tensor.dtype}"
        assert found[name].shape == tensor.shape, f"{name}: {found[name].shape} is not {tensor.shape}"
        assert torch.equal(bits(found[name]), bits(tensor)), f"{name}: {found[name]} is not {tensor}"
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt"}, file.metadata()
    return len(expected)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_cpp(program, "Write", folder)
        count = check_cpp_file(folder / "cpp.safetensors")
        save_file(tensors(), folder / "python.safetensors", metadata={"format": "pt"})
        run_cpp(program, "Read", folder)
        same = (folder / "cpp.safetensors").read_bytes() == (folder / "python.safetensors").read_bytes()
        assert same, "C++ and Python write different bytes for the same tensors"
    print(f"{count} tensors exchanged both ways, files equal byte for byte")


main()
