"""The programs, for experiments: what they print as JSON, or the end of the experiment."""
import json
import os
import pathlib
import subprocess
import sys


def program(given, name, *words, **environment):
    done = subprocess.run([str(pathlib.Path(given.bin) / name), *map(str, words), "--json"], stdout=subprocess.PIPE, text=True,
                          env=os.environ | environment)
    if done.returncode != 0:
        sys.exit(f"{name} {' '.join(map(str, words))}: exit code {done.returncode}")
    return json.loads(done.stdout)
