"""The site: it builds strictly, shows no raw markup, needs no network, and holds every public name and notebook."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

import lava_mlsnn

ROOT = Path(__file__).parents[2]
ROOMS = [*lava_mlsnn.__all__, "lava_compat"]
VERBATIM = {"pre", "code", "script", "style", "svg"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
RAW = (
    r":(?:math|class|func|meth|mod|data|attr|ref):`",
    r"\.\. \w+::",
    r"\\[a-zA-Z_*\[]",  # LaTeX that was not rendered, an escape that shows
    r"\$`|`\$|``|\$\$",
    r"\]\[\w+\.|\]\(",
    r">>> ",
    r"={4,}",
    r"(?<![\w)])\*\*\w",
)
"""What must not be left of docstrings' and pages' markup."""


class Page(HTMLParser):
    """Text that is no code, addresses of what a browser loads by itself, names of anchors."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.formulas = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more is open."""
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        self.anchors.add(given.get("id", ""))
        self.formulas += tag == "math"
        if tag != "a":
            self.loads += [given[name] for name in ("src", "href", "data", "srcset") if name in given]

    def handle_endtag(self, tag: str) -> None:
        """The last of this name is closed."""
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Text."""
        if not VERBATIM & set(self.open):
            self.text.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    found = {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(found) > 40
    return found


def test_no_markup_is_left(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        text = "\n".join(page.text)
        left = [m[0] for raw in RAW for m in re.finditer(rf".{{0,40}}(?:{raw}).{{0,40}}", text)]
        assert not left, (name, left[:5])
    assert sum(page.formulas for page in pages.values()) > 60


def test_nothing_is_loaded_from_a_network(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not [address for address in page.loads if re.match(r"(?:https?:)?//", address)], name
    for path in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_in_the_api(room: str, site: Path) -> None:
    inventory = zlib.decompress((site / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()
    known = {line.split(" ")[0] for line in inventory.splitlines() if " api/" in line}
    module = importlib.import_module(f"lava_mlsnn.{room}")
    for name in module.__all__:
        item = getattr(module, name)
        home = f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', '')}"
        assert {f"lava_mlsnn.{room}.{name}", home} & known, name
    assert f"lava_mlsnn.{room}.nothing" not in known


def test_every_command_is_in_the_reference(pages: dict[str, Page]) -> None:
    from lava_mlsnn.cli import app

    for command in app.registered_commands:
        assert command.hidden or f"mlsnn-{command.name or command.callback.__name__}" in pages["api/mlsnn.html"].anchors


@pytest.mark.parametrize("path", sorted((ROOT / "tutorials").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_is_there_with_its_outputs(path: Path, site: Path) -> None:
    html = (site / "tutorials" / f"{path.stem}.html").read_text(encoding="utf-8")
    outputs = [o for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] for o in cell.get("outputs", ())]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert html.count(f'src="{path.stem}-') == pictures
    assert html.count('class="output"') + pictures >= len([o for o in outputs if o.get("text") or o.get("data")])
