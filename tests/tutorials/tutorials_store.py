"""Execute tutorials and store what they show: ``python tests/tutorials/tutorials_store.py [NAME ...]``.

The web shows the stored outputs. They hold nothing that changes from machine to machine but numbers: neither what
libraries log to stderr, nor versions, nor times of execution; pictures have few colors, so that files stay small.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parents[2] / "tutorials"
NAMES = [
    "01_train_export_simulate",
    "02_graded_spikes",
    "03_avalanche_and_barrier",
    "04_energy",
    "05_in_lava",
    "06_loihi_seat",
    "07_event_cameras",
    "08_own_data_block_neuron",
    "09_from_other_libraries",
    "10_paper000",
    "11_atif",
    "12_s_resnet",
    "13_dilated_windows",
]
PATHS = [FOLDER / f"{name}.ipynb" for name in NAMES]
COLORS = 64


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in ``folder``; the environment decides which package it imports."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", record_timing=False, resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


def is_log(output: nbformat.NotebookNode) -> bool:
    """What libraries write to stderr: that a torch built for GPUs finds none, that kernels are compiled."""
    return bool(output.get("name") == "stderr")


def judge(notebook: nbformat.NotebookNode) -> None:
    """By outputs and errors: whatever prints has said something, no error, no warning, both countings of energy."""
    printed = []
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        outputs = cell.get("outputs", ())
        for output in outputs:
            assert output.output_type != "error", f"{output.ename}: {output.evalue}"
            said = output.get("text", "")
            if is_log(output):
                assert not re.findall(r".*\w+Warning: .*|^Traceback.*", said, re.MULTILINE), said
            else:
                printed.append(said)
        if re.search(r"^print\(", cell.source, re.MULTILINE):
            assert any("text" in output and not is_log(output) for output in outputs), f"prints nothing: {cell.source}"
    shares = [line for text in printed for line in text.splitlines() if "SNN / ANN" in line]
    counted = {word for line in shares for word in ("exact", "published") if word in line}
    assert not shares or counted == {"exact", "published"}, f"both countings: {shares}"


def run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute a notebook in a folder of its own, with this checkout's package, and judge it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("TMPDIR", str(folder))
    judge(execute(path, folder))


def few_colors(png: str) -> str:
    """A PNG, in base64, with a palette."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    packed = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def store(path: Path) -> None:
    """Execute a notebook and write its outputs into it."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(path, Path(folder))
    for cell in notebook.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_log(output)]
            for data in (output.data for output in cell.outputs if "image/png" in output.get("data", {})):
                data["image/png"] = few_colors(data["image/png"])
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")])
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for notebook in sorted(FOLDER.glob("*.ipynb")):
        if len(sys.argv) == 1 or any(name in notebook.stem for name in sys.argv[1:]):
            started = os.times().children_user
            store(notebook)
            seconds = os.times().children_user - started
            print(f"{notebook.name}: {seconds:.0f} s of CPU time, {notebook.stat().st_size / 1000:.0f} kB")
