from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "tutorials"
NO_GPU = "No CUDA runtime is found"
"""What torch 2.3, built for GPUs, prints where it finds none and Lava imports its extension builder (Python 3.10)."""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_tutorial_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "commit tutorials without outputs"
    client = NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    texts = [output["text"] for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    for cell in notebook.cells:
        if cell.cell_type == "code" and "print(" in cell.source:
            assert any("text" in output for output in cell.get("outputs", ())), f"a cell prints nothing: {cell.source}"
    assert any("SNN / ANN" in text for text in texts), "expected the energy beside that of the ANN"
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                lines = [line for line in output["text"].splitlines() if line and not line.startswith(NO_GPU)]
                assert not lines, f"a cell writes to stderr: {lines}"
