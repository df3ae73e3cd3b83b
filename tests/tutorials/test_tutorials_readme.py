"""What README.md names, and what the source distribution holds; its blocks run in tests/docs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_commands_and_files_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make (\w+)", README, re.MULTILINE)):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"(?:constraints|docs|tutorials|netx_exports)/[\w./-]*", README):
        assert (ROOT / path).exists(), path


def test_the_source_distribution_holds_what_the_tests_read() -> None:
    """Folders that tests name from the repository's root are in hatchling's list."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.hatch.build.targets.sdist]")[2]
    included = set(re.findall(r'"/([\w.]+)"', settings.partition("\n[")[0]))
    read = {
        name
        for test in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r'(?:ROOT|parents\[2\]) / "([\w.]+)"', test.read_text(encoding="utf-8"))
    }
    assert {"benchmarks", "docs", "netx_exports", "tutorials"} <= read <= included
