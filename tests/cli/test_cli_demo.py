from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lava_mlsnn import train
from lava_mlsnn.cli import app
from lava_mlsnn.helpers import units


@pytest.fixture()
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo as it is, but for two epochs instead of sixteen."""
    recipe = train.recipe("digits", epochs=1, quantized_epochs=1, batch=128)
    monkeypatch.setitem(train.RECIPES, "digits", recipe)


def test_demo_from_training_to_the_page(short: None, tmp_path: Path):
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--fused", "20", "--layers", "3"])
    assert result.exit_code == 0, (result.output, result.exception)
    content: dict[str, Any] = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    first, second = content["networks"]
    assert (first["timesteps"], first["levels"]) == (1, 4) and (second["timesteps"], second["levels"]) == (4, 1)
    for network in (first, second):
        assert network["accuracy"]["engine"] == network["accuracy"]["quantized"] and network["samples"] == 359
    assert len(content["checks"]) == 8 and all(check["passed"] for check in content["checks"])
    assert "all 8 comparisons agree" in result.output
    ratio = first["totals"]["events"] / second["totals"]["events"]
    assert f"events {units.ratio(ratio)}" in result.output
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    html = (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert f'<data value="{first["totals"]["energy"]!r}" data-path="networks.0.totals.energy">' in html


def test_demo_fails_when_engines_differ(short: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from lava_mlsnn import proc

    real = proc.simulate

    def wrong(*args: Any, **kwargs: Any) -> Any:
        run = real(*args, **kwargs)
        run.output[0, 0] += 1
        return run

    monkeypatch.setattr(proc, "simulate", wrong)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--fused", "1", "--layers", "1"])
    assert result.exit_code == 1 and "4 of 8 comparisons failed" in result.output
