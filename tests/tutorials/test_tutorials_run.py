from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "tutorials"


def is_stderr(output: dict[str, Any]) -> bool:
    return output.get("name") == "stderr"


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
    # Others log what they like there, such as a torch built for GPUs that it finds none
    errors = [output["text"] for cell in notebook.cells for output in cell.get("outputs", ()) if is_stderr(output)]
    warned = [line for text in errors for line in text.splitlines() if re.search(r"\w+Warning: |^Traceback", line)]
    assert not warned
