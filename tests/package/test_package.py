"""Installs the build into a folder of its own, builds a ten-line consumer with find_package(vaetl) and runs it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()


def call(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vaetl-package-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_consumer(self):
        prefix = self.folder / "prefix"
        call("cmake", "--install", BUILD, "--prefix", prefix)
        moved = self.folder / "moved"  # a package must not remember where it was installed first
        prefix.rename(moved)
        build = self.folder / "consumer"
        call("cmake", "-G", "Ninja", "-S", HERE / "consumer", "-B", build, f"-DCMAKE_PREFIX_PATH={moved}",
             "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0")
        call("cmake", "--build", build)
        output = call(build / "consumer")
        self.assertIn("encoder.0", output)
        self.assertIn("capabilities", output)
        version = call(moved / "bin" / "vaetl-train", "--version", env={k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"})
        self.assertIn("vaetl", version)
        zoo = call(moved / "bin" / "vaetl-zoo", "list", env={"PATH": os.environ["PATH"], "HOME": str(self.folder)})
        self.assertIn("fashion-mnist", zoo)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
