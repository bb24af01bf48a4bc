#!/usr/bin/env python3
"""Runs what ctest knows of the given build trees, counts single test cases, lists what was skipped and why.

The closing line is "N passed, N failed"; the exit status is 1 where anything failed or nothing ran.
"""
import json
import os
import re
import subprocess
import sys
import time

TIME_LIMIT = 900  # seconds for one program; a hang is a failure


def programs(tree):
    listing = subprocess.run(["ctest", "--test-dir", tree, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout)["tests"]:
        if "command" not in test:
            raise SystemExit(f"run_tests: {test['name']} in {tree} is not built")
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        yield test["name"], test["command"], properties.get("WORKING_DIRECTORY", ".")


def run(command, folder):
    environment = dict(os.environ, OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"), ASAN_OPTIONS="detect_leaks=0:alloc_dealloc_mismatch=0", UBSAN_OPTIONS="print_stacktrace=1")
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=TIME_LIMIT, env=environment, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        text = expired.stdout or b""
        return 124, (text if isinstance(text, str) else text.decode(errors="replace")) + f"\nstopped after {TIME_LIMIT} s"


def count(output, code):
    """(passed, failed, [(skipped, reason)]) of gtest's or unittest's output; anything else is one test."""
    skipped = []
    if "[==========] Running" in output:
        passed = len(re.findall(r"^\[       OK \]", output, re.M))
        failed = len(set(re.findall(r"^\[  FAILED  \] (\S+?)(?:,| \()", output, re.M)))
        for match in re.finditer(r"^\[ RUN      \] (\S+)\n((?:(?!\[ RUN|\[       OK|\[  FAILED).*\n)*?)\[  SKIPPED \]", output, re.M):
            reason = [line for line in match.group(2).split("\n") if line.strip() and "Skipped" not in line]
            skipped.append((match.group(1), reason[-1].strip() if reason else ""))
    elif match := re.search(r"^Ran (\d+) tests? in", output, re.M):
        counts = {k: int(v) for k, v in re.findall(r"(failures|errors|skipped)=(\d+)", output.split(match.group(0))[1])}
        failed = counts.get("failures", 0) + counts.get("errors", 0)
        passed = max(0, int(match.group(1)) - failed - counts.get("skipped", 0))
        skipped = re.findall(r"^(\S+).*\.\.\. skipped ['\"](.*)['\"]$", output, re.M)
    else:
        passed, failed = (1, 0) if code == 0 else (0, 1)
    if code != 0 and failed == 0:
        failed = 1  # it crashed, or a sanitizer spoke up
    return passed, failed, skipped


def main():
    passed = failed = 0
    skipped = []
    for tree in sys.argv[1:]:
        for name, command, folder in programs(tree):
            start = time.monotonic()
            code, output = run(command, folder)
            ok, bad, left = count(output, code)
            passed, failed, skipped = passed + ok, failed + bad, skipped + left
            print(f"{os.path.basename(tree)}/{name}: {ok} passed, {bad} failed, {len(left)} skipped"
                  f" in {time.monotonic() - start:.1f} s", flush=True)
            if bad:
                print("\n".join("    " + line for line in output.splitlines()[-200:]), flush=True)
    for name, reason in sorted(set(skipped)):
        print(f"skipped {name}: {reason}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
