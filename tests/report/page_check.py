"""Checks a page of vaetl-report and prints what is on it, for tests/report.

Well-formed as XML (so every tag is closed and every attribute quoted), self-contained, without script; then one line each of
counts: polylines, paths, tables, images, and the plain text.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
assert text.startswith("<!DOCTYPE html>\n<html lang=\"en\">"), "no doctype"
root = ElementTree.fromstring(text)
elements = list(root.iter())
ids = [e.get("id") for e in elements if e.get("id")]
assert len(ids) == len(set(ids)), "an id stands twice"
for element in elements:
    assert element.tag not in ("script", "link", "iframe", "object", "form"), element.tag
    for name, value in element.attrib.items():
        assert not name.startswith("on"), name
        if name == "src":
            assert value.startswith("data:image/png;base64,"), value[:40]
        if name == "href":
            assert value[0] == "#" and value[1:] in ids, value
    if element.tag == "img":
        assert element.get("alt") and int(element.get("width")) and int(element.get("height"))
    if element.tag == "svg":
        assert element.get("aria-hidden") or element.get("aria-label"), "a drawing without a name"
for table in root.iter("table"):
    assert len({len(list(row)) for row in table.iter("tr")}) == 1, "rows of unequal length"
style = root.find(".//style").text
assert not re.search(r"url\(|@import", style), "the style sheet loads something"
assert "prefers-color-scheme: dark" in style
for name in ("polyline", "path", "table", "img", "figure"):
    print(name, sum(e.tag == name for e in elements))
for polyline in root.iter("polyline"):
    places = [tuple(map(float, p.split(","))) for p in polyline.get("points").split()]
    assert len(places) > 1 and all(0 <= x <= 640 and 0 <= y <= 380 for x, y in places), places
    assert places == sorted(places, key=lambda p: p[0]), "x runs backwards"
print("text", " ".join(" ".join(root.find("body").itertext()).split()))
