"""What does not depend on training: exact."""

from __future__ import annotations

import csv
from math import isclose

import numpy as np
import pytest

from lava_mlsnn.energy import PRESETS, lemaire, paper000
from lava_mlsnn.papers import Request, find, run
from lava_mlsnn.papers.paper000 import geometry, published
from lava_mlsnn.papers.paper000.accuracy import parameters
from lava_mlsnn.papers.paper000.neuron import sigmoid_slope

RNG = np.random.default_rng(0)


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_fig2_files(tmp_path):
    table, picture, text = run("fig2", Request(out=tmp_path))
    found = {(int(r["N"]), int(r["T"])): r for r in rows(table)}
    assert set(found) == {(n, t) for n in range(1, 11) for t in range(1, 11)}
    assert all(int(r["levels"]) == n * t + 1 for (n, t), r in found.items())
    assert all(r["saturates_at"] == r["top"] == "1" for r in found.values())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "no data set needed" in text.read_text(encoding="utf-8")


def test_fig5_files(tmp_path):
    table, _, text = run("paper000-fig5", Request(out=tmp_path))
    v = np.array([float(r["potential"]) for r in rows(table)])
    found = np.array([float(r["sigma_prime"]) for r in rows(table)])
    s = 1 / (1 + np.exp(-5 * (v - 1)))
    np.testing.assert_allclose(found, 5 * s * (1 - s), rtol=1e-12)
    assert found.max() == found[v == 1][0] == 1.25
    assert "does not hold" in text.read_text(encoding="utf-8")
    np.testing.assert_allclose(sigmoid_slope(0.3), sigmoid_slope(-0.3))


def test_parameter_counts_by_hand():
    """Convolutions without bias, two numbers of batch norm per channel, dense layers with bias."""
    widths = [w for block in paper000.WIDTHS for w in block]
    vgg = sum(9 * a * b + 2 * b for a, b in zip([3, *widths], widths, strict=False))
    vgg += sum((a + 1) * b for a, b in ((512, 512), (512, 512), (512, 10)))
    assert parameters("vgg16") == vgg == 15_249_354
    resnet = 9 * 3 * 64 + 2 * 64 + 512 * 10 + 10
    before = 64
    for width in (64, 128, 256, 512):
        resnet += 9 * before * width + 3 * 9 * width * width + 4 * 2 * width
        resnet += 0 if before == width else before * width + 2 * width
        before = width
    assert parameters("sew_resnet18") == parameters("sparse_resnet18") == resnet == 11_173_962


@pytest.mark.parametrize("dataset", geometry.COLUMNS)
def test_ann_columns(dataset):
    """The geometry's ANN columns: the decoded reading is energy.paper000's, the other counts true maps."""
    decoded = geometry.ann(dataset, "decoded")
    assert decoded == {row: getattr(paper000.ann_column(dataset), row) for row in paper000.ROWS}
    printed = paper000.PUBLISHED[dataset]["ann"]
    assert all(isclose(decoded[row], printed[row], rel_tol=0.02) for row in ("weights", "io", "synaptic", "total"))
    layers = paper000.vgg16(paper000.INPUTS[dataset], border=False)
    qualia = lemaire.total(lemaire.ann_layer(g, PRESETS["qualia"]) for g in layers)
    assert geometry.ann(dataset, "qualia")["total"] == pytest.approx(qualia.total, rel=1e-12)


@pytest.mark.parametrize("reading", geometry.READINGS)
def test_a_column_is_the_sum_of_its_layers(reading):
    """One firing rate in all layers, layer by layer through the public function."""
    steps, levels, total = 2, 3, 100e3
    layers = paper000.vgg16((3, 32, 32), border=False)
    sizes = [g.n_out for g in layers[:-1]]
    sent = [total * n / sum(sizes) for n in sizes] + [0.0]
    expected = lemaire.total(
        lemaire.layer(
            g.kind,
            g.in_shape,
            g.out_shape,
            g.kernel,
            g.stride,
            events_in=g.n_in * steps if i == 0 else sent[i - 1],
            events_out=sent[i],
            steps=steps,
            levels=levels,
            analog_input=i == 0,
            options=geometry.READINGS[reading],
        )
        for i, g in enumerate(layers)
    )
    column = geometry.snn("cifar10", steps, levels, reading, spikes=total)
    for row in paper000.ROWS:
        assert column.rows[row] == pytest.approx(getattr(expected, row), rel=1e-12), row


@pytest.mark.parametrize("reading", geometry.READINGS)
@pytest.mark.parametrize(("dataset", "pair"), [("cifar10", (4, 1)), ("cifar10dvs", (1, 10))])
def test_no_spread_leaves_the_bounds(dataset, pair, reading):
    """Random spreads of the same total lie between the bounds, and the bounds are reached."""
    layers = paper000.vgg16(paper000.INPUTS[dataset], border=False)
    column = geometry.snn(dataset, *pair, reading)
    most = np.array([g.n_out * pair[0] for g in layers[:-1]], float)
    base, price = geometry._linear(layers, *pair, geometry.READINGS[reading])
    for _ in range(50):
        spread = most * RNG.random(len(most)) ** 3
        spread *= column.spikes / spread.sum()
        if (spread > most).any():
            continue
        values = dict(zip(paper000.ROWS, base + price @ spread, strict=True))
        for row, value in values.items():
            assert column.low[row] * (1 - 1e-9) <= value <= column.high[row] * (1 + 1e-9), row
    from scipy.optimize import linprog

    total = paper000.ROWS.index("total")
    for sign, bound in ((1, column.low), (-1, column.high)):
        scaled = sign * price[total] / price[total].max()
        best = linprog(
            scaled, A_eq=[np.ones(len(most))], b_eq=[column.spikes], bounds=[(0, m) for m in most], method="highs"
        )
        assert base[total] + price[total] @ best.x == pytest.approx(bound["total"], rel=1e-6)


def test_the_printed_spikes():
    assert geometry.printed_spikes("cifar10", 1, 4) == published.FIGURE_7[1, 4] == 57e3
    assert geometry.printed_spikes("cifar10", 1, 8) == pytest.approx(67e3, rel=0.01)  # reference, section 4.2
    with pytest.raises(ValueError, match="spikes: 1e"):
        geometry.snn("cifar10", 1, 4, "qualia", spikes=1e9)


def test_names_of_items():
    assert find("fig2") == find("paper000-fig2")
    papers = {item.short for item in find("paper000")}
    assert papers == {
        *(f"fig{n}" for n in (2, 4, 5, 6, 7, 8, 9, 10, 11)),
        *(f"table{n}" for n in (1, 2, 3, 4)),
    }
    with pytest.raises(ValueError, match="item 'fig99': expected one of paper000-fig2"):
        find("fig99")
    assert len(find("fig2", "paper000")) == 13, "each item once"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "slow"}, "preset: expected one of quick, full, got 'slow'"),
        ({"seeds": ()}, "seeds: expected one or more different whole numbers"),
        ({"seeds": (1, 1)}, "seeds: expected one or more different"),
        ({"seeds": (-1,)}, "seeds: expected"),
        ({"seeds": (True,)}, "seeds: expected"),
        ({"seeds": ("3",)}, "seeds: expected"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message):
        Request(**settings)


def test_the_full_preset_is_the_papers():
    """Recipe, width and levels; not run here."""
    from lava_mlsnn import train
    from lava_mlsnn.papers.paper000 import setting

    request = Request(preset="full")
    assert request.recipe_for(request.dataset()) == train.RECIPES["paper000-cifar"]
    full = setting.networks(request)
    assert not full.vgg and not full.residual
    assert full.levels == tuple(range(1, 11)) and full.residual_levels == tuple(range(1, 9))
    assert request.command("fig2") == "mlsnn reproduce fig2 --data digits --preset full --seeds 0,1,2"
    with pytest.raises(ValueError, match="recipe: expected one of"):
        Request(recipe="none").recipe_for(request.dataset())
