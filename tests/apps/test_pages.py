"""Pages as a browser shows them, in headless Chromium: the console, narrow screens, both colour schemes, the keyboard, contrast.
Usage: test_pages.py BIN [unittest options]"""
import json
import pathlib
import sys
import unittest

import support
from support import CLASSES, Case

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import chromium  # noqa: E402

# Every text with too little contrast against what is behind it (WCAG 2.1, 1.4.3): [text, ratio, wanted].
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (front, back) => back.map((v, i) => i < 3 ? front[3] * front[i] + (1 - front[3]) * v : 1);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    if (!element) return rgba(getComputedStyle(document.body).backgroundColor);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || element.closest("title, style") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), drawn = element.closest("svg"), back = behind(element);
    const colour = rgba(drawn ? style.fill : style.color);
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
    const [a, b] = [light(over([...colour.slice(0, 3), colour[3] * opacity], back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
    const large = !drawn && (size >= 24 || (size >= 18.66 && style.fontWeight >= 700));
    if (ratio < (large ? 3 : 4.5)) poor.push([text.slice(0, 40), ratio, large ? 3 : 4.5]);
  }
  return poor;
})()"""

# Parts that scroll sideways and cannot be reached by the keyboard.
UNREACHED = """[...document.querySelectorAll("*")].filter(e => e.scrollWidth > e.clientWidth + 1
  && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))"""

# Texts of drawings by their height on the screen, in CSS pixels.
SMALL = """[...document.querySelectorAll("svg text")].filter(e => e.textContent.trim())
  .map(e => [e.textContent, parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getScreenCTM().a])
  .filter(([text, size]) => size < 9)"""

FOCUSED = """(() => {
  const e = document.activeElement, style = getComputedStyle(e);
  if (e === document.body) return null;
  const all = [...document.querySelectorAll("a, summary, [tabindex]")];
  return [all.indexOf(e), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, e.outerHTML.slice(0, 80)];
})()"""

HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4")].map(e => +e.tagName[1])"""


@unittest.skipUnless(chromium.installed(), "Chromium is not installed (apt-get install chromium)")
class Pages(Case):
    """Small runs of each kind of model, and every kind of page that is made of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        cls.case = case
        case.make_runs()
        cls.browser = chromium.Browser()
        cls.addClassCleanup(cls.browser.close)

    def train(self, name, **changes):
        changes.setdefault("trainer", {"steps": 30, "batch_size": 20, "log_every": 5, "validate_every": 1})
        self.run_program("vaetl-train", self.recipe(name, **changes), "--quiet", "--out", name)

    def make_runs(self):
        unlabelled = {"open": f"idx:{self.data}", "labels": False}
        self.train("classifier", data={"open": f"idx:{self.data}", "validation": 0.2})
        self.train("vae", model={"name": "vae", "widths": [16], "latent": 4}, objective="elbo", data=unlabelled,
                   evaluate=["elbo"], callbacks=["pictures"])
        self.train("gan", model={"name": "gan", "widths": [16], "noise": 4}, objective="adversarial", data=unlabelled,
                   evaluate=None)
        self.train("lstm", model={"name": "lstm", "hidden": 8, "classes": CLASSES})
        self.train("adapted", model=None, transfer={"from": "vae", "heads": [{"classes": CLASSES}], "freeze": ["backbone"]})
        rows = "".join(f"{i % 7},{'red' if i % 3 else 'blue'},{i % 5},{'yes' if i % 2 else 'no'}\n" for i in range(80))
        (self.folder / "table.csv").write_text("age,colour,size_of_the_household,bought\n" + rows)
        self.train("table", data={"open": "csv:table.csv?target=bought&test_share=0.25"}, model={"name": "mlp", "widths": [8]},
                   evaluate=["accuracy", "cross_entropy"])
        sweep = {"ways": {"narrow": {"model.widths": [4]}, "a-way-with-quite-a-long-name": {}},
                 "vary": {"data.take_per_class": [2, 5]}, "seeds": 2, "metric": "accuracy", "baseline": "narrow"}
        self.run_program("vaetl-sweep", self.recipe("sweep", sweep=sweep), "--quiet", "--out", "sweep")
        self.run_program("vaetl-report", "classifier", "adapted", "--out", "two.html")
        self.run_program("vaetl-report", "classifier", "vae", "lstm", "table", "sweep", "--out", "five.html")
        self.run_program("vaetl-train", self.recipe("rates"), "--find-lr", "--out", "rates.html")

    pages = [f"{run}/report.html" for run in ("classifier", "vae", "gan", "lstm", "adapted", "table", "sweep")]
    pages += ["two.html", "five.html", "rates.html"]

    def each(self, check, **window):
        """Looks at every page, everything unfolded."""
        for name in self.pages:
            with self.subTest(page=name, **window):
                page = self.browser.open(self.folder / name, **window)
                try:
                    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
                    check(page)
                    self.assertEqual(page.complaints(), [])
                finally:
                    page.close()

    def test_nothing_is_wider_than_a_phone(self):
        for width in (380, 320):
            def check(page):
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                self.assertEqual(page.evaluate(SMALL), [])
            self.each(check, width=width)

    def test_texts_stand_out_in_both_schemes(self):
        for dark in (False, True):
            def check(page):
                background = page.evaluate("getComputedStyle(document.body).backgroundColor")
                self.assertEqual(sum(map(int, background[4:-1].split(","))) < 150, dark, background)
                self.assertEqual(page.evaluate(CONTRAST), [])
            self.each(check, width=1280, dark=dark)

    def test_the_keyboard_reaches_everything(self):
        def check(page):
            self.assertEqual(page.evaluate(UNREACHED), [])
            page.evaluate("document.querySelectorAll('details').forEach(e => e.open = false)")
            wanted = page.evaluate("document.querySelectorAll('a, summary, [tabindex]').length")
            hidden = page.evaluate("document.querySelectorAll('details [tabindex]').length")
            reached = []
            for _ in range(wanted + 1):
                page.press("Tab")
                focused = page.evaluate(FOCUSED)
                if focused is None:
                    break
                self.assertTrue(focused[1], f"no ring round {focused[2]}")
                reached.append(focused[0])
            self.assertEqual(reached, sorted(reached), "another order than that of the page")
            self.assertEqual(len(reached), wanted - hidden)
        self.each(check, width=380)

    def test_folded_parts_open_by_the_keyboard(self):
        page = self.browser.open(self.folder / "classifier/report.html")
        page.evaluate("document.querySelector('summary').focus()")
        page.press("Enter")
        self.assertTrue(page.evaluate("document.querySelector('details').open"))
        page.close()

    def test_headings_leave_out_no_level(self):
        def check(page):
            levels = page.evaluate(HEADINGS)
            self.assertEqual(levels.count(1), 1)
            self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
        self.each(check)

    def test_what_the_pages_are_to_show(self):
        page = self.browser.open(self.folder / "classifier/report.html")
        cells = page.evaluate("[...document.querySelectorAll('.matrix tbody tr')].map(r => [...r.cells].slice(1).map(c => +c.textContent))")
        self.assertEqual(len(cells), CLASSES)
        self.assertEqual([sum(row) for row in cells], [80 // CLASSES] * CLASSES)
        summary = json.loads((self.folder / "classifier/run.json").read_text())
        self.assertAlmostEqual(sum(cells[i][i] for i in range(CLASSES)) / 80, summary["metrics"]["accuracy"])
        page.close()
        page = self.browser.open(self.folder / "vae/report.html")
        self.assertEqual(page.evaluate("[...document.querySelectorAll('.map figcaption')].map(e => e.textContent)"),
                         ["The two principal components", "t-SNE"])
        self.assertEqual(page.evaluate("document.querySelectorAll('.map path').length"), 2 * CLASSES)
        page.close()

    def test_the_checks_find_what_they_look_for(self):
        bad = self.folder / "bad.html"
        bad.write_text("<!DOCTYPE html><html><body style='background: white; margin: 0'><p style='color: #999'>pale</p>"
                       "<p style='color: #666'>dark</p><div style='overflow-x: auto; width: 50px'><p style='width: 90px'>x</p></div>"
                       "<div style='width: 700px; height: 5px'></div><svg viewBox='0 0 1000 10' width='300'><text>tiny</text></svg>"
                       "<script>console.error('broken')</script></body></html>")
        page = self.browser.open(bad, width=380)
        self.assertEqual([text for text, _, _ in page.evaluate(CONTRAST)], ["pale"])
        self.assertEqual(len(page.evaluate(SMALL)), 1)
        self.assertEqual(len(page.evaluate(UNREACHED)), 1)
        self.assertGreater(page.evaluate("document.documentElement.scrollWidth"), 380)
        self.assertEqual(len(page.complaints()), 1)
        page.close()


if __name__ == "__main__":
    support.main()
