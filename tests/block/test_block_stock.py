"""Stock SLAYER blocks: they mix with ours in one network, and leave it as layers that stock NetX reads."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import lava_mlsnn as ml
from lava_mlsnn import block, neuron
from lava_mlsnn.netx import LIF, Delta, Late, SigmaDelta
from lava_mlsnn.neuron import MultiLevel

from lava.lib.dl import slayer  # isort: skip - Lava is mended first
from lava.lib.dl.netx import hdf5
from lava.lib.dl.slayer.block import cuba, sigma_delta

CUBA = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.03}
SDNN = {"threshold": 0.1, "activation": torch.relu}
STEPS = 12

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # torch's, for SLAYER's weight_norm
]


def after(shape: tuple[int, int, int], *blocks: nn.Module, scale: float = 1.0, bits: int = 1) -> nn.Sequential:
    return nn.Sequential(block.Input(shape, scale, bits, STEPS), *blocks).eval()


def cuba_net() -> nn.Sequential:
    torch.manual_seed(1)
    return after(
        (1, 8, 8),
        cuba.Conv(CUBA, 1, 4, 3, padding=1, weight_scale=20),
        cuba.Conv(CUBA, 4, 6, 3, stride=2, weight_norm=True, weight_scale=20),
        cuba.Flatten(),
        cuba.Dense(CUBA, 54, 10, weight_scale=20),
    )


def spikes(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return (torch.rand((3, *shape, STEPS), generator=torch.Generator().manual_seed(seed)) < 0.3).float()


def outputs(net: nn.Sequential, x: Tensor) -> dict[str, Tensor]:
    found = {}
    with torch.no_grad():
        for name, module in net.named_children():
            x = found[name] = module(x)
    return found


def assert_same(net: nn.Sequential, x: Tensor, images: np.ndarray | None = None) -> ml.netx.NetGraph:
    """Spikes of all layers, step by step, in torch and the engine; in Lava of two samples."""
    graph = ml.netx.quantize(net)
    images = x.numpy().astype(int) if images is None else images
    run = ml.sim.run(graph, images, trace=True, engine="reference")
    found = block.trace(net, x)
    assert set(found) == {"input", *run.trace}
    for name, spikes in run.trace.items():
        assert np.array_equal(found[name], spikes), name
    assert block.activity(net, x).difference(run.activity) == ""
    for fused in (True, False):
        lava = ml.proc.simulate(graph, images[:2], fused=fused, trace=True, timeout=120)
        assert lava.difference(ml.sim.run(graph, images[:2], trace=True)) == "", f"fused={fused}"
    return graph


def test_cuba_blocks_become_lif_layers_and_their_shift_a_layer() -> None:
    """SLAYER sends the spikes of every block a step later; those of the last step are lost."""
    net, x = cuba_net(), spikes((1, 8, 8))
    graph = assert_same(net, x)
    assert [layer.name for layer in graph] == ["1", "1.shift", "2", "2.shift", "4", "4.shift"]
    assert all(layer.neuron == LIF(vth=80, du=1023, dv=123, bias_exp=6) for layer in list(graph)[::2])
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True)
    for name, out in outputs(net, x).items():
        if name in run.trace:
            assert np.array_equal(out.numpy(), run.trace[f"{name}.shift"].reshape(out.shape)), name
            assert 0.02 < out.mean() < 0.9
    assert np.array_equal(outputs(net, x)["4"].sum(-1), run.output)


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["stock", "shifting", "ours", "sum"]), min_size=2, max_size=5), st.integers(0, 99))
def test_random_networks_of_stock_blocks_and_ours(kinds: list[str], seed: int) -> None:
    """Convolutions in any order, with residual sums, stock ones with and without shift, at T = 5."""
    torch.manual_seed(seed)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.start, self.end = block.Input((2, 4, 4), 1.0, 1, 5), block.Readout(32, 3)
            self.blocks = nn.ModuleList(self.made(kind) for kind in kinds)

        def made(self, kind: str) -> nn.Module:
            if kind in ("ours", "sum"):
                conv = block.Conv(2, 2, 3, 1, 1, neuron=MultiLevel(1, threshold=0.3))
                return conv if kind == "ours" else nn.ModuleList([conv, block.Add(neuron.Barrier(1))])
            return cuba.Conv(CUBA, 2, 2, 3, padding=1, weight_scale=20, delay_shift=kind == "shifting")

        def forward(self, x: Tensor) -> Tensor:
            x = self.start(x)
            for made in self.blocks:
                x = made[1](x, made[0](x)) if isinstance(made, nn.ModuleList) else made(x)
            return self.end(x)

    x = (torch.rand((2, 2, 4, 4, 5)) < 0.5).float()
    net = Net().eval()
    graph = ml.netx.quantize(net)
    assert sum(layer.neuron.kind == "late" for layer in graph) == kinds.count("shifting")
    found, run = block.trace(net, x), ml.sim.run(graph, x.numpy().astype(int), trace=True)
    assert set(found) == {"input", *run.trace}
    for name, sent in run.trace.items():
        assert np.array_equal(found[name], sent), name


def test_blocks_that_shift_are_told_of_where_the_shift_is_left_out() -> None:
    """Then torch's sums over T differ from the graph's; of blocks without shift nothing is said."""
    with pytest.warns(UserWarning, match=r"'1', '2', '4' with delay_shift=True.*train with delay_shift=False"):
        without = ml.netx.quantize(cuba_net(), delay_shift=False)
    assert [layer.name for layer in without] == ["1", "2", "4"]
    net, x = cuba_net(), spikes((1, 8, 8))
    for module in net[1:]:
        module.delay_shift = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", ".*weight_norm.*")
        graph = ml.netx.quantize(net, delay_shift=False)
    assert graph == without == ml.netx.quantize(net)
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True)
    out = list(outputs(net, x).values())[-1].numpy()
    assert np.array_equal(out.sum(-1).reshape(3, -1), run.output) and out.any()


def test_decays_per_neuron_are_the_graphs() -> None:
    torch.manual_seed(1)
    own = {**CUBA, "current_decay": (0.1, 0.9), "voltage_decay": (0.01, 0.5), "shared_param": False}
    net, x = after((1, 8, 8), cuba.Flatten(), cuba.Dense(own, 64, 30, weight_scale=9)), spikes((1, 8, 8))
    with pytest.raises(ValueError, match="decays per neuron, which SLAYER draws in the first pass"):
        ml.netx.quantize(net)
    with torch.no_grad():
        net(x)
    graph, out = ml.netx.quantize(net), outputs(net, x)["2"]
    assert len(set(graph["2"].neuron.du)) > 20 and len(set(graph["2"].neuron.dv)) > 20
    run = ml.sim.run(graph, x.numpy().astype(int), trace=True)
    assert 0.02 < out.mean() < 0.9
    assert np.array_equal(out.numpy(), run.trace["2.shift"].reshape(out.shape))


@pytest.mark.parametrize("shift", [False, True])
def test_sigma_delta_blocks_become_sigma_delta_layers(shift: bool) -> None:
    torch.manual_seed(1)
    net = after(
        (1, 8, 8),
        sigma_delta.Input(SDNN, delay_shift=True),  # it computes none
        sigma_delta.Conv(SDNN, 1, 4, 3, padding=1, weight_scale=2, delay_shift=shift),
        sigma_delta.Flatten(),
        sigma_delta.Dense(SDNN, 256, 10, weight_scale=2),
        scale=1 / 64,
        bits=8,
    )
    x = torch.randint(0, 33, (3, 1, 8, 8, STEPS)) * 2 / 64
    graph = assert_same(net, x, (x * 64).numpy().round().astype(int))
    assert [layer.neuron for layer in graph] == [Delta(6), SigmaDelta(6), *[Late()] * shift, SigmaDelta(6)]
    run = ml.sim.run(graph, (x * 64).numpy().round().astype(int), trace=True, engine="reference")
    for name, out in ((n, o) for n, o in outputs(net, x).items() if n in run.trace):
        sent = run.trace.get(f"{name}.shift", run.trace[name])
        assert np.array_equal(out.numpy() * 64 * 64, sent.reshape(out.shape)), name


def test_stock_reader_loads_what_we_export(tmp_path: Path) -> None:
    """The same file that SLAYER's own export writes, as far as stock NetX looks."""
    net = cuba_net()
    net(spikes((1, 8, 8)))
    with pytest.warns(UserWarning, match="exported with delay_shift=False"):
        ml.netx.save(ml.netx.quantize(net, delay_shift=False), tmp_path / "ours.net")
    with h5py.File(tmp_path / "theirs.net", "w") as file:
        for i, module in enumerate(list(net)[1:]):
            module.export_hdf5(file.create_group(f"layer/{i}"))
    ours = hdf5.Network(str(tmp_path / "ours.net"))
    theirs = hdf5.Network(str(tmp_path / "theirs.net"), input_shape=(8, 8, 1))
    assert len(ours) == len(theirs) == 3
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert type(mine) is type(other) and mine.shape == other.shape
        weights = "weight" if hasattr(mine.synapse, "weight") else "weights"
        assert np.array_equal(getattr(mine.synapse, weights).init, getattr(other.synapse, weights).init)
        for name in ("vth", "du", "dv", "bias_mant", "bias_exp"):
            assert np.array_equal(getattr(mine.neuron, name).init, getattr(other.neuron, name).init), name


def test_mean_only_norm_is_a_bias() -> None:
    torch.manual_seed(0)
    neuron = {**CUBA, "norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    net = after((6, 1, 1), block.Flatten(), cuba.Dense(neuron, 6, 5, weight_scale=5)).train()
    net(spikes((6, 1, 1)))
    net.eval()
    graph = ml.netx.quantize(net)
    assert graph["2"].bias.any()
    images = spikes((6, 1, 1), 1).numpy().astype(int)
    held = ml.sim.run(graph, images, trace="membrane").membranes["2"]
    assert np.array_equal(block.membranes(net, spikes((6, 1, 1), 1), integers=True)["2"], held) and held.any()
    run = ml.sim.run(graph, spikes((6, 1, 1), 1).numpy().astype(int), trace=True, engine="reference")
    out = net(spikes((6, 1, 1), 1)).detach().numpy()
    assert np.array_equal(out, run.trace["2.shift"].reshape(out.shape))


def test_ours_and_stock_train_together() -> None:
    """Graded and stock blocks in one nn.Sequential, both ways round, with gradients to all of them."""
    torch.manual_seed(0)
    net = nn.Sequential(
        block.Input((2, 8, 8), 1.0, 1, STEPS),
        block.Conv(2, 4, 3, 1, 1, neuron=MultiLevel(1)),
        cuba.Conv(CUBA, 4, 6, 3, stride=2, weight_scale=20),
        block.Conv(6, 8, 3, neuron=MultiLevel(4)),
        cuba.Flatten(),
        block.Dense(8, 12, neuron=MultiLevel(4)),
        block.Readout(12, 3),
    )
    x = spikes((2, 8, 8))
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters() if p.requires_grad)
    assert net[2].synapse.weight.grad.abs().sum() > 0 and net[1].synapse.weight.grad.abs().sum() > 0
    graph = assert_same(block.quantized(net).eval(), x)
    assert [layer.neuron.kind for layer in graph] == [
        *("multilevel", "lif", "late", "multilevel", "multilevel", "readout")
    ]


def shared(**options: Any) -> dict[str, Any]:
    return {**CUBA, **options}


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([cuba.Dense(CUBA, 6, 5, delay=True)], "layer '2': axonal delays are not part of a NetGraph"),
        ([cuba.Average(2)], "layer '2': SLAYER block Average: expected Input, Dense, Conv or Flatten"),
        ([cuba.Dense(shared(graded_spike=True), 6, 5)], "CUBA with graded_spike=True"),
        ([cuba.Dense(shared(norm=slayer.neuron.norm.WgtScaleBatchNorm), 6, 5)],
         "norm WgtScaleBatchNorm: expected none"),
        ([cuba.Dense(CUBA, 6, 5, pre_hook_fx=None)], "a synapse without quantization"),
        ([slayer.block.alif.Dense(shared(threshold_step=0.1, threshold_decay=0.1, refractory_decay=0.1), 6, 5)],
         "SLAYER neuron .*alif.*: expected CUBA or sigma-delta"),
        ([slayer.block.rf.Dense({"threshold": 1.0, "period": 7, "decay": 0.1}, 6, 5)], "SLAYER neuron .*rf"),
        ([sigma_delta.Dense(SDNN, 6, 5)], "layer '2': a sigma-delta block reads deltas: expected a sigma_delta.Input"),
        ([sigma_delta.Input(SDNN)], "a sigma-delta input reads messages of 1 / 64: .* scale=1 / 64, got 1 / 1"),
        ([cuba.Dense(CUBA, 7, 5)], r"layer '2': dense weight \(5, 7\) reads 7 sites"),
        ([block.Dense(6, 5, neuron=MultiLevel(4)), cuba.Dense(CUBA, 5, 5)],
         "layer '3': a CUBA block reads spikes of 4 levels: expected levels=1"),
    ],
)  # fmt: skip
def test_what_netx_cannot_read_is_refused(blocks: list[nn.Module], message: str) -> None:
    net = after((6, 1, 1), block.Flatten(), *blocks)
    with pytest.raises(ValueError, match=message):
        ml.netx.quantize(net)


def test_changes_are_no_spikes() -> None:
    net = after((6, 1, 1), sigma_delta.Input(SDNN), block.Readout(6, 2), scale=1 / 64, bits=8)
    with pytest.raises(ValueError, match="layer '2': it reads the changes that a sigma-delta block sends"):
        ml.netx.quantize(net)
    other = after(
        (6, 1, 1), sigma_delta.Input(SDNN), sigma_delta.Dense({**SDNN, "activation": torch.tanh}, 6, 2), scale=1 / 64
    )
    with pytest.raises(ValueError, match=r"sigma-delta activation .*tanh.*: expected torch.relu"):
        ml.netx.quantize(other)
    biased = sigma_delta.Dense(SDNN, 6, 2)
    biased.neuron.set_bias(torch.ones(2))
    with pytest.raises(ValueError, match="a bias set in a sigma-delta neuron"):
        ml.netx.quantize(after((6, 1, 1), sigma_delta.Input(SDNN), biased, scale=1 / 64))
    transform = after((6, 1, 1), sigma_delta.Input(SDNN, weight=2.0), scale=1 / 64)
    with pytest.raises(ValueError, match="an input transform in SLAYER's Input"):
        ml.netx.quantize(transform)
