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
    _check_stored(notebook)
    client = NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    texts = [output["text"] for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    _check_printed(notebook)
    assert any("SNN / ANN" in text for text in texts), "expected the energy beside that of the ANN"
    shares = [line for text in texts for line in text.splitlines() if "SNN / ANN" in line]
    assert any("exact" in line for line in shares) and any("published" in line for line in shares), "both countings"
    # Others log what they like there, such as a torch built for GPUs that it finds none
    errors = [output["text"] for cell in notebook.cells for output in cell.get("outputs", ()) if is_stderr(output)]
    warned = [line for text in errors for line in text.splitlines() if re.search(r"\w+Warning: |^Traceback", line)]
    assert not warned


def _check_stored(notebook: nbformat.NotebookNode) -> None:
    """The outputs in the file, which the web shows, are those of one run from top to bottom without an error."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "execute the notebook as a whole"
    _check_printed(notebook)
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert "error" not in kinds and not any(output.get("name") == "stderr" for cell in code for output in cell.outputs)
    assert not re.search(r"/(tmp|home|root|work)/", nbformat.writes(notebook)), "a path of one machine"


def _check_printed(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code" and "print(" in cell.source:
            assert any("text" in output for output in cell.get("outputs", ())), f"a cell prints nothing: {cell.source}"
