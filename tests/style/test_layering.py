"""Fails on an include that the table of rooms in docs/design.md does not allow, and on names that src/ must not say."""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def allowed_arrows():
    """room → rooms, from the rows "| `room` | `a` `b` |" of the design's table."""
    text = (ROOT / "docs/design.md").read_text()
    section = text[text.index("## Rooms and arrows"):]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.M)
    return {room: set(re.findall(r"`(\w+)`", cell)) for room, cell in rows}


def room_of(include):
    match = re.match(r"vaetl/(\w+)/", include)
    return match.group(1) if match else None


def sources(folder):
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".hpp", ".cpp"))


def violations(path, room, text, arrows):
    for include in INCLUDE.findall(text):
        other = room_of(include)
        if other and other != room and other not in arrows[room]:
            yield f"{path}: {room} may not include {include}"
        if include == "torch/torch.h" and path.endswith(".hpp"):
            yield f"{path}: a header includes torch/torch.h"
        if include == "vaetl/vaetl.hpp" and room != "apps":
            yield f"{path}: the umbrella header is for users"


class Layering(unittest.TestCase):
    def setUp(self):
        self.arrows = allowed_arrows()

    def test_every_room_stands_in_the_table(self):
        rooms = {p.name for p in (ROOT / "src/vaetl").iterdir() if p.is_dir()} | {"models"}
        self.assertEqual(rooms, set(self.arrows))

    def test_arrows_point_down(self):
        for room, others in self.arrows.items():
            for other in others:
                self.assertNotIn(room, self.arrows.get(other, set()), f"{room} and {other} include each other")

    def test_no_other_arrow(self):
        found = []
        for path in sources("src/vaetl") + sources("models"):
            relative = path.relative_to(ROOT)
            room = "models" if relative.parts[0] == "models" else relative.parts[2]
            if path.name == "vaetl.hpp":
                continue
            found += violations(str(relative), room, path.read_text(), self.arrows)
        self.assertEqual(found, [])

    def test_a_wrong_arrow_is_found(self):
        text = '#include "vaetl/train/trainer.hpp"\n'
        self.assertEqual(len(list(violations("src/vaetl/nn/x.cpp", "nn", text, self.arrows))), 1)
        self.assertEqual(len(list(violations("src/vaetl/recipe/x.cpp", "recipe", text, self.arrows))), 0)

    def test_src_names_no_concrete_model(self):
        for path in sources("src/vaetl"):
            if path.name != "vaetl.hpp":
                code = re.sub(r"//.*", "", path.read_text())
                self.assertNotRegex(code, r"\bmodels::", str(path))

    def test_no_unsafe_reader(self):
        for folder in ("src", "apps", "models"):
            for path in sources(folder):
                self.assertNotRegex(path.read_text(), r"torch::load|pickle_load|jit::load", str(path))

    def test_every_registered_file_has_a_test(self):
        """Tests mirror sources: each room has a folder of tests."""
        for room in self.arrows:
            self.assertTrue(any((ROOT / "tests" / room).glob("*_test.*")), f"tests/{room} is empty")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
