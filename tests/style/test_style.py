"""clang-format, and the sizes that CONTRIBUTING.md states: no function above 80 lines, no source file above 400."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("src", "models", "apps", "tests")
FUNCTION_LINES = 80
FILE_LINES = 400


def sources():
    return sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*") if p.suffix in (".hpp", ".cpp"))


def longest_function(text):
    longest, start = 0, None
    for number, line in enumerate(text.split("\n")):
        if re.match(r"^[A-Za-z_].*\)\s*(const)?\s*(noexcept)?\s*\{\s*$", line):
            start = number
        if line.startswith("}") and start is not None:
            longest, start = max(longest, number - start + 1), None
    return longest


class Style(unittest.TestCase):
    def test_clang_format(self):
        done = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, sources())], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:2000])

    def test_function_length(self):
        for path in sources():
            self.assertLessEqual(longest_function(path.read_text()), FUNCTION_LINES, str(path))

    def test_file_length(self):
        for path in sources():
            if "tests" not in path.relative_to(ROOT).parts:
                self.assertLessEqual(path.read_text().count("\n"), FILE_LINES, str(path))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
