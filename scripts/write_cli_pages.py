"""Writes docs/cli, a page a program, from what the programs say of themselves: write_cli_pages.py FOLDER/OF/PROGRAMS [--out FOLDER]"""
import argparse
import pathlib
import re
import subprocess

root = pathlib.Path(__file__).resolve().parent.parent


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True).stdout


def commands_in(text):
    """Of a program of several commands, as its help lists them."""
    block = re.search(r"\nThe commands;[^\n]*\n((?:  \S.*\n)+)", text)
    return [line.split()[0] for line in block.group(1).splitlines()] if block else []


def page(program):
    text = help_of(program)
    parts = [f"# {program.name}\n", f"```\n{text}```\n"]
    for command in commands_in(text):
        parts += [f"## {program.name} {command}\n", f"```\n{help_of(program, command)}```\n"]
    return "\n".join(parts)


def programs_in(folder):
    return sorted(path for path in folder.glob("vaetl-*"))


def pages(folder):
    texts = {f"{program.name}.md": page(program) for program in programs_in(folder)}
    purposes = [(name, re.search(r"^[^:\n]+: (.*)$", text, re.M).group(1)) for name, text in texts.items()]
    rows = "\n".join(f"| [{name.removesuffix('.md')}]({name}) | {purpose} |" for name, purpose in purposes)
    texts["README.md"] = f"# The programs\n\nWhat each says with `--help`, written by `scripts/write_cli_pages.py`.\n\n| program | does |\n|---|---|\n{rows}\n"
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=root / "docs" / "cli")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, text in pages(given.programs.resolve()).items():
        (given.out / name).write_text(text)


if __name__ == "__main__":
    main()
