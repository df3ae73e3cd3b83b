"""What the site makes of a docstring."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SITE = Path(__file__).parents[2] / "docs" / "_site"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"site_{name}", SITE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOCSTRINGS, NOTEBOOK = load("docstrings"), load("notebook")
NAMES = {"run": "lava_mlsnn.sim.run.run", "lava_mlsnn.sim.run": "lava_mlsnn.sim.run.run"}


@pytest.mark.parametrize(
    ("docstring", "markdown"),
    [
        (":func:`run` it", "[`run`][lava_mlsnn.sim.run.run] it"),
        (":func:`~lava_mlsnn.sim.run`", "[`run`][lava_mlsnn.sim.run.run]"),
        (":class:`lava_mlsnn.hidden.Thing`, :meth:`~a.b`", "`lava_mlsnn.hidden.Thing`, `b`"),
        (":math:`a_i < 2^b`", "$`a_i < 2^b`$"),
        ("x_i and 2**n, ``x_i 2**n``", r"x\_i and 2\*\*n, ``x_i 2**n``"),
        ("r < 0, <name>", "r < 0, &lt;name>"),
        ("#OP of Eq 14", r"\#OP of Eq 14"),
        ("* a\n* b * c", "* a\n* b \\* c"),
        ("**Shape:** (N, T)", "**Shape:** (N, T)"),
        ("[Yao2023], Eq 5", r"[\[Yao2023\]](../bibliography.md#yao2023), Eq 5"),
        ("A:\n\n.. math:: a \\\\\n    b\n\nthen", "A:\n\n```math\na \\\\\nb\n```\n\nthen"),
        ("    .. math::\n        a\n", "    ```math\n    a\n    ```\n"),
        ("Of it:\n\n>>> f(\n...     1)\n2\n\nmore", "Of it:\n\n```pycon\n>>> f(\n...     1)\n2\n```\n\nmore"),
        ("==  ===\na   b c\n==  ===\n1   x\n    y\n==  ===", "| a | b c |\n| --- | --- |\n| 1 | x y |"),
        ("==  ===\n1   x\n2   y\n==  ===", "|  |  |\n| --- | --- |\n| 1 | x |\n| 2 | y |"),
    ],
)
def test_docstrings_become_markdown(docstring: str, markdown: str) -> None:
    assert DOCSTRINGS.markdown(docstring, NAMES) == markdown


def test_notebooks_become_markdown(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(
        """{"cells": [
        {"cell_type": "markdown", "source": ["# T\\n", "costs $5 and $x_i$: $$y$$"]},
        {"cell_type": "code", "source": "1", "outputs": [
            {"output_type": "stream", "text": "\\u001b[31m<a>\\n\\nb"},
            {"output_type": "execute_result", "data": {"text/html": ["<p>\\n", "\\n", "x</p>"], "text/plain": "p"}},
            {"output_type": "display_data", "data": {"image/png": "QUJD", "text/plain": "<Figure>"}}]},
        {"cell_type": "code", "source": "", "outputs": []}]}""",
        encoding="utf-8",
    )
    text, pictures = NOTEBOOK.markdown(path)
    assert pictures == {"a-1.png": b"ABC"}
    assert text.split("\n\n") == [
        "# T\ncosts $5 and $`x_i`$: ",
        "```math\ny\n```",
        "```python\n1\n```",
        '<pre class="output">&lt;a&gt;&#10;&#10;b</pre>',
        '<div class="output"><p>\nx</p></div>',
        "![Figure](a-1.png)\n",
    ]
