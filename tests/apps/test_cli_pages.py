"""The pages on the programs, and completion for bash, say what the programs do: test_cli_pages.py FOLDER/OF/PROGRAMS"""
import os
import pathlib
import subprocess
import sys

import support
from support import Case

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import write_cli_pages  # noqa: E402


class Pages(Case):
    def test_they_are_current(self):
        told = write_cli_pages.pages(support.BIN)
        written = {path.name: path.read_text() for path in (ROOT / "docs" / "cli").glob("*.md")}
        self.assertEqual(sorted(told), sorted(written), "scripts/write_cli_pages.py build/release/bin writes them")
        for name, text in told.items():
            self.assertEqual(text, written[name], f"{name}: scripts/write_cli_pages.py build/release/bin writes it")

    def test_commands_have_parts(self):
        page = write_cli_pages.page(support.BIN / "vaetl-zoo")
        for command in ["add", "verify", "export"]:
            self.assertIn(f"\n## vaetl-zoo {command}\n", page)


class Completion(Case):
    def completed(self, *words):
        script = f'source {ROOT}/apps/completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vaetl; echo "${{COMPREPLY[*]}}"'
        environment = self.environment | {"PATH": f"{support.BIN}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, env=environment, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_tasks_commands_options_names(self):
        self.assertEqual(self.completed("vaetl", "trai"), ["train"])
        self.assertEqual(self.completed("vaetl-zoo", "ver"), ["verify"])
        self.assertEqual(self.completed("vaetl", "zoo", "ex"), ["export"])
        self.assertEqual(self.completed("vaetl-data", "ma"), ["make"])
        self.assertEqual(self.completed("vaetl-generate", "--trunc"), ["--truncation"])
        self.assertEqual(self.completed("vaetl", "generate", "--trunc"), ["--truncation"])
        self.assertEqual(self.completed("vaetl-zoo", "add", "--licence-"), ["--licence-file"])
        self.assertIn("--seed", self.completed("vaetl-data", "make", "--"))
        self.assertIn("fashion-mnist-simclr", self.completed("vaetl-evaluate", "fashion-mnist-"))
        self.assertEqual(self.completed("vaetl-generate", "--nothing-like-it"), [])


if __name__ == "__main__":
    support.main()
