"""Dilated windows (paper 004): geometry, condensation, fusion, the sequence of groups, and their integer layers."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_nets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch import nn

import lava_mlsnn as ml
from lava_mlsnn import block
from lava_mlsnn.block import fusion
from lava_mlsnn.block.partition import condense, partition, region_threshold
from lava_mlsnn.block.scan import Scan
from lava_mlsnn.graph.hardware import problems
from lava_mlsnn.graph.windows import Windows
from lava_mlsnn.neuron import MultiLevel, functional

torch.set_num_threads(1)

windows = st.builds(
    Windows, st.sampled_from((4, 8, 12)), st.sampled_from((4, 8, 16)), st.sampled_from((1, 2, 4)), st.booleans()
)


def brute_force(groups: np.ndarray, w: Windows) -> np.ndarray:
    """Every site divided by the number of windows that hold it."""
    total = np.zeros((*groups.shape[1:3], w.height, w.width))
    count = np.zeros((w.height, w.width))
    for group, (row, column) in zip(groups, w.offsets, strict=True):
        for i in range(group.shape[2]):
            for j in range(group.shape[3]):
                total[:, :, row + i, column + j] += group[:, :, i, j]
                count[row + i, column + j] += 1
    assert np.array_equal(count, w.cover)
    return total / count


@given(windows, st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_condense_divides_every_site_by_its_cover(w: Windows, seed: int) -> None:
    groups = np.random.default_rng(seed).integers(-8, 9, (w.groups, 2, 3, *w.size)).astype(float)
    assert np.array_equal(condense(torch.from_numpy(groups), w).numpy(), brute_force(groups, w))


@given(windows, st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_condense_inverts_partition(w: Windows, seed: int) -> None:
    x = torch.randint(-99, 99, (2, 3, w.height, w.width), generator=torch.Generator().manual_seed(seed)).double()
    assert torch.equal(condense(partition(x, w), w), x)


def test_dilated_windows_are_larger_by_half_with_weights_2_and_4() -> None:
    normal, dilated = Windows(16, 16, 4), Windows(16, 16, 4, dilated=True)
    assert normal.size == (8, 8) and dilated.size == (12, 12)  # M = 3L/4
    assert dilated.offsets == ((0, 0), (0, 4), (4, 0), (4, 4)) and dilated.covers == (1, 2, 4)
    assert normal.covers == (1,) and Windows(16, 16, 2, dilated=True).size == (12, 16)
    for row, column in normal.offsets:  # every dilated window reaches into all normal ones
        for down, right in dilated.offsets:
            assert down < row + 8 and row < down + 12 and right < column + 8 and column < right + 12


@given(st.integers(1, 6), st.integers(0, 24), st.sampled_from((1, 2, 4)), st.floats(0, 0.99))
def test_region_threshold_counts_levels(levels: int, total: int, cover: int, threshold: float) -> None:
    median = min(total, levels * cover) / cover
    wanted = sum(1 for k in range(levels) if median - k > threshold)
    assert region_threshold(torch.tensor([median], dtype=torch.float64), levels, threshold).item() == wanted


def test_region_threshold_of_binary_median_spikes() -> None:
    median = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], requires_grad=True)
    spikes = region_threshold(median)
    assert spikes.tolist() == [0, 1, 1, 1, 1]
    spikes.sum().backward()
    assert median.grad is not None and torch.equal(median.grad, torch.ones(5))


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.05, 2))
def test_omega_is_bounded_and_odd_in_the_group_and_even_in_the_layer(a: float, b: float, theta: float) -> None:
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    value = fusion.omega(x, y, theta)
    assert abs(value) <= 2 and fusion.omega(-x, y, theta) == -value and fusion.omega(x, -y, theta) == value
    assert value == pytest.approx(2 * math.sin(theta * math.pi * a / 2) * math.cos(theta * math.pi * b / 2), abs=1e-12)
    double = fusion.omega(x, x, theta)  # sin(theta pi x) along the diagonal
    assert double == pytest.approx(math.sin(theta * math.pi * a), abs=1e-12)


@given(st.floats(0.05, 1.5), st.floats(0.1, 1.0))
@settings(max_examples=25, deadline=None)
def test_eq_20_is_the_integral(theta: float, threshold: float) -> None:
    def height(b: float, a: float) -> float:
        return 2 * math.sin(theta * math.pi * a / 2) * math.cos(theta * math.pi * b / 2)

    limits = (threshold, 2 * threshold)
    volume, error = integrate.dblquad(height, *limits, *limits)
    assert fusion.surface(theta, threshold) == pytest.approx(volume, abs=max(1e-10, 2 * error))
    plane, _ = integrate.dblquad(lambda b, a: a + b, *limits, *limits)
    assert fusion.plane(threshold) == pytest.approx(plane)
    assert fusion.area_difference(theta, threshold) == pytest.approx(volume - plane, abs=1e-8)


@pytest.mark.parametrize("theta", fusion.TABLE5)
def test_table_5_to_its_printed_digits(theta: float) -> None:
    printed = tuple(math.trunc(100 * v) / 100 for v in (fusion.surface(theta), fusion.area_difference(theta)))
    assert printed == fusion.TABLE5[theta]


def reference(layer: block.Window, x: np.ndarray, before: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The equations of Windowed's docstring, site by site."""
    w = Windows(x.shape[2], x.shape[3], layer.groups, layer.dilated)
    weight = layer.synapse.weight.detach().numpy()
    bias = layer.synapse.bias.detach().numpy()
    neuron, pad = layer.neuron, weight.shape[2] // 2
    (rows, columns), start = w.size, None
    spikes, left = [], []
    for row, column in w.offsets:
        window = np.pad(x[:, :, row : row + rows, column : column + columns], ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        current = np.zeros((len(x), len(weight), rows, columns))
        for i in range(rows):
            for j in range(columns):
                patch = window[:, None, :, i : i + weight.shape[2], j : j + weight.shape[3]]
                current[:, :, i, j] = (patch * weight).sum((2, 3, 4)) + bias
        m = np.zeros_like(current) if before is None else before[:, :, row : row + rows, column : column + columns]
        a = np.zeros_like(current) if start is None else start
        fused = {
            "omega": 2 * np.sin(layer.theta * np.pi * a / 2) * np.cos(layer.theta * np.pi * m / 2),
            "group": a,
            "none": np.zeros_like(a),
            "sum": a + m,
        }[layer.fusion]
        h = fused + neuron.levels * current
        z = np.clip(np.floor(h / neuron.threshold), 0, neuron.levels)
        start = h - neuron.threshold * z
        spikes.append(z)
        left.append(start)
    median = brute_force(np.stack(spikes), w)
    z = np.clip(np.ceil(median - layer.region), 0, neuron.levels)
    return z / neuron.levels, brute_force(np.stack(left), w)


def test_a_start_in_windows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"start of a neuron in windows: expected 0, as its first group has, got 0\.5"):
        block.Window(1, 1, neuron=MultiLevel(start=0.5))


@pytest.mark.parametrize("kind", ["omega", "group", "none", "sum"])
@pytest.mark.parametrize("dilated", [False, True])
def test_float_layer_is_its_equations(kind: str, dilated: bool) -> None:
    torch.manual_seed(2)
    neuron = MultiLevel(levels=3, threshold=0.5)
    layer = block.Window(2, 3, neuron=neuron, dilated=dilated, fusion=kind, norm=False, theta=0.7).double()
    x = torch.rand(2, 2, 8, 8, 1, dtype=torch.float64)
    before = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    wanted, membrane = reference(layer, x[..., 0].numpy(), before.numpy())
    if layer.reads_layer:
        out, left = layer(x, before)
        np.testing.assert_allclose(left.detach().numpy(), membrane, atol=1e-12)
    else:
        out = layer(x)
    np.testing.assert_allclose(out[..., 0].detach().numpy(), wanted, atol=1e-12)


def test_groups_in_sequence_are_timesteps_of_one_neuron() -> None:
    """Paper 004, Eq 10: with the plain membrane, window p is timestep p of the same neurons."""
    torch.manual_seed(0)
    layer = block.Window(2, 4, neuron=MultiLevel(levels=4, threshold=0.5), fusion="group", norm=False).double()
    x = torch.rand(3, 2, 8, 8, 1, dtype=torch.float64) - 0.3
    parts = partition(x[..., 0], Windows(8, 8))
    current = layer.synapse_connection(parts.movedim(0, -1))
    z, v = functional.multilevel(current, None, 0.5, 4)
    spikes, left = layer.fired(current.movedim(-1, 0), None, layer.neuron)
    assert torch.equal(spikes, z.movedim(-1, 0)) and torch.equal(left[-1], v)


def test_gradients_reach_earlier_groups_and_the_layer_before() -> None:
    torch.manual_seed(1)
    layer = block.Window(1, 2, neuron=MultiLevel(levels=4, threshold=0.5), theta=0.5)
    x = torch.rand(2, 1, 8, 8, 1, requires_grad=True)
    before = torch.randn(2, 2, 8, 8, requires_grad=True)
    layer(x, before)[0][:, :, 4:, 4:].sum().backward()
    assert x.grad is not None and before.grad is not None
    assert all(bool(x.grad[..., i, j, 0].any()) for i, j in ((1, 1), (1, 6), (6, 1), (6, 6)))
    assert bool(before.grad[:, :, :4, 4:].any()) and not before.grad[:, :, :4, :4].any()  # sin(0) = 0 in group 1


@st.composite
def cases(draw: Any, recurrent: bool) -> tuple[nn.Module, torch.Tensor]:
    """A small network of window blocks with fusions that lower, convolutions or recurrent cells, and images."""
    levels, first = draw(st.sampled_from((1, 4, 3))), draw(st.integers(1, 2))
    trainable = draw(st.booleans())

    def window(channels: int, out: int) -> block.Window:
        options = {
            "neuron": MultiLevel(levels, 0.5, trainable=trainable),
            "groups": draw(st.sampled_from((4, 2, 1))),
            "dilated": draw(st.booleans()),
            "fusion": draw(st.sampled_from(("group", "none"))),
            "region": draw(st.sampled_from((0.1, 0.0, 0.3, 0.6))),
        }
        if not recurrent:
            return block.Window(channels, out, draw(st.sampled_from((3, 1))), **options)
        messages, both = draw(st.sampled_from((15, 1, 4, 255))), draw(st.booleans())
        return block.ScanWindow(channels, out, messages=messages, both=both, **options)

    shape, out = (first, 4 if recurrent else 8, draw(st.sampled_from((4, 8)))), 8 if recurrent else 3
    parts: list[nn.Module] = [block.Input(shape, 1 / 16, 5), window(first, out)]
    if draw(st.booleans()):
        parts += [block.Conv(out, 5, 1, neuron=MultiLevel(levels, 0.5)), window(5, out)]
    parts += [block.Pool(None, mode="average"), block.Flatten(), block.Readout(out, 4)]
    net = nn.Sequential(*parts)
    torch_nets.randomise(net, draw(st.integers(0, 2**16)))
    for cell in (module for module in net.modules() if isinstance(module, Scan)):
        nn.init.ones_(cell.norm.bias)  # half of what it sends, so that few are silent
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    return net.eval(), torch.randint(0, 32, (2, *shape), generator=random, dtype=torch.uint8)


@given(cases(recurrent=False), st.booleans())
@settings(max_examples=16, deadline=None)
def test_windows_lower_spike_by_spike(tmp_path_factory: Any, case: tuple[nn.Module, torch.Tensor], wide: bool) -> None:
    lowers(Path(tmp_path_factory.mktemp("window")) / "w.net", *case, wide)


@given(cases(recurrent=True), st.booleans())
@settings(max_examples=8, deadline=None)
def test_recurrent_cells_lower_spike_by_spike(
    tmp_path_factory: Any, case: tuple[nn.Module, torch.Tensor], wide: bool
) -> None:
    lowers(Path(tmp_path_factory.mktemp("scan")) / "s.net", *case, wide)


def lowers(path: Path, net: nn.Module, images: torch.Tensor, wide: bool) -> None:
    """All layers of the graph, the file and torch send the same."""
    graph = ml.netx.quantize(net, per_channel=wide)
    assert problems(graph) == []
    spikes = block.trace(net, images, per_channel=wide)
    ml.netx.save(graph, path)
    loaded = ml.netx.load(path)
    assert ml.netx.digest(loaded) == ml.netx.digest(graph)
    for g, engine in ((graph, "reference"), (graph, "fast"), (loaded, "fast")):
        run = ml.sim.run(g, images.numpy(), trace=True, engine=engine)
        assert set(spikes) == {"input", *run.trace} and not run.overflows
        for name, trace in run.trace.items():
            assert np.array_equal(spikes[name].numpy(), trace), name
        assert block.activity(net, images, per_channel=wide) == run.activity


@pytest.mark.parametrize(
    ("make", "dilated"), [(block.Window, False), (block.Window, True), (partial(block.ScanWindow, messages=7), True)]
)
def test_lava_computes_the_same_windows(make: Any, dilated: bool, tmp_path: Path) -> None:
    neuron = MultiLevel(levels=3, threshold=0.5)
    window = make(1, 2, neuron=neuron, groups=2, dilated=dilated, fusion="group")
    net = nn.Sequential(
        block.Input((1, 4, 4), 1 / 16, 5),
        window,
        block.Pool(None, mode="average"),
        block.Flatten(),
        block.Readout(2, 3),
    )
    torch_nets.randomise(net, 5)
    images = np.random.default_rng(0).integers(0, 32, (3, 1, 4, 4)).astype(np.uint8)
    path = tmp_path / "w.net"
    ml.netx.save(ml.netx.quantize(net.eval()), path)
    run = ml.sim.run(ml.netx.load(path), images, trace=True)
    assert run.activity.mean_events("1.group1") > 0 and run.activity.mean_events("1.group2") > 0
    for fused in (True, False):
        lava = ml.proc.simulate(path, images, fused=fused, trace=True)
        assert np.array_equal(lava.output, run.output) and lava.activity == run.activity
        assert all(np.array_equal(lava.trace[name], trace) for name, trace in run.trace.items())


def test_one_group_is_a_plain_convolution_whatever_the_fusion() -> None:
    torch.manual_seed(0)
    layers = [
        block.Window(1, 3, neuron=MultiLevel(4, 0.5), groups=1, dilated=d, fusion=f, norm=False)
        for d in (False, True)
        for f in ("omega", "group", "none")
    ]
    plain = block.Conv(1, 3, 3, 1, 1, neuron=MultiLevel(4, 0.5), norm=False)
    x = torch.rand(2, 1, 6, 6, 1)
    for layer in layers:
        layer.load_state_dict(plain.state_dict())
        out = layer(x)
        assert torch.equal(out[0] if layer.reads_layer else out, plain(x))


def cells_in_minus_one_to_one(layer: block.ScanWindow, x: np.ndarray) -> np.ndarray:
    """Messages of both cells in one window (C, h, w), with states in -1 .. 1 as those of a tanh."""
    sent = []
    for cell, sites in zip(layer.cells, (x, x.transpose(0, 2, 1)), strict=True):
        read, again = cell.connections
        weight, bias = (t.detach().flatten(1).numpy() if t.ndim > 1 else t.detach().numpy() for t in read.folded())
        half = again.synapse.weight.detach().flatten(1).numpy() / 2
        levels, found = cell.neuron.levels, np.zeros((len(weight), *sites.shape[1:]))
        for row in range(sites.shape[1]):
            h = -np.ones(len(weight))
            for site in range(sites.shape[2]):
                a = weight @ sites[:, row, site] + bias - 1 + half.sum(1) + half @ h
                h = 2 * np.clip(np.floor(levels * (a + 1) / 2), 0, levels) / levels - 1
                found[:, row, site] = (h + 1) / 2
        sent.append(found if cell.axis else found.transpose(0, 2, 1))
    return np.stack(sent, 1).reshape(-1, *x.shape[1:])


@pytest.mark.parametrize("dilated", [False, True])
def test_cells_are_a_recurrent_network_whose_tanh_is_a_clipped_staircase(dilated: bool) -> None:
    layer = block.ScanWindow(2, 6, messages=15, neuron=MultiLevel(4, 0.5), dilated=dilated, fusion="none").double()
    torch_nets.randomise(layer, 4)
    x = torch.rand(2, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    w = Windows(8, 8, 4, dilated)
    found = layer.eval().parts(x, w).detach().numpy()
    assert 0.1 < found.mean() < 0.9 and found.shape == (4, 2, 6, *w.size)
    for group, part in zip(found, partition(x, w).numpy(), strict=True):
        for sent, window in zip(group, part, strict=True):
            np.testing.assert_allclose(sent, cells_in_minus_one_to_one(layer, window), atol=1e-12)
    plain = torch.nn.functional.batch_norm(
        torch.from_numpy(found[0]) * layer.synapse.weight.reshape(-1, 1, 1),
        *(layer.norm.running_mean, layer.norm.running_var, layer.norm.weight, layer.norm.bias),
    )
    torch.testing.assert_close(layer.current(torch.from_numpy(found[0])), plain)


@pytest.mark.parametrize("both", [False, True])
def test_cells_walk_along_rows_and_columns_of_their_window(both: bool) -> None:
    layer = block.ScanWindow(1, 4, messages=32767, both=both, neuron=MultiLevel(4, 0.5)).eval()
    for cell in layer.cells:
        nn.init.constant_(list(cell.connections)[1].synapse.weight, 0.5)
        nn.init.ones_(cell.synapse.weight)
    x = torch.zeros(1, 1, 8, 8, requires_grad=True)
    changed = (x + torch.nn.functional.one_hot(torch.tensor(13), 64).reshape(8, 8)).detach() * 0.5  # row 1, column 5
    w = Windows(8, 8, 4)
    reached = (layer.parts(changed, w) != layer.parts(x, w)).flatten(1, 2).any(1)
    expected = torch.zeros(4, 4, 4, dtype=torch.bool)
    expected[1, 1, 0 if both else 1 :] = expected[1, 0 if both else 1 :, 1] = True  # the second window begins at 0, 4
    assert torch.equal(reached, expected)


def test_gradients_pass_from_site_to_site() -> None:
    torch.manual_seed(1)
    layer = block.ScanWindow(1, 4, messages=15, neuron=MultiLevel(4, 0.5), groups=1).eval()  # a norm joins all sites
    x = torch.rand(2, 1, 4, 4, 1, requires_grad=True)
    layer(x)[0][:, :, 3, 3].sum().backward()
    assert x.grad is not None and bool(x.grad[:, :, 3, 0].any()) and bool(x.grad[:, :, 0, 3].any())
    assert all(p.grad is not None and bool(p.grad.any()) for p in layer.cells.parameters())


def net_of(*blocks: nn.Module) -> nn.Module:
    return nn.Sequential(block.Input((1, 8, 8), 1 / 16, 5), *blocks, block.Flatten(), block.Readout(64, 3))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda n: block.Window(1, 1, neuron=n), "layer '1': fusion 'omega' of membrane potentials has no integer"),
        (lambda n: block.Window(1, 1, neuron=n, fusion="group", region=None), "median spikes without region threshold"),
        (lambda n: block.PatchMix(2, (64, 64), neuron=n), "the sites of .2, 64, 64. has 33554432 weights"),
        (
            lambda n: block.WindowMixer(nn.Identity(), neuron=n),
            "an? Identity in windows .* convolutions alone have one",
        ),
    ],
)
def test_what_has_no_integer_layer_says_so(layer: Any, words: str) -> None:
    net = net_of(layer(MultiLevel(4, 0.5)))
    with pytest.raises(ValueError, match=words) as error:
        ml.netx.quantize(net)
    assert "train.float_run" in str(error.value)
    assert block.no_integer_layer(net) == str(error.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Windows(8, 8, 3), "window groups: expected one of 1, 2, 4, got 3"),
        (lambda: Windows(6, 8, 4, dilated=True), "dilated windows of 4 groups on a map of 6 x 8: .* multiples of 4"),
        (lambda: Windows(7, 8, 2), "normal windows of 2 groups on a map of 7 x 8: .* multiples of 2"),
        (lambda: block.Window(1, 1, 2, neuron=None), "window kernel: expected an odd number"),
        (lambda: block.Window(1, 1, neuron=None, fusion="cos"), "fusion: expected one of omega, group, none"),
        (lambda: block.Window(1, 1, neuron=None, region=1), "region threshold: expected 0 <= Th_R < 1"),
        (lambda: block.Window(1, 1, neuron=nn.Tanh()), "neuron Tanh in windows: expected neuron.MultiLevel"),
        (lambda: block.Window(1, 1, neuron=None)(torch.zeros(1, 1, 8, 8, 2)), "expected one timestep"),
        (lambda: condense(torch.zeros(4, 1, 1, 2, 2), Windows(8, 8)), "condense: expected"),
        (lambda: partition(torch.zeros(1, 1, 2, 2), Windows(8, 8)), "window partition: expected"),
        (lambda: fusion.surface(0.0), "theta: expected a finite number > 0, got 0.0"),
    ],
)
def test_refusals(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
