"""Takes the pictures of docs/report.md: screenshots.py FOLDER/OF/PROGRAMS [--runs FOLDER] [--out FOLDER]

Trains what is not in --runs yet (a minute on two cores), makes the pages and photographs them in headless Chromium.
Wants Chromium (apt-get install chromium) and Pillow, which TensorBoard brings along.
"""
import argparse
import pathlib
import subprocess

from PIL import Image

import chromium

root = pathlib.Path(__file__).resolve().parent.parent
LARGEST = 150_000  # bytes of a picture in docs

LABELS = ["data.take_per_class=100", "data.validation=0.1", "trainer.steps=400"]
SIMCLR = '"from": "zoo:fashion-mnist-simclr", "heads": [{"classes": 10}]'
RUNS = {
    "scratch": ["recipes/fashion-few-labels.json", *LABELS],
    "frozen": ["recipes/fashion-lora.json", *LABELS, f'transfer={{{SIMCLR}, "freeze": ["backbone"]}}'],
    "lora": ["recipes/fashion-lora.json", *LABELS],
}


def train(programs, runs):
    for name, recipe in RUNS.items():
        if not (runs / name / "run.json").exists():
            subprocess.run([programs / "vaetl-train", *recipe, f"name={name}", "--out", runs / name], check=True, cwd=root)


def picture(page, file, part, share=1.0):
    """A part of the page, in a palette of 256 colours."""
    page.screenshot(file, part)
    with Image.open(file) as image:
        small = image.convert("RGB").resize([round(side * share) for side in image.size], Image.Resampling.LANCZOS)
    small.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=8, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file}: {small.size[0]} x {small.size[1]}, {size} bytes")
    assert size < LARGEST, f"{file} is too large for the docs"


def place(page, elements, edge):
    """The top or bottom edge of the last of some elements."""
    return page.evaluate(f"[...document.querySelectorAll({elements!r})].at(-1).getBoundingClientRect().{edge} + scrollY")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs/screenshots"))
    parser.add_argument("--out", type=pathlib.Path, default=root / "docs/images")
    given = parser.parse_args()
    programs, runs = given.programs.resolve(), given.runs.resolve()
    if not chromium.installed():
        raise SystemExit("screenshots: Chromium is not installed (apt-get install chromium)")
    train(programs, runs)
    def page_of(file, *folders, title):
        subprocess.run([programs / "vaetl-report", *folders, "--out", file, "--title", title], check=True, cwd=runs)
        return runs / file
    compared = page_of("compare.html", "scratch", "frozen", "lora", title="A hundred labels a class")
    with chromium.Browser() as browser:
        adapted = page_of("lora.html", "lora", title="Adapted by LoRA")
        page = browser.open(adapted, width=1100)
        picture(page, given.out / "run-page.png",
                {"x": 0, "y": 0, "width": 1100, "height": place(page, "pre[tabindex]:not(details pre)", "bottom") + 24}, share=0.75)
        page = browser.open(adapted, width=380, dark=True)
        picture(page, given.out / "run-page-phone.png", {"x": 0, "y": place(page, ".matrix", "top") - 60, "width": 380, "height": 1500})
        page = browser.open(compared, width=1100)
        picture(page, given.out / "compare.png", {"x": 0, "y": 0, "width": 1100, "height": min(2400, place(page, "h2 + .table", "bottom") + 24)}, share=0.75)


if __name__ == "__main__":
    main()
