"""Accuracy against joules: which points are on the front, what is read, what is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from lava_mlsnn.cli import app
from lava_mlsnn.report.pareto import Point, draw, front, points, table


def record(name: str, right: float, joules: float | None, ann: float | None = 4e-6, **more: Any) -> dict[str, Any]:
    return {"name": name, "accuracy": {"engine": right}, "totals": {"energy": joules, "energy_ann": ann}, **more}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_front_is_what_no_other_point_beats(pairs: list[tuple[int, int]]) -> None:
    made = [Point("s", str(i), right / 10, joules * 1e-6, 1.0) for i, (right, joules) in enumerate(pairs)]

    def beaten(p: Point) -> bool:
        return any(
            q.accuracy >= p.accuracy and q.joules <= p.joules and (q.accuracy, q.joules) != (p.accuracy, p.joules)
            for q in made
        )

    best = front(made)
    assert {(p.accuracy, p.joules) for p in best} == {(p.accuracy, p.joules) for p in made if not beaten(p)}
    assert best == sorted(best, key=lambda p: p.joules)


def test_seeds_are_one_point_and_series_keep_theirs() -> None:
    one = {"networks": [record("a", 0.9, 1e-6, series="x", seed=0), record("a", 0.92, 3e-6, series="x", seed=1)]}
    found = points({"one": one, "two": record("a", 0.5, 1e-6, None)})
    assert [(p.series, p.name, p.records) for p in found] == [("x", "a", 2), ("a", "a", 1)]
    assert found[0].accuracy_std == pytest.approx(0.02 / 2**0.5) and found[0].share == pytest.approx(0.5)
    assert found[1].share != found[1].share, "an ANN without a figure gives no share"


@pytest.mark.parametrize("document", [[], {}, {"networks": []}, record("a", 0.9, None), {"networks": [{"name": "a"}]}])
def test_a_file_without_a_point_is_named(document: Any) -> None:
    with pytest.raises(ValueError, match=r"odd\.json: expected records with accuracy and totals\.energy"):
        points({"odd.json": document})


def test_the_command_draws_and_writes(tmp_path: Path) -> None:
    files = []
    for i, (right, joules) in enumerate([(0.9, 1e-6), (0.8, 2e-6), (0.95, 3e-6)]):
        files.append(tmp_path / f"{i}.json")
        files[-1].write_text(json.dumps(record(f"net {i}", right, joules)))
    found = CliRunner().invoke(app, ["pareto", *map(str, files), "-o", str(tmp_path / "front.png")])
    assert found.exit_code == 0, found.output
    with Image.open(tmp_path / "front.png") as image:
        assert image.width > 500
    rows = list(csv.DictReader(io.StringIO((tmp_path / "front.csv").read_text())))
    assert [(r["name"], r["front"]) for r in rows] == [("net 0", "True"), ("net 1", "False"), ("net 2", "True")]
    assert float(rows[0]["joules"]) == 1e-6 and float(rows[0]["share"]) == 0.25
    files[0].write_text("{")
    found = CliRunner().invoke(app, ["pareto", str(files[0])])
    assert found.exit_code == 2 and "expected JSON such as mlsnn energy writes" in " ".join(found.output.split())


def test_pictures_are_the_same_for_the_same_points_and_endings_are_known(tmp_path: Path) -> None:
    found = points({"a": record("net", 0.9, 1e-6)})
    first, second = (draw(found, tmp_path / f"{i}.svg").read_bytes() for i in (1, 2))
    assert first.startswith(b"<?xml") and len(first) == len(second)
    with pytest.raises(ValueError, match=r"expected a name that ends in \.png, \.svg, \.pdf, got 'a\.gif'"):
        draw(found, tmp_path / "a.gif")
    assert table(found).count("\n") == 2
