"""MobileNetV2 from torch to Lava: depthwise convolutions and sums of spikes, the same integers everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch_nets

import lava_mlsnn as ml
from lava_mlsnn import block, model

torch.set_num_threads(1)


@pytest.mark.parametrize("name", ["mobilenet_v2", "sparse_mobilenet_v2"])
def test_torch_engine_and_lava_agree_and_energy_is_counted(name: str) -> None:
    torch.manual_seed(0)
    options = {"in_shape": (2, 6, 6), "num_classes": 3, "levels": 3, "steps": 2, "width": 4, "blocks": (1, 2)}
    net = model.create(name, **options, expansion=2, stem="cifar")
    torch_nets.randomise(net, 2)
    images = torch.randint(0, 256, (3, 2, 6, 6), dtype=torch.uint8)
    graph = ml.netx.quantize(net.eval())
    run = ml.sim.run(graph, images.numpy(), trace=True)
    spikes = block.trace(net, images)
    for fused in (True, False):
        lava = ml.proc.simulate(graph, images.numpy(), fused=fused, trace=True, timeout=120)
        assert np.array_equal(lava.output, run.output) and lava.activity == run.activity
        assert all(np.array_equal(lava.trace[layer], run.trace[layer]) for layer in run.trace)
    assert all(np.array_equal(spikes[layer].numpy(), run.trace[layer]) for layer in run.trace)
    assert all(run.activity.mean_events(layer.name) > 0 for layer in graph.layers[:-1])
    for kind in ("lemaire", "horowitz"):
        report = ml.energy.estimate(graph, run.activity, model=kind)
        assert report.total > 0 and len(report.layers) == len(graph.layers)
