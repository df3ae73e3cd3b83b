"""What the web shows of each tutorial, and how all are judged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tutorials_store as store

each = pytest.mark.parametrize("path", store.PATHS, ids=store.NAMES)
LARGEST = 300_000
"""Bytes of a notebook."""


def test_these_are_all() -> None:
    assert sorted(store.FOLDER.glob("*.ipynb")) == store.PATHS


@each
def test_outputs_are_those_of_one_run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "execute the notebook as a whole"
    store.judge(notebook)
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if store.is_log(output)]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2 and pictures[0] in code[0].outputs
    assert not re.search(r"/(tmp|home|root|work)/", nbformat.writes(notebook)), "a path of one machine"
    assert path.stat().st_size < LARGEST


@each
def test_what_it_links_to_is_there(path: Path) -> None:
    """Other notebooks by their name, pages by their place in the checkout."""
    text = "".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (path.parent / link).is_file(), link


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}, "ValueError"),
        ({"output_type": "stream", "name": "stderr", "text": "a.py:1: UserWarning: odd\n"}, "UserWarning"),
        ({"output_type": "stream", "name": "stdout", "text": "SNN / ANN, exact counting: 1\n"}, "countings"),
    ],
)
def test_a_bad_output_is_found(output: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        store.judge(_notebook("1", output))


def test_a_cell_that_prints_nothing_is_found() -> None:
    with pytest.raises(AssertionError, match="prints nothing"):
        store.judge(_notebook("print(1)", {"output_type": "stream", "name": "stderr", "text": ""}))


def test_what_others_log_is_no_failure() -> None:
    """A torch built for GPUs that finds none; compiled kernels."""
    for line in ("[W] No CUDA runtime is found, using CUDA_HOME='/usr/local/cuda'\n", "lava_mlsnn: compiling ...\n"):
        store.judge(_notebook("1", {"output_type": "stream", "name": "stderr", "text": line}))


def _notebook(source: str, output: dict[str, Any]) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source, outputs=[nbformat.from_dict(output)])
    return nbformat.v4.new_notebook(cells=[cell])
