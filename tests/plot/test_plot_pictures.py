"""Every picture shows the numbers that it is made from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lava_mlsnn as ml
from lava_mlsnn import analysis, energy, loihi2, netx, plot, sim

pyplot = pytest.importorskip("matplotlib.pyplot")
IMAGES = ml.data.load("digits").test_images[:6]
LABELS = ml.data.load("digits").test_labels[:6]


@pytest.fixture(scope="module")
def graph() -> netx.NetGraph:
    return netx.example("digits_sparse_resnet_t4n1")


@pytest.fixture(scope="module")
def run(graph: netx.NetGraph) -> sim.Run:
    return sim.run(graph, IMAGES, trace="membrane")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture
def axes() -> Any:
    return pyplot.figure().add_subplot()


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_raster_has_a_dot_per_spike_in_the_color_of_its_value(axes: Any) -> None:
    found = sim.run(netx.example("digits_sparse_resnet_t1n4"), IMAGES, trace=True)
    spikes = found.trace["stem"][2].reshape(-1, 1)
    assert plot.raster(found, "stem", 2, axes) is axes
    (dots,) = axes.collections
    drawn = {(int(y), int(x)): int(c) for (x, y), c in zip(dots.get_offsets(), dots.get_array(), strict=True)}
    assert drawn == {(n, t + 1): spikes[n, t] for n, t in zip(*np.nonzero(spikes), strict=True)}
    assert max(drawn.values()) > 1
    assert dots.get_sizes().min() >= 2  # 1024 neurons; points squared below one cannot be seen


def test_membranes_are_lines(run: sim.Run, axes: Any) -> None:
    plot.membranes(run, "stage1.0.conv1", [3, 7], 1, axes)
    held = run.membranes["stage1.0.conv1"][1].reshape(-1, 4)
    for line, neuron in zip(axes.lines, (3, 7), strict=True):
        assert line.get_ydata().tolist() == held[neuron].tolist()
    with pytest.raises(ValueError, match=r'expected sim\.run\(\.\.\., trace="membrane"\)'):
        plot.membranes(sim.run(netx.example("digits_mlp_t1n4"), IMAGES), "fc1")
    with pytest.raises(ValueError, match="neuron: expected an integer in 0"):
        plot.membranes(run, "stem", [100000])


def test_activity_is_the_share_of_neurons(graph: netx.NetGraph, run: sim.Run, axes: Any) -> None:
    plot.activity(graph, run.activity, axes)
    (shown,) = axes.images
    row = [text.get_text() for text in axes.get_yticklabels()].index("stage2.0.conv1")
    spikes = run.trace["stage2.0.conv1"]
    share = [100 * np.count_nonzero(spikes[..., t]) / spikes[..., t].size for t in range(4)]
    np.testing.assert_allclose(shown.get_array()[row], share)


def test_avalanche_shows_both_paths_and_the_sum(graph: netx.NetGraph, run: sim.Run, axes: Any) -> None:
    plot.avalanche(graph, run.activity, axes)
    sums = analysis.activity(graph, run.activity).sums
    expected = [[s.direct for s in sums], [s.residual for s in sums], [s.sites for s in sums]]
    np.testing.assert_allclose([[bar.get_height() for bar in bars] for bars in axes.containers], expected)
    flat = netx.example("digits_mlp_t1n4")
    with pytest.raises(ValueError, match="residual sums"):
        plot.avalanche(flat, sim.run(flat, IMAGES).activity)


def test_energy_by_term_and_by_layer(graph: netx.NetGraph, run: sim.Run, axes: Any) -> None:
    snn, ann = energy.estimate(graph, run.activity), energy.ann(graph)
    plot.energy({"SNN": snn, "ANN": ann}, axes)
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axes.containers}
    for term, values in heights.items():
        assert values == pytest.approx([1e6 * report.terms.get(term, 0.0) for report in (snn, ann)])
    layers = plot.energy_layers(snn)
    widths = np.sum([[bar.get_width() for bar in bars] for bars in layers.containers], axis=0)
    assert widths == pytest.approx([1e6 * layer.total for layer in snn])
    assert [text.get_text() for text in layers.get_yticklabels()] == [layer.name for layer in snn]


def test_confusion_counts(axes: Any) -> None:
    plot.confusion([0, 1, 1, 2], [0, 1, 2, 2], ["a", "b", "c"], axes)
    assert {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts} == {
        (0, 0): "1",
        (1, 1): "1",
        (2, 1): "1",
        (2, 2): "1",
    }
    with pytest.raises(ValueError, match=r"expected two \(N,\)"):
        plot.confusion([0, 1], [0])


@pytest.mark.parametrize(
    ("predicted", "names", "message"),
    [
        ([0, -1], (), r"predictions: expected classes from 0 on, found -1 \.\. 0"),
        ([0, 2], ("a", "b"), r"predictions: expected 0 \.\. 1, as there are 2 names, found 0 \.\. 2"),
        ([0, 0.5], (), r"predictions: expected integers, found 0\.5"),
    ],
)
def test_what_is_no_class_is_refused(predicted: list[Any], names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot.confusion(predicted, [0, 1], names)
    with pytest.raises(ValueError, match=message):
        plot.images(IMAGES[:2], predicted, [0, 1], names)


def test_images_show_wrong_ones(axes: Any) -> None:
    predicted = LABELS.copy()
    predicted[1] = (predicted[1] + 1) % 10
    plot.images(IMAGES, predicted, LABELS, axes=axes)
    assert len(axes.images) == len(IMAGES)
    assert [" (" in text for text in texts(axes)] == [i == 1 for i in range(len(IMAGES))]
    plot.images(np.zeros((2, 2, 4, 4, 3)), [0, 1], [0, 0], ["a", "b"])
    with pytest.raises(ValueError, match="images: expected"):
        plot.images(IMAGES[0], predicted, LABELS)


def test_a_network_that_errs_on_no_image_is_drawn(axes: Any) -> None:
    """``images[run.labels != labels]`` is empty then: what training yields depends on the processor."""
    wrong = np.zeros(len(IMAGES), bool)
    plot.images(IMAGES[wrong], LABELS[wrong], LABELS[wrong], count=8, axes=axes)
    assert texts(axes) == ["no images"]
    assert not axes.images
    with pytest.raises(ValueError, match=r"images: expected .*N = 6, got \(0, 1, 8, 8\)"):
        plot.images(IMAGES[wrong], LABELS, LABELS)
    counts = plot.confusion([], [], ["a", "b"])
    assert not counts.texts
    assert counts.images[0].get_array().shape == (2, 2)


def test_tradeoff_network_and_cores(graph: netx.NetGraph, axes: Any) -> None:
    points = plot.tradeoff({"a": (2e-6, 0.9), "b": (1e-6, 0.8)})
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points.lines] == [(2.0, 90.0), (1.0, 80.0)]
    plot.network(graph, axes)
    assert [text.split()[0] for text in texts(axes) if text] == ["input", *(layer.name for layer in graph)]
    arrows = [text for text in axes.texts if not text.get_text()]
    assert len(arrows) == sum(len(layer.inputs) for layer in graph)
    fit = loihi2.fit(graph)
    squares = plot.cores(fit).patches
    assert len(squares) == fit.chip.cores
    assert sum(square.get_facecolor()[3] > 0 for square in squares) == fit.cores


def test_the_room_opens_without_matplotlib() -> None:
    code = "import sys, lava_mlsnn as ml; ml.plot, ml.plot.__all__; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_names_with_dollars_are_no_formulas() -> None:
    """ "$\\x$" as one would be an error of the parser when the picture is drawn."""
    name = r"$\x$"
    layer = netx.Layer(name, (netx.Connection("input", netx.Dense(np.eye(2))),), (2, 1, 1), netx.MultiLevel(1, 2))
    graph = netx.NetGraph(netx.Input((2, 1, 1)), (layer,), timesteps=2)
    run = sim.run(graph, np.ones((3, 2, 1, 1), np.uint8), trace=True)
    for shown in (
        plot.network(graph),
        plot.activity(graph, run.activity),
        plot.cores(loihi2.fit(graph)),
        plot.confusion([0, 1], [0, 1], [name, "b"]),
        plot.images(np.ones((1, 1, 2, 2)), [0], [0], [name]),
        plot.raster(run, name, 0),
    ):
        shown.figure.canvas.draw()
