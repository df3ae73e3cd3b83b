from __future__ import annotations

import numpy as np
import pytest
import torch

from lava_mlsnn import analysis, data, netx, sim, train
from lava_mlsnn.energy import Activity

OPTIONS = {"levels": 4, "width": 4, "blocks": (2, 1)}


def counted(name: str, **options):
    digits = data.load("digits")
    net = train.create(name, digits, **{**OPTIONS, **options})
    for module in net.modules():  # an untrained net of this depth is almost silent
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.constant_(module.weight, 3.0)
            torch.nn.init.constant_(module.bias, 0.1)
    graph = netx.quantize(net)
    run = sim.run(graph, digits.test_images[:7], trace=True)
    return graph, run, analysis.activity(graph, run.activity)


def events(*traces: np.ndarray) -> float:
    """Non-zero sites of a sum of traces, per sample: by hand."""
    return np.count_nonzero(sum(traces)) / len(traces[0])


@pytest.mark.parametrize("steps", [1, 3])
def test_sew_sums_by_hand(steps):
    graph, run, found = counted("sew_resnet18", steps=steps)
    z = {name: run.trace[name] for name in run.trace}
    stem, first, second = z["stem"], z["stage1.0.conv2"], z["stage1.1.conv2"]
    last, shortcut = z["stage2.0.conv2"], z["stage2.0.shortcut"]
    assert [s.name for s in found.sums] == ["stage1.0", "stage1.1", "stage2.0"]
    assert all(s.kind == "spikes" and s.sent == s.carried for s in found.sums)
    by_hand = [
        (events(first), events(stem), events(first, stem)),
        (events(second), events(first) + events(stem), events(second, first, stem)),
        (events(last), events(shortcut), events(last, shortcut)),
    ]
    assert np.array([(s.direct, s.residual, s.sites) for s in found.sums]) == pytest.approx(np.array(by_hand))
    assert found.emitted == pytest.approx(sum(events(z[layer.name]) for layer in graph if layer.neuron.spiking))
    assert found.with_sums == pytest.approx(found.emitted + sum(d + r for d, r, _ in by_hand))
    assert found.with_sum_sites == pytest.approx(found.emitted + sum(s for _, _, s in by_hand))
    assert found.sums[1].sites < found.sums[1].carried, "overlaps: the two counts must differ"


@pytest.mark.parametrize("steps", [1, 3])
def test_sparse_sums_by_hand(steps):
    _, run, found = counted("sparse_resnet18", steps=steps)
    z = run.trace
    for s, (direct, residual) in zip(
        found.sums,
        [("stage1.0.conv2", "stem"), ("stage1.1.conv2", "stage1.0.add"), ("stage2.0.conv2", "stage2.0.shortcut")],
        strict=True,
    ):
        assert s.kind == "barrier"
        assert (s.direct, s.residual) == pytest.approx((events(z[direct]), events(z[residual])))
        assert s.sites == pytest.approx(events(z[direct], z[residual]))
        assert s.sent == pytest.approx(events(z[f"{s.name}.add"]))
        if steps == 1:
            assert s.sent == s.sites, "in one timestep a barrier keeps the support of its sum"
    assert found.with_sums == found.with_sum_sites == found.emitted


def test_roles_and_blocks():
    _, _, found = counted("sew_resnet18")
    assert {layer.name: (layer.role, layer.block) for layer in found} == {
        "stem": ("hidden", ""),
        "stage1.0.conv1": ("hidden", "stage1.0"),
        "stage1.0.conv2": ("direct", "stage1.0"),
        "stage1.1.conv1": ("hidden", "stage1.1"),
        "stage1.1.conv2": ("direct", "stage1.1"),
        "stage2.0.conv1": ("hidden", "stage2.0"),
        "stage2.0.conv2": ("direct", "stage2.0"),
        "stage2.0.shortcut": ("residual", "stage2.0"),
        "readout": ("output", ""),
    }
    by_block = {layer.block: 0.0 for layer in found if layer.block}
    for layer in found:
        if layer.block:
            by_block[layer.block] += layer.events
    assert found.blocks() == pytest.approx(by_block)


def test_spiking_resnet_sums_are_currents():
    _, run, found = counted("spiking_resnet18")
    assert [s.kind for s in found.sums] == ["current"] * 3
    assert found.sums[0].residual == pytest.approx(events(run.trace["stem"]))
    assert found.sums[0].sent == pytest.approx(events(run.trace["stage1.0.conv2"]))
    assert all(s.direct == 0 for s in found.sums)


def test_connections_both_ways():
    graph, run, found = counted("sew_resnet18")
    sources = [c.sources for layer in graph for c in layer.connections if "input" not in c.sources]
    assert found.carried == pytest.approx(sum(events(run.trace[s]) for names in sources for s in names))
    assert found.sites == pytest.approx(sum(events(*(run.trace[s] for s in names)) for names in sources))
    assert found.sites < found.carried


def test_a_network_without_sums_and_the_tables():
    _, _, found = counted("sew_resnet18")
    assert list(found.to_frame()["name"]) == [layer.name for layer in found]
    assert list(found.sums_to_frame()["carried"]) == [s.carried for s in found.sums]
    digits = data.load("digits")
    graph = netx.quantize(train.create("cnn", digits, width=2, depth=2))
    plain = analysis.activity(graph, sim.run(graph, digits.test_images[:2]).activity)
    assert plain.sums == () and plain.with_sums == plain.emitted and plain.sums_to_frame().empty
    assert plain.carried == plain.sites, "without sums there is one way to count"


def test_another_network_is_refused():
    graph, run, _ = counted("sew_resnet18")
    other, _, _ = counted("sparse_resnet18")
    with pytest.raises(ValueError, match=r"another network: layers stage1\.0\.add"):
        analysis.activity(other, run.activity)
    with pytest.raises(ValueError, match="1 timesteps, the network has 2"):
        longer = netx.NetGraph(graph.input, graph.layers, 2, graph.labels)
        analysis.activity(longer, run.activity)
    assert analysis.activity(graph, Activity.zeros(graph)).emitted == 0
