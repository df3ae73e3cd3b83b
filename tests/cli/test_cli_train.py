"""``mlsnn train``: what is said and recorded of energy and precision."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lava_mlsnn import train
from lava_mlsnn.cli import app

TINY = ["train", "cnn", "-m", "width=4", "--epochs", "1", "--quantized-epochs", "1"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--energy", "0.4"], {"share": 0.4, "joules": None, "weight": None}),
        (["--energy", "400nJ"], {"share": None, "joules": 4e-7, "weight": None}),
        (["--energy-weight", "0.5"], {"share": None, "joules": None, "weight": 0.5}),
    ],
)
def test_the_recipe_and_the_share_are_recorded(options: list[str], field: dict[str, float], tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [*TINY, *options, "--out", str(tmp_path)])
    assert found.exit_code == 0, found.output
    record = json.loads((tmp_path / "result.json").read_text())
    assert record["recipe"]["energy"] == field
    share = record["history"][-1]["energy_share"]
    assert f"{share:.1%} of the ANN" in " ".join(found.output.split())
    assert "energy_share" in (tmp_path / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--energy", "much"], "--energy: expected a share of the ANN such as 0.3, or joules such as 20uJ, got 'much'"),
        (["--energy", "3kJ"], "--energy: expected a share of the ANN"),
        (["--energy", "-0.3"], "energy share: expected a finite number > 0, got -0.3"),
        (["--energy", "0.3", "--energy-weight", "1"], "--energy-weight 1: expected it without --energy 0.3"),
        (["--rate", "-1"], "rate: expected a finite number >= 0, got -1"),
    ],
)
def test_what_is_no_energy_is_one_line(options: list[str], message: str, tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [*TINY, *options, "--out", str(tmp_path)])
    assert found.exit_code == 2 and message in " ".join(found.output.split())


@pytest.mark.parametrize("says", [False, True])
def test_numbers_that_the_processor_lacks_are_said(says: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the training, which they make several times longer."""
    monkeypatch.setattr(train.machine, "_says_bf16", lambda: says)
    monkeypatch.setattr(train.machine.platform, "machine", lambda: "x86_64")
    found = CliRunner().invoke(app, [*TINY, "--accelerator", "cpu", "--precision", "bf16", "--out", str(tmp_path)])
    assert found.exit_code == 0, found.output
    assert ("warning: --precision bf16: this CPU has no such numbers" in found.output) == (not says)
